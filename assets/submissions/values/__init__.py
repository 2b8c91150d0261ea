"""One value at a time: numbers, symbols, periods and units, by a grammar that refuses to guess.

Belongs here: reading a single text or number. Does not belong here: where it stands in a sheet.
"""
