"""Marking in a process of its own: what a reporter sent is parsed again, so it is parsed confined.

Belongs here: the choice between marking, converting and the list alone, run in a child with limits on
memory and time. Does not belong here: how a workbook is marked (``workbook``).
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from quality.returns.problems import Problem
from quality.returns.workbook import (
    Heading,
    PlainSheet,
    list_only,
    mark_converted,
    mark_original,
)

MEMORY_BYTES = 4 << 30
CPU_SECONDS = 600
FILE_BYTES = 512 << 20
WALL_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Job:
    """One file to mark: its bytes when it is an .xlsx that may be opened, else its values, else
    nothing. ``why_not``: why there is nothing, for the reporter."""

    problems: tuple[Problem, ...]
    heading: Heading
    original: bytes | None = None
    sheets: tuple[PlainSheet, ...] | None = None
    was: str = ""
    why_not: str = "原件无法打开"


@dataclass(frozen=True, slots=True)
class Marked:
    """The returned workbook and what it is: marked 原样标记, converted 转换后标记, list 只列问题."""

    data: bytes
    kind: str


def mark(job: Job) -> Marked:
    """The best that can be made of one file, tried from the most faithful down."""
    if job.original is not None:
        with contextlib.suppress(Exception):  # whatever openpyxl cannot load is converted instead
            return Marked(mark_original(job.original, job.problems, job.heading), "marked")
    if job.sheets:
        with contextlib.suppress(Exception):  # odd values or ranges: the list still goes out
            data = mark_converted(job.sheets, job.problems, job.heading, job.was)
            return Marked(data, "converted")
    return Marked(list_only(job.problems, job.heading, job.why_not), "list")


def mark_all(jobs: Iterable[Job]) -> Iterator[Marked]:
    """Every job marked in a confined process, in order; one that kills it gets the list alone."""
    with contextlib.ExitStack() as open_pools:
        pool: ProcessPoolExecutor | None = None
        for job in jobs:
            if pool is None:
                pool = open_pools.enter_context(_pool())
            try:
                future: Future[Marked] = pool.submit(mark, job)
                yield future.result(timeout=WALL_SECONDS)
            except (BrokenProcessPool, TimeoutError):
                _end(pool)
                pool = None
                why = "再次打开原件时超出内存或时间限制"
                yield Marked(list_only(job.problems, job.heading, why), "list")


def _pool() -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(max_workers=1, mp_context=context, initializer=_confine)


def _end(pool: ProcessPoolExecutor) -> None:
    """End the pool's own process, so that nothing waits for it."""
    for process in list((getattr(pool, "_processes", None) or {}).values()):
        process.kill()
    pool.shutdown(wait=False, cancel_futures=True)


def _confine() -> None:
    """Load what is needed, then bound memory, time and file size of this process."""
    import openpyxl.comments
    import openpyxl.drawing.image
    import openpyxl.styles
    import openpyxl.worksheet.hyperlink  # noqa: F401

    with contextlib.suppress(ImportError):  # other systems have no such limits
        import resource

        for kind, value in (
            (resource.RLIMIT_AS, MEMORY_BYTES),
            (resource.RLIMIT_CPU, CPU_SECONDS),
            (resource.RLIMIT_FSIZE, FILE_BYTES),  # openpyxl writes sheets to temporary files
            (resource.RLIMIT_CORE, 0),
        ):
            hard = resource.getrlimit(kind)[1]
            if hard != resource.RLIM_INFINITY:
                value = min(value, hard)
            resource.setrlimit(kind, (value, value))
    os.umask(0o077)


def plain_sheets(sheets: Sequence[object]) -> tuple[PlainSheet, ...]:
    """Sheets of the reading process (``name``, ``rows``, ``merged``) as plain values."""
    return tuple(
        PlainSheet(
            name=getattr(sheet, "name", ""),
            rows=[[_plain(value) for value in row] for row in getattr(sheet, "rows", ())],
            merged=tuple(getattr(sheet, "merged", ())),
        )
        for sheet in sheets
    )


def _plain(value: object) -> object:
    """Error cells as the text a spreadsheet shows."""
    return getattr(value, "code", value)
