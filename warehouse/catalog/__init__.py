"""The policy catalogue (政策目录): policy as data, shipped files overridden by a workspace's own.

Belongs here: indicators, units, documents, targets, schemes, layouts and registers as files, their
models, the loader, and the expression language they share. Does not belong here: judging by them
(``assets``, ``quality``, ``methods``). Import the modules by name; this file stays empty so that
the command line can use :mod:`warehouse.catalog.expression` without loading pydantic.
"""
