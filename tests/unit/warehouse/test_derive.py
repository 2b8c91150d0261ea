"""Derivations: vintages, months, years, areas — each trap named in the field's words."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from tests.support.warehouse_cases import Case, CaseIndicator

C01 = CaseIndicator("C01")
JULY, AUGUST, MAY = datetime(2020, 7, 8), datetime(2020, 8, 20), datetime(2020, 5, 7)


def D(text):
    return Decimal(text)


@pytest.fixture
def case(tmp_path):
    case = Case(tmp_path, [C01])
    case.parks({"park_id": "P1", "county_code": "610921", "city_code": "610900"})
    return case


def month(case, period, park="P1", indicator="C01"):
    return case.rows(
        "FROM indicators.park_month WHERE park_id = ? AND indicator_id = ? AND period = ?",
        park, indicator, period,
    )[0]  # fmt: skip


# --- vintages -------------------------------------------------------------------------------------


def test_a_correction_closes_the_former_value_at_its_receipt(case):
    case.deliver("s1", JULY, [("P1", "C01", "2020-06", "ytd", 100)])
    case.deliver("s2", AUGUST, [("P1", "C01", "2020-06", "ytd", 110)])
    case.build("2020-06")
    vintages = case.rows("FROM observations.observation ORDER BY known_from")
    assert [(v["value"], v["known_from"], v["known_to"]) for v in vintages] == [
        (D(100), JULY, AUGUST),
        (D(110), AUGUST, None),
    ]
    assert month(case, "2020-06")["value_ytd"] == D(110)


def test_a_repeated_value_makes_no_vintage(case):
    case.deliver("s1", JULY, [("P1", "C01", "2020-06", "ytd", 100)])
    case.deliver("s2", AUGUST, [("P1", "C01", "2020-06", "ytd", 100)])
    case.build("2020-06")
    assert len(case.rows("FROM observations.observation")) == 1


def test_correction_delivered_before_its_original_ends_in_the_same_vintages(tmp_path):
    def vintages(home, order):
        case = Case(home, [C01])
        case.parks({"park_id": "P1"})
        for submission_id, received, value in order:
            case.deliver(submission_id, received, [("P1", "C01", "2020-06", "ytd", value)])
            case.build("2020-06")
        return case.rows("FROM observations.observation ORDER BY known_from")

    original, correction = ("s1", JULY, 100), ("s2", AUGUST, 110)
    assert vintages(tmp_path / "a", [original, correction]) == vintages(
        tmp_path / "b", [correction, original]
    )


def test_figures_as_known_on_an_earlier_day(case):
    case.deliver("s1", JULY, [("P1", "C01", "2020-06", "ytd", 100)])
    case.deliver("s2", AUGUST, [("P1", "C01", "2020-06", "ytd", 110)])
    case.build("2020-06", asof="2020-07-31 00:00:00")
    assert month(case, "2020-06")["value_ytd"] == D(100)


def test_versions_count_by_receipt_and_older_ones_are_superseded(case):
    case.deliver("s2", AUGUST, [("P1", "C01", "2020-06", "ytd", 110)])
    case.deliver("s1", JULY, [("P1", "C01", "2020-06", "ytd", 100)], n_findings=1)
    case.build("2020-06")
    rows = case.rows(
        "SELECT submission_id, version_no, status FROM submissions.submission ORDER BY 1"
    )
    assert [tuple(row.values()) for row in rows] == [("s1", 1, "superseded"), ("s2", 2, "accepted")]


def test_cell_with_an_error_finding_is_not_accepted(case):
    case.deliver(
        "s1", JULY, [("P1", "C01", "2020-06", "ytd", 100), ("P1", "C01", "2020-05", "ytd", 80)]
    )
    with case.warehouse.building() as connection:
        connection.execute(
            "INSERT INTO quality.finding (finding_id, rule_id, severity, outcome, message, "
            "submission_id, sheet, address) VALUES ('f', 'r', 'error', 'fail', 'm', 's1', '表1', 'C5')"
        )
    case.build("2020-06")
    assert [o["period"] for o in case.rows("FROM observations.observation")] == ["2020-05"]


def test_the_same_build_twice_changes_nothing(case):
    case.deliver("s1", JULY, [("P1", "C01", "2020-06", "ytd", 100)])
    case.build("2020-06")
    before = {
        t: case.rows(f"FROM {t}") for t in ("observations.observation", "indicators.park_year")
    }
    case.build("2020-06")
    assert before == {t: case.rows(f"FROM {t}") for t in before}


# --- months ---------------------------------------------------------------------------------------


def test_single_month_is_the_difference_of_cumulative_values(case):
    case.deliver(
        "s1", MAY, [("P1", "C01", "2020-04", "ytd", 70), ("P1", "C01", "2020-05", "ytd", 100)]
    )
    case.build("2020-05")
    assert month(case, "2020-05")["value_month"] == D(30)


def test_january_and_february_are_never_split(case):
    case.deliver(
        "s1", MAY, [("P1", "C01", "2020-02", "ytd", 40), ("P1", "C01", "2020-03", "ytd", 65)]
    )
    case.build("2020-03")
    assert month(case, "2020-02")["value_month"] is None
    assert month(case, "2020-03")["value_month"] == D(25)


def test_no_single_month_across_a_missing_period(case):
    case.deliver(
        "s1", MAY, [("P1", "C01", "2020-02", "ytd", 40), ("P1", "C01", "2020-04", "ytd", 90)]
    )
    case.build("2020-04")
    assert month(case, "2020-04")["value_month"] is None


def test_growth_uses_the_same_scope_column_not_last_years_level(case):
    """国家统计局 2018 年 1—5 月利润:27298.3 亿元,同比 +16.5%,上年同期曾公布 29047.6 亿元。"""
    case.deliver("s0", datetime(2017, 6, 27), [("P1", "C01", "2017-05", "ytd", "29047.6")][:0] or [
        ("P1", "C01", "2017-05", "ytd", D("29047.6"))])  # fmt: skip
    case.deliver("s1", datetime(2018, 6, 27), [
        ("P1", "C01", "2018-05", "ytd", D("27298.3")),
        ("P1", "C01", "2018-05", "yoy_published", D("16.5")),
    ])  # fmt: skip
    case.build("2018-05")
    row = month(case, "2018-05")
    assert (row["yoy_pct"], row["yoy_basis"]) == (D("16.5"), "published")


def test_comparable_column_wins_over_published_growth_and_a_scope_change_is_said(case):
    case.deliver("s0", datetime(2019, 7, 8), [("P1", "C01", "2019-06", "ytd", 100)])
    case.deliver("s1", JULY, [
        ("P1", "C01", "2020-06", "ytd", 99),
        ("P1", "C01", "2020-06", "ytd_prior", 90),
        ("P1", "C01", "2020-06", "yoy_published", 8),
    ])  # fmt: skip
    case.build("2020-06")
    row = month(case, "2020-06")
    assert (row["yoy_pct"], row["yoy_basis"], row["value_prior"]) == (D(10), "comparable", D(90))
    assert "5%" in row["break_flag"]


def test_growth_from_levels_only_when_nothing_better_is_there(case):
    case.deliver("s0", datetime(2019, 7, 8), [("P1", "C01", "2019-06", "ytd", 80)])
    case.deliver("s1", JULY, [("P1", "C01", "2020-06", "ytd", 100)])
    case.build("2020-06")
    row = month(case, "2020-06")
    assert (row["yoy_pct"], row["yoy_basis"]) == (D(25), "levels")


def test_a_corrected_month_also_corrects_growth_a_year_later(case):
    case.deliver("s0", datetime(2019, 7, 8), [("P1", "C01", "2019-06", "ytd", 80)])
    case.deliver("s1", JULY, [("P1", "C01", "2020-06", "ytd", 100)])
    case.build("2020-06")
    case.deliver("s2", AUGUST, [("P1", "C01", "2019-06", "ytd", 50)])
    case.build("2020-06")
    assert month(case, "2020-06")["yoy_pct"] == D(100)


def test_growth_over_a_negative_or_zero_base_is_not_a_number(case):
    case.deliver("s1", JULY, [
        ("P1", "C01", "2020-06", "ytd", 10), ("P1", "C01", "2020-06", "ytd_prior", -5)])  # fmt: skip
    case.build("2020-06")
    assert month(case, "2020-06")["yoy_pct"] is None


# --- years ----------------------------------------------------------------------------------------


def test_sums_and_means_need_every_month(tmp_path):
    case = Case(tmp_path, [CaseIndicator("sales", "sum"), CaseIndicator("customers", "mean")], 1)
    case.parks({"park_id": "AK"})
    cells = [
        ("AK", i, f"2024-{m:02d}", "month", m) for i in ("sales", "customers") for m in (1, 2, 4)
    ]
    case.deliver("s1", JULY, cells)
    case.build("2024-04")
    values = {r["indicator_id"]: r["value"] for r in case.rows("FROM indicators.park_year")}
    assert values == {"sales": None, "customers": None}
    case.deliver("s2", AUGUST, [("AK", i, "2024-03", "month", 3) for i in ("sales", "customers")])
    case.build("2024-04")
    rows = {
        r["indicator_id"]: r
        for r in case.rows("FROM indicators.park_year WHERE asof_period = '2024-04'")
    }
    assert rows["sales"]["value"] == D(10) and rows["customers"]["value"] == D("2.5")
    assert rows["sales"]["n_months"] == 4 and rows["sales"]["basis"] == "ytd"


def test_ratio_of_sums_not_mean_of_ratios(tmp_path):
    price = CaseIndicator("price", "formula", "ratio", "100 * revenue / sales")
    case = Case(
        tmp_path, [CaseIndicator("revenue", "sum"), CaseIndicator("sales", "sum"), price], 1
    )
    case.parks({"park_id": "AK"}, {"park_id": "AL"})
    case.deliver("s1", JULY, [
        ("AK", "revenue", "2024-01", "month", 10), ("AK", "sales", "2024-01", "month", 100),
        ("AK", "revenue", "2024-02", "month", 90), ("AK", "sales", "2024-02", "month", 300),
        ("AK", "price", "2024-02", "month", 30),
        ("AL", "revenue", "2024-01", "month", 0), ("AL", "sales", "2024-01", "month", 0),
        ("AL", "revenue", "2024-02", "month", 0), ("AL", "sales", "2024-02", "month", 0),
    ])  # fmt: skip
    case.build("2024-02")
    rows = {
        r["park_id"]: r for r in case.rows("FROM indicators.park_year WHERE indicator_id = 'price'")
    }
    assert rows["AK"]["value"] == D(25)
    assert (rows["AL"]["value"], rows["AL"]["state"]) == (None, "not_applicable")
    area = case.rows("FROM indicators.area_year WHERE indicator_id = 'price' AND scope = 'all'")
    assert [a["value"] for a in area] == [D(25)]


def test_a_stock_is_the_last_one_known_in_the_year(tmp_path):
    case = Case(tmp_path, [CaseIndicator("A02", "last")])
    case.parks({"park_id": "P1"})
    case.deliver("s1", MAY, [("P1", "A02", "2020-03", "stock", 200)])
    case.build("2020-05")
    row = case.rows("FROM indicators.park_year WHERE asof_period = '2020-05'")[0]
    assert (row["value"], row["n_months"]) == (D(200), 3)


def test_december_is_final_and_other_years_keep_one_row(case):
    case.deliver(
        "s1",
        MAY,
        [("P1", "C01", f"{y}-{m:02d}", "ytd", y + m) for y in (2018, 2019) for m in (11, 12)],
    )
    case.build("2019-12")
    rows = case.rows("FROM indicators.park_year ORDER BY year")
    assert [(r["year"], r["asof_period"], r["basis"], r["value"]) for r in rows] == [
        (2018, "2018-12", "final", D(2030)),
        (2019, "2019-12", "final", D(2031)),
    ]


# --- areas ----------------------------------------------------------------------------------------


def test_enclave_counts_once_in_its_home_county(tmp_path):
    case = Case(tmp_path, [C01])
    case.parks(
        {"park_id": "P1", "county_code": "610902", "city_code": "610900"},
        {"park_id": "P2", "county_code": "610902", "home_county_code": "610924",
         "host_county_code": "610902", "city_code": "610900", "is_key": True},
    )  # fmt: skip
    case.deliver(
        "s1", JULY, [("P1", "C01", "2020-06", "ytd", 10), ("P2", "C01", "2020-06", "ytd", 5)]
    )
    case.build("2020-06")
    rows = case.rows("SELECT area_code, scope, value FROM indicators.area_year ORDER BY 1, 2")
    assert [tuple(r.values()) for r in rows] == [
        ("610000", "all", D(15)), ("610000", "key", D(5)),
        ("610900", "all", D(15)), ("610900", "key", D(5)),
        ("610902", "all", D(10)),
        ("610924", "all", D(5)), ("610924", "key", D(5)),
    ]  # fmt: skip


def test_area_growth_compares_the_same_parks(tmp_path):
    case = Case(tmp_path, [C01])
    case.parks({"park_id": "P1"}, {"park_id": "P2"})
    case.deliver("s1", JULY, [
        ("P1", "C01", "2020-06", "ytd", 110), ("P1", "C01", "2020-06", "ytd_prior", 100),
        ("P2", "C01", "2020-06", "ytd", 500),
    ])  # fmt: skip
    case.build("2020-06")
    row = case.rows("FROM indicators.area_year WHERE scope = 'all'")[0]
    assert (row["value"], row["yoy_pct"], row["n_parks"], row["n_reported"]) == (
        D(610),
        D(10),
        2,
        2,
    )


def test_area_ratio_counts_the_same_parks_above_and_below(tmp_path):
    per_mu = CaseIndicator("X01", "formula", "ratio", "C01 / A03")
    twice = CaseIndicator("X02", "formula", "ratio", "2 * X01")
    case = Case(tmp_path, [C01, CaseIndicator("A03", "last"), per_mu, twice])
    case.parks({"park_id": "P1"}, {"park_id": "P2"})
    case.deliver("s1", JULY, [
        ("P1", "C01", "2020-06", "ytd", 100), ("P1", "A03", "2020-06", "stock", 10),
        ("P2", "A03", "2020-06", "stock", 90),
    ])  # fmt: skip
    case.build("2020-06")
    rows = case.rows(
        "SELECT indicator_id, value, n_parks, n_reported FROM indicators.area_year "
        "WHERE scope = 'all' AND indicator_id LIKE 'X%' ORDER BY 1"
    )
    assert [tuple(r.values()) for r in rows] == [("X01", D(10), 2, 1), ("X02", D(20), 2, 1)]


def test_register_history_decides_membership_on_the_day(tmp_path):
    from datetime import date

    case = Case(tmp_path, [C01])
    case.parks(
        {
            "park_id": "P1",
            "valid_from": date(2015, 1, 1),
            "valid_to": date(2020, 7, 1),
            "is_key": True,
        },
        {"park_id": "P1", "valid_from": date(2020, 7, 1), "is_key": False},
    )
    case.deliver(
        "s1", AUGUST, [("P1", "C01", p, "ytd", v) for p, v in (("2020-06", 10), ("2020-07", 12))]
    )
    case.build("2020-07", each_month=True)
    keyed = case.rows("SELECT asof_period FROM indicators.area_year WHERE scope = 'key'")
    assert [r["asof_period"] for r in keyed] == ["2020-06"]
