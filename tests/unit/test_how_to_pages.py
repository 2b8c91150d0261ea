"""Each how-to page does what it says: its blocks, put where it says, make a catalogue that holds them."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from tests.support.bureau import make_home
from warehouse.catalog.load import CatalogError, load_catalog

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"
BLOCK = re.compile(r"^## \d\.[^\n]*?`catalog/([^`]+)`.*?\n+```(?:yaml|csv)\n(.*?)```", re.M | re.S)


@pytest.fixture
def bureau(tmp_path):
    """A bureau after the edits of a page; its catalogue."""

    def edited(page):
        home = make_home(tmp_path / page)
        for name, text in BLOCK.findall((HOW_TO / f"{page}.md").read_text("utf-8")):
            _add(home / "catalog" / name, text)
        return load_catalog(home / "catalog", "china_parks")

    return edited


def _add(file, text):
    """As the page says: a new file, or lines added to the one there is."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.write_text(text, "utf-8")
        return
    new = text.split("\n", 1)[1] if file.suffix == ".csv" else text
    file.write_text(file.read_text("utf-8").rstrip("\n") + "\n" + new, "utf-8")


def test_a_target(bureau):
    (target,) = [t for t in bureau("add-a-target").targets if t.target_id == "YY21-1"]
    assert (target.indicator_id, target.value, target.quote) == (
        "C04", 10, "各园区营业收入增速每年不低于10%",
    )  # fmt: skip


def test_a_source_with_its_reporter_and_layout(bureau):
    catalog = bureau("add-a-source")
    (source,) = [s for s in catalog.sources if s.source_id == "energy_quarterly"]
    assert set(source.due_months(2)) == {3, 6, 9, 12}
    (reporter,) = [r for r in catalog.reporters if r.reporter_id == "hanbin-energy"]
    assert (reporter.source_id, reporter.region_code) == ("energy_quarterly", "610902")
    assert "energy" in {layout.layout_id for layout in catalog.layouts}


def test_a_scheme(bureau):
    (scheme,) = [s for s in bureau("add-a-scheme").schemes if s.scheme_id == "example"]
    assert (scheme.status, scheme.official, scheme.elimination.n) == ("active", False, 1)
    assert sum(item.weight for item in scheme.items) == 100


def test_a_recipient_for_a_time(bureau):
    (audience,) = [a for a in bureau("add-a-recipient").audiences
                   if a.audience_id == "example-city"]  # fmt: skip
    valid = [r.email for r in audience.recipients if r.valid_on(date(2020, 6, 1))]
    assert valid == ["city@example.invalid"]


def test_a_mistake_names_file_field_and_mend(tmp_path):
    home = make_home(tmp_path / "w")
    ((name, text),) = BLOCK.findall((HOW_TO / "add-a-scheme.md").read_text("utf-8"))
    _add(home / "catalog" / name, text.replace("weight: 50", "weight: 40", 1))
    with pytest.raises(CatalogError, match="权重合计应为100") as told:
        load_catalog(home / "catalog", "china_parks")
    assert "example.yaml" in str(told.value)
