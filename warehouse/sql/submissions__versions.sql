-- Which delivery counts when, from nothing but receipts, contents and decisions: the same files and
-- decisions end in the same rows in whatever order they were processed.
--   version   place within (source, reporter, period) by time of receipt. A file that calls itself
--             the n-th correction stands after the original it corrects and after lower corrections,
--             even when it was received before them.
--   held      a correction without an original, or a file of an unknown reporter: waits for the
--             original or for a person's word (采用).
--   late      received while its period was locked (封账): waits for the unlocking.
--   duplicate says and means what an earlier file of the reporter and period does (另存, 改名).
--   returned  withdrawn (撤回), or nothing in it could be used.
-- A file counts from its receipt, or from when the last of these waits ended, until withdrawn.

-- Originals a correction can rest on; a file whose period nobody could read may be one too.
CREATE OR REPLACE TEMP TABLE original AS
SELECT submission.reporter, submission.period, min(submission.received_at) AS received_at
FROM submissions.submission AS submission
LEFT JOIN internal.reading AS reading USING (submission_id)
WHERE coalesce(reading.revision, 0) = 0 AND submission.reporter IS NOT NULL
GROUP BY submission.reporter, submission.period;

CREATE OR REPLACE TEMP TABLE delivery AS
WITH accepted AS (
    SELECT submission_id, min(accepted_at) AS accepted_at FROM internal.acceptance GROUP BY submission_id
),

readable AS (
    SELECT
        submission.submission_id,
        submission.source_id,
        submission.reporter,
        submission.period,
        submission.received_at,
        submission.n_findings,
        coalesce(reading.revision, 0) AS revision,
        coalesce(reading.status, 'accepted') AS read_as,
        reading.reason AS read_reason,
        greatest(submission.received_at, accepted.accepted_at) AS accepted_at,
        first_value(submission.submission_id) OVER (
            PARTITION BY
                coalesce(reading.content_digest, submission.submission_id),
                submission.reporter,
                submission.period
            ORDER BY submission.received_at, submission.submission_id
        ) AS same_as,
        accepted.accepted_at IS NOT NULL AS is_accepted
    FROM submissions.submission AS submission
    LEFT JOIN internal.reading AS reading USING (submission_id)
    LEFT JOIN accepted USING (submission_id)
    WHERE submission.status <> 'rejected'
),

ready AS (
    SELECT
        readable.*,
        readable.same_as <> readable.submission_id AND NOT readable.is_accepted AS is_duplicate,
        CASE
            WHEN readable.read_as = 'returned' THEN NULL
            -- no layout: nothing to use until there is one, whoever accepts it
            WHEN readable.read_as = 'held' AND readable.reporter IS NOT NULL THEN NULL
            WHEN readable.read_as = 'held' OR readable.same_as <> readable.submission_id
                THEN CASE WHEN readable.is_accepted THEN readable.accepted_at END
            WHEN readable.revision = 0 OR unclear.received_at <= readable.received_at
                THEN readable.received_at
            WHEN original.received_at IS NOT NULL OR readable.is_accepted
                -- whichever comes first; greatest() and least() pass over NULL
                THEN least(
                    CASE WHEN original.received_at IS NOT NULL
                        THEN greatest(readable.received_at, original.received_at) END,
                    CASE WHEN readable.is_accepted THEN readable.accepted_at END
                )
        END AS ready_at
    FROM readable
    LEFT JOIN original
        ON original.reporter = readable.reporter AND original.period = readable.period
    LEFT JOIN original AS unclear
        ON unclear.reporter = readable.reporter AND unclear.period IS NULL
),

-- Each original opens a chapter; corrections belong to the one they follow, or to the first.
chapters AS (
    SELECT
        *,
        CASE
            WHEN is_duplicate OR reporter IS NULL OR period IS NULL THEN NULL
            ELSE greatest(1, count(*) FILTER (WHERE revision = 0 AND NOT is_duplicate) OVER (
                PARTITION BY source_id, reporter, period ORDER BY received_at, submission_id
            ))
        END AS chapter
    FROM ready
),

versions AS (
    SELECT
        *,
        CASE WHEN chapter IS NOT NULL THEN row_number() OVER (
            PARTITION BY source_id, reporter, period, chapter IS NULL
            ORDER BY chapter, revision, received_at, submission_id
        ) END AS version_no
    FROM chapters
)

SELECT
    versions.*,
    lock.reason AS lock_reason,
    CASE WHEN lock.period IS NULL THEN versions.ready_at ELSE lock.unlocked_at END AS active_from,
    -- A lower correction that arrives late never overrules what was already the newer version.
    CASE
        WHEN versions.version_no IS NULL THEN versions.ready_at
        ELSE min(versions.ready_at) OVER (
            PARTITION BY versions.source_id, versions.reporter, versions.period, versions.version_no IS NULL
            ORDER BY versions.version_no ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        )
    END AS order_at
FROM versions
LEFT JOIN internal.lock AS lock
    ON lock.period = versions.period
    AND versions.ready_at >= lock.locked_at
    AND (lock.unlocked_at IS NULL OR versions.ready_at < lock.unlocked_at);

CREATE OR REPLACE TEMP TABLE standing AS
WITH starts AS (
    SELECT submission_id, active_from AS start
    FROM delivery
    WHERE NOT is_duplicate AND active_from IS NOT NULL
    UNION
    SELECT withdrawal.submission_id, withdrawal.restored_at
    FROM internal.withdrawal AS withdrawal
    JOIN delivery USING (submission_id)
    WHERE NOT delivery.is_duplicate AND withdrawal.restored_at > delivery.active_from
),

ends AS (
    SELECT
        starts.submission_id,
        starts.start,
        min(withdrawal.withdrawn_at) FILTER (WHERE withdrawal.withdrawn_at > starts.start) AS finish,
        coalesce(bool_or(
            withdrawal.withdrawn_at <= starts.start
            AND (withdrawal.restored_at IS NULL OR withdrawal.restored_at > starts.start)
        ), false) AS is_withdrawn
    FROM starts
    LEFT JOIN internal.withdrawal AS withdrawal USING (submission_id)
    GROUP BY starts.submission_id, starts.start
)

SELECT
    ends.submission_id,
    ends.start AS active_from,
    ends.finish AS active_to,
    delivery.order_at,
    coalesce(delivery.version_no, 0)::INTEGER AS place
FROM ends
JOIN delivery USING (submission_id)
WHERE NOT ends.is_withdrawn;

-- Periods of every file whose standing has changed are derived anew.
INSERT INTO internal.affected_period
WITH changed AS (
    (FROM standing EXCEPT FROM internal.standing)
    UNION
    (FROM internal.standing EXCEPT FROM standing)
)

SELECT DISTINCT cell.period
FROM submissions.cell AS cell
WHERE
    cell.submission_id IN (SELECT submission_id FROM changed)
    AND cell.period IS NOT NULL
    AND cell.period NOT IN (SELECT period FROM internal.affected_period);

DELETE FROM internal.standing;

INSERT INTO internal.standing FROM standing;

CREATE OR REPLACE TEMP TABLE outcome AS
WITH withdrawn AS (
    SELECT submission_id, any_value(reason) AS reason
    FROM internal.withdrawal
    WHERE restored_at IS NULL
    GROUP BY submission_id
),

-- Cells of locked periods inside files of other periods wait too.
waiting AS (
    SELECT cell.submission_id, string_agg(DISTINCT cell.period, '、' ORDER BY cell.period) AS periods
    FROM submissions.cell AS cell
    JOIN internal.lock AS lock ON lock.period = cell.period AND lock.unlocked_at IS NULL
    JOIN internal.standing AS standing
        ON standing.submission_id = cell.submission_id AND standing.active_from >= lock.locked_at
    GROUP BY cell.submission_id
),

kinds AS (
    SELECT
        delivery.*,
        withdrawn.reason AS withdrawn_reason,
        waiting.periods AS waiting_periods,
        CASE
            WHEN is_duplicate THEN 'duplicate'
            WHEN withdrawn.submission_id IS NOT NULL OR read_as = 'returned' THEN 'returned'
            WHEN ready_at IS NULL THEN 'held'
            WHEN active_from IS NULL THEN 'late_locked'
            ELSE 'current'
        END AS kind
    FROM delivery
    LEFT JOIN withdrawn USING (submission_id)
    LEFT JOIN waiting USING (submission_id)
)

SELECT
    submission_id,
    version_no,
    CASE
        WHEN kind <> 'current' THEN kind
        WHEN version_no < max(version_no) FILTER (WHERE kind = 'current') OVER (
            PARTITION BY source_id, reporter, period
        ) THEN 'superseded'
        WHEN n_findings > 0 OR waiting_periods IS NOT NULL THEN 'partly'
        ELSE 'accepted'
    END AS status,
    CASE kind
        WHEN 'duplicate' THEN '内容与报送件 ' || left(same_as, 12) || ' 完全相同(另存或改名)'
        WHEN 'returned' THEN coalesce(withdrawn_reason, read_reason)
        WHEN 'held' THEN coalesce(read_reason, '是更正件,尚未收到原件,暂存未采用')
        WHEN 'late_locked' THEN lock_reason || ',本件其后收到,暂存未采用'
        ELSE '其中 ' || waiting_periods || ' 的数值在封账后收到,未采用'
    END AS reason
FROM kinds;

UPDATE submissions.submission
SET version_no = outcome.version_no, status = outcome.status, reason = outcome.reason
FROM outcome
WHERE submission.submission_id = outcome.submission_id
