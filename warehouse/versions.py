"""Catalogues and settings builds were made with, kept so that an old edition can be made again.

Belongs here: copies by rules digest under ``catalog-versions/``. Does not belong here: reading a
catalogue (``warehouse.catalog``) or what was built with it (``builds``).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from warehouse import builds, compare
from warehouse.builds import NoSuchBuildError
from warehouse.catalog.load import SHIPPED, Catalog, load_catalog
from warehouse.compare import Change, Difference
from warehouse.files import sync, write_whole
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
                sync(path)
        os.replace(making, folder)
        sync(folder.parent)
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
        write_whole(path, data)
    return digest


def settings_file(folder: Path, digest: str) -> Path:
    """Where a kept catalogue's folder holds these settings."""
    return folder / f"settings-{digest[:16]}.toml"


def catalogues_apart(workspace: Workspace, before: str, after: str) -> Difference:
    """What differs between two kept catalogues (first digits of their rules digests), item by item,
    and between the last build made with one and the last made with the other.

    Raises NoSuchBuildError when no catalogue of that digest is kept.
    """
    folders = [_kept_one(workspace, wanted) for wanted in (before, after)]
    old, new = (load(workspace, folder).items_by_id() for folder in folders)
    made = [
        [m for m in builds.manifests(workspace) if m.catalogue_digest == f.name] for f in folders
    ]
    found = Difference("", "")
    if all(made):
        found = compare.builds_apart(workspace, made[0][-1], made[1][-1])
    found.before, found.after = (f"政策目录 {folder.name[:12]}" for folder in folders)
    for kind, key in sorted(old.keys() | new.keys()):
        sides = [json.loads(side.get((kind, key), "{}")) for side in (old, new)]
        if sides[0] != sides[1]:
            found.add(_item_change(kind, key, *sides))
    return found


def _item_change(kind: str, key: str, before: dict[str, Any], after: dict[str, Any]) -> Change:
    severity = "revised" if before and after else "new" if after else "removed"
    names = [n for n in {**before, **after} if before.get(n) != after.get(n)]
    sides = ({n: side[n] for n in names if n in side} for side in (before, after))
    return Change("政策目录", severity, {"kind": kind, "id": key}, *sides)


def _kept_one(workspace: Workspace, wanted: str) -> Path:
    found = [folder for digest, folder in kept(workspace).items() if digest.startswith(wanted)]
    if len(found) != 1:
        known = "、".join(digest[:12] for digest in kept(workspace)) or "无"
        raise NoSuchBuildError(f"没有保存唯一的政策目录 {wanted};现有:{known}")
    return found[0]


def load(workspace: Workspace, folder: Path) -> Catalog:
    """The catalogue kept in ``folder``."""
    return load_catalog(folder / "catalog", workspace.catalog_base, folder / "shipped")


def kept(workspace: Workspace) -> dict[str, Path]:
    """Kept catalogues: rules digest → folder with ``shipped/`` and ``catalog/``."""
    root = workspace.catalog_versions
    folders = sorted(root.iterdir()) if root.is_dir() else []
    return {f.name: f for f in folders if f.is_dir() and not f.name.startswith(".")}
