"""The accounts of a site, what is kept of their passwords, and how often somebody guessed: tables in the gate's file.

Whether an account counts is read from here at every call, so that an end or a revocation holds from the next one on, whichever
process wrote it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from fedkit.governance.accounts import AccountCard
from fedkit.governance.passwords import Waiting
from fedkit.sites.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (user TEXT PRIMARY KEY, level TEXT NOT NULL, address TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS guesses (subject TEXT PRIMARY KEY, user TEXT NOT NULL, failures INTEGER NOT NULL,
    last REAL NOT NULL);
CREATE INDEX IF NOT EXISTS guesses_by_time ON guesses (last);
CREATE TABLE IF NOT EXISTS seen_at (user TEXT, place TEXT, last REAL NOT NULL, PRIMARY KEY (user, place));
"""
#: Columns that the accounts of an earlier version lack.
_COLUMNS = (
    "name TEXT NOT NULL DEFAULT ''",
    "expires INTEGER NOT NULL DEFAULT 0",
    "revoked INTEGER NOT NULL DEFAULT 0",
    "added INTEGER NOT NULL DEFAULT 0",
    "added_by TEXT NOT NULL DEFAULT ''",
    "once INTEGER NOT NULL DEFAULT 0",
    "password TEXT",
)
_CARD = ("user", "level", "name", "address", "expires", "revoked", "added", "added_by", "once")
_SELECT = f"SELECT {', '.join(_CARD)} FROM accounts"

#: At most so many rows of guesses are kept: the oldest go first, which are those that count least.
_MOST_GUESSES = 20_000


class AccountStore:
    """The accounts in a site's database. clock: Unix seconds."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._db, self.clock = database, clock
        database.add_schema(_SCHEMA)
        for column in _COLUMNS:
            database.add_schema("", accounts=column)

    # -- accounts
    @contextmanager
    def alone(self) -> Iterator[None]:
        """What is asked and changed inside, nobody changes in between."""
        with self._db.transaction():
            yield

    def card(self, user: str) -> AccountCard | None:
        """An account, whether or not it counts."""
        row = self._db.one(f"{_SELECT} WHERE user = ?", user)
        return AccountCard(*row) if row else None

    def cards(self) -> list[AccountCard]:
        """All accounts, in the order in which they were added."""
        return [AccountCard(*row) for row in self._db.all(f"{_SELECT} ORDER BY rowid")]

    def counting(self, user: str) -> AccountCard | None:
        """An account that counts now, or None."""
        card = self.card(user)
        return card if card is not None and card.counts(self.clock()) else None

    def put(self, card: AccountCard, password: str | None = None) -> None:
        """Keep an account. password: its hash, where it is a new one."""
        values = [getattr(card, name) for name in _CARD]
        marks = ", ".join("?" * len(_CARD))
        news = ", ".join(f"{name} = excluded.{name}" for name in _CARD[1:])
        with self._db.transaction() as db:
            db.execute(
                f"INSERT INTO accounts ({', '.join(_CARD)}) VALUES ({marks}) ON CONFLICT (user) DO UPDATE SET {news}", values
            )
            if password is not None:
                db.execute("UPDATE accounts SET password = ? WHERE user = ?", (password, card.user))

    def password(self, user: str) -> str | None:
        """What is kept of an account's password; None without an account."""
        row = self._db.one("SELECT password FROM accounts WHERE user = ?", user)
        return row[0] if row else None

    def set_password(self, user: str, hashed: str, *, once: int = 0) -> None:
        """A new password. once: until when it opens a session that may only change it; 0 for a password of one's own."""
        self._db.write("UPDATE accounts SET password = ?, once = ? WHERE user = ?", hashed, once, user)

    def ensure(self, card: AccountCard, hashed: str) -> bool:
        """An account that the federation starts the site with: made if it is missing; True if it was.

        One that is there stays as its admin left it, revoked or changed. An account of an earlier version gets its password.
        """
        with self._db.transaction():
            known = self.card(card.user)
            if known is None:
                self.put(replace(card, added=int(self.clock())), hashed)
            elif self.password(card.user) is None:
                self.set_password(card.user, hashed)
        return known is None

    # -- guesses. Subjects and users stand here as digests: who mistypes may have typed a password in the place of a name.
    def waiting(self, subject: str, rule: Waiting) -> float:
        """Seconds until another password may be tried for a subject; 0 if now."""
        failures, last = self._failures(subject, rule)
        return max(0.0, last + rule.seconds(failures) - self.clock())

    def failed(self, subject: str, user: str, rule: Waiting) -> float:
        """Count a wrong password for a user, or for what was typed as one; returns how long to wait now."""
        with self._db.transaction() as db:
            failures = self._failures(subject, rule)[0] + 1
            row = (_digest(subject), _digest(user), failures, self.clock())
            db.execute("INSERT OR REPLACE INTO guesses VALUES (?, ?, ?, ?)", row)
            oldest = "SELECT rowid FROM guesses ORDER BY last DESC LIMIT -1 OFFSET ?"
            db.execute(f"DELETE FROM guesses WHERE rowid IN ({oldest})", (_MOST_GUESSES,))
        return rule.seconds(failures)

    def forget(self, subject: str) -> None:
        """Let the wrong passwords for a subject be forgotten."""
        self._db.write("DELETE FROM guesses WHERE subject = ?", _digest(subject))

    def forget_all(self, user: str) -> None:
        """Let all wrong passwords for a user be forgotten, wherever they came from."""
        self._db.write("DELETE FROM guesses WHERE user = ?", _digest(user))

    def _failures(self, subject: str, rule: Waiting) -> tuple[int, float]:
        row = self._db.one("SELECT failures, last FROM guesses WHERE subject = ?", _digest(subject))
        if row is None or self.clock() - row[1] > rule.memory:
            return 0, 0.0
        return int(row[0]), min(float(row[1]), self.clock())  # a clock that was set back keeps nobody out for longer

    # -- where from
    def seen(self, user: str, place: str) -> None:
        """An account has logged in from an address."""
        self._db.write("INSERT OR REPLACE INTO seen_at VALUES (?, ?, ?)", user, _digest(place), self.clock())

    def knows(self, user: str, place: str, seconds: float) -> bool:
        """Whether the account has logged in from that address within so many seconds."""
        row = self._db.one("SELECT last FROM seen_at WHERE user = ? AND place = ?", user, _digest(place))
        return row is not None and self.clock() - row[0] <= seconds


def _digest(subject: str) -> str:
    return hashlib.sha256(subject.encode()).hexdigest()
