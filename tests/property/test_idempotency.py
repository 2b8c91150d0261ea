"""Repeats and orders change nothing: the idempotency table ID1–ID7 of deliveries.

``PARKWATCH_PROPERTY_SCALE=n`` multiplies the number of random histories.
"""

from __future__ import annotations

import io
import os
import random
import shutil
import tempfile
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.bureau import COUNTIES, PARKS, Office, county_form, form
from tests.support.delivery_worlds import Act, File, Stage, World, history

SCALE = int(os.environ.get("PARKWATCH_PROPERTY_SCALE", "1"))
JULY = datetime(2020, 7, 8, 9, 30)
FACTS = ("observations.observation", "indicators.park_month", "indicators.park_year")


@pytest.fixture
def office(tmp_path):
    return Office(tmp_path / "bureau")


# --- ID1, ID2: the same again ---------------------------------------------------------------------


def test_ID1_同一文件送一百次_只有一个版本_九十九条重复记录(office):
    data = county_form("hanbin", "2020-06", 100)
    office.put("hanbin/汉滨区2020年6月.xlsx", data, JULY, "hanbin")
    office.run()
    before = office.digests(*FACTS, "submissions.submission", "submissions.cell")
    for number in range(1, 100):
        name = f"hanbin/{number % 9}/汉滨区2020年6月 ({number}).xlsx"
        office.put(name, data, JULY + timedelta(minutes=number), "hanbin")
        if number in (30, 60):
            office.run()
    office.run()
    assert office.digests(*before) == before
    assert len(office.rows("FROM submissions.submission")) == 1
    assert office.submission("汉滨区2020年6月.xlsx")["version_no"] == 1
    repeats = office.state.repeats("2020-06")
    assert len(repeats) == 99
    assert {row["repeats"] for row in repeats} == {"汉滨区2020年6月.xlsx"}


def _rezipped(data: bytes, number: int) -> bytes:
    """The same members packed anew: other order, other times, other compression."""
    chance = random.Random(number)
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        members = [(name, packed.read(name)) for name in packed.namelist()]
    chance.shuffle(members)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name, (2020, 7, 1 + number % 20, 8, number % 60, 0))
            info.compress_type = zipfile.ZIP_STORED if number % 3 == 0 else zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return buffer.getvalue()


def _resaved(data: bytes) -> bytes:
    from openpyxl import load_workbook

    buffer = io.BytesIO()
    load_workbook(io.BytesIO(data)).save(buffer)
    return buffer.getvalue()


def test_ID2_改名_改时间_重新打包_另存_二十次_内容相同即认出(office):
    data = county_form("hanbin", "2020-06", 100)
    original = office.put("汉滨区2020年6月.xlsx", data, JULY, "hanbin")
    office.run()
    before = office.digests(*FACTS)
    for number in range(17):
        at = JULY + timedelta(hours=number + 1)
        office.put(f"汉滨区园区报表{number}.xlsx", _rezipped(data, number), at, "hanbin")
    office.put("汉滨区另存.xlsx", _resaved(data), JULY + timedelta(days=2), "hanbin")
    office.put("汉滨区改名.xlsx", data, JULY + timedelta(days=3), "hanbin")
    os.utime(original, (1, 1))
    office.run()
    assert office.digests(*FACTS) == before
    found = office.rows("FROM submissions.submission WHERE status = 'duplicate'")
    assert len(found) == 18
    assert {row["version_no"] for row in found} == {None}
    first = office.submission("汉滨区2020年6月.xlsx")
    assert (first["status"], first["version_no"]) == ("accepted", 1)
    assert all(first["submission_id"][:12] in row["reason"] for row in found)
    assert [row["file_name"] for row in office.state.repeats(None)] == ["汉滨区改名.xlsx"]


def test_重复件先处理_原件后处理_结果相同(tmp_path):
    data = county_form("hanbin", "2020-06", 100)
    again = _rezipped(data, 1)
    ends = []
    for order in ([0, 1], [1, 0]):
        office = Office(tmp_path / str(order[0]))
        for which in order:
            name, content = (("原.xlsx", data), ("复.xlsx", again))[which]
            office.put(name, content, JULY + timedelta(hours=which), "hanbin")
            office.run()
        ends.append((office.statuses(), office.digests()))
    assert ends[0] == ends[1]
    assert ends[0][0] == {"原.xlsx": "accepted", "复.xlsx": "duplicate"}


def test_上月的文件改成本月的名字_不算重复_也不采用(office):
    may = county_form("hanbin", "2020-05", 100)
    office.put("汉滨区2020年5月.xlsx", may, datetime(2020, 6, 8), "hanbin")
    office.put("汉滨区2020年6月.xlsx", _rezipped(may, 2), JULY, "hanbin")
    office.run()
    assert office.statuses() == {
        "汉滨区2020年5月.xlsx": "accepted",
        "汉滨区2020年6月.xlsx": "returned",
    }
    assert "2020-06" in office.submission("汉滨区2020年6月.xlsx")["period"]
    assert office.known("M1", "2020-05") == 100
    assert office.known("M1", "2020-06") is None


def test_表内没写报告期时_上月内容换上本月文件名_按本月收件(office):
    figures = dict.fromkeys(PARKS["hanbin"].values(), (100, 10))
    data = form("汉滨区", None, figures)
    office.put("汉滨区2020年5月.xlsx", data, datetime(2020, 6, 8), "hanbin")
    office.put("汉滨区2020年6月.xlsx", _rezipped(data, 3), JULY, "hanbin")
    office.run()
    assert set(office.statuses().values()) == {"accepted"}
    assert office.known("M1", "2020-06") == 100


# --- ID3, ID4: any order --------------------------------------------------------------------------


def _thirty(hours: list[int] | None = None) -> World:
    """10 originals, 10 corrections, 5 corrections of corrections, 5 withdrawals; ``hours`` of the
    files where they are not in the order written."""
    when = iter(hours or range(1, 26))
    files = [File(f"o{g}", g, next(when), 0, 100 + g) for g in range(10)]
    files += [File(f"c{g}", g, next(when), 1, 200 + g) for g in range(10)]
    files += [File(f"d{g}", g, next(when), 2, 300 + g) for g in range(5)]
    # a correction of a correction, a correction that is the last word, an original, both of one
    gone = ("d0", "d1", "c7", "o9", "c9")
    return World(tuple(files), tuple(Act("withdraw", 30 + n, f) for n, f in enumerate(gone)))


def _play(stage: Stage, orders: list[list[File | Act]], runs: int, chance: random.Random) -> None:
    """Every world in its own order, cut into runs at places of its own."""
    cuts = [sorted(chance.sample(range(1, len(o)), runs - 1)) for o in orders]
    for run in range(runs):
        files, acts = [], []
        for world, order in enumerate(orders):
            start = cuts[world][run - 1] if run else 0
            end = cuts[world][run] if run < runs - 1 else len(order)
            for event in order[start:end]:
                (files if isinstance(event, File) else acts).append((world, event))
        stage.process(files, acts)


def test_ID3_三十件任意顺序处理_两百种排列_终态与每个时点都与模型一致(tmp_path):
    world = _thirty()
    worlds = [world] * 200
    chance = random.Random(3)
    orders = [chance.sample(events := [*world.files, *world.acts], len(events)) for _ in worlds]
    stage = Stage(tmp_path, worlds)
    _play(stage, orders, 4, chance)
    assert stage.differences() == []
    assert sum(len(rows) for rows in stage.vintages().values()) == 200 * _changes(world)


def _changes(world: World) -> int:
    """Vintages the model sees: every time a figure becomes another one (not when it ends)."""
    last: dict[int, object] = {}
    count = 0
    for _, figures in history(world)[0]:
        for group, figure in figures.items():
            count += figure is not None and figure != last.get(group)
            last[group] = figure
    return count


def test_ID3_三十件任意顺序收到_更正件自称第几次_终态相同(tmp_path):
    chance = random.Random(30)
    worlds = [_thirty(chance.sample(range(1, 26), 25)) for _ in range(200)]
    stage = Stage(tmp_path, worlds)
    orders = [[*sorted(w.files, key=lambda f: f.hour), *w.acts] for w in worlds]
    _play(stage, orders, 3, chance)
    assert stage.differences() == []
    ends = set()
    for rows in _by_world(stage).values():
        ends.add(tuple(sorted(rows.items())))
    assert len(ends) == 1
    (end,) = ends
    assert dict(end)["P0"] == 200 and dict(end)["P7"] == 107 and "P9" not in dict(end)


def _by_world(stage: Stage) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (period, park), rows in stage.vintages().items():
        if rows[-1]["known_to"] is None:
            found.setdefault(period, {})[park] = int(rows[-1]["value"])
    return found


@st.composite
def worlds(draw):
    """Up to 3 reporters with up to 5 files each, decisions at any time, one lock or none."""
    n_files = draw(st.integers(1, 12))
    groups = draw(st.lists(st.integers(0, 2), min_size=n_files, max_size=n_files))
    kinds = draw(st.lists(st.sampled_from(["withdraw", "accept", "both"]), max_size=4))
    n_locks = draw(st.integers(0, 2))
    n_hours = n_files + len(kinds) + kinds.count("both") + 2 * n_locks
    hours = draw(st.permutations(range(1, n_hours + 1)))
    hour = iter(hours)
    files = tuple(
        File(f"f{n}", group, next(hour), draw(st.sampled_from([0, 0, 1, 1, 2])),
             draw(st.sampled_from([1, 2, 3, None])))
        for n, group in enumerate(groups)
    )  # fmt: skip
    acts = []
    for kind in kinds:
        file = draw(st.sampled_from(files)).name
        if kind == "both":
            first, then = sorted((next(hour), next(hour)))
            acts += [Act("withdraw", first, file), Act("accept", then, file)]
        else:
            acts.append(Act(kind, next(hour), file))
    bounds = sorted(hour)
    acts += [Act("unlock" if n % 2 else "lock", at) for n, at in enumerate(bounds)]
    if draw(st.booleans()) and acts and acts[-1].kind == "unlock":
        acts.pop()  # still locked at the end
    return World(files, tuple(acts))


@settings(max_examples=25 * SCALE, deadline=None)
@given(
    st.lists(worlds(), min_size=1, max_size=8), st.integers(1, 3), st.randoms(use_true_random=False)
)
def test_ID3_更正_撤回_采用_封账_任意历史与顺序_每个时点与模型一致(some, runs, chance):
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), some)
        batches: list[tuple[list, list]] = [([], []) for _ in range(runs)]
        for number, world in enumerate(some):
            for event in [*world.files, *world.acts]:
                place = 0 if isinstance(event, File) else 1
                batches[chance.randrange(runs)][place].append((number, event))
        for files, acts in batches:
            stage.process(files, acts)
        assert stage.differences() == []


def test_ID4_更正件先于原件收到_五十次_先暂存_原件到后采用更正(tmp_path):
    chance = random.Random(4)
    worlds = []
    for _ in range(50):
        first, second = sorted(chance.sample(range(1, 500), 2))
        values = chance.sample(range(1000), 2)
        worlds.append(
            World((File("更正", 0, first, 1, values[0]), File("原", 0, second, 0, values[1])))
        )
    stage = Stage(tmp_path, worlds)
    stage.process([(n, world.files[0]) for n, world in enumerate(worlds)], [])
    assert {status for _, status in stage.statuses().values()} == {"held"}
    assert stage.vintages() == {}
    stage.process([(n, world.files[1]) for n, world in enumerate(worlds)], [])
    assert stage.differences() == []
    for number, world in enumerate(worlds):
        (row,) = stage.vintages()[(stage.period(number), "P0")]
        assert int(row["value"]) == world.files[0].value
        assert row["submission_id"] == f"{number}/更正"
        assert stage.statuses()[f"{number}/原"] == (1, "superseded")
        assert stage.statuses()[f"{number}/更正"] == (2, "accepted")


def test_ID4_更正件的文件名从收件到读取_暂存后由人采用(office):
    office.put(
        "汉滨区2020年6月月报(更正).xlsx", county_form("hanbin", "2020-06", 110), JULY, "hanbin"
    )
    office.run()
    held = office.submission("汉滨区2020年6月月报(更正).xlsx")
    assert held["status"] == "held" and "原件" in held["reason"]
    assert office.known("M1", "2020-06") is None
    told = office.rows("FROM quality.finding WHERE rule_id = 'R-held'")
    assert len(told) == 1 and "parkwatch accept" in told[0]["remedy"]
    office.decide("accept", held["submission_id"], datetime(2020, 7, 20))
    office.run()
    assert office.submission("汉滨区2020年6月月报(更正).xlsx")["status"] == "accepted"
    assert office.known("M1", "2020-06") == 110
    assert office.known("M1", "2020-06", datetime(2020, 7, 19)) is None


def test_ID4_原件读不出来时_更正件照常采用(office):
    office.put("汉滨区报表.xlsx", b"PK\x03\x04 broken", JULY, "hanbin")
    office.put("汉滨区报表更正.xlsx", county_form("hanbin", "2020-06", 110),
               JULY + timedelta(days=1), "hanbin")  # fmt: skip
    office.run()
    assert office.statuses() == {"汉滨区报表.xlsx": "rejected", "汉滨区报表更正.xlsx": "accepted"}


# --- ID5: after the lock --------------------------------------------------------------------------


def test_ID5_封账后收到二十件_登记不采用_说明原因解封后才采用(tmp_path):
    lock = Act("lock", 50)
    worlds = [
        World((File("原", 0, 1 + n, 0, 10 + n), File("迟", 0, 60 + n, n % 2, 500 + n)), (lock,))
        for n in range(20)
    ]
    stage = Stage(tmp_path, worlds)
    stage.process(
        [(n, f) for n, w in enumerate(worlds) for f in w.files], [(n, lock) for n in range(20)]
    )
    assert stage.differences() == []
    late = {name: s for name, (_, s) in stage.statuses().items() if name.endswith("迟")}
    assert len(late) == 20 and set(late.values()) == {"late_locked"}
    assert [int(rows[-1]["value"]) for rows in stage.vintages().values()] == [
        10 + n for n in range(20)
    ]
    reasons = stage.case.rows(
        "SELECT DISTINCT reason FROM submissions.submission WHERE reason LIKE '%封账%'"
    )
    assert len(reasons) == 20
    stage.process([], [(n, Act("unlock", 90)) for n in range(10)])
    stage.worlds = [World(w.files, (*w.acts, Act("unlock", 90)) if n < 10 else w.acts)
                    for n, w in enumerate(worlds)]  # fmt: skip
    assert stage.differences() == []
    values = {period: int(rows[-1]["value"]) for (period, _), rows in stage.vintages().items()}
    expected = {stage.period(n): (500 if n < 10 else 10) + n for n in range(20)}
    assert values == expected


# --- ID6: a year again ----------------------------------------------------------------------------


def _a_year(office: Office) -> None:
    """2019 of three counties: late and corrected files, repeats, a withdrawal, locks."""
    for month in range(2, 13):
        period = f"2019-{month:02d}"
        due = datetime(2019 + month // 12, month % 12 + 1, 8, 10)
        for place, reporter in enumerate(COUNTIES):
            data = county_form(reporter, period, 100 * month + place)
            name = f"{reporter}/{COUNTIES[reporter]}{period}.xlsx"
            office.put(name, data, due + timedelta(hours=place), reporter)
            if (month + place) % 4 == 0:
                better = county_form(reporter, period, 100 * month + place + 7)
                office.put(
                    name.replace(".xlsx", "-更正.xlsx"), better, due + timedelta(days=20), reporter
                )
            if (month + place) % 5 == 0:
                office.put(
                    name.replace(".xlsx", " (1).xlsx"), data, due + timedelta(hours=9), reporter
                )
        if month % 3 == 0:
            office.run(period, now=due + timedelta(days=25))
            office.decide("lock", period, due + timedelta(days=10))
    gone = office.submission("汉滨区2019-04-更正.xlsx")["submission_id"]
    office.decide("withdraw", gone, datetime(2019, 8, 1))
    office.decide("unlock", "2019-06", datetime(2020, 3, 1))
    office.run("2019-12")


def test_ID6_从归档原件重放一整年_各表摘要相同(tmp_path):
    office = Office(tmp_path / "year")
    _a_year(office)
    before = office.digests()
    statuses = {row["status"] for row in office.rows("FROM submissions.submission")}
    assert statuses == {"accepted", "superseded", "returned", "late_locked"}
    shutil.rmtree(office.home / "inbox")
    (office.home / "inbox").mkdir()
    office.workspace.warehouse_file.unlink()
    taken = office.run("2019-03", now=datetime(2030, 1, 1))
    assert (taken.received, taken.read) == (0, len(office.state.receipts()))
    for period in ("2019-06", "2019-09", "2019-12"):
        office.run(period, now=datetime(2030, 1, 1))
    assert office.digests() == before


# --- ID7: swapped ---------------------------------------------------------------------------------


def test_ID7_两地互换文件_二十次_发送方_文件_登记不一致即拦下(office):
    chance = random.Random(7)
    for number in range(20):
        month = 2 + number % 11
        period = f"{2018 + number // 11}-{month:02d}"
        one, other = chance.sample(list(COUNTIES), 2)
        at = datetime(2020, 1, 8) + timedelta(hours=number)
        for inside, sender in ((one, other), (other, one)):
            named = chance.choice([COUNTIES[inside], COUNTIES[sender], "报表"])
            data = county_form(inside, period, 1000 + number)
            office.put(f"{sender}/{named}{period}-{number}.xlsx", data, at, sender)
    office.run("2019-12")
    rows = office.rows("FROM submissions.submission")
    assert len(rows) == 40
    assert {row["status"] for row in rows} == {"returned"}
    assert all(row["reason"] for row in rows)
    assert office.rows("FROM observations.observation") == []
    told = office.rows(
        "SELECT submission_id, list(DISTINCT rule_id) AS rules FROM quality.finding GROUP BY ALL"
    )
    assert len(told) == 40
    for row in told:
        assert {"R-reporter-mismatch", "R-park-outside"} <= set(row["rules"])
