"""From a return to sheets of cells: title, heads, park lines, totals, footers.

Belongs here: where each text and figure stands, per layout (wide2, wide1, long, transposed).
Does not belong here: head texts themselves (``forms``), file formats (``writers``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from examples.sample import wording
from examples.sample.figures import growth
from examples.sample.forms import UNITS, Columns, Form
from examples.sample.returns import Entry, Key, Return, Row

FULL_WIDTH = {ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789.-"}
PLAIN_HEAD = ("B06", "B07", "G02")
"""Flows whose name already says 本年: one head cell without a measure."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula with the value the spreadsheet last computed; ``None``: never computed."""

    text: str
    value: float | None


CellValue = str | int | float | Formula | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and the name of its style (see ``writers``)."""

    value: CellValue
    style: str = "text"


@dataclass
class Grid:
    """A sheet being made. Rows and columns count from 0."""

    name: str
    rows: list[list[Cell]] = field(default_factory=list)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    width: int = 1

    def line(self, *cells: Cell) -> int:
        """Append a row; returns its number."""
        self.rows.append(list(cells))
        return len(self.rows) - 1

    def across(self, text: str, style: str) -> None:
        """A row of one text merged over the width of the table."""
        row = self.line(Cell(text, style))
        if self.width > 1:
            self.merges.append((row, 0, row, self.width - 1))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a wide table."""

    key: Key
    group: str
    sub: str  # "" where the head is one cell


def sheets_of(made: Return) -> list[Grid]:
    """All sheets of a return."""
    form = made.form
    if form.layout == "long":
        return [_long(made)]
    if form.layout == "transposed":
        return [_transposed(made)]
    groups = _groups(made)
    return [_wide(made, name, columns) for name, columns in groups]


def _groups(made: Return) -> list[tuple[str, Columns]]:
    form = made.form
    columns = made.columns()
    if form.sheets is None:
        groups = [(form.sheet_name, columns)]
    else:
        groups = [
            (name, tuple(c for c in columns if c[0] in codes))
            for name, codes in form.sheets.items()
        ]
    if form.extra_sheets:
        extra = made.extra()
        quarter = tuple(c for c in extra if c in form.quarter_columns)
        year = tuple(c for c in extra if c in form.year_columns)
        groups += [(n, c) for n, c in (("季度附表", quarter), ("年度附表", year)) if c]
    return groups


# --- cells


def cell_of(made: Return, key: Key, entry: Entry | None) -> Cell:
    """The cell of an entry as this reporter writes it."""
    if entry is None:
        return Cell("—", "mark")
    if entry.text is not None:
        return Cell(entry.text, "mark")
    marks = {"not_applicable": "—", "unknown": None, "below_unit": "…"}
    if entry.state in marks:
        return Cell(marks[entry.state], "mark")
    assert entry.shown is not None
    if key[1] == "yoy_published":
        return _growth_cell(made, entry)
    if entry.planted == "unit_slip":
        return Cell(float(entry.shown), "d4")
    return _number_cell(made, key, entry.shown)


def _growth_cell(made: Return, entry: Entry) -> Cell:
    assert entry.shown is not None
    if entry.planted == "decimal_growth":
        return Cell(float(entry.shown), "d3")
    if made.form.percent_format:
        return Cell(float(entry.shown / 100), "percent")
    return _written(made, entry.shown, "d1")


def _number_cell(made: Return, key: Key, shown: Decimal) -> Cell:
    decimals = made.form.decimals(key[0])
    if "unit_in_cell" in made.habits and key[0] in ("C01", "C04") and key[1] == "ytd":
        return Cell(f"{shown:,}{made.form.money}", "mark")
    return _written(made, shown, f"d{decimals}")


def _written(made: Return, shown: Decimal, style: str) -> Cell:
    if "full_width" in made.habits:
        return Cell(str(shown).translate(FULL_WIDTH), "mark")
    if "thousands" in made.habits and abs(shown) >= 1000:
        return Cell(f"{shown:,}", "mark")
    if "text_numbers" in made.habits:
        return Cell(str(shown), "mark")
    number = int(shown) if shown == shown.to_integral_value() else float(shown)
    return Cell(number, style)


# --- totals


def total_row(made: Return, name: str, rows: Iterable[Row], own_growth: bool) -> Row | None:
    """A line of sums over ``rows``; growth from the sums. ``None`` when there is nothing to sum."""
    chosen = [row for row in rows if row.park.park_id != made.omit_from_total]
    if not chosen:
        return None
    sums: dict[Key, Entry] = {}
    for key in chosen[0].entries:
        if key[1] == "yoy_published":
            continue
        shown = [row.entries[key].shown for row in chosen]
        known = [value for value in shown if value is not None]
        state = "reported" if known else "not_applicable"
        total = sum(known, Decimal(0)) if known else None
        sums[key] = Entry(None, total, "zero" if total == 0 else state)
    for indicator, measure in chosen[0].entries:
        if measure == "yoy_published":
            sums[indicator, measure] = _sum_growth(made, indicator, sums, own_growth)
    return Row(chosen[0].park, name, sums)


def _sum_growth(made: Return, indicator: str, sums: dict[Key, Entry], own: bool) -> Entry:
    prior = sums.get((indicator, "ytd_prior"))
    if prior is not None:
        rate = growth(sums[indicator, "ytd"].shown, prior.shown)
    else:
        rate = made.growths.get(indicator) if own else None
    return Entry(None, rate, "not_applicable" if rate is None else "reported")


def lines_of(made: Return) -> list[tuple[Row, bool]]:
    """Park lines with the total where the form puts it; True marks a line of sums."""
    parks = [(row, False) for row in made.rows]
    if made.form.total == "none" or not parks:
        return parks
    total = total_row(
        made, made.form.total_name.format(made.county[-1]), made.rows, own_growth=True
    )
    sums = [] if total is None else [(total, True)]
    if made.form.of_which:
        shown = [row for row in made.rows if row.park.is_demonstration]
        part = total_row(made, "其中：示范园区", shown, own_growth=False)
        sums += [] if part is None else [(part, True)]
    at = {"end": len(parks), "top": 0, "middle": (len(parks) + 1) // 2}[made.form.total]
    return [*parks[:at], *sums, *parks[at:]]


# --- heading, footer


STATUTORY = {
    "form_no": "表  号",
    "agency": "制定机关",
    "approval": "批准文号",
    "valid_until": "有效期至",
}


def _heading(grid: Grid, made: Return) -> None:
    form = made.form
    title = wording.title(form.title, made.county, made.title_period)
    if title:
        grid.across(title, "title")
    if title or form.statutory:
        grid.across(wording.SIMULATED, "note")
    if form.statutory:
        for key, label in STATUTORY.items():
            grid.across(f"{label}：{made.statutory[key]}", "right")
    reporter = f"填报单位：{made.county}园区统计岗（模拟）"
    if form.units_in == "line":
        span = wording.span(made.title_period)
        grid.across(f"{reporter}    {span}    计量单位：{made.money_text}", "note")
    elif title:
        grid.across(reporter, "note")


def _footer(grid: Grid, made: Return) -> None:
    if made.form.title == "none":
        grid.line(Cell(f"注：{wording.SIMULATED}", "note"))
        return
    for note in made.notes:
        grid.across(f"说明：{note}", "note")
    grid.across(wording.ROUNDING, "note")
    assert made.received is not None
    grid.across(wording.SIGNATURE.format(day=wording.day_text(made.received.date())), "note")


# --- wide


def wide_columns(form: Form, columns: Columns) -> list[Column]:
    """Columns of a wide table with their upper and lower head texts."""
    found = []
    for indicator, measures in columns:
        name = form.name(indicator)
        unit = form.unit(indicator)
        if indicator in UNITS and not name.endswith(f"（{unit}）"):
            name = f"{name}（{unit}）"
        for measure in measures:
            plain = measure == "stock" or indicator in PLAIN_HEAD
            found.append(Column((indicator, measure), name, "" if plain else form.measure(measure)))
    return found


def single_head(form: Form, key: Key) -> str:
    """Head text of a column where the head is one row."""
    indicator, measure = key
    name, unit = form.name(indicator), form.unit(indicator)
    middle = "\n" if form.breaks else ""
    if measure == "stock" or indicator in PLAIN_HEAD:
        return f"{name}{middle}({unit})"
    text = form.measure(measure)
    if measure == "yoy_published":
        return f"{name}{middle}{text}" + ("" if "%" in text else "(%)")
    return f"{name}{middle}{text}({unit})"


def _wide(made: Return, name: str, groups: Columns) -> Grid:
    form = made.form
    columns = wide_columns(form, groups)
    lead = ["序号", "园区名称"] if form.serial else ["园区名称"]
    grid = Grid(name, width=len(lead) + len(columns))
    _heading(grid, made)
    if form.layout == "wide2":
        _two_head_rows(grid, lead, columns)
    else:
        heads = [*lead, *(single_head(form, column.key) for column in columns)]
        grid.line(*(Cell(text, "head") for text in heads))
    _wide_body(grid, made, columns, len(lead))
    if "hidden_column" in made.habits and "C01" in [c.key[0] for c in columns]:
        _hidden_column(grid, made, columns)
    _footer(grid, made)
    return grid


def _two_head_rows(grid: Grid, lead: list[str], columns: list[Column]) -> None:
    top = grid.line(*(Cell(text, "head") for text in lead))
    below = grid.line(*(Cell(None, "head") for _ in lead))
    for c in range(len(lead)):
        grid.merges.append((top, c, below, c))
    for n, column in enumerate(columns):
        c = len(lead) + n
        first = n == 0 or columns[n - 1].group != column.group
        grid.rows[top].append(Cell(column.group if first else None, "head"))
        grid.rows[below].append(Cell(column.sub or None, "head"))
        if not column.sub:
            grid.merges.append((top, c, below, c))
        elif first:
            last = n
            while last + 1 < len(columns) and columns[last + 1].group == column.group:
                last += 1
            if last > n:
                grid.merges.append((top, c, top, len(lead) + last))


def _wide_body(grid: Grid, made: Return, columns: list[Column], lead: int) -> None:
    lines = lines_of(made)
    first = len(grid.rows)
    park_rows = [first + n for n, (_, is_sum) in enumerate(lines) if not is_sum]
    serial = 0
    for row, is_sum in lines:
        serial += 0 if is_sum else 1
        cells = [Cell(None if is_sum else serial, "d0")] if lead == 2 else []
        cells.append(Cell(row.name, "name"))
        for n, column in enumerate(columns):
            cell = cell_of(made, column.key, row.entries.get(column.key))
            if is_sum and made.form.formulas and column.key[1] != "yoy_published":
                cell = _as_formula(made, cell, lead + n, park_rows)
            cells.append(cell)
        grid.line(*cells)


def letters(column: int) -> str:
    """Spreadsheet letters of a 0-based column."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def _as_formula(made: Return, cell: Cell, column: int, park_rows: list[int]) -> Cell:
    if not isinstance(cell.value, int | float):
        return cell
    if made.omit_from_total:  # a typed total: that is how it came to be wrong
        return cell
    text = f"=SUM({letters(column)}{park_rows[0] + 1}:{letters(column)}{park_rows[-1] + 1})"
    return Cell(Formula(text, None if made.uncached else float(cell.value)), cell.style)


def _hidden_column(grid: Grid, made: Return, columns: list[Column]) -> None:
    """A helper column the county keeps for itself: last month's cumulative output."""
    at = grid.width
    head = next(n for n, row in enumerate(grid.rows) if row and row[0].style == "head")
    grid.rows[head].append(Cell("上月累计（核对用）", "head"))
    names = {row.name: row for row in made.rows}
    for line in grid.rows:
        row = names.get(str(line[-1 - len(columns)].value)) if len(line) == at else None
        if row is None:
            continue
        now, month = row.entries["C01", "ytd"].shown, row.entries["C01", "month"].shown
        if now is not None and month is not None:
            line.append(Cell(float(now - month), "d0"))
    grid.hidden.add(at)


# --- long, transposed


def flat_name(form: Form, indicator: str) -> str:
    """Name of an indicator in a row, with its unit where the form writes it there."""
    name = form.name(indicator)
    return f"{name}({form.unit(indicator)})" if form.units_in == "head" else name


LONG_SLOTS = (("month",), ("ytd", "stock"), ("ytd_prior",), ("yoy_published",))


def _long(made: Return) -> Grid:
    form = made.form
    heads = ["序号"] if form.serial else []
    heads += ["园区名称"] + (["行政区划代码"] if form.region_code else []) + ["指标名称"]
    heads += ["计量单位"] if form.units_in == "column" else []
    heads += [form.measure(slot[0]) for slot in LONG_SLOTS] + ["备注"]
    grid = Grid(form.sheet_name, width=len(heads))
    _heading(grid, made)
    grid.line(*(Cell(text, "head") for text in heads))
    serial = 0
    for row, is_sum in lines_of(made):
        start = len(grid.rows)
        for indicator, measures in made.columns():
            serial += 1
            grid.line(*_long_cells(made, row, indicator, measures, serial, is_sum))
        if not form.serial and len(grid.rows) - start > 1:
            grid.merges.append((start, 0, len(grid.rows) - 1, 0))
            for below in grid.rows[start + 1 :]:
                below[0] = Cell(None, "name")
    _footer(grid, made)
    return grid


def _long_cells(
    made: Return, row: Row, indicator: str, measures: tuple[str, ...], serial: int, is_sum: bool
) -> list[Cell]:
    form = made.form
    cells = [Cell(serial, "d0")] if form.serial else []
    cells.append(Cell(row.name, "name"))
    if form.region_code:
        cells.append(Cell(None if is_sum else made.region_code, "mark"))
    cells.append(Cell(flat_name(form, indicator), "name"))
    if form.units_in == "column":
        unit = made.money_text if indicator not in UNITS else form.unit(indicator)
        cells.append(Cell(unit, "mark"))
    for slot in LONG_SLOTS:
        measure = next((m for m in slot if m in measures), None)
        entry = row.entries.get((indicator, measure)) if measure else None
        cells.append(cell_of(made, (indicator, measure or ""), entry))
    cells.append(Cell(None, "text"))
    return cells


def _transposed(made: Return) -> Grid:
    form = made.form
    lines = lines_of(made)
    heads = ["指标名称"] + (["计量单位"] if form.units_in == "column" else []) + ["口径"]
    grid = Grid(form.sheet_name, width=len(heads) + len(lines))
    _heading(grid, made)
    grid.line(
        *(Cell(text, "head") for text in heads), *(Cell(row.name, "head") for row, _ in lines)
    )
    for indicator, measures in made.columns():
        start = len(grid.rows)
        for n, measure in enumerate(measures):
            cells = [Cell(flat_name(form, indicator) if n == 0 else None, "name")]
            if form.units_in == "column":
                cells.append(Cell(_row_unit(made, indicator, measure), "mark"))
            cells.append(Cell(form.measure(measure), "mark"))
            key = (indicator, measure)
            cells += [cell_of(made, key, row.entries.get(key)) for row, _ in lines]
            grid.line(*cells)
        if form.units_in == "head" and len(measures) > 1:
            grid.merges.append((start, 0, len(grid.rows) - 1, 0))
    _footer(grid, made)
    return grid


def _row_unit(made: Return, indicator: str, measure: str) -> str:
    if measure == "yoy_published":
        return "%"
    return made.form.unit(indicator) if indicator in UNITS else made.money_text
