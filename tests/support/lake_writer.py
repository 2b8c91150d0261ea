"""A writer of the shared lake, run as a process of its own by tests and the benchmark.

``python -m tests.support.lake_writer CATALOGUE DATA TABLE-FILE PROVINCES PERIODS ROUNDS [ATTEMPTS]`` replaces
the named parts of ``observations.observation`` by the rows of a Parquet file, ROUNDS times, one transaction
a part; prints how many conflicts it met. An object store's address comes from ``LAKE_S3_ENDPOINT``.

Belongs here: this one writer. Does not belong here: the lake (``warehouse.lake``), checking what it
holds.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """See above."""
    from warehouse import lake, store
    from warehouse.workspace import Engine

    catalogue, data, source, provinces, periods, rounds, *attempts = sys.argv[1:]
    engine = Engine(
        "distributed", catalogue, data, attempts=int(attempts[0]) if attempts else 50,
        s3_endpoint=os.environ.get("LAKE_S3_ENDPOINT", ""), s3_tls=False,
    )  # fmt: skip
    connection = store.connect(":memory:")  # type: ignore[arg-type]
    with lake.attached(connection, engine) as shared:
        for _ in range(int(rounds)):
            for province in provinces.split(","):
                for period in periods.split(","):
                    shared.replace(
                        "observations.observation",
                        f"read_parquet('{source}')",
                        [period],
                        [province],
                    )
        print(shared.conflicts)


if __name__ == "__main__":
    main()
