"""The stages of a run called one after the other, without Dagster: cheap enough to kill thousands.

Belongs here: a run in three phases (ingest, build, publish), whole or one phase alone on the work file
the phase before left, and careless programs the campaigns must catch. Does not belong here: when a
run is killed and what is looked at (``phases``, ``points``).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from bench.torture.runs import PERIOD

if TYPE_CHECKING:
    from assets.build import Build

PHASES = ("ingest", "build", "publish")
LEFT_OUT = ("quality__expectation", "ops__digest")
"""Table expectations only read; the last asset is the phase ``publish``."""
LAST_OF_INGEST = "refresh_observations"


def assets_in_order() -> list[Any]:
    """Every asset of the monthly job, each after all it reads; what ingest needs comes first."""
    from pipelines.definitions import STAGES, defs

    graph = defs.resolve_asset_graph()
    made = {node.assets_def.op.name: node.assets_def for node in graph.asset_nodes}
    reads = {
        name: {
            graph.get(up).assets_def.op.name
            for key in one.keys
            for up in graph.get(key).parent_keys
        }
        for name, one in made.items()
    }
    place = {module.__name__: number for number, module in enumerate(STAGES)}
    order, left = list[Any](), {name for name in made if name not in LEFT_OUT}
    while left:
        ready = [name for name in left if not (reads[name] - {name}) & left]
        name = min(ready, key=lambda n: (place[_body(made[n]).__module__], n))
        left.remove(name)
        order.append(made[name])
    return order


def _body(made: Any) -> Any:
    return made.op.compute_fn.decorated_fn


def steps(period: str) -> dict[str, list[Callable[[Build], object]]]:
    """The calls of each phase. Looked up before a fork, so that no run pays for it."""
    phase, found = PHASES[0], dict[str, list[Callable[["Build"], object]]]()
    for made in assets_in_order():
        found.setdefault(phase, []).append(_call(made, period))
        if made.op.name == LAST_OF_INGEST:
            phase = PHASES[1]
    found[PHASES[2]] = [lambda build: publish(build, period)]
    return found


def _call(made: Any, period: str) -> Callable[[Build], object]:
    """The body of an asset with the little of Dagster's context that bodies ask for."""
    body = _body(made)
    takes_context = "context" in body.__code__.co_varnames[: body.__code__.co_argcount]
    context = SimpleNamespace(partition_key=period, log=logging.getLogger("bench.torture"))

    def call(build: Build) -> object:
        said = body(*[context][:takes_context], build=build)
        return list(said) if isinstance(said, Iterator) else said

    return call


def publish(build: Build, period: str) -> None:
    """What the job's last asset does."""
    from pipelines import ahead
    from warehouse.closings import Closings

    build.publish(period)
    Closings(build.state.path).record(period, build.run_id, build.now.replace(tzinfo=UTC))
    ahead.keep(build.workspace, build.catalog, build.now.replace(tzinfo=UTC))


@contextmanager
def opened(home: Path, run_id: str, period: str) -> Iterator[Build]:
    """The build of a run, entered in the ledger as a command enters it; a killed one stays open."""
    from pipelines.resources import open_build
    from pipelines.settings import load_workspace

    workspace = load_workspace(home)
    with open_build(workspace, run_id, period=period) as build:
        build.state.start_run(run_id, period, _stamp())
        yield build
        build.state.finish_run(run_id, _stamp(), "done", "")


def run(
    home: Path,
    run_id: str,
    calls: dict[str, list[Callable[[Build], object]]],
    phases: Sequence[str] = PHASES,
    period: str = PERIOD,
    armed: Callable[[], None] = lambda: None,
) -> None:
    """Do the phases; with the ``run_id`` of a run that did those before, its work file is gone on with.

    ``armed`` is called when the workspace is open and the first of the phases begins.
    """
    os.environ["PARKWATCH_HOME"] = str(home)
    with opened(home, run_id, period) as build:
        armed()
        for phase in phases:
            for call in calls[phase]:
                call(build)


def _stamp() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


# --- careless programs, the controls -------------------------------------------------------------


def write_in_place() -> None:
    """Builds straight in the file readers have open, step by step."""
    from warehouse.store import Warehouse
    from warehouse.workspace import Workspace

    Workspace.work_file = Workspace.warehouse_file  # type: ignore[method-assign]
    Warehouse.begin = lambda *_: None  # type: ignore[method-assign]


def documents_in_place() -> None:
    """Writes documents where readers find them, long before the tables are there."""
    from assets.build import Build

    def making(_: Build, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    Build.making = making  # type: ignore[method-assign]


def documents_first() -> None:
    """Puts documents in place, then begins to publish the tables."""
    from assets.build import Build
    from warehouse import store

    whole = Build.publish

    def careless(self: Build, period: str | None) -> None:
        self.warehouse._place_folders(store._staged_folders(self.workspace))
        whole(self, period)

    Build.publish = careless  # type: ignore[method-assign]


CARELESS = {"ingest": write_in_place, "build": documents_in_place, "publish": documents_first}
"""A program for each phase that must leave mixtures when killed there."""
