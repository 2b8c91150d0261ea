-- Step 1 of indicators.park_month: for the affected years and the years before them, put the
-- measures of each figure side by side and bring every indicator to a cumulative value.
--   over_time = ytd   the return is cumulative; single month = difference, 1—2月 never split
--   over_time = sum   the return is a single month; cumulative = sum, only when no month is missing
--   over_time = mean  the return is a single month; cumulative = mean of the months so far
--   over_time = last  a stock at the end of the period
--   over_time = formula  recomputed from its parts in step 2; the published ratio is the fallback
CREATE OR REPLACE TEMP TABLE month_path AS
WITH years AS (
    SELECT DISTINCT left(period, 4)::INTEGER AS year FROM internal.affected_period
    UNION
    SELECT DISTINCT left(period, 4)::INTEGER - 1 FROM internal.affected_period
),

known AS (
    SELECT
        observation.*,
        left(period, 4)::INTEGER AS year,
        right(period, 2)::INTEGER AS month
    FROM observations.observation AS observation
    WHERE
        left(period, 4)::INTEGER IN (SELECT year FROM years)
        AND known_from <= $asof::TIMESTAMP
        AND (known_to IS NULL OR known_to > $asof::TIMESTAMP)
),

side_by_side AS (
    SELECT
        known.park_id,
        known.indicator_id,
        known.period,
        known.year,
        known.month,
        indicator.over_time,
        max(value) FILTER (WHERE measure = 'ytd') AS ytd,
        max(value) FILTER (WHERE measure = 'month') AS single,
        max(value) FILTER (WHERE measure = 'stock') AS stock,
        max(value) FILTER (WHERE measure = 'ytd_prior') AS prior,
        max(value) FILTER (WHERE measure = 'yoy_published') AS yoy_published,
        arg_min(
            state,
            CASE measure WHEN 'ytd' THEN 1 WHEN 'stock' THEN 2 WHEN 'month' THEN 3 ELSE 9 END
        ) FILTER (WHERE measure IN ('ytd', 'stock', 'month')) AS state,
        max(maturity) AS maturity
    FROM known
    JOIN dims.indicator AS indicator USING (indicator_id)
    GROUP BY ALL
),

running AS (
    SELECT
        *,
        lag(ytd) OVER year_so_far AS former_ytd,
        lag(month) OVER year_so_far AS former_month,
        sum(single) OVER year_so_far AS single_sum,
        count(single) OVER year_so_far AS single_count
    FROM side_by_side
    WINDOW year_so_far AS (
        PARTITION BY park_id, indicator_id, year ORDER BY month
    )
)

SELECT
    park_id,
    indicator_id,
    period,
    year,
    month,
    over_time,
    CASE over_time
        WHEN 'sum' THEN CASE WHEN single_count = month THEN single_sum END
        WHEN 'mean' THEN CASE
            WHEN single_count = month
                THEN round(single_sum::DOUBLE / nullif(single_count, 0), 8)::DECIMAL(28, 8)
        END
        WHEN 'formula' THEN coalesce(ytd, stock)
        ELSE coalesce(ytd, stock, single)
    END::DECIMAL(28, 8) AS value_ytd,
    CASE
        WHEN over_time IN ('sum', 'mean', 'formula') THEN single
        WHEN over_time = 'last' THEN NULL
        WHEN month = $first_month AND $first_month > 1 THEN NULL
        WHEN month = $first_month THEN coalesce(single, ytd)
        ELSE coalesce(single, CASE WHEN former_month = month - 1 THEN ytd - former_ytd END)
    END::DECIMAL(28, 8) AS value_month,
    prior AS value_prior,
    yoy_published,
    coalesce(state, 'unknown') AS state,
    maturity,
    CASE WHEN over_time IN ('sum', 'mean') THEN single_count ELSE month END::INTEGER AS n_months
FROM running
