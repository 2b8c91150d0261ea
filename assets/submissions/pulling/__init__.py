"""Fetching a source over HTTP without believing the server.

Belongs here: addresses, transfer, bodies, results. Does not belong here: what a fetched file says.
"""
