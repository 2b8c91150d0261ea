"""A tiny bureau for tests of deliveries: three counties, four made-up parks, one form.

Belongs here: its workspace, returns made in code, and the first stages of a run without Dagster.
Does not belong here: expectations. Everything in it is simulated (模拟数据).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import xlsxwriter

from assets.build import Build
from assets.submissions import audit, store_rows
from assets.submissions.archive import deliver
from assets.submissions.reading.parsers import read_workbook
from assets.submissions.reading.workbook import Rejected, Workbook
from warehouse import derive, store
from warehouse.catalog.load import load_catalog
from warehouse.state import Decision, State
from warehouse.store import Warehouse
from warehouse.workspace import Bureau as Issuer
from warehouse.workspace import Workspace

BEIJING = timezone(timedelta(hours=8))
COUNTIES = {"hanbin": "汉滨区", "hanyin": "汉阴县", "shiquan": "石泉县"}
PARKS = {
    "hanbin": {"M1": "砚青模拟工业园", "M2": "霁禾模拟工业园"},
    "hanyin": {"M3": "澄苇模拟工业园"},
    "shiquan": {"M4": "岫云模拟工业园"},
}
CATALOG = {
    "indicators.yaml": """
- {indicator_id: C01, name_zh: 工业总产值, unit: 万元, kind: flow, over_time: ytd, aggregation: sum}
- {indicator_id: C04, name_zh: 营业收入, unit: 万元, kind: flow, over_time: ytd, aggregation: sum}
""",
    "regions.csv": """code,name,level,parent,valid_from,valid_to,successor
610000,陕西省,province,,,,
610900,安康市,city,610000,,,
610902,汉滨区,county,610900,,,
610921,汉阴县,county,610900,,,
610922,石泉县,county,610900,,,
""",
    "reporters.csv": """reporter_id,name,short_name,region_code,source_id,email,valid_from,valid_to
hanbin,汉滨区园区统计岗（模拟）,汉滨区,610902,monthly,,2017-01-01,
hanyin,汉阴县园区统计岗（模拟）,汉阴县,610921,monthly,,2017-01-01,
shiquan,石泉县园区统计岗（模拟）,石泉县,610922,monthly,,2017-01-01,
""",
    "parks.csv": """park_id,name,county_code,city_code,province_code,status,simulated,valid_from,valid_to
M1,砚青模拟工业园,610902,610900,610000,active,1,2017-01-01,
M2,霁禾模拟工业园,610902,610900,610000,active,1,2017-01-01,
M3,澄苇模拟工业园,610921,610900,610000,active,1,2017-01-01,
M4,岫云模拟工业园,610922,610900,610000,active,1,2017-01-01,
""",
    "sources.yaml": """
- source_id: monthly
  name: 县区园区月报（模拟）
  frequency: M
  deadline: {day: 10}
""",
    "audiences.yaml": """
- {audience_id: office, name: 监测岗, role: statistician, scope_level: province,
   scope_code: "610000", rights: [figures, quality], formats: [html]}
""",
    "layouts/monthly.yaml": """
layout_id: monthly
title: 县区园区月报（模拟）
source: monthly
tables:
- name: 园区月报
  shape: wide
  entity: {head: 园区}
  period: {from: [title, file]}
  default_unit: 万元
  indicators: [C01, C04]
  ignore:
  - {head: 备注, reason: 文字}
""",
}
SETTINGS = """
default_period = "2020-06"
simulated = true

[bureau]
name = "模拟监测处"
region_code = "610000"
indicators = ["C01", "C04"]
lead_indicator = "C01"

[catalog]
base = "none"
"""


def make_home(home: Path, extra: Mapping[str, str | None] | None = None) -> Path:
    """The bureau's workspace folder; ``extra`` adds, replaces or (None) leaves out files of its
    catalogue."""
    for name in ("inbox", "archive", "quality", "reports", "dagster", "catalog/layouts"):
        (home / name).mkdir(parents=True, exist_ok=True)
    for name, text in (CATALOG | dict(extra or {})).items():
        if text is not None:
            path = home / "catalog" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.lstrip("\n"), encoding="utf-8")
    (home / "parkwatch.toml").write_text(SETTINGS, encoding="utf-8")
    return home


def form(
    county: str | None,
    period: str | None,
    figures: Mapping[str, tuple[Any, Any]],
    remark: str = "",
) -> bytes:
    """A county's monthly return as xlsx: park → (工业总产值, 营业收入), both cumulative."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(2020, 1, 1)})
        sheet = book.add_worksheet("园区月报")
        when = f"{period[:4]}年1—{int(period[5:])}月" if period else ""
        sheet.write_row(0, 0, [f"{county or ''}{when}园区月报"])
        sheet.write_row(1, 0, ["园区", "工业总产值", "营业收入", "备注"])
        for row, (park, values) in enumerate(figures.items(), start=2):
            sheet.write_row(row, 0, [park, *values, remark])
    return buffer.getvalue()


def county_form(reporter: str, period: str, c01: Any, c04: Any = 0) -> bytes:
    """The right return of a county: every park of its own, the n-th with n added to the figures."""
    parks = PARKS[reporter].values()
    figures = {name: (c01 + n, c04 + n) for n, name in enumerate(parks)}
    return form(COUNTIES[reporter], period, figures)


class HerePool:
    """Reads files in this very process: the sandbox has tests of its own."""

    def read_many(
        self, sources: Iterable[tuple[str, Path]]
    ) -> Iterator[tuple[str, Workbook | Rejected]]:
        """Content of each file, in order."""
        for name, path in sources:
            yield name, read_workbook(path.read_bytes())


class Office:
    """The bureau at work: files come in, decisions are taken, stages run. Times are Beijing time."""

    def __init__(self, home: Path, extra: Mapping[str, str | None] | None = None) -> None:
        self.home = make_home(home, extra)
        self.workspace = Workspace(
            home, Issuer(name="模拟监测处", region_code="610000"), catalog_base="none"
        )
        self.state = State(self.workspace.state_file)
        self.runs = 0

    def put(
        self, name: str, data: bytes, received: datetime | None = None, sender: str | None = None
    ) -> Path:
        """A file in the inbox (name may have folders), with a receipt when a time is given."""
        path = self.workspace.inbox / name
        if received is not None:
            at = received.replace(tzinfo=received.tzinfo or BEIJING)
            return deliver(path.parent, path.name, data, at, sender or "")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def decide(self, kind: Any, subject: str, at: datetime, reason: str = "数字有误") -> bool:
        """A decision in the ledger, as of ``at``."""
        moment = at.replace(tzinfo=at.tzinfo or BEIJING).astimezone(UTC)
        text = moment.isoformat(timespec="microseconds")
        return self.state.decide(Decision(kind, subject, text, "张三", reason))

    def run(
        self, period: str = "2020-06", now: datetime | None = None, pool: Any = None
    ) -> store_rows.Taken:
        """Stages 1 to 3 and publication."""
        self.runs += 1
        moment = (now or datetime(2026, 1, 1)).replace(tzinfo=BEIJING).astimezone(UTC)
        warehouse = Warehouse(self.workspace)
        with warehouse.writer_lock():
            build = Build(
                run_id=f"run {self.runs}",
                workspace=self.workspace,
                catalog=load_catalog(self.workspace.catalog, "none"),
                warehouse=warehouse,
                state=self.state,
                now=moment.replace(tzinfo=None),
            )
            with build.step("目录") as connection:
                store_rows.load_dimensions(connection, build)
            taken = store_rows.take_in(build, pool or HerePool())
            with build.step("派生") as connection:
                audit.audit(connection, build)
                derive.refresh_observations(connection)
                derive.refresh_park_month(
                    connection, build.catalog.indicators, asof=build.asof, first_month=2
                )
                derive.refresh_park_year(connection, period, each_month=False)
                derive.refresh_area_year(connection, build.catalog.indicators)
            build.publish(period)
        return taken

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Rows of the published warehouse."""
        with Warehouse(self.workspace).reading() as connection:
            return store.fetch(connection, query, list(values))

    def statuses(self) -> dict[str, str]:
        """File name → status of its submission."""
        rows = self.rows("SELECT file_name, status FROM submissions.submission")
        return {row["file_name"]: row["status"] for row in rows}

    def submission(self, file_name: str) -> dict[str, Any]:
        """The submission that came under this name."""
        (row,) = self.rows("FROM submissions.submission WHERE file_name = ?", file_name)
        return row

    def known(self, park: str, period: str, asof: datetime | None = None) -> Any:
        """C01 of a park as known at a Beijing time (now when not given); ``None`` for nothing."""
        at = (asof or datetime(2999, 1, 1)).replace(tzinfo=BEIJING).astimezone(UTC)
        found = self.rows(
            "SELECT value FROM observations.observation WHERE park_id = $1 AND period = $2 "
            "AND indicator_id = 'C01' AND known_from <= $3 AND (known_to IS NULL OR known_to > $3)",
            park, period, at.replace(tzinfo=None),
        )  # fmt: skip
        assert len(found) <= 1
        return found[0]["value"] if found else None

    def digests(self, *tables: str) -> dict[str, str]:
        """Content digests of published tables (all when none is named)."""
        rows = self.rows("SELECT table_name, digest FROM ops.digest")
        found = {row["table_name"]: row["digest"] for row in rows}
        return {name: found[name] for name in tables} if tables else found
