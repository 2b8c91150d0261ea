-- Rules that could not be made into queries: an error for every file of the period, told once.
INSERT INTO outcome_count
SELECT broken_rule.rule_id, file.period, 4::UTINYINT, count(*)
FROM broken_rule
CROSS JOIN file_unit AS file
GROUP BY ALL;

INSERT INTO internal.rule_finding BY NAME
SELECT
    left(sha256(concat_ws(chr(31), broken_rule.rule_id, 'error', judged.period)), 16) AS finding_id,
    broken_rule.rule_id,
    'error' AS severity,
    'error' AS outcome,
    judged.period,
    broken_rule.why AS found,
    '规则能够执行' AS expected,
    '规则 ' || broken_rule.rule_id || ' 执行出错,' || judged.period || ' 未作判断(不等于通过)' AS message,
    '请管理员检查该规则的关系式' AS remedy
FROM broken_rule
CROSS JOIN internal.judged_period AS judged
