-- Park × indicator × year as of a period: the cumulative value at that period; for stocks the last
-- one known in the year. December makes the year final. n_months counts the months it rests on.
WITH wanted AS (SELECT year, asof_period FROM internal.affected_asof),

known AS (
    SELECT
        month.park_id,
        month.indicator_id,
        wanted.year,
        wanted.asof_period,
        month.period,
        month.value_ytd,
        month.yoy_pct,
        month.yoy_basis,
        month.state,
        indicator.over_time,
        count(month.value_month) OVER (
            PARTITION BY month.park_id, month.indicator_id, wanted.asof_period
        ) AS n_singles
    FROM wanted
    JOIN indicators.park_month AS month
        ON left(month.period, 4)::INTEGER = wanted.year AND month.period <= wanted.asof_period
    JOIN dims.indicator AS indicator USING (indicator_id)
),

latest AS (
    SELECT *
    FROM known
    WHERE period = asof_period OR over_time = 'last'
    QUALIFY row_number() OVER (
        PARTITION BY park_id, indicator_id, asof_period
        ORDER BY (value_ytd IS NULL), period DESC
    ) = 1
)

SELECT
    park_id,
    indicator_id,
    year,
    asof_period,
    value_ytd AS value,
    CASE WHEN right(asof_period, 2) = '12' THEN 'final' ELSE 'ytd' END AS basis,
    yoy_pct,
    yoy_basis,
    state,
    CASE
        WHEN value_ytd IS NULL THEN 0
        WHEN over_time IN ('sum', 'mean', 'formula') AND n_singles > 0 THEN n_singles
        ELSE right(period, 2)::INTEGER
    END::INTEGER AS n_months
FROM latest
ORDER BY asof_period, park_id, indicator_id
