"""Words around numbers: periods, dates, direction, amounts instead of rates."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from assets.bulletins import wording
from assets.bulletins.figures import format_chance
from assets.bulletins.markup import TEMPLATES

D = Decimal


@pytest.mark.parametrize(
    ("period", "words"),
    [
        ("2020-02", "2020年1—2月"),  # the first monthly return: cannot be split
        ("2020-06", "2020年1—6月"),
        ("2020-12", "2020年1—12月"),
        ("2020-01", "2020年1月"),
    ],
)
def test_period_is_cumulative_from_january(period: str, words: str) -> None:
    assert wording.period_words(period) == words
    assert wording.period_words(period, year=False) == words.removeprefix("2020年")


@pytest.mark.parametrize("period", ["2020-00", "2020-13"])
def test_month_out_of_range_is_refused(period: str) -> None:
    with pytest.raises(ValueError, match="not a report period"):
        wording.period_words(period)


def test_dates_have_no_zero_padding() -> None:
    assert wording.date_words(date(2020, 7, 5)) == "2020年7月5日"


def test_time_keeps_its_own_offset_and_needs_one() -> None:
    beijing = timezone(timedelta(hours=8))
    assert wording.time_words(datetime(2020, 7, 20, 18, 0, tzinfo=beijing)) == "2020年7月20日18时"
    assert wording.time_words(datetime(2020, 7, 20, 10, 5, tzinfo=UTC)) == "2020年7月20日10时5分"
    with pytest.raises(ValueError, match="without offset"):
        wording.time_words(datetime(2020, 7, 20, 18, 0))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("7", "同比增长[7.0%]"),
        ("0.05", "同比增长[0.1%]"),  # prints 0.1
        ("0.0499", "同比持平"),  # prints 0.0: no direction
        ("0", "同比持平"),
        ("-0.0499", "同比持平"),
        ("-0.05", "同比下降[0.1%]"),
        ("-3.2", "同比下降[3.2%]"),
    ],
)
def test_direction_matches_the_printed_growth(value: str, words: str) -> None:
    shown = f"[{abs(D(value)).quantize(D('0.1'), 'ROUND_HALF_UP')}%]"
    assert wording.growth(D(value), shown) == words


def test_missing_growth_is_said_not_guessed() -> None:
    assert wording.growth(None, "—") == "同比数据暂缺"
    assert wording.pace(None, "—", "1—5月") == "增速与1—5月不可比"
    assert wording.points(None, "—") == "变动数据暂缺"
    assert wording.progress_gap(None, "—") == "与时间进度的差距未计算"


@pytest.mark.parametrize(
    ("yoy", "prior", "by_amounts"),
    [
        ("200", "5", False),
        ("200.1", "5", True),  # small base
        ("-200.1", "5", True),
        ("3", "0", True),  # no rate on nothing
        ("3", "-1", True),  # nor on a loss
        (None, "5", False),
        (None, None, False),
    ],
)
def test_small_or_negative_base_gives_amounts(
    yoy: str | None, prior: str | None, by_amounts: bool
) -> None:
    found = wording.growth_from_amounts(yoy and D(yoy), prior and D(prior))  # type: ignore[arg-type]
    assert found is by_amounts


@pytest.mark.parametrize(
    ("current", "prior", "words"),
    [
        ("1.05", "0.12", "由上年同期的乙增加到甲"),
        ("0.05", "0.12", "由上年同期的乙减少到甲"),
        ("0", "0", "与上年同期的乙持平"),
        ("2", "-1", "上年同期为乙，扭亏为盈"),
        ("-2", "1", "上年同期为乙，由盈转亏"),
        ("0", "-1", "由上年同期的乙增加到甲"),  # not yet a profit
    ],
)
def test_amounts_instead_of_a_rate(current: str, prior: str, words: str) -> None:
    assert wording.amounts(D(current), D(prior), "甲", "乙") == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0.5", "增速比1—5月加快[x]"),
        ("-0.4", "增速比1—5月回落[x]"),
        ("0.04", "增速与1—5月持平"),
        ("-0.049", "增速与1—5月持平"),
    ],
)
def test_change_of_growth_is_in_points(value: str, words: str) -> None:
    assert wording.pace(D(value), "[x]", "1—5月") == words


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        ("4.6", "快于时间进度[x]"),
        ("0.05", "快于时间进度[x]"),
        ("0.049", "快于时间进度不足0.1个百分点"),  # judged ahead, prints 0.0
        ("0", "与时间进度持平"),
        ("-0.02", "低于时间进度不足0.1个百分点"),  # judged behind, prints 0.0
        ("-0.05", "低于时间进度[x]"),
    ],
)
def test_gap_never_contradicts_the_verdict(gap: str, words: str) -> None:
    assert wording.progress_gap(D(gap), "[x]", least_shown="0.1个百分点") == words


def test_lists() -> None:
    assert wording.listing(["甲", "乙", "丙"]) == "甲、乙、丙"
    assert wording.listing(["甲", "乙", "丙"], limit=3) == "甲、乙、丙"
    assert wording.listing(["甲", "乙", "丙"], limit=2, total_shown="3") == "甲、乙等3个"
    with pytest.raises(ValueError, match="how many"):
        wording.listing(["甲", "乙", "丙"], limit=2)


@pytest.mark.parametrize(
    ("values", "highest", "lowest"),
    [
        ({"甲": "12.81", "乙": "12.84", "丙": "3"}, ("甲", "乙"), ("丙",)),  # equal as printed
        ({"甲": "1", "乙": None}, ("甲",), ("甲",)),
        ({"甲": None}, (), ()),
        ({}, (), ()),
        ({"甲": "-1", "乙": "-2"}, ("甲",), ("乙",)),
    ],
)
def test_superlatives_name_all_ties_as_printed(
    values: dict[str, str | None], highest: tuple[str, ...], lowest: tuple[str, ...]
) -> None:
    numbers = {name: None if value is None else D(value) for name, value in values.items()}
    assert wording.extreme(numbers) == highest
    assert wording.extreme(numbers, highest=False) == lowest


def test_superlative_of_ties() -> None:
    assert wording.superlative(("甲",), "最高") == "甲最高"
    assert wording.superlative(("甲", "乙"), "最高") == "甲、乙并列最高"


@pytest.mark.parametrize(
    ("change", "words"), [(2, "上升x位"), (-1, "下降x位"), (0, "持平"), (None, "—")]
)
def test_moves_of_rank(change: int | None, words: str) -> None:
    assert wording.rank_move(change, "x") == words


@pytest.mark.parametrize(
    ("count", "words"), [(None, ""), (0, ""), (1, ""), (2, "连续x期"), (7, "连续x期")]
)
def test_once_is_not_a_streak(count: int | None, words: str) -> None:
    assert wording.streak(count, "x") == words


def test_ranks_coverage_and_correction() -> None:
    assert wording.rank_words("3") == "第3位"
    assert wording.rank_words("3", tied=True) == "并列第3位"
    assert wording.reported(40, 40, "40", "40") == "应报40个，全部报送"
    assert wording.reported(40, 38, "40", "38", "园区") == "应报园区40个，已报38个"
    assert wording.correction(1, None) == ""
    assert wording.correction(2, 1) == "（更正）"


@pytest.mark.parametrize(
    ("p", "words"),
    [
        ("0", "低于2"), ("1.99", "低于2"), ("2", "2"), ("37.4", "37"),
        ("37.5", "38"), ("98", "98"), ("98.01", "高于98"), ("100", "高于98"),
    ],
)  # fmt: skip
def test_chance_is_never_certain(p: str, words: str) -> None:
    assert format_chance(D(p)) == words


@pytest.mark.parametrize("p", ["-0.01", "100.01"])
def test_chance_outside_zero_and_a_hundred_is_refused(p: str) -> None:
    with pytest.raises(ValueError, match="not a probability"):
        format_chance(D(p))


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(17, 19, "第17—19位"), (12, 12, "第12位"), (None, 3, ""), (3, None, "")],
)
def test_span_of_ranks(low: int | None, high: int | None, words: str) -> None:
    assert wording.span(low, high, str(low), str(high)) == words


def test_a_fall_narrows_or_widens() -> None:
    assert wording.pace(D("4.5"), "[x]", "1—5月", falling=True) == "降幅比1—5月收窄[x]"
    assert wording.pace(D("-4.5"), "[x]", "1—5月", falling=True) == "降幅比1—5月扩大[x]"
    assert wording.pace(D("0.04"), "[x]", "1—5月", falling=True) == "降幅与1—5月持平"


def test_growth_is_compared_with_the_target_not_with_a_pace() -> None:
    assert wording.verdict_word("behind") == "低于进度"
    assert wording.verdict_word("behind", growth=True) == "低于目标"
    assert wording.verdict_word("on_pace", growth=True) == "达到目标"
    assert wording.progress_gap(D(5), "[x]", against="目标") == "高于目标[x]"


def test_headings_are_numbered_in_chinese() -> None:
    assert wording.section(1, "总体情况") == "一、总体情况"
    assert wording.section(10, "附则") == "十、附则"


def test_every_verdict_and_light_of_the_warehouse_has_words() -> None:
    from warehouse.schema import LIGHTS, VERDICTS

    assert set(wording.VERDICTS) == set(VERDICTS)
    assert set(wording.LIGHTS) == set(LIGHTS)
    assert set(wording.JUDGED) < set(VERDICTS)


BANNED = (
    "大幅", "显著", "明显", "强劲", "迅猛", "喜人", "严峻", "略有", "较快", "较大",
    "由于", "因此", "导致", "得益于", "受益于", "带动", "拉动", "主要是因为",
)  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [*sorted(TEMPLATES.rglob("*.j2")), Path(wording.__file__)],
    ids=lambda path: path.name,
)
def test_no_adjective_without_a_number_and_no_cause(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    text = text.split('"""', 2)[-1] if path.suffix == ".py" else text
    assert [word for word in BANNED if word in text] == []
