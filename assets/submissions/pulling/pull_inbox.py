"""HTTP sources of the catalogue into the inbox: what is due, asked, and put where the run finds it.

Belongs here: the declared sources, their state in the ledger, the pulled file with its receipt in
``inbox/<source_id>/``. Does not belong here: the network (``pull``), reading the file (``intake``),
printing (``pipelines.cli``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from assets.submissions.archive import deliver
from assets.submissions.pulling.pull import (
    HttpSource,
    Pulled,
    PullFailed,
    PullState,
    Result,
    SourceError,
    for_period,
    pull,
    read_source,
)
from warehouse.catalog.load import Catalog
from warehouse.catalog.models import Source
from warehouse.state import State
from warehouse.workspace import Workspace

Fetch = Callable[..., Result]
_PLACEHOLDERS = ("{period}", "{year}", "{month}")


@dataclass(frozen=True, slots=True)
class PullOutcome:
    """What came of asking one source. ``path``: the new file in the inbox, if there is one."""

    source: Source
    result: Result | SourceError
    path: Path | None = None

    @property
    def failed(self) -> bool:
        """Whether nothing usable is known of the source after this."""
        return isinstance(self.result, PullFailed | SourceError)


def http_sources(catalog: Catalog) -> list[Source]:
    """Sources of kind ``http``, by id."""
    found = [source for source in catalog.sources if source.kind == "http"]
    return sorted(found, key=lambda source: source.source_id)


def needs_period(source: Source) -> bool:
    """Whether the address or the name of the file has to be filled with a report period."""
    template = (source.http.file_name_template if source.http else None) or ""
    return any(mark in f"{source.url} {template}" for mark in _PLACEHOLDERS)


def declared(
    source: Source,
    workspace: Workspace,
    period: str | None,
    environ: Mapping[str, str] | None = None,
) -> HttpSource:
    """The source ready to be asked, secrets filled in. Raises SourceError."""
    options = source.http.given() if source.http else {}
    ready = read_source(
        source.source_id,
        source.url or "",
        options,
        environ=os.environ if environ is None else environ,
        folder=workspace.home,
    )
    if not needs_period(source):
        return ready
    if period is None:
        raise SourceError(f"数据源“{source.source_id}”按报告期下载,请用 --period YYYY-MM 指定")
    return for_period(ready, period)


def pull_into_inbox(
    source: Source,
    workspace: Workspace,
    state: State,
    period: str | None,
    clock: Callable[[], datetime],
    fetch: Fetch = pull,
) -> PullOutcome:
    """Ask one source once. A new file lies in the inbox, receipt first, before the ledger knows.

    Killed in between, the next pull fetches the same bytes again and changes nothing. ``clock``
    gives the time with its zone. Raises ReceiptsError when the folder's receipts cannot be used.
    """
    try:
        ready = declared(source, workspace, period)
    except SourceError as error:
        return PullOutcome(source, error)
    known = state.pull_state(source.source_id, ready.url)
    result = fetch(ready, PullState.from_dict(known) if known else None, clock=clock)
    path = None
    if isinstance(result, Pulled):
        folder = workspace.inbox / source.source_id
        path = deliver(folder, result.file_name, result.data, clock(), source.source_id)
    state.save_pull_state(source.source_id, ready.url, result.state.to_dict())
    return PullOutcome(source, result, path)
