"""The release check finds each kind of fault, in the document and in every format, and nothing else."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from assets.bulletins import checking, extract, fonts, printed, release_check
from assets.bulletins.compose import compose
from assets.bulletins.documents import render
from assets.bulletins.figures import Figure
from assets.bulletins.model import Block, Bulletin, Chart, FigureSpan, Paragraph, Spans, Table, Text
from assets.bulletins.printed import Allowed, Piece
from assets.bulletins.release_check import Adding, Found
from assets.deliveries import content
from assets.deliveries.message import Sender, render_message
from tests.support.bulletin_fixture import BEIJING, bulletin_data

NAMES = Allowed(
    documents=["陕政办发〔2018〕20号", "安政办发〔2018〕72号"],
    dates=["2020年7月15日", "2020年8月5日"],
)
ADDING = Adding(frozenset({"C04"}))


@pytest.fixture(scope="module")
def bulletin() -> Bulletin:
    return compose(bulletin_data())


def allowed(bulletin: Bulletin) -> Allowed:
    return NAMES.with_texts(**checking.printed_texts(bulletin), **checking.own_texts(bulletin, ()))


def failed(bulletin: Bulletin, *, simulated: bool = True) -> dict[str, Found]:
    results = release_check.of_document(
        bulletin, NAMES.with_texts(**checking.own_texts(bulletin, ())), simulated=simulated,
        drawable=fonts.covered(fonts.choose()),
    )  # fmt: skip
    return {each.check_id: each for each in results if each.outcome == "fail"}


def test_a_composed_document_holds_everything_but_warns_of_parks_named_on_incomplete_figures(
    bulletin: Bulletin,
) -> None:
    found = failed(bulletin)
    assert set(found) == {"named"}
    assert found["named"].severity == "verify" and "供参考" in found["named"].message


# --- faults of the document ----------------------------------------------------------------------


def with_text(bulletin: Bulletin, *spans: FigureSpan | Text) -> Bulletin:
    return replace(bulletin, body=(*bulletin.body, Paragraph(tuple(spans))))


def figure(bulletin: Bulletin, ending: str) -> Figure:
    return next(f for f in bulletin.figures if f.figure_id.endswith(ending))


def with_figure(bulletin: Bulletin, ending: str, **changes: object) -> Bulletin:
    figures = (
        replace(f, **changes) if f.figure_id.endswith(ending) else f  # type: ignore[arg-type]
        for f in bulletin.figures
    )
    return replace(bulletin, figures=tuple(figures))


def without_row(bulletin: Bulletin, table_id: str) -> Bulletin:
    """The last row of a table left out."""

    def body(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
        return tuple(
            replace(b, rows=b.rows[:-1]) if isinstance(b, Table) and b.table_id == table_id else b
            for b in blocks
        )

    annexes = tuple(replace(a, blocks=body(a.blocks)) for a in bulletin.annexes)
    return replace(bulletin, body=body(bulletin.body), annexes=annexes)


def rate(bulletin: Bulletin, word: str, form: str = "magnitude") -> Bulletin:
    """A sentence saying ``word`` before a rate that fell by 5.5 %."""
    fallen = replace(
        figure(bulletin, "-P-C04-yoy"), figure_id="x", value=Decimal("-5.5"), text="-5.5"
    )
    span = FigureSpan("x", fallen.show(form, unit=True), form, unit=True)  # type: ignore[arg-type]
    changed = replace(bulletin, figures=(*bulletin.figures, fallen))
    return with_text(changed, Text(f"营业收入{word}"), span)


FAULTS: dict[str, tuple[str, Callable[[Bulletin], Bulletin]]] = {
    "a number typed": ("registered", lambda b: with_text(b, Text("增长12.5%"))),
    "a longer number than the date": ("registered", lambda b: with_text(b, Text("12020年7月5日后"))),
    "a number drawn that is no figure's": (
        "registered",
        lambda b: replace(b, body=tuple(
            replace(one, svg=one.svg.replace("34.4%", "34.5%")) if isinstance(one, Chart) else one
            for one in b.body))),
    "a printed text that is not the figure's": (
        "missing", lambda b: with_text(b, FigureSpan(figure(b, "-P-C04-yoy").figure_id, "9.9"))),
    "a missing value printed as 0": (
        "missing",
        lambda b: with_text(
            replace(b, figures=(*b.figures, replace(figure(b, "-P-C04-yoy"), figure_id="x",
                                                    value=None, text="0.0"))),
            FigureSpan("x", "0.0"))),
    "a figure wrongly rounded": (
        "missing", lambda b: with_figure(b, "-P-C04-yoy", value=Decimal("99.99"))),
    "a count that is not its members'": (
        "sums", lambda b: with_figure(b, "-S-watch-parks", value=Decimal(2), text="2")),
    "a difference that is not one": (
        "sums", lambda b: with_figure(b, "-P-C04-pace", value=Decimal(7), text="7.0")),
    "reporters that do not add up": (
        "sums", lambda b: with_figure(b, "-Q-on-time", value=Decimal(1), text="1")),
    "a park left out of the watch list": ("lists", lambda b: without_row(b, "watch")),
    "a park behind left out of its list": ("lists", lambda b: without_row(b, "each_behind")),
    "growth said of a fall": ("direction", lambda b: rate(b, "同比增长")),
    "above said of below": ("direction", lambda b: rate(b, "，快于时间进度")),
    "a fall with its sign": ("direction", lambda b: rate(b, "同比下降", "number")),
    "a sign lost": ("direction", lambda b: rate(b, "同比为")),
    "no mark of simulated data": (
        "marks", lambda b: replace(b, meta=replace(b.meta, simulated=False))),
    "no mark of internal matter": (
        "marks", lambda b: replace(b, meta=replace(b.meta, handling=""))),
    "a mobile number": ("personal", lambda b: with_text(b, Text("电话13812345678"))),
    "an e-mail address": ("personal", lambda b: with_text(b, Text("请寄zhang@example.cn"))),
    "a person's name": ("personal", lambda b: with_text(b, Text("填表人：张三"))),
    "a character no font has": ("glyphs", lambda b: with_text(b, Text("甲\U0001f600"))),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_document_is_found(bulletin: Bulletin, fault: str) -> None:
    check_id, spoil = FAULTS[fault]
    found = failed(spoil(bulletin))
    assert check_id in found, found
    assert found[check_id].severity == "error" and found[check_id].message


def test_areas_must_add_up_to_their_total_unrounded() -> None:
    def area(code: str, value: str) -> Figure:
        return Figure(f"202006-{code}-C04-total", code, Decimal(value), "亿元", "2020-06", 2,
                      value[:4], "indicators.area_year", "{}")  # fmt: skip

    parts = [area("610100", "1.004"), area("610200", "2.004")]
    assert release_check.sums([*parts, area("P", "3.008")], ADDING).outcome == "pass"
    wrong = release_check.sums([*parts, area("P", "3.01")], ADDING)
    assert wrong.outcome == "fail" and "3.008" in wrong.message


def test_a_word_of_direction_may_stand_before_a_matching_number(bulletin: Bulletin) -> None:
    for word in ("同比下降", "，低于时间进度", "，降幅最大，为", "，增速比1—5月回落"):
        assert "direction" not in failed(rate(bulletin, word)), word


def test_the_bureaus_own_contact_is_no_personal_data(bulletin: Bulletin) -> None:
    meta = replace(bulletin.meta, contact="监测组 13812345678")
    told = with_text(replace(bulletin, meta=meta), Text("联系人：监测组 13812345678。"))
    assert "personal" not in failed(told)


# --- faults of a format --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def documents(bulletin: Bulletin) -> dict[str, bytes]:
    made = render(bulletin, ("pdf", "docx", "html", "xlsx"))
    return {name.rpartition(".")[2]: data for name, data in made.items()}


def test_every_number_of_every_format_is_the_registered_one(
    bulletin: Bulletin, documents: dict[str, bytes]
) -> None:
    named = {f"a.{ending}": data for ending, data in documents.items()}
    found = checking.formats(bulletin, named, allowed(bulletin))
    assert found.problems == ()
    full = sum(piece.numbers for piece in printed.body(bulletin))
    assert found.n_checked > 3.5 * full > 2000  # PDF, Word, page with its list, and the tables


def in_archive(data: bytes, member: str, old: str, new: str) -> bytes:
    """The zip file with ``old`` replaced once in one member."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if member in name and old.encode() in content:
                content = content.replace(old.encode(), new.encode(), 1)
                member = "\x00"  # once
            target.writestr(name, content)
    assert member == "\x00", "nothing was replaced"
    return out.getvalue()


def changed_pdf(bulletin: Bulletin) -> bytes:
    """The PDF of a document in which one number of a table reads otherwise."""

    def other(spans: Spans) -> Spans:
        return tuple(
            replace(s, text="61.3") if getattr(s, "text", "") == "61.2" else s for s in spans
        )

    def block(one: object) -> object:
        if not isinstance(one, Table):
            return one
        return replace(
            one, rows=tuple(replace(r, cells=tuple(map(other, r.cells))) for r in one.rows)
        )

    body = tuple(block(one) for one in bulletin.body)
    changed = replace(bulletin, body=body)  # type: ignore[arg-type]
    assert changed != bulletin
    return next(iter(render(changed, ("pdf",)).values()))


def test_one_number_changed_in_one_format_is_found_and_named(
    bulletin: Bulletin, documents: dict[str, bytes]
) -> None:
    page = documents["html"].decode()
    spoiled = {
        "pdf": changed_pdf(bulletin),
        "docx": in_archive(documents["docx"], "document.xml", "61.2", "61.3"),
        "xlsx": in_archive(documents["xlsx"], "sheet", "<v>61.2</v>", "<v>61.3</v>"),
        "html": page.replace(">61.2<", ">61.3<", 1).encode(),
    }
    for ending, data in spoiled.items():
        found = checking.formats(bulletin, {f"a.{ending}": data}, allowed(bulletin))
        assert found.outcome == "fail", ending
        assert "61.2" in found.message and "61.3" in found.message, (ending, found.message)


def test_a_number_added_to_one_format_is_found(
    bulletin: Bulletin, documents: dict[str, bytes]
) -> None:
    page = documents["html"].decode().replace("</main>", "<p>另有47个园区</p></main>")
    word = in_archive(documents["docx"], "document.xml", "</w:body>",
                      "<w:p><w:r><w:t>另有47个园区</w:t></w:r></w:p></w:body>")  # fmt: skip
    for name, data in (("a.html", page.encode()), ("a.docx", word)):
        found = checking.formats(bulletin, {name: data}, allowed(bulletin))
        assert found.outcome == "fail" and "47" in found.message, name


def test_a_file_that_cannot_be_read_back_is_a_fault(bulletin: Bulletin) -> None:
    for name in ("a.pdf", "a.docx", "a.xlsx"):
        found = checking.formats(bulletin, {name: b"nothing"}, allowed(bulletin))
        assert found.outcome == "fail" and "不能读回" in found.message


def test_a_cell_that_hides_digits_behind_its_format_shows_them() -> None:
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet("x")
        sheet.write_number(0, 0, 12.345, book.add_format({"num_format": "0.0"}))
        sheet.write_number(0, 1, 7.0, book.add_format({"num_format": "0.00"}))
    assert extract.xlsx_text(buffer.getvalue()).split() == ["x", "12.345", "7.00"]


def test_a_row_over_two_pages_is_found_below_the_repeated_head() -> None:
    row = Piece("表1第1行", ((Text("甲乙丙丁"),),))
    split = "甲乙\f头部丙丁"
    assert printed.compare("PDF", split, [row], Allowed(), ["头部"]).problems == ()
    assert printed.compare("PDF", split, [row], Allowed()).problems != ()


def test_a_mails_numbers_are_the_documents(bulletin: Bulletin) -> None:
    mail = render_message(
        bulletin, recipient="a@example.gov.cn", sender=Sender("监测", "b@example.gov.cn"),
        date=datetime(2020, 7, 22, 9, tzinfo=BEIJING), attachments=[],
    )  # fmt: skip
    texts = allowed(bulletin)
    whole = content.mail_against("01.eml", mail.content, bulletin, texts)
    assert whole.problems == () and whole.n_checked > 100
    from email import message_from_bytes, policy

    for kind in ("plain", "html"):
        parsed = message_from_bytes(mail.content, policy=policy.default)
        part = parsed.get_body(preferencelist=(kind,))
        assert part is not None
        text = str(part.get_content())
        assert "3431.18" in text
        part.set_content(text.replace("3431.18", "3431.19", 1), subtype=kind)
        found = content.mail_against("01.eml", parsed.as_bytes(), bulletin, texts)
        assert found.outcome == "fail" and "3431.19" in found.message, kind
