-- Growth as kept, of periods a year before affected ones that are not derived anew; under the year that
-- looks back to it.
CREATE OR REPLACE TEMP TABLE kept_growth AS
SELECT
    park_id,
    indicator_id,
    left(period, 4)::INTEGER + 1 AS year,
    right(period, 2)::INTEGER AS month,
    yoy_pct
FROM indicators.park_month
WHERE
    period NOT IN (SELECT period FROM internal.affected_period)
    AND period IN (
        SELECT (left(period, 4)::INTEGER - 1) || right(period, 3) FROM internal.affected_period
    )
