"""Word document (文字稿): the document model as an editable .docx in the geometry of GB/T 9704-2012.

Belongs here: styles, the order of parts, OOXML that Word, WPS and LibreOffice take without repair. Does
not belong here: any text of its own beyond the fixed words of an official document (附件, 抄送, 印发).
Official font names are written; where a machine lacks them the program substitutes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from assets.bulletins.model import (
    Annex,
    Badge,
    Bar,
    Block,
    Bulletin,
    Callout,
    Chart,
    Column,
    Heading,
    Note,
    Spans,
    Table,
    plain,
)

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import Table as WordTable
    from docx.text.paragraph import Paragraph

BODY, KAI, HEI, SONG, TITLE = "仿宋_GB2312", "楷体_GB2312", "黑体", "宋体", "方正小标宋简体"
LATIN = "Times New Roman"
LINE = 28.95
"""Exact line pitch in points: 22 lines fill 225 mm (29 pt gives 21)."""
TEXT_MM = 156
TONES = {
    "green": ("1B6B3A", "E3F1E7"),
    "yellow": ("8A5A00", "FFF0C9"),
    "orange": ("A84300", "FDE5D3"),
    "red": ("A8181B", "FBE1E0"),
    "grey": ("55606B", "ECEFF2"),
    "info": ("1F4E79", "E4EDF6"),
}
STAMP = (1980, 1, 1, 0, 0, 0)
"""Time of every part in the file: the earliest a zip can say, so that same content is same bytes."""


def to_docx(bulletin: Bulletin) -> bytes:
    """The document's bytes. Same document → same bytes."""
    document = _new(bulletin)
    _letterhead(document, bulletin)
    _title(document, bulletin)
    _paragraph(document, bulletin.addressee, indent=0)
    _blocks(document, bulletin.body, bulletin.meta.simulated)
    _annex_note(document, bulletin)
    _signature(document, bulletin)
    for annex in bulletin.annexes:
        _annex(document, annex, bulletin)
    _colophon(document, bulletin)
    buffer = io.BytesIO()
    document.save(buffer)
    return _normal_zip(buffer.getvalue())


# --- The empty document ---------------------------------------------------------------------------


def _new(bulletin: Bulletin) -> Document:
    import docx
    from docx.shared import Mm

    document = docx.Document()
    _drop_unused_styles(document)
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(37), Mm(35)
    section.left_margin, section.right_margin = Mm(28), Mm(26)
    section.header_distance, section.footer_distance = Mm(20), Mm(25)
    _grid(section)
    _normal_style(document)
    _heading_styles(document)
    _running_heads(document, bulletin)
    meta = bulletin.meta
    day = datetime.combine(meta.issue_date, time(), UTC)
    props = document.core_properties
    props.title, props.author, props.language = bulletin.title_text, meta.bureau, "zh-CN"
    props.created = props.modified = day
    props.last_modified_by, props.revision, props.comments = meta.bureau, 1, ""
    props.keywords = "模拟数据" if meta.simulated else ""
    return document


def _drop_unused_styles(document: Document) -> None:
    """The default template carries a part Word 2010 wrote for itself; validators object to it."""
    for key, relation in list(document.part.rels.items()):
        if relation.reltype.endswith("stylesWithEffects"):
            del document.part.rels[key]


def _grid(section: Any) -> None:
    """Lines of 28.95 pt (linePitch in twentieths of a point); characters are left alone."""
    from docx.oxml.ns import qn

    grid = section._sectPr.find(qn("w:docGrid"))
    if grid is None:
        grid = section._sectPr.makeelement(qn("w:docGrid"))
        section._sectPr.append(grid)
    grid.set(qn("w:type"), "lines")
    grid.set(qn("w:linePitch"), "579")


def _normal_style(document: Document) -> None:
    from docx.shared import Pt

    style = document.styles["Normal"]
    style.font.size = Pt(16)
    _fonts(style.element.get_or_add_rPr(), BODY)
    shape = style.paragraph_format
    shape.space_before = shape.space_after = Pt(0)
    shape.line_spacing = Pt(LINE)
    shape.widow_control = False
    _spaced(style.element.get_or_add_rPr(), -5)


def _heading_styles(document: Document) -> None:
    from docx.shared import Pt, RGBColor

    for level, face in ((1, HEI), (2, KAI), (3, BODY)):
        style = document.styles[f"Heading {level}"]
        style.font.size, style.font.bold, style.font.italic = Pt(16), level == 2, False
        style.font.color.rgb = RGBColor(0, 0, 0)
        _fonts(style.element.get_or_add_rPr(), face)
        shape = style.paragraph_format
        shape.space_before = shape.space_after = Pt(0)
        shape.line_spacing, shape.first_line_indent = Pt(LINE), Pt(32)
        shape.keep_with_next = True


def _fonts(run_properties: Any, face: str) -> None:
    """East Asian and Latin faces, and that shared marks (“ ” …) are drawn East Asian."""
    from docx.oxml.ns import qn

    fonts = run_properties.get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    for name in ("ascii", "hAnsi", "cs"):
        fonts.set(qn(f"w:{name}"), LATIN)
    fonts.set(qn("w:eastAsia"), face)
    fonts.set(qn("w:hint"), "eastAsia")


def _spaced(run_properties: Any, twentieths: int) -> None:
    """Character spacing: -0.25 pt brings 28 characters of 16 pt into 156 mm."""
    from docx.oxml.ns import qn

    spacing = run_properties.makeelement(qn("w:spacing"))
    spacing.set(qn("w:val"), str(twentieths))
    run_properties.insert_element_before(
        spacing, "w:w", "w:kern", "w:position", "w:sz", "w:szCs", "w:highlight", "w:u", "w:lang"
    )


def _running_heads(document: Document, bulletin: Bulletin) -> None:
    """Marks at the top of each page; page number outside at the bottom, one character in."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt, RGBColor

    document.settings.odd_and_even_pages_header_footer = True
    section, meta = document.sections[0], bulletin.meta
    simulated = "模拟数据  非真实统计结果" if meta.simulated else ""
    marks = "   ".join(filter(None, (simulated, meta.status_mark)))
    for head in (section.header, section.even_page_header):
        paragraph = head.paragraphs[0]
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        _run(paragraph, marks, HEI, 10.5).font.color.rgb = RGBColor(0xA8, 0x18, 0x1B)
    for foot, side, far in (
        (section.footer, WD_ALIGN_PARAGRAPH.RIGHT, "right_indent"),
        (section.even_page_footer, WD_ALIGN_PARAGRAPH.LEFT, "left_indent"),
    ):
        paragraph = foot.paragraphs[0]
        paragraph.alignment = side
        setattr(paragraph.paragraph_format, far, Pt(14))
        _run(paragraph, "— ", SONG, 14)
        _field(paragraph, "PAGE", SONG, 14)
        _run(paragraph, " —", SONG, 14)


def _field(paragraph: Paragraph, code: str, face: str, size: float) -> None:
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement

    for kind, text in (("begin", ""), ("", code), ("separate", ""), ("text", "1"), ("end", "")):
        run = _run(paragraph, text if kind == "text" else "", face, size)
        if kind in ("begin", "separate", "end"):
            element = OxmlElement("w:fldChar")
            element.set(qn("w:fldCharType"), kind)
            run._r.append(element)
        elif not kind:
            element = OxmlElement("w:instrText")
            element.set(qn("xml:space"), "preserve")
            element.text = f" {code} "
            run._r.append(element)


# --- Parts ----------------------------------------------------------------------------------------


def _letterhead(document: Document, bulletin: Bulletin) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt, RGBColor

    meta = bulletin.meta
    _line(document, meta.handling, HEI)
    for _ in range(2):
        _line(document, "")
    name = _line(document, "", align=WD_ALIGN_PARAGRAPH.CENTER)
    name.paragraph_format.line_spacing = Pt(LINE * 2)
    size = min(40.0, (TEXT_MM - 8) * 72 / 25.4 / max(len(meta.letterhead), 1) * 0.96)
    _run(name, meta.letterhead, TITLE, round(size * 2) / 2).font.color.rgb = RGBColor(0xD7, 0, 0x0F)
    _line(document, "")
    number = meta.doc_number or "（发文字号待编）"
    rule = _line(document, number, align=WD_ALIGN_PARAGRAPH.CENTER)
    _bottom_rule(rule, "D7000F")
    for _ in range(2):
        _line(document, "")


def _bottom_rule(paragraph: Paragraph, colour: str) -> None:
    """The red rule 4 mm (11 pt) below the document number, as wide as the text."""
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement

    properties = paragraph._p.get_or_add_pPr()
    borders = OxmlElement("w:pBdr")
    bottom = OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "12"), ("space", "11"), ("color", colour)):
        bottom.set(qn(f"w:{name}"), value)
    borders.append(bottom)
    properties.insert_element_before(
        borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:jc", "w:rPr"
    )


def _title(document: Document, bulletin: Bulletin) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import RGBColor

    paragraph = _line(document, "", align=WD_ALIGN_PARAGRAPH.CENTER)
    for number, line in enumerate(bulletin.title):
        if number:
            paragraph.add_run().add_break()
        _run(paragraph, plain(line), TITLE, 22)
    if bulletin.meta.simulated:
        mark = _line(document, "", align=WD_ALIGN_PARAGRAPH.CENTER)
        _run(mark, "（模拟数据）", KAI, 16).font.color.rgb = RGBColor(0xA8, 0x18, 0x1B)
    _line(document, "")


def _blocks(document: Document, blocks: Sequence[Block], simulated: bool) -> None:
    mark = "（模拟数据）" if simulated else ""
    for block in blocks:
        if isinstance(block, Heading):
            paragraph = document.add_paragraph(style=f"Heading {block.level}")
            _spans(paragraph, block.spans, (HEI, KAI, BODY)[block.level - 1])
            if block.level == 1 and mark:
                _run(paragraph, mark, HEI, 16)
        elif isinstance(block, Table):
            _table(document, block, mark)
        elif isinstance(block, Chart):
            _chart(document, block, mark)
        elif isinstance(block, Note):
            _paragraph(document, block.spans, indent=0, size=9, face=SONG, exact=13)
        elif isinstance(block, Callout):
            _paragraph(document, block.spans, face=KAI, bold=True)
        else:
            _paragraph(document, block.spans)


def _annex_note(document: Document, bulletin: Bulletin) -> None:
    from docx.shared import Pt

    if not bulletin.annexes:
        return
    _line(document, "")
    single = len(bulletin.annexes) == 1
    for annex in bulletin.annexes:
        first = annex.number == 1
        paragraph = _line(document, "附件：" if first else "")
        paragraph.paragraph_format.left_indent = Pt(32 + 48)
        paragraph.paragraph_format.first_line_indent = Pt(-48 if first else 0)
        _run(paragraph, "" if single else f"{annex.number}. ", BODY, 16)
        _spans(paragraph, annex.title, BODY)


def _signature(document: Document, bulletin: Bulletin) -> None:
    """Without a seal: the date begins two characters to the right of the name."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    meta = bulletin.meta
    who, when = 16.0 * len(meta.bureau), 16.0 * _width(meta.issue_date_words)
    right_of_date = max(32.0, who - when)
    right_of_name = max(32.0, right_of_date + when + 32 - who)
    for _ in range(2):
        _line(document, "")
    for text, right in ((meta.bureau, right_of_name), (meta.issue_date_words, right_of_date)):
        paragraph = _line(document, text, align=WD_ALIGN_PARAGRAPH.RIGHT)
        paragraph.paragraph_format.right_indent = Pt(right)


def _width(text: str) -> float:
    """Width in characters: Latin ones take half."""
    return sum(0.5 if character.isascii() else 1.0 for character in text)


def _annex(document: Document, annex: Annex, bulletin: Bulletin) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    several = len(bulletin.annexes) > 1
    first = _line(document, f"附件{annex.number if several else ''}", HEI)
    first.paragraph_format.page_break_before = True
    _line(document, "")
    title = document.add_paragraph(style="Heading 1")
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    title.paragraph_format.first_line_indent = 0
    mark = "（模拟数据）" if bulletin.meta.simulated else ""
    _run(title, plain(annex.title) + mark, TITLE, 22)
    _line(document, "")
    _blocks(document, annex.blocks, bulletin.meta.simulated)


def _colophon(document: Document, bulletin: Bulletin) -> None:
    """版记 between rules. An editable text keeps it after the last line: which page is last, and
    whether it is even, is only known once the text is final (the PDF places it exactly)."""
    from docx.shared import Mm

    meta = bulletin.meta
    _line(document, "")
    rows = [f"抄送：{'，'.join(meta.copies)}。"] if meta.copies else []
    table = document.add_table(rows=len(rows) + 1, cols=2)
    table.autofit = False
    _table_borders(table, inner="4", outer="8", sides=False)
    for number, text in enumerate(rows):
        cell = table.cell(number, 0).merge(table.cell(number, 1))
        _fill(cell, text)
    _fill(table.cell(len(rows), 0), meta.printer)
    _fill(table.cell(len(rows), 1), f"{meta.issue_date_words}印发", right=True)
    for place, width in enumerate((TEXT_MM - 60, 60)):
        table.columns[place].width = Mm(width)
        table.cell(len(rows), place).width = Mm(width)
    end = _line(document, "")
    end.paragraph_format.line_spacing = 1


def _fill(cell: Any, text: str, *, right: bool = False) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.line_spacing = Pt(24)
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    _run(paragraph, text, BODY, 14)


# --- Charts ---------------------------------------------------------------------------------------


def _chart(document: Document, chart: Chart, mark: str) -> None:
    """The finding as caption, then the picture with its words for those who do not see it."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml.ns import qn
    from docx.shared import Mm

    from assets.bulletins.raster import to_png

    _caption(document, f"图{chart.number} ", chart.spans, mark)
    place = _line(document, "", align=WD_ALIGN_PARAGRAPH.CENTER)
    place.paragraph_format.line_spacing = 1
    place.paragraph_format.keep_with_next = True
    picture = place.add_run().add_picture(io.BytesIO(to_png(chart.svg)), width=Mm(TEXT_MM - 6))
    properties = picture._inline.docPr
    properties.set("id", str(chart.number))
    properties.set("name", f"图{chart.number}")
    properties.set("descr", chart.alt)
    for inner in picture._inline.iter(qn("pic:cNvPr")):
        inner.set("name", f"chart-{chart.chart_id}.png")


def _caption(document: Document, number: str, words: Spans, mark: str) -> None:
    """Number and finding above a drawing or table, never parted from it."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    caption = _line(document, "", align=WD_ALIGN_PARAGRAPH.CENTER)
    caption.paragraph_format.keep_with_next = True
    _run(caption, number, HEI, 11)
    _spans(caption, words, HEI, 11)
    if mark:
        _run(caption, mark, HEI, 11)


# --- Tables ---------------------------------------------------------------------------------------


def _table(document: Document, table: Table, mark: str) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    _caption(document, f"表{table.number} ", table.caption, mark)
    if table.unit_note:
        unit = _line(document, "", align=WD_ALIGN_PARAGRAPH.RIGHT)
        unit.paragraph_format.keep_with_next = True
        _spans(unit, table.unit_note, SONG, 9)
    made = document.add_table(rows=1, cols=len(table.columns))
    made.autofit = False
    _table_borders(made, inner="3", outer="8", sides=False)
    size = 9 if len(table.columns) > 6 or len(table.rows) > 30 else 10.5
    for cell, column in zip(made.rows[0].cells, table.columns, strict=True):
        _cell(cell, column.spans, "center", size, face=HEI, shade="EAEEF2")
    _repeat_head(made.rows[0])
    for row in table.rows:
        cells = made.add_row().cells
        _unbroken(made.rows[-1])
        if row.group:
            _cell(cells[0].merge(cells[-1]), row.cells[0], "left", size, face=HEI, shade="F4F6F8")
            continue
        for cell, spans, column in zip(cells, row.cells, table.columns, strict=True):
            _cell(cell, spans, column.align, size)
    _widths(made, table.columns)
    gap = _line(document, "")
    gap.paragraph_format.line_spacing = 0.5


def _cell(
    cell: Any, spans: Spans, align: str, size: float, *, face: str = SONG, shade: str = ""
) -> None:
    from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement
    from docx.shared import Pt

    paragraph = cell.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH[align.upper()]
    paragraph.paragraph_format.line_spacing = Pt(size + 4)
    _off_grid(paragraph)
    _spans(paragraph, spans, face, size)
    if shade:
        properties = cell._tc.get_or_add_tcPr()
        fill = OxmlElement("w:shd")
        for name, value in (("val", "clear"), ("color", "auto"), ("fill", shade)):
            fill.set(qn(f"w:{name}"), value)
        properties.append(fill)  # before w:vAlign, which is set last
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER


def _widths(made: WordTable, columns: Sequence[Column]) -> None:
    """Widths on columns and on cells: programs read one or the other."""
    from docx.shared import Mm

    whole = sum(column.width for column in columns)
    for place, column in enumerate(columns):
        width = Mm(TEXT_MM * column.width / whole)
        made.columns[place].width = width
        for row in made.rows:
            if len(row._tr.tc_lst) == len(columns):
                row.cells[place].width = width


def _table_borders(made: WordTable, *, inner: str, outer: str, sides: bool) -> None:
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement

    properties = made._tbl.tblPr
    borders = OxmlElement("w:tblBorders")
    for name, size in (("top", outer), ("left", inner), ("bottom", outer), ("right", inner),
                       ("insideH", inner), ("insideV", inner)):  # fmt: skip
        line = OxmlElement(f"w:{name}")
        upright = name in ("left", "right", "insideV")
        line.set(qn("w:val"), "nil" if upright and not sides else "single")
        if not (upright and not sides):
            for key, value in (("sz", size), ("space", "0"), ("color", "000000")):
                line.set(qn(f"w:{key}"), value)
        borders.append(line)
    properties.insert_element_before(borders, "w:shd", "w:tblLayout", "w:tblCellMar", "w:tblLook")


def _repeat_head(row: Any) -> None:
    _row_flag(row, "w:cantSplit")
    _row_flag(row, "w:tblHeader")


def _unbroken(row: Any) -> None:
    _row_flag(row, "w:cantSplit")


def _row_flag(row: Any, name: str) -> None:
    from docx.oxml.parser import OxmlElement

    row._tr.get_or_add_trPr().append(OxmlElement(name))


# --- Text -----------------------------------------------------------------------------------------


def _line(document: Document, text: str, face: str = BODY, *, align: Any = None) -> Paragraph:
    """A paragraph without indent."""
    paragraph = document.add_paragraph()
    if align is not None:
        paragraph.alignment = align
    if text:
        _run(paragraph, text, face, 16)
    return paragraph


def _paragraph(
    document: Document,
    spans: Spans,
    *,
    indent: float = 32,
    size: float = 16,
    face: str = BODY,
    bold: bool = False,
    exact: float = LINE,
) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    paragraph.paragraph_format.first_line_indent = Pt(indent)
    paragraph.paragraph_format.line_spacing = Pt(exact)
    if exact < LINE:
        _off_grid(paragraph)
    _spans(paragraph, spans, face, size, bold=bold)


def _spans(
    paragraph: Paragraph, spans: Spans, face: str, size: float = 16, *, bold: bool = False
) -> None:
    """Runs of the spans. Bars are decoration and left out: the figure stands beside them."""
    from docx.shared import RGBColor

    for span in spans:
        if isinstance(span, Bar):
            continue
        run = _run(paragraph, span.text, HEI if isinstance(span, Badge) else face, size)
        run.bold = bold or None
        if isinstance(span, Badge):
            ink, wash = TONES[span.tone]
            run.font.color.rgb = RGBColor.from_string(ink)
            _shade(run, wash)


def _off_grid(paragraph: Paragraph) -> None:
    """Small print keeps its own line height instead of the page's 22 lines."""
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement

    flag = OxmlElement("w:snapToGrid")
    flag.set(qn("w:val"), "0")
    paragraph._p.get_or_add_pPr().insert_element_before(
        flag, "w:spacing", "w:ind", "w:contextualSpacing", "w:jc", "w:outlineLvl", "w:rPr"
    )


def _run(paragraph: Paragraph, text: str, face: str, size: float) -> Any:
    from docx.shared import Pt

    run = paragraph.add_run(text)
    run.font.size = Pt(size)
    _fonts(run._r.get_or_add_rPr(), face)
    return run


def _shade(run: Any, fill: str) -> None:
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement

    shade = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", fill)):
        shade.set(qn(f"w:{name}"), value)
    run._r.get_or_add_rPr().insert_element_before(
        shade, "w:fitText", "w:vertAlign", "w:rtl", "w:cs", "w:em", "w:lang", "w:eastAsianLayout"
    )


def _normal_zip(content: bytes) -> bytes:
    """The same parts in order of name with one fixed time."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        names = sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name))
        for name in names:
            part = zipfile.ZipInfo(name, STAMP)
            part.compress_type, part.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            target.writestr(part, source.read(name))
    return buffer.getvalue()
