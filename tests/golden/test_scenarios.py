"""Every folder of ``scenarios/`` is one happening: input.yaml, expected.yaml, a one-line README.md.

Where there is a ``scheme.yaml``, scheme and parks (``parks.csv``) are files as a bureau would edit
them, input.yaml is optional, and README.md has a second line naming the published source.

``expected.yaml`` maps a table to its rows in order; a row lists the fields that matter and
``contains``: pieces of text that must stand in one of its texts. Numbers compare by value.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.golden.stages import STAGES, assess_files

FOLDER = Path(__file__).parent / "scenarios"
SCENARIOS = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
TEXTS = ("reason", "triggers", "note", "exclusion_reason")


def _read(name: str, file: str) -> Any:
    return yaml.safe_load((FOLDER / name / file).read_text("utf-8"))


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, date):
        return bool(found == wanted)
    if isinstance(wanted, bool) or wanted is None:
        return found is wanted
    if isinstance(wanted, (int, float)):
        return found is not None and Decimal(found) == Decimal(str(wanted))
    if isinstance(wanted, list):
        return list(found) == wanted
    return bool(found == wanted)


def _differences(row: Any, wanted: dict[str, Any]) -> list[str]:
    texts = " ".join(str(getattr(row, name, "") or "") for name in TEXTS)
    pieces = wanted.get("contains", [])
    missing = [f"text lacks {piece!r}: {texts}" for piece in pieces if piece not in texts]
    fields = [
        f"{name}: found {getattr(row, name)!r}, wanted {value!r}"
        for name, value in wanted.items()
        if name != "contains" and not _same(getattr(row, name), value)
    ]
    return fields + missing


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str) -> None:
    folder, expected = FOLDER / name, _read(name, "expected.yaml")
    given = _read(name, "input.yaml") if (folder / "input.yaml").exists() else {}
    if (folder / "scheme.yaml").exists():
        tables = assess_files(folder, given or {})
    else:
        tables = STAGES[given["runs"]](given)
    assert expected, "a scenario without expectations cannot fail"
    for table, wanted in expected.items():
        found = list(tables[table])
        assert len(found) == len(wanted), [str(row) for row in found]
        problems = [
            f"{table} row {number}: {problem}"
            for number, (row, fields) in enumerate(zip(found, wanted, strict=True), 1)
            for problem in _differences(row, fields)
        ]
        assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_is_named_numbered_and_described(name: str) -> None:
    assert re.fullmatch(r"\d{2}_[a-z0-9_]+", name)
    text = (FOLDER / name / "README.md").read_text("utf-8").strip()
    assert text
    sourced = (FOLDER / name / "scheme.yaml").exists()
    assert text.count("\n") == (1 if sourced else 0)
    assert not sourced or text.splitlines()[1].startswith("Source: ")


def test_numbers_are_unique() -> None:
    numbers = [name[:2] for name in SCENARIOS]
    assert len(set(numbers)) == len(numbers)
    assert len(SCENARIOS) >= 40
