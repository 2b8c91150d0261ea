"""From a sheet to cells with meaning: structure detection, layouts, heads, entities.

Belongs here: finding tables and saying what each cell is about. Does not belong here: parsing a
file (``reading``) or a single value (``values``).
"""
