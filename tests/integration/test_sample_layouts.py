"""The example layouts read every form of a simulated month; figures equal the answer key.

The key comes from the generator, which knows what it wrote and which mistakes it planted.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from assets.submissions.reading.parsers import read_workbook
from assets.submissions.reading.workbook import Workbook
from assets.submissions.tables.layout import CellBatch, Reader, ReadingContext, build_reader
from examples.sample import months
from examples.sample.registers import load
from warehouse.catalog.load import load_catalog

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
REFUSED = {"unknown_park", "wrong_period", "unknown_unit", "enclave_double", "resent_previous"}
"""Planted mistakes whose figures must not be used."""

AS_CATALOGUED = {"H04": "ytd"}
"""The form heads it 期末数; in the catalogue it is the count of a year."""


def read(reader: Reader, path: Path, sender: str) -> CellBatch | None:
    book = read_workbook(path.read_bytes())
    if not isinstance(book, Workbook):
        return None
    return reader.read(book, ReadingContext(path.name, sender))


def usable(batch: CellBatch) -> dict[Any, Any]:
    """Cells that would become observations, by park, indicator, measure and period."""
    refused = {(f.sheet, f.address) for f in batch.findings if f.severity == "error"}
    return {
        (c.park_id, c.indicator_id, c.measure, c.period): c
        for c in batch.cells
        if c.role == "data" and c.park_id and c.indicator_id and c.measure and c.period
        and (c.sheet, c.address) not in refused
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "period", "least"),
    [("shaanxi", "2020-02", 2400), ("shaanxi", "2019-12", 3300), ("shanxi", "2021-12", 250)],
)
def test_一个月的全部式样与答案逐数相等(name: str, period: str, least: int, tmp_path: Path) -> None:
    example = load(name)
    sent = months.write_month(example, period, tmp_path)
    reader = build_reader(load_catalog(EXAMPLES / name / "catalog"))
    folder = tmp_path / period
    batches = {
        file.name: read(reader, folder / file.name, file.delivery.reporter_id) for file in sent
    }
    figures = {name: usable(batch) if batch else {} for name, batch in batches.items()}
    checked: Counter[str] = Counter()
    for row in months.truth_rows(example, sent):
        file = str(row["file"])
        if batches[file] is None or not row.get("indicator_id"):
            continue
        measure = AS_CATALOGUED.get(str(row["indicator_id"]), row["measure"])
        cell = figures[file].get((row["park_id"], row["indicator_id"], measure, row["period"]))
        if row["planted"] in REFUSED:
            assert cell is None, row
            checked["refused"] += 1
        elif not row["written"]:
            assert cell is None or cell.value in (None, Decimal(0)), row
        else:
            assert cell is not None and cell.value == Decimal(str(row["written"])), (row, cell)
            assert cell.state == row["state"], (row, cell)
            checked["equal"] += 1
    assert checked["equal"] >= least
    layouts = {batch.layout_id for batch in batches.values() if batch}
    assert layouts == {layout.layout_id for layout in reader.layouts}


def test_示例版式只引用目录里有的指标() -> None:
    for name in ("shaanxi", "shanxi"):
        catalog = load_catalog(EXAMPLES / name / "catalog")
        known = {indicator.indicator_id for indicator in catalog.indicators}
        for layout in catalog.layouts:
            assert layout.indicator_ids <= known, layout.layout_id
            assert set(layout.source) <= {source.source_id for source in catalog.sources}
