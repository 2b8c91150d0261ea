-- Parks whose figures of a period are missing or stand on an earlier delivery, why, and what share of the
-- area that is by the last value known. `$lead` is the indicator shares are computed by.
WITH expected AS (
    SELECT
        due.period,
        due.reporter,
        park.park_id,
        coalesce(nullif(park.home_county_code, ''), park.county_code) AS county_code,
        park.city_code,
        park.province_code
    FROM internal.expected_return AS due
    JOIN dims.reporter AS reporter
        ON reporter.reporter = due.reporter
        AND coalesce(reporter.valid_from, DATE '0001-01-01') <= last_day((due.period || '-01')::DATE)
        AND coalesce(reporter.valid_to, DATE '9999-12-31') > last_day((due.period || '-01')::DATE)
    JOIN dims.park AS park
        ON coalesce(nullif(park.home_county_code, ''), park.county_code) = reporter.region_code
        AND coalesce(park.valid_from, DATE '0001-01-01') <= last_day((due.period || '-01')::DATE)
        AND coalesce(park.valid_to, DATE '9999-12-31') > last_day((due.period || '-01')::DATE)
),

-- figures of the period itself; last year's column of this year's file is no report
figure AS (
    SELECT
        park_id,
        period,
        max(value) FILTER (WHERE indicator_id = $lead AND measure IN ('ytd', 'stock', 'month')) AS value
    FROM observations.observation
    WHERE known_from <= $asof::TIMESTAMP AND (known_to IS NULL OR known_to > $asof::TIMESTAMP) AND measure <> 'ytd_prior'
    GROUP BY park_id, period
),

kept_back AS (
    SELECT
        coalesce(triage.period, submission.period) AS period,
        cell.park_id,
        bool_or(triage.action = 'quarantined') AS is_error,
        arg_max(triage.submission_id, (submission.version_no, triage.submission_id)) AS submission_id,
        arg_min(triage.reason, (triage.action <> 'quarantined', triage.finding_id)) AS reason
    FROM quality.triage AS triage
    JOIN submissions.submission AS submission USING (submission_id)
    JOIN submissions.cell AS cell
        ON cell.submission_id = triage.submission_id
        AND cell.park_id IS NOT NULL
        AND (triage.reach = 'file' OR (triage.reach = 'sheet' AND cell.sheet = triage.sheet)
            OR (triage.reach = 'park' AND cell.park_id = triage.park_id))
    WHERE
        triage.action IN ('quarantined', 'held')
        AND triage.reach IN ('park', 'sheet', 'file')
        AND submission.status IN ('accepted', 'partly', 'returned', 'held')
    GROUP BY 1, 2
),

delivery AS (
    SELECT
        period,
        reporter,
        bool_or(status IN ('accepted', 'partly')) AS has_accepted,
        arg_max(status, (received_at, submission_id)) AS status,
        arg_max(submission_id, (received_at, submission_id)) AS submission_id,
        arg_max(reason, (received_at, submission_id)) AS reason
    FROM submissions.submission
    WHERE reporter IS NOT NULL AND status NOT IN ('duplicate', 'superseded')
    GROUP BY period, reporter
),

gap AS (
    SELECT
        expected.*,
        CASE
            WHEN kept_back.is_error THEN 'returned'
            WHEN kept_back.park_id IS NOT NULL THEN 'held'
            WHEN delivery.period IS NULL THEN 'missing'
            WHEN delivery.has_accepted THEN 'omitted'
            WHEN delivery.status IN ('returned', 'rejected') THEN 'returned'
            WHEN delivery.status = 'late_locked' THEN 'late_locked'
            ELSE 'held'
        END AS why,
        figure.park_id IS NOT NULL AS earlier_stands,
        coalesce(kept_back.submission_id, delivery.submission_id) AS submission_id,
        coalesce(kept_back.reason, delivery.reason) AS reason
    FROM expected
    LEFT JOIN figure USING (park_id, period)
    LEFT JOIN kept_back USING (park_id, period)
    LEFT JOIN delivery ON delivery.period = expected.period AND delivery.reporter = expected.reporter
    WHERE figure.park_id IS NULL OR kept_back.park_id IS NOT NULL
),

last_known AS (
    SELECT gap.park_id, gap.period, max(figure.period) AS basis_period
    FROM gap
    JOIN figure ON figure.park_id = gap.park_id AND figure.period < gap.period AND figure.value IS NOT NULL
    GROUP BY gap.park_id, gap.period
),

-- totals of the period each share rests on, with the areas as they are in the register then
area AS (
    SELECT
        figure.period,
        coalesce(nullif(park.home_county_code, ''), park.county_code) AS county_code,
        park.city_code,
        park.province_code,
        figure.value
    FROM figure
    JOIN dims.park AS park
        ON park.park_id = figure.park_id
        AND coalesce(park.valid_from, DATE '0001-01-01') <= last_day((figure.period || '-01')::DATE)
        AND coalesce(park.valid_to, DATE '9999-12-31') > last_day((figure.period || '-01')::DATE)
    WHERE figure.value IS NOT NULL AND figure.period IN (SELECT basis_period FROM last_known)
),

county AS (SELECT period, county_code, sum(value) AS total FROM area GROUP BY ALL),

city AS (SELECT period, city_code, sum(value) AS total FROM area GROUP BY ALL),

province AS (SELECT period, province_code, sum(value) AS total FROM area GROUP BY ALL)

SELECT
    gap.period,
    gap.park_id,
    gap.reporter,
    gap.county_code,
    gap.city_code,
    gap.province_code,
    gap.why,
    gap.earlier_stands,
    gap.submission_id,
    gap.reason,
    CASE WHEN last_known.basis_period IS NOT NULL THEN $lead END AS indicator_id,
    last_known.basis_period,
    round(100 * basis.value::DOUBLE / nullif(county.total, 0)::DOUBLE, 8)::DECIMAL(28, 8) AS county_share_pct,
    round(100 * basis.value::DOUBLE / nullif(city.total, 0)::DOUBLE, 8)::DECIMAL(28, 8) AS city_share_pct,
    round(100 * basis.value::DOUBLE / nullif(province.total, 0)::DOUBLE, 8)::DECIMAL(28, 8) AS province_share_pct,
    CASE
        WHEN gap.earlier_stands THEN '沿用本期此前已采用的数据'
        WHEN last_known.basis_period IS NULL THEN '各级合计不含该园区，此前无数据，无法估计影响'
        ELSE '各级合计不含该园区，同比按同范围计算'
    END AS effect
FROM gap
LEFT JOIN last_known USING (park_id, period)
LEFT JOIN figure AS basis ON basis.park_id = gap.park_id AND basis.period = last_known.basis_period
LEFT JOIN county ON county.period = last_known.basis_period AND county.county_code = gap.county_code
LEFT JOIN city ON city.period = last_known.basis_period AND city.city_code = gap.city_code
LEFT JOIN province ON province.period = last_known.basis_period AND province.province_code = gap.province_code
ORDER BY gap.period, gap.park_id
