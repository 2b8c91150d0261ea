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

from assets.submissions.archive import deliver
from bench.torture import forks
from bench.torture.decade import month
from bench.torture.phases import forked, receipts, spent
from bench.torture.runs import PERIOD
from tests.support.bureau import form, make_home

BAD_ONE_IN = 20
MOST_MIB = 3 * 1024
BAD = ("cut", "empty", "noise", "page", "no heads", "stranger")


def registers(files: int) -> dict[str, str]:
    """Regions, reporters and parks: a county, a reporter and a park for each file."""
    cities = {n // 50 for n in range(files)}
    regions = ["code,name,level,parent,valid_from,valid_to,successor", "610000,模拟省,province,,,,"]
    regions += [f"61{c + 1:02d}00,模拟{c}市,city,610000,,," for c in cities]
    regions += [f"{county(n)},模拟{n}县,county,{county(n)[:4]}00,,," for n in range(files)]
    reporters = ["reporter_id,name,short_name,region_code,source_id,email,valid_from,valid_to"]
    reporters += [
        f"r{n:04d},模拟{n}县统计岗,模拟{n}县,{county(n)},monthly,,2017-01-01," for n in range(files)
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
    chance = random.Random(f"{seed}/{number}")
    figures = {park(number): (1000 + number, 500 + number)}
    good = form(f"模拟{number}县", PERIOD, figures)
    if number % BAD_ONE_IN:
        return good, ""
    kind = BAD[number // BAD_ONE_IN % len(BAD)]
    bad = {
        "cut": good[: chance.randrange(100, len(good) - 100)],
        "empty": b"",
        "noise": chance.randbytes(3000),
        "page": b"<html><body>404 \xe7\xb3\xbb\xe7\xbb\x9f\xe7\xbb\xb4\xe6\x8a\xa4</body></html>",
        "no heads": form(None, None, {}),
        "stranger": form(f"模拟{number}县", PERIOD, {"不在名录的园区": (1, 1)}),
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


def campaign(folder: Path, files: int, portions: int, seed: int) -> bool:
    """Deliver and take in every portion; True when every file was decided on rightly."""
    home = make_home(folder / "start", registers(files))
    (home / "parkwatch.toml").write_text(
        (home / "parkwatch.toml").read_text("utf-8") + "\n[reader]\nprocesses = 2\n", "utf-8"
    )
    forks.warm(make_home(folder / "warm", registers(files)))
    at = datetime(2020, 7, 8, 1, tzinfo=UTC)
    wrong_with: dict[str, str] = {}
    largest = 0.0
    for portion in range(portions):
        for number in range(portion, files, portions):
            name = f"模拟{number:04d}县2020年6月.xlsx"
            data, wrong_with[name] = content(number, seed)
            at += timedelta(seconds=3600 / files)
            deliver(home / "inbox" / f"r{number:04d}", name, data, at, f"r{number:04d}")
        seconds, memory = month(home, PERIOD)
        largest = max(largest, memory)
        print(f"portion {portion + 1}: {seconds:.1f} CPU s, {memory:.0f} MiB", flush=True)
    _, found = forked(lambda: asked(home))
    kept = receipts(home / "state.sqlite", home)
    statuses = Counter(
        (wrong_with[name] or "good", *found.get(name, ["LOST"])[:1]) for name in wrong_with
    )
    for (kind, status), times in sorted(statuses.items()):
        print(f"{times:6} {kind}: {status}")
    distinct = files - sum(kind in ("empty", "no heads") for kind in wrong_with.values()) + 2
    missing = files - len(kept["receipts"])
    good = all(
        found.get(name, ["", 0])[1] == 2
        if not wrong
        else found.get(name, ["repeated"])[0] != "accepted"
        for name, wrong in wrong_with.items()
    )
    print(f"{files} files in {portions} portions: {spent():.0f} CPU s, {largest:.0f} MiB at most, receipts "
          f"missing {missing}, originals missing {kept['lost']}, submissions {len(found)} of {distinct}")  # fmt: skip
    return (
        good and not missing and not kept["lost"] and len(found) == distinct and largest < MOST_MIB
    )


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
