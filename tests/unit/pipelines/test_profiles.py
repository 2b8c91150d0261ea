"""Run profiles: what they leave out, and that what is left still runs in the right order."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import jobs
from pipelines.profiles import SHIPPED, Profile, ProfileError, load_profile, names
from warehouse import schema


@pytest.fixture(scope="module")
def defs():
    from pipelines.definitions import defs

    return defs


def order(defs, profile):
    """Steps of a run with this profile, in their order."""
    job = defs.resolve_job_def(jobs.MONTHLY)
    if profile.leave_out:
        job = job.get_subset(asset_selection=set(jobs.selection_of(profile, defs)))
    return [node.name for node in job.nodes_in_topological_order]


@pytest.mark.parametrize("name", names(SHIPPED.parent))
def test_every_shipped_profile_publishes_last_and_loads_the_catalogue_first(defs, name):
    steps = order(defs, load_profile(name, Path("/nowhere")))
    made = [step for step in steps if not step.endswith("_dictionary")]
    assert made[0] == "load_catalogue"
    digest = made.index("ops__digest")
    assert digest > made.index("deliveries__message") > made.index("audit_submissions")


def test_the_digest_follows_every_table_whatever_is_left_out(defs):
    others = {table.full_name for table in schema.TABLES} - {"ops.digest"}
    assert set(schema.table("ops.digest").reads) == others
    left = ("quality.expectation", "deliveries.message")
    steps = order(defs, Profile(name="p", leave_out=left))
    assert steps.index("ops__digest") > steps.index("read_submissions")


@pytest.mark.parametrize(
    ("left", "word"),
    [("nothing.such", "未知的表"), ("ops.digest", "不能省去"),
     ("quality.finding", "只能一起省去")],
)  # fmt: skip
def test_a_profile_that_cannot_run_says_why(defs, left, word):
    with pytest.raises(ProfileError, match=word):
        jobs.selection_of(Profile(name="p", leave_out=(left,)), defs)


def test_an_unknown_or_wrong_profile_says_what_there_is(tmp_path):
    with pytest.raises(ProfileError, match="可用:fast、full、nightly"):
        load_profile("no", tmp_path)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "own.yaml").write_text("leave: [a]", "utf-8")
    with pytest.raises(ProfileError, match=r"own\.yaml"):
        load_profile("own", tmp_path)
