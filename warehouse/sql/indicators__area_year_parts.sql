-- Step 1 of indicators.area_year: totals of the parks of each county, city and province. A 飞地 park
-- counts in its home county (飞出地) only, so nothing is counted twice. Membership of the lists is
-- the register's on the last day of the period. Growth uses only parks known in both years.
CREATE OR REPLACE TEMP TABLE area_member AS
WITH moment AS (
    SELECT year, asof_period, last_day((asof_period || '-01')::DATE) AS day
    FROM internal.affected_asof
),

member AS (
    SELECT
        moment.year,
        moment.asof_period,
        park.park_id,
        park.is_key,
        park.is_demonstration,
        coalesce(park.home_county_code, park.county_code) AS county_code,
        park.city_code,
        park.province_code
    FROM moment
    JOIN dims.park AS park
        ON park.valid_from <= moment.day AND (park.valid_to IS NULL OR park.valid_to > moment.day)
    WHERE coalesce(park.status, 'active') = 'active'
),

in_area AS (
    SELECT *, county_code AS area_code, 'county' AS area_level FROM member WHERE county_code IS NOT NULL
    UNION ALL
    SELECT *, city_code, 'city' FROM member WHERE city_code IS NOT NULL
    UNION ALL
    SELECT *, province_code, 'province' FROM member WHERE province_code IS NOT NULL
),

in_scope AS (
    SELECT *, 'all' AS scope FROM in_area
    UNION ALL
    SELECT *, 'key' FROM in_area WHERE is_key
    UNION ALL
    SELECT *, 'demonstration' FROM in_area WHERE is_demonstration
)

SELECT area_code, area_level, scope, year, asof_period, park_id FROM in_scope;

CREATE OR REPLACE TEMP TABLE area_path AS
WITH size AS (
    SELECT area_code, area_level, scope, year, asof_period, count(*) AS n_parks
    FROM area_member
    GROUP BY ALL
),

total AS (
    SELECT
        s.area_code,
        s.area_level,
        s.scope,
        figure.indicator_id,
        s.year,
        s.asof_period,
        sum(figure.value) AS value,
        sum(figure.value) FILTER (WHERE month.value_prior IS NOT NULL) AS value_comparable,
        sum(month.value_prior) FILTER (WHERE figure.value IS NOT NULL) AS value_prior,
        count(figure.value) AS n_reported
    FROM area_member AS s
    JOIN indicators.park_year AS figure
        ON figure.park_id = s.park_id AND figure.asof_period = s.asof_period
    JOIN dims.indicator AS indicator
        ON indicator.indicator_id = figure.indicator_id AND indicator.aggregation = 'sum'
    LEFT JOIN indicators.park_month AS month
        ON
            month.park_id = figure.park_id
            AND month.indicator_id = figure.indicator_id
            AND month.period = figure.asof_period
    GROUP BY ALL
)

SELECT
    total.area_code,
    total.area_level,
    total.scope,
    total.indicator_id,
    total.year,
    total.asof_period,
    total.value::DECIMAL(28, 8) AS value,
    total.value_prior::DECIMAL(28, 8) AS value_prior,
    CASE
        WHEN total.value_prior > 0
            THEN round(100 * (total.value_comparable::DOUBLE / total.value_prior::DOUBLE - 1), 8)
    END::DECIMAL(28, 8) AS yoy_pct,
    size.n_parks::INTEGER AS n_parks,
    total.n_reported::INTEGER AS n_reported
FROM total
JOIN size USING (area_code, area_level, scope, year, asof_period)
