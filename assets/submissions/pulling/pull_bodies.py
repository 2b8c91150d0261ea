"""Whether a fetched body is whole, and whether it is the kind of file the source promised.

Belongs here: bounded gzip decoding with its trailer checked, digests a server declares, end marks
and check sums of containers, and the look that tells a workbook or CSV from a login page. Pure:
bytes in, facts out. Does not belong here: the exchange (``pull``), or reading cells (the readers,
which still treat every file as hostile).
"""

from __future__ import annotations

import base64
import binascii
import codecs
import csv
import hashlib
import html
import io
import itertools
import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from assets.submissions.reading.formats.zip_directory import read_directory, unpack
from assets.submissions.reading.limits import DEFAULT_LIMITS
from assets.submissions.reading.rejections import Refused

Expect = Literal["workbook", "csv", "any"]

PIECE = 64 * 1024
MAX_GZIP_MEMBERS = 20_000
SNIFFED = 1_000_000
"""Bytes looked at to tell kinds of text apart; integrity checks read everything."""

_GZIP = zlib.MAX_WBITS | 16
_FREE = 0xFFFFFFFF
_SPECIAL_SECTORS = 0xFFFFFFFA

EXPECT_ZH: dict[Expect, str] = {
    "workbook": "完整的电子表格（xlsx、xls、xlsb、ods）",
    "csv": "完整的 CSV 表格",
    "any": "完整的电子表格、CSV 或数据表网页",
}


class BodyError(Exception):
    """A body that must not be stored as good. ``found`` is Chinese, for the bureau.

    ``code``: ``too_large``, ``gzip_damaged``, ``empty_body``, ``container_damaged``,
    ``not_expected_type`` or ``end_not_proven``.
    """

    def __init__(self, code: str, found: str) -> None:
        super().__init__(f"{code}: {found}")
        self.code = code
        self.found = found


@dataclass(frozen=True, slots=True)
class Kind:
    """What the bytes are: the file name extension to use, and whether the end of the file is
    proven by the format itself (so that a body without announced length can be trusted)."""

    extension: str
    end_proven: bool


class Plain:
    """A body without content coding."""

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Passes bytes on until the cap; raises ``BodyError('too_large')`` beyond it."""
        self._left -= len(chunk)
        if self._left < 0:
            raise BodyError("too_large", "正文超过大小上限")
        yield chunk

    def finish(self) -> bool:
        """Nothing in the bytes says that this is the end."""
        return False


class Gzip:
    """RFC 1952 decoder: members in a row, every CRC and length checked, output capped.

    zlib checks CRC-32 and ISIZE of a member when it reaches the trailer; that it *was* reached is
    what ``finish`` checks. Output is produced in pieces, so a bomb never exists in memory.
    """

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes
        self._member = zlib.decompressobj(_GZIP)
        self._members = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Decoded pieces of at most 64 KiB; raises ``BodyError``."""
        while chunk:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
                self._members += 1
            for piece in _inflate(self._member, chunk):
                self._left -= len(piece)
                if self._left < 0 or self._members > MAX_GZIP_MEMBERS:
                    raise BodyError("too_large", "解压后超过大小上限")
                yield piece
            chunk = self._member.unused_data

    def finish(self) -> bool:
        """True: the trailer of the last member was there and right. Raises ``BodyError``."""
        if not self._member.eof:
            raise BodyError("gzip_damaged", "压缩正文不完整，缺少结尾校验")
        return True


def _inflate(member: zlib._Decompress, chunk: bytes) -> Iterator[bytes]:
    """Output of one input chunk in pieces of at most 64 KiB, up to the end of the member."""
    while True:
        try:
            piece = member.decompress(chunk, PIECE)
        except zlib.error:
            raise BodyError("gzip_damaged", "压缩数据损坏，校验不符") from None
        yield piece
        chunk = member.unconsumed_tail
        if member.eof or not (chunk or len(piece) == PIECE):
            return


def declared_digest(headers: Mapping[str, str]) -> tuple[str, bytes] | None:
    """Digest of the body as sent, if the server declares one we can compute.

    ``Repr-Digest``/``Content-Digest`` (RFC 9530), ``Digest`` (RFC 3230), ``Content-MD5``
    (RFC 1864) → (hashlib name, value). Header names in lower case. A malformed one is ignored.
    """
    for name in ("repr-digest", "content-digest", "digest"):
        pattern = r"(?i)(?:^|[\s,])(sha-512|sha-256)=:?([A-Za-z0-9+/]+={0,2}):?"
        for algorithm, text in re.findall(pattern, headers.get(name, "")):
            hash_name, value = algorithm.lower().replace("-", ""), _base64(text)
            if value is not None and len(value) == hashlib.new(hash_name).digest_size:
                return hash_name, value
    value = _base64(headers.get("content-md5", "").strip())
    return ("md5", value) if value is not None and len(value) == 16 else None


def check_body(data: bytes, expect: Expect, *, end_proven: bool) -> Kind:
    """The kind of a body that is whole and of the promised type; raises ``BodyError``.

    ``end_proven``: the exchange itself proved completeness (length, chunk end, gzip trailer or
    digest). Without it only a format with an end mark of its own is accepted.
    """
    if not data.strip(b"\x00\t\r\n \xef\xbb\xbf"):
        raise BodyError("empty_body", f"正文为空（{len(data)} 字节）")
    kind = _binary_kind(data) or _text_kind(data)
    if kind is None or not _is_expected(kind, expect):
        raise BodyError("not_expected_type", describe(data))
    if not (end_proven or kind.end_proven):
        raise BodyError("end_not_proven", "服务器没有给出长度或校验值，文件本身也没有结束标记")
    return kind


def describe(data: bytes) -> str:
    """One Chinese phrase saying what a body looks like, for a refusal."""
    for magic, name in _MAGICS:
        if data.startswith(magic):
            return name
    text = _sniff_text(data)
    if text is None:
        return f"无法识别的内容（{len(data)} 字节）"
    if _looks_html(text):
        return _describe_page(text)
    start = re.sub(r"\s+", " ", "".join(c for c in text[:400] if c.isprintable() or c.isspace()))
    return f"文字内容，开头是“{start.strip()[:40]}”"


_MAGICS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "压缩包，但里面不是电子表格"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Office 97 格式文件，但里面不是电子表格"),
    (b"%PDF", "PDF 文件"),
    (b"\x89PNG", "图片（PNG），可能是验证码"),
    (b"\xff\xd8\xff", "图片（JPEG），可能是验证码"),
    (b"GIF8", "图片（GIF），可能是验证码"),
    (b"Rar!", "RAR 压缩包"),
    (b"7z\xbc\xaf", "7z 压缩包"),
    (b"\x1f\x8b", "gzip 压缩文件"),
)


# --- binary containers -----------------------------------------------------------------------


def _binary_kind(data: bytes) -> Kind | None:
    if data.startswith(b"PK\x03\x04"):
        return _zip_kind(data)
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _ole_kind(data)
    return None


def _zip_kind(data: bytes) -> Kind | None:
    """Kind of a zip whose directory and every member's check sum are right."""
    try:
        directory = read_directory(data, DEFAULT_LIMITS)
        for member in directory.values():
            for _ in unpack(data, member):
                pass
    except Refused as refused:
        too_large = refused.rejected.code in ("zip_too_large", "zip_ratio")
        code = "too_large" if too_large else "container_damaged"
        raise BodyError(code, f"{refused.rejected.message}：{refused.rejected.found}") from None
    _check_zip_end(data)
    last_parts = {name.rpartition("/")[2] for name in directory}
    if "[content_types].xml" in directory and "workbook.bin" in last_parts:
        return Kind("xlsb", True)
    if "[content_types].xml" in directory and "workbook.xml" in last_parts:
        return Kind("xlsm" if "vbaproject.bin" in last_parts else "xlsx", True)
    if "content.xml" in directory and "mimetype" in directory:
        media_type = next(unpack(data, directory["mimetype"]), b"")
        return Kind("ods", True) if b"opendocument.spreadsheet" in media_type else None
    return None


def _check_zip_end(data: bytes) -> None:
    """Nothing but blank space after the end record (web programs like to add a line break)."""
    end = data.rfind(b"PK\x05\x06")
    after = end + 22 + struct.unpack_from("<H", data, end + 20)[0]
    if after > len(data) or data[after:].strip():
        raise _damaged("压缩包结尾目录与文件长度不符")


def _ole_kind(data: bytes) -> Kind | None:
    """Kind of a compound file ([MS-CFB]) that holds a workbook and all its sectors."""
    if len(data) < 512:
        raise _damaged("Office 97 文件头不完整")
    shift = struct.unpack_from("<H", data, 30)[0]
    if shift not in (9, 12):
        raise _damaged("Office 97 文件头损坏")
    sector = 1 << shift
    table = _ole_table(data, sector)
    entries = _ole_entries(data, table, sector)
    used = max((n for n, entry in enumerate(table) if entry != _FREE), default=-1)
    if len(data) < (used + 1) * sector + _bytes_needed(used, entries, table, sector):
        raise _damaged("Office 97 文件不完整，缺少末尾的数据")
    names = _ole_root_names(entries)
    if "encryptedpackage" in names:
        return Kind("xlsx", True)
    return Kind("xls", True) if names & {"workbook", "book"} else None


def _ole_table(data: bytes, sector: int) -> list[int]:
    """The sector allocation table ([MS-CFB] 2.3, 2.5): next sector of each sector."""
    places = list(struct.unpack_from("<109L", data, 76))
    following, more = struct.unpack_from("<2L", data, 68)
    if more * sector > len(data):
        raise _damaged("Office 97 文件不完整，分配表在文件之外")
    for _ in range(more):
        *entries, following = struct.unpack(f"<{sector // 4}L", _sector(data, following, sector))
        places += entries
    table: list[int] = []
    for place in dict.fromkeys(place for place in places if place < _SPECIAL_SECTORS):
        table += struct.unpack(f"<{sector // 4}L", _sector(data, place, sector))
    return table


def _ole_entries(data: bytes, table: list[int], sector: int) -> list[bytes]:
    """The directory ([MS-CFB] 2.6): 128 bytes a stream or storage, the root first."""
    entries: list[bytes] = []
    place, seen = struct.unpack_from("<L", data, 48)[0], set[int]()
    while place < len(table) and place not in seen:
        seen.add(place)
        block = _sector(data, place, sector)
        entries += [block[at : at + 128] for at in range(0, sector, 128)]
        place = table[place]
    return entries


def _bytes_needed(used: int, entries: list[bytes], table: list[int], sector: int) -> int:
    """Bytes the last used sector must have: some writers leave the padding of the last one out."""
    before = {following: place for place, following in enumerate(table)}
    first, seen = used, set[int]()
    while first in before and first not in seen:
        seen.add(first)
        first = before[first]
    for entry in entries:
        kind, start, size = struct.unpack_from("<66xB49x2L", entry)
        in_sectors = kind == 5 or (kind == 2 and size >= 4096)
        if in_sectors and size and start == first:
            return int((size - 1) % sector + 1)
    return sector


def _ole_root_names(entries: list[bytes]) -> set[str]:
    """Names directly below the root, lower case; embedded objects lie deeper."""
    names: set[str] = set()
    waiting = [struct.unpack_from("<L", entries[0], 76)[0]] if entries else []
    visited: set[int] = set()
    while waiting:
        number = waiting.pop()
        if number >= len(entries) or number in visited:
            continue
        visited.add(number)
        length, left, right = struct.unpack_from("<64xH2x2L", entries[number])
        names.add(entries[number][: max(0, min(length, 64) - 2)].decode("utf-16-le", "replace"))
        waiting += (left, right)
    return {name.lower() for name in names}


def _sector(data: bytes, number: int, size: int) -> bytes:
    block = data[(number + 1) * size : (number + 2) * size]
    if len(block) != size:
        raise _damaged("Office 97 文件不完整，分配表在文件之外")
    return block


# --- text ------------------------------------------------------------------------------------


def _text_kind(data: bytes) -> Kind | None:
    text = _sniff_text(data)
    if text is None:
        return None
    if _looks_html(text):
        return Kind("html", "</html>" in _tail(data)) if _is_data_page(text) else None
    if text.lstrip().startswith("<?xml"):
        if "urn:schemas-microsoft-com:office:spreadsheet" not in text:
            return None
        if "workbook>" not in _tail(data):
            raise _damaged("XML 电子表格缺少结尾")
        return Kind("xml", True)
    return Kind("csv", False) if _looks_csv(data, text) else None


def _is_expected(kind: Kind, expect: Expect) -> bool:
    if expect == "workbook":
        return kind.extension in ("xlsx", "xlsm", "xlsb", "xls", "ods", "xml")
    return expect == "any" or kind.extension == "csv"


def _sniff_text(data: bytes) -> str | None:
    """The beginning as text by BOM, strict UTF-8, strict GB18030, in this order; else ``None``."""
    start = data[:SNIFFED]
    for name in _encodings(data):
        try:
            text = codecs.getincrementaldecoder(name)("strict").decode(start, len(data) <= SNIFFED)
        except UnicodeDecodeError:
            continue
        return None if "\x00" in text else text
    return None


def _encodings(data: bytes) -> tuple[str, ...]:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    return ("utf-8-sig",) if data.startswith(codecs.BOM_UTF8) else ("utf-8", "gb18030")


def _tail(data: bytes) -> str:
    return data[-800:].replace(b"\x00", b"").decode("ascii", "ignore").lower()


_HTML_START = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*"
    r"<(?:!doctype\s+html|html|head|body|script|meta|title|table|form|div|center|style|iframe)\b",
    re.IGNORECASE | re.DOTALL,
)
_NUMBER_CELL = re.compile(
    r"<t[dh][^>]{0,200}>(?:\s|<[^>]{0,200}>|&nbsp;){0,6}-?[\d,.]{1,30}%?\s{0,6}<", re.IGNORECASE
)
_SCRIPTED = re.compile(
    r"<input|<form|<script|<iframe|http-equiv\s*=\s*[\"']?refresh|window\.location|captcha",
    re.IGNORECASE,
)
_ILL_WORDS = (
    "登录",
    "登陆",
    "验证码",
    "身份认证",
    "系统维护",
    "升级维护",
    "维护中",
    "访问受限",
    "访问被拒绝",
    "无权访问",
    "captcha",
    "login",
    "sign in",
)


def _looks_html(text: str) -> bool:
    return _HTML_START.match(text[:4000].lstrip("\ufeff")) is not None


def _is_data_page(text: str) -> bool:
    """A table saved as a web page: figures in cells, and nothing that asks, runs or redirects."""
    if _SCRIPTED.search(text) or any(word in text.lower() for word in _ILL_WORDS):
        return False
    return len(_NUMBER_CELL.findall(text)) >= 4


def _describe_page(text: str) -> str:
    lower = text.lower()
    word = next((word for word in _ILL_WORDS if word in lower), None)
    title = re.search(r"<title[^>]{0,200}>(.{0,300}?)</title>", text, re.IGNORECASE | re.DOTALL)
    shown = html.unescape(title[1]) if title else ""
    shown = re.sub(r"\s+", " ", "".join(c for c in shown if c.isprintable() or c.isspace())).strip()
    parts = [f"标题“{shown[:40]}”"] if shown else []
    if word:
        parts.append(f"含“{word}”，像是登录页、验证页或维护公告")
    return "网页" + (f"（{'，'.join(parts)}）" if parts else "")


def _looks_csv(data: bytes, text: str) -> bool:
    """Decodable to the last byte, and half the records or more share their width with another.

    A table of figures has a digit somewhere. Short texts that speak of logging in or maintenance
    are notices, whatever their commas.
    """
    if text.lstrip()[:1] in ("{", "[", "<") or not _decodable(data):
        return False
    if len(data) < 4000 and any(word in text.lower() for word in _ILL_WORDS):
        return False
    return any(c.isdigit() for c in text) and any(_regular(text, sep) for sep in ",\t;|")


def _regular(text: str, separator: str) -> bool:
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        widths = Counter(len(row) for row in itertools.islice(rows, 2000) if row)
    except csv.Error:
        return False
    shared = sum(count for width, count in widths.items() if width > 1 and count > 1)
    return shared > 0 and 2 * shared >= widths.total()


def _decodable(data: bytes) -> bool:
    for name in _encodings(data):
        decoder = codecs.getincrementaldecoder(name)("strict")
        try:
            for at in range(0, len(data), SNIFFED):
                decoder.decode(data[at : at + SNIFFED])
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            continue
        return True
    return False


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _damaged(found: str) -> BodyError:
    return BodyError("container_damaged", found)
