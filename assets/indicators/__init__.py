"""Stage 3, indicators (指标): park-month and park-year values, growth and area totals.

Belongs here: derivations from observations. Does not belong here: judging them (targets, assessment).
"""
