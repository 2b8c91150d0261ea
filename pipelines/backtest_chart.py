"""Chart of a backtest: error by month against the simple rules, and reliability of probabilities.

Belongs here: drawing the figures of a ``methods.backtest.Result`` as SVG (or PNG through typst). Does
not belong here: computing them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from methods.backtest import Bin, Result

WIDTH, HEIGHT, PAD = 420, 300, 46
LINES = (
    ("median3", "本系统推算", "#1f5fa8"),
    ("last_year", "同比法", "#c77d1e"),
    ("calendar", "序时法", "#8a8a8a"),
)
LATE = "6—11月:预报的达标概率与实际达到的比例(%)"
FONT = "font-family='Noto Sans CJK SC, Noto Sans SC, sans-serif' font-size='12'"


def write_chart(path: Path, name: str, result: Result) -> None:
    """Write the chart of a nowcast's record to ``path`` (.svg or .png)."""
    _write(path, svg(name, result))


def write_reliability(path: Path, title: str, bins: Sequence[Bin]) -> None:
    """Write a reliability diagram alone to ``path`` (.svg or .png)."""
    height = HEIGHT + 30
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}' {FONT}>",
        f"<rect width='{WIDTH}' height='{height}' fill='white'/>",
        _text(PAD, 20, title),
        f"<g transform='translate(0,30)'>{_reliability('预报的概率与实际发生的比例(%)', bins)}</g>",
        "</svg>",
    ]
    _write(path, "\n".join(parts))


def _write(path: Path, text: str) -> None:
    """SVG as drawn, PNG rendered. ValueError for another suffix."""
    if path.suffix == ".svg":
        path.write_text(text, encoding="utf-8")
    elif path.suffix == ".png":
        import tempfile

        import typst

        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "chart.svg").write_text(text, encoding="utf-8")
            page = Path(folder) / "page.typ"
            page.write_text(
                '#set page(width: auto, height: auto, margin: 8pt)\n#image("chart.svg")\n', "utf-8"
            )
            path.write_bytes(typst.compile(str(page), format="png", ppi=144.0))
    else:
        raise ValueError(f"图应写作 .svg 或 .png 文件,读到 {path.name}")


def svg(name: str, result: Result) -> str:
    """Both panels side by side."""
    covered = "  ".join(f"{p}%区间覆盖{100 * result.pooled.covered[p]:.1f}%" for p in (80, 90, 95))
    title = f"{name}:{result.years[0]}—{result.years[-1]}年,{result.pooled.n}次推算;{covered}"
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{2 * WIDTH}' height='{HEIGHT + 30}' {FONT}>",
        f"<rect width='{2 * WIDTH}' height='{HEIGHT + 30}' fill='white'/>",
        _text(PAD, 20, title),
        f"<g transform='translate(0,30)'>{_errors(result)}</g>",
        f"<g transform='translate({WIDTH},30)'>{_reliability(LATE, result.reliability)}</g>",
        "</svg>",
    ]
    return "\n".join(parts)


def _errors(result: Result) -> str:
    months = [month.month for month in result.by_month]
    top = max(max(month.mape.values()) for month in result.by_month) * 1.05
    parts = [_frame("全年推算的平均误差(%),按推算月份")]
    for number, (rule, label, colour) in enumerate(LINES):
        points = [
            (_x((m - months[0]) / max(months[-1] - months[0], 1)), _y(month.mape[rule] / top))
            for m, month in zip(months, result.by_month, strict=True)
        ]
        parts.append(_line(points, colour))
        parts.append(_text(WIDTH - PAD - 8, PAD + 18 + 16 * number, label, colour, "end"))
    for m in months:
        x = _x((m - months[0]) / max(months[-1] - months[0], 1))
        parts.append(_text(x, HEIGHT - PAD + 16, f"{m}月", anchor="middle"))
    for share in (0, 0.5, 1):
        parts.append(_text(PAD - 6, _y(share) + 4, f"{share * top:.1f}", anchor="end"))
    return "".join(parts)


def _reliability(title: str, bins: Sequence[Bin]) -> str:
    parts = [_frame(title)]
    parts.append(_line([(_x(0), _y(0)), (_x(1), _y(1))], "#bbbbbb"))
    points = [(_x(one.said), _y(one.came)) for one in bins]
    parts.append(_line(points, LINES[0][2]))
    most = max((one.n for one in bins), default=1)
    for (x, y), one in zip(points, bins, strict=True):
        size = 3 + 6 * (one.n / most) ** 0.5
        parts.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{size:.1f}' fill='{LINES[0][2]}'/>")
    for share in (0, 0.25, 0.5, 0.75, 1):
        label = f"{100 * share:.0f}"
        parts.append(_text(_x(share), HEIGHT - PAD + 16, label, anchor="middle"))
        parts.append(_text(PAD - 6, _y(share) + 4, label, anchor="end"))
    return "".join(parts)


def _x(share: float) -> float:
    return PAD + share * (WIDTH - 2 * PAD)


def _y(share: float) -> float:
    return HEIGHT - PAD - share * (HEIGHT - 2 * PAD)


def _frame(title: str) -> str:
    box = f"<rect x='{PAD}' y='{PAD}' width='{WIDTH - 2 * PAD}' height='{HEIGHT - 2 * PAD}'"
    return f"{box} fill='none' stroke='#cccccc'/>{_text(PAD, PAD - 14, title)}"


def _line(points: Sequence[tuple[float, float]], colour: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2'/>"


def _text(x: float, y: float, text: str, colour: str = "#222222", anchor: str = "start") -> str:
    safe = text.replace("&", "&amp;").replace("<", "&lt;")
    return f"<text x='{x:.1f}' y='{y:.1f}' fill='{colour}' text-anchor='{anchor}'>{safe}</text>"
