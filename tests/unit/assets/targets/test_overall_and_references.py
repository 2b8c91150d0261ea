"""One light for each subject and topic; other trackers' methods; the page that explains a light."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from assets.targets.evidence import Evidence, YearEnd
from assets.targets.judge import judge_all
from assets.targets.overall import overall, topic_of
from assets.targets.page import explained
from assets.targets.reference import reference_rows
from tests.support import judging
from tests.support.judging import park
from warehouse.catalog.load import load_catalog
from warehouse.catalog.models import Target

D = Decimal


def evidence(period: str, values: dict[str, Any], **more: Any) -> Evidence:
    """Parks with figures, on the shipped catalogue."""
    parks = more.pop("parks", None) or [park(name) for name in values]
    return Evidence(
        period=period,
        parks=tuple(parks),
        values=judging.values(values),
        convert=judging.convert,
        documents=judging.documents(),
        indicators=judging.indicators(),
        rule=judging.rules()["recommended"],
        **more,
    )


def lights(targets: list[Target], e: Evidence) -> dict[tuple[str, str], str]:
    """Overall light by subject and topic."""
    rows = judge_all(targets, e)
    by_id = {target.target_id: target for target in targets}
    return {(r.park_id or r.scope_code, r.topic): r.light
            for r in overall(rows, by_id, judging.documents())}  # fmt: skip


def test_different_indicators_never_share_a_topic() -> None:
    revenue, output = judging.shipped()["SN18-1.2-15"], judging.shipped()["AK18-1.2-15"]
    assert topic_of(revenue) != topic_of(output)
    growth, level = judging.shipped()["SN18-2.12-02"], judging.shipped()["SN18-1.2-09"]
    assert topic_of(growth) != topic_of(level)
    each, mean = judging.shipped()["SN18-2.6-02"], judging.shipped()["XA19-2.6-02"]
    assert topic_of(each) != topic_of(mean)  # 平均达标不等于逐园达标
    assert topic_of(judging.shipped()["AK18-2.9-04"]) == topic_of(each)


def test_a_binding_clause_decides_before_a_worse_expected_one() -> None:
    binding = judging.altered("SN18-2.6-02", value=5)
    hoped = judging.altered("AK18-2.9-04", strength="expected")
    e = evidence("2021-12", {"A": {"B03": 7}})
    assert lights([binding, hoped], e) == {("A", "B03:value"): "green"}
    assert lights([hoped], e) == {("A", "B03:value"): "yellow"}


def test_an_expired_clause_no_longer_colours_anything() -> None:
    assert lights([judging.shipped()["SN18-2.6-02"]], evidence("2026-10", {"A": {"B03": 7}})) == {}


def test_conflicts_of_the_catalogue_are_named_beside_the_light() -> None:
    catalog = load_catalog(None)
    ids = ("SN18-2.6-02", "AK18-2.9-04")
    targets = {i: judging.shipped()[i] for i in ids}
    rows = judge_all(list(targets.values()), evidence("2020-06", {"A": {"B03": 20}}))
    (row,) = overall(rows, targets, judging.documents(), catalog.conflicts)
    assert row.conflict_ids == ("above-scale-firms",)
    assert set(row.target_ids) == set(ids)


def test_a_later_document_of_the_same_issuer_replaces_the_earlier_from_its_start() -> None:
    old = judging.shipped()["AK23-1-10"]
    documents = dict(judging.documents())
    changed = {"document_id": "NEW", "issued": date(2023, 8, 1), "doc_no": "安工信发〔2023〕40号"}
    documents["NEW"] = documents["AK23"].model_copy(update=changed)
    new = old.model_copy(update={"target_id": "NEW-1", "document_id": "NEW", "value": D(70)})
    other = old.model_copy(update={"target_id": "NEW-2", "document_id": "NEW",
                                   "indicator_id": "B07", "indicator_name": "别的"})  # fmt: skip

    def verdicts(period: str) -> dict[str, str]:
        e = evidence(period, {"A": {"G02": 66, "B07": 1}})
        rows = judge_all([old, new, other], replace(e, documents=documents))
        return {row.target_id: row.verdict for row in rows}

    assert verdicts("2023-06") == {
        "AK23-1-10": "met",
        "NEW-1": "out_of_scope",
        "NEW-2": "out_of_scope",
    }
    assert verdicts("2023-09")["AK23-1-10"] == "expired"
    assert verdicts("2023-09")["NEW-1"] == "on_pace"


# --- references -----------------------------------------------------------------------------------


def methods(target_id: str, e: Evidence) -> dict[str, tuple[Decimal | None, str]]:
    """Method → (value, class) of the only judged row."""
    targets = {target_id: judging.shipped()[target_id]}
    rows = reference_rows(
        judge_all(list(targets.values()), e), targets, e, list(judging.rules().values())
    )
    return {row.method: (row.value, row.class_id) for row in rows}


def test_reference_methods_see_base_current_value_and_term() -> None:
    """300 in 2017, 330 at the end of 2020, 350 万平方米 asked for at the end of 2021."""
    base = {2017: YearEnd(judging.values({"A": {"G01": 300}}))}
    found = methods("AK18-2.5-02", evidence("2020-12", {"A": {"G01": 330}}, history=base))
    assert found["escap_status"] == (D(6), "")
    assert found["linear_pace"] == (D("0.8"), "accelerate")  # 60 % of the way, 75 % of the time
    growth, needed = 1.1 ** (1 / 3) - 1, (350 / 300) ** (1 / 4) - 1
    ratio, status = found["statcan_ratio"]
    assert ratio is not None
    assert float(ratio) == pytest.approx(growth / needed, abs=1e-6)
    assert status == "accelerate"
    assert found["schedule:yinchuan_2025"][1] == "yellow"


def test_a_method_without_a_base_says_so() -> None:
    found = methods("AK18-2.5-02", evidence("2020-12", {"A": {"G01": 330}}))
    assert found["statcan_ratio"] == (None, "not_available")


def test_yearly_amounts_are_compared_by_whole_years_only() -> None:
    history = {2017: YearEnd(judging.values({"A": {"C04": 1_000_000}})),
               2019: YearEnd(judging.values({"A": {"C04": 2_000_000}}))}  # fmt: skip
    e = evidence("2020-06", {"A": {"C04": 999}}, history=history)
    assert methods("AK18-1.2-08", e)["linear_pace"][0] == D("0.10526316")  # 1/19 of the way in half


# --- the page -------------------------------------------------------------------------------------


def test_the_page_says_why_the_light_has_its_colour() -> None:
    catalog = load_catalog(None)
    target = judging.shipped()["AK18-2.9-02"]
    parks = [park("A", is_demonstration=True)]
    e = evidence("2020-06", {"A": {"C04": {"value": 100, "yoy_pct": 17.2}}}, parks=parks)
    rows = judge_all([target], e)
    as_rows = [{name: getattr(row, name) for name in row.__dataclass_fields__} for row in rows]
    over = overall(rows, {target.target_id: target}, judging.documents())
    over_rows = [{name: getattr(row, name) for name in row.__dataclass_fields__} for row in over]
    text = "\n".join(explained(catalog, target.target_id, as_rows, over_rows, []).lines())
    for piece in (
        target.quote,
        "安政办发〔2018〕72号《安康市加快县域工业集中区（产业园区）建设行动计划》二（九）",
        "硬性（可判红）",
        "灯色规则：建议灯色规则（建议值，非官方）",
        "实绩17.2%，目标20%，差-2.8个百分点",
        "黄：不低于-5个百分点",
        "黄灯",
        "A/C04/2020-06",
        "总灯黄",
        "示范园区营业收入增速",  # the conflict with the province's 15 %
    ):
        assert piece in text, piece
