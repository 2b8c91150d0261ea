"""A served bureau for tests: ``parkwatch serve`` over a tiny workspace, asked by browsers and programs.

Belongs here: starting and ending it, logging in, what processes and records it has. Does not belong
here: expectations.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from pipelines.serve import users
from tests.support.bureau import Office, county_form
from tests.support.workspaces import PARKWATCH, parkwatch

PERIOD, PASSWORD = "2020-06", "correct-horse-9"
PEOPLE = (
    ("op", "统计岗 甲", "operator"), ("ap", "分管岗 乙", "approver"),
    ("ap2", "分管岗 丙", "approver"), ("vi", "查阅岗 丁", "viewer"),
)  # fmt: skip
AUDIENCES = """
- {audience_id: office, name: 监测岗（模拟）, role: statistician, scope_level: province,
   scope_code: "610000", rights: [figures, quality], formats: [html, pdf, eml], recipients: [
   {email: leader@y.test, name: 分管领导岗}, {email: office@y.test, name: 监测岗},
   {email: former@y.test, name: 原监测岗, valid_to: 2019-12-31}]}
"""
QUIET = '\n[automation]\npolicy = "none"\ninbox = false\n'


def bureau(home: Path) -> Path:
    """A bureau with users and a bulletin in draft; nothing run by Dagster yet."""
    office = Office(home, {"audiences.yaml": AUDIENCES})
    for county, name in (("hanbin", "汉滨区"), ("hanyin", "汉阴县"), ("shiquan", "石泉县")):
        file = f"{county}/{name}2020年6月.xlsx"
        office.put(file, county_form(county, PERIOD, 100), datetime(2020, 7, 8, 9, 30), county)
    office.run(PERIOD)
    with (home / "parkwatch.toml").open("a", encoding="utf-8") as settings:
        settings.write(QUIET)
    told = parkwatch("bulletin", "build", "--period", PERIOD, "--home", home)
    assert told.returncode == 0, told.stderr
    secret = home / "secret.txt"
    secret.write_text(PASSWORD)
    (first, *others) = PEOPLE
    user, name, role = first
    told = parkwatch("user", "add", user, "--name", name, "--role", role,
                     "--password-file", secret, "--home", home)  # fmt: skip
    assert told.returncode == 0, told.stderr
    secret.unlink()
    for user, name, role in others:
        users.add(home, users.User(user=user, name=name, roles=(role,)), PASSWORD, "root")
    return home


@dataclass
class Served:
    """One ``parkwatch serve``."""

    home: Path
    port: int = 0
    process: subprocess.Popen[str] | None = None
    began: float = 0.0
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it on a free port."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.began = time.monotonic()
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PARKWATCH_", "DAGSTER"))}
        with (self.home / "serve.log").open("w") as log:
            self.process = subprocess.Popen(
                [str(PARKWATCH), "serve", "--home", str(self.home), "--port", str(self.port)],
                stdout=log, stderr=log, env=clean | self.environment, cwd=self.home,
            )  # fmt: skip

    def until(self, true: Any, seconds: float = 300, every: float = 0.2) -> float:
        """Wait; returns seconds since the start."""
        last = time.monotonic() + seconds
        while not true():
            if time.monotonic() > last or (self.process and self.process.poll() is not None):
                logs = [self.home / "serve.log", *(self.home / "logs").glob("*.log")]
                tails = [f"--- {f}\n{f.read_text(errors='replace')[-1500:]}" for f in logs]
                raise AssertionError(f"not within {seconds} s\n" + "\n".join(tails))
            time.sleep(every)
        return time.monotonic() - self.began

    def answers(self) -> bool:
        """Whether the login page comes."""
        try:
            return httpx.get(f"{self.url}/login", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def client(self, user: str | None = None) -> httpx.Client:
        """A program, logged in as somebody or as nobody."""
        made = httpx.Client(base_url=self.url, headers={"origin": self.url}, timeout=60)
        if user is not None:
            told = made.post("/login", data={"user": user, "password": PASSWORD})
            assert told.status_code == 303, told.text
        return made

    def graphql(self, client: httpx.Client, query: str, **variables: Any) -> httpx.Response:
        """Ask Dagster."""
        return client.post("/dagster/graphql", json={"query": query, "variables": variables})

    def act(self, client: httpx.Client, place: str, act: str, **fields: Any) -> httpx.Response:
        """Do what a form of an edition's page does."""
        page = client.get(place).text
        hidden = dict(re.findall(r'name="(form_token|seen)" value="([^"]+)"', page))
        hidden.setdefault("seen", "")
        return client.post(f"{place}/{act}", data=hidden | fields)

    def processes(self) -> list[int]:
        """Every process that works for this workspace."""
        marks = (f"PARKWATCH_HOME={self.home}\0".encode(), f"--home\0{self.home}\0".encode())
        found = []
        for place in Path("/proc").iterdir():
            if place.name.isdigit() and int(place.name) != os.getpid():
                try:
                    text = (place / "environ").read_bytes() + (place / "cmdline").read_bytes()
                    state = (place / "stat").read_text().rpartition(")")[2].split()[0]
                except OSError:
                    continue
                if any(mark in text for mark in marks) and state != "Z":
                    found.append(int(place.name))
        return found

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the command itself."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(60)

    def records(self) -> str:
        """Everything a viewer must not change, as text."""
        said: dict[str, Any] = {}
        for name, query in (
            ("state.sqlite", "SELECT * FROM release"), ("state.sqlite", "SELECT hash FROM audit"),
            ("dagster/history/runs.db", "SELECT run_id, status FROM runs"),
            ("dagster/history/runs.db", "SELECT key, status FROM bulk_actions"),
            ("dagster/history/runs/index.db", "SELECT asset_key, last_run_id, wipe_timestamp "
                                              "FROM asset_keys"),
            ("dagster/history/runs/index.db", "SELECT count(*) FROM event_logs "
                                              "WHERE dagster_event_type LIKE 'ASSET%'"),
            ("dagster/schedules/schedules.db", "SELECT selector_id, status FROM instigators"),
        ):  # fmt: skip
            with closing(sqlite3.connect(f"file:{self.home / name}?mode=ro", uri=True)) as there:
                said[query] = sorted(map(str, there.execute(query)))
        said["users"] = (self.home / "users.yaml").read_text()
        said["files"] = sorted(
            (str(p), p.stat().st_size) for p in (self.home / "reports").rglob("*") if p.is_file()
        )
        return json.dumps(said, ensure_ascii=False, indent=1)
