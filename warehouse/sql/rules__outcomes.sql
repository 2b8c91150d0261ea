-- Counts of outcomes by rule and period; the operands that were missing, the most frequent first.
INSERT INTO quality.rule_outcome BY NAME
WITH counted AS (
    SELECT rule_id, period, label, sum(n)::BIGINT AS n FROM missing_operand GROUP BY rule_id, period, label
),

missing AS (
    SELECT rule_id, period, string_agg(label || ' ' || n, '、' ORDER BY n DESC, label) AS missing
    FROM (
        SELECT *, row_number() OVER (PARTITION BY rule_id, period ORDER BY n DESC, label) AS place FROM counted
    )
    WHERE place <= 5
    GROUP BY rule_id, period
)

SELECT
    outcome_count.rule_id,
    outcome_count.period,
    coalesce(sum(n) FILTER (WHERE outcome = 1), 0)::BIGINT AS n_pass,
    coalesce(sum(n) FILTER (WHERE outcome = 2), 0)::BIGINT AS n_fail,
    coalesce(sum(n) FILTER (WHERE outcome = 3), 0)::BIGINT AS n_not_evaluable,
    coalesce(sum(n) FILTER (WHERE outcome = 4), 0)::BIGINT AS n_error,
    any_value(missing.missing) AS missing
FROM outcome_count
LEFT JOIN missing USING (rule_id, period)
GROUP BY outcome_count.rule_id, outcome_count.period
ORDER BY outcome_count.period, outcome_count.rule_id
