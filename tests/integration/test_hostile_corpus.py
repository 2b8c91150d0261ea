"""Hostile files through the sandbox: every one is read or refused with a reason, none is a crash.

Two corpora: the one made by code (always), and the development corpus of some 700 real damaged,
encrypted and odd workbooks (skipped where it is absent).
"""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from assets.submissions.reading.limits import DEFAULT_LIMITS
from assets.submissions.reading.parsers import read_workbook
from assets.submissions.reading.rejections import TEXTS
from assets.submissions.reading.sandbox import ReaderPool
from assets.submissions.reading.workbook import Rejected, Workbook
from tests.support.devdata import devdata
from tests.support.hostile import hostile_files

# a machine under load must not turn a slow file into a rejected one
LIMITS = replace(DEFAULT_LIMITS, wall_seconds=300.0, cpu_seconds=120)


def outcome(result: Workbook | Rejected) -> str:
    return result.code if isinstance(result, Rejected) else f"ok:{result.format}"


def check_shape(name: str, result: Workbook | Rejected) -> None:
    """A refusal has all its texts; a workbook keeps what later stages rely on."""
    if isinstance(result, Rejected):
        assert result.code in TEXTS, name
        assert all((result.message, result.found, result.expected, result.remedy)), name
        return
    for sheet in result.sheets:
        assert all(not row or row[-1] is not None for row in sheet.rows), name
        for top, left, bottom, right in sheet.merged:
            assert 0 < top <= bottom and 0 < left <= right, name
        for row, column in sheet.uncached_formulas:
            assert sheet.at(row, column) is None, name


@pytest.fixture(scope="module")
def generated() -> dict[str, Workbook | Rejected]:
    with ReaderPool(2, LIMITS) as pool:
        return dict(pool.read_many((case.name, case.build()) for case in hostile_files()))


def test_the_generated_corpus_is_large_and_named_once() -> None:
    names = Counter(case.name for case in hostile_files())
    assert len(names) >= 120
    assert max(names.values()) == 1


def test_each_generated_file_ends_as_it_should(
    generated: dict[str, Workbook | Rejected],
) -> None:
    wrong = {
        case.name: (case.expect, outcome(generated[case.name]))
        for case in hostile_files()
        if case.expect not in ("any", outcome(generated[case.name]))
    }
    assert wrong == {}


def test_each_generated_file_carries_its_notices(
    generated: dict[str, Workbook | Rejected],
) -> None:
    missing = {}
    for case in hostile_files():
        result = generated[case.name]
        carried = {n.code for n in result.notices} if isinstance(result, Workbook) else set()
        if not carried.issuperset(case.notices):
            missing[case.name] = set(case.notices) - carried
    assert missing == {}


def test_generated_results_are_well_formed(generated: dict[str, Workbook | Rejected]) -> None:
    for name, result in generated.items():
        check_shape(name, result)


def test_nothing_is_written_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cases = [case for case in hostile_files() if case.name.startswith("name_")]
    with ReaderPool(1, LIMITS) as pool:
        for case in cases:
            pool.read_one(case.name, case.build())
    assert list(tmp_path.iterdir()) == []
    assert not Path("/etc/cron.d/x").exists()


def test_results_do_not_depend_on_order_or_on_the_process() -> None:
    """The same files backwards, by one process that has seen the others, and without a sandbox."""
    cases = [case for case in hostile_files() if not case.name.startswith(("password", "half_a"))]
    chosen = random.Random(7).sample(cases, 60)
    contents = {case.name: case.build() for case in chosen}
    with ReaderPool(1, LIMITS) as pool:
        forwards = dict(pool.read_many(contents.items()))
    with ReaderPool(2, LIMITS) as pool:
        backwards = dict(pool.read_many(reversed(list(contents.items()))))
    assert forwards == backwards
    for name, content in contents.items():
        direct, sandboxed = read_workbook(content, LIMITS, ()), forwards[name]
        if isinstance(direct, Workbook) and isinstance(sandboxed, Workbook):
            assert direct.sheets == sandboxed.sheets, name
        else:
            assert direct == sandboxed, name


@pytest.mark.devdata
def test_development_corpus() -> None:
    """0 crashes of the parent; each of some 700 files is read or refused; memory below the limit."""
    folder = devdata("hostile")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with ReaderPool(2, LIMITS) as pool:
        named = ((str(path.relative_to(folder)), path) for path in files)
        results = dict(pool.read_many(named))
    assert len(results) == len(files)
    for name, result in results.items():
        check_shape(name, result)
    outcomes = Counter(outcome(result) for result in results.values())
    accepted = sum(count for name, count in outcomes.items() if name.startswith("ok:"))
    assert accepted >= 0.85 * len(files), outcomes
    assert 0 < pool.statistics.peak_child_kib * 1024 <= LIMITS.memory_bytes
    known = {
        "msoffcrypto/inputs/rc4cryptoapi_password.xls": "encrypted",
        "msoffcrypto/inputs/example_password.xlsx": "encrypted",
        "calamine/pass_protected.ods": "encrypted_unsupported",
        "poi_spreadsheet/duplicate-filename.xlsx": "zip_duplicate",
        "poi_spreadsheet/poc-xmlbomb.xlsx": "xml_dtd",
        "calamine/date_1904.xlsb": "ok:xlsb",
        "calamine/nonstandard-xml-ns-prefix.xlsx": "ok:xlsx",
        "messytables_horror/excel_properties.xls": "ok:xls",
        "frictionless/compression/implicit-gz.csv": "archive",
    }
    assert {name: outcome(results[name]) for name in known if name in results} == known


@pytest.mark.devdata
def test_passwords_of_the_development_corpus() -> None:
    folder = devdata("hostile", "msoffcrypto", "inputs")
    plain = {"example_password.xlsx": "Password1234_", "rc4cryptoapi_password.xls": "password",
             "xor_password_123456789012345.xls": "123456789012345"}  # fmt: skip
    with ReaderPool(1, LIMITS, passwords=["no", *plain.values()]) as pool:
        results = dict(pool.read_many((name, folder / name) for name in plain))
    for name, result in results.items():
        assert isinstance(result, Workbook), (name, result)
        assert result.sheets[0].rows, name
        assert result.notices[0].code == "decrypted"


@pytest.mark.devdata
def test_exports_of_the_statistics_bureau_are_read() -> None:
    folder = devdata("cn_nbs_exports")
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".csv", ".xls"))
    with ReaderPool(2, LIMITS) as pool:
        for name, result in pool.read_many((str(path), path) for path in files):
            assert isinstance(result, Workbook), (name, result)
            texts = [str(v) for row in result.sheets[0].rows[:4] for v in row if v is not None]
            assert any("\u4e00" <= letter <= "\u9fff" for text in texts for letter in text), name


def test_running_as_root_is_never_needed() -> None:
    """The reading process gives up root where it has it; elsewhere there is nothing to give up."""
    with ReaderPool(1, LIMITS) as pool:
        pool.read_one(hostile_files()[0].name, b"a,b\n")
        (process,) = pool._processes
        status = Path(f"/proc/{process._process.pid}/status").read_text()
        owner = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
    assert set(owner) == ({"65534"} if os.geteuid() == 0 else {str(os.geteuid())})
