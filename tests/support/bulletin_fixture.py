"""A bulletin's input as the warehouse would give it: simulated parks with made-up names.

Belongs here: deterministic rows for tests of the bulletin and delivery stages. Does not belong
here: expectations. County names are real places of 陕西省 (610000); every park is invented.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from assets.bulletins.data import (
    AreaRow,
    BulletinData,
    GapRow,
    Indicator,
    Issuer,
    OverallRow,
    ParkRow,
    RecordRow,
    ReporterRow,
    RevisedRow,
    Scheme,
    ScoreRow,
    TriggerRow,
    VerdictRow,
    WayRow,
    YearEndRow,
    rows_of,
)

D = Decimal
BEIJING = timezone(timedelta(hours=8))

# county, code, city, made-up park name
COUNTIES = (
    ("鄠邑区", "610118", "西安市", "秦甲"),
    ("蓝田县", "610122", "西安市", "玉川乙"),
    ("周至县", "610124", "西安市", "丙水"),
    ("宜君县", "610222", "铜川市", "丁山"),
    ("耀州区", "610204", "铜川市", "戊塬"),
    ("岐山县", "610323", "宝鸡市", "己原"),
    ("扶风县", "610324", "宝鸡市", "庚河"),
    ("千阳县", "610328", "宝鸡市", "辛岭"),
    ("凤翔区", "610305", "宝鸡市", "壬台"),
    ("乾县", "610424", "咸阳市", "癸丘"),
    ("礼泉县", "610425", "咸阳市", "子谷"),
    ("兴平市", "610481", "咸阳市", "丑桥"),
    ("彬州市", "610482", "咸阳市", "寅川"),
    ("潼关县", "610522", "渭南市", "卯关"),
    ("合阳县", "610524", "渭南市", "辰洼"),
    ("蒲城县", "610526", "渭南市", "巳滩"),
    ("富平县", "610528", "渭南市", "午坡"),
    ("志丹县", "610625", "延安市", "未沟"),
    ("安塞区", "610603", "延安市", "申峁"),
    ("黄陵县", "610632", "延安市", "酉店"),
    ("城固县", "610722", "汉中市", "戌坝"),
    ("洋县", "610723", "汉中市", "亥湾"),
    ("略阳县", "610727", "汉中市", "天峡"),
    ("府谷县", "610822", "榆林市", "地梁"),
    ("神木市", "610881", "榆林市", "玄畔"),
    ("吴堡县", "610829", "榆林市", "黄渠"),
    ("石泉县", "610922", "安康市", "宇潭"),
    ("宁陕县", "610923", "安康市", "宙坪"),
    ("旬阳市", "610981", "安康市", "洪口"),
    ("丹凤县", "611022", "商洛市", "荒岔"),
    ("柞水县", "611026", "商洛市", "日窑"),
    ("山阳县", "611024", "商洛市", "月堰"),
)
CITIES = {
    "610100": "西安市", "610200": "铜川市", "610300": "宝鸡市", "610400": "咸阳市",
    "610500": "渭南市", "610600": "延安市", "610700": "汉中市", "610800": "榆林市",
    "610900": "安康市", "611000": "商洛市",
}  # fmt: skip

INDICATORS = rows_of(
    Indicator,
    [
        {"indicator_id": "C04", "name_zh": "营业收入", "unit": "万元", "kind": "flow",
         "definition": "园区内规模以上工业企业日常经营活动取得的收入总额，不等同于工业总产值"},
        {"indicator_id": "C01", "name_zh": "工业总产值", "unit": "万元", "kind": "flow",
         "definition": "按现价计算的工业最终产品和劳务总价值"},
        {"indicator_id": "D02", "name_zh": "上缴税金", "unit": "万元", "kind": "flow",
         "definition": "企业实际缴纳的各项税金"},
        {"indicator_id": "F01", "name_zh": "固定资产投资", "unit": "万元", "kind": "flow",
         "definition": "本年完成的固定资产投资额"},
        {"indicator_id": "E01", "name_zh": "从业人员", "unit": "人", "kind": "stock",
         "decimals": 0, "definition": "报告期末在岗从业人数"},
        {"indicator_id": "B01", "name_zh": "入驻企业", "unit": "户", "kind": "stock",
         "decimals": 0, "definition": "报告期末在园区内登记并经营的企业数"},
        {"indicator_id": "B03", "name_zh": "规模以上工业企业", "unit": "户", "kind": "stock",
         "decimals": 0, "definition": "年主营业务收入二千万元及以上的工业法人企业数"},
    ],
)  # fmt: skip


def _wave(seed: int, low: int, high: int) -> int:
    """A fixed spread of whole numbers between ``low`` and ``high``: no random generator."""
    return low + (seed * 7919 + 104729) % (high - low + 1)


def _area_rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    scale = {"C04": 3_000_000, "C01": 2_600_000, "D02": 140_000, "F01": 700_000,
             "E01": 90_000, "B01": 620, "B03": 110}  # fmt: skip
    order = [i.indicator_id for i in INDICATORS]
    for number, (code, name) in enumerate(CITIES.items()):
        for position, key in enumerate(order):
            seed = 31 * number + 7 * position
            prior = D(scale[key]) * _wave(seed, 45, 150) / 100
            yoy = D(_wave(seed + 3, -45, 128)) / 10
            counted = key in ("E01", "B01", "B03")
            value = (prior * (1 + yoy / 100)).quantize(D(1) if counted else D("0.01"))
            prior = prior.quantize(D(1) if counted else D("0.01"))
            rows.append(
                {"scope_code": code, "scope_name": name, "indicator_id": key, "value": value,
                 "value_prior": prior, "yoy_pct": (value / prior - 1) * 100,
                 "n_parks": 10, "n_growth": 10, "n_levels": 10 if counted else 0,
                 "n_reported": 7 if code == "610800" else 10}
            )  # fmt: skip
    for key in order:
        value = sum((r["value"] for r in rows if r["indicator_id"] == key), D(0))
        prior = sum((r["value_prior"] for r in rows if r["indicator_id"] == key), D(0))
        rows.append(
            {"scope_code": "610000", "scope_name": "陕西省", "indicator_id": key, "value": value,
             "value_prior": prior, "yoy_pct": (value / prior - 1) * 100,
             "previous_yoy_pct": (value / prior - 1) * 100 - D("0.43"),
             "previous_n_reported": 97, "n_growth": 97,
             "n_levels": 97 if key in ("E01", "B01", "B03") else 9,
             "n_carried": 3 if key in ("E01", "B01", "B03") else 0,
             "n_parks": 100, "n_reported": 97}
        )  # fmt: skip
    return rows


PROVINCE = {"scope_code": "610000", "document_id": "SN18", "document_scope_code": "610000",
            "document_scope_name": "陕西省", "doc_no": "陕政办发〔2018〕20号", "clause": "一（二）②",
            "comparator": ">=", "seasonal_progress_pct": None, "time_progress_pct": D("62.5"),
            "park_id": None, "reason": None}  # fmt: skip
CITY = {**PROVINCE, "scope_code": "610900", "document_id": "AK18", "document_scope_code": "610900",
        "document_scope_name": "安康市", "doc_no": "安政办发〔2018〕72号"}  # fmt: skip


def _verdict_rows() -> list[dict[str, Any]]:
    """Area targets of a province's and a city's document, then one clause park by park."""
    own: list[dict[str, Any]] = [
        {"target_id": "SN18-1.2-09", "title": "重点园区营业收入",
         "subject": "全省重点建设县域工业集中区合计", "unit": "亿元", "target_value": D(15000),
         "actual": D("3431.1795"), "completion_pct": D("22.87453"), "time_progress_pct": D(50),
         "gap_pp": D("-15.63983"), "light": "red", "verdict": "far_behind",
         "probability": D("0.0123"), "light_basis": "probability"},
        {"target_id": "SN18-1.2-10", "title": "重点园区入驻企业数", "comparator": ">",
         "unit": "户", "target_value": D(10000), "actual": D(6121),
         "completion_pct": D("61.21"), "gap_pp": D("9.18"), "light": "green",
         "verdict": "on_pace", "probability": D("0.7351"), "light_basis": "pace"},
        {"target_id": "SN18-1.2-11", "title": "重点园区从业人员", "comparator": ">",
         "unit": "万人", "target_value": D(150), "actual": D("74.97"),
         "completion_pct": D("49.98"), "gap_pp": D("-0.02"), "light": "yellow",
         "verdict": "behind"},
        {"target_id": "SN18-2.8-03", "title": "标准化厂房面积", "clause": "二（八）",
         "unit": "万平方米", "target_value": D(1000), "actual": D("1302.4"),
         "completion_pct": D("130.24"), "gap_pp": D("229.87"), "light": "green",
         "verdict": "met"},
        {"target_id": "SN18-1.2-07", "title": "县域工业增加值占县域生产总值比重",
         "unit": "%", "target_value": None, "actual": None, "completion_pct": None,
         "gap_pp": None, "time_progress_pct": None, "light": "grey", "verdict": "no_data",
         "reason": "县级生产总值核算数未接入"},
        {"target_id": "SN18-1.2-08", "title": "县域工业增加值占全省工业增加值比重",
         "comparator": "~=", "unit": "%", "target_value": D(60), "actual": None,
         "completion_pct": None, "gap_pp": None, "time_progress_pct": None, "light": "grey",
         "verdict": "not_comparable", "reason": "园区只有工业总产值，不得用来比对增加值目标"},
        {"target_id": "SN18-2.12-01", "title": "示范工业集中区数", "clause": "二（十二）",
         "unit": "个", "target_value": D(50), "actual": D(20), "completion_pct": D(40),
         "gap_pp": D("-22.5"), "light": "red", "verdict": "far_behind", "restated": True},
    ]  # fmt: skip
    city: list[dict[str, Any]] = [
        {"target_id": "AK18-1.2-08", "title": "重点园区营业收入", "unit": "亿元",
         "target_value": D(2000), "actual": D("513.9"), "completion_pct": D("25.695"),
         "time_progress_pct": D(50), "gap_pp": D("-18.578"), "light": "red",
         "verdict": "far_behind", "probability": D("0.051"), "light_basis": "probability"},
        {"target_id": "AK18-2.4-01", "title": "建成面积年均增长", "clause": "二（四）",
         "unit": "%", "target_value": D(15), "actual": D("10.267"), "completion_pct": None,
         "time_progress_pct": None, "gap_pp": D("-4.733"), "light": "yellow",
         "verdict": "behind"},
    ]  # fmt: skip
    return [{**PROVINCE, **row} for row in own] + [{**CITY, **row} for row in city] + _each_park()


def _each_park() -> list[dict[str, Any]]:
    rows = []
    for number, (_, code, _, word) in enumerate(COUNTIES):
        actual = D(_wave(number, 4, 31))
        good = actual >= 10
        rows.append(
            {**PROVINCE, "target_id": "SN18-2.6-02", "title": "规模以上企业数",
             "subject": "每个集中区和产业园区", "clause": "二（六）", "unit": "户",
             "park_id": f"SIM-{code}", "each": True, "member": f"{word}工业集中区",
             "target_value": D(10), "actual": actual, "completion_pct": actual * 10,
             "gap_pp": None if good else actual * 10 - D("62.5"),
             "light": "green" if good else "red", "verdict": "met" if good else "far_behind"}
        )  # fmt: skip
    return rows


SCHEMES = rows_of(
    Scheme,
    [
        {"scheme_id": "key", "name": "重点建设县域工业集中区", "short": "重点园区",
         "note": "建议值，非官方", "red_chance": D("0.5"), "watch_chance": D("0.2")},
        {"scheme_id": "demo", "name": "示范县域工业集中区", "short": "示范园区",
         "note": "建议值，非官方", "red_chance": D("0.5"), "watch_chance": D("0.2")},
    ],
)  # fmt: skip


GROUPS = (
    ("key", "A", "关中片区", 0, 17, 3),
    ("key", "B", "陕北陕南片区", 17, 32, 3),
    ("demo", "A", "", 2, 14, 2),
)  # fmt: skip
"""Scheme, class, class name, first and last county, last k."""
UNREPORTED = "吴堡县"
INCOMPLETE = "潼关县"


def _score_rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for scheme, class_id, class_name, first, last, k in GROUPS:
        parks = COUNTIES[first:last]
        scores = {
            code: D(_wave(11 * i + first, 4200, 9600)) / 100
            for i, (county, code, _, _) in enumerate(parks)
            if county != UNREPORTED
        }
        ranked = sorted(scores.values(), reverse=True)
        for i, (county, code, city, word) in enumerate(parks):
            score = scores.get(code)
            rank = None if score is None else ranked.index(score) + 1
            in_last = rank is not None and rank > len(ranked) - k
            rows.append(
                {"scheme_id": scheme, "class_id": class_id, "class_name": class_name,
                 "park_id": f"SIM-{code}", "park_name": f"{word}工业集中区",
                 "county_name": county, "city_name": city, "score": score, "rank": rank,
                 "n": len(ranked), "last_k": k, "in_last_k": in_last, "official": False,
                 "eligible": rank is not None, "weak": ("营业收入增速", "亩均总产值"),
                 "exclusion_reason": None if rank else "本期未报",
                 "previous_rank": None if rank is None or i == 5 else max(1, rank + i % 4 - 1),
                 "streak": i % 4 if in_last else 0, "complete": county != INCOMPLETE,
                 "light": ("red" if i % 2 else "yellow") if in_last else "green",
                 **_risk(rank, len(ranked), k, i)}
            )  # fmt: skip
    return rows


def _risk(rank: int | None, n: int, k: int, seed: int) -> dict[str, Any]:
    """What the simulation says of the year's end: more likely last, the lower the rank now."""
    if rank is None:
        return {}
    above = n - k - rank + 1  # places above the zone, 0 and less inside it
    chance = D("0.997") if rank == n else D("0.62") if above <= 0 else D("0.001")
    return {"p_last_k": chance, "rank_p10": max(1, rank - 2), "rank_p90": min(n, rank + 1),
            "not_distinguishable": -1 <= above <= 1, "calibrated_pct": D("74.5"), "draws": 2000,
            "change": ("new" if seed % 3 == 0 else "persisting") if above <= 0
            else "resolved" if above == 1 else ""}  # fmt: skip


OVERALL = rows_of(
    OverallRow,
    [
        {"scope_code": "610000", "topic": f"C{number:02d}", "title": title, "light": light,
         "n_targets": 1 + number % 2, "n_judged": int(light != "grey"), "n_conflicts": number % 2}
        for number, (title, light) in enumerate(
            [("营业收入", "red"), ("从业人员", "yellow"), ("入驻企业数", "green"),
             ("标准化厂房面积", "green"), ("增加值占比", "grey")])
    ],
)  # fmt: skip
RECORDS = rows_of(
    RecordRow,
    [
        {"indicator_id": key, "name": name, "year": 2020, "month": 6, "n_years": 3,
         "n_forecasts": 285 - number, "covered_80": D("81.4") + number, "covered_90": D("90.2"),
         "mape": D("2.66"), "mape_last_year": D("4.13"), "brier": D("0.0412"),
         "brier_calendar": D("0.347")}
        for number, (key, name) in enumerate([("C04", "营业收入"), ("C01", "工业总产值")])
    ],
)  # fmt: skip


def _way_rows(scores: Sequence[ScoreRow]) -> list[dict[str, Any]]:
    """Ways of two parks: one has some, one has none that would do."""
    last = [row for row in scores if row.in_last_k][:2]
    levers = (("C04", "营业收入", "万元", D("4414.02"), D("2.46"), D("62.65"), True),
              ("D02", "上缴税金", "万元", D("466.33"), D("3.77"), D("29.25"), True),
              ("C05", "综合能耗", "吨标准煤", D("-812"), D("9.1"), D("99.5"), False),
              ("*", "各项指标同时改善", "%", D("0.587"), None, None, True))  # fmt: skip
    return [
        {"scheme_id": row.scheme_id, "class_id": row.class_id, "park_id": row.park_id,
         "park_name": row.park_name, "lever": lever, "lever_name": name, "unit": unit,
         "extra_amount": None if place else extra, "pct_of_remaining": None if place else share,
         "surprise_pct": surprise, "realistic": can and not place}
        for place, row in enumerate(last)
        for lever, name, unit, extra, share, surprise, can in levers
    ]  # fmt: skip


def _gap_rows() -> list[dict[str, Any]]:
    return [
        {"park_id": f"SIM-610829-{number}", "park_name": name, "reporter": "610829",
         "reporter_name": "吴堡县工信局", "why": "missing", "earlier_stands": False,
         "indicator_name": "营业收入", "basis_period": "2020-05", "share_pct": share}
        for number, (name, share) in enumerate(
            [("黄渠工业集中区", D("0.857")), ("黄渠东园", D("0.459")), ("黄渠西园", None)])
    ]  # fmt: skip


def _reporter_rows() -> list[dict[str, Any]]:
    rows = []
    for number, (county, code, _, _) in enumerate(COUNTIES):
        missing = county == UNREPORTED
        late = county in (INCOMPLETE, "略阳县", "府谷县")
        rows.append(
            {"reporter_id": code, "name": f"{county}工信局", "region_code": code,
             "status": "missing" if missing else "late" if late else "on_time",
             "parks_expected": 3 + (number % 9 == 0), "parks_reported": 0 if missing
             else 3 + (number % 9 == 0), "files": 0 if missing else 1 + (number % 5 == 0),
             "files_returned": int(number % 13 == 4), "n_error": 2 * (number % 13 == 4),
             "n_verify": 0 if missing else int(number % 6 == 0), "n_hint": number % 3}
        )  # fmt: skip
    return rows


def _park_rows() -> list[dict[str, Any]]:
    rows = []
    for number, (county, code, city, word) in enumerate(COUNTIES):
        for position, key in enumerate(("C04", "C01")):
            prior = D(_wave(13 * number + position, 20_000, 900_000))
            value = (
                None if county == UNREPORTED else prior * _wave(number + position, 80, 130) / 100
            )
            rows.append(
                {"park_id": f"SIM-{code}", "park_name": f"{word}工业集中区",
                 "city_code": f"{code[:4]}00", "city_name": city, "indicator_id": key,
                 "value": value, "value_prior": prior,
                 "yoy_pct": None if value is None else (value / prior - 1) * 100}
            )  # fmt: skip
    return rows


def bulletin_data(**changes: Any) -> BulletinData:
    """A full province bulletin of 2020-06; ``changes`` replace fields."""
    scores = rows_of(ScoreRow, _score_rows(), "assessment.score")
    watch = next(s for s in scores if s.in_last_k)
    triggers = [
        {"scheme_id": watch.scheme_id, "park_id": watch.park_id, "trigger_id": "W1",
         "label": "位于组内末位区间", "shown_elsewhere": True},
        {"scheme_id": watch.scheme_id, "park_id": watch.park_id, "trigger_id": "W3",
         "label": "连续二期各有二项以上约束性目标红灯"},
    ]  # fmt: skip
    data = BulletinData(
        period="2020-06",
        previous_period="2020-05",
        scope_code="610000",
        issuer=Issuer(
            bureau="园区运行监测演示办公室",
            letterhead="园区运行监测演示办公室文件",
            recipients=("各设区市工业和信息化局", "各有关县（市、区）工业和信息化主管部门"),
            copies=("省政府办公厅", "省统计局", "省发展改革委", "省财政厅"),
            printer="园区运行监测演示办公室",
            contact="监测组 029-00000000",
            doc_number=None,
            region_word="全省",
        ),
        as_of=datetime(2020, 7, 20, 18, 0, tzinfo=BEIJING),
        issue_date=date(2020, 7, 22),
        filing_deadline=date(2020, 7, 15),
        reply_by=date(2020, 8, 5),
        simulated=True,
        lead_indicator_id="C04",
        indicators=INDICATORS,
        areas=rows_of(AreaRow, _area_rows(), "indicators.area_year"),
        verdicts=rows_of(VerdictRow, _verdict_rows(), "targets.verdict"),
        schemes=SCHEMES,
        scores=scores,
        triggers=rows_of(TriggerRow, triggers, "assessment.watch"),
        parks=rows_of(ParkRow, _park_rows(), "indicators.park_year"),
        overall=OVERALL,
        records=RECORDS,
        year_end=rows_of(
            YearEndRow,
            [
                {
                    "area_code": "610000",
                    "indicator_id": "C04",
                    "year": 2020,
                    "n_parks": 97,
                    "p05": D(70_512_345),
                    "p10": D(71_034_567),
                    "p50": D(73_111_222),
                    "p90": D(75_222_333),
                    "p95": D(75_812_222),
                    "calibrated": True,
                    "months": (
                        ("2020-02", D(9_512_340)),
                        ("2020-05", D(27_812_345)),
                        ("2020-06", D(34_311_795)),
                    ),
                }
            ],
        ),
        ways=rows_of(WayRow, _way_rows(scores), "assessment.way_out"),
        gaps=rows_of(GapRow, _gap_rows(), "quality.gap"),
        revised=(
            RevisedRow(period="2020-05", n_figures=4, n_parks=2),
            RevisedRow(period="2020-06", n_figures=7, n_parks=3),
        ),
        unreported=("黄渠工业集中区", "黄渠东园", "黄渠西园"),
        reporters=rows_of(ReporterRow, _reporter_rows(), "submissions.submission"),
        status_mark="送审稿",
        audience="省级考核岗",
        data_digest="9f2c41d07be35a6810cfb1d2e4a86f3375c0d9e8b1a24f60",
        rules_digest="41b7d0c2f5e86a9310adbc4475f60e2d9913cc7a08e5b6d1",
    )
    return replace(data, **changes)


def page_count(pdf: bytes) -> int:
    """Pages of a typeset PDF, from its page tree."""
    return max(int(n) for n in re.findall(rb"/Type\s*/Pages\b[^>]*?/Count\s+(\d+)", pdf))
