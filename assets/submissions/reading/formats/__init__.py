"""The file formats behind prescan and parsers, one module each; all run in the reading process.

Belongs here: containers (zip, OLE), streaming scans for facts, readers that need no library.
Does not belong here: which format a file is (prescan), the public entry (parsers), delimited text
(textfile), processes (sandbox).
"""
