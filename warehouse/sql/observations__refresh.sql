-- Rebuild the vintages of the affected periods from the cells of files while they count
-- (internal.standing). At any time the figure is the cell of the newest file that counts then. A
-- delivery that repeats a value makes no vintage; one that changes value or state, or a withdrawal,
-- closes the former one. While a period is locked nothing of it changes: what happens meanwhile
-- happens at the unlocking. A less mature figure never replaces a more mature one: 快报 < 定报 (and
-- figures that do not say) < 年报.
--
-- Most figures were said once, by a file that still counts: they need no comparing. Any other is
-- contested. The hash only chooses between the two ways, so that figures that share one by chance may.
CREATE OR REPLACE TEMP TABLE counting AS
-- By themselves, before anything is joined: the scan passes over the row groups of other periods.
WITH affected AS (
    SELECT
        park_id,
        indicator_id,
        period,
        measure,
        value,
        state,
        maturity,
        submission_id,
        sheet,
        address,
        raw_text,
        unit_factor
    FROM submissions.cell
    WHERE
        period IN (SELECT period FROM internal.affected_period)
        AND role = 'data'
        AND park_id IS NOT NULL
        AND indicator_id IS NOT NULL
        AND measure IS NOT NULL
),

cells AS (
    SELECT
        cell.*,
        submission.source_id,
        submission.period AS file_period,
        submission.received_at,
        standing.order_at,
        standing.place,
        CASE
            WHEN late.period IS NULL THEN greatest(standing.active_from, blocked.blocked_until)
            ELSE late.unlocked_at
        END AS active_from,
        CASE WHEN kept.period IS NULL THEN standing.active_to ELSE kept.unlocked_at END AS active_to
    FROM affected AS cell
    JOIN internal.standing AS standing USING (submission_id)
    JOIN submissions.submission AS submission USING (submission_id)
    -- triage: kept out for good (no end), or until explained
    LEFT JOIN internal.blocked AS blocked
        ON blocked.submission_id = cell.submission_id
        AND blocked.sheet = cell.sheet
        AND blocked.address = cell.address
    LEFT JOIN internal.lock AS late
        ON late.period = cell.period
        AND greatest(standing.active_from, blocked.blocked_until) >= late.locked_at
        AND (late.unlocked_at IS NULL
            OR greatest(standing.active_from, blocked.blocked_until) < late.unlocked_at)
    LEFT JOIN internal.lock AS kept
        ON kept.period = cell.period
        AND standing.active_to >= kept.locked_at
        AND (kept.unlocked_at IS NULL OR standing.active_to < kept.unlocked_at)
    WHERE blocked.submission_id IS NULL OR blocked.blocked_until IS NOT NULL
)

SELECT hash(park_id, indicator_id, period, measure) AS figure_hash, *
FROM cells
WHERE active_from IS NOT NULL AND (active_to IS NULL OR active_to > active_from);

CREATE OR REPLACE TEMP TABLE contested AS
SELECT figure_hash
FROM counting
GROUP BY figure_hash
HAVING count(*) > 1 OR count(active_to) > 0;

CREATE OR REPLACE TEMP TABLE candidate AS
SELECT
    dense_rank() OVER (ORDER BY park_id, indicator_id, period, measure) AS figure,
    row_number() OVER (
        PARTITION BY park_id, indicator_id, period, measure
        ORDER BY
            CASE maturity WHEN '快报' THEN 1 WHEN '年报' THEN 3 ELSE 2 END,
            order_at, place, received_at, submission_id, sheet, address, active_from
    ) AS rank,
    * EXCLUDE (figure_hash)
FROM counting
SEMI JOIN contested USING (figure_hash);

-- The newest candidate at every moment at which one begins or ends. Where none ever ends that is
-- the newest so far; looking at each moment for itself is left to the few figures of withdrawn files.
CREATE OR REPLACE TEMP TABLE moment AS
WITH ending AS (
    SELECT DISTINCT figure FROM candidate WHERE active_to IS NOT NULL
),

edge AS (
    SELECT figure, active_from AS since FROM candidate SEMI JOIN ending USING (figure)
    UNION
    SELECT figure, active_to FROM candidate WHERE active_to IS NOT NULL
),

newest AS (
    SELECT DISTINCT figure, active_from AS since, max(rank) OVER (PARTITION BY figure ORDER BY active_from) AS rank
    FROM candidate ANTI JOIN ending USING (figure)
    UNION ALL
    SELECT edge.figure, edge.since, max(candidate.rank)
    FROM edge
    LEFT JOIN candidate
        ON candidate.figure = edge.figure
        AND candidate.active_from <= edge.since
        AND (candidate.active_to IS NULL OR candidate.active_to > edge.since)
    GROUP BY edge.figure, edge.since
),

said AS (
    SELECT
        newest.*,
        candidate.value,
        candidate.state,
        candidate.active_to,
        lag(candidate.value) OVER moments AS former_value,
        lag(candidate.state) OVER moments AS former_state,
        candidate.maturity,
        lag(candidate.maturity) OVER moments AS former_maturity,
        row_number() OVER moments AS nth
    FROM newest
    LEFT JOIN candidate USING (figure, rank)
    WINDOW moments AS (PARTITION BY newest.figure ORDER BY newest.since)
),

changes AS (
    SELECT
        *,
        nth = 1 OR value IS DISTINCT FROM former_value OR state IS DISTINCT FROM former_state
        OR coalesce(maturity, '定报') <> coalesce(former_maturity, '定报') AS is_change
    FROM said
)

SELECT
    figure,
    since,
    rank,
    active_to,
    is_change,
    count(*) FILTER (WHERE is_change) OVER (PARTITION BY figure ORDER BY since) AS island
FROM changes;

-- A vintage rests on the file that brought the value; when that is withdrawn while the value stands,
-- it goes on as a vintage of its own that rests on the file which then says so.
CREATE OR REPLACE TEMP TABLE contested_vintage AS
WITH RECURSIVE rests_on AS (
    SELECT figure, island, since, rank, active_to FROM moment WHERE is_change
    UNION ALL
    SELECT moment.figure, moment.island, moment.since, moment.rank, moment.active_to
    FROM rests_on
    JOIN moment
        ON moment.figure = rests_on.figure
        AND moment.island = rests_on.island
        AND moment.since = rests_on.active_to
),

intervals AS (
    SELECT
        figure,
        rank,
        since AS known_from,
        lead(since) OVER so_far AS known_to,
        row_number() OVER so_far AS version
    FROM rests_on
    WINDOW so_far AS (PARTITION BY figure ORDER BY since)
)

SELECT candidate.*, intervals.known_from, intervals.known_to, intervals.version
FROM intervals
JOIN candidate USING (figure, rank);;

CREATE OR REPLACE TEMP VIEW vintage AS
SELECT * EXCLUDE (figure, rank) FROM contested_vintage
UNION ALL BY NAME
SELECT * EXCLUDE (figure_hash), active_from AS known_from, NULL AS known_to, 1 AS version
FROM counting
ANTI JOIN contested USING (figure_hash)
