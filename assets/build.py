"""What every stage works with during one run: workspace, catalogue, stores, clock, progress.

Belongs here: the handle passed to assets and small steps shared by all stages. Does not belong here:
Dagster (the handle is plain) or any stage's logic.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quality.engine import Ask, ask_here
from warehouse import builds, filing, partitions, provenance, releases, schema, store, versions
from warehouse.catalog.reporting import expected_reporters
from warehouse.faults import reach
from warehouse.filing_ledger import FilingLedger
from warehouse.state import State
from warehouse.store import FAR_FUTURE, Warehouse
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

    from warehouse.catalog.load import Catalog


Progress = Callable[[str, int, int], None]
"""Told what is being done, how many are done, how many there are (0 when not counted)."""


def no_progress(what: str, done: int, total: int) -> None:
    """Progress of a run nobody watches."""


@dataclass(slots=True)
class Build:
    """One run's view of its workspace. Times are naive UTC, as in the warehouse."""

    workspace: Workspace
    catalog: Catalog
    warehouse: Warehouse
    state: State
    now: datetime
    asof: str = FAR_FUTURE
    """Figures are taken as known at this UTC time."""
    run_id: str = ""
    period: str | None = None
    """Period the run is for; its inputs must come from one catalogue and reader."""
    spread: Callable[[Sequence[Any]], None] | None = None
    """Has shares of a derivation done by workers and waits for them; None where there are none."""
    validate: Ask = ask_here
    """Runs a suite of expectations, here or in a process beside this one."""
    progress: Progress = no_progress
    begun: bool = False
    """Whether this run has made its work file; a build nobody works with makes none."""
    seconds: dict[str, float] = field(default_factory=dict)
    kept: dict[Any, Any] = field(default_factory=dict)
    """What a stage leaves for a later one of the same run, to save doing it again."""

    def begin(self) -> None:
        """Make the run's work file ready, the first time it is needed."""
        if not self.begun:
            self.warehouse.begin(self.run_id)
            self.begun = True

    @contextmanager
    def step(self, what: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction of the build, shown to whoever watches and timed."""
        self.begin()
        self.progress(what, 0, 0)
        started = time.perf_counter()
        with self.warehouse.building() as connection:
            yield connection
            provenance.settle(connection, self.origin, self.period)
            reach("step.written")
        reach("step.committed")
        self.seconds[what] = time.perf_counter() - started

    @property
    def origin(self) -> provenance.Origin:
        """What this build works with."""
        return provenance.Origin(
            catalogue_digest=self.catalog.digest,
            reading_digest=self.catalog.reading_digest,
            reader_version=provenance.READER_VERSION,
            asof=self.asof,
        )

    def making(self, folder: Path) -> Path:
        """Where to write what ``folder`` will hold once this build is published.

        It begins with what ``folder`` holds now. Readers see the new content together with the new
        warehouse, or the old with the old.
        """
        staged = self.workspace.making / folder.relative_to(self.workspace.home)
        if not staged.exists():
            staged.parent.mkdir(parents=True, exist_ok=True)
            if folder.exists():
                shutil.copytree(folder, staged)
            else:
                staged.mkdir()
        return staged

    @contextmanager
    def looking(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Connection for looking only: the build under way, or what is published when it is done."""
        if self.workspace.work_file.exists():
            with self.warehouse.building() as connection:
                yield connection
        else:
            with self.warehouse.reading() as connection:
                yield connection

    def publish(self, period: str | None) -> None:
        """Write the digests, keep the build, make the work file the published one, bring the ledger
        in line.

        The ledger follows the published file: killed in between, the next run repeats its lines.
        """
        with self.step("发布") as connection:
            with store.as_written(connection):
                partitions.refresh(connection, period)
            connection.execute("DELETE FROM internal.affected_period")
            connection.execute("DELETE FROM internal.affected_asof")
            store.replace_rows(connection, "ops.digest", partitions.digest_rows(connection))
            number, digest = builds.number_build(connection)
            outcomes = store.fetch(connection, "FROM submissions.submission")
            covered = dict(connection.execute(_COVERED, [period]).fetchall())
            filed = filing.board_rows(connection)
            drafts = store.fetch(connection, _DRAFTS, [period])
        reach("publish.digested")
        settings = versions.keep(self.workspace, self.catalog.digest)
        with self.warehouse.building() as connection, store.as_written(connection):
            manifest = builds.keep(
                connection,
                self.workspace,
                {
                    "number": number,
                    "digest": digest,
                    "built_at": self.now.isoformat(sep=" ", timespec="seconds"),
                    "period": period,
                    "asof": self.asof,
                    "catalogue_digest": self.catalog.digest,
                    "settings_digest": settings,
                    "reader_version": provenance.READER_VERSION,
                },
            )
        self.warehouse.publish()
        self.state.replace_outcomes(outcomes)
        FilingLedger(self.state.path).replace_filing(filed)
        periods = sorted({period, *(row["period"] for row in outcomes)} - {None})
        self.state.replace_expected(
            {p: expected_reporters(self.catalog, p, self.workspace.first_month) for p in periods},
            {(str(period), reporter): submission for reporter, submission in covered.items()},
        )
        self._record_drafts(drafts)
        reach("publish.recorded")
        builds.prune(self.workspace, manifest)
        reach("publish.pruned")

    def _record_drafts(self, drafts: list[dict[str, Any]]) -> None:
        """Tell the ledger of releases which documents each draft has now.

        One handed in meanwhile keeps the documents that were handed in: approving others is refused.
        """
        at = self.now.isoformat(sep=" ", timespec="seconds")
        ledger = releases.Releases(self.workspace.state_file)
        for row in drafts:
            key = releases.Key(row["period"], row["audience_id"], row["edition"])
            with suppress(releases.ReleaseError):
                ledger.record_draft(key, releases.documents_digest(row["documents"]), at)


_DRAFTS = """
SELECT period, audience_id, edition, documents FROM bulletins.edition
WHERE period = ? AND status = 'draft' ORDER BY ALL
"""

_COVERED = """
SELECT submission.reporter, arg_max(submission.submission_id, submission.received_at)
FROM submissions.submission AS submission
WHERE submission.status IN ('accepted', 'partly') AND submission.submission_id IN (
    SELECT submission_id FROM submissions.cell WHERE period = ? AND indicator_id IS NOT NULL
)
GROUP BY submission.reporter
"""


@dataclass(frozen=True, slots=True)
class TableResult:
    """What Dagster shows of a table that was built: size, content digest, a few rows."""

    full_name: str
    n_rows: int
    digest: str
    preview: str


def describe(
    connection: duckdb.DuckDBPyConnection, full_name: str, where: str = "true"
) -> TableResult:
    """Size, digest and first rows (Markdown) of a dictionary table, rows limited by ``where``.

    Where it names a part (``period = '…'``) size and digest are that part's: looking at a month must
    not cost the whole history.
    """
    column = partitions.part_column(schema.table(full_name))
    shown = re.search(rf"\b{column} = '([^']*)'", where)
    part = partitions.of_parts(connection, full_name, [shown[1]] if shown else None)
    names = [column.name for column in schema.table(full_name).columns][:10]
    rows = store.fetch(
        connection, f"SELECT {', '.join(names)} FROM {full_name} WHERE {where} LIMIT 8"
    )
    return TableResult(full_name, part.n_rows, part.digest, _markdown(names, rows))


def _markdown(names: list[str], rows: list[dict[str, Any]]) -> str:
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(_short(row[name]) for name in names) for row in rows]
    return "\n".join(lines)


def _short(value: object) -> str:
    text = "" if value is None else str(value).replace("|", "/").replace("\n", " ")
    return text if len(text) <= 24 else text[:21] + "…"
