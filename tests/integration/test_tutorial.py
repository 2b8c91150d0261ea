"""docs/tutorial.md from nothing to a sent bulletin: every block marked ``sh``, as it stands, in order."""

from __future__ import annotations

import email
import email.policy
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.workspaces import ROOT
from warehouse.outbox_ledger import OutboxLedger

PAGE = ROOT / "docs" / "tutorial.md"
PRELUDE = 'set -e\nparkwatch() { command parkwatch "$@" || test $? -eq 3; }\n'
"""A run with doubts ends with 3; anything else that is not 0 ends the tutorial."""


def blocks():
    return re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """The folder after the whole page, and what was printed."""
    folder = tmp_path_factory.mktemp("tutorial")
    script = (PRELUDE + "".join(blocks())).replace("8025", str(free_port()))
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PARKWATCH_", "DAGSTER_"))}
    environment = clean | {"PATH": f"{Path(sys.executable).parent}:{clean['PATH']}"}
    shell = subprocess.Popen(["bash", "-c", script], cwd=folder, env=environment, text=True,
                             stdout=(folder / "said.txt").open("w"), stderr=subprocess.STDOUT,
                             start_new_session=True)  # fmt: skip
    try:
        code = shell.wait(timeout=900)
    finally:
        os.killpg(shell.pid, signal.SIGTERM)  # the mail server it left in the background
    said = (folder / "said.txt").read_text("utf-8")
    assert code == 0, said[-3000:]
    return folder, said


def test_the_page_has_blocks_for_every_step():
    assert len(blocks()) == PAGE.read_text("utf-8").count("```sh\n") >= 8


def test_the_bulletin_arrived_whole(followed):
    folder, said = followed
    (file,) = (folder / "mailbox" / "new").iterdir()
    mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert mail["To"] == "leader@sx.example.invalid" and "模拟数据" in mail["Subject"]
    kinds = {str(part.get_filename()).rpartition(".")[2] for part in mail.iter_attachments()}
    assert "pdf" in kinds and mail["Subject"] in said
    ledger = OutboxLedger(folder / "first" / "state.sqlite")
    assert [row["state"] for row in ledger.mails()] == ["sent"]


@pytest.mark.parametrize(
    "words",
    ["完成,用时", "应报 3 个单位", "已送审", "已签发", "试运行:1 封", "已发送 1", "链式校验完好",
     "已备份到", "接下来:"],
)  # fmt: skip
def test_each_step_says_what_the_page_promises(followed, words):
    assert words in followed[1]


def test_returns_site_and_backup_lie_where_the_page_says(followed):
    home = followed[0] / "first"
    assert list((home / "quality" / "returns").rglob("*.xlsx"))
    assert (home / "site" / "index.html").is_file()
    assert list((followed[0] / "backup").glob("*/manifest.json"))
    assert {p.suffix for p in (home / "reports" / "2021-06" / "sx-leader" / "1").iterdir()} >= {
        ".pdf", ".docx", ".xlsx", ".html",
    }  # fmt: skip
