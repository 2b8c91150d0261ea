"""Selection of judgements (选判定): verdicts, scores, ranks and triggers of the audience's scope.

Belongs here: the queries on targets and assessment, and the catalogue's words for them. Does not
belong here: figures (``select_figures``), or what an audience may see (``select``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assets.assessment.eligibility import ONE_CLASS
from assets.assessment.elimination import place_count
from assets.assessment.watch import LAST_K, REPEATED, RISK, trigger_words
from assets.bulletins import data
from assets.bulletins.figures import WHOLE_UNITS
from assets.bulletins.select_figures import PARKS, Months, values_of
from warehouse import store

if TYPE_CHECKING:
    import duckdb

    from assets.build import Build
    from assets.bulletins.scope import Scope
    from warehouse.catalog.models import Target

GROUP_WORDS = {"key": "重点园区", "demonstration": "示范园区"}
"""Published lists of parks a clause or scheme may be about, as titles call them."""
WEAK_SHOWN = 2
"""Indicators named as those in which a park lies farthest below its class."""

# --- verdicts --------------------------------------------------------------------------------

_VERDICTS = """
SELECT verdict.*, verdict.required AS target_value, park.name AS park_name, park.province_code,
       park.city_code, coalesce(nullif(park.home_county_code, ''), park.county_code) AS county_code
FROM targets.verdict AS verdict
LEFT JOIN dims.park AS park
    ON park.park_id = verdict.park_id AND park.valid_from <= $day
    AND coalesce(park.valid_to, DATE '9999-12-31') > $day
WHERE verdict.asof_period = $period
ORDER BY verdict.target_id, verdict.scope_code, verdict.park_id
"""


def verdicts(
    connection: duckdb.DuckDBPyConnection, build: Build, period: str, scope: Scope
) -> tuple[data.VerdictRow, ...]:
    """Verdicts on the scope, on areas inside it and on parks inside it, with their clauses.

    A document of a city appears in the province's bulletin under its own number; a clause of the
    province about each park appears in a city's bulletin with the city's parks only.
    """
    rows = store.fetch(connection, _VERDICTS, {"period": period, "day": scope.day})
    inside = [
        row
        for row in rows
        if (scope.code in _places(row) if row["park_id"] else scope.holds(row["scope_code"]))
        and not build.catalog.target(row["target_id"]).internal
    ]
    filled = [row | _clause(build, build.catalog.target(row["target_id"]), row, scope)
              for row in inside]  # fmt: skip
    return data.rows_of(data.VerdictRow, filled, "targets.verdict")


def _places(row: dict[str, Any]) -> tuple[str | None, ...]:
    return (row["province_code"], row["city_code"], row["county_code"])


def _clause(build: Build, target: Target, row: dict[str, Any], scope: Scope) -> dict[str, Any]:
    """What the catalogue says of the clause a verdict is about."""
    document = build.catalog.document(target.document_id)
    each = bool(row["park_id"]) or row["scope_code"] != target.scope_code
    member = row["park_name"] if row["park_id"] else scope.name(row["scope_code"])
    return {
        "document_id": document.document_id,
        "document_scope_code": document.region_code,
        "document_scope_name": scope.name(document.region_code),
        "doc_no": document.doc_no,
        "clause": target.clause,
        "title": GROUP_WORDS.get(target.filter.group, "") + target.indicator_name,
        "subject": target.subject,
        "comparator": target.comparator,
        "restated": target.restates is not None,
        "park_id": row["park_id"] or None,
        "each": each,
        "member": member if each else "",
        "unit": _per_what(target.unit, row["unit"] or ""),
    }


def _per_what(asked: str, unit: str) -> str:
    """户/园 where the clause asks for an average; the warehouse keeps the figure in 户."""
    _, slash, per = asked.partition("/")
    return f"{unit}/{per}" if slash and unit in WHOLE_UNITS else unit


# --- overall lights ------------------------------------------------------------------------------


def overall(
    connection: duckdb.DuckDBPyConnection, period: str, scope: Scope
) -> tuple[data.OverallRow, ...]:
    """The one light of every topic that is about the scope itself."""
    rows = store.fetch(
        connection,
        "SELECT *, len(conflict_ids) AS n_conflicts FROM targets.overall "
        "WHERE asof_period = ? AND scope_code = ? AND park_id = '' ORDER BY topic",
        [period, scope.code],
    )
    return data.rows_of(data.OverallRow, rows, "targets.overall")


# --- how past statements came out ----------------------------------------------------------------


def records(
    connection: duckdb.DuckDBPyConnection, wanted: Sequence[data.Indicator], period: str
) -> tuple[data.RecordRow, ...]:
    """What became of forecasts made after the same month of closed years, for the shown indicators."""
    order = {indicator.indicator_id: place for place, indicator in enumerate(wanted)}
    names = {indicator.indicator_id: indicator.name_zh for indicator in wanted}
    rows = store.fetch(
        connection,
        "SELECT * FROM indicators.track_record WHERE year = ? AND month = ?",
        [int(period[:4]), int(period[5:7])],
    )
    kept = [
        row | {"name": names[row["indicator_id"]]} for row in rows if row["indicator_id"] in order
    ]
    kept.sort(key=lambda row: order[row["indicator_id"]])
    return data.rows_of(data.RecordRow, kept, "indicators.track_record")


# --- scores ----------------------------------------------------------------------------------

_SCORES = f"""
WITH {PARKS},

-- Parks without a figure that others of their class have; what nobody has is nobody's gap.
bridged AS (
    SELECT DISTINCT scheme_id, class_id, park_id
    FROM (
        SELECT *, count(raw) OVER (
            PARTITION BY scheme_id, class_id, indicator_id, measure
        ) AS n_known
        FROM assessment.score_detail
        WHERE asof_period = $period
    )
    WHERE raw IS NULL AND n_known > 0
)

SELECT
    score.*,
    park.name AS park_name,
    park.county_code,
    park.city_code,
    former.rank AS previous_rank,
    watch.streak,
    coalesce(watch.light, 'grey') AS light,
    coalesce(list_contains(watch.trigger_ids, $last_k_id), false) AS in_last_k,
    bridged.park_id IS NULL AS complete,
    watch.p_last_k,
    watch.rank_p10,
    watch.rank_p90,
    watch.not_distinguishable,
    coalesce(watch.change, '') AS change,
    risk.calibrated_pct,
    risk.draws
FROM assessment.score AS score
JOIN park USING (park_id)
LEFT JOIN assessment.score AS former
    ON former.scheme_id = score.scheme_id AND former.class_id = score.class_id
    AND former.park_id = score.park_id AND former.asof_period = $previous
LEFT JOIN assessment.watch AS watch
    ON watch.scheme_id = score.scheme_id AND watch.class_id = score.class_id
    AND watch.park_id = score.park_id AND watch.asof_period = score.asof_period
LEFT JOIN assessment.risk AS risk
    ON risk.scheme_id = score.scheme_id AND risk.class_id = score.class_id
    AND risk.park_id = score.park_id AND risk.asof_period = score.asof_period
LEFT JOIN bridged
    ON bridged.scheme_id = score.scheme_id AND bridged.class_id = score.class_id
    AND bridged.park_id = score.park_id
WHERE score.asof_period = $period
ORDER BY score.scheme_id, score.class_id, score.rank, score.park_id
"""


def schemes(build: Build) -> tuple[data.Scheme, ...]:
    """The schemes, each with the note that says where its parameters come from."""
    return tuple(
        data.Scheme(
            scheme_id=scheme.scheme_id,
            name=scheme.title,
            short=GROUP_WORDS.get(scheme.who.group, ""),
            note=scheme.label,
            red_chance=scheme.watch.red_probability,
            watch_chance=scheme.watch.watch_probability,
            least_calibrated=scheme.watch.calibrated_pct,
        )
        for scheme in build.catalog.schemes
    )


def scores(
    connection: duckdb.DuckDBPyConnection, build: Build, months: Months, scope: Scope
) -> tuple[data.ScoreRow, ...]:
    """Scores of the scope's parks; ``n`` and ``rank`` stay those of the whole class."""
    period, previous = months
    values = values_of(scope, period) | {"previous": previous, "last_k_id": LAST_K}
    rows = store.fetch(connection, _SCORES, values)
    weak = _weak(connection, build, period)
    for row in rows:
        scheme = build.catalog.scheme(row["scheme_id"])
        row["class_name"] = class_name(scheme, row["class_id"])
        rule = scheme.elimination
        row["last_k"] = place_count(rule, row["n"]) if rule else None
        row["county_name"] = scope.names.get(row["county_code"] or "", "")
        city = row["city_code"] if scope.level == "province" else ""  # one city needs no name
        row["city_name"] = scope.names.get(city or "", "")
        row["exclusion_reason"] = short_reason(row["exclusion_reason"])
        row["weak"] = weak.get((row["scheme_id"], row["park_id"]), ())
    return data.rows_of(data.ScoreRow, rows, "assessment.score")


def short_reason(reason: str | None) -> str | None:
    """The reason's first statement: what is missing one by one stands in the score's details."""
    return re.split("[；（]", reason)[0] or reason if reason else None


def class_name(scheme: Any, class_id: str) -> str:
    """Title of a class; empty where a scheme has only one."""
    return "" if class_id == ONE_CLASS else str(scheme.classes.title_of(class_id))


_WEAK = """
SELECT *
FROM (
    SELECT scheme_id, park_id, indicator_id, measure,
           avg(points) OVER (PARTITION BY scheme_id, class_id, indicator_id, measure) - points AS below
    FROM assessment.score_detail
    WHERE asof_period = ? AND points IS NOT NULL AND measure NOT IN ('adjustment', 'penalty')
)
WHERE below > 0
ORDER BY scheme_id, park_id, round(below, 6) DESC, indicator_id, measure
"""


def _weak(
    connection: duckdb.DuckDBPyConnection, build: Build, period: str
) -> dict[tuple[str, str], tuple[str, ...]]:
    """(scheme, park) → indicators with the points farthest below the class mean, worst first."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in store.fetch(connection, _WEAK, [period]):
        key = (row["scheme_id"], row["park_id"])
        if len(found.get(key, ())) < WEAK_SHOWN:
            name = build.catalog.indicator(row["indicator_id"].split(".")[0]).name_zh
            growth = "增速" if row["measure"] == "growth" else ""
            found[key] = (*found.get(key, ()), f"{name}{growth}")
    return found


# --- ways out ------------------------------------------------------------------------------------

_WAYS = f"""
WITH {PARKS}

SELECT way.*, park.name AS park_name, indicator.name_zh AS lever_name
FROM assessment.way_out AS way
JOIN park USING (park_id)
JOIN assessment.watch AS watch
    ON watch.scheme_id = way.scheme_id AND watch.class_id = way.class_id
    AND watch.park_id = way.park_id AND watch.asof_period = way.asof_period
LEFT JOIN dims.indicator AS indicator ON indicator.indicator_id = way.lever
WHERE way.asof_period = $period AND watch.p_last_k IS NOT NULL
ORDER BY way.scheme_id, way.class_id, way.park_id, way.lever
"""


def ways(
    connection: duckdb.DuckDBPyConnection, period: str, scope: Scope
) -> tuple[data.WayRow, ...]:
    """The least changes that leave the last places, where the chance of them is printed at all. Ask
    only for audiences that assess."""
    rows = store.fetch(connection, _WAYS, values_of(scope, period))
    for row in rows:
        row["lever_name"] = row["lever_name"] or "各项指标同时改善"
    return data.rows_of(data.WayRow, rows, "assessment.way_out")


# --- triggers --------------------------------------------------------------------------------

_TRIGGERS = f"""
WITH {PARKS}

SELECT watch.scheme_id, watch.park_id, unnest(watch.trigger_ids) AS trigger_id
FROM assessment.watch AS watch
JOIN park USING (park_id)
WHERE watch.asof_period = $period
ORDER BY ALL
"""


def triggers(
    connection: duckdb.DuckDBPyConnection, build: Build, period: str, scope: Scope
) -> tuple[data.TriggerRow, ...]:
    """The rules that fired for parks of the scope, in the words of the watch list."""
    words = {scheme.scheme_id: trigger_words(scheme.watch) for scheme in build.catalog.schemes}
    rows = store.fetch(connection, _TRIGGERS, values_of(scope, period))
    filled = [
        row
        | {
            "label": words[row["scheme_id"]][row["trigger_id"]],
            "shown_elsewhere": row["trigger_id"] in (LAST_K, REPEATED, RISK),
        }
        for row in rows
    ]
    return data.rows_of(data.TriggerRow, filled, "assessment.watch")
