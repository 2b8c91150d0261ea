-- Periods of which any figure is known, in the years a derivation looks at: the register counts parks
-- at these moments, whichever parks (share) are derived.
CREATE OR REPLACE TEMP TABLE said_period AS
SELECT period.id AS period, left(period.id, 4)::INTEGER AS year, right(period.id, 2)::INTEGER AS month
FROM (
    SELECT DISTINCT fact.period
    FROM internal.observation_fact AS fact
    JOIN internal.key AS indicator ON indicator.domain = 'indicator' AND indicator.key = fact.indicator_key
    JOIN internal.key AS wanted ON wanted.domain = 'period' AND wanted.key = fact.period
    SEMI JOIN dims.indicator AS listed ON listed.indicator_id = indicator.id
    WHERE
        fact.known_from <= $asof::TIMESTAMP
        AND (fact.known_to IS NULL OR fact.known_to > $asof::TIMESTAMP)
        AND left(wanted.id, 4)::INTEGER IN (
            SELECT left(period, 4)::INTEGER - back.n
            FROM internal.affected_period
            CROSS JOIN (SELECT unnest(range($years_back + 1)) AS n) AS back
        )
) AS said
JOIN internal.key AS period ON period.domain = 'period' AND period.key = said.period
