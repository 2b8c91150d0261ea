"""Peer (a): pandas + openpyxl → Great Expectations on pandas → dbt-duckdb → HTML.

``python -m bench.peers.peer_gx_dbt HOME RESULT.csv`` in the environment of ``requirements.txt``. Written as a
user who knows the tools would: one frame, one suite, one dbt run in this very process.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from bench.peers.laps import laps

DBT = Path(__file__).parent / "dbt"


def validate(long):
    """Rows that failed, by rule: {rule: list of (park, indicator)}."""
    import great_expectations as gx
    import great_expectations.expectations as gxe

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("month")
    ytd = long.pivot(index="park_id", columns="indicator", values="ytd").reset_index()
    long = long.assign(times=long["ytd"] / long["ytd_prior"])
    neither = {"ignore_row_if": "either_value_is_missing"}
    checks = {
        "B01": (long, gxe.ExpectColumnValuesToNotBeNull(column="ytd")),
        "B02": (long, gxe.ExpectColumnValuesToBeBetween(column="ytd", min_value=0)),
        "B03": (long, gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="ytd", column_B="month", or_equal=True, **neither)),
        "B04": (ytd, gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="I00", column_B="I01", or_equal=True, **neither)),
        "B05": (long, gxe.ExpectColumnValuesToBeBetween(column="times", min_value=0.2, max_value=5)),
    }  # fmt: skip
    failed = {}
    for name, frame in (("long", long), ("ytd", ytd)):
        asset = source.add_dataframe_asset(name)
        batch = asset.add_batch_definition_whole_dataframe("whole")
        mine = [rule for rule, (over, _) in checks.items() if over is frame]
        suite = gx.ExpectationSuite(name, expectations=[checks[rule][1] for rule in mine])
        result = batch.get_batch(batch_parameters={"dataframe": frame}).validate(
            suite,
            result_format={
                "result_format": "COMPLETE",
                "unexpected_index_column_names": ["park_id"],
                "return_unexpected_index_query": False,
            },
        )
        for rule, one in zip(mine, result.results, strict=True):
            if one.exception_info.get("raised_exception"):
                raise SystemExit(f"{rule}: {one.exception_info}")
            failed[rule] = [row["park_id"] for row in one.result["unexpected_index_list"] or []]
    return failed


def rank(accepted, work: Path):
    """Scores and ranks by dbt on DuckDB; returns the rank table."""
    import duckdb
    from dbt.cli.main import dbtRunner

    file = str(work / "warehouse.duckdb")
    os.environ["PEER_WAREHOUSE"] = file
    with duckdb.connect(file) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS raw")
        connection.register("accepted", accepted)
        connection.execute("CREATE OR REPLACE TABLE raw.figures AS FROM accepted")
    done = dbtRunner().invoke(
        ["run", "--project-dir", str(work / "dbt"), "--profiles-dir", str(work / "dbt"),
         "--quiet", "--no-write-json", "--no-print", "--no-send-anonymous-usage-stats"]
    )  # fmt: skip
    if not done.success:
        raise SystemExit(f"dbt: {done.exception}")
    with duckdb.connect(file) as connection:
        return connection.execute("FROM ranks ORDER BY class_id, rank, park_id").df()


def main() -> None:
    """Do the month; write ranks and the page; print seconds and findings as JSON."""
    home, result = Path(sys.argv[1]), Path(sys.argv[2])
    work = home / "peer-a"
    work.mkdir(exist_ok=True)
    if not (work / "dbt").exists():
        shutil.copytree(DBT, work / "dbt")
    spent, done = laps()

    from bench.peers.read_pandas import read_month, write_html

    long = read_month(home)
    done("read")
    failed = validate(long)
    done("check")
    wrong = {park for rule in ("B02", "B03", "B04") for park in failed[rule]}
    ranks = rank(long[~long["park_id"].isin(wrong)], work)
    done("load and rank")
    ranks.to_csv(result, index=False)
    write_html(ranks, work / "ranks.html")
    done("page")
    print(json.dumps({"stages": spent, "findings": {k: len(v) for k, v in failed.items() if v}}))


if __name__ == "__main__":
    main()
