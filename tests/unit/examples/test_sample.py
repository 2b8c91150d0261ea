"""The simulated returns: published totals, relations, forms, planted mistakes, same bytes."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from examples.sample import forms_doc, mail, months
from examples.sample.figures import DECIMALS, figures_of, growth
from examples.sample.forms import FORMS
from examples.sample.months import SentFile, files_of
from examples.sample.registers import EXAMPLES, Example, load, period_end, periods_between
from examples.sample.returns import build
from examples.sample_returns import main
from pipelines.settings import load_workspace
from tests.support.devdata import devdata
from warehouse.catalog import models
from warehouse.catalog.load import load_catalog

ANKANG, XIAN = "610900", "610100"
COMMAND = EXAMPLES / "sample_returns.py"


@pytest.fixture(scope="module")
def shaanxi() -> Example:
    return load("shaanxi")


@cache
def month(period: str, example: str = "shaanxi") -> list[SentFile]:
    return files_of(load(example), period)


def of(period: str, reporter_id: str) -> list[SentFile]:
    return [file for file in month(period) if file.delivery.reporter_id == reporter_id]


# --- the figures ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "city", "indicator", "period", "measure", "published", "tolerance"),
    [
        ("RF025", ANKANG, "C01", "2020-12", "ytd", 10755000, 20),
        ("RF029", ANKANG, "C01", "2021-09", "ytd", 9659800, 20),
        ("RF026", ANKANG, "B01", "2020-12", "stock", 2329, 0),
        ("RF027", ANKANG, "B03", "2020-12", "stock", 451, 0),
        ("RF023", ANKANG, "B07", "2019-12", "ytd", 110, 0),
        ("RF024", ANKANG, "G02", "2019-12", "ytd", 61, 0),
        ("RF030", XIAN, "C01", "2020-06", "ytd", 6990000, 20),
        ("RF031", XIAN, "B01", "2020-06", "stock", 2250, 0),
        ("RF032", XIAN, "B03", "2020-06", "stock", 371, 0),
        ("RF033", XIAN, "E01", "2020-06", "stock", 128000, 0),
    ],
)
def test_city_totals_are_the_published_ones(
    source: str,
    city: str,
    indicator: str,
    period: str,
    measure: str,
    published: int,
    tolerance: int,
) -> None:
    assert abs(city_total(city, indicator, period, measure) - published) <= tolerance, source


def city_total(city: str, indicator: str, period: str, measure: str) -> Decimal:
    figures = figures_of("shaanxi")
    members = [figures.frame.example.park_ids[i] for i in figures.frame.members(city)]
    values = [figures.value(park, indicator, period, measure) for park in members]
    return sum((value for value in values if value is not None), Decimal(0))


def test_ankang_grows_by_the_published_rate_on_the_comparable_base() -> None:
    now = city_total(ANKANG, "C01", "2021-09", "ytd")
    comparable = city_total(ANKANG, "C01", "2021-09", "ytd_prior")
    assert abs((now / comparable - 1) * 100 - Decimal("8.85")) < Decimal("0.01")
    # What 安康 itself reported a year before is another number: the scope of firms has changed.
    assert city_total(ANKANG, "C01", "2020-09", "ytd") < comparable


@pytest.mark.parametrize(
    ("part", "whole"),
    [("C02", "C01"), ("C07", "C01"), ("F02", "F01"), ("B07", "B06")],
)
def test_a_part_never_exceeds_its_whole(part: str, whole: str) -> None:
    ytd = figures_of("shaanxi").ytd
    assert (ytd[part] <= ytd[whole]).all()


@pytest.mark.parametrize(
    ("small", "large"), [("B03", "B01"), ("B01", "E01"), ("B05", "B04"), ("A02", "A01")]
)
def test_stocks_keep_their_order(small: str, large: str) -> None:
    figures = figures_of("shaanxi")
    alive = figures.frame.alive() > 0
    assert (figures.level[small] <= figures.level[large])[alive].all()


def test_workshops_in_reserve_and_in_use_fit_into_all_workshops() -> None:
    level = figures_of("shaanxi").level
    assert (level["G03"] + level["G04"] <= level["G01"]).all()


def test_cumulated_output_falls_only_where_a_write_down_is_listed(shaanxi: Example) -> None:
    output = figures_of("shaanxi").ytd["C01"]
    falls = {
        (shaanxi.park_ids[i], f"{shaanxi.years[y]}-{m + 2:02d}")
        for i, y, m in np.argwhere(np.diff(output, axis=2) < 0)
    }
    assert falls == {(row["park"], row["period"]) for row in shaanxi.settings["write_down"]}


def test_refunds_make_a_month_of_taxes_negative(shaanxi: Example) -> None:
    figures = figures_of("shaanxi")
    for row in shaanxi.settings["refund"]:
        measure = "ytd" if row["period"].endswith("-02") else "month"
        value = figures.value(row["park"], "D02", row["period"], measure)
        assert value is not None and value < 0, row


def test_the_pandemic_dips_in_february_2020_and_recovers() -> None:
    ytd, prior = figures_of("shaanxi").ytd["C01"], figures_of("shaanxi").prior["C01"]
    y = 2020 - 2016
    rates = [ytd[:, y, m].sum() / prior[:, y, m].sum() * 100 - 100 for m in (1, 2, 5, 11)]
    assert -40 < rates[0] < -20
    assert all(later > earlier for earlier, later in pairwise(rates))


def test_industry_is_low_in_february_and_high_in_december() -> None:
    ytd = figures_of("shaanxi").ytd["C01"].sum(axis=0)[2018 - 2016]
    by_month = np.diff(ytd, prepend=0)
    assert by_month.argmin() == 1
    assert by_month.argmax() == 11


# --- the registers --------------------------------------------------------------------------------


def rows_of(example: str, name: str) -> list[dict[str, str]]:
    path = EXAMPLES / example / "catalog" / name
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def items_of(example: str, name: str) -> list[dict[str, Any]]:
    path = EXAMPLES / example / "catalog" / name
    return list(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_the_lists_at_the_default_period(shaanxi: Example) -> None:
    parks = [shaanxi.park_at(park_id, "2020-06") for park_id in shaanxi.park_ids]
    active = [park for park in parks if park is not None and park.status == "active"]
    assert len(active) == 100
    assert Counter(park.city_code for park in active)[ANKANG] == 19
    assert Counter(park.city_code for park in active)[XIAN] == 17
    assert sum(1 for park in active if park.home_county_code) == 5
    assert sum(park.is_key for park in active) == 94
    assert sum(park.is_demonstration for park in active) == 20
    assert sum(park.is_demonstration for park in active if park.city_code == XIAN) == 3
    assert len(shaanxi.reporter_ids) == 42


@pytest.mark.parametrize("example", ["shaanxi", "shanxi"])
def test_every_active_park_is_reported_by_exactly_one_reporter(example: str) -> None:
    loaded = load(example)
    for period in loaded.periods:
        reported = [p.park_id for r in loaded.reporter_ids for p in loaded.parks_of(r, period)]
        rows = (loaded.park_at(park_id, period) for park_id in loaded.park_ids)
        active = [row.park_id for row in rows if row is not None and row.status == "active"]
        assert sorted(reported) == sorted(active), period


@pytest.mark.parametrize("example", ["shaanxi", "shanxi"])
def test_the_catalogue_accepts_the_workspace(example: str) -> None:
    regions = {
        r.code: r for r in map(models.Region.model_validate, rows_of(example, "regions.csv"))
    }
    for park in map(models.Park.model_validate, rows_of(example, "parks.csv")):
        assert park.simulated
        for code in (park.county_code, park.city_code, park.province_code):
            assert code in regions, park.park_id
    for reporter in map(models.Reporter.model_validate, rows_of(example, "reporters.csv")):
        assert reporter.region_code in regions
        assert reporter.email.endswith(".example.invalid")
    sources = [models.Source.model_validate(row) for row in items_of(example, "sources.yaml")]
    used = {row["source_id"] for row in rows_of(example, "reporters.csv")}
    assert used == {source.source_id for source in sources}
    for row in items_of(example, "audiences.yaml"):
        audience = models.Audience.model_validate(row)
        assert all(r.email.endswith(".example.invalid") for r in audience.recipients)
    catalog = load_catalog(EXAMPLES / example / "catalog")
    assert {park.park_id for park in catalog.parks} >= set(load(example).park_ids)
    workspace = load_workspace(EXAMPLES / example)
    assert workspace.simulated
    assert workspace.default_period in load(example).periods


def test_codes_of_counties_hold_at_their_dates(shaanxi: Example) -> None:
    regions = {row["code"]: row for row in rows_of("shaanxi", "regions.csv")}
    for park in shaanxi.parks:
        region = regions[park.county_code]
        assert not region["valid_to"] or park.valid_to <= region["valid_to"], park
        assert not region["valid_to"] or park.valid_to, park
    assert shaanxi.reporter_at("ak-xunyang", "2020-12").region_code == "610928"
    assert shaanxi.reporter_at("ak-xunyang", "2021-02").region_code == "610981"


def test_shanxi_has_no_ranking_and_no_key_list() -> None:
    assert {row["province_code"] for row in rows_of("shanxi", "parks.csv")} == {"140000"}
    assert {row["class_id"] for row in rows_of("shanxi", "parks.csv")} == {""}
    for audience in items_of("shanxi", "audiences.yaml"):
        assert not {"watch", "scores"} & set(audience["rights"])


def test_names_are_made_up() -> None:
    """No simulated place word is a town of 陕西 or 山西, and no name stands for two parks."""
    folder = devdata("ref_admin_cn")
    towns = (folder / "gbt2260_town_61_14.csv").read_text(encoding="utf-8-sig")
    owner: dict[str, str] = {}
    for example in ("shaanxi", "shanxi"):
        for row in rows_of(example, "parks.csv"):
            assert row["short_name"][:2] not in towns, row["name"]
            for name in (row["name"], row["short_name"], *row["aliases"].split(";")):
                assert owner.setdefault(name, row["park_id"]) == row["park_id"], name


# --- the files ------------------------------------------------------------------------------------


def text_of(file: SentFile) -> str:
    """All text of a file, whatever its container."""
    if file.name.endswith(".csv"):
        encoding = "gbk" if file.made.form.container == "csv-gbk" else "utf-8-sig"
        return file.content.decode(encoding)
    return "\n".join(str(value) for table in tables_of(file) for row in table for value in row)


def tables_of(file: SentFile) -> list[list[list[Any]]]:
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(io.BytesIO(file.content))
    return [
        book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names
    ]


@pytest.mark.parametrize("period", ["2017-02", "2020-06", "2023-12"])
def test_every_readable_file_says_it_is_simulated(period: str) -> None:
    for file in month(period):
        if file.delivery.kind != "unreadable":
            assert "模拟数据" in text_of(file), file.name


def test_every_form_and_container_is_used() -> None:
    used = {file.made.form.form_id for period in ("2017-02", "2023-12") for file in month(period)}
    used |= {file.made.form.form_id for file in month("2021-06", "shanxi")}
    assert used == set(FORMS)
    assert {form.container for form in FORMS.values()} == {"xlsx", "xls", "csv-gbk", "csv-utf8"}


def stated(file: SentFile) -> Iterator[tuple[str, str, str, Decimal]]:
    for row in file.made.rows:
        for (indicator, measure), entry in row.entries.items():
            if entry.shown is not None and entry.text is None:
                yield row.name, indicator, measure, entry.shown


def test_a_utf8_csv_says_what_the_answer_key_says() -> None:
    """Read by head text and park name, without any part of the generator's layout."""
    (file,) = of("2020-06", "ak-ningshan")
    assert file.content.startswith(b"\xef\xbb\xbf")
    table = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    heads = {
        ("C01", "ytd"): "工业产值1-本月(万元)",
        ("C01", "month"): "工业产值本月(万元)",
        ("C04", "ytd_prior"): "营业总收入上年同期(万元)",
        ("D02", "yoy_published"): "税收收入增长(%)",
        ("E01", "stock"): "吸纳从业人员(人)",
    }
    rows = {row[0]: row for row in table[1:]}
    seen = 0
    for name, indicator, measure, shown in stated(file):
        if (indicator, measure) in heads:
            cell = rows[name][table[0].index(heads[indicator, measure])]
            assert Decimal(cell.replace(",", "")) == shown, (indicator, measure)
            seen += 1
    assert seen == len(heads) * len(file.made.rows)


def test_a_wide_workbook_has_two_merged_head_rows_and_a_formula_total() -> None:
    import openpyxl

    (file,) = of("2020-05", "wn-pucheng")
    values = openpyxl.load_workbook(io.BytesIO(file.content), data_only=True)["园区月报"]
    formulas = openpyxl.load_workbook(io.BytesIO(file.content))["园区月报"]
    top = next(r for r in range(1, 20) if values.cell(r, 2).value == "园区名称")
    assert values.cell(top, 3).value == "工业总产值"
    assert [values.cell(top + 1, c).value for c in range(3, 7)] == [
        "本月",
        "本年累计",
        "上年同期",
        "同比±%",
    ]
    assert f"C{top}:F{top}" in {str(area) for area in values.merged_cells.ranges}
    parks = len(file.made.rows)
    total = top + 2 + parks
    assert values.cell(total, 2).value == "合计"
    assert str(formulas.cell(total, 4).value).startswith("=SUM(D")
    park_sum = sum(values.cell(r, 4).value for r in range(top + 2, total))
    assert values.cell(total, 4).value == park_sum
    hidden = [key for key, column in formulas.column_dimensions.items() if column.hidden]
    assert len(hidden) == 1


def test_january_is_never_split_from_february(shaanxi: Example) -> None:
    assert not any(period.endswith("-01") for period in shaanxi.periods)
    for file in month("2020-02"):
        for row in file.made.rows:
            shown = [e.shown for (_, measure), e in row.entries.items() if measure == "month"]
            assert shown == [None] * len(shown)


def test_a_month_is_the_difference_of_two_cumulated_values_as_written() -> None:
    """Holds in the form's own rounding, here 亿元 with two decimals."""
    (april,), (may,) = of("2020-04", "yl-fugu"), of("2020-05", "yl-fugu")
    assert may.made.form.form_id == "X1"
    for before, after in zip(april.made.rows, may.made.rows, strict=True):
        month_value = after.entries["C01", "month"].shown
        earlier, later = before.entries["C01", "ytd"].shown, after.entries["C01", "ytd"].shown
        assert month_value is not None and earlier is not None and later is not None
        assert month_value == later - earlier


def test_growth_is_that_of_the_written_figures() -> None:
    for file in month("2020-05"):
        for row in file.made.rows:
            entries = row.entries
            if ("C04", "ytd_prior") in entries and not entries["C04", "yoy_published"].planted:
                ytd, prior = entries["C04", "ytd"], entries["C04", "ytd_prior"]
                if not ytd.planted and not prior.planted:
                    expected = growth(ytd.shown, prior.shown)
                    assert entries["C04", "yoy_published"].shown == expected, file.name


@pytest.mark.parametrize(
    ("reporter_id", "period", "found"),
    [
        ("sl-luonan", "2020-05", "１"),  # full-width digits
        ("ya-ansai", "2020-05", "亿元"),  # unit in the cell
        ("hz-ningqiang", "2020-05", "近"),  # approximate
        ("bj-chencang", "2020-05", "工业总产值（现价）"),
        ("xa-huyi", "2017-05", "610125"),  # a code no longer in the list
        ("xa-huyi", "2017-05", "户县"),
        ("xa-gaoling", "2017-04", "高陵县"),
        ("ak-xunyang", "2021-04", "旬阳县"),  # the old name months after the change
        ("bj-fengxiang", "2018-05", "主营业务收入"),
        ("ya-ansai", "2020-05", "入住企业"),
    ],
)
def test_county_habits_are_in_the_files(reporter_id: str, period: str, found: str) -> None:
    assert found in text_of(of(period, reporter_id)[0])


def test_small_values_are_written_as_dots_and_absent_ones_as_dashes() -> None:
    states = Counter(
        entry.state
        for period in ("2019-02", "2019-06", "2019-09")
        for file in month(period)
        for row in file.made.rows
        for entry in row.entries.values()
    )
    for state in ("below_unit", "not_applicable", "unknown", "zero", "approximate"):
        assert states[state], state


# --- wrong on purpose -----------------------------------------------------------------------------


def test_the_listed_mistakes_of_the_default_period(shaanxi: Example) -> None:
    kinds = {
        file.delivery.reporter_id: file.delivery.kind
        for file in month("2020-06")
        if file.delivery.kind
    }
    listed = {
        row["reporter"]: row["kind"]
        for row in shaanxi.settings["planted"]
        if row["period"] == "2020-06" and row["kind"] not in ("late", "missing")
    }
    assert {who: kind for who, kind in kinds.items() if kind != "sent_twice"} == listed
    assert not of("2020-06", "sl-zhashui")
    (late,) = of("2020-06", "wn-hancheng")
    assert late.delivery.received_at > mail.deadline(shaanxi, "2020-06")


def test_an_unknown_park_name_stands_in_no_register(shaanxi: Example) -> None:
    known = {name for park in shaanxi.parks for name in (park.name, park.short_name, *park.aliases)}
    first, corrected = of("2020-06", "bj-meixian")
    assert [row.name for row in first.made.rows if row.name not in known]
    assert all(row.name in known for row in corrected.made.rows)


def test_ten_times_too_much_in_one_cell_only() -> None:
    wrong = [
        entry
        for row in of("2020-06", "xy-qianxian")[0].made.rows
        for entry in row.entries.values()
        if entry.planted
    ]
    (entry,) = wrong
    assert entry.written is not None and entry.true is not None
    assert entry.written == entry.true * 10


def test_swapped_columns_hold_each_others_figures() -> None:
    (file,) = of("2020-06", "yl-dingbian")
    swapped = [key for key, e in file.made.rows[0].entries.items() if e.planted == "swapped_prior"]
    assert sorted(measure for _, measure in swapped) == ["ytd", "ytd_prior"]
    for row in file.made.rows:
        ytd, prior = (row.entries[key] for key in sorted(swapped))
        assert (ytd.written, prior.written) == (prior.true, ytd.true)


def test_a_broken_total_forgets_a_park() -> None:
    (file,) = of("2020-06", "bj-qishan")
    first = tables_of(file)[0]
    total = next(row for row in first if row[0] == "小计")
    parks = [row for row in first if row[0] in {r.name for r in file.made.rows}]
    column = 2  # cumulated output
    add = sum(Decimal(str(row[column]).replace(",", "")) for row in parks)
    assert Decimal(str(total[column]).replace(",", "")) < add


def test_an_unreadable_file_cannot_be_decoded_or_opened() -> None:
    first, corrected = of("2020-06", "wn-dali")
    for encoding in ("utf-8-sig", "gb18030"):
        with pytest.raises(UnicodeDecodeError):
            first.content.decode(encoding)
    assert "模拟数据" in text_of(corrected)
    broken = next(f for f in month("2020-03") if f.delivery.kind == "unreadable")
    with pytest.raises(Exception, match=r"."):
        tables_of(broken)


def test_an_uncached_total_has_no_value() -> None:
    import openpyxl

    first, corrected = of("2020-03", "bj-chencang")
    totals = []
    for file in (first, corrected):
        sheet = openpyxl.load_workbook(io.BytesIO(file.content), data_only=True).worksheets[0]
        row = next(r for r in sheet.iter_rows(values_only=True) if str(r[0]).endswith("合计"))
        totals.append(row[1])
    assert totals[0] is None
    assert totals[1] > 0


def test_an_enclave_reported_by_its_host_has_the_same_figures_at_home() -> None:
    first = of("2020-04", "ak-hanbin")[0]
    (guest,) = [row for row in first.made.rows if row.planted == "enclave_double"]
    home = next(
        row
        for file in month("2020-04")
        if file.delivery.reporter_id != "ak-hanbin"
        for row in file.made.rows
        if row.park.park_id == guest.park.park_id
    )
    assert guest.entries["C01", "ytd"].true == home.entries["C01", "ytd"].true


def test_nothing_goes_wrong_where_a_published_total_must_hold(shaanxi: Example) -> None:
    for row in shaanxi.settings["published"]:
        city = [f for f in month(row["period"]) if f.made.rows[0].park.city_code == row["city"]]
        assert {f.delivery.kind for f in city} <= {"", "sent_twice"}, row["id"]
        assert {f.delivery.reporter_id for f in city} == {
            who
            for who in shaanxi.reporter_ids
            if any(p.city_code == row["city"] for p in shaanxi.parks_of(who, row["period"]))
        }


def test_most_files_are_right(shaanxi: Example) -> None:
    figures = figures_of("shaanxi")
    kinds: Counter[str] = Counter()
    for period in shaanxi.periods[::6]:
        for who in shaanxi.reporter_ids:
            plan = mail.plan(shaanxi, figures.frame.chance, build(shaanxi, figures, who, period))
            kinds.update([plan[0].kind if plan else "missing"])
    assert 0.02 < 1 - kinds[""] / kinds.total() < 0.12


# --- receipts, answer key, command ----------------------------------------------------------------


def test_receipts_name_every_file_once_and_follow_the_period(tmp_path: Path) -> None:
    example = load("shanxi")
    months.write_month(example, "2021-06", tmp_path)
    folder = tmp_path / "2021-06"
    rows = list(csv.DictReader((folder / "receipts.csv").open(encoding="utf-8")))
    assert list(rows[0]) == ["file", "received_at", "sender"]
    assert sorted(row["file"] for row in rows) == sorted(
        path.name for path in folder.iterdir() if path.name != "receipts.csv"
    )
    for row in rows:
        assert row["received_at"].endswith("+08:00")
        assert row["received_at"][:10] > period_end("2021-06").isoformat()
        assert row["sender"] in example.reporter_ids


def test_corrected_files_come_later_under_another_name() -> None:
    for file in month("2020-06"):
        if file.delivery.version == 2:
            first = of("2020-06", file.delivery.reporter_id)[0]
            assert first.delivery.received_at < file.delivery.received_at
            assert first.name != file.name
            assert not any(e.planted for row in file.made.rows for e in row.entries.values())


def test_the_answer_key_gives_true_and_written_values(tmp_path: Path) -> None:
    key = tmp_path / "truth.csv"
    arguments = ["--example", "shanxi", "--to", str(tmp_path / "inbox"), "--truth", str(key)]
    assert main([*arguments, "--from", "2021-06", "--through", "2021-06"]) == 0
    rows = list(csv.DictReader(key.open(encoding="utf-8")))
    assert list(rows[0]) == months.TRUTH_FIELDS
    assert not list((tmp_path / "inbox").rglob("truth*"))
    wrong = [row for row in rows if row["planted"]]
    assert {row["planted"] for row in wrong} == {"times_ten"}
    for row in rows:
        if not row["planted"] and row["state"] == "reported":
            assert Decimal(row["written"]) == Decimal(row["value"]), row
    figures = figures_of("shanxi")
    row = next(r for r in rows if r["indicator_id"] == "G01")
    assert Decimal(row["value"]) == figures.value(row["park_id"], "G01", "2021-06", "stock")
    assert -DECIMALS["G01"] == Decimal(row["value"]).as_tuple().exponent


def test_same_bytes_for_any_range_process_count_hash_seed_and_time_zone(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "TZ": "America/New_York"}
    command = [sys.executable, str(COMMAND), "--to", str(tmp_path), "--jobs", "2"]
    subprocess.run(
        [*command, "--from", "2020-04", "--through", "2020-05"],
        check=True,
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
    )
    for file in month("2020-05"):
        assert (tmp_path / "2020-05" / file.name).read_bytes() == file.content, file.name


def test_a_range_outside_the_example_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--to", str(tmp_path), "--from", "2016-02", "--through", "2016-03"]) == 2
    assert "2017-02" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_periods_skip_january() -> None:
    assert periods_between("2019-11", "2020-03") == ["2019-11", "2019-12", "2020-02", "2020-03"]


@pytest.mark.parametrize("example", ["shaanxi", "shanxi"])
def test_forms_md_is_up_to_date(example: str) -> None:
    written = (EXAMPLES / example / "FORMS.md").read_text(encoding="utf-8")
    assert written == forms_doc.render(load(example))
