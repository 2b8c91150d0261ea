"""One cell to one number: our own grammar, never ``float()``; what is ambiguous is refused.

Belongs here: the accepted writings of a number, the reasons of refusals (Chinese, for the
reporter), the exact text of a cell. Does not belong here: what signs mean (`symbols`), heads and
tables (`grid`, `structure`), unit conversion (`units`), periods (`periods`).

The grammar accepts, in this order around one number: 近/约, a sign or accounting brackets, the
number (1,075.5 or 一千二百万), 余/多, a unit or scale word, 左右, a footnote mark. A text outside
the grammar is plainly a word (kind ``text``) or a refusal with its reason; there is no third way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from assets.submissions.reading.workbook import CellValue, ErrorValue, Sheet
from assets.submissions.values.characters import fold, fold_dashes
from assets.submissions.values.numerals import DIGIT_LETTERS, NUMERAL_LETTERS, read_numeral
from assets.submissions.values.symbols import Meaning, Symbols, shipped_symbols
from assets.submissions.values.units import SCALES, unit_word

__all__ = [
    "Kind",
    "ParsedNumber",
    "Symbols",
    "parse_number",
    "raw_text",
    "row_texts",
    "shipped_symbols",
]

Kind = Literal["number", "symbol", "blank", "refused", "text"]

LIMIT = Decimal(10) ** 20
"""Values from here on do not fit the warehouse's DECIMAL(28,8)."""


@dataclass(frozen=True, slots=True)
class ParsedNumber:
    """What a cell says. ``value`` is in the ``unit`` the cell names: 1,075.5亿元 is 1075.5."""

    value: Decimal | None
    state: str
    unit: str | None = None
    approximate: bool = False
    reason: str | None = None
    kind: Kind = "number"


def parse_number(raw: CellValue, symbols: Symbols) -> ParsedNumber:
    """Read one cell. Never raises for a cell value and never guesses.

    ``kind``: ``number`` (value; unit and 约 noted), ``symbol`` (a sign, value by its meaning in
    this source), ``blank``, ``text`` (plainly a word) or ``refused`` (reason set).
    """
    if isinstance(raw, str):
        # long remarks are read each time, not remembered
        return (_parse_text if len(raw) <= _LONGEST else _read_text)(raw, symbols)
    if isinstance(raw, float):
        return _parse_float(raw, symbols)
    if isinstance(raw, int) and not isinstance(raw, bool):
        return _number(Decimal(raw), symbols)
    if raw is None:
        return _by_meaning(symbols.blank, "blank", "")
    return _parse_other(raw)


def raw_text(value: CellValue) -> str:
    """The exact text kept in ``submissions.cell.raw_text``.

    Numbers in their shortest exact form without exponent (301774.0 is ``301774``), dates in ISO
    form, text untouched, an empty cell as the empty text.
    """
    if type(value) is float:  # the usual case
        return _float_text(value)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, ErrorValue):
        return value.code
    return value.isoformat()


def raw_texts(values: Sequence[CellValue]) -> list[str]:
    """``raw_text`` of each cell of a row; stored numbers of a usual size without a call each."""
    return [
        (text[:-2] if (text := repr(value)).endswith(".0") else text)
        if type(value) is float and USUAL_LEAST <= value < USUAL_MOST
        else raw_text(value)
        for value in values
    ]


def row_texts(sheet: Sheet, row: int) -> list[str]:
    """``raw_text`` of each cell of a row (1-based) of a sheet, written out once. Only read it."""
    known = sheet.texts.get(row)
    if known is None:
        known = sheet.texts[row] = raw_texts(sheet.rows[row - 1])
    return known


USUAL_LEAST, USUAL_MOST = 1e-4, 1e15
"""Numbers in between are written out in full by ``repr``, as by ``Decimal``."""


# --- numbers and other stored types ----------------------------------------------------------


def _parse_float(raw: float, symbols: Symbols) -> ParsedNumber:
    if raw.is_integer() and -1e15 < raw < 1e15:
        return _number(Decimal(int(raw)), symbols)
    value = Decimal(float.__repr__(raw))  # the shortest exact text, not the binary fraction
    if not value.is_finite():
        return _refused("单元格不是有限的数", repr(raw))
    return _number(value, symbols)


def _parse_other(raw: CellValue) -> ParsedNumber:
    if isinstance(raw, bool):
        return _refused("是逻辑值，不是数", raw_text(raw))
    if isinstance(raw, ErrorValue):
        return _refused(_ERROR_REASON, raw.code)
    return _refused("是日期或时间，不是数", raw_text(raw))


def _float_text(value: float) -> str:
    text = repr(value)
    if text.endswith(".0") and value:  # shorter than 1e16 is written out; -0.0 is 0
        return text[:-2] if -1e15 < value < 1e15 else text
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if "e" not in text:  # the usual case; also nan and inf
        return text
    return format(Decimal(text), "f")


def _number(
    value: Decimal, symbols: Symbols, unit: str | None = None, approximate: bool = False
) -> ParsedNumber:
    if abs(value) >= LIMIT:
        return _refused("数值过大，超出可以保存的范围", format(value, "f"))
    if approximate:
        return ParsedNumber(value, "approximate", unit, True)
    if not value:
        if symbols.zero.value is None:
            return _by_meaning(symbols.zero, "symbol", "0")
        return ParsedNumber(value.copy_abs(), symbols.zero.state, unit)
    return ParsedNumber(value, "reported", unit)


def _by_meaning(meaning: Meaning, kind: Kind, text: str) -> ParsedNumber:
    if meaning.ask is not None:
        return _refused(meaning.ask, text)
    return ParsedNumber(meaning.value, meaning.state, kind=kind)


def _refused(reason: str, found: str) -> ParsedNumber:
    shown = found if len(found) <= 40 else found[:40] + "…"
    return ParsedNumber(None, "unknown", reason=f"“{shown}”{reason}", kind="refused")


# --- the grammar of text ---------------------------------------------------------------------

# a number in ASCII; groups of three only, so that 1,23 and 12,3456 stay outside the grammar
_DIGITS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?|(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+", re.ASCII)
_NUMERAL = re.compile(rf"[{NUMERAL_LETTERS}]+(?:[点點][零〇一二三四五六七八九]+)?")
_ABOUT = re.compile(r"(?:大约|约为|约|将近|接近|近|逾) ?")
_BRACKETS = re.compile(r"\(([^()]*)\)([^()]*)")
_OF_HUNDRED = re.compile(r"(百|千)分之")
_ODD_SCALE = re.compile(rf"({'|'.join(sorted(SCALES, key=len, reverse=True))})[余多]")
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class _Size:
    """A number without its sign."""

    value: Decimal
    unit: str | None
    approximate: bool


def _read_text(raw: str, symbols: Symbols) -> ParsedNumber:
    text = fold(raw)
    if not text:
        return _by_meaning(symbols.blank, "blank", "")
    if meaning := symbols.tokens.get(text.replace(" ", "")):
        return _by_meaning(meaning, "symbol", raw.strip())
    text = fold_dashes(text)
    return _accept(text, symbols) or _explain(text, raw, symbols)


_parse_text = lru_cache(maxsize=1 << 16)(_read_text)


def _accept(text: str, symbols: Symbols) -> ParsedNumber | None:
    """The number a folded text writes, or ``None`` if it is outside the grammar."""
    if len(text) > _LONGEST:
        return None
    body = text.rstrip(symbols.footnotes + " ") if symbols.footnotes else text
    about = _ABOUT.match(body)
    body = body[about.end() :] if about else body
    negative, size = _signed(body, symbols)
    if size is None or (about and body[0] == "("):
        return None
    # copy_negate keeps every digit; the minus operator rounds to the context's 28
    value = size.value.copy_negate() if negative and size.value else size.value
    return _number(value, symbols, size.unit, size.approximate or about is not None)


def _signed(body: str, symbols: Symbols) -> tuple[bool, _Size | None]:
    """Sign and number: -3.2%, 负3.2, △3.5, (88.0), (88.0)万元, +5.6."""
    if symbols.brackets_negative and (brackets := _BRACKETS.fullmatch(body)):
        return True, _bracketed(brackets[1].strip(), brackets[2], symbols)
    if body[:1] in ("-", "负") or (body and body[0] in symbols.negative_marks):
        return True, _unsigned(body[1:], symbols)
    return False, _unsigned(body.removeprefix("+"), symbols)


def _bracketed(inner: str, outer: str, symbols: Symbols) -> _Size | None:
    """The amount of (88.0), (3.2%) or (88.0)万元; 近/余 or two units are no accounting writing."""
    if inner[:1] in DIGIT_LETTERS:
        return None  # (十) counts rows
    size, unit = _unsigned(inner, symbols), _tail(outer, symbols)
    if size is None or unit is None or size.approximate or unit[1] or (size.unit and unit[0]):
        return None
    return _Size(size.value, size.unit or unit[0], approximate=False)


def _unsigned(body: str, symbols: Symbols) -> _Size | None:
    """Number, 余/多, unit or scale word, 左右."""
    if share := _OF_HUNDRED.match(body):
        size = _unsigned(body[share.end() :], symbols)
        mark = "%" if share[1] == "百" else "‰"
        return _Size(size.value, mark, size.approximate) if size and not size.unit else None
    if digits := _DIGITS.match(body):
        tail = _tail(body[digits.end() :], symbols)
        return tail and _Size(Decimal(digits[0].replace(",", "")), *tail)
    return _from_numeral(body, symbols)


def _from_numeral(body: str, symbols: Symbols) -> _Size | None:
    """Chinese numeral and tail. A letter may belong to either: 三百万千瓦时, so try each cut."""
    run = _NUMERAL.match(body)
    if run is None or body[0] not in DIGIT_LETTERS:
        return None
    for end in range(run.end(), 0, -1):
        number, rest = body[:end], body[end:].replace(" ", "")
        value, tail = read_numeral(number), _tail(rest, symbols)
        if value is None or tail is None:
            continue
        # 一点二亿 and 三百余万 keep their scale word; 三百百 and 十百户 are no numerals
        scaled = rest in SCALES or unit_word(rest[1:]) in symbols.unit_words
        if "点" in number or not (scaled and rest[0] in NUMERAL_LETTERS):
            return _Size(value, *tail)
    return None


def _tail(rest: str, symbols: Symbols) -> tuple[str | None, bool] | None:
    """Unit and approximation after a number, or ``None`` if anything else stands there."""
    word = rest.replace(" ", "")
    if not word:
        return None, False
    exact = word.removesuffix("左右")
    if odd := _ODD_SCALE.match(exact):  # 600万余元
        exact = odd[1] + exact[odd.end() :]
    elif exact[:1] in ("余", "多"):  # 600余万平方米
        exact = exact[1:]
    approximate = exact != word
    if not exact:
        return None, approximate
    if exact[0] == "(" and exact[-1] == ")":
        exact = exact[1:-1]
    known = exact in SCALES or unit_word(exact) in symbols.unit_words
    return (exact, approximate) if known else None


# --- outside the grammar: a word, or the reason ------------------------------------------------

_BOUND_WORDS = "超过|超|不足|不到|不低于|不少于|高于|低于|大于|小于|至少|至多|最多|最少"
_CHANGE_WORDS = "增长|下降|上升|减少|增加|回落|增|降|减"

_ERROR_REASON = "是公式错误值，请检查公式后填写数值"

# first fitting pattern gives the reason; order goes from the particular to the general
_TRAPS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), reason)
    for pattern, reason in (
        (r"#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!|SPILL!|CALC!)$", _ERROR_REASON),
        (r"#{3,}$", "是列宽不足时的显示内容，不是数，请填写数值"),
        (r"[=@][A-Za-z(+\-\d$]", "是以文字形式保存的公式，没有计算结果，请填写数值"),
        (r".*[\u202a-\u202e\u2066-\u2069]", "含有改变显示方向的控制符，不能确定是多少"),
        (r"\d{4}[-/.年]\d{1,2}(?:[-/.月]\d{1,2}日?|月.*)$", "像日期或报告期，不是数"),
        (r"(?:\d{1,4}|[〇零一二三四五六七八九十]+)[年月日]", "像日期，不是数；时长请以“个月”计"),
        (r"(?:19|20)\d\d-(?:0?[1-9]|1[0-2])$", "像日期或报告期，不是数"),
        (r"\d{1,2}:\d{2}", "像时间，不是数"),
        (r".*\d[^\d]*(?:-|~|至|到)\s*\d", "像一个区间或两个数，不是一个数"),
        (r".*\d\s*/\s*\d", "像分数、日期或并列的两个数，不是一个数"),
        (r"[+-]?[\d.]+[eE][+-]?\d+$", "是以文字形式保存的科学记数，不能确定原数"),
        (r"[-+(]?(?=.*\d)(?=.*[OoIl|])[\dOoIl|.,]+\)?$", "含有像数字的字母，不能确定是多少"),
        (r".*[¥￥$€£]", "含有货币符号，请改写为数和计量单位"),
        (r".*(?:[<>=≤≥≈≦≧]|以上|以下|以内|以外)", "是一个界限，不是一个数"),
        (rf"(?:{_BOUND_WORDS})", "是一个界限，不是一个数"),
        (rf"(?:同比|环比|较上年|比上年)?(?:{_CHANGE_WORDS})", "含有增减文字，请改写为带正负号的数"),
        (r"(?:\+-|±|\+/-)", "正负号不能确定"),
        (r"(?:--|-\s|-\(|\(-|\+\+|-\+)", "负号的写法不能确定"),
        (r"\d[\d.,]*\s*[-+]$", "正负号写在数后，不能确定"),
        (r"[△▲▼▽↑↓Δ]", "箭头或三角记号的含义不能确定，请改写为正负号"),
        (r"[+-]?0\d", "以0开头，像编码而不是数"),
        (r"\(.*\d.*\)", "括号的含义不能确定，请写明正负号"),
        (r"[+-]?\d[\d ]* \d", "数字之间有空格，不能确定是一个数还是两个数"),
        (r".*\d\.\d*\.", "有两个小数点，不能确定是多少"),
        (r".*\d\.$", "以小数点结尾，可能缺少数字"),
        (r".*[,']", "千位分隔符的位置不对或写法混杂，不能确定是多少"),
    )
)  # fmt: skip

# 1.工业总产值, (一)总产值, (十), 2020年1—6月…情况表: words although they begin with a figure
_LABEL = re.compile(
    r"(?:\d{1,2}[.、)]|\(\d{1,2}\)|\(?[一二三四五六七八九十]{1,3}[、)])\s*(?P<name>[^\W\d_]{2}.*)"
)
_ORDINAL = re.compile(r"\([一二三四五六七八九十]{1,3}\)$|[一二三四五六七八九十]{1,3}、$")
_TITLE = re.compile(r"(?:19|20)\d\d年.*[^\W\d_年月日份至]{3}")
_LEADING_MARKS = " ([{<《【〔“\"'*#△▲☆★※○●■□◆◇·"


def _explain(text: str, raw: str, symbols: Symbols) -> ParsedNumber:
    """Kind ``text`` for what is plainly a word, else a refusal with the first fitting reason."""
    if _is_word(text[:_LONGEST], symbols):
        return ParsedNumber(None, "unknown", kind="text")
    if len(text) > _LONGEST:
        return _refused("文字过长，不是一个数", raw.strip())
    for pattern, reason in _TRAPS:
        if pattern.match(text):
            return _refused(reason, raw.strip())
    if number := _DIGITS.match(text.lstrip("+-(")):
        return _refused(_about_tail(text.lstrip("+-(")[number.end() :], symbols), raw.strip())
    return _refused("不能识别为一个数", raw.strip())


def _is_word(text: str, symbols: Symbols) -> bool:
    """Whether a text outside the grammar is a name, head or remark rather than a spoilt number."""
    if text[0] == "#" and text[1:2].isupper():
        return False  # an error value written as text
    label = _LABEL.match(text)
    if label and _tail(label["name"], symbols) is None:
        return True
    if _ORDINAL.match(text) or _TITLE.match(text) or unit_word(text) in symbols.unit_words:
        return True
    bare = text.lstrip(_LEADING_MARKS)
    if not bare[:1].isalpha():
        return False
    if any(letter.isdigit() for letter in bare):
        # 规上企业12户 is a word; 约12?, 超12亿元, l2.5, 负12户口 are spoilt numbers
        return not (_ABOUT.match(bare) or _SPOILT.match(bare))
    numeral = _NUMERAL.match(bare)
    if numeral is None or bare[0] not in DIGIT_LETTERS:
        return not _ABOUT_NUMERAL.match(bare)
    return _begins_word(bare[numeral.end() :], symbols)


_SPOILT = re.compile(
    rf"(?:{_BOUND_WORDS}|(?:同比|环比|较上年|比上年)?(?:{_CHANGE_WORDS})|负|[OoIl|]|百分之|千分之)"
    rf"[\s\dOoIl|.,+\-%]"
)
_ABOUT_NUMERAL = re.compile(
    rf"(?:大约|约为|约|近|逾|负|几|数)[{NUMERAL_LETTERS}]+(?![^\W\d_]{{3}})"
)


def _begins_word(rest: str, symbols: Symbols) -> bool:
    """Whether what follows a Chinese numeral shows that it was no numeral: 一季度, 三江工业园."""
    word = rest.replace(" ", "").lstrip("几余多")
    if not word or word in SCALES or word[0] in "年月日、,.":
        return False
    return word[0].isalpha() and unit_word(word) not in symbols.unit_words


def _about_tail(rest: str, symbols: Symbols) -> str:
    """Reason for a good number with a bad tail."""
    word = unit_word(rest.rstrip(")"))
    if any(word[:cut] in symbols.unit_words for cut in range(1, len(word))):
        return "数后的计量单位不止一个或后面还有文字，不能确定是多少"
    return "数后有不能识别的文字或记号，不能确定是多少"
