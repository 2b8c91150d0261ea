"""The forms counties use: which columns, under which head texts, in which units and container.

Belongs here: wording and shape of each form as data. Does not belong here: the figures, the cells
(``layouts``), the bytes (``writers``). A form's head texts are what a reader of returns must
recognise; ``FORMS.md`` of the example lists them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

FULL = ("month", "ytd", "ytd_prior", "yoy_published")
CUMULATIVE = ("ytd", "ytd_prior", "yoy_published")
STOCK = ("stock",)

NAMES = {
    "C01": "工业总产值",
    "C02": "规模以上工业总产值",
    "C04": "营业收入",
    "C07": "首位产业产值",
    "D01": "利润总额",
    "D02": "上缴税金",
    "F01": "固定资产投资",
    "F02": "工业投资",
    "F07": "招商实际到位资金",
    "J02": "工业用电量",
    "B01": "入驻企业数",
    "B03": "规上工业企业数",
    "B06": "本年新增入驻企业数",
    "B07": "新增投资千万元以上入园企业数",
    "E01": "从业人员期末人数",
    "G01": "标准化厂房面积",
    "G02": "本年新建标准化厂房",
    "G03": "标准化厂房动态储备面积",
    "A02": "建成面积",
    "A03": "工业用地面积",
    "G04": "已入驻使用标准化厂房面积",
    "A01": "规划面积",
    "B04": "龙头骨干企业数",
    "B05": "年产值过亿元龙头骨干企业数",
    "B08": "高新技术企业数",
    "B09": "专精特新企业数",
    "H04": "开展创新活动的规上工业企业数",
}
MEASURES = {
    "month": "本月",
    "ytd": "本年累计",
    "ytd_prior": "上年同期",
    "yoy_published": "同比±%",
    "stock": "期末数",
}
UNITS = {
    **dict.fromkeys(("B01", "B03", "B04", "B05", "B06", "B07", "B08", "B09", "H04"), "户"),
    "E01": "人",
    **dict.fromkeys(("G01", "G02", "G03", "G04"), "万平方米"),
    "A01": "公顷",
    "A02": "公顷",
    "A03": "亩",
    "J02": "万千瓦时",
}
"""Units of what is not money; money follows the form."""

Columns = tuple[tuple[str, tuple[str, ...]], ...]

# 其中 stands before a part of the column to its left.
FULL_COLUMNS: Columns = (
    ("C01", FULL),
    ("C02", CUMULATIVE),
    ("C04", FULL),
    ("D01", ("ytd",)),
    ("D02", FULL),
    ("F01", CUMULATIVE),
    ("F02", ("ytd",)),
    ("F07", ("ytd",)),
    ("B01", STOCK),
    ("B03", STOCK),
    ("B07", ("ytd",)),
    ("E01", STOCK),
    ("G01", STOCK),
    ("G02", ("ytd",)),
    ("G03", STOCK),
)
SHORT_COLUMNS: Columns = (
    ("C01", ("month", "ytd", "yoy_published")),
    ("C02", ("ytd",)),
    ("C04", ("ytd", "yoy_published")),
    ("D02", ("ytd", "yoy_published")),
    ("F01", ("ytd", "yoy_published")),
    ("F07", ("ytd",)),
    ("B01", STOCK),
    ("B03", STOCK),
    ("B07", ("ytd",)),
    ("E01", STOCK),
    ("G01", STOCK),
    ("G02", ("ytd",)),
    ("G03", STOCK),
)
QUARTER: Columns = (("A02", STOCK), ("A03", STOCK), ("G04", STOCK))
YEAR: Columns = (("A01", STOCK), ("B04", STOCK), ("B05", STOCK), ("B09", STOCK))
GROUPED = {
    "生产经营情况": ("C01", "C02", "C04", "C07", "D01", "D02", "J02"),
    "投资招商情况": ("F01", "F02", "F07", "B06", "B07"),
    "企业就业和厂房情况": ("B01", "B03", "E01", "G01", "G02", "G03"),
}


@dataclass(frozen=True)
class Form:
    """One form. ``layout``: wide2 (two-row merged head), wide1 (one head row), long, transposed."""

    form_id: str
    layout: str
    container: str  # xlsx, xls, csv-gbk, csv-utf8
    columns: Columns = FULL_COLUMNS
    names: dict[str, str] = field(default_factory=dict)
    measures: dict[str, str] = field(default_factory=dict)
    money: str = "万元"
    money_decimals: int = 0
    units_in: str = "line"  # line, head (in every head text), column (long, transposed)
    total: str = "end"  # end, top, middle, none
    total_name: str = "合计"  # {} becomes 县, 区 or 市
    title: str = "full"  # a key of wording.TITLES
    file_name: str = "county"  # a key of wording.FILE_NAMES
    sheets: dict[str, tuple[str, ...]] | None = None
    sheet_name: str = "Sheet1"
    extra_sheets: bool = False  # quarter and year columns on sheets of their own
    serial: bool = False  # 序号 column
    region_code: bool = False  # 行政区划代码 column
    percent_format: bool = False  # growth stored as 0.125 and shown as 12.5%
    statutory: bool = True
    formulas: bool = False  # total row holds SUM formulas (with values)
    of_which: bool = False  # a line 其中:示范园区 below the total
    breaks: bool = False  # line breaks inside head texts
    whole: tuple[str, ...] = ()  # written without decimals: small values become …
    year_columns: Columns = YEAR
    quarter_columns: Columns = QUARTER

    def name(self, indicator: str) -> str:
        """Head text of an indicator without its unit."""
        return self.names.get(indicator, NAMES[indicator])

    def measure(self, measure: str) -> str:
        """Head text of a measure."""
        return self.measures.get(measure, MEASURES[measure])

    def unit(self, indicator: str) -> str:
        """Unit an indicator is written in."""
        return UNITS.get(indicator, self.money)

    def decimals(self, indicator: str) -> int:
        """Decimals an indicator is written with."""
        if indicator in self.whole:
            return 0
        if indicator in UNITS:
            return 2 if UNITS[indicator] in ("万平方米", "公顷") else 0
        return self.money_decimals


W1 = Form(
    "W1",
    "wide2",
    "xlsx",
    names={"C02": "其中：规模以上工业总产值", "F02": "其中：工业投资"},
    serial=True,
    extra_sheets=True,
    formulas=True,
    sheet_name="园区月报",
)
W2 = replace(
    W1,
    form_id="W2",
    columns=(
        *FULL_COLUMNS[:2],
        ("C07", ("ytd",)),
        *FULL_COLUMNS[2:8],
        ("J02", ("ytd",)),
        *FULL_COLUMNS[8:],
    ),
    names={
        "C01": "工业总产值（现价）",
        "C02": "#规上工业产值",
        "C07": "#首位产业产值",
        "D02": "实现税收",
        "F01": "固定资产投资完成额",
        "F02": "#工业固定资产投资",
        "F07": "到位资金",
        "B01": "入园企业总数",
        "B03": "#规模工业企业",
        "B07": "新增千万元入园企业",
        "E01": "从业人数",
    },
    measures={"month": "当月", "ytd": "累计", "ytd_prior": "去年同期", "yoy_published": "增长%"},
    total="top",
    total_name="全{}合计",
    serial=False,
    title="month",
)
W3 = replace(
    W1,
    form_id="W3",
    names={
        "C02": "#规模以上",
        "C04": "主营业务收入",
        "F02": "#工业投资",
        "B01": "入住企业（户）",
        "B03": "规上工业企业（户）",
        "B07": "本年新增千万元以上企业（户）",
        "B09": "专精新特企业数",
        "D02": "税金",
        "E01": "从业人员（人）",
    },
    measures={"ytd_prior": "上年同期数", "yoy_published": "同比增长"},
    money="亿元",
    money_decimals=4,
    total="middle",
    total_name="总计",
    percent_format=True,
    formulas=False,
    of_which=True,
    extra_sheets=False,
    title="span",
    file_name="span",
)
W4 = replace(
    W3,
    form_id="W4",
    names={**W3.names, "C04": "营业收入", "B01": "入驻企业（户）"},
    money="万元",
    money_decimals=0,
    percent_format=False,
    measures={"ytd_prior": "上年同期数", "yoy_published": "同比增长(%)"},
    file_name="final",
)
X1 = Form(
    "X1",
    "wide1",
    "xls",
    columns=SHORT_COLUMNS,
    names={
        "C02": "规上产值",
        "C04": "主营业务收入",
        "D02": "入库税收",
        "F01": "固定资产投资",
        "F07": "实际到位内资",
        "B01": "企业户数",
        "B03": "规上企业",
        "B07": "新增千万元入园企业",
        "E01": "从业人员",
        "G01": "标准厂房面积",
        "G02": "新建标准厂房",
        "G03": "可供入驻厂房",
    },
    measures={"ytd": "累计", "yoy_published": "累计同比"},
    money="亿元",
    money_decimals=2,
    units_in="head",
    total="top",
    total_name="全{}",
    title="month",
    file_name="annex",
    statutory=False,
    breaks=True,
    whole=("G02",),
)
X2 = replace(
    X1,
    form_id="X2",
    columns=FULL_COLUMNS,
    names={**X1.names, "C04": "营业收入", "C02": "其中:规上工业总产值", "F02": "其中:工业投资"},
    measures={"ytd": "1至本月累计", "ytd_prior": "上年同期", "yoy_published": "同比增长"},
    money="万元",
    money_decimals=0,
    total="end",
    total_name="总计",
    statutory=True,
    of_which=True,
)
L1 = Form(
    "L1",
    "long",
    "xlsx",
    measures={
        "month": "本月数",
        "ytd": "累计(期末)数",
        "ytd_prior": "上年同期数",
        "yoy_published": "同比增长(%)",
    },
    units_in="column",
    serial=True,
    region_code=True,
    title="monitor",
    file_name="underscore",
    sheet_name="监测数据",
    total="none",
)
L2 = replace(
    L1,
    form_id="L2",
    names={"C02": "其中:规上工业总产值", "F02": "其中:工业投资", "D02": "税金总额"},
    units_in="head",
    serial=False,
    total="end",
    total_name="全{}合计",
    measures={
        "month": "当月",
        "ytd": "自年初累计",
        "ytd_prior": "上年同期累计",
        "yoy_published": "增速(%)",
    },
)
T1 = Form(
    "T1",
    "transposed",
    "xlsx",
    units_in="column",
    title="full",
    file_name="dot",
    sheet_name="主要指标",
    names={"C02": "#规模以上工业", "F02": "#工业投资"},
    measures={"ytd": "累计", "yoy_published": "同比(%)"},
)
T2 = replace(
    T1,
    form_id="T2",
    units_in="head",
    total="top",
    total_name="全{}合计",
    names={
        "C01": "工业产值",
        "C02": "#规上工业产值",
        "F02": "#工业投资",
        "D02": "税金",
        "E01": "就业人数",
    },
    measures={
        "month": "当月值",
        "ytd": "累计值",
        "ytd_prior": "去年同期值",
        "yoy_published": "增幅%",
    },
)
C1 = Form(
    "C1",
    "wide2",
    "csv-gbk",
    names={"C02": "其中:规上工业总产值", "F02": "其中:工业投资", "C04": "主营业务收入"},
    total="end",
    title="span",
    file_name="underscore",
)
C2 = replace(
    C1,
    form_id="C2",
    layout="wide1",
    units_in="head",
    names={"C02": "规上工业总产值", "F02": "工业投资", "D02": "税收"},
    measures={"ytd": "累计", "yoy_published": "同比%"},
    statutory=False,
)
U1 = Form(
    "U1",
    "wide1",
    "csv-utf8",
    columns=SHORT_COLUMNS,
    units_in="head",
    total="none",
    title="none",
    file_name="slug",
    measures={"ytd": "累计", "yoy_published": "同比增速"},
    statutory=False,
)
U2 = replace(
    U1,
    form_id="U2",
    columns=FULL_COLUMNS,
    names={"C01": "工业产值", "C04": "营业总收入", "D02": "税收收入", "E01": "吸纳从业人员"},
    measures={"ytd": "1-本月", "ytd_prior": "上年同期", "yoy_published": "增长"},
    total="end",
    total_name="合 计",
)
M1 = Form(
    "M1",
    "wide2",
    "xlsx",
    names={"C02": "其中：规模以上", "F02": "其中：工业投资"},
    sheets=GROUPED,
    extra_sheets=True,
    title="full",
    file_name="county",
)
M2 = replace(
    M1,
    form_id="M2",
    container="xls",
    columns=(
        *FULL_COLUMNS[:2],
        ("C07", ("ytd",)),
        *FULL_COLUMNS[2:8],
        ("B06", ("ytd",)),
        *FULL_COLUMNS[8:],
    ),
    names={
        "C02": "其中：规模以上",
        "C07": "其中：首位产业",
        "F02": "其中：工业投资",
        "B06": "新增入园企业",
        "D02": "上交税金",
    },
    title="chinese",
    total="top",
    total_name="小计",
)
# 山西 forms: cluster districts, with the yearly counts its document asks about.
CLUSTER_YEAR: Columns = (*YEAR, ("B08", STOCK), ("H04", ("ytd",)))
CLUSTER_COLUMNS: Columns = (*FULL_COLUMNS[:2], ("C07", ("ytd",)), *FULL_COLUMNS[2:])
S1 = replace(
    W1,
    form_id="S1",
    columns=CLUSTER_COLUMNS,
    names={"C07": "其中：主导产业产值", "F02": "其中：工业投资"},
    title="cluster",
    file_name="cluster",
    sheet_name="集群区月报",
    year_columns=CLUSTER_YEAR,
)
S2 = replace(
    L1,
    form_id="S2",
    columns=CLUSTER_COLUMNS,
    names={"C07": "主导产业产值"},
    title="cluster",
    file_name="cluster",
    region_code=False,
    year_columns=CLUSTER_YEAR,
)
S3 = replace(
    C2,
    form_id="S3",
    columns=CLUSTER_COLUMNS,
    names={"C02": "规上工业总产值", "C07": "主导产业产值", "F02": "工业投资"},
    title="cluster",
    file_name="cluster",
    year_columns=CLUSTER_YEAR,
)
_ALL = (W1, W2, W3, W4, X1, X2, L1, L2, T1, T2, C1, C2, U1, U2, M1, M2, S1, S2, S3)
FORMS = {form.form_id: form for form in _ALL}
