"""Whether a file calls itself a correction (更正件), and the how-many-th.

Belongs here: the words by which a file name says so. Does not belong here: which delivery a
correction belongs to or which one counts (``warehouse/sql/submissions__versions.sql``).
"""

from __future__ import annotations

import re
from pathlib import PurePath

from assets.submissions.values.characters import fold
from assets.submissions.values.numerals import read_numeral

_WORD = r"(?:更正|订正|勘误|修正|修改|改正|补正|修订)(?:稿|版|件|后|表|数据)?"
_TIMES = r"(\d{1,2}|[一二三四五六七八九十]{1,2})"
_PATTERNS = (
    re.compile(rf"第?{_TIMES}次{_WORD}"),
    re.compile(rf"{_WORD}[\s_\-]*\(?第{_TIMES}(?:次|稿|版)"),
    re.compile(rf"{_WORD}[\s_\-]*{_TIMES}(?:次|稿|版)?(?![\d年月日.])"),
    re.compile(_WORD),
)
_NOT_OF_THE_FILE = re.compile(r"(?:修订|修改|更正)(?:的|了)?(?:制度|办法|口径|方案|目录|说明|通知)")


def revision_of(file_name: str) -> int:
    """0 for an original, 1 for 更正 (修正, 修改稿, 订正 …), n for 第n次更正 or 更正n.

    Only words count: ``(1)``, ``(2)`` and ``副本`` are left by mail programs and desktops and say
    nothing about the content.
    """
    stem = fold(PurePath(file_name).stem)
    stem = _NOT_OF_THE_FILE.sub("", stem)
    for pattern in _PATTERNS:
        match = pattern.search(stem)
        if match is not None:
            return max(1, _number(match[1])) if match.groups() else 1
    return 0


def _number(text: str) -> int:
    value = read_numeral(text)
    return int(text) if text.isdigit() else int(value or 1)
