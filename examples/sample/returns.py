"""One return before it is laid out: its parks, its entries, its heading. Mistakes change it here.

Belongs here: what a reporter states, in the form's unit and precision, with the true figure beside
it. Does not belong here: cells, bytes, or the choice of mistakes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from examples.sample.figures import Figures, growth
from examples.sample.forms import FORMS, Columns, Form
from examples.sample.registers import Example, Park, period_name, split_period

FACTORS = {"亿元": Decimal(10000)}
Key = tuple[str, str]  # indicator, measure


@dataclass(frozen=True, slots=True)
class Entry:
    """One stated figure. ``shown`` is in the form's unit, ``true`` in the canonical one."""

    true: Decimal | None
    shown: Decimal | None
    state: str  # reported, zero, below_unit, not_applicable, unknown, approximate
    factor: Decimal = Decimal(1)
    planted: str = ""
    text: str | None = None  # written instead of ``shown``

    @property
    def written(self) -> Decimal | None:
        """What a right reading of the cell gives, in the canonical unit."""
        return None if self.shown is None else self.shown * self.factor


@dataclass
class Row:
    """A park's line: the name as written and its entries."""

    park: Park
    name: str
    entries: dict[Key, Entry]
    planted: str = ""


@dataclass
class Return:
    """A return of one reporter for one period, ready to be laid out."""

    reporter_id: str
    county: str
    region_code: str
    period: str
    form: Form
    habits: frozenset[str]
    statutory: dict[str, str]
    rows: list[Row]
    title_period: str
    money_text: str
    received: datetime | None = None
    growths: dict[str, Decimal | None] = field(default_factory=dict)  # of the total row
    omit_from_total: str = ""  # park the total row forgets
    uncached: bool = False
    notes: list[str] = field(default_factory=list)

    def columns(self) -> Columns:
        """The form's columns for this period, unless quarter and year columns stand apart."""
        return self.form.columns if self.form.extra_sheets else (*self.form.columns, *self.extra())

    def extra(self) -> Columns:
        """Quarter columns in March, June, September, December; year columns in December."""
        month = split_period(self.period)[1]
        quarter = self.form.quarter_columns if month % 3 == 0 else ()
        return (*quarter, *(self.form.year_columns if month == 12 else ()))


def in_force(steps: list[list[str]], period: str) -> str:
    """Value in force at a period of a list of ``[from, value]`` steps."""
    return [value for start, value in steps if start <= period][-1]


def _quantized(value: Decimal, form: Form, indicator: str) -> Decimal:
    factor = FACTORS.get(form.unit(indicator), Decimal(1))
    step = Decimal(1).scaleb(-form.decimals(indicator))
    return (value / factor).quantize(step, ROUND_HALF_UP)


def _entry(true: Decimal | None, shown: Decimal | None, factor: Decimal, missing: str) -> Entry:
    if true is None or shown is None:
        return Entry(true, None, missing, factor)
    if shown == 0:
        return Entry(true, shown, "zero" if true == 0 else "below_unit", factor)
    return Entry(true, shown, "reported", factor)


def entries_of(
    figures: Figures, form: Form, park_id: str, period: str, columns: Columns
) -> dict[Key, Entry]:
    """All entries of a park, rounded as the form rounds, with month = difference of the rounded."""
    found: dict[Key, Entry] = {}
    for indicator, measures in columns:
        blank = (park_id, indicator) in figures.blank
        missing = "unknown" if blank else "not_applicable"
        factor = FACTORS.get(form.unit(indicator), Decimal(1))
        for measure in measures:
            if measure == "yoy_published":
                found[indicator, measure] = _growth_entry(figures, form, park_id, indicator, period)
                continue
            true = figures.value(park_id, indicator, period, measure)
            shown = None if true is None else _quantized(true, form, indicator)
            if measure == "month" and true is not None:
                shown = _month_shown(figures, form, park_id, indicator, period)
            found[indicator, measure] = _entry(true, shown, factor, missing)
    return found


def _month_shown(
    figures: Figures, form: Form, park_id: str, indicator: str, period: str
) -> Decimal:
    year, month = split_period(period)
    now = figures.value(park_id, indicator, period, "ytd")
    before = figures.value(park_id, indicator, period_name(year, month - 1), "ytd")
    assert now is not None and before is not None
    return _quantized(now, form, indicator) - _quantized(before, form, indicator)


def _growth_entry(figures: Figures, form: Form, park_id: str, indicator: str, period: str) -> Entry:
    value = figures.value(park_id, indicator, period, "ytd")
    prior = figures.value(park_id, indicator, period, "ytd_prior")
    has_prior = any(code == indicator and "ytd_prior" in m for code, m in form.columns)
    if has_prior and value is not None and prior is not None:
        value, prior = _quantized(value, form, indicator), _quantized(prior, form, indicator)
    rate = growth(value, prior)
    if (park_id, indicator) in figures.blank:
        return Entry(None, None, "unknown")
    return _entry(rate, rate, Decimal(1), "not_applicable")


def _settings_of(example: Example, reporter_id: str) -> dict[str, object]:
    rows = example.settings["reporter"]
    return next(row for row in rows if row["id"] == reporter_id)


def _name_of(park: Park, habits: frozenset[str], stale: Park | None) -> str:
    current = stale or park
    if "spaced_names" in habits:
        return f"{current.name[:2]} {current.name[2:]} "
    if "short_names" in habits:
        return current.short_name
    if "alias_names" in habits and current.aliases:
        return current.aliases[0]
    return current.name


def _habitual(row: Row, habits: frozenset[str]) -> None:
    """Ways of writing that are not mistakes: about, blank for nought."""
    for key, entry in row.entries.items():
        if "about_staff" in habits and key[0] == "E01" and entry.shown:
            about = (entry.shown / 100).quantize(Decimal(1), ROUND_HALF_UP) * 100
            word = f"近{about}" if about > entry.shown else f"{about}余"
            if about and about != entry.shown:
                row.entries[key] = replace(entry, shown=about, state="approximate", text=word)
        if "blank_zero" in habits and key[0] in ("B07", "G02") and entry.state == "zero":
            row.entries[key] = replace(entry, shown=None, state="unknown")


def build(example: Example, figures: Figures, reporter_id: str, period: str) -> Return:
    """The right return of a reporter for a period."""
    settings = _settings_of(example, reporter_id)
    register = example.reporter_at(reporter_id, period)
    form = FORMS[in_force(settings["forms"], period)]  # type: ignore[arg-type]
    habits = frozenset(settings.get("habits", ()))  # type: ignore[call-overload]
    county = in_force(settings.get("county", [["", register.county]]), period)  # type: ignore[arg-type]
    code = in_force(settings.get("code", [["", register.region_code]]), period)  # type: ignore[arg-type]
    made = Return(
        reporter_id,
        county,
        code,
        period,
        form,
        habits,
        example.settings["statutory"],
        [],
        period,
        form.money,
    )
    columns = (*form.columns, *made.extra())
    for park in example.parks_of(reporter_id, period):
        stale = _stale_row(example, park, period)
        row = Row(
            park,
            _name_of(park, habits, stale),
            entries_of(figures, form, park.park_id, period, columns),
        )
        _habitual(row, habits)
        made.rows.append(row)
    made.notes.extend(_notes(example, made))
    made.growths = _total_growths(figures, made)
    return made


def _total_growths(figures: Figures, made: Return) -> dict[str, Decimal | None]:
    """Growth of the reporter's total, from the sums of all its parks."""
    found: dict[str, Decimal | None] = {}
    for indicator, measures in made.form.columns:
        if "yoy_published" not in measures:
            continue
        sums = [Decimal(0), Decimal(0)]
        for row in made.rows:
            for n, measure in enumerate(("ytd", "ytd_prior")):
                sums[n] += figures.value(row.park.park_id, indicator, made.period, measure) or 0
        found[indicator] = growth(sums[0], sums[1])
    return found


def _stale_row(example: Example, park: Park, period: str) -> Park | None:
    """For four months after a change of name the reporter still writes the old one."""
    year, month = split_period(period)
    number = year * 12 + month - 1 - 4
    before = example.park_at(park.park_id, period_name(number // 12, number % 12 + 1))
    renamed = before is not None and before.name != park.name
    return before if renamed else None


def _notes(example: Example, made: Return) -> list[str]:
    """Explanations a county adds under its table."""
    ids = {row.park.park_id: row.park.short_name for row in made.rows}
    notes = []
    for key, text in (
        ("write_down", "{}上月数据核减，本月数为负。"),
        ("refund", "{}办理留抵退税，本月税金为负。"),
    ):
        for row in example.settings.get(key, []):
            if row["park"] in ids and row["period"] == made.period:
                notes.append(text.format(ids[row["park"]]))
    return notes
