"""Folders put in place whole."""

from __future__ import annotations

import pytest

from warehouse import files


def folder(path, **contents):
    path.mkdir(parents=True)
    for name, text in contents.items():
        (path / name).write_text(text)
    return path


def texts(path):
    return {one.name: one.read_text() for one in path.iterdir()}


@pytest.mark.parametrize("exchanges", [True, False], ids=["exchanged", "renamed"])
@pytest.mark.parametrize("there", [True, False], ids=["former one", "none there"])
def test_a_folder_is_replaced_and_nothing_is_left_over(tmp_path, monkeypatch, exchanges, there):
    if not exchanges:
        monkeypatch.setattr(files, "exchange", lambda *_: False)
    made, target = folder(tmp_path / "made", a="new"), tmp_path / "reports" / "1"
    if there:
        folder(target, a="old", b="old")
    files.place_folder(made, target)
    assert texts(target) == {"a": "new"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["reports"]
    assert [p.name for p in target.parent.iterdir()] == ["1"]


def test_exchanging_swaps_two_folders_or_says_it_cannot(tmp_path):
    one, other = folder(tmp_path / "one", a="1"), folder(tmp_path / "other", a="2")
    swapped = files.exchange(one, other)
    assert (texts(one), texts(other)) == (
        ({"a": "2"}, {"a": "1"}) if swapped else ({"a": "1"}, {"a": "2"})
    )
    assert not files.exchange(one, tmp_path / "nowhere")


def test_the_digest_of_a_folder_is_that_of_names_and_contents(tmp_path):
    one = files.sha256_of_folder(folder(tmp_path / "1", a="x", b="y"))
    assert one == files.sha256_of_folder(folder(tmp_path / "2", b="y", a="x"))
    assert one != files.sha256_of_folder(folder(tmp_path / "3", a="x", c="y"))
    assert one != files.sha256_of_folder(folder(tmp_path / "4", a="x", b="z"))
