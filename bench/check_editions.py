"""Every number of every edition in every format: ``python -m bench.check_editions [--home WORKSPACE]``.

Without ``--home`` a shaanxi workspace of two periods is made with every audience of the catalogue.
Counts the numbers compared by format, times the cheap and the thorough check, then changes one number
at a time in copies of the files (``--changes``) and counts how many of these changes are found.
"""

from __future__ import annotations

import argparse
import io
import random
import re
import sys
import tempfile
import time
import zipfile
from collections import Counter
from datetime import datetime
from pathlib import Path

from assets.build import Build
from assets.bulletins import checking
from assets.deliveries import content
from assets.deliveries.editions import Edition, newest, published
from bench.editions_workspace import made
from pipelines.settings import load_workspace
from warehouse.catalog.load import load_catalog
from warehouse.state import State
from warehouse.store import Warehouse

PERIOD = "2020-06"


def main() -> None:
    """Command line; ends with 1 when a number differs or a change is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--period", default=PERIOD)
    parser.add_argument("--changes", type=int, default=400)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parkwatch-editions-") as folder:
        home = given.home or made(Path(folder) / "home")
        bench = Bench(home, given.period)
        wrong = bench.numbers()
        missed = bench.changes(given.changes)
    sys.exit(1 if wrong or missed else 0)


class Bench:
    """The published editions of one period, composed once more."""

    def __init__(self, home: Path, period: str) -> None:
        self.workspace = load_workspace(home)
        self.catalog = load_catalog(self.workspace.catalog, self.workspace.catalog_base)
        self.period = period
        self.editions = newest(published(self.workspace, period))
        warehouse = Warehouse(self.workspace)
        build = Build(self.workspace, self.catalog, warehouse, State(self.workspace.state_file),
                      datetime(2026, 1, 1))  # fmt: skip
        with warehouse.reading() as connection:
            keys = [edition.key for edition in self.editions]
            self.again = {one.key: one for one in checking.again(connection, build, keys)}
            started = time.process_time()
            self.cheap = checking.examined(connection, build, period, [*self.again.values()])
            print(f"{len(keys)} editions, cheap check {time.process_time() - started:.1f} s CPU")
            self.texts = checking.known_texts(connection, build, period, [*self.again.values()])

    def numbers(self) -> int:
        """Print the numbers compared by format; returns how many problems there are."""
        started = time.process_time()
        found = content.examined(self.workspace, self.catalog, self.editions)
        seconds = time.process_time() - started
        problems = [
            f"{key.audience_id} {each.check_id}: {each.message}"
            for key, results in found.items() for each in results
            if each.problems and each.severity == "error"
        ]  # fmt: skip
        counts: Counter[str] = Counter()
        for edition in self.editions:
            for name, data in self._files(edition).items():
                counts[name.rpartition(".")[2]] += self._read(edition, name, data)[0]
        print(f"thorough check with composing {seconds:.1f} s CPU")
        print("numbers compared:", ", ".join(f"{k} {n:,}" for k, n in sorted(counts.items())),
              f"together {sum(counts.values()):,}; problems {len(problems)}")  # fmt: skip
        checks: Counter[str] = Counter()
        for results in found.values():
            for each in results:
                checks[each.check_id] += each.n_checked
        print("looked at:", ", ".join(f"{name} {n:,}" for name, n in checks.items()))
        for line in problems[:20]:
            print("  ", line)
        return len(problems)

    def changes(self, wanted: int) -> int:
        """Change one number of one file at a time; returns how many changes nobody found."""
        draw = random.Random(1)
        tried: Counter[str] = Counter()
        missed: Counter[str] = Counter()
        while sum(tried.values()) < wanted:
            edition = draw.choice(self.editions)
            files = [*self._files(edition).items()]
            name, data = draw.choice(files)
            ending = name.rpartition(".")[2]
            other = _changed(ending, data, draw)
            if other is None:
                continue
            tried[ending] += 1
            missed[ending] += not self._read(edition, name, other)[1]
        told = ", ".join(f"{k} {tried[k] - missed[k]} of {tried[k]}" for k in sorted(tried))
        print(f"one number changed in one file, found: {told}")
        return sum(missed.values())

    def _files(self, edition: Edition) -> dict[str, bytes]:
        documents = {name: (edition.folder / name).read_bytes() for name in edition.documents}
        mails = {m.file: (self.workspace.home / m.file).read_bytes() for m in edition.mails}
        return documents | mails

    def _read(self, edition: Edition, name: str, data: bytes) -> tuple[int, tuple[str, ...]]:
        one = self.again[edition.key]
        allowed = self.texts[edition.key].with_texts(
            **checking.printed_texts(one.bulletin),
            attachments=edition.documents,
            addresses=[mail.recipient for mail in edition.mails],
        )  # fmt: skip
        if name.endswith(".eml"):
            found = content.mail_against(Path(name).name, data, one.bulletin, allowed)
        else:
            found = checking.formats(one.bulletin, {name: data}, allowed)
        return found.n_checked, found.problems


_IN_TEXT = re.compile(r">([^<>]*\d[^<>]*)<")


def _changed(ending: str, data: bytes, draw: random.Random) -> bytes | None:
    """The file with one digit of one visible number changed; None where that cannot be done."""
    if ending == "html":
        page = data.decode()
        head = page.index("<main")
        return (page[:head] + _digit(page[head:], draw)).encode()
    if ending == "docx":
        return _in_archive(data, ["word/document.xml"], draw, "w:t")
    if ending == "xlsx":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            sheets = [n for n in archive.namelist() if n.startswith("xl/worksheets/sheet")]
        return _in_archive(data, sheets, draw, "v")
    return None  # the numbers of a PDF and of encoded mails are changed by the tests


def _in_archive(data: bytes, members: list[str], draw: random.Random, tag: str) -> bytes | None:
    member = draw.choice(members)
    out = io.BytesIO()
    done = False
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            if name == member:
                pattern = rf"<{tag}(?: [^>]*)?>[^<]*\d[^<]*</{tag}>" if tag != "v" else _NUMERIC
                places = [m.span() for m in re.finditer(pattern, text.decode())]
                if places:
                    start, end = draw.choice(places)
                    whole = text.decode()
                    text = (whole[:start] + _digit(whole[start:end], draw) + whole[end:]).encode()
                    done = True
            target.writestr(name, text)
    return out.getvalue() if done else None


_NUMERIC = r'<c r="[A-Z]+\d+"(?: s="\d+")?><v>[^<]+</v>'
"""Numeric cells only: the others point into the table of texts."""


def _digit(text: str, draw: random.Random) -> str:
    """One digit between tags replaced by another."""
    places = [m.start(1) + d.start() for m in _IN_TEXT.finditer(text)
              for d in re.finditer(r"\d", m[1])]  # fmt: skip
    at = draw.choice(places)
    other = draw.choice([d for d in "123456789" if d != text[at]])
    return text[:at] + other + text[at + 1 :]


if __name__ == "__main__":
    main()
