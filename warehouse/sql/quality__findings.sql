-- quality.finding and quality.finding_cell: what reading, rules and screens found, and where it stands now.
--   resolved    the file no longer counts (replaced, withdrawn, sent twice)
--   waived      a person accepted it (情况属实): rule, and park or file, up to a date
--   persisting  the same rule failed for the same park or reporter in the version or period before
--   new         otherwise
DELETE FROM quality.finding;

INSERT INTO quality.finding BY NAME
WITH said AS (
    SELECT * FROM internal.reading_finding
    UNION ALL BY NAME
    SELECT * FROM internal.rule_finding
    UNION ALL BY NAME
    SELECT * FROM internal.screen_said
),

standing AS (
    SELECT
        said.finding_id,
        said.rule_id,
        coalesce(said.park_id, '') AS park_id,
        coalesce(said.indicator_id, '') AS indicator_id,
        coalesce(said.reporter, '') AS reporter,
        said.period,
        left(said.period, 4)::INTEGER * 12 + right(said.period, 2)::INTEGER AS month_no,
        right(said.period, 2)::INTEGER AS month,
        submission.received_at,
        coalesce(submission.status IN ('superseded', 'duplicate'), false)
            OR withdrawal.submission_id IS NOT NULL AS is_over
    FROM said
    LEFT JOIN submissions.submission AS submission USING (submission_id)
    LEFT JOIN (SELECT DISTINCT submission_id FROM internal.withdrawal WHERE restored_at IS NULL) AS withdrawal
        USING (submission_id)
    WHERE said.outcome = 'fail'
),

-- Said before of the same: in an earlier version of the period, or in the report period before.
before AS (
    SELECT DISTINCT now.finding_id
    FROM standing AS now
    JOIN standing AS earlier
        ON earlier.rule_id = now.rule_id
        AND earlier.park_id = now.park_id
        AND earlier.indicator_id = now.indicator_id
        AND earlier.reporter = now.reporter
        AND (
            (earlier.period = now.period AND earlier.received_at < now.received_at)
            OR (
                NOT earlier.is_over
                AND earlier.month_no = now.month_no - CASE WHEN now.month = $first_month THEN $first_month ELSE 1 END
            )
        )
    WHERE NOT now.is_over
),

waived AS (
    SELECT DISTINCT said.finding_id
    FROM said
    JOIN internal.waiver AS waiver
        ON waiver.rule_id = said.rule_id
        AND (waiver.park_id IS NULL OR waiver.park_id = said.park_id)
        AND (waiver.submission_id IS NULL OR waiver.submission_id = said.submission_id)
        AND last_day((said.period || '-01')::DATE) <= waiver.until
    WHERE said.outcome = 'fail' AND said.severity <> 'error'
)

SELECT
    said.*,
    CASE
        WHEN standing.is_over THEN 'resolved'
        WHEN waived.finding_id IS NOT NULL THEN 'waived'
        WHEN before.finding_id IS NOT NULL THEN 'persisting'
        ELSE 'new'
    END AS lifecycle
FROM said
LEFT JOIN standing USING (finding_id)
LEFT JOIN before USING (finding_id)
LEFT JOIN waived USING (finding_id)
ORDER BY said.finding_id;

DELETE FROM quality.finding_cell;

INSERT INTO quality.finding_cell BY NAME
SELECT * EXCLUDE (judged_period) FROM internal.rule_finding_cell
UNION ALL BY NAME
SELECT
    finding.finding_id,
    1 AS position,
    cell.submission_id,
    cell.sheet,
    cell.address,
    cell.park_id,
    cell.indicator_id,
    cell.period,
    cell.measure,
    true AS is_own,
    finding.severity = 'error' AS is_error
FROM (FROM internal.reading_finding UNION ALL BY NAME FROM internal.screen_said) AS finding
JOIN submissions.cell AS cell USING (submission_id, sheet, address)
WHERE finding.outcome = 'fail'
ORDER BY finding_id, position
