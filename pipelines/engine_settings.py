"""``[engine]`` of ``parkwatch.toml``: whether derivations run in the run itself or on workers.

Belongs here: reading and checking that section. Does not belong here: what the engine does
(``pipelines.spread``, ``warehouse.lake``). Passwords come from the environment (``PGPASSFILE``,
``PARKWATCH_ENGINE__BROKER``, ``AWS_SECRET_ACCESS_KEY``), never from the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from warehouse.workspace import Engine


class EngineSettings(BaseModel):
    """See ``warehouse.workspace.Engine``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: Literal["embedded", "distributed"] = "embedded"
    catalogue: str = ""
    data_path: str = ""
    extension_folder: Path | None = None
    s3_endpoint: str = ""
    s3_tls: bool = True
    workers: Literal["celery", "k8s", "processes"] = "celery"
    broker: str = "redis://127.0.0.1:6379/0"
    at_once: int = Field(2, ge=1, le=1000)
    attempts: int = Field(20, ge=1, le=1000)
    executor: dict[str, Any] = {}

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.profile == "distributed" and not (self.catalogue and self.data_path):
            raise ValueError(
                'profile = "distributed" 须同时写明 catalogue(例:"postgres:host=db dbname=parkwatch")'
                '和 data_path(共享文件夹或 "s3://桶/前缀")'
            )
        if "password=" in self.catalogue.replace(" ", ""):
            raise ValueError("口令不写入设置文件:请用 PGPASSFILE 或 PGPASSWORD 环境变量")
        return self

    def options(self) -> Engine:
        """As the rest of the system knows it."""
        return Engine(**self.model_dump())
