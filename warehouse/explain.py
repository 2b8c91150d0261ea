"""Proof of a figure: from what is printed down to file, sheet and cell.

Belongs here: following a figure through the tables of the published warehouse. Does not belong here:
printing it (``pipelines.cli``) or anything that changes data.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from warehouse import proof_counts, proof_forecast
from warehouse.proof import CELL_MARK, NotFoundError, Step, audited, plain, words_of
from warehouse.proof_counts import MAX_PARTS
from warehouse.store import fetch
from warehouse.words import (
    BASIS_ZH,
    LIGHT_ZH,
    MEASURE_ZH,
    STATE_ZH,
    VERDICT_ZH,
    rounding_zh,
    yoy_basis_zh,
)

if TYPE_CHECKING:
    import duckdb

__all__ = ["FULL_INPUTS", "NotFoundError", "Step", "explain"]

FULL_INPUTS = 4
"""Figures a figure is computed from that are proved in full; more are listed with their ids."""


def explain(
    connection: duckdb.DuckDBPyConnection,
    words: list[str],
    rules: Mapping[str, frozenset[str]] | None = None,
) -> Step:
    """Proof of a printed figure (one word: its id), of a value (park, indicator, period), a verdict
    (target, area or park, period), a score with its risk (scheme, park, period), or a forecast
    (``nowcast`` before park, indicator, period) or a risk alone (``risk`` before scheme, park, period).

    With ``rules`` (rule id → indicators it names) the audit behind its cells is the last part. Raises
    NotFoundError when the warehouse knows nothing of it.
    """
    step = _asked(connection, words)
    audit = audited(connection, step, rules) if rules is not None else None
    if audit is not None:
        step.parts.append(audit)
    return step


def _asked(connection: duckdb.DuckDBPyConnection, words: list[str]) -> Step:
    if len(words) == 1:
        return _printed_figure(connection, words[0])
    if len(words) == 3 and _is_known(connection, "targets.verdict", "target_id", words[0]):
        return _verdict_asked(connection, *words)
    if len(words) == 3 and _is_known(connection, "assessment.score", "scheme_id", words[0]):
        return _score_asked(connection, *words)
    if len(words) == 3:
        return _value(connection, *words)
    if len(words) == 4 and words[0] in _FORECASTS:
        return _forecast(connection, *words)
    raise NotFoundError(
        "请给出一个数字编号,或 园区 指标 报告期、目标 地区或园区 报告期、考核方案 园区 报告期 三项,"
        "全年推算写 nowcast 园区 指标 报告期,末位风险写 risk 考核方案 园区 报告期;"
        "例:parkwatch explain P001 C01 2020-06"
    )


def _is_known(connection: duckdb.DuckDBPyConnection, table: str, column: str, word: str) -> bool:
    return bool(fetch(connection, f"SELECT 1 AS n FROM {table} WHERE {column} = ? LIMIT 1", [word]))


def _verdict_asked(
    connection: duckdb.DuckDBPyConnection, target_id: str, scope: str, period: str
) -> Step:
    """The verdict of a target on an area, or on a park."""
    rows = fetch(
        connection,
        "SELECT target_id, scope_code, park_id, asof_period FROM targets.verdict "
        "WHERE target_id = $1 AND asof_period = $3 "
        "AND (park_id = $2 OR scope_code = $2 AND coalesce(park_id, '') = '') "
        "ORDER BY scope_code LIMIT 1",
        [target_id, scope, period],
    )
    if not rows:
        raise NotFoundError(
            f"目标 {target_id} 在 {period} 没有对 {scope} 的判定;有判定的地区、园区见:"
            f'parkwatch query "SELECT scope_code, park_id, asof_period FROM targets.verdict '
            f"WHERE target_id = '{target_id}'\""
        )
    return _verdict(connection, rows[0])


def _score_asked(
    connection: duckdb.DuckDBPyConnection, scheme_id: str, park_id: str, period: str
) -> Step:
    """The score of a park under a scheme, then what the end of the year was simulated from."""
    key = {"scheme_id": scheme_id, "park_id": park_id, "asof_period": period}
    step = _score(connection, key)
    if not step.parts:
        raise NotFoundError(
            f"考核方案 {scheme_id} 在 {period} 没有 {park_id} 的得分;见 assessment.score"
        )
    prove = partial(_year, connection)
    risk = proof_forecast.risk(connection, scheme_id, park_id, period, prove)
    if risk is not None:
        step.parts.append(risk)
    return step


_FORECASTS = {"nowcast": proof_forecast.nowcast, "risk": proof_forecast.risk}


def _forecast(
    connection: duckdb.DuckDBPyConnection, what: str, first: str, second: str, period: str
) -> Step:
    step = _FORECASTS[what](connection, first, second, period, partial(_year, connection))
    if step is None:
        raise NotFoundError(
            f"{period} 没有 {first} {second} 的{_FORECAST_WORDS[what]};见 {_FORECAST_TABLES[what]}"
        )
    return step


_FORECAST_WORDS = {"nowcast": "全年推算", "risk": "末位风险"}
_FORECAST_TABLES = {"nowcast": "indicators.nowcast", "risk": "assessment.risk"}


def _year(
    connection: duckdb.DuckDBPyConnection, park_id: str, indicator_id: str, period: str
) -> Step:
    key = {"park_id": park_id, "indicator_id": indicator_id, "asof_period": period}
    return _park_year(connection, key)


_PRINTED = """
SELECT figure.*, (
    SELECT count(*) FROM bulletins.figure AS beside
    WHERE beside.period = figure.period AND beside.audience_id = figure.audience_id
        AND beside.edition = figure.edition
) AS n_beside
FROM bulletins.figure AS figure WHERE figure_id = $figure AND $audience IN ('', audience_id)
QUALIFY row_number() OVER (PARTITION BY audience_id ORDER BY period DESC, edition DESC) = 1
ORDER BY period DESC, n_beside DESC, audience_id
"""


def _printed_figure(connection: duckdb.DuckDBPyConnection, name: str) -> Step:
    """A figure by its id, or by audience/id: every audience's edition numbers its figures the same way,
    and the widest edition is taken where the audience is not said."""
    audience, _, figure_id = name.rpartition("/")
    rows = fetch(connection, _PRINTED, {"figure": figure_id, "audience": audience})
    if not rows:
        raise NotFoundError(
            f"没有编号为 {name} 的数字。通报各数字的编号见 bulletins.figure:"
            'parkwatch query "SELECT audience_id, figure_id, label, text FROM bulletins.figure"'
        )
    figure = rows[0]
    step = _figure(connection, figure)
    step.text += (
        f"({figure['period']} 通报,{figure['audience_id']},第{figure['edition']}版;"
        f"修约:{rounding_zh(figure['rounding'])};未修约值 {plain(figure['value'])})"
    )
    others = [
        r["audience_id"]
        for r in rows
        if (r["label"], r["text"]) != (figure["label"], figure["text"])
    ]
    if others:
        step.text += (
            f"[另有 {len(others)} 个受众的通报用同一编号印别的数,如 {others[0]}/{figure_id}]"
        )
    return step


def _figure(connection: duckdb.DuckDBPyConnection, figure: dict[str, Any]) -> Step:
    """A registered figure: read from a row, or computed from other registered figures."""
    step = Step(_figure_words(figure))
    if figure["formula"]:
        step.text += f",算法 {figure['formula']}"
    if figure["inputs"]:
        step.parts = _inputs(connection, figure)
    elif figure["source_table"]:
        key = json.loads(figure["source_key"] or "{}")
        step.parts = [_row(connection, figure["source_table"], key, figure["figure_period"])]
    return step


def _inputs(connection: duckdb.DuckDBPyConnection, figure: dict[str, Any]) -> list[Step]:
    """The figures a figure was computed from: a few in full, many in one line each with its id."""
    rows = fetch(
        connection,
        "SELECT * FROM bulletins.figure WHERE period = ? AND audience_id = ? AND edition = ? "
        "AND list_contains(?::VARCHAR[], figure_id)",
        [figure["period"], figure["audience_id"], figure["edition"], figure["inputs"]],
    )
    known = {row["figure_id"]: row for row in rows}
    ordered = [known[name] for name in figure["inputs"] if name in known]
    if len(ordered) <= FULL_INPUTS:
        return [_figure(connection, row) for row in ordered]
    steps = [
        Step(f"{_figure_words(row)}(来源:parkwatch explain {row['audience_id']}/{row['figure_id']})",
             asks=(f"{row['audience_id']}/{row['figure_id']}",))
        for row in ordered
    ]  # fmt: skip
    first = next((n for n, row in enumerate(ordered) if row["value"] is not None), 0)
    return proof_counts.example(steps, lambda: _figure(connection, ordered[first]), first)


def _figure_words(figure: dict[str, Any]) -> str:
    unit = figure["unit"] or "" if figure["value"] is not None else ""
    return f"{figure['label']}:{figure['text']}{unit}"


def _row(
    connection: duckdb.DuckDBPyConnection, table: str, key: dict[str, Any], period: str
) -> Step:
    """Proof of the row, or rows, a key selects; ``column`` says which figure of the row is meant.

    ``period`` is the figure's, for tables that are not kept by period (the register of parks).
    """
    key = {name: value for name, value in key.items() if name != "column"}
    verdicts = partial(proof_counts.verdicts, prove=_verdict)
    scores = partial(proof_counts.scores, prove=_score)
    followers: dict[str, Callable[[duckdb.DuckDBPyConnection, dict[str, Any]], Step]] = {
        "indicators.area_year": _area,
        "indicators.area_nowcast": _area_forecast,
        "indicators.track_record": _record_of_errors,
        "assessment.way_out": _way_out,
        "indicators.park_year": _park_year,
        "indicators.park_month": _park_month,
        "targets.verdict": _verdict if "target_id" in key and "scope_code" in key else verdicts,
        "targets.overall": partial(proof_counts.overall, prove=_verdict),
        "assessment.score": _score if "park_id" in key else scores,
        "assessment.watch": _watch if "park_id" in key else scores,
        "submissions.submission": proof_counts.submissions,
        "assessment.risk": partial(proof_counts.chances, prove=_chance),
        "assessment.basis": proof_counts.schemes,
        "quality.gap": partial(proof_counts.gap, prove=_value_of),
        "quality.finding": proof_counts.findings,
        "observations.revision": proof_counts.revisions,
        "dims.region": proof_counts.register,
    }
    follow = followers.get(table)
    if follow is None:
        return Step(f"{table} {words_of(key)}")
    return follow(connection, key | {"period": key.get("period") or period})


def _area_forecast(connection: duckdb.DuckDBPyConnection, key: dict[str, Any]) -> Step:
    return proof_forecast.area(connection, key, partial(_year, connection))


def _record_of_errors(connection: duckdb.DuckDBPyConnection, key: dict[str, Any]) -> Step:
    return proof_forecast.record(connection, key, partial(_year, connection))


def _chance(connection: duckdb.DuckDBPyConnection, key: dict[str, Any]) -> Step:
    return _forecast(connection, "risk", key["scheme_id"], key["park_id"], key["asof_period"])


def _value_of(connection: duckdb.DuckDBPyConnection, key: dict[str, Any]) -> Step:
    return _value(connection, key["park_id"], key["indicator_id"], key["period"])


def _way_out(connection: duckdb.DuckDBPyConnection, key: dict[str, Any]) -> Step:
    """The least change of a lever, and the risk it is reckoned from."""
    step = Step(f"assessment.way_out {words_of(key)}:由末位风险的同一组模拟得出")
    risk = proof_forecast.risk(
        connection, key["scheme_id"], key["park_id"], key["asof_period"], partial(_year, connection)
    )
    step.parts = [risk] if risk is not None else []
    return step


def _area(connection: duckdb.DuckDBPyConnection, key: dict[str, Any]) -> Step:
    rows = fetch(
        connection,
        "SELECT * FROM indicators.area_year WHERE area_code = ? AND scope = ? "
        "AND indicator_id = ? AND asof_period = ?",
        [key["area_code"], key["scope"], key["indicator_id"], key["asof_period"]],
    )
    if not rows:
        return Step(f"indicators.area_year {words_of(key)}:无此行", ground="absence")
    row = rows[0]
    step = Step(
        f"地区合计 {row['area_code']}/{row['scope']} {row['indicator_id']} {row['asof_period']}"
        f" = {plain(row['value'])}(上年同期 {plain(row['value_prior'])},同比 "
        f"{plain(row['yoy_pct'])}%;{row['n_reported']}/{row['n_parks']} 个园区)"
    )
    members = fetch(connection, _MEMBERS, _member_values(row))
    shown = members[:MAX_PARTS]
    with _looked_up(connection, shown, row["asof_period"]):
        for member in shown:
            step.parts.append(_park_year(connection, {**member, "asof_period": row["asof_period"]}))
    if len(members) > MAX_PARTS:
        step.parts.append(Step(f"……另有 {len(members) - MAX_PARTS} 个园区"))
    if not members:
        code = {"code": row["area_code"], "period": row["asof_period"]}
        step.parts = [Step("各园区均没有数值", ground="absence")]
        step.parts.append(proof_counts.register(connection, code))
    return step


_MEMBERS = """
SELECT DISTINCT figure.park_id, part.indicator_id
FROM indicators.park_year AS figure
JOIN (SELECT unnest($indicators::VARCHAR[]) AS indicator_id) AS part USING (indicator_id)
JOIN dims.park AS park USING (park_id)
WHERE figure.asof_period = $asof AND figure.value IS NOT NULL
    AND park.valid_from <= last_day(($asof || '-01')::DATE)
    AND (park.valid_to IS NULL OR park.valid_to > last_day(($asof || '-01')::DATE))
    AND coalesce(park.status, 'active') = 'active'
    AND CASE $level
        WHEN 'county' THEN coalesce(park.home_county_code, park.county_code)
        WHEN 'city' THEN park.city_code
        ELSE park.province_code
    END = $area
    AND CASE $scope WHEN 'key' THEN park.is_key WHEN 'demonstration' THEN park.is_demonstration
        ELSE true END
ORDER BY part.indicator_id, figure.park_id
"""


@dataclass(slots=True)
class _LookedUp:
    """Rows of many parks fetched at once: a total over parks asks for the same of each."""

    period: str
    years: dict[tuple[str, str], list[dict[str, Any]]]
    names: dict[str, list[dict[str, Any]]]
    indicators: dict[str, list[dict[str, Any]]]
    observations: dict[tuple[str, str], list[dict[str, Any]]]


_looked: ContextVar[_LookedUp | None] = ContextVar("looked", default=None)


@contextmanager
def _looked_up(
    connection: duckdb.DuckDBPyConnection, members: list[dict[str, Any]], period: str
) -> Iterator[None]:
    """Within this, what the proofs of these parks at ``period`` need is looked up once."""
    indicators = {r["indicator_id"]: [r] for r in fetch(connection, "FROM dims.indicator")}
    wanted = _with_parts({member["indicator_id"] for member in members}, indicators)
    values = {"parks": sorted({m["park_id"] for m in members}), "indicators": sorted(wanted)}
    found = _LookedUp(period, {}, {}, indicators, {})
    for row in fetch(
        connection,
        "FROM indicators.park_year WHERE asof_period = $period "
        "AND list_contains($parks::VARCHAR[], park_id) "
        "AND list_contains($indicators::VARCHAR[], indicator_id)",
        values | {"period": period},
    ):
        found.years.setdefault((row["park_id"], row["indicator_id"]), []).append(row)
    for row in fetch(connection, _NAMES, [period]):
        found.names[row["park_id"]] = [row]
    for row in fetch(connection, _OBSERVATIONS_OF_MANY, values | {"period": period}):
        found.observations.setdefault((row["park_id"], row["indicator_id"]), []).append(row)
    token = _looked.set(found)
    try:
        yield
    finally:
        _looked.reset(token)


def _with_parts(wanted: set[str], indicators: dict[str, list[dict[str, Any]]]) -> set[str]:
    """These indicators and, through their formulas, all they are computed from."""
    from warehouse.catalog import expression

    found: set[str] = set()
    waiting = [*wanted]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        formula = indicators[name][0]["formula"] if name in indicators else None
        if formula:
            waiting += sorted(expression.identifiers(expression.parse(formula)))
    return found


_NAMES = """
SELECT park_id, coalesce(short_name, name) AS name FROM dims.park
QUALIFY row_number() OVER (
    PARTITION BY park_id
    ORDER BY valid_from <= last_day(($1 || '-01')::DATE) DESC, valid_from DESC
) = 1
"""


def _member_values(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "indicators": [row["indicator_id"]],
        "asof": row["asof_period"],
        "level": row["area_level"],
        "area": row["area_code"],
        "scope": row["scope"],
    }


def _park_year(connection: duckdb.DuckDBPyConnection, key: dict[str, Any]) -> Step:
    values = [key["park_id"], key["indicator_id"], key["asof_period"]]
    known = _looked.get()
    if known is not None and known.period == values[2]:
        rows = known.years.get((values[0], values[1]), [])
    else:
        rows = fetch(
            connection,
            "SELECT * FROM indicators.park_year "
            "WHERE park_id = ? AND indicator_id = ? AND asof_period = ?",
            values,
        )
    if not rows:
        try:
            return _value(connection, *values)
        except NotFoundError:
            return Step(f"{values[0]} {values[1]} {values[2]}:没有数值", ground="absence")
    row = rows[0]
    step = Step(
        f"{_park_name(connection, row['park_id'], row['asof_period'])} {row['indicator_id']} "
        f"{row['year']}年(截至 {row['asof_period']},{BASIS_ZH[row['basis']]}) = {plain(row['value'])}"
        + (
            f",同比 {plain(row['yoy_pct'])}%({yoy_basis_zh(row['yoy_basis'])})"
            if row["yoy_pct"] is not None
            else ""
        )
    )
    step.parts.append(_park_month(connection, {**key, "period": row["asof_period"]}))
    return step


def _park_month(connection: duckdb.DuckDBPyConnection, key: dict[str, Any]) -> Step:
    park_id, indicator_id, period = key["park_id"], key["indicator_id"], key["period"]
    known = _looked.get()
    if known is not None and indicator_id in known.indicators:
        indicator = known.indicators[indicator_id][0]
    else:
        indicator = fetch(connection, "FROM dims.indicator WHERE indicator_id = ?", [indicator_id])[
            0
        ]
    if indicator["formula"] and indicator["over_time"] == "formula":
        return _formula(connection, indicator, park_id, period)
    step = Step(f"{indicator_id} {indicator['name_zh']}({indicator['unit']})的观测值:")
    scope = {"sum": "<=", "mean": "<=", "last": "<="}.get(indicator["over_time"], "=")
    step.parts = _observations(connection, park_id, indicator_id, period, scope)
    if indicator["over_time"] == "last" and step.parts:
        step.parts = step.parts[-1:]  # a stock rests on the newest one only
    if not step.parts:
        step.parts = _unreported(connection, indicator, park_id, period)
    return step


def _unreported(
    connection: duckdb.DuckDBPyConnection, indicator: dict[str, Any], park_id: str, period: str
) -> list[Step]:
    """What a figure no return holds comes from: the register, or rows entered with their source."""
    indicator_id = indicator["indicator_id"]
    if indicator["counted"]:
        words = _REGISTER_WORDS.get(indicator["counted"], indicator["counted"])
        return [Step(f"按园区名录计数({words}),{period} 末在册,不需填报", ground="register")]
    entered = fetch(
        connection,
        "SELECT file, line FROM targets.input WHERE park_id = ? AND indicator_id = ? "
        "AND left(figure_period, 4) = left(?, 4) AND figure_period <= ? ORDER BY file, line",
        [park_id, indicator_id, period, period],
    )
    rows = fetch(
        connection,
        "SELECT 1 AS n FROM indicators.park_month WHERE park_id = ? AND indicator_id = ? "
        "AND period = ? AND value_ytd IS NOT NULL",
        [park_id, indicator_id, period],
    )
    if entered:
        return [_entered(connection, row["file"], int(row["line"])) for row in entered]
    return [] if rows else [Step("没有观测值", ground="absence")]


_REGISTER_WORDS = {"parks": "园区", "is_key": "重点园区", "is_demonstration": "示范园区"}


def _formula(
    connection: duckdb.DuckDBPyConnection, indicator: dict[str, Any], park_id: str, period: str
) -> Step:
    from warehouse.catalog import expression

    step = Step(f"{indicator['indicator_id']} {indicator['name_zh']} = {indicator['formula']}")
    for part in sorted(expression.identifiers(expression.parse(indicator["formula"]))):
        key = {"park_id": park_id, "indicator_id": part, "asof_period": period}
        step.parts.append(_park_year(connection, key))
    return step


_WITH_CELLS = """
SELECT observation.*, cell.raw_text, cell.unit_raw, cell.unit_factor, cell.unit_evidence, cell.head,
       cell.layout_id, cell.layout_rule, submission.file_name, submission.reporter, submission.received_at
FROM observations.observation AS observation
LEFT JOIN submissions.cell AS cell
    ON cell.submission_id = observation.submission_id AND cell.sheet = observation.sheet
    AND cell.address = observation.address AND cell.indicator_id = observation.indicator_id
    AND cell.measure = observation.measure AND cell.period = observation.period
LEFT JOIN submissions.submission AS submission
    ON submission.submission_id = observation.submission_id
"""
_ONE_SERIES = (
    _WITH_CELLS
    + """
WHERE observation.park_id = $1 AND observation.indicator_id = $2
    AND observation.period {scope} $3 AND left(observation.period, 4) = left($3, 4)
ORDER BY observation.period, observation.measure, observation.known_from
"""
)
_OBSERVATIONS_OF_MANY = (
    _WITH_CELLS
    + """
WHERE list_contains($parks::VARCHAR[], observation.park_id)
    AND list_contains($indicators::VARCHAR[], observation.indicator_id)
    AND observation.period <= $period AND left(observation.period, 4) = left($period, 4)
ORDER BY observation.period, observation.measure, observation.known_from
"""
)


def _observations(
    connection: duckdb.DuckDBPyConnection, park_id: str, indicator_id: str, period: str, scope: str
) -> list[Step]:
    known = _looked.get()
    if known is not None and known.period == period:
        rows = known.observations.get((park_id, indicator_id), [])
        rows = [row for row in rows if scope == "<=" or row["period"] == period]
    else:
        rows = fetch(connection, _ONE_SERIES.format(scope=scope), [park_id, indicator_id, period])
    return [_observation(row) for row in rows]


def _observation(row: dict[str, Any]) -> Step:
    until = f" 至 {row['known_to']} UTC" if row["known_to"] else " 起"
    step = Step(
        f"{row['period']} {MEASURE_ZH[row['measure']]} = {plain(row['value'])}"
        f"({STATE_ZH[row['state']]};知悉 {row['known_from']} UTC{until})"
    )
    factor = f",×{row['unit_factor']}" if row["unit_factor"] not in (None, "1") else ""
    step.parts.append(
        Step(
            f"{CELL_MARK}文件“{row['file_name']}” 工作表“{row['sheet']}” {row['address']}"
            f" 原文“{row['raw_text']}”(表头 {row['head']};单位 {row['unit_raw'] or '—'}{factor},"
            f"依据 {row['unit_evidence'] or '—'};版式 {row['layout_id']} {row['layout_rule'] or '—'};"
            f"填报单位 {row['reporter']};收到 {row['received_at']} UTC;摘要 {row['submission_id'][:12]})",
            place=tuple(str(row[name]) for name in _PLACE),
        )
    )
    return step


_PLACE = ("submission_id", "sheet", "address", "indicator_id", "period")


def _value(
    connection: duckdb.DuckDBPyConnection, park_id: str, indicator_id: str, period: str
) -> Step:
    rows = fetch(
        connection,
        "SELECT * FROM indicators.park_month WHERE park_id = ? AND indicator_id = ? AND period = ?",
        [park_id, indicator_id, period],
    )
    if not rows:
        raise NotFoundError(
            f"没有 园区 {park_id} 指标 {indicator_id} 报告期 {period} 的数值;"
            "园区、指标编号见 dims.park、dims.indicator"
        )
    row = rows[0]
    growth = (
        f",同比 {plain(row['yoy_pct'])}%({yoy_basis_zh(row['yoy_basis'])},"
        f"上年同期 {plain(row['value_prior'])})"
        if row["yoy_pct"] is not None
        else ""
    )
    step = Step(
        f"{_park_name(connection, park_id, period)} {indicator_id} {period}"
        f":累计 {plain(row['value_ytd'])},当月 {plain(row['value_month'])}{growth}"
    )
    step.parts.append(
        _park_month(
            connection, {"park_id": park_id, "indicator_id": indicator_id, "period": period}
        )
    )
    return step


def _verdict(connection: duckdb.DuckDBPyConnection, key: dict[str, Any]) -> Step:
    rows = fetch(
        connection,
        "SELECT verdict.*, target.doc_no, target.clause, target.quote FROM targets.verdict "
        "LEFT JOIN dims.target USING (target_id) WHERE target_id = ? AND asof_period = ? "
        "AND verdict.park_id IS NOT DISTINCT FROM ? AND verdict.scope_code IS NOT DISTINCT FROM ?",
        [key["target_id"], key["asof_period"], key.get("park_id") or "", key.get("scope_code")],
    )
    if not rows:
        return Step(f"targets.verdict {words_of(key)}:无此行")
    row = rows[0]
    step = Step(
        f"{row['target_id']} {row['doc_no']} {row['clause']}“{row['quote']}”:"
        f"{VERDICT_ZH[row['verdict']]}({LIGHT_ZH[row['light']]}),{row['reason']}"
    )
    step.parts = _verdict_inputs(connection, row["figure_ids"] or [])
    if not step.parts and row["actual"] is None:
        step.ground = "clause"
    return step


def _verdict_inputs(connection: duckdb.DuckDBPyConnection, names: list[str]) -> list[Step]:
    """Inputs of a verdict in their order; figures of parks at one period are looked up at once."""
    steps: list[Step] = []
    for period, group in groupby(names[:MAX_PARTS], _period_of_park):
        if period is None:
            steps += [_input(connection, name) for name in group]
            continue
        inputs = [*group]
        members = [dict(zip(_PARK, name.split("/"), strict=True)) for name in inputs]
        with _looked_up(connection, members, period):
            steps += [_input(connection, name) for name in inputs]
    if len(names) > MAX_PARTS:
        steps.append(Step(f"……另有 {len(names) - MAX_PARTS} 个依据"))
    return steps


_PARK = ("park_id", "indicator_id", "asof_period")


def _period_of_park(name: str) -> str | None:
    """The period of an input that is a park's figure."""
    words = name.split("/")
    return words[2] if len(words) == len(_PARK) and words[0] != "input" else None


def _input(connection: duckdb.DuckDBPyConnection, figure_id: str) -> Step:
    """An input named ``park/indicator/period`` or ``area/indicator/scope/period``."""
    words = figure_id.split("/")
    if words[0] == "input" and len(words) == 3:
        return _entered(connection, words[1], int(words[2]))
    if len(words) == 3:
        return _park_year(connection, dict(zip(_PARK, words, strict=True)))
    area = ("area_code", "indicator_id", "scope", "asof_period")
    return _area(connection, dict(zip(area, words, strict=True)))


def _entered(connection: duckdb.DuckDBPyConnection, file: str, line: int) -> Step:
    """A row of an input file or of the ledger of findings."""
    rows = fetch(connection, "FROM targets.input WHERE file = ? AND line = ?", [file, line])
    if not rows:
        return Step(f"补录 {file} 第{line}行:已不在现有补录数据中")
    row = rows[0]
    what = row["text"] if row["value"] is None else f"{plain(row['value'])}{row['unit']}"
    thing = row["target_id"] or f"{row['indicator_id']} {row['area_code'] or row['park_id']}"
    day = f",{row['entered_on']}" if row["entered_on"] else ""
    return Step(
        f"补录 {file} 第{line}行:{thing} {row['figure_period']} {what},"
        f"来源 {row['source']},{row['entered_by']}{day}",
        ground="entered",
    )


def _score(connection: duckdb.DuckDBPyConnection, key: dict[str, Any]) -> Step:
    values = [key["scheme_id"], key["asof_period"], key["park_id"]]
    rows = fetch(
        connection,
        "FROM assessment.score WHERE scheme_id = ? AND asof_period = ? AND park_id = ?",
        values,
    )
    if not rows:
        return Step(f"assessment.score {words_of(key)}:无此行")
    row = rows[0]
    step = Step(
        f"方案 {row['scheme_id']} 组 {row['class_id']} {row['park_id']}:得分 {plain(row['score'])},"
        f"第{row['rank']}名/{row['n']}(模拟名次,非正式考核结果)"
    )
    details = fetch(
        connection,
        "FROM assessment.score_detail WHERE scheme_id = ? AND asof_period = ? AND park_id = ? "
        "ORDER BY indicator_id",
        values,
    )
    for detail in details:
        part = Step(
            f"{detail['indicator_id']} 原值 {plain(detail['raw'])} → {plain(detail['normalised'])} "
            f"× 权重 {plain(detail['weight'])} = {plain(detail['points'])} 分({detail['note'] or ''})"
        )
        if detail["measure"] in ("adjustment", "penalty"):
            part.parts += _confirmed(connection, row, detail["indicator_id"])
            step.parts.append(part)
            continue
        indicator_id = detail["indicator_id"].split(".")[0]
        part.parts.append(
            _park_year(
                connection,
                {
                    "park_id": row["park_id"],
                    "indicator_id": indicator_id,
                    "asof_period": row["asof_period"],
                },
            )
        )
        step.parts.append(part)
    return step


def _confirmed(
    connection: duckdb.DuckDBPyConnection, row: dict[str, Any], event: str
) -> list[Step]:
    """The confirmed events behind points added or taken."""
    found = fetch(
        connection,
        "FROM assessment.outcome WHERE scheme_id = ? AND park_id = ? AND year = ? AND what = ? "
        "AND kind = 'event' ORDER BY outcome_id",
        [row["scheme_id"], row["park_id"], row["year"], event],
    )
    return [
        Step(
            f"登记 {one['outcome_id']}:{one['year']}年 {event} {plain(one['count'])},"
            f"依据 {one['document']}",
            ground="event",
        )
        for one in found
    ]


def _watch(connection: duckdb.DuckDBPyConnection, key: dict[str, Any]) -> Step:
    """The watch list over the periods of the year for one park, then its score now."""
    rows = fetch(
        connection,
        "FROM assessment.watch WHERE scheme_id = $scheme_id AND park_id = $park_id "
        "AND asof_period <= $asof AND left(asof_period, 4) = left($asof, 4) ORDER BY asof_period",
        {"scheme_id": key["scheme_id"], "park_id": key["park_id"], "asof": key["asof_period"]},
    )
    step = Step(f"末位风险名单 {key['scheme_id']} {key['park_id']} 至 {key['asof_period']}")
    step.parts = [
        Step(f"{r['asof_period']}:模拟名次 {r['simulated_rank'] or '—'},连续 {r['streak']} 期,"
             f"{LIGHT_ZH[r['light']]};{r['triggers']}")
        for r in rows
    ]  # fmt: skip
    step.parts.append(_score(connection, key))
    return step


def _park_name(connection: duckdb.DuckDBPyConnection, park_id: str, period: str) -> str:
    known = _looked.get()
    if known is not None and known.period == period:
        rows = known.names.get(park_id, [])
    else:
        rows = fetch(
            connection, f"SELECT name FROM ({_NAMES}) WHERE park_id = $2", [period, park_id]
        )
    return f"{rows[0]['name']}({park_id})" if rows else park_id
