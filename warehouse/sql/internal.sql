-- Tables behind the published ones. Readers do not use them; names may change.
CREATE SCHEMA IF NOT EXISTS internal;

-- Digest of the texts this file's tables and views were made from.
CREATE TABLE IF NOT EXISTS internal.structure (digest VARCHAR NOT NULL);

-- Integer keys of the readable ids inside the big facts (strings cost 2.6x in windows).
CREATE TABLE IF NOT EXISTS internal.key (domain VARCHAR NOT NULL, key INTEGER NOT NULL, id VARCHAR NOT NULL);

-- Vintages of every figure; `period` is YYYYMM. Published as observations.observation.
CREATE TABLE IF NOT EXISTS internal.observation_fact (
    park_key INTEGER NOT NULL,
    indicator_key INTEGER NOT NULL,
    period INTEGER NOT NULL,
    measure_key INTEGER NOT NULL,
    known_from TIMESTAMP NOT NULL,
    known_to TIMESTAMP,
    value DECIMAL(28,8),
    state_key INTEGER NOT NULL,
    maturity_key INTEGER,
    submission_key INTEGER NOT NULL,
    sheet_key INTEGER NOT NULL,
    address VARCHAR NOT NULL
);
-- A value of at most two decimals stands here and `value` is empty: half the bytes on disk.
ALTER TABLE internal.observation_fact ADD COLUMN IF NOT EXISTS short_value DECIMAL(18,2);
-- An address like C17 stands here as column (a key) and row, and `address` is empty: a third of the bytes.
ALTER TABLE internal.observation_fact ADD COLUMN IF NOT EXISTS column_key INTEGER;
ALTER TABLE internal.observation_fact ADD COLUMN IF NOT EXISTS row_number INTEGER;

-- How much each source revised, period by period: figures first given, figures revised and exact sums of
-- their revisions, by 30-day months since first known and (lag_months empty) over all of them. A build
-- adds up these rows, not all vintages.
CREATE TABLE IF NOT EXISTS internal.revision_sum (
    period VARCHAR NOT NULL,
    source_id VARCHAR,
    indicator_id VARCHAR NOT NULL,
    measure VARCHAR NOT NULL,
    lag_months INTEGER,
    n_figures BIGINT NOT NULL,
    n_revised BIGINT NOT NULL,
    n_values BIGINT NOT NULL,
    revision DECIMAL(38,8),
    abs_revision DECIMAL(38,8),
    n_pct BIGINT NOT NULL,
    pct DECIMAL(38,8),
    abs_pct DECIMAL(38,8)
);

-- Periods whose figures changed in the build under way, and the park-year rows that follow.
CREATE TABLE IF NOT EXISTS internal.affected_period (period VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS internal.affected_asof (year INTEGER NOT NULL, asof_period VARCHAR NOT NULL)
;

-- Parks derived now, of a derivation that goes through the parks share by share (warehouse.shares).
CREATE TABLE IF NOT EXISTS internal.share_park (park_id VARCHAR NOT NULL);

-- What reading a file found, before rules add theirs; published in quality.finding.
CREATE TABLE IF NOT EXISTS internal.reading_finding (
    finding_id VARCHAR NOT NULL,
    rule_id VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    submission_id VARCHAR,
    file_name VARCHAR,
    reporter VARCHAR,
    sheet VARCHAR,
    address VARCHAR,
    park_id VARCHAR,
    indicator_id VARCHAR,
    period VARCHAR,
    found VARCHAR,
    expected VARCHAR,
    message VARCHAR NOT NULL,
    remedy VARCHAR
);

-- What statistical screens found, kept for the periods not screened again, and what of it no rule has
-- said; the periods of the build under way that are screened; those ever screened.
CREATE TABLE IF NOT EXISTS internal.screen_finding AS
SELECT * FROM internal.reading_finding WHERE false;
CREATE TABLE IF NOT EXISTS internal.screen_said AS
SELECT * FROM internal.reading_finding WHERE false;
CREATE TABLE IF NOT EXISTS internal.screen_period (period VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS internal.screened (period VARCHAR NOT NULL);

-- Digest of what a file says and means, whatever its bytes; by which catalogue it was read; what
-- reading alone says of it (accepted, rejected, returned, held), and whether it calls itself a
-- correction (0 no, n the n-th).
CREATE TABLE IF NOT EXISTS internal.reading (
    submission_id VARCHAR NOT NULL,
    content_digest VARCHAR,
    catalogue_digest VARCHAR NOT NULL
);
ALTER TABLE internal.reading ADD COLUMN IF NOT EXISTS status VARCHAR;
ALTER TABLE internal.reading ADD COLUMN IF NOT EXISTS reason VARCHAR;
ALTER TABLE internal.reading ADD COLUMN IF NOT EXISTS revision INTEGER;

-- What people decided, from the ledger; an end that is empty lasts. `reason` is a whole sentence.
CREATE TABLE IF NOT EXISTS internal.lock (
    period VARCHAR NOT NULL, locked_at TIMESTAMP NOT NULL, unlocked_at TIMESTAMP, reason VARCHAR
);
CREATE TABLE IF NOT EXISTS internal.withdrawal (
    submission_id VARCHAR NOT NULL, withdrawn_at TIMESTAMP NOT NULL, restored_at TIMESTAMP, reason VARCHAR
);
CREATE TABLE IF NOT EXISTS internal.acceptance (
    submission_id VARCHAR NOT NULL, accepted_at TIMESTAMP NOT NULL
);

-- What triage rests on: the policy, which reporters were due when, and what reporters explained.
CREATE TABLE IF NOT EXISTS internal.triage_policy (
    triage_id VARCHAR NOT NULL,
    pattern VARCHAR NOT NULL,
    source_id VARCHAR,
    weight INTEGER NOT NULL,
    error VARCHAR NOT NULL,
    verify VARCHAR NOT NULL,
    returned BOOLEAN NOT NULL
);
CREATE TABLE IF NOT EXISTS internal.expected_return (
    period VARCHAR NOT NULL, reporter VARCHAR NOT NULL, name VARCHAR NOT NULL, deadline DATE, due_at TIMESTAMP,
    reminding_ends DATE
);
CREATE TABLE IF NOT EXISTS internal.explanation (finding_id VARCHAR NOT NULL, explained_at TIMESTAMP NOT NULL);

-- Cells kept out of the observations by a finding: for good, or until the moment it was explained.
CREATE TABLE IF NOT EXISTS internal.blocked (
    submission_id VARCHAR NOT NULL, sheet VARCHAR NOT NULL, address VARCHAR NOT NULL, blocked_until TIMESTAMP
);

-- When which submission counts: [active_from, active_to), and its place among others at one time.
CREATE TABLE IF NOT EXISTS internal.standing (
    submission_id VARCHAR NOT NULL,
    active_from TIMESTAMP NOT NULL,
    active_to TIMESTAMP,
    order_at TIMESTAMP NOT NULL,
    place INTEGER NOT NULL
);

-- Facts about the build the published file is: catalogue digest, point of view in time.
CREATE TABLE IF NOT EXISTS internal.note (name VARCHAR NOT NULL, value VARCHAR)
;

-- Audit rules: periods to be judged in the build under way; what rules found, by period; marks around
-- the tables of a file (表号, 签署, hidden parts, region codes); figures of other offices; waivers.
CREATE TABLE IF NOT EXISTS internal.judged_period (period VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS internal.rule_finding AS
SELECT * FROM internal.reading_finding WHERE false;
-- is_own: the cell stands in the file the finding is about and may be what is wrong; is_error: the rule
-- says it is wrong by itself, not in comparison with another period.
CREATE TABLE IF NOT EXISTS internal.rule_finding_cell (
    finding_id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    submission_id VARCHAR NOT NULL,
    sheet VARCHAR NOT NULL,
    address VARCHAR NOT NULL,
    park_id VARCHAR,
    indicator_id VARCHAR,
    period VARCHAR,
    measure VARCHAR,
    is_own BOOLEAN NOT NULL,
    is_error BOOLEAN NOT NULL,
    judged_period VARCHAR
);
CREATE TABLE IF NOT EXISTS internal.file_mark (
    submission_id VARCHAR NOT NULL, mark VARCHAR NOT NULL, text VARCHAR, sheet VARCHAR, address VARCHAR
);
CREATE TABLE IF NOT EXISTS internal.waiver (
    number INTEGER NOT NULL, rule_id VARCHAR NOT NULL, park_id VARCHAR, submission_id VARCHAR,
    decided_at TIMESTAMP NOT NULL, decided_by VARCHAR NOT NULL, reason VARCHAR NOT NULL, until DATE NOT NULL
)
;

-- Every forecast ever published, with the time up to which the figures behind it were known: scored
-- when the year is over. Not part of the content digest: it depends on when runs were made.
CREATE TABLE IF NOT EXISTS internal.forecast_log (
    park_id VARCHAR NOT NULL,
    indicator_id VARCHAR NOT NULL,
    year INTEGER NOT NULL,
    asof_period VARCHAR NOT NULL,
    known_until TIMESTAMP NOT NULL,
    p05 DECIMAL(28,8),
    p10 DECIMAL(28,8),
    p50 DECIMAL(28,8),
    p90 DECIMAL(28,8),
    p95 DECIMAL(28,8),
    point DECIMAL(28,8),
    method VARCHAR NOT NULL,
    calibrated BOOLEAN NOT NULL
);

-- Digest of every part of every published table (sums of the halves of the rows' MD5, mod 2^64), the
-- parts the build under way has written, and those of them whose origin is recorded.
CREATE TABLE IF NOT EXISTS internal.partition (
    table_name VARCHAR NOT NULL, part VARCHAR NOT NULL, n_rows BIGINT NOT NULL, low UBIGINT NOT NULL, high UBIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS internal.touched (table_name VARCHAR NOT NULL, part VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS internal.settled (table_name VARCHAR NOT NULL, part VARCHAR NOT NULL);

-- What a part was built from.
CREATE TABLE IF NOT EXISTS internal.origin (
    table_name VARCHAR NOT NULL,
    part VARCHAR NOT NULL,
    catalogue_digest VARCHAR NOT NULL,
    reader_version INTEGER NOT NULL,
    point_of_view VARCHAR NOT NULL
);

-- Number and digest of the build this file is.
-- What the documents of an edition were made from: code, templates, fonts and the composed text, as one digest.
CREATE TABLE IF NOT EXISTS internal.edition_made (
    period VARCHAR NOT NULL, audience_id VARCHAR NOT NULL, edition INTEGER NOT NULL, made_from VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS internal.build (number INTEGER NOT NULL, digest VARCHAR NOT NULL)
