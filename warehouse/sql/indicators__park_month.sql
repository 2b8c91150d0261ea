-- Step 3 of indicators.park_month: prior-year value and growth. Growth comes from the same-scope
-- prior-year column of the return, else from the published growth, else from last year's level:
-- dividing published levels of two years compares different sets of firms (可比口径). Over a break of
-- scope levels are never divided; over a small base growth is capped and marked.
WITH compared AS (
    SELECT
        now.*,
        indicator.counted,
        indicator.small_base,
        indicator.growth_cap_pct,
        indicator.prior_tolerance_pct AS tolerance_pct,
        before.value_ytd AS value_last_year,
        CASE
            WHEN now.value_prior IS NOT NULL THEN 'comparable'
            WHEN now.yoy_published > -100 THEN 'published'
            WHEN before.value_ytd IS NOT NULL AND now.break_reason IS NULL THEN 'levels'
        END AS prior_by,
        CASE
            WHEN before.value_ytd > 0
                THEN round(100 * (now.value_ytd::DOUBLE / before.value_ytd::DOUBLE - 1), 8)
        END AS levels_pct
    FROM month_path AS now
    JOIN dims.indicator AS indicator USING (indicator_id)
    LEFT JOIN month_path AS before
        ON
            before.park_id = now.park_id
            AND before.indicator_id = now.indicator_id
            AND before.year = now.year - 1
            AND before.month = now.month
    WHERE now.period IN (SELECT period FROM internal.affected_period)
),

based AS (
    SELECT
        *,
        CASE prior_by
            WHEN 'comparable' THEN value_prior
            WHEN 'published' THEN round(value_ytd::DOUBLE / (1 + yoy_published::DOUBLE / 100), 8)
            WHEN 'levels' THEN value_last_year
        END::DECIMAL(28, 8) AS base
    FROM compared
),

grown AS (
    SELECT
        *,
        CASE
            WHEN counted IS NOT NULL THEN NULL
            WHEN prior_by = 'comparable' AND base > 0
                THEN round(100 * (value_ytd::DOUBLE / base::DOUBLE - 1), 8)
            WHEN yoy_published IS NOT NULL THEN yoy_published::DOUBLE
            WHEN prior_by = 'levels' THEN levels_pct
        END AS pct,
        CASE
            WHEN prior_by = 'comparable' AND base > 0 AND value_ytd IS NOT NULL THEN 'comparable'
            WHEN yoy_published IS NOT NULL THEN 'published'
            WHEN prior_by = 'levels' AND levels_pct IS NOT NULL THEN 'levels'
        END AS basis,
        coalesce(base > 0 AND base < small_base, false) AS is_small
    FROM based
),

marked AS (
    SELECT
        *,
        -- not least(): it passes over NULL, and no figure would have the cap for its growth
        CASE WHEN is_small AND pct > growth_cap_pct THEN growth_cap_pct ELSE pct END::DECIMAL(28, 8)
            AS yoy_pct,
        CASE
            WHEN pct IS NOT NULL AND is_small THEN 'small_base'
            WHEN pct IS NULL AND counted IS NULL AND value_ytd IS NOT NULL AND base <= 0
                THEN 'not_positive_base'
            WHEN pct IS NULL AND counted IS NULL AND value_ytd IS NOT NULL
                AND break_reason IS NOT NULL THEN 'break'
        END AS yoy_mark
    FROM grown
),

-- Growth of a year ago: of this batch where it is derived anew, else as kept.
year_ago AS (
    SELECT park_id, indicator_id, year + 1 AS year, month, yoy_pct FROM marked
    UNION ALL
    SELECT park_id, indicator_id, year, month, yoy_pct FROM kept_growth
)

SELECT
    marked.park_id,
    marked.indicator_id,
    marked.period,
    marked.value_ytd,
    marked.value_month,
    marked.month_flag,
    CASE WHEN marked.counted IS NULL THEN marked.base END AS value_prior,
    marked.yoy_pct,
    CASE WHEN marked.yoy_pct IS NOT NULL THEN marked.basis END AS yoy_basis,
    marked.yoy_mark,
    marked.value_last_year,
    marked.levels_pct::DECIMAL(28, 8) AS yoy_levels_pct,
    CASE
        WHEN marked.yoy_pct > -100 AND year_ago.yoy_pct > -100
            THEN round(
                100 * (sqrt((1 + marked.yoy_pct::DOUBLE / 100) * (1 + year_ago.yoy_pct::DOUBLE / 100)) - 1),
                8
            )
    END::DECIMAL(28, 8) AS yoy_two_year_pct,
    marked.state,
    -- Declared breaks; and the return's own prior-year column (or the published growth) against what
    -- was reported a year ago: further apart than the tolerance means the scope changed, which a
    -- reader must not take for a rise or a fall.
    nullif(concat_ws(
        ';',
        marked.break_reason,
        CASE
            WHEN
                marked.prior_by = 'comparable' AND marked.base > 0 AND marked.value_last_year > 0
                AND abs(marked.base::DOUBLE / marked.value_last_year::DOUBLE - 1) * 100 > marked.tolerance_pct
                THEN '本期所报上年同期数与上年所报相差超过' || marked.tolerance_pct::DECIMAL(9, 0) || '%,同比按本期同口径计算'
            WHEN
                marked.basis = 'published' AND abs(marked.pct - marked.levels_pct) > marked.tolerance_pct
                THEN '公布同比与两年公布数相除相差超过' || marked.tolerance_pct::DECIMAL(9, 0) || '个百分点,同比按公布数'
        END
    ), '') AS break_flag,
    marked.maturity,
    marked.n_months,
    marked.origin
FROM marked
LEFT JOIN year_ago USING (park_id, indicator_id, year, month)
ORDER BY marked.period, marked.park_id, marked.indicator_id
