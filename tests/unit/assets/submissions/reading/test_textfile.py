"""Text files: strict decoding in a fixed order, delimiter by rule, ragged rows kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assets.submissions.reading.limits import DEFAULT_LIMITS
from assets.submissions.reading.rejections import Refused
from assets.submissions.reading.textfile import decode, find_delimiter, read_text

CHINESE = "园区名称,工业总产值（万元）\r\n渭北经济技术开发区,41954.56\r\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (CHINESE.encode(), "utf-8"),
        (CHINESE.encode("utf-8-sig"), "utf-8"),
        (CHINESE.encode("gbk"), "gb18030"),
        (CHINESE.encode("gb2312"), "gb18030"),
        ((CHINESE + "㐂𠮷").encode("gb18030"), "gb18030"),
        (b"\xff\xfe" + CHINESE.encode("utf-16-le"), "utf-16-le"),
        (b"\xfe\xff" + CHINESE.encode("utf-16-be"), "utf-16-be"),
        (b"\xff\xfe\0\0" + CHINESE.encode("utf-32-le"), "utf-32-le"),
        (b"park,value\r\n", "utf-8"),
        ("岚".encode("gbk"), "gb18030"),
        ("联通".encode("gbk"), "gb18030"),
    ],
)
def test_decoding_order(data: bytes, encoding: str) -> None:
    decoded = decode(data)
    assert decoded.encoding == encoding
    assert not decoded.text.startswith("\ufeff")
    if len(data) > 20 and b"park" not in data:
        assert decoded.text.startswith(CHINESE)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (CHINESE.encode() + CHINESE.encode("gbk"), "encoding_mixed"),
        (CHINESE.encode("utf-8-sig") + CHINESE.encode("gbk"), "encoding_mixed"),
        (CHINESE.encode()[:10], "encoding_mixed"),
        (("渭北经济技术开发区" * 3).encode()[:-1], "encoding_mixed"),
        (b"\xff\xfea", "encoding_mixed"),
        (b"a,b\0", "binary_text"),
        (CHINESE.encode("utf-16-le"), "binary_text"),
        (b"caf\xe9\n1,2\n", "encoding_unknown"),
        (b"a\xff\xff\n", "encoding_unknown"),
        (b"\x84\x31\xa5\x30\n", "encoding_unknown"),
    ],
)
def test_what_cannot_be_decoded_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        decode(data)
    assert refused.value.rejected.code == code


def test_refusal_names_line_and_bytes() -> None:
    with pytest.raises(Refused) as refused:
        decode(b"a,b\r\n1,caf\xe9\n")
    assert "第 2 行" in refused.value.rejected.found
    assert "E9" in refused.value.rejected.found


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a\tb\n1\t2\n", "\t"),
        ("a;b\n1,5;2,5\n", ";"),
        ("a|b\n1|2\n", "|"),
        ("园区\t产值\n甲\t1,234.5\n乙\t2,345.6\n", "\t"),
        ("标题，含，全角逗号\n园区,产值\n甲,1\n", ","),
        ("表一;二\na,b\n1,2\n", ","),
        ('a,b\n"1;2;3",2\n"4;5;6",3\n', ","),
        ('"a,b"\t1\n"c,d"\t2\n', "\t"),
        ("只有一列\n甲\n", None),
        ("", None),
        ("sep=;\na;b\n", ";"),
        ("sep=,\na;b,c\n", ","),
    ],
)
def test_delimiter_by_rule(text: str, delimiter: str | None) -> None:
    assert find_delimiter(text) == delimiter


@pytest.mark.parametrize(
    ("text", "kind", "rows"),
    [
        ("a,b\r\n1,\r\n\r\n,2\r\n", "csv", [["a", "b"], ["1"], [], [None, "2"]]),
        ("a\tb\n1\t2\t3\n", "tsv", [["a", "b"], ["1", "2", "3"]]),
        ("甲\n乙\n", "txt", [["甲"], ["乙"]]),
        ('a,"x\ny"\n1,"say ""hi"""\n', "csv", [["a", "x\ny"], ["1", 'say "hi"']]),
        ('"a"b,c\n1,2\n', "csv", [["ab", "c"], ["1", "2"]]),
        ('="00123",="x",=1\n1,2,3\n', "csv", [["00123", "x", "=1"], ["1", "2", "3"]]),
        ("sep=;\na;b\n", "csv", [["a", "b"]]),
        ("a,b\r1,2\r", "csv", [["a", "b"], ["1", "2"]]),
        ("a, b \n-,—\n", "csv", [["a", " b "], ["-", "—"]]),
        ("a,b\n1,2\n\n,,\n", "csv", [["a", "b"], ["1", "2"]]),
        ("=cmd|' /c calc'!A1,1\n", "csv", [["=cmd|' /c calc'!A1", "1"]]),
    ],
)
def test_rows_are_kept_as_they_are(text: str, kind: str, rows: list[list[str | None]]) -> None:
    book = read_text(text.encode())
    assert book.format == kind
    assert book.sheets[0].rows == rows
    assert book.notices == ()


def test_unclosed_quote_does_not_swallow_the_rest() -> None:
    book = read_text('名称,值\n"甲园,1\n乙园,2\n'.encode())
    assert book.sheets[0].rows == [["名称", "值"], ['"甲园', "1"], ["乙园", "2"]]
    assert [notice.code for notice in book.notices] == ["unbalanced_quotes"]


@pytest.mark.parametrize(
    ("data", "limits", "code"),
    [
        (b"1,2\n3,4\n", {"cells": 3}, "too_many_cells"),
        (b"1\n" * 10 + b"1,2,3\n", {"box": 30}, "box_too_large"),
        (b"abcdef,1\n", {"field_chars": 5}, "field_too_long"),
        (b"abcdef,1\n", {"text_bytes": 5}, "text_too_large"),
        (b"\n \n,\n", {}, "csv"),
        (b"\n,,\n", {}, "empty_file"),
    ],
)
def test_limits(data: bytes, limits: dict[str, int], code: str) -> None:
    try:
        outcome = read_text(data, replace(DEFAULT_LIMITS, **limits)).format
    except Refused as refused:
        outcome = refused.rejected.code
    assert outcome == code
