"""What ``parkwatch doctor`` examines, item by item, each with the way to mend it.

Belongs here: read-only checks of a workspace and its surroundings. Does not belong here: printing,
or mending anything.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

MIN_FREE_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One examined item. ``mend`` says what to do when it is not in order; ``warns``: it should be
    mended, but keeps nothing from working."""

    what: str
    ok: bool
    found: str
    mend: str = ""
    warns: bool = False

    @property
    def blocks(self) -> bool:
        """Whether it keeps the workspace from working."""
        return not self.ok and not self.warns


def examine(home: Path) -> list[Diagnosis]:
    """Examine everything that can be examined; an item that cannot be is itself a finding."""
    from pipelines.cli import diagnosis_serve
    from pipelines.cli.diagnosis_operation import CHECKS

    catalog_of.cache_clear()
    found: list[Diagnosis] = []
    for check in (*_CHECKS, *CHECKS, *diagnosis_serve.CHECKS):
        try:
            found.extend(check(home))
        except Exception as error:
            if any(not one.ok and one.found == str(error) for one in found):
                continue  # settings or catalogue that cannot be read: told once
            found.append(
                Diagnosis(check.__name__.strip("_"), False, f"{type(error).__name__}: {error}",
                          "按上述错误处理后重新检查")
            )  # fmt: skip
    return found


@lru_cache(maxsize=1)
def catalog_of(home: Path) -> Any:
    """The workspace's catalogue, loaded once an examination. Raises CatalogError."""
    from pipelines.settings import load_workspace
    from warehouse.catalog.load import load_catalog

    workspace = load_workspace(home)
    return load_catalog(workspace.catalog, workspace.catalog_base)


def _settings(home: Path) -> Iterator[Diagnosis]:
    from pipelines.settings import SettingsError, load_workspace

    try:
        workspace = load_workspace(home)
    except SettingsError as error:
        yield Diagnosis("设置", False, str(error), "修改 parkwatch.toml 或重新 init")
        return
    yield Diagnosis("设置", True, f"{workspace.bureau.name},时区 {workspace.timezone}")


def _catalogue(home: Path) -> Iterator[Diagnosis]:
    from warehouse.catalog.load import CatalogError

    try:
        catalog = catalog_of(home)
    except CatalogError as error:
        yield Diagnosis("政策目录", False, str(error), "按提示修改所列文件")
        return
    yield Diagnosis(
        "政策目录", True,
        f"指标 {len(catalog.indicators)}、目标 {len(catalog.targets)}、"
        f"版式 {len(catalog.layouts)},摘要 {catalog.digest[:12]}",
    )  # fmt: skip


def _rules(home: Path) -> Iterator[Diagnosis]:
    """Contradictory, redundant, identical, expired audit rules."""
    from datetime import date

    from quality.rules.conflicts import compare_rules

    catalog = catalog_of(home)
    problems = compare_rules(catalog, date.today())
    for problem in problems:
        mend = "修改工作区 catalog/rules/ 中的规则" if problem.serious else ""
        yield Diagnosis("审核规则", not problem.serious, problem.message, mend)
    if not problems:
        enabled = sum(rule.enabled for rule in catalog.rules)
        yield Diagnosis("审核规则", True, f"{enabled} 条,没有矛盾、重复或失效")


def _folders(home: Path) -> Iterator[Diagnosis]:
    """Those of a new workspace, and those a run has made: on a read-only disk nobody may write."""
    made = [n for n in ("lake", "published", "catalog-versions", "site") if (home / n).exists()]
    for name in ("", "inbox", "archive", "reports", "quality", "dagster", *made):
        folder = home / name
        ok = folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
        yield Diagnosis(
            f"目录 {name}".strip(),
            ok,
            str(folder) if ok else f"没有或不能写入:{folder}",
            f"没有则建立:mkdir -p {folder};有则授予写权限,或将所在磁盘改为可写",
        )


def _disk(home: Path) -> Iterator[Diagnosis]:
    free = shutil.disk_usage(home if home.exists() else home.parent).free
    yield Diagnosis(
        "磁盘空间", free > MIN_FREE_BYTES, f"剩余 {free / 2**30:.1f} GiB", "清理磁盘,至少留 1 GiB"
    )


def _writer(home: Path) -> Iterator[Diagnosis]:
    from pipelines.settings import load_workspace
    from warehouse.store import Warehouse, WarehouseBusyError

    try:
        with Warehouse(load_workspace(home)).writer_lock():
            yield Diagnosis("写锁", True, "空闲")
    except WarehouseBusyError as error:
        yield Diagnosis("写锁", False, str(error), "等待该运行结束;进程已退出时写锁会自动释放")


def _published(home: Path) -> Iterator[Diagnosis]:
    from pipelines.settings import load_workspace
    from warehouse import partitions
    from warehouse.store import Warehouse

    warehouse = Warehouse(load_workspace(home))
    if not warehouse.has_published():
        yield Diagnosis("已发布数据", True, "尚未发布(首次运行后产生)")
        return
    with warehouse.reading() as connection:
        sizes = {n: partitions.total(p).n_rows for n, p in partitions.recorded(connection).items()}
        small = [name for name, n_rows in sizes.items() if n_rows <= SMALL_TABLE]
        damaged = partitions.disagreements(connection, small)
    rest = (
        f";{len(sizes) - len(small)} 张大表由 parkwatch verify 核对"
        if len(small) < len(sizes)
        else ""
    )
    yield Diagnosis(
        "已发布数据", not damaged, f"{len(small)} 张表摘要相符{rest}" if not damaged else
        f"摘要不符:{'、'.join(damaged)}", "重新运行 parkwatch run 重建,或从备份恢复",
    )  # fmt: skip


SMALL_TABLE = 500_000
"""Rows up to which doctor digests a table; more would take longer than anybody waits for it."""


def _ledger(home: Path) -> Iterator[Diagnosis]:
    path = home / "state.sqlite"
    if not path.exists():
        yield Diagnosis("台账", True, "尚无(首次运行后产生)")
        return
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        verdict = connection.execute("PRAGMA quick_check").fetchone()[0]
    yield Diagnosis("台账", verdict == "ok", f"state.sqlite {verdict}", "从备份恢复 state.sqlite")


def _fonts(_home: Path) -> Iterator[Diagnosis]:
    from assets.bulletins import fonts

    families = fonts.describe()
    yield Diagnosis("字体", bool(families), "、".join(families), "重新执行 make setup 安装字体包")


def _telemetry(home: Path) -> Iterator[Diagnosis]:
    file = home / "dagster" / "dagster.yaml"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    off = (
        "telemetry: {enabled: false}" in text or os.environ.get("DAGSTER_DISABLE_TELEMETRY") == "1"
    )
    yield Diagnosis(
        "遥测", off, "已关闭" if off else "未关闭", f"在 {file} 写入 telemetry: {{enabled: false}}"
    )


_CHECKS: tuple[Callable[[Path], Iterator[Diagnosis]], ...] = (
    _settings,
    _catalogue,
    _rules,
    _folders,
    _disk,
    _writer,
    _published,
    _ledger,
    _fonts,
    _telemetry,
)
