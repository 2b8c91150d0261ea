"""When forecasts of the year may be judged by: dated values of a catalogue file, not of code.

Belongs here: the model of ``forecast/rules.yaml`` and reading it (the workspace's own file first).
Does not belong here: forecasting or judging.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from warehouse.catalog.problems import CatalogError, CatalogProblem, Origin, validation_problems

FOLDER = "forecast"
FILE = "rules.yaml"


class ForecastRules(BaseModel):
    """Bars a forecast has to pass before a light may follow it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    early_before_month: int = Field(ge=1, le=12)
    early_min_skill: float = Field(ge=0, le=1)
    max_calibration_error: float = Field(gt=0, le=1)
    official: bool = False
    source: str


def load_forecast_rules(workspace_catalog: Path | None, base: str = "") -> ForecastRules:
    """The workspace's rules where it has a file of its own, else the shipped ones.

    Raises CatalogError naming the file and field that is wrong.
    """
    shipped = Path(__file__).with_name("common") / FOLDER / FILE
    layers = [Path(__file__).with_name(base) / FOLDER / FILE] if base else []
    own = [workspace_catalog / FOLDER / FILE] if workspace_catalog else []
    path = next((path for path in (*own, *layers) if path.exists()), shipped)
    try:
        return ForecastRules.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        origin = Origin(f"{FOLDER}/{FILE}")
        raise CatalogError(list(validation_problems(error, ForecastRules, origin, ""))) from error
    except yaml.YAMLError as error:
        problem = CatalogProblem(Origin(f"{FOLDER}/{FILE}"), "", "", f"不是可读的 YAML:{error}")
        raise CatalogError([problem]) from error
