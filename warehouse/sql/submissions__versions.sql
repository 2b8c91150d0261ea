-- Count versions per (source, reporter, period) by time of receipt; only the newest readable one
-- is current, the ones before it are superseded (they stay, and still explain old vintages).
CREATE OR REPLACE TEMP TABLE version AS
SELECT
    submission_id,
    row_number() OVER newest_last AS version_no,
    lead(submission_id) OVER newest_last IS NOT NULL AS superseded
FROM submissions.submission
WHERE status IN ('accepted', 'partly', 'superseded') AND reporter IS NOT NULL AND period IS NOT NULL
WINDOW newest_last AS (
    PARTITION BY source_id, reporter, period ORDER BY received_at, submission_id
);

UPDATE submissions.submission
SET
    version_no = version.version_no,
    status = CASE
        WHEN version.superseded THEN 'superseded'
        WHEN submission.n_findings > 0 THEN 'partly'
        ELSE 'accepted'
    END
FROM version
WHERE submission.submission_id = version.submission_id
