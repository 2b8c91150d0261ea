"""Charts of uncertainty (把握图): ranks at the year's end, and how past intervals came out, as SVG text.

Belongs here: drawing values that are already chosen. Does not belong here: choosing them or titles in
marked text (``plates``), the other charts and the strokes all of them share (``charts``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assets.bulletins.charts import Chart, box, dot, label, polyline, sheet, shorten


@dataclass(frozen=True, slots=True)
class Lane:
    """One park: its rank now among ``n``, the ranks the year may end at, the first of the last places.

    Texts are those printed in the table beside the chart.
    """

    group: str
    name: str
    rank: int
    n: int
    low: int | None
    high: int | None
    zone_from: int | None
    text: str
    bad: bool


def lanes(chart_id: str, title: str, note: str, rows: Sequence[Lane]) -> Chart:
    """A lane a park: dot where it stands, bar where the year may end, the last places shaded.

    Lanes are drawn by the share of the class that stands above, so that classes of different size
    can be compared; only the lower part of the scale that is needed is shown.
    """
    left, width, step = 212, 230, 27
    start = max(0.0, min((_share(row.low or row.rank, row.n) for row in rows), default=0.0) - 0.08)

    def x(rank: float, n: int) -> float:
        return left + width * (_share(rank, n) - start) / (1 - start)

    parts: list[str] = []
    y, group = 4.0, ""
    for row in rows:
        if row.group != group:
            group = row.group
            parts.append(label(0, y + 15, shorten(group, 44), "soft"))
            y += 22
        middle = y + step / 2
        edge = x(row.n, row.n) + 8
        parts.append(box(left - 4, middle - 8, edge - left + 4, 16, "track"))
        if row.zone_from is not None:
            begin = max(x(row.zone_from - 0.5, row.n), left - 4)
            parts.append(box(begin, middle - 11, edge - begin, 22, "zone"))
        tone = "bad" if row.bad else "accent"
        if row.low is not None and row.high is not None:
            ends = [(x(row.low, row.n) - 1.5, middle), (x(row.high, row.n) + 1.5, middle)]
            parts.append(polyline(ends, f"{tone}-bar"))
        parts.append(dot(x(row.rank, row.n), middle, "ink"))
        parts.append(label(left - 12, middle + 4.5, shorten(row.name, 15), "ink", "end"))
        parts.append(label(left + width + 16, middle + 4.5, row.text, tone))
        y += step
    parts.append(label(left - 4, y + 16, "名次靠前", "soft"))
    parts.append(label(left + width + 8, y + 16, "组内末位", "soft", "end"))
    head = ("园区", "现状和推算")
    table = [(row.name, row.text) for row in rows]
    return sheet(chart_id, title, note, (680, y + 24), parts, head, table)


def _share(rank: float, n: int) -> float:
    """Share of the class above a rank: 0 for the first, 1 for the last."""
    return (rank - 1) / max(n - 1, 1)


@dataclass(frozen=True, slots=True)
class Kept:
    """How often an indicator's intervals held the year's result: said and came in per cent."""

    name: str
    said: tuple[float, float]
    came: tuple[float | None, float | None]
    texts: tuple[str, str]


WORD = 36.0
"""Room a printed share needs beside its dot."""


def _sides(dots: Sequence[float | None], marks: Sequence[float]) -> tuple[int, int]:
    """On which side (-1 left, 1 right) of its dot each label stands: outside, unless it would run over
    the dashed mark there and the other dot leaves room."""
    first, second = dots
    if first is not None and second is not None and second - first < 2 * WORD:
        return -1, 1
    left = first is None or not 0 < first - marks[0] < WORD
    right = second is None or not 0 < marks[1] - second < WORD
    return (-1 if left else 1), (1 if right else -1)


def kept(chart_id: str, title: str, note: str, rows: Sequence[Kept]) -> Chart:
    """A row an indicator: two dots where its intervals came out, against the dashed marks they claim."""
    left, width, step, top = 212, 380, 27, 26
    known = [came for row in rows for came in row.came if came is not None]
    low = min([60.0, *(came - 4 for came in known)])

    def x(share: float) -> float:
        return left + width * (share - low) / (100 - low)

    bottom = top + step * len(rows)
    parts: list[str] = []
    for said, words, side in (
        (rows[0].said[0], "所称八成", "end"),
        (rows[0].said[1], "所称九成", "start"),
    ):
        parts.append(polyline([(x(said), top - 4), (x(said), bottom)], "pace"))
        parts.append(label(x(said), top - 10, words, "soft", side))
    for place, row in enumerate(rows):
        y = top + step * place + step / 2
        parts.append(label(left - 12, y + 4.5, shorten(row.name, 15), "ink", "end"))
        parts.append(polyline([(left, y), (left + width, y)], "grid"))
        dots = tuple(None if came is None else x(came) for came in row.came)
        ways = _sides(dots, (x(row.said[0]), x(row.said[1])))
        for at, text, tone, way in zip(dots, row.texts, ("accent", "bad"), ways, strict=True):
            if at is not None:
                parts.append(dot(at, y, tone))
                parts.append(label(at + 7 * way, y - 3, text, tone, "end" if way < 0 else "start"))
    head = ("指标", "八成区间包含（%）", "九成区间包含（%）")
    table = [(row.name, *row.texts) for row in rows]
    return sheet(chart_id, title, note, (680, bottom + 8), parts, head, table)
