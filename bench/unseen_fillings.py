"""More returns as nobody has registered them: how typists, spreadsheets and last month's copy shape them.

Belongs here: a second set of made-up variants for ``bench.unseen_forms`` (cells, growth in words,
    left-over
sheets and columns, rows in between, renamed parks,
    programs that write files). Does not belong here: the judging
(``bench.unseen_forms``), any rule of reading.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import xlwt

from bench.unseen_forms import (
    FIGURES,
    HEAD,
    KEYS,
    MERGED,
    PARKS,
    SHORT,
    SUB,
    TITLE,
    YTD,
    Cell,
    Rows,
    Truth,
    Variant,
    lines,
    short,
    table,
    text,
    truth,
    whole,
    xlsx,
)  # fmt: skip

FILE = "汉滨区2020年6月园区月报"
NAMES = tuple(PARKS)


def variants() -> Iterator[Variant]:
    """All of them, by kind."""
    yield from _cells()
    yield from _counts()
    yield from _growth()
    yield from _units()
    yield from _rows()
    yield from _columns()
    yield from _parks()
    yield from _sheets()
    yield from _periods()
    yield from _turned()
    yield from _programs()
    yield from _ordinary()


def without(known: Truth, *gone: tuple[int, str, str]) -> Truth:
    """The truth without some (park, indicator, measure): nothing there can be told for certain."""
    ids = list(PARKS.values())
    keys = {(ids[p], i, m) for p, i, m in gone}
    return {key: value for key, value in known.items() if key[:3] not in keys}


def changed(place: tuple[int, int], cell: Cell) -> Rows:
    """The whole form with one cell changed; (park, figure)."""
    body = lines()
    body[place[0]][place[1] + 1] = cell
    return whole(body)


# --- cells -----------------------------------------------------------------------------------------


def _cells() -> Iterator[Variant]:
    first = (0, KEYS[1][0], KEYS[1][1])
    same = ["24 000.0", "24，000.00", "24000.00万元", "2.4亿元", "24,000万", "贰万肆仟", "24000\n",
        "\u202f24000",
            "24\u00a0000", "24'000", "24000.-", "2.4 亿", "0.24百亿", "24000 万元"]  # fmt: skip
    none = ["18000\n6000", "其中：18000", "同上", "〃", "″", "略", "保密", "18000→24000", "18000 24000",
            "18000+6000", "=18000+6000", "6月4日", "3-4", "3月4日", "12,34", "1234,5", "1.234.5",
                "#DIV/0!", "#VALUE!",
            "####", "1e5", "12%", "12.3‰", "24000(累计)", "24000(5月)", "本月4000", "4000/24000",
                "24000 [1]",
            "24000 注1", "O", "l", "不详", "待定", "暂无", "未统计", "24000上下", "近三万", "几百",
                "上百", "数千",
            "24000元", "2400户", "24000人", "3.4.", ".5.", "--", "-.5-", "２．４．１",
            "24000（亏）", "$24000", "USD3000",
            "3000万美元", "一二三", "廿四", "2万4", "2万4千", "两万四千零", "24千元", "24百万",
                "24K", "0.24e", "24000?",
            "24000…", "24000，", "，24000", "24000。", "24000；", "24,00", "2,4000", "24 00",
            "240 00", "ｌ2000"]  # fmt: skip
    for cell in same:
        yield Variant(f"total {cell!r}", xlsx(changed((0, 1), cell), MERGED), truth())
    for cell in none:
        data = xlsx(changed((0, 1), cell), MERGED)
        yield Variant(f"total {cell!r}", data, _and_read(cell, without(truth(), first)))
    data = xlsx(changed((0, 1), "（24000）"), MERGED)
    yield Variant("total in brackets", data, _with(truth(), first, -24000))
    dated = changed((1, 1), date(2020, 3, 4))
    yield Variant(
        "typed 3-4 became a date", xlsx(dated, MERGED), without(truth(), (1, "C01", "ytd"))
    )
    data = xlsx(whole(lines()), MERGED, formats={"C5": "yyyy/m/d"})
    yield Variant("a number shown as a date", data, without(truth(), first))
    data = xlsx(whole(lines()), MERGED, formats={"C5": "0.00%"})
    yield Variant("a total shown as per cent", data, without(truth(), first))
    data = xlsx(whole(lines()), MERGED, formats={"C5": ";;;"})
    yield Variant("a total that is not shown", data, without(truth(), first))
    figures = [list(row) for row in FIGURES]
    figures[2][0] = -1000
    data = xlsx(whole(lines(figures)), MERGED, formats={"B7": "#,##0_);[Red](#,##0)"})
    yield Variant("negative in red brackets", data, _with(truth(), (2, "C01", "month"), -1000))
    data = xlsx(whole(lines(figures)), MERGED, formats={"B7": "#,##0;[Red]#,##0"})
    yield Variant("negative in red without sign", data, _with(truth(), (2, "C01", "month"), -1000))
    book = openpyxl.load_workbook(io.BytesIO(xlsx(whole(lines()), MERGED)))
    sheet = book.worksheets[0]
    sheet["C5"].value, sheet["C5"].data_type, sheet["C5"].quotePrefix = "24000", "s", True
    yield Variant("apostrophe before a number", _saved(book), truth())


def _and_read(cell: str, known: Truth) -> Truth:
    """``known`` and what some odd writings say without doubt, if anything."""
    means = {"2万4千": 24000, "24千元": "2.4", "24000元": "2.4", "近三万": 30000}
    value = means.get(cell)
    return known if value is None else _with(known, (0, "C01", "ytd"), value)


def _with(known: Truth, place: tuple[int, str, str], value: Any) -> Truth:
    ids = list(PARKS.values())
    return {**known, (ids[place[0]], place[1], place[2], "2020-06"): Decimal(str(value))}


def _saved(book: Any) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _counts() -> Iterator[Variant]:
    first = (0, "E01", "stock")
    for cell in (
        "1500人",
        "1,500",
        "0.15万人",
        "0.15万",
        "1.5千人",
        "壹仟伍佰",
        "1500 人",
        "一千五百人",
    ):
        yield Variant(f"staff {cell!r}", xlsx(changed((0, 6), cell), MERGED), truth())
    for cell in ("1500余人", "约1500人", "1500人左右"):
        yield Variant(f"staff {cell!r}", xlsx(changed((0, 6), cell), MERGED), truth())
    for cell in ("1200-1500", "男800女700", "1500户", "1500亩", "1500（含临时工300）", "1200/1500",
        "1500万元",
                 "十几", "1500以上", "150名", "1500（+20）", "1500↑"):  # fmt: skip
        known = without(truth(), first)
        known = _with(known, first, 150) if cell == "150名" else known
        yield Variant(f"staff {cell!r}", xlsx(changed((0, 6), cell), MERGED), known)


def _growth() -> Iterator[Variant]:
    first = (0, "C01", "yoy_published")
    for cell in ("20%", "+20.0", "增长20%", "上升20.0%", "20.0 %", "２０％", "20.0个百分点", "20‰"):
        known = without(truth(), first) if "点" in cell else truth()
        known = _with(truth(), first, 2) if "‰" in cell else known
        yield Variant(f"growth {cell!r}", xlsx(changed((0, 3), cell), MERGED), known)
    for cell in ("持平", "翻番", "增长2倍", "2倍", "增长1.2倍", "由负转正", "扭亏为盈",
        "下降20%以上", "增20↓",
                 "(-20)", "20/10", "增长约20", "120（上年=100）", "无同期", "—", "新增", "不可比",
                     "净增", "0.2倍",
                 "减少20户", "增加20万元", "下降-5", "增长-5.0", "-增长5", "增长5.0下降2", "转正",
                     "增长20.0个点"):  # fmt: skip
        yield Variant(
            f"growth {cell!r}", xlsx(changed((0, 3), cell), MERGED), without(truth(), first)
        )
    body = lines([[*r[:3], r[3] / 100, *r[4:]] for r in FIGURES])
    formats = {f"E{row}": "0.0%" for row in (5, 6, 7)}
    yield Variant("growth shown as per cent, evidence", xlsx(whole(body), MERGED, formats), truth())
    lone: Rows = [
        [TITLE],
        ["单位：万元"],
        ["园区名称", "工业总产值", None],
        [None, "本年累计", "同比增长%"],
    ]
    lone += [[r[0], r[2], float(str(r[4])) / 100] for r in lines()]
    keys = (("C01", "ytd"), ("C01", "yoy_published"))
    formats = {f"C{row}": "0.0%" for row in (5, 6, 7)}
    yield Variant("growth shown as per cent, alone", xlsx(lone, ("B3:C3",), formats), truth(*keys))
    one = [list(row) for row in lone]
    one[4][2], one[5][2] = 20.0, 10.0
    yield Variant(
        "growth shown as per cent in one cell", xlsx(one, ("B3:C3",), {"C7": "0.0%"}), truth(*keys)
    )
    mixed = [[*r[:3], r[3] / 100 if n == 1 else r[3], *r[4:]] for n, r in enumerate(FIGURES)]
    yield Variant(
        "one growth as a fraction",
        xlsx(whole(lines(mixed)), MERGED),
        without(truth(), (1, *first[1:])),
    )
    index = [[*r[:3], r[3] + 100, *r[4:]] for r in FIGURES]
    gone = [(p, *first[1:]) for p in range(3)]
    yield Variant("growth as an index", xlsx(whole(lines(index)), MERGED), without(truth(), *gone))
    for sub in ("发展速度%", "上年=100", "同比增减（百分点）", "指数（上年同期=100）",
        "比上年同期增减额", "同比±（倍）",
                "同比增长‰", "增长额", "环比±%", "两年平均增长%", "比2018年增长%", "较年初增长%",
                    "目标增长%", "增速位次",
                "全省增速%", "可比价增长%", "剔除价格增长%"):  # fmt: skip
        rows = whole(lines(index if "100" in sub else None or FIGURES))
        rows[3] = [*SUB[:4], sub, *SUB[5:]]
        known = without(truth(), *gone)
        if sub == "同比增长‰":
            known = {**known, **{k: v / 10 for k, v in truth(first[1:]).items()}}
        yield Variant(f"growth head {sub}", xlsx(rows, MERGED), known)


# --- units -----------------------------------------------------------------------------------------


def _units() -> Iterator[Variant]:
    scaled = [[r[0], r[1] * 1e-4, *r[2:]] for r in FIGURES]
    rows = whole(lines(scaled))
    rows[3] = [None, "本月", "本年累计（亿元）", *SUB[3:]]
    yield Variant("one sub head in 亿元", xlsx(rows, MERGED), truth())
    rows = whole(lines(scaled))
    rows[3] = [None, "本月", "累计(亿)", *SUB[3:]]
    yield Variant("one sub head in 亿", xlsx(rows, MERGED), truth())
    rows = whole(lines([[r[0] * 1e-4, r[1] * 1e-4, r[2] * 1e-4, *r[3:]] for r in FIGURES]))
    rows[2] = ["园区名称", "工业总产值，亿元", None, None, None, *HEAD[5:]]
    yield Variant("unit behind a comma", xlsx(rows, MERGED), truth())
    for head in ("工业总产值:亿元", "工业总产值 亿元", "工业总产值/亿元", "工业总产值-亿元",
        "工业总产值【亿元】",
                 "工业总产值\n亿元", "工业总产值单位亿元", "工业总产值（单位：亿元）",
                     "工业总产值（亿元，现价）",
                 "工业总产值（现价，亿元）", "工业总产值（亿元）（现价）", "工业总产值[亿元]",
                     "亿元工业总产值"):  # fmt: skip
        body: Rows = [[r[0], float(str(r[1])) * 1e-4, r[2]] for r in short()]
        yield Variant(
            f"head {head!r}",
            xlsx(table("单位：万元", ["园区名称", head, "营业收入"], body)),
            truth(*YTD),
        )
    unit_row: Rows = [[TITLE], [], SHORT, ["计量单位", "亿元", "万元"]]
    unit_row += [[r[0], float(str(r[1])) * 1e-4, r[2]] for r in short()]
    yield Variant("unit row", xlsx(unit_row), truth(*YTD))
    lost: Rows = [[TITLE], [], SHORT, ["计量单位", None, "万元"]]
    lost += short()
    yield Variant("unit row with a gap", xlsx(lost), truth(*YTD))
    plain: Rows = [[TITLE], [], SHORT, [None, "亿元", "万元"]]
    plain += unit_row[4:]
    yield Variant("unit row without a name", xlsx(plain), truth(*YTD))
    for said in ("单位：百万元", "单位：元", "单位：千万元", "单位：十万元"):
        factor = {"百": 1e-2, "元": 1e4, "千": 1e-3, "十": 1e-1}[said[3]]
        yield Variant(f"above: {said}", xlsx(table(said, SHORT, short(factor))), truth(*YTD))
    for said in (
        "单位：万美元",
        "单位：万元/亿元",
        "单位：万元（营业收入为亿元）",
        "单位：万元或亿元",
        "金额：见表头",
    ):
        known = truth(*YTD) if said == "金额：见表头" else {}
        yield Variant(f"above: {said}", xlsx(table(said, SHORT, short())), known)
    staff: Rows = [[TITLE], ["单位：万元、万人"], ["园区名称", "工业总产值", "期末从业人员"]]
    staff += [[r[0], r[2], float(str(r[7])) / 1e4] for r in lines()]
    yield Variant("unit line: 万人", xlsx(staff), truth(("C01", "ytd"), ("E01", "stock")))
    right: Rows = [[TITLE], [None, None, "单位：亿元"], SHORT, *short(1e-4)]
    yield Variant("unit at the right", xlsx(right), truth(*YTD))
    inside = [["汉滨区2020年1—6月园区月报（单位：亿元）"], SHORT, *short(1e-4)]
    yield Variant("unit in the title", xlsx(inside), truth(*YTD))
    inside = [["汉滨区2020年1—6月园区月报（亿元）"], SHORT, *short(1e-4)]
    yield Variant("bare unit in the title", xlsx(inside), truth(*YTD))
    rows = table(
        "单位：万元", ["园区名称", "工业总产值", "营业收入", "备注"], [[*r, None] for r in short()]
    )
    rows[3][1], rows[3][3] = 2.4, "该行单位为亿元"
    yield Variant(
        "unit of a row in its remark",
        xlsx(rows),
        without(truth(*YTD), (0, "C01", "ytd"), (0, "C04", "ytd")),
    )


# --- rows and columns ------------------------------------------------------------------------------


def _rows() -> Iterator[Variant]:
    total: list[Cell] = ["合计", *(sum(row[k] for row in FIGURES) for k in range(7))]
    p1, p2, p3 = lines()
    half: list[Cell] = [v / 2 for v in FIGURES[0]]
    page: Rows = [[TITLE], ["计量单位：万元、人"], list(HEAD), list(SUB)]
    shapes: dict[str, Rows] = {
        "total on top": [total, p1, p2, p3],
        "of which below a park": [p1, ["其中：东区", *half], p2, p3],
        "of which, indented": [p1, ["  其中:飞地", *half], p2, p3],
        "subtotal between": [p1, p2, ["小计", *total[1:]], p3],
        "last year below each": [p1, ["上年同期", *half], p2, ["上年同期", *half], p3],
        "growth below each": [p1, ["同比增长", *half], p2, p3],
        "month and total rows": [p1, ["累计", *half], p2, p3],
        "blank line between": [p1, [], p2, [], [], p3],
        "name left out of a second row": [p1, [None, *half], p2, p3],
        "head again on each page": [p1, *page[2:4], p2, *page[2:4], p3],
        "title and head again on each page": [p1, *page, p2, *page, p3],
        "title again, other month": [p1, ["汉滨区2020年1—5月园区月报"], *page[1:4], [p2[0], *half], p3],
        "same park twice, equal": [p1, p2, p3, list(p1)],
        "same park twice, other": [p1, p2, p3, [p1[0], *half]],
        "signatures": [p1, p2, p3, ["单位负责人：甲", None, "联系电话：", 9153210000],
            ["填表人：乙", None, 2020]],
        "notes with figures": [p1, p2, p3, ["注：", "砚青含飞地产值", 1200]],
        "phone under the name": [p1, p2, p3, ["联系人及电话", 13900000000]],
        "last year's table below": [p1, p2, p3,
            ["2019年1—6月"], *page[2:4], *([r[0], *half] for r in (p1, p2, p3))],
        "last month's table below": [p1, p2, p3, [],
            ["附：2020年1—5月"], *page[2:4], *([r[0], *half] for r in (p1, p2))],
        "comparison below": [p1, p2, p3, [], ["上年同期数"], *([r[0], *half] for r in (p1, p2, p3))],
        "plan below": [p1, p2, p3, [], ["全年目标任务"], *([r[0], *half] for r in (p1, p2, p3))],
        "example row": [["（示例）某某园区", *half], p1, p2, p3],
        "row of column letters": [["甲", 1, 2, 3, 4, 5, 6, 7], p1, p2, p3],
        "row of codes": [["—", "C01", "C01", "C01", "C01", "C04", "C04", "E01"], p1, p2, p3],
        "row of formulas": [["计算关系", "A", "B", "C", "D=B/C-1", "E", "F", "G"], p1, p2, p3],
        "limits row": [["填报要求", "≥0", "≥0", "≥0", "%", "≥0", "≥0", "整数"], p1, p2, p3],
        "rank row": [p1, p2, p3, ["排名", 1, 2, 3, 1, 2, 3, 1]],
        "other counties": [p1, p2, p3, ["旬阳疏桐工业园区", *half]],
        "of all parks, last": [p1, p2, p3, ["全区", *total[1:]], ["其中：省级园区", *half]],
    }  # fmt: skip
    unclear = {
        "name left out of a second row": truth(parks=(1, 2)),
        "title again, other month": truth(parks=(0,)),
        "same park twice, other": truth(parks=(1, 2)),
    }
    for name, body in shapes.items():
        known = unclear.get(name, truth())
        merged = (*MERGED, "A5:A6") if name == "name left out of a second row" else MERGED
        yield Variant(f"rows: {name}", xlsx(whole(body), merged), known)
        if merged != MERGED:
            yield Variant(f"rows: {name}, not merged", xlsx(whole(body), MERGED), truth())
    data = xlsx(whole([p1, p2, p3, ["旧：" + NAMES[0], *half]]), MERGED, hidden=[8])
    yield Variant("rows: a hidden old row", data, truth())
    blank = [[*p1[:2], None, *p1[3:]], p2, p3]
    yield Variant("rows: a blank", xlsx(whole(blank), MERGED), without(truth(), (0, "C01", "ytd")))
    merged_away = [p1, [p2[0], p2[1], None, *p2[3:]], p3]
    data = xlsx(whole(merged_away), (*MERGED, "C5:C6"))
    yield Variant(
        "rows: a total merged over two",
        data,
        without(truth(), (0, "C01", "ytd"), (1, "C01", "ytd")),
    )
    wide = [p1, [p2[0], p2[1], None, *p2[3:]], p3]
    data = xlsx(whole(wide), (*MERGED, "B6:C6"))
    yield Variant(
        "rows: month and total merged",
        data,
        without(truth(), (1, "C01", "month"), (1, "C01", "ytd")),
    )


def _columns() -> Iterator[Variant]:
    year: list[Cell] = ["园区名称", "工业总产值", None, None]
    for subs, at in {
        ("2019年1-6月", "2020年1-6月", "增长%"): (2, 1, 3), ("上年同期", "本年累计", "同比%"): (2, 1, 3),
        ("去年同期", "今年累计", "同比%"): (2, 1, 3), ("2019年", "2020年", "增长%"): (2, 1, 3),
        ("1-6月", "上年1-6月", "增幅"): (1, 2, 3), ("上半年", "上年上半年", "增幅"): (1, 2, 3),
        ("今年", "去年", "增幅"): (1, 2, 3), ("本期", "上期", "增幅"): (1, -1, 3),
        ("本期数", "同期数", "增减%"): (1, 2, 3), ("累计", "同期累计", "累计增幅%"): (1, 2, 3),
        ("6月", "1-6月", "同比"): (0, 1, 3), ("6月份", "1-6月份累计", "累计同比"): (0, 1, 3),
        ("5月", "6月", "1-6月"): (-1, 0, 1), ("1-5月", "6月", "1-6月"): (-1, 0, 1),
        ("一季度", "二季度", "上半年"): (-1, -1, 1), ("计划", "完成", "完成%"): (-1, 1, -1),
        ("年度目标", "累计完成", "进度%"): (-1, 1, -1), ("总量", "增量", "增速"): (1, -1, 3),
        ("绝对额", "增减额", "增减%"): (1, -1, 3), ("当月", "累计", "累计增速"): (0, 1, 3),
        ("当月", "当月增速%", "累计"): (0, -1, 1), ("累计", "6月增速", "累计增速"): (1, -1, 3),
        ("本月止累计", "上年同期止累计", "同比%"): (1, 2, 3), ("实绩", "上年实绩", "±%"): (1, 2, 3),
        ("2020.6", "2020.1-6", "2019.1-6"): (0, 1, 2), ("2020年6月", "2020年1至6月",
            "2019年1至6月"): (0, 1, 2),
        ("2019年6月", "2020年6月", "2020年1—6月"): (-1, 0, 1), ("累计数", "去年累计",
            "比去年±%"): (1, 2, 3),
        ("2018年1-6月", "2019年1-6月", "2020年1-6月"): (-1, 2, 1), ("预计", "实际", "差额"): (-1, 1, -1),
        ("上月累计", "本月", "本月累计"): (-1, 0, 1), ("年初至今", "上年", "同比%"): (1, -1, 3),
    }.items():  # fmt: skip
        body: Rows = [
            [n, *(f[k] if k >= 0 else f[1] // 4 for k in at)]
            for n, f in zip(NAMES, FIGURES, strict=True)
        ]
        rows: Rows = [[TITLE], ["单位：万元"], list(year), [None, *subs], *body]
        known = truth(*(KEYS[k] for k in at if k >= 0))
        if subs[0] == "2019年6月":  # a month of last year, said in so many words
            ids = list(PARKS.values())
            known |= {
                (i, "C01", "month", "2019-06"): Decimal(f[1] // 4)
                for i, f in zip(ids, FIGURES, strict=True)
            }
        yield Variant(f"columns {'|'.join(subs)}", xlsx(rows, ("B3:D3", "A3:A4")), known)
    yield from _inserted()


def _inserted() -> Iterator[Variant]:
    old: list[Cell] = [9999, 8888, 7777]
    for name, head, sub in (
        ("without a head", None, None), ("named 上月累计", None, "上月累计"), ("named 列1", None, "列1"),
        ("named 新增", None, "新增"), ("with a note", None, "（核对）"), ("named 5月累计", None,
            "5月累计"),
        ("named 1-5月累计", None, "1-5月累计"), ("named 本年累计 (old)", None, "本年累计(旧)"),
        ("named 本年累计 again", None, "本年累计"), ("named 核减数", None, "核减数"),
            ("named 调整后", None, "调整后"),
        ("named 本年累计（调整后）", None, "本年累计（调整后）"), ("named 快报数", None, "快报数"),
            ("named 上报数", None, "上报数"),
        ("named 核定数", None, "核定数"), ("named 其中：规上", None, "其中：规上"),
            ("named 规上累计", None, "规上累计"),
        ("named #规上", None, "#规上"), ("named 省口径", None, "省口径"), ("named 不含税", None,
            "不含税"),
        ("named 含飞地", None, "含飞地"), ("named 全年目标", None, "全年目标"), ("named 完成目标%",
            None, "完成目标%"),
        ("named 占全区%", None, "占全区%"), ("named 排位", None, "排位"), ("named 上年基数", None,
            "上年基数"),
    ):  # fmt: skip
        body: Rows = [[*row[:3], old[n], *row[3:]] for n, row in enumerate(lines())]
        rows: Rows = [
            [TITLE],
            ["计量单位：万元、人"],
            [*HEAD[:3], head, *HEAD[3:]],
            [*SUB[:3], sub, *SUB[3:]],
            *body,
        ]
        known = truth()
        if "again" in name:
            known = without(truth(), *((p, "C01", "ytd") for p in range(3)))
        yield Variant(f"column inserted {name}", xlsx(rows, ("B3:F3", "G3:H3", "A3:A4")), known)
        if name in ("without a head", "with a note"):
            yield Variant(
                f"column inserted {name}, hidden",
                _hide(xlsx(rows, ("B3:F3", "G3:H3", "A3:A4")), "D"),
                known,
            )
    rows = whole(lines())
    rows[2] = ["园区名称", "工业总产值", None, None, None, None, "营业收入", "期末从业人员"]
    yield Variant("head one column too wide", xlsx(rows, ("B3:F3", "A3:A4")),
                  without(truth(), *((p, i, m) for p in range(3) for i, m in (KEYS[0],
                      KEYS[4]))))  # fmt: skip
    rows = [
        [TITLE],
        ["单位：万元"],
        ["园区名称", "工业总产值", None, "营业收入"],
        *([r[0], r[2], 7, r[6]] for r in lines()),
    ]
    yield Variant("a column without any head", xlsx(rows), truth(*YTD))
    rows = [[TITLE], ["单位：万元"], ["园区名称", "工业总产值", "工业总产值", "营业收入"],
            *([r[0], r[2], 7, r[6]] for r in lines())]  # fmt: skip
    yield Variant("one head twice, other figures", xlsx(rows), truth(("C04", "ytd")))
    rows = [[TITLE], ["单位：万元"], ["园区名称", "工业总产值本月", "工业总产值本年累计", "营业收入累计"],
            *([r[0], r[1], r[2], r[6]] for r in lines())]  # fmt: skip
    yield Variant("heads of one row", xlsx(rows), truth(("C01", "month"), *YTD))
    rows = [[TITLE], ["单位：万元"], ["园区名称", "本月工业总产值", "1-6月工业总产值",
        "去年1-6月工业总产值"],
            *([r[0], r[1], r[2], r[3]] for r in lines())]  # fmt: skip
    yield Variant("measures before names", xlsx(rows), truth(*KEYS[:3]))


def _hide(data: bytes, column: str) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(data))
    book.worksheets[0].column_dimensions[column].hidden = True
    return _saved(book)


# --- parks -----------------------------------------------------------------------------------------


def _parks() -> Iterator[Variant]:
    rest = truth(parks=(1, 2))
    for name in ("汉滨砚青工业集中区、汉滨霁禾工业园区", "汉滨砚青工业集中区及霁禾工业园区",
        "汉滨砚青、霁禾", "汉滨",
                 "工业园区", "汉滨工业园区", "砚青片区", "汉滨砚青工业集中区（原汉滨霁禾工业园区）",
                     "汉滨砚青工业集中区+飞地",
                 "汉滨砚青工业集中区一期", "汉滨砚青工业集中区（不含飞地）",
                     "除汉滨砚青工业集中区外", "非汉滨砚青工业集中区",
                 "汉滨砚青工业集中区（规上）", "汉滨砚青工业集中区规上企业",
                     "汉滨砚青工业集中区2019年", "汉滨砚青工业集中区上年同期",
                 "汉滨砚青工业集中区合计", "汉滨砚青工业集中区小计", "汉滨砚青工业集中区（计划）",
                     "汉滨砚青工业集中区（目标）",
                 "汉滨砚青工业集中区（5月）", "汉滨砚青工业集中区（续）",
                     "汉滨砚青工业集中区（旧）", "汉滨砚青工业集中区（待撤销）"):  # fmt: skip
        figures = [[v * 3 for v in FIGURES[0]], *FIGURES[1:]]
        names = [name, *NAMES[1:]]
        yield Variant(f"park {name}", xlsx(whole(lines(figures, names)), MERGED), rest)
    rows = whole(lines(names=["本园区", *NAMES[1:]]))
    yield Variant("park 本园区", xlsx(rows, MERGED), rest)
    two: Rows = [
        [TITLE],
        ["单位：万元"],
        ["序号", "园区名称", "所属县区", "工业总产值", "营业收入"],
    ]
    two += [[n, r[0], "旬阳县", r[1], r[2]] for n, r in enumerate(short(), 1)]
    yield Variant("the county column names another", xlsx(two), truth(*YTD))
    firms: Rows = [[TITLE], ["单位：万元"], ["园区名称", "企业名称", "工业总产值"]]
    firms += [[NAMES[0], "甲公司", 100], [NAMES[0], "乙公司", 200], [NAMES[1], "丙公司", 300]]
    yield Variant("a table of firms", xlsx(firms), {})
    one: Rows = [
        [TITLE],
        ["单位：万元"],
        ["企业名称", "工业总产值", "所属园区"],
        ["甲公司", 100, NAMES[0]],
        ["乙公司", 200, NAMES[1]],
    ]
    yield Variant("a table of firms, park last", xlsx(one), {})
    kinds: Rows = [[TITLE], ["单位：万元"], ["园区名称", "行业", "工业总产值"]]
    kinds += [[NAMES[0], "食品", 100], [NAMES[1], "建材", 200], [NAMES[2], "医药", 300]]
    yield Variant("a table by industry", xlsx(kinds), {})


# --- sheets, periods -------------------------------------------------------------------------------


def books(*sheets: tuple[str, Rows], state: dict[str, str] | None = None) -> bytes:
    """A workbook of several sheets; ``state`` hides some."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for area in MERGED:
            sheet.merge_cells(area)
        sheet.sheet_state = (state or {}).get(name, "visible")
    return _saved(book)


def _sheets() -> Iterator[Variant]:
    now, half = lines(), [[v / 2 for v in row] for row in FIGURES]
    may = whole(lines(half), title="汉滨区2020年1—5月县域工业集中区主要经济指标月报表")
    june = whole(now)
    nameless = whole(lines(half), title="园区月报")
    yield Variant("sheets: copy, equal", books(("园区月报", june), ("园区月报 (2)", june)), truth())
    yield Variant(
        "sheets: copy with other figures",
        books(("园区月报", june), ("园区月报 (2)", whole(lines(half)))),
        {},
    )
    for old in ("5月", "2020年5月", "园区月报 (2)", "202005", "2020.5", "五月"):
        yield Variant(f"sheets: last month {old}", books(("6月", june), (old, may)), truth())
        yield Variant(f"sheets: last month {old}, first", books((old, may), ("6月", june)), truth())
        if "2)" not in old:
            yield Variant(
                f"sheets: {old}, only the name tells",
                books(("6月", whole(now, title="园区月报")), (old, nameless)),
                truth(),
            )
    yield Variant(
        "sheets: hidden last month",
        books(("Sheet1", june), ("Sheet2", may), state={"Sheet2": "hidden"}),
        truth(),
    )
    yield Variant(
        "sheets: hidden copy",
        books(("Sheet1", june), ("Sheet2", whole(lines(half))), state={"Sheet2": "hidden"}),
        truth(),
    )
    for other in (
        "上年同期",
        "2019年",
        "目标",
        "预计",
        "测算",
        "草稿",
        "核对",
        "作废",
        "同期数",
        "7月预计",
    ):
        yield Variant(f"sheets: {other}", books(("园区月报", june), (other, nameless)), truth())
        yield Variant(f"sheets: {other} alone", books((other, nameless)), {})
    yield Variant("sheets: title of last month, name of this", books(("6月", may)), {})


def _periods() -> Iterator[Variant]:
    body = lines()
    for title in ("汉滨区2020年6月末园区情况", "汉滨区2020年1-6月份园区月报",
        "汉滨区截至2020年6月底园区月报", "汉滨区2020年二季度园区月报",
                  "汉滨区2020年上半年园区季报", "汉滨区20年6月园区月报", "汉滨区2020.6园区月报",
                      "汉滨区2020-06园区月报",
                  "汉滨区202006园区月报", "汉滨区2020年06月园区月报",
                      "汉滨区2020年元月至6月园区月报", "汉滨区2020 年 1 - 6 月园区月报",
                  "汉滨区6月园区月报", "汉滨区园区月报（6月）", "汉滨区2020年第6期园区月报",
                      "汉滨区2020年1—6月园区月报（7月上报）"):  # fmt: skip
        for file in ("园区.xlsx", FILE + ".xlsx"):
            yield Variant(
                f"title {title}, {file}", xlsx(whole(body, title=title), MERGED), truth(), file
            )
    for title, file in (
        ("汉滨区2020年7月园区月报", FILE), ("汉滨区2020年1—5月园区月报", "汉滨区2020年7月上报"),
        ("汉滨区2020年5月园区月报（6月填报）", FILE), ("汉滨区2020年7月园区计划", FILE),
            ("汉滨区1—5月园区月报", FILE),
        ("汉滨区2020年6月园区预计数", FILE), ("汉滨区2020年6月园区目标任务表", FILE),
            ("汉滨区2019年园区月报", FILE),
        ("汉滨区2020年5—6月园区月报", FILE), ("汉滨区2020年6月上旬园区月报", FILE),
            ("汉滨区2020年4-6月园区月报", FILE),
        ("旬阳县2020年1—6月园区月报", FILE), ("安康市2020年1—6月园区月报", FILE),
        ("汉滨区2020年3月、6月园区月报", FILE), ("汉滨区园区月报", "7.3汉滨区园区月报"),
            ("汉滨区园区月报", "汉滨区园区月报0703"),
        ("汉滨区园区月报", "汉滨区园区月报20200703"), ("汉滨区2020年全年园区月报", FILE),
    ):  # fmt: skip
        known = truth() if title.startswith(("旬阳", "安康")) or "4-6" in title else {}
        yield Variant(
            f"title {title}, {file}", xlsx(whole(body, title=title), MERGED), known, file + ".xlsx"
        )
    for title in ("汉滨区2020年4—6月园区月报", "汉滨区2020年二季度园区月报"):
        rows = [[title], ["单位：万元"], SHORT, *short()]
        yield Variant(f"title {title}, heads without a measure", xlsx(rows), {}, FILE + ".xlsx")
    for sheet in ("5月", "1-5月", "7月"):
        yield Variant(f"sheet {sheet}, title of June", books((sheet, whole(body))), {})
    rows = whole(body)
    rows[1] = ["填报单位：汉滨区", None, "2020年7月5日", None, "单位：万元"]
    yield Variant("a filing date beside the unit", xlsx(rows, MERGED), truth())
    rows = whole(body, title="园区月报")
    rows[1] = ["填报单位：汉滨区", None, "2020年7月5日", None, "单位：万元"]
    yield Variant("only a filing date", xlsx(rows, MERGED), {}, "园区.xlsx")


# --- turned, long ----------------------------------------------------------------------------------


def _turned() -> Iterator[Variant]:
    names = ["工业总产值"] * 4 + ["营业收入"] * 2 + ["期末从业人员（人）"]
    head: list[Cell] = ["指标", "口径", "计量单位", *NAMES]
    units = ["万元", "万元", "万元", "%", "万元", "万元", "人"]
    body: Rows = [[n, SUB[k + 1], units[k], *(f[k] for f in FIGURES)] for k, n in enumerate(names)]
    yield Variant("turned", xlsx([[TITLE], [], head, *body]), truth())
    gaps: Rows = [[r[0] if k in (0, 4, 6) else None, *r[1:]] for k, r in enumerate(body)]
    yield Variant("turned, names once", xlsx([[TITLE], [], head, *gaps]), truth())
    single: Rows = [
        [f"{n}{'' if k == 6 else SUB[k + 1]}", *r[2:]]
        for k, (n, r) in enumerate(zip(names, body, strict=True))
    ]
    yield Variant(
        "turned, one column", xlsx([[TITLE], [], ["指标", "计量单位", *NAMES], *single]), truth()
    )
    below: Rows = []
    for k, row in enumerate(body):
        if k in (0, 4, 6):
            below.append([row[0]])
        below.append([SUB[k + 1], row[2], *row[3:]])
    yield Variant(
        "turned, measures as rows", xlsx([[TITLE], [], ["指标", "计量单位", *NAMES], *below]), {}
    )
    with_total: Rows = [[*r[:3], sum(f[k] for f in FIGURES), *r[3:]] for k, r in enumerate(body)]
    yield Variant(
        "turned, total first",
        xlsx([[TITLE], [], [*head[:3], "合计", *head[3:]], *with_total]),
        truth(),
    )
    of_which = [*body[:2], ["其中：规上", "本年累计", "万元", 1, 2, 3], *body[2:]]
    yield Variant("turned, of which between", xlsx([[TITLE], [], head, *of_which]), truth())
    mixed: Rows = [
        [r[0], r[1], "亿元", *(float(str(v)) * 1e-4 for v in r[3:])] if k == 1 else r
        for k, r in enumerate(body)
    ]
    yield Variant("turned, one row in 亿元", xlsx([[TITLE], [], head, *mixed]), truth())
    long: Rows = [
        [n, names[k], SUB[k + 1], units[k], f[k]]
        for n, f in zip(NAMES, FIGURES, strict=True)
        for k in range(7)
    ]
    yield Variant(
        "long",
        xlsx([[TITLE], ["园区名称", "指标名称", "口径", "计量单位", "数值"], *long]),
        truth(),
    )
    across: Rows = [
        [TITLE],
        ["园区名称", "指标名称", "计量单位", "本月", "本年累计", "上年同期", "同比±%"],
    ]
    across += [[n, "工业总产值", "万元", *f[:4]] for n, f in zip(NAMES, FIGURES, strict=True)]
    across += [
        [n, "营业收入", "万元", *f[4:6], None, None] for n, f in zip(NAMES, FIGURES, strict=True)
    ]
    yield Variant("long, measures across", xlsx(across), truth(*KEYS[:6]))
    months: Rows = [[TITLE], ["单位：万元"], ["园区名称", "月份", "工业总产值"]]
    months += [
        [n, m, f[1] * w]
        for n, f in zip(NAMES, FIGURES, strict=True)
        for m, w in (("1-5月", 0.8), ("1-6月", 1))
    ]
    yield Variant("months in rows", xlsx(months), truth(("C01", "ytd")))
    months = [[TITLE], ["单位：万元"], ["园区名称", "年份", "工业总产值"]]
    months += [
        [n, y, f[k]] for n, f in zip(NAMES, FIGURES, strict=True) for y, k in ((2019, 2), (2020, 1))
    ]
    yield Variant("years in rows", xlsx(months), truth(("C01", "ytd")))
    kind: Rows = [[TITLE], ["单位：万元"], ["园区名称", "口径", "工业总产值", "营业收入"]]
    kind += [
        [n, s, f[a], f[b]]
        for n, f in zip(NAMES, FIGURES, strict=True)
        for s, a, b in (("本月", 0, 4), ("累计", 1, 5))
    ]
    yield Variant(
        "measures in rows",
        xlsx(kind),
        truth(("C01", "month"), ("C01", "ytd"), ("C04", "month"), ("C04", "ytd")),
    )
    kind = [[TITLE], ["单位：万元"], ["园区名称", None, "工业总产值", "营业收入"], *kind[3:]]
    yield Variant(
        "measures in rows, no head",
        xlsx(kind),
        truth(("C01", "month"), ("C01", "ytd"), ("C04", "month"), ("C04", "ytd")),
    )
    only = [row for row in kind[3:] if row[1] == "本月"]
    yield Variant(
        "a row a park, each 本月",
        xlsx([*kind[:2], ["园区名称", "口径", "工业总产值", "营业收入"], *only]),
        truth(("C01", "month"), ("C04", "month")),
    )
    yield Variant(
        "a row a park, each 本月, no head",
        xlsx([*kind[:3], *only]),
        truth(("C01", "month"), ("C04", "month")),
    )


# --- programs --------------------------------------------------------------------------------------


def _programs() -> Iterator[Variant]:
    rows = whole(lines())
    csv_file = FILE + ".csv"
    comma: Rows = [
        [str(v).replace(".", ",") if isinstance(v, float) else v for v in r] for r in rows
    ]
    yield Variant("csv, decimal commas", text(comma, "utf-8-sig", ";"), truth(), csv_file)
    for encoding in ("utf-16-le", "utf-16-be", "big5", "utf-8"):
        plain = [[str(v).replace("规", "规") if v is not None else v for v in r] for r in rows]
        try:
            data = text(plain, encoding)
        except UnicodeEncodeError:
            continue
        mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
        yield Variant(f"csv {encoding}", mark + data, truth(), csv_file)
        if mark:
            yield Variant(f"csv {encoding}, no mark", data, truth(), csv_file)
    for name, make in {
        "equals": lambda v: f'="{v}"', "quote mark": lambda v: f"'{v}",
            "trailing blank": lambda v: f"{v} ",
        "tab in front": lambda v: f"\t{v}", "exponent": lambda v: f"{v:.2E}",
            "pound signs": lambda _: "########",
        "six places": lambda v: f"{v:.6f}", "thousands": lambda v: f"{v:,}", "plus": lambda v: f"+{v}",
    }.items():  # fmt: skip
        cells: Rows = [*rows[:4], *([r[0], *(make(v) for v in r[1:])] for r in rows[4:])]
        known = {} if name in ("pound signs", "exponent") else truth()
        yield Variant(f"csv, {name}", text(cells, "gb18030"), known, csv_file)
    short_lines = "\n".join([TITLE, "单位：万元", "园区名称,工业总产值,营业收入",
        f"{NAMES[0]},24,000,18000", f"{NAMES[1]},11000",
                             f"{NAMES[2]},5700,4750"])  # fmt: skip
    yield Variant("csv, a comma and a gap", short_lines.encode(), {k: v for k, v in truth(*YTD,
        parks=(1, 2)).items()
                  if k[:2] != ("SIM-AK02", "C04")}, csv_file)  # fmt: skip
    spaced = "\n".join(
        [
            TITLE,
            "单位：万元",
            "园区名称 工业总产值 营业收入",
            *(f"{r[0]} {r[1]} {r[2]}" for r in short()),
        ]
    )
    yield Variant("text with blanks between", spaced.encode(), truth(*YTD), FILE + ".txt")
    yield from _binary()


def _binary() -> Iterator[Variant]:
    def book(rows: Rows, code: str | None, cells: Callable[[int, int], bool]) -> bytes:
        made = xlwt.Workbook(encoding="utf-8")
        sheet = made.add_sheet("园区月报")
        style = xlwt.easyxf(num_format_str=code) if code else xlwt.Style.default_style
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                if value is not None:
                    sheet.write(r, c, value, style if cells(r, c) else xlwt.Style.default_style)
        return _saved(made)

    everywhere: Callable[[int, int], bool] = lambda r, c: r >= 3 and c >= 1  # noqa: E731
    for code, factor in (
        ("0!.0,", 1e4),
        ("#,##0,", 1e3),
        ('0.00"亿元"', 1e-4),
        ("#,##0.00", 1),
        ("0.0,,", 1e6),
    ):
        data = book(table("单位：万元", SHORT, short(factor)), code, everywhere)
        yield Variant(f"xls, format {code}", data, truth(*YTD), FILE + ".xls")
        yield Variant(
            f"ods, format {code}",
            _ods(table("单位：万元", SHORT, short(factor)), code),
            truth(*YTD),
            FILE + ".ods",
        )
    yield Variant("xls, a number shown as a date", book(whole(lines()), "yyyy/m/d", lambda r, c: (r,
        c) == (4, 2)),
                  without(truth(), (0, "C01", "ytd")), FILE + ".xls")  # fmt: skip
    grown: Rows = [
        [TITLE],
        ["单位：万元"],
        ["园区名称", "工业总产值", None],
        [None, "本年累计", "同比增长%"],
    ]
    grown += [[r[0], r[2], float(str(r[4])) / 100] for r in lines()]
    keys = (("C01", "ytd"), ("C01", "yoy_published"))
    yield Variant(
        "xls, growth shown as per cent",
        book(grown, "0.0%", lambda r, c: r >= 4 and c == 2),
        truth(*keys),
        FILE + ".xls",
    )
    yield Variant("ods, plain", _ods(whole(lines()), None), truth(), FILE + ".ods")


def _ods(rows: Rows, code: str | None) -> bytes:
    """The rows as an OpenDocument sheet, its numbers in a format."""
    from odf.number import Number, NumberStyle, Text
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.style import Style
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    document = OpenDocumentSpreadsheet()
    shown: dict[str, Any] = {}
    if code:
        factor = {"0!.0,": 1000, "#,##0,": 1000, "0.0,,": 1_000_000}.get(code)
        style = NumberStyle(name="N1")
        more = {"displayfactor": str(factor)} if factor else {}
        style.addElement(Number(decimalplaces="0", minintegerdigits="1", **more))
        if "亿" in code:
            style.addElement(Text(text="亿元"))
        document.automaticstyles.addElement(style)
        cell_style = Style(name="ce1", family="table-cell", datastylename="N1")
        document.automaticstyles.addElement(cell_style)
        shown = {"stylename": cell_style}
    sheet = Table(name="园区月报")
    for row in rows:
        line = TableRow()
        for value in row:
            if value is None:
                line.addElement(TableCell())
            elif isinstance(value, str):
                cell = TableCell(valuetype="string")
                cell.addElement(P(text=value))
                line.addElement(cell)
            else:
                cell = TableCell(valuetype="float", value=str(value), **shown)
                cell.addElement(P(text=str(value)))
                line.addElement(cell)
        sheet.addElement(line)
    document.spreadsheet.addElement(sheet)
    return _saved(document)


# --- ordinary --------------------------------------------------------------------------------------


def _ordinary() -> Iterator[Variant]:
    """Forms that resemble a refused one and say nothing odd: to be read whole."""
    body = lines()
    for title in (
        "汉滨区2020年1—6月园区目标任务完成情况表", "汉滨区2020年1-6月园区经济运行监测表",
        "汉滨区2020年上半年重点任务进展情况", "2020年6月份县域工业集中区统计报表（与上年同期对比）",
        "汉滨区发展计划局2020年1—6月园区月报", "2020年1—6月园区月报（计划外）",
        "汉滨区2020年1—6月园区建设项目计划进度表",
    ):  # fmt: skip
        yield Variant(f"ordinary title {title}", xlsx(whole(body, title=title), MERGED), truth())
    for head, cell in (
        ("主导产业", "食品"), ("级别", "县级"), ("类别", "县域工业集中区"),
        ("批准时间", "2009年5月"),
        ("月份", "1-6月"), ("月份", 6), ("报告期", 202006), ("备注", "以万元为单位"), ("备注", "甲单位为主"),
    ):  # fmt: skip
        yield _beside(head, cell, truth(*YTD))
    for head, cell in (
        ("报告期", 202005),
        ("报告期", date(2020, 5, 1)),
        ("年份", 2019),
        ("月份", 5),
    ):
        yield _beside(head, cell, {})
    p1, p2, p3 = body
    for section in (
        "省级工业集中区", "一、重点园区", "以下为新增园区", "上年新设园区", "（计划扩区园区）",
        "目标任务园区", "2019年新增园区", "2018年批准设立的园区", "已达产园区（2017年）", "注：2019年扩区",
    ):  # fmt: skip
        rows = whole([p1, [section], p2, p3])
        yield Variant(f"ordinary section {section}", xlsx(rows, MERGED), truth())
    for unit in (
        "万元、公顷、人、户、%",
        "万元，万平方米",
        "万元 人 %",
        "万元、万美元",
        "万元、亿千瓦时",
        "万元/人",
    ):
        data = xlsx(table(f"单位：{unit}", SHORT, short()))
        yield Variant(f"ordinary unit line {unit}", data, truth(*YTD))
    for sheet in (
        "6月", "1-6月", "2020", "2020年6月", "6", "202006", "上半年", "二季度", "0630", "20200630",
        "20200703", "附件5", "5", "第6期", "2020年度",
    ):  # fmt: skip
        yield Variant(f"ordinary sheet {sheet}", books((sheet, whole(body))), truth())


def _beside(head: str, cell: Cell, known: Truth) -> Variant:
    """A column of words or months beside the parks, the same in each row."""
    rows: Rows = [[r[0], cell, r[1], r[2]] for r in short()]
    data = xlsx(table("单位：万元", ["园区名称", head, "工业总产值", "营业收入"], rows))
    return Variant(f"beside the parks: {head} {cell}", data, known)
