"""Reads catalogue files into raw items that remember where they were written.

Belongs here: YAML and CSV reading, encodings, duplicate keys, which file holds which kind. Does not
belong here: what a field means (``models``) or how items relate (``checks``).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from warehouse.catalog.problems import CatalogProblem, Origin, did_you_mean
from warehouse.catalog.yaml_words import yaml_form

_FastLoader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of catalogue content: its key field, the file stems that hold it, its Chinese name.

    ``register`` kinds are CSV files with one row per validity interval of an id.
    """

    name: str
    key: str
    zh: str
    stems: tuple[str, ...]
    register: bool = False


KINDS: tuple[Kind, ...] = (
    Kind("dimensions", "id", "量纲", ("dimensions",)),
    Kind("units", "id", "计量单位", ("units",)),
    Kind("symbols", "id", "数据符号", ("symbols",)),
    Kind("indicators", "indicator_id", "指标", ("indicators", "registers", "external")),
    Kind("documents", "document_id", "文件", ("documents",)),
    Kind("targets", "target_id", "目标", ("targets",)),
    Kind("conflicts", "conflict_id", "目标矛盾", ("conflicts",)),
    Kind("light_rules", "rule_id", "灯色规则", ("light_rules",)),
    Kind("schemes", "scheme_id", "考核方案", ("schemes",)),
    Kind("screens", "screen_id", "统计筛查", ("screens",)),
    Kind("rules", "rule_id", "审核规则", ("rules",)),
    Kind("layouts", "layout_id", "版式", ("layouts",)),
    Kind("sources", "source_id", "来源", ("sources",)),
    Kind("audiences", "audience_id", "受众", ("audiences",)),
    Kind("triage", "triage_id", "审核分流", ("triage",)),
    Kind("calendar", "year", "工作日历", ("calendar",)),
    Kind("reminders", "reminder_id", "催报阶段", ("reminders",)),
    Kind("regions", "code", "行政区划", ("regions",), register=True),
    Kind("parks", "park_id", "园区", ("parks",), register=True),
    Kind("reporters", "reporter_id", "填报单位", ("reporters",), register=True),
    Kind("outcomes", "park_id", "考核结果登记", ("outcomes",), register=True),
    Kind("assessment_goals", "park_id", "园区年度目标", ("assessment_goals",), register=True),
    Kind("references", "subject_id", "对照数", ("references",), register=True),
    Kind("breaks", "break_id", "口径变更", ("breaks",)),
    Kind("growth_rules", "rule_id", "增速规则", ("growth",)),
    Kind("enclave_shares", "region_code", "飞地分配", ("enclave_shares",), register=True),
)
_BY_STEM = {stem: kind for kind in KINDS for stem in kind.stems}
_READ_ELSEWHERE = {"inputs", "forecast"}  # folders of a catalogue that other packages read


@dataclass(frozen=True, slots=True)
class RawItem:
    """One item as written: its kind, id, fields and origin."""

    kind: Kind
    key: str
    fields: Mapping[str, Any]
    origin: Origin


@dataclass(slots=True)
class RawFiles:
    """Everything read from one catalogue folder, and what could not be read."""

    items: list[RawItem] = field(default_factory=list)
    problems: list[CatalogProblem] = field(default_factory=list)

    def problem(self, origin: Origin, message: str, **more: str) -> None:
        """Note something wrong with a file as a whole."""
        self.problems.append(CatalogProblem(origin, "", "", message, **more))


def read_folder(folder: Path, shown_as: str) -> RawFiles:
    """All items below ``folder``, files in name order; ``shown_as`` stands for it in messages."""
    read = RawFiles()
    for path in sorted(folder.iterdir()):
        name = f"{shown_as}/{path.name}"
        if path.is_dir():
            _read_subfolder(path, name, read)
        elif path.suffix.lower() in (".yaml", ".yml", ".csv"):
            _read_known(path, name, path.stem, read)
    return read


def _read_subfolder(folder: Path, shown_as: str, read: RawFiles) -> None:
    if folder.name in _READ_ELSEWHERE:
        return
    for path in sorted(folder.glob("*.y*ml")):
        _read_known(path, f"{shown_as}/{path.name}", folder.name, read)


def _read_known(path: Path, shown_as: str, stem: str, read: RawFiles) -> None:
    kind = _BY_STEM.get(stem)
    origin = Origin(shown_as)
    if kind is None:
        known = "、".join(sorted(_BY_STEM))
        remedy = did_you_mean(stem, _BY_STEM) or "改用所列名称，或移出目录文件夹"
        read.problem(origin, "不认识的目录文件", expected=known, remedy=remedy)
    elif kind.register != (path.suffix.lower() == ".csv"):
        wanted = ".csv" if kind.register else ".yaml"
        read.problem(origin, "文件类型不对", found=path.suffix, expected=wanted)
    elif kind.register:
        _read_csv(path, kind, origin, read)
    else:
        _read_yaml(path, kind, origin, read)


# --- Text -----------------------------------------------------------------------------------------


def decode(data: bytes) -> str | None:
    """UTF-8 (with or without mark), else GB18030 as Excel saves it; ``None`` when neither."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _text_of(path: Path, origin: Origin, read: RawFiles) -> str | None:
    text = decode(path.read_bytes())
    if text is None:
        read.problem(
            origin, "文件编码无法识别", expected="UTF-8 或 GB18030", remedy="用 UTF-8 另存后重试"
        )
    return text


# --- YAML -----------------------------------------------------------------------------------------


class _Block(dict[str, Any]):
    """A mapping of a YAML file that remembers its line."""

    line = 0


class _Loader(_FastLoader):  # type: ignore[misc]
    """Safe YAML with lines kept, decimals exact and repeated keys refused."""


def _construct_block(loader: Any, node: yaml.MappingNode) -> Iterator[_Block]:
    block = _Block()
    block.line = node.start_mark.line + 1
    yield block
    loader.flatten_mapping(node)
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in block:
            raise yaml.constructor.ConstructorError(
                None, None, f"字段“{key}”写了两次", key_node.start_mark
            )
        block[key] = loader.construct_object(value_node, deep=True)


def _construct_decimal(loader: Any, node: yaml.ScalarNode) -> Decimal | float:
    text = loader.construct_scalar(node).replace("_", "")
    try:
        return Decimal(text)
    except ArithmeticError:  # .inf, .nan, sexagesimal: never a figure, refused by the model
        return float("nan")


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_block)
_Loader.add_constructor("tag:yaml.org,2002:float", _construct_decimal)


def _read_yaml(path: Path, kind: Kind, origin: Origin, read: RawFiles) -> None:
    text = _text_of(path, origin, read)
    if text is None:
        return
    try:
        content = yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Origin(origin.file, mark.line + 1 if mark else 0)
        why, mend = yaml_form(error.problem or "格式错误")
        read.problem(place, f"YAML 无法读取：{why}", remedy=mend)
        return
    except (yaml.YAMLError, ValueError) as error:
        why, mend = yaml_form(str(error))
        read.problem(origin, f"YAML 无法读取：{why}", remedy=mend)
        return
    for section, blocks in _sections(content, kind):
        if not isinstance(blocks, list):
            read.problem(origin, "文件内容应为列表", expected=f"以“- {section.key}:”开头的各项")
            continue
        for block in blocks:
            _keep_block(block, section, origin, read)


def _sections(content: Any, kind: Kind) -> list[tuple[Kind, Any]]:
    """A file holds a list of items, lists below the names of their kinds, or one item."""
    if content is None:
        return []
    if isinstance(content, dict):
        if kind.key in content:
            return [(kind, [content])]
        if content and all(name in _BY_STEM for name in content):
            return [(_BY_STEM[name], blocks or []) for name, blocks in content.items()]
    return [(kind, content)]


def _keep_block(block: Any, kind: Kind, origin: Origin, read: RawFiles) -> None:
    place = Origin(origin.file, getattr(block, "line", 0))
    if not isinstance(block, dict):
        read.problem(place, f"列表中有一项不是{kind.zh}", found=str(block)[:40])
        return
    key = block.get(kind.key)
    if key is None or key == "":
        read.problem(place, f"{kind.zh}缺少编号", expected=f"字段 {kind.key}")
        return
    read.items.append(RawItem(kind, str(key), block, place))


# --- CSV ------------------------------------------------------------------------------------------


def _read_csv(path: Path, kind: Kind, origin: Origin, read: RawFiles) -> None:
    text = _text_of(path, origin, read)
    if text is None:
        return
    rows = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip() for name in next(rows, [])]
    if kind.key not in header:
        read.problem(origin, "表头缺少编号列", found="、".join(header), expected=kind.key)
        return
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        place = Origin(origin.file, rows.line_num)
        if len(row) > len(header):
            read.problem(place, "列数多于表头", found=f"{len(row)}列", expected=f"{len(header)}列")
            continue
        fields = {name: cell.strip() for name, cell in zip(header, row, strict=False) if name}
        read.items.append(RawItem(kind, fields.get(kind.key, ""), fields, place))
