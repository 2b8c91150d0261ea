"""Traps of Chinese park statistics: months, growth, breaks of scope, areas — in the field's words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest

from tests.support.warehouse_cases import Case, CaseIndicator

D = Decimal
C01 = CaseIndicator("C01")
A03 = CaseIndicator("A03", "last", unit="亩", kind="stock")
M04 = CaseIndicator("M04", "last", counted="parks", unit="个", kind="stock", obtained="register")
JULY, MAY = datetime(2020, 7, 8), datetime(2020, 5, 7)


def made(tmp_path, *indicators, parks=("P1",)):
    case = Case(tmp_path, list(indicators or (C01,)))
    case.parks(*({"park_id": park, "city_code": "610900"} for park in parks))
    return case


def month(case, period, park="P1", indicator="C01"):
    (row,) = case.rows(
        "FROM indicators.park_month WHERE park_id = ? AND indicator_id = ? AND period = ?",
        park, indicator, period,
    )  # fmt: skip
    return row


def area(case, code, indicator="C01", scope="all"):
    (row,) = case.rows(
        "FROM indicators.area_year WHERE area_code = ? AND indicator_id = ? AND scope = ? "
        "ORDER BY asof_period DESC LIMIT 1",
        code, indicator, scope,
    )  # fmt: skip
    return row


def said(period, indicator="C01", reason="调整统计范围", **where):
    return {"break_id": "B1", "period": period, "indicator_id": indicator, "reason": reason,
            "source": "测试"} | where  # fmt: skip


# --- single months --------------------------------------------------------------------------------


def ytd(park, *months):
    return [(park, "C01", f"2020-{m:02d}", "ytd", value) for m, value in months]


def test_1_2_month_is_never_split_and_march_is_a_difference(tmp_path):
    case = made(tmp_path)
    case.deliver("s", MAY, ytd("P1", (1, 10), (2, 30), (3, 45)))
    case.build("2020-03")
    assert [month(case, f"2020-0{m}")["value_month"] for m in (1, 2, 3)] == [None, None, D(15)]


def test_a_month_made_negative_by_a_write_down_is_kept_and_said(tmp_path):
    case = made(tmp_path)
    case.deliver("s", MAY, ytd("P1", (3, 100), (4, 90)))
    case.build("2020-04")
    row = month(case, "2020-04")
    assert row["value_month"] == D(-10) and "核减" in row["month_flag"]


def test_profit_may_fall_without_a_word(tmp_path):
    case = made(tmp_path, replace(C01, non_negative=False))
    case.deliver("s", MAY, ytd("P1", (3, 100), (4, 90)))
    case.build("2020-04")
    assert month(case, "2020-04")["month_flag"] is None


def test_no_difference_over_a_break_of_scope(tmp_path):
    case = made(tmp_path)
    case.declare("scope_break", said("2020-04"))
    case.deliver("s", MAY, ytd("P1", (3, 100), (4, 900), (5, 1000)))
    case.build("2020-05")
    april, may = month(case, "2020-04"), month(case, "2020-05")
    assert april["value_month"] is None and "调整统计范围" in april["month_flag"]
    assert may["value_month"] == D(100)


def test_no_difference_of_round_figures(tmp_path):
    case = made(tmp_path)
    case.deliver("s", MAY, ytd("P1", (3, 100), (4, 700)))
    with case.warehouse.building() as connection:
        connection.execute("UPDATE submissions.cell SET state = 'approximate' WHERE value = 700")
    case.build("2020-04")
    row = month(case, "2020-04")
    assert row["value_month"] is None and "约数" in row["month_flag"]


# --- growth ---------------------------------------------------------------------------------------


def two_years(case, last, now, *more):
    case.deliver("s0", datetime(2019, 7, 8), [("P1", "C01", "2019-06", "ytd", last)])
    case.deliver("s1", JULY, [("P1", "C01", "2020-06", "ytd", now), *more])
    case.build("2020-06")
    return month(case, "2020-06")


def test_levels_are_never_divided_over_a_declared_break(tmp_path):
    case = made(tmp_path)
    case.declare("scope_break", said("2020-02", region_code="610900"))
    row = two_years(case, 13492, 10755)
    assert (row["yoy_pct"], row["yoy_mark"], row["value_prior"]) == (None, "break", None)
    assert row["yoy_levels_pct"] < -20 and row["break_flag"] == "调整统计范围"


def test_same_scope_column_holds_over_a_break_and_the_break_is_said(tmp_path):
    case = made(tmp_path)
    case.declare("scope_break", said("2020-02", park_id="P1"))
    row = two_years(case, 150, 110, ("P1", "C01", "2020-06", "ytd_prior", 100))
    assert (row["yoy_pct"], row["yoy_basis"]) == (D(10), "comparable")
    assert row["break_flag"].startswith("调整统计范围;本期所报上年同期数")


def test_a_break_elsewhere_touches_nothing(tmp_path):
    case = made(tmp_path)
    case.declare("scope_break", said("2020-02", region_code="610100"), said("2020-02", "C02"))
    row = two_years(case, 100, 110)
    assert (row["yoy_pct"], row["break_flag"]) == (D(10), None)


@pytest.mark.parametrize(("since", "touched"), [("2019-02", False), ("2019-05", True)])
def test_a_break_within_last_years_months_mixes_them(tmp_path, since, touched):
    case = made(tmp_path)
    case.declare("scope_break", said(since))
    assert (two_years(case, 100, 110)["break_flag"] is not None) == touched


def test_own_column_that_is_zero_does_not_fall_back_to_another_scope(tmp_path):
    case = made(tmp_path)
    row = two_years(case, 100, 110, ("P1", "C01", "2020-06", "ytd_prior", 0))
    assert (row["yoy_pct"], row["yoy_mark"]) == (None, "not_positive_base")


def test_growth_over_a_small_base_is_capped_and_marked(tmp_path):
    case = made(tmp_path, replace(C01, small_base=D(500), growth_cap_pct=D(100)))
    row = two_years(case, 499, 4990)
    assert (row["yoy_pct"], row["yoy_mark"]) == (D(100), "small_base")
    assert row["yoy_levels_pct"] == D(900)


def test_no_figure_has_no_growth_however_small_the_base(tmp_path):
    case = made(tmp_path, replace(C01, small_base=D(500), growth_cap_pct=D(100)))
    row = two_years(case, 499, "unknown")
    assert (row["value_ytd"], row["yoy_pct"], row["yoy_basis"]) == (None, None, None)


def test_a_base_that_is_not_small_is_not_capped(tmp_path):
    case = made(tmp_path, replace(C01, small_base=D(500), growth_cap_pct=D(100)))
    row = two_years(case, 500, 5000)
    assert (row["yoy_pct"], row["yoy_mark"]) == (D(900), None)


def test_two_year_average_is_geometric(tmp_path):
    case = made(tmp_path)
    for year, value in ((2019, 100), (2020, 80), (2021, 120)):
        case.deliver(f"s{year}", datetime(year, 7, 8), [("P1", "C01", f"{year}-06", "ytd", value)])
        case.build(f"{year}-06")
    row = month(case, "2021-06")
    assert row["yoy_pct"] == D(50)
    assert row["yoy_two_year_pct"].quantize(D("0.0001")) == D("9.5445")  # sqrt(0.8 * 1.5) - 1


def test_a_late_correction_reaches_the_two_year_average(tmp_path):
    case = made(tmp_path)
    for year, value in ((2019, 100), (2020, 80), (2021, 120)):
        case.deliver(f"s{year}", datetime(year, 7, 8), [("P1", "C01", f"{year}-06", "ytd", value)])
        case.build(f"{year}-06")
    case.deliver("late", datetime(2021, 9, 1), [("P1", "C01", "2019-06", "ytd", 80)])
    case.build("2021-06")
    assert month(case, "2021-06")["yoy_two_year_pct"].quantize(D("0.01")) == D("22.47")


def test_a_merged_park_breaks_the_growth_of_the_one_it_went_into(tmp_path):
    case = Case(tmp_path, [C01])
    case.parks(
        {"park_id": "P1"},
        {"park_id": "P2", "name": "乙园", "valid_to": date(2020, 4, 1), "merged_into": "P1"},
    )
    row = two_years(case, 100, 180)
    assert (row["yoy_pct"], row["yoy_mark"], row["break_flag"]) == (None, "break", "并入乙园")


# --- ratios ---------------------------------------------------------------------------------------


def test_per_mu_figure_rests_on_the_land_last_reported_in_the_year(tmp_path):
    case = made(tmp_path, C01, A03, CaseIndicator("X01", "formula", "ratio", "C01 / A03"))
    case.deliver("s1", MAY, [
        ("P1", "A03", "2020-03", "stock", 50), ("P1", "C01", "2020-03", "ytd", 100),
        ("P1", "C01", "2020-05", "ytd", 200)])  # fmt: skip
    case.build("2020-05")
    row = month(case, "2020-05", indicator="X01")
    assert (row["value_ytd"], row["state"], row["origin"]) == (D(4), "reported", "computed")


@pytest.mark.parametrize(
    ("land", "state"), [(0, "not_applicable"), ("suppressed", "suppressed"), (None, "unknown")]
)
def test_a_ratio_that_cannot_be_computed_says_why(tmp_path, land, state):
    case = made(tmp_path, C01, A03, CaseIndicator("X01", "formula", "ratio", "C01 / A03"))
    cells = [("P1", "C01", "2020-05", "ytd", 100)]
    cells += [("P1", "A03", "2020-05", "stock", land)] if land is not None else []
    case.deliver("s1", MAY, cells)
    case.build("2020-05")
    row = month(case, "2020-05", indicator="X01")
    assert (row["value_ytd"], row["state"]) == (None, state)


def test_formulas_may_look_back_and_name_a_measure(tmp_path):
    gain = CaseIndicator("gain", "formula", "ratio", "A03 - A03[-1y]")
    pace = CaseIndicator("pace", "formula", "ratio", "100 * C01.month / C01.ytd")
    case = made(tmp_path, C01, A03, gain, pace)
    case.deliver("s0", datetime(2019, 6, 1), [("P1", "A03", "2019-05", "stock", 40)])
    case.deliver("s1", MAY, [
        ("P1", "A03", "2020-05", "stock", 50), ("P1", "C01", "2020-04", "ytd", 150),
        ("P1", "C01", "2020-05", "ytd", 200)])  # fmt: skip
    case.build("2020-05")
    assert month(case, "2020-05", indicator="gain")["value_ytd"] == D(10)
    assert month(case, "2020-05", indicator="pace")["value_ytd"] == D(25)
    assert area(case, "610900", "gain")["value"] == D(10)
    assert area(case, "610900", "pace")["value"] == D(25)


def test_the_break_of_a_part_is_carried_to_the_ratio_and_the_area(tmp_path):
    case = made(tmp_path, C01, A03, CaseIndicator("X01", "formula", "ratio", "C01 / A03"))
    case.declare("scope_break", said("2020-02"))
    cells = [("P1", "A03", "2020-05", "stock", 50), ("P1", "C01", "2020-05", "ytd", 100)]
    case.deliver("s0", datetime(2019, 6, 1), [(p, i, "2019-05", m, v) for p, i, _, m, v in cells])
    case.deliver("s1", MAY, cells)
    case.build("2020-05")
    row = month(case, "2020-05", indicator="X01")
    assert (row["yoy_pct"], row["break_flag"]) == (None, "调整统计范围")
    total = area(case, "610900", "X01")
    assert total["yoy_pct"] is None and "调整统计范围" in total["break_flag"]


def test_mean_workforce_may_be_reported_as_a_mean(tmp_path):
    case = made(tmp_path, CaseIndicator("E02", "mean", kind="stock"))
    case.deliver("s1", MAY, [("P1", "E02", "2020-03", "ytd", 120)])
    case.build("2020-03")
    row = month(case, "2020-03", indicator="E02")
    assert (row["value_ytd"], row["value_month"], row["n_months"]) == (D(120), None, 3)


# --- years and areas ------------------------------------------------------------------------------


def test_a_park_that_reported_nothing_has_a_row_that_says_so(tmp_path):
    case = made(tmp_path, parks=("P1", "P2"))
    case.deliver("s1", MAY, [("P1", "C01", "2020-05", "ytd", 100)])
    case.build("2020-05")
    rows = case.rows("FROM indicators.park_year ORDER BY park_id")
    assert [(r["value"], r["state"], r["completeness_pct"]) for r in rows] == [
        (D(100), "reported", D(100)),
        (None, "unknown", D(0)),
    ]
    assert case.rows("SELECT n_parks, n_known, note FROM indicators.coverage") == [
        {"n_parks": 2, "n_known": 1, "note": "缺1个园区"}
    ]


def test_number_of_parks_is_counted_from_the_register(tmp_path):
    b03, per_park = (
        CaseIndicator("B03", "last"),
        CaseIndicator("X17", "formula", "ratio", "B03 / M04"),
    )
    case = made(tmp_path, M04, b03, per_park, parks=("P1", "P2", "P3"))
    case.deliver(
        "s1", MAY, [("P1", "B03", "2020-05", "stock", 30), ("P2", "B03", "2020-05", "stock", 10)]
    )
    case.build("2020-05")
    assert area(case, "610900", "M04")["value"] == D(3)
    mean = area(case, "610900", "X17")
    assert (mean["value"], mean["n_reported"], mean["n_parks"]) == (D(20), 2, 3)


def test_classes_are_areas_too(tmp_path):
    case = Case(tmp_path, [C01])
    case.parks({"park_id": "P1", "class_id": "shannan"}, {"park_id": "P2", "class_id": "shanbei"})
    case.deliver(
        "s1", MAY, [("P1", "C01", "2020-05", "ytd", 7), ("P2", "C01", "2020-05", "ytd", 5)]
    )
    case.build("2020-05")
    assert (area(case, "shannan")["value"], area(case, "shannan")["area_level"]) == (D(7), "class")


def test_fixed_list_and_comparable_list_are_two_figures(tmp_path):
    """P2 left the list in 2020, P3 came: the fixed list is today's, growth is of P1 alone."""
    case = Case(tmp_path, [C01])
    case.parks(
        {"park_id": "P1", "city_code": "610900"},
        {"park_id": "P2", "city_code": "610900", "valid_to": date(2020, 1, 1)},
        {"park_id": "P3", "city_code": "610900", "valid_from": date(2020, 1, 1)},
    )
    case.deliver("s0", datetime(2019, 6, 1), [
        ("P1", "C01", "2019-05", "ytd", 100), ("P2", "C01", "2019-05", "ytd", 400)])  # fmt: skip
    case.deliver("s1", MAY, [
        ("P1", "C01", "2020-05", "ytd", 110), ("P3", "C01", "2020-05", "ytd", 40)])  # fmt: skip
    case.build("2020-05")
    row = area(case, "610900")
    assert (row["value"], row["value_comparable"], row["value_prior"]) == (D(150), D(110), D(100))
    assert (row["yoy_pct"], row["yoy_basis"], row["n_comparable"]) == (D(10), "levels", 1)
    assert (row["value_last_year"], row["yoy_levels_pct"]) == (D(500), D(-70))


def test_a_recoded_county_is_compared_with_itself(tmp_path):
    """旬阳县 610928 → 旬阳市 610981 (2021)."""
    case = Case(tmp_path, [C01])
    day = date(2021, 2, 1)
    case.declare(
        "region",
        {"code": "610928", "name": "旬阳县", "level": "county", "valid_from": date(1990, 1, 1),
         "valid_to": day, "successor": "610981"},
        {"code": "610981", "name": "旬阳市", "level": "county", "valid_from": day},
    )  # fmt: skip
    case.parks(
        {"park_id": "P1", "county_code": "610928", "valid_to": day},
        {"park_id": "P1", "county_code": "610981", "valid_from": day},
    )
    for year in (2020, 2021):
        case.deliver(f"s{year}", datetime(year, 6, 1), [("P1", "C01", f"{year}-05", "ytd", year)])
    case.build("2021-05")
    row = area(case, "610981")
    assert (row["value"], row["value_last_year"], row["value_prior"]) == (D(2021), D(2020), D(2020))


def test_shares_of_an_enclave_reach_the_other_city_and_nothing_is_counted_twice(tmp_path):
    case = Case(tmp_path, [C01, A03, CaseIndicator("X01", "formula", "ratio", "C01 / A03")])
    begin = date(1990, 1, 1)
    case.declare("region", *(
        {"code": code, "name": code, "level": level, "parent": parent, "valid_from": begin}
        for code, level, parent in (
            ("610000", "province", None), ("610100", "city", "610000"), ("610900", "city", "610000"),
            ("610111", "county", "610100"), ("610924", "county", "610900"))
    ))  # fmt: skip
    case.parks(
        {"park_id": "F", "county_code": "610111", "home_county_code": "610924",
         "host_county_code": "610111", "city_code": "610900"},
        {"park_id": "P", "county_code": "610111", "city_code": "610100"},
    )  # fmt: skip
    case.declare("enclave_share", *(
        {"park_id": "F", "county_code": code, "valid_from": begin, "share": D(share)}
        for code, share in (("610924", "0.7"), ("610111", "0.3"))
    ))  # fmt: skip
    case.deliver("s", MAY, [
        ("F", "C01", "2020-05", "ytd", 100), ("P", "C01", "2020-05", "ytd", 10),
        ("F", "A03", "2020-05", "stock", 10), ("P", "A03", "2020-05", "stock", 2)])  # fmt: skip
    case.build("2020-05")
    found = {r["area_code"]: r["value"] for r in case.rows(
        "FROM indicators.area_year WHERE indicator_id = 'C01' AND scope = 'all'")}  # fmt: skip
    assert found == {"610111": D(40), "610924": D(70), "610100": D(40), "610900": D(70),
                     "610000": D(110)}  # fmt: skip
    assert area(case, "610111", "X01")["value"] == D(8)  # (30 + 10) / (3 + 2)


# --- entered figures ------------------------------------------------------------------------------


def entered(indicator, value, line, **where):
    return {"indicator_id": indicator, "value": D(value), "period": "2020-12", "scope": "all",
            "file": "figures.csv", "line": line} | where  # fmt: skip


def external(indicator_id):
    return CaseIndicator(
        indicator_id, aggregation="none", unit="亿元", kind="external", obtained="external"
    )


def test_shares_of_the_region_come_from_entered_figures(tmp_path):
    share = CaseIndicator("X30", "formula", "ratio", "100 * T03 / T04")
    mixed = CaseIndicator("X33", "formula", "ratio", "100 * C01 / (10000 * T06)")
    case = made(tmp_path, C01, external("T03"), external("T04"), external("T06"), share, mixed)
    case.declare("entered_figure", entered("T03", 30, 2, area_code="610900"),
                 entered("T04", 120, 3, area_code="610900"),
                 entered("T06", 2, 4, area_code="610900"))  # fmt: skip
    case.deliver("s", datetime(2021, 1, 8), [("P1", "C01", "2020-12", "ytd", 5000)])
    case.build("2020-12")
    assert (area(case, "610900", "X30")["value"], area(case, "610900", "X33")["value"]) == (
        D(25),
        D(25),
    )
    notes = {r["indicator_id"]: r["note"] for r in case.rows("FROM indicators.coverage")}
    assert notes["T03"] is None


def test_a_missing_outside_figure_is_said(tmp_path):
    case = made(tmp_path, C01, external("T04"))
    case.deliver("s", datetime(2021, 1, 8), [("P1", "C01", "2020-12", "ytd", 5000)])
    case.build("2020-12")
    notes = {r["indicator_id"]: r["note"] for r in case.rows("FROM indicators.coverage")}
    assert "外部数据" in notes["T04"]


def test_an_entered_figure_of_a_park_never_replaces_a_return_and_is_known_from_its_day(tmp_path):
    case = made(tmp_path, C01, parks=("P1", "P2"))
    day = date(2021, 3, 1)
    case.declare("entered_figure", entered("C01", 999, 2, park_id="P1", entered_on=day),
                 entered("C01", 40, 3, park_id="P2", entered_on=day))  # fmt: skip
    case.deliver("s", datetime(2021, 1, 8), [("P1", "C01", "2020-12", "ytd", 5000)])
    case.build("2020-12")
    assert (month(case, "2020-12", "P1")["value_ytd"], month(case, "2020-12", "P2")["origin"]) == (
        D(5000),
        "entered",
    )
    case.deliver("again", datetime(2021, 1, 9), [("P1", "C01", "2020-12", "ytd", 5000)])
    case.build("2020-12", asof="2021-02-01 00:00:00")
    assert not case.rows("FROM indicators.park_month WHERE park_id = 'P2'")
