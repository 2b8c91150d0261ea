"""The OLE2 compound file that holds an .xls (or an encrypted workbook): its root streams.

Belongs here: header, allocation tables and root directory ([MS-CFB]), with loops and sizes bounded.
Does not belong here: what a stream means (scan_xls), writing.
"""

from __future__ import annotations

import struct
import sys
from array import array
from dataclasses import dataclass

from assets.submissions.reading.rejections import refuse

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LAST_SECTOR = 0xFFFFFFFA  # numbers from here on are marks: free, end of chain, table
_NONE = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """A root-level storage (``is_stream`` false) or stream with its first sector and size."""

    name: str
    is_stream: bool
    start: int
    size: int


class OleContainer:
    """Read-only view of a compound file. Raises ``Refused`` (damaged) for impossible structures."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        if len(data) < 512 or data[:8] != MAGIC:
            raise _damaged("文件头不完整")
        major, _, shift, mini_shift = struct.unpack_from("<4H", data, 26)
        if shift not in (9, 12) or mini_shift != 6 or major not in (3, 4):
            raise _damaged("文件头的版本或扇区大小异常")
        self.sector = 1 << shift
        self.count = max(0, -(-len(data) // self.sector) - 1)
        fat_sectors, root, _, self.cutoff, mini_start, _, difat, _ = struct.unpack_from(
            "<8I", data, 44
        )
        self.fat = self._read_fat(fat_sectors, difat)
        self.entries, root_entry = self._read_root(root)
        self.mini_stream = self._chain(root_entry.start, root_entry.size) if root_entry else b""
        self.mini_fat = (
            _integers(self._chain(mini_start, None)) if mini_start < _LAST_SECTOR else []
        )

    def find(self, *names: str) -> Entry | None:
        """First root entry bearing one of the names, whatever its case."""
        for name in names:
            for entry in self.entries:
                if entry.name.casefold() == name.casefold():
                    return entry
        return None

    def read(self, entry: Entry) -> bytes:
        """A stream's bytes; shorter than declared when the file is cut."""
        if entry.size >= self.cutoff:
            return self._chain(entry.start, entry.size)
        pieces, sector, seen = [], entry.start, 0
        while sector < len(self.mini_fat) and seen * 64 < entry.size:
            pieces.append(self.mini_stream[sector * 64 : sector * 64 + 64])
            sector = self.mini_fat[sector]
            seen += 1
        return b"".join(pieces)[: entry.size]

    def _read_fat(self, fat_sectors: int, difat: int) -> list[int]:
        numbers = list(struct.unpack_from("<109I", self.data, 76))
        seen = 0
        while difat < _LAST_SECTOR and seen <= self.count:
            block = _integers(self._sector_bytes(difat))
            if not block:
                break
            numbers += block[:-1]
            difat = block[-1]
            seen += 1
        used = [n for n in numbers if n < _LAST_SECTOR][: min(fat_sectors, self.count)]
        return _integers(b"".join(self._sector_bytes(n) for n in used))

    def _sector_bytes(self, number: int) -> bytes:
        start = (number + 1) * self.sector
        return self.data[start : start + self.sector]

    def _chain(self, start: int, size: int | None) -> bytes:
        pieces: list[bytes] = []
        sector = start
        wanted = self.count if size is None else min(self.count, -(-size // self.sector))
        while sector < _LAST_SECTOR and len(pieces) < wanted:
            pieces.append(self._sector_bytes(sector))
            sector = self.fat[sector] if sector < len(self.fat) else _NONE
        self._refuse_loop(sector, len(pieces))
        content = b"".join(pieces)
        return content if size is None else content[:size]

    def _refuse_loop(self, sector: int, steps: int) -> None:
        """A chain longer than the file comes back to itself; other readers follow it for ever."""
        while sector < len(self.fat):
            sector = self.fat[sector]
            steps += 1
            if steps > self.count + 1:
                raise _damaged("的扇区链成环")

    def _read_root(self, start: int) -> tuple[list[Entry], Entry | None]:
        """Children of the root storage, by walking its tree; embedded objects stay out of sight."""
        directory = self._chain(start, None)
        if len(directory) < 128:
            raise _damaged("找不到目录")
        root = _entry(directory, 0)
        entries: list[Entry] = []
        seen: set[int] = set()
        todo = [struct.unpack_from("<I", directory, 76)[0]]
        while todo:
            index = todo.pop()
            if index in seen or (index + 1) * 128 > len(directory):
                continue
            seen.add(index)
            entries.append(_entry(directory, index * 128))
            left, right = struct.unpack_from("<2I", directory, index * 128 + 68)
            todo += [left, right]
        return sorted(entries, key=lambda e: e.name), root


def _entry(directory: bytes, at: int) -> Entry:
    (length,) = struct.unpack_from("<H", directory, at + 64)
    name = directory[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
    start, size = struct.unpack_from("<2I", directory, at + 116)
    return Entry(name, directory[at + 66] == 2, start, size)


def _integers(content: bytes) -> list[int]:
    numbers = array("I")
    numbers.frombytes(content[: len(content) // 4 * 4])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()


def _damaged(what: str) -> Exception:
    return refuse("damaged", f"OLE 复合文档{what}")
