"""The editable document says what the bulletin says and opens without repair."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import docx
import pytest
from docx.oxml.ns import qn

from assets.bulletins.compose import compose
from assets.bulletins.model import Table, plain
from assets.bulletins.worddoc import to_docx
from tests.support.bulletin_fixture import bulletin_data


@pytest.fixture(scope="module")
def bulletin():
    return compose(bulletin_data())


@pytest.fixture(scope="module")
def content(bulletin):
    return to_docx(bulletin)


@pytest.fixture(scope="module")
def document(content):
    return docx.Document(io.BytesIO(content))


def test_every_paragraph_and_every_cell_is_the_documents_text(bulletin, document):
    said = [paragraph.text for paragraph in document.paragraphs]
    for block in bulletin.blocks():
        if isinstance(block, Table):
            continue
        text = plain(block.spans)
        assert any(text in paragraph for paragraph in said), text
    printed = [[cell.text for cell in row.cells] for table in document.tables for row in table.rows]
    for table in bulletin.tables():
        for row in table.rows:
            cells = [plain(spans) for spans in row.cells]
            wanted = cells * len(table.columns) if row.group else cells
            assert wanted in printed, cells


def test_it_opens_without_repair(content, tmp_path):
    file = tmp_path / "b.docx"
    file.write_bytes(content)
    audit = Path(sys.executable).with_name("openxml-audit")
    done = subprocess.run([audit, file], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "Errors: 0" in done.stdout, done.stdout[-2000:]


def test_the_page_is_that_of_an_official_document(document):
    section = document.sections[0]
    sides = (section.top_margin, section.left_margin, section.right_margin, section.bottom_margin)
    assert [round(side.mm) for side in sides] == [37, 28, 26, 35]
    style = document.styles["Normal"]
    assert style.font.size.pt == 16 and style.paragraph_format.line_spacing.pt == 28.95
    fonts = style.element.rPr.rFonts
    assert fonts.get(qn("w:eastAsia")) == "仿宋_GB2312"
    assert document.settings.odd_and_even_pages_header_footer


def test_headings_are_headings_and_marks_stand_on_every_page(bulletin, document):
    names = {p.style.name for p in document.paragraphs if p.text.startswith("一、")}
    assert names == {"Heading 1"}
    for head in (document.sections[0].header, document.sections[0].even_page_header):
        assert "模拟数据" in head.paragraphs[0].text and bulletin.meta.status_mark in (
            head.paragraphs[0].text
        )


def test_colour_never_stands_alone(document):
    """Every shaded run says in words what its colour says."""
    shaded = [
        run
        for table in document.tables
        for row in table.rows
        for cell in row.cells
        for paragraph in cell.paragraphs
        for run in paragraph.runs
        if run._r.rPr is not None and run._r.rPr.find(qn("w:shd")) is not None
    ]
    assert shaded and all(run.text.strip() for run in shaded)


def test_same_document_same_bytes_and_nothing_of_the_machine(bulletin, content):
    assert content == to_docx(compose(bulletin_data()))
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert {info.date_time for info in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"python-docx" not in parts.read("docProps/core.xml")


def test_a_single_annex_has_no_number(bulletin):
    import dataclasses

    one = dataclasses.replace(bulletin, annexes=bulletin.annexes[:1])
    said = [p.text for p in docx.Document(io.BytesIO(to_docx(one))).paragraphs]
    assert "附件" in said and not any(text.startswith("附件：1.") for text in said)
