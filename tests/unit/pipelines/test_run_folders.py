"""A run that could not keep its results says so before it starts."""

import os

import pytest

from pipelines import trouble
from pipelines.cli import run
from pipelines.cli.workspace import UsageError
from pipelines.settings import load_workspace
from tests.support.bureau import make_home


@pytest.fixture
def workspace(tmp_path):
    return load_workspace(make_home(tmp_path / "w"))


def test_folders_that_are_there_or_not_yet_are_in_order(workspace):
    workspace.reports.mkdir(exist_ok=True)
    run.check_folders(workspace)


def test_a_folder_nobody_may_write_to_is_named_with_its_mend(workspace, monkeypatch):
    workspace.reports.mkdir(exist_ok=True)
    monkeypatch.setattr(os, "access", lambda folder, _mode: folder != workspace.reports)
    with pytest.raises(PermissionError) as told:
        run.check_folders(workspace)
    words = trouble.of(told.value)
    assert words is not None and words.startswith(f"没有写入 {workspace.reports} 的权限")


def test_a_file_in_the_place_of_a_folder_is_named(workspace):
    if workspace.reports.is_dir():
        workspace.reports.rmdir()
    workspace.reports.write_text("")
    with pytest.raises(UsageError, match="应为目录,现为文件"):
        run.check_folders(workspace)
