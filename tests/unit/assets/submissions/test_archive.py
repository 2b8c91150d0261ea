"""The archive and the inbox: nothing lost, nothing changed, receipts believed only when clear."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime

import pytest

from assets.submissions.archive import Archive, ArchiveError, ReceiptsError, deliveries


def test_stored_bytes_come_back_and_are_read_only(tmp_path):
    archive = Archive(tmp_path)
    digest = archive.store("园区月报".encode(), "月报.xlsx")
    assert archive.read(digest) == "园区月报".encode()
    assert stat.S_IMODE(archive.find(digest).stat().st_mode) == 0o444


def test_the_same_bytes_are_stored_once_whatever_the_name(tmp_path):
    archive = Archive(tmp_path)
    assert archive.store(b"x", "a.xlsx") == archive.store(b"x", "b.csv")
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize("name", ["a.表格文件后缀", "..", "a.longsuffix", ".hidden", "no suffix"])
def test_odd_names_cannot_leave_the_archive(tmp_path, name):
    archive = Archive(tmp_path / "archive")
    digest = archive.store(b"x", name)
    assert archive.find(digest).parent.parent == tmp_path / "archive"


def test_damage_is_noticed_on_reading(tmp_path):
    archive = Archive(tmp_path)
    digest = archive.store(b"good", "a.xlsx")
    path = archive.find(digest)
    path.chmod(0o644)
    path.write_bytes(b"bad!")
    with pytest.raises(ValueError, match="已损坏"):
        archive.read(digest)


def test_missing_original_says_where_to_look(tmp_path):
    with pytest.raises(FileNotFoundError, match="备份"):
        Archive(tmp_path).read("0" * 64)


def inbox(tmp_path, files, receipts=None):
    for name in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    if receipts is not None:
        (tmp_path / "receipts.csv").write_text(receipts, encoding="utf-8")
    return list(deliveries(tmp_path))


def test_deliveries_are_found_in_path_order_without_lock_files(tmp_path):
    found = inbox(tmp_path, ["b.xlsx", "甲县/a.xlsx", "~$b.xlsx", ".DS_Store"])
    assert [d.inbox_path for d in found] == ["b.xlsx", "甲县/a.xlsx"]


def test_pipes_and_links_are_not_deliveries(tmp_path):
    os.mkfifo(tmp_path / "pipe.xlsx")
    (tmp_path / "link.xlsx").symlink_to("/etc/hosts")
    assert [d.inbox_path for d in inbox(tmp_path, ["a.xlsx"])] == ["a.xlsx"]


def test_receipts_give_time_and_sender(tmp_path):
    text = "file,received_at,sender\na.xlsx,2020-07-08T09:30:00+08:00,ak-hanbin\n"
    (delivery,) = inbox(tmp_path, ["a.xlsx"], text)
    assert delivery.received_at == datetime(2020, 7, 8, 1, 30, tzinfo=UTC)
    assert delivery.sender == "ak-hanbin"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a.xlsx,2020-07-08T09:30:00,x", "时区"),
        ("a.xlsx,昨天,x", "received_at"),
        ("a.xlsx", "received_at"),
    ],
)
def test_an_unclear_receipt_stops_instead_of_guessing(tmp_path, line, said):
    with pytest.raises(ReceiptsError, match=said) as told:
        inbox(tmp_path, ["a.xlsx"], f"file,received_at,sender\n{line}\n")
    assert "第2行" in str(told.value)


def test_an_archive_that_cannot_be_written_stops_everything(tmp_path):
    delivered = tmp_path / "六月.xlsx"
    delivered.write_bytes(b"x")
    (tmp_path / "archive").write_bytes(b"a file where the folder should be")
    with pytest.raises(ArchiveError, match="归档目录"):
        Archive(tmp_path / "archive").store_file(delivered)


def test_many_are_kept_as_one_by_one_whatever_stands_between(tmp_path):
    paths = [
        tmp_path / f"{number:02d}.{suffix}" for number in range(20) for suffix in ("xls", "XLSX")
    ]
    for path in paths:
        path.write_bytes(path.stem.encode())  # both of a number say the same
    paths.insert(7, tmp_path / "gone.xlsx")
    single, many = Archive(tmp_path / "single"), Archive(tmp_path / "many")
    many.folder.mkdir()
    (many.folder / ".incoming.1.7").write_bytes(b"of a killed run")
    expected = [single.store_file(path) if path.exists() else None for path in paths]
    found = list(many.store_files(paths))
    assert isinstance(found[7], FileNotFoundError)
    assert [None if isinstance(kept, OSError) else kept for kept in found] == expected

    def names(archive):
        return sorted(str(p.relative_to(archive.folder)) for p in archive.folder.rglob("*"))

    assert names(many) == names(single)
    assert list(many.store_files([])) == []


def test_a_delivery_that_cannot_be_read_is_only_that_files_trouble(tmp_path):
    archive = Archive(tmp_path / "archive")
    with pytest.raises(FileNotFoundError):
        archive.store_file(tmp_path / "gone.xlsx")
    (tmp_path / "broken.xlsx").symlink_to("/proc/self/mem")  # opens, and cannot be read
    with pytest.raises(OSError, match=r"."):
        archive.store_file(tmp_path / "broken.xlsx")
    assert archive.find("0" * 64) is None
