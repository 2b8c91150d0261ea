-- How much each source revised in the affected periods, kept as exact sums by period
-- (internal.revision_sum), so that a new month costs the work of a month. Rounding and a figure that
-- merely rests on another file are no revisions. Periods kept by an older program have no sums yet and
-- get them here.
CREATE OR REPLACE TEMP TABLE summed_period AS
SELECT id AS period, key
FROM internal.key
WHERE
    domain = 'period'
    AND (id IN (SELECT period FROM internal.affected_period)
        OR id NOT IN (SELECT period FROM internal.revision_sum));

DELETE FROM internal.revision_sum WHERE period IN (SELECT period FROM internal.affected_period);

INSERT INTO internal.revision_sum BY NAME
WITH counted AS (
    SELECT fact.period, fact.submission_key, fact.indicator_key, fact.measure_key, count(*) AS n_vintages
    FROM internal.observation_fact AS fact
    WHERE fact.period IN (SELECT key FROM summed_period)
    GROUP BY ALL
),

changed AS (
    SELECT * FROM observations.revision WHERE period IN (SELECT period FROM summed_period)
),

later AS (
    SELECT period, submission_id, indicator_id, measure, count(*) AS n_later
    FROM changed
    WHERE kind <> 'withdrawn'
    GROUP BY ALL
),

released AS (
    SELECT
        summed_period.period,
        submission.source_id,
        indicator.id AS indicator_id,
        measure.id AS measure,
        sum(counted.n_vintages - coalesce(later.n_later, 0))::BIGINT AS n_figures
    FROM counted
    JOIN summed_period ON summed_period.key = counted.period
    JOIN internal.key AS delivered ON delivered.domain = 'submission' AND delivered.key = counted.submission_key
    JOIN internal.key AS indicator ON indicator.domain = 'indicator' AND indicator.key = counted.indicator_key
    JOIN internal.key AS measure ON measure.domain = 'measure' AND measure.key = counted.measure_key
    JOIN submissions.submission AS submission ON submission.submission_id = delivered.id
    LEFT JOIN later
        ON later.period = summed_period.period
        AND later.submission_id = delivered.id
        AND later.indicator_id = indicator.id
        AND later.measure = measure.id
    GROUP BY ALL
),

revised AS (
    SELECT
        period,
        source_id,
        indicator_id,
        measure,
        CASE WHEN grouping(lag_days // 30) = 0 THEN lag_days // 30 END::INTEGER AS lag_months,
        count(DISTINCT park_id) AS n_revised,
        count(revision) AS n_values,
        sum(revision) AS revision,
        sum(abs(revision)) AS abs_revision,
        count(revision_pct) AS n_pct,
        sum(revision_pct) AS pct,
        sum(abs(revision_pct)) AS abs_pct
    FROM changed
    WHERE kind NOT IN ('rounding', 'restated')
    GROUP BY GROUPING SETS (
        (period, source_id, indicator_id, measure), (period, source_id, indicator_id, measure, lag_days // 30)
    )
)

SELECT
    period, source_id, indicator_id, measure, NULL AS lag_months, n_figures,
    0 AS n_revised, 0 AS n_values, NULL AS revision, NULL AS abs_revision, 0 AS n_pct, NULL AS pct, NULL AS abs_pct
FROM released
UNION ALL BY NAME
SELECT revised.*, 0 AS n_figures
FROM revised
ORDER BY period, source_id, indicator_id, measure, lag_months, n_figures;

DROP TABLE summed_period
