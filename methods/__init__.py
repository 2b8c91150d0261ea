"""How we judge: pure statistics, arrays and decimals in and out, each with its source and oracle.

Belongs here: progress, composite scores, ranking and, later, pace, intervals, risk, disclosure. Does not
belong here: I/O, the catalogue, or anything that knows what a park is.
"""
