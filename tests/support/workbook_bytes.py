"""Workbooks as bytes, written part by part so that a test can bend any of them.

Belongs here: small valid files of each format and ways to damage a container. Does not belong here:
the catalogue of hostile files (hostile.py), realistic returns (examples).
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
PLAIN_CELLS = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>园区</t></is></c><c r="B1"><v>41954.56</v></c></row>'
)


def zip_bytes(members: Mapping[str, bytes | str], stored: bool = False) -> bytes:
    """A zip with fixed times: the same members give the same bytes."""
    buffer = io.BytesIO()
    method = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, (2020, 7, 1, 0, 0, 0))
            info.compress_type = method
            archive.writestr(info, content)
    return buffer.getvalue()


def sheet_xml(cells: str = PLAIN_CELLS, before: str = "", after: str = "") -> str:
    """A worksheet part: ``before`` and ``after`` stand around ``sheetData``."""
    return (
        f'{XML}<worksheet xmlns="{MAIN}">{before}<sheetData>{cells}</sheetData>{after}</worksheet>'
    )


def xlsx_members(
    sheets: Sequence[tuple[str, str]] = (("月报", ""),),
    strings: str | None = None,
    workbook_extra: str = "",
    states: Mapping[str, str] | None = None,
) -> dict[str, bytes | str]:
    """Parts of an xlsx. ``sheets`` are (name, worksheet XML or "" for a plain one)."""
    names = [name for name, _ in sheets]
    state = states or {}
    listed = "".join(
        f'<sheet name="{name}" sheetId="{i}" r:id="rId{i}"'
        f"{' state=' + chr(34) + state[name] + chr(34) if name in state else ''}/>"
        for i, name in enumerate(names, 1)
    )
    related = "".join(
        f'<Relationship Id="rId{i}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(names) + 1)
    )
    members: dict[str, bytes | str] = {
        "[Content_Types].xml": XML + _content_types(len(names)),
        "_rels/.rels": f'{XML}<Relationships xmlns="{PACKAGE}"><Relationship Id="rId1" '
        f'Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{XML}<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">'
        f"<sheets>{listed}</sheets>{workbook_extra}</workbook>",
        "xl/_rels/workbook.xml.rels": f'{XML}<Relationships xmlns="{PACKAGE}">{related}'
        f'<Relationship Id="rId900" Type="{RELATIONS}/sharedStrings" Target="sharedStrings.xml"/>'
        f'<Relationship Id="rId901" Type="{RELATIONS}/styles" Target="styles.xml"/>'
        "</Relationships>",
        "xl/sharedStrings.xml": strings
        if strings is not None
        else f'{XML}<sst xmlns="{MAIN}"><si><t>一</t></si><si><t>二</t></si></sst>',
        "xl/styles.xml": f'{XML}<styleSheet xmlns="{MAIN}"><numFmts count="1">'
        '<numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;m&quot;月&quot;"/></numFmts>'
        '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/></cellXfs></styleSheet>',
    }
    for i, (_, xml) in enumerate(sheets, 1):
        members[f"xl/worksheets/sheet{i}.xml"] = xml or sheet_xml()
    return members


def xlsx(
    *args: Any, changes: Mapping[str, bytes | str | None] | None = None, **kwargs: Any
) -> bytes:
    """An xlsx; ``changes`` adds, replaces or (with None) removes parts."""
    members = xlsx_members(*args, **kwargs)
    for name, content in (changes or {}).items():
        if content is None:
            members.pop(name, None)
        else:
            members[name] = content
    return zip_bytes(members)


def xlsx_cells(cells: str, before: str = "", after: str = "", **kwargs: Any) -> bytes:
    """An xlsx of one sheet 月报 with the given rows."""
    return xlsx([("月报", sheet_xml(cells, before, after))], **kwargs)


def xls(build: Any = None) -> bytes:
    """An .xls by xlwt; ``build(book, sheet)`` fills it, else two cells."""
    import xlwt

    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("月报", cell_overwrite_ok=True)
    if build is None:
        sheet.write(0, 0, "园区")
        sheet.write(0, 1, 41954.56)
    else:
        build(book, sheet)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def record(kind: int, body: bytes) -> bytes:
    """One BIFF record."""
    return struct.pack("<2H", kind, len(body)) + body


def biff8(sheet_records: bytes = b"", global_records: bytes = b"") -> bytes:
    """A BIFF8 stream of one sheet, to be wrapped by ``ole``."""
    start = record(0x809, struct.pack("<4H2I", 0x600, 5, 0, 0, 0, 0)) + global_records
    name = "S1".encode("latin-1")
    sheet_entry_size = 4 + 8 + len(name)
    place = len(start) + sheet_entry_size + 4
    entry = record(0x85, struct.pack("<I4B", place, 0, 0, len(name), 0) + name)
    sheet = record(0x809, struct.pack("<4H2I", 0x600, 0x10, 0, 0, 0, 0))
    return start + entry + record(0x0A, b"") + sheet + sheet_records + record(0x0A, b"")


def ole(streams: Mapping[str, bytes]) -> bytes:
    """A compound file of 512-byte sectors; streams are padded past the mini-stream limit."""
    sector = 512
    contents = [content.ljust(4096, b"\0") for content in streams.values()]
    counts = [-(-len(content) // sector) for content in contents]
    directory_sectors = -(-(len(streams) + 1) // 4)
    total = directory_sectors + sum(counts)
    fat_sectors = 1
    while fat_sectors * 128 < total + fat_sectors:
        fat_sectors += 1
    fat: list[int] = []
    starts = []
    for count in [directory_sectors, *counts]:
        first = len(fat)
        starts.append(first)
        fat += [*range(first + 1, first + count), 0xFFFFFFFE]
    fat += [0xFFFFFFFD] * fat_sectors
    fat += [0xFFFFFFFF] * (fat_sectors * 128 - len(fat))
    header = _ole_header(fat_sectors, first_fat=total)
    entries = _ole_entry("Root Entry", 5, 1 if streams else 0xFFFFFFFF, 0xFFFFFFFE, 0)
    for i, (name, content) in enumerate(zip(streams, contents, strict=True), 1):
        following = i + 1 if i < len(contents) else 0xFFFFFFFF
        entries += _ole_entry(name, 2, 0xFFFFFFFF, starts[i], len(content), following)
    body = entries.ljust(directory_sectors * sector, b"\0")
    body += b"".join(c.ljust(n * sector, b"\0") for c, n in zip(contents, counts, strict=True))
    return header + body + struct.pack(f"<{len(fat)}I", *fat)


def ods(content: str, changes: Mapping[str, bytes | str] | None = None) -> bytes:
    """An .ods whose spreadsheet element holds ``content``."""
    members: dict[str, bytes | str] = {
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
        "content.xml": ods_content(content),
        "META-INF/manifest.xml": XML + "<manifest/>",
    }
    return zip_bytes({**members, **(changes or {})})


def ods_content(content: str, styles: str = "") -> str:
    """A ``content.xml``."""
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text", "style", "draw")
    )
    calc = 'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    return (
        f"{XML}<office:document-content {spaces} {calc}>"
        f"<office:automatic-styles>{styles}</office:automatic-styles><office:body>"
        f"<office:spreadsheet>{content}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )


def ods_table(rows: str, name: str = "月报", attributes: str = "") -> str:
    """A sheet of an .ods."""
    return f'<table:table table:name="{name}" {attributes}>{rows}</table:table>'


def xml2003(rows: str, options: str = "", head: str = "") -> bytes:
    """An Excel 2003 XML workbook of one sheet."""
    return (
        f'<?xml version="1.0"?>{head}'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        f'<Worksheet ss:Name="月报"><Table>{rows}</Table>{options}</Worksheet></Workbook>'
    ).encode()


def encrypted_xlsx(password: str) -> bytes:
    """The plain xlsx encrypted as Excel does (agile encryption).

    Padded, because the writer at hand gets packages below 4,096 bytes wrong.
    """
    from msoffcrypto.format.ooxml import OOXMLFile

    padded = {**xlsx_members(), "docProps/padding.bin": bytes(4096)}
    buffer = io.BytesIO()
    OOXMLFile(io.BytesIO(zip_bytes(padded, stored=True))).encrypt(password, buffer)
    return buffer.getvalue()


def central_entries(data: bytes) -> list[int]:
    """Positions of the central directory's entries in a zip."""
    positions, place = [], data.find(b"PK\x01\x02")
    while place >= 0:
        positions.append(place)
        place = data.find(b"PK\x01\x02", place + 4)
    return positions


def patch(data: bytes, place: int, replacement: bytes) -> bytes:
    """``data`` with some bytes overwritten."""
    return data[:place] + replacement + data[place + len(replacement) :]


def _content_types(sheets: int) -> str:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = "".join(
        f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="{kind}.worksheet+xml"/>'
        for i in range(1, sheets + 1)
    )
    return (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>{parts}'
        "</Types>"
    )


def _ole_header(fat_sectors: int, first_fat: int) -> bytes:
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<5H6x", 62, 3, 0xFFFE, 9, 6)
    head += struct.pack("<9I", 0, fat_sectors, 0, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    numbers = [first_fat + i for i in range(fat_sectors)][:109]
    numbers += [0xFFFFFFFF] * (109 - len(numbers))
    return head + struct.pack("<109I", *numbers)


def _ole_entry(
    name: str, kind: int, child: int, start: int, size: int, right: int = 0xFFFFFFFF
) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    entry = text.ljust(64, b"\0") + struct.pack("<H2B", len(text), kind, 1)
    entry += struct.pack("<3I", 0xFFFFFFFF, right, child) + bytes(36)
    return entry + struct.pack("<3I", start, size, 0)


def xlsb(more: bytes = b"", changes: Mapping[str, bytes | str] | None = None) -> bytes:
    """A small .xlsb: 41954.56 and TRUE in row 1, #N/A in the hidden row 2; column B is hidden.

    ``more`` are records put behind these cells.
    """
    name = "月报".encode("utf-16-le")
    relation = "rId1".encode("utf-16-le")
    bundle = struct.pack("<2I", 0, 1) + struct.pack("<I", 4) + relation
    bundle += struct.pack("<I", 2) + name
    workbook = b"".join(
        binary_record(kind, body)
        for kind, body in ((131, b""), (143, b""), (156, bundle), (144, b""), (132, b""))
    )
    hidden_row = bytearray(_binary_row(1))
    hidden_row[11] |= 0x10
    cells = b"".join(
        binary_record(kind, body)
        for kind, body in (
            (129, b""),
            (148, struct.pack("<4I", 0, 1, 0, 1)),
            (390, b""),
            (60, struct.pack("<4IH", 1, 1, 2000, 0, 1)),
            (391, b""),
            (145, b""),
            (0, _binary_row(0)),
            (5, struct.pack("<2Id", 0, 0, 41954.56)),
            (4, struct.pack("<2IB", 1, 0, 1)),
            (0, bytes(hidden_row)),
            (3, struct.pack("<2IB", 0, 0, 0x2A)),
        )
    )
    sheet = cells + more + binary_record(146, b"") + binary_record(130, b"")
    relations = (
        f'{XML}<Relationships xmlns="{PACKAGE}"><Relationship Id="rId1" '
        f'Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.bin"/></Relationships>'
    )
    root = str(xlsx_members()["_rels/.rels"]).replace("workbook.xml", "workbook.bin")
    return zip_bytes(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": root,
            "xl/workbook.bin": workbook,
            "xl/_rels/workbook.bin.rels": relations,
            "xl/worksheets/sheet1.bin": sheet,
            **(changes or {}),
        }
    )


def binary_cell(row: int, column: int) -> bytes:
    """Records of a row with one number."""
    return binary_record(0, _binary_row(row)) + binary_record(5, struct.pack("<2Id", column, 0, 1))


def _binary_row(number: int) -> bytes:
    return struct.pack("<2IH", number, 0, 300) + bytes(3) + struct.pack("<I", 0)


def binary_record(kind: int, body: bytes) -> bytes:
    """One BIFF12 record."""
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, length = len(body), b""
    while True:
        length += bytes([size & 0x7F | (0x80 if size > 0x7F else 0)])
        size >>= 7
        if not size:
            return head + length + body
