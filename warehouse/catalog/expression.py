"""The one small expression language: indicator formulas, audit rules and their conditions.

Belongs here: parsing to a frozen tree, the identifiers used, SQL text and exact evaluation with the
same meaning. Does not belong here: what an identifier stands for (the caller resolves it) or any
access to data. Nothing is ever handed to ``eval``.

Language: ``+ - * /``, comparisons (chained ones too: ``8 <= X05 <= 60``), ``and or not``,
parentheses, ``abs min max round coalesce``, decimal literals, and identifiers such as ``C01``,
``C01.ytd`` (a measure), ``C01[-1y]`` (one year earlier; ``m`` report periods, ``q`` quarters, ``e``
the December n years back, ``p`` the n-th figure reported before).

Unknown values propagate as SQL ``NULL`` does; ``and``/``or``/``not`` follow three-valued logic; a
quotient by zero is unknown. Sums, differences and products with constants are exact decimals;
quotients and products of two identifiers are not, so a comparison that involves one compares the
difference rounded to nine decimals: 0.1 computed as 0.0999999999999787 equals 0.1 on both sides.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from functools import lru_cache
from typing import Literal

Kind = Literal["number", "condition"]

FUNCTIONS: dict[str, tuple[int, int]] = {
    "abs": (1, 1),
    "min": (2, 20),
    "max": (2, 20),
    "round": (1, 2),
    "coalesce": (2, 20),
}
_MAX_LENGTH, _MAX_TOKENS, _MAX_DEPTH, _MAX_CALLS, _MAX_DIGITS = 2000, 300, 60, 6, 18
_NEAR = 9  # decimals to which inexact operands are compared, and to which they are rounded first
_COLUMN = (20, 8)  # integer and fraction digits of a stored value, DECIMAL(28,8)


class ExpressionError(ValueError):
    """The text is no expression of this language; the message is Chinese and gives the place."""


# --- The tree -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    """A decimal literal."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Name:
    """A value by indicator id, with an optional measure (``.ytd``) and offset (``[-1y]``)."""

    identifier: str
    measure: str | None = None
    offset: tuple[int, str] | None = None

    def __str__(self) -> str:
        measure = f".{self.measure}" if self.measure else ""
        offset = f"[-{self.offset[0]}{self.offset[1]}]" if self.offset else ""
        return f"{self.identifier}{measure}{offset}"


@dataclass(frozen=True, slots=True)
class Negation:
    """Arithmetic minus."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``left operator right`` with one of ``+ - * /``."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left operator right`` with one of ``< <= > >= = !=``."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logic:
    """``and``, ``or`` over two operands or ``not`` over one."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function of :data:`FUNCTIONS`."""

    function: str
    arguments: tuple[Node, ...]


Node = Number | Name | Negation | Arithmetic | Comparison | Logic | Call


def kind_of(node: Node) -> Kind:
    """Whether the expression yields a number or a condition."""
    return "condition" if isinstance(node, Comparison | Logic) else "number"


# --- Text to tree ---------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[a-z][a-z_]*)?(?:\[-[0-9]{1,3}[mqyep]\])?)"
    r"|(?P<symbol><=|>=|==|!=|<>|[-+*/()<>=,])"
    r"|(?P<space>\s+)"
)
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\.([a-z_]+))?(?:\[-([0-9]+)([mqyep])\])?")
# Full-width and mathematical signs that Chinese authors type; positions stay the same.
_SIGNS = str.maketrans("（），＋－−＊×／÷＜＞＝", "(),+--**//<>=")
_PAIRS = {"≤": "<=", "≥": ">=", "≠": "!="}
_SPELLED = {"==": "=", "<>": "!="}
_WORDS = {"and", "or", "not"}
_POWER = {"or": 1, "and": 2, "compare": 4, "+": 5, "-": 5, "*": 6, "/": 6}
_NOT_POWER, _MINUS_POWER = 3, 7
_COMPARES = {"<", "<=", ">", ">=", "=", "!="}


@dataclass(frozen=True, slots=True)
class _Token:
    sort: str
    text: str
    at: int


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    plain = text.translate(_SIGNS)
    while at < len(plain):
        if pair := _PAIRS.get(plain[at]):
            found.append(_Token("symbol", pair, at))
            at += 1
            continue
        match = _TOKEN.match(plain, at)
        if match is None:
            raise ExpressionError(f"第{at + 1}个字符“{text[at]}”不能用在算式里")
        sort, piece = match.lastgroup or "", match.group()
        if sort == "name" and piece in _WORDS:
            sort = "symbol"
        if sort != "space":
            found.append(_Token(sort, _SPELLED.get(piece, piece), at))
        at = match.end()
    found.append(_Token("end", "", len(plain)))
    if len(found) > _MAX_TOKENS:
        raise ExpressionError(f"算式超过{_MAX_TOKENS}个词，请拆成几个指标")
    return found


class _Parser:
    """Pratt parser: each operator has a binding power, prefix and infix forms are told apart."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.position = 0
        self.depth = 0
        self.calls = 0

    @property
    def next(self) -> _Token:
        return self.tokens[self.position]

    def take(self) -> _Token:
        token = self.next
        self.position += 1
        return token

    def expect(self, symbol: str) -> None:
        token = self.take()
        if token.text != symbol or token.sort != "symbol":
            raise _misplaced(token, f"此处应为“{symbol}”")

    def expression(self, power: int = 0) -> Node:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise ExpressionError(f"算式嵌套超过{_MAX_DEPTH}层")
        left = self.prefix()
        while (strength := _infix_power(self.next)) > power:
            left = self.infix(left, strength)
        self.depth -= 1
        return left

    def prefix(self) -> Node:
        token = self.take()
        if token.sort == "number":
            return _number(token)
        if token.sort == "name":
            return self.name_or_call(token)
        if token.text == "(":
            inside = self.expression()
            self.expect(")")
            return inside
        if token.text == "not":
            return Logic("not", (_need(self.expression(_NOT_POWER), "condition", token),))
        if token.text in ("-", "+"):
            operand = _need(self.expression(_MINUS_POWER), "number", token)
            return Negation(operand) if token.text == "-" else operand
        raise _misplaced(token, "此处应为指标代码、数字或括号")

    def infix(self, left: Node, power: int) -> Node:
        if self.next.text in _COMPARES:
            return self.comparison(left, power)
        token = self.take()
        right = self.expression(power)
        wanted: Kind = "condition" if token.text in ("and", "or") else "number"
        _need(left, wanted, token)
        _need(right, wanted, token)
        if wanted == "condition":
            return Logic(token.text, (left, right))
        return Arithmetic(token.text, left, right)

    def comparison(self, left: Node, power: int) -> Node:
        """``a <= b <= c`` reads as ``a <= b and b <= c``."""
        whole: Node | None = None
        while self.next.sort == "symbol" and self.next.text in _COMPARES:
            token = self.take()
            right = self.expression(power)
            _need(left, "number", token)
            _need(right, "number", token)
            step = Comparison(token.text, left, right)
            whole = step if whole is None else Logic("and", (whole, step))
            left = right
        assert whole is not None
        return whole

    def name_or_call(self, token: _Token) -> Node:
        if self.next.text == "(" and self.next.sort == "symbol":
            return self.call(token)
        if token.text in FUNCTIONS:
            raise _misplaced(token, f"函数 {token.text} 后应有括号")
        match = _NAME.fullmatch(token.text)
        assert match is not None
        identifier, measure, count, step = match.groups()
        return Name(identifier, measure, (int(count), step) if count else None)

    def call(self, token: _Token) -> Node:
        if token.text not in FUNCTIONS:
            raise _misplaced(token, f"没有这个函数；可用：{'、'.join(FUNCTIONS)}")
        self.calls += 1
        if self.calls > _MAX_CALLS:  # min and max repeat their arguments in SQL
            raise _misplaced(token, f"函数套函数超过{_MAX_CALLS}层")
        self.expect("(")
        arguments = [_need(self.expression(), "number", token)]
        while self.next.text == ",":
            self.take()
            arguments.append(_need(self.expression(), "number", token))
        self.expect(")")
        self.calls -= 1
        fewest, most = FUNCTIONS[token.text]
        if not fewest <= len(arguments) <= most:
            raise _misplaced(token, f"参数个数为{len(arguments)}，应为{fewest}至{most}个")
        if token.text == "round" and len(arguments) == 2:
            _check_places(arguments[1], token)
        return Call(token.text, tuple(arguments))


def _misplaced(token: _Token, why: str) -> ExpressionError:
    shown = f"“{token.text}”" if token.text else "结尾"
    return ExpressionError(f"第{token.at + 1}个字符{shown}：{why}")


def _infix_power(token: _Token) -> int:
    if token.sort != "symbol":
        return 0
    return _POWER["compare"] if token.text in _COMPARES else _POWER.get(token.text, 0)


def _need(node: Node, wanted: Kind, token: _Token) -> Node:
    if kind_of(node) != wanted:
        why = "这里要的是数值，不是条件" if wanted == "number" else "这里要的是条件，不是数值"
        raise _misplaced(token, why)
    return node


def _number(token: _Token) -> Number:
    if len(token.text.replace(".", "")) > _MAX_DIGITS:
        raise _misplaced(token, f"数字超过{_MAX_DIGITS}位")
    return Number(Decimal(token.text))


def _check_places(node: Node, token: _Token) -> None:
    places = node.value if isinstance(node, Number) else None
    if places is None or places not in [Decimal(n) for n in range(_NEAR + 1)]:
        raise _misplaced(token, f"round 的位数应写成0至{_NEAR}的整数")


@lru_cache(maxsize=4096)
def parse(text: str, expect: Kind | None = None) -> Node:
    """The tree of ``text``.

    ``expect`` demands a number (a formula) or a condition (a rule). Raises ``ExpressionError``.
    """
    if len(text) > _MAX_LENGTH:
        raise ExpressionError(f"算式超过{_MAX_LENGTH}个字符")
    parser = _Parser(text)
    node = parser.expression()
    if parser.next.sort != "end":
        raise _misplaced(parser.next, "此处多余，或前面缺少运算符")
    if expect is not None and kind_of(node) != expect:
        raise ExpressionError("应为数值算式" if expect == "number" else "应为条件（含比较）")
    return node


# --- Tree to names and text -----------------------------------------------------------------------


def children(node: Node) -> tuple[Node, ...]:
    """Parts of a node, in reading order."""
    match node:
        case Negation(operand):
            return (operand,)
        case Arithmetic(_, left, right) | Comparison(_, left, right):
            return (left, right)
        case Logic(_, parts) | Call(_, parts):
            return parts
    return ()


def names(node: Node) -> Iterator[Name]:
    """Every use of a name, in reading order."""
    if isinstance(node, Name):
        yield node
    for child in children(node):
        yield from names(child)


def identifiers(node: Node) -> frozenset[str]:
    """Indicator ids the expression uses, without measures and offsets."""
    return frozenset(name.identifier for name in names(node))


def to_text(node: Node, label: Callable[[Name], str] = str) -> str:
    """The expression as text with the fewest parentheses; ``label`` may put names for ids.

    ``parse(to_text(node)) == node`` when ``label`` is left alone.
    """
    return _text(node, label, 0)


def _text(node: Node, label: Callable[[Name], str], outer: int) -> str:
    match node:
        case Number(value):
            return format(value, "f")
        case Name():
            return label(node)
        case Call(function, arguments):
            return f"{function}({', '.join(_text(a, label, 0) for a in arguments)})"
        case Negation(operand):
            own, text = _MINUS_POWER, f"-{_text(operand, label, _MINUS_POWER)}"
        case Logic("not", (operand,)):
            own, text = _NOT_POWER, f"not {_text(operand, label, _NOT_POWER)}"
        case Logic(word, parts):
            own = _POWER[word]
            pieces = [_text(part, label, own - (not i)) for i, part in enumerate(parts)]
            text = f" {word} ".join(pieces)
        case Comparison(sign, left, right):
            own = _POWER["compare"]
            text = f"{_text(left, label, own)} {sign} {_text(right, label, own)}"
        case Arithmetic(sign, left, right):
            own = _POWER[sign]
            text = f"{_text(left, label, own - 1)} {sign} {_text(right, label, own)}"
    return f"({text})" if own <= outer else text


# --- Exactness: known from the tree alone, so SQL and evaluation agree ----------------------------

_Digits = tuple[int, int] | None  # integer and fraction digits of an exact decimal; None = inexact


def _digits(node: Node) -> _Digits:
    """Digits an exact result may need; ``None`` when it is not an exact decimal of 38 digits."""
    match node:
        case Number(value):
            sign, digits, exponent = value.as_tuple()
            assert isinstance(exponent, int)
            fraction = max(0, -exponent)
            return max(1, len(digits) - fraction), fraction
        case Name():
            return _COLUMN
        case Negation(operand):
            return _digits(operand)
        case Arithmetic(sign, left, right):
            return _arithmetic_digits(sign, left, right)
        case Call(function, arguments):
            return _call_digits(function, arguments)
    return None


def _arithmetic_digits(sign: str, left: Node, right: Node) -> _Digits:
    a, b = _digits(left), _digits(right)
    if a is None or b is None or sign == "/":
        return None
    if sign == "*":
        if not (_is_constant(left) or _is_constant(right)):
            return None
        return _fits(a[0] + b[0], a[1] + b[1])
    return _fits(max(a[0], b[0]) + 1, max(a[1], b[1]))


def _call_digits(function: str, arguments: tuple[Node, ...]) -> _Digits:
    inner = [_digits(argument) for argument in arguments]
    if function == "round":
        if inner[0] is None:
            return 38 - _NEAR, _places(arguments)
        return _fits(inner[0][0] + 1, min(inner[0][1], _places(arguments)))
    known = [digits for digits in inner if digits is not None]
    if len(known) < len(inner):
        return None
    return _fits(max(d[0] for d in known), max(d[1] for d in known))


def _fits(whole: int, fraction: int) -> _Digits:
    return (whole, fraction) if whole + fraction <= 38 else None


def _is_constant(node: Node) -> bool:
    return next(names(node), None) is None


def _places(arguments: tuple[Node, ...]) -> int:
    places = arguments[-1]
    return int(places.value) if len(arguments) == 2 and isinstance(places, Number) else 0


# --- Tree to SQL ----------------------------------------------------------------------------------

_PLAIN = re.compile(r'[\w.]+|"[^"]*"|\([^()]*\)')


def to_sql(node: Node, resolve: Callable[[Name], str]) -> str:
    """DuckDB SQL with the meaning described above.

    ``resolve`` gives the SQL of a name (a column of type DECIMAL(28,8)); it alone decides what
    reaches the query. Division becomes ``a / nullif(b, 0)``; the result of a formula that divides
    is a DOUBLE and is rounded by whoever stores it.
    """
    match node:
        case Number(value):
            return format(value, "f")
        case Name():
            text = resolve(node)
            return text if _PLAIN.fullmatch(text) else f"({text})"
        case Negation(operand):
            return f"(-{to_sql(operand, resolve)})"
        case Arithmetic():
            return _arithmetic_sql(node, resolve)
        case Comparison(sign, left, right):
            return _comparison_sql(sign, left, right, resolve)
        case Logic("not", (operand,)):
            return f"(not {to_sql(operand, resolve)})"
        case Logic(word, parts):
            return f"({f' {word} '.join(to_sql(part, resolve) for part in parts)})"
        case Call():
            return _call_sql(node, resolve)


def _arithmetic_sql(node: Arithmetic, resolve: Callable[[Name], str]) -> str:
    left, right = to_sql(node.left, resolve), to_sql(node.right, resolve)
    if node.operator == "/":
        return f"({left} / nullif({right}, 0))"
    if _digits(node) is None:
        # More than 38 digits would stop the whole query: such results are doubles.
        left = f"cast({left} as double)"
    return f"({left} {node.operator} {right})"


def _comparison_sql(sign: str, left: Node, right: Node, resolve: Callable[[Name], str]) -> str:
    a, b = to_sql(left, resolve), to_sql(right, resolve)
    shown = "<>" if sign == "!=" else sign
    if _digits(left) is not None and _digits(right) is not None:
        return f"({a} {shown} {b})"
    return f"(round(cast({a} as double) - cast({b} as double), {_NEAR}) {shown} 0)"


def _call_sql(node: Call, resolve: Callable[[Name], str]) -> str:
    arguments = [to_sql(argument, resolve) for argument in node.arguments]
    if node.function == "round":
        inexact = _digits(node.arguments[0]) is None
        number = f"try_cast({arguments[0]} as decimal(38, {_NEAR}))" if inexact else arguments[0]
        return f"round({number}, {_places(node.arguments)})"
    if node.function in ("min", "max"):
        # DuckDB's least and greatest skip NULL; an unknown operand makes the result unknown.
        unknown = " or ".join(f"{argument} is null" for argument in arguments)
        best = {"min": "least", "max": "greatest"}[node.function]
        return f"(case when {unknown} then null else {best}({', '.join(arguments)}) end)"
    return f"{node.function}({', '.join(arguments)})"


# --- Tree to value --------------------------------------------------------------------------------

Value = Decimal | bool | None

_PRECISION = Context(prec=80, rounding=ROUND_HALF_UP)
_ORDER: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}


def evaluate(node: Node, values: Mapping[str, Decimal | None]) -> Value:
    """Value of the expression; keys of ``values`` are names as written (``C01.ytd[-1y]``).

    A name that is absent is unknown, as ``None`` is. Decimals are exact to 80 digits.
    """
    with localcontext(_PRECISION):
        return _value(node, values)


def _value(node: Node, values: Mapping[str, Decimal | None]) -> Value:
    match node:
        case Comparison():
            return _compared(node, values)
        case Logic():
            return _logical(node, values)
        case _:
            return _number_of(node, values)


def _number_of(node: Node, values: Mapping[str, Decimal | None]) -> Decimal | None:
    match node:
        case Number(value):
            return value
        case Name():
            return values.get(str(node))
        case Negation(operand):
            inner = _number_of(operand, values)
            return None if inner is None else -inner
        case Arithmetic(sign, left, right):
            return _computed(sign, _number_of(left, values), _number_of(right, values))
        case Call():
            return _called(node, values)
    raise TypeError(f"not a number: {node!r}")


def _computed(sign: str, a: Decimal | None, b: Decimal | None) -> Decimal | None:
    if a is None or b is None:
        return None
    match sign:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
    return None if b == 0 else a / b


def _called(node: Call, values: Mapping[str, Decimal | None]) -> Decimal | None:
    arguments = [_number_of(argument, values) for argument in node.arguments]
    known = [argument for argument in arguments if argument is not None]
    if node.function == "coalesce":
        return known[0] if known else None
    if len(known) < len(arguments):
        return None
    if node.function == "abs":
        return abs(known[0])
    if node.function == "round":
        exact = _digits(node.arguments[0]) is not None
        number = known[0] if exact else _rounded(known[0], _NEAR)
        return _rounded(number, _places(node.arguments))
    return min(known) if node.function == "min" else max(known)


def _rounded(value: Decimal, places: int) -> Decimal:
    if value.adjusted() > 60:  # beyond any figure; nothing to round within the precision kept
        return value
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _compared(node: Comparison, values: Mapping[str, Decimal | None]) -> bool | None:
    a, b = _number_of(node.left, values), _number_of(node.right, values)
    if a is None or b is None:
        return None
    if _digits(node.left) is None or _digits(node.right) is None:
        a, b = _rounded(a - b, _NEAR), Decimal(0)
    return _ORDER[node.operator](a, b)


def _logical(node: Logic, values: Mapping[str, Decimal | None]) -> bool | None:
    parts = [_value(operand, values) for operand in node.operands]
    if node.operator == "not":
        return None if parts[0] is None else not parts[0]
    decisive = node.operator == "or"
    if any(part is decisive for part in parts):
        return decisive
    return None if any(part is None for part in parts) else not decisive
