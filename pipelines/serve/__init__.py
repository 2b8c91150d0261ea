"""``parkwatch serve``: Dagster, the site and our own pages behind one login.

Belongs here: the gate (login, rights, proxy, pages), the processes it keeps running, users. Does not
belong here: what the pages decide (``assets.deliveries``), Dagster's definitions (``pipelines``).
"""
