"""A month of made-up returns (模拟数据) that parkwatch and its peers all work on.

Belongs here: the workbooks, the register and parkwatch's catalogue for them, and the arithmetic all sides
share (rules, goalposts). Does not belong here: any side's way of doing the work.

A county sends one workbook: 10 parks x 10 indicators x 3 columns (本月, 本年累计, 上年同期累计) = 300 figures
under a title and two rows of heads. Two in a hundred rows have a mistake. What is asked of every side:

- B01 a figure that should be there is blank (verify); B02 a negative cumulative figure (error); B03 the
  month exceeds the cumulative figure (error); B04 a part exceeds its whole (error); B05 the cumulative
  figure is outside a fifth and five times last year's (verify);
- a park with an error is not used this month; the others are scored on four figures (0 to 100 points
  between two goalposts, weight 25 each, points rounded half up to two decimals and added; a missing
  figure: not ranked) and ranked within their class.

Amounts have an odd last digit: no points fall on an exact half, floats and decimals round alike.
"""

from __future__ import annotations

import argparse
import csv
import random
from pathlib import Path

PERIOD = "2020-06"
TITLE = "2020年1—6月园区主要经济指标（模拟数据）"
NAMES = ("工业总产值", "规上工业总产值", "营业收入", "利润总额", "税金总额", "固定资产投资",
         "出口总额", "研发经费", "用电费用", "工资总额")  # fmt: skip
INDICATORS = tuple(f"I{n:02d}" for n in range(len(NAMES)))
MEASURES = ("month", "ytd", "ytd_prior")
HEADS = ("本月", "本年累计", "上年同期累计")
PART, WHOLE = "I01", "I00"
SCORED = ("I00", "I02", "I04", "I05")
BEST = 100_000
"""Goalposts: no points at 0, all at this many 万元."""
LEAST_TIMES, MOST_TIMES = "0.2", "5"
PARKS_PER_FILE = 10
CLASSES = ("A", "B", "C")
MISTAKES_PCT = 2


def park_id(number: int) -> str:
    """Id of the n-th park."""
    return f"P{number:05d}"


def park_name(number: int) -> str:
    """Name of the n-th park as its county writes it."""
    return f"模拟{number:05d}号工业园区"


def reporter_id(file: int) -> str:
    """Who sends the n-th file, and the sub-folder of the inbox."""
    return f"R{file:04d}"


def figures(number: int) -> list[list[str | None]]:
    """(month, cumulative, prior) of every indicator of a park as text with an odd last digit."""
    dice = random.Random(number)
    rows: list[list[str | None]] = []
    for _ in NAMES:
        ytd = dice.randrange(1_000_00, 110_000_00) | 1
        month = int(ytd * dice.uniform(0.1, 0.25)) | 1
        prior = int(ytd / dice.uniform(0.8, 1.3)) | 1
        rows.append([month, ytd, prior])  # type: ignore[list-item]
    rows[1][1] = int(rows[0][1] * dice.uniform(0.5, 0.9)) | 1  # type: ignore[operator]
    rows[1][0] = int(rows[1][1] * 0.15) | 1
    rows[1][2] = int(rows[1][1] / 1.1) | 1
    if dice.randrange(100) < MISTAKES_PCT:
        _mistake(rows, dice)
    return rows


def _mistake(rows: list[list[int | None]], dice: random.Random) -> None:
    at = dice.randrange(2, len(rows))
    kind = dice.randrange(5)
    if kind == 0:
        rows[at][1] = None
    elif kind == 1:
        rows[at][1], rows[at][0] = -rows[at][1], None
    elif kind == 2:
        rows[at][0] = rows[at][1] * 2 + 1
    elif kind == 3:
        rows[1][1] = rows[0][1] + 1000
    else:
        rows[at][2] = rows[at][1] // 8 | 1


def make(folder: Path, files: int) -> None:
    """Workbooks, register and catalogue of a workspace at ``folder``."""
    catalog = folder / "catalog"
    catalog.mkdir(parents=True)
    for file in range(files):
        home = folder / "inbox" / reporter_id(file)
        home.mkdir(parents=True)
        write_workbook(home / f"{reporter_id(file)}园区月报.xlsx", file)
    _registers(catalog, files)
    for name, text in CATALOGUE.items():
        path = catalog / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "parkwatch.toml").write_text(SETTINGS, encoding="utf-8")


def write_workbook(path: Path, file: int) -> None:
    """One county's return."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("园区月报")
        width = 1 + len(NAMES) * len(HEADS)
        sheet.merge_range(0, 0, 0, width - 1, TITLE)
        sheet.write(1, 0, "计量单位：万元")
        sheet.merge_range(2, 0, 3, 0, "园区名称")
        for at, name in enumerate(NAMES):
            first = 1 + at * len(HEADS)
            sheet.merge_range(2, first, 2, first + len(HEADS) - 1, name)
            sheet.write_row(3, first, HEADS)
        for row in range(PARKS_PER_FILE):
            number = file * PARKS_PER_FILE + row + 1
            sheet.write_string(row + 4, 0, park_name(number))
            for at, values in enumerate(figures(number)):
                for n, value in enumerate(values):
                    if value is not None:
                        sheet.write_number(row + 4, 1 + at * len(HEADS) + n, value / 100)  # type: ignore[operator]


def _registers(catalog: Path, files: int) -> None:
    cities = [f"61{n + 1:02d}00" for n in range(31)]
    counties = [f"{cities[n % 31][:4]}{n // 31 + 1:02d}" for n in range(files)]
    with (catalog / "regions.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["code", "name", "level", "parent"])
        out.writerow(["610000", "模拟省", "province", ""])
        out.writerows([code, f"模拟{code}市", "city", "610000"] for code in cities)
        out.writerows([code, f"模拟{code}县", "county", code[:4] + "00"] for code in counties)
    with (catalog / "reporters.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["reporter_id", "name", "region_code", "source_id", "valid_from"])
        out.writerows(
            [reporter_id(n), f"模拟{counties[n]}县统计岗", counties[n], "monthly", "2015-01-01"]
            for n in range(files)
        )
    with (catalog / "parks.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["park_id", "name", "county_code", "city_code", "province_code", "class_id",
                      "status", "simulated", "valid_from"])  # fmt: skip
        for n in range(1, files * PARKS_PER_FILE + 1):
            county = counties[(n - 1) // PARKS_PER_FILE]
            out.writerow([park_id(n), park_name(n), county, county[:4] + "00", "610000",
                          CLASSES[n % len(CLASSES)], "active", 1, "2015-01-01"])  # fmt: skip


SETTINGS = """\
simulated = true
default_period = "2020-06"

[bureau]
name = "同一工作量对比（模拟数据）"
region_code = "610000"
indicators = ["I00", "I02", "I04", "I05"]

[catalog]
base = "none"
"""

CATALOGUE = {
    "indicators.yaml": "".join(
        f"- {{indicator_id: {i}, name_zh: {name}, unit: 万元, kind: flow, over_time: ytd, "
        f"aggregation: sum, better: high, non_negative: true}}\n"
        for i, name in zip(INDICATORS, NAMES, strict=True)
    ),
    "sources.yaml": (
        "- {source_id: monthly, name: 园区月报（模拟）, frequency: M, deadline: {day: 10}, "
        f"required: [{', '.join(INDICATORS)}]}}\n"
    ),
    "layouts/monthly.yaml": f"""\
layout_id: monthly
title: 园区月报（模拟）
source: monthly
valid_from: 2017-02

tables:
- name: 园区月报
  sheets: [园区月报]
  shape: wide
  entity: {{head: [园区名称]}}
  period: {{from: [title]}}
  default_unit: 万元
  indicators: [{", ".join(INDICATORS)}]
  columns:
""" + "".join(
        f"  - {{indicator: {i}, measures: [{', '.join(MEASURES)}]}}\n" for i in INDICATORS
    ),
    "rules/rules.yaml": f"""\
- {{rule_id: B01, category: 单元格, severity: verify, scope: cell, message: '必报指标{{item}}为空',
   expression: known = 1, when: required = 1, applies_to: {{measures: [ytd]}}, expected: 必报指标有数,
   owner: 模拟, source: 对比用}}
- {{rule_id: B02, category: 单元格, severity: error, scope: cell, message: '{{item}}为负数',
   expression: value >= 0, each: {{non_negative: true}}, applies_to: {{measures: [ytd]}}, expected: 不为负,
   owner: 模拟, source: 对比用}}
- {{rule_id: B03, category: 表内, severity: error, scope: row, message: '{{item}}本月数大于累计数',
   expression: item.month <= item, each: {{kind: [flow]}}, owner: 模拟, source: 对比用}}
- {{rule_id: B04, category: 表内, severity: error, scope: row, message: 其中项大于总项,
   expression: {PART} <= {WHOLE}, owner: 模拟, source: 对比用}}
- {{rule_id: B05, category: 表内, severity: verify, scope: row, message: '{{item}}与上年同期相差过大',
   expression: '{LEAST_TIMES} * item.ytd_prior <= item and item <= {MOST_TIMES} * item.ytd_prior',
   each: {{kind: [flow]}}, expected: 与上年同期相近, owner: 模拟, source: 对比用}}
""",
    "audiences.yaml": (
        "- {audience_id: main, name: 模拟省级岗位, role: leader, scope_level: province, "
        "scope_code: '610000', rights: [figures, quality, scores], recipients: [], formats: [html]}\n"
    ),
    "schemes/scheme.yaml": """\
scheme_id: bench
title: 对比用方案（模拟）
choices: [{choice: 四项指标各四分之一, source: 建议值}]
who: {group: all, region_code: '610000'}
classes: {by: class_id}
decimals: 2
missing: {policy: exclude}
items:
""" + "".join(
        f"- {{indicator_id: {i}, weight: 25, source: 建议值, scoring: {{method: min_max, "
        f"goalposts: {{source: policy, unacceptable: 0, satisfactory: {BEST}}}}}}}\n"
        for i in SCORED
    ),
}  # fmt: skip


def main() -> None:
    """Command line: ``python -m bench.peers.month FOLDER FILES``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("files", type=int)
    told = parser.parse_args()
    make(told.folder, told.files)


if __name__ == "__main__":
    main()
