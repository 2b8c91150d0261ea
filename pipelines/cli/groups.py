"""The commands as ``parkwatch --help`` lists them: by who uses them and when.

Belongs here: headings and the order below them. Does not belong here: what a command does or says of
itself (beside each command), how a help page looks (``helping``).
"""

from __future__ import annotations

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("每月工作", (
        "run", "status", "ingest", "pull", "review", "returns", "remind", "explained", "waive",
        "withdraw", "accept", "lock", "unlock", "bulletin", "deliveries", "site",
    )),
    ("目标与考核", (
        "targets", "tick", "inputs", "watch", "whatif", "schemes", "outcome", "backtest",
    )),
    ("查证与取数", (
        "explain", "diff", "builds", "revisions", "rebuild", "query", "export", "dictionary",
        "audit",
    )),
    ("目录与历史数据", ("inspect", "rules", "backfill")),
    ("工作区与运维", ("init", "doctor", "serve", "user", "backup", "verify", "restore")),
)  # fmt: skip
"""Heading, then the names of its commands; every command stands below one heading."""
