-- Keep the vintages of the affected periods (temporary table `vintage`, readable ids) as facts with
-- integer keys. First versions stand before later ones: what a file brings together stays together and
-- packs well. Ids seen for the first time get the next keys of their domain.
INSERT INTO internal.key
WITH said AS (
    SELECT *, regexp_extract(address, '^([A-Z]{1,3})[1-9][0-9]{0,8}$', 1) AS letters FROM vintage
),

-- one pass over the vintages; each set of rows has one of the ids
used AS (
    SELECT
        unnest([
            {'domain': 'park', 'id': park_id},
            {'domain': 'indicator', 'id': indicator_id},
            {'domain': 'measure', 'id': measure},
            {'domain': 'state', 'id': state},
            {'domain': 'maturity', 'id': maturity},
            {'domain': 'submission', 'id': submission_id},
            {'domain': 'sheet', 'id': sheet},
            {'domain': 'column', 'id': letters},
            {'domain': 'source', 'id': source_id}
        ], recursive := true)
    FROM said
    GROUP BY GROUPING SETS (
        (park_id), (indicator_id), (measure), (state), (maturity), (submission_id), (sheet), (letters), (source_id)
    )
),

last_key AS (SELECT domain, max(key) AS key FROM internal.key GROUP BY domain)

SELECT
    used.domain,
    coalesce(last_key.key, 0) + row_number() OVER (PARTITION BY used.domain ORDER BY used.id) AS key,
    used.id
FROM used
LEFT JOIN last_key USING (domain)
WHERE
    used.id <> ''
    AND NOT EXISTS (
        SELECT 1 FROM internal.key AS known WHERE known.domain = used.domain AND known.id = used.id
    )
ORDER BY used.domain, used.id;

DELETE FROM internal.observation_fact
WHERE period IN (SELECT replace(period, '-', '')::INTEGER FROM internal.affected_period);

INSERT INTO internal.observation_fact BY NAME
WITH placed AS (
    SELECT
        *,
        regexp_extract(address, '^([A-Z]{1,3})[1-9][0-9]{0,8}$', 1) AS letters,
        -- by way of 64 bits where the value fits: DuckDB 1.5.5 takes twenty times as long to shorten 128
        coalesce(
            try_cast(try_cast(value AS DECIMAL(18, 8)) AS DECIMAL(18, 2)), try_cast(value AS DECIMAL(18, 2))
        ) AS short_value
    FROM vintage
)

SELECT
    park.key AS park_key,
    indicator.key AS indicator_key,
    replace(placed.period, '-', '')::INTEGER AS period,
    measure.key AS measure_key,
    placed.known_from,
    placed.known_to,
    CASE WHEN placed.short_value IS DISTINCT FROM placed.value THEN placed.value END AS value,
    CASE WHEN placed.short_value = placed.value THEN placed.short_value END AS short_value,
    state.key AS state_key,
    maturity.key AS maturity_key,
    submission.key AS submission_key,
    sheet.key AS sheet_key,
    CASE WHEN letters.key IS NULL THEN placed.address ELSE '' END AS address,
    letters.key AS column_key,
    CASE WHEN letters.key IS NOT NULL THEN substr(placed.address, length(placed.letters) + 1)::INTEGER END AS row_number
FROM placed
JOIN internal.key AS park ON park.domain = 'park' AND park.id = placed.park_id
JOIN internal.key AS indicator ON indicator.domain = 'indicator' AND indicator.id = placed.indicator_id
JOIN internal.key AS measure ON measure.domain = 'measure' AND measure.id = placed.measure
JOIN internal.key AS state ON state.domain = 'state' AND state.id = placed.state
JOIN internal.key AS submission ON submission.domain = 'submission' AND submission.id = placed.submission_id
JOIN internal.key AS sheet ON sheet.domain = 'sheet' AND sheet.id = placed.sheet
LEFT JOIN internal.key AS letters ON letters.domain = 'column' AND letters.id = placed.letters
LEFT JOIN internal.key AS maturity ON maturity.domain = 'maturity' AND maturity.id = placed.maturity
ORDER BY period, placed.version, park_key, indicator_key, measure_key;

-- Periods are keys by their number, so that a look at one month reads that month only.
INSERT INTO internal.key
SELECT DISTINCT 'period', replace(vintage.period, '-', '')::INTEGER AS key, vintage.period AS id
FROM vintage
WHERE vintage.period NOT IN (SELECT known.id FROM internal.key AS known WHERE known.domain = 'period')
ORDER BY key
