"""Command: writes simulated monthly returns (模拟数据) of an example workspace.

Belongs here: arguments, processes, progress. Does not belong here: how returns are made
(``examples/sample``). The same seed gives the same bytes for any range, order and number of jobs.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples.sample import months
from examples.sample.registers import load, periods_between

Rows = list[dict[str, object]]


def make_month(job: tuple[str, str, str, bool]) -> tuple[str, int, Rows, Rows]:
    """Write one period; returns its name, number of files, delivery rows and answer-key rows."""
    name, period, folder, with_truth = job
    example = load(name)
    sent = months.write_month(example, period, Path(folder))
    truth = list(months.truth_rows(example, sent)) if with_truth else []
    return period, len(sent), list(months.delivery_rows(example, period, sent)), truth


def _results(
    jobs: list[tuple[str, str, str, bool]], workers: int
) -> Iterator[tuple[str, int, Rows, Rows]]:
    if workers <= 1:
        yield from map(make_month, jobs)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(make_month, jobs)


def _progress(done: int, total: int, period: str, files: int) -> None:
    line = f"模拟报表 {period}  {done}/{total} 期  {files} 个文件"
    if sys.stderr.isatty():
        print(f"\r{line}", end="\n" if done == total else "", file=sys.stderr, flush=True)
    elif done == total or done % 12 == 0:
        print(line, file=sys.stderr, flush=True)


def _table(path: Path, fields: Iterable[str], rows: Rows) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(fields), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Write simulated monthly returns (模拟数据).")
    parser.add_argument("--example", default="shaanxi", choices=("shaanxi", "shanxi"))
    parser.add_argument("--to", required=True, type=Path, help="folder; one sub-folder a period")
    parser.add_argument("--from", dest="first", metavar="YYYY-MM", help="first period")
    parser.add_argument("--through", dest="last", metavar="YYYY-MM", help="last period")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--truth", type=Path, help="also write the answer key to this CSV")
    parser.add_argument("--deliveries", type=Path, help="also write the list of deliveries here")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the command; 0 when done, 2 for a period range outside the example."""
    args = _arguments(argv)
    example = load(args.example)
    wanted = periods_between(args.first or example.periods[0], args.last or example.periods[-1])
    if not wanted or not set(wanted) <= set(example.periods):
        span = f"{example.periods[0]} … {example.periods[-1]}"
        print(f"示例 {args.example} 的报告期为 {span}", file=sys.stderr)
        return 2
    jobs = [(args.example, period, str(args.to), args.truth is not None) for period in wanted]
    deliveries: Rows = []
    truth: Rows = []
    files = 0
    for done, (period, count, sent, key) in enumerate(_results(jobs, args.jobs), start=1):
        files += count
        deliveries += sent
        truth += key
        _progress(done, len(jobs), period, files)
    if args.truth is not None:
        _table(args.truth, months.TRUTH_FIELDS, truth)
    if args.deliveries is not None:
        _table(args.deliveries, months.DELIVERY_FIELDS, deliveries)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
