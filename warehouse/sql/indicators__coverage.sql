-- Every indicator of the catalogue as of a period: how it is obtained and how much of it is there.
-- Nothing is missing in silence: what has no figure says which input it waits for.
WITH wanted AS (
    SELECT year, asof_period, last_day((asof_period || '-01')::DATE) AS day
    FROM internal.affected_asof
),

park_count AS (
    SELECT wanted.asof_period, count(park.park_id) AS n_parks
    FROM wanted
    LEFT JOIN dims.park AS park
        ON
            park.valid_from <= wanted.day
            AND (park.valid_to IS NULL OR park.valid_to > wanted.day)
            AND coalesce(park.status, 'active') = 'active'
    GROUP BY wanted.asof_period
),

known AS (
    SELECT indicator_id, asof_period, count(value) AS n_known
    FROM indicators.park_year
    WHERE asof_period IN (SELECT asof_period FROM wanted)
    GROUP BY ALL
),

areas AS (
    SELECT indicator_id, asof_period, count(DISTINCT area_code) FILTER (WHERE value IS NOT NULL) AS n_areas
    FROM indicators.area_year
    WHERE asof_period IN (SELECT asof_period FROM wanted) AND scope = 'all'
    GROUP BY ALL
),

counted AS (
    SELECT
        indicator.indicator_id,
        wanted.year,
        wanted.asof_period,
        indicator.obtained,
        indicator.obtained_from,
        park_count.n_parks,
        coalesce(known.n_known, 0) AS n_known,
        coalesce(areas.n_areas, 0) AS n_areas
    FROM wanted
    CROSS JOIN dims.indicator AS indicator
    JOIN park_count USING (asof_period)
    LEFT JOIN known USING (indicator_id, asof_period)
    LEFT JOIN areas USING (indicator_id, asof_period)
)

SELECT
    indicator_id,
    year,
    asof_period,
    obtained,
    obtained_from,
    n_parks::INTEGER AS n_parks,
    n_known::INTEGER AS n_known,
    n_areas::INTEGER AS n_areas,
    CASE
        WHEN obtained IN ('judged', 'per_figure') THEN '随每个指标计算,见 ' || obtained_from
        WHEN obtained = 'external' AND n_areas = 0 THEN '须外部数据,尚未补录(catalog/inputs/figures.csv)'
        WHEN obtained = 'external' THEN NULL
        WHEN n_known = 0 AND n_areas > 0 THEN '仅有地区数'
        WHEN n_known = 0 AND obtained = 'computed' THEN '缺计算所需的数:' || obtained_from
        WHEN n_known = 0 THEN '本期无报送'
        WHEN n_known < n_parks THEN '缺' || (n_parks - n_known) || '个园区'
    END AS note
FROM counted
ORDER BY asof_period, indicator_id
