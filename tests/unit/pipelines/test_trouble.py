"""Trouble with the machine, made for real, is told in words; other errors stay what they are."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from assets.submissions.archive import ArchiveError
from pipelines import trouble
from warehouse.store import connect


def full_by_the_system(_folder):
    Path("/dev/full").write_bytes(b"x" * 100_000)


def full_by_sqlite(folder):
    with sqlite3.connect(folder / "x.sqlite") as there:
        there.execute("CREATE TABLE t (a)")
        there.execute("PRAGMA max_page_count = 2")
        there.executemany("INSERT INTO t VALUES (?)", [("x" * 4000,)] * 9)


def full_by_duckdb(folder):
    connect(folder / "x.duckdb").execute("COPY (SELECT 1 AS a) TO '/dev/full' (FORMAT csv)")


def read_only_by_sqlite(folder):
    sqlite3.connect(folder / "x.sqlite").close()
    sqlite3.connect(f"file:{folder}/x.sqlite?mode=ro", uri=True).execute("CREATE TABLE t (a)")


def unopened_by_sqlite(folder):
    sqlite3.connect(folder / "none" / "x.sqlite")


def refused_by_the_system(_folder):
    Path("/sys/kernel/parkwatch").write_bytes(b"x")


def refused_by_duckdb(folder):
    connect(folder / "x.duckdb").execute("COPY (SELECT 1 AS a) TO '/sys/kernel/parkwatch.parquet'")


def wrapped(folder):
    try:
        full_by_the_system(folder)
    except OSError as error:
        raise RuntimeError("step failed") from error


TROUBLE = [
    (full_by_the_system, "磁盘已满", "腾出空间"),
    (full_by_sqlite, "磁盘已满", "腾出空间"),
    (full_by_duckdb, "磁盘已满", "腾出空间"),
    (wrapped, "磁盘已满", "腾出空间"),
    (read_only_by_sqlite, "只读", "改为可写"),
    (unopened_by_sqlite, "台账(state.sqlite)打不开", "检查挂载方式"),
    (refused_by_the_system, "没有写入 /sys/kernel/parkwatch 的权限", "属主"),
    (refused_by_duckdb, "没有写入 /sys/kernel/parkwatch.parquet 的权限", "属主"),
]


@pytest.mark.parametrize(("make", "what", "mend"), TROUBLE, ids=[t[0].__name__ for t in TROUBLE])
def test_trouble_with_the_machine_is_named_with_its_mend(tmp_path, make, what, mend):
    with pytest.raises(Exception) as told:
        make(tmp_path)
    said = trouble.of(told.value)
    assert said is not None, repr(told.value)
    assert what in said and mend in said


@pytest.mark.parametrize(
    "error",
    [
        ArchiveError("归档目录 /a 无法写入:Read-only file system"),
        ValueError("No space left on device"),
        FileNotFoundError(2, "No such file or directory", "/a"),
        KeyError("parks"),
    ],
)
def test_other_errors_stay_what_they_are(error):
    assert trouble.of(error) is None


@pytest.mark.parametrize(
    "told",
    ["dagster._core.errors.DagsterExecutionInterruptedError\n", "KeyboardInterrupt: "],
)
def test_a_run_that_was_stopped_says_so_and_how_to_go_on(told):
    assert trouble.words(told) == (
        "运行被停止(Ctrl-C、停止信号或停机),已发布的数据完好。处理:再执行同一命令"
    )


def test_a_read_only_lake_is_named_with_its_path():
    told = (
        "_duckdb.IOException: IO Error: Cannot open file "
        '"/srv/w/lake/dims/park/all/.f1.parquet": Read-only file system\n'
    )
    assert trouble.words(told) == (
        "/srv/w/lake/dims/park/all/.f1.parquet 是只读的,不能写入;已停止,已发布的数据完好。处理:"
        "将它所在的磁盘或目录改为可写(检查挂载方式;parkwatch doctor 说明是哪个目录),再执行同一命令"
    )
