"""The characters of Chinese office files, folded to one writing each.

Belongs here: the tables for full-width forms, spaces, invisible marks and dashes that numbers,
units and periods share. Tables, not Unicode normalisation: NFKC turns ``10²`` into ``102``.
Does not belong here: what any character means.
"""

from __future__ import annotations

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_SPACES = dict.fromkeys(
    (*b"\t\n\v\f\r", 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F,
     0x3000),
    " ",
)  # fmt: skip
# zero-width marks and soft hyphens come with copied text; direction overrides do not belong here,
# because they change what a person sees
_INVISIBLE = (0x00AD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF)
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−─━﹣﹘"), "-")

_FOLD: dict[int, int | str | None] = {**_FULL_WIDTH, **_SPACES, **dict.fromkeys(_INVISIBLE, None)}
_FOLD_IN_PLACE: dict[int, int | str] = {**_FULL_WIDTH, **_SPACES, **dict.fromkeys(_INVISIBLE, " ")}


def fold(text: str) -> str:
    """Full-width to ASCII, spaces to one kind, invisible marks dropped, ends stripped."""
    return text.translate(_FOLD).strip()


def fold_in_place(text: str) -> str:
    """As `fold`, but one character for one character: positions still fit the original text."""
    return text.translate(_FOLD_IN_PLACE)


def fold_dashes(text: str) -> str:
    """Every dash and minus sign as ``-``; one character for one character."""
    return text.translate(_DASHES)


def squeeze(text: str) -> str:
    """`fold`, and every space inside dropped: how symbols and units are looked up."""
    return fold(text).replace(" ", "")
