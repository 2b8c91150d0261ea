"""How long one city's bulletins of a month take: composed and written cold, then one PDF warm.

Belongs here: timing over an existing workspace, nothing is published. Does not belong here: limits.
Run: python -m bench.bench_bulletin --home WORKSPACE --period 2020-06 --city 610900
"""

from __future__ import annotations

import argparse
import time
import uuid
from pathlib import Path


def main() -> None:
    """Print wall and processor seconds."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--home", type=Path, required=True)
    asked.add_argument("--period", default="2020-06")
    asked.add_argument("--city", default="610900")
    given = asked.parse_args()
    wall, spent = time.perf_counter(), time.process_time()

    from assets.bulletins import documents
    from assets.bulletins.compose import compose
    from assets.bulletins.scope import Scope
    from assets.bulletins.select import bulletin_data, common
    from assets.bulletins.typeset import to_pdf
    from pipelines.resources import open_build
    from pipelines.settings import load_workspace
    from warehouse.store import Warehouse

    workspace = load_workspace(given.home)
    with open_build(workspace, str(uuid.uuid4()), period=given.period) as build:
        inside = Scope.of(build.catalog, given.city, given.period)
        wanted = [a for a in build.catalog.audiences if inside.holds(a.scope_code)]
        with Warehouse(workspace).reading() as connection:
            shared = common(connection, build, given.period)
            made = []
            for audience in wanted:
                data = bulletin_data(connection, build, given.period, audience, 1, shared)
                made.append((audience, compose(data)))
        files = sum(len(documents.render(b, a.formats)) for a, b in made)
    wall, spent = time.perf_counter() - wall, time.process_time() - spent
    print(f"{len(made)} editions, {files} files: {wall:.1f} s, processor {spent:.1f} s")
    bulletin = max((b for _, b in made), key=lambda each: len(each.figures))
    wall, spent = time.perf_counter(), time.process_time()
    size = len(to_pdf(bulletin))
    wall, spent = time.perf_counter() - wall, time.process_time() - spent
    print(f"PDF warm ({size // 1024} KB): {wall:.2f} s, processor {spent:.2f} s")


if __name__ == "__main__":
    main()
