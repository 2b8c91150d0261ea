"""Catalogues and settings builds were made with, kept so that an old edition can be made again.

Belongs here: copies by rules digest under ``catalog-versions/``. Does not belong here: reading a
catalogue (``warehouse.catalog``) or what was built with it (``builds``).
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from warehouse import store
from warehouse.catalog.load import SHIPPED
from warehouse.workspace import Workspace

SETTINGS = "parkwatch.toml"


def keep(workspace: Workspace, digest: str) -> str:
    """Keep today's catalogue under its rules digest and the settings beside it.

    Returns the SHA-256 of the settings (they may change while the rules do not). What is kept is
    never changed; a copy appears whole or not at all.
    """
    folder = workspace.catalog_versions / digest
    if not folder.exists():
        making = folder.with_name(f".{digest}.making")
        shutil.rmtree(making, ignore_errors=True)
        _copy(SHIPPED / "common", making / "shipped" / "common")
        _copy(SHIPPED / workspace.catalog_base, making / "shipped" / workspace.catalog_base)
        _copy(workspace.catalog, making / "catalog")
        for path in making.rglob("*"):
            if path.is_file():
                store.sync(path)
        os.replace(making, folder)
        store.sync(folder.parent)
    return _keep_settings(workspace, folder)


def _copy(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(
            source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.py")
        )


def _keep_settings(workspace: Workspace, folder: Path) -> str:
    source = workspace.home / SETTINGS
    data = source.read_bytes() if source.is_file() else b""
    digest = hashlib.sha256(data).hexdigest()
    path = settings_file(folder, digest)
    if not path.exists():
        partial = path.with_name(f".{path.name}")
        partial.write_bytes(data)
        store.sync(partial)
        os.replace(partial, path)
    return digest


def settings_file(folder: Path, digest: str) -> Path:
    """Where a kept catalogue's folder holds these settings."""
    return folder / f"settings-{digest[:16]}.toml"


def kept(workspace: Workspace) -> dict[str, Path]:
    """Kept catalogues: rules digest → folder with ``shipped/`` and ``catalog/``."""
    root = workspace.catalog_versions
    folders = sorted(root.iterdir()) if root.is_dir() else []
    return {f.name: f for f in folders if f.is_dir() and not f.name.startswith(".")}
