"""Who and what exists in an example: its registers (CSV) and simulation parameters (TOML).

Belongs here: reading ``catalog/*.csv`` and ``simulation.toml`` into small values, and which row
holds at a period (``valid_to`` is the first day it no longer holds). Does not belong here: any
figure, any form.
"""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[1]


def split_period(period: str) -> tuple[int, int]:
    """``"2020-06"`` → ``(2020, 6)``."""
    year, month = period.split("-")
    return int(year), int(month)


def period_name(year: int, month: int) -> str:
    """``(2020, 6)`` → ``"2020-06"``."""
    return f"{year:04d}-{month:02d}"


def period_end(period: str) -> date:
    """Last day of the period's month."""
    year, month = split_period(period)
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def periods_between(first: str, last: str) -> list[str]:
    """All return periods from ``first`` through ``last``; January is none."""
    (y0, m0), (y1, m1) = split_period(first), split_period(last)
    months = range(y0 * 12 + m0 - 1, y1 * 12 + m1)
    return [period_name(*divmod12(n)) for n in months if n % 12 != 0]


def divmod12(number: int) -> tuple[int, int]:
    """Months since year 0 → (year, month)."""
    return number // 12, number % 12 + 1


@dataclass(frozen=True, slots=True)
class Park:
    """One validity interval of a park's row in ``parks.csv``."""

    park_id: str
    valid_from: str
    valid_to: str
    name: str
    short_name: str
    aliases: tuple[str, ...]
    county_code: str
    city_code: str
    is_key: bool
    is_demonstration: bool
    status: str
    home_county_code: str

    @property
    def reporting_code(self) -> str:
        """County that reports the park: for an enclave park the one that founded it."""
        return self.home_county_code or self.county_code


@dataclass(frozen=True, slots=True)
class Reporter:
    """One validity interval of a reporter's row in ``reporters.csv``."""

    reporter_id: str
    county: str
    region_code: str
    valid_from: str
    valid_to: str


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def _park(row: dict[str, str]) -> Park:
    return Park(
        row["park_id"],
        row["valid_from"],
        row["valid_to"],
        row["name"],
        row["short_name"],
        tuple(row["aliases"].split(";")) if row["aliases"] else (),
        row["county_code"],
        row["city_code"],
        row["is_key"] == "1",
        row["is_demonstration"] == "1",
        row["status"],
        row["home_county_code"],
    )


def _holds(valid_from: str, valid_to: str, day: str) -> bool:
    return valid_from <= day and (not valid_to or day < valid_to)


@dataclass(frozen=True)
class Example:
    """An example's registers and simulation parameters."""

    name: str
    parks: tuple[Park, ...]
    reporters: tuple[Reporter, ...]
    settings: dict[str, Any]

    @cached_property
    def park_ids(self) -> tuple[str, ...]:
        """Every park once, in the order of the register."""
        return tuple(dict.fromkeys(park.park_id for park in self.parks))

    @cached_property
    def reporter_ids(self) -> tuple[str, ...]:
        """Every reporter once."""
        return tuple(dict.fromkeys(row.reporter_id for row in self.reporters))

    @cached_property
    def years(self) -> range:
        """Simulated years: one before the first return, for the same period of the year before."""
        first, last = self.settings["first"], self.settings["last"]
        return range(split_period(first)[0] - 1, split_period(last)[0] + 1)

    @cached_property
    def _park_rows(self) -> dict[str, list[Park]]:
        rows: dict[str, list[Park]] = {park_id: [] for park_id in self.park_ids}
        for park in self.parks:
            rows[park.park_id].append(park)
        return rows

    @property
    def periods(self) -> list[str]:
        """All return periods of the example."""
        return periods_between(self.settings["first"], self.settings["last"])

    def life(self, park_id: str) -> tuple[str, str]:
        """First and last month (``YYYY-MM``) of a park's activity; open ends are ``""``."""
        rows = [park for park in self._park_rows[park_id] if park.status == "active"]
        end = rows[-1].valid_to  # half-open: the first day it no longer holds
        last = (date.fromisoformat(end) - timedelta(days=1)).isoformat() if end else ""
        return rows[0].valid_from[:7], last[:7]

    def park_at(self, park_id: str, period: str) -> Park | None:
        """The register row holding at the end of a period."""
        day = period_end(period).isoformat()
        rows = self._park_rows[park_id]
        return next((p for p in rows if _holds(p.valid_from, p.valid_to, day)), None)

    def reporter_at(self, reporter_id: str, period: str) -> Reporter:
        """The reporter's row holding at the end of a period."""
        day = period_end(period).isoformat()
        rows = [r for r in self.reporters if r.reporter_id == reporter_id]
        return next(r for r in rows if _holds(r.valid_from, r.valid_to, day))

    def parks_of(self, reporter_id: str, period: str) -> list[Park]:
        """Active parks a reporter must report at a period."""
        code = self.reporter_at(reporter_id, period).region_code
        rows = (self.park_at(park_id, period) for park_id in self.park_ids)
        return [
            row
            for row in rows
            if row is not None and row.status == "active" and row.reporting_code == code
        ]


def load(name: str) -> Example:
    """Read an example's folder. Raises ``FileNotFoundError`` for an unknown example."""
    folder = EXAMPLES / name
    parks = tuple(_park(row) for row in _rows(folder / "catalog" / "parks.csv"))
    reporters = tuple(
        Reporter(
            row["reporter_id"],
            row["short_name"],
            row["region_code"],
            row["valid_from"],
            row["valid_to"],
        )
        for row in _rows(folder / "catalog" / "reporters.csv")
    )
    settings = tomllib.loads((folder / "simulation.toml").read_text(encoding="utf-8"))
    return Example(name, parks, reporters, settings)
