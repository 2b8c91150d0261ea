-- Park × indicator × year as of a period: the cumulative value at that period; for stocks the last
-- one known in the year. December makes the year final. n_months counts the months it rests on. A
-- park of the register that did not report what others reported has a row that says so (unknown).
WITH wanted AS (
    SELECT year, asof_period, last_day((asof_period || '-01')::DATE) AS day
    FROM internal.affected_asof
),

-- The months by name: an equality lets the scan pass over the row groups of other years.
months AS (
    SELECT year, asof_period, year || '-' || lpad(month::VARCHAR, 2, '0') AS period
    FROM wanted
    CROSS JOIN (VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12)) AS t(month)
    WHERE month <= right(asof_period, 2)::INTEGER
),

known AS (
    SELECT
        month.*,
        months.year,
        months.asof_period,
        indicator.over_time
    FROM months
    JOIN indicators.park_month AS month USING (period)
    JOIN dims.indicator AS indicator USING (indicator_id)
),

-- Only stocks are ranked: for them alone an earlier month may speak.
stock AS (
    SELECT park_id, indicator_id, asof_period, period
    FROM known
    WHERE over_time = 'last'
    QUALIFY row_number() OVER (
        PARTITION BY park_id, indicator_id, asof_period
        ORDER BY (value_ytd IS NULL), period DESC
    ) = 1
),

latest AS (
    SELECT * FROM known WHERE period = asof_period AND over_time IS DISTINCT FROM 'last'
    UNION ALL
    SELECT known.*
    FROM known
    SEMI JOIN stock
        ON stock.park_id = known.park_id AND stock.indicator_id = known.indicator_id
        AND stock.asof_period = known.asof_period AND stock.period = known.period
),

absent AS (
    SELECT park.park_id, due.indicator_id, due.year, due.asof_period
    FROM (
        SELECT DISTINCT indicator_id, year, asof_period FROM latest WHERE origin = 'reported'
    ) AS due
    JOIN wanted USING (year, asof_period)
    JOIN dims.park AS park
        ON park.valid_from <= wanted.day AND (park.valid_to IS NULL OR park.valid_to > wanted.day)
    ANTI JOIN latest AS said
        ON said.park_id = park.park_id AND said.indicator_id = due.indicator_id
        AND said.asof_period = due.asof_period
    WHERE coalesce(park.status, 'active') = 'active'
),

rows_of_year AS (
    SELECT
        park_id,
        indicator_id,
        year,
        asof_period,
        value_ytd,
        value_prior,
        yoy_pct,
        yoy_basis,
        yoy_mark,
        yoy_two_year_pct,
        break_flag,
        state,
        n_months,
        origin
    FROM latest
    UNION ALL
    SELECT
        park_id, indicator_id, year, asof_period, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM absent
)

SELECT
    park_id,
    indicator_id,
    year,
    asof_period,
    value_ytd AS value,
    CASE WHEN right(asof_period, 2) = '12' THEN 'final' ELSE 'ytd' END AS basis,
    value_prior,
    yoy_pct,
    yoy_basis,
    yoy_mark,
    yoy_two_year_pct,
    break_flag,
    coalesce(state, 'unknown') AS state,
    CASE WHEN value_ytd IS NULL THEN 0 ELSE n_months END::INTEGER AS n_months,
    CASE
        WHEN value_ytd IS NULL THEN 0
        ELSE round(100 * n_months::DOUBLE / right(asof_period, 2)::INTEGER, 8)
    END::DECIMAL(28, 8) AS completeness_pct,
    coalesce(origin, 'reported') AS origin
FROM rows_of_year
ORDER BY asof_period, park_id, indicator_id
