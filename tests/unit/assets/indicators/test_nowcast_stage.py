"""The nowcast stage on a small warehouse: vintages, late and new parks, the log, the record."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from assets.build import Build
from assets.indicators import nowcast_rows
from assets.indicators.outlooks import indicator_outlook, sight_of, vintages_of
from assets.submissions.store_rows import load_dimensions
from methods.nowcast import METHODS
from tests.support.warehouse_cases import Case, CaseIndicator
from warehouse import derive, nowcast_input, proof_forecast, store
from warehouse.catalog.load import load_catalog
from warehouse.proof import Step
from warehouse.state import State

ROOT = Path(__file__).resolve().parents[4]
PERIOD = "2020-06"
SIZE = 24
SILENT, NEW, REVISED = 3, 5, 7  # places of parks in the list
DELIVERIES = [
    *((year, range(2, 13), datetime(year + 1, 1, 8)) for year in range(2015, 2019)),
    (2019, range(2, 7), datetime(2019, 7, 8)),
    (2019, range(7, 13), datetime(2020, 1, 8)),
    (2020, range(2, 4), datetime(2020, 4, 8)),
    (2020, range(4, 7), datetime(2020, 7, 8)),
]
OLD, CORRECTED = "2019-12", Decimal(999_999)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Returns of 2015 to June 2020, and two figures corrected months later."""
    home = tmp_path_factory.mktemp("nowcast")
    catalog = load_catalog(ROOT / "examples" / "shaanxi" / "catalog")
    case = Case(home, [CaseIndicator("C04")])
    names = sorted(park.park_id for park in catalog.parks_on(date(2020, 6, 30)))[:SIZE]
    rng = np.random.default_rng(4)
    shares = rng.dirichlet(np.full(12, 40.0), size=SIZE)
    growth = np.cumsum(rng.normal(0.07, 0.04, (6, SIZE)), axis=0)
    ytd = {
        year: np.cumsum(
            1e5 * np.exp(grown)[:, None] * shares * rng.lognormal(0, 0.05, (SIZE, 12)), axis=1
        )
        for year, grown in zip(range(2015, 2021), growth, strict=True)
    }
    for year, months, received in DELIVERIES:
        cells = [
            (
                name,
                "C04",
                f"{year}-{month:02d}",
                "ytd",
                Decimal(f"{ytd[year][place, month - 1]:.2f}"),
            )
            for month in months
            for place, name in enumerate(names)
            if not (place == SILENT and (year, month) == (2020, 6))
            and not (place == NEW and year < 2020)
        ]
        case.deliver(f"s-{received:%Y-%m-%d}", received, cells)
    for period, received in ((OLD, datetime(2020, 3, 10)), ("2020-03", datetime(2020, 5, 20))):
        late = [(names[REVISED], "C04", period, "ytd", CORRECTED)]
        case.deliver(f"s-{period}-corrected", received, late, reporter="r2")
    with case.warehouse.building() as connection:
        derive.refresh_versions(connection)
        derive.refresh_observations(connection)
        connection.execute("DELETE FROM internal.affected_period")
    state = State(home / "state.sqlite")
    return Build(case.workspace, catalog, case.warehouse, state, datetime(2020, 8, 1))


def c04(build: Build):
    return next(i for i in build.catalog.indicators if i.indicator_id == "C04")


def rows(build: Build, query: str) -> list[dict]:
    with build.warehouse.building() as connection:
        return store.fetch(connection, query)


def test_a_correction_counts_from_the_origin_that_could_know_it(build: Build) -> None:
    with build.warehouse.building() as connection:
        vintages = vintages_of(connection, sight_of(build), c04(build), PERIOD, 2015)
    assert vintages is not None
    park = vintages.first.keys.index(
        sorted(p.park_id for p in build.catalog.parks_on(date(2020, 6, 30)))[REVISED]
    )
    before, after = vintages.at(2019, 12), vintages.at(2020, 2)  # received in March: serves 2020-02
    assert before.ytd[-1, 11, park] < float(CORRECTED)
    assert after.ytd[-2, 11, park] == float(CORRECTED)
    assert np.isnan(after.ytd[-1, 2:]).all()


def test_every_park_of_the_year_has_a_row_and_says_how_it_was_made(build: Build) -> None:
    with build.warehouse.building() as connection:
        nowcast_rows.refresh_nowcast(connection, build, PERIOD)
    found = rows(build, "FROM indicators.nowcast ORDER BY park_id")
    assert len(found) == SIZE
    by_method = {row["method"] for row in found}
    assert by_method <= set(METHODS)
    assert (found[SILENT]["last_period"], found[0]["last_period"]) == ("2020-05", PERIOD)
    assert (found[NEW]["method"], found[NEW]["n_history"]) == ("class_share", 0)
    assert found[0]["method"] == "median3"
    assert all(row["calibrated"] for row in found)
    names = ("p05", "p10", "p25", "p50", "p75", "p90", "p95")
    assert all(
        [row[name] for name in names] == sorted(row[name] for name in names) for row in found
    )
    width = {n: float(found[n]["p90"] / found[n]["p10"]) for n in (NEW, 0)}
    assert width[NEW] > width[0]  # nothing of its own to go by
    assert 30 < float(found[0]["seasonal_pct"]) < 70


def test_an_area_s_year_is_the_sum_of_its_parks(build: Build) -> None:
    with build.warehouse.building() as connection:
        nowcast_rows.refresh_nowcast(connection, build, PERIOD)
    parks = rows(build, "FROM indicators.nowcast")
    areas = {row["area_code"]: row for row in rows(build, "FROM indicators.area_nowcast")}
    whole = areas["610000"]
    assert whole["n_parks"] == len(parks) == SIZE
    assert abs(whole["point"] - sum(row["point"] for row in parks)) < 1
    below = [row for code, row in areas.items() if code.endswith("00") and code != "610000"]
    assert below and sum(row["n_parks"] for row in below) == SIZE
    for row in areas.values():
        assert row["p05"] <= row["p10"] <= row["p50"] <= row["p90"] <= row["p95"]


def test_the_same_figures_give_the_same_rows_and_one_entry_in_the_log(build: Build) -> None:
    with build.warehouse.building() as connection:
        nowcast_rows.refresh_nowcast(connection, build, PERIOD)
        first = store.table_digest(connection, "indicators.nowcast")
        nowcast_rows.refresh_nowcast(connection, build, PERIOD)
        assert store.table_digest(connection, "indicators.nowcast") == first
    assert rows(build, "SELECT count(*) AS n FROM internal.forecast_log")[0]["n"] == SIZE


def test_what_was_said_earlier_stays_in_the_log_beside_newer_forecasts(build: Build) -> None:
    early = Build(
        build.workspace, build.catalog, build.warehouse, build.state, build.now, "2020-04-30"
    )
    with build.warehouse.building() as connection:
        nowcast_rows.refresh_nowcast(connection, early, "2020-03")
        nowcast_rows.refresh_nowcast(connection, build, "2020-03")
        scored = nowcast_input.log_scores(connection, "2020-12")
    said = rows(
        build,
        "SELECT known_until, count(*) AS n FROM internal.forecast_log "
        "WHERE asof_period = '2020-03' GROUP BY ALL ORDER BY ALL",
    )
    assert [row["n"] for row in said] == [SIZE, SIZE]
    assert scored == []  # the year is not over


def test_forecasts_are_scored_against_the_finished_year(build: Build) -> None:
    asof = "2019-07-31"
    then = Build(build.workspace, build.catalog, build.warehouse, build.state, build.now, asof)
    with build.warehouse.building() as connection:
        nowcast_rows.refresh_nowcast(connection, then, "2019-06")
        connection.execute(
            "INSERT INTO indicators.park_month (park_id, indicator_id, period, value_ytd, state) "
            "SELECT park_id, indicator_id, period, value, state FROM observations.observation "
            "WHERE period = '2019-12' AND known_to IS NULL"
        )
        (june,) = nowcast_input.log_scores(connection, "2020-06")
        connection.execute("DELETE FROM indicators.park_month")
    assert (june["year"], june["month"], june["n"]) == (2019, 6, SIZE - 1)
    assert 50 < june["covered_80"] <= june["covered_90"] <= 100
    assert june["mape"] > 0


def test_the_record_of_closed_years_is_kept_until_a_figure_of_them_changes(build: Build) -> None:
    with build.warehouse.building() as connection:
        assert nowcast_input.record_is_due(connection, 2020)
        nowcast_rows.refresh_track_record(connection, build, PERIOD)
        assert not nowcast_input.record_is_due(connection, 2020)
        derive.mark_affected(connection, ["2020-05"])
        assert not nowcast_input.record_is_due(connection, 2020)
        derive.mark_affected(connection, ["2018-05"])
        assert nowcast_input.record_is_due(connection, 2020)
    found = rows(build, "FROM indicators.track_record ORDER BY month")
    assert [row["month"] for row in found] == list(range(2, 12))
    assert {row["n_years"] for row in found} == {2}
    june = found[4]
    assert june["mape"] < june["mape_calendar"]
    assert 60 < june["covered_80"] <= june["covered_90"] <= june["covered_95"] <= 100


def test_nothing_is_forecast_before_the_year_has_a_figure(build: Build) -> None:
    with build.warehouse.building() as connection:
        assert indicator_outlook(connection, build, c04(build), "2021-02") is None


def test_an_area_s_forecast_leads_to_the_cells_of_a_park_and_names_the_others(build: Build) -> None:
    def prove(park: str, indicator: str, period: str) -> Step:
        return Step(f"{park} {indicator} {period}")

    key = {"area_code": "610000", "indicator_id": "C04", "asof_period": PERIOD}
    with build.warehouse.building() as connection:
        load_dimensions(connection, build)
        nowcast_rows.refresh_nowcast(connection, build, PERIOD)
        step = proof_forecast.area(connection, key, prove)
        nothing = proof_forecast.area(connection, key | {"area_code": "140000"}, prove)
    assert f"{SIZE} 个园区的推算相加" in step.text
    assert len(step.parts) == SIZE
    assert step.parts[0].parts and not step.parts[1].parts
    assert "无此行" in nothing.text
