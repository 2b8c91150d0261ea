"""The same month by parkwatch and by what a user would pick: whole processes, CPU seconds, equal results.

``python -m bench.bench_peers [--files 110,1500] [--rounds 3] [--sides ours,a,b,run]`` makes the month of
``bench.peers.month`` (模拟数据) and lets every side do it in a process of its own, round after round:

- ours: parkwatch's own stages, read → checked → loaded → ranked → published (``bench.peers.ours``);
- run: ``parkwatch run`` from nothing, with Dagster, Great Expectations, provenance and bulletin;
- a: pandas + openpyxl → Great Expectations → dbt-duckdb → HTML; b: pandas + openpyxl → SQLite → HTML.

Exit 1 when a side's ranks or numbers of findings differ from ours. The peers' environment is made once in
``var/bench-peers`` from ``bench/peers/requirements.txt``. CPU seconds include children; they stay roughly
true on a busy machine, wall seconds do not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.peers import month

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "bench" / "peers" / "requirements.txt"
BIN = Path(sys.executable).parent
SIDES = {
    "ours": "parkwatch, own stages",
    "run": "`parkwatch run`, everything on",
    "a": "pandas + openpyxl → Great Expectations → dbt-duckdb → HTML",
    "b": "pandas + openpyxl → SQLite → HTML",
}


@dataclass
class Measured:
    """One process: seconds, memory, what it found."""

    wall: float
    cpu: float
    peak_mib: float
    stages: dict[str, list[float]] = field(default_factory=dict)
    findings: dict[str, int] = field(default_factory=dict)
    ranks: str = ""


def peers_python() -> Path:
    """The peers' interpreter; its environment is made when the pinned requirements are new."""
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    home = ROOT / "var" / "bench-peers" / wanted
    if not (home / "ready").exists():
        print("making the peers' environment …", file=sys.stderr)
        uv = str(BIN / "uv")
        subprocess.run(
            [uv, "venv", "--quiet", "--clear", str(home), "--python", sys.executable], check=True
        )
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--compile-bytecode", "--require-hashes",
             "--python", str(home / "bin" / "python"), "-r", str(REQUIREMENTS)],
            check=True,
        )  # fmt: skip
        (home / "ready").touch()
    return home / "bin" / "python"


def process(command: list[str], log: Path) -> tuple[Measured, int, str]:
    """Run a process to its end; seconds and memory include its children (what the kernel counted)."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PARKWATCH_", "DAGSTER_"))}
    clean.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    with log.open("wb") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT, env=clean)
        _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    measured = Measured(
        time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    )
    return measured, child.returncode, log.read_text(encoding="utf-8", errors="replace")


def one(side: str, home: Path, python: Path) -> Measured:
    """One side's month in a fresh workspace at ``home``."""
    result = home / "ranks.csv"
    if side == "run":
        command = [str(BIN / "parkwatch"), "run", "--home", str(home), "--period", month.PERIOD]
    elif side == "ours":
        command = [sys.executable, "-m", "bench.peers.ours", str(home), str(result)]
    else:
        module = {"a": "peer_gx_dbt", "b": "peer_sqlite"}[side]
        command = [str(python), "-m", f"bench.peers.{module}", str(home), str(result)]
    measured, code, said = process(command, home / "log.txt")
    if code not in ((0, 3) if side == "run" else (0,)):
        raise SystemExit(f"{side} ended with {code}:\n{said[-3000:]}")
    if side == "run":
        subprocess.run(
            [sys.executable, "-m", "bench.peers.ours", "ranks", str(home), str(result)], check=True
        )
    else:
        told = json.loads(said.splitlines()[-1])
        measured.stages, measured.findings = told["stages"], told["findings"]
    measured.ranks = hashlib.sha256(result.read_bytes()).hexdigest()[:16]
    return measured


def warm(python: Path, folder: Path, sides: list[str]) -> None:
    """Byte code and page cache of every side, not counted."""
    month.make(folder / "warm", 3)
    for side in sides:
        one(side, _copy(folder / "warm", folder / f"warm-{side}"), python)


def _copy(source: Path, to: Path) -> Path:
    shutil.copytree(source, to)
    return to


def compare(files: int, rounds: int, sides: list[str], python: Path, folder: Path) -> bool:
    """Interleaved rounds over one month; prints the table; whether all results are equal."""
    source = folder / f"month-{files}"
    month.make(source, files)
    found: dict[str, list[Measured]] = {side: [] for side in sides}
    for number in range(rounds):
        for side in sides if number % 2 == 0 else reversed(sides):
            home = _copy(source, folder / "work")
            measured = one(side, home, python)
            shutil.rmtree(home)
            found[side].append(measured)
            said = (
                f"{measured.wall:.1f} s wall, {measured.cpu:.1f} CPU s, {measured.peak_mib:.0f} MiB"
            )
            print(
                f"  {files} files, round {number + 1}, {side}: {said}", file=sys.stderr, flush=True
            )
    print(f"\n{files} workbooks, {files * 300:,} figures, {files * month.PARKS_PER_FILE:,} parks, "
          f"{rounds} rounds; load {os.getloadavg()[0]:.0f}\n")  # fmt: skip
    print("| side | wall s | CPU s | peak MiB |\n| --- | --- | --- | --- |")
    for side, many in found.items():
        cells = (_spread([getattr(m, name) for m in many]) for name in ("wall", "cpu", "peak_mib"))
        print(f"| {SIDES[side]} | {' | '.join(cells)} |")
    _ratios(found)
    _stages(found)
    ranks = {m.ranks for many in found.values() for m in many}
    told = {
        json.dumps(m.findings, sort_keys=True)
        for many in found.values()
        for m in many
        if m.findings
    }
    print(f"ranks {'equal' if len(ranks) == 1 else 'DIFFER'}; "
          f"findings {'equal' if len(told) <= 1 else 'DIFFER'} {', '.join(told)}")  # fmt: skip
    return len(ranks) == 1 and len(told) <= 1


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f}–{max(values):.1f})"


def _ratios(found: dict[str, list[Measured]]) -> None:
    """Peers over ours of the same round; above 1 we are cheaper."""
    for mine in ("ours", "run"):
        for peer in ("a", "b"):
            if found.get(mine) and found.get(peer):
                pairs = list(zip(found[peer], found[mine], strict=True))
                cpu = [p.cpu / m.cpu for p, m in pairs]
                wall = [p.wall / m.wall for p, m in pairs]
                print(f"({peer}) : {mine} — CPU {_spread2(cpu)}, wall {_spread2(wall)}")


def _spread2(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def _stages(found: dict[str, list[Measured]]) -> None:
    """CPU seconds by stage of the process itself; what is left are imports and children."""
    for side, many in found.items():
        if many[0].stages:
            said = {n: statistics.median(m.stages[n][1] for m in many) for n in many[0].stages}
            rest = statistics.median(m.cpu for m in many) - sum(said.values())
            parts = ", ".join(f"{name} {spent:.1f}" for name, spent in said.items())
            print(f"{side}, CPU s by stage: {parts}; imports and children {rest:.1f}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", default="110,1500")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sides", default="ours,a,b")
    told = parser.parse_args()
    sides = told.sides.split(",")
    python = peers_python() if {"a", "b"} & set(sides) else Path(sys.executable)
    with tempfile.TemporaryDirectory(prefix="parkwatch-peers-") as name:
        folder = Path(name)
        warm(python, folder, sides)
        same = [compare(int(n), told.rounds, sides, python, folder) for n in told.files.split(",")]
    sys.exit(0 if all(same) else 1)


if __name__ == "__main__":
    main()
