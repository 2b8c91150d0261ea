"""The catalogue's statistical screens run on one indicator and period: hits and review score.

Belongs here: which arrays a kind of screen looks at, how hits become a suspicion, and the selective-
editing score by which people review the few figures that matter first. Does not belong here: the
statistics themselves (``methods.edit_screens``), gathering figures from the warehouse or writing
findings (``quality.screening``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from methods import edit_screens as es

if TYPE_CHECKING:
    from methods.edit_screens import Flags, Floats, Numbers


class ScreenRule(Protocol):
    """What running a screen needs to know of its catalogue entry."""

    @property
    def screen_id(self) -> str:
        """Id, also the rule id of its findings."""
        ...

    @property
    def kind(self) -> str:
        """Which statistic."""
        ...

    def number(self, name: str) -> float:
        """A parameter."""
        ...


@dataclass(frozen=True)
class Figures:
    """One indicator in one report period, one element a unit; NaN where nothing is known.

    ``now`` is the reported amount: cumulative, of the month, or the level of a stock. ``former`` is
    the same a report period before (NaN in the first of a year for cumulative amounts), ``year_ago``
    a year before as reported then, ``reported_prior`` the prior-year value the return itself gives.
    ``forecast`` is what the amount would be from the months before, ``step`` the part of it that is
    new this period, ``scale`` the error of log(step). ``domain`` numbers the group 0..k-1 whose total
    a figure enters. ``cumulative`` amounts cannot fall within a year; ``offset`` is 0.5 for counts;
    of ``signed`` figures (profit) the forecast says nothing. ``repeats_previous`` and
    ``repeats_year`` are how often figures of the indicator repeat themselves by nature.
    """

    kind: Literal["flow", "stock"]
    now: Floats
    former: Floats
    year_ago: Floats
    reported_prior: Floats
    forecast: Floats
    step: Floats
    scale: Floats
    domain: Numbers
    cumulative: bool = True
    offset: float = 0.0
    signed: bool = False
    repeats_previous: float = 0.0
    repeats_year: float = 0.0
    rebase_tolerance: float = 0.05

    @cached_property
    def scope_ratio(self) -> Floats:
        """Reported over kept prior-year value where the scope has changed (口径变更), else 1."""

        return es.scope_change(self.reported_prior, self.year_ago, self.rebase_tolerance)

    @cached_property
    def base(self) -> Floats:
        """What growth is measured against: the return's own prior year, the year before, or for a
        stock the period before."""

        own = np.where(self.reported_prior > 0, self.reported_prior, self.year_ago)
        return np.where(np.isfinite(own), own, self.former) if self.kind == "stock" else own

    @cached_property
    def expected(self) -> Floats:
        """Forecast of the amount; where the scope has changed, the comparable prior year with the
        median growth of all units, because the unit's own past no longer speaks of it."""

        growth = np.exp(np.nanmedian(self.growth)) if np.isfinite(self.growth).any() else np.nan
        return np.where(self.scope_ratio != 1, self.reported_prior * growth, self.forecast)

    @cached_property
    def z(self) -> Floats:
        """Deviation in error scales: of this period's step, or of comparable growth where the scope
        has changed (then the median of all units' scales applies)."""

        new = self.now - (self.forecast - self.step)
        usual = es.model_z(new, self.step, self.scale, self.offset)
        typical = np.nanmedian(self.scale) if np.isfinite(self.scale).any() else np.nan
        rebased = es.model_z(self.now, self.expected, np.full(self.now.shape, typical), self.offset)
        return np.where(self.scope_ratio != 1, rebased, usual)

    @cached_property
    def growth(self) -> Floats:
        """Log growth over the base; NaN where one of the two is not positive."""

        known = (self.now > 0) & (self.base > 0)
        ratio = np.divide(self.now, self.base, out=np.ones(self.now.shape), where=known)
        return np.where(known, np.log(ratio), np.nan)


@dataclass(frozen=True, slots=True)
class Screened:
    """Which screens hit which unit, and the review score of every unit (share of its domain).

    ``detail`` holds what a message needs: power of ten by which a figure is off, index of the unit
    with the same figure.
    """

    hits: Mapping[str, Flags]
    suspicion: Floats
    score: Floats
    detail: Mapping[str, Numbers]


def run_screens(
    figures: Figures, screens: Sequence[ScreenRule], suspicions: Mapping[str, float | None]
) -> Screened:
    """Run the screens of one indicator and period. ``suspicions``: of a hit by screen id; for a
    screen without one the deviation itself says how suspect the figure is."""

    none = np.zeros(figures.now.shape)
    suspicion = none if figures.signed else es.suspicion_of(figures.z)
    hits: dict[str, Flags] = {}
    for screen in screens:
        if (look := _LOOKS.get(screen.kind)) is None:
            continue
        hits[screen.screen_id] = look(figures, screen)
        fixed = suspicions.get(screen.screen_id)
        if fixed is not None:
            suspicion = np.where(hits[screen.screen_id], np.maximum(suspicion, fixed), suspicion)
    known = np.where(np.isfinite(figures.expected), figures.expected, figures.now)
    size = np.bincount(figures.domain, np.nan_to_num(np.abs(known)))[figures.domain]
    score = es.selective_score(suspicion, figures.now, figures.expected, size)
    detail = {
        "power": es.magnitude_power(figures.now, figures.expected),
        "twin": es.same_as_another(figures.now),
    }
    return Screened(hits, suspicion, score, detail)


# --- kinds of screens -----------------------------------------------------------------------------


def _ratio_edit(figures: Figures, screen: ScreenRule) -> Flags:

    parameters = {name: screen.number(name) for name in ("u", "a", "c")}
    return es.hidiroglou_berthelot(figures.base, figures.now, **parameters).flagged


def _robust_z(figures: Figures, screen: ScreenRule) -> Flags:

    return np.asarray(np.abs(es.robust_z(figures.growth)) > screen.number("threshold"))


def _model_z(figures: Figures, screen: ScreenRule) -> Flags:

    return np.asarray(np.abs(figures.z) > screen.number("threshold"))


def _magnitude(figures: Figures, screen: ScreenRule) -> Flags:

    power = es.magnitude_power(figures.now, figures.expected, width=screen.number("width"))
    return np.asarray((power != 0) & (np.abs(figures.z) > screen.number("min_z")))


def _same_as_previous(figures: Figures, screen: ScreenRule) -> Flags:

    if figures.repeats_previous > screen.number("max_usual"):
        return _none(figures)
    return es.same_as(figures.now, figures.former, int(screen.number("min_digits")))


def _same_as_year_ago(figures: Figures, screen: ScreenRule) -> Flags:

    if figures.repeats_year > screen.number("max_usual"):
        return _none(figures)
    return es.same_as(figures.now, figures.year_ago, int(screen.number("min_digits")))


def _same_as_another(figures: Figures, screen: ScreenRule) -> Flags:

    return es.same_as_another(figures.now, int(screen.number("min_digits"))) >= 0


def _reversed(figures: Figures, screen: ScreenRule) -> Flags:

    if not figures.cumulative:
        return _none(figures)
    fell = es.reversed_cumulative(figures.former, figures.now, screen.number("tolerance"))
    return np.asarray(fell & (figures.scope_ratio == 1))  # a change of scope is no fall


def _swapped(figures: Figures, screen: ScreenRule) -> Flags:
    return es.swapped(
        figures.now, figures.reported_prior, figures.forecast, figures.year_ago,
        min_gain=screen.number("min_gain"), max_rest=screen.number("max_rest"),
    )  # fmt: skip


def _scope_change(figures: Figures, screen: ScreenRule) -> Flags:

    tolerance = screen.number("tolerance")
    return np.asarray(es.scope_change(figures.reported_prior, figures.year_ago, tolerance) != 1)


def _none(figures: Figures) -> Flags:

    return np.zeros(figures.now.shape, bool)


_LOOKS: Mapping[str, Callable[[Figures, ScreenRule], Flags]] = {
    "ratio_edit": _ratio_edit,
    "robust_z": _robust_z,
    "model_z": _model_z,
    "magnitude": _magnitude,
    "same_as_previous": _same_as_previous,
    "same_as_year_ago": _same_as_year_ago,
    "same_as_another": _same_as_another,
    "reversed": _reversed,
    "swapped": _swapped,
    "scope_change": _scope_change,
}
"""Heaping is missing: it looks at the digits of a whole file, not at an indicator."""
