-- What each finding does to the figures it is about (审核分流), by the catalogue's triage policy:
--   quarantined  错误: the figures in reach are not accepted; what was accepted before stays.
--   held         核实 under a policy that waits: not accepted until explained or waived.
--   marked       accepted and marked; the reporter is asked.
--   released     was held and has been explained, or has been waived.
-- Then which cells that blocks, the periods to derive anew, and what became of each file.
CREATE OR REPLACE TEMP TABLE triaged AS
WITH problem AS (
    SELECT
        finding.*,
        submission.source_id,
        coalesce(finding.park_id, cell.park_id) AS of_park,
        coalesce(finding.period, cell.period) AS of_period,
        CASE WHEN finding.sheet IS NOT NULL AND finding.address IS NOT NULL THEN true ELSE false END AS has_cell
    FROM quality.finding AS finding
    JOIN submissions.submission AS submission USING (submission_id)
    LEFT JOIN submissions.cell AS cell
        ON cell.submission_id = finding.submission_id
        AND cell.sheet = finding.sheet
        AND cell.address = finding.address
    WHERE finding.outcome = 'fail' AND finding.severity IN ('error', 'verify')
),

rule AS (
    SELECT DISTINCT rule_id, source_id FROM problem
),

policy AS (
    SELECT
        rule.rule_id,
        rule.source_id,
        arg_min(
            {
                'triage_id': policy.triage_id,
                'error': policy.error,
                'verify': policy.verify,
                'returned': policy.returned
            },
            (-policy.weight, policy.triage_id)
        ) AS chosen
    FROM rule
    JOIN internal.triage_policy AS policy
        ON rule.rule_id GLOB policy.pattern
        AND (policy.source_id IS NULL OR policy.source_id = rule.source_id)
    GROUP BY rule.rule_id, rule.source_id
),

reaching AS (
    SELECT
        problem.*,
        policy.chosen.triage_id AS triage_id,
        coalesce(policy.chosen.returned, true) AS returned,
        CASE
            WHEN problem.severity = 'error' THEN coalesce(policy.chosen.error, 'park')
            WHEN policy.chosen.verify = 'hold' THEN CASE policy.chosen.error WHEN 'mark' THEN 'park' ELSE policy.chosen.error END
            ELSE 'mark'
        END AS wanted
    FROM problem
    LEFT JOIN policy
        ON policy.rule_id = problem.rule_id AND policy.source_id IS NOT DISTINCT FROM problem.source_id
),

placed AS (
    SELECT
        *,
        -- a finding reaches as far as it says what it is about
        CASE
            WHEN wanted = 'park' AND of_park IS NOT NULL THEN 'park'
            WHEN wanted IN ('park', 'cell') AND has_cell THEN 'cell'
            WHEN wanted = 'park' AND sheet IS NOT NULL THEN 'sheet'
            WHEN wanted IN ('park', 'file') THEN 'file'
            ELSE 'none'
        END AS reach
    FROM reaching
),

-- in order since a reporter explained it or a person waived it, whichever came first
cleared AS (
    SELECT finding_id, min(cleared_at) AS cleared_at
    FROM (
        SELECT finding_id, explained_at AS cleared_at FROM internal.explanation
        UNION ALL
        SELECT problem.finding_id, waiver.decided_at
        FROM problem
        JOIN internal.waiver AS waiver
            ON waiver.rule_id = problem.rule_id
            AND (waiver.park_id IS NULL OR waiver.park_id = problem.park_id)
            AND (waiver.submission_id IS NULL OR waiver.submission_id = problem.submission_id)
            AND last_day((problem.period || '-01')::DATE) <= waiver.until
    )
    GROUP BY finding_id
)

SELECT
    placed.finding_id,
    placed.rule_id,
    placed.severity,
    placed.submission_id,
    placed.reporter,
    placed.of_park AS park_id,
    placed.of_period AS period,
    placed.sheet,
    placed.address,
    placed.reach,
    CASE
        WHEN placed.severity = 'verify' AND cleared.cleared_at IS NOT NULL THEN 'released'
        WHEN placed.reach = 'none' THEN 'marked'
        WHEN placed.severity = 'error' THEN 'quarantined'
        ELSE 'held'
    END AS action,
    placed.returned,
    placed.triage_id,
    placed.message AS reason,
    CASE WHEN placed.severity = 'verify' THEN cleared.cleared_at END AS released_at
FROM placed
LEFT JOIN cleared USING (finding_id);

CREATE OR REPLACE TEMP TABLE blocked AS
WITH reached AS (
    SELECT cell.submission_id, cell.sheet, cell.address, triaged.released_at
    FROM triaged
    JOIN submissions.cell AS cell
        ON cell.submission_id = triaged.submission_id
        AND cell.park_id = triaged.park_id
        AND (triaged.period IS NULL OR cell.period IS NULL OR cell.period = triaged.period)
    WHERE triaged.reach = 'park'
    UNION ALL
    SELECT triaged.submission_id, triaged.sheet, triaged.address, triaged.released_at
    FROM triaged
    WHERE triaged.reach = 'cell' AND triaged.address IS NOT NULL
    UNION ALL
    -- the figures of the file that the finding rests on, when it names several
    SELECT triaged.submission_id, own.sheet, own.address, triaged.released_at
    FROM triaged
    JOIN quality.finding_cell AS own
        ON own.finding_id = triaged.finding_id AND own.is_own AND own.submission_id = triaged.submission_id
    WHERE triaged.reach = 'cell'
    UNION ALL
    SELECT cell.submission_id, cell.sheet, cell.address, triaged.released_at
    FROM triaged
    JOIN submissions.cell AS cell
        ON cell.submission_id = triaged.submission_id
        AND (triaged.reach = 'file' OR cell.sheet = triaged.sheet)
    WHERE triaged.reach IN ('file', 'sheet')
)

SELECT
    submission_id,
    sheet,
    address,
    -- one finding without an end keeps the cell out for good
    CASE WHEN count(*) = count(released_at) THEN max(released_at) END AS blocked_until
FROM reached
GROUP BY submission_id, sheet, address;

-- In a locked period nothing changes: its cells stay as they were triaged before.
CREATE OR REPLACE TEMP TABLE frozen AS
SELECT DISTINCT cell.submission_id, cell.sheet, cell.address
FROM submissions.cell AS cell
JOIN internal.lock AS lock ON lock.period = cell.period AND lock.unlocked_at IS NULL
JOIN internal.standing AS standing
    ON standing.submission_id = cell.submission_id AND standing.active_from < lock.locked_at
JOIN internal.key AS known ON known.domain = 'submission' AND known.id = cell.submission_id;

CREATE OR REPLACE TEMP TABLE blocked_now AS
SELECT blocked.*
FROM blocked
ANTI JOIN frozen USING (submission_id, sheet, address)
UNION ALL
SELECT before.*
FROM internal.blocked AS before
SEMI JOIN frozen USING (submission_id, sheet, address);

INSERT INTO internal.affected_period
WITH changed AS (
    (FROM blocked_now EXCEPT FROM internal.blocked)
    UNION
    (FROM internal.blocked EXCEPT FROM blocked_now)
)

SELECT DISTINCT cell.period
FROM submissions.cell AS cell
SEMI JOIN changed USING (submission_id, sheet, address)
WHERE cell.period IS NOT NULL AND cell.period NOT IN (SELECT period FROM internal.affected_period);

DELETE FROM internal.blocked;

INSERT INTO internal.blocked FROM blocked_now;

DELETE FROM quality.triage;

-- Counted by an inner join: an outer one with a choice of conditions compares every finding with every cell.
INSERT INTO quality.triage BY NAME
WITH counted AS (
    SELECT triaged.finding_id, triaged.park_id, triaged.period, count(*) AS n_cells
    FROM submissions.cell AS cell
    JOIN triaged
        ON triaged.submission_id = cell.submission_id
        AND (
            (triaged.reach = 'park' AND cell.park_id = triaged.park_id
                AND (triaged.period IS NULL OR cell.period IS NULL OR cell.period = triaged.period))
            OR (triaged.reach = 'cell' AND cell.sheet = triaged.sheet AND cell.address = triaged.address)
            OR (triaged.reach = 'sheet' AND cell.sheet = triaged.sheet)
            OR triaged.reach = 'file'
        )
    WHERE cell.indicator_id IS NOT NULL AND cell.role = 'data'
    GROUP BY triaged.finding_id, triaged.park_id, triaged.period
)

SELECT DISTINCT
    triaged.* EXCLUDE (reason),
    triaged.reason,
    coalesce(counted.n_cells, 0)::INTEGER AS n_cells
FROM triaged
LEFT JOIN counted
    ON counted.finding_id = triaged.finding_id
    AND counted.park_id IS NOT DISTINCT FROM triaged.park_id
    AND counted.period IS NOT DISTINCT FROM triaged.period
ORDER BY triaged.finding_id;

-- What became of each file that counts: accepted, partly (something kept back or to be mended), returned (all
-- kept back by errors), held (all kept back until explained). A file is superseded by a newer one of
-- which anything is accepted: one that came back whole leaves the former in force.
CREATE OR REPLACE TEMP TABLE filed AS
WITH counted AS (
    SELECT
        cell.submission_id,
        count(*) AS n_usable,
        count(blocked.address) FILTER (WHERE blocked.blocked_until IS NULL) AS n_blocked
    FROM submissions.cell AS cell
    LEFT JOIN internal.blocked AS blocked USING (submission_id, sheet, address)
    WHERE
        cell.role = 'data'
        AND cell.park_id IS NOT NULL
        AND cell.indicator_id IS NOT NULL
        AND cell.measure IS NOT NULL
        AND cell.period IS NOT NULL
    GROUP BY cell.submission_id
),

troubled AS (
    SELECT
        submission_id,
        count(*) FILTER (WHERE action IN ('quarantined', 'held') OR (severity = 'error' AND action = 'marked')) AS n_open,
        count(*) FILTER (WHERE action = 'marked' AND severity = 'verify') AS n_marked,
        bool_or(action = 'quarantined') AS has_error,
        arg_min(reason, (action <> 'quarantined', action <> 'held', severity <> 'error', sheet, address, finding_id)) AS reason
    FROM quality.triage
    GROUP BY submission_id
),

own AS (
    SELECT
        submission.submission_id,
        submission.source_id,
        submission.reporter,
        submission.period,
        submission.version_no,
        submission.reason,
        troubled.reason AS trouble,
        CASE
            WHEN counted.n_usable > 0 AND counted.n_blocked = counted.n_usable
                THEN CASE WHEN troubled.has_error THEN 'returned' ELSE 'held' END
            WHEN counted.n_blocked > 0 OR troubled.n_open > 0 OR troubled.n_marked > 0 OR submission.reason IS NOT NULL
                THEN 'partly'
            ELSE 'accepted'
        END AS status
    FROM submissions.submission AS submission
    JOIN internal.standing AS standing
        ON standing.submission_id = submission.submission_id AND standing.active_to IS NULL
    LEFT JOIN counted ON counted.submission_id = submission.submission_id
    LEFT JOIN troubled ON troubled.submission_id = submission.submission_id
    WHERE submission.status IN ('accepted', 'partly', 'superseded')
)

SELECT
    submission_id,
    CASE
        WHEN version_no < max(version_no) FILTER (WHERE status IN ('accepted', 'partly')) OVER (
            PARTITION BY source_id, reporter, period
        ) THEN 'superseded'
        ELSE status
    END AS status,
    coalesce(reason, CASE WHEN status IN ('returned', 'held') THEN trouble END) AS reason
FROM own;

UPDATE submissions.submission
SET status = filed.status, reason = filed.reason
FROM filed
WHERE submission.submission_id = filed.submission_id
