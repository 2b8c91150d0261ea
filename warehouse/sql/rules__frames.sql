-- The tables rules are asked of, one row per thing judged: cells, total rows, 其中 rows, files, areas,
-- broken-down targets, 飞地 parks. Column names are the words of the rule language
-- (warehouse/catalog/rules.py); unit_key names the row. Views are asked once, and only for the words some rule uses.

CREATE OR REPLACE TEMP VIEW frame_cell AS
SELECT
    cell.cell_key AS unit_key,
    cell.submission_id,
    cell.park_id,
    cell.indicator_id,
    cell.measure,
    cell.maturity,
    file.source_id,
    file.layout_id,
    file.format,
    cell.period,
    right(cell.period, 2)::INTEGER AS month,
    right(cell.period, 2)::INTEGER = (SELECT first_month FROM judged_setting) AS is_first_month,
    cell.value,
    bound.low,
    bound.high,
    cell.decimals,
    CASE
        WHEN cell.value IS NULL THEN NULL
        WHEN cell.factor < 1 THEN cell.digits
        WHEN cell.value = round(cell.value, 0) THEN 0
        WHEN cell.value = round(cell.value, 1) THEN 1
        WHEN cell.value = round(cell.value, 2) THEN 2
        WHEN cell.value = round(cell.value, 3) THEN 3
        WHEN cell.value = round(cell.value, 4) THEN 4
        WHEN cell.value = round(cell.value, 6) THEN 6
        ELSE 8
    END::INTEGER AS decimals_used,
    (required.indicator_id IS NOT NULL)::INTEGER AS required,
    (cell.state <> 'unknown')::INTEGER AS known
FROM judged_cell AS cell
JOIN judged_file AS file USING (submission_id)
LEFT JOIN indicator_bound AS bound USING (indicator_id)
LEFT JOIN required_figure AS required
    ON required.source_id = file.source_id AND required.indicator_id = cell.indicator_id AND cell.is_level
WHERE cell.role = 'data' AND cell.park_id IS NOT NULL AND NOT cell.is_refused;

-- A total is compared with all rows of its column. Where a column has several totals, 小计 are not
-- compared: which rows they cover is not certain. An unknown or refused row leaves the sum unknown.
CREATE OR REPLACE TEMP TABLE column_sum AS
SELECT
    submission_id,
    sheet,
    indicator_id,
    measure,
    period,
    CASE WHEN count(*) FILTER (WHERE is_refused OR state IN ('unknown', 'suppressed')) = 0
        THEN sum(coalesce(value, 0)) FILTER (WHERE role = 'data') END::DECIMAL(28, 8) AS parts,
    count(*) FILTER (WHERE role = 'data') AS n_parts,
    (sum(precision) FILTER (WHERE role = 'data'))::DECIMAL(28, 8) AS precision__parts,
    count(*) FILTER (WHERE role = 'total') AS n_totals,
    (max(value) FILTER (WHERE role = 'total'))::DECIMAL(28, 8) AS whole
FROM judged_cell
WHERE role IN ('data', 'total')
GROUP BY submission_id, sheet, indicator_id, measure, period;

CREATE OR REPLACE TEMP VIEW frame_total AS
SELECT
    cell.cell_key AS unit_key,
    cell.submission_id,
    cell.indicator_id,
    cell.measure,
    cell.maturity,
    file.source_id,
    file.layout_id,
    file.format,
    cell.period,
    right(cell.period, 2)::INTEGER AS month,
    right(cell.period, 2)::INTEGER = (SELECT first_month FROM judged_setting) AS is_first_month,
    cell.value AS total,
    column_sum.parts,
    column_sum.n_parts,
    cell.precision AS precision__total,
    column_sum.precision__parts
FROM judged_cell AS cell
JOIN judged_file AS file USING (submission_id)
JOIN column_sum USING (submission_id, sheet, indicator_id, measure, period)
JOIN dims.indicator AS indicator USING (indicator_id)
WHERE
    cell.role = 'total'
    AND indicator.kind IN ('flow', 'stock')
    AND indicator.aggregation = 'sum'
    AND (column_sum.n_totals = 1 OR NOT regexp_matches(cell.entity_raw, '小\s*计'));

CREATE OR REPLACE TEMP VIEW frame_part AS
SELECT
    cell.cell_key AS unit_key,
    cell.submission_id,
    cell.indicator_id,
    cell.measure,
    cell.maturity,
    file.source_id,
    file.layout_id,
    file.format,
    cell.period,
    right(cell.period, 2)::INTEGER AS month,
    right(cell.period, 2)::INTEGER = (SELECT first_month FROM judged_setting) AS is_first_month,
    cell.value AS part,
    coalesce(column_sum.whole, column_sum.parts) AS whole,
    cell.precision AS precision__part,
    column_sum.precision__parts AS precision__whole
FROM judged_cell AS cell
JOIN judged_file AS file USING (submission_id)
JOIN column_sum USING (submission_id, sheet, indicator_id, measure, period)
JOIN dims.indicator AS indicator USING (indicator_id)
WHERE cell.role = 'of_which' AND indicator.kind IN ('flow', 'stock') AND indicator.aggregation = 'sum';

-- Parks at the end of each period, with the county that counts them.
CREATE OR REPLACE TEMP TABLE counted_park AS
SELECT
    judged.period,
    park.park_id,
    park.name,
    coalesce(park.home_county_code, park.county_code) AS county_code,
    park.city_code,
    park.province_code,
    park.host_county_code IS NOT NULL AS is_enclave
FROM internal.judged_period AS judged
JOIN dims.park AS park
    ON park.valid_from <= last_day((judged.period || '-01')::DATE)
    AND (park.valid_to IS NULL OR park.valid_to > last_day((judged.period || '-01')::DATE))
WHERE coalesce(park.status, 'active') NOT IN ('exited', 'planned');

CREATE OR REPLACE TEMP TABLE frame_area AS
WITH newest AS (
    SELECT cell.park_id, cell.indicator_id, cell.period, cell.value
    FROM judged_cell AS cell
    JOIN internal.standing AS standing
        ON standing.submission_id = cell.submission_id AND standing.active_to IS NULL
    SEMI JOIN area_figure AS asked ON asked.indicator_id = cell.indicator_id
    WHERE cell.role = 'data' AND cell.is_level AND cell.park_id IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY cell.park_id, cell.indicator_id, cell.period
        ORDER BY standing.order_at DESC, standing.place DESC, cell.submission_id, cell.sheet, cell.address
    ) = 1
),

member AS (
    SELECT period, park_id, 'county' AS area_level, county_code AS area_code FROM counted_park
    UNION ALL
    SELECT period, park_id, 'city', city_code FROM counted_park
    UNION ALL
    SELECT period, park_id, 'province', province_code FROM counted_park
),

summed AS (
    SELECT
        member.period,
        member.area_level,
        member.area_code,
        asked.indicator_id,
        sum(newest.value)::DECIMAL(28, 8) AS parts,
        count(newest.value) AS n_parts,
        count(*) AS n_expected
    FROM member
    CROSS JOIN area_figure AS asked
    LEFT JOIN newest USING (park_id, indicator_id, period)
    WHERE member.area_code IS NOT NULL
    GROUP BY ALL
)

SELECT
    row_number() OVER ()::INTEGER AS unit_key,
    summed.*,
    right(summed.period, 2)::INTEGER AS month,
    right(summed.period, 2)::INTEGER = $first_month AS is_first_month,
    figure.value AS reference,
    figure.source AS reference_source,
    region.name AS area_name
FROM summed
LEFT JOIN reference_figure AS figure
    ON figure.subject_id = summed.area_code
    AND figure.indicator_id = summed.indicator_id
    AND figure.period = summed.period
LEFT JOIN (SELECT code, any_value(name ORDER BY valid_from DESC) AS name FROM dims.region GROUP BY code) AS region
    ON region.code = summed.area_code
WHERE summed.n_parts > 0;

CREATE OR REPLACE TEMP TABLE frame_target AS
SELECT
    row_number() OVER ()::INTEGER AS unit_key,
    judged.period,
    whole.target_id,
    whole.value AS whole,
    sum(part.value)::DECIMAL(28, 8) AS parts,
    count(part.value) AS n_parts
FROM internal.judged_period AS judged
JOIN dims.target AS whole
    ON whole.scope_level = 'city' AND whole.value IS NOT NULL
    AND whole.kind IN ('level', 'annual_total') AND left(whole.period_to, 4) = left(judged.period, 4)
LEFT JOIN (SELECT DISTINCT code, parent FROM dims.region) AS county ON county.parent = whole.scope_code
LEFT JOIN dims.target AS part
    ON part.scope_level = 'county' AND part.scope_code = county.code
    AND part.indicator_id = whole.indicator_id AND part.kind = whole.kind
    AND part.period_to = whole.period_to AND part.unit = whole.unit
GROUP BY judged.period, whole.target_id, whole.value;

CREATE OR REPLACE TEMP TABLE frame_enclave AS
SELECT
    row_number() OVER ()::INTEGER AS unit_key,
    park.period,
    park.park_id,
    park.name,
    count(DISTINCT reporter.reporter) AS n_reporters
FROM counted_park AS park
LEFT JOIN dims.reporter AS reporter
    ON reporter.region_code = park.county_code
    AND (reporter.valid_from IS NULL OR reporter.valid_from <= last_day((park.period || '-01')::DATE))
    AND (reporter.valid_to IS NULL OR reporter.valid_to > last_day((park.period || '-01')::DATE))
WHERE park.is_enclave
GROUP BY park.period, park.park_id, park.name
