"""A year sent to a real mail server, then restored and replayed: not one mail leaves a second time.

Belongs here: the campaign and its checks. Does not belong here: what it exercises. Everything is
simulated (模拟数据). Prints one line a step; ends with 1 when a promise is broken.

    python -m bench.torture.replay [--year 2020] [--through 12]

1. Every period of the year is run, approved and sent by command. 2. ``backup``, ``restore``, a round of
the outbox. 3. The tables and documents are thrown away and the year is built again from archive and
ledger; a round. 4. The archive goes into the inbox of an empty workspace and the year is built from
nothing; a round. Tables of 3 and 4 must have the digests of 1.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from assets.submissions.archive import deliver
from tests.support.bureau import COUNTIES, county_form, make_home
from tests.support.mail_server import MailServer, maildir
from warehouse import store
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


def parkwatch(*words: str | Path) -> None:
    """A command as a person would type it; SystemExit when it fails."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PARKWATCH_", "DAGSTER_"))}
    command = [str(Path(sys.executable).with_name("parkwatch")), *map(str, words)]
    told = subprocess.run(command, env=clean, capture_output=True, text=True)
    if told.returncode not in (0, 3):
        raise SystemExit(f"{' '.join(command)} ended with {told.returncode}\n{told.stderr}")


def prepared(home: Path, server: MailServer, journal: Path) -> Path:
    """The bureau's workspace with a mail server."""
    make_home(home, {"audiences.yaml": AUDIENCES})
    with (home / "parkwatch.toml").open("a", encoding="utf-8") as settings:
        settings.write(
            f'\n[mail]\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "plain"\n'
            'sender = "bulletin@bureau.test"\njournal = "journal@bureau.test"\n'
            f'lookup_wait_minutes = 0\nlookup = {{kind = "maildir", path = "{journal}"}}\n'
        )
    return home


def a_year(home: Path, periods: list[str]) -> None:
    """Every period delivered, built, approved and sent."""
    for period in periods:
        end = datetime(int(period[:4]), int(period[5:]), 28, tzinfo=UTC) + timedelta(days=9)
        for county in COUNTIES:
            data = county_form(county, period, 100 * int(period[5:]))
            deliver(home / "inbox", f"{COUNTIES[county]}{period}.xlsx", data, end, county)
        told = ("--period", period, "--home", home)
        parkwatch("run", *told)
        parkwatch("bulletin", "submit", *told, "--by", "统计岗 甲")
        parkwatch("bulletin", "approve", *told, "--by", "分管岗 乙")
        parkwatch("bulletin", "send", *told)


def from_archive(home: Path, target: Path) -> None:
    """Everything that was ever received, delivered again as it was."""
    for receipt in State(home / "state.sqlite").receipts():
        original = next((home / "archive").rglob(f"{receipt.sha256}*"))
        at = datetime.fromisoformat(receipt.received_at).replace(tzinfo=UTC)
        deliver(
            target / "inbox", receipt.file_name, original.read_bytes(), at, receipt.sender or ""
        )


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
    for period in periods:
        parkwatch("bulletin", "send", "--period", period, "--home", home)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--year", type=int, default=2020)
    parser.add_argument("--through", type=int, default=12)
    said = parser.parse_args()
    periods = [f"{said.year}-{month:02d}" for month in range(2, said.through + 1)]
    whole = ("--from", periods[0], "--to", periods[-1])
    with tempfile.TemporaryDirectory(prefix="parkwatch-replay-") as name:
        folder = Path(name)
        journal = maildir(folder / "journal")
        with MailServer(journal=journal) as server:
            home = prepared(folder / "home", server, journal)
            a_year(home, periods)
            sent, told = len(server.taken), digests(home)
            print(f"{len(periods)} periods run, approved, sent: {sent} mails", flush=True)
            wrong = sent != 2 * len(periods)

            began = time.monotonic()
            parkwatch("backup", folder / "backup", "--home", home)
            taken = time.monotonic() - began
            began = time.monotonic()
            parkwatch("restore", folder / "backup", folder / "restored")
            took = time.monotonic() - began
            round_of(folder / "restored", periods)
            more, same = len(server.taken) - sent, digests(folder / "restored") == told
            wrong |= bool(more) or not same
            print(f"backup {taken:.0f} s, restore {took:.0f} s: digests equal {same}, {more} mails",
                  flush=True)  # fmt: skip

            for left in ("warehouse.duckdb", "lake", "published", "site", "dagster"):
                path = home / left
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            parkwatch("backfill", *whole, "--home", home)
            round_of(home, periods)
            more, same = len(server.taken) - sent, digests(home) == told
            wrong |= bool(more) or not same
            print(f"built again from archive and ledger: digests equal {same}, {more} mails",
                  flush=True)  # fmt: skip

            fresh = prepared(folder / "fresh", server, journal)
            from_archive(home, fresh)
            parkwatch("backfill", *whole, "--home", fresh)
            round_of(fresh, periods)
            more, same = len(server.taken) - sent, digests(fresh) == told
            wrong |= bool(more) or not same
            print(f"replayed from the archive alone: digests equal {same}, {more} mails",
                  flush=True)  # fmt: skip
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
