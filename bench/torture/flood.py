"""1,500 files in an hour, one in twenty bad: is every one decided on, is one lost, how much memory?

    python -m bench.torture.flood [--files 1500] [--portions 10] [--seed 1]

A made-up province of as many counties, each with one park and one return; every twentieth delivery is
spoilt: cut short, empty, no workbook, a web page by another name, without heads, or of a park nobody
knows. They come in portions, each taken in by a whole run (``stages``) in a fork, as the watching daemon
would do it. At the end every file must have its receipt, its original and a status; every good one must be
accepted with its figures, no bad one may be. Prints CPU seconds and peak memory of the largest run; ends
with 1 when a file is lost, left undecided or decided wrongly, or 3 GiB of memory are passed. Figures are
made up (模拟数据).
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.torture import forks
from bench.torture.decade import done, month
from bench.torture.phases import receipts, spent
from bench.torture.runs import PERIOD

BAD_ONE_IN = 20
MOST_MIB = 3 * 1024
BAD = ("cut", "empty", "noise", "page", "no heads", "stranger")


def registers(files: int) -> dict[str, str]:
    """Regions, reporters and parks: a county, a reporter and a park for each file."""
    cities = {n // 50 for n in range(files)}
    regions = ["code,name,level,parent,valid_from,valid_to,successor", "610000,模拟省,province,,,,"]
    regions += [f"61{c + 1:02d}00,模拟{c}市,city,610000,,," for c in cities]
    regions += [f"{county(n)},模拟{n:04d}县,county,{county(n)[:4]}00,,," for n in range(files)]
    reporters = ["reporter_id,name,short_name,region_code,source_id,email,valid_from,valid_to"]
    reporters += [
        f"r{n:04d},模拟{n:04d}县统计岗,模拟{n:04d}县,{county(n)},monthly,,2017-01-01,"
        for n in range(files)
    ]
    parks = [
        "park_id,name,county_code,city_code,province_code,status,simulated,valid_from,valid_to"
    ]
    parks += [
        f"P{n:04d},{park(n)},{county(n)},{county(n)[:4]}00,610000,active,1,2017-01-01,"
        for n in range(files)
    ]
    texts = {"regions": regions, "reporters": reporters, "parks": parks}
    return {f"{name}.csv": "\n".join(lines) + "\n" for name, lines in texts.items()}


def county(number: int) -> str:
    """Code of the n-th county."""
    return f"61{number // 50 + 1:02d}{number % 50 + 1:02d}"


def park(number: int) -> str:
    """Name of the n-th park."""
    return f"模拟{number:04d}号工业园"


def content(number: int, seed: int) -> tuple[bytes, str]:
    """A county's return and what is bad about it (empty when nothing is)."""
    from tests.support.bureau import form

    chance = random.Random(f"{seed}/{number}")
    figures = {park(number): (1000 + number, 500 + number)}
    good = form(f"模拟{number:04d}县", PERIOD, figures)
    if number % BAD_ONE_IN:
        return good, ""
    kind = BAD[number // BAD_ONE_IN % len(BAD)]
    bad = {
        "cut": good[: chance.randrange(100, len(good) - 100)],
        "empty": b"",
        "noise": chance.randbytes(3000),
        "page": b"<html><body>404 \xe7\xb3\xbb\xe7\xbb\x9f\xe7\xbb\xb4\xe6\x8a\xa4</body></html>",
        "no heads": form(None, None, {}),
        "stranger": form(f"模拟{number:04d}县", PERIOD, {"不在名录的园区": (1, 1)}),
    }[kind]
    return bad + str(number).encode() * (kind in ("noise", "page")), kind


def asked(home: Path) -> dict[str, Any]:
    """Status and number of figures of every submission, by file name."""
    from warehouse import store
    from warehouse.store import Warehouse
    from warehouse.workspace import Bureau, Workspace

    with Warehouse(Workspace(home=home, bureau=Bureau(name="", region_code=""))).reading() as db:
        rows = store.fetch(
            db,
            "SELECT s.file_name, s.status, count(o.value) AS n FROM submissions.submission AS s "
            "LEFT JOIN observations.observation AS o USING (submission_id) GROUP BY ALL",
        )
    return {row["file_name"]: [row["status"], row["n"]] for row in rows}


def made(home: Path, files: int) -> None:
    """The province's workspace."""
    from tests.support.bureau import make_home

    make_home(home, registers(files))


def delivered(home: Path, numbers: range, seed: int) -> dict[str, str]:
    """Put these counties' returns into the inbox; file name and what is bad about it."""
    from assets.submissions.archive import deliver

    wrong_with: dict[str, str] = {}
    for number in numbers:
        name, reporter = f"模拟{number:04d}县2020年6月.xlsx", f"r{number:04d}"
        data, wrong_with[name] = content(number, seed)
        at = datetime(2020, 7, 8, 1, tzinfo=UTC) + timedelta(seconds=number)
        deliver(home / "inbox" / reporter, name, data, at, reporter)
    return wrong_with


def campaign(folder: Path, files: int, portions: int, seed: int) -> bool:
    """Deliver and take in every portion; True when every file was decided on rightly."""
    home, warm = folder / "start", folder / "warm"
    for each in (home, warm):
        done(lambda h=each: made(h, files))
    forks.warm(warm)
    wrong_with, largest, began = dict[str, str](), 0.0, spent()
    for portion in range(portions):
        wrong_with |= done(lambda p=portion: delivered(home, range(p, files, portions), seed))
        seconds, memory = month(home, PERIOD)
        largest = max(largest, memory)
        print(f"portion {portion + 1}: {seconds:.1f} CPU s, {memory:.0f} MiB", flush=True)
    print(f"{spent() - began:.0f} CPU s with making the files, {largest:.0f} MiB at most")
    return judged(home, wrong_with) and largest < MOST_MIB


def judged(home: Path, wrong_with: dict[str, str]) -> bool:
    """Count what became of the files; True when none was lost, left undecided or decided wrongly.

    Bad files with the same bytes (the empty ones) are one submission and its repeats.
    """
    found, kept = done(lambda: asked(home)), receipts(home / "state.sqlite", home)
    told = Counter(
        (wrong or "good", found[name][0] if name in found else "the same bytes again")
        for name, wrong in wrong_with.items()
    )
    for (kind, status), times in sorted(told.items()):
        print(f"{times:6} {kind}: {status}")
    missing = len(wrong_with) - len(kept["receipts"])
    undecided = len({digest for digest, _ in kept["receipts"]}) - len(found)
    print(f"{len(wrong_with)} files: {missing} without receipt, {kept['lost']} without original, "
          f"{undecided} contents without a decision")  # fmt: skip
    right = all(
        (found.get(name) == ["accepted", 2])
        if not wrong
        else found.get(name, [""])[0] != "accepted"
        for name, wrong in wrong_with.items()
    )
    return right and not missing and not kept["lost"] and not undecided


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=1500)
    parser.add_argument("--portions", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    said = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory(prefix="parkwatch-flood-") as name:
        return 0 if campaign(Path(name), said.files, said.portions, said.seed) else 1


if __name__ == "__main__":
    sys.exit(main())
