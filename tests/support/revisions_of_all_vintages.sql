-- Revision statistics from all vintages and revisions at once: what observations.revision_summary, which
-- adds up sums kept by period, must equal row by row.
WITH figures AS (
    SELECT
        submission.source_id,
        indicator.id AS indicator_id,
        measure.id AS measure,
        counted.n_vintages - coalesce(later.n_later, 0) AS n_figures
    FROM (
        SELECT submission_key, indicator_key, measure_key, count(*) AS n_vintages
        FROM internal.observation_fact
        GROUP BY submission_key, indicator_key, measure_key
    ) AS counted
    JOIN internal.key AS delivered ON delivered.domain = 'submission' AND delivered.key = counted.submission_key
    JOIN internal.key AS indicator ON indicator.domain = 'indicator' AND indicator.key = counted.indicator_key
    JOIN internal.key AS measure ON measure.domain = 'measure' AND measure.key = counted.measure_key
    JOIN submissions.submission AS submission ON submission.submission_id = delivered.id
    LEFT JOIN (
        SELECT submission_id, indicator_id, measure, count(*) AS n_later
        FROM observations.revision
        WHERE kind <> 'withdrawn'
        GROUP BY submission_id, indicator_id, measure
    ) AS later
        ON later.submission_id = delivered.id
        AND later.indicator_id = indicator.id
        AND later.measure = measure.id
),

released AS (
    SELECT source_id, indicator_id, measure, sum(n_figures)::BIGINT AS n_figures
    FROM figures
    GROUP BY source_id, indicator_id, measure
),

revised AS (
    SELECT
        source_id,
        indicator_id,
        measure,
        CASE WHEN grouping(lag_days // 30) = 0 THEN lag_days // 30 END::INTEGER AS lag_months,
        count(DISTINCT (park_id, period))::BIGINT AS n_revised,
        sum(revision)::DOUBLE / nullif(count(revision), 0) AS mean_revision,
        sum(abs(revision))::DOUBLE / nullif(count(revision), 0) AS mean_abs_revision,
        sum(revision_pct)::DOUBLE / nullif(count(revision_pct), 0) AS mean_pct,
        sum(abs(revision_pct))::DOUBLE / nullif(count(revision_pct), 0) AS mean_abs_pct
    FROM observations.revision
    WHERE kind NOT IN ('rounding', 'restated')
    GROUP BY GROUPING SETS (
        (source_id, indicator_id, measure), (source_id, indicator_id, measure, lag_days // 30)
    )
)

SELECT
    released.source_id,
    released.indicator_id,
    released.measure,
    revised.lag_months,
    released.n_figures,
    coalesce(revised.n_revised, 0) AS n_revised,
    round(100 * coalesce(revised.n_revised, 0)::DOUBLE / nullif(released.n_figures, 0), 4)::DECIMAL(28, 8) AS share_pct,
    round(revised.mean_revision, 8)::DECIMAL(28, 8) AS mean_revision,
    round(revised.mean_abs_revision, 8)::DECIMAL(28, 8) AS mean_abs_revision,
    round(revised.mean_pct, 8)::DECIMAL(28, 8) AS mean_pct,
    round(revised.mean_abs_pct, 8)::DECIMAL(28, 8) AS mean_abs_pct
FROM released
LEFT JOIN revised
    ON revised.source_id = released.source_id
    AND revised.indicator_id = released.indicator_id
    AND revised.measure = released.measure
