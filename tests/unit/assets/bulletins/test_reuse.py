"""What decides whether an edition's documents are laid out again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from assets.bulletins import fonts, reuse
from assets.bulletins.compose import compose
from assets.bulletins.model import Bulletin, Text
from tests.support.bulletin_fixture import bulletin_data

FORMATS = ("pdf", "html")


@pytest.fixture(scope="module")
def bulletin() -> Bulletin:
    return compose(bulletin_data())


def test_the_same_document_is_made_from_the_same(bulletin: Bulletin) -> None:
    again = replace(bulletin, body=tuple(bulletin.body))
    assert reuse.made_from(again, FORMATS) == reuse.made_from(bulletin, tuple(reversed(FORMATS)))


@pytest.mark.parametrize(
    "changed",
    [
        lambda b: replace(b, meta=replace(b.meta, audience="另一岗位")),
        lambda b: replace(b, meta=replace(b.meta, rules_digest="0" * 64)),
        lambda b: replace(b, meta=replace(b.meta, data_digest="0" * 64)),
        lambda b: replace(b, meta=replace(b.meta, period="2020-05")),
        lambda b: replace(b, meta=replace(b.meta, edition=b.meta.edition + 1)),
        lambda b: replace(b, title=((Text("另一标题"),),)),
        lambda b: replace(b, figures=b.figures[1:]),
    ],
    ids=["audience", "catalogue", "data", "period", "edition", "title", "figures"],
)
def test_a_changed_document_is_made_from_something_else(bulletin: Bulletin, changed) -> None:
    assert reuse.made_from(changed(bulletin), FORMATS) != reuse.made_from(bulletin, FORMATS)


def test_other_formats_are_made_from_something_else(bulletin: Bulletin) -> None:
    assert reuse.made_from(bulletin, ("pdf",)) != reuse.made_from(bulletin, FORMATS)


@pytest.mark.parametrize("what", ["template", "code"])
def test_a_changed_template_or_program_lays_out_again(
    bulletin: Bulletin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    for name, folder in (("TEMPLATES", reuse.TEMPLATES), ("CODE", reuse.CODE)):
        shutil.copytree(folder, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        monkeypatch.setattr(reuse, name, tmp_path / name)
    before = reuse.made_from(bulletin, FORMATS)
    path = tmp_path / ("TEMPLATES/bulletin.md.j2" if what == "template" else "CODE/markup.py")
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert reuse.made_from(bulletin, FORMATS) != before


def test_other_fonts_or_libraries_lay_out_again(
    bulletin: Bulletin, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = reuse.made_from(bulletin, FORMATS)
    chosen = replace(fonts.choose(), fake_bold=False, files=fonts.choose().files[:1])
    monkeypatch.setattr(fonts, "choose", lambda: chosen)
    assert reuse.made_from(bulletin, FORMATS) != before
    monkeypatch.undo()
    monkeypatch.setattr(reuse, "version", lambda name: "0")
    reuse._digest.cache_clear()
    assert reuse.made_from(bulletin, FORMATS) != before
    reuse._digest.cache_clear()
