-- How each reporter filed each period (报送质量记录): punctuality from the first delivery, files that came
-- back, problems found, and how many of them turned out to be in order (waived or explained).
WITH file AS (
    SELECT
        submission.period,
        submission.reporter,
        submission.submission_id,
        submission.received_at,
        submission.status,
        coalesce(bool_or(triage.action = 'quarantined'), false) OR submission.status = 'rejected' AS came_back,
        coalesce(bool_or(triage.action = 'held'), false) AS is_held
    FROM submissions.submission AS submission
    LEFT JOIN quality.triage AS triage USING (submission_id)
    WHERE submission.reporter IS NOT NULL AND submission.period IS NOT NULL AND submission.status <> 'duplicate'
    GROUP BY submission.period, submission.reporter, submission.submission_id, submission.received_at, submission.status
),

filed AS (
    SELECT
        period,
        reporter,
        count(*)::INTEGER AS n_files,
        min(received_at) AS first_received_at,
        (count(*) FILTER (WHERE came_back OR status = 'returned'))::INTEGER AS n_returned,
        (count(*) FILTER (WHERE is_held OR status = 'held'))::INTEGER AS n_held,
        bool_or(status IN ('accepted', 'partly', 'superseded')) AS has_used
    FROM file
    GROUP BY period, reporter
),

problem AS (
    SELECT
        submission.period,
        submission.reporter,
        (count(*) FILTER (WHERE finding.severity = 'error'))::INTEGER AS n_error,
        (count(*) FILTER (WHERE finding.severity = 'verify'))::INTEGER AS n_verify,
        (count(*) FILTER (WHERE finding.severity = 'hint'))::INTEGER AS n_hint,
        count(DISTINCT finding.rule_id)::INTEGER AS n_rules,
        (count(*) FILTER (WHERE triage.action = 'released'))::INTEGER AS n_cleared,
        (count(*) FILTER (WHERE finding.severity IN ('error', 'verify')))::INTEGER AS n_blocking
    FROM quality.finding AS finding
    JOIN submissions.submission AS submission USING (submission_id)
    LEFT JOIN quality.triage AS triage ON triage.finding_id = finding.finding_id
    WHERE finding.outcome = 'fail' AND submission.status <> 'duplicate' AND coalesce(triage.returned, true)
    GROUP BY submission.period, submission.reporter
)

SELECT
    due.reporter,
    due.period,
    due.name,
    due.deadline,
    filed.first_received_at,
    CASE
        WHEN filed.first_received_at IS NULL THEN 'absent'
        WHEN due.due_at IS NULL OR filed.first_received_at <= due.due_at THEN 'on_time'
        ELSE 'late'
    END AS punctuality,
    CASE
        WHEN filed.first_received_at > due.due_at
            THEN (1 + floor(epoch(filed.first_received_at - due.due_at) / 86400))::INTEGER
        WHEN filed.first_received_at IS NOT NULL AND due.due_at IS NOT NULL THEN 0
    END AS days_late,
    coalesce(filed.n_files, 0) AS n_files,
    coalesce(filed.n_returned, 0) AS n_returned,
    coalesce(filed.n_held, 0) AS n_held,
    coalesce(problem.n_error, 0) AS n_error,
    coalesce(problem.n_verify, 0) AS n_verify,
    coalesce(problem.n_hint, 0) AS n_hint,
    coalesce(problem.n_rules, 0) AS n_rules,
    coalesce(problem.n_cleared, 0) AS n_cleared,
    round(100.0 * problem.n_cleared / nullif(problem.n_blocking, 0), 8)::DECIMAL(28, 8) AS false_alarm_pct
FROM internal.expected_return AS due
LEFT JOIN filed USING (period, reporter)
LEFT JOIN problem USING (period, reporter)
ORDER BY due.reporter, due.period
