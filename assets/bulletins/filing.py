"""Filing (报送): who reported, what was returned and found, as registered figures.

Belongs here: counting and ordering the reporters' month. Does not belong here: areas (facts),
judging a return (quality), sentences (``report_templates``).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from assets.bulletins import wording
from assets.bulletins.data import BulletinData, GapRow, ReporterRow
from assets.bulletins.facts import Register, parks_source
from assets.bulletins.figures import Figure, row_key

REPORTERS_SHOWN = 12
"""Reporters with problems listed in the body; the rest are counted."""


@dataclass(frozen=True, slots=True)
class ReportingFacts:
    """Filing and data quality by reporter."""

    n: Figure
    n_on_time: Figure
    late: tuple[str, ...]
    n_late: Figure
    missing: tuple[str, ...]
    n_missing: Figure
    returned: tuple[str, ...]
    n_returned: Figure
    files: Figure
    files_returned: Figure
    n_error: Figure
    n_verify: Figure
    n_hint: Figure
    rows: tuple[ReporterFacts, ...]
    n_more: Figure


@dataclass(frozen=True, slots=True)
class GapFacts:
    """A park without figures: why, and its share of the total when it last reported."""

    park: str
    reporter: str
    why: str
    earlier_stands: bool
    share: Figure


@dataclass(frozen=True, slots=True)
class GapsFacts:
    """All gaps. ``share``: their shares together, of ``indicator`` in ``basis``; missing when no
    gap has one. ``left_out``: some count in no total; ``standing``: some keep an earlier delivery."""

    rows: tuple[GapFacts, ...]
    n: Figure
    n_more: Figure
    share: Figure
    indicator: str
    basis: str
    left_out: bool
    standing: bool


@dataclass(frozen=True, slots=True)
class RevisedFacts:
    """Figures changed after they were first known: of this period, and of earlier ones."""

    n_now: Figure
    n_earlier: Figure
    earlier: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReporterFacts:
    """A reporter with something to mend."""

    name: str
    status: str
    parks_expected: Figure
    parks_reported: Figure
    files_returned: Figure
    n_error: Figure
    n_verify: Figure
    n_hint: Figure


def reporting_facts(register: Register, data: BulletinData) -> ReportingFacts:
    """Filing status and findings; reporters with something to mend, gravest first."""
    reporters = sorted(data.reporters, key=lambda r: r.reporter_id)
    troubled = sorted((r for r in reporters if _has_problem(r)), key=_gravity)
    late = [r.name for r in reporters if r.status == "late"]
    missing = [r.name for r in reporters if r.status == "missing"]
    returned = [r.name for r in reporters if r.files_returned]
    shown = troubled[:REPORTERS_SHOWN]

    def add(what: str, label: str, value: int, unit: str) -> Figure:
        source = ("submissions.submission", row_key(period=data.period))
        return register.add(("Q", what), label, value, unit, source, formula=f"count({what})")

    def findings(severity: str, word: str) -> Figure:
        total = sum(getattr(r, f"n_{severity}") for r in reporters)
        key = row_key(period=data.period, outcome="fail", severity=severity)
        source = ("quality.finding", key)
        parts = ("Q", f"n-{severity}")
        return register.add(parts, f"审核{word}数", total, "项", source, formula="count(*)")

    return ReportingFacts(
        n=add("reporters", "报送单位数", len(reporters), "个"),
        n_on_time=add(
            "on-time", "按时报送单位数", sum(r.status == "on_time" for r in reporters), "个"
        ),
        late=tuple(late),
        n_late=add("late", "迟报单位数", len(late), "个"),
        missing=tuple(missing),
        n_missing=add("missing", "未报单位数", len(missing), "个"),
        returned=tuple(returned),
        n_returned=add("returned", "有退回件的单位数", len(returned), "个"),
        files=add("files", "收到报送件数", sum(r.files for r in reporters), "件"),
        files_returned=add(
            "files-returned", "退回报送件数", sum(r.files_returned for r in reporters), "件"
        ),
        n_error=findings("error", "错误"),
        n_verify=findings("verify", "核实"),
        n_hint=findings("hint", "提示"),
        rows=tuple(_reporter(register, data, row) for row in shown),
        n_more=add("more", "未列示的有问题单位数", len(troubled) - len(shown), "个"),
    )


def gap_facts(register: Register, data: BulletinData) -> GapsFacts:
    """Parks without figures of the period, the largest first."""
    rows = sorted(data.gaps, key=lambda gap: (-(gap.share_pct or 0), gap.park_id))
    shares = [_gap_share(register, data, gap) for gap in rows]
    shown = [
        GapFacts(g.park_name, g.reporter_name, wording.GAPS[g.why], g.earlier_stands, share)
        for g, share in zip(rows, shares, strict=True)
    ]
    known = [share for share in shares if share.value is not None]
    column = rows[0].share_column if rows else "province_share_pct"
    source = ("quality.gap", row_key(period=data.period))
    total = sum((s.value for s in known if s.value is not None), Decimal(0)) if known else None
    basis = {gap.basis_period for gap in rows if gap.basis_period}

    def number(what: str, label: str, value: int) -> Figure:
        return register.add(("Q", what), label, value, "个", source, formula="count(park_id)")

    return GapsFacts(
        rows=tuple(shown[:REPORTERS_SHOWN]),
        n=number("gaps", "本期没有数据的园区数", len(rows)),
        n_more=number("gaps-more", "未列示的没有数据的园区数", max(len(rows) - REPORTERS_SHOWN, 0)),
        share=register.add(
            ("Q", "gap-share"), "没有数据的园区所占比重", total, "%", source,
            decimals=1, formula=f"sum({column})", inputs=known,
        ),
        indicator=next((gap.indicator_name for gap in rows if gap.indicator_name), ""),
        basis=_basis_words(max(basis), data.period) if basis else "",
        left_out=any(not gap.earlier_stands for gap in rows),
        standing=any(gap.earlier_stands for gap in rows),
    )  # fmt: skip


def _basis_words(basis: str, period: str) -> str:
    return wording.period_words(basis, year=basis[:4] != period[:4])


def _gap_share(register: Register, data: BulletinData, gap: GapRow) -> Figure:
    key = row_key(period=data.period, park_id=gap.park_id, column=gap.share_column)
    label = f"{gap.park_name}占{gap.indicator_name or '合计'}比重"
    source = ("quality.gap", key)
    return register.add(("Q", gap.park_id, "share"), label, gap.share_pct, "%", source, decimals=1)


def revised_facts(register: Register, data: BulletinData) -> RevisedFacts:
    """Figures that became others with this period's deliveries."""
    earlier = [row for row in data.revised if row.period != data.period]
    now = sum(row.n_figures for row in data.revised if row.period == data.period)

    def number(what: str, label: str, value: int, **rows: str) -> Figure:
        source = ("observations.revision", row_key(code=data.scope_code, **rows))
        return register.add(("Q", what), label, value, "个", source, formula="count(*)")

    return RevisedFacts(
        n_now=number("revised", "本期更正的数", now, period=data.period),
        n_earlier=number(
            "revised-earlier",
            "修订以前报告期的数",
            sum(r.n_figures for r in earlier),
            delivered=data.period,
        ),
        earlier=tuple(wording.period_words(row.period) for row in earlier),
    )


def _has_problem(row: ReporterRow) -> bool:
    incomplete = row.parks_reported < row.parks_expected
    to_mend = row.files_returned or row.n_error or row.n_verify
    return row.status != "on_time" or incomplete or bool(to_mend)


def _gravity(row: ReporterRow) -> tuple[int, int, int, int, int, str]:
    order = {"missing": 0, "late": 1, "on_time": 2}[row.status]
    absent = row.parks_reported - row.parks_expected
    return (order, absent, -row.files_returned, -row.n_error, -row.n_verify, row.reporter_id)


def _reporter(register: Register, data: BulletinData, row: ReporterRow) -> ReporterFacts:
    files = ("submissions.submission", row_key(reporter=row.reporter_id, period=data.period))
    parks = parks_source(row.region_code)

    def add(what: str, label: str, value: int, unit: str, source: tuple[str, str]) -> Figure:
        parts = ("Q", row.reporter_id, what)
        words = f"{row.name}{label}"
        return register.add(parts, words, value, unit, source, formula=f"count({what})")

    def findings(severity: str, label: str) -> Figure:
        key = row_key(
            reporter=row.reporter_id, period=data.period, outcome="fail", severity=severity
        )
        value = getattr(row, f"n_{severity}")
        return add(f"n_{severity}", label, value, "项", ("quality.finding", key))

    return ReporterFacts(
        name=row.name,
        status=wording.FILING[row.status],
        parks_expected=add("parks_expected", "应报园区数", row.parks_expected, "个", parks),
        parks_reported=add("parks_reported", "已报园区数", row.parks_reported, "个", parks),
        files_returned=add("files_returned", "退回件数", row.files_returned, "件", files),
        n_error=findings("error", "错误数"),
        n_verify=findings("verify", "核实数"),
        n_hint=findings("hint", "提示数"),
    )
