"""What is wrong with the form of a YAML or TOML file, in Chinese: the libraries say it in English.

Belongs here: the sentences for mistakes of form and their mends. Does not belong here: reading the files,
and what is wrong with their content (``problems``).
"""

from __future__ import annotations

import re

_FORM = tuple(
    (re.compile(pattern), words, mend)
    for pattern, words, mend in (
        (r"tab", "用制表符（Tab）缩进", "改用空格缩进"),
        (r"expected ':'", "缺少冒号", "字段名后写半角冒号和一个空格；全角“：”不是冒号"),
        (r"mapping values are not allowed", "一行里多了冒号，或上一行缩进不对",
         "含冒号的文字加引号；核对缩进"),
        (r"comment or line break|cannot start any token|block scalar",
         "值以特殊符号（> | @ ` % 等）开头", "给该值加引号，如 '>='"),
        (r"unexpected end of stream|quoted scalar", "引号没有成对", "补上另一半引号"),
        (r"expected ',' or '[\]}]'|flow (?:sequence|mapping)|expected the node content",
         "方括号或花括号没有成对，或缺逗号", "补上括号或逗号"),
        (r"expected <block end>|block (?:mapping|sequence|collection)", "缩进不一致",
         "同一组的各行对齐，“- ”也对齐"),
        (r"undefined alias|anchor", "以 * 或 & 开头的值被当作引用", "给该值加引号"),
        (r"must be in|out of range", "日期不存在", "写成 2020-12-31 的形式，核对月和日"),
    )
)  # fmt: skip
_TOML_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)|\(at end of document\)")
_TOML = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"Expected ']'", "方括号没有成对"),
        (r"Expected '='", "缺少等号"),
        (r"Invalid value", "等号后的值写法不对,文字要加双引号"),
        (r"Cannot (?:overwrite|declare)|already", "同一个名称写了两次"),
        (r"Unterminated|Illegal character|Expected '\"'", "引号没有成对"),
        (r"Expected newline", "一行只能写一项，行末有多余的字"),
        (r"Invalid statement|Invalid initial character", "这一行不是“名称 = 值”，也不是“[节]”"),
    )
)  # fmt: skip


def yaml_form(why: str) -> tuple[str, str]:
    """The mistake and its mend in words; one nobody has translated is given as it is."""
    for pattern, words, mend in _FORM:
        if pattern.search(why):
            return words, mend
    return why, "检查缩进、引号和冒号后的空格"


def toml_form(why: str) -> str:
    """Place and mistake of a TOML file in words."""
    found = _TOML_PLACE.search(why)
    place = f"第{found[1]}行第{found[2]}列" if found and found[1] else "文件末尾"
    for pattern, words in _TOML:
        if pattern.search(why):
            return f"{place}:{words}"
    return f"{place}:写法不对({_TOML_PLACE.sub('', why).strip()})"
