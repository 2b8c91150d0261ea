"""The instance keeps its event files open during a run and loses nothing by it."""

import sqlite3
import threading
from pathlib import Path

import dagster as dg

from pipelines import instance


@dg.op
def said(context):
    context.log_event(dg.AssetMaterialization("park_month"))


@dg.job
def speaking():
    said()


def test_events_of_a_run_stand_where_any_other_process_reads_them(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as own:
        storage = own.event_log_storage
        before = storage._connect
        with instance.kept_open(own):
            run = speaking.execute_in_process(instance=own).run_id
            seen = [event.dagster_event_type for event in own.all_logs(run)]
            with sqlite3.connect(Path(storage.path_for_shard(run))) as other:
                (stored,) = other.execute("SELECT count(*) FROM event_logs").fetchone()
        assert stored == len(seen) == len(own.all_logs(run))
        assert own.get_latest_materialization_event(dg.AssetKey("park_month")) is not None
        assert storage._connect == before


def test_threads_write_events_one_after_another(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as own, instance.kept_open(own):
        runs: list[str] = []
        threads = [
            threading.Thread(target=lambda: runs.append(speaking.execute_in_process(instance=own).run_id))
            for _ in range(4)
        ]  # fmt: skip
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        counts = {len(own.all_logs(run)) for run in runs}
        assert len(runs) == 4 and len(counts) == 1
