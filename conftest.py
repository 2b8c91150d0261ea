"""Puts the repository root on the import path so that tests can use ``tests.support``."""
