"""PostgreSQL, Redis and an object store for tests of the distributed profile, on free ports of this machine.

``postgres`` and ``redis`` say why they cannot be had instead of pretending: tests skip with that reason.

Belongs here: starting and stopping them. Does not belong here: web and mail servers.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
NEEDED = ("duckdb_extension_ducklake", "duckdb_extension_postgres_scanner")


def missing() -> str | None:
    """Why the shared lake cannot be had here; None when it can."""
    absent = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if absent:
        return f"optional component 'distributed' is not installed (make distributed): {absent}"
    if not POSTGRES:
        return "no PostgreSQL server on this machine (Debian: postgresql)"
    return None


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL server; yields ``host=… port=… user=…`` (trust authentication, loopback only)."""
    binaries = POSTGRES[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="parkwatch-pg-"))
    as_server = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        owner = pwd.getpwnam("postgres")
        shutil.chown(folder, owner.pw_uid, owner.pw_gid)
        as_server = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    port = free_port()
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    subprocess.run(
        [binaries / "initdb", "-D", folder / "data", "-A", "trust", "-U", "parkwatch"],
        check=True, **silent, **as_server,
    )  # fmt: skip
    server = subprocess.Popen(
        [binaries / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder,
         "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"],
        **silent, **as_server,
    )  # fmt: skip
    try:
        _wait(port, server)
        for attempt in range(50):
            made = subprocess.run(
                [binaries / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "parkwatch",
                 "lake"],
                **silent,
            )  # fmt: skip
            if made.returncode == 0:
                break
            time.sleep(0.2 + attempt / 50)
        yield f"host=127.0.0.1 port={port} user=parkwatch"
    finally:
        server.terminate()
        server.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """A Redis server; yields its URL."""
    port = free_port()
    folder = tempfile.mkdtemp(prefix="parkwatch-redis-")
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait(port, server)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def object_store(bucket: str) -> Iterator[str]:
    """A server that speaks S3 (moto, in memory) with one empty bucket; yields ``host:port``."""
    port = free_port()
    server = subprocess.Popen(
        [Path(sys.executable).with_name("moto_server"), "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait(port, server)
        httpx.put(f"http://127.0.0.1:{port}/{bucket}").raise_for_status()
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=60)


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    """Until the server listens."""
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if server.poll() is not None:
            raise RuntimeError(f"server ended with {server.returncode}")
        time.sleep(0.1)
    raise RuntimeError("server does not listen")
