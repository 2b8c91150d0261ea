"""Fonts (字体): which families a document uses, where they lie, and whether they have every glyph.

Belongs here: the bundled set, the machine's own official fonts when asked for, the glyph preflight.
Does not belong here: layout (``report_templates/pdf``) or compiling (typeset).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Mode = Literal["bundled", "system"]

BUNDLED: Mapping[str, tuple[str, ...]] = {
    "body": ("Noto Serif SC",),
    "kai": ("Noto Serif SC",),
    "hei": ("Noto Sans SC",),
    "song": ("Noto Serif SC",),
    "title": ("Noto Serif SC",),
}
"""Role → families of the bundled set (OFL). It has no 仿宋, 楷体 or 小标宋: Song stands in."""

PREFERRED: Mapping[str, tuple[str, ...]] = {
    "body": ("FangSong_GB2312", "仿宋_GB2312", "FangSong", "仿宋", "STFangsong", "FandolFang R"),
    "kai": ("KaiTi_GB2312", "楷体_GB2312", "KaiTi", "楷体", "STKaiti", "FandolKai"),
    "hei": ("SimHei", "黑体", "STHeiti", "FandolHei"),
    "song": ("SimSun", "宋体", "STSong", "FandolSong"),
    "title": ("FZXiaoBiaoSong-B05S", "方正小标宋简体", "FZXiaoBiaoSong-B05", "STZhongsong"),
}
"""Role → official families (GB/T 9704-2012, 5.2.2) to take from the machine, best first."""


class MissingGlyphError(ValueError):
    """A character no font of the set can draw; the message names it and where it stands."""


@dataclass(frozen=True, slots=True)
class FontSet:
    """Families by role, each list ending with a bundled family that has the rare characters.

    ``fake_bold`` says that the title face is a regular weight and needs a stroke.
    """

    mode: Mode
    roles: Mapping[str, tuple[str, ...]]
    folder: Path
    files: tuple[Path, ...]
    fake_bold: bool

    def manifest(self) -> dict[str, object]:
        """What the edition's manifest records: mode, families and digests of the bundled files."""
        digests = {path.name: _digest(path) for path in self.files}
        return {"mode": self.mode, "roles": dict(self.roles), "sha256": digests}


def choose(mode: Mode = "bundled") -> FontSet:
    """The bundled set (same bytes everywhere), or the machine's official fonts before it.

    ``system`` is for the print copy: pages may break differently on another machine.
    """
    from pylopdf_fonts_zh_cn import sans_path, serif_path

    files = (serif_path(), sans_path())
    roles = dict(BUNDLED)
    fake_bold = True
    if mode == "system":
        present = _system_families()
        for role, wanted in PREFERRED.items():
            found = next((name for name in wanted if name in present), None)
            if found is not None:
                roles[role] = (found, *BUNDLED[role])
        fake_bold = roles["title"] == BUNDLED["title"]
    return FontSet(mode, roles, files[0].parent, files, fake_bold)


def _system_families() -> frozenset[str]:
    import typst

    fonts = typst.Fonts(include_system_fonts=True, include_embedded_fonts=False)
    return frozenset(fonts.families())


def describe() -> tuple[str, ...]:
    """Families a print copy would find here: the bundled ones, then official ones."""
    bundled = {name for names in BUNDLED.values() for name in names}
    files = choose().files
    present = _system_families()
    official = [next((n for n in names if n in present), None) for names in PREFERRED.values()]
    found = sorted(bundled) if all(path.is_file() for path in files) else []
    return (*found, *(name for name in dict.fromkeys(official) if name))


def preflight(pieces: Iterable[tuple[str, str]], fonts: FontSet) -> None:
    """Check that the set draws every character of ``pieces`` (place, text).

    Only the bundled files are asked: they end every list, so what they have is always printable.
    Raises :class:`MissingGlyphError` naming each missing character with its first place.
    """
    known = _covered(fonts.files)
    missing: dict[str, str] = {}
    for place, text in pieces:
        for character in text:
            if ord(character) not in known and not character.isspace():
                missing.setdefault(character, place)
    if missing:
        listed = "；".join(
            f"“{character}”（U+{ord(character):04X}，{place}）"
            for character, place in sorted(missing.items())
        )
        raise MissingGlyphError(f"所用字体没有下列字形，文件未生成：{listed}")


def covered(fonts: FontSet) -> frozenset[int]:
    """Code points the bundled files of a set can draw."""
    return _covered(fonts.files)


@cache
def _covered(files: tuple[Path, ...]) -> frozenset[int]:
    """Code points that every file draws: a document uses both, Song in text and Hei in headings."""
    from fontTools.ttLib import TTFont

    cmaps = []
    for path in files:
        with TTFont(path, lazy=True) as font:
            cmaps.append(set(font.getBestCmap()))
    return frozenset(set.intersection(*cmaps))


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
