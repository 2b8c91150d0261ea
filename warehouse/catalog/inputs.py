"""Reads the small input files (补录): figures of other bureaus, quotas by county, ticked duties.

Belongs here: the CSV formats of ``catalog/inputs/``, their Chinese headings, rows with where they
were written. Does not belong here: whether a row fits the catalogue, or what it decides
(``assets/targets/inputs``). A row that cannot be used is kept with its problem, never dropped.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal

from warehouse.catalog.files import decode
from warehouse.catalog.models import PERIOD

Kind = Literal["figure", "quota", "tick"]
FOLDER = "inputs"

_HEADS: Mapping[str, tuple[str, ...]] = {
    "target_id": ("目标编号",),
    "indicator_id": ("指标编号",),
    "area_code": ("地区代码",),
    "park_id": ("园区编号",),
    "list": ("范围",),
    "item": ("名目",),
    "period": ("报告期",),
    "value": ("数值",),
    "floor": ("底线数值",),
    "text": ("文字", "是否"),
    "unit": ("单位",),
    "source": ("来源", "佐证"),
    "entered_by": ("录入岗位", "认定岗位"),
    "entered_on": ("录入日期", "认定日期"),
    "note": ("说明",),
}


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of input file: its name, its columns, which must be filled in, what it is for."""

    kind: Kind
    file: str
    columns: tuple[str, ...]
    required: tuple[str, ...]
    zh: str
    help: str


FORMATS: tuple[Format, ...] = (
    Format(
        "figure", "figures.csv",
        ("indicator_id", "area_code", "park_id", "list", "item", "period", "value", "floor", "text",
         "unit", "source", "entered_by", "entered_on", "note"),
        ("indicator_id", "period", "source", "entered_by"),
        "外部和登记数据",
        "其他部门公布的数、园区登记事项、年度考核结果。地区代码和园区编号填一个；数值和文字填一个。",
    ),
    Format(
        "quota", "quotas.csv",
        ("target_id", "indicator_id", "area_code", "value", "unit", "source", "entered_by",
         "entered_on", "note"),
        ("target_id", "indicator_id", "area_code", "value", "unit", "source", "entered_by"),
        "县级分解目标",
        "文件附件的分解表，每县每项指标一行；各县合计不得少于全市目标。",
    ),
    Format(
        "tick", "ticks.csv",
        ("target_id", "area_code", "park_id", "text", "entered_on", "source", "entered_by", "note"),
        ("target_id", "text", "entered_on", "source", "entered_by"),
        "是否类要求的人工认定",
        "每行一次认定：是或否、佐证、岗位、日期；每年开展的活动每次一行。",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class InputRow:
    """One row as written, empty texts where nothing stands. ``problem``: why it is not used.

    ``list``: ``all``, ``key`` or ``demonstration`` parks the figure of an area is about. ``item``:
    the thing measured where one place has several (a cluster by name). ``floor``: what ``value``
    must reach where a clause compares two amounts of one case. ``entered_on`` of a tick is the day
    of the finding.
    """

    file: str
    line: int
    kind: Kind
    target_id: str = ""
    indicator_id: str = ""
    area_code: str = ""
    park_id: str = ""
    list: str = "all"
    item: str = ""
    period: str = ""
    value: Decimal | None = None
    floor: Decimal | None = None
    text: str = ""
    unit: str = ""
    source: str = ""
    entered_by: str = ""
    entered_on: date | None = None
    note: str = ""
    problem: str = field(default="", compare=False)

    @property
    def input_id(self) -> str:
        """``input/figures.csv/12``: names the row as an input of a verdict."""
        return f"input/{self.file}/{self.line}"

    def refused(self, problem: str) -> InputRow:
        """The row marked as not used, with the first reason found."""
        return self if self.problem else replace(self, problem=problem)


def read_inputs(folder: Path) -> list[InputRow]:
    """Rows of every input file in ``folder`` (``catalog/inputs``), in the order of the formats.

    A missing folder or file gives no rows. A file that cannot be read gives one row with the
    problem, in line 1.
    """
    rows: list[InputRow] = []
    for one in FORMATS:
        path = folder / one.file
        if path.is_file():
            rows += _read(path, one)
    rows += [
        InputRow(path.name, 1, "figure", problem=f"不认识的补录文件，应为{_names()}之一")
        for path in sorted(folder.glob("*.*"))
        if folder.is_dir() and path.name not in {one.file for one in FORMATS}
    ]
    return rows


def template(one: Format) -> str:
    """An empty file of this format: the heading in Chinese, ready for a spreadsheet."""
    return ",".join(_zh(name, one.kind) for name in one.columns) + "\n"


def _zh(name: str, kind: Kind) -> str:
    words = _HEADS[name]
    return words[-1] if kind == "tick" else words[0]


def _names() -> str:
    return "、".join(one.file for one in FORMATS)


def _read(path: Path, one: Format) -> list[InputRow]:
    text = decode(path.read_bytes())
    if text is None:
        problem = "文件编码无法识别，应为 UTF-8 或 GB18030"
        return [InputRow(one.file, 1, one.kind, problem=problem)]
    lines = csv.reader(io.StringIO(text, newline=""))
    head = [_column(cell) for cell in next(lines, [])]
    missing = [name for name in one.required if name not in head]
    if missing:
        wanted = "、".join(_zh(name, one.kind) for name in missing)
        return [InputRow(one.file, 1, one.kind, problem=f"表头缺少列：{wanted}")]
    found = []
    for cells in lines:
        if any(cell.strip() for cell in cells):
            given = dict(zip(head, (cell.strip() for cell in cells), strict=False))
            found.append(_row(one, lines.line_num, given))
    return found


def _column(cell: str) -> str:
    word = cell.strip()
    return next((name for name, zh in _HEADS.items() if word == name or word in zh), word)


def _row(one: Format, line: int, given: Mapping[str, str]) -> InputRow:
    texts = ("target_id", "indicator_id", "area_code", "park_id", "item", "period", "text", "unit",
             "source", "entered_by", "note")  # fmt: skip
    row = InputRow(
        one.file,
        line,
        one.kind,
        **{name: given.get(name, "") for name in texts},  # type: ignore[arg-type]
        list=_LISTS.get(given.get("list", ""), given.get("list", "")),
    )
    for name in one.required:
        if not given.get(name):
            return row.refused(f"“{_zh(name, one.kind)}”未填")
    return _typed(row, given)


_LISTS = {"": "all", "全部": "all", "重点": "key", "示范": "demonstration"}


def _typed(row: InputRow, given: Mapping[str, str]) -> InputRow:
    numbers = {name: _number(given[name]) for name in ("value", "floor") if given.get(name)}
    for name, number in numbers.items():
        if number is None:
            return row.refused(f"“{_HEADS[name][0]}”应为数字，读到“{given[name]}”")
    row = replace(row, value=numbers.get("value"), floor=numbers.get("floor"))
    if given.get("entered_on"):
        day = _day(given["entered_on"])
        if day is None:
            found = given["entered_on"]
            return row.refused(f"日期应写成 2020-06-30 或 2020/6/30，读到“{found}”")
        row = replace(row, entered_on=day)
    if row.kind == "figure" and not PERIOD.fullmatch(row.period):
        return row.refused(f"报告期应写成 2020-06，读到“{row.period}”")
    if row.list not in ("all", "key", "demonstration"):
        return row.refused(f"“范围”应为全部、重点或示范，读到“{row.list}”")
    return row


def _number(text: str) -> Decimal | None:
    try:
        found = Decimal(text.replace(",", "").replace("，", ""))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


def _day(text: str) -> date | None:
    match = _DAY.fullmatch(text)
    try:
        return date(*(int(part) for part in match.groups())) if match else None
    except ValueError:
        return None
