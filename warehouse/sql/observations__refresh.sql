-- Rebuild the vintages of the affected periods from accepted cells. A delivery that repeats a value
-- makes no vintage; one that changes value or state closes the former one at its time of receipt.
CREATE OR REPLACE TEMP TABLE candidate AS
SELECT
    cell.park_id,
    cell.indicator_id,
    cell.period,
    cell.measure,
    cell.value,
    cell.state,
    cell.maturity,
    cell.submission_id,
    cell.sheet,
    cell.address,
    submission.received_at
FROM submissions.cell AS cell
JOIN submissions.submission AS submission USING (submission_id)
WHERE
    cell.role = 'data'
    AND cell.park_id IS NOT NULL
    AND cell.indicator_id IS NOT NULL
    AND cell.measure IS NOT NULL
    AND cell.period IN (SELECT period FROM internal.affected_period)
    AND submission.status IN ('accepted', 'partly', 'superseded')
    AND NOT EXISTS (
        SELECT 1
        FROM quality.finding AS finding
        WHERE
            finding.severity = 'error'
            AND finding.outcome = 'fail'
            AND finding.submission_id = cell.submission_id
            AND finding.sheet = cell.sheet
            AND finding.address = cell.address
    );

CREATE OR REPLACE TEMP TABLE vintage AS
WITH ordered AS (
    SELECT
        *,
        row_number() OVER deliveries AS nth,
        lag(value) OVER deliveries AS former_value,
        lag(state) OVER deliveries AS former_state
    FROM candidate
    WINDOW deliveries AS (
        PARTITION BY park_id, indicator_id, period, measure
        ORDER BY received_at, submission_id, sheet, address
    )
),

changed AS (
    SELECT *
    FROM ordered
    WHERE nth = 1 OR value IS DISTINCT FROM former_value OR state IS DISTINCT FROM former_state
)

SELECT
    *,
    received_at AS known_from,
    lead(received_at) OVER (
        PARTITION BY park_id, indicator_id, period, measure
        ORDER BY received_at, submission_id, sheet, address
    ) AS known_to
FROM changed;

INSERT INTO internal.key
WITH used AS (
    SELECT 'park' AS domain, park_id AS id FROM vintage
    UNION SELECT 'indicator', indicator_id FROM vintage
    UNION SELECT 'measure', measure FROM vintage
    UNION SELECT 'state', state FROM vintage
    UNION SELECT 'maturity', maturity FROM vintage WHERE maturity IS NOT NULL
    UNION SELECT 'submission', submission_id FROM vintage
    UNION SELECT 'sheet', sheet FROM vintage
),

last_key AS (SELECT domain, max(key) AS key FROM internal.key GROUP BY domain)

SELECT
    used.domain,
    coalesce(last_key.key, 0) + row_number() OVER (PARTITION BY used.domain ORDER BY used.id) AS key,
    used.id
FROM used
LEFT JOIN last_key USING (domain)
WHERE NOT EXISTS (SELECT 1 FROM internal.key AS known WHERE known.domain = used.domain AND known.id = used.id)
ORDER BY used.domain, used.id;

DELETE FROM internal.observation_fact
WHERE period IN (SELECT replace(period, '-', '')::INTEGER FROM internal.affected_period);

INSERT INTO internal.observation_fact
SELECT
    park.key,
    indicator.key,
    replace(vintage.period, '-', '')::INTEGER AS period,
    measure.key,
    vintage.known_from,
    vintage.known_to,
    vintage.value,
    state.key,
    maturity.key,
    submission.key,
    sheet.key,
    vintage.address
FROM vintage
JOIN internal.key AS park ON park.domain = 'park' AND park.id = vintage.park_id
JOIN internal.key AS indicator ON indicator.domain = 'indicator' AND indicator.id = vintage.indicator_id
JOIN internal.key AS measure ON measure.domain = 'measure' AND measure.id = vintage.measure
JOIN internal.key AS state ON state.domain = 'state' AND state.id = vintage.state
JOIN internal.key AS submission ON submission.domain = 'submission' AND submission.id = vintage.submission_id
JOIN internal.key AS sheet ON sheet.domain = 'sheet' AND sheet.id = vintage.sheet
LEFT JOIN internal.key AS maturity ON maturity.domain = 'maturity' AND maturity.id = vintage.maturity
-- Two deliveries received at the same instant: only the last one was ever known.
WHERE vintage.known_to IS NULL OR vintage.known_to > vintage.known_from
ORDER BY period, park.key, indicator.key, measure.key, vintage.known_from
