"""The ``parkwatch`` command: one module per command group, launching the jobs the daemon launches.

Heavy libraries are imported inside the commands, so that ``--help`` and ``status`` answer at once.
"""
