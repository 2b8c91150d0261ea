-- The files that rules about whole files judge.
CREATE OR REPLACE TEMP TABLE file_unit AS
SELECT
    row_number() OVER ()::INTEGER AS unit_key,
    file.* EXCLUDE (file_period),
    file.file_period AS period,
    right(file.file_period, 2)::INTEGER AS month,
    right(file.file_period, 2)::INTEGER = $first_month AS is_first_month,
    ((file.received_at AT TIME ZONE 'UTC') AT TIME ZONE $zone)::DATE AS received_on,
    last_day((file.file_period || '-01')::DATE) AS period_end
FROM judged_file AS file
WHERE file.file_period IN (FROM internal.judged_period)
