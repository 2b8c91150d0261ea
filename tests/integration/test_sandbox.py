"""The sandbox: confined children, bounded waiting, and a parent that survives whatever they do."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assets.submissions.reading import reading_process
from assets.submissions.reading.limits import DEFAULT_LIMITS, MIB
from assets.submissions.reading.reading_process import LENGTH, ReadingProcess, import_paths
from assets.submissions.reading.sandbox import ReaderPool, SandboxError
from assets.submissions.reading.workbook import Rejected, Workbook
from tests.support.workbook_bytes import encrypted_xlsx, sheet_xml, xls, xlsx

ROOT = Path(__file__).resolve().parents[2]


def outcome(result: Workbook | Rejected) -> str:
    return result.code if isinstance(result, Rejected) else f"ok:{result.format}"


def numbered(number: int) -> bytes:
    return xlsx([("月报", sheet_xml(f'<row r="1"><c r="A1"><v>{number}</v></c></row>'))])


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def processes(pool: ReaderPool) -> list[ReadingProcess]:
    return list(pool._processes)


def alive(pid: int) -> bool:
    """Is a process running (a zombie is not)?"""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


# --- ordinary work ------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_given(workers: int) -> None:
    items = [(f"{i}.xlsx", numbered(i) if i % 5 else b"PK\x03\x04") for i in range(40)]
    with ReaderPool(workers) as pool:
        results = list(pool.read_many(items))
    assert [name for name, _ in results] == [name for name, _ in items]
    for i, (_, result) in enumerate(results):
        if i % 5:
            assert isinstance(result, Workbook)
            assert result.sheets[0].rows == [[i]]
        else:
            assert outcome(result) == "zip_damaged"
    assert pool.statistics.files == 40


def test_large_and_small_files_take_turns() -> None:
    padding = os.urandom(300_000)
    large = xlsx(changes={"xl/media/scan.png": padding})
    items = [(f"{i}.xlsx", large if i % 3 == 0 else numbered(i)) for i in range(12)]
    with ReaderPool(1) as pool:
        assert [outcome(result) for _, result in pool.read_many(items)] == ["ok:xlsx"] * 12


def test_source_is_not_read_further_ahead_than_allowed() -> None:
    taken = 0

    def source() -> Iterator[tuple[str, bytes]]:
        nonlocal taken
        for i in range(50):
            taken += 1
            yield f"{i}.xlsx", numbered(i)

    with ReaderPool(2, look_ahead=5) as pool:
        for done, _ in enumerate(pool.read_many(source())):
            assert taken <= done + 5
    assert taken == 50


def test_reading_may_be_abandoned() -> None:
    with ReaderPool(1) as pool:
        results = pool.read_many((f"{i}.xlsx", numbered(i)) for i in range(30))
        next(results)
        results.close()  # type: ignore[attr-defined]
        assert outcome(pool.read_one("x.xls", xls())) == "ok:xls"


def test_a_pool_must_be_open() -> None:
    pool = ReaderPool(1)
    with pytest.raises(RuntimeError, match="not open"):
        pool.read_one("x.xlsx", xlsx())
    with pool:
        assert outcome(pool.read_one("x.xlsx", xlsx())) == "ok:xlsx"
    with pytest.raises(RuntimeError, match="not open"):
        pool.read_one("x.xlsx", xlsx())
    with pool:
        assert outcome(pool.read_one("x.xlsx", xlsx())) == "ok:xlsx"


def test_notice_when_the_name_promises_another_format() -> None:
    with ReaderPool(1) as pool:
        result = pool.read_one("渭北.xls", xlsx())
    assert isinstance(result, Workbook)
    assert [notice.code for notice in result.notices] == ["content_differs"]
    assert ".xls" in result.notices[0].message
    assert "xlsx" in result.notices[0].message


def test_passwords_open_encrypted_files() -> None:
    locked = encrypted_xlsx("渭北2020")
    with ReaderPool(1) as pool:
        assert outcome(pool.read_one("a.xlsx", locked)) == "encrypted"
    with ReaderPool(1, passwords=["错", "渭北2020"]) as pool:
        names = [("a.xlsx", locked), ("b.xlsx", xlsx())]
        assert [outcome(r) for _, r in pool.read_many(names)] == ["ok:xlsx", "ok:xlsx"]


# --- files on disk ------------------------------------------------------------------------------


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    good = tmp_path / "good.xlsx"
    good.write_bytes(xlsx())
    (tmp_path / "link.xlsx").symlink_to(good)
    os.mkfifo(tmp_path / "pipe.xlsx")
    (tmp_path / "folder.xlsx").mkdir()
    big = tmp_path / "big.xlsx"
    with big.open("wb") as file:
        file.truncate(DEFAULT_LIMITS.file_bytes + 1)
    expected = {
        "good.xlsx": "ok:xlsx",
        "link.xlsx": "not_a_file",
        "pipe.xlsx": "not_a_file",
        "folder.xlsx": "not_a_file",
        "big.xlsx": "file_too_large",
        "gone.xlsx": "unreadable_source",
    }
    with ReaderPool(1) as pool:
        results = dict(pool.read_many((name, tmp_path / name) for name in expected))
    assert {name: outcome(result) for name, result in results.items()} == expected


def test_content_in_memory_has_the_same_limit() -> None:
    limits = replace(DEFAULT_LIMITS, file_bytes=100)
    with ReaderPool(1, limits) as pool:
        assert outcome(pool.read_one("x.xlsx", xlsx())) == "file_too_large"


# --- children that misbehave ---------------------------------------------------------------------


def test_memory_limit_rejects_the_file_and_spares_the_next() -> None:
    limits = replace(DEFAULT_LIMITS, memory_bytes=48 * MIB)
    rows = (
        f'<row r="{row}">' + f"<c><v>{row}.5</v></c>" * 100 + "</row>" for row in range(1, 3_001)
    )
    greedy = xlsx([("月报", sheet_xml("".join(rows)))])
    with ReaderPool(1, limits) as pool:
        items = [("good.xlsx", xlsx()), ("greedy.xlsx", greedy), ("next.xlsx", numbered(7))]
        results = [outcome(result) for _, result in pool.read_many(items)]
    assert results[0] == results[2] == "ok:xlsx"
    assert results[1] in ("memory_limit", "reader_crashed")
    assert 0 < pool.statistics.peak_child_kib <= 48 * 1024


def test_processor_limit_rejects_the_file() -> None:
    limits = replace(DEFAULT_LIMITS, cpu_seconds=0)
    with ReaderPool(1, limits, passwords=[str(i) for i in range(2_000)]) as pool:
        result = pool.read_one("a.xlsx", encrypted_xlsx("x"))
    assert outcome(result) == "cpu_limit"


def test_wall_limit_rejects_a_file_whose_process_stands_still() -> None:
    limits = replace(DEFAULT_LIMITS, wall_seconds=1.0)
    with ReaderPool(1, limits) as pool:
        pool.read_one("warm.xlsx", xlsx())
        (process,) = processes(pool)
        os.kill(process._process.pid, signal.SIGSTOP)
        assert outcome(pool.read_one("slow.xlsx", xlsx())) == "wall_limit"
        assert outcome(pool.read_one("next.xlsx", xlsx())) == "ok:xlsx"


def test_a_file_is_not_blamed_for_what_happened_to_its_process_before() -> None:
    with ReaderPool(1) as pool:
        pool.read_one("warm.xlsx", xlsx())
        (process,) = processes(pool)
        os.kill(process._process.pid, signal.SIGKILL)
        items = [(f"{i}.xlsx", numbered(i)) for i in range(5)]
        assert [outcome(result) for _, result in pool.read_many(items)] == ["ok:xlsx"] * 5
    assert pool.statistics.died == 1


FAKE = """
import sys, socket, struct, os, time
link = socket.socket(fileno=0)
def receive():
    size = struct.unpack("<Q", link.recv(8, socket.MSG_WAITALL))[0]
    return link.recv(size, socket.MSG_WAITALL)
def send(data):
    link.sendall(struct.pack("<Q", len(data)) + data)
receive()
send(b"ready")
receive()
{action}
"""


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ('import pickle; send(pickle.dumps({"a": 1}))', "reader_crashed"),
        ('send(b"[0,1,\\"workbook\\"]")', "reader_crashed"),
        ('link.sendall(struct.pack("<Q", 1 << 60))', "reader_crashed"),
        ('link.sendall(struct.pack("<Q", 100) + b"abc"); os._exit(0)', "reader_crashed"),
        ("os._exit(3)", "reader_crashed"),
        ("os.abort()", "reader_crashed"),
        ("os.kill(os.getpid(), 9)", "memory_limit"),
        ("os.kill(os.getpid(), 24)", "cpu_limit"),
        ("time.sleep(600)", "wall_limit"),
    ],
)
def test_whatever_a_child_does_is_a_rejected_file(
    monkeypatch: pytest.MonkeyPatch, action: str, code: str
) -> None:
    monkeypatch.setattr(reading_process, "_BOOT", FAKE.format(action=action))
    limits = replace(DEFAULT_LIMITS, wall_seconds=2.0)
    with ReaderPool(1, limits) as pool:
        result = pool.read_one("x.xlsx", xlsx())
    assert isinstance(result, Rejected)
    assert result.code == code
    assert result.found


def test_a_child_that_cannot_start_is_not_blamed_on_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_process, "_BOOT", "raise SystemExit(1)")
    with ReaderPool(1) as pool, pytest.raises(SandboxError, match="did not start"):
        pool.read_one("x.xlsx", xlsx())


# --- confinement -----------------------------------------------------------------------------------

PROBE = """
import sys
sys.path[:0] = sys.argv[2:]
from assets.submissions.reading import child
import json, os, socket
link = socket.socket(fileno=0)
report = {"environment": dict(os.environ), "descriptors": sorted(map(int, os.listdir("/proc/self/fd")))}
def attempt(name, action):
    try:
        action()
        report[name] = "done"
    except BaseException as error:
        report[name] = type(error).__name__
settings = json.loads(child._receive(link))
limits = child.Limits(**settings["limits"])
child._load_modules(decrypting=False)
child._confine(limits, int(sys.argv[1]))
child._send(link, b"ready")
child._receive(link)
attempt("open", lambda: open("/etc/passwd"))
attempt("write", lambda: open("/tmp/x", "w"))
attempt("connect", lambda: socket.socket())
attempt("fork", os.fork)
attempt("memory", lambda: bytearray(limits.memory_bytes))
attempt("duplicate", lambda: os.dup(0))
report["user"] = os.geteuid()
child._send(link, json.dumps(report).encode())
"""


def test_a_child_can_do_nothing_but_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_process, "_BOOT", PROBE)
    monkeypatch.setenv("PARKWATCH_SMTP_PASSWORD", "secret")
    inherited = socket.socket()
    inherited.set_inheritable(True)
    process = ReadingProcess(DEFAULT_LIMITS, None)
    try:
        process.send(b"")
        deadline = time.monotonic() + 20
        (size,) = LENGTH.unpack(process._receive(LENGTH.size, deadline))
        report = json.loads(process._receive(size, deadline))
    finally:
        process.end()
        inherited.close()
    assert "PARKWATCH_SMTP_PASSWORD" not in report["environment"]
    assert set(report["environment"]) <= {"LC_CTYPE"}  # set by the interpreter itself
    # 0–2, and the one that lists the folder
    assert len(report["descriptors"]) == 4
    assert (
        report["open"] == report["write"] == report["connect"] == report["duplicate"] == "OSError"
    )
    assert report["memory"] == "MemoryError"
    assert report["fork"] == "BlockingIOError"
    assert report["user"] != 0


def test_children_die_with_their_parent() -> None:
    script = (
        "import sys, time\n"
        "from assets.submissions.reading.sandbox import ReaderPool\n"
        "from tests.support.workbook_bytes import xlsx\n"
        "pool = ReaderPool(2).__enter__()\n"
        "pool.read_one('x.xlsx', xlsx())\n"
        "while len(pool._processes) < 2: time.sleep(0.01)\n"
        "print(*[p._process.pid for p in pool._processes], flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    try:
        assert parent.stdout is not None
        children = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(children) == 2
        assert all(map(alive, children))
    finally:
        parent.kill()
        parent.wait()
        if parent.stdout is not None:
            parent.stdout.close()
    assert wait_until(lambda: not any(map(alive, children)))


def test_closing_the_pool_ends_its_children() -> None:
    with ReaderPool(2) as pool:
        pool.read_one("x.xlsx", xlsx())
        wait_until(lambda: len(processes(pool)) == 2)
        pids = [process._process.pid for process in processes(pool)]
    assert len(pids) == 2
    assert not any(map(alive, pids))


def test_a_child_imports_only_what_parsing_needs() -> None:
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from assets.submissions.reading import child\n"
        "child._load_modules(decrypting=False)\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    listed = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, *import_paths()],
        capture_output=True,
        text=True,
        check=True,
    )
    heavy = {
        "polars",
        "pandas",
        "numpy",
        "duckdb",
        "dagster",
        "openpyxl",
        "pydantic",
        "msoffcrypto",
    }
    assert heavy.isdisjoint(listed.stdout.split())
    assert "python_calamine" in listed.stdout.split()
