-- Step 1 of indicators.area_year: totals of the parks of each county, city, province and class.
-- The fixed list is the register's on the last day of the period: renames, recodes, upgrades and
-- mergers count from their day. A 飞地 park counts for its counties by dims.enclave_share (without a
-- row: all for the home county, 飞出地), so nothing is counted twice. The comparable list is the
-- parks of it that are known in both years; growth uses only these.
CREATE OR REPLACE TEMP TABLE area_member AS
WITH asked AS (
    SELECT year, asof_period, asof_period AS list_period, false AS is_prior FROM internal.affected_asof
    UNION ALL
    SELECT year, asof_period, (year - 1) || right(asof_period, 3), true FROM internal.affected_asof
),

moment AS (
    SELECT *, last_day((list_period || '-01')::DATE) AS day FROM asked
),

member AS (
    SELECT
        moment.*,
        park.park_id,
        park.is_key,
        park.is_demonstration,
        park.class_id,
        coalesce(share.county_code, park.home_county_code, park.county_code) AS county_code,
        park.city_code,
        park.province_code,
        coalesce(share.share, 1)::DECIMAL(10, 8) AS share
    FROM moment
    JOIN dims.park AS park
        ON park.valid_from <= moment.day AND (park.valid_to IS NULL OR park.valid_to > moment.day)
    LEFT JOIN dims.enclave_share AS share
        ON
            share.park_id = park.park_id
            AND share.valid_from <= moment.day
            AND coalesce(share.valid_to, DATE '9999-12-31') > moment.day
    WHERE coalesce(park.status, 'active') = 'active'
),

-- A share that goes to a county of another city or province goes to that city and province too.
placed AS (
    SELECT
        member.*,
        coalesce(CASE WHEN share < 1 THEN county.parent END, member.city_code) AS part_city,
        coalesce(CASE WHEN share < 1 THEN city.parent END, member.province_code) AS part_province
    FROM member
    -- coalesce, not OR: an outer join with a choice of conditions compares every park with every region
    LEFT JOIN dims.region AS county
        ON
            county.code = member.county_code
            AND county.valid_from <= member.day
            AND coalesce(county.valid_to, DATE '9999-12-31') > member.day
    LEFT JOIN dims.region AS city
        ON
            city.code = county.parent
            AND city.valid_from <= member.day
            AND coalesce(city.valid_to, DATE '9999-12-31') > member.day
),

in_area AS (
    SELECT *, county_code AS area_code, 'county' AS area_level FROM placed
    UNION ALL
    SELECT *, part_city, 'city' FROM placed
    UNION ALL
    SELECT *, part_province, 'province' FROM placed
    UNION ALL
    SELECT *, class_id, 'class' FROM placed
),

in_scope AS (
    SELECT *, 'all' AS scope FROM in_area
    UNION ALL
    SELECT *, 'key' FROM in_area WHERE is_key
    UNION ALL
    SELECT *, 'demonstration' FROM in_area WHERE is_demonstration
)

-- Last year's list of an area that has a new code since stands under the code it has now.
SELECT
    coalesce(CASE WHEN is_prior THEN renamed.successor END, area_code) AS area_code,
    area_level,
    scope,
    year,
    asof_period,
    list_period,
    is_prior,
    park_id,
    sum(share)::DECIMAL(10, 8) AS share
FROM in_scope
LEFT JOIN dims.region AS renamed
    ON
        in_scope.is_prior
        AND renamed.code = in_scope.area_code
        AND renamed.successor IS NOT NULL
        AND renamed.valid_to <= last_day((in_scope.asof_period || '-01')::DATE)
WHERE area_code IS NOT NULL
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE area_path AS
WITH size AS (
    SELECT area_code, area_level, scope, year, asof_period, count(*) AS n_parks
    FROM area_member
    WHERE NOT is_prior
    GROUP BY ALL
),

figure AS (
    SELECT
        park_year.*,
        park_year.value IS NOT NULL AND park_year.value_prior IS NOT NULL AS is_comparable
    FROM indicators.park_year AS park_year
    JOIN dims.indicator AS indicator USING (indicator_id)
    WHERE
        indicator.aggregation = 'sum'
        AND park_year.asof_period IN (SELECT asof_period FROM internal.affected_asof)
),

-- Whole figures are added, and what a share is less than one of those that have one: decimals of 16 places
-- are exact too, but DuckDB 1.5.5 takes 5 µs to round one.
counted AS (
    SELECT
        s.area_code,
        s.area_level,
        s.scope,
        figure.indicator_id,
        s.year,
        s.asof_period,
        sum(figure.value) AS whole,
        sum(figure.value * less) AS less,
        sum(figure.value) FILTER (WHERE is_comparable) AS whole_comparable,
        sum(figure.value * less) FILTER (WHERE is_comparable) AS less_comparable,
        sum(figure.value_prior) FILTER (WHERE is_comparable) AS whole_prior,
        sum(figure.value_prior * less) FILTER (WHERE is_comparable) AS less_prior,
        CASE
            WHEN count(*) FILTER (WHERE is_comparable AND figure.yoy_basis = 'levels') > 0 THEN 'levels'
            WHEN count(*) FILTER (WHERE is_comparable AND figure.yoy_basis = 'published') > 0 THEN 'published'
            WHEN count(*) FILTER (WHERE is_comparable) > 0 THEN 'comparable'
        END AS yoy_basis,
        count(figure.value) AS n_reported,
        count(*) FILTER (WHERE is_comparable) AS n_comparable,
        count(figure.break_flag) AS n_broken,
        string_agg(DISTINCT figure.break_flag, ';' ORDER BY figure.break_flag) AS reasons
    FROM (
        SELECT *, CASE WHEN share <> 1 THEN (share - 1)::DECIMAL(10, 8) END AS less FROM area_member WHERE NOT is_prior
    ) AS s
    JOIN figure ON figure.park_id = s.park_id AND figure.asof_period = s.asof_period
    GROUP BY ALL
),

total AS (
    SELECT
        *,
        CASE WHEN less IS NULL THEN whole::DECIMAL(28, 8) ELSE (whole + less)::DECIMAL(28, 8) END AS value,
        CASE
            WHEN less_comparable IS NULL THEN whole_comparable::DECIMAL(28, 8)
            ELSE (whole_comparable + less_comparable)::DECIMAL(28, 8)
        END AS value_comparable,
        CASE
            WHEN less_prior IS NULL THEN whole_prior::DECIMAL(28, 8)
            ELSE (whole_prior + less_prior)::DECIMAL(28, 8)
        END AS value_prior
    FROM counted
),

-- Last year's figures as known now; a stock is the last one known up to the same month.
year_ago AS (
    SELECT month.park_id, month.indicator_id, asked.asof_period, month.value_ytd
    FROM (
        -- The months by name: an equality lets the scan pass over the row groups of other years.
        SELECT asof_period, list_period, left(list_period, 5) || lpad(n::VARCHAR, 2, '0') AS period
        FROM (SELECT DISTINCT asof_period, list_period FROM area_member WHERE is_prior)
        CROSS JOIN range(1, 13) AS t(n)
        WHERE n <= right(list_period, 2)::INTEGER
    ) AS asked
    JOIN indicators.park_month AS month USING (period)
    JOIN dims.indicator AS indicator
        ON indicator.indicator_id = month.indicator_id AND indicator.aggregation = 'sum'
    WHERE
        month.value_ytd IS NOT NULL
        AND (month.period = asked.list_period OR indicator.over_time = 'last')
    QUALIFY row_number() OVER (
        PARTITION BY month.park_id, month.indicator_id, asked.asof_period ORDER BY month.period DESC
    ) = 1
),

former AS (
    SELECT
        s.area_code,
        s.area_level,
        s.scope,
        year_ago.indicator_id,
        s.asof_period,
        sum(year_ago.value_ytd * s.share) AS value_last_year
    FROM area_member AS s
    JOIN year_ago ON year_ago.park_id = s.park_id AND year_ago.asof_period = s.asof_period
    WHERE s.is_prior
    GROUP BY ALL
)

SELECT
    total.area_code,
    total.area_level,
    total.scope,
    total.indicator_id,
    total.year,
    total.asof_period,
    total.value,
    total.value_comparable,
    total.value_prior,
    CASE
        WHEN total.value_prior > 0
            THEN round(100 * (total.value_comparable::DOUBLE / total.value_prior::DOUBLE - 1), 8)
    END::DECIMAL(28, 8) AS yoy_pct,
    CASE WHEN total.value_prior > 0 THEN total.yoy_basis END AS yoy_basis,
    former.value_last_year::DECIMAL(28, 8) AS value_last_year,
    CASE
        WHEN former.value_last_year > 0
            THEN round(100 * (total.value::DOUBLE / former.value_last_year::DOUBLE - 1), 8)
    END::DECIMAL(28, 8) AS yoy_levels_pct,
    CASE
        WHEN total.n_broken > 0 THEN '其中' || total.n_broken || '个园区:' || total.reasons
    END AS break_flag,
    size.n_parks::INTEGER AS n_parks,
    total.n_reported::INTEGER AS n_reported,
    total.n_comparable::INTEGER AS n_comparable,
    'reported' AS origin
FROM total
JOIN size USING (area_code, area_level, scope, year, asof_period)
LEFT JOIN former USING (area_code, area_level, scope, indicator_id, asof_period);

-- Figures about the area itself, entered with their source (补录), where no park says anything; a
-- stock or rate is the last one of the year. Last year's entered figure is its level of last year.
INSERT INTO area_path BY NAME
WITH asked AS (
    SELECT year, asof_period, year AS list_year, asof_period AS until FROM internal.affected_asof
    UNION ALL
    SELECT year, asof_period, year - 1, (year - 1) || right(asof_period, 3) FROM internal.affected_asof
),

known AS (
    SELECT entered.*, asked.year, asked.asof_period, asked.list_year
    FROM dims.entered_figure AS entered
    JOIN dims.indicator AS indicator USING (indicator_id)
    JOIN asked
        ON
            left(entered.period, 4)::INTEGER = asked.list_year
            AND (
                entered.period = asked.until
                OR (entered.period < asked.until AND indicator.over_time = 'last')
            )
    WHERE
        entered.area_code IS NOT NULL
        AND (entered.entered_on IS NULL OR entered.entered_on <= $asof::TIMESTAMP)
    QUALIFY row_number() OVER (
        PARTITION BY entered.area_code, entered.scope, entered.indicator_id, asked.asof_period, asked.list_year
        ORDER BY entered.period DESC, entered.line DESC
    ) = 1
),

-- A break declared for the area, or for everywhere: its levels are never divided.
grown AS (
    SELECT
        now.*,
        before.value AS value_last_year,
        (
            SELECT string_agg(DISTINCT breaks.reason, ';' ORDER BY breaks.reason)
            FROM dims.scope_break AS breaks
            WHERE
                breaks.park_id IS NULL
                AND (breaks.indicator_id IS NULL OR breaks.indicator_id = now.indicator_id)
                AND (breaks.region_code IS NULL OR breaks.region_code = now.area_code)
                AND breaks.period <= now.asof_period
                AND breaks.period > (now.year - 1) || '-01'
        ) AS break_flag
    FROM known AS now
    LEFT JOIN known AS before
        ON
            before.area_code = now.area_code
            AND before.scope = now.scope
            AND before.indicator_id = now.indicator_id
            AND before.asof_period = now.asof_period
            AND before.list_year = now.year - 1
    WHERE now.list_year = now.year
)

SELECT
    grown.area_code,
    coalesce(region.level, 'city') AS area_level,
    grown.scope,
    grown.indicator_id,
    grown.year,
    grown.asof_period,
    grown.value,
    CASE WHEN grown.break_flag IS NULL AND grown.value_last_year IS NOT NULL THEN grown.value END
        AS value_comparable,
    CASE WHEN grown.break_flag IS NULL THEN grown.value_last_year END AS value_prior,
    CASE
        WHEN grown.break_flag IS NULL AND grown.value_last_year > 0
            THEN round(100 * (grown.value::DOUBLE / grown.value_last_year::DOUBLE - 1), 8)
    END::DECIMAL(28, 8) AS yoy_pct,
    CASE WHEN grown.break_flag IS NULL AND grown.value_last_year > 0 THEN 'levels' END AS yoy_basis,
    grown.value_last_year,
    CASE
        WHEN grown.value_last_year > 0
            THEN round(100 * (grown.value::DOUBLE / grown.value_last_year::DOUBLE - 1), 8)
    END::DECIMAL(28, 8) AS yoy_levels_pct,
    grown.break_flag,
    'entered' AS origin
FROM grown
LEFT JOIN (SELECT code, min(level) AS level FROM dims.region GROUP BY code) AS region
    ON region.code = grown.area_code
ANTI JOIN area_path AS said
    ON said.area_code = grown.area_code AND said.indicator_id = grown.indicator_id
    AND said.asof_period = grown.asof_period AND said.scope = grown.scope
