"""National monthly series as published on several days: the revisions they contain, nothing more.

The layouts are written for this test. What each file changes is found independently, by comparing
the plain rows of consecutive files.
"""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.bureau import Office
from tests.support.devdata import devdata

pytestmark = pytest.mark.devdata

# dataset → {column: (measure, unit)}; every column is an indicator of its own
COLUMNS = {
    "cpi": {"value": ("month", "%"), "yoy": ("month", "%"), "mom": ("month", "%"),
            "ytd_value": ("ytd", "%"), "ytd_yoy": ("ytd", "%")},
    "fixed_asset_investment": {"value": ("month", "亿元"), "yoy": ("month", "%"),
                               "mom": ("month", "%"), "ytd_value": ("ytd", "亿元"),
                               "ytd_yoy": ("ytd", "%")},
    "manufacturing_pmi": {"value": ("month", "%"), "nonmfg": ("month", "%")},
    "money_supply": {"m2_yoy": ("month", "%"), "m1_yoy": ("month", "%"),
                     "m2_level": ("stock", "亿元"), "m1_level": ("stock", "亿元")},
    "ppi": {"value": ("month", "%"), "yoy": ("month", "%"), "mom": ("month", "%"),
            "ytd_value": ("ytd", "%"), "ytd_yoy": ("ytd", "%")},
    "retail_sales": {"value": ("month", "亿元"), "yoy": ("month", "%"), "mom": ("month", "%"),
                     "ytd_value": ("ytd", "亿元"), "ytd_yoy": ("ytd", "%")},
    "social_financing": {"value": ("month", "亿元"), "rmb_loans": ("month", "亿元")},
}  # fmt: skip


def indicator(dataset: str, column: str) -> str:
    return f"{dataset}_{column}"


def catalogue() -> dict[str, str | None]:
    indicators = [
        f"- {{indicator_id: {indicator(dataset, column)}, name_zh: {dataset}的{column}, "
        f"unit: '{unit}', kind: {'stock' if measure == 'stock' else 'flow'}, "
        f"over_time: {'last' if measure == 'stock' else 'ytd'}, aggregation: none}}"
        for dataset, columns in COLUMNS.items()
        for column, (measure, unit) in columns.items()
    ]
    files: dict[str, str | None] = {
        "indicators.yaml": "\n".join(indicators),
        "regions.csv": "code,name,level,parent\n000000,全国,province,\n",
        "parks.csv": "park_id,name,province_code,status,valid_from\nCN,全国,000000,active,2000-01-01\n",
        "reporters.csv": "reporter_id,name,region_code,source_id\nnbs,国家统计局,,macro\n",
        "sources.yaml": "- {source_id: macro, name: 全国月度数据}\n",
        "layouts/monthly.yaml": None,
        "audiences.yaml": None,
    }
    return files | {f"layouts/{name}.yaml": layout(name) for name in COLUMNS}


def layout(dataset: str) -> str:
    entries = "".join(
        f"  - {{indicator: {indicator(dataset, column)}, head: {column}, measure: {measure}, "
        f"unit: '{unit}'}}\n"
        for column, (measure, unit) in COLUMNS[dataset].items()
    )
    return f"""
layout_id: {dataset}
title: {dataset}
source: macro
file_names: ["{dataset}__*"]
tables:
- shape: wide
  entity: {{fixed: CN}}
  period: {{head: date}}
  columns:
{entries}  ignore:
  - {{head: jan_feb_combined, reason: 1—2月合并的标志}}
"""


def files(dataset: str) -> list[Path]:
    return sorted((devdata("cn_macro_vintages") / dataset).glob("*.csv"))


def fetched(path: Path) -> datetime:
    match = re.search(r"fetched_(\d{4})-(\d\d)-(\d\d)__", path.name)
    assert match
    return datetime(int(match[1]), int(match[2]), int(match[3]), 12)


def office_of(tmp_path: Path) -> Office:
    return Office(tmp_path, catalogue())


def put(office: Office, path: Path) -> None:
    office.put(path.name, path.read_bytes(), fetched(path), "nbs")


# --- the independent comparison -------------------------------------------------------------------

Change = tuple[str, str, datetime, Decimal | None]


def revisions(paths: list[Path]) -> Iterator[Change]:
    """(period, column, day, value) for each value that is new or other than in the file before."""
    known: dict[tuple[str, str], Decimal | None] = {}
    for path in paths:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            for row in csv.DictReader(handle):
                period = row["date"][:7]
                for column in row.keys() - {"date", "jan_feb_combined"}:
                    value = Decimal(row[column]) if row[column] else None
                    key = (period, column)
                    if key not in known or known[key] != value:
                        known[key] = value
                        yield period, column, fetched(path), value


def vintages(office: Office, dataset: str) -> list[Change]:
    rows = office.rows(
        "SELECT period, indicator_id, known_from, value, state FROM observations.observation "
        "WHERE starts_with(indicator_id, ?)",
        f"{dataset}_",
    )
    assert all((row["value"] is None) == (row["state"] == "unknown") for row in rows)
    return [
        (row["period"], row["indicator_id"].removeprefix(f"{dataset}_"),
         row["known_from"].replace(hour=12), row["value"])
        for row in rows
    ]  # fmt: skip


def key(change: Change) -> tuple[str, str, datetime]:
    return change[:3]


def test_七种数据按取得日期入库_修订与逐件比较的完全一致(tmp_path: Path) -> None:
    office = office_of(tmp_path)
    everything = sorted((path for name in COLUMNS for path in files(name)), key=fetched)
    for day in sorted({fetched(path) for path in everything}):
        for path in everything:
            if fetched(path) == day:
                put(office, path)
        office.run("2026-07")
    assert set(office.statuses().values()) <= {"accepted", "superseded"}
    total = 0
    for dataset in COLUMNS:
        expected = sorted(revisions(files(dataset)), key=key)
        assert sorted(vintages(office, dataset), key=key) == expected, dataset
        first = fetched(files(dataset)[0])
        total += sum(day > first for _, _, day, _ in expected)
    assert total > 50, "the data hold revisions and new months"


def test_同一数据以任意顺序入库_结果逐行相同(tmp_path: Path) -> None:
    chance = random.Random(11)
    paths = files("retail_sales") + files("money_supply")
    ends = []
    for number in range(2):
        office = office_of(tmp_path / str(number))
        for part in (order := chance.sample(paths, len(paths)))[:3], order[3:]:
            for path in part:
                put(office, path)
            office.run("2026-07")
        ends.append(office.digests("observations.observation", "submissions.submission"))
    assert ends[0] == ends[1]
    expected = sorted(revisions(files("retail_sales")), key=key)
    assert sorted(vintages(office, "retail_sales"), key=key) == expected
