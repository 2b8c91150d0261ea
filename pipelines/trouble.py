"""Why something failed, in words: above all trouble with the machine, a full disk or a read-only folder.

Belongs here: recognising such trouble by what the system, SQLite or DuckDB says of it, where it is and how
to mend it; the cause of a failed step. Does not belong here: our own errors, which carry their words;
finding trouble before it happens (``cli.diagnosis``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_RAW = re.compile(
    r"^[\w.]*\b(?:OSError|PermissionError|IOException|FatalException|InternalException|"
    r"TransactionException|OperationalError|DatabaseError|shutil\.Error)\b[^:]*: "
)
"""An error of the system or of a library begins so; ours begin with other names and have words."""
_PLACE = re.compile(r"""["'](/[^"'\n]+)["']""")
_KINDS = (
    (
        re.compile(r"No space left|disk is full|quota exceeded|Errno (?:28|122)\b", re.IGNORECASE),
        "磁盘已满,写不下 {place}",
        "腾出空间(parkwatch doctor 说明一次运行需要多少)",
    ),
    (
        re.compile(r"Read-only file system|readonly database|Errno 30\b", re.IGNORECASE),
        "{place} 是只读的,不能写入",
        "将它所在的磁盘或目录改为可写(检查挂载方式;parkwatch doctor 说明是哪个目录)",
    ),
    (
        re.compile(r"unable to open database file"),
        "{place}的运行记录(dagster)或台账(state.sqlite)打不开,目录只读或没有权限",
        "检查挂载方式和属主(parkwatch doctor 说明是哪个目录)",
    ),
    (
        re.compile(r"Permission denied|Operation not permitted"),
        "没有写入 {place} 的权限",
        "把该目录的属主改为运行本系统的用户(parkwatch doctor 说明是哪个目录)",
    ),
    (
        re.compile(r"Input/output error|disk I/O error"),
        "读写 {place} 出错,磁盘可能已满或已损坏",
        "检查磁盘(parkwatch doctor、系统日志)",
    ),
)


_STOPPED = re.compile(r"^[\w.]*\b(?:DagsterExecutionInterruptedError|KeyboardInterrupt)\b")


def words(told: str) -> str | None:
    """Trouble with the machine, or a run stopped from outside, in plain words; None for anything else.

    ``told``: an error as a traceback ends, "module.Class: message".
    """
    if _STOPPED.match(told):
        return "运行被停止(Ctrl-C、停止信号或停机),已发布的数据完好。处理:再执行同一命令"
    if not _RAW.match(told):
        return None
    for kind, what, mend in _KINDS:
        if kind.search(told):
            place = _PLACE.search(told)
            where = what.format(place=place[1] if place else "工作区")
            return f"{where};已停止,已发布的数据完好。处理:{mend},再执行同一命令"
    return None


def of(error: BaseException) -> str | None:
    """Words for an exception, or for what caused it; None when it is no trouble with the machine."""
    for each in _chain(error):
        kind = type(each)
        if found := words(f"{kind.__module__}.{kind.__qualname__}: {each}"):
            return found
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def why(event: Any) -> str:
    """Step and cause of a step failure of Dagster."""
    error = event.step_failure_data.error
    inner = error.cause or error
    told, each = inner.message.strip(), error
    while each is not None:
        if found := words(each.message.strip()):
            told = found
            break
        each = each.cause
    return f"{event.step_key}:{told}"
