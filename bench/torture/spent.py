"""CPU seconds of a campaign: on a machine others work on, the only time that says anything.

Belongs here: that one measure. Does not belong here: campaigns.
"""

from __future__ import annotations

import ctypes
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

PR_SET_CHILD_SUBREAPER = 36
LAST_SECONDS = 30.0


@contextmanager
def counted() -> Iterator[list[float]]:
    """CPU seconds of everything started meanwhile, also of what was killed or lost its parent: this
    process takes it in. The one number is there when it is over."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before, spent = resource.getrusage(resource.RUSAGE_CHILDREN), [0.0]
    yield spent
    until = time.monotonic() + LAST_SECONDS
    while time.monotonic() < until:
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.2)
        except ChildProcessError:
            break
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent[0] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
