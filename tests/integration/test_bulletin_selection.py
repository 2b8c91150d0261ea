"""What each audience's bulletin is made from, and that every number of it can be proved."""

import json
from datetime import datetime
from decimal import Decimal

import pytest

from assets.build import Build
from assets.bulletins import documents
from assets.bulletins.compose import compose
from assets.bulletins.data import AreaRow, BulletinData
from assets.bulletins.figures import Figure
from assets.bulletins.select import bulletin_data
from tests.support.bulletin_warehouse import NEWCOMER, PERIOD, SILENT, built
from warehouse import store
from warehouse.catalog.models import Audience
from warehouse.explain import Step, explain


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return built(tmp_path_factory.mktemp("bulletin"))


def audience(level: str, code: str, *rights: str) -> Audience:
    role = "assessor" if "targets" in rights else "reporter"
    return Audience.model_validate(
        {"audience_id": "a", "name": "岗", "role": role, "scope_level": level, "scope_code": code,
         "rights": rights}
    )  # fmt: skip


ALL = ("figures", "quality", "targets", "watch", "scores")


def selected(build: Build, level: str, code: str, *rights: str) -> BulletinData:
    with build.warehouse.building() as connection:
        return bulletin_data(connection, build, PERIOD, audience(level, code, *rights), 1)


@pytest.fixture(scope="module")
def province(build: Build) -> BulletinData:
    return selected(build, "province", "610000", *ALL)


@pytest.fixture(scope="module")
def city(build: Build) -> BulletinData:
    return selected(build, "city", "610900", *ALL)


def area(data: BulletinData, code: str, indicator: str) -> AreaRow:
    return next(
        a for a in data.areas if (a.scope_code, a.indicator_id) == (code, indicator)
    )  # fmt: skip


def test_city_documents_stand_in_the_province_s_bulletin_under_their_own_number(
    province: BulletinData,
) -> None:
    areas = {(v.doc_no, v.scope_code) for v in province.verdicts if not v.each}
    assert ("陕政办发〔2018〕20号", "610000") in areas
    assert ("安政办发〔2018〕72号", "610900") in areas
    assert ("市政办发〔2019〕23号", "610100") in areas


def test_a_city_sees_its_own_areas_and_parks_only(city: BulletinData) -> None:
    assert {v.document_scope_code for v in city.verdicts if not v.each} == {"610900"}
    inside = {v.park_id for v in city.verdicts if v.park_id}
    assert inside and all(park.startswith("SIM-AK") for park in inside)
    # the province's clause about each park is judged for the city's parks as well
    assert any(v.document_id == "SN18" and v.park_id for v in city.verdicts)
    assert {p.park_id[:6] for p in city.parks} == {"SIM-AK"}
    assert {a.scope_code[:4] for a in city.areas} == {"6109"}
    assert {s.park_id[:6] for s in city.scores} == {"SIM-AK"}


def test_a_city_s_figures_are_never_called_those_of_the_province(
    build: Build, province: BulletinData, city: BulletinData
) -> None:
    assert province.issuer.region_word == "全省"
    assert city.issuer.region_word == "安康市"
    assert "全省" not in compose(city).title_text
    assert selected(build, "county", "610902", *ALL).issuer.region_word == "汉滨区"


def test_ranks_stay_those_of_the_whole_class(build: Build, city: BulletinData) -> None:
    county = selected(build, "county", "610902", *ALL)
    assert county.scores
    whole = {(s.scheme_id, s.class_id): s.n for s in city.scores}
    for row in county.scores:
        assert row.n == whole[row.scheme_id, row.class_id]
        assert row.rank is None or row.rank <= row.n
    assert len(county.scores) < len(city.scores)


def test_without_the_right_nothing_is_selected_and_the_bulletin_says_so(build: Build) -> None:
    data = selected(build, "county", "610902", "figures", "quality")
    assert data.withheld == ("targets", "ranks")
    assert (data.verdicts, data.scores, data.triggers, data.schemes) == ((), (), (), ())
    text = "".join(str(block) for block in compose(data).body)
    assert "按本件发送范围，不含目标进度" in text
    assert "按本件发送范围，不含末位风险名单" in text


def test_titles_say_which_list_a_clause_is_about(province: BulletinData) -> None:
    titles = {v.target_id: (v.title, v.unit) for v in province.verdicts}
    assert titles["SN18-1.2-09"][0] == "重点园区营业收入"
    assert titles["SN18-2.12-02"][0] == "示范园区营业收入增速"
    assert titles["XA19-2.6-02"] == ("规模以上企业数园均", "户/园")
    assert titles["SN18-2.8-03"][0] == "标准化厂房面积"


def test_a_clause_for_every_county_is_one_by_one(province: BulletinData) -> None:
    rows = [v for v in province.verdicts if v.target_id == "SN18-2.8-02"]
    assert rows and all(v.each and v.member.endswith(("区", "县", "市")) for v in rows)


def test_a_restating_clause_is_marked(province: BulletinData) -> None:
    marks = {v.target_id: v.restated for v in province.verdicts}
    assert marks["SN18-2.12-01"]
    assert not marks["SN18-1.2-12"]


def test_growth_says_what_it_rests_on(province: BulletinData) -> None:
    """The newcomer's returns have no column of last year: it is not in the growth."""
    row = area(province, "610900", "C04")
    assert row.n_reported == 18  # 19 parks, one silent
    assert row.n_growth == 17
    assert row.n_levels == 0
    assert row.value_prior is None  # it covers other parks than the value
    assert row.yoy_pct is not None
    other = area(province, "610100", "C04")
    assert other.value_prior is not None
    assert other.value is not None
    growth = 100 * (other.value / other.value_prior - 1)
    assert abs(growth - (other.yoy_pct or 0)) < Decimal("0.000001")


def test_a_stock_of_an_earlier_month_is_counted_as_carried(province: BulletinData) -> None:
    row = area(province, "610900", "B01")
    assert (row.n_reported, row.n_carried) == (19, 1)
    assert area(province, "610900", "C04").n_carried == 0


def test_parks_without_figures_are_named(build: Build, province: BulletinData) -> None:
    name = next(p.name for p in build.catalog.parks if p.park_id == SILENT)
    assert name in province.unreported
    silent = next(p for p in province.parks if (p.park_id, p.indicator_id) == (SILENT, "C04"))
    assert silent.value is None
    new = next(p for p in province.parks if (p.park_id, p.indicator_id) == (NEWCOMER, "C04"))
    assert new.value is not None
    assert new.yoy_pct is None


def test_change_of_growth_compares_with_the_month_before(province: BulletinData) -> None:
    assert province.previous_period == "2020-05"
    row = area(province, "610900", "C04")
    assert (row.previous_n_reported, row.n_reported) == (19, 18)


def test_last_places_triggers_and_weak_points_come_from_the_assessment(
    province: BulletinData,
) -> None:
    last = [s for s in province.scores if s.in_last_k]
    assert last
    fired = {(t.scheme_id, t.park_id) for t in province.triggers if t.trigger_id == "W1"}
    assert {(s.scheme_id, s.park_id) for s in last} == fired
    assert all(s.weak and len(s.weak) <= 2 for s in last)
    assert {t.label for t in province.triggers if t.trigger_id == "W1"} == {"位于组内末位区间"}
    names = {s.class_name for s in province.scores if s.scheme_id == "shaanxi_demonstration"}
    assert names == {""}  # one class needs no name


def test_a_file_nobody_can_read_counts_for_the_month_before_it_came(build: Build) -> None:
    with build.warehouse.building() as connection:
        row = {"submission_id": "broken", "file_name": "坏.xlsx", "reporter": "ak-hanbin",
               "period": None, "received_at": datetime(2020, 7, 8), "status": "rejected",
               "n_findings": 1}  # fmt: skip
        store.insert_rows(connection, "submissions.submission", [row])
    try:
        data = selected(build, "province", "610000", "figures", "quality")
    finally:
        with build.warehouse.building() as connection:
            connection.execute("DELETE FROM submissions.submission WHERE submission_id = 'broken'")
    reporter = next(r for r in data.reporters if r.reporter_id == "ak-hanbin")
    assert reporter.files_returned == 1


def test_every_kind_of_number_leads_to_cells_or_to_what_was_counted(
    build: Build, province: BulletinData
) -> None:
    bulletin = compose(province)
    edition = {"period": PERIOD, "audience_id": "a", "edition": 1, "status": "draft"}
    digests = {"data_digest": "", "rules_digest": ""}
    figures = {f.figure_id: f for f in bulletin.figures}
    proofs: dict[str, Step] = {}
    with build.warehouse.building() as connection:
        documents._record(connection, bulletin, edition | digests)

        def proof(figure_id: str) -> Step:
            if figure_id not in proofs:
                proofs[figure_id] = explain(connection, [figure_id])
            return proofs[figure_id]

        def proved(figure_id: str) -> bool:
            figure = figures[figure_id]
            if proof(figure_id).cells() or any(proved(name) for name in figure.inputs[:3]):
                return True
            return bool(proof(figure_id).grounds())

        known = {kind(f): f.figure_id for f in bulletin.figures if f.value}
        bare = [name for name in known.values() if not proved(name)]
        total = proof("202006-P-C04-total")
    assert len(known) > 40
    assert bare == []
    assert "无此行" not in "".join(text for step in proofs.values() for text in _texts(step))
    assert len(total.cells()) >= 35  # one for each park that reported


def kind(figure: Figure) -> tuple[str, str, bool, bool]:
    """Table, column, whether it is computed, whether from many: one proof of each kind is read."""
    column = json.loads(figure.source_key).get("column", "")
    return (figure.source_table, column or figure.label[-6:], bool(figure.formula),
            len(figure.inputs) > 4)  # fmt: skip


def _texts(step: Step) -> list[str]:
    return [step.text, *(text for part in step.parts for text in _texts(part))]


def test_schemes_of_another_province_are_no_topic(build: Build) -> None:
    """山西's document has targets but no ranking; 陕西's schemes are not its."""
    assert selected(build, "province", "610000", *ALL).topics == ("targets", "ranks")
    assert selected(build, "county", "610902", *ALL).topics == ("targets", "ranks")
    shanxi = selected(build, "province", "140000", *ALL)
    assert shanxi.topics == ("targets",)
    assert shanxi.withheld == ()
    assert shanxi.scores == ()
