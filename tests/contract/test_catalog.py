"""The shipped catalogue: complete, provable by its documents, and true to their wording."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections import Counter
from decimal import Decimal

import pytest

from assets.submissions.values.units import Units
from assets.targets.pace import in_force
from tests.support.devdata import devdata, policy_text
from warehouse.catalog import frames
from warehouse.catalog.load import SHIPPED, load_catalog
from warehouse.catalog.text import label_key, quote_key

CATALOG = load_catalog(None)
QUANTITIES = [t for t in CATALOG.targets if t.cls == "Q" and t.value is not None]


def seed(document_id):
    return policy_text(CATALOG.document(document_id).seed)


def ids(targets):
    return [target.target_id for target in targets]


# --- completeness ---------------------------------------------------------------------------------


def test_every_clause_of_the_five_documents_is_there():
    count = Counter(target.document_id for target in CATALOG.targets)
    assert count == {"SN18": 48, "AK18": 47, "XA19": 44, "AK23": 34, "SX20": 20}
    assert Counter(t.cls for t in CATALOG.targets) == {"Q": 111, "F": 44, "R": 16, "P": 12, "U": 10}


def test_indicators_of_returns_registers_and_other_bureaus_are_there():
    kinds = Counter(indicator.kind for indicator in CATALOG.indicators)
    assert kinds["external"] == 12
    assert sum(bool(indicator.group) for indicator in CATALOG.indicators) == 31
    assert len(CATALOG.indicators) == 121 + 12 + 31
    assert len([i for i in CATALOG.indicators if i.core]) == 16


def test_every_file_says_what_it_is_who_edits_it_and_where_it_is_explained():
    for path in sorted((SHIPPED / "china_parks").glob("*.yaml")):
        comment = "".join(
            line for line in path.read_text("utf-8").splitlines(True)[:15] if line.startswith("#")
        )
        assert "Who edits this file" in comment, path.name
        assert "docs/catalogue.md" in comment, path.name
    assert (SHIPPED.parents[1] / "docs" / "catalogue.md").is_file()


# --- true to the documents ------------------------------------------------------------------------


@pytest.mark.parametrize("target", CATALOG.targets, ids=ids(CATALOG.targets))
def test_each_quotation_stands_word_for_word_in_its_document(target):
    assert quote_key(target.quote) in quote_key(seed(target.document_id))


def test_a_changed_figure_in_a_quotation_would_be_found():
    wrong = CATALOG.target("SN18-1.2-09").quote.replace("1.5", "1.6")
    assert quote_key(wrong) not in quote_key(seed("SN18"))


def test_numbers_of_the_documents_stand_in_their_texts_where_these_carry_them():
    for document_id in ("AK18", "XA19", "AK23", "SX20"):
        number = CATALOG.document(document_id).doc_no
        assert quote_key(number) in quote_key(seed(document_id))
    assert quote_key(CATALOG.document("SN18").doc_no) in quote_key(seed("AK18"))
    assert quote_key("2018年8月17日") in quote_key(seed("AK18"))
    assert quote_key("2019年3月30日") in quote_key(seed("XA19"))
    assert quote_key("2023年3月27日") in quote_key(seed("AK23"))
    assert quote_key("2020年9月29日") in quote_key(seed("SX20"))


def written(value: Decimal, unit: str) -> set[str]:
    """Ways a document may write a figure: 15000亿元 as 1.5万亿, 10000户 as 1万户, 1 as 一."""
    numerals = dict(zip(range(1, 11), "一二三四五六七八九十", strict=True))
    plain = format(value.normalize(), "f")
    found = {f"{plain}{unit}", plain}
    if value >= 10000:
        found = {f"{format((value / 10000).normalize(), 'f')}万{unit}"}
    if value == int(value) and int(value) in numerals:
        found.add(numerals[int(value)])
    found |= {"千亿"} if value == 1000 else {"百亿"} if value == 100 else set()
    return found


WITHOUT_A_FIGURE = {  # clauses whose words stand for the figure
    "coverage": "覆盖|补盲|各工业园区",
    "growth_over_benchmark": "高于",
    "trend": "持续提升",
    "growth_multiple": "倍增",
    "prohibition": "严禁|杜绝",
}


@pytest.mark.parametrize("target", QUANTITIES, ids=ids(QUANTITIES))
def test_each_figure_is_the_one_quoted(target):
    quote = target.quote
    if target.kind in WITHOUT_A_FIGURE and not (
        target.kind == "growth_over_benchmark" and target.value
    ):
        assert re.search(WITHOUT_A_FIGURE[target.kind], quote)
        return
    unit = target.unit.split("/")[0].replace("百分点", "个百分点")
    figures = [(target.value, unit)]
    if target.threshold:
        figures.append((target.threshold.value, target.threshold.unit))
    if target.value_max is not None:
        figures.append((target.value_max, unit))
    if target.baseline and target.baseline.value is not None:
        figures.append((target.baseline.value, "%"))
    for value, of in figures:
        whole = [rf"(?<![\d.]){re.escape(quote_key(w))}(?![\d.])" for w in written(value, of)]
        assert any(re.search(pattern, quote_key(quote)) for pattern in whole), (value, of)


STRICT, AT_MOST, ABOUT, AT_LEAST = (
    r"(?<!不)超过|过\d",
    "不超过",
    "左右",
    "以上|至少|不低于|不少于|达到",
)


@pytest.mark.parametrize("target", QUANTITIES, ids=ids(QUANTITIES))
def test_each_comparison_is_the_one_the_words_ask_for(target):
    quote = target.quote
    if target.kind == "count_threshold":
        asked, comparator = quote, target.threshold.comparator
        assert target.comparator == ">="
    else:
        asked, comparator = quote, target.comparator
    if re.search(AT_MOST, asked):
        assert comparator == "<="
    elif re.search(STRICT, asked):
        assert comparator == ">"
    elif ABOUT in asked:
        assert comparator == "~=" and target.tolerance is not None
    elif re.search(AT_LEAST, asked):
        assert comparator in (">=", "<=") if target.threshold else comparator == ">="


@pytest.mark.parametrize("target", QUANTITIES, ids=ids(QUANTITIES))
def test_softened_wording_never_makes_a_binding_target(target):
    if re.search("力争|左右|一般|引导|探索", target.quote):
        assert target.strength == "expected"


@pytest.mark.parametrize("target", QUANTITIES, ids=ids(QUANTITIES))
def test_the_indicator_is_the_one_the_words_name(target):
    """营业收入, 工业总产值 and 增加值 are never exchanged for one another."""
    used = {target.indicator_id, target.threshold.indicator_id if target.threshold else ""}
    if "营业收入" in target.quote:
        assert "C04" in used and not used & {"C01", "C02", "C03"}
    if re.search(r"(工业总|年|)产值(过\d|增速)", target.quote) and "亩均" not in target.quote:
        assert "C01" in used and not used & {"C03", "C04"}
    if "增加值占" in target.quote:
        assert used & {"X30", "X31"}
    if "总产值占" in target.quote:
        assert "X32" in used


# --- 山西 is not 陕西 ----------------------------------------------------------------------


def test_shanxi_clauses_reach_only_140000_and_no_other_clause_does():
    for target in CATALOG.targets:
        in_shanxi = target.scope_code.startswith("14")
        assert in_shanxi == (target.document_id == "SX20")
    assert all("末位" not in t.quote for t in CATALOG.targets if t.document_id == "SX20")
    assert not any(t.kind == "elimination" for t in CATALOG.targets if t.document_id == "SX20")


# --- what the clauses mean, where they are easily mistaken ----------------------------------------


def test_no_number_was_invented_for_the_last_place_rule():
    rule = CATALOG.target("SN18-3.21-03")
    assert rule.kind == "elimination" and rule.value is None and rule.filter.separately
    assert not re.search(r"\d|一|二|三|五|十", rule.quote)


def test_output_tiers_of_ankang_do_not_overlap():
    tiers = [CATALOG.target(f"AK18-1.2-{n}").threshold for n in (13, 14, 15)]
    assert [(t.value, t.not_above) for t in tiers] == [(300, None), (200, 300), (100, 200)]


def test_a_restated_target_asks_for_the_same_thing_in_the_same_document():
    for target in CATALOG.targets:
        if target.restates:
            first = CATALOG.target(target.restates)
            assert first.restates is None
            same = ("document_id", "scope_code", "indicator_id", "unit")
            if target.kind != "per_county_minimum":
                assert [getattr(target, name) for name in same] == [getattr(first, n) for n in same]


@pytest.mark.parametrize(
    ("period", "documents", "example", "over"),
    [
        ("2018-03", set(), None, "SN18-2.12-02"),
        ("2018-06", {"SN18"}, "SN18-2.12-02", "AK18-2.9-02"),
        ("2020-06", {"SN18", "AK18", "XA19"}, "AK18-2.6-02", "AK23-1-11"),
        ("2021-12", {"SN18", "AK18", "XA19", "SX20"}, "SX20-1-01", "AK23-1-11"),
        ("2023-06", {"AK23", "SX20"}, "AK23-1-11", "AK18-2.6-02"),
        ("2026-06", set(), None, "SX20-1-01"),
    ],
)
def test_what_is_in_force_when(period, documents, example, over):
    judged = [
        target
        for target in CATALOG.targets
        if in_force(target, CATALOG.document(target.document_id), period) == "now"
    ]
    assert {target.document_id for target in judged} == documents
    current = {target.target_id for target in judged}
    assert example is None or example in current
    assert over not in current


def test_contradictions_name_what_they_are_about():
    growth = {c.conflict_id for c in CATALOG.conflicts_of("AK18-2.9-02")}
    assert growth == {"demonstration-growth"}
    assert len(CATALOG.conflicts) == 13


# --- indicators -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "indicator_id"),
    [
        ("工业总产值", "C01"),
        ("营业收入", "C04"),
        ("主营业务收入", "C04"),
        ("规上 企业", "B03"),
        ("“三星”企业数", "B10"),
        ("三星企业数", "B10"),
        ("规划工业用地面积", "A04"),
        ("Ｃ０１", "C01"),
    ],
)
def test_labels_mean_one_indicator(label, indicator_id):
    assert CATALOG.labels[label_key(label)] == indicator_id


@pytest.mark.parametrize(
    "label", ["单位个数", "技工贸总收入", "多层标准厂房", "研发费用", "规模工业增加值"]
)
def test_a_label_of_another_scope_is_only_suggested(label):
    assert label_key(label) not in CATALOG.labels
    [(indicator_id, note)] = CATALOG.suggestions[label_key(label)]
    assert indicator_id and note


def test_no_remark_is_left_inside_an_alias():
    assert not [a for i in CATALOG.indicators for a in i.aliases if re.search("口径|[(（]", a)]


def test_targets_of_an_indicator_include_thresholds_and_benchmarks():
    assert "SN18-1.2-14" in ids(CATALOG.targets_of("C04"))
    assert "AK23-1-01" in ids(CATALOG.targets_of("T07"))


FROM_RETURNS = [
    t
    for t in QUANTITIES
    if t.computable in ("park_stats", "aggregate_park_stats")
    and t.kind in ("level", "annual_total", "per_park_minimum", "per_county_minimum")
]


@pytest.mark.parametrize("target", FROM_RETURNS, ids=ids(FROM_RETURNS))
def test_a_target_judged_from_returns_is_in_a_unit_its_indicator_converts_to(target):
    units = Units.from_mapping(CATALOG.units_mapping())
    assert units.convert(target.value, target.unit, CATALOG.indicator(target.indicator_id).unit) > 0


# --- the loaded whole -----------------------------------------------------------------------------


def in_new_process(code: str, **environment: str) -> str:
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, cwd=SHIPPED.parents[1],
        env=environment or None,
    )  # fmt: skip
    return found.stdout.strip()


@pytest.mark.parametrize(("seed", "zone"), [("0", "UTC"), ("7", "Asia/Shanghai")])
def test_the_digest_is_the_same_in_every_process(seed, zone):
    code = "from warehouse.catalog.load import *; c = load_catalog(); print(c.digest)"
    assert in_new_process(code, PYTHONHASHSEED=seed, TZ=zone) == CATALOG.digest


def test_expressions_and_frames_load_without_heavy_libraries():
    code = (
        "import sys, warehouse.catalog.expression, warehouse.catalog.frames\n"
        "heavy = {'duckdb', 'pydantic', 'yaml', 'polars', 'pandas', 'numpy', 'pyarrow'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert in_new_process(code) == "[]"


def test_every_table_of_the_catalogue_has_rows_except_the_workspace_registers():
    rows = frames.dimension_rows(CATALOG)
    empty = {name for name, found in rows.items() if not found}
    assert empty == {"park", "reporter", "enclave_share", "scope_break"}


EXAMPLES = sorted(path.parent for path in (SHIPPED.parents[1] / "examples").glob("*/catalog"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_workspace_has_a_sound_catalogue(example):
    settings = tomllib.loads((example / "parkwatch.toml").read_text("utf-8"))
    base = settings.get("catalog", {}).get("base", "china_parks")
    assert load_catalog(example / "catalog", base).parks


@pytest.mark.devdata
def test_shipped_division_codes_are_those_of_gb_t_2260():
    lines = devdata("ref_admin_cn", "gb2260_history_61_14.csv").read_text("utf-8-sig").splitlines()
    names = {tuple(line.split(",")[1:3]) for line in lines[1:]}
    checked = [r for r in CATALOG.regions if r.code != "610981"]  # founded after the last revision
    assert len(checked) == 29
    assert not [r for r in checked if (r.code, r.name) not in names]
