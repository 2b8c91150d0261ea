"""Development data beside the checkout: located here, skipped with a reason where it is absent.

Belongs here: finding the data. Does not belong here: reading them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def devdata(*parts: str) -> Path:
    """Path below the development data folder (``PARKWATCH_DEVDATA`` or ``../shared/data``)."""
    base = Path(os.environ.get("PARKWATCH_DEVDATA", ROOT.parent / "shared" / "data"))
    path = base.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"development data not present: {'/'.join(parts)}")
    return path


def policy_text(name: str) -> str:
    """Text of a policy document (``PARKWATCH_SEEDS`` or ``../shared/seeds``), else skip."""
    base = Path(os.environ.get("PARKWATCH_SEEDS", ROOT.parent / "shared" / "seeds"))
    if not (base / name).exists():
        pytest.skip(f"text of the policy document not present: {name}")
    return (base / name).read_text("utf-8")
