"""Sessions (会话) and what a wrong password costs.

Belongs here: who is logged in, until when, the token of a form, waits after wrong passwords. Does not
belong here: users and passwords, cookies' attributes (``gate``). Everything is kept in the memory of
one process: a restart ends all sessions.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

Clock = Callable[[], float]
REPEATED_SECONDS = 300.0
"""A query repeated within this time is a page refreshing itself, not a person at work."""
_REMEMBERED = 500


@dataclass(slots=True)
class Session:
    """One login. ``fingerprint``: of the password hash it was made with. Times by the clock."""

    token: str
    user: str
    fingerprint: str
    began: float
    used: float
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    asked: dict[str, float] = field(default_factory=dict, repr=False)


class Sessions:
    """All sessions of one gate. ``idle``, ``longest``: seconds."""

    def __init__(self, idle: float, longest: float, clock: Clock = time.monotonic) -> None:
        self.idle, self.longest, self.clock = idle, longest, clock
        self._key = secrets.token_bytes(32)
        self._open: dict[str, Session] = {}

    def begin(self, user: str, password_hash: str) -> tuple[Session, str]:
        """A new session and the signed value of its cookie."""
        self._forget()
        now = self.clock()
        token = secrets.token_urlsafe(32)
        session = Session(token, user, fingerprint(password_hash), now, now)
        self._open[token] = session
        return session, f"{token}.{self._signature(token)}"

    def find(self, cookie: str) -> Session | None:
        """The session of a cookie; None when it is forged, ended or has been idle too long."""
        token, _, signature = cookie.rpartition(".")
        if not token or not hmac.compare_digest(signature, self._signature(token)):
            return None
        session = self._open.get(token)
        if session is None or not self._lasts(session):
            self._open.pop(token, None)
            return None
        return session

    def lasts(self, session: Session) -> bool:
        """Whether it is still open: for connections that stay open themselves."""
        return self._open.get(session.token) is session and self._lasts(session)

    def used(self, session: Session, question: bytes | None = None) -> None:
        """A person did something. ``question``: a query a page may also repeat by itself."""
        now = self.clock()
        if question is not None:
            digest = hashlib.sha256(question).hexdigest()
            before = session.asked.pop(digest, None)
            session.asked[digest] = now
            if len(session.asked) > _REMEMBERED:
                session.asked.pop(next(iter(session.asked)))
            if before is not None and now - before < REPEATED_SECONDS:
                return
        session.used = now

    def end(self, session: Session) -> None:
        """Log out."""
        self._open.pop(session.token, None)

    def _lasts(self, session: Session) -> bool:
        now = self.clock()
        return now - session.used < self.idle and now - session.began < self.longest

    def _forget(self) -> None:
        self._open = {t: session for t, session in self._open.items() if self._lasts(session)}

    def _signature(self, token: str) -> str:
        return hmac.new(self._key, token.encode(errors="replace"), hashlib.sha256).hexdigest()


def fingerprint(password_hash: str) -> str:
    """What changes when the password does."""
    return hashlib.sha256(password_hash.encode()).hexdigest()


class Backoff:
    """Waits after wrong passwords, growing from 15 seconds to 15 minutes.

    Counted for (user, address) from the 5th, for a user from anywhere from the 20th, for an address
    with any user from the 30th wrong password on; forgotten a day after the last one.
    """

    FREE: ClassVar = {"both": 5, "user": 20, "address": 30}
    FIRST, LONGEST, FORGOTTEN = 15.0, 900.0, 86_400.0

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.clock = clock
        self._wrong: dict[tuple[str, str, str], tuple[int, float]] = {}

    def wait(self, user: str, address: str) -> float:
        """Seconds until another try may be made; 0 when now."""
        now = self.clock()
        waits = [0.0]
        for key in self._keys(user, address):
            count, last = self._wrong.get(key, (0, now))
            over = count - self.FREE[key[0]]
            if over >= 0:
                wait = min(self.FIRST * 2.0 ** min(over, 16), self.LONGEST)
                waits.append(last + wait - now)
        return max(waits)

    def wrong(self, user: str, address: str) -> None:
        """A wrong password was given."""
        now = self.clock()
        self._wrong = {k: v for k, v in self._wrong.items() if now - v[1] < self.FORGOTTEN}
        for key in self._keys(user, address):
            self._wrong[key] = (self._wrong.get(key, (0, now))[0] + 1, now)

    def right(self, user: str, address: str) -> None:
        """The right password was given: this user from this address starts anew."""
        self._wrong.pop(("both", user, address), None)
        self._wrong.pop(("user", user, ""), None)

    @staticmethod
    def _keys(user: str, address: str) -> tuple[tuple[str, str, str], ...]:
        return ("both", user, address), ("user", user, ""), ("address", "", address)
