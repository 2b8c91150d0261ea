-- Step 1 of indicators.park_month: for the affected years and the years before them, put the
-- measures of each figure side by side and bring every indicator to a cumulative value.
--   over_time = ytd   the return is cumulative; single month = difference, 1—2月 never split
--   over_time = sum   the return is a single month; cumulative = sum, only when no month is missing
--   over_time = mean  the return is a single month; cumulative = mean of the months so far
--   over_time = last  a stock at the end of the period
--   over_time = formula  recomputed from its parts in step 2; the published ratio is the fallback
-- A sum or mean whose months are not all there falls back to a cumulative figure, where one was sent.
-- Only parks of the share at hand (internal.share_park) are looked at: every park stands by itself.

-- Where scope breaks, by park and indicator: as declared, and where another park was merged in.
CREATE OR REPLACE TEMP TABLE broken AS
WITH declared AS (
    SELECT park.park_id, indicator.indicator_id, breaks.period, breaks.reason
    FROM dims.scope_break AS breaks
    JOIN (FROM dims.park SEMI JOIN internal.share_park USING (park_id)) AS park
        ON
            (breaks.park_id IS NULL OR breaks.park_id = park.park_id)
            AND (
                breaks.region_code IS NULL
                OR breaks.region_code IN (
                    park.province_code, park.city_code, park.county_code, park.home_county_code
                )
            )
            AND park.valid_from <= last_day((breaks.period || '-01')::DATE)
            AND (park.valid_to IS NULL OR park.valid_to > last_day((breaks.period || '-01')::DATE))
    JOIN dims.indicator AS indicator
        ON breaks.indicator_id IS NULL OR breaks.indicator_id = indicator.indicator_id
),

merged AS (
    SELECT
        gone.merged_into AS park_id,
        indicator.indicator_id,
        strftime(max(gone.valid_to), '%Y-%m') AS period,
        '并入' || max_by(gone.name, gone.valid_to) AS reason
    FROM dims.park AS gone
    CROSS JOIN dims.indicator AS indicator
    WHERE gone.merged_into IN (SELECT park_id FROM internal.share_park)
    GROUP BY gone.park_id, gone.merged_into, indicator.indicator_id
    HAVING count(*) = count(gone.valid_to)
)

SELECT park_id, indicator_id, period, string_agg(DISTINCT reason, ';' ORDER BY reason) AS reason
FROM (FROM declared UNION ALL FROM merged)
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE month_path AS
WITH years AS (
    SELECT DISTINCT left(period, 4)::INTEGER - back.n AS year
    FROM internal.affected_period
    CROSS JOIN (SELECT unnest(range($years_back + 1)) AS n) AS back
),

-- Figures by their keys: grouping and windows over integers; readable ids are joined to the result.
known AS (
    SELECT
        fact.park_key,
        fact.indicator_key,
        fact.period AS period_key,
        coalesce(fact.short_value::DECIMAL(28, 8), fact.value) AS value,
        (SELECT list(id ORDER BY key) FROM internal.key WHERE domain = 'measure')[fact.measure_key] AS measure,
        fact.state_key,
        (SELECT list(id ORDER BY key) FROM internal.key WHERE domain = 'maturity')[fact.maturity_key] AS maturity
    FROM internal.observation_fact AS fact
    WHERE
        fact.period IN (
            SELECT key FROM internal.key
            WHERE domain = 'period' AND left(id, 4)::INTEGER IN (SELECT year FROM years)
        )
        -- Of most indicators only the months derived and the ones before them ($months): other months decide
        -- nothing, and reading them would make a month cost as much as three years.
        AND (
            list_contains($months, fact.period % 100)
            OR fact.indicator_key IN (
                SELECT key FROM internal.key WHERE domain = 'indicator' AND list_contains($every_month, id)
            )
        )
        AND fact.park_key IN (
            SELECT park.key
            FROM internal.key AS park
            JOIN internal.share_park AS share ON share.park_id = park.id
            WHERE park.domain = 'park'
        )
        AND fact.known_from <= $asof::TIMESTAMP
        AND (fact.known_to IS NULL OR fact.known_to > $asof::TIMESTAMP)
),

side_by_side AS (
    SELECT
        park_key,
        indicator_key,
        period_key,
        period_key // 100 AS year,
        period_key % 100 AS month,
        max(value) FILTER (WHERE measure = 'ytd') AS ytd,
        max(value) FILTER (WHERE measure = 'month') AS single,
        max(value) FILTER (WHERE measure = 'stock') AS stock,
        max(value) FILTER (WHERE measure = 'ytd_prior') AS prior,
        max(value) FILTER (WHERE measure = 'yoy_published') AS yoy_published,
        arg_min(
            state_key,
            CASE measure WHEN 'ytd' THEN 1 WHEN 'stock' THEN 2 WHEN 'month' THEN 3 ELSE 9 END
        ) FILTER (WHERE measure IN ('ytd', 'stock', 'month')) AS state_key,
        max(maturity) AS maturity
    FROM known
    GROUP BY ALL
),

in_year AS (
    SELECT
        *,
        lag(ytd) OVER year_so_far AS former_ytd,
        lag(month) OVER year_so_far AS former_month,
        lag(state_key) OVER year_so_far AS former_state_key,
        sum(single) OVER year_so_far AS single_sum,
        count(single) OVER year_so_far AS single_count
    FROM side_by_side
    WINDOW year_so_far AS (
        PARTITION BY park_key, indicator_key, year ORDER BY month
    )
),

running AS (
    SELECT
        in_year.*,
        park.id AS park_id,
        indicator.indicator_id,
        period.id AS period,
        indicator.over_time,
        coalesce(indicator.non_negative, false) AS non_negative,
        (SELECT list(id ORDER BY key) FROM internal.key WHERE domain = 'state')[in_year.state_key] AS state,
        (SELECT list(id ORDER BY key) FROM internal.key WHERE domain = 'state')[in_year.former_state_key]
            AS former_state
    FROM in_year
    JOIN internal.key AS park ON park.domain = 'park' AND park.key = in_year.park_key
    JOIN internal.key AS period ON period.domain = 'period' AND period.key = in_year.period_key
    JOIN internal.key AS known_as ON known_as.domain = 'indicator' AND known_as.key = in_year.indicator_key
    JOIN dims.indicator AS indicator ON indicator.indicator_id = known_as.id
),

-- A single month is a difference only where both ends are exact figures of one scope.
month_rule AS (
    SELECT
        running.*,
        single_count = month AS all_months,
        CASE
            WHEN over_time = 'last' OR month < $first_month THEN 'none'
            WHEN over_time IN ('sum', 'mean', 'formula') THEN 'single'
            WHEN month = $first_month THEN CASE WHEN $first_month = 1 THEN 'first' ELSE 'none' END
            WHEN single IS NOT NULL THEN 'single'
            WHEN ytd IS NULL THEN 'none'
            WHEN former_month IS DISTINCT FROM month - 1 OR former_ytd IS NULL THEN 'no_former'
            WHEN state = 'approximate' OR former_state = 'approximate' THEN 'approximate'
            WHEN broken.reason IS NOT NULL THEN 'break'
            ELSE 'difference'
        END AS month_by,
        broken.reason AS month_break
    FROM running
    LEFT JOIN broken USING (park_id, indicator_id, period)
),

-- Growth compares a year with the one before: a break anywhere between the two touches it. For
-- cumulative figures that includes a break within last year's months; a stock is one day.
growth_break AS (
    SELECT
        now.park_id,
        now.indicator_id,
        now.period,
        string_agg(DISTINCT broken.reason, ';' ORDER BY broken.reason) AS reason
    FROM running AS now
    JOIN broken
        ON
            broken.park_id = now.park_id
            AND broken.indicator_id = now.indicator_id
            AND broken.period <= now.period
            AND broken.period > CASE
                WHEN now.over_time = 'last' THEN (now.year - 1) || right(now.period, 3)
                ELSE (now.year - 1) || '-' || lpad($first_month::VARCHAR, 2, '0')
            END
    GROUP BY ALL
)

SELECT
    park_id,
    indicator_id,
    period,
    year,
    month,
    over_time,
    CASE over_time
        WHEN 'sum' THEN coalesce(CASE WHEN all_months THEN single_sum END, ytd)
        WHEN 'mean' THEN coalesce(
            CASE
                WHEN all_months
                    THEN round(single_sum::DOUBLE / nullif(single_count, 0), 8)::DECIMAL(28, 8)
            END,
            ytd,
            stock
        )
        WHEN 'formula' THEN coalesce(ytd, stock)
        ELSE coalesce(ytd, stock, single)
    END::DECIMAL(28, 8) AS value_ytd,
    CASE month_by
        WHEN 'single' THEN single
        WHEN 'first' THEN coalesce(single, ytd)
        WHEN 'difference' THEN ytd - former_ytd
    END::DECIMAL(28, 8) AS value_month,
    CASE
        WHEN month_by = 'no_former' THEN '缺上期累计,当月数无从计算'
        WHEN month_by = 'approximate' THEN '累计为约数,不作差计算当月数'
        WHEN month_by = 'break' THEN '口径变更(' || month_break || '),不作差计算当月数'
        WHEN month_by = 'difference' AND ytd < former_ytd AND non_negative
            THEN '本期累计小于上期累计,当月为负(红冲或核减),须说明'
    END AS month_flag,
    prior AS value_prior,
    yoy_published,
    coalesce(state, 'unknown') AS state,
    maturity,
    CASE WHEN over_time IN ('sum', 'mean') AND (all_months OR ytd IS NULL) THEN single_count ELSE month
    END::INTEGER AS n_months,
    growth_break.reason AS break_reason,
    'reported' AS origin
FROM month_rule
LEFT JOIN growth_break USING (park_id, indicator_id, period);

-- Figures counted from the register: one per park on the list on the last day of the period.
INSERT INTO month_path BY NAME
SELECT
    park.park_id,
    indicator.indicator_id,
    moment.period,
    moment.year,
    moment.month,
    indicator.over_time,
    CASE indicator.counted
        WHEN 'parks' THEN 1
        WHEN 'is_key' THEN park.is_key::INTEGER
        WHEN 'is_demonstration' THEN park.is_demonstration::INTEGER
    END::DECIMAL(28, 8) AS value_ytd,
    'reported' AS state,
    moment.month AS n_months,
    'register' AS origin
FROM (
    SELECT period, year, month FROM said_period
    UNION
    SELECT period, left(period, 4)::INTEGER, right(period, 2)::INTEGER FROM internal.affected_period
) AS moment
JOIN dims.indicator AS indicator ON indicator.counted IS NOT NULL
JOIN (FROM dims.park SEMI JOIN internal.share_park USING (park_id)) AS park
    ON
        park.valid_from <= last_day((moment.period || '-01')::DATE)
        AND (park.valid_to IS NULL OR park.valid_to > last_day((moment.period || '-01')::DATE))
ANTI JOIN month_path AS said
    ON said.park_id = park.park_id AND said.indicator_id = indicator.indicator_id
    AND said.period = moment.period
WHERE coalesce(park.status, 'active') = 'active';

-- Figures of a park entered with their source (补录), where no return says anything.
INSERT INTO month_path BY NAME
SELECT
    entered.park_id,
    entered.indicator_id,
    entered.period,
    left(entered.period, 4)::INTEGER AS year,
    right(entered.period, 2)::INTEGER AS month,
    indicator.over_time,
    entered.value AS value_ytd,
    'reported' AS state,
    right(entered.period, 2)::INTEGER AS n_months,
    'entered' AS origin
FROM dims.entered_figure AS entered
JOIN dims.indicator AS indicator USING (indicator_id)
ANTI JOIN month_path AS said
    ON said.park_id = entered.park_id AND said.indicator_id = entered.indicator_id
    AND said.period = entered.period
WHERE
    entered.park_id IN (SELECT park_id FROM internal.share_park)
    AND (entered.entered_on IS NULL OR entered.entered_on <= $asof::TIMESTAMP)
    AND left(entered.period, 4)::INTEGER IN (
        SELECT left(period, 4)::INTEGER - back.n
        FROM internal.affected_period
        CROSS JOIN (SELECT unnest(range($years_back + 1)) AS n) AS back
    )
QUALIFY row_number() OVER (
    PARTITION BY entered.park_id, entered.indicator_id, entered.period ORDER BY entered.line DESC
) = 1
