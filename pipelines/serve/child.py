"""Entry of every process that serve starts: tied to its parent's life, then the work itself.

Belongs here: dying with the parent, however it dies, and choosing the work. Does not belong here: the
work (``gate``, ``webserver``, Dagster's daemon), starting again (``supervise``).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
LAST_SECONDS = 15.0


def die_with(parent: int) -> None:
    """Get SIGTERM when ``parent`` ends, even by SIGKILL; end at once when it has ended already.

    Whoever started the parent may have had it ignore SIGTERM, and that is inherited.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)


def keep(parent: int) -> None:
    """Leave a small process behind that kills this whole process group when ``parent`` has ended and
    the group has not followed it in time: code servers of Dagster take more than a minute."""
    if os.fork():
        return
    with contextlib.suppress(OSError):  # gone already
        select.select([os.pidfd_open(parent)], [], [])
    time.sleep(LAST_SECONDS)
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """``child PARENT gate|code|webserver|daemon|prepare …``: see ``supervise`` for the arguments."""
    parent, work, *rest = sys.argv[1:]
    die_with(int(parent))
    if work != "prepare":
        keep(int(parent))
    if work == "gate":
        from pipelines.serve import gate

        home, socket, host, port = rest
        gate.run(Path(home), Path(socket), host, int(port))
    elif work == "webserver":
        from pipelines.serve import webserver

        socket, workspace_file = rest
        webserver.run(Path(socket), Path(workspace_file))
    elif work == "prepare":
        from dagster import DagsterInstance

        with DagsterInstance.get():
            pass
    elif work == "code":
        (socket,) = rest
        Path(socket).unlink(missing_ok=True)  # of one that was killed
        dagster = (sys.executable, "-m", "dagster", "api", "grpc", "--socket", socket)
        definitions = ("--module-name", "pipelines.definitions", "--location-name", "parkwatch")
        os.execv(sys.executable, [*dagster, *definitions, "--log-level", "warning"])
    else:
        (workspace_file,) = rest
        daemon = str(Path(sys.executable).with_name("dagster-daemon"))
        os.execv(daemon, [daemon, "run", "-w", workspace_file])  # keeps the tie to the parent


if __name__ == "__main__":
    main()
