"""Which builds are kept, and the refusal to build on inputs of another origin."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.warehouse_cases import Case, CaseIndicator, workspace
from warehouse import builds, partitions
from warehouse.builds import KEPT, Manifest, NoSuchBuildError
from warehouse.provenance import MixedInputsError, Origin, settle

TABLE = "observations.observation"


def published(home: Path, number: int, parts: dict[str, str], status: str = "") -> Manifest:
    """A kept build with these parts (period → name of its content), on disk as ``keep`` does."""
    tables = {TABLE: {part: (1, hexed(name)) for part, name in parts.items()}}
    made = Manifest(
        number=number, digest=digest_of(tables), built_at="2020-07-01 00:00:00", period="2020-06",
        asof="9999", catalogue_digest="c", reader_version=3,
        editions=[{"status": status}] if status else [],
        tables=tables,
    )  # fmt: skip
    place = workspace(home)
    builds.write(builds.manifest_file(place, made), made)
    for part, name in parts.items():
        path = builds.part_file(place, TABLE, part, hexed(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return made


def hexed(name: str) -> str:
    return hashlib.md5(name.encode()).hexdigest()


def digest_of(tables: dict[str, dict[str, tuple[int, str]]]) -> str:
    return builds.build_digest(
        {name: {part: partitions.Part(*said) for part, said in parts.items()}
         for name, parts in tables.items()}
    )  # fmt: skip


def kept(home: Path) -> list[int]:
    return [m.number for m in builds.manifests(workspace(home))]


def files(home: Path) -> set[str]:
    return {path.stem for path in workspace(home).lake.rglob("*.parquet")}


def named(*names: str) -> set[str]:
    return {hexed(name) for name in names}


def test_the_last_24_are_kept_and_every_one_an_edition_was_sent_from(tmp_path: Path) -> None:
    for number in range(1, KEPT + 7):
        status = {2: "sent", 3: "approved"}.get(number, "")
        last = published(tmp_path, number, {"2020-05": "same", "2020-06": f"d{number}"}, status)
    gone = builds.prune(workspace(tmp_path), last)
    assert KEPT == 24
    assert kept(tmp_path) == [2, *range(7, 31)]
    assert len(gone) == 5
    assert files(tmp_path) == named("same", "d2", *(f"d{n}" for n in range(7, 31)))
    assert builds.prune(workspace(tmp_path), last) == []


def test_a_sent_build_outlives_any_number_of_later_ones(tmp_path: Path) -> None:
    sent = published(tmp_path, 1, {"2020-06": "first"}, "sent")
    for number in range(2, 3 * KEPT):
        last = published(tmp_path, number, {"2020-06": f"d{number}"})
        builds.prune(workspace(tmp_path), last)
    assert builds.find(workspace(tmp_path), "#1") == sent
    assert hexed("first") in files(tmp_path) and len(kept(tmp_path)) == KEPT + 1
    with pytest.raises(NoSuchBuildError, match="#71"):
        builds.find(workspace(tmp_path), "#2")


def test_what_a_killed_run_left_ahead_of_readers_goes(tmp_path: Path) -> None:
    seen = published(tmp_path, 4, {"2020-06": "seen"})
    published(tmp_path, 5, {"2020-06": "ahead"})
    published(tmp_path, 4, {"2020-06": "twin"})
    assert len(builds.prune(workspace(tmp_path), seen)) == 2
    assert kept(tmp_path) == [4] and files(tmp_path) == named("seen")


@pytest.mark.parametrize("way", ["cut", "a digest changed", "a word changed"])
def test_while_a_manifest_is_damaged_no_partition_is_removed(tmp_path: Path, way: str) -> None:
    """What it held cannot be told any more, so nothing may be called unused."""
    sent = published(tmp_path, 1, {"2020-06": "first"}, "sent")
    file = builds.manifest_file(workspace(tmp_path), sent)
    text = file.read_text(encoding="utf-8")
    damaged = {
        "cut": text[:-40],
        "a digest changed": text.replace(hexed("first"), hexed("other")),
        "a word changed": text.replace("2020-07-01", "2020-07-02"),
    }[way]
    assert damaged != text
    file.write_text(damaged, encoding="utf-8")
    for number in range(2, KEPT + 6):
        last = published(tmp_path, number, {"2020-06": f"d{number}"})
        assert builds.prune(workspace(tmp_path), last) == []
    with pytest.raises(builds.DamagedManifestError):
        builds.read(file)
    assert hexed("first") in files(tmp_path)
    file.write_text(text, encoding="utf-8")
    assert len(builds.prune(workspace(tmp_path), last)) == 4
    assert hexed("first") in files(tmp_path)


OLD = Origin(catalogue_digest="a" * 64, reading_digest="r" * 64, reader_version=3, asof="9999")


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    yield Case(tmp_path, [CaseIndicator("C04")])


def write(case: Case, table: str, part: str, origin: Origin, period: str = "2020-06") -> None:
    """One step of a build that writes a part, as ``Build.step`` does it."""
    with case.warehouse.building() as connection:
        partitions.touch(connection, table, [part])
        settle(connection, origin, period)


def origins(case: Case) -> list[tuple[str, str, str]]:
    rows = case.rows("SELECT table_name, part, catalogue_digest FROM internal.origin ORDER BY ALL")
    return [(r["table_name"], r["part"], r["catalogue_digest"][0]) for r in rows]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"catalogue_digest": "b" * 64}, ["政策目录不同", "用 aaaaaaaaaaaa,本次 bbbbbbbbbbbb"]),
        ({"reader_version": 4}, ["读取程序不同", "用 3,本次 4"]),
        ({"asof": "2020-07-01"}, ["时点不同", "用 9999,本次 2020-07-01"]),
    ],
)
def test_inputs_of_another_origin_are_refused_with_each_mismatch_and_the_remedy(
    case: Case, change: dict[str, object], said: list[str]
) -> None:
    write(case, "observations.observation", "2020-06", OLD)
    before = origins(case)
    other = replace(OLD, **change)  # type: ignore[arg-type]
    with pytest.raises(MixedInputsError) as refused:
        write(case, "indicators.park_month", "2020-06", other)
    words = str(refused.value)
    assert "indicators.park_month ← observations.observation" in words
    assert all(word in words for word in said)
    assert "parkwatch run --period 2020-06" in words
    assert origins(case) == before  # nothing of the refused step is committed


def test_inputs_computed_anew_are_accepted_and_other_periods_do_not_matter(case: Case) -> None:
    other = replace(OLD, catalogue_digest="b" * 64)
    write(case, "observations.observation", "2020-05", OLD)
    write(case, "observations.observation", "2020-06", OLD)
    with case.warehouse.building() as connection:
        connection.execute("DELETE FROM internal.settled")
        connection.execute("DELETE FROM internal.touched")
    write(case, "observations.observation", "2020-06", other)
    write(case, "indicators.park_month", "2020-06", other)
    assert origins(case) == [
        ("indicators.park_month", "2020-06", "b"),
        ("observations.observation", "2020-05", "a"),
        ("observations.observation", "2020-06", "b"),
    ]
