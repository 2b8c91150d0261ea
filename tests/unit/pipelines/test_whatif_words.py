"""What a way out says: amounts with their share, what cannot be done, never certainty."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipelines.cli.whatif import _way, _why_empty, _words

RISK = {"name": "甲园区", "park_id": "P1", "scheme_id": "s", "class_id": "c", "p_last_k": Decimal("1"),
        "draws": 2000, "k": 3, "n": 51, "rank_p10": 51, "rank_p90": 51,
        "calibrated_pct": Decimal("74.9"), "why_empty": ""}  # fmt: skip
WAY = {"lever": "C04", "name_zh": "营业收入", "unit": "万元", "kind": "flow", "realistic": True,
       "extra_amount": Decimal("4460.377"), "pct_of_remaining": Decimal("2.54")}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "营业收入:全年比推算再增加4460.38万元,相当于余下各月推算数的2.5%"),
        ({"kind": "stock"}, "相当于推算数的2.5%"),
        ({"extra_amount": Decimal(-3), "pct_of_remaining": None}, "再减少3.00万元"),
        ({"realistic": False}, "难以指望"),
        ({"extra_amount": None}, "仅靠营业收入不能脱离末位"),
        ({"lever": "*", "extra_amount": Decimal("1.09")}, "各项指标同时改善1.1%"),
        ({"lever": "*", "extra_amount": None}, "难以脱离末位"),
    ],
)
def test_one_way_in_words(changes, said):
    assert said in _way(WAY | changes)


def test_a_sure_place_is_not_called_certain_and_nothing_is_reckoned_for_it():
    told = "\n".join(_words(RISK, []))
    assert "高于98%" in told and "100%" not in told
    assert "名次多为第51名" in told and "不作测算" in told
    assert "占计分权重的74%" in told


@pytest.mark.parametrize(
    ("k", "share", "said"),
    [
        (3, "49.96", "有往年误差记录的指标只占计分权重的49%，不足方案规定的50%"),
        (0, "80", "该组没有末位名额"),
    ],
)
def test_a_chance_without_enough_known_errors_is_not_given_and_why(k, share, said):
    row = RISK | {"p_last_k": None, "k": k, "calibrated_pct": Decimal(share)}
    row["why_empty"] = _why_empty(row, Decimal("50.00"))
    told = "\n".join(_words(row, []))
    assert said in told and "不测算脱离末位" in told
    assert "的概率" not in told and "名次多" not in told
    assert _why_empty(RISK, Decimal(50)) == ""
