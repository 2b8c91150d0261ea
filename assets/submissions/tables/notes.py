"""Findings of reading: what is wrong, where, what was found and expected, how to mend it.

Belongs here: the Chinese texts and codes (R-…) of everything reading can say, one function each.
Does not belong here: deciding when to say it. No text ever says which value would be enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from assets.submissions.reading.workbook import Workbook, address
from assets.submissions.tables.entities import EntityMatch, ParkSuggestion, Register
from assets.submissions.tables.heads import HeadMeaning, Suggestion
from assets.submissions.tables.records import CellRecord
from assets.submissions.tables.structure import Column, DetectedTable
from assets.submissions.values.periods import PeriodRefusal
from quality.finding import Finding, Severity
from warehouse.catalog.layouts import TableLayout

MEASURE_ZH = {
    "ytd": "累计",
    "month": "当月",
    "stock": "期末",
    "ytd_prior": "上年同期",
    "yoy_published": "公布同比",
    "other": "其他口径",
}


def _join(parts: Iterable[str], limit: int = 12) -> str:
    found = list(parts)
    more = f"等{len(found)}项" if len(found) > limit else ""
    return "、".join(found[:limit]) + more


def _ranked(suggestions: Sequence[Suggestion]) -> str:
    return "、".join(f"{s.indicator_id} {s.name}（相似度{s.score:.2f}）" for s in suggestions)


def _ranked_parks(suggestions: Sequence[ParkSuggestion]) -> str:
    return "、".join(f"{s.park_id} {s.name}（相似度{s.score:.2f}）" for s in suggestions)


# --- file ------------------------------------------------------------------------------------


def no_table(workbook: Workbook) -> Finding:
    """No sheet holds a table with numbers."""
    sheets = _join(f"“{sheet.name}”" for sheet in workbook.sheets)
    return Finding(
        "R-no-table",
        "error",
        "文件中没有找到带数字的表格",
        found=f"工作表{sheets}" if sheets else "没有工作表",
        expected="至少一张有表头和数值的表",
        remedy="请核对是否发错文件；图片或扫描件请改报电子表格",
    )


def no_layout(
    tables: Sequence[DetectedTable], meanings: Mapping[int, list[Any]], nearest: str | None
) -> Finding:
    """No accepted layout explains the file; says what its heads would mean by the catalogue."""
    lines: list[str] = []
    for table in tables[:3]:
        for column, meaning in meanings[id(table)][:20]:
            lines.append(_proposal(column, meaning))
    near = f"；最接近的版式是“{nearest}”" if nearest else ""
    return Finding(
        "R-no-layout",
        "error",
        f"没有适用于该文件的版式{near}，数值已保留但未认定指标",
        found=_join((f"工作表“{t.sheet}”表头：{_heads(t)}" for t in tables), 3),
        expected="已确认的版式文件（layouts/*.yaml）",
        remedy="运行 parkwatch inspect 查看并确认建议的版式。按指标目录的对应建议："
        + _join(lines, 20),
        sheet=tables[0].sheet,
    )


def _heads(table: DetectedTable) -> str:
    return _join((c.head for c in table.columns if c.path), 8)


def _proposal(column: Column, meaning: HeadMeaning) -> str:
    place = f"{column.head}→"
    if meaning.indicator_id and meaning.how in ("exact", "alias"):
        return f"{place}{meaning.indicator_id}"
    return place + (_ranked(meaning.suggestions[:2]) or "无相近指标")


def unread_table(table: DetectedTable, layout: str) -> Finding:
    """A table the layout says nothing about."""
    return Finding(
        "R-unread-table",
        "hint",
        f"工作表“{table.sheet}”中 {_area(table)} 的表不在版式“{layout}”内，数值已保留但未认定指标",
        found=f"表头：{_heads(table)}",
        expected="版式 tables 中的一项，或在 ignore_sheets 中说明不读的原因",
        remedy="运行 parkwatch inspect 查看；需要时补充版式",
        sheet=table.sheet,
        address=_area(table),
    )


def _area(table: DetectedTable) -> str:
    top, left, bottom, right = table.area
    return f"{address(top, left)}:{address(bottom, right)}"


def missing_table(rule: TableLayout, layout: str) -> Finding:
    """A table the layout expects is not in the file."""
    name = rule.name or "、".join(rule.sheets)
    return Finding(
        "R-missing-table",
        "verify",
        f"版式“{layout}”要求的表“{name}”没有找到",
        expected=f"工作表 {'、'.join(rule.sheets)}",
        remedy="请核对是否漏报该表，或工作表名、表头是否改动",
    )


def reporter_mismatch(register: Register, sender: str, named: Sequence[str], place: str) -> Finding:
    """The file names another reporter than the one that sent it."""

    def name(reporter_id: str) -> str:
        row = register.reporter(reporter_id)
        return row.name if row else reporter_id

    return Finding(
        "R-reporter-mismatch",
        "verify",
        f"{place}写的是“{_join(map(name, named))}”，而报送单位是“{name(sender)}”",
        found=_join(map(name, named)),
        expected=name(sender),
        remedy="请核对是否发错文件；只采用报送单位辖内的数值",
    )


# --- period ----------------------------------------------------------------------------------


def no_period(table: DetectedTable, refused: Sequence[tuple[str, PeriodRefusal]]) -> Finding:
    """Nothing states the report period, or what states it cannot be told for certain."""
    if refused:
        place, refusal = refused[0]
        return Finding(
            "R-period-unclear",
            "error",
            f"工作表“{table.sheet}”{place}的报告期不能确定：{refusal.reason}",
            found=refusal.found,
            expected="如 2020年6月 或 2020年1—6月",
            remedy="请在标题中写明年份和月份",
            sheet=table.sheet,
        )
    return Finding(
        "R-no-period",
        "error",
        f"工作表“{table.sheet}”没有写明报告期",
        found=f"标题：{table.title[:60] or '（空）'}",
        expected="标题、工作表名或文件名中的报告期，如 2020年1—6月",
        remedy="请在标题中写明年份和月份",
        sheet=table.sheet,
    )


def period_mismatch(
    table: DetectedTable, said: Sequence[tuple[str, str, str]], period: str
) -> Finding:
    """Places that state the period disagree."""
    found = _join(f"{place}“{evidence}”为{period}" for period, place, evidence in said)
    return Finding(
        "R-period-mismatch",
        "error",
        f"工作表“{table.sheet}”各处写的报告期不一致，数值已保留但未采用",
        found=found,
        expected="标题、工作表名、文件名和报送登记的报告期相同",
        remedy="请核对后改正并重报",
        sheet=table.sheet,
        period=period,
    )


def head_period_mismatch(sheet: str, at: str, head: str, found: str, period: str | None) -> Finding:
    """A head names another period than its table."""
    return Finding(
        "R-period-mismatch",
        "error",
        f"工作表“{sheet}”{at} 表头“{head}”的报告期与全表不一致，该列未采用",
        found=found,
        expected=period or "",
        remedy="请核对表头与标题的月份",
        sheet=sheet,
        address=at,
        period=period,
    )


def row_period(sheet: str, at: str, found: str, reason: str) -> Finding:
    """A cell of a period column is no period."""
    return Finding(
        "R-period-unclear",
        "error",
        f"工作表“{sheet}”{at} 的报告期不能识别：{reason}，该行未采用",
        found=found,
        expected="年月，如 2020年6月",
        remedy="请改写为年份加月份",
        sheet=sheet,
        address=at,
    )


# --- heads -----------------------------------------------------------------------------------

_HEAD_WHY = {
    "unknown": "不在指标目录中",
    "ambiguous": "在指标目录中对应不止一个指标",
    "qualified": "的上级表头可能限定了口径，不能直接对应",
    "not_listed": "是目录中的指标，但不在本版式所列范围内",
    "unregistered": "对应的指标代码没有登记",
    "empty": "只有口径，看不出是哪个指标",
}


def unknown_head(sheet: str, at: str, head: str, meaning: HeadMeaning, layout: str) -> Finding:
    """A head without a certain meaning; its cells are kept, its suggestions are ranked."""
    ranked = _ranked(meaning.suggestions)
    hint = f"。相近指标（须人工确认）：{ranked}" if ranked else ""
    return Finding(
        "R-unknown-head",
        "verify",
        f"工作表“{sheet}”{at} 表头“{head}”{_HEAD_WHY.get(meaning.how, '不能识别')}，"
        f"该列数值已保留但未认定指标",
        found=head,
        expected=f"版式“{layout}”登记的表头，或指标目录中的名称、别名",
        remedy=f"确认后在版式 columns 中登记，或在 ignore 中说明原因{hint}",
        sheet=sheet,
        address=at,
    )


def unit_problem(sheet: str, at: str, head: str, unit: str, wanted: str, why: str) -> Finding:
    """A unit that cannot be brought to the indicator's."""
    return Finding(
        "R-unknown-unit",
        "error",
        f"工作表“{sheet}”{at} 表头“{head}”的计量单位不能采用：{why}，该列未认定",
        found=unit,
        expected=f"可换算为“{wanted}”的计量单位",
        remedy="请核对表头或单位行的计量单位",
        sheet=sheet,
        address=at,
    )


def cell_unit_problem(sheet: str, at: str, found: str, wanted: str, why: str) -> Finding:
    """A unit written in a cell that does not fit its column."""
    return Finding(
        "R-unknown-unit",
        "error",
        f"工作表“{sheet}”{at} 单元格内的计量单位不能采用：{why}",
        found=found,
        expected=f"可换算为“{wanted}”的计量单位，或只填数值",
        remedy="请只填数值，单位写在表头",
        sheet=sheet,
        address=at,
    )


def drift(
    table: DetectedTable,
    layout: str,
    *,
    guessed: Sequence[str],
    missing: Sequence[str],
    renamed: Sequence[str],
    unknown: Sequence[str],
    appeared: Sequence[str],
) -> Finding | None:
    """The difference between a known form and this file, with the proposed mapping."""
    parts = {
        "找不到": guessed,
        "缺少": missing,
        "表头写法有变、按指标目录别名读取": renamed,
        "新出现且不能识别": unknown,
        "登记为无此项但出现了": appeared,
    }
    lines = [f"{name}：{_join(items)}" for name, items in parts.items() if items]
    if not lines:
        return None
    severity: Severity = "verify" if guessed or missing or unknown else "hint"
    return Finding(
        "R-layout-drift",
        severity,
        f"工作表“{table.sheet}”与版式“{layout}”有出入。" + "；".join(lines),
        found=f"表头：{_heads(table)}",
        expected=f"版式“{layout}”登记的表头",
        remedy="确认后更新版式：改 columns，或在 absent 中说明不再填报",
        sheet=table.sheet,
        address=_area(table),
    )


def no_actual_figures(sheet: str, at: str, place: str, text: str, word: str) -> Finding:
    """A table that calls itself a plan, a forecast or last year's figures."""
    return Finding(
        "R-no-layout",
        "error",
        f"工作表“{sheet}”的{place}写有“{word}”，不是报告期的实际数，数值已保留但未采用",
        found=text[:60],
        expected="报告期的实际完成数",
        remedy="填的是实际数的，请改正标题或工作表名；其他表请不要放在报表文件内",
        sheet=sheet,
        address=at,
    )


def part_of_year(sheet: str, at: str, title: str, head: str) -> Finding:
    """Months that do not begin in January, over a head without 本月 or 累计."""
    return Finding(
        "R-period-unclear",
        "error",
        f"工作表“{sheet}”{at} 标题写的不是从1月起的累计，而表头“{head}”没有写明是本月数还是累计数，"
        "数值已保留但未采用",
        found=title[:60],
        expected="如 2020年1—6月，或在表头写明本月、本年累计",
        remedy="请写明每列是本月数还是本年累计数后重报",
        sheet=sheet,
        address=at,
    )


def growth_apart(sheet: str, at: str, head: str, found: str, why: str) -> Finding:
    """One growth rate written in another way than the others of its table."""
    return Finding(
        "R-growth-fraction",
        "error",
        f"工作表“{sheet}”{at}（“{head}”）的增速与本行累计、上年同期不符，像是{why}，未采用",
        found=found,
        expected="同比增长的百分数",
        remedy="请核对该行的累计、上年同期和增速，改正后重报",
        sheet=sheet,
        address=at,
    )


def unit_in_remark(sheet: str, at: str, found: str) -> Finding:
    """A remark by which one row is in another unit than its table."""
    return Finding(
        "R-unknown-unit",
        "error",
        f"工作表“{sheet}”{at} 的备注写有与全表不同的计量单位，该行数值已保留但未采用",
        found=found[:60],
        expected="全表用同一计量单位，写在单位行或表头",
        remedy="请按全表的计量单位填报该行，并删去备注中的单位",
        sheet=sheet,
        address=at,
    )


def rows_split(sheet: str, at: str, head: str, text: str, why: str, layout: str) -> Finding:
    """A column that divides a park's figures, which the layout does not know."""
    return Finding(
        "R-no-layout",
        "error",
        f"工作表“{sheet}”{at} 所在列按{why}分行，版式“{layout}”没有登记这一列，数值已保留但未采用",
        found=f"“{head or '（无表头）'}”列：{text[:40]}",
        expected="一行一个园区，口径和报告期写在表头；或版式登记了该列",
        remedy="请改用规定的表样；表样确已改变的，在版式中登记该列（measure_column、period）",
        sheet=sheet,
        address=at,
    )


def part_of_another(sheet: str, at: str, said: str) -> Finding:
    """A title between the rows under which another period, or no actual figures, begin."""
    return Finding(
        "R-period-mismatch",
        "error",
        f"工作表“{sheet}”{at} 起写明是另一时期或非实际数，以下各行数值已保留但未采用",
        found=said[:60],
        expected="一张表只有一个报告期的实际数",
        remedy="请删去其他时期的内容；属于本期的，请改正这一行的文字",
        sheet=sheet,
        address=at,
    )


# --- rows and cells --------------------------------------------------------------------------


def unknown_park(sheet: str, at: str, name: str, match: EntityMatch, period: str | None) -> Finding:
    """A name that is not in the register, or not for certain."""
    why = {
        "ambiguous": "对应不止一个监测单位",
        "not_valid": f"在{period or '报告期'}不是在册单位",
    }.get(match.how, "不在监测单位名录中")
    ranked = _ranked_parks(match.suggestions)
    return Finding(
        "R-unknown-park",
        "error",
        f"工作表“{sheet}”{at} “{name or '（空白）'}”{why}，该行数值已保留但未采用",
        found=name,
        expected="名录中的全称、简称或别名",
        remedy="请改用名录中的名称，或由管理员登记别名"
        + (f"。相近单位（须人工确认）：{ranked}" if ranked else ""),
        sheet=sheet,
        address=at,
        period=period,
    )


def other_name(sheet: str, at: str, name: str, match: EntityMatch) -> Finding:
    """A park found under a former name or another form of its name."""
    kind = "曾用名" if match.how == "former" else "名称的另一种写法"
    return Finding(
        "R-park-name",
        "hint",
        f"工作表“{sheet}”{at} “{name}”按{kind}认定为“{match.name}”",
        found=name,
        expected=match.name,
        remedy="请使用现用全称",
        sheet=sheet,
        address=at,
        park_id=match.park_id,
    )


def outside_scope(sheet: str, at: str, name: str, park_id: str, reporter: str) -> Finding:
    """A registered park that this reporter does not report."""
    return Finding(
        "R-park-outside",
        "error",
        f"工作表“{sheet}”{at} “{name}”不由报送单位“{reporter}”填报，该行数值已保留但未采用",
        found=name,
        expected="报送单位辖内的监测单位（飞地由飞出地填报）",
        remedy="请删去该行，由负责填报的单位报送",
        sheet=sheet,
        address=at,
        park_id=park_id,
    )


def number_refused(sheet: str, at: str, head: str, found: str, reason: str) -> Finding:
    """A cell that should be a number and is not, or not for certain."""
    return Finding(
        "R-number-refused",
        "error",
        f"工作表“{sheet}”{at}（“{head}”）不是可以采用的数值：{reason}",
        found=found,
        expected="数字",
        remedy="请填写数字；零填 0，无此项填 —，不掌握留空",
        sheet=sheet,
        address=at,
    )


def line_overflows(sheet: str, row: int, fields: int, heads: int) -> Finding:
    """A line of a text file with more fields than heads."""
    return Finding(
        "R-number-refused",
        "error",
        f"“{sheet}”第{row}行分成{fields}项，多于表头的{heads}项，不能确定每个数属于哪一列，"
        "该行数值已保留但未采用",
        found=f"{fields}项",
        expected=f"{heads}项，与表头相同",
        remedy="数中如有千分位逗号，请去掉，或给整个数加上引号；也可另存为 .xlsx 后重报",
        sheet=sheet,
        address=f"A{row}",
    )


def shown_otherwise(sheet: str, at: str, head: str, found: str) -> Finding:
    """A number whose format shows another number than the file holds."""
    return Finding(
        "R-number-refused",
        "error",
        f"工作表“{sheet}”{at}（“{head}”）存储的数与显示的数不同，不能确定按哪一个：{found}",
        found=found,
        expected="显示与存储一致的数字",
        remedy="请将单元格格式改为“常规”或“数值”，核对计量单位后重报",
        sheet=sheet,
        address=at,
    )


def growth_perhaps_fractions(sheet: str, head: str, count: int) -> Finding:
    """Growth rates all below 1 with nothing beside them to compare with."""
    return Finding(
        "R-growth-fraction",
        "verify",
        f"工作表“{sheet}”（“{head}”）的{count}个增速都小于1，可能存为小数（如 0.125 表示 12.5%），"
        "表中没有累计和上年同期可以核对，已按百分数的数值读取",
        found=f"{count}个增速都小于1",
        expected="百分数的数值，如 12.5",
        remedy="请核对；存为小数的，请改填百分数的数值后重报",
        sheet=sheet,
    )


def error_cell(sheet: str, at: str, head: str, code: str) -> Finding:
    """A spreadsheet error value."""
    return Finding(
        "R-error-cell",
        "error",
        f"工作表“{sheet}”{at}（“{head}”）是公式错误值 {code}",
        found=code,
        expected="数字",
        remedy="请检查公式，或粘贴为数值后重报",
        sheet=sheet,
        address=at,
    )


def formula_uncached(sheet: str, at: str, head: str) -> Finding:
    """A formula saved without its value."""
    return Finding(
        "R-formula-uncached",
        "error",
        f"工作表“{sheet}”{at}（“{head}”）是公式，但文件中没有保存计算结果",
        found="公式（无结果）",
        expected="数字",
        remedy="请用电子表格软件打开、重新计算并保存，或粘贴为数值后重报",
        sheet=sheet,
        address=at,
    )


def approximate(sheet: str, at: str, head: str, found: str) -> Finding:
    """A number written as about, nearly, more than."""
    return Finding(
        "R-approximate",
        "verify",
        f"工作表“{sheet}”{at}（“{head}”）填写的是约数",
        found=found,
        expected="准确数字",
        remedy="请填写准确数字，或说明原因",
        sheet=sheet,
        address=at,
    )


def growth_fractions(sheet: str, rows: int) -> Finding:
    """Growth rates stored as fractions, shown as percentages."""
    return Finding(
        "R-growth-fraction",
        "hint",
        f"工作表“{sheet}”的增速存为小数（如 0.125 表示 12.5%），已按百分数读取",
        found=f"{rows}处与本表累计、上年同期相符",
        expected="百分数的数值，如 12.5",
        remedy="请将增速直接填为百分数的数值",
        sheet=sheet,
    )


def merged_value(sheet: str, at: str, head: str, found: str, rows: int) -> Finding:
    """One number over several rows, or over several columns of one row."""
    taken = f"占了{rows}行，不能确定属于哪个单位" if rows > 1 else "占了几列，不能确定属于哪一列"
    return Finding(
        "R-merged-value",
        "error",
        f"工作表“{sheet}”{at}（“{head}”）一个数值合并{taken}",
        found=found,
        expected="每格一个数值",
        remedy="请取消合并，逐行填写",
        sheet=sheet,
        address=at,
    )


def unmapped_maturity(sheet: str, at: str, found: str, known: Iterable[str]) -> Finding:
    """A word of the maturity column the layout does not map."""
    return Finding(
        "R-maturity",
        "verify",
        f"工作表“{sheet}”{at} 的数据状态“{found}”没有在版式中说明",
        found=found,
        expected=_join(known),
        remedy="在版式 maturity.map 中补充",
        sheet=sheet,
        address=at,
    )


def duplicate(first: CellRecord, second: CellRecord) -> list[Finding]:
    """The same figure twice with different values: neither is used."""
    measure = MEASURE_ZH.get(second.measure or "", second.measure or "")
    places = [f"工作表“{cell.sheet}”{cell.address}为“{cell.raw_text}”" for cell in (first, second)]
    return [
        Finding(
            "R-duplicate-row",
            "error",
            f"“{cell.entity_raw}”“{cell.head}”（{measure}）在同一文件中填了两次且不一致，均未采用",
            found="；".join(places),
            expected="同一单位、指标、报告期、口径只填一次",
            remedy="请核对后保留正确的一处",
            sheet=cell.sheet,
            address=cell.address,
            park_id=cell.park_id,
            indicator_id=cell.indicator_id,
            period=cell.period,
        )
        for cell in (first, second)
    ]
