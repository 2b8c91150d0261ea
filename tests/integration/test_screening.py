"""Statistical screening in a whole workspace: seeded slips found, listed, and judged the same twice."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter

import pytest

from quality.validation import NOT_VALIDATED
from tests.support.workspaces import SHARED_LAST, parkwatch, query, ran_shaanxi
from warehouse import schema

PERIOD = SHARED_LAST
VALIDATED = [t for t in schema.TABLES if t.full_name not in NOT_VALIDATED]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return ran_shaanxi(tmp_path_factory, "screen")


def test_review_list_is_ranked_and_leads_to_the_cells(home):
    rows = query(home, f"FROM quality.review WHERE period = '{PERIOD}' ORDER BY rank")
    assert rows and [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True) and scores[0] > 0
    cells = query(
        home,
        "SELECT count(*) AS n FROM quality.review AS review JOIN submissions.cell AS cell "
        "USING (submission_id, sheet, address) WHERE cell.value = review.value "
        "AND cell.park_id = review.park_id AND cell.indicator_id = review.indicator_id",
    )
    assert cells == query(home, "SELECT count(*) AS n FROM quality.review")
    told = parkwatch("review", "--home", home, "--period", PERIOD)
    assert f"{PERIOD} 核查清单" in told.stdout and "工作表“" in told.stdout


def test_every_hit_is_a_finding_with_its_place_and_without_a_value_that_would_do(home):
    hits = query(home, "SELECT count(*) AS n FROM (SELECT unnest(screens) FROM quality.review)")[0][
        "n"
    ]
    rows = query(home, "FROM quality.finding WHERE rule_id LIKE 'SCREEN-%'")
    cells = [row for row in rows if row["address"]]
    kept_for_rules = query(home, "SELECT count(*) AS n FROM internal.screen_finding")[0]["n"]
    assert hits and len(rows) <= kept_for_rules
    assert len(cells) <= hits
    for row in rows:
        assert row["severity"] in ("verify", "hint") and row["file_name"] and row["remedy"]
        assert not row["expected"]
    for row in cells:
        assert row["sheet"] in row["message"] and row["address"] in row["message"]


def test_screening_again_says_the_same(home):
    before = query(
        home, "FROM ops.digest WHERE table_name IN ('quality.review', 'quality.finding')"
    )
    again = parkwatch("run", "--home", home, "--period", PERIOD)
    assert again.returncode == 3, again.stderr
    after = query(home, "FROM ops.digest WHERE table_name IN ('quality.review', 'quality.finding')")
    assert after == before


def test_no_hit_of_an_indicator_that_is_often_negative_judges_its_size(home):
    """利润 falls and rises: only exact coincidences are looked for."""
    rows = query(
        home,
        "SELECT DISTINCT rule_id FROM quality.finding "
        "WHERE rule_id LIKE 'SCREEN-%' AND indicator_id = 'D01'",
    )
    assert {row["rule_id"] for row in rows} <= {
        "SCREEN-DUP-PREVIOUS", "SCREEN-DUP-YEAR", "SCREEN-DUP-PARK", "SCREEN-SCOPE",
    }  # fmt: skip


def page_findings(home):
    page = (home / "quality" / "data-docs" / PERIOD / "index.html").read_text(encoding="utf-8")
    return re.findall(r'data-finding="([^"]+)"', page)


def check_evaluations(home):
    """Latest evaluation of every asset check, as Dagster keeps them: {(table, check): evaluation}."""
    code = (
        "import json, sys\n"
        "import dagster as dg\n"
        "from pipelines.definitions import defs\n"
        "instance = dg.DagsterInstance.from_config(sys.argv[1])\n"
        "found = []\n"
        "for key in defs.resolve_asset_graph().asset_check_keys:\n"
        "    history = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)\n"
        "    if history and history[0].event:\n"
        "        said = history[0].event.dagster_event.event_specific_data\n"
        "        meta = {k: getattr(v, 'value', None) for k, v in said.metadata.items()\n"
        "                if k not in ('sample',)}\n"
        "        found.append(['.'.join(key.asset_key.path), key.name, said.passed,\n"
        "                      said.severity.name, meta])\n"
        "print('RESULT', json.dumps(found))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(home / "dagster")],
        capture_output=True, text=True, check=True,
        env=os.environ | {"PARKWATCH_HOME": str(home), "DAGSTER_HOME": str(home / "dagster")},
    )  # fmt: skip
    rows = json.loads(told.stdout.split("RESULT ", 1)[1])
    return {(table, name): (passed, severity, meta) for table, name, passed, severity, meta in rows}


def test_data_docs_checks_and_findings_agree_row_for_row(home):
    findings = query(
        home,
        f"FROM quality.finding WHERE (period = '{PERIOD}' OR period IS NULL) "
        "AND outcome IN ('fail', 'error')",
    )
    ids = sorted(row["finding_id"] for row in findings)
    assert ids and len(ids) == len(set(ids))

    assert sorted(page_findings(home)) == ids

    suites = query(
        home,
        f"FROM quality.expectation WHERE period = '{PERIOD}' AND category = 'findings'",
    )
    by_rule = Counter(row["rule_id"] for row in findings)
    assert {r["expectation_id"]: r["n_failed"] for r in suites if r["n_failed"]} == {
        f"finding:{rule}": n for rule, n in by_rule.items()
    }
    sampled = [key["finding_id"] for r in suites for key in json.loads(r["sample"])]
    assert sorted(sampled) == ids

    evaluations = check_evaluations(home)
    passed, severity, meta = evaluations[("quality.finding", "audit")]
    standing = [row for row in findings if row["lifecycle"] in ("new", "persisting")]
    assert meta["finding_ids"] == ids
    assert (meta["findings"], meta["open"]) == (len(ids), len(standing))
    assert passed is (not standing)
    grave = any(row["severity"] == "error" for row in standing)
    assert severity == ("ERROR" if grave else "WARN")


def test_every_table_is_validated_and_its_check_says_what_the_table_of_results_says(home):
    results = query(
        home,
        "SELECT table_name, sum(n_failed) FILTER (WHERE outcome IN ('fail', 'error')) AS n, "
        "count(*) FILTER (WHERE outcome IN ('fail', 'error')) AS broken, count(*) AS judged "
        f"FROM quality.expectation WHERE period = '{PERIOD}' AND category <> 'findings' "
        "GROUP BY table_name",
    )
    evaluations = check_evaluations(home)
    checked = {row["table_name"]: row for row in results if row["table_name"] != "dictionary"}
    assert set(checked) == {t.full_name for t in VALIDATED}
    for name, row in checked.items():
        passed, _, meta = evaluations[(name, "great_expectations")]
        assert passed is (row["broken"] == 0), name
        assert (meta["expectations"], meta["failed"]) == (row["judged"], row["broken"]), name
    assert not [row for row in results if row["broken"]]
