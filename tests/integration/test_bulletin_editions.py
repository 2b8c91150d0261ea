"""Editions of a small warehouse: whom they are for, what stays frozen, what a correction says."""

from __future__ import annotations

import json

import pytest

from assets.build import Build
from assets.bulletins import editions
from assets.bulletins.documents import MANIFEST
from assets.deliveries import mailing
from tests.support.bulletin_warehouse import PERIOD, built
from warehouse import store
from warehouse.releases import Act, Key, Releases, documents_digest

WANTED = ("sn-assessor", "xa-assessor", "ak-hanbin")
BY = Act("省级统计岗", "2020-07-20T10:00:00")


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return built(tmp_path_factory.mktemp("editions"))


@pytest.fixture(scope="module")
def written(build: Build) -> dict[str, Key]:
    return {key.audience_id: key for key in write(build)}


def write(build: Build) -> list[Key]:
    build.kept.clear()
    with build.warehouse.building() as connection:
        done = editions.write_editions(connection, build, PERIOD, WANTED)
        mailing.render(connection, build, PERIOD, WANTED)
        rows = store.fetch(connection, "FROM bulletins.edition WHERE status = 'draft'")
    ledger = Releases(build.state.path)
    for row in rows:
        key = Key(row["period"], row["audience_id"], row["edition"])
        ledger.record_draft(key, documents_digest(row["documents"]), "2020-07-20T09:00:00")
    return [each.key for each in done]


def folder(build: Build, key: Key):
    return build.making(build.workspace.edition_folder(*(key.period, key.audience_id, key.edition)))


@pytest.mark.parametrize(
    ("audience", "suffixes", "mails"),
    [
        ("sn-assessor", {"pdf", "docx", "html", "xlsx", "json"}, 2),
        ("xa-assessor", {"pdf", "docx", "html", "xlsx", "json"}, 1),
        ("ak-hanbin", {"html", "xlsx", "json"}, 1),
    ],
)
def test_each_audience_gets_the_formats_it_asks_for(
    build: Build, written: dict[str, Key], audience: str, suffixes: set[str], mails: int
) -> None:
    place = folder(build, written[audience])
    assert {p.suffix[1:] for p in place.iterdir() if p.is_file()} == suffixes
    assert len(list(place.glob("mail/*.eml"))) == mails
    manifest = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
    assert len(json.loads(manifest["documents"])) == len(suffixes) - 1
    assert manifest["fonts"]["sha256"] and manifest["rules_digest"] == build.catalog.digest


def test_a_mail_carries_pdf_and_tables(build: Build, written: dict[str, Key]) -> None:
    from email import message_from_bytes

    mail = message_from_bytes((folder(build, written["xa-assessor"]) / "mail/01.eml").read_bytes())
    kinds = [
        part.get_content_subtype()
        for part in mail.walk()
        if part.get_content_maintype() == "application"
    ]
    assert len(kinds) == 3 and "pdf" in kinds


def test_what_left_draft_is_not_written_again_and_a_correction_says_what_changed(
    build: Build, written: dict[str, Key]
) -> None:
    key = written["ak-hanbin"]
    ledger = Releases(build.state.path)
    found = ledger.find(key)
    assert found is not None
    ledger.submit(key, found.documents, BY)
    ledger.approve(key, found.documents, Act("省级分管岗", BY.at))
    assert key not in write(build)
    with build.warehouse.building() as connection:
        row = store.fetch(
            connection, "SELECT status FROM bulletins.edition WHERE audience_id = 'ak-hanbin'"
        )
    assert row == [{"status": "approved"}]
    ledger.sent(key, BY)
    ledger.correct(PERIOD, "ak-hanbin", Act(BY.by, BY.at, "某园区补报"))
    with build.warehouse.building() as connection:
        connection.execute(
            "UPDATE bulletins.figure SET text = '0.01' "
            "WHERE audience_id = 'ak-hanbin' AND figure_id = '202006-P-C04-total'"
        )
    again = Key(PERIOD, "ak-hanbin", 2)
    assert again in write(build)
    page = next(folder(build, again).glob("*.html")).read_text(encoding="utf-8")
    assert "更正原因：某园区补报" in page and "0.01亿元" in page


def test_an_unknown_audience_is_named(build: Build) -> None:
    with pytest.raises(editions.NoAudienceError, match="nobody"):
        editions.chosen(build, ["nobody"])
