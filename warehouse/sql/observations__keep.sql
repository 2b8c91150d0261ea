-- Keep the vintages of the affected periods (temporary table `vintage`, readable ids) as facts with
-- integer keys. First versions stand before later ones: what a file brings together stays together and
-- packs well. Ids seen for the first time get the next keys of their domain.
INSERT INTO internal.key
WITH used AS (
    SELECT 'park' AS domain, park_id AS id FROM vintage
    UNION SELECT 'indicator', indicator_id FROM vintage
    UNION SELECT 'measure', measure FROM vintage
    UNION SELECT 'state', state FROM vintage
    UNION SELECT 'maturity', maturity FROM vintage WHERE maturity IS NOT NULL
    UNION SELECT 'submission', submission_id FROM vintage
    UNION SELECT 'sheet', sheet FROM vintage
    UNION SELECT 'column', regexp_extract(address, '^([A-Z]{1,3})[1-9][0-9]{0,8}$', 1) FROM vintage
    UNION SELECT 'source', source_id FROM vintage WHERE source_id IS NOT NULL
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
SELECT
    park.key AS park_key,
    indicator.key AS indicator_key,
    replace(vintage.period, '-', '')::INTEGER AS period,
    measure.key AS measure_key,
    vintage.known_from,
    vintage.known_to,
    CASE WHEN try_cast(vintage.value AS DECIMAL(18, 2)) IS DISTINCT FROM vintage.value THEN vintage.value
    END AS value,
    CASE WHEN try_cast(vintage.value AS DECIMAL(18, 2)) = vintage.value
            THEN try_cast(vintage.value AS DECIMAL(18, 2))
    END AS short_value,
    state.key AS state_key,
    maturity.key AS maturity_key,
    submission.key AS submission_key,
    sheet.key AS sheet_key,
    CASE WHEN letters.key IS NULL THEN vintage.address ELSE '' END AS address,
    letters.key AS column_key,
    CASE WHEN letters.key IS NOT NULL THEN regexp_extract(vintage.address, '[0-9]+')::INTEGER END AS row_number
FROM vintage
JOIN internal.key AS park ON park.domain = 'park' AND park.id = vintage.park_id
JOIN internal.key AS indicator ON indicator.domain = 'indicator' AND indicator.id = vintage.indicator_id
JOIN internal.key AS measure ON measure.domain = 'measure' AND measure.id = vintage.measure
JOIN internal.key AS state ON state.domain = 'state' AND state.id = vintage.state
JOIN internal.key AS submission ON submission.domain = 'submission' AND submission.id = vintage.submission_id
JOIN internal.key AS sheet ON sheet.domain = 'sheet' AND sheet.id = vintage.sheet
LEFT JOIN internal.key AS letters
    ON
        letters.domain = 'column'
        AND letters.id = regexp_extract(vintage.address, '^([A-Z]{1,3})[1-9][0-9]{0,8}$', 1)
LEFT JOIN internal.key AS maturity ON maturity.domain = 'maturity' AND maturity.id = vintage.maturity
ORDER BY period, vintage.version, park_key, indicator_key, measure_key;

-- Periods are keys by their number, so that a look at one month reads that month only.
INSERT INTO internal.key
SELECT DISTINCT 'period', replace(vintage.period, '-', '')::INTEGER AS key, vintage.period AS id
FROM vintage
WHERE vintage.period NOT IN (SELECT known.id FROM internal.key AS known WHERE known.domain = 'period')
ORDER BY key
