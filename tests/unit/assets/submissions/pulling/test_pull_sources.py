"""Declaration of HTTP sources: limits, names, headers, catalogue entries, and its document."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from assets.submissions.pulling.pull_results import TEXTS, PullState
from assets.submissions.pulling.pull_sources import (
    HttpSource,
    SourceError,
    file_name,
    for_period,
    is_safe_name,
    read_source,
)

DOCUMENT = Path(__file__).resolve().parents[5] / "docs" / "http-sources.md"
PLAIN: dict[str, Any] = {
    "source_id": "sn_portal",
    "url": "https://data.example.cn/a.xlsx",
    "allow_hosts": ("data.example.cn",),
}
NOW = datetime(2020, 7, 12, 23, 30, tzinfo=timezone(timedelta(hours=8)))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("source_id", "../x"), ("source_id", ""), ("source_id", "陕西"),
        ("allow_hosts", ()), ("allow_hosts", ("*.example.cn",)), ("allow_hosts", ("127.1",)),
        ("allow_private", ("10.0.0.8",)), ("allow_private", ("10.0.0.0/8:80",)),
        ("max_bytes", 0), ("max_bytes", 10**12), ("max_bytes", True),
        ("total_seconds", 0), ("total_seconds", 1e9), ("total_seconds", float("nan")),
        ("max_redirects", -1), ("max_redirects", 50), ("recheck_days", -1),
        ("expect", "xlsx"),
        ("file_name_template", "../{sha}"), ("file_name_template", "a/{sha}"),
        ("file_name_template", "a\\{sha}"), ("file_name_template", ".{sha}"),
        ("file_name_template", "{sha.__class__}"), ("file_name_template", "{filename}"),
        ("file_name_template", "{sha"), ("file_name_template", ""),
        ("file_name_template", "con.{ext}"), ("file_name_template", "a\n{ext}"),
        ("file_name_template", "a:{ext}"), ("file_name_template", "{sha}."),
        ("headers", (("Host", "evil.example"),)), ("headers", (("Range", "bytes=0-"),)),
        ("headers", (("accept-encoding", "br"),)), ("headers", (("Transfer-Encoding", "x"),)),
        ("headers", (("If-None-Match", '"x"'),)), ("headers", (("X A", "x"),)),
        ("headers", (("X", "a\r\nHost: b"),)), ("headers", (("X", ""),)),
        ("headers", (("X", "é"),)),
    ],
)  # fmt: skip
def test_a_declaration_that_cannot_be_right_is_refused(field: str, value: object) -> None:
    with pytest.raises(SourceError) as refused:
        HttpSource(**(PLAIN | {field: value}))
    assert field in str(refused.value)
    assert re.search("[\u4e00-\u9fff]", str(refused.value))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{source_id}-{sha}.{ext}", "sn_portal-abababababab.xlsx"),
        ("陕西园区月报-{date}.{ext}", "陕西园区月报-20200712.xlsx"),
        ("月报.xlsx", "月报.xlsx"),
    ],
)
def test_names_come_from_the_declaration(template: str, expected: str) -> None:
    source = HttpSource(**PLAIN, file_name_template=template)
    assert file_name(source, sha256="ab" * 32, extension="xlsx", now=NOW) == expected


def test_a_period_not_filled_in_is_refused() -> None:
    source = HttpSource(**PLAIN, file_name_template="{period}.{ext}")
    with pytest.raises(SourceError):
        file_name(source, sha256="ab" * 32, extension="xlsx", now=NOW)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "a\\b", "/a", "C:a", "a\0b", "a\rb", "nul", "COM1.xlsx", "aux.tar.gz",
     "a ", "a.", "x" * 121, 'a"b', "a|b", "{sha}"],
)  # fmt: skip
def test_unsafe_names(name: str) -> None:
    assert not is_safe_name(name)


def test_a_source_for_one_period() -> None:
    source = HttpSource(
        **(PLAIN | {"url": "https://data.example.cn/{year}/{month}/{period}.xlsx"}),
        file_name_template="{source_id}-{period}.{ext}",
    )
    filled = for_period(source, "2020-06")
    assert filled.url == "https://data.example.cn/2020/06/2020-06.xlsx"
    name = file_name(filled, sha256="0" * 64, extension="xls", now=NOW)
    assert name == "sn_portal-2020-06.xls"
    for period in ("2020-13", "2020-6", "../..", "2020-06\n", ""):
        with pytest.raises(SourceError):
            for_period(source, period)


URL = "https://data.example.cn/a.xlsx"
OPTIONS: dict[str, Any] = {"allow_hosts": ["data.example.cn"]}


def test_a_catalogue_entry(tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text("from a file\n")
    options = OPTIONS | {
        "ca_file": "ca.pem",
        "headers": {"X-A": "plain", "X-B": {"env": "TOKEN"}, "X-C": {"file": "key.txt"}},
        "total_seconds": 30,
    }
    environ = {"TOKEN": "from the environment"}
    source = read_source("sn_portal", URL, options, environ=environ, folder=tmp_path)
    assert (source.source_id, source.url) == ("sn_portal", URL)
    assert source.headers == (
        ("X-A", "plain"),
        ("X-B", "from the environment"),
        ("X-C", "from a file"),
    )
    assert source.ca_file == str(tmp_path / "ca.pem")
    assert source.allow_hosts == ("data.example.cn",)
    assert "from a" not in repr(source)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"verify": False}, "verify"),
        ({"url": URL}, "url"),
        ({"ca_file": None}, "ca_file"),
        ({"expect": 5}, "expect"),
        ({"allow_hosts": "data.example.cn"}, "allow_hosts"),
        ({"allow_hosts": [5]}, "allow_hosts"),
        ({"max_bytes": "10"}, "max_bytes"),
        ({"max_bytes": True}, "max_bytes"),
        ({"total_seconds": "60"}, "total_seconds"),
        ({"allow_http": "yes"}, "allow_http"),
        ({"allow_http": 1}, "allow_http"),
        ({"headers": ["a"]}, "headers"),
        ({"headers": {"X": {"env": "NOT_SET"}}}, "NOT_SET"),
        ({"headers": {"X": {"file": "absent.txt"}}}, "absent.txt"),
        ({"headers": {"X": {"shell": "ls"}}}, "X"),
        ({"headers": {"X": 5}}, "X"),
    ],
)
def test_a_wrong_entry_names_its_field(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    with pytest.raises(SourceError) as refused:
        read_source("s", URL, OPTIONS | change, environ={}, folder=tmp_path)
    assert says in str(refused.value)


def test_the_list_of_hosts_is_required(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="allow_hosts"):
        read_source("s", URL, {}, environ={}, folder=tmp_path)


def test_the_state_survives_storage() -> None:
    state = PullState(
        url="https://data.example.cn/",
        etag='"v1"',
        sha256="ab",
        size=3,
        full_at=NOW,
        checked_at=NOW,
        failures=2,
        retry_at=datetime(2020, 7, 13, tzinfo=UTC),
    )
    assert PullState.from_dict(state.to_dict()) == state
    assert PullState.from_dict(dict(state.to_dict(), added_later=1)) == state
    assert PullState.from_dict({}) == PullState()


def test_the_document_declares_sources_that_load(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    entries = [entry for block in blocks for entry in yaml.safe_load(block)["sources"]]
    assert len(entries) >= 2
    for entry in entries:
        assert entry["kind"] == "http"
        environ = {"PARKWATCH_SN_TOKEN": "x"}
        source = read_source(
            entry["source_id"], entry["url"], entry["http"], environ=environ, folder=tmp_path
        )
        assert for_period(source, "2020-06").source_id == entry["source_id"]


def test_the_document_names_every_field_and_every_refusal() -> None:
    text = DOCUMENT.read_text("utf-8")
    rows = set(re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE))
    assert set(HttpSource.__dataclass_fields__) <= rows
    assert set(TEXTS) <= rows
    assert rows <= set(TEXTS) | set(HttpSource.__dataclass_fields__)
