-- The figures of each park (and of each total row) of each file that rules use: from the file itself,
-- from earlier periods, from the version before, from other offices. Where an own figure stands is left
-- to its cell: only the few that fail are told.
CREATE OR REPLACE TEMP TABLE park_unit AS
WITH compared AS (
    SELECT
        cell.row_key,
        count(*) AS n_values,
        count(*) FILTER (WHERE cell.value = reported.value) AS n_same
    FROM judged_cell AS cell
    JOIN period_shift AS shift ON shift.period = cell.period AND shift.unit = 'm' AND shift.count = 1
    JOIN reported
        ON reported.park_id = cell.park_id
        AND reported.indicator_id = cell.indicator_id
        AND reported.period = shift.earlier
        AND reported.measure = 'level'
    WHERE cell.role = 'data' AND cell.measure = 'ytd' AND cell.is_level AND cell.value <> 0 AND reported.value <> 0
    GROUP BY cell.row_key
),

unit AS (
    SELECT
        row_key AS unit_key,
        submission_id,
        period,
        bool_or(role = 'total') AS is_total,
        any_value(park_id) FILTER (WHERE role = 'data') AS park_id,
        min(entity_raw) AS entity,
        max(maturity) AS maturity
    FROM judged_cell
    WHERE row_key IS NOT NULL
    GROUP BY row_key, submission_id, period
)

SELECT
    unit.*,
    file.source_id,
    file.layout_id,
    file.format,
    right(unit.period, 2)::INTEGER AS month,
    right(unit.period, 2)::INTEGER = $first_month AS is_first_month,
    coalesce(compared.n_values, 0) AS n_values,
    coalesce(compared.n_same, 0) AS n_same
FROM unit
JOIN judged_file AS file USING (submission_id)
LEFT JOIN compared ON compared.row_key = unit.unit_key;

CREATE OR REPLACE TEMP TABLE park_figure AS
SELECT
    cell.row_key AS unit_key,
    slot.slot,
    cell.value,
    cell.precision,
    true AS is_own,
    cell.cell_key,
    NULL::VARCHAR AS submission_id,
    NULL::VARCHAR AS sheet,
    NULL::VARCHAR AS address,
    NULL::VARCHAR AS raw_text,
    NULL::VARCHAR AS unit_raw,
    NULL::VARCHAR AS period,
    NULL::VARCHAR AS measure,
    NULL::VARCHAR AS source
FROM judged_cell AS cell
JOIN slot
    ON slot.kind = 'own'
    AND slot.indicator_id = cell.indicator_id
    AND (slot.measure = cell.measure OR (slot.measure = 'level' AND cell.is_level))
SEMI JOIN used_slot ON used_slot.slot = slot.slot
WHERE cell.row_key IS NOT NULL AND NOT cell.is_refused;

INSERT INTO park_figure
SELECT
    unit.unit_key,
    slot.slot,
    reported.value,
    NULL,
    false,
    NULL,
    reported.submission_id,
    reported.sheet,
    reported.address,
    reported.raw_text,
    reported.unit_raw,
    reported.period,
    reported.measure,
    NULL
FROM park_unit AS unit
JOIN (
    SELECT slot.*, shift.period, shift.earlier
    FROM slot
    SEMI JOIN used_slot ON used_slot.slot = slot.slot
    JOIN period_shift AS shift ON shift.unit = slot.unit AND shift.count = slot.count
    WHERE slot.kind = 'earlier'
) AS slot ON slot.period = unit.period
JOIN reported
    ON reported.park_id = unit.park_id
    AND reported.indicator_id = slot.indicator_id
    AND reported.measure = slot.measure
    AND reported.period = slot.earlier
QUALIFY row_number() OVER (PARTITION BY unit.unit_key, slot.slot ORDER BY reported.period DESC)
    = CASE slot.unit WHEN 'p' THEN slot.count ELSE 1 END;

-- The version before: the figure in the file of the same period received before this one.
INSERT INTO park_figure
WITH version AS (
    SELECT
        cell.row_key,
        cell.indicator_id,
        cell.period,
        file.received_at,
        lag(struct_pack(
            value := cell.value, submission_id := cell.submission_id, sheet := cell.sheet,
            address := cell.address, raw_text := cell.raw_text, unit_raw := cell.unit_raw, measure := cell.measure
        )) OVER (
            PARTITION BY cell.park_id, cell.indicator_id, cell.period, cell.measure
            ORDER BY file.received_at, cell.submission_id, cell.sheet, cell.address
        ) AS former
    FROM judged_cell AS cell
    JOIN judged_file AS file USING (submission_id)
    WHERE
        cell.role = 'data' AND cell.is_level AND cell.park_id IS NOT NULL
        AND cell.indicator_id IN (SELECT indicator_id FROM slot SEMI JOIN used_slot USING (slot) WHERE kind = 'former')
)

SELECT
    version.row_key,
    slot.slot,
    version.former.value,
    NULL,
    false,
    NULL,
    version.former.submission_id,
    version.former.sheet,
    version.former.address,
    version.former.raw_text,
    version.former.unit_raw,
    version.period,
    version.former.measure,
    NULL
FROM version
JOIN slot ON slot.kind = 'former' AND slot.indicator_id = version.indicator_id
SEMI JOIN used_slot ON used_slot.slot = slot.slot
WHERE version.former IS NOT NULL;

INSERT INTO park_figure
SELECT
    unit.unit_key,
    slot.slot,
    figure.value,
    NULL,
    false,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    figure.period,
    'level',
    figure.source
FROM park_unit AS unit
JOIN reference_figure AS figure ON figure.subject_id = unit.park_id AND figure.period = unit.period
JOIN slot ON slot.kind = 'reference' AND slot.indicator_id = figure.indicator_id
SEMI JOIN used_slot ON used_slot.slot = slot.slot
