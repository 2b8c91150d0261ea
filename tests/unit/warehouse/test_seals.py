"""Seals of the ledger: every way a row is written keeps them, every row changed otherwise is noticed."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing

import pytest

from warehouse import ledger, seals
from warehouse.closings import Closings
from warehouse.outbox_ledger import Mail, OutboxLedger
from warehouse.state import Decision, Receipt, State

AT = "2020-07-08T01:30:00+00:00"


def receipt(n: int, sender: str | None = None) -> Receipt:
    return Receipt(f"{n:064x}", f"inbox/{n}.xlsx", f"{n}.xlsx", 100 + n, AT, sender, 1_000 + n)


def mail(n: int) -> Mail:
    return Mail("版", f"{n}@x.test", "bulletin", "岗", "题", f"<{n}@x>", f"{n}.eml", "0" * 64, 1)


@pytest.fixture
def file(tmp_path):
    """A ledger in which every kind of statement has been at work."""
    path = tmp_path / "state.sqlite"
    state, outbox = State(path), OutboxLedger(path)
    state.add_receipts([receipt(n) for n in range(5)])
    state.add_receipts([receipt(2, "县统计岗")])  # upsert
    state.start_run("r1", "2020-06", AT)
    state.start_run("r1", "2020-06", AT)  # insert or replace
    state.finish_run("r1", AT, "done", "完成")
    for _ in range(2):
        state.replace_expected({"2020-06": [("hanbin", "汉滨区", None), ("hanyin", "汉阴县", "x")]})
    state.decide(Decision("lock", "2020-06", AT, "张三", "封账"))
    outbox.plan([mail(n) for n in range(3)], AT)
    outbox.take("2099-01-01T00:00:00+00:00")
    outbox.close()
    Closings(path).record("2020-06", "r1", _moment())
    Closings(path).record("2020-06", "r1", _moment())
    return path


def _moment():
    from datetime import datetime

    return datetime.fromisoformat(AT)


def wrong(path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        return {name: said for name, said in seals.broken(connection) if said}


def outside(path, *statements: str) -> None:
    """What damage does: rows change and no trigger is told."""
    with closing(sqlite3.connect(path)) as connection, connection:
        seals.attach(connection)
        kept = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = kept.fetchall()
        for name, _ in triggers:
            connection.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            connection.execute(statement)
        for _, sql in triggers:
            connection.execute(sql)


def test_每一种写法之后_校验和都相符(file):
    with closing(sqlite3.connect(file)) as connection:
        tables = dict(seals.broken(connection))
    assert set(tables) >= {"receipt", "run", "expected", "decision", "mail", "closing", "outcome"}
    assert wrong(file) == {}


@pytest.mark.parametrize(
    "table, damage",
    [
        ("receipt", "UPDATE receipt SET bytes = bytes + 1 WHERE bytes = 103"),
        ("receipt", "UPDATE receipt SET sender = '' WHERE sender IS NULL AND bytes = 100"),
        ("receipt", "DELETE FROM receipt WHERE bytes = 104"),
        ("run", "UPDATE run SET status = 'failed'"),
        ("mail", "UPDATE mail SET state = 'sent' WHERE recipient = '1@x.test'"),
        ("mail", "INSERT INTO mail SELECT batch, 'z@x', kind, post, subject, '<z>', file, sha256, bytes, "
                 "state, 0, due_at, planned_at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0 "
                 "FROM mail LIMIT 1"),
        ("decision", "UPDATE decision SET reason = '封帐'"),
        ("decision", "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'decision'"),
        ("decision", "UPDATE seal SET total = total + 1 WHERE name = 'decision'"),
        ("expected", "DELETE FROM seal WHERE name = 'expected'"),
        ("expected", "UPDATE expected SET deadline = CAST(deadline AS BLOB) WHERE deadline = 'x'"),
    ],
)  # fmt: skip
def test_改动任何一行都被发现_并说出是哪张表(file, table, damage):
    outside(file, damage)
    assert set(wrong(file)) == {table}


def test_之后的写入不掩盖损坏(file):
    outside(file, "UPDATE receipt SET bytes = 1 WHERE bytes = 103")
    State(file).add_receipts([receipt(3, "改后"), receipt(9)])
    assert wrong(file) == {"receipt": "行与校验和不符"}


def test_去掉触发器被发现(file):
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DROP TRIGGER receipt_seal_delete")
    assert wrong(file) == {"receipt": "表结构与登记的不符"}


def test_别的程序改不了(file):
    with closing(sqlite3.connect(file)) as connection, pytest.raises(sqlite3.OperationalError):
        connection.execute("UPDATE receipt SET bytes = 0")


def test_旧版台账打开即有校验和_加列不掩盖先前的损坏(tmp_path):
    path = tmp_path / "state.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE old (number INTEGER PRIMARY KEY AUTOINCREMENT, word TEXT)")
        connection.executemany("INSERT INTO old (word) VALUES (?)", [("甲",), (None,), ("",)])
    assert wrong(path) == {}  # nothing is known of an unsealed ledger
    ledger.connect(path, "").close()
    assert wrong(path) == {}
    with closing(ledger.connect(path, "")) as connection, connection:
        connection.execute("ALTER TABLE old ADD COLUMN more TEXT NOT NULL DEFAULT '无'")
        seals.settle(connection)
        connection.execute("UPDATE old SET more = '有' WHERE number = 2")
    assert wrong(path) == {}
    outside(path, "UPDATE old SET word = '乙' WHERE number = 1")
    with closing(ledger.connect(path, "")) as connection, connection:
        connection.execute("ALTER TABLE old ADD COLUMN third INTEGER")
        seals.settle(connection)
    assert wrong(path) == {"old": "行与校验和不符"}


def test_回滚的改动不留痕(file):
    state = State(file)
    with pytest.raises(RuntimeError), state._open() as connection:
        connection.execute("UPDATE receipt SET bytes = 0")
        raise RuntimeError
    assert wrong(file) == {}


def test_任意顺序的写入_校验和总等于重新求和(tmp_path):
    path, chance = tmp_path / "state.sqlite", random.Random(7)
    with closing(ledger.connect(path, "CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT);")) as made:
        for _ in range(300):
            key, value = chance.randrange(20), chance.choice([None, "", "零", "\ud7ff", "1"])
            made.execute(
                *chance.choice([
                    ("INSERT OR REPLACE INTO t VALUES (?, ?)", (key, value)),
                    ("INSERT INTO t VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v",
                     (key, value)),
                    ("INSERT OR IGNORE INTO t VALUES (?, ?)", (key, value)),
                    ("UPDATE OR REPLACE t SET k = ? WHERE v IS ?", (key, value)),
                    ("DELETE FROM t WHERE k = ?", (key,)),
                ])
            )  # fmt: skip
            assert seals.broken(made) == [("t", "")]
        made.execute("DELETE FROM t")
        assert seals.broken(made) == [("t", "")]
