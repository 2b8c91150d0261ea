"""Ready workspaces and the generator of their simulated returns.

Belongs here: example workspaces and what makes their data. Nothing of the
product imports this package.
"""
