"""Fonts: every character of a document can be printed, or is named with its places."""

from dataclasses import replace

import pytest

from assets.bulletins import fonts
from assets.bulletins.compose import compose
from assets.bulletins.typeset import pieces
from tests.support.bulletin_fixture import bulletin_data


@pytest.fixture(scope="module")
def bundled() -> fonts.FontSet:
    return fonts.choose()


def test_rare_characters_of_county_names_can_be_printed(bundled: fonts.FontSet) -> None:
    """The eight characters of county names that GB 2312 fonts lack, and signs we print."""
    fonts.preflight([("区划名", "埇埗沚浉瀍猇硚鄠"), ("符号", "①②⑪㎡〔〕—※·“”…%")], bundled)


def test_missing_glyph_names_the_character_and_every_place_once(bundled: fonts.FontSet) -> None:
    with pytest.raises(fonts.MissingGlyphError) as caught:
        fonts.preflight([("表2第4行", "甲\U0001f600"), ("正文第3段", "\U0001f600\ue000")], bundled)
    message = str(caught.value)
    assert "“\U0001f600”（U+1F600，表2第4行）" in message
    assert "U+E000，正文第3段" in message
    assert message.count("U+1F600") == 1


def test_white_space_needs_no_glyph(bundled: fonts.FontSet) -> None:
    fonts.preflight([("正文", " \t\u3000")], bundled)


def test_bundled_set_is_the_same_everywhere(bundled: fonts.FontSet) -> None:
    manifest = bundled.manifest()
    assert manifest["mode"] == "bundled"
    digests = manifest["sha256"]
    assert isinstance(digests, dict)
    assert {len(digest) for digest in digests.values()} == {64}
    assert all(path.is_file() for path in bundled.files)


def test_system_set_ends_with_bundled_families() -> None:
    chosen = fonts.choose("system")
    for role, families in fonts.BUNDLED.items():
        assert chosen.roles[role][-len(families) :] == families


def test_official_families_come_first_when_the_machine_has_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        fonts, "_system_families", lambda: frozenset({"FangSong", "FZXiaoBiaoSong-B05S"})
    )
    chosen = fonts.choose("system")
    assert chosen.roles["body"] == ("FangSong", "Noto Serif SC")
    assert chosen.roles["title"][0] == "FZXiaoBiaoSong-B05S"
    assert not chosen.fake_bold  # 小标宋 is heavy by itself
    assert chosen.roles["kai"] == ("Noto Serif SC",)
    assert fonts.choose("bundled").roles["body"] == ("Noto Serif SC",)
    assert "FangSong" in fonts.describe()


def test_every_place_of_a_document_is_checked() -> None:
    data = bulletin_data()
    last = data.triggers[0].park_id  # the park stands in the risk list
    rows = tuple(
        replace(row, park_name="\U0001f600园") if row.park_id == last else row
        for row in data.scores
    )
    missing = ("\U0001f600西园",)
    changed = pieces(compose(bulletin_data(scores=rows, unreported=missing)))
    found = {place for place, text in changed if "\U0001f600" in text}
    assert {place.split("第")[0] for place in found} == {"正文", "图3", "表4", "表5"}
    places = {place for place, _ in pieces(compose(data))}
    assert {"版头", "标题", "主送机关", "落款", "版记", "表1表头"} <= places
