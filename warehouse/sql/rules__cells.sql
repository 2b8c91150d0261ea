-- What rules judge: files and cells of the periods in internal.judged_period. Rejected files and exact
-- duplicates are not judged; a cell that reading refused has no value here.
-- Joins stand in the order they are made in (store.as_written).
CREATE OR REPLACE TEMP TABLE judged_file AS
SELECT
    row_number() OVER ()::INTEGER AS file_key,
    submission.submission_id,
    submission.file_name,
    submission.source_id,
    submission.reporter,
    submission.period AS file_period,
    submission.received_at,
    submission.version_no,
    submission.format,
    submission.layout_id,
    coalesce(reading.revision, 0) AS revision
FROM submissions.submission AS submission
LEFT JOIN internal.reading AS reading USING (submission_id)
WHERE
    submission.status NOT IN ('rejected', 'duplicate')
    AND submission.submission_id IN (
        SELECT submission_id FROM submissions.cell WHERE period IN (FROM internal.judged_period)
    );

CREATE OR REPLACE TEMP TABLE judged_cell AS
WITH refused AS (
    SELECT DISTINCT submission_id, sheet, address
    FROM internal.reading_finding
    WHERE severity = 'error' AND outcome = 'fail' AND sheet IS NOT NULL AND address IS NOT NULL
),

-- Read three times, each time a few columns: keeping all of them for later costs more.
read AS NOT MATERIALIZED (
    SELECT
        file.file_key,
        cell.submission_id,
        cell.sheet,
        cell.address,
        cell.raw_text,
        CASE WHEN refused.address IS NULL THEN cell.value END AS value,
        cell.state,
        cell.unit_raw,
        cell.unit_factor,
        cell.unit_evidence,
        cell.park_id,
        cell.entity_raw,
        cell.indicator_id,
        cell.period,
        cell.measure,
        cell.maturity,
        cell.role,
        cell.head,
        refused.address IS NOT NULL AS is_refused,
        indicator.decimals,
        cell.measure = CASE indicator.over_time
            WHEN 'ytd' THEN 'ytd'
            WHEN 'last' THEN 'stock'
            WHEN 'formula' THEN CASE WHEN cell.measure = 'stock' THEN 'stock' ELSE 'ytd' END
            ELSE 'month'
        END AS is_level,
        CASE WHEN cell.unit_factor LIKE '%/%'
            THEN split_part(cell.unit_factor, '/', 1)::DOUBLE / split_part(cell.unit_factor, '/', 2)::DOUBLE
            ELSE coalesce(try_cast(cell.unit_factor AS DOUBLE), 1)
        END AS factor,
        length(regexp_extract(cell.raw_text, '\.([0-9]+)', 1)) AS digits,
        -- what makes a row: a park of a file, or a total row of a sheet; NULL is none
        CASE cell.role WHEN 'data' THEN cell.park_id WHEN 'total' THEN coalesce(cell.park_id, chr(31)) END AS row_park,
        CASE cell.role WHEN 'total' THEN cell.sheet ELSE '' END AS row_sheet,
        CASE cell.role WHEN 'total' THEN coalesce(cell.entity_raw, chr(31)) ELSE '' END AS row_entity
    FROM submissions.cell AS cell
    JOIN judged_file AS file USING (submission_id)
    JOIN dims.indicator AS indicator USING (indicator_id)
    LEFT JOIN refused USING (submission_id, sheet, address)
    WHERE
        cell.measure IS NOT NULL
        AND cell.period IN (FROM internal.judged_period)
        AND cell.role IN ('data', 'total', 'of_which')
),

-- Rows and columns are numbered and measured among themselves: windows over the cells would sort all their texts.
placed AS (
    SELECT *, row_number() OVER (ORDER BY file_key, period, role, row_park, row_sheet, row_entity) AS place
    FROM (SELECT DISTINCT file_key, period, role, row_park, row_sheet, row_entity FROM read WHERE row_park IS NOT NULL)
),

printed AS (
    SELECT file_key, sheet, indicator_id, measure, least(max(digits), 8) AS digits
    FROM read
    GROUP BY file_key, sheet, indicator_id, measure
)

-- The last printed digit of a column in the indicator's unit, never finer than the indicator is printed.
SELECT
    row_number() OVER ()::INTEGER AS cell_key,
    (placed.place + CASE read.role WHEN 'total' THEN 1000000000 ELSE 0 END)::INTEGER AS row_key,
    read.* EXCLUDE (row_park, row_sheet, row_entity),
    greatest(read.factor / power(10, printed.digits), power(10, -read.decimals))::DECIMAL(28, 8) AS precision
FROM read
JOIN printed USING (file_key, sheet, indicator_id, measure)
LEFT JOIN placed USING (file_key, period, role, row_park, row_sheet, row_entity)
