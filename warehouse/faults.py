"""Named boundaries of a run at which it can be killed on purpose, to prove that it may be.

Belongs here: the names and the one function that stops the process there. Does not belong here: what
a killed run leaves or how it is put right. Without ``PARKWATCH_CRASH_AT`` nothing here does anything.
"""

from __future__ import annotations

import os
import signal

VARIABLE = "PARKWATCH_CRASH_AT"
"""Name of a boundary, or ``name:n`` for the n-th time a run comes by it."""

BOUNDARIES = (
    "archive.copied",  # the original is copied, not yet named
    "archive.stored",  # the original is in the archive, no receipt yet
    "intake.received",  # receipts are in the ledger, nothing is read
    "intake.stored",  # rows of a batch are written, not committed
    "intake.committed",  # rows of all files are committed to the work file
    "step.written",  # a step has written, its transaction is open
    "step.committed",  # a step's transaction is committed
    "documents.written",  # one document of an edition is written
    "documents.staged",  # the edition's folder is whole, not in its place
    "publish.digested",  # digests are committed to the work file
    "publish.partition",  # one partition is in the lake
    "publish.kept",  # every partition and the manifest are on disk
    "publish.checkpointed",  # the work file is whole and synced
    "publish.announced",  # the list of folders to put in place is on disk
    "publish.renamed",  # readers see the new warehouse
    "folder.retired",  # a former folder is out of the way (only where names cannot be exchanged)
    "folder.replaced",  # a folder is in its place, the former one not removed
    "publish.placed",  # the edition's folder is in its place
    "publish.settled",  # all folders are in place
    "publish.recorded",  # the ledger mirrors the published file
    "publish.pruned",  # builds no longer kept are gone
)

_seen: dict[str, int] = {}


def reach(name: str) -> None:
    """Pass the boundary ``name``; die there without any clean-up when the environment says so."""
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    boundary, _, nth = wanted.partition(":")
    if boundary != name:
        return
    _seen[name] = _seen.get(name, 0) + 1
    if _seen[name] >= int(nth or 1):
        os.kill(os.getpid(), signal.SIGKILL)
