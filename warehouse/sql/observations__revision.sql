-- Every time a figure of the affected periods became another one after it was first known. A new value
-- that only shows more or fewer digits of the same number (|difference| up to half of the coarser
-- step) is rounding, not a revision. Uses the temporary table of observations__refresh.
WITH written AS (
    SELECT
        *,
        power(10, -length(regexp_extract(raw_text, '[.](\d+)', 1)))
            * TRY_CAST(split_part(unit_factor, '/', 1) AS DOUBLE)
            / coalesce(TRY_CAST(nullif(split_part(unit_factor, '/', 2), '') AS DOUBLE), 1) AS scaled_step,
        CASE WHEN regexp_matches(raw_text, '\d') AND raw_text NOT LIKE '%\%%' ESCAPE '\'
            THEN power(10, -length(regexp_extract(raw_text, '[.](\d+)', 1))) END AS plain_step
    FROM contested_vintage
),

sequence AS (
    SELECT
        *,
        coalesce(CASE WHEN plain_step IS NOT NULL THEN scaled_step END, plain_step) AS step,
        lag(value) OVER vintages AS former_value,
        lag(state) OVER vintages AS former_state,
        lag(maturity) OVER vintages AS former_maturity,
        lag(known_to) OVER vintages AS former_known_to,
        lag(submission_id) OVER vintages AS former_submission_id,
        lag(file_period) OVER vintages AS former_file_period,
        lag(coalesce(CASE WHEN plain_step IS NOT NULL THEN scaled_step END, plain_step)) OVER vintages AS former_step,
        row_number() OVER vintages AS nth,
        lead(known_from) OVER vintages AS next_known_from,
        first_value(known_from) OVER vintages AS first_known
    FROM written
    WINDOW vintages AS (PARTITION BY figure ORDER BY known_from)
),

events AS (
    SELECT
        *,
        known_from AS at_time,
        value AS new_value,
        CASE
            WHEN known_from > former_known_to THEN 'restored'
            WHEN value IS NOT DISTINCT FROM former_value AND state = former_state THEN 'restated'
            WHEN value IS NULL AND former_value IS NOT NULL THEN 'blanked'
            WHEN value IS NOT NULL AND former_value IS NULL THEN 'filled'
            WHEN value IS NULL THEN 'state'
            WHEN
                step <> former_step
                AND abs(value - former_value)::DOUBLE <= greatest(step, former_step) / 2 * (1 + 1e-9)
                THEN 'rounding'
            WHEN value = former_value THEN 'state'
            WHEN file_period IS NOT DISTINCT FROM former_file_period THEN 'correction'
            ELSE 'revised'
        END AS kind
    FROM sequence
    WHERE nth > 1
    UNION ALL BY NAME
    SELECT
        * REPLACE (
            value AS former_value,
            state AS former_state,
            maturity AS former_maturity,
            submission_id AS former_submission_id,
            NULL AS submission_id,
            NULL AS maturity
        ),
        known_to AS at_time,
        NULL AS new_value,
        'withdrawn' AS kind
    FROM sequence
    WHERE known_to IS NOT NULL AND next_known_from IS DISTINCT FROM known_to
)

SELECT
    park_id,
    indicator_id,
    period,
    measure,
    at_time AS known_from,
    source_id,
    kind,
    former_value,
    new_value AS value,
    CASE WHEN kind IN ('revised', 'correction', 'rounding') THEN new_value - former_value END AS revision,
    CASE WHEN kind IN ('revised', 'correction', 'rounding')
        THEN round(100 * (new_value - former_value)::DOUBLE / nullif(abs(former_value)::DOUBLE, 0), 8)
    END::DECIMAL(28, 8) AS revision_pct,
    former_maturity,
    maturity,
    date_diff('day', first_known, at_time)::INTEGER AS lag_days,
    submission_id,
    former_submission_id
FROM events
ORDER BY period, park_id, indicator_id, measure, known_from
