-- How much a source revises: per indicator and measure, in all and by months since first known; added up
-- from the sums kept by period (observations__revision_sums).
WITH released AS (
    SELECT source_id, indicator_id, measure, sum(n_figures)::BIGINT AS n_figures
    FROM internal.revision_sum
    WHERE n_revised = 0
    GROUP BY source_id, indicator_id, measure
),

revised AS (
    SELECT
        source_id,
        indicator_id,
        measure,
        lag_months,
        sum(n_revised)::BIGINT AS n_revised,
        sum(revision)::DOUBLE / nullif(sum(n_values), 0) AS mean_revision,
        sum(abs_revision)::DOUBLE / nullif(sum(n_values), 0) AS mean_abs_revision,
        sum(pct)::DOUBLE / nullif(sum(n_pct), 0) AS mean_pct,
        sum(abs_pct)::DOUBLE / nullif(sum(n_pct), 0) AS mean_abs_pct
    FROM internal.revision_sum
    WHERE n_revised > 0
    GROUP BY source_id, indicator_id, measure, lag_months
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
