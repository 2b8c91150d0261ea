"""Editions of a small warehouse: whom they are for, what stays frozen, what a correction says."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from assets.build import Build
from assets.bulletins import checking, documents, editions, recount
from assets.bulletins.documents import MANIFEST, render
from assets.bulletins.model import Bulletin, plain
from assets.bulletins.release_check import Found
from assets.deliveries import content, mailing
from tests.support.bulletin_warehouse import PERIOD, built
from warehouse import store
from warehouse.releases import Act, Key, Releases, documents_digest

WANTED = ("sn-assessor", "xa-assessor", "ak-hanbin", "sn-public")
FEW = "SIM-AK05"
"""Park made to have two enterprises above the threshold."""
BY = Act("省级统计岗", "2020-07-20T10:00:00")


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    made = built(tmp_path_factory.mktemp("editions"))
    with made.warehouse.building() as connection:
        connection.execute(
            "UPDATE indicators.park_year SET value = 2 WHERE park_id = ? AND indicator_id = 'B03'",
            [FEW],
        )
    return made


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


def extracted(path: Path) -> str:
    """All text a reader of the file sees or can search."""
    if path.suffix == ".pdf":
        done = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, check=True)
        return done.stdout.decode().replace("\n", "")
    if path.suffix in (".xlsx", ".docx"):
        with zipfile.ZipFile(path) as archive:
            parts = [archive.read(n).decode() for n in archive.namelist() if n.endswith(".xml")]
        return re.sub(r"<[^>]+>", "", "\n".join(parts))
    if path.suffix == ".eml":
        mail = message_from_bytes(path.read_bytes())
        parts = [
            p.get_payload(decode=True) for p in mail.walk() if p.get_content_maintype() == "text"
        ]
        return "\n".join(p.decode() for p in parts if isinstance(p, bytes))
    return path.read_text(encoding="utf-8")


def folder(build: Build, key: Key):
    return build.making(build.workspace.edition_folder(*(key.period, key.audience_id, key.edition)))


@pytest.mark.parametrize(
    ("audience", "suffixes", "mails"),
    [
        ("sn-assessor", {"pdf", "docx", "html", "xlsx", "json"}, 2),
        ("xa-assessor", {"pdf", "docx", "html", "xlsx", "json"}, 1),
        ("ak-hanbin", {"html", "xlsx", "json"}, 1),
        ("sn-public", {"pdf", "html", "xlsx", "json"}, 0),
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
    mail = message_from_bytes((folder(build, written["xa-assessor"]) / "mail/01.eml").read_bytes())
    kinds = [
        part.get_content_subtype()
        for part in mail.walk()
        if part.get_content_maintype() == "application"
    ]
    assert len(kinds) == 3 and "pdf" in kinds


def test_editions_made_from_the_same_are_not_laid_out_again(
    build: Build, written: dict[str, Key], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Published files stay byte for byte; one that is not what was recorded is made again."""
    places = {}
    for key in written.values():
        place = build.workspace.edition_folder(key.period, key.audience_id, key.edition)
        places[key] = shutil.copytree(folder(build, key), place)
    before = {key: contents(folder(build, key)) for key in places}
    laid_out: list[str] = []

    def counted(bulletin: Bulletin, formats: tuple[str, ...]) -> dict[str, bytes]:
        laid_out.append(bulletin.meta.audience)
        return render(bulletin, formats)

    monkeypatch.setattr(documents, "render", counted)
    write(build)
    assert laid_out == []
    assert {key: contents(folder(build, key)) for key in places} == before
    hurt = written["ak-hanbin"]
    page = next(places[hurt].glob("*.html"))
    page.write_bytes(page.read_bytes() + b" ")
    write(build)
    assert len(laid_out) == 1
    assert {key: contents(folder(build, key)) for key in places} == before
    for place in places.values():
        shutil.rmtree(place)


def contents(place: Path) -> dict[str, bytes]:
    """Documents and mails of an edition."""
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in sorted(place.rglob("*")) if path.is_file()
    }  # fmt: skip


def texts(build: Build, key: Key) -> dict[str, str]:
    """Text of every document and mail of an edition, by file name."""
    place = folder(build, key)
    found = {}
    for path in sorted(p for p in place.rglob("*") if p.is_file() and p.name != MANIFEST):
        found[str(path.relative_to(place))] = extracted(path)
    return found


def test_the_public_edition_hides_small_parks_and_what_would_give_them_away(
    build: Build, written: dict[str, Key]
) -> None:
    with build.warehouse.building() as connection:
        tables = [
            editions.composed(connection, build, written[name]).table("parks")
            for name in ("sn-public", "sn-assessor")
        ]
    public, internal = (
        {plain(row.cells[0]): [plain(c) for c in row.cells[1:]] for row in t.rows if not row.group}
        for t in tables
        if t is not None
    )
    name = next(p.name for p in build.catalog.parks if p.park_id == FEW)
    hidden = [park for park, cells in public.items() if "X" in cells]
    assert name in hidden and len(hidden) >= 2, "a single hidden park is the total less the rest"
    assert all(set(public[park]) == {"X"} for park in hidden)
    assert not any("X" in cells for cells in internal.values())
    amounts = [internal[park][0] for park in hidden if len(internal[park][0]) > 5]
    assert amounts
    for file, text in texts(build, written["sn-public"]).items():
        assert not any(amount in text for amount in amounts), file
        assert "X" in text and "不予公布" in text
        assert "内部资料" not in text and "名次" not in text


def examined(connection, build: Build, keys: list[Key]) -> dict[str, dict[str, Found]]:
    """The thorough check of editions as they lie in the build's folders, by audience and check."""
    again = checking.again(connection, build, keys)
    documents = {
        key: {p.name: p.read_bytes() for p in folder(build, key).iterdir() if p.is_file()}
        for key in keys
    }
    found = checking.examine(connection, build, again, documents)
    return {
        key.audience_id: {one.check_id: one for one in results} for key, results in found.items()
    }


def test_every_number_of_every_file_and_mail_is_registered_and_recounted(
    build: Build, written: dict[str, Key]
) -> None:
    with build.warehouse.building() as connection:
        kept = checking.rows_of(connection, PERIOD)
        found = examined(connection, build, list(written.values()))
        again = {one.key: one for one in checking.again(connection, build, list(written.values()))}
        texts = checking.known_texts(connection, build, PERIOD, list(again.values()))
    assert {row["audience_id"] for row in kept} == set(WANTED)
    assert [
        row["message"] for row in kept if row["outcome"] == "fail" and row["severity"] == "error"
    ] == []
    for audience, results in found.items():
        errors = {n: f.problems for n, f in results.items() if f.problems and f.severity == "error"}
        assert errors == {}, audience
        assert results["formats"].n_checked > 100 and results["recounted"].n_checked > 50
    for key, one in again.items():
        for mail in sorted(folder(build, key).glob("mail/*.eml")):
            recipients = [r.email for r in one.audience.recipients]
            allowed = texts[key].with_texts(
                **checking.printed_texts(one.bulletin),
                files=[p.name for p in folder(build, key).iterdir()], addresses=recipients,
            )  # fmt: skip
            read = content.mail_against(mail.name, mail.read_bytes(), one.bulletin, allowed)
            assert read.problems == () and read.n_checked, (key, mail.name)


class UndoneError(Exception):
    """Ends a transaction that must leave nothing."""


@pytest.mark.parametrize(
    ("change", "check_id", "told"),
    [
        (
            "UPDATE indicators.area_year SET value = value + 500 "
            "WHERE area_code = '610900' AND indicator_id = 'A03' AND scope = 'all'",
            "recounted", "（202006-610900-A03-total）",
        ),
        (
            "UPDATE bulletins.figure SET text = '3' "
            "WHERE audience_id = 'sn-assessor' AND figure_id LIKE '%-Q-reporters'",
            "recounted", "登记为3",
        ),
        (
            "DELETE FROM bulletins.figure "
            "WHERE audience_id = 'sn-assessor' AND figure_id LIKE '%-610900-A03-total'",
            "recounted", "没有登记",
        ),
    ],
)  # fmt: skip
def test_a_row_changed_after_printing_is_found(
    build: Build, written: dict[str, Key], change: str, check_id: str, told: str
) -> None:
    found: dict[str, dict[str, Found]] = {}
    with pytest.raises(UndoneError), build.warehouse.building() as connection:
        connection.execute(change)
        found = examined(connection, build, [written["sn-assessor"]])
        raise UndoneError
    wrong = found["sn-assessor"][check_id]
    assert wrong.outcome == "fail" and told in wrong.message


def test_a_number_published_before_may_not_change_without_a_correction(
    build: Build, written: dict[str, Key]
) -> None:
    """May's issue said 1.00 of a row that June's prints again."""
    key = written["sn-assessor"]
    with build.warehouse.building() as connection:
        (one,) = checking.again(connection, build, [key])
    figures = one.bulletin.figures
    older = next(f for f in figures if f.figure_id.endswith("-P-C04-yoy-before") and f.value)
    with pytest.raises(UndoneError), build.warehouse.building() as connection:
        connection.execute(
            "INSERT INTO bulletins.figure BY NAME SELECT * REPLACE ('2020-05' AS period, "
            "'2020-05' AS figure_period, '1.00' AS text, 'May' AS figure_id) FROM bulletins.figure "
            "WHERE audience_id = ? AND figure_id = ?",
            [key.audience_id, older.figure_id],
        )
        may = Key("2020-05", key.audience_id, key.edition)
        former = recount.printed_before(connection, [may])[key.audience_id]
        raise UndoneError
    wrong = recount.previous(figures, former)
    assert wrong.outcome == "fail" and "1.00" in wrong.message and "更正2020-05" in wrong.message
    same = {source: (month, older.text) for source, (month, _) in former.items()}
    assert recount.previous(figures, same).outcome == "pass"


def test_a_thousand_probes_find_nothing_an_audience_may_not_see(
    build: Build, written: dict[str, Key]
) -> None:
    parks = [p for p in build.catalog.parks if p.park_id.startswith("SIM-")]
    audiences = {a.audience_id: a for a in build.catalog.audiences}
    for audience_id, key in written.items():
        audience, draw = audiences[audience_id], random.Random(audience_id)
        everything = "\n".join(texts(build, key).values())
        for _ in range(1000):
            park = draw.choice(parks)
            inside = audience.scope_code in (park.province_code, park.city_code, park.county_code,
                                             park.home_county_code)  # fmt: skip
            assert inside or park.name not in everything, (audience_id, park.name)
        if "watch" not in audience.rights:
            for word in ("处于末位区间", "模拟名次", "末位概率", "脱离末位"):
                assert word not in everything, (audience_id, word)
        if "targets" not in audience.rights:
            assert "低于时间进度" not in everything and "完成率" not in everything


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
