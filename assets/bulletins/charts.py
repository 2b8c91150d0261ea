"""Charts (图): plain charts as SVG text, each with the words and the table that say the same.

Belongs here: drawing values that are already chosen, titles counted from them, and the strokes of all
charts (``uncertain`` draws those of uncertainty). Does not belong here: queries, units, where a chart
stands. Pure: same input → same text. No time, no randomness, no browser, no fonts measured; colours
are presentation attributes a page's styles may replace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

INK, SOFT, FAINT, ACCENT, BAD = "#1d242b", "#54606b", "#c3cbd3", "#1f4e79", "#a8181b"
FONT = '"Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif'
MONTHS = {1: "一月", 3: "三月", 6: "六月", 9: "九月", 12: "十二月"}
"""Months named below a year's axis."""
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn chart. ``head``/``rows`` are the equivalent table; first column names the row."""

    chart_id: str
    title: str
    note: str
    svg: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class BulletRow:
    """One target: share of the way covered in per cent and its text (empty: met, nothing left to
    cover), the pace, the verdict in words, behind or not."""

    label: str
    share: float
    text: str
    pace: float | None
    pace_text: str
    word: str
    behind: bool


@dataclass(frozen=True, slots=True)
class RankLine:
    """One park's places over the periods; None: not ranked. ``last``: in the zone at the end."""

    name: str
    ranks: tuple[int | None, ...]
    last: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """One area or indicator: values by position, None where nothing was reported."""

    name: str
    values: tuple[float | None, ...]
    text: str
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """A forecast interval at the end of the year, in the values' unit."""

    name: str
    low: float
    high: float
    low_text: str
    high_text: str

    @property
    def text(self) -> str:
        """``32.81—33.96``."""
        return f"{self.low_text}—{self.high_text}"


# --- bullet: share of the year's target against the pace -----------------------------------------


def bullet(chart_id: str, what: str, rows: Sequence[BulletRow], title: str = "") -> Chart:
    """Bars of the way covered with a dashed mark where the pace (序时) stands; at most 150 % is drawn.

    ``title`` replaces the one counted from the rows.
    """
    top, step, left, width = 26, 26, 250, 300
    most = min(150.0, max([100.0, *(row.share for row in rows)]))
    height = top + step * len(rows) + 24

    def x(share: float) -> float:
        return left + width * max(0.0, min(share, most)) / most

    parts = [polyline([(x(100), top - 6), (x(100), height - 20)], "grid")]
    for place, row in enumerate(rows):
        y = top + step * place
        tone = "bad" if row.behind else "accent"
        parts.append(label(left - 8, y + 13, shorten(row.label, 18), anchor="end"))
        parts.append(box(left, y, x(100) - left, 16, "track"))
        parts.append(box(left, y + 3, x(row.share) - left, 10, tone))
        if row.pace is not None:
            parts.append(polyline([(x(row.pace), y - 3), (x(row.pace), y + 19)], "pace"))
        shown = f"{row.text}% {row.word}" if row.text else row.word
        parts.append(label(left + width + 10, y + 13, shown, tone))
    parts.append(label(x(100), height - 6, "目标", "soft", "middle"))
    behind = sum(row.behind for row in rows)
    told = f"其中{behind}项低于序时进度" if behind else "没有低于序时进度的"
    return sheet(
        chart_id,
        title or f"{what}{len(rows)}项按序时进度判定，{told}",
        "横条为折算进度（已走完的比例），竖虚线为序时进度；低于的同时用文字注明",
        (680, height),
        parts,
        ("目标", "折算进度（%）", "序时进度（%）", "判定"),
        [(row.label, row.text, row.pace_text, row.word) for row in rows],
    )


# --- bump: places over the periods, the last k shaded ---------------------------------------------


def bump(
    chart_id: str,
    what: str,
    periods: Sequence[str],
    lines: Sequence[RankLine],
    zones: Sequence[tuple[int, int]],
) -> Chart:
    """Places by period, first at the top. ``zones``: for each period how many are ranked and how many
    of them are last places; these are shaded where they lie in that period, for classes grow and
    shrink as parks report."""
    n = max(*(n for n, _ in zones), *(rank or 1 for line in lines for rank in line.ranks), 2)
    k = zones[-1][1]
    left, right, top, height = 40, 430, 22, max(160, min(460, 9 * n))

    def x(place: int) -> float:
        return left + (right - left) * (place / max(len(periods) - 1, 1))

    def y(rank: float) -> float:
        return top + height * (rank - 1) / (n - 1)

    half = (right - left) / (2 * max(len(periods) - 1, 1))
    parts = []
    for place, (ranked, of_them) in enumerate(zones):
        if of_them:
            start = max(x(place) - half, left - 8)
            edge, wide = y(ranked - of_them + 0.5), min(x(place) + half, right + 8) - start
            parts.append(box(start, edge, wide, y(ranked + 0.5) - edge, "zone"))
    last = [line for line in lines if line.last]
    for line in (*(each for each in lines if not each.last), *last):
        for run in runs_of([None if r is None else (x(i), y(r)) for i, r in enumerate(line.ranks)]):
            parts.append(polyline(run, "bad" if line.last else "grey"))
            if line.last:
                parts.extend(dot(*point, "bad") for point in run)
    parts.extend(label(x(i), top + height + 24, p, "soft", "middle") for i, p in enumerate(periods))
    parts.extend(label(left - 14, y(r) + 4, str(r), "soft", "end") for r in (1, n))
    ordered = sorted(last, key=lambda line: line.ranks[-1] or 0)
    heights = spread([y(line.ranks[-1] or n) + 4 for line in ordered], 17, top + height + 6)
    for line, at in zip(ordered, heights, strict=True):
        words = f"{line.ranks[-1]} {shorten(line.name, 12)} {moved(line.ranks)}".rstrip()
        parts.append(label(right + 14, at, words, "bad"))
    names = "、".join(line.name for line in ordered)
    return sheet(
        chart_id,
        f"{what}末{k}位：{names}"
        if ordered
        else f"{what}{n}个园区的模拟名次，不设末位或未列出末位",
        f"{periods[0]}至{periods[-1]}，纵轴第1名在上；浅红底为各月末位区间（参与排名的园区数各月不同），"
        "灰线为其他园区，箭头为名次较上期升降；模拟名次，非正式考核结果",
        (680, top + height + 36),
        parts,
        ("园区", *periods),
        [
            (f"{line.name}{'（末位区间）' if line.last else ''}", *(_rank(r) for r in line.ranks))
            for line in sorted(lines, key=lambda each: (each.ranks[-1] or n + 1, each.name))
        ],
    )


def moved(ranks: Sequence[int | None]) -> str:
    """Arrow and number of places against the period before: ``↑2``, ``↓1``, 持平; empty where one of
    them has no rank."""
    if len(ranks) < 2 or ranks[-1] is None or ranks[-2] is None:
        return ""
    if ranks[-1] == ranks[-2]:
        return "持平"
    change = ranks[-2] - ranks[-1]
    return f"{'↑' if change > 0 else '↓'}{abs(change)}"


def spread(wanted: Sequence[float], least: float, lowest: float) -> list[float]:
    """Heights of labels at least ``least`` apart, none below ``lowest``, in the order given."""
    placed: list[float] = []
    for at in wanted:
        placed.append(max(at, placed[-1] + least) if placed else at)
    limit = lowest
    for place in reversed(range(len(placed))):
        placed[place] = min(placed[place], limit)
        limit = placed[place] - least
    return placed


# --- small multiples and sparklines ---------------------------------------------------------------


def multiples(
    chart_id: str, title: str, note: str, periods: Sequence[str], panels: Sequence[Panel]
) -> Chart:
    """One small line chart a panel, all on one vertical axis with its zero line; gaps stay gaps."""
    across, wide, high = 4, 165, 92
    known = [v for panel in panels for v in panel.values if v is not None] or [0.0]
    low, top = min(0.0, *known), max(0.0, *known)
    parts: list[str] = []
    for place, panel in enumerate(panels):
        left, up = wide * (place % across) + 8, high * (place // across) + 8
        tone = "bad" if panel.bad else "accent"

        def at(i: int, v: float, left: int = left, up: int = up) -> Point:
            share = (v - low) / (top - low or 1)
            return left + 92 * i / max(len(periods) - 1, 1), up + 70 - 46 * share

        parts.append(label(left, up + 14, panel.name))
        parts.append(polyline([at(0, 0.0), at(len(periods) - 1, 0.0)], "grid"))
        runs = runs_of([None if v is None else at(i, v) for i, v in enumerate(panel.values)])
        parts.extend(polyline(run, tone) for run in runs)
        if runs and panel.values[-1] is not None:
            parts.append(dot(*runs[-1][-1], tone))
        parts.append(label(left + 100, up + 50, panel.text, tone))
    rows = -(-len(panels) // across)
    return sheet(
        chart_id, title, note, (across * wide, rows * high + 8), parts,
        ("地区", "本期", *periods),
        [
            (p.name, p.text, *("—" if v is None else f"{v:.1f}" for v in p.values))
            for p in panels
        ],
    )  # fmt: skip


def sparkline(label: str, before: Sequence[float | None], now: Sequence[float | None]) -> str:
    """Twelve months: this year's line over last year's dashed one. Missing months stay gaps."""
    known = [v for v in (*before, *now) if v is not None]
    if not known:
        return ""
    low, top = min(0.0, *known), max(0.0, *known)
    scale = top - low or 1

    def at(i: int, v: float) -> Point:
        return 3 + 114 * i / 11, 29 - 26 * (v - low) / scale

    parts: list[str] = []
    for values, tone in ((before, "past"), (now, "accent")):
        runs = runs_of([None if v is None else at(i, v) for i, v in enumerate(values)])
        parts.extend(polyline(run, tone) if len(run) > 1 else dot(*run[0], tone) for run in runs)
    return (
        f'<svg class="spark" viewBox="0 0 120 32" width="120" height="32" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


# --- fan: where the year may end ------------------------------------------------------------------


def fan(
    chart_id: str,
    title: str,
    note: str,
    known: Sequence[tuple[int, float, str]],
    middle: tuple[float, str],
    bands: Sequence[Band],
    told: int = 0,
) -> Chart:
    """Cumulative values by month up to now, then widening intervals to December, widest first; the
    ends of the band ``told`` are written beside it."""
    left, wide, up, high = 20, 400, 16, 190
    most = max([v for _, v, _ in known] + [band.high for band in bands] + [middle[0]]) or 1
    low = min([0.0] + [band.low for band in bands] + [v for _, v, _ in known])

    def at(month: int, v: float) -> Point:
        return left + wide * (month - 1) / 11, up + high * (1 - (v - low) / (most - low or 1))

    line = [at(month, v) for month, v, _ in known]
    parts = [polyline([at(1, 0.0), at(12, 0.0)], "grid")]
    shades = ("fan1", "fan2", "fan3")
    for band, shade in zip(bands, shades, strict=False):
        parts.append(polygon([line[-1], at(12, band.high), at(12, band.low)], shade))
    parts.append(polyline([line[-1], at(12, middle[0])], "pace"))
    parts.append(polyline(line, "accent") if len(line) > 1 else "")
    parts.extend(dot(*point, "accent") for point in line)
    marks = [
        (f"{bands[told].name}上限 {bands[told].high_text}", at(12, bands[told].high)[1]),
        (f"中位数 {middle[1]}", at(12, middle[0])[1]),
        (f"{bands[told].name}下限 {bands[told].low_text}", at(12, bands[told].low)[1]),
    ]
    for (words, _), place in zip(marks, spread([m[1] + 4 for m in marks], 18, up + high + 4),
                                 strict=True):  # fmt: skip
        parts.append(label(left + wide + 10, place, words, "soft"))
    for month in (1, 3, 6, 9, 12):
        parts.append(label(at(month, low)[0], up + high + 22, MONTHS[month], "soft", "middle"))
    return sheet(
        chart_id, title, note, (640, up + high + 32), parts,
        ("项目", "数值"),
        [
            *((f"1—{month}月累计（已报）", text) for month, _, text in known),
            ("全年推算中位数", middle[1]),
            *((f"全年推算{band.name}", band.text) for band in bands),
        ],
    )  # fmt: skip


# --- reliability: what was said against what came true --------------------------------------------


def reliability(
    chart_id: str, title: str, note: str, points: Sequence[tuple[str, float, float, str]]
) -> Chart:
    """Points (name, said %, came %, text of what came) against the diagonal of perfect honesty. Both
    axes begin at 50 where nothing lies below."""
    left, up, size = 46, 14, 240
    low = 50 if all(min(said, came) >= 50 for _, said, came, _ in points) else 0

    def at(said: float, came: float) -> Point:
        span = 100 - low
        return left + size * (said - low) / span, up + size * (100 - came) / span

    parts = [polyline([at(low, low), at(100, 100)], "pace")]
    for share in range(low, 101, 10 if low else 25):
        parts.append(label(at(share, low)[0], up + size + 20, str(share), "soft", "middle"))
        parts.append(label(left - 8, at(low, share)[1] + 4, str(share), "soft", "end"))
    parts.append(polyline([at(low, 100), at(low, low), at(100, low)], "grid"))
    parts.extend(dot(*at(said, came), "accent") for _, said, came, _ in points)
    parts.append(label(left + size + 12, up + 14, "纵：实际（%）", "soft"))
    parts.append(label(left + size + 12, up + size, "横：所称（%）", "soft"))
    return sheet(
        chart_id, title, note, (460, up + size + 30), parts,
        ("项目", "所称（%）", "实际（%）"),
        [(name, f"{said:.0f}", text) for name, said, _, text in points],
    )  # fmt: skip


# --- parts ----------------------------------------------------------------------------------------

_TONES = {
    "accent": ACCENT, "bad": BAD, "grey": FAINT, "past": SOFT, "grid": FAINT, "pace": INK,
    "track": "#e6eaee", "zone": "#fbe1e0", "fan1": "#dbe6f1", "fan2": "#b9cfe4", "fan3": "#8fb2d3",
    "soft": SOFT, "ink": INK, "accent-bar": "#7fa6cb", "bad-bar": "#d98a87",
}  # fmt: skip
_DASH = {"pace": "4 3", "past": "2 2"}
_WIDE = {"grey": 1.0, "grid": 1.0, "past": 1.3, "pace": 1.6, "accent-bar": 7.0, "bad-bar": 7.0}


def sheet(
    chart_id: str,
    title: str,
    note: str,
    size: tuple[float, float],
    parts: Sequence[str],
    head: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
) -> Chart:
    """A finished chart: strokes on a sheet of ``size``, the table that says the same."""
    width, height = size
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" font-size="13" '
        f'font-family="{escape(FONT)}" aria-labelledby="{chart_id}-t {chart_id}-d">'
        f'<title id="{chart_id}-t">{escape(title)}</title>'
        f'<desc id="{chart_id}-d">{escape(note)}</desc>{"".join(parts)}</svg>'
    )
    return Chart(chart_id, title, note, svg, head, tuple(rows))


def runs_of(points: Sequence[Point | None]) -> list[list[Point]]:
    """Stretches without a gap."""
    runs: list[list[Point]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if run]


def polyline(points: Sequence[Point], tone: str) -> str:
    """A line through points."""
    dash = f' stroke-dasharray="{_DASH[tone]}"' if tone in _DASH else ""
    return (
        f'<polyline class="s-{tone}" fill="none" stroke="{_TONES[tone]}" '
        f'stroke-width="{_WIDE.get(tone, 2.2):g}"{dash} points="{_points(points)}"/>'
    )


def polygon(points: Sequence[Point], tone: str) -> str:
    """A filled shape."""
    return f'<polygon class="f-{tone}" fill="{_TONES[tone]}" points="{_points(points)}"/>'


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def box(x: float, y: float, width: float, height: float, tone: str) -> str:
    """A filled rectangle."""
    return (
        f'<rect class="f-{tone}" fill="{_TONES[tone]}" x="{x:.1f}" y="{y:.1f}" '
        f'width="{max(width, 0):.1f}" height="{max(height, 0):.1f}"/>'
    )


def dot(x: float, y: float, tone: str) -> str:
    """A dot."""
    return f'<circle class="f-{tone}" fill="{_TONES[tone]}" cx="{x:.1f}" cy="{y:.1f}" r="2.8"/>'


def label(x: float, y: float, words: str, tone: str = "ink", anchor: str = "start") -> str:
    """Text at a point; ``anchor`` start, middle or end."""
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return (
        f'<text class="f-{tone}" fill="{_TONES[tone]}" x="{x:.1f}" y="{y:.1f}"{side}>'
        f"{escape(words)}</text>"
    )


def shorten(words: str, most: int) -> str:
    """A label that fits; the full words stand in the table."""
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _rank(rank: int | None) -> str:
    return "—" if rank is None else str(rank)
