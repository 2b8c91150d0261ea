"""The access log: one line of JSON a request, kept for months, without anything secret.

Belongs here: its fields and its files. Does not belong here: acts of people (the audit log). Never in
it: query strings, headers, cookies, bodies, variables, what somebody typed as a user name.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import MutableMapping
from datetime import UTC, datetime
from logging.handlers import TimedRotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.serve.receipt_page import without_token

if TYPE_CHECKING:
    from pipelines.serve.guard import Noted

FOLDER, NAME = "logs", "access.jsonl"
LONGEST_PATH = 300


class AccessLog:
    """Access log of a workspace; one file a day (UTC), ``days`` of them are kept."""

    def __init__(self, home: Path, days: int) -> None:
        folder = home / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        self._handler = _Private(folder / NAME, when="midnight", utc=True, backupCount=days,
                                 encoding="utf-8")  # fmt: skip
        self._handler.setFormatter(logging.Formatter("%(message)s"))

    def note(self, scope: MutableMapping[str, Any], noted: Noted, seconds: float) -> None:
        """Enter one request or websocket that is over."""
        line = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "user": noted.user,
            "from": (scope.get("client") or ("-", 0))[0],
            "method": scope.get("method", "WEBSOCKET"),
            "path": without_token(scope["path"])[:LONGEST_PATH],
            "status": noted.status,
            "bytes": noted.sent,
            "ms": round(seconds * 1000),
        }
        if noted.said:
            line["said"] = noted.said
        self.event(line)

    def event(self, line: MutableMapping[str, Any]) -> None:
        """Write a line."""
        text = json.dumps(line, ensure_ascii=False)
        self._handler.emit(logging.makeLogRecord({"msg": text, "levelno": logging.INFO}))

    def close(self) -> None:
        """Close the file."""
        self._handler.close()


class _Private(TimedRotatingFileHandler):
    """Files for their owner alone."""

    def _open(self) -> Any:
        os.close(os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        return super()._open()
