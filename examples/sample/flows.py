"""Money and energy flows of every park, month by month, on the cities' simulated economic paths.

Belongs here: what accumulates from January (output, revenue, taxes, investment …). Does not belong
here: counts, areas (``stocks``), how anything is written. All values are whole 万元 (electricity:
万千瓦时). Arrays are parks × years × 12 months.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from examples.sample.chance import Chance, Floats
from examples.sample.registers import Example, split_period

# A year's shape: low in February (Spring Festival), high in June and December.
INDUSTRY = (0.074, 0.056, 0.082, 0.081, 0.083, 0.090, 0.081, 0.082, 0.087, 0.085, 0.092, 0.107)
INVESTMENT = (0.03, 0.03, 0.09, 0.085, 0.09, 0.115, 0.085, 0.085, 0.10, 0.09, 0.09, 0.11)
TAX = (1.20, 0.85, 0.90, 1.15, 1.00, 0.95, 1.10, 0.95, 0.95, 1.10, 0.95, 0.95)

Ints = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Frame:
    """The example, its chance and its axes; shared by flows and stocks."""

    example: Example
    chance: Chance

    @property
    def shape(self) -> tuple[int, int, int]:
        """Parks, years, months."""
        return len(self.example.park_ids), len(self.example.years), 12

    def city_of(self, park_id: str) -> str:
        """City code of a park."""
        return next(p.city_code for p in self.example.parks if p.park_id == park_id)

    def members(self, city: str) -> list[int]:
        """Indices of a city's parks."""
        return [i for i, p in enumerate(self.example.park_ids) if self.city_of(p) == city]

    def published(self, city: str, indicator: str) -> list[dict[str, Any]]:
        """Published totals of a city and indicator, in order of time."""
        rows = self.example.settings.get("published", [])
        found = [r for r in rows if r["city"] == city and r["indicator"] == indicator]
        return sorted(found, key=lambda row: str(row["period"]))

    def at(self, period: str) -> tuple[int, int]:
        """Indices of year and month of a period."""
        year, month = split_period(period)
        return year - self.example.years[0], month - 1

    def alive(self) -> Floats:
        """1 in the months in which a park exists, else 0."""
        mask = np.ones(self.shape)
        for i, park_id in enumerate(self.example.park_ids):
            first, last = self.example.life(park_id)
            for y, year in enumerate(self.example.years):
                for m in range(12):
                    month = f"{year:04d}-{m + 1:02d}"
                    # Parks of the first list existed before it; only later foundations start.
                    born = first <= month or first[:4] <= str(self.example.years[0] + 1)
                    mask[i, y, m] = float(born and (not last or month <= last))
        return mask


def rounded(values: Floats) -> Ints:
    """Half up to whole units."""
    return np.floor(values + 0.5).astype(np.int64)


def weights(frame: Frame) -> Floats:
    """Relative size of each park: given, or drawn with a long upper tail."""
    given = frame.example.settings.get("weights", {})
    drawn = [frame.chance.uniform("weight", park_id) for park_id in frame.example.park_ids]
    sizes = [
        float(given.get(park_id, 0.45 + 1.9 * u * u))
        for park_id, u in zip(frame.example.park_ids, drawn, strict=True)
    ]
    return np.array(sizes)


def _park_paths(frame: Frame) -> Floats:
    """Each park's own path around its city's: persistent deviations and a lasting tilt."""
    parks, years, _ = frame.shape
    path = np.ones((parks, years))
    for i, park_id in enumerate(frame.example.park_ids):
        shocks = frame.chance.normals(years, "growth", park_id)
        tilt = 0.018 * float(frame.chance.normals(1, "tilt", park_id)[0])
        first, last = frame.example.life(park_id)
        deviation = 0.0
        for y in range(1, years):
            deviation = 0.55 * deviation + 0.045 * float(shocks[y])
            year = frame.example.years[y]
            leaving = -0.22 if last and int(last[:4]) - year in (0, 1) else 0.0
            founded = int(first[:4])
            young = founded > frame.example.years[1] and 0 < year - founded <= 2
            ramp = 0.55 if young else 0.0
            path[i, y] = path[i, y - 1] * max(0.4, 1 + deviation + tilt + leaving + ramp)
    return path


def _month_shapes(frame: Frame) -> Floats:
    """Share of each month in its year: season × common and city shocks × the park's own noise."""
    parks, years, _ = frame.shape
    shape = np.tile(np.array(INDUSTRY), (parks, years, 1))
    for i, park_id in enumerate(frame.example.park_ids):
        noise = frame.chance.normals(years * 12, "month", park_id).reshape(years, 12)
        shape[i] *= 1 + 0.035 * noise
        # A park's own depth of the common shock: 0.7 … 1.3 times.
        depth = frame.chance.between(0.7, 1.3, "depth", park_id)
        for shock in frame.example.settings.get("shock", []):
            if shock["cities"] and frame.city_of(park_id) not in shock["cities"]:
                continue
            for period, factor in shock["months"].items():
                y, m = frame.at(period)
                shape[i, y, m] *= max(0.2, 1 + depth * (factor - 1))
    shape /= shape.sum(axis=2, keepdims=True)
    return shape


def _calibrate(frame: Frame, output: Floats, city: str) -> None:
    """Scale to a city's published totals, each from its year on (the first: all years)."""
    members = frame.members(city)
    for n, row in enumerate(frame.published(city, "C01")):
        y, m = frame.at(row["period"])
        total = float(output[members, y, : m + 1].sum())
        start = 0 if n == 0 else y
        output[members, start:] *= float(row["value"]) / total


def output_months(frame: Frame) -> Floats:
    """Gross industrial output of each month, 万元, before rounding."""
    alive = frame.alive()
    monthly = _park_paths(frame)[:, :, None] * _month_shapes(frame) * alive
    monthly *= weights(frame)[:, None, None]
    base = 2020 - frame.example.years[0]
    for city in frame.example.settings["city"]:
        members = frame.members(city["code"])
        total = [float(city["output"])]
        growth = [float(g) for g in city["growth"]]
        # Growth is listed from the second simulated year on; walk both ways from 2020.
        for g in growth[base:]:
            total.append(total[-1] * (1 + g))
        for g in reversed(growth[:base]):
            total.insert(0, total[0] / (1 + g))
        for y in range(frame.shape[1]):
            have = float(monthly[members, y].sum())
            monthly[members, y] *= total[y] / have
        _calibrate(frame, monthly, city["code"])
    _write_down(frame, monthly)
    return monthly


def _write_down(frame: Frame, monthly: Floats) -> None:
    """核减: the month takes back a share of what was reported so far, so the month is negative."""
    for row in frame.example.settings.get("write_down", []):
        i = frame.example.park_ids.index(row["park"])
        y, m = frame.at(row["period"])
        monthly[i, y, m] = -float(row["share"]) * float(monthly[i, y, :m].sum())


def _wobble(frame: Frame, word: str, size: float) -> Floats:
    """1 + noise for every park and month."""
    parks, years, _ = frame.shape
    draws = [
        frame.chance.normals(years * 12, word, park_id).reshape(years, 12)
        for park_id in frame.example.park_ids
    ]
    return 1 + size * np.array(draws).reshape(parks, years, 12)


def _level(frame: Frame, word: str, low: float, high: float, drift: float = 0.0) -> Floats:
    """A park's own ratio, drifting from year to year; parks × years × 1."""
    years = frame.shape[1]
    rows = []
    for park_id in frame.example.park_ids:
        start = frame.chance.between(low, high, word, park_id)
        steps = frame.chance.normals(years, word, "drift", park_id) * drift
        rows.append([start * (1 + float(steps[: y + 1].sum())) for y in range(years)])
    return np.array(rows)[:, :, None]


def _taxes(frame: Frame, revenue: Floats) -> Floats:
    taxes = revenue * _level(frame, "tax", 0.022, 0.058, 0.03) * _wobble(frame, "tax", 0.10)
    taxes *= np.array(TAX)
    for row in frame.example.settings.get("refund", []):
        i = frame.example.park_ids.index(row["park"])
        y, m = frame.at(row["period"])
        usual = float(np.abs(taxes[i, y]).sum()) / 12
        taxes[i, y, m] = -float(row["share"]) * usual
    return taxes


def _profits(frame: Frame, revenue: Floats) -> Floats:
    margin = _level(frame, "margin", -0.012, 0.105)
    years = frame.shape[1]
    for i, park_id in enumerate(frame.example.park_ids):
        margin[i, :, 0] += 0.012 * frame.chance.normals(years, "margin year", park_id)
    if 2020 in frame.example.years:
        margin[:, 2020 - frame.example.years[0]] -= 0.008
    return revenue * margin * _wobble(frame, "profit", 0.15)


def _investment(frame: Frame, output: Floats) -> Floats:
    yearly: Floats = output.clip(min=0).sum(axis=2, keepdims=True)
    shape = np.array(INVESTMENT) * _wobble(frame, "investment", 0.12).clip(min=0.2)
    for shock in frame.example.settings.get("shock", []):
        if not shock["cities"]:
            for period, factor in shock["months"].items():
                y, m = frame.at(period)
                shape[:, y, m] *= factor
    shape /= shape.sum(axis=2, keepdims=True)
    yearly = yearly * _level(frame, "F01", 0.09, 0.26, 0.05) * shape
    return yearly * frame.alive()


def monthly_flows(frame: Frame) -> dict[str, Floats]:
    """Every money or energy flow by indicator code, months apart, before rounding."""
    output = output_months(frame)
    revenue = output * _level(frame, "C04", 0.96, 1.13, 0.01) * _wobble(frame, "C04", 0.025)
    investment = _investment(frame, output)
    share = np.clip(_level(frame, "F02", 0.62, 0.88, 0.02), 0.4, 0.95)
    return {
        "C01": output,
        "C02": output * np.clip(_level(frame, "C02", 0.88, 0.97, 0.006), 0.8, 0.985),
        "C04": revenue,
        "C07": output * np.clip(_level(frame, "C07", 0.48, 0.78, 0.02), 0.3, 0.9),
        "D01": _profits(frame, revenue),
        "D02": _taxes(frame, revenue),
        "F01": investment,
        "F02": investment * share,
        "F07": investment
        * np.clip(_level(frame, "F07", 0.45, 0.85, 0.05), 0.2, 1.1)
        * _wobble(frame, "F07", 0.10).clip(min=0.3),
        "J02": output * _level(frame, "J02", 0.012, 0.060, 0.02) * _wobble(frame, "J02", 0.03),
    }


def cumulate(monthly: Floats) -> Ints:
    """Year-to-date values in whole units; a month is the difference of two of them."""
    return rounded(np.cumsum(monthly, axis=2))


def comparable_prior(frame: Frame, ytd: dict[str, Ints]) -> dict[str, Ints]:
    """Same period of the year before on this year's scope of firms (可比口径).

    Three quarters of park-years keep last year's figure; the others restate it by a few per cent,
    the same for output, above-scale output and revenue. A published growth fixes the city's sum.
    """
    parks, years, _ = frame.shape
    scope = np.ones((parks, years))
    for i, park_id in enumerate(frame.example.park_ids):
        changed = frame.chance.uniforms(years, "scope", park_id) < 0.25
        size = frame.chance.normals(years, "scope size", park_id)
        scope[i] = np.where(changed, 1 + np.clip(0.01 + 0.025 * size, -0.06, 0.08), 1.0)
    prior: dict[str, Ints] = {}
    for code, values in ytd.items():
        before = np.concatenate([np.zeros_like(values[:, :1]), values[:, :-1]], axis=1)
        factor = scope.copy()
        if code in ("C01", "C02", "C04", "C07"):
            _fix_growth(frame, ytd["C01"], factor)
        else:
            factor[:] = 1.0
        prior[code] = rounded(before * factor[:, :, None])
    return prior


def _fix_growth(frame: Frame, output: Ints, factor: Floats) -> None:
    """Make a city's comparable base give the published growth rate at its period."""
    for row in frame.example.settings.get("published", []):
        if "yoy" not in row:
            continue
        y, m = frame.at(row["period"])
        members = frame.members(row["city"])
        wanted = float(row["value"]) / (1 + float(row["yoy"]) / 100)
        base = output[members, y - 1, m] * factor[members, y]
        factor[members, y] *= wanted / float(base.sum())
