"""Fuzzing what reads strangers' files: numbers, periods, and the look at a file before it is opened.

    python -m bench.torture.fuzz [--runs 300000] [--seed 1] [--only numbers|periods|files]
    .venv/bin/uv pip install atheris==3.0.0 && python -m bench.torture.fuzz --engine atheris

Texts and files are changed at random from examples that are read well, a byte or a word at a time, and
what comes of them is held against ``tests.support.reading_oracle``. ``atheris`` is guided by the branches
it reaches and finds more in the same time; without it the changes are blind, and the same for the same
seed. Prints each input that breaks a promise and ends with 1. ``--control`` plants a parser that takes
``1_000`` and ``٣`` for numbers as ``float`` does: the campaign must find it.
"""

from __future__ import annotations

import argparse
import importlib
import random
import sys
from collections.abc import Callable, Sequence

from tests.support import reading_oracle
from tests.support.workbook_bytes import ods, ods_content, ods_table, xls, xlsx

NUMBERS = (
    "1,234.56", "(1,234)", "△12.5", "1,075.5亿元", "约12万户", "１２３．４５", "-0.5%", "一百二十三万",
    "12.3①", "±5", "1.2E+05", "—", "……", "不足1", "<0.1", "1 234,5", "12,34", "壹佰贰拾", "3/4", "10²",
)  # fmt: skip
PERIODS = (
    "2020年1—6月", "2019年1-2月", "二〇二〇年三季度", "2020.06", "2020-06", "2020/6/30", "截至2020年6月底",
    "2016年上半年", "1—11月", "2020年12月31日", "2020年第1期", "旬阳市2020年1-6月月报(修改稿).xlsx",
)  # fmt: skip
PIECES = (
    *"0123456789.,,.-—－+()()%‰*①②³½٣_ 年月日至第期季度半上下底万亿元户千百十〇一二三约近余",
    *"<>≤\u3000\u00a0\u200b", "亿元", "万元", "1—", "1-", "月份", "同比", "E+", "nan", "inf",
)  # fmt: skip
Oracle = Callable[[bytes], str]


def number(data: bytes) -> str:
    """Fault of the number a text is read as."""
    return reading_oracle.fault_of_number(data.decode("utf-8", "ignore"))


def period(data: bytes) -> str:
    """Fault of the period a text is read as."""
    return reading_oracle.fault_of_period(data.decode("utf-8", "ignore"))


def file(data: bytes) -> str:
    """Fault of the look at a file."""
    return reading_oracle.fault_of_file(data)


def careless(data: bytes) -> str:
    """The control: ``float`` as a parser of returns; digits it makes up must be found."""
    text = data.decode("utf-8", "ignore")
    try:
        value = float(text)
    except ValueError:
        return ""
    digits = [c for c in text if c.isdigit()]
    plain = all(c.isascii() for c in digits) and "_" not in text and value - value == 0
    return "" if plain else f"{text!r} taken for {value}"


def changed_text(data: bytes, chance: random.Random) -> bytes:
    """A text with a few of its characters left out, doubled, swapped or put in."""
    text = list(data.decode("utf-8", "ignore"))
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(text))
        match chance.randrange(4):
            case 0:
                text[at : at + 1] = []
            case 1:
                text[at:at] = chance.choice(PIECES)
            case 2:
                text[at : at + 1] = chance.choice(PIECES)
            case _:
                text[at:at] = text[at : at + chance.randint(1, 4)]
    return "".join(text)[:120].encode()


def changed_bytes(data: bytes, chance: random.Random) -> bytes:
    """A file with bytes changed, cut, doubled or zeroed."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at, n = chance.randrange(len(out) + 1), chance.choice((1, 1, 2, 4, 16, 512))
        match chance.randrange(5):
            case 0:
                out[at : at + n] = chance.randbytes(n)
            case 1:
                out[at : at + n] = b""
            case 2:
                out[at:at] = out[at : at + n]
            case 3:
                out[at : at + n] = b"\xff" * n
            case _:
                out[at : at + n] = bytes(n)
    return bytes(out)


FILES = (xlsx(), xls(), ods(ods_content(ods_table("<table:table-row/>"))))
TARGETS: dict[str, tuple[Oracle, Sequence[bytes], Callable[[bytes, random.Random], bytes]]] = {
    "numbers": (number, [text.encode() for text in NUMBERS], changed_text),
    "periods": (period, [text.encode() for text in PERIODS], changed_text),
    "files": (file, FILES, changed_bytes),
}


def fault(oracle: Oracle, data: bytes) -> str:
    """What is wrong with one input; an exception is wrong whatever it says."""
    try:
        return oracle(data)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def blindly(name: str, oracle: Oracle, runs: int, seed: int) -> list[tuple[bytes, str]]:
    """Inputs that break a promise, of ``runs`` changed at random."""
    _, examples, change = TARGETS[name]
    chance = random.Random(f"{seed}/{name}")
    kept, found = list(examples), []
    for _ in range(runs):
        data = change(chance.choice(kept), chance)
        if said := fault(oracle, data):
            found.append((data, said))
        elif chance.random() < 0.02:
            kept.append(data)  # changes upon changes
    return found


def guided(name: str, oracle: Oracle, runs: int, seed: int) -> int:
    """The same by atheris, which ends the process at the first broken promise."""
    import tempfile
    from pathlib import Path

    import atheris

    def once(data: bytes) -> None:
        if said := fault(oracle, data):
            raise AssertionError(f"{data!r}: {said}")

    with tempfile.TemporaryDirectory() as corpus:
        for place, example in enumerate(TARGETS[name][1]):
            (Path(corpus) / str(place)).write_bytes(example)
        with atheris.instrument_imports(include=["assets.submissions"]):
            _import_again()
        words = [sys.argv[0], f"-runs={runs}", f"-seed={seed}", "-max_len=4096", corpus]
        atheris.Setup(words, once)
        atheris.Fuzz()
    return 0


def _import_again() -> None:
    """The readers once more, now with their branches watched."""
    for name in [n for n in sys.modules if n.startswith(("assets", "tests.support"))]:
        del sys.modules[name]
    globals()["reading_oracle"] = importlib.import_module("tests.support.reading_oracle")


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=300_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=sorted(TARGETS))
    parser.add_argument("--engine", choices=("blind", "atheris"), default="blind")
    parser.add_argument("--control", action="store_true")
    said = parser.parse_args()
    if said.engine == "atheris":
        name = said.only or "numbers"
        return guided(name, TARGETS[name][0], said.runs, said.seed)
    broken = 0
    for name in [said.only] if said.only else sorted(TARGETS):
        oracle = careless if said.control and name != "files" else TARGETS[name][0]
        found = blindly(name, oracle, said.runs, said.seed)
        broken += len(found)
        print(f"{name:8} {said.runs} inputs, {len(found)} break a promise", flush=True)
        for data, why in found[:10]:
            print(f"  {data[:120]!r}: {why}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
