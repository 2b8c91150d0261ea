"""Bench of reading: the sandboxed reader against pandas with openpyxl, on generated workbooks.

Run ``python -m bench.bench_parsing [--files 110|1500] [--workers 2] [--rounds 3]``.
Both sides turn the same bytes into cells in the same run, alternating, best round counts; both are
warm (imports and processes started). The sandboxed side does more: pre-scan, confinement, merges,
hidden parts, error cells. Prints throughput, the ratio, the parent's resident memory and the
exponent of cost over cells (1 is linear). ``--cpu`` instead compares CPU time with the floor (unzip) and
with openpyxl. Generated workbooks carry made-up figures (模拟数据).
"""

from __future__ import annotations

import argparse
import io
import math
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from assets.submissions.reading.sandbox import ReaderPool
from assets.submissions.reading.workbook import Rejected

HEADINGS = (
    "园区名称", "企业个数", "工业总产值", "营业收入", "利润总额", "税收", "固定资产投资",
    "进出口总额", "从业人员", "备注",
)  # fmt: skip
CELLS = 300


def workbook(number: int, rows: int = CELLS // len(HEADINGS) - 2) -> bytes:
    """A return as a county sends it: title over merged cells, headings, one park a row."""
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet("月报")
        sheet.merge_range(0, 0, 0, len(HEADINGS) - 1, "园区主要指标月报（模拟数据）")
        sheet.write_row(1, 0, HEADINGS)
        for row in range(rows):
            sheet.write_string(row + 2, 0, f"模拟园区{number:04d}-{row:04d}")
            for column in range(1, len(HEADINGS) - 1):
                value = (number * 7919 + row * 104_729 + column * 1_299_709) % 10_000_000
                sheet.write_number(row + 2, column, value / 100)
            sheet.write_string(row + 2, len(HEADINGS) - 1, "—")
    return buffer.getvalue()


def read_with_pandas(files: list[bytes]) -> int:
    """Cells with a value, by ``pandas.read_excel`` with openpyxl, every sheet."""
    import pandas as pd

    cells = 0
    for data in files:
        sheets = pd.read_excel(io.BytesIO(data), sheet_name=None, header=None, engine="openpyxl")
        cells += sum(int(frame.notna().to_numpy().sum()) for frame in sheets.values())
    return cells


def read_with_pool(pool: ReaderPool, files: list[bytes]) -> int:
    """Cells with a value, by the sandboxed reader."""
    cells = 0
    for name, result in pool.read_many((f"{i}.xlsx", data) for i, data in enumerate(files)):
        if isinstance(result, Rejected):
            raise SystemExit(f"{name}: {result.code} {result.found}")
        cells += sum(value is not None for s in result.sheets for row in s.rows for value in row)
    return cells


def seconds(action: Callable[[], int]) -> tuple[float, int]:
    """Time on the clock and the action's result."""
    start = time.perf_counter()
    result = action()
    return time.perf_counter() - start, result


def compare(files: list[bytes], workers: int, rounds: int) -> None:
    """Throughput of both sides and their ratio."""
    read_with_pandas(files[:3])
    start = time.perf_counter()
    with ReaderPool(workers) as pool:
        pool.read_one("first.xlsx", files[0])
        first = time.perf_counter() - start
        ours, theirs = [], []
        for _ in range(rounds):
            mine, my_cells = seconds(lambda: read_with_pool(pool, files))
            other, other_cells = seconds(lambda: read_with_pandas(files))
            if my_cells != other_cells:
                raise SystemExit(f"different results: {my_cells} and {other_cells} cells")
            ours.append(mine)
            theirs.append(other)
    for name, times in (
        (f"sandboxed reader, {workers} processes", ours),
        ("pandas + openpyxl", theirs),
    ):
        best = min(times)
        print(
            f"{name:32s} {best:8.3f} s {len(files) / best:9.0f} files/s "
            f"{my_cells / best:11,.0f} cells/s"
        )
    ratios = sorted(other / mine for other, mine in zip(theirs, ours, strict=True))
    print(f"ratio per round: {', '.join(f'{ratio:.1f}' for ratio in ratios)}; "
          f"best against best {min(theirs) / min(ours):.1f}")  # fmt: skip
    print(f"first answer after {first * 1e3:.0f} ms (processes started)")
    print(f"largest reading process {pool.statistics.peak_child_kib / 1024:.0f} MB")


def unzip(files: list[bytes]) -> int:
    """The floor: every member of every workbook inflated, nothing understood."""
    import zipfile

    size = 0
    for data in files:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            size += sum(len(book.read(name)) for name in book.namelist())
    return size


def read_with_calamine(files: list[bytes]) -> int:
    """Cells with a value by the parser alone, without pre-scan, sandbox or transport."""
    from python_calamine import CalamineWorkbook

    cells = 0
    for data in files:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        for name in book.sheet_names:
            rows = book.get_sheet_by_name(name).to_python()
            cells += sum(value != "" for row in rows for value in row)
    return cells


def read_with_openpyxl(files: list[bytes]) -> int:
    """Cells with a value by openpyxl alone."""
    import openpyxl

    cells = 0
    for data in files:
        book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
        for sheet in book.worksheets:
            cells += sum(v is not None for row in sheet.iter_rows(values_only=True) for v in row)
    return cells


def read_sandboxed(files: list[bytes]) -> int:
    """Cells with a value by one reading process, started and ended."""
    with ReaderPool(1) as pool:
        return read_with_pool(pool, files)


CASES = {
    "unzip only": unzip,
    "calamine alone": read_with_calamine,
    "sandboxed reader": read_sandboxed,
    "openpyxl": read_with_openpyxl,
    "pandas + openpyxl": read_with_pandas,
}


def processor(count: int, rounds: int) -> None:
    """CPU milliseconds a file of every way of reading, children included; each way warmed by 3 files."""
    files = [workbook(number) for number in range(count)]
    spent: dict[str, list[float]] = {name: [] for name in CASES}
    for action in CASES.values():
        action(files[:3])
    for _ in range(rounds):
        for name, action in CASES.items():
            before = _cpu()
            action(files)
            spent[name].append((_cpu() - before) / count * 1e3)
    floor, peer = (statistics.median(spent[name]) for name in ("unzip only", "openpyxl"))
    print(
        "| way | CPU ms a file | of the unzip floor | openpyxl over it |\n| --- | --- | --- | --- |"
    )
    for name, values in spent.items():
        middle = statistics.median(values)
        print(f"| {name} | {middle:.2f} ({min(values):.2f}–{max(values):.2f}) | {middle / floor:.1f} | "
              f"{peer / middle:.1f} |")  # fmt: skip


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def parent_memory(workers: int) -> None:
    """Resident memory of the parent after 100 and after 1,500 files, made on the fly."""
    content = workbook(1)
    for count in (100, 1_500):
        with ReaderPool(workers) as pool:
            read_with_pool(pool, [content] * count)
        status = Path("/proc/self/status").read_text(encoding="ascii")
        resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        print(f"parent after {count:5d} files: {int(resident.split()[1]) / 1024:.1f} MB resident")


def linearity(workers: int) -> None:
    """Exponent of the time over the number of cells, from 3,000 to 300,000 cells in one sheet."""
    points = []
    with ReaderPool(workers) as pool:
        for rows in (300, 3_000, 30_000):
            data = workbook(1, rows)
            pool.read_one("warm.xlsx", data)
            best = min(seconds(lambda data=data: read_with_pool(pool, [data]))[0] for _ in range(3))
            points.append((rows * len(HEADINGS), best))
            print(f"{rows * len(HEADINGS):8,d} cells {best * 1e3:9.1f} ms")
    (small, fast), (large, slow) = points[1], points[-1]
    print(f"exponent {math.log(slow / fast) / math.log(large / small):.2f} (3,000 rows to 30,000)")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", type=int, default=110)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true", help="only the parent's memory")
    parser.add_argument("--cpu", action="store_true", help="only CPU time a file of five ways")
    options = parser.parse_args()
    if options.cpu:
        processor(options.files, options.rounds)
        return
    if options.memory:
        parent_memory(options.workers)
        return
    files = [workbook(number) for number in range(options.files)]
    print(f"{options.files} workbooks of {CELLS} cells, {sum(map(len, files)) / 1e6:.1f} MB")
    compare(files, options.workers, options.rounds)
    linearity(options.workers)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"this process (pandas included) peaked at {peak:.0f} MB; python {sys.version.split()[0]}"
    )


if __name__ == "__main__":
    main()
