"""Bytes to plain values: pre-scan, sandboxed parsing, one module per format.

Belongs here: everything that touches a hostile file. Does not belong here: what a sheet means
(``tables``) or what a text value says (``values``).
"""
