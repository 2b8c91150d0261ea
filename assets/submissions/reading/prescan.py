"""Pre-scan: what a received file is and whether it may be read, from a streaming look at its bytes.

Belongs here: type by content (never by file name), the order of checks, facts of a container's
parts. Does not belong here: values (parsers), processes and time limits (sandbox), file formats'
details (zip_directory, ole_container, scan_xlsx, scan_xlsb, scan_xls). Runs in the reading process.
"""

from __future__ import annotations

import re

from assets.submissions.reading.formats import scan_xlsb, scan_xlsx
from assets.submissions.reading.formats.facts import (
    Budget,
    Facts,
    SheetFacts,
    SheetKind,
    notices_of,
)
from assets.submissions.reading.formats.number_formats import (
    Shown,
    departing_cells,
    departing_styles,
)
from assets.submissions.reading.formats.ole_container import MAGIC as OLE_MAGIC
from assets.submissions.reading.formats.scan_xls import scan_xls
from assets.submissions.reading.formats.scan_xlsx import Relation, WorkbookPart
from assets.submissions.reading.formats.zip_directory import (
    Directory,
    Member,
    read_directory,
    read_member,
)
from assets.submissions.reading.limits import DEFAULT_LIMITS, MIB, Limits
from assets.submissions.reading.rejections import Refused, refuse, rejection
from assets.submissions.reading.workbook import Notice, Rejected

# first bytes → what a clerk would call it; only what is regularly sent by mistake
_NOT_TABLES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "PDF 文档"),
    (b"\xff\xd8\xff", "JPEG 图片"),
    (b"\x89PNG", "PNG 图片"),
    (b"GIF8", "GIF 图片"),
    (b"BM", "BMP 图片"),
    (b"II*\0", "TIFF 图片"),
    (b"MM\0*", "TIFF 图片"),
    (b"{\\rtf", "RTF 文档"),
    (b"MZ", "程序文件"),
    (b"\x7fELF", "程序文件"),
    (b"ID;P", "SYLK 表格（.slk）"),
    (b"MIME-Version:", "单个文件网页（.mht）"),
    (b"SQLite format 3\0", "数据库文件"),
    (b"PAR1", "Parquet 数据文件"),
)
_ARCHIVES: tuple[tuple[bytes, str], ...] = (
    (b"Rar!", "RAR 压缩包"),
    (b"7z\xbc\xaf\x27\x1c", "7z 压缩包"),
    (b"\x1f\x8b", "GZIP 压缩包"),
    (b"BZh", "BZIP2 压缩包"),
    (b"\xfd7zXZ\0", "XZ 压缩包"),
    (b"\x28\xb5\x2f\xfd", "ZSTD 压缩包"),
)
_RAW_BIFF = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08")
_BINARY_NAMES = {"BMP 图片", "程序文件"}  # two-letter marks: need a NUL byte as a second witness
_KINDS: dict[str, SheetKind] = {
    "worksheet": "worksheet",
    "chartsheet": "chart",
    "macrosheet": "macro",
    "xlMacrosheet": "macro",
    "xlIntlMacrosheet": "macro",
}
_ODS_MACRO = re.compile(r"basic/.+/(?!script-lb)[^/]+\.xml|scripts/.+\.(?:py|bsh|js)")
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
_ODF = b"application/vnd.oasis.opendocument."


def prescan(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Facts | Rejected:
    """Facts of a file, or why it is refused. Never raises for bad input.

    ``Facts.format`` is one of ``xlsx``, ``xlsm``, ``xlsb``, ``xls``, ``ods``, ``html``, ``xml2003``
    and ``text``. The last four carry no facts of sheets: their readers stream and count themselves.
    """
    try:
        return _scan(data, limits)
    except Refused as refused:
        return refused.rejected
    except MemoryError:
        raise
    except Exception as error:  # a structure nobody thought of: the file is refused all the same
        return rejection("damaged", f"预检失败：{type(error).__name__}：{str(error)[:80]}")


def _scan(data: bytes, limits: Limits) -> Facts:
    if not data.strip(b"\0 \t\r\n"):
        raise refuse("empty_file", f"{len(data)} 字节" if data else "0 字节")
    if len(data) > limits.file_bytes:
        raise refuse("file_too_large", f"{len(data) / MIB:,.0f} MB", limits.file_bytes // MIB)
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _scan_zip(data, limits)
    if data[:4] == OLE_MAGIC[:4]:
        return _with_notices(scan_xls(data, limits))
    _refuse_other_types(data)
    return Facts(_markup_or_text(data))


def _with_notices(facts: Facts) -> Facts:
    facts.notices += notices_of(facts.sheets)
    return facts


def _refuse_other_types(data: bytes) -> None:
    for mark, name in _ARCHIVES:
        if data.startswith(mark):
            raise refuse("archive", name)
    for mark, name in _NOT_TABLES:
        if data.startswith(mark) and (name not in _BINARY_NAMES or b"\0" in data[:1024]):
            raise refuse("wrong_type", name)
    if data.startswith(_RAW_BIFF):
        raise refuse("old_excel", "不带 OLE 容器的早期 Excel 文件")


def _markup_or_text(data: bytes) -> str:
    """``html``, ``xml2003`` or ``text``, by the first tag. Refuses other XML documents."""
    head = _plain_head(data)
    if not head.startswith("<"):
        return "text"
    if "urn:schemas-microsoft-com:office:spreadsheet" in head and "<html" not in head:
        return "xml2003"
    if any(mark in head for mark in ("<html", "<table", "<!doctype html", "<body", "<head")):
        return "html"
    if head.startswith(("<?xml", "<!doctype", "<!--")):
        raise refuse("wrong_type", "XML 文档，但不是表格")
    return "text"


def _plain_head(data: bytes) -> str:
    """First 4,096 characters in lower case, enough to see the kind of markup."""
    head = data[:8192]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = head[: len(head) // 2 * 2].decode("utf-16", "replace")
    else:
        text = head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    return text[:4096].lstrip().lower()


def _scan_zip(data: bytes, limits: Limits) -> Facts:
    directory = read_directory(data, limits)
    if not directory:
        raise refuse("zip_damaged", "压缩包内没有内容")
    mimetype = directory.get("mimetype")
    declared = read_member(data, mimetype, limits).strip() if mimetype else b""
    if declared.startswith(_ODF) or "content.xml" in directory:
        return _scan_ods(data, directory, declared, limits)
    if "[content_types].xml" in directory or "xl/workbook.xml" in directory:
        return _with_notices(_scan_ooxml(data, directory, limits))
    raise refuse("archive", f"ZIP 压缩包，内有 {len(directory)} 个文件")


def _scan_ods(data: bytes, directory: Directory, declared: bytes, limits: Limits) -> Facts:
    if declared and not declared.startswith(_ODS):
        raise refuse(
            "wrong_type", f"OpenDocument 文档（{declared[-20:].decode('ascii', 'replace')}）"
        )
    if "content.xml" not in directory:
        raise refuse("zip_damaged", "缺少部件“content.xml”")
    manifest = directory.get("meta-inf/manifest.xml")
    if manifest and b"encryption-data" in read_member(data, manifest, limits):
        raise refuse("encrypted", "加密的 .ods 文件（需要打开密码）")
    facts = Facts("ods")
    if any(_ODS_MACRO.match(name) for name in directory):
        facts.notices.append(Notice("macro", "文件含有宏，未执行，只读取单元格的值"))
    return facts


def _scan_ooxml(data: bytes, directory: Directory, limits: Limits) -> Facts:
    path = _workbook_path(data, directory)
    binary = path.endswith(".bin")
    macro = any(name.endswith("vbaproject.bin") for name in directory)
    facts = Facts("xlsb" if binary else "xlsm" if macro else "xlsx")
    if macro:
        facts.notices.append(Notice("macro", "文件含有宏（VBA），未执行，只读取单元格的值"))
    relations = scan_xlsx.read_relations(data, directory, path)
    _check_shared_parts(data, directory, relations, binary, limits)
    facts.notices += _container_notices(data, directory)
    member = directory[path]
    if binary:
        book = scan_xlsb.read_workbook_part(read_member(data, member, limits))
    else:
        book = scan_xlsx.read_workbook_part(data, member)
    if not book.sheets:
        raise refuse("no_sheets", "0 张工作表")
    if len(book.sheets) > limits.sheets:
        raise refuse("too_many_sheets", f"{len(book.sheets)} 张工作表", limits.sheets)
    _scan_sheets(data, directory, relations, book, facts, limits)
    return facts


def _workbook_path(data: bytes, directory: Directory) -> str:
    """Where the workbook part is: its usual place, or wherever the package relationships say."""
    for path in ("xl/workbook.xml", "xl/workbook.bin"):
        if path in directory:
            return path
    relations = scan_xlsx.read_relations(data, directory, "")
    for relation in relations.values():
        if relation.kind == "officeDocument":
            if relation.target.startswith(("word/", "ppt/", "visio/")):
                raise refuse("wrong_type", f"Office 文档（{relation.target.partition('/')[0]}）")
            if relation.target in directory:
                return relation.target
    raise refuse("zip_damaged", "缺少工作簿部件")


def _check_shared_parts(
    data: bytes,
    directory: Directory,
    relations: dict[str, Relation],
    binary: bool,
    limits: Limits,
) -> None:
    """Shared strings and styles are read whole by any parser: check size and prolog first."""
    for relation in relations.values():
        if relation.kind in ("sharedStrings", "styles") and not relation.external:
            member = directory.get(relation.target)
            if member is None:
                continue
            if member.size > limits.text_bytes:
                found = f"部件“{member.name}”解压后 {member.size / MIB:,.0f} MB"
                raise refuse("text_too_large", found, limits.text_bytes // MIB)
            if not binary:
                scan_xlsx.check_shared_part(data, member)


def _container_notices(data: bytes, directory: Directory) -> list[Notice]:
    """External links, data connections and embedded objects, from part names."""
    notices = []
    links = [
        name
        for name in directory
        if name.startswith("xl/externallinks/") and "/_rels/" not in name and "." in name
    ]
    if links:
        targets = sorted(
            relation.target
            for name in links
            for relation in scan_xlsx.read_relations(data, directory, name).values()
            if relation.external
        )
        shown = f"（{'、'.join(t[:80] for t in targets[:3])}）" if targets else ""
        text = f"文件引用了 {len(links)} 个外部文件{shown}，未打开；有关单元格只读取已保存的值"
        notices.append(Notice("external_links", text))
    if any(name in directory for name in ("xl/connections.xml", "xl/connections.bin")):
        notices.append(Notice("data_connections", "文件含有外部数据连接，未执行"))
    embedded = sum(name.startswith("xl/embeddings/") for name in directory)
    if embedded:
        notices.append(Notice("embedded_objects", f"文件内嵌 {embedded} 个其他文件，未读取"))
    return notices


def _styles_part(directory: Directory, relations: dict[str, Relation]) -> Member | None:
    for relation in relations.values():
        if relation.kind == "styles" and not relation.external and relation.target in directory:
            return directory[relation.target]
    return None


def _scan_sheets(
    data: bytes,
    directory: Directory,
    relations: dict[str, Relation],
    book: WorkbookPart,
    facts: Facts,
    limits: Limits,
) -> None:
    budget = Budget(limits)
    part_of_styles = _styles_part(directory, relations)
    binary = facts.format == "xlsb"
    styles: dict[str, Shown] = {}
    binary_styles: dict[int, Shown] = {}
    if part_of_styles is not None and binary:
        binary_styles = scan_xlsb.departing_styles(read_member(data, part_of_styles, limits))
    elif part_of_styles is not None:
        styles = departing_styles(data, part_of_styles)
    for name, relation_id, state in book.sheets:
        relation = relations.get(relation_id)
        kind: SheetKind = _KINDS.get(relation.kind, "other") if relation else "other"
        sheet = SheetFacts(name, kind, visible=state == "visible")
        facts.sheets.append(sheet)
        member = directory.get(relation.target) if relation else None
        if kind != "worksheet" or member is None:
            continue
        if binary:
            part = read_member(data, member, limits)
            scan_xlsb.scan_sheet(part, member.name, sheet, budget, binary_styles)
        else:
            scan_xlsx.scan_sheet(data, member, sheet, budget, book.full_calculation)
            if styles:
                sheet.departing = {
                    place: (shown.code, shown.unit)
                    for place, shown in departing_cells(data, member, styles).items()
                }
    stale = sum(sheet.formulas - len(sheet.uncached) for sheet in facts.sheets)
    if book.full_calculation and stale > 0:
        text = f"文件要求打开时重新计算，其中 {stale} 个公式保存的结果可能不是最新"
        facts.notices.append(Notice("recalculation", text))
