"""What a run will need later, started while its first core is busy with something else.

Belongs here: whether a run will have something new to validate, and the validating process begun early.
Does not belong here: what that process does (``quality.engine``).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from assets.submissions import archive
from quality.engine import Engine
from warehouse.state import State
from warehouse.workspace import Workspace

_begun: ContextVar[Engine | None] = ContextVar("begun", default=None)
"""Engine of the command that launches a run in this very process."""


@contextmanager
def validating(workspace: Workspace) -> Iterator[Engine]:
    """An engine for a run of ``workspace``, loading already when the run has something new to read.

    A run inside the command that began one has the command's.
    """
    if (begun := _begun.get()) is not None:
        yield begun
        return
    engine = Engine()
    token = _begun.set(engine)
    try:
        if something_new(workspace):
            engine.warm_up()
        yield engine
    finally:
        _begun.reset(token)
        engine.close()


def something_new(workspace: Workspace) -> bool:
    """Whether nothing is published yet or the inbox holds a file that has no receipt."""
    if not workspace.warehouse_file.exists():
        return True
    return bool(archive.new_files(workspace.inbox, State(workspace.state_file).known_files()))


GARBAGE_AFTER = 50_000
"""New objects after which cycles are looked for; Python's own 700 cost a month of 450,000 figures
a quarter of the time of its scores, and Great Expectations a fifth of its loading."""


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """A run makes many objects and hardly any cycles: look for them seldom meanwhile."""
    before = gc.get_threshold()
    gc.set_threshold(GARBAGE_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
