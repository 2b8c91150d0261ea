"""Passwords: hashing (scrypt), checking, and which are too weak.

Belongs here: one password and its hash. Does not belong here: users, lockout (``sessions``). Cost
parameters: OWASP Password Storage Cheat Sheet, scrypt N = 2^15, r = 8, p = 3.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from functools import lru_cache

N, R, P = 1 << 15, 8, 3
MAX_MEMORY = 96 << 20
LEAST_LENGTH, LEAST_DIFFERENT = 10, 5
LONGEST = 200
_COMMON = ("password", "parkwatch", "administrator", "1234567890", "qwertyuiop", "abc123", "admin")


def hashed(password: str) -> str:
    """``scrypt$N$r$p$salt$key``."""
    salt = secrets.token_bytes(16)
    key = _key(password, salt, N, R, P)
    return "$".join(["scrypt", str(N), str(R), str(P), _text(salt), _text(key)])


def matches(password: str, stored: str) -> bool:
    """Whether ``password`` is the one hashed; False for a hash that cannot be read."""
    try:
        kind, n, r, p, salt, key = stored.split("$")
        wanted = base64.b64decode(key, validate=True)
        found = _key(password, base64.b64decode(salt, validate=True), int(n), int(r), int(p))
    except (ValueError, OverflowError):
        return False
    return kind == "scrypt" and hmac.compare_digest(found, wanted)


def is_hash(stored: str) -> bool:
    """Whether it has the form of a hash made here with at least today's cost."""
    parts = stored.split("$")
    return (
        len(parts) == 6
        and parts[0] == "scrypt"
        and all(part.isdigit() for part in parts[1:4])
        and int(parts[1]) * int(parts[2]) * int(parts[3]) >= N * R * P
    )


@lru_cache(maxsize=1)
def nobody() -> str:
    """A hash nobody knows the password of: checked when there is no such user, to take as long."""
    return hashed(secrets.token_urlsafe())


def weakness(password: str, *known: str) -> str | None:
    """Why it is too weak, None when it will do. ``known``: user name and the like."""
    plain = password.casefold()
    if len(password) < LEAST_LENGTH:
        return f"至少 {LEAST_LENGTH} 个字符"
    if len(password) > LONGEST:
        return f"至多 {LONGEST} 个字符"
    if len(set(password)) < LEAST_DIFFERENT:
        return f"至少含 {LEAST_DIFFERENT} 个不同的字符"
    if any(word and word.casefold() in plain for word in known):
        return "不得包含用户名"
    if any(plain.strip("0123456789!@#.") in (word, "") or plain == word for word in _COMMON):
        return "过于常见"
    return None


def _key(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=n, r=r, p=p, maxmem=MAX_MEMORY, dklen=32
    )  # fmt: skip


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
