-- Every figure as known at every time, with readable ids.
SELECT
    park.id AS park_id,
    indicator.id AS indicator_id,
    period.id AS period,
    measure.id AS measure,
    fact.known_from,
    fact.known_to,
    fact.value,
    state.id AS state,
    maturity.id AS maturity,
    submission.id AS submission_id,
    sheet.id AS sheet,
    fact.address
FROM internal.observation_fact AS fact
JOIN internal.key AS park ON park.domain = 'park' AND park.key = fact.park_key
JOIN internal.key AS indicator ON indicator.domain = 'indicator' AND indicator.key = fact.indicator_key
JOIN internal.key AS period ON period.domain = 'period' AND period.key = fact.period
JOIN internal.key AS measure ON measure.domain = 'measure' AND measure.key = fact.measure_key
JOIN internal.key AS state ON state.domain = 'state' AND state.key = fact.state_key
JOIN internal.key AS submission ON submission.domain = 'submission' AND submission.key = fact.submission_key
JOIN internal.key AS sheet ON sheet.domain = 'sheet' AND sheet.key = fact.sheet_key
LEFT JOIN internal.key AS maturity ON maturity.domain = 'maturity' AND maturity.key = fact.maturity_key
