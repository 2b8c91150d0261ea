"""Months sent to a real mail server, then restored and replayed: not one mail leaves a second time.

Belongs here: the campaign and its checks. Does not belong here: what it exercises. Everything is
simulated (模拟数据). Prints one line a step; ends with 1 when a promise is broken.

    python -m bench.torture.replay [--since 2020-02] [--months 11] [--seed 1] [--folder DIR]

1. Every period is run, approved and sent by command; by chance a county corrects the period before.
2. ``backup``, ``restore``, a round of the outbox. 3. The tables and documents are thrown away and the
periods are built again from archive and ledger; a round. 4. The archive goes into the inbox of an empty
workspace and the periods are built from nothing; a round. Tables of 2, 3 and 4 must have the digests of 1.

What is done is kept in ``--folder``: stopped and started again with the same words, it goes on where it
was. The seed decides figures, order and corrections.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from assets.submissions.archive import deliver
from bench.torture.outage import months
from tests.support import workspaces
from tests.support.bureau import COUNTIES, SETTINGS, county_form, make_home
from tests.support.mail_server import MailServer, maildir
from warehouse import store
from warehouse.files import write_whole
from warehouse.state import State
from warehouse.store import Warehouse
from warehouse.workspace import Bureau, Workspace

TABLES = ("submissions.cell", "observations.observation", "indicators.park_month",
          "indicators.park_year", "indicators.area_year")  # fmt: skip
AUDIENCES = """
- {audience_id: office, name: 监测岗（模拟）, role: statistician, scope_level: province,
   scope_code: "610000", rights: [figures, quality], formats: [html, eml], recipients: [
   {email: leader@y.test, name: 分管领导岗}, {email: office@y.test, name: 监测岗}]}
"""
PATIENCE = 36_000.0
CORRECTED = 0.3
"""How often a county corrects the period before."""


class Steps:
    """What is done, with what came out and its CPU seconds; kept, so that nothing is done twice."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.done: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        """What ``work`` gives, or gave when it was done before."""
        if name not in self.done:
            before = cpu()
            said = work()
            self.done[name] = {"said": said, "cpu": round(cpu() - before, 1)}
            write_whole(self.file, json.dumps(self.done, indent=1).encode())
        return self.done[name]["said"]

    def cost(self, name: str) -> float:
        """CPU seconds of a step."""
        return float(self.done[name]["cpu"])


def cpu() -> float:
    """CPU seconds of all commands so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def parkwatch(*words: str | Path) -> None:
    """A command as a person would type it; SystemExit when it fails."""
    told = workspaces.parkwatch(*words, seconds=PATIENCE)
    if told.returncode not in (0, 3):
        raise SystemExit(f"{words} ended with {told.returncode}\n{told.stderr}")


def mail_settings(home: Path, server: MailServer, journal: Path) -> None:
    """The mail server of this start: its port is another one each time."""
    (home / "parkwatch.toml").write_text(
        SETTINGS + f'\n[mail]\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "plain"\n'
        'sender = "bulletin@bureau.test"\njournal = "journal@bureau.test"\n'
        f'lookup_wait_minutes = 0\nlookup = {{kind = "maildir", path = "{journal}"}}\n',
        encoding="utf-8",
    )


def delivered(home: Path, period: str, before: str | None, seed: int) -> int:
    """The returns of a period into the inbox, in some order; how many files."""
    chance = random.Random(f"{seed} {period}")
    end = datetime(int(period[:4]), int(period[5:]), 28, tzinfo=UTC) + timedelta(days=9)
    counties = sorted(COUNTIES)
    chance.shuffle(counties)
    for county in counties:
        data = county_form(county, period, 100 * int(period[5:]) + chance.randrange(50))
        deliver(home / "inbox", f"{COUNTIES[county]}{period}.xlsx", data, end, county)
    if before is None or chance.random() > CORRECTED:
        return len(counties)
    county = counties[0]
    data = county_form(county, before, 100 * int(before[5:]) + 50 + chance.randrange(50))
    deliver(home / "inbox", f"{COUNTIES[county]}{before}(更正).xlsx", data, end, county)
    return len(counties) + 1


def all_periods(step: Steps, home: Path, periods: list[str], seed: int) -> None:
    """Every period delivered, built, approved and sent."""
    for before, period in zip([None, *periods], periods, strict=False):
        told = ("--period", period, "--home", home)
        for name, work in (
            ("delivered", lambda p=period, b=before: delivered(home, p, b, seed)),
            ("run", lambda t=told: parkwatch("run", *t)),
            ("submit", lambda t=told: parkwatch("bulletin", "submit", *t, "--by", "统计岗 甲")),
            ("approve", lambda t=told: parkwatch("bulletin", "approve", *t, "--by", "分管岗 乙")),
            ("send", lambda t=told: parkwatch("bulletin", "send", *t)),
        ):
            step(f"{period} {name}", work)
        print(f"{period}: a run of {step.cost(f'{period} run'):.0f} CPU seconds", flush=True)


def from_archive(home: Path, target: Path) -> int:
    """Everything that was ever received, delivered again as it was; how many files."""
    receipts = State(home / "state.sqlite").receipts()
    for receipt in receipts:
        original = next((home / "archive").rglob(f"{receipt.sha256}*"))
        at = datetime.fromisoformat(receipt.received_at).replace(tzinfo=UTC)
        deliver(
            target / "inbox", receipt.file_name, original.read_bytes(), at, receipt.sender or ""
        )
    return len(receipts)


def digests(home: Path) -> dict[str, str]:
    """Content digests of the tables that come from the returns."""
    workspace = Workspace(home=home, bureau=Bureau(name="", region_code=""))
    with Warehouse(workspace).reading() as connection:
        rows = store.fetch(connection, "FROM ops.digest")
    found = {row["table_name"]: row["digest"] for row in rows}
    return {name: found[name] for name in TABLES}


def round_of(home: Path, periods: list[str]) -> None:
    """What the daemon's job and a person's command would send."""
    code = (
        "from datetime import datetime, UTC\n"
        "from assets.deliveries import sending\n"
        "from pipelines.settings import load_workspace\n"
        "from warehouse.catalog.load import load_catalog\n"
        "w = load_workspace(); c = load_catalog(w.catalog, w.catalog_base)\n"
        "sending.send_due(sending.Sending(w, c))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True,
                   env=os.environ | {"PARKWATCH_HOME": str(home)})  # fmt: skip
    for period in periods[-3:]:
        parkwatch("bulletin", "send", "--period", period, "--home", home)


def thrown_away(home: Path) -> None:
    """Everything gone that can be made again."""
    for left in ("warehouse.duckdb", "lake", "published", "site", "dagster"):
        path = home / left
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def campaign(folder: Path, periods: list[str], seed: int) -> bool:
    """The four parts; True when every promise was kept."""
    step = Steps(folder / "steps.json")
    journal = maildir(folder / "journal")
    home, restored, fresh = folder / "home", folder / "restored", folder / "fresh"
    whole = ("--from", periods[0], "--to", periods[-1])
    good = True

    def sent() -> int:
        return sum(1 for _ in (journal / "new").iterdir())

    def same(name: str, where: Path) -> None:
        """A round of the outbox there; digests and mails must be those of the first part."""
        nonlocal good
        step(f"{name} round", lambda: round_of(where, periods))
        equal, more = digests(where) == told, sent() - len(periods) * 2
        good &= equal and not more
        cost = sum(step.cost(each) for each in step.done if each.startswith(name))
        print(f"{name}: digests equal {equal}, {more} mails (CPU {cost:.0f} s)", flush=True)

    with MailServer(journal=journal) as server:
        if not home.exists():
            make_home(home, {"audiences.yaml": AUDIENCES})
        for each in (home, restored, fresh):
            if each.exists():
                mail_settings(each, server, journal)
        all_periods(step, home, periods, seed)
        told = step("digests", lambda: digests(home))
        good &= sent() == 2 * len(periods)
        print(f"{len(periods)} periods run, approved, sent: {sent()} mails", flush=True)

        step("restored backup", lambda: parkwatch("backup", folder / "backup", "--home", home))
        step("restored", lambda: parkwatch("restore", folder / "backup", restored))
        same("restored", restored)

        step("built again, thrown away", lambda: thrown_away(home))
        step("built again", lambda: parkwatch("backfill", *whole, "--home", home))
        same("built again", home)

        if not fresh.exists():
            make_home(fresh, {"audiences.yaml": AUDIENCES})
            mail_settings(fresh, server, journal)
        step("from the archive, delivered", lambda: from_archive(home, fresh))
        step("from the archive", lambda: parkwatch("backfill", *whole, "--home", fresh))
        same("from the archive", fresh)
    return good


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--since", default="2020-02")
    parser.add_argument("--months", type=int, default=11)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    said = parser.parse_args()
    periods = [said.since, *months(said.since, said.months - 1)]
    print(f"seed {said.seed}, {periods[0]} to {periods[-1]}", flush=True)
    with tempfile.TemporaryDirectory(prefix="parkwatch-replay-") as name:
        folder = said.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        return 0 if campaign(folder, periods, said.seed) else 1


if __name__ == "__main__":
    sys.exit(main())
