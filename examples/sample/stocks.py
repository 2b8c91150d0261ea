"""Counts and areas of every park: firms, employees, workshops, land.

Belongs here: what is counted at a date, and the entries and completions that move it. Does not
belong here: money (``flows``), how anything is written. Areas are scaled whole numbers (see
``DECIMALS`` in ``figures``). Arrays are parks × years × 12 months.
"""

from __future__ import annotations

import numpy as np

from examples.sample.chance import Floats
from examples.sample.flows import Frame, Ints, rounded, weights


def share_out(total: int, sizes: Floats, least: int = 0) -> Ints:
    """Split a whole total by size without losing a unit (largest remainders)."""
    left = total - least * len(sizes)
    exact = sizes / float(sizes.sum()) * left
    parts = np.floor(exact).astype(np.int64)
    order = sorted(range(len(sizes)), key=lambda i: (parts[i] - exact[i], i))
    for i in order[: left - int(parts.sum())]:
        parts[i] += 1
    return parts + least


def _anchor(frame: Frame, city: dict[str, object], code: str, key: str) -> tuple[str, int]:
    """Period and total a stock is tied to: the published one, else the end of 2020."""
    rows = frame.published(str(city["code"]), code)
    if rows:
        return str(rows[0]["period"]), int(rows[0]["value"])
    return frame.example.settings.get("stock_period", "2020-12"), int(str(city[key]))


def _sizes(frame: Frame, word: str, spread: float) -> Floats:
    draws = [frame.chance.uniform("size", word, p) for p in frame.example.park_ids]
    return np.sqrt(weights(frame)) * (1 - spread / 2 + spread * np.array(draws))


def _year_totals(frame: Frame, city: dict[str, object], code: str, key: str) -> list[float]:
    """A city's yearly totals of a flow, published ones in their place; the first year repeats."""
    listed = city[key]
    assert isinstance(listed, list)
    totals = [float(listed[0]), *(float(value) for value in listed)]
    for row in frame.published(str(city["code"]), code):
        y, m = frame.at(row["period"])
        if m == 11:
            totals[y] = float(row["value"])
    return totals


def _months_of(frame: Frame, count: int, *words: object) -> Ints:
    """How many of ``count`` events fall on each month; fewer in January and February."""
    months = np.zeros(12, dtype=np.int64)
    for draw in frame.chance.uniforms(count, *words):
        months[min(11, int(0.6 + draw * 11.4))] += 1
    return months


def entrants(frame: Frame) -> tuple[Ints, Ints]:
    """Firms that came in each month: all (B06), and those investing ten million or more (B07)."""
    big = np.zeros(frame.shape, dtype=np.int64)
    every = np.zeros(frame.shape, dtype=np.int64)
    alive = frame.alive()
    for city in frame.example.settings["city"]:
        members = frame.members(city["code"])
        totals = _year_totals(frame, city, "B07", "entrants")
        for y in range(frame.shape[1]):
            present = [i for i in members if alive[i, y].any()]
            wave = [0.5 + frame.chance.uniform("B07", y, i) for i in present]
            sizes = _sizes(frame, "B07", 0.8)[present] * np.array(wave)
            for i, count in zip(present, share_out(int(totals[y]), sizes), strict=True):
                park_id = frame.example.park_ids[i]
                big[i, y] = _alive_months(
                    _months_of(frame, int(count), "big", park_id, y), alive[i, y]
                )
                small = int(count) // 2 + frame.chance.whole(0, 3, "small", park_id, y)
                extra = _months_of(frame, small, "small month", park_id, y)
                every[i, y] = big[i, y] + _alive_months(extra, alive[i, y])
    return every, big


def _alive_months(events: Ints, alive: Floats) -> Ints:
    """Events of months in which the park is gone move to its last month."""
    months = [m for m in range(12) if alive[m]]
    moved = np.where(alive > 0, events, 0)
    moved[months[-1]] += int(events.sum() - moved.sum())
    return moved


def _walk(frame: Frame, at: str, level: Ints, change: Ints, least: int) -> Ints:
    """Stock path through ``level`` at a period, moved by each month's ``change``."""
    parks = frame.shape[0]
    flat = change.reshape(parks, -1)
    y, m = frame.at(at)
    total = np.cumsum(flat, axis=1)
    path: Ints = np.maximum(level[:, None] + total - total[:, [y * 12 + m]], least)
    return path.reshape(frame.shape)


def firms(frame: Frame, every: Ints) -> Ints:
    """Resident firms (B01): entries less exits around the anchored level."""
    exits = np.zeros(frame.shape, dtype=np.int64)
    for i, park_id in enumerate(frame.example.park_ids):
        for y in range(frame.shape[1]):
            count = int(every[i, y].sum() * frame.chance.between(0.2, 0.6, "exit", park_id, y))
            exits[i, y] = _months_of(frame, count, "exit month", park_id, y)
    return _anchored(frame, "B01", "firms", every - exits, 0.5, 8)


def _anchored(frame: Frame, code: str, key: str, change: Ints, spread: float, least: int) -> Ints:
    path = np.zeros(frame.shape, dtype=np.int64)
    for city in frame.example.settings["city"]:
        members = frame.members(city["code"])
        at, total = _anchor(frame, city, code, key)
        y, m = frame.at(at)
        alive = frame.alive()[:, y, m] > 0
        sizes = _sizes(frame, code, spread)
        if code == "B03":
            sizes[[p in _few(frame) for p in frame.example.park_ids]] = 1e-9
        level = np.zeros(frame.shape[0], dtype=np.int64)
        present = [i for i in members if alive[i]]
        level[present] = share_out(total, sizes[present], least)
        path[members] = _walk(frame, at, level, change, 1)[members]
    return path


def above_scale(frame: Frame, resident: Ints) -> Ints:
    """Above-scale firms (B03): the yearly review in January, single entries in other months."""
    change = np.zeros(frame.shape, dtype=np.int64)
    for i, park_id in enumerate(frame.example.park_ids):
        for y in range(frame.shape[1]):
            change[i, y, 0] = frame.chance.whole(-1, 3, "review", park_id, y)
            if frame.chance.uniform("monthly entry", park_id, y) < 0.4:
                change[i, y, frame.chance.whole(4, 10, "entry month", park_id, y)] += 1
        if park_id in _few(frame):
            change[i] = 0
    return np.minimum(_anchored(frame, "B03", "above_scale", change, 0.4, 2), resident)


def _few(frame: Frame) -> list[str]:
    """Parks kept at two above-scale firms, where disclosure control must act."""
    few = frame.example.settings.get("few", {})
    return [str(park_id) for park_id in few.get("above_scale", ())]


def employees(frame: Frame, output: Floats) -> Ints:
    """Employees at the end of the month (E01): follows output at a third of its pace."""
    yearly = output.clip(min=0).sum(axis=2)
    path = np.zeros(frame.shape, dtype=np.int64)
    season = np.array([0.985, 0.965, 0.985, 0.99, 0.995, 1, 1, 1, 1.005, 1.005, 1.005, 1.0])
    for city in frame.example.settings["city"]:
        members = frame.members(city["code"])
        at, total = _anchor(frame, city, "E01", "staff")
        y0, m0 = frame.at(at)
        present = [i for i in members if yearly[i, y0] > 0]
        level = np.zeros(frame.shape[0])
        level[present] = share_out(total, _sizes(frame, "E01", 0.5)[present] ** 1.5, 60)
        for i in members:
            anchor = yearly[i, y0] or yearly[i].max()
            pace = 1 + 0.33 * (yearly[i] / anchor - 1)
            if 2020 in frame.example.years:
                season_of = np.tile(season, (frame.shape[1], 1))
                season_of[2020 - frame.example.years[0], 1:4] *= (0.93, 0.97, 0.99)
            else:
                season_of = np.tile(season, (frame.shape[1], 1))
            curve = pace[:, None] * season_of
            path[i] = rounded((level[i] or 60.0) * curve / curve[y0, m0])
    return path


def workshops(frame: Frame) -> tuple[Ints, Ints]:
    """Standard workshops in 0.01 万平方米: built this year to date (G02), total (G01)."""
    built = np.zeros(frame.shape, dtype=np.int64)
    base = np.zeros(frame.shape[0], dtype=np.int64)
    alive = frame.alive()
    for city in frame.example.settings["city"]:
        members = frame.members(city["code"])
        sizes = _sizes(frame, "G01", 0.9)
        base[members] = share_out(int(float(str(city["workshops_base"])) * 100), sizes[members])
        totals = _year_totals(frame, city, "G02", "workshops")
        for y in range(frame.shape[1]):
            present = [i for i in members if alive[i, y].all()]
            wave = np.array([frame.chance.uniform("G02", y, i) ** 2 + 0.1 for i in present])
            parts = share_out(int(totals[y] * 100 + 0.5), sizes[present] * wave)
            for i, part in zip(present, parts, strict=True):
                built[i, y] = _completions(frame, frame.example.park_ids[i], y, int(part))
    flat = built.reshape(frame.shape[0], -1)
    total = base[:, None] + np.cumsum(flat, axis=1)
    return np.cumsum(built, axis=2), total.reshape(frame.shape)


def _completions(frame: Frame, park_id: str, y: int, amount: int) -> Ints:
    """Buildings are finished in one to four months of the year."""
    months = np.zeros(12, dtype=np.int64)
    lots = frame.chance.whole(1, 4, "lots", park_id, y)
    for n, part in enumerate(share_out(amount, np.ones(lots))):
        months[frame.chance.whole(2, 11, "lot", park_id, y, n)] += part
    return months


def occupancy(frame: Frame, total: Ints) -> tuple[Ints, Ints]:
    """Vacant reserve (G03) and occupied (G04) workshops, 0.01 万平方米; never more than all."""
    vacant = np.zeros(frame.shape, dtype=np.int64)
    used = np.zeros(frame.shape, dtype=np.int64)
    for i, park_id in enumerate(frame.example.park_ids):
        empty = frame.chance.between(0.05, 0.14, "G03", park_id)
        wave = frame.chance.normals(frame.shape[1] * 12, "G03 wave", park_id)
        share = np.clip(empty + 0.01 * wave, 0.02, 0.17).reshape(frame.shape[1:])
        vacant[i] = rounded(total[i] * share)
        used[i] = rounded(total[i] * frame.chance.between(0.68, 0.82, "G04", park_id))
    return vacant, used


def land(frame: Frame, output: Floats) -> tuple[Ints, Ints, Ints]:
    """Planned area (A01) and built-up area (A02) in 0.01 公顷, industrial land (A03) in 亩."""
    planned = np.zeros(frame.shape, dtype=np.int64)
    built = np.zeros(frame.shape, dtype=np.int64)
    industrial = np.zeros(frame.shape, dtype=np.int64)
    yearly = output.clip(min=0).sum(axis=2)
    years = frame.shape[1]
    for i, park_id in enumerate(frame.example.park_ids):
        per_hectare = frame.chance.between(1100.0, 2300.0, "A02", park_id)
        area = float(np.median(yearly[i][yearly[i] > 0])) / per_hectare
        growth = frame.chance.between(0.03, 0.15, "A02 growth", park_id)
        share = frame.chance.between(0.42, 0.60, "A03", park_id)
        end = area / (1 + growth) ** (years // 2)
        for y in range(years):
            start, end = end, end * (1 + growth * frame.chance.between(0.6, 1.4, "A02", park_id, y))
            for m in range(12):
                built[i, y, m] = int(100 * (start + (end - start) * (m // 3 + 1) / 4))
                industrial[i, y, m] = int(built[i, y, m] * 0.15 * share)
        planned[i] = int(100 * end * frame.chance.between(1.05, 1.9, "A01", park_id))
    return planned, built, industrial


def yearly_counts(frame: Frame, above: Ints) -> dict[str, Ints]:
    """Firms that lead (B04, B05), are high-tech (B08), specialised (B09), innovating (H04)."""
    kinds = {"B04": 0.17, "B08": 0.16, "B09": 0.12, "H04": 0.55}
    counts: dict[str, Ints] = {
        code: np.zeros(frame.shape, dtype=np.int64) for code in (*kinds, "B05")
    }
    for i, park_id in enumerate(frame.example.park_ids):
        for code, share in kinds.items():
            own = share * frame.chance.between(0.6, 1.4, code, park_id)
            for y in range(frame.shape[1]):
                trend = 1 + (0.07 if code in ("B08", "B09", "H04") else 0.02) * y
                counts[code][i, y] = min(int(above[i, y, 11] * own * trend + 0.6), above[i, y, 11])
        cut = frame.chance.between(0.5, 0.95, "B05", park_id)
        counts["B05"][i] = (counts["B04"][i] * cut).astype(np.int64)
    return counts
