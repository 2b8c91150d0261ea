"""Peer (b): pandas + openpyxl → checks in pandas → SQLite → ranks by SQL → HTML.

``python -m bench.peers.peer_sqlite HOME RESULT.csv`` in the environment of ``requirements.txt``.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path

from bench.peers.laps import laps

RANKS = """
SELECT class_id, park_id, points, rank() OVER (PARTITION BY class_id ORDER BY points DESC) AS rank
FROM (
    SELECT class_id, park_id,
           CAST(sum(round(2500.0 * max(0, min(1, ytd / 100000)))) AS INTEGER) AS points
    FROM figures WHERE indicator IN ('I00', 'I02', 'I04', 'I05') AND ytd IS NOT NULL
    GROUP BY class_id, park_id HAVING count(*) = 4
)
ORDER BY class_id, rank, park_id
"""


def check(long):
    """Parks that failed, by rule."""
    ytd, prior = long["ytd"], long["ytd_prior"]
    sums = long.pivot(index="park_id", columns="indicator", values="ytd")
    times = ytd / prior
    return {
        "B01": long.loc[ytd.isna(), "park_id"],
        "B02": long.loc[ytd < 0, "park_id"],
        "B03": long.loc[long["month"] > ytd, "park_id"],
        "B04": sums.index[sums["I01"] > sums["I00"]],
        "B05": long.loc[(times < 0.2) | (times > 5), "park_id"],
    }


def main() -> None:
    """Do the month; write ranks and the page; print seconds and findings as JSON."""
    home, result = Path(sys.argv[1]), Path(sys.argv[2])
    spent, done = laps()

    import pandas as pd

    from bench.peers.read_pandas import read_month, write_html

    long = read_month(home)
    done("read")
    failed = check(long)
    wrong = set().union(*(failed[rule] for rule in ("B02", "B03", "B04")))
    done("check")
    with sqlite3.connect(home / "peer-b.sqlite") as connection:
        long[~long["park_id"].isin(wrong)].to_sql(
            "figures", connection, if_exists="replace", index=False, chunksize=20_000
        )
        ranks = pd.read_sql(RANKS, connection)
    done("load and rank")
    ranks.to_csv(result, index=False)
    write_html(ranks, home / "peer-b.html")
    done("page")
    print(
        json.dumps({"stages": spent, "findings": {k: len(v) for k, v in failed.items() if len(v)}})
    )


if __name__ == "__main__":
    main()
