"""What is kept: the catalogue (policy as data), the column dictionary, the DuckDB store, the ledger.

Belongs here: schemas, SQL models, storage and operational state. Does not belong here: judgement
(methods, quality) or orchestration (pipelines). Only this package imports duckdb.
"""
