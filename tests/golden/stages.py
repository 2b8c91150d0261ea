"""What a golden scenario can run: one function per ``runs`` word, input mapping in, rows out.

Belongs here: turning a scenario's ``input.yaml`` into calls of one stage. Does not belong here:
expectations (``expected.yaml``) or comparing (``test_scenarios``). A stage adds a function and a
line in ``STAGES``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml

from assets.assessment.elimination import last_places
from assets.assessment.scoring import freeze_goalposts, score_scheme
from assets.assessment.watch import Earlier, watch_list
from assets.targets.judge import judge_park_targets
from assets.targets.overall import overall
from tests.support import judging
from tests.support.assessing import scheme_fields
from warehouse.catalog.models import Park
from warehouse.catalog.schemes import Scheme

Tables = dict[str, Sequence[Any]]
"""Name of a table → its rows, in order."""


def _parks(given: Mapping[str, Any]) -> list[Park]:
    """Parks as described; every park with a figure that is not described is a plain one."""
    described = given.get("parks", {})
    names = [*described, *(name for name in given.get("values", {}) if name not in described)]
    return [judging.park(name, **(described.get(name) or {})) for name in names]


def judge(given: Mapping[str, Any]) -> Tables:
    """``verdicts`` and ``overall`` lights of shipped targets (with ``changes`` to their fields):
    period, targets, parks, values, areas, history, entered rows, rule."""
    history = {year: judging.year_end(end) for year, end in given.get("history", {}).items()}
    changes = given.get("changes", {})
    targets = {
        target_id: judging.altered(target_id, **changes.get(target_id, {}))
        for target_id in given["targets"]
    }
    parks = _parks(given)
    rows = judge_park_targets(
        list(targets.values()),
        parks,
        judging.values(given.get("values", {})),
        given["period"],
        documents=judging.documents(),
        indicators=judging.indicators(),
        convert=judging.convert,
        areas=judging.areas(given.get("areas", [])),
        history=history,
        regions=given.get("regions", {}),
        inputs=judging.entered(given, parks),
        rule=judging.rules()[given.get("rule", "recommended")],
    )
    return {"verdicts": rows, "overall": overall(rows, targets, judging.documents())}


def assess(given: Mapping[str, Any]) -> Tables:
    """``scores``, ``details``, ``places`` and ``watch`` of a scheme: a shipped one by name, or the
    small scheme of the tests with changes. ``last_year`` freezes the goalposts."""
    scheme, parks = _scheme(given["scheme"]), _parks(given)
    values, indicators = judging.values(given["values"]), judging.indicators()
    last_year = judging.values(given.get("last_year", {}))
    frozen = freeze_goalposts(scheme, parks, last_year, "2019-06") if last_year else {}
    listed, past = given.get("listed_since", {}), given.get("past", {})
    result = score_scheme(
        scheme,
        parks,
        values,
        frozen,
        given["period"],
        listed_since=listed,
        holds=given.get("holds", {}),
        indicators=indicators,
    )
    places = last_places(scheme, result, listed_since=listed, past=past, values=values)
    earlier = Earlier(past=past, **given.get("earlier", {}))
    return {
        "scores": result.scores,
        "details": result.details,
        "places": places,
        "watch": watch_list(scheme, result, places, earlier),
    }


def _scheme(given: Any) -> Scheme:
    if isinstance(given, str):
        path = judging.CHINA_PARKS / "schemes" / f"{given}.yaml"
        return Scheme.model_validate(yaml.safe_load(path.read_text("utf-8")))
    return Scheme.model_validate(scheme_fields(**given))


STAGES: dict[str, Callable[[Mapping[str, Any]], Tables]] = {"judge": judge, "assess": assess}
