"""Proof of figures over many rows: each row with the words that ask for its own proof.

Belongs here: counts of parks, files, findings, verdicts and ranked parks; what all chances of a period
have in common, what a scheme lays down, the share a missing park had. Does not belong here: the
proof of one row (``warehouse.explain``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from warehouse.proof import Step, plain, words_of
from warehouse.store import fetch
from warehouse.words import LIGHT_ZH

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]
Prove = Callable[["duckdb.DuckDBPyConnection", Row], Step]
"""Proof of one of the rows counted."""

MAX_PARTS = 400
"""Rows listed before the rest is only counted."""


def _selected(key: Row, names: Sequence[str]) -> tuple[Row, str]:
    """What of ``key`` selects rows, and the condition with a mark for each value."""
    wanted = {name: key[name] for name in names if name in key}
    return wanted, " AND ".join(f"{name} = ?" for name in wanted) or "true"


def _listed(rows: list[Row], line: Callable[[Row], Step]) -> list[Step]:
    """One line a row, bounded; that there is none is said as well."""
    if not rows:
        return [Step("没有这样的记录", ground="absence")]
    steps = [line(row) for row in rows[:MAX_PARTS]]
    if len(rows) > MAX_PARTS:
        steps.append(Step(f"……另有 {len(rows) - MAX_PARTS} 行"))
    return steps


def example(steps: list[Step], proved: Callable[[], Step], number: int = 0) -> list[Step]:
    """The lines with one of them proved in full; each of the others is asked for by its words."""
    if number < len(steps) and steps[number].asks:
        words = " ".join(steps[number].asks)
        steps[number].parts = [
            Step(f"以此行为例(其余各行同样以 parkwatch explain {words} 查询):", [proved()])
        ]
    return steps


def _first_proved(
    heading: str, rows: list[Row], line: Callable[[Row], Step], proved: Callable[[Row], Step]
) -> Step:
    """All rows under a heading, one line each; the first is proved in full."""
    step = Step(heading, _listed(rows, line))
    if rows:
        example(step.parts, lambda: proved(rows[0]))
    return step


def register(connection: duckdb.DuckDBPyConnection, key: Row) -> Step:
    """Parks a region has on the last day of the period, and how many figures came of each."""
    rows = fetch(connection, _REGISTER, {"code": key["code"], "period": key["period"]})
    known = sum(row["n"] > 0 for row in rows)
    step = Step(
        f"名录中 {key['code']} 的园区 {key['period']}:应报 {len(rows)} 个,本期有数 {known} 个"
    )
    step.parts = _listed(
        rows,
        lambda row: Step(
            f"{row['name']}({row['park_id']}):本期观测值 {row['n']} 个", ground="register"
        ),
    )
    return step


_REGISTER = """
SELECT park.park_id, park.name, count(observation.park_id) AS n
FROM dims.park AS park
LEFT JOIN observations.observation AS observation
    ON observation.park_id = park.park_id AND observation.period = $period
WHERE park.valid_from <= last_day(($period || '-01')::DATE)
    AND (park.valid_to IS NULL OR park.valid_to > last_day(($period || '-01')::DATE))
    AND coalesce(park.status, 'active') = 'active'
    AND $code IN (
        park.province_code, park.city_code, coalesce(nullif(park.home_county_code, ''), park.county_code)
    )
GROUP BY ALL
ORDER BY park.park_id
"""


def submissions(connection: duckdb.DuckDBPyConnection, key: Row) -> Step:
    """Files of the period: those that report it or hold figures of it; one that cannot be read
    counts for the month before it came."""
    rows = fetch(
        connection,
        "SELECT reporter, file_name, received_at, status FROM submissions.submission "
        "WHERE (coalesce(period, strftime(received_at - INTERVAL 1 MONTH, '%Y-%m')) = $period "
        "  OR submission_id IN (SELECT submission_id FROM observations.observation "
        "                       WHERE period = $period)) "
        "AND reporter = coalesce($reporter, reporter) ORDER BY reporter, received_at",
        {"period": key["period"], "reporter": key.get("reporter")},
    )
    step = Step(f"报送件 {words_of(key)}:{len(rows)} 个")
    step.parts = _listed(
        rows,
        lambda row: Step(
            f"文件“{row['file_name']}”({row['reporter']},{row['received_at']} UTC,{row['status']})",
            ground="file",
        ),
    )
    return step


def findings(connection: duckdb.DuckDBPyConnection, key: Row) -> Step:
    """Findings of the period that still stand."""
    names = ("period", "reporter", "severity", "rule_id", "outcome")
    wanted, where = _selected(key, names)
    rows = fetch(
        connection,
        f"SELECT file_name, sheet, address, message FROM quality.finding WHERE {where} "
        "AND lifecycle <> 'resolved' ORDER BY finding_id",
        list(wanted.values()),
    )
    step = Step(f"审核问题 {words_of(wanted)}:{len(rows)} 条")
    step.parts = _listed(
        rows,
        lambda row: Step(
            f"{row['file_name']} {row['sheet'] or ''} {row['address'] or ''}:{row['message']}",
            ground="finding",
        ),
    )
    return step


def revisions(connection: duckdb.DuckDBPyConnection, key: Row) -> Step:
    """Figures of a region's parks that became others: those of ``period``, or, with ``delivered``,
    those of earlier periods that files of that period changed."""
    delivered = key.get("delivered")
    rows = fetch(
        connection,
        _REVISIONS,
        {"code": key["code"], "delivered": delivered, "period": delivered or key["period"]},
    )
    step = Step(f"修订 {words_of(key)}:{len(rows)} 个数")
    step.parts = _listed(
        rows,
        lambda row: Step(
            f"{row['park_id']} {row['indicator_id']} {row['period']}:"
            f"{plain(row['former_value'])} → {plain(row['value'])}"
            f"({row['kind']},{row['known_from']} UTC,文件“{row['file_name']}”)",
            ground="file",
            asks=(row["park_id"], row["indicator_id"], row["period"]),
        ),
    )
    return step


_REVISIONS = """
SELECT revision.*, file.file_name
FROM observations.revision AS revision
JOIN dims.park AS park ON park.park_id = revision.park_id
    AND park.valid_from <= last_day(($period || '-01')::DATE)
    AND (park.valid_to IS NULL OR park.valid_to > last_day(($period || '-01')::DATE))
JOIN submissions.submission AS file ON file.submission_id = revision.submission_id
WHERE revision.kind IN ('revised', 'correction', 'withdrawn', 'restored')
    AND $code IN (
        park.province_code, park.city_code, coalesce(nullif(park.home_county_code, ''), park.county_code)
    )
    AND coalesce(park.status, 'active') = 'active'
    AND CASE WHEN $delivered IS NULL THEN revision.period = $period
        ELSE revision.period < $period AND file.period = $delivered END
ORDER BY revision.period, revision.park_id, revision.indicator_id, revision.measure, revision.known_from
"""


def verdicts(connection: duckdb.DuckDBPyConnection, key: Row, prove: Prove) -> Step:
    """The verdicts a key selects, one line each; the first that has figures is proved in full."""
    names = ("asof_period", "target_id", "park_id", "verdict")
    wanted, where = _selected(key, names)
    rows = fetch(
        connection,
        f"SELECT * FROM targets.verdict WHERE {where} ORDER BY target_id, scope_code, park_id",
        list(wanted.values()),
    )
    clauses = len({row["target_id"] for row in rows})
    step = Step(f"目标判定 {words_of(wanted)}:{clauses} 项条款,{len(rows)} 个判定")
    step.parts = _listed(rows, _verdict_line)
    first = next((n for n, row in enumerate(rows[:MAX_PARTS]) if row["figure_ids"]), 0)
    if rows:
        example(step.parts, lambda: prove(connection, rows[first]), first)
    return step


def _verdict_line(row: Row) -> Step:
    scope, park = row["scope_code"], row["park_id"]
    text = f"{row['target_id']} {scope} {park}:{row['verdict']},{row['reason']}"
    return Step(text, asks=(row["target_id"], park or scope, row["asof_period"]))


def overall(connection: duckdb.DuckDBPyConnection, key: Row, prove: Prove) -> Step:
    """The topics of a scope with the one light of each; the first that was judged is proved in full."""
    rows = fetch(
        connection,
        "SELECT * FROM targets.overall WHERE asof_period = ? AND scope_code = ? AND park_id = ? "
        "ORDER BY topic",
        [key["asof_period"], key["scope_code"], key["park_id"]],
    )
    judged = [row for row in rows if row["target_id"]]
    where = words_of({name: key[name] for name in ("asof_period", "scope_code", "park_id")})
    step = Step(f"总灯 {where}:{len(rows)} 个事项,其中已判定 {len(judged)} 个")
    step.parts = _listed(judged + [row for row in rows if not row["target_id"]], _topic_line)
    if judged:
        example(step.parts, lambda: prove(connection, judged[0]))
    return step


def _topic_line(row: Row) -> Step:
    text = f"{row['title']}:{LIGHT_ZH[row['light']]},条款 {'、'.join(row['target_ids'])};{row['reason']}"
    asks = (row["target_id"], row["park_id"] or row["scope_code"], row["asof_period"])
    return Step(text, asks=asks) if row["target_id"] else Step(text, ground="clause")


def scores(connection: duckdb.DuckDBPyConnection, key: Row, prove: Prove) -> Step:
    """The ranked parks of a class, or of every class, one line each; the first is proved in full."""
    names = ("asof_period", "scheme_id", "class_id")
    wanted, where = _selected(key, names)
    rows = fetch(
        connection,
        f"SELECT * FROM assessment.score WHERE {where} "
        "ORDER BY scheme_id, class_id, rank NULLS LAST, park_id",
        list(wanted.values()),
    )
    ranked = sum(row["rank"] is not None for row in rows)
    heading = f"考核得分 {words_of(wanted)}:参与排名 {ranked} 个,未参与 {len(rows) - ranked} 个"
    return _first_proved(heading, rows, _score_line, lambda row: prove(connection, row))


def _score_line(row: Row) -> Step:
    place = f"第{row['rank']}名" if row["rank"] is not None else row["exclusion_reason"]
    text = f"{row['class_id']} {row['park_id']}:{plain(row['score'])} 分,{place}"
    return Step(text, asks=(row["scheme_id"], row["park_id"], row["asof_period"]))


def chances(connection: duckdb.DuckDBPyConnection, key: Row, prove: Prove) -> Step:
    """The simulated parks of a period, one line each; the first is proved in full."""
    names = ("asof_period", "scheme_id", "class_id")
    wanted, where = _selected(key, names)
    rows = fetch(
        connection,
        "SELECT scheme_id, park_id, asof_period, draws, calibrated_pct FROM assessment.risk "
        f"WHERE {where} ORDER BY scheme_id, class_id, park_id",
        list(wanted.values()),
    )
    heading = f"末位风险 {words_of(wanted)}:{len(rows)} 个园区的年末模拟"
    return _first_proved(heading, rows, _chance_line, lambda row: prove(connection, row))


def _chance_line(row: Row) -> Step:
    return Step(
        f"{row['scheme_id']} {row['park_id']}:抽样 {row['draws']} 次,"
        f"有误差记录的权重 {plain(row['calibrated_pct'])}%",
        asks=("risk", row["scheme_id"], row["park_id"], row["asof_period"]),
    )


def schemes(connection: duckdb.DuckDBPyConnection, key: Row) -> Step:
    """The schemes applied, whose rules are kept under their digests."""
    rows = fetch(
        connection,
        "SELECT scheme_id, label, rules_digest FROM assessment.basis WHERE asof_period = $1 "
        "AND scheme_id = coalesce($2, scheme_id) ORDER BY scheme_id",
        [key["asof_period"], key.get("scheme_id")],
    )
    step = Step(f"考核方案的规定 {words_of({'asof_period': key['asof_period']})}")
    step.parts = _listed(
        rows,
        lambda row: Step(
            f"{row['scheme_id']}({row['label']}):政策目录 schemes/{row['scheme_id']}.yaml,"
            f"规则摘要 {row['rules_digest'][:12]},原文见 parkwatch schemes",
            ground="policy",
        ),
    )
    return step


def gap(connection: duckdb.DuckDBPyConnection, key: Row, prove: Prove) -> Step:
    """Why parks have no figures of the period, and the last value a share is computed from."""
    names = ("period", "park_id", "reporter", "why")
    wanted, where = _selected(key, names)
    rows = fetch(
        connection, f"FROM quality.gap WHERE {where} ORDER BY park_id", list(wanted.values())
    )
    step = Step(f"缺数园区 {words_of(wanted)}:{len(rows)} 个")
    step.parts = _listed(rows, _gap_line)
    if len(rows) == 1 and rows[0]["basis_period"]:
        step.parts.append(_share(connection, rows[0], prove))
    return step


def _gap_line(row: Row) -> Step:
    file = f",文件 {row['submission_id'][:12]}" if row["submission_id"] else ""
    reason = row["reason"] or "未报"
    return Step(
        f"{row['park_id']}({row['reporter']}):{row['why']}{file};{reason};{row['effect']}",
        ground="file" if row["submission_id"] else "register",
    )


def _share(connection: duckdb.DuckDBPyConnection, row: Row, prove: Prove) -> Step:
    return Step(
        f"比重按 {row['basis_period']} 的 {row['indicator_id']} 计算:占县 "
        f"{plain(row['county_share_pct'])}%、占市 {plain(row['city_share_pct'])}%、"
        f"占省 {plain(row['province_share_pct'])}%",
        [prove(connection, {**row, "period": row["basis_period"]})],
    )
