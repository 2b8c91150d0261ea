"""Runs forked from a process that has everything imported: cheap to start, killed like any other.

Belongs here: importing what a run imports, forking it, looking at a workspace in a fork, and the
careless program the campaign must catch. Does not belong here: what is killed when (``runs``).
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench.torture.runs import ENTRY, PERIOD, Seen, look

APART = ("__main__", "bench", "duckdb", "_duckdb", "tests")
"""Packages a run imports for itself."""


class Forked:
    """A run forked from this process, in a process group of its own: libraries are imported already.

    A new interpreter spends a third of a run on imports, where a kill can hurt nothing; here the random
    moments fall on the work.
    """

    def __init__(self, process: multiprocessing.process.BaseProcess) -> None:
        self._process = process
        process.start()
        self.pid = process.pid or 0

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Exit code, minus a signal's number; subprocess.TimeoutExpired when it still runs."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("run", timeout or 0)
        return self._process.exitcode


def fork(home: Path, **environment: str) -> Forked:
    """The monthly job in a fork of this process: its own build, publication and ledger, with Dagster's
    history in memory and without the whole-table expectations, which only read (profile ``fast``)."""
    process = multiprocessing.get_context("fork").Process(target=_job, args=(home, environment))
    return Forked(process)


def careless(home: Path, **environment: str) -> Forked:
    """The same, by a program that puts documents in place before readers see the tables: the control."""
    arguments = (home, environment, _publish_carelessly)
    return Forked(multiprocessing.get_context("fork").Process(target=_job, args=arguments))


ELSEWHERE = ("folder.retired",)
"""Boundaries only a file system comes by that cannot exchange two names."""


def without_exchange(home: Path, **environment: str) -> Forked:
    """The same on such a file system."""
    arguments = (home, environment, _cannot_exchange)
    return Forked(multiprocessing.get_context("fork").Process(target=_job, args=arguments))


def _cannot_exchange() -> None:
    from warehouse import files

    files.exchange = lambda *_: False  # type: ignore[assignment]


def _publish_carelessly() -> None:
    from warehouse import store

    def publish(self: store.Warehouse) -> None:
        self._place_folders(store._staged_folders(self.workspace))
        os.replace(self.workspace.work_file, self.workspace.warehouse_file)

    store.Warehouse.publish = publish  # type: ignore[method-assign]


def _job(
    home: Path, environment: dict[str, str], change: Callable[[], None] = lambda: None
) -> None:
    import dagster as dg

    os.setsid()
    change()
    history = dg.DagsterInstance.ephemeral()
    dg.DagsterInstance.get = staticmethod(lambda: history)  # type: ignore[method-assign]
    for name in [n for n in os.environ if n.startswith(("PARKWATCH_", "DAGSTER_"))]:
        del os.environ[name]
    os.environ.update(environment)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.argv = ["parkwatch", "run", "--period", PERIOD, "--home", str(home), "--profile", "fast"]
    from pipelines.cli.main import main

    main()


def look_apart(home: Path) -> Seen:
    """``look`` in a fork, so that this process opens nothing and stays without threads."""
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=lambda: theirs.send(look(home)))
    process.start()
    theirs.close()
    try:
        seen: Seen = mine.recv()
        return seen
    finally:
        process.join()


def warm(home: Path) -> int:
    """Import the modules a run of the copy at ``home`` imports; the number of modules.

    DuckDB starts a thread when imported and stays out. Raises RuntimeError when something else started
    one: such a process must not be forked (jemalloc's own thread is begun anew in each fork).
    """
    words = ["run", "--period", PERIOD, "--home", str(home)]
    told = home / "modules.json"
    entry = (
        f"import atexit, json, sys; sys.argv[1:] = {words!r}; "
        f"atexit.register(lambda: open({str(told)!r}, 'w').write(json.dumps(list(sys.modules)))); "
        + ENTRY
    )
    subprocess.run([sys.executable, "-c", entry], check=False, capture_output=True)
    names = [n for n in json.loads(told.read_text()) if n.split(".")[0] not in APART]
    for name in names:
        with contextlib.suppress(
            ImportError
        ):  # a name that exists only inside its package's import
            importlib.import_module(name)
    tasks = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    if len([task for task in tasks if task != "jemalloc_bg_thd"]) > 1 or "duckdb" in sys.modules:
        raise RuntimeError(f"threads after the imports: {tasks}; set OPENBLAS_NUM_THREADS=1")
    gc.collect()
    gc.freeze()  # what is imported is not looked through again in every fork
    return len(names)
