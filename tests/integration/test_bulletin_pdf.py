"""The bulletin as files: geometry, numbers, standards and reproducibility of what is written."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from assets.bulletins import fonts
from assets.bulletins.compose import compose
from assets.bulletins.model import Annex, Bulletin, Paragraph, Table, Text, plain
from assets.bulletins.typeset import TypesetError, to_pdf
from tests.support.bulletin_fixture import bulletin_data, page_count
from tests.support.devdata import ROOT

poppler = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="poppler-utils is not installed"
)
PITCH = 225 / 22
SIZE = 156 / 28
TOLERANCE = 0.1  # mm


@dataclass(frozen=True)
class Word:
    """A word of a PDF page, in millimetres from its top left corner."""

    x0: float
    y0: float
    x1: float
    y1: float
    text: str

    @property
    def is_body(self) -> bool:
        """Set in the size of body text (三号)."""
        return abs(self.y1 - self.y0 - SIZE) < TOLERANCE


@pytest.fixture(scope="module")
def bulletin() -> Bulletin:
    return compose(bulletin_data())


@pytest.fixture(scope="module")
def pdf(bulletin: Bulletin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pdf") / "bulletin.pdf"
    path.write_bytes(to_pdf(bulletin))
    return path


@pytest.fixture
def lines_of(bulletin: Bulletin, tmp_path: Path) -> Callable[[int], Path]:
    """PDF whose body is one paragraph of so many full lines, without annexes."""

    def make(lines: int) -> Path:
        text = Paragraph((Text("国" * (28 * lines - 2)),))
        path = tmp_path / f"{lines}.pdf"
        path.write_bytes(to_pdf(replace(bulletin, body=(text,), annexes=())))
        return path

    return make


def poppler_text(path: Path, *options: str) -> str:
    command = ["pdftotext", *options, str(path), "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def pages(path: Path) -> list[list[Word]]:
    found = []
    for page in poppler_text(path, "-bbox").split("<page ")[1:]:
        boxes = re.findall(
            r'<word xMin="([^"]+)" yMin="([^"]+)" xMax="([^"]+)" yMax="([^"]+)">(.*?)</word>', page
        )
        found.append(
            [Word(*(float(edge) / 72 * 25.4 for edge in box[:4]), box[4]) for box in boxes]
        )
    return found


def footer(page: list[Word]) -> list[Word]:
    """Words below the type area: 版心 ends at 262 mm."""
    return [word for word in page if word.y0 > 262]


def colophon(page: list[Word]) -> bool:
    return any(word.text.startswith("抄送：") for word in page)


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


@poppler
def test_page_has_22_lines_of_28_characters(lines_of: Callable[[int], Path]) -> None:
    page = [word for word in pages(lines_of(60))[1] if word.is_body]
    tops = sorted({round(word.y0, 1) for word in page})
    assert len(tops) == 22
    assert abs(tops[0] - 37) < TOLERANCE  # top margin
    assert abs(tops[-1] + PITCH - 262) < TOLERANCE  # bottom margin 35 mm
    full = [word for word in page if set(word.text) == {"国"} and len(word.text) == 28]
    assert len(full) == 22
    assert {(round(word.x0, 1), round(word.x1, 1)) for word in full} == {(28.0, 184.0)}


def off_the_grid(path: Path) -> list[tuple[int, float, str]]:
    """Words of body size that stand between two of the 22 lines; the first page's head aside."""
    off = []
    for number, page in enumerate(pages(path), start=1):
        for word in page:
            steps = (word.y0 - 37) / PITCH
            first_page_head = number == 1 and word.y0 < 165
            if word.is_body and not first_page_head and abs(steps - round(steps)) > 0.02:
                off.append((number, round(word.y0, 2), word.text))
    return off


@poppler
@pytest.mark.parametrize("rows", [1, 2, 4, 6])
def test_text_returns_to_the_grid_after_every_table_that_stays_on_a_page(
    bulletin: Bulletin, tmp_path: Path, rows: int
) -> None:
    short = [
        replace(block, rows=block.rows[:rows]) if isinstance(block, Table) else block
        for block in bulletin.body
    ]
    path = tmp_path / "short.pdf"
    path.write_bytes(to_pdf(replace(bulletin, body=tuple(short), annexes=())))
    assert off_the_grid(path) == []


@poppler
def test_a_table_over_two_pages_moves_only_the_rest_of_its_last_page(
    bulletin: Bulletin, tmp_path: Path
) -> None:
    """Where it ends depends on where it begins; every later page starts on the grid again."""
    table = bulletin.table("parks")
    assert table is not None
    text = Paragraph((Text("国" * 28 * 60),))
    path = tmp_path / "long.pdf"
    path.write_bytes(to_pdf(replace(bulletin, body=(text, table, text), annexes=())))
    found = pages(path)
    ends = max(n for n, page in enumerate(found, 1) if any("工业集中区" in w.text for w in page))
    assert len(found) > ends
    assert {number for number, _, _ in off_the_grid(path)} <= {ends}


@poppler
def test_head_stands_where_the_standard_says(pdf: Path) -> None:
    first = pages(pdf)[0]
    head = next(word for word in first if word.text.endswith("办公室文件"))
    assert 71 < head.y0 < 75  # 35 mm below the type area's top at 37 mm
    assert any(word.is_body and "营业收入" in word.text for word in first)  # body on page one
    mark = next(word for word in first if word.text == "内部资料，注意保管")
    assert (round(mark.x0, 1), round(mark.y0, 1)) == (28.0, 37.0)


@poppler
def test_page_numbers_stand_outside_alternately(pdf: Path) -> None:
    for number, page in enumerate(pages(pdf), start=1):
        words = footer(page)
        assert [word.text for word in words if word.text.isdigit()] == [str(number)]
        left, right = min(w.x0 for w in words), max(w.x1 for w in words)
        if number % 2:
            assert abs(right - (184 - 14 / 72 * 25.4)) < 1  # one character in from the right
        else:
            assert abs(left - (28 + 14 / 72 * 25.4)) < 1


@poppler
@pytest.mark.parametrize("lines", [1, 8, 9, 20, 26, 28, 31, 33, 49, 53])
def test_colophon_closes_the_last_even_page(lines_of: Callable[[int], Path], lines: int) -> None:
    found = pages(lines_of(lines))
    assert len(found) % 2 == 0
    assert [colophon(page) for page in found] == [False] * (len(found) - 1) + [True]
    lowest = max(word.y1 for word in found[-1] if word.y0 < 262)
    assert 255 < lowest < 262


@poppler
def test_the_colophon_closes_the_last_even_page_after_annexes_of_any_length(
    bulletin: Bulletin, tmp_path: Path
) -> None:
    """20 lengths, so that the annex ends on every part of odd and even pages."""
    blanks = 0
    for lines in range(1, 61, 3):
        text = Paragraph((Text("国" * (28 * lines - 2)),))
        annex = Annex(1, (Text("附表"),), (text,))
        path = tmp_path / f"annex{lines}.pdf"
        path.write_bytes(
            to_pdf(replace(bulletin, body=(text,) if lines < 9 else (), annexes=(annex,)))
        )
        found = pages(path)
        assert len(found) % 2 == 0, lines
        assert [colophon(page) for page in found] == [False] * (len(found) - 1) + [True], lines
        lowest = max(word.y1 for word in found[-1] if word.y0 < 262)
        assert 262 - 7 < lowest < 262, lines  # the last rule stands on the type area's edge
        marks = {"模拟数据", "非真实统计结果", "送审稿"}
        blanks += {word.text for word in found[-2]} <= marks
    assert blanks, "no length needed the blank page"


def ink(word: Word) -> tuple[float, float]:
    """Left and right edge without the empty half of an opening or closing mark."""
    half = (word.y1 - word.y0) / 2
    return (
        word.x0 + half * (word.text[0] in "“（〔《"),
        word.x1 - half * (word.text[-1] in "，。、；：）〕》”"),
    )


@poppler
def test_everything_stands_within_the_type_area(pdf: Path) -> None:
    """Margins 37, 28, 35, 26 mm to the millimetre; heads and page numbers stand outside."""
    left, right, top, bottom = 999.0, 0.0, 999.0, 0.0
    for page in pages(pdf):
        inside = [word for word in page if word.y0 > 30 and word.y0 < 262]
        left = min(left, *(ink(word)[0] for word in inside))
        right = max(right, *(ink(word)[1] for word in inside))
        top = min(top, *(word.y0 for word in inside))
        bottom = max(bottom, *(word.y1 for word in inside))
    assert abs(left - 28) < 1 and abs(right - 184) < 1
    assert abs(top - 37) < 1 and abs(bottom - 262) < PITCH


@poppler
def test_a_full_even_page_gives_an_unnumbered_blank_one_before_the_colophon(
    lines_of: Callable[[int], Path],
) -> None:
    assert len(pages(lines_of(23))) == 2  # the colophon still fits below the signature
    found = pages(lines_of(24))
    assert len(found) == 4
    assert {word.text for word in found[2]} <= {"模拟数据", "非真实统计结果", "送审稿"}
    assert footer(found[2]) == footer(found[3]) == []
    assert footer(found[1]) != []


@poppler
def test_signature_never_stands_alone(pdf: Path) -> None:
    found = pages(pdf)
    page = next(p for p in found if any(w.is_body and w.text == "2020年7月22日" for w in p))
    assert len({round(word.y0) for word in page if word.is_body}) > 2


@poppler
def test_date_stands_two_characters_right_of_the_name(pdf: Path) -> None:
    words = [word for page in pages(pdf) for word in page if word.is_body]
    day = next(word for word in words if word.text == "2020年7月22日")
    name = next(w for w in words if w.text == "园区运行监测演示办公室" and 0 < day.y0 - w.y0 < 12)
    assert abs(day.x0 - name.x0 - 2 * SIZE) < TOLERANCE
    assert 184 - name.x1 > 2 * SIZE - TOLERANCE


@poppler
def test_every_sentence_and_row_is_in_the_pdf_number_by_number(
    bulletin: Bulletin, pdf: Path
) -> None:
    raw = poppler_text(pdf, "-raw")
    kept = [
        line for line in raw.splitlines()
        if not re.fullmatch(r"— \d+ —|模拟数据\s*非真实统计结果.*", line.strip("\f "))
    ]  # fmt: skip
    text = squeezed("".join(kept))
    missing = []
    for block in bulletin.blocks():
        if isinstance(block, Table):
            rows = ["".join(plain(cell) for cell in row.cells) for row in block.rows]
            missing += [row for row in rows if squeezed(row) not in text]
        elif squeezed(plain(block.spans)) not in text:
            missing.append(plain(block.spans))
    assert missing == []


@poppler
def test_simulation_is_marked_on_every_page(pdf: Path, bulletin: Bulletin, tmp_path: Path) -> None:
    for page in pages(pdf):
        assert any(word.text == "模拟数据" and word.y0 < 37 for word in page)
    real = tmp_path / "real.pdf"
    real.write_bytes(to_pdf(compose(bulletin_data(simulated=False))))
    assert "模拟数据" not in poppler_text(real)


@pytest.mark.skipif(shutil.which("pdffonts") is None, reason="poppler-utils is not installed")
def test_fonts_are_embedded_with_their_characters(pdf: Path) -> None:
    listed = subprocess.run(
        ["pdffonts", str(pdf)], capture_output=True, text=True, check=True, timeout=60
    ).stdout.splitlines()[2:]
    assert listed
    for line in listed:
        assert "Noto" in line
        assert "Type 3" not in line
        embedded, _, unicode_map = line.split()[-5:-2]
        assert (embedded, unicode_map) == ("yes", "yes")


def test_archive_and_accessibility_standards_are_declared(pdf: Path) -> None:
    data = pdf.read_bytes()
    assert b"<pdfaid:part>2</pdfaid:part>" in data
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in data
    assert b"<pdfuaid:part>1</pdfuaid:part>" in data
    assert page_count(pdf.read_bytes()) % 2 == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"areas": (), "verdicts": (), "scores": (), "triggers": (), "reporters": (), "parks": ()},
        {"simulated": False, "status_mark": "", "edition": 2, "replaces": 1},
    ],
    ids=["nothing reported", "corrected real edition"],
)
def test_other_editions_are_set_without_a_warning(changes: dict[str, object]) -> None:
    assert page_count(to_pdf(compose(bulletin_data(**changes)))) % 2 == 0


def test_a_warning_of_typst_is_an_error(
    bulletin: Bulletin, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = fonts.choose()
    wrong = replace(chosen, roles={**chosen.roles, "body": ("No Such Family", "Noto Serif SC")})
    monkeypatch.setattr(fonts, "choose", lambda mode="bundled": wrong)
    with pytest.raises(TypesetError, match="no such family"):
        to_pdf(bulletin)


def test_a_missing_glyph_stops_before_anything_is_written(bulletin: Bulletin) -> None:
    broken = replace(bulletin, body=(Paragraph((Text("甲\U0001f600"),)),))
    with pytest.raises(fonts.MissingGlyphError, match="正文第1段"):
        to_pdf(broken)


SCRIPT = """
import hashlib, sys
from datetime import datetime
from assets.bulletins.compose import compose
from assets.bulletins.model import to_json
from assets.bulletins.typeset import to_pdf
from assets.bulletins.webpage import to_html
from assets.deliveries.message import Attachment, Sender, render_message
from tests.support.bulletin_fixture import BEIJING, bulletin_data
bulletin = compose(bulletin_data())
pdf = to_pdf(bulletin)
mail = render_message(
    bulletin, recipient="a@example.gov.cn", sender=Sender("监测", "b@example.gov.cn"),
    date=datetime(2020, 7, 22, 9, tzinfo=BEIJING),
    attachments=[Attachment(bulletin.file_stem + ".pdf", pdf)],
)
for content in (pdf, to_html(bulletin).encode(), mail.content, to_json(bulletin).encode()):
    print(hashlib.sha256(content).hexdigest())
"""


def test_zone_locale_and_hash_seed_do_not_change_a_byte(pdf: Path) -> None:
    settings = (
        {"TZ": "Asia/Shanghai", "LANG": "zh_CN.UTF-8", "PYTHONHASHSEED": "1"},
        {"TZ": "America/New_York", "LANG": "C", "LC_ALL": "C", "PYTHONHASHSEED": "4242",
         "SOURCE_DATE_EPOCH": "1"},
    )  # fmt: skip
    outputs = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True,
            cwd=ROOT, env={**os.environ, **setting}, timeout=120,
        ).stdout.split()
        for setting in settings
    ]  # fmt: skip
    assert len(outputs[0]) == 4
    assert outputs[0] == outputs[1]
    assert outputs[0][0] == hashlib.sha256(pdf.read_bytes()).hexdigest()
