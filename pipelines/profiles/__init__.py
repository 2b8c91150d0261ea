"""Run profiles (运行方式): which parts of the monthly job a run takes and what follows it, as files.

Belongs here: reading a profile from the workspace's ``profiles/`` or those shipped beside this module.
Does not belong here: running anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

SHIPPED = Path(__file__).parent


class ProfileError(ValueError):
    """There is no such profile, or its file is wrong; the message says which and how to mend it."""


class Profile(BaseModel):
    """``leave_out``: assets (``schema.table``) the run does not make; their tables stay as they are.
    ``closes``: whether such a run closes its period. ``then``: what follows a run that ended well."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    description: str = ""
    leave_out: tuple[str, ...] = ()
    closes: bool = True
    max_runtime_minutes: int = Field(120, ge=1, le=1440)
    then: tuple[Literal["backup", "doctor"], ...] = ()


def load_profile(name: str, home: Path) -> Profile:
    """The profile ``name``: the workspace's own before the shipped one. Raises ProfileError."""
    import yaml

    file = next(
        (f for f in (home / "profiles" / f"{name}.yaml", SHIPPED / f"{name}.yaml") if f.is_file()),
        None,
    )
    if file is None or "/" in name:
        raise ProfileError(f"没有名为 {name} 的运行方式;可用:{'、'.join(names(home))}")
    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        return Profile(**said | {"name": name})
    except (yaml.YAMLError, ValidationError, TypeError) as error:
        raise ProfileError(f"{file} 有误:{error}") from error


def names(home: Path) -> list[str]:
    """Profiles that can be named."""
    folders = (SHIPPED, home / "profiles")
    return sorted({file.stem for folder in folders for file in folder.glob("*.yaml")})
