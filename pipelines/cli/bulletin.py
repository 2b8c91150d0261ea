"""``parkwatch bulletin``: the group of commands on bulletins.

Belongs here: the group. Does not belong here: handing in, approving and sending (``release``).
"""

from __future__ import annotations

import typer

app = typer.Typer(help="通报:生成、预览、送审、签发、发送、更正。", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add this module's commands."""
    parent.add_typer(app, name="bulletin")
