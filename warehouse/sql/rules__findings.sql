-- A finding for each failure in `outcome`, with the cells it rests on, all texts made here. What is
-- found is told as it stands in the file; never a value that would do.
CREATE OR REPLACE TEMP TABLE failing AS
SELECT outcome.number, outcome.unit_key, outcome.period, relation.* EXCLUDE (number)
FROM outcome
JOIN relation USING (number)
WHERE outcome.outcome = 2;

-- The few cells and figures that failures look at, before anything is joined with all there are.
CREATE OR REPLACE TEMP TABLE failing_cell AS
SELECT * FROM judged_cell WHERE cell_key IN (SELECT unit_key FROM failing WHERE about IN ('cell', 'total', 'part'));

CREATE OR REPLACE TEMP TABLE failing_row_cell AS
SELECT * FROM judged_cell
WHERE measure = 'ytd' AND is_level AND row_key IN (
    SELECT unit_key FROM failing
    WHERE about = 'park' AND number IN (SELECT number FROM operand WHERE fact = 'n_same')
);

CREATE OR REPLACE TEMP TABLE failing_column_cell AS
SELECT * FROM judged_cell
WHERE submission_id IN (
    SELECT submission_id FROM failing_cell
    WHERE cell_key IN (SELECT unit_key FROM failing WHERE about IN ('total', 'part'))
);

CREATE OR REPLACE TEMP TABLE failing_figure AS
WITH told AS (
    SELECT * FROM park_figure WHERE unit_key IN (SELECT unit_key FROM failing WHERE about = 'park')
)

SELECT told.*, NULL AS head FROM told WHERE NOT is_own
UNION ALL BY NAME
SELECT
    told.unit_key, told.slot, told.is_own, cell.submission_id, cell.sheet, cell.address, cell.raw_text, cell.unit_raw,
    cell.head, cell.period, cell.measure
FROM judged_cell AS cell
JOIN told ON told.cell_key = cell.cell_key AND told.is_own;

CREATE OR REPLACE TEMP TABLE failing_unit AS
SELECT failing.number, failing.unit_key, unit.submission_id, unit.park_id, unit.entity, failing.indicator_id
FROM failing JOIN park_unit AS unit USING (unit_key) WHERE failing.about = 'park'
UNION ALL
SELECT failing.number, failing.unit_key, cell.submission_id, cell.park_id, cell.entity_raw, cell.indicator_id
FROM failing JOIN failing_cell AS cell ON cell.cell_key = failing.unit_key WHERE failing.about IN ('cell', 'total', 'part')
UNION ALL
SELECT failing.number, failing.unit_key, unit.submission_id, NULL, NULL, NULL
FROM failing JOIN file_unit AS unit USING (unit_key) WHERE failing.about = 'file'
UNION ALL
SELECT failing.number, failing.unit_key, NULL, NULL, unit.area_name, unit.indicator_id
FROM failing JOIN frame_area AS unit USING (unit_key) WHERE failing.about = 'area'
UNION ALL
SELECT failing.number, failing.unit_key, NULL, NULL, unit.target_id, NULL
FROM failing JOIN frame_target AS unit USING (unit_key) WHERE failing.about = 'target'
UNION ALL
SELECT failing.number, failing.unit_key, NULL, unit.park_id, unit.name, NULL
FROM failing JOIN frame_enclave AS unit USING (unit_key) WHERE failing.about = 'enclave'
UNION ALL
SELECT failing.number, failing.unit_key, NULL, unit.park_id, unit.name, NULL
FROM failing JOIN frame_scored AS unit USING (unit_key) WHERE failing.about = 'scored';

-- What each failure rests on, in the order in which the rule names it; is_own cells come first.
CREATE OR REPLACE TEMP TABLE failing_part AS
SELECT
    failing.number, failing.unit_key, operand.position, operand.label, figure.is_own, figure.submission_id,
    figure.sheet, figure.address, figure.raw_text, figure.unit_raw, figure.head, unit.park_id,
    slot.indicator_id, figure.period, figure.measure,
    CASE WHEN figure.source IS NOT NULL THEN figure.source ELSE NULL END AS said
FROM failing
JOIN operand USING (number)
JOIN slot ON slot.slot = operand.slot
JOIN park_unit AS unit ON unit.unit_key = failing.unit_key
JOIN failing_figure AS figure ON figure.unit_key = failing.unit_key AND figure.slot = operand.slot
WHERE failing.about = 'park'
UNION ALL
SELECT
    failing.number, failing.unit_key, 1, indicator.name_zh, true, cell.submission_id, cell.sheet, cell.address,
    cell.raw_text, cell.unit_raw, cell.head, cell.park_id, cell.indicator_id, cell.period, cell.measure, NULL
FROM failing
JOIN (SELECT DISTINCT number FROM operand WHERE fact = 'n_same') AS whole_row USING (number)
JOIN failing_row_cell AS cell ON cell.row_key = failing.unit_key
JOIN dims.indicator AS indicator ON indicator.indicator_id = cell.indicator_id
WHERE failing.about = 'park'
UNION ALL
SELECT
    failing.number, failing.unit_key, 1, indicator.name_zh, true, cell.submission_id, cell.sheet, cell.address,
    cell.raw_text, cell.unit_raw, cell.head, cell.park_id, cell.indicator_id, cell.period, cell.measure, NULL
FROM failing
JOIN failing_cell AS cell ON cell.cell_key = failing.unit_key
JOIN dims.indicator AS indicator ON indicator.indicator_id = cell.indicator_id
WHERE failing.about IN ('cell', 'total', 'part')
UNION ALL
SELECT
    failing.number, failing.unit_key, 2, other.entity_raw, false, other.submission_id, other.sheet, other.address,
    other.raw_text, other.unit_raw, NULL, other.park_id, other.indicator_id, other.period, other.measure, NULL
FROM failing
JOIN failing_cell AS cell ON cell.cell_key = failing.unit_key
JOIN failing_column_cell AS other
    ON other.submission_id = cell.submission_id
    AND other.sheet = cell.sheet
    AND other.indicator_id = cell.indicator_id
    AND other.measure = cell.measure
    AND other.period = cell.period
    AND other.role = CASE failing.about WHEN 'total' THEN 'data' ELSE 'total' END
WHERE failing.about IN ('total', 'part')
UNION ALL
SELECT
    failing.number, failing.unit_key, operand.position, fact.text, true, unit.submission_id, fact.sheet, fact.address,
    NULL, NULL, NULL, NULL, NULL, unit.period, NULL, fact.text
FROM failing
JOIN operand USING (number)
JOIN file_unit AS unit ON unit.unit_key = failing.unit_key
JOIN file_fact AS fact ON fact.unit_key = failing.unit_key AND fact.fact = operand.fact AND fact.text IS NOT NULL
WHERE failing.about = 'file'
UNION ALL
SELECT
    failing.number, failing.unit_key, 1, NULL, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, unit.indicator_id,
    unit.period, NULL,
    '所属' || unit.n_parts || '个园区之和' || unit.parts || ';' || coalesce(unit.reference_source, '对照数') || unit.reference
FROM failing JOIN frame_area AS unit USING (unit_key) WHERE failing.about = 'area'
UNION ALL
SELECT
    failing.number, failing.unit_key, 1, NULL, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, unit.period, NULL,
    unit.n_parts || '个县级目标之和' || unit.parts || ';市级目标' || unit.whole
FROM failing JOIN frame_target AS unit USING (unit_key) WHERE failing.about = 'target'
UNION ALL
SELECT
    failing.number, failing.unit_key, 1, NULL, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, unit.period, NULL,
    '负责填报的单位' || unit.n_reporters || '个'
FROM failing JOIN frame_enclave AS unit USING (unit_key) WHERE failing.about = 'enclave'
UNION ALL
SELECT
    failing.number, failing.unit_key, 1, NULL, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, unit.period, NULL,
    '未通过审核:' || unit.names
FROM failing JOIN frame_scored AS unit USING (unit_key) WHERE failing.about = 'scored';

CREATE OR REPLACE TEMP TABLE failing_finding AS
WITH placed AS (
    SELECT
        *,
        min(sheet) FILTER (WHERE is_own AND position = first_own) OVER (PARTITION BY number, unit_key) AS main_sheet
    FROM (
        SELECT *, min(position) FILTER (WHERE is_own AND sheet IS NOT NULL) OVER (PARTITION BY number, unit_key) AS first_own
        FROM failing_part
    )
),

worded AS (
    SELECT
        placed.*,
        CASE WHEN placed.sheet IS DISTINCT FROM main_sheet THEN placed.sheet || '!' ELSE '' END || placed.address AS spot,
        CASE
            WHEN placed.said IS NOT NULL AND placed.address IS NULL THEN placed.said
            WHEN placed.said IS NOT NULL THEN placed.address || ' ' || placed.said
            WHEN placed.is_own
                THEN label || '(' || CASE WHEN placed.sheet IS DISTINCT FROM main_sheet THEN placed.sheet || '!' ELSE '' END
                    || placed.address || coalesce('“' || nullif(head, '') || '”', '') || ')填“' || raw_text || '”' || coalesce(unit_raw, '')
            ELSE label || '(' || coalesce('“' || file.file_name || '”', '') || coalesce(placed.sheet || '!', '')
                || coalesce(placed.address, '') || ')为“' || coalesce(raw_text, '') || '”' || coalesce(unit_raw, '')
        END AS words
    FROM placed
    LEFT JOIN submissions.submission AS file ON file.submission_id = placed.submission_id
),

told AS (
    SELECT
        number,
        unit_key,
        any_value(main_sheet) AS sheet,
        string_agg(spot, '、' ORDER BY position, length(spot), spot) FILTER (WHERE is_own AND address IS NOT NULL) AS address,
        array_to_string((list(words ORDER BY position, length(spot), spot, words))[1:12], ';')
            || CASE WHEN count(*) > 12 THEN ';等' || count(*) || '处' ELSE '' END AS found
    FROM worded
    GROUP BY number, unit_key
)

SELECT
    failing.number,
    failing.unit_key,
    failing.rule_id,
    failing.severity,
    failing.about,
    unit.submission_id,
    file.file_name,
    file.reporter,
    told.sheet,
    told.address,
    unit.park_id,
    unit.indicator_id,
    failing.period,
    coalesce(told.found, '') AS found,
    replace(failing.expected, '{item}', coalesce(indicator.name_zh, '该指标')) AS expected,
    CASE
        WHEN told.address IS NOT NULL THEN '工作表“' || told.sheet || '”'
            || CASE WHEN length(told.address) > 60 THEN split_part(told.address, '、', 1) || '等' ELSE told.address END
        WHEN file.file_name IS NOT NULL THEN '“' || file.file_name || '”'
        ELSE ''
    END
    || CASE WHEN unit.entity IS NULL THEN ':' ELSE '“' || unit.entity || '”:' END
    || replace(failing.message, '{item}', coalesce(indicator.name_zh, '该指标')) AS message,
    failing.remedy
FROM failing
JOIN failing_unit AS unit USING (number, unit_key)
LEFT JOIN told USING (number, unit_key)
LEFT JOIN judged_file AS file ON file.submission_id = unit.submission_id
LEFT JOIN dims.indicator AS indicator ON indicator.indicator_id = unit.indicator_id;

ALTER TABLE failing_finding ADD COLUMN finding_id VARCHAR;

-- The id of quality.finding.Finding: same rule, place and content = same id.
UPDATE failing_finding SET finding_id = left(sha256(concat_ws(
    chr(31), rule_id, coalesce(submission_id, file_name, ''), coalesce(sheet, ''), coalesce(address, ''),
    coalesce(park_id, ''), coalesce(indicator_id, ''), coalesce(period, ''), found
)), 16);

INSERT INTO internal.rule_finding BY NAME
SELECT * EXCLUDE (number, unit_key, about), 'fail' AS outcome
FROM failing_finding
QUALIFY row_number() OVER (PARTITION BY finding_id ORDER BY number, unit_key) = 1
ORDER BY finding_id;

-- A failure within a file says its own cells are wrong; one across periods does not say which is.
INSERT INTO internal.rule_finding_cell
SELECT
    finding.finding_id,
    row_number() OVER (PARTITION BY finding.finding_id ORDER BY part.position, part.sheet, length(part.address), part.address),
    part.submission_id,
    part.sheet,
    part.address,
    part.park_id,
    part.indicator_id,
    part.period,
    part.measure,
    part.is_own,
    finding.severity = 'error' AND part.is_own
        AND bool_and(part.submission_id = finding.submission_id) OVER (PARTITION BY finding.finding_id),
    finding.period
FROM failing_finding AS finding
JOIN (SELECT DISTINCT * EXCLUDE (label, head, said) FROM failing_part) AS part USING (number, unit_key)
WHERE part.address IS NOT NULL AND part.submission_id IS NOT NULL AND finding.submission_id IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY finding.finding_id, part.submission_id, part.sheet, part.address ORDER BY part.position
) = 1
ORDER BY finding.finding_id;

-- A rule that could not be computed is told once a period, with how often.
INSERT INTO internal.rule_finding BY NAME
SELECT
    left(sha256(concat_ws(chr(31), relation.rule_id, 'error', outcome.period)), 16) AS finding_id,
    relation.rule_id,
    any_value(relation.severity) AS severity,
    'error' AS outcome,
    outcome.period,
    count(*) || '处未能执行' AS found,
    '规则能够执行' AS expected,
    '规则 ' || relation.rule_id || ' 执行出错,' || outcome.period || ' 有 ' || count(*) || ' 处未作判断(不等于通过)' AS message,
    '请管理员检查该规则的关系式,运行 parkwatch rules --dry-run' AS remedy
FROM outcome
JOIN relation USING (number)
WHERE outcome.outcome = 4
GROUP BY relation.rule_id, outcome.period;

INSERT INTO outcome_count
SELECT relation.rule_id, outcome.period, outcome.outcome, count(*)
FROM outcome
JOIN relation USING (number)
GROUP BY ALL;

-- Which operand was missing where a rule could not be evaluated.
INSERT INTO missing_operand
WITH unclear AS (
    SELECT outcome.number, outcome.unit_key, outcome.period, relation.rule_id, relation.about
    FROM outcome
    JOIN relation USING (number)
    WHERE outcome.outcome = 3 AND relation.about IN ('park', 'file')
),

known AS (SELECT DISTINCT unit_key, slot FROM park_figure WHERE value IS NOT NULL),

stated AS (SELECT DISTINCT unit_key, fact FROM file_fact)

SELECT unclear.rule_id, unclear.period, operand.label, count(*)
FROM unclear
JOIN operand ON operand.number = unclear.number AND operand.slot IS NOT NULL
ANTI JOIN known ON known.unit_key = unclear.unit_key AND known.slot = operand.slot
WHERE unclear.about = 'park'
GROUP BY unclear.rule_id, unclear.period, operand.label
UNION ALL
SELECT unclear.rule_id, unclear.period, operand.label, count(*)
FROM unclear
JOIN operand ON operand.number = unclear.number AND operand.fact IS NOT NULL
ANTI JOIN stated ON stated.unit_key = unclear.unit_key AND stated.fact = operand.fact
WHERE unclear.about = 'file'
GROUP BY unclear.rule_id, unclear.period, operand.label;

DELETE FROM outcome
