"""Returns as typists and programs shape them: what a careful person would not use is refused with its reason.

The variants are those of ``bench.unseen_fillings``; a rule of ``None`` means read whole.
"""

from __future__ import annotations

import pytest

from assets.submissions.tables.layout import Reader, build_reader
from bench import unseen_fillings
from bench.unseen_forms import ROOT, Variant, judge
from warehouse.catalog.load import load_catalog


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The layouts and the register of the example."""
    return build_reader(load_catalog(ROOT / "examples" / "shaanxi" / "catalog"))


@pytest.fixture(scope="module")
def variants() -> dict[str, Variant]:
    """All variants by name."""
    return {variant.name: variant for variant in unseen_fillings.variants()}


FILE = "汉滨区2020年6月园区月报"


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("unit row", None),
        ("bare unit in the title", None),
        ("above: 单位：万美元", "R-unknown-unit"),
        ("above: 单位：万元/亿元", "R-unknown-unit"),
        ("above: 单位：万元或亿元", "R-unknown-unit"),
        ("above: 单位：万元（营业收入为亿元）", "R-unknown-unit"),
        ("unit of a row in its remark", "R-unknown-unit"),
        ("growth head 同比±（倍）", "R-unknown-unit"),
        ("one growth as a fraction", "R-growth-fraction"),
        ("growth as an index", "R-growth-fraction"),
        ("rows: title again, other month", "R-period-mismatch"),
        ("rows: comparison below", "R-period-mismatch"),
        ("rows: month and total merged", "R-merged-value"),
        ("a table of firms", "R-no-layout"),
        ("a table by industry", "R-no-layout"),
        ("months in rows", "R-no-layout"),
        ("measures in rows", "R-no-layout"),
        ("a row a park, each 本月, no head", "R-no-layout"),
        ("sheets: 上年同期", "R-no-layout"),
        ("sheets: 目标 alone", "R-no-layout"),
        ("sheets: 2019年 alone", "R-period-mismatch"),
        ("sheet 5月, title of June", "R-period-mismatch"),
        (f"title 汉滨区2020年6月园区预计数, {FILE}", "R-no-layout"),
        (f"title 汉滨区2020年6月上旬园区月报, {FILE}", "R-no-layout"),
        (f"title 汉滨区2020年5—6月园区月报, {FILE}", "R-period-unclear"),
        (f"title 汉滨区2020年5月园区月报（6月填报）, {FILE}", "R-period-unclear"),
        (f"title 汉滨区2020年全年园区月报, {FILE}", "R-period-mismatch"),
        (f"title 汉滨区2020年第6期园区月报, {FILE}.xlsx", None),
        ("title 汉滨区园区月报, 汉滨区园区月报20200703", "R-no-period"),
        ("title 汉滨区2020年二季度园区月报, heads without a measure", "R-period-unclear"),
        ("a filing date beside the unit", None),
        ("only a filing date", "R-no-period"),
        ("a total that is not shown", "R-number-refused"),
        ("a total shown as per cent", "R-number-refused"),
        ("growth shown as per cent, evidence", None),
        ("growth shown as per cent, alone", "R-number-refused"),
        ("growth shown as per cent in one cell", "R-number-refused"),
        ("xls, growth shown as per cent", "R-number-refused"),
        ("xls, format 0!.0,", "R-number-refused"),
        ('xls, format 0.00"亿元"', None),
        ("ods, format #,##0,", "R-number-refused"),
        ('ods, format 0.00"亿元"', None),
    ],
)
def test_a_filling_is_read_or_refused_with_its_reason(
    reader: Reader, variants: dict[str, Variant], name: str, rule: str | None
) -> None:
    outcome = judge(reader, variants[name])
    assert (outcome.wrong, outcome.unsaid) == ([], 0)
    if rule is None:
        assert outcome.right == len(variants[name].truth) > 0
    else:
        assert rule in outcome.rules


def test_what_only_resembles_a_refused_form_is_read_whole(
    reader: Reader, variants: dict[str, Variant]
) -> None:
    ordinary = {name: variant for name, variant in variants.items() if name.startswith("ordinary")}
    read = {name: judge(reader, variant) for name, variant in ordinary.items()}
    partly = [name for name, outcome in read.items() if outcome.right < len(ordinary[name].truth)]
    assert len(ordinary) > 30 and not partly


@pytest.mark.parametrize("name", ["月份 5", "年份 2019", "报告期 202005", "报告期 2020-05-01"])
def test_a_column_of_another_period_refuses_the_table(
    reader: Reader, variants: dict[str, Variant], name: str
) -> None:
    outcome = judge(reader, variants[f"beside the parks: {name}"])
    assert outcome.wrong == [] and "R-no-layout" in outcome.rules
