-- The amounts statistical screens look at: of every park, indicator and period from $from on, the
-- value of the newest file that counts today, the prior-year value the same return gives, and the
-- cell it stands in. Cumulative where the return is cumulative, else the month or the level.
CREATE OR REPLACE TEMP TABLE screen_figure AS
WITH newest AS (
    SELECT
        cell.park_id,
        cell.indicator_id,
        cell.period,
        cell.measure,
        cell.value,
        cell.submission_id,
        cell.sheet,
        cell.address
    FROM submissions.cell AS cell
    JOIN internal.standing AS standing USING (submission_id)
    JOIN submissions.submission AS submission USING (submission_id)
    WHERE
        cell.period >= $from
        AND cell.role = 'data'
        AND cell.park_id IS NOT NULL
        AND cell.indicator_id IS NOT NULL
        AND cell.measure IN ('ytd', 'month', 'stock', 'ytd_prior')
        AND standing.active_to IS NULL
    QUALIFY
        row_number() OVER (
            PARTITION BY cell.park_id, cell.indicator_id, cell.period, cell.measure
            ORDER BY
                standing.order_at DESC,
                standing.place DESC,
                submission.received_at DESC,
                cell.submission_id DESC,
                cell.sheet DESC,
                cell.address DESC
        ) = 1
),

wanted AS (
    SELECT
        newest.*,
        CASE WHEN indicator.over_time IN ('last', 'mean') THEN 'stock' ELSE 'flow' END AS kind,
        indicator.over_time = 'ytd' AS cumulative,
        CASE indicator.over_time
            WHEN 'ytd' THEN 'ytd'
            WHEN 'last' THEN 'stock'
            ELSE 'month'
        END AS main
    FROM newest
    JOIN dims.indicator AS indicator USING (indicator_id)
    WHERE
        indicator.kind IN ('flow', 'stock')
        AND indicator.over_time <> 'formula'
        AND indicator.aggregation = 'sum'
)

SELECT
    now.park_id,
    now.indicator_id,
    now.period,
    now.kind,
    now.cumulative,
    now.value,
    prior.value AS reported_prior,
    now.submission_id,
    now.sheet,
    now.address
FROM wanted AS now
LEFT JOIN wanted AS prior
    ON prior.park_id = now.park_id
    AND prior.indicator_id = now.indicator_id
    AND prior.period = now.period
    AND prior.submission_id = now.submission_id
    AND prior.measure = 'ytd_prior'
WHERE now.measure = now.main AND now.value IS NOT NULL
ORDER BY now.indicator_id, now.park_id, now.period;

-- Last digits of the whole numbers of at least three significant digits in each file to be screened.
CREATE OR REPLACE TEMP TABLE screen_digit AS
SELECT
    cell.submission_id,
    cell.period,
    right(digits, 1)::INTEGER AS last_digit,
    length(rtrim(digits, '0')) AS n_digits,
    count(*) AS n
FROM (
    SELECT *, regexp_extract(replace(raw_text, ',', ''), '^-?([1-9][0-9]{2,})(\.0+)?$', 1) AS digits
    FROM submissions.cell
    WHERE
        period IN (SELECT period FROM internal.screen_period)
        AND measure IN ('ytd', 'month', 'ytd_prior')
        AND role = 'data'
) AS cell
JOIN internal.standing AS standing USING (submission_id)
WHERE digits <> '' AND standing.active_to IS NULL
GROUP BY ALL
