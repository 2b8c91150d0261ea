"""Builders and doubles shared by tests; never imported by the product."""
