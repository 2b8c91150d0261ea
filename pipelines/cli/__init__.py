"""The ``parkwatch`` command: one module per command group, launching the jobs the daemon launches.

Heavy libraries are imported inside the commands, so that ``--help`` and ``status`` answer at once.

Belongs here: commands, what they print and their exit codes. Does not belong here: what they have
done
(the packages below); a job has one way to run, whoever starts it.
"""
