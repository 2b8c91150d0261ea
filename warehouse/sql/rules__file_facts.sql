-- Facts of files for file rules: (file_key, fact, amount, text, sheet, address). Amounts of a fact are
-- added up; a text names one instance of it for the reporter. What cannot be told has no row.
CREATE OR REPLACE TEMP TABLE file_fact AS
WITH statutory(mark) AS (VALUES ('表号'), ('制定机关'), ('批准文号'), ('有效期至')),

signature(mark) AS (VALUES ('单位负责人'), ('统计负责人'), ('填表人'), ('报出日期')),

marked AS (
    SELECT DISTINCT file.unit_key, mark.mark FROM file_unit AS file JOIN internal.file_mark AS mark USING (submission_id)
),

cell AS (
    SELECT file.unit_key, file.source_id, judged_cell.*
    FROM file_unit AS file
    JOIN judged_cell ON judged_cell.submission_id = file.submission_id AND judged_cell.period = file.period
),

required AS (
    SELECT file.unit_key, figure.indicator_id, indicator.name_zh
    FROM file_unit AS file
    JOIN required_figure AS figure USING (source_id)
    JOIN dims.indicator AS indicator USING (indicator_id)
),

own_park AS (
    SELECT DISTINCT file.unit_key, park.park_id, park.name
    FROM file_unit AS file
    JOIN dims.reporter AS reporter
        ON reporter.reporter = file.reporter
        AND (reporter.valid_from IS NULL OR reporter.valid_from <= file.period_end)
        AND (reporter.valid_to IS NULL OR reporter.valid_to > file.period_end)
    JOIN counted_park AS park ON park.period = file.period AND park.county_code = reporter.region_code
),

figures AS (
    SELECT
        submission_id,
        period,
        bit_xor(hash(coalesce(park_id, entity_raw), indicator_id, measure, value)) AS digest,
        count(value) FILTER (WHERE value <> 0) AS n
    FROM submissions.cell
    WHERE
        role = 'data' AND indicator_id IS NOT NULL AND measure IS NOT NULL AND value IS NOT NULL
        AND (period IN (FROM internal.judged_period) OR period IN (SELECT earlier FROM period_shift))
    GROUP BY submission_id, period
),

-- sums first, then instances with their texts
facts AS (
    SELECT file.unit_key, 'n_statutory' AS fact, count(marked.mark)::DECIMAL(28, 8) AS amount, NULL AS text, NULL AS sheet, NULL AS address
    FROM file_unit AS file
    LEFT JOIN marked ON marked.unit_key = file.unit_key AND marked.mark IN (SELECT mark FROM statutory)
    GROUP BY file.unit_key
    UNION ALL
    SELECT file.unit_key, 'n_statutory', 0, '缺“' || statutory.mark || '”', NULL, NULL
    FROM file_unit AS file CROSS JOIN statutory ANTI JOIN marked ON marked.unit_key = file.unit_key AND marked.mark = statutory.mark
    UNION ALL
    SELECT file.unit_key, 'n_signature', count(marked.mark), NULL, NULL, NULL
    FROM file_unit AS file
    LEFT JOIN marked ON marked.unit_key = file.unit_key AND marked.mark IN (SELECT mark FROM signature)
    GROUP BY file.unit_key
    UNION ALL
    SELECT file.unit_key, 'n_signature', 0, '缺“' || signature.mark || '”', NULL, NULL
    FROM file_unit AS file CROSS JOIN signature ANTI JOIN marked ON marked.unit_key = file.unit_key AND marked.mark = signature.mark
    UNION ALL
    SELECT
        file.unit_key, 'valid_until',
        min(regexp_extract(mark.text, '(\d{4})', 1)::INTEGER * 100
            + coalesce(try_cast(regexp_extract(mark.text, '\d{4}\D+(\d{1,2})', 1) AS INTEGER), 12)),
        any_value('有效期至' || mark.text ORDER BY mark.sheet, mark.address), any_value(mark.sheet ORDER BY mark.sheet, mark.address), any_value(mark.address ORDER BY mark.sheet, mark.address)
    FROM file_unit AS file JOIN internal.file_mark AS mark USING (submission_id)
    WHERE mark.mark = '有效期至' AND regexp_matches(mark.text, '\d{4}')
    GROUP BY file.unit_key
    UNION ALL
    SELECT unit_key, 'report_month', replace(period, '-', '')::INTEGER, '报告期' || period, NULL, NULL FROM file_unit
    UNION ALL
    SELECT unit_key, 'received_month', year(received_on) * 100 + month(received_on), '收到日期' || received_on::VARCHAR, NULL, NULL FROM file_unit
    UNION ALL
    SELECT unit_key, 'received_day', date_diff('day', DATE '2000-01-01', received_on), '收到日期' || received_on::VARCHAR, NULL, NULL FROM file_unit
    UNION ALL
    SELECT file.unit_key, 'deadline_day', date_diff('day', DATE '2000-01-01', due.due), '截止日期' || due.due::VARCHAR, NULL, NULL
    FROM file_unit AS file JOIN filing_deadline AS due USING (source_id, period)
    UNION ALL
    SELECT unit_key, 'n_unit_unstated', 0, NULL, NULL, NULL FROM file_unit
    UNION ALL
    SELECT cell.unit_key, 'n_unit_unstated', 1, '“' || any_value(cell.head ORDER BY cell.address) || '”', cell.sheet, any_value(cell.address ORDER BY cell.address)
    FROM cell JOIN dims.indicator AS indicator USING (indicator_id)
    WHERE coalesce(cell.unit_evidence, '') IN ('', '布局默认') AND indicator.unit = '万元' AND cell.measure <> 'yoy_published' AND cell.value IS NOT NULL
    GROUP BY cell.unit_key, cell.sheet, cell.indicator_id, cell.measure
    UNION ALL
    SELECT required.unit_key, 'n_required_absent', (count(cell.cell_key) = 0)::INTEGER,
        CASE WHEN count(cell.cell_key) = 0 THEN '没有“' || required.name_zh || '”' END, NULL, NULL
    FROM required LEFT JOIN cell ON cell.unit_key = required.unit_key AND cell.indicator_id = required.indicator_id AND cell.is_level
    GROUP BY required.unit_key, required.indicator_id, required.name_zh
    UNION ALL
    SELECT cell.unit_key, 'n_required', count(*), NULL, NULL, NULL
    FROM cell SEMI JOIN required ON required.unit_key = cell.unit_key AND required.indicator_id = cell.indicator_id
    WHERE cell.is_level AND cell.role = 'data' GROUP BY cell.unit_key
    UNION ALL
    SELECT cell.unit_key, 'n_filled', count(*) FILTER (WHERE cell.state <> 'unknown'), '必报数值' || count(*) || '个,已填' || count(*) FILTER (WHERE cell.state <> 'unknown') || '个', NULL, NULL
    FROM cell SEMI JOIN required ON required.unit_key = cell.unit_key AND required.indicator_id = cell.indicator_id
    WHERE cell.is_level AND cell.role = 'data' GROUP BY cell.unit_key
    UNION ALL
    SELECT unit_key, 'n_same_figures', 0, NULL, NULL, NULL FROM file_unit
    UNION ALL
    SELECT file.unit_key, 'n_same_figures', 1, '与“' || other_file.file_name || '”(' || other.period || ')全部数值相同', NULL, NULL
    FROM file_unit AS file
    JOIN figures AS mine ON mine.submission_id = file.submission_id AND mine.period = file.period AND mine.n >= 5
    JOIN figures AS other ON other.digest = mine.digest AND other.n = mine.n AND other.period < mine.period
    JOIN submissions.submission AS other_file
        ON other_file.submission_id = other.submission_id AND other_file.reporter = file.reporter AND other_file.status <> 'duplicate'
    UNION ALL
    SELECT unit_key, 'n_region_codes_invalid', 0, NULL, NULL, NULL
    FROM file_unit SEMI JOIN internal.file_mark AS mark ON mark.submission_id = file_unit.submission_id AND mark.mark = '行政区划代码'
    UNION ALL
    SELECT file.unit_key, 'n_region_codes_invalid', 1, '代码' || mark.text, mark.sheet, mark.address
    FROM file_unit AS file JOIN internal.file_mark AS mark USING (submission_id)
    WHERE mark.mark = '行政区划代码' AND NOT EXISTS (
        SELECT 1 FROM dims.region AS region
        WHERE region.code = mark.text
            AND (region.valid_from IS NULL OR region.valid_from <= file.period_end)
            AND (region.valid_to IS NULL OR region.valid_to > file.period_end)
    )
    UNION ALL
    SELECT own_park.unit_key, 'n_parks_absent', (count(cell.cell_key) = 0)::INTEGER,
        CASE WHEN count(cell.cell_key) = 0 THEN '没有“' || own_park.name || '”' END, NULL, NULL
    FROM own_park LEFT JOIN cell ON cell.unit_key = own_park.unit_key AND cell.park_id = own_park.park_id AND cell.role = 'data'
    GROUP BY own_park.unit_key, own_park.park_id, own_park.name
    UNION ALL
    SELECT unit_key, 'n_hidden', 0, NULL, NULL, NULL FROM file_unit
    UNION ALL
    SELECT file.unit_key, 'n_hidden', 1, mark.text, mark.sheet, mark.address
    FROM file_unit AS file JOIN internal.file_mark AS mark USING (submission_id) WHERE mark.mark = '隐藏'
    UNION ALL
    SELECT unit_key, 'n_money', count(*), NULL, NULL, NULL FROM cell
    WHERE indicator_id IN ('C01', 'C04') AND is_level AND role = 'data' AND value > 0 AND factor = 1 GROUP BY unit_key
    UNION ALL
    SELECT unit_key, 'n_round', count(*) FILTER (WHERE value % 10 = 0), count(*) || '个数中' || count(*) FILTER (WHERE value % 10 = 0) || '个个位为零', NULL, NULL FROM cell
    WHERE indicator_id IN ('C01', 'C04') AND is_level AND role = 'data' AND value > 0 AND factor = 1 GROUP BY unit_key
    UNION ALL
    SELECT unit_key, 'n_totals_as_parks', 0, NULL, NULL, NULL FROM file_unit
    UNION ALL
    SELECT unit_key, 'n_totals_as_parks', 1, '“' || entity_raw || '”', sheet, any_value(address ORDER BY address)
    FROM cell
    WHERE role = 'data' AND park_id IS NOT NULL
        AND regexp_matches(replace(entity_raw, ' ', ''), '^(全[县区市省])?(合计|总计|小计|累计)$|^全[县区市省]$')
    GROUP BY unit_key, sheet, entity_raw, row_key
    UNION ALL
    SELECT unit_key, 'version_no', version_no, NULL, NULL, NULL FROM file_unit WHERE version_no IS NOT NULL
    UNION ALL
    SELECT unit_key, 'n_correction_marks', (revision > 0)::INTEGER, '第' || version_no || '次报送', NULL, NULL FROM file_unit
)

SELECT unit_key, fact, amount, text, sheet, address FROM facts
