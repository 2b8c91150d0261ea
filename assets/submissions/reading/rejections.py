"""Why a file is refused: one catalogue of codes with their Chinese texts for the reporter.

Belongs here: codes, wording, and the exception that carries a refusal out of a parser.
Does not belong here: deciding whether a file is refused (prescan, parsers, sandbox).
"""

from __future__ import annotations

from assets.submissions.reading.workbook import Rejected

_RESAVE = "请用 Excel 或 WPS 打开原表，另存为 .xlsx 后重新报送"
_CLEAN = (
    "请删除表格以外的空白行、空白列和多余格式（或将有效内容复制到新工作簿），"
    "保存为 .xlsx 后重新报送"
)
_TABLE = "xlsx、xlsm、xls、xlsb、ods、et 表格，或 csv、tsv、txt 文本表格"

# code → (message, expected, remedy)
TEXTS: dict[str, tuple[str, str, str]] = {
    "empty_file": ("文件没有内容", "含有报表数据的文件", "请检查报送的文件是否保存完整后重新报送"),
    "file_too_large": (
        "文件过大，未读取",
        "不超过 {limit} MB 的文件",
        "请去除图片和无关工作表后重新报送",
    ),
    "not_a_file": (
        "报送的不是普通文件，未读取",
        "普通文件",
        "请直接报送文件本身，不要报送快捷方式或链接",
    ),
    "unreadable_source": ("文件无法打开", "可以读取的文件", "请管理员检查文件权限和存储后重新接收"),
    "wrong_type": ("文件不是可读取的表格", _TABLE, _RESAVE),
    "archive": ("报送的是压缩包，不是表格", _TABLE, "请解压后逐个报送其中的表格文件"),
    "old_excel": ("表格格式过旧，无法读取", "Excel 5.0 及以后版本的 .xls，或 .xlsx", _RESAVE),
    "zip_damaged": ("文件已损坏或不完整", "结构完整的表格文件", _RESAVE),
    "zip_too_many_members": ("文件内部的部件过多，未读取", "不超过 {limit} 个内部部件", _CLEAN),
    "zip_too_large": ("文件解压后过大，未读取", "解压后不超过 {limit} MB", _CLEAN),
    "zip_ratio": ("文件压缩比异常，疑似压缩炸弹，未读取", "压缩比不超过 {limit}:1", _CLEAN),
    "zip_duplicate": ("文件内部有重名部件，内容不可信，未读取", "内部部件名称不重复", _RESAVE),
    "zip_bad_name": ("文件内部的部件名称异常，未读取", "正常的部件名称", _RESAVE),
    "zip_overlap": ("文件内部的部件相互重叠，内容不可信，未读取", "内部部件互不重叠", _RESAVE),
    "zip_method": ("文件内部使用了不支持的压缩方法", "Deflate 压缩或不压缩", _RESAVE),
    "xml_dtd": (
        "文件内含有文档类型声明（DTD），存在安全风险，未读取",
        "不含 DTD 的表格文件",
        _RESAVE,
    ),
    "xml_damaged": ("文件内部内容已损坏", "结构完整的表格文件", _RESAVE),
    "damaged": ("文件已损坏，无法读取", "结构完整的表格文件", _RESAVE),
    "macro_sheet": (
        "文件含有宏表（Excel 4.0 宏），未读取",
        "不含宏表的表格文件",
        "请删除宏表，或将报表另存为不含宏的 .xlsx 后重新报送",
    ),
    "no_sheets": ("文件中没有工作表", "至少有一张含有数据的工作表", _RESAVE),
    "too_many_sheets": (
        "工作表过多，未读取",
        "不超过 {limit} 张工作表",
        "请只保留需要报送的工作表后重新报送",
    ),
    "box_too_large": ("表格范围过大，未读取", "行数×列数合计不超过 {limit}", _CLEAN),
    "too_many_cells": (
        "单元格过多，未读取",
        "单元格（含只有格式的空单元格）不超过 {limit} 个",
        _CLEAN,
    ),
    "too_many_merges": ("合并单元格过多，未读取", "每张工作表不超过 {limit} 处合并单元格", _CLEAN),
    "text_too_large": ("文本内容过大，未读取", "不超过 {limit} MB 的文本", _CLEAN),
    "field_too_long": (
        "单个字段过长，未读取",
        "每个字段不超过 {limit} 个字符",
        "请检查引号是否成对后重新报送",
    ),
    "encrypted": (
        "文件已加密，无法读取",
        "没有打开密码的文件，或已配置口令的文件",
        "请在 parkwatch.toml 配置口令文件，或请填报单位去除密码后重报",
    ),
    "encrypted_password": (
        "文件已加密，已配置的口令均不正确",
        "没有打开密码的文件，或口令与配置一致的文件",
        "请核对 parkwatch.toml 所指的口令文件，或请填报单位去除密码后重报",
    ),
    "encrypted_unsupported": (
        "文件已加密，且加密方式不受支持",
        "没有打开密码的文件",
        "请填报单位去除密码后重报",
    ),
    "binary_text": ("文件不是文本表格，含有二进制内容", _TABLE, _RESAVE),
    "encoding_unknown": (
        "文本编码无法识别，未读取",
        "UTF-8 或 GB18030（含 GBK、GB2312）编码",
        "请用 Excel 或 WPS 打开核对文字，另存为 .xlsx 或“CSV UTF-8”后重新报送",
    ),
    "encoding_mixed": (
        "文本混用了不同编码或在字符中间被截断，未读取",
        "全文使用同一种编码（UTF-8 或 GB18030）",
        "请从原系统重新导出完整文件，或另存为 .xlsx 后重新报送",
    ),
    "encoding_declared": (
        "网页表格声明的编码不受支持，未读取",
        "UTF-8 或 GB18030（含 GBK、GB2312）编码",
        _RESAVE,
    ),
    "no_table": ("文件中没有表格", "至少有一个表格", _RESAVE),
    "memory_limit": ("读取文件占用内存过多，已停止", "读取时占用内存不超过 {limit} MB", _CLEAN),
    "cpu_limit": ("读取文件占用处理器时间过长，已停止", "读取用时不超过 {limit} 秒", _CLEAN),
    "wall_limit": ("读取文件超时，已停止", "读取用时不超过 {limit} 秒", _CLEAN),
    "reply_too_large": ("文件内容过多，未读取", "读取结果不超过 {limit} MB", _CLEAN),
    "reader_crashed": (
        "读取文件时读取进程异常终止，文件可能已损坏或超出内存限制",
        "结构完整的表格文件",
        _RESAVE,
    ),
}


class Refused(Exception):  # noqa: N818  (a decision about a file, no error of ours)
    """Raised inside prescan and parsers to stop reading; ``rejected`` is the reason."""

    def __init__(self, rejected: Rejected) -> None:
        super().__init__(rejected.code)
        self.rejected = rejected


def rejection(code: str, found: str, limit: int | float | None = None) -> Rejected:
    """The catalogue's texts for a code; ``found`` says what was seen in this file."""
    message, expected, remedy = TEXTS[code]
    shown = "" if limit is None else f"{limit:,}"
    return Rejected(code, message, found, expected.replace("{limit}", shown), remedy)


def refuse(code: str, found: str, limit: int | float | None = None) -> Refused:
    """The exception to raise for a refusal."""
    return Refused(rejection(code, found, limit))
