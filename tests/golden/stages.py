"""What a golden scenario can run: one function per ``runs`` word, input mapping in, rows out.

Belongs here: turning a scenario's ``input.yaml`` into calls of one stage. Does not belong here:
expectations (``expected.yaml``) or comparing (``test_scenarios``). A stage adds a function and a
line in ``STAGES``.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from assets.assessment.consequences import propose_steps
from assets.assessment.elimination import last_places
from assets.assessment.events import standing
from assets.assessment.grades import grade_parks
from assets.assessment.honours import propose_honours
from assets.assessment.outcomes import history
from assets.assessment.publicity import notice
from assets.assessment.replacement import candidates
from assets.assessment.scoring import freeze_goalposts, score_scheme
from assets.assessment.watch import Earlier, watch_list
from assets.targets.evidence import Value
from assets.targets.overall import overall
from tests.support import judging
from tests.support.assessing import scheme_fields
from warehouse.catalog.models import Park
from warehouse.catalog.outcomes import Outcome
from warehouse.catalog.schemes import Scheme
from warehouse.catalog.workdays import Workdays

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
    rows = judging.verdicts(
        list(targets.values()),
        parks,
        judging.values(given.get("values", {})),
        given["period"],
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


def assess_files(folder: Path, given: Mapping[str, Any]) -> Tables:
    """Everything a scheme file gives for the parks of a table.

    ``scheme.yaml``: a whole scheme, or ``shipped`` with changes. ``parks.csv``: one park a row; a
    column named as an attribute of the register, ``listed_since``, ``hold``, or an indicator
    (``C04``; ``C04:growth`` is its growth); an empty cell is no figure. ``given`` (input.yaml) may
    hold ``period``, ``outcomes``, ``region``, ``goals``, ``last_year``, ``earlier``.
    """
    scheme = _scheme_of_file(folder / "scheme.yaml")
    rows = _table(folder / "parks.csv")
    period = str(given.get("period", "2020-12"))
    year = int(period[:4])
    past = history(scheme.scheme_id, [
        Outcome.model_validate({"scheme_id": scheme.scheme_id, "document": "测试"} | row)
        for row in given.get("outcomes", ())
    ])  # fmt: skip
    parks = [_park_of(row) for row in rows]
    values = _figures(rows)
    listed = {row["park_id"]: int(row["listed_since"]) for row in rows if row.get("listed_since")}
    frozen = {}
    if "last_year" in given:
        before = _figures(_table(folder / given["last_year"]))
        frozen = freeze_goalposts(scheme, parks, before, f"{year - 1}{period[4:]}")
    result = score_scheme(
        scheme, parks, values, frozen, period,
        listed_since=listed,
        holds={row["park_id"]: row["hold"] for row in rows if row.get("hold")},
        events=past.events,
        yardsticks={
            (park, indicator, int(base)): Decimal(str(goal))
            for base, goals in given.get("goals", {}).items()
            for park, own in goals.items()
            for indicator, goal in own.items()
        },
        region={(row["indicator"], row["measure"]): Decimal(str(row["value"]))
                for row in given.get("region", ())},
    )  # fmt: skip
    places = [
        place
        for number in range(len(scheme.eliminations))
        for place in last_places(
            scheme, result, listed_since=listed, past=past.in_last(year),
            past_scores=past.scores(year), values=values, rule_no=number,
        )
    ]  # fmt: skip
    grades = grade_parks(scheme, result.scores, values, past.events)
    pool_scores = {row["park_id"]: Decimal(row["score"]) for row in rows if row.get("score")}
    ledger, pool = candidates(scheme, parks, values, past, period, scores=pool_scores)
    vetoes = {park: standing(scheme, own, year).no_honours for park, own in past.events.items()}
    alerted = given.get("earlier", {}).get("alerted")
    earlier = Earlier(**(given.get("earlier", {}) | {
        "past": past.in_last(year), "vetoes": vetoes,
        "alerted": None if alerted is None else frozenset(alerted),
    }))  # fmt: skip
    return {
        "scores": result.scores,
        "details": result.details,
        "goalposts": result.goalposts_used,
        "places": places,
        "fulfilled": [place for place in places if place.fulfilled],
        "last": [place for place in places if place.in_last_k],
        "grades": list(grades.values()),
        "steps": propose_steps(scheme, result.scores, places, grades, past),
        "honours": propose_honours(scheme, result.scores, grades, past, past.events),
        "ledger": [ledger],
        "candidates": pool,
        "watch": watch_list(scheme, result, places, earlier),
        "notice": [
            notice(scheme.publicity, day, Workdays().is_workday)
            for day in given.get("published", ())
            if scheme.publicity
        ],
    }


def _scheme_of_file(path: Path) -> Scheme:
    fields = yaml.safe_load(path.read_text("utf-8"))
    name = fields.pop("shipped", None)
    if name is not None:
        shipped = judging.CHINA_PARKS / "schemes" / f"{name}.yaml"
        fields = yaml.safe_load(shipped.read_text("utf-8")) | fields
    elif "items" in fields and "scheme_id" not in fields:
        fields = scheme_fields() | fields
    return Scheme.model_validate(fields)


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [dict(row) for row in csv.DictReader(file)]


NOT_FIGURES = {"listed_since", "hold", "score"}


def _park_of(row: Mapping[str, str]) -> Park:
    known = set(Park.model_fields) - {"park_id"}
    return judging.park(row["park_id"], **{k: v for k, v in row.items() if k in known and v})


def _figures(rows: Sequence[Mapping[str, str]]) -> dict[tuple[str, str], Value]:
    found = {}
    for row in rows:
        names = {
            name.partition(":")[0]
            for name, text in row.items()
            if text and name not in NOT_FIGURES and name not in Park.model_fields
        }
        for name in sorted(names):
            growth, level = row.get(f"{name}:growth") or None, row.get(name) or None
            found[row["park_id"], name] = Value(
                Decimal(level or 1), "", None if growth is None else Decimal(growth)
            )
    return found


STAGES: dict[str, Callable[[Mapping[str, Any]], Tables]] = {"judge": judge, "assess": assess}
