"""Declared sources into the inbox: catalogue and reader of declarations agree; nothing put twice."""

from __future__ import annotations

import re
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assets.submissions.pulling.pull_inbox import declared, http_sources, pull_into_inbox
from assets.submissions.pulling.pull_results import Pulled, PullFailed, PullState, Unchanged
from assets.submissions.pulling.pull_sources import HttpSource, SourceError
from tests.support.bureau import CATALOG, Office
from warehouse.catalog.load import load_catalog
from warehouse.catalog.models import HttpOptions

DOCUMENT = Path(__file__).resolve().parents[5] / "docs" / "http-sources.md"
NOW = datetime(2020, 7, 12, 1, 30, tzinfo=UTC)


def portal(tmp_path, url="https://data.example.cn/a.xlsx", more=""):
    line = f"- {{source_id: portal, name: 门户, kind: http, url: '{url}', "
    text = CATALOG["sources.yaml"] + line + f"http: {{allow_hosts: [data.example.cn]{more}}}}}\n"
    office = Office(tmp_path, {"sources.yaml": text})
    (source,) = http_sources(load_catalog(office.workspace.catalog, "none"))
    return office, source


def test_the_catalogue_knows_exactly_the_options_of_a_source():
    fields = set(HttpSource.__dataclass_fields__) - {"source_id", "url"}
    assert set(HttpOptions.model_fields) == fields


def test_the_documents_example_is_a_valid_catalogue(tmp_path):
    (block,) = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    text = block + textwrap.indent(CATALOG["sources.yaml"].lstrip("\n"), "  ")
    office = Office(tmp_path, {"sources.yaml": text})
    sources = http_sources(load_catalog(office.workspace.catalog, "none"))
    assert [source.source_id for source in sources] == ["intranet_power", "sn_portal"]
    for source in sources:
        ready = declared(source, office.workspace, "2020-06", {"PARKWATCH_SN_TOKEN": "x"})
        assert "{" not in ready.url
        assert ready.allow_hosts == tuple(source.http.allow_hosts)


def test_options_not_given_keep_their_defaults(tmp_path):
    office, source = portal(tmp_path, more=", max_bytes: 5000000")
    ready = declared(source, office.workspace, None, {})
    plain = HttpSource("portal", source.url, ("data.example.cn",), max_bytes=5_000_000)
    assert ready == plain


@pytest.mark.parametrize(
    "url", ["https://data.example.cn/{period}", "https://data.example.cn/{year}/a"]
)
def test_an_address_by_period_needs_one(tmp_path, url):
    office, source = portal(tmp_path, url)
    with pytest.raises(SourceError, match="--period"):
        declared(source, office.workspace, None, {})


def answers(office, source, *results):
    """What comes of pulling once per result; the server's part is played by the results."""
    seen = []

    def fetch(ready, known, *, clock):
        seen.append(known)
        return results[len(seen) - 1]

    outcomes = [
        pull_into_inbox(source, office.workspace, office.state, None, lambda: NOW, fetch)
        for _ in results
    ]
    return outcomes, seen


def test_what_is_known_is_kept_between_pulls_and_per_address(tmp_path):
    office, source = portal(tmp_path)
    first = PullState(url=source.url, etag='"1"', sha256="ab", size=1, full_at=NOW, checked_at=NOW)
    failed = PullFailed("busy", "忙", "503", "200", "稍后", NOW, PullState(url=source.url, failures=1,
                        retry_at=NOW))  # fmt: skip
    outcomes, seen = answers(
        office,
        source,
        Pulled(b"x", "ab", "a.xlsx", first),
        Unchanged(first),
        failed,
        Unchanged(first),
    )
    assert seen == [None, first, first, failed.state]
    assert [o.failed for o in outcomes] == [False, False, True, False]
    assert outcomes[0].path == office.workspace.inbox / "portal" / "a.xlsx"
    assert office.state.pull_state("portal", "https://elsewhere.example/") is None


def test_a_new_body_under_the_same_name_never_replaces_the_one_in_the_inbox(tmp_path):
    office, source = portal(tmp_path)
    state = PullState(url=source.url)
    pulls = [Pulled(data, data.decode(), "月报.xlsx", state) for data in (b"one", b"two", b"one")]
    outcomes, _ = answers(office, source, *pulls)
    assert [o.path.name for o in outcomes] == ["月报.xlsx", "月报(2).xlsx", "月报.xlsx"]
    assert [o.path.read_bytes() for o in outcomes] == [b"one", b"two", b"one"]
