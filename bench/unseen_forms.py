"""Returns as nobody has registered them: is any number silently wrong?

Belongs here: made-up variants of one county's return with what a careful person would read from each,
sent through the real parsers, layouts and register of the ``shaanxi`` example. Does not belong here: real
returns, files of hostile make (``tests/integration/test_hostile_corpus.py``), any rule of reading.

``python -m bench.unseen_forms`` prints a line a variant that is not read whole (those of
``unseen_fillings`` too), then the sums, and ends with 1 when a number is wrong or missing without a
finding. A finding that columns of the registered form are missing counts for nothing: all variants lack
some. About five seconds of processor time.
"""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import chain
from pathlib import Path

import openpyxl
import xlwt

from assets.submissions.reading.parsers import read_workbook
from assets.submissions.reading.workbook import Workbook
from assets.submissions.tables.layout import CellBatch, Reader, ReadingContext, build_reader
from warehouse.catalog.load import load_catalog

ROOT = Path(__file__).resolve().parents[1]
SENDER, PERIOD = "ak-hanbin", "2020-06"
TITLE = "汉滨区2020年1—6月县域工业集中区主要经济指标月报表"
PARKS = {"汉滨砚青工业集中区": "SIM-AK01", "汉滨霁禾工业园区": "SIM-AK02",
         "汉滨澄苇县域工业集中区": "SIM-AK03"}  # fmt: skip
HEAD = ["园区名称", "工业总产值", None, None, None, "营业收入", None, "期末从业人员"]
SUB = [None, "本月", "本年累计", "上年同期", "同比±%", "本月", "本年累计", "期末"]
KEYS = [("C01", "month"), ("C01", "ytd"), ("C01", "ytd_prior"), ("C01", "yoy_published"),
        ("C04", "month"), ("C04", "ytd"), ("E01", "stock")]  # fmt: skip
FIGURES = [[4000, 24000, 20000, 20.0, 3000, 18000, 1500], [2000, 11000, 10000, 10.0, 1800, 9900, 800],
           [1000, 5700, 6000, -5.0, 900, 4750, 400]]  # fmt: skip
MONEY = (0, 1, 2, 4, 5)

Cell = str | int | float | date | None
Rows = list[list[Cell]]
Key = tuple[str, str, str, str]
Truth = Mapping[Key, Decimal]


@dataclass(frozen=True, slots=True)
class Variant:
    """One file and what a careful person reads from it (a finding may stand instead of a figure)."""

    name: str
    data: bytes
    truth: Truth
    file: str = "汉滨区2020年6月园区月报.xlsx"


@dataclass(slots=True)
class Outcome:
    """How a variant was read: figures right, refused with a finding, wrong, missing without a word."""

    right: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    unsaid: int = 0
    rules: set[str] = field(default_factory=set)


# --- files -----------------------------------------------------------------------------------------


def xlsx(
    rows: Rows,
    merged: Iterable[str] = (),
    formats: Mapping[str, str] | None = None,
    hidden: Sequence[int] = (),
) -> bytes:
    """A workbook of one sheet; ``formats`` by address, ``hidden`` row numbers."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "园区月报"
    for row in rows:
        sheet.append(row)
    for area in merged:
        sheet.merge_cells(area)
    for place, code in (formats or {}).items():
        sheet[place].number_format = code
    for number in hidden:
        sheet.row_dimensions[number].hidden = True
    return _saved(book)


def _saved(book: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def text(rows: Rows, encoding: str, mark: str = ",") -> bytes:
    """The rows as delimited text."""
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=mark).writerows(
        [["" if v is None else v for v in r] for r in rows]
    )
    return buffer.getvalue().encode(encoding)


def xls(rows: Rows) -> bytes:
    """The rows as a binary workbook."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("园区月报")
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            if value is not None:
                sheet.write(r, c, value)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


# --- contents --------------------------------------------------------------------------------------


def truth(*measures: tuple[str, str], parks: Sequence[int] = (0, 1, 2)) -> dict[Key, Decimal]:
    """The true figures of some measures (all without any) and parks."""
    ids = list(PARKS.values())
    return {
        (ids[p], *key, PERIOD): Decimal(str(FIGURES[p][k]))
        for p in parks
        for k, key in enumerate(KEYS)
        if not measures or key in measures
    }


def lines(figures: Sequence[Sequence[Cell]] = FIGURES, names: Sequence[str] = tuple(PARKS)) -> Rows:
    """A row a park."""
    return [[name, *row] for name, row in zip(names, figures, strict=True)]


def whole(body: Rows, unit: str | None = "计量单位：万元、人", title: str = TITLE) -> Rows:
    """The full form around some rows."""
    return [[title], [unit], list(HEAD), list(SUB), *body]


MERGED = ("B3:E3", "F3:G3", "A3:A4")
YTD = (("C01", "ytd"), ("C04", "ytd"))
SHORT: list[Cell] = ["园区名称", "工业总产值", "营业收入"]


def short(factor: float = 1, changed: Cell = None) -> Rows:
    """Cumulative figures only, times ``factor``; ``changed`` stands for the first of them."""
    rows: Rows = [
        [name, f[1] * factor, f[5] * factor] for name, f in zip(PARKS, FIGURES, strict=True)
    ]
    if changed is not None:
        rows[0][1] = changed
    return rows


def table(unit: str, heads: Sequence[Cell], body: Rows, *notes: str) -> Rows:
    """A plain table under title and unit line, notes below."""
    return [[TITLE], [unit], list(heads), *body, *[[note] for note in notes]]


# --- variants --------------------------------------------------------------------------------------


def variants() -> Iterator[Variant]:
    """All of them, by kind."""
    yield from _shapes()
    yield from _units()
    yield from _numbers()
    yield from _heads()
    yield from _names()
    yield from _periods()
    yield from _formats()


def _shapes() -> Iterator[Variant]:
    total: list[Cell] = ["合计", *(sum(row[k] for row in FIGURES) for k in range(7))]
    p1, p2, p3 = lines()
    yield Variant("plain", xlsx(whole([*lines(), total]), MERGED), truth())
    yield Variant("no merges", xlsx(whole(lines())), truth())
    sections = [
        ["一、省级"],
        p1,
        ["小计", *FIGURES[0]],
        ["二、县级"],
        p2,
        ["备注：一家新投产"],
        p3,
        total,
    ]
    yield Variant("sections, subtotals, remarks", xlsx(whole(sections), MERGED), truth())
    three = [[TITLE], ["单位：万元、人"], ["园区名称", "主要指标"], list(HEAD), list(SUB), *lines()]
    yield Variant("three head rows", xlsx(three, ("B3:H3", "B4:E4", "F4:G4", "A3:A5")), truth())
    turned: Rows = [[TITLE], ["单位：万元"], ["指标", "口径", *PARKS]]
    names = ["工业总产值"] * 4 + ["营业收入"] * 2 + ["期末从业人员（人）"]
    turned += [[n, str(SUB[k + 1]), *(f[k] for f in FIGURES)] for k, n in enumerate(names)]
    yield Variant("parks across", xlsx(turned), truth())
    beside: Rows = [
        [TITLE],
        ["单位：万元"],
        ["园区名称", "工业总产值", None, "园区名称", "营业收入"],
    ]
    order = [1, 2, 0]
    beside += [
        [a[0], a[2], None, lines()[o][0], FIGURES[o][5]]
        for a, o in zip(lines(), order, strict=True)
    ]
    yield Variant("two tables side by side, other order", xlsx(beside), truth(*YTD))
    units: Rows = [[TITLE], ["单位：万元", None, None, "单位：亿元"], *beside[2:3]]
    units += [[*row[:4], float(str(row[4])) / 10000] for row in beside[3:]]
    yield Variant("two tables side by side, each its unit", xlsx(units), truth(*YTD))
    stacked: Rows = [[TITLE], ["单位：万元"], SHORT[:2], *(r[:2] for r in short()), [],
                     ["附表", "单位：亿元"], ["园区名称", "营业收入"]]  # fmt: skip
    stacked += [[r[0], float(str(r[2])) / 10000] for r in short()]
    yield Variant("two tables, each its unit", xlsx(stacked), truth(*YTD))
    again: Rows = [
        [TITLE],
        ["单位：万元"],
        SHORT,
        short()[0],
        ["园区名称", "营业收入", "工业总产值"],
    ]
    again += [[r[0], r[2], r[1]] for r in short()[1:]]
    yield Variant("head repeated with columns swapped", xlsx(again), truth(*YTD))
    twice = whole([*lines(), [p1[0], *(2 * float(str(v)) for v in p1[1:])]])
    yield Variant("hidden row contradicts", xlsx(twice, MERGED, hidden=[8]), truth())
    lone: Rows = [[TITLE], ["单位：万元"], ["园区名称", "工业总产值"], [None, "同比增长"]]
    lone += [[r[0], r[4]] for r in lines()]
    yield Variant("one column, two head rows", xlsx(lone), truth(("C01", "yoy_published")))
    merged_value = short()
    merged_value[1][1] = None
    yield Variant("one value over two parks", xlsx(table("单位：万元", SHORT, merged_value), ["B4:B5"]),
                  {k: v for k, v in truth(*YTD).items() if k[1] == "C04" or k[0] == "SIM-AK03"})  # fmt: skip


def _units() -> Iterator[Variant]:
    above = [
        "单位：亿元", "（金额单位均为亿元）", "本表金额以亿元计", "计量单位为：亿元",
        "单位（亿元）", "（亿元）", "单位:亿元、%", "金额单位：人民币亿元",
    ]  # fmt: skip
    for said in above:
        yield Variant(f"above: {said}", xlsx([[TITLE], [said], SHORT, *short(1e-4)]), truth(*YTD))
    below = [
        "注：1.表中金额单位为亿元", "说明：本表金额均以亿元为单位。", "注：单位：亿元",
        "备注：产值收入按亿元填报", "注：金额单位亿元", "注：产值、收入单位为亿元。",
    ]  # fmt: skip
    for said in below:
        yield Variant(
            f"below: {said}", xlsx([[TITLE], [], SHORT, *short(1e-4), [said]]), truth(*YTD)
        )
    mixed = [[r[0], float(str(r[1])) / 10000, r[2]] for r in short()]
    note = "注：工业总产值单位为亿元，营业收入单位为万元。"
    yield Variant(f"below: {note}", xlsx([[TITLE], [], SHORT, *mixed, [note]]), truth(*YTD))
    heads: list[Cell] = ["园区名称", "工业总产值（亿元）", "营业收入"]
    yield Variant("head against corner", xlsx(table("单位：万元", heads, mixed)), truth(*YTD))
    note = "注：本表金额单位为亿元"
    yield Variant(
        "note against unit line",
        xlsx(table("单位：万元", SHORT, short(1e-4), note)),
        truth(*YTD),
    )
    note = "注：上半年引进投资2亿元项目一个"
    yield Variant("amount in a note", xlsx(table("单位：万元", SHORT, short(), note)), truth(*YTD))
    yield Variant("in thousands", xlsx(table("单位：千元", SHORT, short(10))), truth(*YTD))
    cells = short()
    cells[0][1], cells[0][2], cells[1][2] = "2.4亿元", "1.8亿", "9900万元"
    yield Variant("units in cells", xlsx(table("单位：万元", SHORT, cells)), truth(*YTD))
    places = [f"{c}{r}" for c in "BC" for r in (4, 5, 6)]
    for code, factor in (("0!.0,", 1e4), ("#,##0,", 1e3), ('0.00"亿元"', 1e-4), ('0.00"万元"', 1)):
        data = xlsx(table("单位：万元", SHORT, short(factor)), formats=dict.fromkeys(places, code))
        yield Variant(f"format {code}", data, truth(*YTD))
    rows: Rows = [[TITLE], ["园区名称", "指标名称", "计量单位", "本年累计"]]
    factors = [("万元", 1.0), ("亿元", 1e-4), ("千元", 10.0)]
    for name, f, (unit, factor) in zip(PARKS, FIGURES, factors, strict=True):
        rows += [[name, "工业总产值", unit, f[1] * factor], [name, "营业收入", "万元", f[5]]]
    yield Variant("unit a row", xlsx(rows), truth(*YTD))


def _numbers() -> Iterator[Variant]:
    texts = [
        "24,000", "２４０００", " 24000 ", "24，000", "24000.00", "＋24000", "约24000",
        "二万四千", "2.4万", "1,2345", "24000-25000", "24000/18000", "24000（含飞地）", "24000+",
        ">24000", "2.4E4", "两万四", "¥24000", "24000.0.0", "24000 ?", "24000(预计)", "TRUE",
        "24 000", "24000,", "24000万", "24.000,00", "24OOO", "24000*", "24000①", "#REF!",
        "=B5*2", "无", "见附件",
    ]  # fmt: skip
    for cell in texts:
        rows = table("单位：万元", SHORT, short(changed=cell))
        yield Variant(f"cell {cell!r}", xlsx(rows), truth(*YTD))
    rows = [[TITLE], ["单位：万元"], SHORT, *short(changed=date(2020, 1, 6))]
    known = {k: v for k, v in truth(*YTD).items() if k[:2] != ("SIM-AK01", "C01")}
    yield Variant("a date for a value", xlsx(rows), known)
    for shown in ("20.0%", "增长20.0", "↑20.0", "▲20.0"):
        figures = [list(row) for row in FIGURES]
        changed: Rows = [
            [*row[:3], shown if row[3] == 20.0 else row[3], *row[4:]] for row in figures
        ]
        yield Variant(f"growth {shown}", xlsx(whole(lines(changed)), MERGED), truth())
    fractions: Rows = [[*row[:3], row[3] / 100, *row[4:]] for row in FIGURES]
    yield Variant("growth as fractions", xlsx(whole(lines(fractions)), MERGED), truth())


def _heads() -> Iterator[Variant]:
    other = [
        "工业总产值（规上）", "工业总产值（不变价）", "工业总产值(不含飞地)",
        "工业总产值（预计）", "预计工业总产值", "民营工业总产值", "工业总产值目标",
        "工业总产值占比", "亩均工业总产值", "人均工业总产值", "工业销售产值", "新增工业总产值",
        "限上工业总产值", "计划工业总产值", "全年工业总产值", "二季度工业总产值",
        "2019年工业总产值", "工业总产值(5月)", "工业总产值净增", "工业增加值",
    ]  # fmt: skip
    income = truth(("C04", "ytd"))
    for head in other:
        rows = [[TITLE], ["单位：万元"], ["园区名称", head, "营业收入"], *short()]
        yield Variant(f"head {head}", xlsx(rows), income)
    subs = [
        "年初数", "上年末", "上年", "上年全年", "上月", "上月累计", "本月预计", "预计累计",
        "全年预计", "计划", "目标", "年度任务", "本季", "5月", "1-5月", "2019年", "环比",
        "比上月增减", "完成进度", "占比", "较年初", "上年同月", "期初", "排名", "同比增减额",
    ]  # fmt: skip
    for sub in subs:
        body: Rows = [[r[0], r[2], r[1]] for r in lines()]
        rows = [[TITLE], ["单位：万元"], ["园区名称", "工业总产值"], [None, "本年累计", sub], *body]
        yield Variant(
            f"beside 本年累计: {sub}", xlsx(rows, ["B3:C3", "A3:A4"]), truth(("C01", "ytd"))
        )
    spaced: list[Cell] = ["园 区 名 称", "工业\n总产值", "营 业 收 入"]
    yield Variant(
        "heads with breaks and spaces",
        xlsx(table("单位：万元", spaced, short())),
        truth(*YTD),
    )


def _names() -> Iterator[Variant]:
    spelled = {
        "regions before": [
            "安康市汉滨区砚青工业集中区",
            "陕西省安康市汉滨霁禾工业园区",
            "汉滨区澄苇县域工业集中区",
        ],
        "numbers and levels": [
            "1.汉滨砚青工业集中区",
            "（2）汉滨霁禾工业园区",
            "3、汉滨澄苇县域工业集中区（县级）",
        ],
        "spaces and marks": [
            "汉滨 砚青 工业集中区",
            "汉滨霁禾工业园区*",
            "“汉滨澄苇县域工业集中区”",
        ],
    }
    for name, names in spelled.items():
        yield Variant(f"names: {name}", xlsx(whole(lines(names=names)), MERGED), truth())
    rest = truth(parks=(1, 2))
    for name in (
        "汉滨砚清工业集中区",
        "旬阳疏桐工业园区",
        "西安市汉滨砚青工业集中区",
        "汉滨砚青工业集中区（东区）",
    ):
        names = [name, *list(PARKS)[1:]]
        yield Variant(f"name {name}", xlsx(whole(lines(names=names)), MERGED), rest)
    extra: Rows = [
        [*lines()[0]],
        ["平均", *FIGURES[1]],
        ["占全区比重", *FIGURES[2]],
        *lines()[1:],
        ["3个园区共计", *FIGURES[0]],
    ]
    yield Variant("averages and shares between", xlsx(whole(extra), MERGED), truth())


def _periods() -> Iterator[Variant]:
    body = lines()
    for title in (
        "汉滨区2020年上半年园区月报",
        "汉滨区二〇二〇年一至六月园区月报",
        "汉滨区2020年6月园区月报",
    ):
        yield Variant(
            f"title {title}", xlsx(whole(body, title=title), MERGED), truth(), "园区.xlsx"
        )
    dated = whole(body, title="园区月报")
    dated[1] = ["报告期：", date(2020, 6, 30)]
    yield Variant("period as a date", xlsx(dated, MERGED), truth(), "园区.xlsx")
    for title in (
        "园区月报 填报日期：2020年7月5日",
        "汉滨区2020年1—5月园区月报",
        "汉滨区2019年1—6月园区月报",
    ):
        file = "园区.xlsx" if "填报" in title else "汉滨区2020年6月园区月报.xlsx"
        yield Variant(f"title {title}", xlsx(whole(body, title=title), MERGED), {}, file)


def _formats() -> Iterator[Variant]:
    rows = whole(lines())
    for encoding, mark in (
        ("gb18030", ","),
        ("utf-8-sig", ","),
        ("utf-16", ","),
        ("gb18030", "\t"),
        ("utf-8", ";"),
    ):
        yield Variant(
            f"text {encoding} {mark!r}", text(rows, encoding, mark), truth(), "汉滨区2020年6月.csv"
        )
    loose = [TITLE, "单位：万元", "园区名称,工业总产值,营业收入"]
    loose += [f"{n},{f[1]:,},{f[5]:,}" for n, f in zip(PARKS, FIGURES, strict=True)]
    yield Variant(
        "text, commas in numbers",
        "\n".join(loose).encode("gb18030"),
        truth(*YTD),
        "汉滨区2020年6月.csv",
    )
    for name in ("汉滨区2020年6月.xls", "汉滨区2020年6月.et"):
        yield Variant(name, xls(rows), truth(), name)
    cells = "".join(
        "<tr>" + "".join(f"<td>{'' if v is None else v}</td>" for v in r) + "</tr>" for r in rows
    )
    page = f"<html><meta charset=gb2312><table>{cells}</table></html>".encode("gb18030")
    yield Variant("web page named .xls", page, truth(), "汉滨区2020年6月.xls")


# --- judging ---------------------------------------------------------------------------------------


def judge(reader: Reader, variant: Variant) -> Outcome:
    """Send a variant through parser and layouts and compare with what is true."""
    book = read_workbook(variant.data)
    outcome = Outcome()
    if not isinstance(book, Workbook):
        outcome.refused, outcome.rules = len(variant.truth), {book.code}
        return outcome
    batch = reader.read(book, ReadingContext(variant.file, SENDER))
    outcome.rules = {f.rule_id for f in batch.findings}
    used = _used(batch)
    for key, values in used.items():
        outcome.wrong += [f"{key}: {v}" for v in values if v != variant.truth.get(key)]
    outcome.right = sum(used.get(key) == {value} for key, value in variant.truth.items())
    missing = sum(key not in used for key in variant.truth)
    told = any(
        f.severity in ("error", "verify")
        and f.rule_id != "R-layout-drift"  # all of them lack columns
        for f in batch.findings
    )
    outcome.refused, outcome.unsaid = (missing, 0) if told else (0, missing)
    return outcome


def _used(batch: CellBatch) -> dict[Key, set[Decimal]]:
    """Figures that would become observations."""
    refused = {(f.sheet, f.address) for f in batch.findings if f.severity == "error"}
    found: dict[Key, set[Decimal]] = {}
    for cell in batch.cells:
        meant = cell.park_id and cell.indicator_id and cell.measure and cell.period
        usable = cell.role == "data" and (cell.sheet, cell.address) not in refused
        if meant and usable and cell.value is not None:
            key = (str(cell.park_id), str(cell.indicator_id), str(cell.measure), str(cell.period))
            found.setdefault(key, set()).add(cell.value)
    return found


def main() -> None:
    """Judge all variants."""
    reader = build_reader(load_catalog(ROOT / "examples" / "shaanxi" / "catalog"))
    sums: Counter[str] = Counter()
    bad = False
    from bench import unseen_fillings

    for variant in chain(variants(), unseen_fillings.variants()):
        outcome = judge(reader, variant)
        sums.update(variants=1, right=outcome.right, refused=outcome.refused, unsaid=outcome.unsaid,
                    wrong=len(outcome.wrong), whole=outcome.right == len(variant.truth))  # fmt: skip
        bad |= bool(outcome.wrong or outcome.unsaid)
        if outcome.right < len(variant.truth) or outcome.wrong:
            rules = "、".join(sorted(outcome.rules))
            read = f"{outcome.right} of {len(variant.truth)} read"
            print(f"{variant.name}: {read}; {rules} {' '.join(outcome.wrong)}")
    names = ("variants", "whole", "right", "refused", "unsaid", "wrong")
    print(", ".join(f"{name} {sums[name]}" for name in names))
    sys.exit(int(bad))


if __name__ == "__main__":
    main()
