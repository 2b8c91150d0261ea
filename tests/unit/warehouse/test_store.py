"""The store: one writer, whole publications, digests of content."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from tests.support.warehouse_cases import Case, CaseIndicator, workspace
from warehouse import files, partitions, schema, store
from warehouse.store import NothingPublishedError, Warehouse, WarehouseBusyError


def test_reading_before_anything_is_published_says_what_to_do(tmp_path):
    with (
        pytest.raises(NothingPublishedError, match="parkwatch run"),
        Warehouse(workspace(tmp_path)).reading(),
    ):
        pass


def test_a_second_process_cannot_write_and_is_told_who_does(tmp_path):
    script = (
        "import sys; from pathlib import Path\n"
        "from tests.support.warehouse_cases import workspace\n"
        "from warehouse.store import Warehouse, WarehouseBusyError\n"
        f"home = Path({str(tmp_path)!r})\n"
        "try:\n"
        "    with Warehouse(workspace(home)).writer_lock(): print('got it')\n"
        "except WarehouseBusyError as error: print('busy', error)\n"
    )
    with Warehouse(workspace(tmp_path)).writer_lock():
        told = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
    assert told.stdout.startswith("busy") and "pid" in told.stdout
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert told.stdout == "got it\n"


def test_lock_is_free_again_after_its_holder_is_gone(tmp_path):
    warehouse = Warehouse(workspace(tmp_path))
    with (
        warehouse.writer_lock(),
        warehouse.writer_lock(),  # re-entrant within the process
        pytest.raises(WarehouseBusyError),
        Warehouse(workspace(tmp_path)).writer_lock(),
    ):
        pass
    with Warehouse(workspace(tmp_path)).writer_lock():
        pass


def test_a_failed_step_leaves_the_work_file_as_it_was(tmp_path):
    case = Case(tmp_path, [CaseIndicator("C01")])
    with pytest.raises(RuntimeError, match="half way"), case.warehouse.building() as connection:
        connection.execute("DELETE FROM dims.indicator")
        raise RuntimeError("half way")
    assert len(case.rows("FROM dims.indicator")) == 1


def test_an_unpublished_build_is_invisible_and_thrown_away_by_the_next_run(tmp_path):
    case = Case(tmp_path, [CaseIndicator("C01")])
    assert not case.warehouse.has_published()
    case.warehouse.publish()
    with case.warehouse.reading() as connection:
        assert len(store.fetch(connection, "FROM dims.indicator")) == 1
    case.warehouse.begin("killed run")
    with case.warehouse.building() as connection:
        connection.execute("DELETE FROM dims.indicator")
    case.warehouse.begin("next run")
    assert len(case.rows("FROM dims.indicator")) == 1


def published_once_then_built_again(tmp_path):
    """A warehouse with one publication, and a build with a document that is not published yet."""
    case = Case(tmp_path, [CaseIndicator("C01")])
    case.warehouse.publish()
    case.warehouse.begin("next")
    with case.warehouse.building() as connection:
        connection.execute("DELETE FROM dims.indicator")
    staged = case.workspace.making / "reports" / "2020-06" / "office" / "1"
    staged.mkdir(parents=True)
    (staged / "bulletin.html").write_text("new")
    return case


def read_indicators(case):
    with case.warehouse.reading() as connection:
        return len(store.fetch(connection, "FROM dims.indicator"))


def test_where_documents_cannot_go_no_tables_are_published_either(tmp_path, monkeypatch):
    case = published_once_then_built_again(tmp_path)
    writable = os.access
    monkeypatch.setattr(
        os, "access", lambda place, mode: place != tmp_path and writable(place, mode)
    )
    with pytest.raises(PermissionError, match=str(tmp_path)):
        case.warehouse.publish()
    assert read_indicators(case) == 1
    assert not case.workspace.announced_file.exists()


def test_a_reader_who_may_not_write_still_reads_after_a_killed_publication(tmp_path, monkeypatch):
    case = published_once_then_built_again(tmp_path)

    def killed(_folders):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(case.warehouse, "_place_folders", killed)
    with pytest.raises(OSError, match="Read-only"):
        case.warehouse.publish()
    assert read_indicators(case) == 0
    with pytest.raises(OSError, match="Read-only"):
        case.warehouse.begin("would throw the documents away")
    monkeypatch.undo()
    case.warehouse.begin("can write again")
    placed = tmp_path / "reports" / "2020-06" / "office" / "1" / "bulletin.html"
    assert placed.read_text() == "new"


BOUNDARIES = (
    "publish.announced",
    "publish.renamed",
    "folder.retired",
    "folder.replaced",
    "publish.placed",
)


class Killed(BaseException):
    """What no program catches."""


def exchange_works(tmp_path):
    names = [tmp_path / "exchange" / name for name in ("one", "other")]
    for name in names:
        name.mkdir(parents=True)
    return files.exchange(*names)


@pytest.mark.parametrize("exchanges", [True, False], ids=["exchanged", "renamed"])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_publication_killed_anywhere_leaves_the_old_edition_or_the_new_one(
    tmp_path, monkeypatch, boundary, exchanges
):
    if exchanges and not exchange_works(tmp_path):
        pytest.skip("this file system cannot exchange two names")
    case = published_once_then_built_again(tmp_path)
    edition = tmp_path / "reports" / "2020-06" / "office" / "1"
    edition.mkdir(parents=True)
    (edition / "bulletin.html").write_text("old")
    (edition / "only the former one has this").write_text("old")

    def killed_there(name):
        if name == boundary:
            raise Killed

    for module in (store, files):
        monkeypatch.setattr(module, "reach", killed_there)
    if not exchanges:
        monkeypatch.setattr(files, "exchange", lambda *_: False)
    reached = not (exchanges and boundary == "folder.retired")
    with pytest.raises(Killed) if reached else contextlib.nullcontext():
        case.warehouse.publish()
    if exchanges:
        assert (edition / "bulletin.html").exists(), "no moment without the folder"
    monkeypatch.undo()
    is_new = read_indicators(case) == 0
    assert is_new == (boundary != "publish.announced")
    assert (edition / "bulletin.html").read_text() == ("new" if is_new else "old")
    assert len(list(edition.iterdir())) == (1 if is_new else 2)
    assert not is_new or not case.workspace.making.exists()
    assert [p.name for p in edition.parent.iterdir()] == ["1"]


def test_an_announcement_of_an_earlier_version_is_finished(tmp_path, monkeypatch):
    case = published_once_then_built_again(tmp_path)
    monkeypatch.setattr(case.warehouse, "_place_folders", lambda _: None)
    case.warehouse.publish()
    monkeypatch.undo()
    path = case.workspace.announced_file
    said = json.loads(path.read_text())
    path.write_text(json.dumps(said | {"folders": list(said["folders"])}))
    assert read_indicators(case) == 0
    placed = tmp_path / "reports" / "2020-06" / "office" / "1" / "bulletin.html"
    assert placed.read_text() == "new"


def test_steps_of_one_run_share_a_work_file(tmp_path):
    case = Case(tmp_path, [CaseIndicator("C01")])
    case.warehouse.begin("case")
    assert len(case.rows("FROM dims.indicator")) == 1


def test_digest_ignores_order_and_notices_every_change(tmp_path):
    case = Case(tmp_path, [CaseIndicator(name) for name in ("C01", "C02", "C03")])

    def digest():
        with case.warehouse.building() as connection:
            return store.table_digest(connection, "dims.indicator")

    before = digest()
    with case.warehouse.building() as connection:
        connection.execute(
            "CREATE TEMP TABLE turned AS FROM dims.indicator ORDER BY indicator_id DESC;"
            "DELETE FROM dims.indicator; INSERT INTO dims.indicator FROM turned"
        )
    assert digest() == before
    with case.warehouse.building() as connection:
        connection.execute("UPDATE dims.indicator SET unit = '元' WHERE indicator_id = 'C02'")
    changed = digest()
    assert changed[0] == before[0] and changed[1] != before[1]
    with case.warehouse.building() as connection:
        connection.execute(
            "INSERT INTO dims.indicator FROM dims.indicator WHERE indicator_id = 'C01'"
        )
    assert digest()[0] == 4 and digest()[1] != changed[1]


def test_decimals_and_times_travel_unchanged(tmp_path):
    case = Case(tmp_path, [CaseIndicator("C01")])
    exact = Decimal("12345678901234567.12345678")
    case.deliver(
        "s1", datetime(2020, 7, 8, 1, 2, 3, 456789), [("P1", "C01", "2020-06", "ytd", exact)]
    )
    assert case.rows("SELECT value FROM submissions.cell") == [{"value": exact}]
    assert case.rows("SELECT received_at FROM submissions.submission") == [
        {"received_at": datetime(2020, 7, 8, 1, 2, 3, 456789)}
    ]


def test_every_table_of_the_dictionary_exists_with_comments(tmp_path):
    case = Case(tmp_path, [])
    for table in schema.TABLES:
        columns = case.rows(
            "SELECT column_name, comment FROM duckdb_columns() WHERE schema_name = ? AND table_name = ? "
            "ORDER BY column_index",
            table.group,
            table.name,
        )
        assert [c["column_name"] for c in columns] == [c.name for c in table.columns], (
            table.full_name
        )
        assert all(c["comment"] for c in columns), table.full_name


OLDER = (
    "ALTER TABLE indicators.park_month DROP COLUMN break_flag",
    "ALTER TABLE dims.park DROP COLUMN short_name",
    "DROP TABLE indicators.area_nowcast",
    "UPDATE internal.structure SET digest = 'earlier'",
)


def of_an_earlier_version(tmp_path):
    """A published file without two columns and a table the dictionary has today, digested then."""
    case = Case(tmp_path, [CaseIndicator("C01")])
    case.parks({"park_id": "P1", "short_name": "甲"})
    today = schema.TABLES
    with case.warehouse.building() as connection:
        store.insert_rows(
            connection, "indicators.park_month",
            [{"park_id": "P1", "indicator_id": "C01", "period": "2020-02", "state": "reported"}],
        )  # fmt: skip
        for statement in OLDER:
            connection.execute(statement)
    gone = {"indicators.park_month": "break_flag", "dims.park": "short_name"}
    older = tuple(
        replace(t, columns=tuple(c for c in t.columns if gone.get(t.full_name) != c.name))
        for t in today
        if t.full_name != "indicators.area_nowcast"
    )
    with pytest.MonkeyPatch.context() as patch, case.warehouse.building() as connection:
        patch.setattr(schema, "TABLES", older)
        patch.setattr(schema, "table", lambda name: next(t for t in older if t.full_name == name))
        partitions.refresh(connection, None)
    case.warehouse.publish()
    return case


def wrong_tables(case):
    with case.warehouse.reading() as connection:
        return partitions.disagreements(connection)


def test_a_file_of_an_earlier_version_agrees_with_its_digests(tmp_path):
    case = of_an_earlier_version(tmp_path)
    assert wrong_tables(case) == []
    connection = store.connect(case.workspace.warehouse_file)
    connection.execute("UPDATE indicators.park_month SET state = 'zero'")
    connection.close()
    assert wrong_tables(case) == ["indicators.park_month"]


def test_after_the_next_build_it_has_every_column_and_digests_of_today(tmp_path):
    case = of_an_earlier_version(tmp_path)
    case.warehouse.begin("next")
    with case.warehouse.building() as connection:
        partitions.refresh(connection, "2020-03")
        there = partitions.columns_there(connection)
    case.warehouse.publish()
    assert "break_flag" in there["indicators.park_month"]
    assert wrong_tables(case) == []


@pytest.mark.parametrize(
    "typed",
    ["selekt 1", "select nosuch from dims.park", "from nosuch", "select 'x'::int", "drop table dims.park"],
)  # fmt: skip
def test_a_typed_statement_that_cannot_run_is_told_in_words(tmp_path, typed):
    with store.connect(tmp_path / "w.duckdb") as connection:
        store.create_all(connection)
    with (
        store.connect(tmp_path / "w.duckdb", read_only=True) as connection,
        pytest.raises(store.BadQueryError, match="查询不能执行"),
    ):
        store.ask(connection, typed)


def test_rows_and_columns_store_the_same_values(tmp_path):
    texts = [
        "1.5",
        "-0.000000005",
        "1E-7",
        "12345678901234567890.123456785",
        "34000.0",
        None,
        "0E-8",
    ]
    names = [column.name for column in schema.table("submissions.cell").columns]
    rows = [
        dict.fromkeys(names, "x") | {"address": f"A{n}", "period": "2020-06", "value": text}
        for n, text in enumerate(texts)
    ]
    as_rows = [row | {"value": row["value"] and Decimal(row["value"])} for row in rows]
    case = Case(tmp_path, [CaseIndicator("C01")])
    found = []
    with case.warehouse.building() as connection:
        for write in (
            lambda: store.insert_rows(connection, "submissions.cell", as_rows),
            lambda: store.insert_columns(
                connection, "submissions.cell", {n: [row[n] for row in rows] for n in names}
            ),
        ):
            connection.execute("DELETE FROM internal.touched")
            assert write() == len(texts)
            found.append((
                store.fetch(connection, "FROM submissions.cell ORDER BY address"),
                store.fetch(connection, "FROM internal.touched"),
            ))  # fmt: skip
            connection.execute("DELETE FROM submissions.cell")
    assert found[0] == found[1]
    assert [row["value"] for row in found[0][0]][:2] == [Decimal("1.5"), Decimal("-0.00000001")]


def test_decimals_printed_from_64_bits_give_the_digest_of_the_plain_text(tmp_path):
    """Builds of before must verify: the digest is that of ``row(…)::VARCHAR`` for every value."""
    connection = store.connect(tmp_path / "t.duckdb")
    connection.execute("CREATE TABLE t (a DECIMAL(28, 8), b VARCHAR, c INTEGER, d DECIMAL(20, 4))")
    values = ["0", "0.00000001", "-0.00000001", "-1", "9999999999.99999999", "-9999999999.99999999",
              "10000000000", "-10000000000.5", "99999999999999999999.99999999", "288.17", None]  # fmt: skip
    for number, value in enumerate(values):
        connection.execute(
            "INSERT INTO t VALUES (?::DECIMAL(28, 8), ?, ?, 1.5)",
            [value, [None, "NULL", "a, b", "", "'"][number % 5], number],
        )
    columns = connection.execute("SELECT * FROM t LIMIT 0").description
    row = "row(a, b, c, d)::VARCHAR"
    plain = f"sum(md5_number_lower({row})::HUGEINT), sum(md5_number_upper({row})::HUGEINT)"
    quick = f"SELECT {partitions._TEXT_SUMS} FROM (SELECT {partitions._md5(columns)} AS md5 FROM t)"
    assert (
        connection.execute(quick).fetchone()
        == connection.execute(f"SELECT count(*), {plain} FROM t").fetchone()
    )
    assert "AS DECIMAL(18, 8)" in partitions._md5(columns)
