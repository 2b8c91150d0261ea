"""Body rules of HTTP sources: gzip, digests, containers, and what a page looks like."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import struct
import zipfile

import pytest
import xlsxwriter
import xlwt

from assets.submissions.pulling.pull_bodies import (
    BodyError,
    Expect,
    Gzip,
    Plain,
    check_body,
    declared_digest,
    describe,
)

CSV = "园区,营业收入\n模拟甲园,12.5\n模拟乙园,8\n"


def xlsx() -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        book.add_worksheet().write(0, 0, "模拟甲园")
    return buffer.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def xls(rows: int = 300) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("a")
    for row in range(rows):
        sheet.write(row, 0, f"row {row}")
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def decode(decoder: Gzip | Plain, data: bytes, step: int) -> tuple[bytes, bool]:
    chunks = [data[at : at + step] for at in range(0, len(data), step)]
    return b"".join(piece for chunk in chunks for piece in decoder.feed(chunk)), decoder.finish()


@pytest.mark.parametrize("step", [1, 7, 65536])
@pytest.mark.parametrize(
    "parts", [[b""], [b"a" * 500_000], [b"abc", b"", b"def" * 30_000], [bytes(range(256))] * 9]
)
def test_gzip_members_in_a_row_decode_to_their_joined_content(
    parts: list[bytes], step: int
) -> None:
    packed = b"".join(gzip.compress(part) for part in parts)
    assert decode(Gzip(1_000_000), packed, step) == (b"".join(parts), True)


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 131_072])
def test_gzip_output_that_fills_a_piece_exactly_is_not_lost(size: int) -> None:
    for data in (bytes(size), hashlib.sha256(b"x").digest() * (size // 32)):
        assert decode(Gzip(size), gzip.compress(data), 65536) == (data, True)


def test_gzip_pieces_are_small_whatever_the_ratio() -> None:
    pieces = [len(piece) for piece in Gzip(10**8).feed(gzip.compress(bytes(5_000_000)))]
    assert max(pieces) <= 65_536
    assert sum(pieces) == 5_000_000


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda z: z[:-1], "gzip_damaged"),
        (lambda z: z[:-8], "gzip_damaged"),
        (lambda z: z[:12], "gzip_damaged"),
        (lambda z: z[:-8] + b"\1\2\3\4" + z[-4:], "gzip_damaged"),
        (lambda z: z[:-4] + b"\1\2\3\4", "gzip_damaged"),
        (lambda z: z + z[:-1], "gzip_damaged"),
        (lambda z: z + b"junk", "gzip_damaged"),
        (lambda _: b"not gzip at all", "gzip_damaged"),
        (lambda z: z * 3, "too_large"),
    ],
)
def test_gzip_damage(damage: object, code: str) -> None:
    with pytest.raises(BodyError) as refused:
        decode(Gzip(2500), damage(gzip.compress(b"a1" * 500)), 64)  # type: ignore[operator]
    assert refused.value.code == code


def test_the_cap_counts_every_byte() -> None:
    assert decode(Plain(10), b"0123456789", 3) == (b"0123456789", False)
    with pytest.raises(BodyError, match="too_large"):
        decode(Plain(9), b"0123456789", 3)
    assert decode(Gzip(10), gzip.compress(b"0123456789"), 3)[0] == b"0123456789"
    with pytest.raises(BodyError, match="too_large"):
        decode(Gzip(9), gzip.compress(b"0123456789"), 3)


SHA = hashlib.sha256(b"x").digest()
SHA64 = base64.b64encode(SHA).decode()
SHA512 = base64.b64encode(hashlib.sha512(b"x").digest()).decode()
MD5 = base64.b64encode(hashlib.md5(b"x", usedforsecurity=False).digest()).decode()


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"repr-digest": f"sha-256=:{SHA64}:"}, ("sha256", SHA)),
        ({"content-digest": f"unixsum=:AAAA:, sha-256=:{SHA64}:"}, ("sha256", SHA)),
        ({"digest": f"SHA-256={SHA64}"}, ("sha256", SHA)),
        ({"digest": f"sha-512={SHA512}"}, ("sha512", hashlib.sha512(b"x").digest())),
        ({"content-md5": MD5}, ("md5", hashlib.md5(b"x", usedforsecurity=False).digest())),
        ({"repr-digest": "sha-256=:AAAA:"}, None),
        ({"repr-digest": "sha-256=:!!!!:"}, None),
        ({"repr-digest": f"xsha-256=:{SHA64}:"}, None),
        ({"content-md5": SHA64}, None),
        ({"content-md5": "not base64"}, None),
    ],
)
def test_declared_digests(headers: dict[str, str], expected: tuple[str, bytes] | None) -> None:
    assert declared_digest(headers) == expected


WORKBOOK_PARTS = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}
SPREADSHEETML = b"""<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:\
spreadsheet"><Worksheet/></Workbook>"""
PAGE = "<html><table>" + "<tr><td>1</td><td>-2,5%</td></tr>" * 3 + "</table></html>"


@pytest.mark.parametrize(
    ("data", "expect", "extension"),
    [
        (xlsx(), "workbook", "xlsx"),
        (xlsx() + b"\r\n", "workbook", "xlsx"),
        (zipped(WORKBOOK_PARTS), "workbook", "xlsx"),
        (zipped(WORKBOOK_PARTS | {"xl/vbaProject.bin": b"x"}), "workbook", "xlsm"),
        (zipped({"[Content_Types].xml": b"", "xl/workbook.bin": b""}), "workbook", "xlsb"),
        (zipped({"[Content_Types].xml": b"", "xl\\workbook.xml": b""}), "workbook", "xlsx"),
        (zipped({
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"",
        }), "workbook", "ods"),
        (xls(), "workbook", "xls"),
        (SPREADSHEETML, "workbook", "xml"),
        (CSV.encode(), "csv", "csv"),
        (CSV.encode("gb18030"), "csv", "csv"),
        (CSV.encode("utf-8-sig"), "csv", "csv"),
        (CSV.encode("utf-16"), "csv", "csv"),
        (CSV.replace(",", "\t").encode(), "csv", "csv"),
        (CSV.replace(",", ";").encode(), "any", "csv"),
        (("月报表\n单位：万元\n" + CSV * 3).encode(), "csv", "csv"),
        ('a,b\n"行一\n行二\n行三\n行四",2\n'.encode(), "csv", "csv"),
        (PAGE.encode("gbk"), "any", "html"),
        (xls(), "any", "xls"),
    ],
)  # fmt: skip
def test_good_bodies(data: bytes, expect: Expect, extension: str) -> None:
    assert check_body(data, expect, end_proven=True).extension == extension


@pytest.mark.parametrize(
    ("data", "expect", "code"),
    [
        (b"", "any", "empty_body"),
        (b"\xef\xbb\xbf\r\n\r\n", "any", "empty_body"),
        (bytes(5000), "any", "empty_body"),
        (CSV.encode(), "workbook", "not_expected_type"),
        (xlsx(), "csv", "not_expected_type"),
        (PAGE.encode(), "workbook", "not_expected_type"),
        (PAGE.encode(), "csv", "not_expected_type"),
        (zipped({"a.txt": b"x"}), "any", "not_expected_type"),
        (zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b""}),
            "any", "not_expected_type"),
        (zipped(WORKBOOK_PARTS)[:-1], "workbook", "container_damaged"),
        (xlsx() + xlsx()[:500], "workbook", "container_damaged"),
        (xlsx() + b"<br/>Warning: line 5", "workbook", "container_damaged"),
        (zipped(WORKBOOK_PARTS | {"x": bytes(2_000_000)}), "workbook", "too_large"),
        (xls()[:-1], "workbook", "container_damaged"),
        (xls()[:513], "workbook", "container_damaged"),
        (xls()[:100], "workbook", "container_damaged"),
        (SPREADSHEETML[:-12], "workbook", "container_damaged"),
        (b"<?xml version='1.0'?><data/>", "any", "not_expected_type"),
        (b"one line of text, with 1 comma", "csv", "not_expected_type"),
        (b"words\nand words\n", "csv", "not_expected_type"),
        (b'{"a": 1,\n"b": 2,\n"c": 3}', "csv", "not_expected_type"),
        (CSV.encode() + b"\xff\xff", "csv", "not_expected_type"),
        (CSV.encode("gb18030")[:-5] + b"\x81", "csv", "not_expected_type"),
        (b"a,b\n1,2\n\x00\n", "csv", "not_expected_type"),
        (hashlib.sha512(b"x").digest() * 50, "any", "not_expected_type"),
        (b"\x1f\x8b" + bytes(range(200)), "any", "not_expected_type"),
    ],
)  # fmt: skip
def test_bad_bodies(data: bytes, expect: Expect, code: str) -> None:
    with pytest.raises(BodyError) as refused:
        check_body(data, expect, end_proven=True)
    assert refused.value.code == code
    assert refused.value.found


@pytest.mark.parametrize(
    ("data", "expect", "passes"),
    [
        (xlsx(), "workbook", True),
        (xls(), "workbook", True),
        (SPREADSHEETML, "workbook", True),
        (PAGE.encode(), "any", True),
        (PAGE.encode()[:-8], "any", False),
        (CSV.encode(), "csv", False),
    ],
)
def test_without_proof_by_the_exchange_the_format_must_have_an_end(
    data: bytes, expect: Expect, passes: bool
) -> None:
    check_body(data, expect, end_proven=True)
    if passes:
        check_body(data, expect, end_proven=False)
    else:
        with pytest.raises(BodyError, match="end_not_proven"):
            check_body(data, expect, end_proven=False)


def test_an_xls_whose_last_sector_leaves_only_its_padding_out_is_whole() -> None:
    """[MS-CFB]: some writers stop after the last byte of the last stream."""
    data = bytearray(_compound(stream=5000))
    short = bytes(data[: 512 + 3 * 512 + 5000])
    assert check_body(short, "workbook", end_proven=False).extension == "xls"
    with pytest.raises(BodyError, match="container_damaged"):
        check_body(short[:-1], "workbook", end_proven=True)


def _compound(*, stream: int) -> bytes:
    """A compound file: table, directory, one spare sector, then a stream named Workbook last."""
    sectors = -(-stream // 512)
    end, free, table_mark = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    table = [table_mark, end, end, *range(4, 3 + sectors), end]
    table += [free] * (128 - len(table))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H", 62, 3, 0xFFFE, 9, 6)
    head += bytes(10) + struct.pack("<8L", 1, 1, 0, 4096, end, 0, end, 0)[:32]
    head = head.ljust(76, b"\0")[:76]
    head += struct.pack("<109L", 0, *[free] * 108)
    entries = _entry("Root Entry", 5, child=1, start=end, size=0)
    entries += _entry("Workbook", 2, child=free, start=3, size=stream) + bytes(256)
    body = struct.pack("<128L", *table) + entries + bytes(512)
    return head + body + bytes(sectors * 512)


def _entry(name: str, kind: int, *, child: int, start: int, size: int) -> bytes:
    free = 0xFFFFFFFF
    text = (name + "\0").encode("utf-16-le")
    packed = text.ljust(64, b"\0") + struct.pack("<HBB3L", len(text), kind, 1, free, free, child)
    return packed + bytes(36) + struct.pack("<LQ", start, size)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"<html><title>  \xc7\xeb\xb5\xc7\xc2\xbc </title>", "请登录"),
        ("<html><title>a&lt;b\u202e\x07</title>".encode(), "a<b"),
        (b"%PDF-1.4", "PDF"),
        (b"plain words", "plain words"),
        (b"\xff\xfe\x00", "无法识别"),
    ],
)
def test_descriptions_are_short_and_printable(data: bytes, says: str) -> None:
    text = describe(data)
    assert says in text
    assert text.isprintable()
    assert len(text) < 120


def test_hostile_pages_do_not_take_long() -> None:
    """Nested quantifiers over a megabyte would not return within the test run."""
    for piece in (b"<td>", b"<td><b>", b"<!--", b"<title", b"http-equiv =  ", b"1,", b"&nbsp;"):
        with pytest.raises(BodyError):
            check_body(b"<html>" + piece * (900_000 // len(piece)), "any", end_proven=True)
