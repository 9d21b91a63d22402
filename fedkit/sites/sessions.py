"""Who is logged in at a site: keys that a login brings with it, each for one account and for a time.

A session's key is made by whoever logs in and never travels; the site keeps its public half, in memory. So nothing that a login
sends or answers is a lasting secret, and a site that starts anew knows no session.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from fedkit.errors import AccessRefused

#: Sessions of one account at once; the one that was used longest ago gives way.
MOST = 256


@dataclass
class Session:
    """user: account.   opened, used: Unix seconds."""

    user: str
    opened: float
    used: float


class Sessions:
    """idle: seconds without a call after which a session ends.   longest: seconds after which it ends in any case."""

    def __init__(self, idle: float, longest: float, *, clock: Callable[[], float] = time.time) -> None:
        self._idle, self._longest, self._clock = idle, longest, clock
        self._open: dict[str, Session] = {}
        self._lock = threading.Lock()

    def open(self, key: str, user: str) -> None:
        """A login: calls that this key (64 hex) signs are the user's now. Raises AccessRefused for a key that is taken."""
        now = self._clock()
        with self._lock:
            if key in self._open:
                raise AccessRefused("this key has a session", expected="a new key for every login", help="log in again")
            mine = sorted((s.used, k) for k, s in self._open.items() if s.user == user)
            for _, old in mine[: max(0, len(mine) - MOST + 1)]:
                del self._open[old]
            self._open[key] = Session(user, now, now)

    def user(self, key: str, *, calls: bool = True) -> str | None:
        """Whose session this key is, or None: there is none, or it has ended.

        calls: whether it was used. Who only names a key, which is no secret, keeps nobody's session alive.
        """
        now = self._clock()
        with self._lock:
            session = self._open.get(key)
            if session is None:
                return None
            if now - session.used > self._idle or now - session.opened > self._longest:
                del self._open[key]
                return None
            if calls:
                session.used = now
            return session.user

    def close(self, key: str) -> None:
        """End one session."""
        with self._lock:
            self._open.pop(key, None)

    def end(self, user: str, *, but: str = "") -> int:
        """End all sessions of a user, but for that of the key `but`; returns how many."""
        with self._lock:
            ended = [key for key, session in self._open.items() if session.user == user and key != but]
            for key in ended:
                del self._open[key]
        return len(ended)
