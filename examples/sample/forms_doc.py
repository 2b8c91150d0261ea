"""FORMS.md of an example: every form with its exact head texts, projected from ``forms``.

Belongs here: rendering the list. Does not belong here: the forms. Run
``python -m examples.sample.forms_doc shaanxi`` from the repository root to write it again.
"""

from __future__ import annotations

import sys
from itertools import pairwise

from examples.sample import layouts, wording
from examples.sample.forms import FORMS, NAMES, Columns, Form
from examples.sample.registers import EXAMPLES, Example, load

LAYOUTS = {
    "wide2": "一行一园区，两行合并表头 · one line a park, two merged head rows",
    "wide1": "一行一园区，单行表头 · one line a park, one head row",
    "long": "一行一园区一指标 · one line a park and indicator",
    "transposed": "园区在列、指标与口径在行 · parks in columns, indicator and measure in rows",
}
CONTAINERS = {
    "xlsx": "xlsx",
    "xls": "xls（BIFF8）",
    "csv-gbk": "CSV，GBK，CRLF",
    "csv-utf8": "CSV，UTF-8 带 BOM，CRLF",
}
TOTALS = {"end": "末尾", "top": "首行", "middle": "夹在中间", "none": "无"}
HABITS = {
    "text_numbers": "数字存为文本 · numbers stored as text",
    "full_width": "全角数字 · full-width digits as text",
    "thousands": "千分位文本 · thousands separators in text",
    "unit_in_cell": "单位写在单元格里（工业总产值、营业收入累计）· unit inside the cell",
    "hidden_column": "末尾隐藏列“上月累计（核对用）” · a hidden last column",
    "about_staff": "从业人员写“近/余” · approximate employees",
    "blank_zero": "零留空（新增千万元企业、新建厂房）· blank for nought",
    "short_names": "写园区简称 · short park names",
    "alias_names": "写园区别称 · park aliases",
    "spaced_names": "园区名称中有空格 · spaces inside park names",
}


def _heads(form: Form, columns: Columns) -> list[tuple[str, str, str]]:
    """(head text, indicator, measure) in the order of the form."""
    found = []
    for indicator, measures in columns:
        for measure in measures:
            if form.layout == "wide2":
                column = layouts.wide_columns(form, ((indicator, (measure,)),))[0]
                text = " ｜ ".join(part for part in (column.group, column.sub) if part)
            elif form.layout == "wide1":
                text = layouts.single_head(form, (indicator, measure)).replace("\n", "⏎")
            else:
                text = f"{layouts.flat_name(form, indicator)} ｜ {form.measure(measure)}"
            found.append((text, indicator, measure))
    return found


def _form_section(form: Form, users: list[str]) -> list[str]:
    title = wording.title(form.title, "××县", "2020-06") or "（无标题）"
    stem = wording.file_stem(form.file_name, "××县", "xx-xxx", "2020-06")
    lines = [
        f"## {form.form_id}",
        "",
        f"- 版式：{LAYOUTS[form.layout]}；文件：{CONTAINERS[form.container]}；文件名例：`{stem}`",
        f"- 标题（2020-06）：{title}",
        f"- 价值量单位：{form.money}，{form.money_decimals} 位小数；单位写在："
        + {"line": "“计量单位”行", "head": "表头", "column": "“计量单位”列"}[form.units_in],
        f"- 合计行：{TOTALS[form.total]}"
        + ("" if form.total == "none" else f"，名称“{form.total_name.format('县')}”")
        + ("，含 SUM 公式" if form.formulas else "")
        + ("；下有“其中：示范园区”行" if form.of_which else ""),
        f"- 法定标识：{'有' if form.statutory else '无'}；序号列：{'有' if form.serial else '无'}"
        f"；区划代码列：{'有' if form.region_code else '无'}"
        + ("；增速存为小数、按百分数显示" if form.percent_format else "")
        + (f"；不写小数：{'、'.join(form.whole)}" if form.whole else ""),
        "- 工作表："
        + "、".join(form.sheets or ([form.sheet_name] if "x" in form.container[:1] else ["—"]))
        + (
            "；季末月另有“季度附表”，12月另有“年度附表”"
            if form.extra_sheets
            else "；季末月、12月在后面加列（行）"
        ),
        f"- 使用者：{'、'.join(users)}",
        "",
        "| 表头 | 指标 | 口径 |",
        "|---|---|---|",
    ]
    for text, indicator, measure in _heads(
        form, (*form.columns, *form.quarter_columns, *form.year_columns)
    ):
        lines.append(f"| {text} | {indicator} {NAMES[indicator]} | {measure} |")
    return [*lines, ""]


def _users(example: Example, form_id: str) -> list[str]:
    found = []
    for row in example.settings["reporter"]:
        steps = [*row["forms"], ["", ""]]
        for (start, used), (following, _) in pairwise(steps):
            if used == form_id:
                found.append(
                    f"`{row['id']}` {start}" + (f" 起至 {following} 前" if following else " 起")
                )
    return found


def render(example: Example) -> str:
    """The whole document."""
    lines = [
        f"# 报表式样（{example.name} 示例，模拟数据） · Forms of the simulated returns",
        "",
        "本文件由 `examples/sample/forms.py` 生成，请勿手改。",
        "`｜` 分隔两行表头的上下两格（或指标与口径），`⏎` 为单元格内换行。",
        "",
        "通用约定：2月（1—2月）的“本月”为 `—`（没有1月数，不可拆分）；",
        "首年无同期的园区，上年同期与同比为 `—`；不详为空格；不足最小单位为 `…`；",
        "每份文件都有“模拟数据”字样；表尾为注、签署行（只写岗位）。",
        "",
        "习惯写法（按报送单位）：",
        "",
    ]
    for row in example.settings["reporter"]:
        for habit in row.get("habits", []):
            lines.append(f"- `{row['id']}`：{HABITS[habit]}")
    lines.append("")
    for form in FORMS.values():
        users = _users(example, form.form_id)
        if users:
            lines += _form_section(form, users)
    return "\n".join(lines).rstrip("\n") + "\n"


def main() -> None:
    """Write FORMS.md of the examples named on the command line."""
    for name in sys.argv[1:]:
        (EXAMPLES / name / "FORMS.md").write_text(render(load(name)), encoding="utf-8")


if __name__ == "__main__":
    main()
