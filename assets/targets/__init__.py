"""Targets (目标判定): a policy clause judged as of a period, with its figures and a plain reason.

Belongs here: reading clauses, who they apply to, measuring and wording verdicts. Does not belong
here: the clauses themselves (``warehouse/catalog``), scores and ranks (``assets/assessment``).
"""
