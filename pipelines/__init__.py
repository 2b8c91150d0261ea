"""How it runs: settings, jobs, sensors, schedules, resources and the command line.

Belongs here: composition of the stages into Dagster definitions and commands. Does not belong here:
any rule about figures. Nothing imports this package but its own modules and tests.
"""
