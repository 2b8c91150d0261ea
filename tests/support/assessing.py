"""Small schemes to score with, and ranked results to cut and watch.

Belongs here: builders shared by assessment tests and the golden scenarios. Does not belong here:
expectations.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from assets.assessment.scoring import ScoreResult, ScoreRow
from warehouse.catalog.schemes import Scheme


def scheme_fields(**changes: Any) -> dict[str, Any]:
    """Fields of a valid small scheme: all parks of Ankang, revenue growth 60, firms 40."""
    base: dict[str, Any] = {
        "scheme_id": "test",
        "title": "测试方案",
        "choices": [{"choice": "测试", "source": "测试"}],
        "who": {"group": "all", "region_code": "610900"},
        "classes": {"by": "none"},
        "items": [
            {
                "indicator_id": "C04",
                "measure": "growth",
                "weight": 60,
                "scoring": {
                    "method": "efficacy",
                    "goalposts": {"source": "policy", "unacceptable": 0, "satisfactory": 15},
                },
                "source": "测试",
            },
            {
                "indicator_id": "B03",
                "weight": 40,
                "scoring": {"method": "completion", "target": 10, "unit": "户"},
                "source": "测试",
            },
        ],
    }
    return base | changes


def scheme(**changes: Any) -> Scheme:
    """The small scheme, altered."""
    return Scheme.model_validate(scheme_fields(**changes))


def item(indicator_id: str, weight: Any, scoring: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An item of a scheme file."""
    return {
        "indicator_id": indicator_id,
        "weight": weight,
        "scoring": scoring,
        "source": "测试",
    } | more


def ranked(scores: Mapping[str, Any], class_id: str = "全部", year: int = 2020) -> ScoreResult:
    """A result as of June from scores; ``None`` is a park that is not ranked (漏报)."""
    ordered = sorted((score for score in scores.values() if score is not None), reverse=True)
    rows = (
        ScoreRow(
            scheme_id="test",
            class_id=class_id,
            year=year,
            asof_period=f"{year}-06",
            park_id=park_id,
            score=None if score is None else Decimal(str(score)),
            rank=None if score is None else ordered.index(score) + 1,
            n=len(ordered),
            official=False,
            eligible=score is not None,
            exclusion_reason=None if score is not None else "漏报",
        )
        for park_id, score in scores.items()
    )
    return ScoreResult(tuple(rows), (), ())
