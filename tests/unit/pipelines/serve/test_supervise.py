"""Processes are started again when they end, and end together, with what they started."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.serve import supervise
from pipelines.serve.supervise import AlreadyServedError, ServeError, Service, Supervisor

LASTING = "sleep 100 & echo $! >> {home}/grandchildren; wait"


@pytest.fixture
def home(tmp_path):
    return tmp_path


@pytest.fixture
def said():
    return []


@pytest.fixture
def supervisor(home, said):
    made = Supervisor(home, dict(os.environ), [], said.append)
    yield made
    made.stop()


def service(home, script, name="one", **values):
    command = ("sh", "-c", script.format(home=home))
    return Service(name, name, command, values.pop("ready", lambda: True), **values)


def until(true, seconds=60.0):
    last = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < last
        time.sleep(0.02)


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    text = Path(f"/proc/{pid}/stat").read_text()
    return text.rpartition(")")[2].split()[0] != "Z"


def test_one_that_is_killed_is_started_again_and_its_children_are_not_left(home, said, supervisor):
    supervisor.services.append(service(home, LASTING))
    supervisor.look(0)
    one = supervisor.services[0]
    children = home / "grandchildren"
    until(lambda: children.exists() and children.read_text().strip())
    first, grandchild = one.process, int(children.read_text())
    first.kill()
    until(lambda: first.poll() is not None)
    supervisor.look(0)
    assert one.process is None
    until(lambda: not is_there(grandchild))
    assert "意外结束(-9)" in said[-1]
    one.again_at = 0
    supervisor.look(0)
    assert one.process is not None
    assert one.process.pid != first.pid


def test_one_that_needs_another_waits_until_it_answers(home, supervisor):
    answers = []
    first = service(home, "sleep 100", "first", ready=lambda: bool(answers))
    second = service(home, "sleep 100", "second", after=first)
    supervisor.services += [second, first]
    for _ in range(3):
        supervisor.look(0)
    assert first.process is not None
    assert second.process is None
    answers.append(1)
    supervisor.look(0)
    supervisor.look(0)
    assert second.process is not None
    first.process.kill()
    first.process.wait()
    supervisor.look(0)
    assert second.process.poll() is None  # it finds the next one by itself


def test_waits_grow_while_it_ends_at_once(home, said, supervisor):
    supervisor.services.append(service(home, "exit 3"))
    one, waits = supervisor.services[0], []
    for _ in range(6):
        one.again_at = 0
        supervisor.look(0)
        one.process.wait()
        supervisor.look(0)
        waits.append(round(one.again_at - supervisor.clock()))
    assert waits == [2, 5, 10, 30, 30, 30]


def test_stop_ends_all_and_what_they_started(home, supervisor, monkeypatch):
    monkeypatch.setattr(supervise, "END_SECONDS", 1.0)
    supervisor.services += [
        service(home, LASTING, "good"),
        service(home, "trap '' TERM; " + LASTING, "deaf"),
    ]
    supervisor.look(0)
    children = home / "grandchildren"
    until(lambda: children.exists() and len(children.read_text().split()) == 2)
    supervisor.stop()
    for process in (one.process.pid for one in supervisor.services):
        assert not is_there(process)
    for child in children.read_text().split():
        until(lambda child=child: not is_there(int(child)))


def test_the_first_runs_while_the_rest_is_prepared_and_ends_with_a_failure(home, supervisor):
    supervisor.services += [service(home, "sleep 100", name) for name in ("gate", "other")]
    seen = []

    def prepare():
        seen.extend(one.process and one.process.pid for one in supervisor.services)
        raise ServeError("Dagster 实例不能使用")

    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    try:
        with pytest.raises(ServeError):
            supervisor.run(prepare)
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGINT), before, strict=True):
            signal.signal(number, handler)
    assert seen[0] is not None
    assert seen[1] is None
    assert not is_there(seen[0])


def test_ready_is_said_once(home, said, supervisor):
    supervisor.services.append(service(home, "sleep 100"))
    for _ in range(3):
        supervisor.look(0)
    assert len([line for line in said if "就绪" in line]) == 1


def test_a_process_does_not_know_what_it_must_not(home, monkeypatch, said):
    environment = {**os.environ, "PARKWATCH_MAIL__PASSWORD": "canary", "PARKWATCH_HOME": "x"}
    supervisor = Supervisor(home, environment, [], said.append)
    supervisor.services.append(
        service(home, "env > {home}/env.txt", without=("PARKWATCH_MAIL__PASSWORD",))
    )
    supervisor.look(0)
    supervisor.services[0].process.wait()
    told = (home / "env.txt").read_text()
    assert "PARKWATCH_HOME=x" in told
    assert "canary" not in told


def test_a_long_log_is_cut(home, supervisor, monkeypatch):
    supervisor.services.append(service(home, "head -c 3000 /dev/zero; sleep 100"))
    supervisor.look(0)
    log = home / "logs" / "one.log"
    until(lambda: log.stat().st_size == 3000)
    monkeypatch.setattr(supervise, "LOG_BYTES", 1000)
    supervisor.look(0)
    assert log.stat().st_size == 0
    assert log.with_suffix(".log.1").stat().st_size == 3000


def test_a_child_dies_with_its_parent_however_it_dies(home):
    script = (
        "import subprocess, sys, os, time\n"
        "code = 'from pipelines.serve.child import die_with; import sys, time; '"
        "'die_with(int(sys.argv[1])); print(1, flush=True); time.sleep(100)'\n"
        "p = subprocess.Popen([sys.executable, '-c', code, str(os.getpid())], "
        "stdout=subprocess.PIPE)\n"
        "p.stdout.readline(); print(p.pid, flush=True); time.sleep(100)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    child = int(parent.stdout.readline())
    handle = os.pidfd_open(child)  # of this process, whoever gets its number afterwards
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    ended, _, _ = select.select([handle], [], [], 30)
    os.close(handle)
    assert ended


def test_what_does_not_hear_is_killed_after_its_parent(home):
    code = (
        "import signal, sys, time; from pipelines.serve import child; "
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); child.LAST_SECONDS = 0.1; "
        "child.die_with(int(sys.argv[1])); child.keep(int(sys.argv[1])); "
        "print(1, flush=True); time.sleep(100)"
    )
    script = (
        "import subprocess, sys, os, time\n"
        f"p = subprocess.Popen([sys.executable, '-c', {code!r}, str(os.getpid())], "
        "stdout=subprocess.PIPE, start_new_session=True)\n"
        "p.stdout.readline(); print(p.pid, flush=True); time.sleep(100)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    child = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until(lambda: not is_there(child))


def test_a_workspace_is_served_once(home):
    with supervise.only_one(home, "http://localhost:1"):
        assert supervise.is_served(home)
        with pytest.raises(AlreadyServedError, match="localhost:1"), supervise.only_one(home, "x"):
            pass
    assert not supervise.is_served(home)


def test_the_folder_of_sockets_is_ours_alone(home, monkeypatch):
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(home))
    folder = supervise.socket_folder(home)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert supervise.socket_folder(home) == folder
    folder.chmod(0o755)
    with pytest.raises(ServeError, match="不属于本用户"):
        supervise.socket_folder(home)
    folder.rmdir()
    folder.symlink_to(home)
    with pytest.raises(ServeError, match="不属于本用户"):
        supervise.socket_folder(home)
