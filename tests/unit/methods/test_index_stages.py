"""Stages of a composite indicator against COINr's ASEM example, and their small oracles."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from methods import index_stages as stages
from tests.support.devdata import devdata

FOLDER = ("oracle", "coinr_asem", "pipeline")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def asem(name: str) -> np.ndarray:
    return np.array(
        [
            [np.nan if row[code] in ("", "NA", "nan") else float(row[code]) for code in codes()]
            for row in _rows(devdata(*FOLDER, f"Data_{name}.csv"))
        ]
    )


def meta() -> list[dict[str, str]]:
    return _rows(devdata(*FOLDER, "Input_IndMeta.csv"))


def codes() -> list[str]:
    return [row["IndCode"] for row in meta()]


def close(found: np.ndarray, wanted: np.ndarray) -> bool:
    return bool(np.allclose(found, wanted, rtol=1e-9, atol=1e-9, equal_nan=True))


def test_denominated_as_published() -> None:
    sizes = {row["uCode"]: row for row in _rows(devdata("oracle", "coinr_asem", "ASEM_iData.csv"))}
    units = [row["UnitCode"] for row in _rows(devdata(*FOLDER, "Data_Raw.csv"))]
    raw, wanted = asem("Raw"), asem("Denominated")
    checked = 0
    for place, row in enumerate(meta()):
        name = row["Denominator"].removeprefix("Den_").replace("Pop", "Population")
        if not name or name == "NA":
            assert close(raw[:, place], wanted[:, place])
            continue
        size = np.array([float(sizes[unit][name] or "nan") for unit in units])
        assert close(stages.denominate(raw[:, place], size), wanted[:, place]), row["IndCode"]
        checked += 1
    assert checked >= 15


def test_imputed_as_published() -> None:
    groups = [row["Group_EurAsia"] for row in _rows(devdata(*FOLDER, "Data_Raw.csv"))]
    assert int(np.isnan(asem("Denominated")).sum()) == 65
    assert close(stages.impute_group_mean(asem("Denominated"), groups), asem("Imputed"))


def test_treated_and_normalised_as_published() -> None:
    imputed = asem("Imputed")
    treated = np.stack([stages.treat_outliers(column)[0] for column in imputed.T], axis=1)
    directions = [float(row["Direction"]) for row in meta()]
    found = stages.normalise_columns(treated, directions)
    assert np.abs(found - asem("Normalised")).max() < 1e-9
    plain = stages.normalise_columns(imputed, directions)
    assert np.abs(plain - asem("Normalised")).max() > 1  # the treatment is not without effect


def test_aggregated_over_three_levels_gives_the_published_leaders() -> None:
    structure = _rows(devdata(*FOLDER, "Structure.csv"))
    parents: dict[str, str] = {}
    for row in structure:
        parents |= {row["IndCode"]: row["Agg1"], row["Agg1"]: row["Agg2"], row["Agg2"]: row["Agg3"]}
    weights = {
        row["Code"]: float(row["Weight"]) for row in _rows(devdata(*FOLDER, "Weights_Original.csv"))
    }
    columns = dict(zip(codes(), asem("Normalised").T, strict=True))
    index = stages.aggregate(columns, parents, weights)["Index"]
    units = [row["UnitCode"] for row in _rows(devdata(*FOLDER, "Data_Raw.csv"))]
    best = sorted(zip(index, units, strict=True), reverse=True)
    found = [(unit, round(float(score), 2)) for score, unit in best]
    assert found[:3] == [("CHE", 68.38), ("NLD", 64.82), ("DNK", 64.80)]
    assert found[-1] == ("RUS", 35.66)


def test_an_outlier_is_drawn_in_one_step() -> None:
    x = np.array([*range(1, 11), 100.0])
    assert stages.skewness(x) == pytest.approx(3.2556, abs=5e-5)
    assert stages.kurtosis(x) == pytest.approx(10.7067, abs=5e-5)
    treated, moved, logged = stages.treat_outliers(x)
    assert (treated.max(), moved, logged) == (10, 1, False)


def test_what_winsorising_cannot_mend_is_taken_in_logs() -> None:
    x = np.exp(np.linspace(0, 14, 40))
    treated, moved, logged = stages.treat_outliers(x, most=1)
    assert (moved, logged) == (0, True)
    assert abs(stages.skewness(treated)) < 2
    flat, moved, logged = stages.treat_outliers(np.full(8, 3.0))
    assert (list(flat), moved, logged) == ([3.0] * 8, 0, False)


def test_means_that_compensate_less() -> None:
    values = {"a": np.array([4.0]), "b": np.array([16.0])}
    parents, weights = {"a": "t", "b": "t"}, {"a": 1.0, "b": 1.0}
    means = {
        how: float(stages.aggregate(values, parents, weights, how)["t"][0])
        for how in ("arithmetic", "geometric", "harmonic")
    }
    assert means == pytest.approx({"arithmetic": 10, "geometric": 8, "harmonic": 6.4})


def test_a_circle_of_parents_is_refused() -> None:
    with pytest.raises(ValueError, match="circle"):
        stages.aggregate({"a": np.ones(2)}, {"a": "b", "b": "c", "c": "b"}, {})
