-- Parks with figures some assessment scheme scores, and how many of those failed a rule (错误, 核实).
CREATE OR REPLACE TEMP TABLE frame_scored AS
WITH unverified AS (
    SELECT park_id, period, indicator_id
    FROM internal.rule_finding
    WHERE outcome = 'fail' AND severity IN ('error', 'verify') AND park_id IS NOT NULL
        AND submission_id IN (SELECT submission_id FROM internal.standing WHERE active_to IS NULL)
    GROUP BY park_id, period, indicator_id
)

SELECT
    row_number() OVER ()::INTEGER AS unit_key,
    cell.period,
    cell.park_id,
    any_value(park.name) AS name,
    count(DISTINCT unverified.indicator_id) AS n_unverified,
    string_agg(DISTINCT indicator.name_zh, '、' ORDER BY indicator.name_zh) FILTER (WHERE unverified.indicator_id IS NOT NULL) AS names
FROM judged_cell AS cell
SEMI JOIN scored_figure ON scored_figure.indicator_id = cell.indicator_id
JOIN counted_park AS park ON park.park_id = cell.park_id AND park.period = cell.period
JOIN dims.indicator AS indicator USING (indicator_id)
LEFT JOIN unverified
    ON unverified.park_id = cell.park_id
    AND unverified.period = cell.period
    AND unverified.indicator_id = cell.indicator_id
WHERE cell.role = 'data'
GROUP BY cell.period, cell.park_id
