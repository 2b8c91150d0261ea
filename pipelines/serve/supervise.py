"""The processes of ``parkwatch serve``: started together, started again when they end, ended together.

Belongs here: their commands, environments, logs, and their life. Does not belong here: what they do
(``gate``, ``webserver``, Dagster), the command line.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from warehouse import locks
from warehouse.workspace import Workspace

WAITS = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before a process that ended is started again, by how often in a row it ended early."""
EARLY_SECONDS = 60.0
END_SECONDS = 15.0
LOOK_SECONDS = 0.25
LOG_BYTES = 20 << 20
LOCK = "serve.lock"
STORAGES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
WORKSPACE_YAML = """\
# The code server of this workspace's daemon and webserver.
load_from:
  - grpc_server: {{socket: {socket}, location_name: parkwatch}}
"""


class ServeError(RuntimeError):
    """Cannot be served; the message says why and how to mend it."""


class AlreadyServedError(ServeError):
    """Another process serves this workspace."""


@dataclass(slots=True)
class Service:
    """One process. ``log``: name of its log; ``ready``: whether it answers; ``without``: variables it
    must not know; ``after``: started only while that one answers."""

    name: str
    log: str
    command: tuple[str, ...]
    ready: Callable[[], bool]
    without: tuple[str, ...] = ()
    after: Service | None = None
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    again_at: float = 0.0
    early_ends: int = 0
    was_ready: bool = False


@dataclass(slots=True)
class Supervisor:
    """Keeps the services of one workspace running until told to end."""

    home: Path
    environment: Mapping[str, str]
    services: list[Service]
    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    _end: threading.Event = field(default_factory=threading.Event)

    def run(self, prepare: Callable[[], None] = lambda: None) -> None:
        """Start, watch, and on SIGTERM or SIGINT end everything. The first service, the gate, is
        started at once: people log in while ``prepare`` makes ready what the others need."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._end.set())
        began = self.clock()
        try:
            self._start(self.services[0])
            prepare()
            while not self._end.wait(LOOK_SECONDS):
                self.look(began)
        finally:
            self.stop()

    def look(self, began: float) -> None:
        """One look at every service."""
        for service in self.services:
            if service.process is None:
                if self.clock() >= service.again_at and (
                    service.after is None or service.after.was_ready
                ):
                    self._start(service)
            elif service.process.poll() is not None:
                self._ended(service)
            elif not service.was_ready and service.ready():
                service.was_ready = True
                self.say(f"{service.name} 就绪({self.clock() - began:.1f} 秒)")
            self._trim(service)

    def stop(self) -> None:
        """End all: asked first, killed with everything they started after 15 seconds."""
        running = [s.process for s in self.services if s.process is not None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        until = self.clock() + END_SECONDS
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, until - self.clock()))
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _start(self, service: Service) -> None:
        environment = {k: v for k, v in self.environment.items()
                       if not k.startswith(service.without or ("\0",))}  # fmt: skip
        with self._log(service).open("ab") as log:
            service.process = subprocess.Popen(
                service.command, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True, cwd=self.home,
            )  # fmt: skip
        service.started, service.was_ready = self.clock(), False

    def _ended(self, service: Service) -> None:
        assert service.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(service.process.pid, signal.SIGKILL)  # what it left behind
        early = self.clock() - service.started < EARLY_SECONDS
        service.early_ends = service.early_ends + 1 if early else 0
        wait = WAITS[min(service.early_ends, len(WAITS) - 1)]
        service.again_at = self.clock() + wait
        code = service.process.returncode
        service.process, service.was_ready = None, False
        self.say(f"{service.name} 意外结束({code}),{wait:g} 秒后重新启动;见 {self._log(service)}")

    def _log(self, service: Service) -> Path:
        folder = self.home / "logs"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / f"{service.log}.log"

    def _trim(self, service: Service) -> None:
        """Keep the log and one before it; the process goes on writing at the end of the file."""
        log = self._log(service)
        with contextlib.suppress(OSError):
            if log.stat().st_size > LOG_BYTES:
                shutil.copyfile(log, log.with_suffix(".log.1"))
                os.truncate(log, 0)


def prepare_instance(workspace: Workspace) -> None:
    """Make the storages of the Dagster instance before several processes want to: side by side they
    would spoil each other's schema. Raises ServeError."""
    from pipelines import instance

    instance.prepare(workspace.dagster_home)
    if all(_has_schema(workspace.dagster_home / file) for file in STORAGES):
        return
    done = subprocess.run(
        child("prepare"), env=environment(workspace), cwd=workspace.home,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode or not all(_has_schema(workspace.dagster_home / f) for f in STORAGES):
        last = (done.stderr.strip().splitlines() or ["未知原因"])[-1]
        raise ServeError(
            f"Dagster 实例不能使用:{last}。确认无其他进程在用后,移走 {workspace.dagster_home}"
            " 再启动(只含运行记录,数据不受影响)"
        )


def _has_schema(file: Path) -> bool:
    """Whether the storage's tables are there, once."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            return len(connection.execute("SELECT * FROM alembic_version").fetchall()) == 1
    except sqlite3.Error:
        return False


def services(workspace: Workspace, sockets: Path) -> list[Service]:
    """The processes of a workspace: the gate, the code server, Dagster's webserver behind the gate,
    Dagster's daemon. Runs are children of the code server: they outlive the other three."""
    options = workspace.serving
    dagster_socket, code_socket = sockets / "dagster.sock", sockets / "code.sock"
    for left in (dagster_socket, code_socket):
        left.unlink(missing_ok=True)
    workspace.dagster_home.mkdir(parents=True, exist_ok=True)
    workspace_file = workspace.dagster_home / "workspace.yaml"
    workspace_file.write_text(WORKSPACE_YAML.format(socket=code_socket), encoding="utf-8")
    host, began = options.host, datetime.now(UTC)
    secrets = ("PARKWATCH_MAIL__PASSWORD", "PARKWATCH_MAIL__LOOKUP__PASSWORD",
               "PARKWATCH_MAIL__BOUNCES__PASSWORD")  # fmt: skip
    code = Service("代码服务", "code", child("code", code_socket),
                   lambda: _answers(str(code_socket)))  # fmt: skip
    return [
        Service("登录入口", "gate",
                child("gate", workspace.home, dagster_socket, host, options.port),
                lambda: _answers((_reached(host), options.port)), secrets),
        code,
        Service("数据沿袭(Dagster)", "webserver", child("webserver", dagster_socket, workspace_file),
                lambda: _answers(str(dagster_socket)), secrets, code),
        Service("守护进程", "daemon", child("daemon", workspace_file),
                lambda: beats(workspace.dagster_home, began), after=code),
    ]  # fmt: skip


def child(work: str, *arguments: object) -> tuple[str, ...]:
    """Command of a process that lives no longer than this one."""
    module = ("-m", "pipelines.serve.child")
    return (sys.executable, *module, str(os.getpid()), work, *map(str, arguments))


def environment(workspace: Workspace) -> dict[str, str]:
    """What the processes know: the workspace, and that nothing is reported anywhere."""
    return {
        **os.environ,
        "PARKWATCH_HOME": str(workspace.home),
        "DAGSTER_HOME": str(workspace.dagster_home),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "GX_ANALYTICS_ENABLED": "false",
        "PYTHONUNBUFFERED": "1",
    }


def port_is_free(host: str, port: int) -> bool:
    """Whether the gate can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError:
            return False
    return True


@contextlib.contextmanager
def only_one(home: Path, url: str) -> Iterator[None]:
    """This workspace is served by this process alone. Raises AlreadyServedError."""
    since = datetime.now(UTC).isoformat(timespec="seconds")
    name = json.dumps({"url": url, "pid": os.getpid(), "since": since})
    with locks.hold(
        home / LOCK, name, busy=lambda holder: AlreadyServedError(f"该工作区已在提供服务:{holder}")
    ):
        yield


def is_served(home: Path) -> bool:
    """Whether some process serves the workspace now."""
    path = home / LOCK
    if not path.exists():
        return False
    try:
        with locks.hold(path):
            return False
    except locks.HeldError:
        return True


def socket_folder(home: Path) -> Path:
    """A folder only this user can enter, the same for a workspace, with a path short enough for
    sockets. Raises ServeError when somebody else made it."""
    base = os.environ.get("RUNTIME_DIRECTORY") or os.environ.get("XDG_RUNTIME_DIR")
    base = base if base and Path(base).is_dir() else tempfile.gettempdir()
    digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    folder = Path(base) / f"parkwatch-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ServeError(f"{folder} 不属于本用户或可被他人进入:请删除后重试")
    return folder


def beats(dagster_home: Path, since: datetime) -> bool:
    """Whether the daemon has shown a sign of life since a moment."""
    file = dagster_home / "history" / "runs.db"
    try:
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            (last,) = connection.execute("SELECT max(timestamp) FROM daemon_heartbeats").fetchone()
    except sqlite3.Error:
        return False
    return last is not None and datetime.fromisoformat(last).replace(tzinfo=UTC) >= since


def _reached(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _answers(address: str | tuple[str, int]) -> bool:
    """Whether somebody accepts connections there."""
    if isinstance(address, str):
        family = socket.AF_UNIX
    else:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.settimeout(1)
        return trial.connect_ex(address) == 0
