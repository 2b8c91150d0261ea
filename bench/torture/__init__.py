"""Campaigns of torture: kills, faults, outages. Each is a module with a command line of its own."""
