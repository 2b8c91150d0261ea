-- Rules answered by reading: a file with one of their findings fails, every other file passes.
INSERT INTO outcome_count
WITH read_file AS (
    SELECT submission.submission_id, submission.period
    FROM submissions.submission AS submission
    WHERE submission.period IN (FROM internal.judged_period) AND submission.status <> 'duplicate'
),

rule AS (SELECT DISTINCT rule_id FROM reading_rule),

said AS (
    SELECT DISTINCT reading_rule.rule_id, finding.submission_id
    FROM reading_rule
    JOIN internal.reading_finding AS finding ON finding.rule_id = reading_rule.code
)

SELECT
    rule.rule_id,
    read_file.period,
    CASE WHEN said.submission_id IS NULL THEN 1 ELSE 2 END::UTINYINT AS outcome,
    count(*)
FROM read_file
CROSS JOIN rule
LEFT JOIN said ON said.rule_id = rule.rule_id AND said.submission_id = read_file.submission_id
GROUP BY ALL
