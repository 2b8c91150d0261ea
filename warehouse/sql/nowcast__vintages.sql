-- Every version of one indicator's figures up to a report period, as known at $asof: the first release
-- (version 1) and what replaced it; a figure withdrawn without a successor ends in an empty version.
-- unit numbers the parks in the order of their ids; known is the origin (year·12 + month) that sees
-- the version: what came in during a month serves the period of the month before.
CREATE OR REPLACE TEMP TABLE nowcast_version AS
WITH fact AS (
    SELECT
        park.id AS park_id,
        fact.period,
        fact.known_from,
        fact.known_to,
        coalesce(fact.short_value::DECIMAL(28, 8), fact.value) AS value,
        lead(fact.known_from) OVER later AS next_from,
        row_number() OVER later AS version
    FROM internal.observation_fact AS fact
    JOIN internal.key AS park ON park.domain = 'park' AND park.key = fact.park_key
    WHERE
        fact.indicator_key = (
            SELECT key FROM internal.key WHERE domain = 'indicator' AND id = $indicator
        )
        AND fact.measure_key = (SELECT key FROM internal.key WHERE domain = 'measure' AND id = $measure)
        AND fact.known_from <= $asof::TIMESTAMP
        AND fact.period BETWEEN $first * 100 AND $last
    WINDOW later AS (PARTITION BY fact.park_key, fact.period ORDER BY fact.known_from)
),

ended AS (
    SELECT
        park_id,
        period,
        known_to AS known_from,
        NULL AS value,
        version + 1 AS version
    FROM fact
    WHERE known_to <= $asof::TIMESTAMP AND (next_from IS NULL OR next_from > known_to)
)

SELECT
    park_id,
    (period // 100)::INTEGER AS year,
    (period % 100)::INTEGER AS month,
    (year(known_from) * 12 + month(known_from) - 1)::INTEGER AS known,
    known_from,
    version,
    value::DOUBLE AS value
FROM (
    SELECT park_id, period, known_from, value, version FROM fact
    UNION ALL
    SELECT park_id, period, known_from, value, version FROM ended
)
