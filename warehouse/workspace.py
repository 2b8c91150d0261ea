"""A workspace (工作区): one bureau's folder and what its settings say.

Belongs here: where things are inside the folder and the typed options other packages need. Does not
belong here: reading settings files or the environment (``pipelines.settings``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from warehouse.catalog.models import DeadlineRule

HOME_VARIABLE = "PARKWATCH_HOME"
DEFAULT_HOME = Path("var") / "shaanxi"


def home_folder(given: Path | None = None) -> Path:
    """The workspace folder: given, else ``PARKWATCH_HOME``, else ``./var/shaanxi``; absolute."""
    chosen = given or Path(os.environ.get(HOME_VARIABLE) or DEFAULT_HOME)
    return chosen.expanduser().absolute()


@dataclass(frozen=True, slots=True)
class Bureau:
    """``[bureau]``: who issues the bulletin, to whom, in which words and with which figures first.

    ``document_pattern``: ``{year}``, ``{number}``.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}  # a mistyped setting is told

    name: str
    region_code: str = ""
    letterhead: str = ""
    document_pattern: str = ""
    recipients: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    printer: str = ""
    contact: str = ""
    region_word: str = "全省"
    park_word: str = "县域工业集中区"
    lead_indicator: str = ""
    indicators: tuple[str, ...] = ()
    mail_address: str = "bulletin@parkwatch.invalid"


@dataclass(frozen=True, slots=True)
class MailServer:
    """The mail server that takes our messages. Times in seconds.

    ``security``: ``tls`` from the first byte, ``starttls`` (demanded, never optional) or ``plain``
    (only to this machine). ``dot_timeout``: how long to wait for the reply to the final dot
    (RFC 5321, 4.5.3.2.6: ten minutes). ``journal``: address that gets a copy of every message in
    the same transaction, so that it can be looked up.
    """

    host: str
    port: int = 465
    security: str = "tls"
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    timeout: float = 60.0
    dot_timeout: float = 600.0
    hello: str = ""
    journal: str = ""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox to read by IMAP."""

    host: str
    port: int = 993
    security: str = "tls"
    user: str = ""
    password: str = field(default="", repr=False)
    folder: str = "INBOX"
    ca_file: str = ""
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class MailPlace:
    """Where mail can be read: a Maildir ``folder``, a server's ``log`` file or an ``imap`` mailbox."""

    kind: str
    path: Path = Path()
    mailbox: Mailbox | None = None


@dataclass(frozen=True, slots=True)
class MailOptions:
    """How mail leaves and what is read back. ``per_minute``: messages a minute at most, 0 for no limit;
    ``lookup``: where to see whether a message was taken;
    ``bounces``: where returned mail and replies arrive; ``operator``: address alerts go to;
    ``receipt_url``: page under which receipt is confirmed, the token follows after a slash."""

    server: MailServer
    sender: str
    retry_minutes: tuple[int, ...] = ()
    lookup: MailPlace | None = None
    lookup_wait_minutes: int = 10
    bounces: MailPlace | None = None
    operator: str = ""
    receipt_url: str = ""
    per_minute: int = 0


@dataclass(frozen=True, slots=True)
class ReleaseOptions:
    """Who may approve and when a release leaves.

    ``embargo_hours``: mails leave at the earliest so many hours after approval;
    ``pre_release_hours``: so much earlier for audiences with a role in ``pre_release_roles``;
    ``least_filed_pct``: share of the reporters due that must have filed; ``calendar``: the rule of
    the day a period is to be released (a ``DeadlineRule``), None when there is none.
    """

    two_persons: bool = True
    approvers: tuple[str, ...] = ()
    embargo_hours: float = 0.0
    pre_release_hours: float = 0.0
    pre_release_roles: tuple[str, ...] = ("leader",)
    least_filed_pct: float = 0.0
    calendar: DeadlineRule | None = None


@dataclass(frozen=True, slots=True)
class Automation:
    """What the daemon does by itself. ``policy``: all due periods in order, only the latest, none.

    ``since``, ``through``: first and last period watched; without ``since`` none is. ``hour``: of the
    day after the deadline, in the workspace's zone. ``retry_minutes``: waits after failed attempts,
    then a person decides. ``send``: whether approved editions and waiting mail leave by themselves.
    ``profile``: how automatic runs are made (``pipelines.profiles``).
    ``operators``: addresses that get alerts. ``backup_folder``: where nightly runs and the age check
    look for backups.
    """

    policy: str = "all"
    since: str | None = None
    through: str | None = None
    hour: int = 0
    inbox: bool = True
    send: bool = True
    profile: str = "full"
    retry_minutes: tuple[int, ...] = (5, 30, 120, 480)
    operators: tuple[str, ...] = ()
    backup_folder: Path | None = None
    backup_days: int = 35
    keep_runs_days: int = 400


@dataclass(frozen=True, slots=True)
class Engine:
    """Where derivations run: ``embedded`` in the run itself, ``distributed`` on workers.

    ``catalogue``: of DuckLake, ``postgres:host=… dbname=…``; ``data_path``: its Parquet, a shared folder
    or ``s3://…``; ``workers``: who runs the shares (``celery``, ``k8s``, ``processes`` of this machine);
    ``attempts``: how often a transaction of the lake is begun again; ``executor``: more of the executor's
    own configuration, passed on as it is (volumes of Kubernetes jobs, say).
    """

    profile: str = "embedded"
    catalogue: str = ""
    data_path: str = ""
    extension_folder: Path | None = None
    s3_endpoint: str = ""
    s3_tls: bool = True
    workers: str = "celery"
    broker: str = "redis://127.0.0.1:6379/0"
    at_once: int = 2
    attempts: int = 20
    executor: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_distributed(self) -> bool:
        """Whether workers derive."""
        return self.profile == "distributed"


@dataclass(frozen=True, slots=True)
class Serving:
    """Where ``parkwatch serve`` is reached. ``names``: further host names browsers may use;
    ``behind_proxy``: TLS ends at a proxy in front, whose ``X-Forwarded-…`` headers count when it
    asks from ``trusted_proxies``; ``certificate``, ``key``: TLS by ourselves."""

    host: str = "127.0.0.1"
    port: int = 8000
    names: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: bool = False
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    idle_minutes: float = 30
    session_hours: float = 10
    access_log_days: int = 190


@dataclass(frozen=True, slots=True)
class Workspace:
    """Paths and options of one workspace; every path hangs below ``home``."""

    home: Path
    bureau: Bureau
    timezone: str = "Asia/Shanghai"
    first_month: int = 2
    """Month of the first report period of a year: 2 where January is not reported alone."""
    catalog_base: str = "china_parks"
    default_period: str | None = None
    simulated: bool = False
    language: str = "zh"
    reader_processes: int = 2
    password_file: Path | None = field(default=None, repr=False)
    mail: MailOptions | None = None
    release: ReleaseOptions = ReleaseOptions()
    audiences: tuple[str, ...] = ("all",)
    """Audiences a run writes editions for: ids, or ``all``, ``wide`` (province and cities), ``main``."""
    automation: Automation = field(default_factory=Automation)
    engine: Engine = field(default_factory=Engine)
    serving: Serving = field(default_factory=Serving)

    @property
    def inbox(self) -> Path:
        """Folder into which files are dropped."""
        return self.home / "inbox"

    @property
    def archive(self) -> Path:
        """Originals by SHA-256, read-only."""
        return self.home / "archive"

    @property
    def catalog(self) -> Path:
        """Overrides of the shipped catalogue."""
        return self.home / "catalog"

    @property
    def warehouse_file(self) -> Path:
        """The published database; readers open it read-only."""
        return self.home / "warehouse.duckdb"

    @property
    def work_file(self) -> Path:
        """The database a run builds; becomes the published one by rename."""
        return self.home / "warehouse.work.duckdb"

    @property
    def lake(self) -> Path:
        """Parquet files of partitions by table, part and content."""
        return self.home / "lake"

    @property
    def builds(self) -> Path:
        """Manifests of the builds that are kept."""
        return self.home / "published"

    @property
    def catalog_versions(self) -> Path:
        """Catalogues builds were made with, by rules digest."""
        return self.home / "catalog-versions"

    @property
    def announced_file(self) -> Path:
        """Folders a publication under way is about to put in place."""
        return self.home / ".publish.json"

    @property
    def making(self) -> Path:
        """Documents of the build under way, under the paths they will have in ``home``."""
        return self.home / ".making"

    @property
    def lock_file(self) -> Path:
        """Held by the single writer for the length of its run."""
        return self.home / "warehouse.lock"

    @property
    def state_file(self) -> Path:
        """Operational SQLite: receipts, outcomes, locks, mail ledger."""
        return self.home / "state.sqlite"

    @property
    def outbox(self) -> Path:
        """Letters and alerts that are to be sent, as files."""
        return self.home / "outbox"

    @property
    def receipt_key_file(self) -> Path:
        """Key that signs the links by which receipt is confirmed; made when first needed."""
        return self.home / "receipt.key"

    @property
    def quality(self) -> Path:
        """Data Docs, returns and reminders."""
        return self.home / "quality"

    def data_docs(self, period: str) -> Path:
        """Page of a period's validation results and findings."""
        return self.quality / "data-docs" / period / "index.html"

    @property
    def reports(self) -> Path:
        """Bulletins by period, audience and edition."""
        return self.home / "reports"

    @property
    def dagster_home(self) -> Path:
        """DAGSTER_HOME of this workspace."""
        return self.home / "dagster"

    def edition_folder(self, period: str, audience_id: str, edition: int) -> Path:
        """Folder of one edition's documents."""
        return self.reports / period / audience_id / str(edition)
