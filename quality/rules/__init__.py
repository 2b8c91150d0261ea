"""Audit rules between catalogue and warehouse: rules → relations in SQL, and what rules say of each other.

Belongs here: pure compilation and comparison of rules. Does not belong here: the rules themselves
(``warehouse/catalog``), running them (``warehouse.rule_outcomes``), what follows from a finding.
"""
