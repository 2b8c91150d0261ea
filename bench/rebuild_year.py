"""A year of editions, month by month, then each made again elsewhere: the same bytes or not.

``python -m bench.rebuild_year [--months 12] [--first 2019-02]`` makes a small workspace of the sample
province, runs every month in order with the bulletin set of the province, a city, a county and the
public, and then makes every edition again with ``parkwatch rebuild``, each time with another time zone,
locale, hash seed and number of threads. Prints a line a month; figures in docs/bulletins.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.workspaces import PARKWATCH, small_shaanxi

AUDIENCES = ("sn-assessor", "ak-assessor", "ak-hanbin", "sn-public")
SURROUNDINGS = (
    {"TZ": "America/Los_Angeles", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
    {"TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "77"},
    {"TZ": "UTC", "LANG": "zh_CN.UTF-8", "PYTHONHASHSEED": "0"},
)
"""Every second edition is also made again on one core, and so with one thread."""


def months(first: str, number: int) -> list[str]:
    """Report months from ``first`` on; January is not reported alone."""
    found, (year, month) = [], (int(first[:4]), int(first[5:]))
    while len(found) < number:
        if month > 1:
            found.append(f"{year}-{month:02d}")
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return found


def main() -> None:
    """Run the months, make them again, say what differs; exit 1 when anything does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--first", default="2019-02")
    parser.add_argument("--audience", action="append", help="default: four kinds of audience")
    arguments = parser.parse_args()
    periods = months(arguments.first, arguments.months)
    with tempfile.TemporaryDirectory(prefix="rebuild-year-") as folder:
        home = small_shaanxi(
            Path(folder) / "w", periods[0], periods[-1], arguments.audience or AUDIENCES
        )
        for period in periods:
            told = _run(["run", "--home", str(home), "--period", period], {}, False)
            if told.returncode not in (0, 3):
                sys.exit(told.stderr)
        same = [_again(home, period, n) for n, period in enumerate(periods)]
    print(f"{sum(same)} of {len(periods)} months the same, byte for byte")
    sys.exit(0 if all(same) else 1)


def _again(home: Path, period: str, number: int) -> bool:
    around = SURROUNDINGS[number % len(SURROUNDINGS)]
    one_core = number % 2 == 1
    told = _run(["rebuild", "--home", str(home), "--period", period, "--json"], around, one_core)
    if not told.stdout.strip():
        sys.exit(told.stderr)
    found = json.loads(told.stdout)
    documents = found["documents"]
    other = [name for name, same in documents.items() if not same] + found["different"]
    print(
        f"{period} {around['TZ']}, {'1 core' if one_core else 'all cores'}: {len(documents)} "
        f"documents, {found['n_same']} partitions, {len(other)} different {other[:3] or ''}",
        flush=True,
    )
    return bool(found["same"])


def _run(
    words: list[str], around: dict[str, str], one_core: bool
) -> subprocess.CompletedProcess[str]:
    command = [*(["taskset", "-c", "0"] if one_core else []), str(PARKWATCH), *words]
    return subprocess.run(
        command, capture_output=True, text=True, env=os.environ | around, check=False
    )


if __name__ == "__main__":
    main()
