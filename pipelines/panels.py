"""Monthly panels for backtests: from a CSV file or from the workspace's own published figures.

Belongs here: turning long rows (unit, period, value) into a grid of units × months. Does not belong
here: any experiment on it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.workspace import Workspace

_PERIOD = re.compile(r"(\d{4})(?:[-/.年 M]?(0[1-9]|1[0-2])|[-/.年 M]([1-9]))(?:月|[-/.]\d\d?)?")
_NAMED_MONTH = re.compile(r"(\d{4})[- ]?([A-Z][a-z]{2})|([A-Z][a-z]{2})[- ](\d{4})")
_FRACTION = re.compile(r"\s*[-+]?\d+\.\d+\s*")
_MONTH_NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
GROUP_COLUMNS = ("group", "class", "组", "分组")


class PanelError(ValueError):
    """A panel that cannot be used, said so that the user can mend it."""


@dataclass(frozen=True, slots=True)
class Panel:
    """``values`` (units, months) with NaN where nothing is known; months without gaps; ``group``
    numbers the unit's group 0..k-1 (all 0 where the file has no groups)."""

    name: str
    units: tuple[str, ...]
    periods: tuple[str, ...]
    values: Any
    group: Any
    groups: tuple[str, ...]


def read_panel(path: Path) -> Panel:
    """A panel from a CSV file with a period column (YYYY-MM) and a value column.

    The value column is called ``value`` or is the last one that holds numbers; every other column
    names the unit. A column ``group`` or ``class`` (or, where several columns name the unit, the
    first of them)
    gives the group. Raises PanelError.
    """
    rows = list(csv.DictReader(_text(path).splitlines()))
    if not rows:
        raise PanelError(f"{path}:没有数据行;应有列 unit、period(YYYY-MM)、value")
    header = [name for name in rows[0] if name is not None]
    period = _period_column(path, header, rows)
    value = _value_column(path, [name for name in header if name != period], rows)
    naming = [name for name in header if name not in (period, value)]
    if not naming:
        raise PanelError(f"{path}:没有单位列;应有列 unit、period(YYYY-MM)、value")
    if figures := [name for name in naming if _holds_fractions(name, rows)]:
        raise PanelError(
            f"{path}:除 {value} 外,列 {'、'.join(figures)} 也是数值,不能作单位名称;"
            "请只留单位、报告期和一列数值"
        )
    named = next((name for name in naming if name in GROUP_COLUMNS), None)
    group = named or (naming[0] if len(naming) > 1 else None)
    unit = [name for name in naming if name != named] or naming
    return grid(
        path.stem,
        (
            (
                "|".join(row[name] or "" for name in unit),
                row[group] if group else "",
                _month(row[period]),
                _number(row[value]),
            )
            for row in rows
        ),
    )


def _text(path: Path) -> str:
    """The file's text in whichever encoding the reading of returns accepts."""
    from assets.submissions.reading.rejections import Refused
    from assets.submissions.reading.textfile import decode

    try:
        return decode(path.read_bytes()).text
    except Refused as refused:
        told = refused.rejected
        raise PanelError(f"{path}:{told.message}({told.found});{told.remedy}") from None


def _holds_fractions(name: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a column holds numbers with decimals: another series, never the name of a unit."""
    said = [text for row in rows[:200] if (text := row[name])]
    return bool(said) and sum(bool(_FRACTION.fullmatch(text)) for text in said) > len(said) / 2


def _period_column(path: Path, header: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    sample = rows[:200]
    for name in header:
        if all(_period_of(row[name] or "") for row in sample):
            return name
    raise PanelError(f"{path}:没有报告期列;应有一列形如 2020-06,读到列 {'、'.join(header)}")


def _value_column(path: Path, header: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    if "value" in header:
        return "value"
    sample = rows[:200]
    for name in reversed(header):
        numbers = [_number(row[name]) for row in sample]
        if any(number == number for number in numbers) and all(
            number == number or not (row[name] or "").strip()
            for number, row in zip(numbers, sample, strict=True)
        ):
            return name
    raise PanelError(f"{path}:没有数值列;应有列 value,读到列 {'、'.join(header)}")


def _month(text: str) -> str:
    found = _period_of(text)
    if found is None:
        raise PanelError(f"报告期应写作 YYYY-MM,读到 {text}")
    return found


def _period_of(text: str) -> str | None:
    """YYYY-MM of a month however written (2020-06, 2020-06-01, 202006, 2020年6月, 2020/6/1, 2020 Jun)."""
    if found := _PERIOD.fullmatch(text.strip()):
        return f"{found[1]}-{int(found[2] or found[3]):02d}"
    named = _NAMED_MONTH.fullmatch(text.strip())
    if named is None:
        return None
    year, month = (named[1], named[2]) if named[1] else (named[4], named[3])
    return f"{year}-{_MONTH_NAMES.index(month) + 1:02d}" if month in _MONTH_NAMES else None


def _number(text: str | None) -> float:
    try:
        return float((text or "").replace(",", ""))
    except ValueError:
        return float("nan")


def grid(name: str, rows: Iterable[tuple[str, str, str, float]]) -> Panel:
    """A panel of (unit, group, period, value) rows; months between the first and last are filled."""
    import numpy as np

    kept = list(rows)
    group_of = {unit: group for unit, group, _, _ in kept}
    units = tuple(sorted(group_of))
    groups = tuple(sorted(set(group_of.values())))
    first, last = min(row[2] for row in kept), max(row[2] for row in kept)
    periods = tuple(_months(first, last))
    place_u = {unit: n for n, unit in enumerate(units)}
    place_p = {period: n for n, period in enumerate(periods)}
    values = np.full((len(units), len(periods)), np.nan)
    for unit, _, period, value in kept:
        place = place_u[unit], place_p[period]
        if np.isfinite(values[place]) and values[place] != value:
            raise PanelError(
                f"{name}:{unit} {period} 有两个不同的数({values[place]:g}、{value:g}),请只留一个"
            )
        values[place] = value
    numbers = np.array([groups.index(group_of[unit]) for unit in units], np.int64)
    return Panel(name, units, periods, values, numbers, groups)


def _months(first: str, last: str) -> Iterable[str]:
    year, month = int(first[:4]), int(first[5:])
    while (text := f"{year}-{month:02d}") <= last:
        yield text
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def workspace_panel(workspace: Workspace, indicators: Sequence[str] = ()) -> Panel:
    """The workspace's own single-month flows: a unit is a park and an indicator, a group an
    indicator. Raises PanelError when there are none, NothingPublishedError before the first run."""
    from warehouse.store import Warehouse, fetch

    with Warehouse(workspace).reading() as connection:
        rows = fetch(connection, _FLOWS, [list(indicators)])
    if not rows:
        raise PanelError("本工作区没有分月数据;请用 --panel 指定 CSV(列 unit、period、value)")
    return grid(
        workspace.home.name,
        (
            (f"{row['park_id']}|{row['indicator_id']}", row["indicator_id"], row["period"],
             float(row["value"]))
            for row in rows
        ),
    )  # fmt: skip


_FLOWS = """
SELECT month.park_id, month.indicator_id, month.period, month.value_month AS value
FROM indicators.park_month AS month
JOIN dims.indicator AS indicator USING (indicator_id)
WHERE indicator.kind = 'flow' AND indicator.aggregation = 'sum' AND month.value_month IS NOT NULL
    AND (len($1) = 0 OR list_contains($1, month.indicator_id))
ORDER BY ALL
"""
