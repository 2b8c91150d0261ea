"""What good looks like: rules, suites, screens, triage and returns.

Belongs here: the one rule catalogue and its views (Great Expectations, Dagster checks, returns).
Does not belong here: reading files (assets.submissions) or computing indicators.
"""
