"""Letters to reporters (函件): the value handed to the post room, and what stands in each kind.

Belongs here: ``Letter`` and the official wording of returns (退回) and reminders (催报). Does not belong
here: typesetting, sending, or who is to get one (``returns``, ``reminders``). No letter says what a
value should be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from quality.returns.problems import Problem
from warehouse.words import date_words

SIMULATED = "（模拟数据）"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message ready to be sent: ``recipient`` is a reporter's id, ``key`` the same for the same
    letter however often it is produced, ``attachments`` files of the workspace."""

    recipient: str
    subject: str
    text: str
    attachments: tuple[Path, ...]
    key: str


@dataclass(frozen=True, slots=True)
class Office:
    """Who writes: name of the bureau, the post to ask, whether all data are simulated."""

    name: str
    contact: str = ""
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A letter as a document: everything that is printed, in order."""

    title: str
    addressee: str
    paragraphs: tuple[str, ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    closing: tuple[str, ...]
    office: str
    issued_on: date
    simulated: bool

    def text(self) -> str:
        """The letter as plain text for a mail."""
        table = []
        if self.rows:
            table = [" | ".join(self.heads), *(" | ".join(row) for row in self.rows)]
        parts = [
            *([SIMULATED] if self.simulated else []),
            f"{self.addressee}：",
            *self.paragraphs,
            *table,
            *self.closing,
            self.office,
            date_words(self.issued_on),
        ]
        return "\n".join(parts) + "\n"


@dataclass(frozen=True, slots=True)
class ReturnedFile:
    """One file that goes back: its name, the n-th return, its problems, where the marked copy lies."""

    file_name: str
    number: int
    problems: tuple[Problem, ...]
    copy_name: str
    marked: str


def return_document(
    office: Office,
    reporter: str,
    period: str,
    files: Sequence[ReturnedFile],
    issued: date,
    reply_by: str,
) -> Document:
    """The letter that goes with a reporter's returned files. ``reply_by``: the day, in words."""
    asked = [problem for file in files for problem in file.problems]
    errors = sum(problem.severity == "error" for problem in asked)
    verifies = sum(problem.severity == "verify" for problem in asked)
    what = "退回改正" if errors else "核实说明"
    return Document(
        title=f"关于{what}{period}园区监测报表的函",
        addressee=reporter,
        paragraphs=(
            _opening(files, period, errors, verifies),
            *_requests(errors, verifies, reply_by),
        ),
        heads=("序号", "级别", "工作表", "单元格", "问题（不成立的关系）"),
        rows=_rows(files),
        closing=(f"联系岗位：{office.contact}",) if office.contact else (),
        office=office.name,
        issued_on=issued,
        simulated=office.simulated,
    )


def _opening(files: Sequence[ReturnedFile], period: str, errors: int, verifies: int) -> str:
    names = "、".join(f"《{file.file_name}》" for file in files)
    counts = [f"{word} {n} 项" for word, n in (("错误", errors), ("核实", verifies)) if n]
    if all(file.marked == "list" for file in files):
        how = "原件不能打开标注，问题列于下表和所附“退回问题清单”"
    else:
        how = "现将原件副本退回，问题单元格已标色并加批注，逐项列于下表和副本的“退回问题清单”"
    return f"你单位报送的{period}监测报表{names}收悉。经审核，发现{'、'.join(counts)}。{how}。"


def _requests(errors: int, verifies: int, reply_by: str) -> Iterable[str]:
    """What is asked, numbered, leaving out what does not apply."""
    asked = []
    if errors:
        asked.append("标为“错误”的，请查明原因、改正后重报整份报表；改正前，涉及的数据不予采用。")
    if verifies:
        asked.append(
            "标为“核实”的，请核对原始记录：确有差错的改正后重报；情况属实的逐项说明原因，不必改数。"
        )
    answer = "改正后的报表" if errors else "改正后的报表或书面说明"
    asked.append(f"请于 {reply_by} 前将{answer}送达，重报文件请保留原文件名并注明“更正”。")
    yield from (f"{number}、{text}" for number, text in zip("一二三", asked, strict=False))
    yield "请严格依据原始记录和统计台账填报。本函只指出不成立的关系，不提供也不暗示应填的数值。"


def _rows(files: Sequence[ReturnedFile]) -> tuple[tuple[str, ...], ...]:
    several = len(files) > 1
    return tuple(
        (
            f"{place}-{problem.number}" if several else str(problem.number),
            problem.severity_zh,
            problem.sheet or "整件",
            problem.address or "—",
            problem.relation,
        )
        for place, file in enumerate(files, start=1)
        for problem in file.problems
    )


def return_subject(period: str, number: int) -> str:
    """Subject of a return; no park and no figure stands in it."""
    again = f"（第{number}次）" if number > 1 else ""
    return f"【退回核实】{period}园区监测报表{again}"


def reminder_document(
    office: Office,
    reporter: str,
    period: str,
    *,
    title: str,
    facts: Sequence[str],
    request: str,
    issued: date,
) -> Document:
    """A reminder: what is due, since when, and what is asked."""
    return Document(
        title=f"{title}：{period}园区监测报表",
        addressee=reporter,
        paragraphs=(*facts, f"{request}。", "已经报送或说明的，请忽略本提醒。"),
        heads=(),
        rows=(),
        closing=(f"联系岗位：{office.contact}",) if office.contact else (),
        office=office.name,
        issued_on=issued,
        simulated=office.simulated,
    )


def reminder_subject(title: str, period: str) -> str:
    """Subject of a reminder."""
    return f"【催报】{title}：{period}园区监测报表"
