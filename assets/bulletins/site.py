"""Static site (静态网站): the archive a bureau opens from a folder, built from what is published.

Belongs here: pages, their files and putting the folder in place whole. Does not belong here: queries
(``site_select``, ``site_charts``), drawing (``charts``), layout and scripts (``report_templates/site``).
No page asks for anything over a network; all links are relative. The site holds ranks and risk and
is for the bureau's own assessors; the public variant holds neither parks nor judgements.
"""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from assets.bulletins import select_figures, select_judgement, site_charts, site_select, wording
from assets.bulletins.editions import main_audience
from assets.bulletins.markup import TEMPLATES
from assets.bulletins.scope import Scope
from assets.bulletins.select import data_digest
from assets.bulletins.site_select import Frame, Number
from warehouse import store
from warehouse.files import place_folder
from warehouse.filing_ledger import FilingLedger
from warehouse.releases import STATUS_ZH, Key, Releases
from warehouse.state import spans

if TYPE_CHECKING:
    import duckdb
    from jinja2 import Environment, Template

    from assets.build import Build
    from warehouse.catalog.models import Audience

PARKS_AT_ONCE = 400
INTERNAL, PUBLIC = "site", "site-public"
NAVIGATION = (
    ("index.html", "首页"), ("parks.html", "园区"), ("ranking.html", "模拟名次"),
    ("goals.html", "目标进度"), ("reporting.html", "报送情况"), ("methods.html", "口径和方法"),
)  # fmt: skip
STYLES = (
    "web/page.css",
    "site/site.css",
)  # the bulletin's own page first, then the site's additions


GRAVEST = ("red", "orange", "yellow", "green", "grey")
"""Lights in the order a list of verdicts is read."""


class NothingToShowError(ValueError):
    """The published warehouse has no period a site could show."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was written."""

    folder: Path
    pages: int
    parks: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Issue:
    """One edition in the archive; links are empty where its file is not there any more."""

    period: str
    words: str
    edition: int
    status: str
    headline: str
    page: str
    pdf: str
    quality: str


@dataclass(frozen=True, slots=True)
class Reporting:
    """One period's reporting board as printed."""

    period: str
    words: str
    deadline: str
    sealed: bool
    counts: tuple[tuple[str, int], ...]
    rows: tuple[Mapping[str, Any], ...]

    @property
    def explained(self) -> bool:
        """Whether any file has a remark of its own."""
        return any(row["reason"] for row in self.rows)


def write_site(
    connection: duckdb.DuckDBPyConnection, build: Build, *, public: bool = False
) -> Made:
    """Write the site into the workspace, replacing the old one by rename.

    Same published warehouse, state and catalogue → same bytes. Raises NothingToShowError.
    """
    audience = main_audience(build)
    maker = _Maker(connection, build, audience, public)
    home = build.workspace.home
    folder = home / (PUBLIC if public else INTERNAL)
    making = home / f".{folder.name}.making"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    pages = parks = size = 0
    for name, content in maker.files():
        path = making / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        pages += name.endswith(".html")
        parks += name.startswith("parks/")
        size += len(content)
    place_folder(making, folder)
    return Made(folder, pages, parks, size)


class _Maker:
    """The pages of one site, made one after another so that few are in memory."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        build: Build,
        audience: Audience,
        public: bool,
    ) -> None:
        self.connection, self.build, self.public = connection, build, public
        self.audience = audience
        self.frame, self.scope = _frame(connection, build, audience)
        self.environment = site_environment()
        self.shared = self._shared()

    def files(self) -> Iterator[tuple[str, bytes]]:
        """(path inside the site, content) of every file."""
        yield "site.css", b"".join((TEMPLATES / name).read_bytes() for name in STYLES)
        yield "search.js", (TEMPLATES / "site" / "search.js").read_bytes()
        yield self._page("methods.html", **self._methods())
        if self.public:
            yield self._page("index.html", "public.html", totals=_totals(self))
            return
        parks = site_select.register(self.connection, self.scope.code)
        names = {park["park_id"]: park["short_name"] or park["name"] for park in parks}
        issues, copies = self._issues()
        yield from copies.items()
        boards = tuple(_boards(self.build))
        growth = site_charts.growth_chart(
            self.connection, self.frame, self.scope.below or self.scope.level,
            {c for c in self.scope.names if self.scope.holds(c)},
        )  # fmt: skip
        yield self._page(
            "index.html", issues=issues, growth=growth, totals=_totals(self), n_parks=len(parks),
            board=next((b for b in boards if b.period == self.frame.period), None),
        )  # fmt: skip
        charts = site_charts.ranking_charts(self.connection, self.frame, names)
        yield self._page("ranking.html", charts=charts)
        yield self._page("goals.html", **self._goals())
        yield self._page("reporting.html", boards=boards)
        for board in boards:
            yield self._page(f"reporting/{board.period}.html", "board.html", board=board)
        listed = []
        template = self.environment.get_template("site/park.html.j2")
        for start in range(0, len(parks), PARKS_AT_ONCE):
            some = parks[start : start + PARKS_AT_ONCE]
            for park in site_select.park_pages(self.connection, self.frame, some):
                listed.append(_listing(park))
                yield self._page(f"parks/{park.park_id}.html", template, park=park)
        yield self._page("parks.html", parks=listed)

    # --- pages ------------------------------------------------------------------------------------

    def _page(self, path: str, kind: str | Template = "", **more: Any) -> tuple[str, bytes]:
        template = kind
        if isinstance(template, str):
            template = self.environment.get_template(f"site/{template or path}.j2")
        root = "../" * path.count("/")
        navigation = [
            (root + target, words, target == path)
            for target, words in (NAVIGATION if not self.public else
                                  (("index.html", "首页"), ("methods.html", "口径和方法")))
        ]  # fmt: skip
        text = template.render(root=root, navigation=navigation, **self.shared, **more)
        return path, text.encode()

    def _shared(self) -> dict[str, Any]:
        workspace, period = self.build.workspace, self.frame.period
        previous = (period, None)
        return {
            "bureau": workspace.bureau.name,
            "simulated": workspace.simulated,
            "public": self.public,
            "period": period,
            "period_words": wording.period_words(period),
            "frame": self.frame,
            "audience": self.audience.name,
            "data_digest": data_digest(self.connection, previous),
            "rules_digest": self.build.catalog.digest,
        }

    def _methods(self) -> dict[str, Any]:
        record = None if self.public else site_charts.record_chart(self.connection, self.frame)
        notes = () if self.public else tuple(
            (scheme.name, scheme.note) for scheme in select_judgement.schemes(self.build)
        )  # fmt: skip
        return {"indicators": self.frame.indicators, "record": record, "schemes": notes}

    def _goals(self) -> dict[str, Any]:
        rows = select_judgement.verdicts(self.connection, self.build, self.frame.period, self.scope)
        areas = sorted(
            (row for row in rows if row.park_id is None),
            key=lambda row: (GRAVEST.index(row.light), row.scope_code != self.scope.code),
        )
        shown = [
            {
                "title": f"{row.member or row.document_scope_name}{row.title}",
                "completion_pct": row.completion_pct,
                "gap_pp": row.gap_pp,
                "time_progress_pct": row.time_progress_pct,
                "verdict": row.verdict,
            }
            for row in areas
            if row.scope_code == self.scope.code and not row.restated
        ]
        return {
            "chart": site_charts.goal_chart(shown, self.frame),
            "rows": [
                {
                    "title": f"{row.member or row.document_scope_name}{row.title}",
                    "doc": f"{row.doc_no}“{row.clause}”",
                    "light": row.light,
                    "word": wording.LIGHTS[row.light],
                    "share": Number.of(row.completion_pct, "%", 1),
                    "pace": Number.of(row.time_progress_pct, "%", 1),
                    "reason": row.reason or "",
                }
                for row in areas
            ],
        }

    def _issues(self) -> tuple[tuple[Issue, ...], dict[str, bytes]]:
        """The archive, newest first, and the documents it links to, under their site paths."""
        rows = store.fetch(
            self.connection,
            "FROM bulletins.edition WHERE audience_id = ? ORDER BY period DESC, edition DESC",
            [self.audience.audience_id],
        )
        copies: dict[str, bytes] = {}
        ledger = Releases(self.build.workspace.state_file)
        newest: dict[str, Mapping[str, Any]] = {}
        for row in rows:  # the ledger knows what was released after the warehouse was published
            key = Key(row["period"], row["audience_id"], row["edition"])
            release = ledger.find(key)
            row["status"] = release.status if release else row["status"]
            newest.setdefault(row["period"], row)
        return tuple(self._issue(row, newest[row["period"]], copies) for row in rows), copies

    def _issue(
        self, row: Mapping[str, Any], newest: Mapping[str, Any], copies: dict[str, bytes]
    ) -> Issue:
        workspace, period = self.build.workspace, row["period"]
        found = {}
        for name in json.loads(row["documents"]):
            source = workspace.home / row["folder"] / name
            kind = Path(name).suffix
            if kind in (".html", ".pdf") and source.is_file():
                found[kind] = f"bulletins/{period}-{row['edition']}{kind}"
                copies[found[kind]] = source.read_bytes()
        quality = ""
        docs = workspace.data_docs(period)
        if docs.is_file():
            quality = f"quality/{period}.html"
            copies[quality] = docs.read_bytes()
        page = found.get(".html", "")
        return Issue(
            period, wording.period_words(period), row["edition"],
            _state(row, newest),
            headline(copies[page].decode()) if page else "", page, found.get(".pdf", ""), quality,
        )  # fmt: skip


def _state(row: Mapping[str, Any], newest: Mapping[str, Any]) -> str:
    """Standing of an edition in words; one that a later edition replaces says by which."""
    word = STATUS_ZH.get(row["status"], row["status"])
    if row["edition"] == newest["edition"]:
        return f"{word}（更正件）" if row["edition"] > 1 else word
    replaced = newest["status"] in ("approved", "sent")
    return f"{word}，{'已由' if replaced else '拟由'}第{newest['edition']}版更正"


def headline(page: str) -> str:
    """The headline a bulletin's page was published with; empty when it has none."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", found[1])).strip() if found else ""


def site_environment() -> Environment:
    """Escaping, strict environment of the site's templates."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=True,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["drawing"] = Markup  # SVG of ``charts``, which escapes every text itself
    return environment


# --- what the pages rest on -----------------------------------------------------------------------


def _frame(
    connection: duckdb.DuckDBPyConnection, build: Build, audience: Audience
) -> tuple[Frame, Scope]:
    periods = [
        row[0] for row in connection.execute(
            "SELECT DISTINCT asof_period FROM indicators.park_year ORDER BY 1"
        ).fetchall()
    ]  # fmt: skip
    shown = connection.execute("SELECT max(period) FROM bulletins.edition").fetchone()
    period = (shown[0] if shown else None) or (periods[-1] if periods else None)
    if period is None:
        raise NothingToShowError("已发布的数据中没有任何报告期,无法生成网站;请先运行 parkwatch run")
    indicators = select_figures.indicators(connection, build)
    wanted = build.workspace.bureau.lead_indicator
    catalog, rights = build.catalog, set(audience.rights)
    scope = Scope.of(catalog, audience.scope_code, period)
    classes = connection.execute("SELECT DISTINCT scheme_id, class_id FROM assessment.score")
    year_before = f"{int(period[:4]) - 1}-01"
    frame = Frame(
        period=period,
        periods=tuple(p for p in periods if year_before <= p <= period),
        indicators=indicators,
        lead=next((i for i in indicators if i.indicator_id == wanted), indicators[0]),
        regions=scope.names,
        schemes={s.scheme_id: s.name for s in select_judgement.schemes(build)},
        least_calibrated={s.scheme_id: s.watch.calibrated_pct for s in catalog.schemes},
        classes={
            (scheme, class_id): select_judgement.class_name(catalog.scheme(scheme), class_id)
            for scheme, class_id in classes.fetchall()
        },
        targets={
            target.target_id: f"{catalog.document(target.document_id).doc_no}“{target.clause}”"
            f"{target.indicator_name}"
            for target in catalog.targets
        },
        ranks={"scores", "watch"} <= rights,
        verdicts="targets" in rights,
    )
    return frame, scope


def _totals(maker: _Maker) -> list[dict[str, Any]]:
    """The scope's own totals of the newest period."""
    frame = maker.frame
    areas = select_figures.areas(
        maker.connection, frame.indicators, (frame.period, None), maker.scope
    )
    by_id = {a.indicator_id: a for a in areas if a.scope_code == maker.scope.code}
    return [
        {
            "name": i.name_zh,
            "value": Number.of(row.value, i.unit, i.decimals, with_unit=True),
            "yoy": Number.of(row.yoy_pct, "%", 1, with_unit=True),
            "n": f"{row.n_reported}/{row.n_parks}",
        }
        for i in frame.indicators
        if (row := by_id.get(i.indicator_id))
    ]


def _boards(build: Build) -> Iterator[Reporting]:
    """Reporting boards of every period, newest first, from the ledger alone."""
    ledger = FilingLedger(build.state.path)
    sealed = {s.subject for s in spans(ledger.decisions(), "lock") if s.ended is None}
    zone = ZoneInfo(build.workspace.timezone)
    for period in sorted(ledger.periods(), reverse=True):
        found = {row["reporter"]: row for row in ledger.filing(period)}
        rows = [_board_row(row, found.get(row["reporter"]), zone) for row in ledger.board(period)]
        rows.sort(key=lambda row: (GRAVE.index(row["standing"]), -(row["n_error"] or 0)))
        words = [row["standing"] for row in rows]
        counts = [("应报", len(rows)), ("已报", sum(row["sha256"] is not None for row in rows))]
        counts += [(word, words.count(word)) for word in ("迟报", "未报", "退回", "无法读取")]
        due = sorted({row["deadline"] for row in rows if row["deadline"]})
        yield Reporting(
            period, wording.period_words(period), due[-1] if due else "", period in sealed,
            tuple(counts), tuple(rows),
        )  # fmt: skip


def _board_row(
    row: Mapping[str, Any], filed: Mapping[str, Any] | None, zone: ZoneInfo
) -> dict[str, Any]:
    """A reporter's line: where it stands, and what the audit found, counted as in the bulletins."""
    counts = {name: filed[name] if filed else None for name in ("n_error", "n_verify")}
    return dict(row) | counts | {"standing": _standing_of(row, zone)}


GRAVE = ("无法读取", "未报", "退回", "迟报", "按时")
"""Standings of reporters, the gravest first."""


def _standing_of(row: Mapping[str, Any], zone: ZoneInfo) -> str:
    if row["received_at"] is None:
        return "未报"
    if row["status"] in ("returned", "rejected"):
        return "退回" if row["status"] == "returned" else "无法读取"
    first = row["first_received_at"] or row["received_at"]
    moment = datetime.fromisoformat(first).replace(tzinfo=UTC).astimezone(zone)
    late = row["deadline"] and moment.date().isoformat() > row["deadline"]
    return "迟报" if late else "按时"


def _listing(park: site_select.ParkPage) -> dict[str, str]:
    first = park.standings[0] if park.standings else None
    return {
        "id": park.park_id,
        "name": park.name,
        "place": park.place,
        "light": first.light if first else "grey",
        "word": first.word if first else "未列入考核",
        "rank": first.rank if first else "",
        "state": "" if park.active else "已退出",
    }
