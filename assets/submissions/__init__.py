"""Stage 1, submissions (报送件): files received from reporters, read into cells with provenance.

Belongs here: archive, pre-scan, sandboxed reading, structure detection, layouts, numbers, periods,
units and entities. Does not belong here: what a figure means over time (observations), or whether
it is right (quality).
"""
