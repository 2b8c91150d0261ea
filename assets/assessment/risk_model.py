"""Risk of the last places (末位风险): a class with its rules and predictions, ready to be simulated.

Belongs here: bringing a scheme's plan and the predictions of its indicators into the shape of
``methods.risk``, and what the draws say under the scheme's elimination rule. Does not belong here:
simulation itself (``methods``), fetching and storing (``risk_rows``), lights (``watch``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.assessment.predictions import Prediction
from methods import rank_inference, ranking, risk
from methods.points import Points
from methods.risk import ExitRule, Item, Model, Shocks

if TYPE_CHECKING:
    from assets.assessment.plan import PlanLine, PlanRule, ScorePlan
    from methods.seasonal_pace import Floats

DRAWS = 2000
LEVEL = 0.90
"""Confidence of "not statistically distinguishable from the cut-off"."""
SMALL_CLASS = 60
"""Up to so many parks the rank sets get the full number of draws; larger ones a fifth."""

Yardsticks = Mapping[tuple[str, str], float]
"""(park, indicator) → what a ratio line takes the indicator's value as a percentage of."""


@dataclass(frozen=True, slots=True)
class ClassModel:
    """A class ready to be simulated. ``calibrated`` [U]: share (0..1) of the weight that rests on
    figures whose errors are known from past years; ``predictions`` over the model's parks."""

    model: Model
    calibrated: Floats
    predictions: Mapping[str, Prediction]


def class_model(
    plan: ScorePlan,
    parks: Sequence[str],
    predictions: Mapping[str, Prediction],
    *,
    extras: Mapping[str, float] | None = None,
    yardsticks: Yardsticks | None = None,
) -> ClassModel:
    """The model of the ranked ``parks`` of one class at the year's end.

    ``predictions``: by indicator; an indicator without one is missing for every park, and its weight
    is spread as the scheme says. ``extras``: points added to or taken from a park.
    """
    lines = [_Line.of(line, parks, predictions, yardsticks or {}) for line in plan.lines]
    total = sum(line.weight for line in plan.lines)
    there = np.zeros(len(parks))
    calibrated = np.zeros(len(parks))
    for line in lines:
        there += np.where(line.known, line.line.weight, 0.0)
        calibrated += np.where(line.known & line.calibrated, line.line.weight, 0.0)
    spread = np.full(len(parks), total) if plan.missing_is_zero else np.where(there > 0, there, 1.0)
    used = [line for line in lines if line.known.any()]
    return ClassModel(
        model=Model(
            class_key=f"{plan.scheme_id}/{plan.class_id}",
            parks=tuple(parks),
            items=tuple(line.item(spread) for line in used),
            shocks=_shocks(used),
            fixed=np.array([(extras or {}).get(park, 0.0) for park in parks]),
            decimals=plan.decimals,
        ),
        calibrated=calibrated / spread,
        predictions={line.lever: line.prediction for line in used},
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the score over the parks of a class."""

    line: PlanLine
    lever: str
    prediction: Prediction
    slope: Floats
    offset: Floats
    cap: Floats | None

    @property
    def known(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Parks whose figure the line can be scored on."""
        return np.asarray(
            np.isfinite(self.prediction.model.center) & np.isfinite(self.slope) & self.line.scored
        )

    @property
    def calibrated(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Parks whose prediction has known errors."""
        return np.asarray(self.prediction.model.calibrated)

    @classmethod
    def of(
        cls,
        line: PlanLine,
        parks: Sequence[str],
        predictions: Mapping[str, Prediction],
        yardsticks: Yardsticks,
    ) -> _Line:
        known = [name for name in line.indicator_ids if name in predictions]
        lever = known[0] if known else line.indicator_ids[0]
        found = [predictions[name].over(parks) for name in known]
        prediction = _best(found, line.better) if found else _nothing(parks)
        slope, offset = np.ones(len(parks)), np.zeros(len(parks))
        cap = None
        if line.measure == "growth":
            prior = np.where(prediction.prior > 0, prediction.prior, np.nan)
            slope, offset = 100 / prior, np.full(len(parks), -100.0)
            if line.small_base is not None and line.growth_cap is not None:
                cap = np.where(prior < line.small_base, line.growth_cap, np.inf)
        elif line.measure == "ratio":
            rods = [yardsticks.get((park, lever), np.nan) for park in parks]
            slope = 100 / np.where(np.array(rods) > 0, rods, np.nan)
        return cls(line, lever, prediction, slope, offset, cap)

    def item(self, spread: Floats) -> Item:
        """The line as an item of the simulation; parks without a figure have no weight."""
        model = self.prediction.model
        known = self.known
        return Item(
            lever=self.lever,
            rule=self._rule(),
            weight=np.where(known, self.line.weight / spread, 0.0),
            centre=np.where(known, model.center, 1.0),
            scale=np.where(known & np.isfinite(model.scale), model.scale, 0.0),
            slope=np.where(known, self.slope, 1.0),
            offset=self.offset,
            additive=model.link == "scale",
            floor=np.where(known & np.isfinite(model.floor), model.floor, -np.inf),
            cap=self.cap,
        )

    def _rule(self) -> Points | risk.Relative:
        if not self.line.relative:
            return Points(self.line.x, self.line.y, self.line.left, self.line.reciprocal)
        return lambda figures: np.asarray(self.line.points(figures, 12), dtype=np.float64)


def _best(found: Sequence[Prediction], better: str) -> Prediction:
    """Where any of several indicators may be scored, each park's best by its forecast."""
    if len(found) == 1:
        return found[0]
    turn = 1 if better == "high" else -1
    centers = np.stack([np.nan_to_num(turn * one.model.center, nan=-np.inf) for one in found])
    chosen = int(np.bincount(centers.argmax(axis=0), minlength=len(found)).argmax())
    return found[chosen]


def _nothing(parks: Sequence[str]) -> Prediction:
    blank = np.full(len(parks), np.nan)
    from methods.outlook import certain

    return Prediction(tuple(parks), certain(blank), blank, blank)


def _shocks(lines: Sequence[_Line]) -> Shocks:
    """Past errors of the levers as joint rows: same park, same year."""
    levers: dict[str, Prediction] = {}
    for line in lines:
        levers.setdefault(line.lever, line.prediction)
    models = [prediction.model for prediction in levers.values()]
    if not models:
        return Shocks((), np.zeros((0, 0)), np.zeros(0), 3.0)
    years = min(len(model.residuals) for model in models)
    rows = np.stack([model.residuals[-years:].ravel() for model in models], axis=-1)
    open_ = [model for model in models if model.shock_scale > 0]
    return Shocks(
        levers=tuple(levers),
        errors=risk.joint_errors(rows),
        common=np.array([model.shock_scale for model in models]),
        dof=float(min((model.dof for model in open_), default=3)),
    )


# --- What the draws say ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ParkRisk:
    """What simulation says of one park at the year's end. Probabilities 0..1; ranks 1 = best.

    ``p_last_k``: among the last ``k`` of ``n``; ``p_exit``: and the rule over years fulfilled;
    ``weights_low``, ``weights_high``: ranks P5 and P95 when every weight is off by a quarter.
    """

    park_id: str
    class_id: str
    n: int
    k: int
    p_last_k: float
    p_exit: float
    rank_p10: int
    rank_p50: int
    rank_p90: int
    weights_low: int
    weights_high: int
    not_distinguishable: bool
    calibrated_pct: float
    draws: int
    scores_digest: str


@dataclass(frozen=True, slots=True)
class Simulated:
    """A group of parks ranked together: their classes' models and scores (U x D), park by park."""

    class_ids: tuple[str, ...]
    models: tuple[ClassModel, ...]
    scores: risk.Ints

    @property
    def parks(self) -> tuple[str, ...]:
        """Parks in the order of ``scores``."""
        return tuple(park for each in self.models for park in each.model.parks)


def simulated(models: Mapping[str, ClassModel], run: str, draws: int = DRAWS) -> Simulated:
    """Simulate the classes of a group; ``run`` names scheme and period and seeds every park."""
    ids = tuple(sorted(models))
    scores = [risk.simulate(models[each].model, run, draws) for each in ids]
    return Simulated(ids, tuple(models[each] for each in ids), np.concatenate(scores))


@dataclass(frozen=True, slots=True)
class Years:
    """What the rule over years needs: confirmed ``past`` (park → year → in the last places), confirmed
    ``scores``, parks ``spared`` by protection, the ``year`` under way."""

    year: int
    past: Mapping[str, Mapping[int, bool]]
    scores: Mapping[str, Mapping[int, float]]
    spared: frozenset[str]


def park_risks(group: Simulated, rule: PlanRule, years: Years, run: str) -> list[ParkRisk]:
    """Risk of every park of a group under the main elimination rule."""
    parks, n = group.parks, len(group.parks)
    k = rule.places(n)
    decimals = group.models[0].model.decimals
    found = risk.rank_risk(group.scores, k)
    exits = risk.exit_probability(group.scores, k, _exit_rule(parks, rule, years), decimals)
    low, high = risk.weight_sensitivity(_central_points(group), run)
    level = group.scores / 10.0**decimals
    sets = rank_inference.rank_sets(
        level.mean(axis=1),
        level.std(axis=1),
        LEVEL,
        key=run,
        draws=rank_inference.DRAWS if n <= SMALL_CLASS else rank_inference.DRAWS // 5,
    )
    unclear = rank_inference.not_distinguishable(sets, k)
    class_of = [
        c for c, m in zip(group.class_ids, group.models, strict=True) for _ in m.model.parks
    ]
    calibrated = np.concatenate([each.calibrated for each in group.models])
    digest = risk.digest(group.scores)
    return [
        ParkRisk(
            park_id=park,
            class_id=class_of[u],
            n=n,
            k=k,
            p_last_k=float(found.p_last[u]),
            p_exit=float(exits[u]),
            rank_p10=int(found.rank_p10[u]),
            rank_p50=int(found.rank_p50[u]),
            rank_p90=int(found.rank_p90[u]),
            weights_low=int(low[u]),
            weights_high=int(high[u]),
            not_distinguishable=bool(unclear[u]),
            calibrated_pct=100 * float(calibrated[u]),
            draws=group.scores.shape[1],
            scores_digest=digest,
        )
        for u, park in enumerate(parks)
    ]


def _exit_rule(parks: Sequence[str], rule: PlanRule, years: Years) -> ExitRule:
    window = ranking.Window(rule.mode, rule.k, rule.m, rule.gap_resets)
    due = [
        ranking.in_window(dict(years.past.get(park, {})) | {years.year: True}, window)
        for park in parks
    ]
    return ExitRule(
        due=np.array(due, dtype=bool),
        spared=np.array([park in years.spared for park in parks], dtype=bool),
        below=rule.score_below,
    )


def _central_points(group: Simulated) -> Floats:
    """Weighted points [U, J] if every figure ends at its forecast, classes padded side by side."""
    width = max(len(each.model.items) for each in group.models)
    tables = []
    for each in group.models:
        table = np.zeros((len(each.model.parks), width))
        for place, item in enumerate(each.model.items):
            figures = risk.figures_of(item, slice(None), item.centre[:, None].copy())
            rule = item.rule
            points = rule(figures) if isinstance(rule, Points) else rule(figures.T).T
            table[:, place] = np.nan_to_num(points[:, 0]) * item.weight
        tables.append(table)
    return np.concatenate(tables)
