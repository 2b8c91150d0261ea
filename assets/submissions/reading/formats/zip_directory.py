"""The directory of a zip container, read and judged before anything is unpacked.

Belongs here: member names, sizes, ratios, overlaps; unpacking one member in bounded pieces.
Does not belong here: what a member means (scan_ooxml, read_ods). Nothing is ever written to disk.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from assets.submissions.reading.limits import MIB, Limits
from assets.submissions.reading.rejections import refuse

_END = b"PK\x05\x06"
_END64_LOCATOR = b"PK\x06\x07"
_END64 = b"PK\x06\x06"
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_PIECE = 1 << 18
_FULL32 = 0xFFFFFFFF


class Member(NamedTuple):
    """One member: sizes in bytes as the central directory gives them; ``start`` is its data."""

    name: str
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    start: int


Directory = dict[str, Member]
"""Members by name with ``/`` separators, no leading slash and in lower case."""


def read_directory(data: bytes, limits: Limits) -> Directory:
    """Central directory of a zip (APPNOTE 6.3.10, zip64 included), checked against the limits.

    Raises ``Refused``: damaged, too many members, bad or duplicate names, overlaps, encryption,
    unpacked size or ratio above the limits.
    """
    start, end, count, shift = _find_directory(data)
    if count > limits.members:
        raise refuse("zip_too_many_members", f"{count:,} 个内部部件", limits.members)
    directory: Directory = {}
    position = start
    for _ in range(count):
        member, position = _read_entry(data, position, end, shift)
        key = _clean_name(member.name)
        if key in directory:
            raise refuse("zip_duplicate", f"部件“{key[:80]}”出现多次")
        directory[key] = member
    _check_sizes(directory, limits)
    _check_overlap(directory, start)
    return directory


def unpack(data: bytes, member: Member) -> Iterator[bytes]:
    """The member's bytes in pieces; never more than its declared size, checksum verified."""
    if member.method == 0:
        content = data[member.start : member.start + member.size]
        if len(content) != member.size or zlib.crc32(content) != member.crc:
            raise refuse("zip_damaged", f"部件“{member.name[:80]}”校验不符")
        yield content
        return
    yield from _inflate(data, member)


def read_member(data: bytes, member: Member, limits: Limits) -> bytes:
    """A whole member, for parts small enough to hold."""
    if member.size > limits.text_bytes:
        found = f"部件“{member.name[:80]}”解压后 {member.size / MIB:,.0f} MB"
        raise refuse("text_too_large", found, limits.text_bytes // MIB)
    return b"".join(unpack(data, member))


def read_head(data: bytes, member: Member, size: int = 1024) -> bytes:
    """The first bytes of a member; the rest is not unpacked, nothing is verified."""
    if member.method == 0:
        return data[member.start : member.start + min(size, member.size)]
    try:
        packed = data[member.start : member.start + min(member.packed, size)]
        return zlib.decompressobj(-15).decompress(packed, size)
    except zlib.error:
        raise refuse("zip_damaged", f"部件“{member.name[:80]}”无法解压") from None


def _inflate(data: bytes, member: Member) -> Iterator[bytes]:
    decoder = zlib.decompressobj(-15)
    rest: bytes | memoryview = memoryview(data)[member.start : member.start + member.packed]
    crc = done = 0
    try:
        while not decoder.eof:
            # one byte more than declared is allowed out, so that a lie about the size shows
            piece = decoder.decompress(rest, min(_PIECE, member.size - done + 1))
            rest = decoder.unconsumed_tail
            if not piece:
                break
            done += len(piece)
            if done > member.size:
                raise refuse("zip_damaged", f"部件“{member.name[:80]}”实际大小与目录不符")
            crc = zlib.crc32(piece, crc)
            yield piece
    except zlib.error:
        raise refuse("zip_damaged", f"部件“{member.name[:80]}”无法解压") from None
    if done != member.size or crc != member.crc:
        raise refuse("zip_damaged", f"部件“{member.name[:80]}”校验不符")


def _find_directory(data: bytes) -> tuple[int, int, int, int]:
    """Start and end of the central directory, member count, shift of offsets by a prefix."""
    end = data.rfind(_END, max(0, len(data) - 65_557))
    if end < 0 or end + 22 > len(data):
        raise refuse("zip_damaged", "找不到压缩包目录，文件可能没有传输完整")
    disk, _, _, count, size, offset = struct.unpack_from("<4H2I", data, end + 4)
    tail = end
    if count == 0xFFFF or _FULL32 in (size, offset):
        tail, count, size, offset = _read_zip64_end(data, end)
    start = tail - size
    shift = start - offset
    if disk not in (0, 0xFFFF) or start < 0 or shift < 0:
        raise refuse("zip_damaged", "压缩包目录位置不符")
    return start, tail, count, shift


def _read_zip64_end(data: bytes, end: int) -> tuple[int, int, int, int]:
    locator = end - 20
    if locator < 0 or data[locator : locator + 4] != _END64_LOCATOR:
        raise refuse("zip_damaged", "压缩包目录不完整")
    (position,) = struct.unpack_from("<Q", data, locator + 8)
    if position + 56 > locator or data[position : position + 4] != _END64:
        raise refuse("zip_damaged", "压缩包目录不完整")
    count, size, offset = struct.unpack_from("<3Q", data, position + 32)
    return position, count, size, offset


def _read_entry(data: bytes, position: int, end: int, shift: int) -> tuple[Member, int]:
    if position + 46 > end:
        raise refuse("zip_damaged", "压缩包目录不完整")
    fields = _CENTRAL.unpack_from(data, position)
    signature, _, _, flags, method, _, _, crc, packed, size = fields[:10]
    name_size, extra_size, comment_size = fields[10:13]
    offset = fields[16]
    names = position + 46
    if signature != b"PK\x01\x02" or names + name_size > end:
        raise refuse("zip_damaged", "压缩包目录不完整")
    name = data[names : names + name_size].decode(
        "utf-8" if flags & 0x800 else "latin-1", "replace"
    )
    if _FULL32 in (packed, size, offset):
        extra = data[names + name_size : names + name_size + extra_size]
        packed, size, offset = _zip64_sizes(extra, packed, size, offset)
    if flags & 1:
        raise refuse("encrypted", f"压缩包部件“{name[:80]}”带有密码")
    if method not in (0, 8):
        raise refuse("zip_method", f"部件“{name[:80]}”的压缩方法编号为 {method}")
    start = _data_start(data, offset + shift, name)
    member = Member(name, method, crc, packed, size, offset + shift, start)
    return member, names + name_size + extra_size + comment_size


def _zip64_sizes(extra: bytes, packed: int, size: int, offset: int) -> tuple[int, int, int]:
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        if kind == 1:
            values = list(extra[position + 4 : position + 4 + length])
            numbers = iter(
                int.from_bytes(bytes(values[i : i + 8]), "little") for i in range(0, length, 8)
            )
            size = next(numbers, size) if size == _FULL32 else size
            packed = next(numbers, packed) if packed == _FULL32 else packed
            offset = next(numbers, offset) if offset == _FULL32 else offset
            break
        position += 4 + length
    return packed, size, offset


def _data_start(data: bytes, offset: int, name: str) -> int:
    if offset + 30 > len(data) or data[offset : offset + 4] != b"PK\x03\x04":
        raise refuse("zip_damaged", f"部件“{name[:80]}”的位置不符")
    name_size, extra_size = struct.unpack_from("<2H", data, offset + 26)
    return int(offset + 30 + name_size + extra_size)


@lru_cache(maxsize=1024)  # the parts of workbooks have the same few names
def _clean_name(name: str) -> str:
    """Comparable name. Backslashes and a leading slash occur in files of odd but honest writers."""
    clean = name.replace("\\", "/").lstrip("/").lower()
    if "\0" in clean or ".." in clean.split("/") or clean[1:2] == ":" or len(clean) > 512:
        raise refuse("zip_bad_name", f"部件名称“{name[:80]!r}”")
    return clean


def _check_sizes(directory: Directory, limits: Limits) -> None:
    total = 0
    for member in directory.values():
        total += member.size
        if member.size > limits.ratio_from and member.size > limits.ratio * max(member.packed, 1):
            found = f"部件“{member.name[:80]}”压缩比 {member.size // max(member.packed, 1):,}:1"
            raise refuse("zip_ratio", found, limits.ratio)
    if total > limits.unpacked_bytes:
        limit = limits.unpacked_bytes // MIB
        raise refuse("zip_too_large", f"解压后 {total / MIB:,.0f} MB", limit)


def _check_overlap(directory: Directory, directory_start: int) -> None:
    """Members that share bytes make a small file unpack without end (Fifield 2019)."""
    previous = 0
    for member in sorted(directory.values(), key=lambda m: m.offset):
        if member.offset < previous:
            raise refuse("zip_overlap", f"部件“{member.name[:80]}”与其他部件重叠")
        previous = member.start + member.packed
    if previous > directory_start:
        raise refuse("zip_damaged", "部件数据不完整")
