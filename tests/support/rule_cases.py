"""Small tables of cells for audit rules: every case in a year and a county of its own, judged at once.

One judgement of all cases costs as much as one of a single case; nothing of one case is seen by
another, because parks, reporters, regions and years are its own.

Belongs here: cases and their judging. Does not belong here: which rules there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from quality.rules.compile import compile_rules
from warehouse import rule_outcomes, store
from warehouse.catalog import frames
from warehouse.catalog.load import Catalog

SHEET = "园区月报"
_MEASURES = {
    "month": "month",
    "prior": "ytd_prior",
    "yoy": "yoy_published",
    "ytd": "ytd",
    "stock": "stock",
}
_STATES = {"": "unknown", "—": "not_applicable", "…": "below_unit"}


@dataclass(frozen=True)
class Case:
    """One table: the rule it is for, whether it passes, and what it holds (see the YAML files)."""

    rule_id: str
    passes: bool
    given: Mapping[str, Any]
    number: int

    @property
    def year(self) -> int:
        """The year that is this case's own."""
        return 1000 + 4 * self.number

    @property
    def period(self) -> str:
        """Report period of the file judged."""
        return f"{self.year}-{int(self.given.get('month', 6)):02d}"

    @property
    def span(self) -> dict[str, date]:
        """The years in which the case's parks and reporters exist."""
        return {"valid_from": date(self.year - 1, 1, 1), "valid_to": date(self.year + 1, 1, 1)}

    @property
    def key(self) -> str:
        """Prefix of everything that is this case's own."""
        return f"{self.rule_id}-{'pass' if self.passes else 'fail'}{self.number}"


def judged(cases: Iterable[Case], catalog: Catalog, home: Path) -> store.Warehouse:
    """A warehouse in which the rules of ``catalog`` have judged every case."""
    from tests.support.warehouse_cases import workspace

    warehouse = store.Warehouse(workspace(home))
    warehouse.begin("cases")
    cases = list(cases)
    with warehouse.building() as connection:
        store.replace_rows(connection, "dims.indicator", frames.indicator_rows(catalog))
        rows = _Rows()
        for case in cases:
            rows.add(case, catalog)
        rows.store(connection)
        connection.execute(
            "INSERT INTO internal.affected_period SELECT DISTINCT period FROM submissions.cell"
        )
        around = rule_outcomes.Surroundings(
            first_month=2,
            zone="Asia/Shanghai",
            bounds=[(i.indicator_id, *(i.soft_range or (None, None))) for i in catalog.indicators],
            required=[("monthly", "C01"), ("monthly", "C04")],
            deadlines=[("monthly", case.period, date(case.year, 7, 10)) for case in cases],
            references=rows.references,
            scored=["D02"],
        )
        rule_outcomes.judge(connection, compile_rules(catalog), around)
        store.run_script(connection, "quality__findings", {"first_month": 2})
    return warehouse


class _Rows:
    """Rows of all cases, by table."""

    def __init__(self) -> None:
        self.tables: dict[str, list[dict[str, Any]]] = {}
        self.internal: dict[str, list[tuple[Any, ...]]] = {}
        self.references: list[tuple[str, str, str, Decimal, str]] = []

    def add(self, case: Case, catalog: Catalog) -> None:
        """Register, files, cells, marks and reference figures of a case."""
        given, county = case.given, f"{case.key}-county"
        parks = given.get("rows") or [given.get("cells", {})]
        for n in range(1, max(len(parks), given.get("registered", 0)) + 1):
            self._put(
                "dims.park",
                park_id=f"{case.key}-{n}",
                name=f"{case.key}园区{n}",
                county_code=county,
                city_code=f"{case.key}-city",
                status="active",
                host_county_code="other" if given.get("enclave") else None,
                home_county_code=county if given.get("enclave") else None,
                **case.span,
            )
        for n in range(given.get("reporters", 1)):
            reporter = f"{case.key}-reporter{n or ''}"
            self._put(
                "dims.reporter", reporter=reporter, name="单位", region_code=county, **case.span
            )
        self._put("dims.region", code=county, name="某县", parent=f"{case.key}-city")
        for code in given.get("codes", []):
            self._put("dims.region", code=code, name="某县", parent="x", **case.span)
        for target in given.get("targets", []):
            self._target(case, county, target)
        for when, table in given.get("earlier", {}).items():
            self._file(
                case,
                catalog,
                _moment(case, when),
                f"e{when}",
                table if isinstance(table, list) else [table],
                {},
            )
        if "former" in given:
            self._file(
                case, catalog, case.period, "former", [given["former"]], {"received": "07-01"}
            )
        self._file(case, catalog, case.period, "now", parks, given)
        for subject, figures in given.get("reference", {}).items():
            whose = f"{case.key}-{subject}"
            self.references += [
                (whose, i, case.period, Decimal(str(v)), "某部门") for i, v in figures.items()
            ]

    def _target(self, case: Case, county: str, target: Mapping[str, Any]) -> None:
        level = target["level"]
        self._put(
            "dims.target",
            target_id=f"{case.key}-{level}",
            doc_no="x",
            quote="x",
            scope_level=level,
            scope_code=county if level == "county" else f"{case.key}-city",
            indicator_id="C01",
            kind="level",
            value=Decimal(str(target["value"])),
            unit="万元",
            period_to=f"{case.year}-12",
        )

    def _file(
        self,
        case: Case,
        catalog: Catalog,
        period: str,
        name: str,
        parks: list[Mapping[str, Any]],
        given: Mapping[str, Any],
    ) -> None:
        submission_id = f"{case.key}-{name}"
        received = datetime(case.year, *map(int, given.get("received", "07-05").split("-")))
        self._put(
            "submissions.submission",
            submission_id=submission_id,
            file_name=f"{case.key}-{name}.xlsx",
            source_id="monthly",
            reporter=f"{case.key}-reporter",
            period=period,
            received_at=received,
            version_no=given.get("version", 1),
            status="accepted",
            format=given.get("format", "xlsx"),
            layout_id="form",
        )
        self._internal("standing", submission_id, received, None, received, 0)
        self._internal(
            "reading", submission_id, submission_id, "", "accepted", None, given.get("revision", 0)
        )
        for mark, text in given.get("marks", {}).items():
            self._internal("file_mark", submission_id, mark, text, SHEET, "A2")
        context = {
            "submission_id": submission_id,
            "period": period,
            "maturity": given.get("maturity", "定报"),
            "unit_evidence": "" if given.get("no_unit") else "表头",
        }
        for n, figures in enumerate(parks, start=1):
            entity = given.get("entity", f"{case.key}园区{n}")
            self._line(
                catalog,
                4 + n,
                figures,
                context | {"park_id": f"{case.key}-{n}", "entity_raw": entity, "role": "data"},
            )
        lines = (("part", "of_which", "其中:示范园区"), ("total", "total", "合计"))
        for at, (field, role, label) in enumerate(lines):
            if field in given:
                self._line(
                    catalog,
                    20 + at,
                    given[field],
                    context | {"park_id": None, "entity_raw": label, "role": role},
                )

    def _line(
        self, catalog: Catalog, row: int, figures: Mapping[str, Any], context: Mapping[str, Any]
    ) -> None:
        """Cells of one line; the n-th figure stands in the n-th column after the name."""
        for column, (name, written) in enumerate(figures.items(), start=2):
            indicator_id, _, suffix = name.partition(".")
            indicator = catalog.indicator(indicator_id)
            level = {"ytd": "ytd", "last": "stock", "formula": "ytd"}.get(
                indicator.over_time, "month"
            )
            text = "" if written is None else str(written)
            value = _number(text)
            self._put(
                "submissions.cell",
                **context,
                sheet=SHEET,
                address=f"{_letters(column)}{row}",
                raw_text=text,
                value=value,
                state=_state(text, value),
                unit_raw=indicator.unit,
                unit_factor="1",
                indicator_id=indicator_id,
                measure=_MEASURES[suffix] if suffix else level,
                head=indicator.name_zh,
            )

    def _put(self, table: str, **row: Any) -> None:
        self.tables.setdefault(table, []).append(row)

    def _internal(self, table: str, *row: Any) -> None:
        self.internal.setdefault(table, []).append(row)

    def store(self, connection: Any) -> None:
        """Write everything."""
        for table, rows in self.tables.items():
            store.replace_rows(connection, table, rows)
        for table, rows in self.internal.items():
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO internal.{table} VALUES ({marks})", rows)


def _moment(case: Case, when: str) -> str:
    """``05``: May of the case's year; ``-1y-12``: December of the year before."""
    if when.startswith("-1y-"):
        return f"{case.year - 1}-{when[4:]}"
    return f"{case.year}-{int(when):02d}"


def _letters(column: int) -> str:
    return chr(64 + column) if column <= 26 else "A" + chr(64 + column - 26)


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal(0) if text == "…" else None


def _state(text: str, value: Decimal | None) -> str:
    if text in _STATES:
        return _STATES[text]
    return "zero" if value == 0 else "reported"
