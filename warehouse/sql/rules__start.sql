-- Empty tables of one run of the rules.
CREATE OR REPLACE TEMP TABLE outcome (number INTEGER, unit_key INTEGER, period VARCHAR, outcome UTINYINT);

CREATE OR REPLACE TEMP TABLE outcome_count (rule_id VARCHAR, period VARCHAR, outcome UTINYINT, n BIGINT);

CREATE OR REPLACE TEMP TABLE missing_operand (rule_id VARCHAR, period VARCHAR, label VARCHAR, n BIGINT);

CREATE OR REPLACE TEMP TABLE reported (
    park_id VARCHAR,
    indicator_id VARCHAR,
    measure VARCHAR,
    period VARCHAR,
    value DECIMAL(28, 8),
    submission_id VARCHAR,
    sheet VARCHAR,
    address VARCHAR,
    raw_text VARCHAR,
    unit_raw VARCHAR
);

CREATE OR REPLACE TEMP TABLE file_unit (unit_key INTEGER, submission_id VARCHAR, period VARCHAR);

CREATE OR REPLACE TEMP TABLE file_fact (
    unit_key INTEGER, fact VARCHAR, amount DECIMAL(28, 8), text VARCHAR, sheet VARCHAR, address VARCHAR
);

CREATE OR REPLACE TEMP TABLE frame_scored (
    unit_key INTEGER, period VARCHAR, park_id VARCHAR, name VARCHAR, n_unverified BIGINT, names VARCHAR
)
