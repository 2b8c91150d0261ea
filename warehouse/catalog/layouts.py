"""Layouts (版式): how the files of a source are laid out, as data a statistician can read.

Belongs here: the strict model of a layout file, Chinese messages for its mistakes, loading one
file and writing a proposed one. Does not belong here: detecting tables, or reading a workbook with
a layout (``assets.submissions``). The language is documented in ``docs/layouts.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from warehouse.catalog.models import CatalogModel, Id, Indicator, IndicatorId, Period

Measure = Literal["ytd", "month", "stock", "ytd_prior", "yoy_published", "other"]
"""Measures of the warehouse, and ``other``: understood and kept as a cell, never an observation."""

Maturity = Literal["快报", "定报", "年报"]
Shape = Literal["wide", "transposed", "series", "long"]
Place = Literal["title", "sheet", "file", "facts", "submission"]

SHAPE_ZH = {
    "wide": "一行一个单位，指标在列头",
    "transposed": "一行一个指标，单位在列头",
    "series": "报告期在列头",
    "long": "一行一个数",
}


def _many(value: Any) -> Any:
    """One text may stand for a list of one."""
    return [value] if isinstance(value, str) else value


def _column_letters(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"[A-Za-z]{1,3}", value):
        raise ValueError(f"列号应为字母（如 B、AC），读到“{value}”")
    return value.upper() if isinstance(value, str) else value


Texts = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_many)]
Letters = Annotated[str | None, BeforeValidator(_column_letters)]


class Where(CatalogModel):
    """Where one dimension of a value stands; exactly one of the ways is given.

    ``head``: in the cells of the column with this head. ``column``: in the cells of the column with
    this letter (for columns without a head). ``across``: in the heads of the value columns.
    ``from``: in the first of these places that has it (title, sheet name, file name, `key：value`
    lines, or the submission's own period). ``fixed``: always this.
    """

    model_config = ConfigDict(populate_by_name=True)

    head: Texts = ()
    column: Letters = None
    across: bool = False
    places: Annotated[tuple[Place, ...], BeforeValidator(_many)] = Field(default=(), alias="from")
    fixed: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = self._ways()
        if len(given) != 1:
            found = "、".join(given) if given else "都没有写"
            raise ValueError(f"head、column、across、from、fixed 只能写一个，现{found}")
        return self

    def _ways(self) -> list[str]:
        ways = {
            "head": bool(self.head),
            "column": self.column is not None,
            "across": self.across,
            "from": bool(self.places),
            "fixed": self.fixed is not None,
        }
        return [name for name, given in ways.items() if given]

    @property
    def in_cells(self) -> bool:
        """Whether the dimension is read from the cells of each row."""
        return bool(self.head) or self.column is not None


class EntityRule(Where):
    """The monitored unit. ``names`` maps a writing of this source to a park id; ``region`` names

    the column that tells namesakes apart (县区); ``fill_down`` repeats the name over blank cells.
    """

    names: Mapping[str, Id] = {}
    region: Texts = ()
    fill_down: bool = False


class IndicatorRule(Where):
    """The indicator, where it is not simply in the heads of the columns (the default)."""

    across: bool = False
    fill_down: bool = False


class PeriodRule(Where):
    """The report period. ``year`` and ``month`` name two columns (US tables) instead of one."""

    year: Texts = ()
    month: Texts = ()

    def _ways(self) -> list[str]:
        return [*super()._ways(), *(["year"] if self.year else [])]

    @model_validator(mode="after")
    def _months_need_years(self) -> Self:
        if self.month and not self.year:
            raise ValueError("写了 month 就须写 year")
        return self


class MaturityRule(CatalogModel):
    """快报, 定报 or 年报: one value for the file, or a column whose words are mapped."""

    value: Maturity | None = None
    column: Texts = ()
    map: Mapping[str, Maturity] = {}

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.value is None) == (not self.column):
            raise ValueError("value 与 column 须写且只写一个")
        if self.column and not self.map:
            raise ValueError("写了 column 就须用 map 说明各种写法对应快报、定报还是年报")
        return self


class HeadRule(CatalogModel):
    """What heads mean. With ``head``: these patterns mean this indicator and ``measure``.

    Without ``head``: the catalogue's names and aliases of the indicator, in the ``measures`` the
    form asks for. ``unit`` is what the form is expected to be in when the file does not say.
    """

    indicator: IndicatorId | None = None
    head: Texts = ()
    measure: Measure | None = None
    measures: tuple[Measure, ...] = ()
    unit: str | None = None
    note: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.head and self.indicator is None:
            raise ValueError("head 与 indicator 至少写一个")
        if self.measure is not None and self.measures:
            raise ValueError("measure 与 measures 只能写一个")
        if self.head and len(self.measures) > 1:
            raise ValueError("写了 head 的一项只能有一个口径，请用 measure，或分成几项")
        return self

    @property
    def expected(self) -> tuple[str | None, ...]:
        """Measures the form must contain; ``(None,)`` when any will do."""
        return self.measures or (self.measure,)


class AbsentRule(CatalogModel):
    """A figure this form does not ask for, stated so that its absence is no drift."""

    indicator: IndicatorId
    measure: Measure | None = None
    reason: Id


class IgnoreRule(CatalogModel):
    """Columns (or indicator rows) that are no figures of ours, with the reason."""

    head: Texts = ()
    column: Letters = None
    reason: Id

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.head) == (self.column is not None):
            raise ValueError("head 与 column 须写且只写一个")
        return self


class RowRules(CatalogModel):
    """Labels of total and 其中 rows beyond the usual ones, and rows to skip with the reason."""

    total: Texts = ()
    of_which: Texts = ()
    data: Texts = ()
    skip: tuple[IgnoreRule, ...] = ()


class TableLayout(CatalogModel):
    """One kind of table in the file. Patterns use ``*`` and ``?``; width and white space ignored.

    ``unit_column`` and ``measure_column`` name the columns that hold the unit (计量单位) and the
    measure words (口径: 本月, 累计) of each row.

    ``indicators: auto`` reads any indicator of the catalogue whose name or alias a head is; a list
    allows only these; an empty list allows nothing beyond ``columns``.
    """

    name: str = ""
    sheets: Texts = ("*",)
    titles: Texts = ()
    shape: Shape
    entity: EntityRule
    indicator: IndicatorRule | None = None
    period: PeriodRule
    measure: Measure | None = None
    maturity: MaturityRule | None = None
    default_unit: str | None = None
    unit_column: Texts = ()
    measure_column: Texts = ()
    indicators: Literal["auto"] | tuple[IndicatorId, ...] = ()
    columns: tuple[HeadRule, ...] = ()
    absent: tuple[AbsentRule, ...] = ()
    ignore: tuple[IgnoreRule, ...] = ()
    rows: RowRules = RowRules()
    optional: bool = False

    @field_validator("indicators", mode="before")
    @classmethod
    def _auto_or_list(cls, value: Any) -> Any:
        if isinstance(value, str) and value != "auto":
            raise ValueError(f"应为 auto 或指标代码列表，读到“{value}”")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        found = self._found_shape()
        if found != self.shape:
            raise ValueError(
                f"shape 写的是 {self.shape}（{SHAPE_ZH[self.shape]}），"
                f"而 entity、indicator、period 的写法是 {found}（{SHAPE_ZH[found]}）"
            )
        if self.entity.across and self.indicator is not None and self.indicator.across:
            raise ValueError("entity 与 indicator 不能都在列头")
        if self.entity.across and self.indicator is None:
            raise ValueError("单位在列头时须写明 indicator 在哪里")
        if not self.columns and not self.indicators and self.indicator_places:
            raise ValueError("columns 与 indicators 至少写一个，否则没有一列读得出指标")
        return self

    def _found_shape(self) -> str:
        """Shape by what stands in the heads; indicators and periods both there count as wide."""
        if self.entity.across:
            return "transposed"
        if self.indicator is not None and self.indicator.across:
            return "wide"
        if self.period.across:
            return "series"
        return "wide" if self.indicator is None else "long"

    @property
    def indicator_places(self) -> bool:
        """Whether an indicator has to be recognised at all (it is not fixed for the table)."""
        return self.indicator is None or self.indicator.fixed is None

    @property
    def across_indicators(self) -> bool:
        """Whether the heads of the value columns name indicators."""
        if self.indicator is not None:
            return self.indicator.across
        return not self.entity.across and not self.period.across


class IgnoredSheet(CatalogModel):
    """A sheet that is not read, with the reason."""

    sheet: Texts
    reason: Id


class Layout(CatalogModel):
    """A layout file. ``valid_from`` and ``valid_to`` are report periods, both included.

    ``status: proposed`` files are kept beside the others and never used until a person has set
    ``accepted``. ``new_indicators`` are indicators the source has and the catalogue has not.
    """

    layout_id: Id
    title: Id
    source: Texts
    status: Literal["accepted", "proposed"] = "accepted"
    valid_from: Period | None = None
    valid_to: Period | None = None
    symbols: str = "default"
    file_names: Texts = ()
    tables: tuple[TableLayout, ...] = Field(min_length=1)
    ignore_sheets: tuple[IgnoredSheet, ...] = ()
    new_indicators: tuple[Indicator, ...] = ()
    note: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.valid_from and self.valid_to and self.valid_from > self.valid_to:
            raise ValueError("valid_from 晚于 valid_to")
        return self

    def covers(self, period: str | None) -> bool:
        """Whether the layout holds for a report period (any, when it is not known)."""
        if period is None:
            return True
        return (self.valid_from or "") <= period <= (self.valid_to or "9999-12")

    @property
    def indicator_ids(self) -> frozenset[str]:
        """Every indicator the layout names, for checks against the catalogue."""
        named = {rule.indicator for table in self.tables for rule in table.columns}
        named |= {rule.indicator for table in self.tables for rule in table.absent}
        for table in self.tables:
            named |= set() if table.indicators == "auto" else set(table.indicators)
            named |= {table.indicator.fixed} if table.indicator else set()
        return frozenset(name for name in named if name)


# --- files --------------------------------------------------------------------------------------


def layout_yaml(layout: Layout, comments: Mapping[str, Sequence[str]] | None = None) -> str:
    """A layout as a file: one head a line, in the order of the model, defaults left out.

    ``comments`` are printed above the entry whose first head (or indicator id) is the key. Reading
    the text back gives an equal layout.
    """
    notes = comments or {}
    lines: list[str] = [f"# {text}" for text in notes.get("", ())]
    data = layout.model_dump(by_alias=True, exclude_defaults=True, mode="json")
    for key, value in data.items():
        if key == "tables":
            lines += _tables(layout.tables, value, notes)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            lines += ["", f"{key}:", *_items(value, notes, indent="")]
        else:
            lines.append(f"{key}: {_flow(_single(value, key))}")
    return "\n".join(lines) + "\n"


def _tables(
    tables: Iterable[TableLayout], dumped: list[dict[str, Any]], notes: Mapping[str, Sequence[str]]
) -> list[str]:
    lines = ["", "tables:"]
    for table, values in zip(tables, dumped, strict=True):
        values = {"shape": table.shape, **{k: v for k, v in values.items() if k != "shape"}}
        for number, (key, value) in enumerate(values.items()):
            lead = "- " if number == 0 else "  "
            if isinstance(value, list) and value and isinstance(value[0], dict):
                lines += [f"{lead}{key}:", *_items(value, notes, indent="  ")]
            else:
                lines.append(f"{lead}{key}: {_flow(_single(value, key))}")
    return lines


def _items(
    values: list[dict[str, Any]], notes: Mapping[str, Sequence[str]], indent: str
) -> list[str]:
    lines: list[str] = []
    for value in values:
        plain = _single(value)
        head = value.get("head") or [value.get("indicator") or value.get("indicator_id") or ""]
        if head[0]:
            lines += [f"{indent}# {text}" for text in notes.get(str(head[0]), ())]
        lines.append(f"{indent}- {_flow(plain)}")
    return lines


_ONE_OR_MANY = {"head", "year", "month", "sheet", "sheets", "titles", "source", "region", "column"}


def _single(value: Any, key: str = "") -> Any:
    """A list of one text is written as the text where the model accepts both."""
    if isinstance(value, dict):
        return {name: _single(item, name) for name, item in value.items()}
    if key in _ONE_OR_MANY and isinstance(value, list) and len(value) == 1:
        return value[0]
    return value


def _flow(value: Any) -> str:
    import yaml

    text: str = yaml.safe_dump(
        value, allow_unicode=True, default_flow_style=True, sort_keys=False, width=10_000
    )
    return text.removesuffix("\n").removesuffix("\n...").strip()
