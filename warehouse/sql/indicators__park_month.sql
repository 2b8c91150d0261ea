-- Step 3 of indicators.park_month: prior-year value and growth. Growth comes from the same-scope
-- prior-year column of the return, else from the published growth, else from last year's level:
-- dividing published levels of two years compares different sets of firms (可比口径).
WITH compared AS (
    SELECT
        now.*,
        before.value_ytd AS value_before,
        CASE
            WHEN now.value_prior > 0
                THEN round(100 * (now.value_ytd::DOUBLE / now.value_prior::DOUBLE - 1), 8)
        END AS comparable_pct,
        CASE
            WHEN before.value_ytd > 0
                THEN round(100 * (now.value_ytd::DOUBLE / before.value_ytd::DOUBLE - 1), 8)
        END AS levels_pct
    FROM month_path AS now
    LEFT JOIN month_path AS before
        ON
            before.park_id = now.park_id
            AND before.indicator_id = now.indicator_id
            AND before.year = now.year - 1
            AND before.month = now.month
    WHERE now.period IN (SELECT period FROM internal.affected_period)
)

SELECT
    park_id,
    indicator_id,
    period,
    value_ytd,
    value_month,
    coalesce(value_prior, value_before) AS value_prior,
    coalesce(comparable_pct, yoy_published::DOUBLE, levels_pct)::DECIMAL(28, 8) AS yoy_pct,
    CASE
        WHEN comparable_pct IS NOT NULL THEN 'comparable'
        WHEN yoy_published IS NOT NULL THEN 'published'
        WHEN levels_pct IS NOT NULL THEN 'levels'
    END AS yoy_basis,
    state,
    -- The return's own prior-year column against what was reported a year ago: more than 5 % apart
    -- means the scope changed, which a reader must not take for a rise or a fall.
    CASE
        WHEN
            value_prior > 0 AND value_before > 0
            AND abs(value_prior::DOUBLE / value_before::DOUBLE - 1) > 0.05
            THEN '本期所报上年同期数与上年所报相差超过5%,同比按本期同口径计算'
    END AS break_flag,
    maturity
FROM compared
ORDER BY period, park_id, indicator_id
