"""Rules within one catalogue item, and the small judgements an item makes about itself."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from warehouse.catalog.models import (
    Audience,
    DeadlineRule,
    Document,
    Indicator,
    Park,
    Source,
    Target,
    period_end,
)

INDICATOR = {
    "indicator_id": "C01",
    "name_zh": "工业总产值",
    "unit": "万元",
    "kind": "flow",
    "over_time": "ytd",
    "aggregation": "sum",
}
TARGET = {
    "target_id": "T-1",
    "document_id": "SN18",
    "clause": "一",
    "quote": "达到10户",
    "class": "Q",
    "subject": "全省",
    "scope_level": "province",
    "scope_code": "610000",
    "indicator_id": "B03",
    "indicator_name": "规上企业数",
    "kind": "level",
    "comparator": ">=",
    "value": 10,
    "unit": "户",
    "period": {"type": "by_year_end", "by": date(2021, 12, 31)},
    "strength": "binding",
    "progress_method": "stock_path",
    "computable": "park_stats",
}
DOCUMENT = {
    "document_id": "SN18",
    "doc_no": "陕政办发〔2018〕20号",
    "title": "行动计划",
    "issuer": "省政府办公厅",
    "issued": date(2018, 4, 13),
    "plan_from": 2018,
    "plan_to": 2021,
    "region_code": "610000",
    "level": "province",
}
PARK = {
    "park_id": "P1",
    "name": "甲县工业集中区",
    "county_code": "610924",
    "city_code": "610900",
    "province_code": "610000",
}


def messages(model, fields):
    with pytest.raises(ValidationError) as caught:
        model.model_validate(fields)
    return " ".join(error["msg"] for error in caught.value.errors())


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"over_time": "formula"}, "须有 formula 或 engine"),
        ({"formula": "C02 / C03"}, "须有 formula 或 engine"),
        ({"over_time": "formula", "formula": "C02 / (C03"}, "此处应为“)”"),
        ({"over_time": "formula", "formula": "C02 > C03"}, "应为数值"),
        ({"over_time": "formula", "formula": "C02", "engine": "completion"}, "只能有一个"),
        ({"aggregation": "ratio"}, "aggregation 为 ratio"),
        ({"integer": True, "decimals": 2}, "decimals 应为 0"),
        ({"soft_range": [5, 1]}, "下限大于上限"),
        ({"soft_range": [float("nan"), 1]}, "应为数字"),
        ({"soft_range": [True, 1]}, "应为数字"),
        ({"indicator_id": "C 01"}, "pattern"),
    ],
)
def test_an_indicator_that_contradicts_itself_is_refused(change, part):
    assert part in messages(Indicator, INDICATOR | change)


def test_figures_of_a_file_are_exact():
    indicator = Indicator.model_validate(INDICATOR | {"soft_range": [0.1, Decimal("0.3")]})
    assert indicator.soft_range == (Decimal("0.1"), Decimal("0.3"))


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"value": None}, "须有 value"),
        ({"value_text": "副县级"}, "只能有一个"),
        ({"comparator": "in"}, "comparator 应为 in"),
        ({"kind": "per_park_range", "comparator": "in"}, "须有 value_max"),
        ({"kind": "per_park_range", "comparator": "in", "value_max": 5}, "value_max 小于 value"),
        ({"value_max": 20}, "其他类型不应有"),
        ({"comparator": "~="}, "tolerance"),
        ({"kind": "count_threshold"}, "threshold"),
        ({"kind": "growth_over_benchmark"}, "benchmark"),
        ({"kind": "coverage"}, "over"),
        ({"kind": "conditional"}, "filter.where"),
        ({"kind": "streak"}, "rolling"),
        ({"computable": "needs_external"}, "needs"),
        ({"period": {"type": "by_year_end"}}, "缺少 by"),
        ({"period": {"type": "standing", "year": 2020}}, "不应有 year"),
        ({"filter": {"where": "C01 + 1"}}, "应为条件"),
        ({"unit": "%", "quote": "增速不低于10%", "value": Decimal("0.1")}, "引文为 10%"),
        ({"unit": "%", "quote": "占比达到 2.5 个百分点", "value": 250}, "引文为 2.5%"),
        (
            {"period": {"type": "each_year", "first_year": 2021, "last_year": 2020}},
            "last_year 2020 早于 first_year 2021",
        ),
    ],
)
def test_a_target_that_cannot_be_judged_as_written_is_refused(change, part):
    assert part in messages(Target, TARGET | change)


def test_quality_of_a_document_date():
    without = {k: v for k, v in DOCUMENT.items() if k != "issued"}
    assert "至少填一个" in messages(Document, without)
    assert "晚于" in messages(Document, DOCUMENT | {"plan_to": 2017})
    published = Document.model_validate(without | {"published": date(2018, 4, 13)})
    assert published.known_since == date(2018, 4, 13)


@pytest.mark.parametrize(
    ("term", "span"),
    [
        ({"type": "by_year_end", "by": date(2021, 12, 31)}, ("2018-01", "2021-12")),
        ({"type": "each_year", "first_year": 2019, "last_year": 2020}, ("2019-01", "2020-12")),
        ({"type": "each_year"}, ("2018-01", "2021-12")),
        ({"type": "full_year", "year": 2020}, ("2020-01", "2020-12")),
        ({"type": "standing"}, ("2018-04", "2021-12")),
        ({"type": "rolling", "years": 3}, ("2018-04", "2021-12")),
    ],
)
def test_the_span_of_a_term(term, span):
    target = Target.model_validate(TARGET | {"period": term})
    assert target.period.span(Document.model_validate(DOCUMENT)) == span


def test_the_base_year_is_the_year_before_the_plan_unless_given():
    document = Document.model_validate(DOCUMENT)
    assert Target.model_validate(TARGET).base_year(document) == 2017
    given = Target.model_validate(TARGET | {"baseline": {"year": 2020}})
    assert given.base_year(document) == 2020


@pytest.mark.parametrize(
    ("filters", "park", "expected"),
    [
        ({}, {}, True),
        ({}, {"province_code": "140000", "city_code": "", "county_code": ""}, False),
        ({"park": {"is_key": True}}, {}, False),
        ({"park": {"is_key": True}}, {"is_key": "1"}, True),
        (
            {"park": [{"is_key": True}, {"is_demonstration": True}]},
            {"is_demonstration": "是"},
            True,
        ),
        ({"park": {"is_key": True, "is_demonstration": True}}, {"is_key": "1"}, False),
        ({"park": {"level": ["国家级", "省级"]}}, {"level": "省级"}, True),
        ({"park": {"level": ["国家级", "省级"]}}, {"level": ""}, False),
        ({"park": {"level_not": ["国家级", "省级"]}}, {"level": "县级"}, True),
        ({"park": {"level_not": ["国家级", "省级"]}}, {"level": "省级"}, False),
        ({"park": {"is_enclave": True}}, {"host_county_code": "610902"}, True),
        ({"park": {"is_enclave": True}}, {}, False),
        ({"park": {"name": ["甲园"]}}, {"aliases": "乙园；甲园"}, True),
        ({"county_code": ["610924"]}, {}, True),
        ({"county_code": ["610902"]}, {}, False),
    ],
)
def test_which_parks_a_target_is_about(filters, park, expected):
    target = Target.model_validate(TARGET | {"filter": filters})
    assert target.applies_to(Park.model_validate(PARK | park)) is expected


def test_an_enclave_park_counts_for_the_county_it_left():
    enclave = Park.model_validate(
        PARK | {"county_code": "610902", "host_county_code": "610902", "home_county_code": "610924"}
    )
    home = Target.model_validate(TARGET | {"scope_level": "county", "scope_code": "610924"})
    host = Target.model_validate(TARGET | {"scope_level": "county", "scope_code": "610902"})
    assert home.applies_to(enclave) and not host.applies_to(enclave)


@pytest.mark.parametrize(
    ("filters", "group"),
    [
        ({}, "all"),
        ({"park": {"is_key": True}, "list_size": 19}, "key"),
        ({"park": {"is_demonstration": True}}, "demonstration"),
        ({"park": {"level": ["省级"]}}, "other"),
        ({"where": "C01 >= 300000"}, "other"),
    ],
)
def test_the_published_list_a_filter_names(filters, group):
    assert Target.model_validate(TARGET | {"filter": filters}).filter.group == group


def test_a_register_row_holds_until_the_day_before_valid_to():
    park = Park.model_validate(PARK | {"valid_from": "2018/3/1", "valid_to": "2021-01-01"})
    found = [park.holds_on(day) for day in (date(2018, 2, 28), date(2018, 3, 1),
                                            date(2020, 12, 31), date(2021, 1, 1))]  # fmt: skip
    assert found == [False, True, True, False]
    assert "应晚于" in messages(Park, PARK | {"valid_from": "2021-01-01", "valid_to": "2021-01-01"})


@pytest.mark.parametrize(
    ("period", "end"),
    [
        ("2020-02", date(2020, 2, 29)),
        ("2021-12", date(2021, 12, 31)),
        ("2021-06", date(2021, 6, 30)),
    ],
)
def test_the_last_day_of_a_period(period, end):
    assert period_end(period) == end


@pytest.mark.parametrize("period", ["2020", "2020-13", "2020-6", "202006", "2020-00"])
def test_a_malformed_period_is_refused(period):
    with pytest.raises(ValueError, match="YYYY-MM"):
        period_end(period)


def weekday(day):
    return day.weekday() < 5


@pytest.mark.parametrize(
    ("rule", "period", "due"),
    [
        ({"day": 10}, "2020-06", date(2020, 7, 10)),  # a Friday
        ({"day": 10}, "2020-04", date(2020, 5, 11)),  # the 10th is a Sunday
        ({"day": 10, "roll": "none"}, "2020-04", date(2020, 5, 10)),
        ({"day": 31}, "2021-01", date(2021, 3, 1)),  # 28 February 2021 is a Sunday
        ({"day": 20, "month_offset": 2}, "2020-12", date(2021, 2, 22)),
        ({"workday": 1}, "2020-07", date(2020, 8, 3)),
        ({"workday": 5}, "2020-12", date(2021, 1, 7)),
        ({"day": 10, "exceptions": {"2020-06": "2020/7/15"}}, "2020-06", date(2020, 7, 15)),
    ],
)
def test_when_a_return_is_due(rule, period, due):
    assert DeadlineRule.model_validate(rule).due(period, weekday) == due


def test_a_return_is_missing_only_after_the_days_of_grace():
    rule = DeadlineRule(day=10, grace_days=5)
    assert rule.missing_after("2020-06", weekday) == date(2020, 7, 15)
    assert "只能填一个" in messages(DeadlineRule, {"day": 10, "workday": 3})
    assert "只能填一个" in messages(DeadlineRule, {})


@pytest.mark.parametrize(
    ("fields", "months"),
    [
        ({}, (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)),
        ({"frequency": "Q"}, (3, 6, 9, 12)),
        ({"frequency": "A"}, (12,)),
        ({"months": [6, 12]}, (6, 12)),
    ],
)
def test_months_a_source_is_due_for(fields, months):
    assert Source.model_validate({"source_id": "s", "name": "月报"} | fields).due_months() == months


HTTP = {
    "source_id": "s",
    "name": "接口",
    "kind": "http",
    "url": "https://data.example.cn/{period}.xlsx",
    "http": {"allow_hosts": ["data.example.cn"]},
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"url": None}, "须有 url"),
        ({"http": None}, "须有 http"),
        ({"kind": "inbox"}, "其他来源不应有"),
        ({"http": {}}, "allow_hosts"),
        ({"http": {"allow_hosts": []}}, "allow_hosts"),
        ({"http": HTTP["http"] | {"verify": False}}, "verify"),
        ({"http": HTTP["http"] | {"max_redirects": 50}}, "max_redirects"),
        ({"http": HTTP["http"] | {"headers": {"A": {"password": "x"}}}}, "headers"),
    ],
)
def test_an_http_source_is_declared_whole_or_refused(changed, said):
    with pytest.raises(ValidationError) as caught:
        Source.model_validate(HTTP | changed)
    assert said in str(caught.value)


def test_only_the_http_options_given_are_passed_on():
    options = HTTP["http"] | {"headers": {"A": {"env": "TOKEN"}, "B": "x"}, "total_seconds": 9.5}
    assert Source.model_validate(HTTP | {"http": options}).http.given() == options


@pytest.mark.parametrize("right", ["targets", "watch"])
def test_a_reporter_never_gets_the_distance_to_a_target(right):
    fields = {"audience_id": "a", "name": "填报岗", "role": "reporter", "scope_level": "county",
              "scope_code": "610924", "rights": ["figures", right]}  # fmt: skip
    assert "不向填报人透露" in messages(Audience, fields)
    assert Audience.model_validate(fields | {"role": "assessor"}).rights == ("figures", right)
