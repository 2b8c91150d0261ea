"""Made-up classes ready to be simulated, for tests of risk and way out.

Belongs here: making classes. Does not belong here: expectations.
"""

from __future__ import annotations

import numpy as np

from methods.points import Points
from methods.risk import Item, Model, Shocks

RULES = (
    Points((-20.0, 30.0), (0.0, 100.0)),  # growth
    Points((0.0, 60.0, 100.0, 120.0), (0.0, 50.0, 100.0, 110.0)),  # completion in tiers
    Points((2.0, 8.0), (100.0, 0.0)),  # less is better
)


def a_class(size, seed, errors=60, common=0.2, keep=None, decimals=2):
    """``size`` parks with three figures; ``keep`` picks parks by place (their draws stay theirs)."""
    rng = np.random.default_rng(seed)
    centre = rng.lognormal(4, 0.6, size)
    prior = centre / rng.lognormal(0.06, 0.12, size)
    share = rng.uniform(40, 130, size)
    energy = rng.uniform(2, 8, size)
    picked = np.arange(size) if keep is None else np.asarray(keep)
    ones, zero = np.ones(size)[picked], np.zeros(size)[picked]
    scale = rng.uniform(0.03, 0.15, size)[picked]
    items = (
        Item("C04", RULES[0], ones * 0.5, centre[picked], scale, 100 / prior[picked], ones * -100),
        Item("C10", RULES[1], ones * 0.3, share[picked], scale, ones, zero),
        Item("E01", RULES[2], ones * 0.2, energy[picked], scale, ones, zero),
    )
    drawn = rng.standard_t(5, (errors, 3))
    shocks = Shocks(("C04", "C10", "E01"), drawn, np.full(3, common), 5.0)
    names = tuple(f"park-{i:03d}" for i in picked)
    return Model("class-1", names, items, shocks, zero, decimals)
