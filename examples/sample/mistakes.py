"""What goes wrong on purpose, one function a kind. Each changes a return and marks what it touched.

Belongs here: planting a mistake into a return or its bytes. Does not belong here: when and to whom
mistakes happen (``mail``). Mark and true figure stay beside each other for the answer key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from examples.sample.chance import Chance
from examples.sample.figures import Figures, growth
from examples.sample.registers import Example, period_name, split_period
from examples.sample.returns import Entry, Return, Row, entries_of

TYPED = ("C01", "C04", "D02", "F01")


@dataclass(frozen=True, slots=True)
class Scene:
    """What a mistake may look at."""

    example: Example
    figures: Figures
    chance: Chance
    made: Return

    def row(self) -> Row:
        """The park line a mistake falls on."""
        return self.chance.pick(self.made.rows, "row", self.made.reporter_id, self.made.period)

    def indicator(self, measures: tuple[str, ...]) -> str:
        """A typed indicator of the form that has all these measures."""
        codes = [c for c, m in self.made.form.columns if c in TYPED and set(measures) <= set(m)]
        return self.chance.pick(codes, "indicator", self.made.reporter_id, self.made.period)


def before(period: str) -> str | None:
    """The return period before; ``None`` at the first of a year."""
    year, month = split_period(period)
    return None if month == 2 else period_name(year, month - 1)


def _mark_all(made: Return, kind: str) -> None:
    for row in made.rows:
        row.planted = row.planted or kind


def unknown_park(scene: Scene) -> None:
    """A park under a name no register knows."""
    row = scene.row()
    row.name = f"{scene.made.county}新区产业园（筹）"
    row.planted = "unknown_park"


def wrong_period(scene: Scene) -> None:
    """Last month's title left standing over this month's figures."""
    scene.made.title_period = before(scene.made.period) or scene.made.period
    _mark_all(scene.made, "wrong_period")


def unknown_unit(scene: Scene) -> None:
    """A unit no one can convert."""
    scene.made.money_text = "万圆整"
    _mark_all(scene.made, "unknown_unit")


def times_ten(scene: Scene) -> None:
    """One cumulative figure with a nought too many."""
    row, indicator = scene.row(), scene.indicator(("ytd",))
    entry = row.entries[indicator, "ytd"]
    if entry.shown is not None:
        row.entries[indicator, "ytd"] = replace(entry, shown=entry.shown * 10, planted="times_ten")


def unit_slip(scene: Scene) -> None:
    """One indicator of a park in 亿元 under a head of 万元."""
    row, indicator = scene.row(), scene.indicator(("ytd",))
    for key, entry in row.entries.items():
        if key[0] == indicator and key[1] != "yoy_published" and entry.shown:
            shown = (entry.shown / 10000).quantize(Decimal("0.0001"))
            row.entries[key] = replace(entry, shown=shown, planted="unit_slip")


def copied_month(scene: Scene) -> None:
    """A park's whole line as it stood last month."""
    made, row = scene.made, scene.row()
    earlier = before(made.period)
    assert earlier is not None
    old = entries_of(scene.figures, made.form, row.park.park_id, earlier, made.form.columns)
    for key, entry in old.items():
        true = row.entries[key].true
        row.entries[key] = replace(entry, true=true, planted="copied_month")


def swapped_prior(scene: Scene) -> None:
    """One indicator's 累计 and 上年同期 in each other's column, in every line."""
    indicator = scene.indicator(("ytd", "ytd_prior"))
    for row in scene.made.rows:
        now, prior = row.entries[indicator, "ytd"], row.entries[indicator, "ytd_prior"]
        for measure, own, other in (("ytd", now, prior), ("ytd_prior", prior, now)):
            row.entries[indicator, measure] = replace(other, true=own.true, planted="swapped_prior")


def decimal_growth(scene: Scene) -> None:
    """All growth rates as fractions under a head of per cent."""
    for row in scene.made.rows:
        for key, entry in row.entries.items():
            if key[1] == "yoy_published" and entry.shown is not None:
                shown = entry.shown / 100
                row.entries[key] = replace(entry, shown=shown, planted="decimal_growth")


def broken_total(scene: Scene) -> None:
    """A typed total that forgets a park."""
    scene.made.omit_from_total = scene.row().park.park_id


def uncached(scene: Scene) -> None:
    """Totals as formulas the spreadsheet never computed."""
    scene.made.uncached = True


def missing_park(scene: Scene) -> None:
    """A park without a line."""
    row = scene.row()
    scene.made.rows.remove(row)


def enclave_double(scene: Scene) -> None:
    """The host county reports an enclave park that its home county reports, too."""
    made = scene.made
    code = scene.example.reporter_at(made.reporter_id, made.period).region_code
    guests = [
        park
        for park in scene.example.parks
        if park.home_county_code and park.county_code == code and park.status == "active"
    ]
    park = scene.chance.pick(guests, "guest", made.period)
    columns = (*made.form.columns, *made.extra())
    entries = entries_of(scene.figures, made.form, park.park_id, made.period, columns)
    made.rows.append(Row(park, park.name, entries, planted="enclave_double"))


def revised(scene: Scene) -> None:
    """A first estimate of output and revenue, replaced by the settled figure later."""
    row = scene.row()
    made = scene.made
    share = Decimal(str(round(scene.chance.between(0.01, 0.035, "revised", made.period), 4)))
    for indicator in ("C01", "C02", "C04"):
        _scale(row, indicator, share, made.form.decimals(indicator))


def _scale(row: Row, indicator: str, share: Decimal, decimals: int) -> None:
    entry = row.entries.get((indicator, "ytd"))
    if entry is None or entry.shown is None:
        return
    cut = (entry.shown * share).quantize(Decimal(1).scaleb(-decimals))
    for measure in ("ytd", "month"):
        old = row.entries.get((indicator, measure))
        if old is not None and old.shown is not None:
            row.entries[indicator, measure] = _revised(old, old.shown - cut)
    prior = row.entries.get((indicator, "ytd_prior"))
    rate = row.entries.get((indicator, "yoy_published"))
    if rate is not None and prior is not None and prior.shown:
        row.entries[indicator, "yoy_published"] = _revised(
            rate, growth(entry.shown - cut, prior.shown)
        )


def _revised(entry: Entry, shown: Decimal | None) -> Entry:
    return replace(entry, shown=shown, planted="revised")


def unreadable(content: bytes, container: str) -> bytes:
    """A file broken on its way: cut short, or bytes of no known encoding in a CSV."""
    if container.startswith("csv"):
        middle = len(content) // 2
        return content[:middle] + b"\xff\xff\x00\x81\x20\xff" * 9 + content[middle:]
    return content[: len(content) * 6 // 10]


KINDS: dict[str, Callable[[Scene], None]] = {
    kind.__name__: kind
    for kind in (
        unknown_park,
        wrong_period,
        unknown_unit,
        times_ten,
        unit_slip,
        copied_month,
        swapped_prior,
        decimal_growth,
        broken_total,
        uncached,
        missing_park,
        enclave_double,
        revised,
    )
}
BYTE_KINDS = ("unreadable", "resent_previous")


def applies(kind: str, made: Return) -> bool:
    """Whether a kind of mistake can happen on this form at this period."""
    form = made.form
    measures = {m for _, ms in form.columns for m in ms}
    later = before(made.period) is not None
    typed = bool(made.habits & {"full_width", "text_numbers", "thousands"})
    return {
        "wrong_period": later and form.title != "none",
        "unknown_unit": form.units_in in ("line", "column"),
        "unit_slip": form.money == "万元" and not typed,
        "copied_month": later,
        "swapped_prior": "ytd_prior" in measures and len(made.rows) > 0,
        "decimal_growth": not form.percent_format,
        "broken_total": form.total != "none" and len(made.rows) > 1,
        "uncached": form.formulas and not typed,
        "missing_park": len(made.rows) > 1,
        "enclave_double": False,  # only where listed
        "resent_previous": later,
    }.get(kind, True)
