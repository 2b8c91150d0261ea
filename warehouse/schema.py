"""The one column dictionary: every published column defined once, everything else projected from it.

Belongs here: names, SQL types, units, Chinese labels, descriptions, constraints, keys and lineage of
the published tables. DDL with comments, Dagster column schema and lineage, Great Expectations suites
and the data dictionary page are all generated from these definitions. Does not belong here: how a
table is computed (``warehouse/sql``) or what an indicator means (``warehouse/catalog``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

STATES = (
    "reported",
    "zero",
    "below_unit",
    "not_applicable",
    "unknown",
    "suppressed",
    "imputed",
    "approximate",
)
MEASURES = ("ytd", "month", "stock", "ytd_prior", "yoy_published")
MATURITIES = ("快报", "定报", "年报")
LIGHTS = ("green", "yellow", "orange", "red", "grey")
SEVERITIES = ("error", "verify", "hint")
OUTCOMES = ("pass", "fail", "not_evaluable", "error")
BASES = ("final", "ytd", "nowcast")
NOWCAST_METHODS = (
    "none",
    "reported",
    "class_share",
    "remainder",
    "share",
    "median3",
    "difference",
)
YOY_BASES = ("comparable", "published", "levels")
REVISION_KINDS = (
    "revised",
    "correction",
    "rounding",
    "filled",
    "blanked",
    "state",
    "restated",
    "withdrawn",
    "restored",
)
ORIGINS = ("reported", "computed", "register", "entered")
OBTAINED = ("reported", "computed", "register", "external", "judged", "per_figure")
YOY_MARKS = ("small_base", "not_positive_base", "break")
VERDICTS = (
    "met",
    "on_pace",
    "behind",
    "far_behind",
    "not_comparable",
    "no_data",
    "expired",
    "manual",
    "out_of_scope",
)
SUBMISSION_STATES = (
    "accepted",
    "partly",
    "returned",
    "held",
    "rejected",
    "duplicate",
    "superseded",
    "late_locked",
)

VALUE = "DECIMAL(28,8)"  # keeps what sources print (8 significant decimals), docs/adr/0003
TEXT, DATE, TIME, INT, FLAG = "VARCHAR", "DATE", "TIMESTAMP", "INTEGER", "BOOLEAN"

Group = Literal[
    "dims",
    "submissions",
    "quality",
    "observations",
    "indicators",
    "targets",
    "assessment",
    "bulletins",
    "deliveries",
    "ops",
]


@dataclass(frozen=True, slots=True)
class Column:
    """One column as readers see it. ``lineage`` names ``schema.table.column`` it is computed from."""

    name: str
    type: str
    zh: str
    description: str
    unit: str = ""
    allowed: tuple[str, ...] = ()
    required: bool = False
    lineage: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """One published table or view; its name is also the Dagster asset key and the Parquet folder."""

    group: Group
    name: str
    zh: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    reads: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("duckdb", "sql")
    is_view: bool = False

    @property
    def full_name(self) -> str:
        """``schema.table`` as used in SQL."""
        return f"{self.group}.{self.name}"

    def column(self, name: str) -> Column:
        """The column called ``name``; KeyError when the table has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.full_name} has no column {name}")


# --- The dictionary: a name means one thing wherever it appears -----------------------------------

_FIELDS: dict[str, Column] = {
    column.name: column
    for column in (
        Column(
            "park_id", TEXT, "园区编号", "Id of the monitored unit; survives renames, upgrades."
        ),
        Column(
            "indicator_id", TEXT, "指标代码", "Indicator of the catalogue, e.g. C01 工业总产值."
        ),
        Column(
            "period", TEXT, "报告期", "YYYY-MM, January to MM; first monthly return 1—2月 = -02."
        ),
        Column(
            "asof_period", TEXT, "截至报告期", "Report period up to which the row knows its year."
        ),
        Column("year", INT, "年度", "Calendar year."),
        Column("value", VALUE, "数值", "In the indicator's unit; empty when the state says why."),
        Column("state", TEXT, "数值状态", "Why a value is what it is or is missing.", "", STATES),
        Column("measure", TEXT, "口径", "累计/当月/期末/上年同期(可比)/公布同比.", "", MEASURES),
        Column("maturity", TEXT, "成熟度", "快报 flash, 定报 regular, 年报 final.", "", MATURITIES),
        Column("known_from", TIME, "知悉时间", "UTC time from which this value was known."),
        Column(
            "known_to", TIME, "失效时间", "UTC time a newer value replaced it; empty = current."
        ),
        Column("submission_id", TEXT, "报送件编号", "SHA-256 of the delivered file."),
        Column("sheet", TEXT, "工作表", "Sheet name as in the file."),
        Column("address", TEXT, "单元格", "Cell address as in the file, e.g. C7."),
        Column("source_id", TEXT, "来源", "Source of the catalogue the file belongs to."),
        Column("reporter", TEXT, "填报单位", "Id of the reporter who sent the file."),
        Column("received_at", TIME, "收到时间", "UTC time of receipt."),
        Column("status", TEXT, "状态", "State in its life cycle."),
        Column("name", TEXT, "名称", "Full name."),
        Column("valid_from", DATE, "生效日期", "First day on which the row holds."),
        Column("valid_to", DATE, "失效日期", "First day it no longer holds; empty while it holds."),
        Column("county_code", TEXT, "县级代码", "GB/T 2260 code of the county."),
        Column("city_code", TEXT, "市级代码", "GB/T 2260 code of the city."),
        Column("province_code", TEXT, "省级代码", "GB/T 2260 code of the province."),
        Column("kind", TEXT, "类型", "Kind as in the catalogue."),
        Column("level", TEXT, "级别", "Level as in the register."),
        Column("class_id", TEXT, "考核分组", "Class within which parks are ranked."),
        Column("unit", TEXT, "计量单位", "Unit of the value."),
        Column("target_id", TEXT, "目标编号", "Clause of the target catalogue."),
        Column("doc_no", TEXT, "文号", "Number of the policy document."),
        Column("clause", TEXT, "条款", "Clause of the document."),
        Column("scheme_id", TEXT, "考核方案", "Assessment scheme file."),
        Column("light", TEXT, "灯色", "绿/黄/橙/红/灰(不判).", "", LIGHTS),
        Column("reason", TEXT, "理由", "Plain reason, in Chinese."),
        Column("edition", INT, "版次", "Edition number; corrections count up."),
        Column("audience_id", TEXT, "受众", "Post and scope the document is made for."),
        Column("yoy_pct", VALUE, "同比", "Growth over the same period of last year.", "%"),
        Column("yoy_basis", TEXT, "同比依据", "同口径上年同期/公布同比/水平值相除.", "", YOY_BASES),
        Column(
            "yoy_mark",
            TEXT,
            "同比标注",
            "小基数(已截顶)/基数非正/口径变更: why growth is capped or empty.",
            "",
            YOY_MARKS,
        ),
        Column("break_flag", TEXT, "口径变更", "Why growth must not be read as a change."),
        Column("value_prior", VALUE, "上年同期", "Prior-year value of the same scope."),
        Column(
            "yoy_two_year_pct", VALUE, "两年平均同比", "Geometric mean of two years' growth.", "%"
        ),
        Column("origin", TEXT, "数据来源", "报表/计算/登记名单/补录.", "", ORIGINS),
        Column("rank", INT, "名次", "Rank within the class; equal scores share a rank."),
        Column("score", VALUE, "得分", "Score under the scheme.", "分"),
        Column("official", FLAG, "正式结果", "False = 模拟名次,非正式考核结果."),
    )
}


def _columns(
    names: str, *own: Column, required: str = "", lineage: Mapping[str, Sequence[str]] | None = None
) -> tuple[Column, ...]:
    """Columns of a table in order; ``own`` defines those the dictionary lacks or says otherwise."""
    local, needed, sources = {c.name: c for c in own}, set(required.split()), lineage or {}
    return tuple(
        replace(
            local.get(name) or _FIELDS[name],
            required=name in needed,
            lineage=tuple(sources.get(name, ())),
        )
        for name in names.split()
    )


def _same(table: str, names: str) -> dict[str, list[str]]:
    """Lineage of columns carried over unchanged from ``table``."""
    return {name: [f"{table}.{name}"] for name in names.split()}


# --- Dimensions (from the catalogue) --------------------------------------------------------------

_DIMS = (
    Table(
        "dims",
        "park",
        "园区登记",
        "Park register, one row per validity interval: renames, recodes and upgrades kept.",
        _columns(
            "park_id valid_from valid_to name short_name county_code city_code province_code kind "
            "level class_id is_key is_demonstration status home_county_code host_county_code "
            "simulated merged_into",
            Column("short_name", TEXT, "简称", "Short name printed in tables."),
            Column("is_key", FLAG, "重点建设", "On the list of 重点建设县域工业集中区."),
            Column("is_demonstration", FLAG, "示范", "On the list of 示范县域工业集中区."),
            Column(
                "home_county_code", TEXT, "飞出地", "County that counts a 飞地 park as its own."
            ),
            Column("host_county_code", TEXT, "飞入地", "County in which a 飞地 park lies."),
            Column("simulated", FLAG, "模拟", "True for parks made up for demonstration."),
            Column("merged_into", TEXT, "并入园区", "Park this one became part of at its end."),
            required="park_id valid_from name",
        ),
        ("park_id", "valid_from"),
        kinds=("duckdb", "csv"),
    ),
    Table(
        "dims",
        "indicator",
        "指标目录",
        "Indicators with unit, direction, how they accumulate over months and over parks.",
        _columns(
            "indicator_id name_zh name_en unit kind over_time aggregation better formula decimals "
            "obtained obtained_from counted non_negative small_base growth_cap_pct "
            "prior_tolerance_pct definition",
            Column("name_zh", TEXT, "指标名称", "Chinese name."),
            Column("name_en", TEXT, "英文名称", "English name."),
            Column("over_time", TEXT, "时间汇总", "ytd/sum/mean/last/formula: months to a year."),
            Column("aggregation", TEXT, "空间汇总", "sum/mean/ratio/none: parks to an area."),
            Column("better", TEXT, "向好方向", "high, low or none."),
            Column("formula", TEXT, "公式", "Arithmetic over other indicators."),
            Column("decimals", INT, "小数位", "Digits printed."),
            Column("obtained", TEXT, "取得方式", "How its figures come about.", "", OBTAINED),
            Column("obtained_from", TEXT, "取自", "Formula, register field, table column or file."),
            Column(
                "counted", TEXT, "登记计数", "Counted from the register: parks or a list of it."
            ),
            Column("non_negative", FLAG, "非负", "A negative figure is an error or a correction."),
            Column("small_base", VALUE, "小基数线", "Below it growth is capped and marked."),
            Column(
                "growth_cap_pct", VALUE, "截顶", "Growth printed at most over a small base.", "%"
            ),
            Column(
                "prior_tolerance_pct",
                VALUE,
                "同期数容差",
                "Difference of scope said above it.",
                "%",
            ),
            Column("definition", TEXT, "定义", "What is counted, in Chinese."),
            required="indicator_id name_zh unit",
        ),
        ("indicator_id",),
        kinds=("duckdb", "yaml"),
    ),
    Table(
        "dims",
        "scope_break",
        "口径变更",
        "Declared breaks: from a period on, figures of a place or indicator mean something else.",
        _columns(
            "break_id indicator_id region_code park_id period reason source",
            Column("break_id", TEXT, "编号", "Id of the declaration."),
            Column("region_code", TEXT, "地区代码", "Region it holds for; empty = everywhere."),
            Column("period", TEXT, "起始期", "First period of the new scope."),
            Column("source", TEXT, "依据", "Document or note it rests on."),
            required="break_id period reason source",
        ),
        ("break_id", "indicator_id", "park_id"),
        kinds=("duckdb", "yaml"),
    ),
    Table(
        "dims",
        "enclave_share",
        "飞地分配",
        "Which county counts which share of a 飞地 park; shares add up to 1 on every day.",
        _columns(
            "park_id county_code valid_from valid_to share source",
            Column("share", VALUE, "分配比例", "Part of the park's figures, 0 to 1."),
            Column("source", TEXT, "依据", "Document or report it rests on."),
            required="park_id county_code valid_from share",
        ),
        ("park_id", "county_code", "valid_from"),
        kinds=("duckdb", "csv"),
    ),
    Table(
        "dims",
        "entered_figure",
        "补录数",
        "Figures of catalog/inputs/figures.csv that derivations can use, in canonical units.",
        _columns(
            "indicator_id area_code scope park_id period value entered_on source file line",
            Column("area_code", TEXT, "地区代码", "Area the figure is about; empty for a park."),
            Column("scope", TEXT, "范围", "all, key or demonstration parks."),
            Column("entered_on", DATE, "录入日期", "Day from which it is known."),
            Column("source", TEXT, "来源", "Where the figure is from."),
            Column("file", TEXT, "文件", "Input file."),
            Column("line", INT, "行号", "Line of the file."),
            required="indicator_id period value file line",
        ),
        ("file", "line"),
        ("dims.indicator", "dims.park"),
        kinds=("duckdb", "csv"),
    ),
    Table(
        "dims",
        "document",
        "政策文件",
        "Policy documents whose clauses are monitored.",
        _columns(
            "document_id doc_no title issuer issued plan_from plan_to region_code level",
            Column("document_id", TEXT, "文件代号", "Short id, e.g. SN18."),
            Column("title", TEXT, "标题", "Title."),
            Column("issuer", TEXT, "发文机关", "Issuing authority."),
            Column("issued", TEXT, "成文日期", "Date or year of issue as far as known."),
            Column("plan_from", INT, "起始年", "First year the document plans for."),
            Column("plan_to", INT, "终止年", "Last year the document plans for."),
            Column("region_code", TEXT, "适用地区", "GB/T 2260 code it applies to."),
            required="document_id doc_no title",
        ),
        ("document_id",),
        kinds=("duckdb", "yaml"),
    ),
    Table(
        "dims",
        "target",
        "目标目录",
        "One checkable clause of a policy document per row, with its quotation.",
        _columns(
            "target_id doc_no clause quote scope_level scope_code indicator_id kind comparator "
            "value unit baseline_value period_from period_to strength progress_method computable",
            Column("quote", TEXT, "原文", "Verbatim quotation."),
            Column("scope_level", TEXT, "对象层级", "province, city, county, park …"),
            Column("scope_code", TEXT, "对象代码", "Region or park the clause is about."),
            Column("comparator", TEXT, "比较", "Comparison the clause asks for."),
            Column("baseline_value", VALUE, "基期值", "Value the clause starts from."),
            Column("period_from", TEXT, "起始期", "First period the clause covers."),
            Column("period_to", TEXT, "期限", "Period by which the clause is due."),
            Column("strength", TEXT, "约束力", "binding 约束, expected 预期, directional 导向."),
            Column("progress_method", TEXT, "进度方法", "How progress within the term is judged."),
            Column(
                "computable", TEXT, "可算性", "From returns, register, another bureau, by hand."
            ),
            required="target_id doc_no quote",
        ),
        ("target_id",),
        ("dims.document", "dims.indicator"),
        kinds=("duckdb", "yaml"),
    ),
    Table(
        "dims",
        "region",
        "行政区划",
        "Administrative divisions with their recodes.",
        _columns(
            "code name level parent valid_from valid_to successor",
            Column("code", TEXT, "代码", "GB/T 2260 code."),
            Column("parent", TEXT, "上级代码", "Code of the parent division."),
            Column("successor", TEXT, "后继代码", "Code that replaced this one."),
            required="code name",
        ),
        ("code", "valid_from"),
        kinds=("duckdb", "csv"),
    ),
    Table(
        "dims",
        "reporter",
        "填报单位",
        "Who is expected to report what.",
        _columns(
            "reporter name region_code source_id valid_from valid_to",
            Column("region_code", TEXT, "地区代码", "Region the reporter answers for."),
            required="reporter name",
        ),
        ("reporter", "valid_from"),
        kinds=("duckdb", "csv"),
    ),
    Table(
        "dims",
        "calendar",
        "报告期",
        "Report periods with label and time progress (序时进度).",
        _columns(
            "period year month label_zh time_progress_pct",
            Column("month", INT, "月份", "Last month of the period."),
            Column("label_zh", TEXT, "报告期名称", "As printed, e.g. 2020年1—6月."),
            Column("time_progress_pct", VALUE, "序时进度", "Month of the year / 12.", "%"),
            required="period year month",
        ),
        ("period",),
        ("indicators.park_month",),
    ),
)

# --- Submissions, quality, observations -----------------------------------------------------------

_CELL_KEYS = "submission_id sheet address"
_SUBMISSIONS = (
    Table(
        "submissions",
        "submission",
        "报送件",
        "Every delivered file with its receipt and what became of it.",
        _columns(
            "submission_id file_name source_id reporter period received_at version_no status "
            "reason format bytes layout_id n_cells n_findings",
            Column("file_name", TEXT, "文件名", "Name as delivered."),
            Column("version_no", INT, "版本号", "Counts deliveries per source, reporter, period."),
            Column("status", TEXT, "状态", "What became of the file.", "", SUBMISSION_STATES),
            Column("format", TEXT, "格式", "What the bytes are, whatever the name says."),
            Column("bytes", "BIGINT", "字节数", "Size of the file."),
            Column("layout_id", TEXT, "版式", "Layout the file was read by."),
            Column("n_cells", INT, "数值个数", "Values read."),
            Column("n_findings", INT, "问题个数", "Findings raised."),
            required="submission_id file_name received_at status",
        ),
        ("submission_id",),
        ("dims.reporter", "dims.park"),
        kinds=("duckdb", "excel", "python"),
    ),
    Table(
        "submissions",
        "cell",
        "单元",
        "One value with its file, sheet, address, raw text, unit evidence and meaning.",
        _columns(
            "submission_id sheet address raw_text value state unit_raw unit_factor unit_evidence "
            "entity_raw park_id indicator_id period measure maturity role head layout_id layout_rule",
            Column("raw_text", TEXT, "原文", "Exactly what the cell holds."),
            Column("unit_raw", TEXT, "原单位", "Unit the value was written in."),
            Column("unit_factor", TEXT, "换算系数", "Exact factor applied, e.g. 10000 or 1/15."),
            Column("unit_evidence", TEXT, "单位依据", "Where the unit was read."),
            Column("entity_raw", TEXT, "原名称", "Name of the unit as written in the file."),
            Column("role", TEXT, "行类别", "Data, total or of_which row."),
            Column("head", TEXT, "表头", "Head path of the column as written."),
            Column("layout_id", TEXT, "版式", "Layout that gave the meaning."),
            Column("layout_rule", TEXT, "版式条目", "Entry of the layout file that gave it."),
            required=f"{_CELL_KEYS} raw_text state",
        ),
        ("submission_id", "sheet", "address"),
        ("dims.park", "dims.indicator", "submissions.submission"),
        kinds=("duckdb", "excel", "python"),
    ),
    Table(
        "quality",
        "finding",
        "审核问题",
        "One rule on one cell, row or file: outcome, what was found, what was expected.",
        _columns(
            "finding_id rule_id severity outcome submission_id file_name reporter sheet address "
            "park_id indicator_id period found expected message remedy lifecycle",
            Column("finding_id", TEXT, "问题编号", "Same rule, place and content = same id."),
            Column("rule_id", TEXT, "规则", "Rule of the catalogue."),
            Column("severity", TEXT, "级别", "错误/核实/提示.", "", SEVERITIES),
            Column("outcome", TEXT, "结果", "pass/fail/not_evaluable/error.", "", OUTCOMES),
            Column("file_name", TEXT, "文件名", "Name as delivered."),
            Column("found", TEXT, "读到", "What was found."),
            Column("expected", TEXT, "应有", "What was expected (never a value that would do)."),
            Column("message", TEXT, "问题", "What is wrong, for the reporter."),
            Column("remedy", TEXT, "处理", "How to mend it."),
            Column("lifecycle", TEXT, "生命周期", "new/persisting/resolved/waived."),
            required="finding_id rule_id severity outcome message",
            lineage=_same("submissions.cell", "submission_id sheet address park_id indicator_id"),
        ),
        ("finding_id",),
        (
            "submissions.cell",
            "dims.indicator",
            "dims.park",
            "dims.reporter",
            "dims.target",
            "quality.review",
        ),
        kinds=("duckdb", "python"),
    ),
    Table(
        "quality",
        "review",
        "核查清单",
        "Figures that statistical screens find suspicious, ranked by what they would move: people "
        "look at the first ones first.",
        _columns(
            "period rank score suspicion deviation screens scope_changed park_id indicator_id value "
            f"{_CELL_KEYS}",
            Column("rank", INT, "次序", "Place in the review list of the period, 1 = first."),
            Column(
                "score", VALUE, "核查得分", "Suspicion × share of the indicator's total moved.", "%"
            ),
            Column("suspicion", VALUE, "可疑程度", "0 to 1."),
            Column("deviation", VALUE, "偏离倍数", "Deviation in the unit's usual errors."),
            Column("screens", "VARCHAR[]", "命中筛查", "Screens of the catalogue that hit."),
            Column("scope_changed", FLAG, "口径变更", "Prior-year scope changed: never a fall."),
            required="period rank score suspicion park_id indicator_id",
            lineage=_same("submissions.cell", f"{_CELL_KEYS} park_id indicator_id value"),
        ),
        ("park_id", "indicator_id", "period"),
        ("submissions.cell", "dims.indicator"),
        kinds=("duckdb", "python"),
    ),
    Table(
        "quality",
        "finding_cell",
        "问题单元格",
        "The cells a finding rests on: its own file's, and those of other files it compares with.",
        _columns(
            f"finding_id position {_CELL_KEYS} park_id indicator_id period measure is_own is_error",
            Column("finding_id", TEXT, "问题编号", "The finding."),
            Column("position", INT, "次序", "Order in which the rule names the cells."),
            Column(
                "is_own", FLAG, "本件单元格", "The cell stands in the file the finding is about."
            ),
            Column(
                "is_error",
                FLAG,
                "确定有误",
                "An error within the file names this cell; false where periods are compared.",
            ),
            required=f"finding_id position {_CELL_KEYS} is_own is_error",
            lineage=_same(
                "submissions.cell",
                f"{_CELL_KEYS} park_id indicator_id period measure",
            ),
        ),
        ("finding_id", "submission_id", "sheet", "address"),
        ("submissions.cell",),
        kinds=("duckdb", "sql"),
    ),
    Table(
        "quality",
        "rule_outcome",
        "规则结果",
        "How often each rule passed, failed, could not be evaluated or could not run, by period.",
        _columns(
            "rule_id period n_pass n_fail n_not_evaluable n_error missing",
            Column("rule_id", TEXT, "规则", "Rule of the catalogue."),
            Column("n_pass", "BIGINT", "通过", "Judgements that passed."),
            Column("n_fail", "BIGINT", "不通过", "Judgements that failed."),
            Column("n_not_evaluable", "BIGINT", "无法判断", "A figure the rule needs is missing."),
            Column("n_error", "BIGINT", "执行出错", "The rule could not be computed."),
            Column("missing", TEXT, "缺少", "Which figures were missing, and how often."),
            required="rule_id period n_pass n_fail n_not_evaluable n_error",
        ),
        ("rule_id", "period"),
        ("submissions.cell", "dims.indicator", "dims.park", "dims.reporter", "dims.target"),
        kinds=("duckdb", "sql"),
    ),
    Table(
        "observations",
        "observation",
        "观测值",
        "Every figure as known at every time: vintages [known_from, known_to).",
        _columns(
            "park_id indicator_id period measure known_from known_to value state maturity "
            f"{_CELL_KEYS}",
            required="park_id indicator_id period measure known_from state",
            lineage=_same(
                "submissions.cell",
                f"park_id indicator_id period measure value state maturity {_CELL_KEYS}",
            )
            | {
                "known_from": ["submissions.submission.received_at"],
                "known_to": ["submissions.submission.received_at"],
            },
        ),
        ("park_id", "indicator_id", "period", "measure", "known_from"),
        ("submissions.cell", "submissions.submission", "quality.triage"),
        is_view=True,
    ),
    Table(
        "observations",
        "revision",
        "修订",
        "Every time a figure became another one after it was first known, and what kind of change.",
        _columns(
            "park_id indicator_id period measure known_from source_id kind former_value value "
            "revision revision_pct former_maturity maturity lag_days submission_id "
            "former_submission_id",
            Column("known_from", TIME, "修订时间", "UTC time the change became known."),
            Column(
                "kind",
                TEXT,
                "修订类型",
                "revised 修订, correction 更正, rounding 仅修约位数不同(不算修订), filled 补报, "
                "blanked 改为无数, state 只变状态, restated 值未变而依据另一文件, withdrawn 撤回, "
                "restored 撤回后恢复.",
                "",
                REVISION_KINDS,
            ),
            Column("former_value", VALUE, "原值", "Value known before."),
            Column("revision", VALUE, "修订量", "Value minus former value."),
            Column("revision_pct", VALUE, "修订幅度", "Revision over the former value.", "%"),
            Column("former_maturity", TEXT, "原成熟度", "Maturity before.", "", MATURITIES),
            Column("lag_days", INT, "距首次发布天数", "Days since the figure was first known."),
            Column("former_submission_id", TEXT, "原报送件", "File the former value rested on."),
            required="park_id indicator_id period measure known_from kind",
            lineage=_same("observations.observation", "park_id indicator_id period measure value"),
        ),
        ("park_id", "indicator_id", "period", "measure", "known_from", "kind"),
        ("observations.observation", "submissions.submission"),
    ),
    Table(
        "observations",
        "revision_summary",
        "修订统计",
        "How much each source revises: mean, mean absolute and share revised, in all and by lag.",
        _columns(
            "source_id indicator_id measure lag_months n_figures n_revised share_pct "
            "mean_revision mean_abs_revision mean_pct mean_abs_pct",
            Column(
                "lag_months", INT, "距首次发布月数", "30-day months; empty = all lags together."
            ),
            Column("n_figures", "BIGINT", "数值个数", "Figures the source was first to give."),
            Column("n_revised", "BIGINT", "修订个数", "Figures revised (at that lag)."),
            Column("share_pct", VALUE, "修订比例", "Share of figures revised.", "%"),
            Column("mean_revision", VALUE, "平均修订量", "In the indicator's unit; signed."),
            Column("mean_abs_revision", VALUE, "平均绝对修订量", "In the indicator's unit."),
            Column("mean_pct", VALUE, "平均修订幅度", "Signed, over the former value.", "%"),
            Column("mean_abs_pct", VALUE, "平均绝对修订幅度", "Over the former value.", "%"),
            required="source_id indicator_id measure n_figures n_revised",
            lineage={"mean_revision": ["observations.revision.revision"]},
        ),
        ("source_id", "indicator_id", "measure", "lag_months"),
        ("observations.revision", "submissions.submission"),
        is_view=True,
    ),
)

# --- Filing: what findings do, what is missing, how reporters file --------------------------------

TRIAGE_ACTIONS = ("quarantined", "held", "marked", "released")
REACHES = ("file", "sheet", "park", "cell", "none")
GAPS = ("missing", "omitted", "returned", "held", "late_locked")
PUNCTUALITIES = ("on_time", "late", "absent")

_FILING = (
    Table(
        "quality",
        "triage",
        "审核分流",
        "What each 错误 or 核实 finding does to the figures it is about, by the triage policy.",
        _columns(
            "finding_id rule_id severity submission_id reporter park_id period sheet address reach "
            "action returned triage_id reason released_at n_cells",
            Column("finding_id", TEXT, "问题编号", "Finding of quality.finding."),
            Column("rule_id", TEXT, "规则", "Rule of the catalogue."),
            Column("severity", TEXT, "级别", "错误/核实.", "", SEVERITIES),
            Column("reach", TEXT, "范围", "How much the finding keeps back.", "", REACHES),
            Column("action", TEXT, "处置", "退回/待核实/采用并标记/已放行.", "", TRIAGE_ACTIONS),
            Column("returned", FLAG, "退给单位", "False for findings the office settles itself."),
            Column("triage_id", TEXT, "分流条目", "Entry of triage.yaml that applied."),
            Column("released_at", TIME, "放行时间", "UTC time of the explanation; empty = receipt."),
            Column("n_cells", INT, "涉及数值", "Values the finding is about."),
            required="finding_id rule_id severity reach action",
            lineage=_same(
                "quality.finding",
                "finding_id rule_id severity submission_id reporter park_id period sheet address",
            )
            | {"reason": ["quality.finding.message"], "n_cells": ["submissions.cell.address"]},
        ),
        ("finding_id",),
        ("quality.finding", "submissions.cell", "submissions.submission"),
    ),
    Table(
        "quality",
        "gap",
        "缺报与待核",
        "Parks without figures of a period, or standing on an earlier delivery: why, and what share.",
        _columns(
            "period park_id reporter county_code city_code province_code why earlier_stands "
            "submission_id reason indicator_id basis_period county_share_pct city_share_pct "
            "province_share_pct effect",
            Column("why", TEXT, "原因", "未报/漏报园区/退回/待核实/封账后报送.", "", GAPS),
            Column("earlier_stands", FLAG, "沿用前数", "An earlier delivery's figures stand."),
            Column("indicator_id", TEXT, "估算指标", "Indicator the shares are computed by."),
            Column("basis_period", TEXT, "估算报告期", "Last period before with a value."),
            Column("county_share_pct", VALUE, "占县比重", "Of the county's total then.", "%"),
            Column("city_share_pct", VALUE, "占市比重", "Of the city's total then.", "%"),
            Column("province_share_pct", VALUE, "占省比重", "Of the province's total then.", "%"),
            Column("effect", TEXT, "影响", "What the gap does to the totals, in words."),
            required="period park_id why",
            lineage={
                "county_share_pct": ["observations.observation.value"],
                "city_share_pct": ["observations.observation.value"],
                "province_share_pct": ["observations.observation.value"],
                "why": ["quality.triage.action", "submissions.submission.status"],
                "park_id": ["dims.park.park_id"],
            },
        ),
        ("period", "park_id"),
        ("observations.observation", "quality.triage", "submissions.submission", "dims.park",
         "dims.reporter"),
    ),
    Table(
        "quality",
        "reporter_record",
        "报送质量记录",
        "How each reporter filed each period: punctuality, returns, problems, false alarms.",
        _columns(
            "reporter period name deadline first_received_at punctuality days_late n_files n_returned "
            "n_held n_error n_verify n_hint n_rules n_cleared false_alarm_pct",
            Column("deadline", DATE, "报送截止", "Last day, by the workday calendar."),
            Column("first_received_at", TIME, "首次收到", "UTC time of the first delivery."),
            Column("punctuality", TEXT, "时效", "按时/迟报/未收到.", "", PUNCTUALITIES),
            Column("days_late", INT, "迟报天数", "Days begun after the deadline.", "天"),
            Column("n_files", INT, "报送件数", "Deliveries, repeats left out."),
            Column("n_returned", INT, "退回次数", "Deliveries with figures that came back."),
            Column("n_held", INT, "待核次数", "Deliveries with figures that had to wait."),
            Column("n_error", INT, "错误数", "Findings of severity 错误."),
            Column("n_verify", INT, "核实数", "Findings of severity 核实."),
            Column("n_hint", INT, "提示数", "Findings of severity 提示."),
            Column("n_rules", INT, "触发规则数", "Different rules that found something."),
            Column("n_cleared", INT, "属实数", "错误 and 核实 waived or explained: false alarms."),
            Column("false_alarm_pct", VALUE, "误报率", "n_cleared of 错误 and 核实.", "%"),
            required="reporter period punctuality",
            lineage={
                "first_received_at": ["submissions.submission.received_at"],
                "punctuality": ["submissions.submission.received_at"],
                "n_returned": ["quality.triage.action"],
                "n_error": ["quality.finding.severity"],
                "n_cleared": ["quality.triage.action"],
            },
        ),
        ("reporter", "period"),
        ("submissions.submission", "quality.finding", "quality.triage", "dims.reporter"),
    ),
)  # fmt: skip

# --- Indicators -----------------------------------------------------------------------------------

_OBS = "observations.observation"
_INDICATORS = (
    Table(
        "indicators",
        "park_month",
        "园区月度指标",
        "Park × indicator × period: cumulative, single month, comparable prior year, growth.",
        _columns(
            "park_id indicator_id period value_ytd value_month month_flag value_prior yoy_pct "
            "yoy_basis yoy_mark value_last_year yoy_levels_pct yoy_two_year_pct state break_flag "
            "maturity n_months origin",
            Column("value_ytd", VALUE, "本期累计", "Cumulative value, or stock at period end."),
            Column("value_month", VALUE, "当月", "Single month; 1—2月 is never split."),
            Column("month_flag", TEXT, "当月说明", "Why a single month is negative or not known."),
            Column("value_last_year", VALUE, "上年公布数", "What was reported a year ago."),
            Column(
                "yoy_levels_pct", VALUE, "名义增速", "Published figures divided; a check only.", "%"
            ),
            Column("n_months", INT, "月数", "Months of the year the value rests on."),
            required="park_id indicator_id period",
            lineage={
                "value_ytd": [f"{_OBS}.value", f"{_OBS}.measure"],
                "value_month": [f"{_OBS}.value", f"{_OBS}.measure"],
                "month_flag": [f"{_OBS}.value", "dims.scope_break.period"],
                "value_prior": [f"{_OBS}.value", f"{_OBS}.measure"],
                "value_last_year": [f"{_OBS}.value"],
                "yoy_pct": [f"{_OBS}.value", "dims.indicator.growth_cap_pct"],
                "yoy_basis": [f"{_OBS}.measure"],
                "yoy_mark": ["dims.indicator.small_base", "dims.scope_break.period"],
                "yoy_levels_pct": [f"{_OBS}.value"],
                "yoy_two_year_pct": [f"{_OBS}.value"],
                "break_flag": ["dims.scope_break.reason", "dims.indicator.prior_tolerance_pct"],
                "state": [f"{_OBS}.state"],
                "maturity": [f"{_OBS}.maturity"],
                "n_months": [f"{_OBS}.period"],
            }
            | _same(_OBS, "park_id indicator_id period"),
        ),
        ("park_id", "indicator_id", "period"),
        (_OBS, "dims.indicator", "dims.park", "dims.scope_break", "dims.entered_figure"),
    ),
    Table(
        "indicators",
        "park_year",
        "园区年度指标",
        "Park × indicator × year as of a period: final or year to date, with completeness.",
        _columns(
            "park_id indicator_id year asof_period value basis value_prior yoy_pct yoy_basis "
            "yoy_mark yoy_two_year_pct break_flag state n_months completeness_pct origin",
            Column("basis", TEXT, "依据", "final 全年, ytd 累计, nowcast 推算.", "", BASES),
            Column("n_months", INT, "月数", "Months of the year the value rests on."),
            Column("completeness_pct", VALUE, "完整率", "Months it rests on / months due.", "%"),
            required="park_id indicator_id year asof_period basis",
            lineage={
                "value": ["indicators.park_month.value_ytd", "dims.indicator.formula"],
                "n_months": ["indicators.park_month.n_months"],
                "completeness_pct": ["indicators.park_month.n_months"],
                "asof_period": ["indicators.park_month.period"],
                "year": ["indicators.park_month.period"],
            }
            | _same("indicators.park_month", "park_id indicator_id state origin value_prior")
            | _same(
                "indicators.park_month", "yoy_pct yoy_basis yoy_mark yoy_two_year_pct break_flag"
            ),
        ),
        ("park_id", "indicator_id", "year", "asof_period"),
        ("indicators.park_month", "dims.indicator", "dims.park"),
    ),
    Table(
        "indicators",
        "area_year",
        "地区年度指标",
        "County, city, province and class totals of park figures; 飞地 by its shares, counted once.",
        _columns(
            "area_code area_level scope indicator_id year asof_period value value_comparable "
            "value_prior yoy_pct yoy_basis value_last_year yoy_levels_pct break_flag n_parks "
            "n_reported n_comparable origin",
            Column("area_code", TEXT, "地区代码", "GB/T 2260 (or national) code, or class id."),
            Column("area_level", TEXT, "地区层级", "county, city, province or class."),
            Column("scope", TEXT, "范围", "all 全部园区, key 重点建设, demonstration 示范."),
            Column("value", VALUE, "合计", "Parks on the list on the last day of the period."),
            Column("value_comparable", VALUE, "可比合计", "Of the parks known in both years."),
            Column("value_prior", VALUE, "上年同期", "Prior year of the comparable parks."),
            Column("yoy_pct", VALUE, "同比", "Comparable parks: this year over prior year.", "%"),
            Column("yoy_basis", TEXT, "同比依据", "The weakest among its parks.", "", YOY_BASES),
            Column("value_last_year", VALUE, "上年合计", "Last year's total of last year's list."),
            Column("yoy_levels_pct", VALUE, "名义增速", "Totals of two lists divided.", "%"),
            Column("n_parks", INT, "应报园区", "Parks of the area in the register."),
            Column("n_reported", INT, "已报园区", "Parks whose value is known."),
            Column("n_comparable", INT, "可比园区", "Parks known in both years."),
            required="area_code area_level scope indicator_id year asof_period",
            lineage={
                "value": ["indicators.park_year.value", "dims.enclave_share.share"],
                "value_comparable": ["indicators.park_year.value", "dims.enclave_share.share"],
                "value_prior": ["indicators.park_year.value_prior", "dims.enclave_share.share"],
                "yoy_pct": ["indicators.park_year.value_prior", "indicators.park_year.value"],
                "yoy_basis": ["indicators.park_year.yoy_basis"],
                "value_last_year": ["indicators.park_month.value_ytd"],
                "yoy_levels_pct": ["indicators.park_month.value_ytd", "indicators.park_year.value"],
                "break_flag": ["indicators.park_year.break_flag"],
                "n_parks": ["dims.park.park_id"],
                "n_reported": ["indicators.park_year.park_id"],
                "n_comparable": ["indicators.park_year.park_id"],
                "area_code": [
                    "dims.park.county_code",
                    "dims.park.city_code",
                    "dims.enclave_share.county_code",
                ],
            }
            | _same("indicators.park_year", "indicator_id year asof_period"),
        ),
        ("area_code", "scope", "indicator_id", "year", "asof_period"),
        (
            "indicators.park_year",
            "indicators.park_month",
            "dims.park",
            "dims.indicator",
            "dims.region",
            "dims.enclave_share",
            "dims.entered_figure",
        ),
    ),
    Table(
        "indicators",
        "coverage",
        "指标覆盖",
        "Every indicator of the catalogue as of a period: how it is obtained, for how many parks.",
        _columns(
            "indicator_id year asof_period obtained obtained_from n_parks n_known n_areas note",
            Column("obtained", TEXT, "取得方式", "How its figures come about.", "", OBTAINED),
            Column("obtained_from", TEXT, "取自", "Formula, register field, table column or file."),
            Column("n_parks", INT, "应有园区", "Parks in the register on the last day."),
            Column("n_known", INT, "已有园区", "Parks with a value."),
            Column("n_areas", INT, "地区个数", "Areas with a value."),
            Column("note", TEXT, "说明", "What is missing, in Chinese."),
            required="indicator_id year asof_period obtained n_parks n_known n_areas",
            lineage={
                "n_known": ["indicators.park_year.value"],
                "n_parks": ["dims.park.park_id"],
                "n_areas": ["indicators.area_year.value"],
                "note": ["indicators.park_year.value", "indicators.area_year.value"],
            }
            | _same("dims.indicator", "indicator_id obtained obtained_from")
            | _same("indicators.park_year", "year asof_period"),
        ),
        ("indicator_id", "year", "asof_period"),
        ("indicators.park_year", "indicators.area_year", "dims.indicator", "dims.park"),
    ),
    Table(
        "indicators",
        "nowcast",
        "全年推算",
        "Forecast of the year's total from the months so far, with its error distribution.",
        _columns(
            "park_id indicator_id year asof_period p05 p10 p25 p50 p75 p90 p95 point method "
            "n_history calibrated scale seasonal_pct last_period",
            *(
                Column(f"p{p:02d}", VALUE, f"{p}%分位", f"With {p} % probability not above this.")
                for p in (5, 10, 25, 50, 75, 90, 95)
            ),
            Column("point", VALUE, "推算值", "Forecast of the year's total."),
            Column("method", TEXT, "推算方法", "How it was made.", "", NOWCAST_METHODS),
            Column("n_history", INT, "历史年数", "Complete past years it rests on."),
            Column(
                "calibrated", FLAG, "已校准", "Past errors stand behind the interval; else grey."
            ),
            Column("scale", VALUE, "误差尺度", "Size of the error: log points (median3, shares)."),
            Column("seasonal_pct", VALUE, "季节进度", "Usual share of the year done by then.", "%"),
            Column("last_period", TEXT, "数据截至", "Newest month the figures of the park reach."),
            required="park_id indicator_id year asof_period method calibrated",
            lineage={
                name: ["observations.observation.value", "observations.observation.known_from"]
                for name in ("p05", "p10", "p25", "p50", "p75", "p90", "p95", "point", "scale")
            }
            | {
                "seasonal_pct": ["observations.observation.value"],
                "last_period": ["observations.observation.period"],
            }
            | _same("observations.observation", "park_id indicator_id"),
        ),
        ("park_id", "indicator_id", "year", "asof_period"),
        ("observations.observation", "dims.indicator", "dims.park"),
        kinds=("duckdb", "python"),
    ),
    Table(
        "indicators",
        "area_nowcast",
        "地区全年推算",
        "Forecast of an area's total for the year: its parks with figures, errors of the same sums.",
        _columns(
            "area_code indicator_id year asof_period p05 p10 p25 p50 p75 p90 p95 point n_parks "
            "calibrated",
            Column("area_code", TEXT, "地区代码", "GB/T 2260 code of the area."),
            *(
                Column(f"p{p:02d}", VALUE, f"{p}%分位", f"With {p} % probability not above this.")
                for p in (5, 10, 25, 50, 75, 90, 95)
            ),
            Column("point", VALUE, "推算值", "Sum of the forecasts of its parks."),
            Column("n_parks", INT, "园区数", "Parks in the sum."),
            Column("calibrated", FLAG, "已校准", "Past errors of the same sums stand behind it."),
            required="area_code indicator_id year asof_period n_parks calibrated",
            lineage={
                name: ["observations.observation.value", "observations.observation.known_from"]
                for name in ("p05", "p10", "p25", "p50", "p75", "p90", "p95", "point")
            }
            | _same("observations.observation", "indicator_id"),
        ),
        ("area_code", "indicator_id", "year", "asof_period"),
        ("observations.observation", "dims.indicator", "dims.park"),
        kinds=("duckdb", "python"),
    ),
    Table(
        "indicators",
        "track_record",
        "推算成绩",
        "How past forecasts of an indicator came out: replayed from what was known then.",
        _columns(
            "indicator_id year month n_years n_forecasts covered_80 covered_90 covered_95 mape "
            "mape_calendar mape_last_year brier brier_calendar skill_calendar skill_climatology "
            "calibration_error",
            Column("year", INT, "年度", "The record before this year: the closed years before it."),
            Column("month", INT, "推算月份", "Month of the year after which forecasts were made."),
            Column("n_years", INT, "检验年数", "Closed years tested."),
            Column("n_forecasts", INT, "推算次数", "Forecasts scored."),
            *(
                Column(f"covered_{p}", VALUE, f"{p}%区间覆盖率", f"Inside the {p} % interval.", "%")
                for p in (80, 90, 95)
            ),
            Column("mape", VALUE, "平均误差", "Mean absolute error of the forecast.", "%"),
            Column("mape_calendar", VALUE, "序时法误差", "The same for year-to-date · 12/m.", "%"),
            Column("mape_last_year", VALUE, "同比法误差", "The same for last year · growth.", "%"),
            Column("brier", VALUE, "概率误差", "Brier score of P(growth ≥ 8 %)."),
            Column("brier_calendar", VALUE, "序时红绿灯误差", "Brier score of the 序时 flag."),
            Column("skill_calendar", VALUE, "较序时改进", "1 − brier / that of the 序时 flag."),
            Column("skill_climatology", VALUE, "较常年改进", "1 − brier / that of the base rate."),
            Column(
                "calibration_error", VALUE, "校准误差", "Probability said minus share come true."
            ),
            required="indicator_id year month n_years n_forecasts",
            lineage={
                name: ["observations.observation.value", "observations.observation.known_from"]
                for name in ("covered_80", "covered_90", "covered_95", "mape", "brier")
            }
            | _same("observations.observation", "indicator_id"),
        ),
        ("indicator_id", "year", "month"),
        ("observations.observation", "dims.indicator", "dims.park"),
        kinds=("duckdb", "python"),
    ),
)

# --- Judgement ------------------------------------------------------------------------------------

_JUDGEMENT = (
    Table(
        "targets",
        "input",
        "补录数据",
        "Entered figures, quotas and findings with file, row and who; unused rows say why.",
        _columns(
            "file line kind target_id indicator_id area_code park_id scope item figure_period value "
            "floor text unit source entered_by entered_on note problem",
            Column("file", TEXT, "文件", "Input file, or the ledger of findings."),
            Column("line", INT, "行号", "Line of the file, or number in the ledger."),
            Column(
                "kind",
                TEXT,
                "类别",
                "figure 数据, quota 分解目标, tick 认定.",
                "",
                ("figure", "quota", "tick"),
            ),
            Column("area_code", TEXT, "地区代码", "Area the row is about, else empty."),
            Column("scope", TEXT, "范围", "all, key or demonstration parks."),
            Column("item", TEXT, "名目", "Named thing measured (a cluster, a parcel)."),
            Column("figure_period", TEXT, "数字报告期", "Period of the figure."),
            Column("value", VALUE, "数值", "Figure in the canonical unit of its indicator."),
            Column("floor", VALUE, "底线数值", "What the value must reach, where a clause says."),
            Column("text", TEXT, "文字", "Text or 是/否."),
            Column("source", TEXT, "来源", "Where the figure is from; the evidence of a finding."),
            Column("entered_by", TEXT, "录入岗位", "Who entered or found it."),
            Column("entered_on", DATE, "录入日期", "Day of entry, or of the finding."),
            Column("note", TEXT, "说明", "Remark."),
            Column("problem", TEXT, "未采用原因", "Empty for rows in use."),
            required="file line kind",
        ),
        ("file", "line"),
        ("dims.target", "dims.indicator", "dims.region"),
        kinds=("duckdb", "python"),
    ),
    Table(
        "targets",
        "verdict",
        "目标判定",
        "A target judged as of a period, with the figures and the plain reason.",
        _columns(
            "target_id scope_code park_id asof_period actual required unit completion_pct "
            "time_progress_pct gap_pp pace_ratio still_required baseline probability light "
            "light_basis verdict final_verdict reason indicator_used figure_ids path_probability",
            Column("scope_code", TEXT, "对象代码", "Region the verdict is about."),
            Column("actual", VALUE, "实绩", "Figure reached."),
            Column("required", VALUE, "目标值", "Figure asked for."),
            Column("completion_pct", VALUE, "完成率", "actual / required.", "%"),
            Column("time_progress_pct", VALUE, "序时进度", "m/12, or share of the plan gone.", "%"),
            Column("gap_pp", VALUE, "进度差", "Completion minus time progress.", "百分点"),
            Column("pace_ratio", VALUE, "进度比", "Completion / time progress."),
            Column("still_required", VALUE, "尚需", "What is missing to the target."),
            Column("baseline", VALUE, "基期数", "Figure the clause starts from, where known."),
            Column(
                "probability",
                VALUE,
                "达标概率",
                "Chance (0–1) of meeting the bar by the year's end; empty without one.",
            ),
            Column(
                "light_basis",
                TEXT,
                "灯色依据",
                "pace 进度, probability 概率; empty when grey.",
                "",
                ("", "pace", "probability"),
            ),
            Column("verdict", TEXT, "判定", "Word of the verdict.", "", VERDICTS),
            Column(
                "final_verdict",
                TEXT,
                "期末判定",
                "Outcome at the end of an expired clause's term.",
                "",
                ("", *VERDICTS),
            ),
            Column("indicator_used", TEXT, "所用指标", "Indicator the verdict rests on."),
            Column("figure_ids", "VARCHAR[]", "依据数字", "park/indicator/period of the inputs."),
            Column(
                "path_probability",
                VALUE,
                "路径概率",
                "Clauses due after the year: chance (0–1) of being on the way to the target at the "
                "year's end, which is not the chance of meeting it.",
            ),
            required="target_id asof_period verdict light reason",
            lineage={
                "actual": ["indicators.park_year.value", "indicators.area_year.value"],
                "required": ["dims.target.value"],
                "completion_pct": ["indicators.park_year.value", "dims.target.value"],
                "gap_pp": ["indicators.park_year.value", "dims.target.value"],
                "verdict": ["indicators.park_year.value", "dims.target.comparator"],
                "light": ["dims.target.strength", "indicators.nowcast.calibrated"],
                "probability": ["indicators.nowcast.point", "indicators.nowcast.scale"],
                "path_probability": ["indicators.nowcast.point", "indicators.nowcast.scale"],
                "target_id": ["dims.target.target_id"],
                "park_id": ["indicators.park_year.park_id"],
            },
        ),
        ("target_id", "scope_code", "park_id", "asof_period"),
        (
            "indicators.park_year",
            "indicators.area_year",
            "indicators.nowcast",
            "indicators.track_record",
            "observations.observation",
            "targets.input",
            "dims.target",
            "dims.document",
        ),
        kinds=("duckdb", "python"),
    ),
    Table(
        "targets",
        "overall",
        "总灯",
        "One light for each subject and topic: the strictest binding clause of all documents.",
        _columns(
            "scope_code park_id topic asof_period title light verdict target_id n_targets n_judged "
            "target_ids conflict_ids reason",
            Column("scope_code", TEXT, "对象代码", "Region of the subject; empty for a park."),
            Column("topic", TEXT, "事项", "Indicator, family of measure, list or threshold."),
            Column("title", TEXT, "名称", "What is measured, in the words of the clause."),
            Column("verdict", TEXT, "判定", "Verdict of the deciding clause.", "", VERDICTS),
            Column(
                "target_id", TEXT, "决定条款", "Clause that decides; empty when none is judged."
            ),
            Column("n_targets", INT, "条款数", "Clauses in force on the topic."),
            Column("n_judged", INT, "已判定", "Clauses judged by figures."),
            Column("target_ids", "VARCHAR[]", "全部条款", "Clauses in force on the topic."),
            Column("conflict_ids", "VARCHAR[]", "目标矛盾", "Contradictions they take part in."),
            required="topic asof_period light verdict reason",
            lineage={
                "light": ["targets.verdict.light", "dims.target.strength"],
                "verdict": ["targets.verdict.verdict"],
                "target_id": ["targets.verdict.target_id"],
            },
        ),
        ("scope_code", "park_id", "topic", "asof_period"),
        ("targets.verdict", "dims.target", "dims.document"),
        kinds=("duckdb", "python"),
    ),
    Table(
        "targets",
        "reference_method",
        "参照方法",
        "The same verdicts by the methods of other trackers and cities, for comparison only.",
        _columns(
            "target_id scope_code park_id asof_period method value class_id note",
            Column("scope_code", TEXT, "对象代码", "Region the verdict is about."),
            Column(
                "method",
                TEXT,
                "方法",
                "statcan_…, un_chart, escap_status, linear_pace, schedule:<rule>.",
            ),
            Column("value", VALUE, "方法得数", "The method's own number."),
            Column("class_id", TEXT, "方法分类", "The class the method gives it."),
            Column("note", TEXT, "说明", "What the number is, or why there is none."),
            required="target_id asof_period method",
            lineage={"value": ["targets.verdict.actual", "targets.verdict.baseline"]},
        ),
        ("target_id", "scope_code", "park_id", "asof_period", "method"),
        ("targets.verdict", "indicators.park_year", "indicators.area_year", "dims.target"),
        kinds=("duckdb", "python"),
    ),
    Table(
        "assessment",
        "score",
        "考核得分",
        "Simulated score and rank of each park under each scheme.",
        _columns(
            "scheme_id class_id year asof_period park_id score rank n official eligible "
            "exclusion_reason",
            Column("n", INT, "组内个数", "Ranked parks of the class."),
            Column("eligible", FLAG, "参与排名", "False when not ranked; the reason says why."),
            Column("exclusion_reason", TEXT, "不排名原因", "Why the park is not ranked."),
            required="scheme_id class_id year asof_period park_id official eligible",
            lineage={
                "score": ["indicators.park_year.value", "indicators.park_year.yoy_pct"],
                "rank": ["indicators.park_year.value"],
                "class_id": ["dims.park.class_id"],
            },
        ),
        ("scheme_id", "class_id", "year", "asof_period", "park_id"),
        ("indicators.park_year", "dims.park"),
        kinds=("duckdb", "python"),
    ),
    Table(
        "assessment",
        "score_detail",
        "得分明细",
        "Every point of every score: raw figure, normalised value, weight, points.",
        _columns(
            "scheme_id class_id year asof_period park_id indicator_id measure raw normalised weight "
            "points goalpost_low goalpost_high note",
            Column(
                "measure",
                TEXT,
                "计分对象",
                "value 数值, growth 同比, ratio 比值; adjustment 加减分 and penalty 数据质量扣分 where "
                "indicator_id is an event.",
                "",
                ("value", "growth", "ratio", "adjustment", "penalty"),
            ),
            Column("raw", VALUE, "原值", "Figure scored."),
            Column("normalised", VALUE, "标准化值", "Figure after the scoring method, 0–100."),
            Column("weight", VALUE, "权重", "Weight applied, after reweighting for missing."),
            Column("points", VALUE, "得分", "Points contributed; they add up to the score.", "分"),
            Column("goalpost_low", VALUE, "不允许值", "Lower goalpost, frozen."),
            Column("goalpost_high", VALUE, "满意值", "Upper goalpost, frozen."),
            Column("note", TEXT, "说明", "Method, caps, missing data."),
            required="scheme_id class_id year asof_period park_id indicator_id measure",
            lineage={"raw": ["indicators.park_year.value", "indicators.park_year.yoy_pct"]},
        ),
        ("scheme_id", "class_id", "year", "asof_period", "park_id", "indicator_id", "measure"),
        ("indicators.park_year", "dims.park"),
        kinds=("duckdb", "python"),
    ),
    Table(
        "assessment",
        "goalpost",
        "计分界值",
        "Goalposts every score was made with: the same ones give the same points again.",
        _columns(
            "scheme_id class_id year asof_period indicator_id measure unacceptable satisfactory "
            "source n",
            Column("measure", TEXT, "计分对象", "value, growth or ratio."),
            Column("unacceptable", VALUE, "不允许值", "Figure that earns the least."),
            Column("satisfactory", VALUE, "满意值", "Figure that earns full points."),
            Column(
                "source",
                TEXT,
                "来源",
                "policy 方案规定, previous_year 上年固定, class 当期组内.",
                "",
                ("policy", "previous_year", "class"),
            ),
            Column("n", INT, "样本数", "Figures they were taken from; 0: given by the scheme."),
            required="scheme_id class_id year asof_period indicator_id measure",
        ),
        ("scheme_id", "class_id", "year", "asof_period", "indicator_id", "measure"),
        ("indicators.park_year", "dims.park"),
        kinds=("duckdb", "python"),
    ),
    Table(
        "assessment",
        "basis",
        "考核依据",
        "What an assessment rests on: its rules and its data, by digest.",
        _columns(
            "scheme_id year asof_period official label rules_digest data_digest n_listed n_ranked",
            Column("label", TEXT, "性质", "建议值，非官方; 模拟名次，非正式考核结果."),
            Column("rules_digest", TEXT, "规则摘要", "SHA-256 of the scheme as it was applied."),
            Column("data_digest", TEXT, "数据摘要", "SHA-256 of register, figures and outcomes."),
            Column("n_listed", INT, "名单个数", "Parks on the list."),
            Column("n_ranked", INT, "排名个数", "Parks ranked."),
            required="scheme_id year asof_period official rules_digest data_digest",
        ),
        ("scheme_id", "year", "asof_period"),
        ("indicators.park_year", "dims.park", "assessment.outcome"),
        kinds=("duckdb", "python"),
    ),
    Table(
        "assessment",
        "outcome",
        "考核结果登记",
        "Results, events, steps, exits and entries confirmed by people, with their document.",
        _columns(
            "outcome_id scheme_id class_id year park_id kind what score rank n grade in_last_k "
            "count blocked_until document evidence decided_on effective_from note origin entered_by "
            "entered_at",
            Column("outcome_id", TEXT, "登记编号", "Row of outcomes.csv, or entry of the journal."),
            Column(
                "kind",
                TEXT,
                "类别",
                "Year's result, event, step, exit, entry, honour.",
                "",
                ("result", "event", "step", "eliminated", "replaced", "honoured"),
            ),
            Column("what", TEXT, "事项", "Event, step or honour; the park replaced."),
            Column("n", INT, "组内个数", "Ranked parks of the class."),
            Column("grade", TEXT, "等次", "Grade as published."),
            Column("in_last_k", FLAG, "位于末位", "Among the last places that count."),
            Column("count", VALUE, "次数", "How often, or the share in percent."),
            Column("blocked_until", DATE, "停止列入至", "First day a park may enter again."),
            Column("document", TEXT, "依据文件", "Document the fact stands in."),
            Column("evidence", TEXT, "佐证", "File or address of the evidence."),
            Column("decided_on", DATE, "决定日期", "Date of the decision, first day of publicity."),
            Column(
                "effective_from", DATE, "生效日期", "Day after the publicity the scheme asks for."
            ),
            Column("note", TEXT, "说明", "Remark."),
            Column("origin", TEXT, "登记途径", "outcomes.csv or entry."),
            Column("entered_by", TEXT, "登记人", "Who entered it; empty for the catalogue."),
            Column("entered_at", TEXT, "登记时间", "UTC time of the entry."),
            required="outcome_id scheme_id year park_id kind document",
        ),
        ("outcome_id",),
        (),
        kinds=("duckdb", "python"),
    ),
    Table(
        "assessment",
        "last_place",
        "末位判定",
        "Every ranked park's standing under each rule on last places. Simulated, never a decision.",
        _columns(
            "scheme_id class_id year asof_period park_id rule_no rank n k in_last_k tied protected "
            "counts years_counted fulfilled average order_no reason official",
            Column("rule_no", INT, "规则序号", "0 is the scheme's main rule."),
            Column("n", INT, "组内个数", "Ranked parks of the class."),
            Column("k", INT, "末位个数", "Last places of the class; 0: none."),
            Column("in_last_k", FLAG, "位于末位", "By rank and tie rule, gate or floor."),
            Column("tied", FLAG, "界限同分", "Taken in by the tie rule."),
            Column("protected", FLAG, "保护期", "Newly listed."),
            Column("counts", FLAG, "计入年份", "Among the last places that count."),
            Column("years_counted", INT, "计入年数", "Years that count towards the rule."),
            Column("fulfilled", FLAG, "达到条件", "The rule's years are reached with this one."),
            Column("average", VALUE, "平均得分", "Mean score of the years that count.", "分"),
            Column("order_no", INT, "平均得分次序", "1 is the lowest."),
            required="scheme_id class_id year asof_period park_id rule_no",
            lineage={"rank": ["assessment.score.rank"], "n": ["assessment.score.n"]},
        ),
        ("scheme_id", "class_id", "year", "asof_period", "park_id", "rule_no"),
        ("assessment.score", "assessment.outcome", "indicators.park_year"),
        kinds=("duckdb", "python"),
    ),
    Table(
        "assessment",
        "proposal",
        "等次与建议",
        "What the scheme's rules propose for a park: grade, step, honour, entry. People decide.",
        _columns(
            "scheme_id class_id year asof_period park_id kind number what title value reason barred",
            Column(
                "kind",
                TEXT,
                "类别",
                "grade 等次, step 处置步骤, honour 表彰, candidate 增补候选.",
                "",
                ("grade", "step", "honour", "candidate"),
            ),
            Column(
                "number", INT, "序号", "Place on the ladder, in the order of candidates, else 0."
            ),
            Column(
                "what", TEXT, "事项", "Grade, step, honour; proposed or waiting for candidates."
            ),
            Column("title", TEXT, "名称", "Title in words."),
            Column("value", VALUE, "依据值", "Figure a candidate is ordered by."),
            Column("barred", TEXT, "不得享受原因", "Why the proposal is barred; empty when not."),
            required="scheme_id class_id year asof_period park_id kind number what",
        ),
        ("scheme_id", "class_id", "year", "asof_period", "park_id", "kind", "number", "what"),
        ("assessment.score", "assessment.outcome", "indicators.park_year"),
        kinds=("duckdb", "python"),
    ),
    Table(
        "assessment",
        "risk",
        "末位风险",
        "Simulated end of the year under the scheme's own rules, as said at each period.",
        _columns(
            "scheme_id class_id year asof_period park_id n k p_last_k p_exit rank_p10 rank_p50 "
            "rank_p90 weights_low weights_high not_distinguishable calibrated_pct draws "
            "scores_digest",
            Column("n", INT, "组内个数", "Parks ranked together."),
            Column("k", INT, "末位个数", "Last places; 0: none."),
            Column("p_last_k", VALUE, "末位概率", "Chance (0–1) of the last k at the year's end."),
            Column("p_exit", VALUE, "退出条件概率", "Chance (0–1) that the rule is fulfilled."),
            Column("rank_p10", INT, "名次P10", "Nine in ten draws end at this rank or lower down."),
            Column("rank_p50", INT, "名次P50", "Middle rank of the draws."),
            Column("rank_p90", INT, "名次P90", "Nine in ten draws end at this rank or higher up."),
            Column("weights_low", INT, "权重敏感名次P5", "If every weight is off by up to 25 %."),
            Column("weights_high", INT, "权重敏感名次P95", "If every weight is off by up to 25 %."),
            Column(
                "not_distinguishable", FLAG, "统计上难分", "90 % rank set reaches over the cut-off."
            ),
            Column(
                "calibrated_pct",
                VALUE,
                "有误差记录权重",
                "Weight on figures with known errors.",
                "%",
            ),
            Column("draws", INT, "抽样次数", "Draws behind the probabilities."),
            Column("scores_digest", TEXT, "抽样摘要", "SHA-256 of the simulated scores."),
            required="scheme_id class_id year asof_period park_id n k p_last_k p_exit",
            lineage={
                "p_last_k": ["indicators.nowcast.point", "indicators.nowcast.scale"],
                "p_exit": ["indicators.nowcast.point", "assessment.outcome.park_id"],
            },
        ),
        ("scheme_id", "class_id", "year", "asof_period", "park_id"),
        ("assessment.score", "assessment.outcome", "indicators.nowcast", "indicators.park_year"),
        kinds=("duckdb", "python"),
    ),
    Table(
        "assessment",
        "way_out",
        "脱离末位所需",
        "Least change of one lever that leaves the last places with 80 % probability. For "
        "assessment posts only, never for those who report.",
        _columns(
            "scheme_id class_id year asof_period park_id lever unit extra_amount pct_of_remaining "
            "surprise_pct realistic",
            Column("lever", TEXT, "指标", "Indicator moved; * all of them by the same percentage."),
            Column("extra_amount", VALUE, "所需增量", "Empty: this lever alone cannot do it."),
            Column(
                "pct_of_remaining", VALUE, "占余下推算", "Of what is expected until December.", "%"
            ),
            Column(
                "surprise_pct", VALUE, "罕见程度", "Draws that end closer to the forecast.", "%"
            ),
            Column("realistic", FLAG, "可望", "Within nine of ten past surprises."),
            required="scheme_id class_id year asof_period park_id lever",
            lineage={"extra_amount": ["assessment.risk.p_last_k", "indicators.nowcast.point"]},
        ),
        ("scheme_id", "class_id", "year", "asof_period", "park_id", "lever"),
        ("assessment.risk",),
        kinds=("duckdb", "python"),
    ),
    Table(
        "assessment",
        "watch",
        "末位风险名单",
        "Parks in or near the last k of their class. Simulated, never a decision.",
        _columns(
            "scheme_id class_id year asof_period park_id simulated_rank rank_p10 rank_p90 "
            "p_last_k p_exit streak trigger_ids triggers light not_distinguishable change "
            "best_rank worst_rank provisional",
            Column("simulated_rank", INT, "模拟名次", "模拟名次,非正式考核结果."),
            Column(
                "rank_p10",
                INT,
                "名次下限",
                "From assessment.risk.",
            ),
            Column(
                "rank_p90",
                INT,
                "名次上限",
                "From assessment.risk.",
            ),
            Column(
                "p_last_k",
                VALUE,
                "末位概率",
                "Chance (0–1) of the last k at the year's end.",
            ),
            Column(
                "p_exit",
                VALUE,
                "退出概率",
                "Chance (0–1) that the rule over years is fulfilled.",
            ),
            Column("streak", INT, "连续期数", "Consecutive periods in the last k."),
            Column("trigger_ids", "VARCHAR[]", "触发规则", "Ids of the triggers."),
            Column("triggers", TEXT, "触发说明", "Triggers in words, with their values."),
            Column("not_distinguishable", FLAG, "统计上难分", "Not distinct from the cut-off."),
            Column(
                "change",
                TEXT,
                "较上期",
                "new 新增, persisting 持续, resolved 解除; empty: no alert.",
                "",
                ("", "new", "persisting", "resolved"),
            ),
            Column("best_rank", INT, "最好名次", "If its missing figures earned the most."),
            Column("worst_rank", INT, "最差名次", "If its missing figures earned the least."),
            Column("provisional", FLAG, "供参考", "Missing figures could change its standing."),
            required="scheme_id class_id year asof_period park_id light",
            lineage={
                "simulated_rank": ["assessment.score.rank"],
                "streak": ["assessment.score.rank"],
                "p_last_k": ["assessment.risk.p_last_k"],
                "p_exit": ["assessment.risk.p_exit"],
            },
        ),
        ("scheme_id", "class_id", "year", "asof_period", "park_id"),
        ("assessment.score", "assessment.last_place", "assessment.risk", "targets.verdict"),
        kinds=("duckdb", "python"),
    ),
)

# --- Documents, deliveries, operation -------------------------------------------------------------

_PRODUCTS = (
    Table(
        "bulletins",
        "edition",
        "通报版次",
        "A document for a period and an audience, with the digests it rests on.",
        _columns(
            "period audience_id edition status data_digest rules_digest documents folder",
            Column("data_digest", TEXT, "数据摘要", "Digest of the tables the edition rests on."),
            Column("rules_digest", TEXT, "规则摘要", "Digest of the catalogue it was judged by."),
            Column("documents", TEXT, "文件清单", "JSON: document name to SHA-256."),
            Column("folder", TEXT, "目录", "Folder of the documents, inside the workspace."),
            required="period audience_id edition status data_digest rules_digest",
        ),
        ("period", "audience_id", "edition"),
        (
            "targets.verdict",
            "targets.overall",
            "assessment.watch",
            "assessment.way_out",
            "assessment.score_detail",
            "indicators.area_year",
            "indicators.area_nowcast",
            "indicators.track_record",
            "observations.revision",
            "quality.finding",
            "quality.gap",
        ),
        kinds=("jinja", "typst", "html"),
    ),
    Table(
        "bulletins",
        "figure",
        "登记数字",
        "Every printed number with value, unit, rounding and the row it comes from.",
        _columns(
            "period audience_id edition figure_id label value unit figure_period rounding text "
            "source_table source_key formula inputs",
            Column("figure_id", TEXT, "数字编号", "Id by which `parkwatch explain` finds it."),
            Column("label", TEXT, "名称", "What the number is."),
            Column("figure_period", TEXT, "数字报告期", "Period of the number itself."),
            Column("rounding", TEXT, "修约", "Rounding applied for print."),
            Column("text", TEXT, "印刷形式", "The number as printed."),
            Column("source_table", TEXT, "来源表", "Table the number was read from."),
            Column("source_key", TEXT, "来源键", "JSON: key of the row and column."),
            Column("formula", TEXT, "公式", "How the number follows from ``inputs``."),
            Column("inputs", "VARCHAR[]", "依据数字", "Ids of the figures it was computed from."),
            required="period audience_id edition figure_id text",
        ),
        ("period", "audience_id", "edition", "figure_id"),
        ("bulletins.edition",),
        kinds=("duckdb", "python"),
    ),
    Table(
        "bulletins",
        "check",
        "签发前核对",
        "What each edition was checked for before its release, and how it ended.",
        _columns(
            "period audience_id edition check_id severity outcome description n_checked n_failed "
            "message sample",
            Column("check_id", TEXT, "核对编号", "Which check; an open warning is ticked by it."),
            Column("severity", TEXT, "级别", "error 阻止签发, verify 提醒须确认.", "", SEVERITIES),
            Column("outcome", TEXT, "结果", "pass/fail/not_evaluable.", "", OUTCOMES),
            Column("description", TEXT, "说明", "What must hold."),
            Column("n_checked", "BIGINT", "核对个数", "Things looked at."),
            Column("n_failed", "BIGINT", "不符个数", "Things that break it."),
            Column("message", TEXT, "问题", "What is wrong in one line."),
            Column("sample", TEXT, "不符之处", "JSON: the problems, the first ones."),
            required="period audience_id edition check_id severity outcome description",
        ),
        ("period", "audience_id", "edition", "check_id"),
        ("bulletins.edition", "bulletins.figure"),
        kinds=("duckdb", "python"),
    ),
    Table(
        "deliveries",
        "message",
        "邮件台账",
        "One message per recipient and edition, from rendered to acknowledged.",
        _columns(
            "edition_digest recipient period audience_id edition message_id state attempts "
            "last_reply sent_at bounced_at acknowledged_at file",
            Column("edition_digest", TEXT, "版次摘要", "Digest of the edition's documents."),
            Column("recipient", TEXT, "收件岗位", "Post that receives the message."),
            Column("message_id", TEXT, "邮件编号", "Message-ID header."),
            Column("state", TEXT, "投递状态", "rendered 已生成未发送, then the outbox states."),
            Column("attempts", INT, "尝试次数", "Attempts to send."),
            Column("last_reply", TEXT, "最后应答", "Last reply of the mail server."),
            Column("sent_at", TIME, "发送时间", "UTC time the server accepted it."),
            Column("bounced_at", TIME, "退信时间", "UTC time it came back."),
            Column("acknowledged_at", TIME, "签收时间", "UTC time it was acknowledged."),
            Column("file", TEXT, "邮件文件", "Rendered .eml inside the workspace."),
            required="edition_digest recipient message_id state",
        ),
        ("edition_digest", "recipient"),
        ("bulletins.edition", "bulletins.figure"),
        kinds=("eml", "python"),
    ),
    Table(
        "quality",
        "expectation",
        "检验结果",
        "What the period's tables were checked for and how it ended, one expectation a row.",
        _columns(
            "period table_name expectation_id category severity outcome description n_rows n_failed "
            "sample problem digest",
            Column("table_name", TEXT, "表名", "Table checked, or dictionary."),
            Column("expectation_id", TEXT, "检验编号", "Generated from dictionary and catalogue."),
            Column("category", TEXT, "类别", "What kind of promise is checked."),
            Column("severity", TEXT, "级别", "错误/核实/提示.", "", SEVERITIES),
            Column("outcome", TEXT, "结果", "pass/fail/not_evaluable/error.", "", OUTCOMES),
            Column("description", TEXT, "说明", "What must hold."),
            Column("n_rows", "BIGINT", "检验行数", "Rows the expectation speaks of."),
            Column("n_failed", "BIGINT", "不符行数", "Rows that break it."),
            Column("sample", TEXT, "不符行", "JSON: keys of the failing rows, the first ones."),
            Column("problem", TEXT, "备注", "Why it could not be judged; what was seen."),
            Column("digest", TEXT, "检验摘要", "Digest of the rows and the suite checked."),
            required="period table_name expectation_id severity outcome description",
        ),
        ("period", "table_name", "expectation_id"),
        (
            "bulletins.check",
            "bulletins.figure",
            "deliveries.message",
            "dims.calendar",
            "dims.region",
            "indicators.coverage",
            "quality.finding",
            "quality.gap",
            "quality.reporter_record",
            "quality.review",
        ),
        kinds=("duckdb", "python"),
    ),
    Table(
        "ops",
        "digest",
        "内容摘要",
        "Content digest and row count of every published table.",
        _columns(
            "table_name n_rows digest",
            Column("table_name", TEXT, "表名", "schema.table."),
            Column("n_rows", "BIGINT", "行数", "Rows at publication."),
            Column("digest", TEXT, "摘要", "Order-independent digest of the content."),
            required="table_name n_rows digest",
        ),
        ("table_name",),
        kinds=("duckdb",),
    ),
)


def _assembled(tables: tuple[Table, ...]) -> tuple[Table, ...]:
    """The digest, last, reads every other table: it must follow them whatever a run leaves out."""
    *others, digest = tables
    return (*others, replace(digest, reads=tuple(table.full_name for table in others)))


TABLES: tuple[Table, ...] = _assembled(
    _DIMS + _SUBMISSIONS + _FILING + _INDICATORS + _JUDGEMENT + _PRODUCTS
)
_BY_NAME = {table.full_name: table for table in TABLES}

GROUP_TITLES: dict[Group, str] = {
    "dims": "政策与登记 · catalogue",
    "submissions": "报送 · submissions",
    "quality": "审核 · quality",
    "observations": "观测值 · observations",
    "indicators": "指标 · indicators",
    "targets": "目标 · targets",
    "assessment": "考核 · assessment",
    "bulletins": "通报 · bulletins",
    "deliveries": "发送 · deliveries",
    "ops": "运行 · operation",
}


def table(full_name: str) -> Table:
    """The table called ``schema.table``; KeyError when the dictionary has none."""
    return _BY_NAME[full_name]


def arrow_type(sql_type: str) -> Any:
    """The pyarrow type of a dictionary type."""
    import pyarrow as pa

    if sql_type.endswith("[]"):
        return pa.list_(arrow_type(sql_type[:-2]))
    if match := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", sql_type):
        return pa.decimal128(int(match[1]), int(match[2]))
    return {
        TEXT: pa.string(),
        INT: pa.int32(),
        "BIGINT": pa.int64(),
        FLAG: pa.bool_(),
        DATE: pa.date32(),
        TIME: pa.timestamp("us"),
    }[sql_type]


def arrow_schema(full_name: str) -> Any:
    """The pyarrow (and Parquet) schema of a table: types, nullability, and as metadata the Chinese
    label, unit and description of every column. KeyError when the dictionary has no such table."""
    import pyarrow as pa

    wanted = table(full_name)
    fields = [
        pa.field(
            column.name,
            arrow_type(column.type),
            nullable=not column.required,
            metadata=_arrow_metadata(column),
        )
        for column in wanted.columns
    ]
    about = {"zh": wanted.zh, "description": wanted.description, "key": ",".join(wanted.key)}
    return pa.schema(fields, metadata={"table": full_name, **about})


def _arrow_metadata(column: Column) -> dict[str, str]:
    said = {"zh": column.zh, "description": column.description, "unit": column.unit}
    said["lineage"] = ",".join(column.lineage)
    return {name: text for name, text in said.items() if text}


def upstream_keys(full_name: str) -> list[list[str]]:
    """Asset keys of the tables ``full_name`` reads."""
    return [name.split(".") for name in table(full_name).reads]


def create_statements(wanted: Table) -> list[str]:
    """DDL of a table with a COMMENT for it and every column. No primary keys: they cost 7× the size
    on big facts, so uniqueness is a check (docs/adr/0003)."""
    lines = [
        f"{c.name} {c.type}{' NOT NULL' if c.required and not wanted.is_view else ''}"
        for c in wanted.columns
    ]
    create = f"CREATE TABLE IF NOT EXISTS {wanted.full_name} ({', '.join(lines)})"
    return ([] if wanted.is_view else [create]) + comment_statements(wanted)


def comment_statements(wanted: Table) -> list[str]:
    """COMMENT statements that carry labels and descriptions into the database file."""
    kind = "VIEW" if wanted.is_view else "TABLE"
    said = [f"COMMENT ON {kind} {wanted.full_name} IS {_literal(_comment(wanted))}"]
    for column in wanted.columns:
        name = f"{wanted.full_name}.{column.name}"
        said.append(f"COMMENT ON COLUMN {name} IS {_literal(_comment(column))}")
    return said


def _comment(thing: Table | Column) -> str:
    unit = f" [{thing.unit}]" if isinstance(thing, Column) and thing.unit else ""
    return f"{thing.zh}{unit}: {thing.description}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
