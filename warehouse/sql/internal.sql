-- Tables behind the published ones. Readers do not use them; names may change.
CREATE SCHEMA IF NOT EXISTS internal;

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

-- Periods whose figures changed in the build under way, and the park-year rows that follow.
CREATE TABLE IF NOT EXISTS internal.affected_period (period VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS internal.affected_asof (year INTEGER NOT NULL, asof_period VARCHAR NOT NULL)
;

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

-- Digest of what a file says, whatever its bytes; and by which catalogue it was read.
CREATE TABLE IF NOT EXISTS internal.reading (
    submission_id VARCHAR NOT NULL,
    content_digest VARCHAR,
    catalogue_digest VARCHAR NOT NULL
);

-- Facts about the build the published file is: catalogue digest, point of view in time.
CREATE TABLE IF NOT EXISTS internal.note (name VARCHAR NOT NULL, value VARCHAR)
