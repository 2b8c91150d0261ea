"""``make torture``: every campaign is in it, what passed is passed over, what failed is said."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from bench.torture import all as together
from bench.torture.all import CAMPAIGNS, Campaign

TOLD = argparse.Namespace(scale=1.0, seed=7, at_once=1)
GOOD = Campaign("good", "calendar", words=("2020",), seeded=False)
BAD = Campaign("bad", "nosuchcampaign")


def test_every_campaign_of_the_folder_is_in_it():
    folder = Path(together.__file__).parent
    programs = {
        f"bench.torture.{p.stem}" for p in folder.glob("*.py") if '__main__":' in p.read_text()
    }
    programs -= {"bench.torture.all", "bench.torture.runs"}  # runs: python -m bench.torture
    beside = {"bench.torture", "bench.unseen_forms"}
    assert programs | beside == {campaign.module for campaign in CAMPAIGNS}


def test_what_passed_is_passed_over_and_what_failed_is_made_again_and_named(tmp_path, capsys):
    first = together.carry_out([GOOD, BAD], TOLD, tmp_path)
    assert together.report(first, 7, "version") == 1
    said = capsys.readouterr().out
    assert "again: python -m nosuchcampaign --seed 7" in said and "No module named" in said
    again = together.carry_out([GOOD, BAD], TOLD, tmp_path)
    assert [one["result"] for one in again] == ["passed before", "FAILED"]
    assert (tmp_path / "good.log").read_text().count("2020") == 1
    assert (tmp_path / "bad.log").read_text().count("No module named") == 2
    assert together.report([again[0]], 7, "version") == 0


def test_what_this_machine_cannot_try_is_never_called_passed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(together.os, "geteuid", lambda: 1000)
    mounting = Campaign("mounting", "calendar", needs="root")
    said = together.carried_out(mounting, ["-m", "calendar"], tmp_path)
    together.report([said], 1, "version")
    assert said["result"] == "NOT TRIED" and "needs root" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        (1, ["-m", "m", "--kills", "500", "--seed", "3", "--log", "F/c.kept"]),
        (0.1, ["-m", "m", "--quick", "--kills", "50", "--seed", "3", "--log", "F/c.kept"]),
        (0.01, ["-m", "m", "--quick", "--kills", "20", "--seed", "3", "--log", "F/c.kept"]),
    ],
)
def test_counts_follow_the_scale_and_never_fall_below_what_shows_anything(scale, words):
    campaign = Campaign("c", "m", {"--kills": (500, 20)}, small=("--quick",), keeps="--log")
    assert campaign.command(scale, 3, Path("F")) == words
