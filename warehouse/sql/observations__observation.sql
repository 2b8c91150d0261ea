-- Every figure as known at every time, with readable ids. The few measures, states and maturities are looked
-- up in lists (their keys count from 1 without gaps), which costs a third of a join each; a list as long as
-- that of the sheet columns costs more than a join, for it travels with every row. Where a figure comes from
-- is joined by groups of one key: DuckDB then knows that a join adds no row, and leaves it out where nobody
-- asks for the place.
SELECT
    park.id AS park_id,
    indicator.id AS indicator_id,
    period.id AS period,
    (SELECT list(id ORDER BY key) FROM internal.key WHERE domain = 'measure')[fact.measure_key] AS measure,
    fact.known_from,
    fact.known_to,
    coalesce(fact.short_value::DECIMAL(28, 8), fact.value) AS value,
    (SELECT list(id ORDER BY key) FROM internal.key WHERE domain = 'state')[fact.state_key] AS state,
    (SELECT list(id ORDER BY key) FROM internal.key WHERE domain = 'maturity')[fact.maturity_key] AS maturity,
    submission.id AS submission_id,
    sheet.id AS sheet,
    coalesce(letters.id || fact.row_number, fact.address) AS address
FROM internal.observation_fact AS fact
JOIN internal.key AS period ON period.domain = 'period' AND period.key = fact.period
JOIN internal.key AS park ON park.domain = 'park' AND park.key = fact.park_key
JOIN internal.key AS indicator ON indicator.domain = 'indicator' AND indicator.key = fact.indicator_key
LEFT JOIN (
    SELECT key, min(id) AS id FROM internal.key WHERE domain = 'submission' GROUP BY key
) AS submission ON submission.key = fact.submission_key
LEFT JOIN (
    SELECT key, min(id) AS id FROM internal.key WHERE domain = 'sheet' GROUP BY key
) AS sheet ON sheet.key = fact.sheet_key
LEFT JOIN (
    SELECT key, min(id) AS id FROM internal.key WHERE domain = 'column' GROUP BY key
) AS letters ON letters.key = fact.column_key
