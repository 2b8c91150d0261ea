"""The distributed profile against the embedded one: same park-months, 1 and 2 workers, real servers.

``python -m bench.bench_distributed [--parks 15000] [--months 1] [--provinces 31] [--workers celery]`` starts
PostgreSQL (DuckLake's catalogue and Dagster's storage) and, for Celery, Redis and its workers, makes the
rehearsal's facts (模拟数据, ``bench.national``) and derives all park-months embedded, then divided by
province with 1 and with 2 workers. Every result is compared by row count and content digest; exit 1
when one differs. The defaults are 0.9 million facts. Needs ``make distributed``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import national
from tests.support import servers


def settings(server: str, folder: Path, workers: str, broker: str, at_once: int) -> str:
    """The ``[engine]`` section of a rehearsal's workspace."""
    return f"""
[engine]
profile = "distributed"
catalogue = "postgres:dbname=lake {server}"
data_path = "{folder / "data"}"
workers = "{workers}"
broker = "{broker}"
at_once = {at_once}
"""


def derive(home: Path, parks: int, n_months: int) -> dict[str, object]:
    """All park-months of the facts by the workspace's own profile: digest, seconds, CPU seconds."""
    from assets.indicators import divided
    from assets.submissions.store_rows import load_dimensions
    from pipelines import instance
    from pipelines.resources import open_build
    from pipelines.settings import load_workspace
    from warehouse import derive, partitions

    workspace = load_workspace(home)
    instance.use(workspace.home, workspace.dagster_home)
    months = national.months(n_months)
    with open_build(workspace, "rehearsal", period=months[-1]) as build:
        with build.step("facts") as connection:
            load_dimensions(connection, build)
            national.seed_keys(connection, n_months, parks)
            connection.execute(national.BASE, national.base_values(parks))
            for n in range(n_months):
                connection.execute(national.LOAD, national.fact_values(n))
            derive.mark_affected(connection, months)
        before, started = cpu(), time.perf_counter()
        divided.refresh_park_month(build)
        said = {"wall s": round(time.perf_counter() - started, 1),
                "CPU s of the run": round(cpu() - before, 1)}  # fmt: skip
        with build.looking() as connection:
            part = partitions.of_parts(connection, "indicators.park_month")
            (facts,) = connection.execute(
                "SELECT count(*) FROM internal.observation_fact"
            ).fetchone()
    return {"facts": facts, "rows": part.n_rows, "digest": part.digest} | said


def cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


@contextlib.contextmanager
def celery_workers(home: Path, broker: str, count: int):
    """Celery workers of one process each, every one with a process group of its own: stopping only the
    wrapper would leave its child at work for the next round."""
    config = home / "celery.yaml"
    config.write_text(f"execution:\n  config:\n    broker: {broker}\n    backend: {broker}\n")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "PARKWATCH_HOME": str(home),
                                "DAGSTER_HOME": str(home / "dagster")}  # fmt: skip
    started = [
        subprocess.Popen(
            ["dagster-celery", "worker", "start", "-A", "dagster_celery.app", "-y", str(config),
             "-n", f"w{n}", "--", "--concurrency", "1", "--pool", "solo"],
            env=environment, start_new_session=True,
            stdout=(home / f"worker{n}.log").open("w"), stderr=subprocess.STDOUT,
        )
        for n in range(count)
    ]  # fmt: skip
    try:
        yield
    finally:
        for worker in started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGTERM)
        for worker in started:
            worker.wait(timeout=60)


def child(home: Path, told: argparse.Namespace) -> dict:
    """One derivation in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.bench_distributed", "derive", str(home),
         "--parks", str(told.parks), "--months", str(told.months)],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def compare(told: argparse.Namespace) -> bool:
    """Embedded, 1 worker, 2 workers; prints each and says whether all digests agree."""
    digests = set()
    with tempfile.TemporaryDirectory(prefix="parkwatch-bench-") as name:
        folder = Path(name)
        national.make_home(folder / "embedded", told.parks, told.provinces)
        digests.add(_shown("embedded", child(folder / "embedded", told)))
        for count in (1, 2):
            home = folder / f"workers{count}"
            with contextlib.ExitStack() as parts:
                server = parts.enter_context(servers.postgres())
                address = server.replace("host=127.0.0.1 port=", "parkwatch@127.0.0.1:").split()[0]
                os.environ["PARKWATCH_DAGSTER_STORAGE"] = f"postgresql+psycopg2://{address}/lake"
                broker = "redis://unused"
                if told.workers == "celery":
                    broker = parts.enter_context(servers.redis())
                more = settings(server, home, told.workers, broker, count)
                national.make_home(home, told.parks, told.provinces, more)
                if told.workers == "celery":
                    _instance(home)
                    parts.enter_context(celery_workers(home, broker, count))
                digests.add(_shown(f"{count} {told.workers}", child(home, told)))
    return len(digests) == 1


def _instance(home: Path) -> None:
    """The Dagster instance the workers and the run share."""
    from pipelines import instance

    instance.prepare(home / "dagster")


def _shown(what: str, said: dict) -> str:
    print(json.dumps({what: said}, ensure_ascii=False), flush=True)
    return f"{said['rows']} {said['digest']}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="*")
    parser.add_argument("--parks", type=int, default=national.PARKS)
    parser.add_argument("--months", type=int, default=1)
    parser.add_argument("--provinces", type=int, default=national.PROVINCES)
    parser.add_argument("--workers", choices=("celery", "processes"), default="celery")
    told = parser.parse_args()
    if told.words:
        print(json.dumps(derive(Path(told.words[1]), told.parks, told.months)))
        return
    if reason := servers.missing():
        sys.exit(reason)
    same = compare(told)
    print("same rows" if same else "ROWS DIFFER")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
