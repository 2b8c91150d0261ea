"""Builders and doubles shared by tests; never imported by the product.

Belongs here: what several test modules need. Does not belong here: expectations.
"""
