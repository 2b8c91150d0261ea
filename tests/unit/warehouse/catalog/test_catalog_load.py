"""Loading a workspace's catalogue over the shipped one: overriding, and all that can be wrong."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from assets.targets.pace import in_force
from warehouse.catalog.load import CatalogError, UnknownIdError, load_catalog

INDICATOR = """
- indicator_id: {id}
  name_zh: {id}名
  unit: {unit}
  kind: {kind}
  over_time: {over_time}
  aggregation: {aggregation}
"""
PARK_HEAD = "park_id,valid_from,valid_to,name,county_code,city_code,province_code,is_key,aliases\n"


def indicator(name, unit="万元", kind="flow", over_time="ytd", aggregation="sum", **more):
    text = INDICATOR.format(
        id=name, unit=unit, kind=kind, over_time=over_time, aggregation=aggregation
    )
    return text + "".join(f"  {name}: {value}\n" for name, value in more.items())


def ratio(name, formula):
    return indicator(name, "'%'", "ratio", "formula", "ratio", formula=formula)


@pytest.fixture
def load(tmp_path):
    """Loads a catalogue folder holding the given files (name with ``__`` for a folder)."""

    def loader(base="none", **files: str | bytes):
        folder = tmp_path / "catalog"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            stem, _, suffix = name.rpartition("_")
            path = folder / f"{stem.replace('__', '/')}.{suffix}"
            path.parent.mkdir(exist_ok=True)
            data = content if isinstance(content, bytes) else content.encode()
            path.write_bytes(data)
        return load_catalog(folder, base)

    return loader


def problems(load, **files) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        load(**files)
    return [str(problem) for problem in caught.value.problems]


# --- what a workspace may do ----------------------------------------------------------------------


def test_base_none_starts_with_units_and_symbols_only(load):
    catalog = load(indicators_yaml=indicator("sales", "Megawatthours"))
    assert [item.indicator_id for item in catalog.indicators] == ["sales"]
    assert catalog.units and catalog.symbols and not catalog.targets


def test_no_workspace_folder_means_the_shipped_catalogue(tmp_path):
    shipped = load_catalog(None)
    assert load_catalog(tmp_path / "missing").digest == shipped.digest
    assert len(shipped.targets) == 193


def test_an_override_changes_the_given_fields_and_no_other(load):
    shipped = load_catalog(None)
    text = "- indicator_id: C01\n  soft_range: [0, 7.5]\n  aliases: [总产值（现价）]\n"
    catalog = load("china_parks", indicators_yaml=text)
    changed, before = catalog.indicator("C01"), shipped.indicator("C01")
    assert changed.soft_range == (Decimal(0), Decimal("7.5"))
    assert changed.aliases == ("总产值（现价）",)
    kept = {"soft_range", "aliases"}
    assert changed.model_dump(exclude=kept) == before.model_dump(exclude=kept)
    assert [i.indicator_id for i in catalog.indicators] == [
        i.indicator_id for i in shipped.indicators
    ]
    assert catalog.digest != shipped.digest


def test_an_item_may_be_added_or_removed(load):
    removed = (
        "- conflict_id: missing-annex\n  remove: true\n- target_id: AK23-A-01\n  remove: true\n"
    )
    conflicts, targets = removed.split("- target_id")
    catalog = load(
        "china_parks",
        conflicts_yaml=conflicts,
        targets_yaml="- target_id" + targets,
        indicators_yaml=indicator("Z01"),
    )
    assert len(catalog.targets) == 192
    assert catalog.indicator("Z01").name_zh == "Z01名"
    assert "missing-annex" not in {c.conflict_id for c in catalog.conflicts}


def test_a_kind_may_be_spread_over_a_folder(load):
    catalog = load(indicators__a_yaml=indicator("A"), indicators__b_yaml=indicator("B"))
    assert [item.indicator_id for item in catalog.indicators] == ["A", "B"]


def test_a_list_may_stand_below_the_name_of_its_kind(load):
    text = "indicators:" + indicator("A").replace("\n", "\n  ")
    assert load(indicators_yaml=text).indicator("A").unit == "万元"


def test_rows_of_a_region_replace_all_shipped_rows_of_it(load):
    rows = "code,name,level,parent\n610928,旬阳县（旧）,county,610900\n"
    catalog = load("china_parks", regions_csv=rows)
    assert [r.name for r in catalog.regions if r.code == "610928"] == ["旬阳县（旧）"]
    assert "610981" in catalog.regions_on(date(2022, 1, 1))


def test_a_register_saved_by_excel_in_gbk_is_read(load):
    rows = PARK_HEAD + "P1,2018/1/1,,紫阳园区,610924,610900,610000,是,硒谷;紫阳集中区\n"
    catalog = load("china_parks", parks_csv=rows.encode("gb18030"))
    park = catalog.park_history("P1")[0]
    assert park.valid_from == date(2018, 1, 1) and park.is_key
    assert park.names == {"紫阳园区", "硒谷", "紫阳集中区"}


def test_a_park_is_found_as_it_was_on_a_day(load):
    rows = (
        PARK_HEAD
        + "P1,2018-01-01,2021-01-01,旬阳县园区,610928,610900,610000,1,\n"
        + "P1,2021-01-01,,旬阳市园区,610981,610900,610000,1,\n"
        + "P2,2019-01-01,2020-07-01,短命园区,610924,610900,610000,0,\n"
    )
    catalog = load("china_parks", parks_csv=rows)
    assert [p.name for p in catalog.parks_on(date(2020, 6, 30))] == ["旬阳县园区", "短命园区"]
    assert [p.name for p in catalog.parks_in("2020-07")] == ["旬阳县园区"]
    assert [p.name for p in catalog.parks_in("2021-01")] == ["旬阳市园区"]
    assert [p.county_code for p in catalog.park_history("P1")] == ["610928", "610981"]


def test_who_reports_a_park(load):
    parks = (
        "park_id,name,county_code,city_code,province_code,host_county_code,home_county_code\n"
        "P1,汉滨园区,610902,610900,610000,,\n"
        "P2,紫阳飞地园区,610902,610900,610000,610902,610924\n"
    )
    reporters = (
        "reporter_id,name,region_code,source_id,valid_from,valid_to\n"
        "hb,汉滨区,610902,m,2018-01-01,\nzy,紫阳县,610924,m,2018-01-01,2021-01-01\n"
    )
    catalog = load(
        "china_parks",
        parks_csv=parks,
        reporters_csv=reporters,
        sources_yaml="- source_id: m\n  name: 月报\n",
    )
    day = date(2020, 6, 30)
    ordinary, enclave = catalog.parks_on(day)
    answers = {r.reporter_id: catalog.parks_of(r, day) for r in catalog.reporters_on(day)}
    assert answers == {"hb": (ordinary,), "zy": (enclave,)}
    assert "zy" not in {r.reporter_id for r in catalog.reporters_on(date(2021, 1, 1))}


def test_layouts_and_schemes_are_loaded_with_their_own_models(load):
    layout = """
layout_id: monthly
title: 月报
source: m
tables:
- shape: wide
  entity: {head: 园区名称}
  period: {from: [title]}
  indicators: auto
"""
    catalog = load("china_parks", layouts__monthly_yaml=layout)
    assert catalog.layout("monthly").tables[0].entity.head == ("园区名称",)


def test_an_unknown_id_is_named():
    with pytest.raises(UnknownIdError, match="目录中没有指标 C99"):
        load_catalog(None).indicator("C99")
    with pytest.raises(UnknownIdError, match="园区登记中没有 P9"):
        load_catalog(None).park_history("P9")


# --- digests --------------------------------------------------------------------------------------


def test_the_digest_depends_on_content_not_on_order_files_or_form(load, tmp_path):
    one = load(indicators_yaml=indicator("A") + indicator("B", soft_range="[0, 5.0]"))
    (tmp_path / "catalog" / "indicators.yaml").unlink()
    b = indicator("B", soft_range="[0.00, 5]", better="none", decimals=2)
    other = load(indicators__x_yaml=b, indicators__y_yaml=indicator("A"))
    assert other.digest == one.digest
    changed = load(indicators__x_yaml=b.replace("5]", "6]"))
    assert changed.digest != one.digest


def test_an_address_is_no_rule_but_a_deadline_is(load):
    source = "- source_id: m\n  name: 月报\n  deadline: {day: 10}\n"
    rows = "reporter_id,name,region_code,source_id,email\nhb,汉滨区,610902,m,"
    files = {"sources_yaml": source, "reporters_csv": rows + "old@example.invalid\n"}
    before = load("china_parks", **files)
    moved = load("china_parks", **(files | {"reporters_csv": rows + "new@example.invalid\n"}))
    later = load("china_parks", **(files | {"sources_yaml": source.replace("10", "12")}))
    assert moved.digest == before.digest
    assert later.digest != before.digest


def test_a_target_changes_the_rules_but_not_the_reading(load):
    before = load("china_parks")
    after = load("china_parks", targets_yaml="- target_id: SN18-2.6-02\n  value: 12\n")
    assert after.digest != before.digest
    assert after.reading_digest == before.reading_digest


# --- what is wrong is said, all at once -----------------------------------------------------------


def test_every_problem_is_reported_at_once_with_file_line_item_field_and_remedy(load):
    text = indicator("A", decimls=1) + indicator("B", unit="万圆") + "- name_zh: 无编号\n"
    found = problems(load, indicators_yaml=text, sources_yaml="- source_id: m\n", odd_yaml="")
    assert len(found) == 5
    text = "\n".join(found)
    assert "catalog/indicators.yaml 第2行 指标 A，字段 decimls：没有这个字段" in text
    assert "是否应为“decimals”" in text
    assert "catalog/indicators.yaml 第10行 B，字段 unit：没有登记的计量单位；读到：万圆" in text
    assert "指标缺少编号" in text
    assert "catalog/sources.yaml 第1行 来源 m，字段 name：缺少必填字段；处理：补上该字段" in text
    assert "不认识的目录文件" in text


@pytest.mark.parametrize(
    ("files", "part"),
    [
        ({"indicators_yaml": indicator("A") + indicator("A")}, "指标编号重复；读到：A"),
        ({"indicators_yaml": indicator("A", better="up")}, "应为：high、low、none"),
        ({"indicators_yaml": indicator("A", decimals="x")}, "字段 decimals：应为整数；读到：x"),
        ({"indicators_yaml": indicator("A", core="maybe")}, "应为是否值"),
        ({"indicators_yaml": indicator("A", unit=1)}, "unit：应为文字；读到：1"),
        ({"indicators_yaml": "- indicator_id: A\n  unit: 户\n  unit: 个\n"}, "字段“unit”写了两次"),
        ({"indicators_yaml": "- indicator_id: [A\n"}, "YAML 无法读取：方括号或花括号没有成对"),
        ({"indicators_yaml": "- indicator_id: A\n\tunit: 户\n"}, "第2行：YAML 无法读取：用制表符"),
        ({"indicators_yaml": "- indicator_id: A\n  unit：户\n"}, "全角“：”不是冒号"),
        ({"indicators_yaml": "- indicator_id: A\n  unit: >=\n"}, "处理：给该值加引号，如 '>='"),
        ({"indicators_yaml": "- indicator_id: A\n  unit: a: b\n"}, "一行里多了冒号"),
        ({"indicators_yaml": '- indicator_id: "A\n'}, "引号没有成对"),
        ({"indicators_yaml": "- indicator_id: A\n  unit: 2020-13-01\n"}, "日期不存在"),
        ({"indicators_yaml": "just text"}, "文件内容应为列表"),
        ({"indicators_yaml": "- text\n"}, "有一项不是指标"),
        ({"indicators_csv": "indicator_id\n"}, "文件类型不对"),
        ({"indicators_yaml": "- indicator_id: A\n  remove: true\n"}, "要移除的指标不存在"),
        ({"targts_yaml": "[]"}, "是否应为“targets”"),
        ({"indicators_yaml": b"\xff\xfe\xff\xff"}, "文件编码无法识别"),
        ({"parks_csv": "name\nX\n"}, "表头缺少编号列"),
        ({"parks_csv": "park_id,name\nP,X,Y\n"}, "第2行：列数多于表头"),
        ({"parks_csv": "park_id,name,valid_from\nP,X,2020-13-01\n"}, "字段 valid_from"),
        ({"parks_csv": "park_id,name,county_code\nP,X,610999\n"}, "行政区划代码不在 regions.csv"),
        ({"parks_csv": "park_id,nme\nP,X\n"}, "是否应为“name”"),
        ({"indicators_yaml": ratio("R", "A / B")}, "引用的指标不存在；读到：A"),
        ({"indicators_yaml": ratio("R", "R + 1")}, "公式互相引用，成了循环；读到：R → R"),
        (
            {"indicators_yaml": ratio("R", "S + 1") + ratio("S", "T + 1") + ratio("T", "R / S")},
            "读到：R → S → T → R",
        ),
        ({"indicators_yaml": ratio("R", "1 +")}, "第4个字符结尾"),
        (
            {"indicators_yaml": indicator("A", aliases="[值]") + indicator("B", aliases="[' 值']")},
            "名称或别名与指标 A（A名）重复；读到：值",
        ),
        (
            {"indicators_yaml": indicator("A", suggestions="[{label: B名, note: 口径不同}]")
             + indicator("B")},
            "已是指标 B 的确定名称",
        ),
        ({"indicators_yaml": indicator("A", disclosure="{count_by: B03}")}, "disclosure.count_by"),
        ({"units_yaml": "units:\n- {id: 担, dimension: weight, factor: '50'}\n"}, "没有登记的量纲"),
        ({"units_yaml": "units:\n- {id: 担, dimension: mass, factor: 五十}\n"}, "factor"),
        ({"sources_yaml": "- source_id: m\n  name: 月报\n  required: [C09]\n"}, "字段 required"),
        ({"sources_yaml": "- source_id: m\n  name: 月报\n  layouts: [x]\n"}, "引用的版式不存在"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_message(load, files, part):
    found = problems(load, **files)
    assert any(part in problem for problem in found), found


TARGET = """
- target_id: SN18-2.6-02
  {field}: {value}
"""


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        ("indicator_id", "B99", "引用的指标不存在；读到：B99"),
        ("document_id", "SN19", "引用的文件不存在；读到：SN19；处理：是否应为“SN18”"),
        ("also", "[B98]", "字段 also"),
        ("threshold", "{indicator_id: B97, comparator: '>=', value: 1, unit: 户}", "threshold"),
        ("benchmark", "{indicator_id: T99}", "benchmark.indicator_id"),
        ("filter", "{where: B96 > 1}", "filter.where"),
        ("filter", "{county_code: ['610000x']}", "filter.county_code"),
        ("related", "[XX-1]", "引用的目标不存在；读到：XX-1"),
        ("restates", "XX-2", "字段 restates"),
        ("unit", "户户", "没有登记的计量单位；读到：户户"),
        (
            "scope_code",
            "'140000'",
            "对象地区不在文件《陕西省加快县域工业集中区",
        ),
        ("scope_code", "'610999'", "引用的行政区划不存在；读到：610999"),
        ("scope_code", "610000", "应为文字"),
        ("value", "十户", "应为数字"),
        ("kind", "levle", "字段 kind：取值不在允许范围内"),
    ],
)
def test_a_target_must_refer_to_what_exists(load, field, value, part):
    found = problems(load, base="china_parks", targets_yaml=TARGET.format(field=field, value=value))
    assert any(part in problem for problem in found), found
    assert all("catalog/targets.yaml 第2行" in problem for problem in found)


@pytest.mark.parametrize(
    ("first", "second", "part"),
    [
        ("2018-01-01,2020-06-01", "2020-05-31,", "有效期与同一编号的另一行重叠"),
        ("2018-01-01,", "2020-01-01,", "早于上一行的失效日 （空）"),
        (",2020-01-01", ",", "起初 早于"),
        (
            "2018-01-01,2020-12-31",
            "2021-01-01,",
            "差一天；读到：2020-12-31；应为：2021-01-01",
        ),
    ],
)
def test_intervals_of_one_park_neither_overlap_nor_lose_a_day(load, first, second, part):
    rows = "park_id,valid_from,valid_to,name\nP1," + first + ",甲\nP1," + second + ",乙\n"
    found = problems(load, parks_csv=rows)
    assert len(found) == 1 and part in found[0] and "P1" in found[0]


def test_a_gap_of_years_is_allowed(load):
    rows = "park_id,valid_from,valid_to,name\nP1,2015-01-01,2017-01-01,甲\nP1,2019-01-01,,甲\n"
    assert load(parks_csv=rows).parks_on(date(2018, 1, 1)) == ()


def test_reporters_need_a_known_region_and_source(load):
    rows = "reporter_id,name,region_code,source_id\nr,某县,619999,weekly\n"
    found = problems(
        load, base="china_parks", reporters_csv=rows, sources_yaml="- source_id: m\n  name: 月报\n"
    )
    assert len(found) == 2
    assert "字段 region_code" in found[0] and "619999" in found[0]
    assert "引用的来源不存在；读到：weekly" in found[1]


def test_a_faulty_item_is_reported_once_not_at_every_reference(load):
    text = indicator("A", better="up") + ratio("R", "A / 2")
    assert len(problems(load, indicators_yaml=text)) == 1


def test_weights_of_a_scheme_must_add_up_and_its_indicators_exist(load):
    scheme = """
scheme_id: shaanxi_key
items:
- {indicator_id: C01, weight: 60, scoring: {method: rank}, source: 试}
- {indicator_id: C99, weight: 50, scoring: {method: rank}, source: 试}
"""
    wrong_sum = problems(load, base="china_parks", schemes__s_yaml=scheme)
    assert any("权重合计应为100，读到110" in problem for problem in wrong_sum), wrong_sum
    unknown = problems(load, base="china_parks", schemes__s_yaml=scheme.replace("50", "40"))
    assert any("引用的指标不存在；读到：C99" in problem for problem in unknown), unknown


def test_an_unknown_base_is_named_with_the_known_ones():
    with pytest.raises(
        CatalogError, match=r"没有这个内置目录；读到：chna；应为：china_parks、none"
    ):
        load_catalog(None, "chna")
    with pytest.raises(CatalogError, match="没有这个内置目录"):
        load_catalog(None, "../../secrets")


def test_loading_never_reads_outside_the_folder(load, tmp_path):
    Path(tmp_path / "elsewhere.yaml").write_text(indicator("X"), encoding="utf-8")
    assert load(indicators_yaml=indicator("A")).indicators[0].indicator_id == "A"


def test_a_workspace_judges_by_one_light_rule(load):
    chosen = """
- {rule_id: recommended, in_use: false}
- {rule_id: yinchuan_2025, in_use: true}
"""
    used = [rule.rule_id for rule in load("china_parks", light_rules_yaml=chosen).light_rules
            if rule.in_use]  # fmt: skip
    assert used == ["yinchuan_2025"]
    two = "- {rule_id: yinchuan_2025, in_use: true}\n"
    assert "应有且只有一条规则在用" in " ".join(problems(load, light_rules_yaml=two))


@pytest.mark.parametrize(
    ("bands", "words"),
    [
        ("[{light: green, from_gap_pp: 0}]", "最后一档不设"),
        ("[{light: green, from_gap_pp: -5}, {light: yellow, from_gap_pp: 0}, {light: red}]",
         "从高到低"),
    ],
)  # fmt: skip
def test_bands_of_a_light_rule_are_ordered_and_end_open(load, bands, words):
    found = problems(load, light_rules_yaml=f"- {{rule_id: recommended, bands: {bands}}}\n")
    assert words in " ".join(found)


def test_the_current_years_document_and_clause_are_added_by_file(load):
    document = """
- document_id: AK25
  doc_no: 安工信发〔2025〕×号
  title: 2025年工业园区发展要点
  issuer: 安康市工业和信息化局
  issued: 2025-03-01
  plan_from: 2025
  plan_to: 2025
  region_code: '610900'
  level: city
"""
    target = """
- target_id: AK25-01
  document_id: AK25
  clause: 一
  quote: 全年新建标准化工业厂房70万平方米以上
  class: Q
  subject: 全市工业园区
  scope_level: city
  scope_code: '610900'
  indicator_id: G02
  indicator_name: 新建标准化工业厂房面积
  kind: annual_total
  comparator: '>='
  value: 70
  unit: 万平方米
  period: {type: full_year, year: 2025}
  strength: binding
  progress_method: linear_ytd
  computable: aggregate_park_stats
"""
    catalog = load("china_parks", documents_yaml=document, targets_yaml=target)
    judged = [t for t in catalog.targets
              if in_force(t, catalog.document(t.document_id), "2025-06") == "now"]  # fmt: skip
    assert [t.target_id for t in judged if t.scope_code == "610900"] == ["AK25-01"]
