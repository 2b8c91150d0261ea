"""What ``parkwatch doctor`` examines of operation: machine, clock, daemon, runs, mail, backups, proofs.

Belongs here: read-only checks with their mends, each answered from files in a moment. Does not belong
here: settings, catalogue and published data (``diagnosis``), or mending anything.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import sqlite3
import ssl
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines import clock
from pipelines.cli.diagnosis import Diagnosis
from pipelines.settings import load_workspace
from warehouse.files import sha256_of

SAMPLED = 200
"""Files looked at of each kind that is too large to be read whole in a few seconds."""
SAMPLE_BYTES = 64 << 20
CONNECT_SECONDS = 3.0
HEARTBEAT = timedelta(minutes=10)
NETWORK_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p"})
LOCK_FILE = Path(__file__).resolve().parents[2] / "uv.lock"
MOUNTS = Path("/proc/mounts")


def _room(home: Path) -> Iterator[Diagnosis]:
    """Room for one more run: three times the inbox, twice the warehouse."""
    inbox = sum(p.stat().st_size for p in (home / "inbox").rglob("*") if p.is_file())
    database = home / "warehouse.duckdb"
    stored = database.stat().st_size if database.exists() else 0
    needed = 3 * inbox + 2 * stored
    free = shutil.disk_usage(home).free
    yield Diagnosis(
        "一次运行所需空间", free > needed,
        f"需 {needed / 2**20:.0f} MiB(收件箱 3 倍、数据库 2 倍),剩余 {free / 2**20:.0f} MiB",
        f"清理磁盘,至少再腾出 {max(needed - free, 0) / 2**20:.0f} MiB",
    )  # fmt: skip


def _file_system(home: Path) -> Iterator[Diagnosis]:
    place, kind, options = _mount_of(home)
    yield Diagnosis(
        "文件系统", kind not in NETWORK_SYSTEMS, f"{place} {kind}",
        "工作区含 SQLite 与写锁,不能放在网络共享上:移到本机磁盘",
    )  # fmt: skip
    if "ro" in options.split(","):
        yield Diagnosis("文件系统", False, f"{place} 以只读方式挂载", "以读写方式重新挂载该磁盘")


def _mount_of(home: Path) -> tuple[str, str, str]:
    best = ("", "", "")
    for line in MOUNTS.read_text(encoding="utf-8").splitlines():
        _device, place, kind, options, *_ = line.split(" ")
        inside = home == Path(place) or Path(place) in home.parents
        if inside and len(place) >= len(best[0]):
            best = (place, kind, options)
    return best


def _versions(_home: Path) -> Iterator[Diagnosis]:
    """Installed packages against the lock file."""
    import importlib.metadata
    import tomllib

    if not LOCK_FILE.exists():
        yield Diagnosis("依赖版本", False, "找不到 uv.lock", "从发布包重新安装", warns=True)
        return
    locked = tomllib.loads(LOCK_FILE.read_text(encoding="utf-8"))["package"]
    versions: dict[str, set[str]] = {}  # one package may be locked per Python version
    for package in locked:
        versions.setdefault(package["name"], set()).add(package.get("version", ""))
    ours = next(package for package in locked if package["name"] == "parkwatch")
    wrong = []
    for name in sorted({dependency["name"] for dependency in ours["dependencies"]}):
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = "未安装"
        if found not in versions[name]:
            wrong.append(f"{name} {found}(应为 {'或'.join(sorted(versions[name]))})")
    yield Diagnosis("依赖版本", not wrong, "、".join(wrong) or "与 uv.lock 一致", "执行 make setup")


def _clock(home: Path) -> Iterator[Diagnosis]:
    """Nothing the ledger knows may lie in the future."""
    now = clock.now()
    last = max(_moments(home), default=None)
    ahead = last is not None and last > now + timedelta(minutes=10)
    yield Diagnosis(
        "系统时钟", not ahead,
        f"{now:%Y-%m-%d %H:%M} UTC" + (f",但台账中已有 {last:%Y-%m-%d %H:%M} 的记录" if ahead else ""),
        "核对系统时间与时间同步(timedatectl);时钟曾走快时,其间的记录以人工核对为准",
    )  # fmt: skip


def _moments(home: Path) -> Iterator[datetime]:
    for query in ("SELECT max(started_at) FROM run", "SELECT max(built_at) FROM closing"):
        for (text,) in _rows(home, query):
            if text:
                moment = datetime.fromisoformat(text)
                yield moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _rows(home: Path, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Rows of the ledger; none when it or the table is not there yet."""
    path = home / "state.sqlite"
    if not path.exists():
        return []
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        try:
            return connection.execute(query, values).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise


def _calendar(home: Path) -> Iterator[Diagnosis]:
    """The holiday arrangement of this year, and from November on of the next."""
    from pipelines.cli.diagnosis import catalog_of
    from warehouse.catalog.workdays import Workdays

    today = clock.now().date()
    years = [today.year] + ([today.year + 1] if today.month >= 11 else [])
    workdays = Workdays(catalog_of(home).calendar)
    unknown = [str(year) for year in years if not workdays.certain(date(year, 6, 1))]
    yield Diagnosis(
        "工作日历", not unknown, f"{'、'.join(unknown)} 年放假安排未知" if unknown else "已含所需年度",
        "国务院办公厅公布后在 catalog/calendar.yaml 登记放假与调休;之前期限暂按周一至周五推算",
        warns=True,
    )  # fmt: skip


def _daemon(home: Path) -> Iterator[Diagnosis]:
    """The sensor looked a moment ago, and nothing due was given up."""
    from assets.deliveries.notices import operators_of

    rule = load_workspace(home).automation
    rows = _rows(home, "SELECT seen_at, said FROM outlook")
    if rule.policy != "none":
        seen = datetime.fromisoformat(rows[0][0]) if rows else None
        fresh = seen is not None and abs(clock.now() - seen) <= HEARTBEAT
        yield Diagnosis(
            "自动运行", fresh, f"上次检查到期任务 {seen:%Y-%m-%d %H:%M} UTC" if seen else "从未检查过",
            "启动守护进程(见 docs/operations.md);只用命令行手工运行时可设 [automation] policy = \"none\"",
            warns=True,
        )  # fmt: skip
    stuck = [w["period"] for row in rows for w in json.loads(row[1])["waiting"]
             if w["why"] == "given_up"]  # fmt: skip
    if stuck:
        yield Diagnosis("到期未结", False, f"{'、'.join(stuck)} 多次失败,已停止重试",
                        f"按 parkwatch status 所列原因改正后 parkwatch run --period {stuck[0]}")  # fmt: skip
    if not operators_of(load_workspace(home)):
        yield Diagnosis("告警收件人", False, "未设置", "在 parkwatch.toml [automation] 填 operators",
                        warns=True)  # fmt: skip


def _zombies(home: Path) -> Iterator[Diagnosis]:
    """Runs that count as under way while nobody holds the writer's lock."""
    from warehouse.store import Warehouse, WarehouseBusyError

    running = _rows(home, "SELECT run_id, period, started_at FROM run WHERE status = 'running'")
    if running:
        try:
            with Warehouse(load_workspace(home)).writer_lock():
                pass
        except WarehouseBusyError:
            running = running[1:]  # one of them is really at work
    yield Diagnosis(
        "中断的运行", not running,
        "、".join(f"{period} 始于 {at[:16]}" for _, period, at in running) or "无",
        "启动守护进程或再次运行 parkwatch run,会自动释放并重新运行", warns=True,
    )  # fmt: skip


def _instance(home: Path) -> Iterator[Diagnosis]:
    """The Dagster instance frees what hangs and runs one writer at a time."""
    import yaml

    file = home / "dagster" / "dagster.yaml"
    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        yield Diagnosis("Dagster 设置", False, f"{file}:{error}", "删去该文件,下次运行会重新生成")
        return
    monitored = (said.get("run_monitoring") or {}).get("enabled") is True
    yield Diagnosis("运行监控", monitored, "已启用" if monitored else "未启用",
                    f"在 {file} 写入 run_monitoring: {{enabled: true}}")  # fmt: skip
    limit = ((said.get("concurrency") or {}).get("runs") or {}).get("max_concurrent_runs")
    yield Diagnosis("同时运行数", limit == 1, str(limit),
                    f"在 {file} 写入 concurrency: {{runs: {{max_concurrent_runs: 1}}}}")  # fmt: skip


def _mail(home: Path) -> Iterator[Diagnosis]:
    """Messages only a person can settle, and ones that should have left."""
    counts = dict(_rows(home, "SELECT state, count(*) FROM mail GROUP BY 1"))
    unknown, refused = counts.get("unknown", 0), counts.get("refused", 0)
    yield Diagnosis("去向不明的邮件", not unknown, f"{unknown} 封",
                    "向收件人核实后决定重发或作罢:系统不会盲目重发")  # fmt: skip
    yield Diagnosis("被拒收的邮件", not refused, f"{refused} 封", "核对收件地址后重发", warns=True)
    before = (clock.now() - timedelta(days=1)).isoformat(timespec="seconds")
    late = _rows(home, "SELECT count(*) FROM mail WHERE state IN ('planned', 'deferred') "
                       "AND due_at < ?", before)  # fmt: skip
    n_late = late[0][0] if late else 0
    yield Diagnosis("滞留的邮件", not n_late, f"应发超过一天未发 {n_late} 封", "检查邮件服务器与发送任务",
                    warns=True)  # fmt: skip


def _mail_server(home: Path) -> Iterator[Diagnosis]:
    """The mail server answers, with a certificate that can be trusted where TLS is from the start."""
    mail = load_workspace(home).mail
    if mail is None:
        return
    server = mail.server
    where = f"{server.host}:{server.port}({server.security})"
    mend = "核对 parkwatch.toml [mail] 的主机、端口、security 与证书,以及防火墙"
    try:
        with socket.create_connection((server.host, server.port), CONNECT_SECONDS) as plain:
            if server.security == "tls":
                trusted = ssl.create_default_context(cafile=server.ca_file or None)
                with trusted.wrap_socket(plain, server_hostname=server.host) as secure:
                    found = f"{where} 可用,{secure.version()}"
            else:
                plain.settimeout(CONNECT_SECONDS)
                greeting = plain.recv(200).decode("ascii", "replace").split("\n")[0].strip()
                if not greeting.startswith("220"):
                    raise OSError(f"应答不是邮件服务器的:{greeting!r}")
                found = f"{where} 可用"
    except OSError as error:
        yield Diagnosis("邮件服务器", False, f"{where} 不可用:{error}", mend)
        return
    yield Diagnosis("邮件服务器", True, found)


def _backups(home: Path) -> Iterator[Diagnosis]:
    """A backup exists, is recent, and its sampled files are what its manifest says."""
    from warehouse import backup

    rule = load_workspace(home).automation
    if rule.backup_folder is None:
        yield Diagnosis("备份", False, "未设置备份目录", "在 parkwatch.toml [automation] 填 backup_folder",
                        warns=True)  # fmt: skip
        return
    newest = backup.newest(rule.backup_folder)
    if newest is None:
        yield Diagnosis("备份", False, f"{rule.backup_folder} 中没有备份",
                        f"parkwatch backup {rule.backup_folder}")  # fmt: skip
        return
    age = clock.now() - datetime.fromisoformat(newest.made_at)
    yield Diagnosis(
        "备份", age <= timedelta(days=rule.backup_days), f"最近一份 {newest.name},{age.days} 天前",
        f"parkwatch backup {rule.backup_folder}",
    )  # fmt: skip
    folder = rule.backup_folder / newest.name / "files"
    damaged = [
        e.path
        for e in _sample(newest.entries, lambda e: e.bytes)
        if not (folder / e.path).is_file() or sha256_of(folder / e.path) != e.sha256
    ]
    yield Diagnosis("备份内容", not damaged, "、".join(damaged[:3]) or "抽查相符",
                    "重新备份,并检查备份磁盘")  # fmt: skip


def _sample(items: Any, size: Callable[[Any], int]) -> list[Any]:
    """A few items, the same on every day, within the number and bytes that take a moment."""
    chosen, room = [], SAMPLE_BYTES
    for item in random.Random(f"{clock.now():%Y-%m-%d}").sample(list(items), len(items)):
        if len(chosen) < SAMPLED and size(item) <= room:
            chosen.append(item)
            room -= size(item)
    return chosen


def _archive(home: Path) -> Iterator[Diagnosis]:
    """Every receipt has its original; sampled originals are what their names say."""
    files = {p.stem: p for p in (home / "archive").rglob("*") if p.is_file() and len(p.stem) == 64}
    missing = {row[0] for row in _rows(home, "SELECT DISTINCT sha256 FROM receipt")} - set(files)
    yield Diagnosis("归档原件", not missing, f"缺 {len(missing)} 件" if missing else f"{len(files)} 件齐全",
                    "从备份恢复 archive/,缺少原件的数字无法追溯到单元格")  # fmt: skip
    damaged = [
        p.name for p in _sample(sorted(files.values()), lambda p: p.stat().st_size)
        if sha256_of(p) != p.stem
    ]  # fmt: skip
    yield Diagnosis("归档内容", not damaged, f"与校验值不符:{'、'.join(damaged[:3])}" if damaged
                    else "抽查相符", "从备份恢复所列文件")  # fmt: skip


def _lake(home: Path) -> Iterator[Diagnosis]:
    """Every partition a kept build lists is there."""
    from warehouse import builds

    workspace = load_workspace(home)
    files = {
        builds.part_file(workspace, name, part, said[1])
        for manifest in builds.manifests(workspace)
        for name, parts in manifest.tables.items()
        for part, said in parts.items()
    }
    missing = sorted(
        str(f.relative_to(home)) for f in files if not f.is_file() or not f.stat().st_size
    )
    yield Diagnosis("历次数据", not missing, f"缺 {len(missing)} 个文件,如 {missing[0]}" if missing
                    else f"{len(files)} 个分区文件齐全", "从备份恢复 lake/")  # fmt: skip
    for path in builds.manifest_files(workspace):
        try:
            builds.read(path)
        except builds.DamagedManifestError as error:
            yield Diagnosis("历次数据", False, f"清单 {path.name} {error}", "从备份恢复 published/")


def _audit_log(home: Path) -> Iterator[Diagnosis]:
    from warehouse import audit

    rows = _rows(home, "SELECT * FROM audit ORDER BY number")
    log = [audit.Entry(*row) for row in rows]
    faults = audit.verify(log, home / "state.sqlite")
    found = ";".join(fault.message for fault in faults[:3]) or f"{len(log)} 条,前后衔接"
    yield Diagnosis("审计日志", not faults, found,
                    "保全现场并报告:日志曾被改动;可与备份和通报清单中的校验值比对")  # fmt: skip


def _sources(home: Path) -> Iterator[Diagnosis]:
    """HTTP sources that failed several times in a row."""
    ill = []
    for source, text in _rows(home, "SELECT source_id, state FROM pull"):
        failures = json.loads(text).get("failures") or 0
        if failures >= 3:
            ill.append(f"{source} 连续 {failures} 次")
    yield Diagnosis("HTTP 来源", not ill, f"取数失败:{'、'.join(ill)}" if ill else "正常",
                    "检查网络与对方网站,再执行 parkwatch pull", warns=True)  # fmt: skip


def _secrets(home: Path) -> Iterator[Diagnosis]:
    """Files with secrets are read by their owner alone."""
    file = load_workspace(home).password_file
    if file is None:
        return
    if not file.is_file():
        yield Diagnosis("口令文件", False, f"找不到 {file}", "修改 [reader] password_file")
    elif file.stat().st_mode & 0o077:
        yield Diagnosis("口令文件", False, f"{file} 他人可读", f"chmod 600 {file}")


def _leftovers(home: Path) -> Iterator[Diagnosis]:
    """A publication that was killed half-way and nobody has finished yet."""
    there = (home / ".publish.json").exists()
    yield Diagnosis("发布", not there, "上次发布中断,尚未收尾" if there else "完整",
                    "执行一次 parkwatch run 或 parkwatch query,会自动收尾", warns=True)  # fmt: skip


def _encoding(_home: Path) -> Iterator[Diagnosis]:
    name = sys.getfilesystemencoding().lower()
    yield Diagnosis(
        "文件名编码", name == "utf-8", name, "设置环境变量 LANG=C.UTF-8 或 PYTHONUTF8=1"
    )


def _owner(home: Path) -> Iterator[Diagnosis]:
    """Files of the workspace belong to whoever runs it: a run as root leaves what others cannot write."""
    names = ("state.sqlite", "warehouse.duckdb", "inbox", "archive", "reports", "dagster")
    there = [home / name for name in names if (home / name).exists()]
    owner = home.stat().st_uid
    foreign = [p.name for p in there if p.stat().st_uid != owner or not os.access(p, os.W_OK)]
    yield Diagnosis("文件属主", not foreign, f"属主不同或不可写:{'、'.join(foreign)}" if foreign else "一致",
                    f"chown -R 与 {home} 相同的用户")  # fmt: skip


CHECKS: tuple[Callable[[Path], Iterator[Diagnosis]], ...] = (
    _room, _file_system, _owner, _encoding, _versions, _clock, _calendar, _instance, _daemon,
    _zombies, _mail, _mail_server, _backups, _archive, _lake, _audit_log, _leftovers, _sources, _secrets,
)  # fmt: skip
