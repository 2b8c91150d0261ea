"""Which park a name means: validity, renames, namesakes, scope of a reporter, file names."""

from __future__ import annotations

import pytest

from assets.submissions.tables.entities import Register, entity_key, form_key
from warehouse.catalog.models import Park, Region, Reporter


def park(park_id: str, name: str, county: str, **more: str) -> Park:
    fields = {"park_id": park_id, "name": name, "county_code": county, "city_code": "610900",
              "province_code": "610000", **more}  # fmt: skip
    return Park.model_validate(fields)


@pytest.fixture(scope="module")
def register() -> Register:
    return Register(
        [
            park("P1", "旬阳县生态工业集中区", "610928", valid_to="2021-03-01"),
            park("P1", "旬阳高新技术产业开发区", "610981", valid_from="2021-03-01",
                 short_name="旬阳高新区", aliases="旬阳园区;旬阳县园区"),
            park("P2", "月河工业集中区", "610921", aliases="月河园区"),
            park("P3", "城关工业园区", "610921"),
            park("P4", "城关工业园区", "610922"),
            park("P5", "硒谷循环经济产业园区", "610922", valid_to="2019-07-01"),
            park("P6", "宁陕飞地产业园区", "610902", home_county_code="610923",
                 host_county_code="610902"),
            park("P7", "恒口经济技术开发区", "610902"),
        ],
        [
            Reporter(reporter_id="ak-hanyin", name="汉阴县统计岗", region_code="610921"),
            Reporter(reporter_id="ak-shiquan", name="石泉县统计岗", region_code="610922"),
            Reporter(reporter_id="ak-hanbin", name="汉滨区统计岗", region_code="610902"),
            Reporter(reporter_id="ak-ningshan", name="宁陕县统计岗", region_code="610923"),
            Reporter(reporter_id="ak", name="安康市工信局", region_code="610900"),
        ],
        [
            Region(code="610900", name="安康市", level="city"),
            Region(code="610902", name="汉滨区", level="county", parent="610900"),
            Region(code="610921", name="汉阴县", level="county", parent="610900"),
            Region(code="610922", name="石泉县", level="county", parent="610900"),
            Region(code="610923", name="宁陕县", level="county", parent="610900"),
            Region(code="610928", name="旬阳县", level="county", parent="610900", successor="610981"),
            Region(code="610981", name="旬阳市", level="county", parent="610900"),
        ],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("月河工业集中区", "name"),
        ("  月河 工业集中区　", "name"),
        ("1、月河工业集中区", "name"),
        ("（二）月河工业集中区①", "name"),
        ("月河园区", "alias"),
        ("P2", "id"),
        ("月河县域工业集中区", "form"),
        ("月河集中区", "form"),
    ],
)
def test_同一园区的各种写法(register: Register, text: str, how: str) -> None:
    match = register.resolve(text, "2020-06")
    assert (match.park_id, match.how) == ("P2", how)


@pytest.mark.parametrize(
    ("text", "park_id"),
    [
        ("安康市汉阴县月河工业集中区", "P2"),
        ("汉阴月河园区", "P2"),
        ("安康市石泉县城关工业园区", "P4"),  # the region decides between namesakes
        ("月河工业集中区（县级）", "P2"),
        ("石泉县月河工业集中区", None),  # another county's name before it
        ("安康市城关工业园区", None),  # two of them in the city
        ("月河工业集中区（东区）", None),  # a part is not the whole
    ],
)
def test_名称前写了所在地区(register: Register, text: str, park_id: str | None) -> None:
    assert register.resolve(text, "2020-06").park_id == park_id


@pytest.mark.parametrize(
    ("text", "period", "park_id", "how"),
    [
        ("旬阳县生态工业集中区", "2020-06", "P1", "name"),
        ("旬阳县生态工业集中区", "2021-06", "P1", "former"),
        ("旬阳高新区", "2021-06", "P1", "alias"),
        ("旬阳高新区", "2020-06", "P1", "former"),
        ("旬阳高新区", "2021-02", "P1", "former"),
        ("旬阳高新区", "2021-03", "P1", "alias"),
        ("硒谷循环经济产业园区", "2019-06", "P5", "name"),
        ("硒谷循环经济产业园区", "2019-07", None, "not_valid"),
        ("恒口经开区", "2020-06", "P7", "form"),
    ],
)
def test_更名与撤销_以报告期末日在册为准(
    register: Register, text: str, period: str, park_id: str | None, how: str
) -> None:
    match = register.resolve(text, period)
    assert (match.park_id, match.how) == (park_id, how)


def test_重名园区_由县区定_定不了就不认(register: Register) -> None:
    assert register.resolve("城关工业园区", "2020-06").how == "ambiguous"
    assert register.resolve("城关工业园区", "2020-06", region="610922").park_id == "P4"
    both = register.resolve("城关工业园区", "2020-06", region="610923")
    assert (both.park_id, [s.park_id for s in both.suggestions]) == (None, ["P3", "P4"])


def test_相近的名称只作建议_从不自动采用(register: Register) -> None:
    match = register.resolve("月河新型材料工业区", "2020-06")
    assert (match.park_id, match.how) == (None, "unknown")
    assert match.suggestions[0].park_id == "P2"
    assert all(0.35 <= s.score < 1 for s in match.suggestions)
    assert [s.score for s in match.suggestions] == sorted(
        (s.score for s in match.suggestions), reverse=True
    )


def test_飞地由飞出地填报_不由所在县填报(register: Register) -> None:
    assert register.scope("ak-ningshan", "2020-06") == {"P6"}
    assert register.scope("ak-hanbin", "2020-06") == {"P7"}


def test_市级填报单位管全市_县改市后代码顺延(register: Register) -> None:
    assert "P1" in (register.scope("ak", "2020-06") or ())
    assert register.region_named("旬阳县") == register.region_named("旬阳市") == "610981"
    assert register.scope("没有登记的单位", "2020-06") is None


@pytest.mark.parametrize(
    ("text", "reporters"),
    [
        ("汉阴县2020年6月园区月报", ("ak-hanyin",)),
        ("园区月报_汉阴_202006", ("ak-hanyin",)),
        ("石泉、汉阴两县对照表", ("ak-hanyin", "ak-shiquan")),
        ("2020年6月园区月报", ()),
        ("ak-hanbin_202006", ("ak-hanbin",)),
    ],
)
def test_文件名里的填报单位(register: Register, text: str, reporters: tuple[str, ...]) -> None:
    assert register.reporters_named(text) == reporters


def test_标题里的园区名_取最长的一个(register: Register) -> None:
    assert register.park_in("月河工业集中区2020年6月主要指标", "2020-06") == "P2"
    assert register.park_in("2020年6月主要指标", "2020-06") is None
    assert register.park_in("城关工业园区主要指标", "2020-06") is None


def test_比较用的键() -> None:
    assert entity_key("（１）“月河”工业 集中区*") == "月河工业集中区"
    assert form_key("月河工业集中区管委会") == form_key("月河县域工业集中区")


def test_reporters_are_found_wherever_their_names_stand_first() -> None:
    names = ["甲县统计岗", "甲县", "乙县统计岗", "丙区", "统计"]
    register = Register([], [Reporter(reporter_id=f"r{n}", name=t) for n, t in enumerate(names)])
    text = "丙区、甲县统计岗并甲县，统计"
    named = {f"r{n}" for n, t in enumerate(names) if t in text}
    hidden = {"r1"}  # 甲县 first stands inside 甲县统计岗, and so does 统计
    assert set(register.reporters_named(text)) == named - hidden - {"r4"}


def test_scope_follows_successors_of_the_reporters_region(register: Register) -> None:
    one = Register(
        [park("P1", "旬阳工业园区", "610928"), park("P2", "月河工业园区", "610921")],
        [Reporter(reporter_id="r", name="旬阳", region_code="610981")],
        [
            Region(code="610928", name="旬阳县", level="county", successor="610981"),
            Region(code="610981", name="旬阳市", level="county"),
        ],
    )
    assert one.scope("r") == {"P1"}
    assert register.scope("nobody") is None
