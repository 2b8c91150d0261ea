"""Stage 5, assessment (考核): simulated scores, ranks and the watch list. Never a decision.

Belongs here: scheme files applied to park-year figures. Does not belong here: target verdicts.
"""
