"""Great Expectations is loaded ahead only for a run that has something new to validate."""

from datetime import UTC, datetime

from assets.build import no_progress
from assets.submissions.archive import Archive
from assets.submissions.intake import receive
from pipelines import warming
from warehouse.state import State
from warehouse.workspace import Bureau, Workspace


def test_new_is_what_was_never_published_or_has_no_receipt(tmp_path):
    office = Workspace(tmp_path, Bureau("局", "610000"))
    office.inbox.mkdir()
    assert warming.something_new(office)
    office.warehouse_file.touch()
    assert not warming.something_new(office)
    (office.inbox / "月报.xlsx").write_bytes(b"PK")
    assert warming.something_new(office)
    archive, state = Archive(office.archive), State(office.state_file)
    receive(office.inbox, archive, state, datetime(2020, 7, 1, tzinfo=UTC), no_progress)
    assert not warming.something_new(office)


def test_a_run_inside_a_command_has_the_commands_engine(tmp_path):
    office = Workspace(tmp_path, Bureau("局", "610000"))
    office.inbox.mkdir()
    office.warehouse_file.touch()
    with warming.validating(office) as outer, warming.validating(office) as inner:
        assert inner is outer
    with warming.validating(office) as later:
        assert later is not outer
