"""The track record of docs/methodology.md, made again on every real panel at hand.

Belongs here: turning public files into panels, running ``parkwatch backtest`` on them, the tables of the
page. Does not belong here: any replay or score (``methods.backtest``, ``methods.risk_backtest``).

``python -m bench.track_record --write`` replaces what stands between the marks of the page; a panel whose
data are absent is named and nothing is written. About two minutes of processor time. The panels: ABS retail
turnover (CC BY), EIA-861M electricity revenue (public domain), and China's national retail sales and
fixed-asset investment as published cumulatively.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bench.torture.spent import counted
from tests.support.devdata import devdata

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "methodology.md"
SECTORS = ("residential", "commercial", "industrial", "total")
_COLUMN = {name: 4 + 4 * n for n, name in enumerate(SECTORS[:3])} | {"total": 20}
"""Revenue columns of the EIA sheet (residential, commercial, industrial, transportation, total)."""


# --- panels ---------------------------------------------------------------------------------------


def retail(_to: Path) -> Path:
    """152 series state × industry, single months."""
    return devdata("au_abs", "aus_retail.csv")


def electricity(to: Path, sectors: Sequence[str] = SECTORS) -> Path:
    """Revenue of 51 units, single months, a class a sector."""
    book = openpyxl.load_workbook(_eia(), read_only=True, data_only=True)
    rows = []
    for row in book["Monthly-States"].iter_rows(min_row=4, values_only=True):
        if isinstance(row[0], int):
            rows += [
                (f"{row[2]}/{sector}", sector, f"{row[0]}-{row[1]:02d}", row[_COLUMN[sector]])
                for sector in sectors
            ]
    book.close()
    return _csv(to / f"eia-{'-'.join(sectors)}.csv", rows)


def _eia() -> Path:
    return devdata("us_eia_sales_revenue", "sales_revenue__vintage_2025-07.xlsx")


NATIONAL = ("retail_sales", "fixed_asset_investment")


def china(to: Path, names: Sequence[str] = NATIONAL, until: str = "9999") -> Path:
    """National series as the bureau publishes them: cumulative, January and February as one."""
    rows = []
    for name in names:
        newest = sorted(devdata("cn_macro_vintages", name).glob("*.csv"))[-1]
        with newest.open(encoding="utf-8-sig") as lines:
            rows += [
                (name, name, row["date"][:7], row["ytd_value"])
                for row in csv.DictReader(lines)
                if row["date"][5:7] != "01" and row["ytd_value"] and row["date"] < until
            ]
    return _csv(to / "china.csv", rows)


def _csv(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("unit", "class", "period", "value"), *rows])
    return path


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel of the page. ``short``: its name where chances are judged on it, within ``classes``."""

    name: str
    make: Callable[[Path], Path]
    short: str = ""
    classes: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether chances are judged on it, not forecasts alone."""
        return bool(self.short)


PANELS = (
    Panel("retail turnover, ABS", retail, "Retail", "states"),
    Panel("electricity revenue, EIA-861M, three sectors and total", electricity, "EIA", "sectors"),
    *(Panel(f"… {name} alone", lambda to, n=name: electricity(to, [n]))  # type: ignore[misc]
      for name in SECTORS[:3]),
    Panel("China, retail sales and fixed-asset investment, cumulative", china),
    Panel("… until 2019", lambda to: china(to, until="2020")),
    Panel("… retail sales alone", lambda to: china(to, NATIONAL[:1])),
    Panel("… investment alone", lambda to: china(to, NATIONAL[1:])),
)  # fmt: skip


# --- records --------------------------------------------------------------------------------------


def backtest(panel: Path, *options: str) -> list[dict[str, Any]]:
    """What ``parkwatch backtest --json`` says of a panel file."""
    command = [Path(sys.executable).with_name("parkwatch"), "backtest", "--panel", panel, "--json"]
    told = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    if told.returncode:
        raise SystemExit(f"{panel.name}: {told.stderr.strip()[-400:]}")
    return list(json.loads(told.stdout))


def nowcast_rows(panel: Panel, record: dict[str, Any]) -> Iterator[str]:
    """Coverage and error of one panel, as a line of the first table."""
    pooled, months = record["pooled"], {m["month"]: m for m in record["by_month"]}
    at = [months[m] for m in (2, 6, 11) if m in months]
    errors = (
        " / ".join(f"{m['mape'][how]:.2f}" for m in at)
        for how in ("median3", "calendar", "last_year")
    )
    covered = " | ".join(f"{100 * pooled['covered'][level]:.1f}" for level in ("80", "90", "95"))
    sides = f"{100 * pooled['below']:.1f} / {100 * pooled['above']:.1f}"
    width = f"{pooled['half_width']:.2f} | {pooled['interval_score']:.2f}"
    covered = covered.replace(" | ", f" ± {100 * pooled['doubt']:.1f} | ", 1)
    june = months[6]["mape"]
    span = f"{record['years'][0]}–{record['years'][-1]}"
    yield (
        f"| {panel.name} ({record['units']}, {span}, {pooled['n']:,}) | {covered} | {sides} | {width} | "
        f"{' | '.join(errors)} | {june['median3'] / june['last_year']:.2f} |"
    )


_KINDS = {"growth": "growth ≥ 8 %", "over_median": "class median + 3 points"}


def chance_rows(panel: Panel, record: dict[str, Any]) -> Iterator[str]:
    """Chances of meeting a target, June to November, as lines of the second table."""
    june = {s["kind"]: s for s in record["skills"] if s["month"] == 6}
    february = {s["kind"]: s for s in record["skills"] if s["month"] == 2}
    for late in record["late"]:
        kind = late["kind"]
        yield (
            f"| {panel.short} | {_KINDS[kind]} | {late['brier']:.3f} | {late['skill_calendar']:.2f}, "
            f"{june[kind]['skill_calendar']:.2f} | {late['skill_growth']:.2f} | "
            f"{late['skill_climatology']:.2f} | {february[kind]['skill_climatology']:.2f} | "
            f"{late['ece']:.3f} | {late['log_score']:.3f} ({late['log_skill']:.2f}) |"
        )


def risk_rows(panel: Panel, record: dict[str, Any]) -> Iterator[str]:
    """Chances of ending last, as lines of the third table."""
    for skill in record["skills"]:
        against = " | ".join(
            f"{skill[name]['skill']:.2f} [{skill[name]['bound']:.2f}]"
            for name in ("logistic", "current", "last_year")
        )
        yield (
            f"| {panel.short}, classes = {panel.classes} ({skill['years']}, {skill['n']:,}, "
            f"{skill['events']:g}) | {skill['month']} | {skill['brier']:.3f} | {against} | "
            f"{skill['ece']:.3f} | {skill['log_score']:.3f} ({skill['log_skill']:.2f}) |"
        )


def reliability(panel: Panel, record: dict[str, Any], unit: str) -> str:
    """What was said and how often it happened, in a sentence."""
    said = ", ".join(
        f"{100 * one['said']:.0f}→{100 * one['came']:.0f} % ({one['n']:,})"
        for one in record["reliability"]
    )
    return f"{panel.short}, said → happened ({unit}): {said}."


# --- the page -------------------------------------------------------------------------------------

_HEADS = {
    "nowcast": (
        "| panel (units, test years, forecasts) | 80 % ± s.e. | 90 % | 95 % | below / above the 80 % "
        "| half width % | interval score % | error % Feb / Jun / Nov | 序时 % | 同比法 % | June vs 同比法 |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|"
    ),
    "chances": (
        "| panel | target | Brier, June–Nov | skill against the 序时 flag: all, June | against the "
        "同比 flag | against the base rate | the same in February | ECE | log score (skill) |\n"
        "|---|---|---|---|---|---|---|---|---|"
    ),
    "risk": (
        "| panel (years, unit-years, ends in the last places) | month | Brier | against a logistic fit "
        "on the rank as of now | against that rank | against last year's rank | ECE | log score (skill) |\n"
        "|---|---|---|---|---|---|---|---|"
    ),
}


def tables() -> dict[str, str]:
    """Mark of the page → its table, measured now."""
    rows: dict[str, list[str]] = {name: [head] for name, head in _HEADS.items()}
    came: list[str] = []
    said: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for panel in PANELS:
            file = panel.make(Path(folder))
            [record] = backtest(file)
            rows["nowcast"] += nowcast_rows(panel, record)
            if panel.is_whole:
                rows["chances"] += chance_rows(panel, record)
                [risk] = backtest(file, "--risk")
                rows["risk"] += risk_rows(panel, risk)
                came.append(f"\n{reliability(panel, risk, 'unit-years')}")
                said.append(f"\n{reliability(panel, record, 'chances, June–Nov')}")
            print(f"{panel.name}: done", file=sys.stderr)
    rows["risk"] += came
    rows["chances"] += said
    return {name: "\n".join(lines) for name, lines in rows.items()}


def written_into(page: str, made: dict[str, str]) -> str:
    """The page with every marked block replaced. Raises ValueError where a mark is missing."""
    for name, text in made.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        head, found, rest = page.partition(begin)
        _, closed, tail = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"{PAGE.name} has no block {begin.strip()} … {end}")
        page = f"{head}{begin}{text.rstrip()}\n{end}{tail}"
    return page


def main() -> None:
    """Measure and write, or print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the blocks of the page")
    options = parser.parse_args()
    try:
        with counted() as seconds:
            made = tables()
    except pytest.skip.Exception as absent:
        raise SystemExit(str(absent)) from None
    made["measured"] = (
        f"Measured {datetime.now(UTC):%Y-%m-%d} at {version()} with `python -m bench.track_record "
        f"--write`: {seconds[0]:.0f} s of processor time."
    )
    if options.write:
        PAGE.write_text(written_into(PAGE.read_text("utf-8"), made), "utf-8")
    else:
        print("\n\n".join(made.values()))


def version() -> str:
    """The commit the figures belong to."""
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return f"commit `{found.stdout.strip()}`"


if __name__ == "__main__":
    main()
