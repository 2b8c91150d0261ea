"""One target explained so that a statistician sees why a light has its colour.

Belongs here: the order and words of the explanation: clause, what is asked, each judged object with
its figures, the light rule step by step, other documents, other methods. Does not belong here:
judging, or fetching the rows (the caller has them).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from assets.targets import wording
from assets.targets.rule import rule_in_use
from methods.progress import LightRule
from warehouse.words import LIGHT_ZH, VERDICT_ZH

if TYPE_CHECKING:
    from warehouse.catalog.load import Catalog
    from warehouse.catalog.models import Target

Row = Mapping[str, Any]

STRENGTH_ZH = {
    "binding": "硬性（可判红）",
    "expected": "预期性（力争、左右、一般：只提示，最多黄灯）",
    "directional": "导向性（引导、鼓励、支持：只提示，最多黄灯）",
}
CLASS_ZH = {
    "Q": "定量目标",
    "R": "规则类条款",
    "P": "项目或企业层面的政策参数",
    "F": "是否类要求",
    "U": "只要求开展、未规定数量",
}
COMPUTABLE_ZH = {
    "park_stats": "由园区报表逐园计算",
    "aggregate_park_stats": "由园区报表汇总计算",
    "park_registry": "由园区登记事项认定（补录 figures.csv）",
    "assessment_results": "由年度考核结果认定（补录 figures.csv）",
    "needs_external": "由其他部门提供（补录 figures.csv）",
    "manual_flag": "由人工认定（parkwatch tick 或补录 ticks.csv）",
}
METHOD_ZH = {
    "statcan_ratio": "加拿大统计局/Open SDG：实际与所需复合增速之比",
    "statcan_score": "同上，−5至5分",
    "statcan_limit": "同上，接近自然上限的系数",
    "un_chart": "联合国进展图：外推到期限的完成比",
    "escap_status": "亚太经社会现状指数：0为基期，10为目标",
    "linear_pace": "直线进度：已走完的比例除以已过时间的比例",
}


@dataclass(frozen=True, slots=True)
class Page:
    """The explanation of one target: the clause, and a section for each judged object."""

    clause: tuple[str, ...]
    rule: tuple[str, ...]
    objects: tuple[Mapping[str, Any], ...]

    def lines(self) -> Iterator[str]:
        """Plain text, ready to print."""
        yield from self.clause
        yield ""
        yield from self.rule
        for one in self.objects:
            yield ""
            yield f"■ {one['name']}：{one['light']}灯 · {one['verdict']}"
            yield from (f"  {line}" for line in one["lines"])

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "clause": list(self.clause),
            "rule": list(self.rule),
            "objects": [dict(one) for one in self.objects],
        }


def explained(
    catalog: Catalog,
    target_id: str,
    rows: Sequence[Row],
    lights: Sequence[Row],
    methods: Sequence[Row],
) -> Page:
    """Page of one target from its rows of ``targets.verdict``, ``overall``, ``reference_method``.

    Raises UnknownIdError for a target the catalogue does not have.
    """
    target = catalog.target(target_id)
    rule = rule_in_use(catalog.light_rules)
    return Page(
        tuple(_clause(catalog, target)),
        tuple(_rule_lines(rule)),
        tuple(_object(row, target, rule, lights, methods) for row in rows),
    )


def _clause(catalog: Catalog, target: Target) -> Iterator[str]:
    document = catalog.document(target.document_id)
    yield f"{target.target_id}  {document.doc_no}《{document.title}》{target.clause}"
    yield f"原文：“{target.quote}”"
    asked = wording.amount(target) if target.cls == "Q" and target.unit != "是/否" else ""
    due = wording.due(target, target.period.span(document)[1])
    yield f"要求：{target.subject} {target.indicator_name}{asked}{due}"
    yield f"类别：{CLASS_ZH[target.cls]}；强度：{STRENGTH_ZH[target.strength]}"
    source = f"，提供部门：{target.needs}" if target.needs else ""
    yield f"依据：{COMPUTABLE_ZH[target.computable]}{source}"
    if target.baseline is not None:
        yield f"基期：{_baseline(target, target.base_year(document))}"
    for word, text in (("解释", target.interpretation), ("存疑", target.ambiguity)):
        if text:
            yield f"{word}：{text}"
    if target.restates:
        yield f"重复：与 {target.restates} 同一要求，两条都判定，只计一次"
    for conflict in catalog.conflicts_of(target.target_id):
        others = "、".join(name for name in conflict.target_ids if name != target.target_id)
        yield f"矛盾：{conflict.topic}。{conflict.fact}处理：{conflict.treatment}（另见{others}）"


def _baseline(target: Target, year: int) -> str:
    assert target.baseline is not None
    known = target.baseline.value
    figure = (
        "" if known is None else f"{wording.number(known)}{target.baseline.unit or target.unit}"
    )
    stated = "" if target.baseline.stated else "（原文未注明年份）"
    note = f"；{target.baseline.note}" if target.baseline.note else ""
    return f"{year}年{figure}{stated}{note}"


def _rule_lines(rule: LightRule) -> Iterator[str]:
    official = "" if rule.official or "建议值" in rule.title else "（建议值，非官方）"
    yield f"灯色规则：{rule.title}{official}"
    yield f"  按进度差：{'；'.join(_bands(rule))}"
    if rule.growth_red_below_pct is not None:
        below = wording.number(rule.growth_red_below_pct)
        yield f"  增速目标未达到且增速低于{below}%，直接红灯；1—{rule.early_months}月不单独判红"
    if rule.chances:
        words = "；".join(
            f"{LIGHT_ZH[band.light]}：不低于{wording.number(band.from_probability * 100)}%"
            for band in rule.chances
        )
        yield f"  有经检验的达标概率时改按概率：{words}"


def _bands(rule: LightRule) -> Iterator[str]:
    for band in rule.bands:
        bound = "更低" if band.from_gap_pp is None else f"不低于{wording.number(band.from_gap_pp)}"
        yield f"{LIGHT_ZH[band.light]}：{bound}" + ("" if band.from_gap_pp is None else "个百分点")


def _object(
    row: Row, target: Target, rule: LightRule, lights: Sequence[Row], methods: Sequence[Row]
) -> dict[str, Any]:
    place = (row["scope_code"], row["park_id"])
    own = [one for one in methods if (one["scope_code"], one["park_id"]) == place]
    subject = ("", row["park_id"]) if row["park_id"] else (row["scope_code"], "")
    over = [one for one in lights if (one["scope_code"], one["park_id"]) == subject]
    return {
        "name": row.get("name") or f"地区{row['scope_code']}",
        "scope_code": row["scope_code"],
        "park_id": row["park_id"],
        "light": LIGHT_ZH[row["light"]],
        "verdict": VERDICT_ZH[row["verdict"]],
        "lines": [
            *_figures(row),
            *_why(row, target, rule),
            f"理由：{row['reason']}",
            *(f"依据数字：{figure}" for figure in (row["figure_ids"] or [])[:8]),
            *(f"同一事项的总灯：{one['reason']}" for one in over),
            *(_method(one) for one in own),
        ],
    }


def _figures(row: Row) -> Iterator[str]:
    unit = row["unit"] or ""
    if unit == "是/否":
        return
    names = (
        ("actual", "实绩", unit), ("required", "目标", unit), ("baseline", "基期", unit),
        ("completion_pct", "完成率", "%"), ("time_progress_pct", "时间进度", "%"),
        ("gap_pp", "差", "个百分点"), ("pace_ratio", "进度比", ""),
        ("still_required", "尚需", unit),
    )  # fmt: skip
    words = [f"{zh}{_number(row[name])}{per}" for name, zh, per in names if row[name] is not None]
    if row["probability"] is not None:
        words.append(f"达标概率{wording.number(row['probability'] * 100)}%")
    if words:
        yield "数字：" + "，".join(words)


def _number(value: Decimal) -> str:
    return wording.number(value)


def _why(row: Row, target: Target, rule: LightRule) -> Iterator[str]:
    """The light, step by step."""
    if row["light"] == "grey":
        yield f"灯色：灰，未判定（{VERDICT_ZH[row['verdict']]}）"
        return
    light = LIGHT_ZH[row["light"]]
    if row["light_basis"] == "probability":
        yield f"灯色：按达标概率，落在{light}灯一档"
    elif row["verdict"] == "met":
        yield "灯色：已达到，绿灯"
    elif row["gap_pp"] is None:
        yield f"灯色：未达到，没有进度可比，{light}灯"
    else:
        band = "；".join(_bands(rule))
        yield f"灯色：差{_number(row['gap_pp'])}个百分点，对照（{band}），{light}灯"
    if target.strength != "binding" and row["verdict"] in ("behind", "far_behind"):
        yield f"  {STRENGTH_ZH[target.strength]}"
    elif row["verdict"] == "behind" and row["light"] == "yellow":
        yield "  资料不足以判红（如1—2月、无基期数、年内活动）或差距在黄灯档内"


def _method(row: Row) -> str:
    name, _, rule = row["method"].partition(":")
    title = f"按{row['note']}" if rule else METHOD_ZH.get(name, row["method"])
    value = "无结果" if row["value"] is None else wording.number(row["value"], 4)
    kind = f"，{LIGHT_ZH.get(row['class_id'], row['class_id'])}" if row["class_id"] else ""
    note = f"（{row['note']}）" if row["note"] and not rule else ""
    return f"参照 {title}：{value}{kind}{note}"
