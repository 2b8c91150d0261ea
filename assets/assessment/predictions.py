"""What each scored indicator may be at the year's end, over the parks of the register.

Belongs here: taking an indicator's outlook, and carrying forward figures that are not forecast (stocks,
ratios) with last year's changes. Does not belong here: forecasting (``assets/indicators``), scoring rules
or simulation (``risk_model``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from methods.intervals import ErrorModel, error_model, fit_errors
from methods.nowcast import MONTHS
from methods.outlook import certain

if TYPE_CHECKING:
    from assets.indicators.outlooks import IndicatorOutlook
    from methods.seasonal_pace import Floats


@dataclass(frozen=True, slots=True)
class Prediction:
    """Year-end values of an indicator: error model over ``parks``, in this order; ``prior`` [U] last
    year's value on this year's scope, ``done`` [U] what is there now (NaN where not known)."""

    parks: tuple[str, ...]
    model: ErrorModel
    prior: Floats
    done: Floats

    def over(self, parks: Sequence[str]) -> Prediction:
        """The same over ``parks``; those it does not know have no value."""
        place = {park: unit for unit, park in enumerate(self.parks)}
        index = np.array([place.get(park, -1) for park in parks], dtype=np.int64)
        absent = index < 0

        def pick(values: Floats) -> Floats:
            return np.where(absent, np.nan, values[index])

        model = replace(
            self.model,
            center=pick(self.model.center),
            scale=pick(self.model.scale),
            floor=pick(self.model.floor),
            residuals=np.where(absent, np.nan, self.model.residuals[:, index]),
            calibrated=~absent & self.model.calibrated[index],
        )
        return Prediction(tuple(parks), model, pick(self.prior), pick(self.done))


def from_outlook(outlook: IndicatorOutlook) -> Prediction:
    """Prediction of a forecast indicator."""
    known = outlook.known.ytd
    past = known[-2, MONTHS - 1] if len(known) > 1 else np.full(len(outlook.parks), np.nan)
    done = np.array([
        known[-1, month - 1, unit] if month else np.nan
        for unit, month in enumerate(outlook.month.tolist())
    ])  # fmt: skip
    model = outlook.model
    if model.residuals.shape[1] != len(outlook.parks):  # nothing is left open: one row of zeros
        model = replace(model, residuals=np.zeros((1, len(outlook.parks))))
    return Prediction(outlook.parks, model, past, done)


def carried_forward(
    now: Mapping[str, float],
    then: Mapping[str, float],
    then_end: Mapping[str, float],
    *,
    finished: bool = False,
) -> Prediction:
    """Prediction of a figure that is not forecast, from last year's changes.

    ``now``: park → value as of the period; ``then`` and ``then_end``: last year's at the same month
    and at its end. The value moves as the median did and spreads as last year's changes did, in
    logarithms where all are positive. Without last year it stands still and is not calibrated.
    """
    parks = tuple(sorted(now))
    values = np.array([now[park] for park in parks])
    before = np.array([then.get(park, np.nan) for park in parks])
    end = np.array([then_end.get(park, np.nan) for park in parks])
    if finished or not (np.isfinite(before) & np.isfinite(end)).any():
        model = replace(certain(values), residuals=np.zeros((1, len(parks))))
        still = model if finished else replace(model, calibrated=np.zeros(len(parks), dtype=bool))
        return Prediction(parks, still, end, values)
    known = np.concatenate([each[np.isfinite(each)] for each in (values, before, end)])
    positive = bool((known > 0).all())
    changes = np.log(end / before) if positive else end - before
    typical = float(np.nanmedian(changes))
    stats = fit_errors((changes - typical)[None, None, :])
    center = values * np.exp(typical) if positive else values + typical
    model = error_model(stats, 0, center)
    if not positive:
        calibrated = np.isfinite(center) & np.isfinite(model.scale)
        model = replace(model, link="scale", calibrated=calibrated)
    return Prediction(parks, model, end, values)
