"""Stage 2, observations (观测值): accepted cells become figures with vintages.

Belongs here: which cells count and since when a figure was known. Does not belong here: reading
files (submissions) or computing anything from figures (indicators).
"""
