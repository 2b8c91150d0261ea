"""Outcomes entered by people, and a scheme edited as YAML, through a whole run of the workspace."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.support.workspaces import ROOT, SHARED_LAST, parkwatch, query, ran_shaanxi

KEY_SCHEME = ROOT / "warehouse" / "catalog" / "china_parks" / "schemes" / "shaanxi_key.yaml"
PERIOD = SHARED_LAST
SCHEME = "shaanxi_demonstration"
EDIT = """
scheme_id: shaanxi_demonstration
adjustments:
  events:
  - {event: central, title: 督察反馈问题, points_each: -0.3, source: 测试}
elimination:
  n: 1
  mode: k_of_m
  k: 2
  m: 3
"""


def outcome(home, *words):
    told = parkwatch("outcome", *words, "--home", home)
    return told.returncode, told.stdout + told.stderr


def result(home, park, year):
    return outcome(home, "add", "--kind", "result", "--scheme", SCHEME, "--year", str(year), "--park",
                   park, "--rank", "9", "--n", "9", "--score", "41.5", "--last", "--document",
                   "模拟通报", "--by", "测试岗")  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return ran_shaanxi(tmp_path_factory, "as")


def last_park(home):
    rows = query(
        home,
        f"SELECT park_id FROM assessment.last_place WHERE scheme_id = '{SCHEME}' AND in_last_k "
        f"AND asof_period = '{PERIOD}' AND rule_no = 0 ORDER BY rank DESC, park_id",
    )
    assert rows
    return rows[0]["park_id"]


def test_what_an_assessment_rests_on_is_stored(home):
    rows = query(home, f"FROM assessment.basis WHERE asof_period = '{PERIOD}' ORDER BY scheme_id")
    assert [row["scheme_id"] for row in rows] == [SCHEME, "shaanxi_key"]
    assert all(len(row["rules_digest"]) == len(row["data_digest"]) == 64 for row in rows)
    assert all("建议值，非官方" in row["label"] and "模拟名次" in row["label"] for row in rows)
    assert query(home, "SELECT count(*) > 5 AS some FROM assessment.goalpost") == [{"some": True}]


def test_scores_add_up_to_the_last_point(home):
    wrong = query(
        home,
        "SELECT scheme_id, park_id, asof_period FROM assessment.score JOIN (SELECT scheme_id, "
        "park_id, asof_period, sum(points) AS total FROM assessment.score_detail GROUP BY ALL) "
        "USING (scheme_id, park_id, asof_period) WHERE score IS NOT NULL AND score <> total",
    )
    assert wrong == []


def test_wrong_words_of_an_outcome_are_said(home):
    code, told = outcome(home, "add", "--kind", "result", "--scheme", SCHEME, "--year", "2019",
                         "--park", "SIM-AK01", "--document", "x")  # fmt: skip
    assert code == 2 and "in_last_k" in told
    code, told = result(home, "NOBODY", 2019)
    assert code == 2 and "园区登记中没有 NOBODY" in told
    code, told = outcome(home, "withdraw", "99", "--reason", "x")
    assert code == 2 and "没有编号为 99 的有效登记" in told


def test_outcomes_and_an_edited_scheme_take_effect_with_the_next_run(home):
    park = last_park(home)
    before = query(home, f"FROM assessment.basis WHERE scheme_id = '{SCHEME}' AND "
                         f"asof_period = '{PERIOD}'")[0]  # fmt: skip
    assert result(home, park, 2019) == (0, "已登记，编号 1；下次运行时生效\n")
    assert result(home, park, 2019)[1].startswith("此前已登记，编号 1")
    code, _ = outcome(home, "add", "--kind", "event", "--scheme", SCHEME, "--year", "2020", "--park",
                      park, "--what", "central", "--count", "2", "--document", "督察通报")  # fmt: skip
    assert code == 0
    folder = home / "catalog" / "schemes"
    folder.mkdir(exist_ok=True)
    (folder / "edit.yaml").write_text(EDIT, encoding="utf-8")
    told = parkwatch("run", "--home", home, "--period", PERIOD, "--profile", "fast")
    assert told.returncode in (0, 3), told.stdout + told.stderr

    where = f"scheme_id = '{SCHEME}' AND asof_period = '{PERIOD}' AND park_id = '{park}'"
    place = query(home, f"FROM assessment.last_place WHERE {where} AND rule_no = 0")[0]
    assert (place["years_counted"], place["fulfilled"]) == (2, True)
    event = query(home, f"FROM assessment.score_detail WHERE {where} AND measure = 'adjustment'")
    assert [(row["indicator_id"], float(row["points"])) for row in event] == [("central", -0.6)]
    after = query(home, f"FROM assessment.basis WHERE scheme_id = '{SCHEME}' AND "
                        f"asof_period = '{PERIOD}'")[0]  # fmt: skip
    assert after["rules_digest"] != before["rules_digest"]
    assert after["data_digest"] != before["data_digest"]
    rows = query(home, "FROM assessment.outcome ORDER BY outcome_id")
    assert [(row["kind"], row["entered_by"] != "") for row in rows] == [
        ("result", True), ("event", True),
    ]  # fmt: skip
    watch = query(home, f"FROM assessment.watch WHERE {where}")[0]
    assert "督察反馈问题" not in watch["triggers"] and "3年内2次末位" in watch["triggers"]
    told = parkwatch("outcome", "list", "--home", home, "--json")
    assert [row["number"] for row in json.loads(told.stdout)] == [1, 2]


def test_published_schemes_are_listed_for_reference(home):
    told = parkwatch("schemes", "--home", home, "--json")
    status = {row["scheme_id"]: row["status"] for row in json.loads(told.stdout)}
    assert status["mofcom_2021"] == "reference"
    assert status[SCHEME] == "active"
    assert query(home, "SELECT DISTINCT scheme_id FROM assessment.score ORDER BY 1") == [
        {"scheme_id": SCHEME}, {"scheme_id": "shaanxi_key"},
    ]  # fmt: skip


def standings(home):
    """Rank and chance of the last places of every park of both schemes."""
    rows = query(
        home,
        "SELECT scheme_id, park_id, rank, risk.p_last_k::VARCHAR AS p FROM assessment.score "
        "LEFT JOIN assessment.risk AS risk USING (scheme_id, park_id, asof_period) "
        f"WHERE asof_period = '{PERIOD}'",
    )
    return {(row["scheme_id"], row["park_id"]): (row["rank"], row["p"]) for row in rows}


def test_diff_tells_whose_rank_and_risk_other_weights_move(home):
    shipped = yaml.safe_load(KEY_SCHEME.read_text("utf-8"))
    first, *others = shipped["items"]
    first["weight"], others[-1]["weight"] = 5, others[-1]["weight"] + first["weight"] - 5
    edit = {"scheme_id": "shaanxi_key", "items": shipped["items"]}
    before = standings(home)
    (home / "catalog" / "schemes").mkdir(exist_ok=True)
    (home / "catalog" / "schemes" / "weights.yaml").write_text(yaml.safe_dump(edit), "utf-8")
    told = parkwatch("run", "--home", home, "--period", PERIOD, "--profile", "fast")
    assert told.returncode in (0, 3), told.stdout + told.stderr
    after = standings(home)

    told = parkwatch("diff", "last~1", "last", "--home", home, "--json")
    found = json.loads(told.stdout)
    assert any(note.startswith("政策目录不同") for note in found["notes"])
    assert "observations.observation" not in found["counts"]
    for place, table, name in ((0, "assessment.score", "rank"), (1, "assessment.risk", "p_last_k")):
        moved = {
            (m["key"]["scheme_id"], m["key"]["park_id"]): m[name]
            for m in found["moved"]
            if m["table"] == table and name in m and m["key"]["asof_period"] == PERIOD
        }
        differ = {key for key in before if before[key][place] != after[key][place]}
        assert set(moved) == differ != set()
        assert {scheme for scheme, _ in moved} == {"shaanxi_key"}
        for key, sides in moved.items():
            assert [float(side) for side in sides] == [
                float(state[key][place]) for state in (before, after)
            ]
    words = parkwatch("diff", "last~1", "last", "--home", home).stdout
    assert "牵动的目标、名次、末位概率、灯色" in words and "assessment.risk shaanxi_key" in words
