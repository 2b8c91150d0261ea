"""Track record of the risk: nothing of the future leaks in, competitors are real, sums are exact."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from methods import risk_backtest as record
from methods.nowcast import Vintages, panel
from tests.support.devdata import devdata
from tests.support.panels import made_up


@pytest.fixture(scope="module")
def found():
    return record.risk_backtest(made_up(units=60, years=12), months=(3, 9), draws=300)


def test_every_class_and_month_adds_up_to_its_last_places(found):
    assert [skill.month for skill in found.skills] == [3, 9]
    assert all(skill.sums_exact for skill in found.skills)
    assert found.skills[0].events == pytest.approx(found.skills[0].n / 10)  # 20 units, last 2


def test_september_knows_more_than_march(found):
    march, september = found.skills
    assert september.brier < march.brier
    assert march.climatology.skill > 0


def test_a_year_is_judged_without_its_own_or_later_figures():
    """Figures after the origin may be anything: what is said at the origin stays the same."""
    vintages = made_up(units=24, years=9)
    harmed = vintages.first.ytd.copy()
    harmed[-1, 9:] *= 7.0  # after September of the last year
    other = replace(vintages, first=replace(vintages.first, ytd=harmed))
    said = []
    for version in (vintages, other):
        made = record.make_record(version, version.first.years[1:-1])
        year = version.first.years[-1]
        (origin,) = record.outlooks(version, year, [9], made)
        said.append([case.probability for case in record._cases(version, origin, 200, 1)])
    assert all((a == b).all() for a, b in zip(*said, strict=True))


def test_the_logistic_competitor_finds_the_coefficients_that_made_the_data():
    rng = np.random.default_rng(1)
    features = rng.normal(size=(20_000, 2))
    chance = 1 / (1 + np.exp(-(-1.0 + 2.0 * features[:, 0] - 0.5 * features[:, 1])))
    beta = record.fit_logistic(features, (rng.uniform(size=20_000) < chance).astype(float))
    assert beta == pytest.approx([-1.0, 2.0, -0.5], abs=0.1)


def test_a_panel_too_short_says_so():
    with pytest.raises(ValueError, match="complete years"):
        record.risk_backtest(made_up(units=12, years=5), draws=50)


def test_retail_trade_beats_the_honest_competitor():
    """Australian retail trade by state and industry, classes by state: the gate of the method."""
    rows: dict[tuple[str, str], dict[str, float]] = {}
    with (devdata("au_abs") / "aus_retail.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["Month"] >= "1996":
                key = (row["State"], row["Industry"])
                rows.setdefault(key, {})[row["Month"]] = float(row["Turnover"])
    keys = sorted(key for key, months in rows.items() if len(months) >= 120)
    flow = np.array([
        [[rows[key].get(f"{year}-{month:02d}", np.nan) for key in keys] for month in range(1, 13)]
        for year in range(1996, 2019)
    ])  # fmt: skip
    retail = panel(["/".join(key) for key in keys], [key[0] for key in keys], 1996,
                   np.cumsum(flow, axis=1))  # fmt: skip
    found = record.risk_backtest(Vintages(retail), draws=400)
    for skill, bar in zip(found.skills, (0.05, 0.10, 0.20), strict=True):
        assert skill.logistic.skill >= bar and skill.logistic.bound > 0, skill
        assert skill.current.skill >= 0.30 and skill.ece <= 0.02, skill
        assert skill.sums_exact
