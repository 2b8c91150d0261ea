-- Earlier figures a rule compares with: the newest cell of the files that count, without cells that
-- break a rule within their own file. Read from cells, not from observations, so that the outcome does
-- not depend on the order in which files arrived.
CREATE OR REPLACE TEMP TABLE reported AS
SELECT
    cell.park_id,
    cell.indicator_id,
    wanted.measure,
    cell.period,
    cell.value,
    cell.submission_id,
    cell.sheet,
    cell.address,
    cell.raw_text,
    cell.unit_raw
FROM submissions.cell AS cell
JOIN dims.indicator AS indicator USING (indicator_id)
JOIN wanted_earlier AS wanted
    ON wanted.indicator_id = cell.indicator_id
    AND (
        wanted.measure = cell.measure
        OR (wanted.measure = 'level' AND cell.measure = CASE indicator.over_time
            WHEN 'ytd' THEN 'ytd' WHEN 'last' THEN 'stock' WHEN 'formula' THEN 'ytd' ELSE 'month'
        END)
    )
JOIN internal.standing AS standing ON standing.submission_id = cell.submission_id AND standing.active_to IS NULL
WHERE
    cell.role = 'data'
    AND cell.park_id IS NOT NULL
    AND cell.period IN (SELECT earlier FROM period_shift)
    AND NOT EXISTS (
        SELECT 1
        FROM internal.reading_finding AS finding
        WHERE
            finding.severity = 'error' AND finding.outcome = 'fail'
            AND finding.submission_id = cell.submission_id
            AND finding.sheet = cell.sheet AND finding.address = cell.address
    )
    AND NOT EXISTS (
        SELECT 1
        FROM internal.rule_finding_cell AS broken
        WHERE
            broken.is_own AND broken.is_error
            AND broken.submission_id = cell.submission_id
            AND broken.sheet = cell.sheet AND broken.address = cell.address
    )
QUALIFY row_number() OVER (
    PARTITION BY cell.park_id, cell.indicator_id, wanted.measure, cell.period
    ORDER BY standing.order_at DESC, standing.place DESC, cell.submission_id, cell.sheet, cell.address
) = 1
