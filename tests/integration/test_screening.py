"""Statistical screening in a whole workspace: seeded slips found, listed, and judged the same twice."""

from __future__ import annotations

import pytest

from tests.support.workspaces import parkwatch, query, small_shaanxi

PERIOD = "2020-04"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = small_shaanxi(tmp_path_factory.mktemp("screen") / "shaanxi", "2019-02", PERIOD)
    told = parkwatch("run", "--home", folder, "--period", PERIOD)
    assert told.returncode == 3, told.stdout + told.stderr
    return folder


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
