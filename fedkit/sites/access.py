"""Who may come in at a site: logging in, sessions, passwords, and how often somebody may call.

A login is an envelope (`fedkit.sites.envelope`) signed by a fresh key, which from then on stands for the account. Every call
asks `caller` anew, so an account that was revoked, has expired or has another level now is that from the next call on, whether
the call comes to the gate or to PySyft. Every refusal is in the journal.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from fedkit.errors import AccessRefused, ConfigurationError, FedkitError, LimitReached
from fedkit.governance.accounts import AccountCard, check_counts
from fedkit.governance.passwords import ACCOUNT, ADDRESS, PAIR, Waiting, check_password
from fedkit.sites import passwords
from fedkit.sites.account_store import AccountStore
from fedkit.sites.journal import Journal
from fedkit.sites.sessions import Sessions
from fedkit.sites.throttle import Throttle

#: Seconds for which a one-time password opens a session, and for which an address is remembered that somebody logged in from.
ONCE, KNOWN_PLACE = 7 * 86_400, 30 * 86_400
#: Refusals of one actor in a minute that get a row of their own in the journal.
ROWS = 1000


@dataclass(frozen=True)
class AccessLimits:
    """`[access]` of federation.toml.

    calls_per_minute: of one account, which may come all at once.   strangers_per_minute: refused calls from one address that
    are of no account; those beyond are refused unread.
    session_idle, session_longest: hours after which a session ends, without a call and in any case.
    """

    calls_per_minute: float = 6000.0
    strangers_per_minute: float = 6000.0
    session_idle: float = 12.0
    session_longest: float = 168.0

    @staticmethod
    def of(row: Mapping[str, Any]) -> AccessLimits:
        """From the names and numbers of a configuration. Raises ConfigurationError."""
        bad = [
            name
            for name, value in row.items()
            if name not in AccessLimits.__dataclass_fields__
            or isinstance(value, bool)
            or not isinstance(value, int | float)
            or not 0 < value < 1e9
        ]
        if bad:
            raise ConfigurationError(
                "[access]: not a limit, or no number above zero",
                expected=f"some of {sorted(AccessLimits.__dataclass_fields__)}",
                got=f"{bad}",
            )
        return AccessLimits(**{name: float(value) for name, value in row.items()})


class Access:
    """The door of one site. site: its name, which is the actor of refusals that are of no account."""

    def __init__(
        self,
        site: str,
        accounts: AccountStore,
        journal: Journal,
        limits: AccessLimits | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        limits = limits or AccessLimits()
        self.site, self.accounts, self.journal, self.limits = site, accounts, journal, limits
        self.sessions = Sessions(limits.session_idle * 3600, limits.session_longest * 3600, clock=clock)
        self._clock = clock
        self._calls, self._strangers = Throttle(limits.calls_per_minute), Throttle(limits.strangers_per_minute)
        self._rows: dict[str, tuple[float, int]] = {}
        self._guard = threading.Lock()

    # -- every call
    def caller(self, key: str, method: str | None = None) -> AccountCard:
        """The account whose session this verify key (64 hex) is. method: for the journal.

        Raises AccessRefused if there is none, or if the account counts no more; LimitReached if it calls too often.
        """
        user = self.sessions.user(key)
        card = self.accounts.card(user) if user is not None else None
        if card is None:
            self.refuse(method, "unknown-user")
            raise AccessRefused("this key has no session here", expected="a session of an account", help="log in again")
        now = self._clock()
        try:
            check_counts(card, now)
        except AccessRefused as error:
            self.sessions.end(card.user)
            self.refuse(method, error.code, card.user)
            raise
        wait = self._calls.wait(card.user)
        if wait:
            self.refuse(method, LimitReached.code, card.user)
            raise _later(
                "this account calls more often than the site takes",
                wait,
                now,
                f"at most {self.limits.calls_per_minute:g} calls a minute",
            )
        return card

    def stranger(self, key: object, address: str) -> None:
        """Count a call from an address unless its key has a session. Raises LimitReached once there are too many."""
        if isinstance(key, str) and self.sessions.user(key, calls=False) is not None:
            return
        wait = self._strangers.wait(address)
        if wait:
            self.refuse(None, LimitReached.code)
            raise _later("too many calls from this address are of no account", wait, self._clock(), "calls of a session")

    def refuse(self, method: str | None, word: str, user: str = "") -> None:
        """Write a refusal down: a row each, up to `ROWS` a minute and actor; those beyond are counted in one row, so that
        nobody fills the disk by being refused."""
        actor, now = user or self.site, self._clock()
        with self._guard:
            since, many = self._rows.get(actor, (now, 0))
            over = 0
            if not 0 <= now - since < 60:
                over, since, many = max(0, many - ROWS), now, 0
            self._rows[actor] = (since, many + 1)
        if over:
            self.journal.append("access.refused", actor, reason=LimitReached.code, count=over)
        if many < ROWS:
            self.journal.append("access.refused", actor, method=method, reason=word)

    def close(self) -> None:
        """Write down what was only counted so far."""
        with self._guard:
            over = {actor: many - ROWS for actor, (_, many) in self._rows.items() if many > ROWS}
            self._rows = {}
        for actor, many in over.items():
            self.journal.append("access.refused", actor, reason=LimitReached.code, count=many)

    # -- logging in
    def login(self, user: str, password: str, key: str, address: str = "here") -> AccountCard:
        """Open a session for a key. address: where the login comes from, as far as the site can see.

        Raises AccessRefused, in the same words and after the same work whether the password is wrong or there is no such
        account; and for who has to wait after too many wrong ones, without looking at the password.
        """
        self._wait(user, address)
        card, kept = self.accounts.card(user), self.accounts.password(user)
        if not passwords.fits(password, kept) or card is None:
            raise self._wrong(user, card, address)
        now = self._clock()
        if card.once and now >= card.once:
            self.refuse(None, "expired", user)
            raise AccessRefused(
                "the one-time password has expired", expected="a newer one", help="ask the site's admin for one"
            )
        try:
            check_counts(card, now)
        except FedkitError as error:
            self.refuse(None, error.code, user)
            raise
        try:
            self.sessions.open(key, user)
        except AccessRefused as error:
            self.refuse(None, error.code, user)
            raise
        if self.accounts.password(user) != kept:  # changed while it was compared, which ends the sessions that were open then
            self.sessions.close(key)
            raise self._wrong(user, card, address)
        self.accounts.forget(_pair(user, address))
        self.accounts.seen(user, address)
        return card

    # -- passwords
    def change_password(self, user: str, old: str, new: str, key: str) -> None:
        """A password of one's own choice. Other sessions of the account end; that of `key` goes on.

        Raises AccessRefused for a wrong old one, which counts as a wrong password of a login; RequestError for a poor new one.
        """
        self._wait(user, "session")
        card = self.accounts.card(user)
        if card is None or not passwords.fits(old, self.accounts.password(user)):
            raise self._wrong(user, card, "session")
        check_password(new, (user, card.name, self.site, old))
        self.accounts.set_password(user, passwords.hashed(new))
        self.sessions.end(user, but=key)
        self.accounts.forget(_pair(user, "session"))
        self.journal.append("password.changed", user)

    def one_time_password(self, user: str) -> str:
        """A new password that opens a session once it is told to its owner, to be changed there. All sessions end, and wrong
        passwords are forgotten."""
        made = passwords.make()
        self.accounts.set_password(user, passwords.hashed(made, passwords.MADE), once=int(self._clock()) + ONCE)
        self.sessions.end(user)
        self.unlock(user)
        return made

    def unlock(self, user: str) -> None:
        """Forget the wrong passwords for an account, wherever they came from."""
        self.accounts.forget_all(user)

    # -- waiting
    def _wait(self, user: str, address: str) -> None:
        """Raises AccessRefused for who has to wait; what they sent is not looked at, and counts for nothing."""
        wait = max(self.accounts.waiting(subject, rule) for subject, rule in self._subjects(user, address))
        if wait:
            self.refuse(None, "locked")
            now = self._clock()
            later = _later("too many wrong passwords", wait, now, "a password, after a while")
            raise AccessRefused(later.message, expected=later.expected, got=later.got, help=later.help)

    def _wrong(self, user: str, card: AccountCard | None, address: str) -> AccessRefused:
        wait = max([self.accounts.failed(subject, user, rule) for subject, rule in self._subjects(user, address)])
        self.refuse(None, "unknown-user")
        if wait:
            self.journal.append("account.locked", self.site, user=card.user if card else None, seconds=int(wait))
        return AccessRefused(
            "user or password is wrong", expected="an account of this site", help="try again, or ask the site's admin for help"
        )

    def _subjects(self, user: str, address: str) -> list[tuple[str, Waiting]]:
        """What wrong passwords are counted for. Who has logged in from an address before waits there for their own errors only,
        so that nobody is kept out by strangers who guess from elsewhere."""
        own: list[tuple[str, Waiting]] = [(_pair(user, address), PAIR)]
        if address == "session" or self.accounts.knows(user, address, KNOWN_PLACE):
            return own
        return [*own, (f"account {user}", ACCOUNT), (f"address {address}", ADDRESS)]


def changed(card: AccountCard, **news: Any) -> AccountCard:
    """The card with what is not None of the news."""
    return replace(card, **{name: value for name, value in news.items() if value is not None})


def _pair(user: str, address: str) -> str:
    return f"pair {user} {address}"


def _later(what: str, wait: float, now: float, expected: str) -> LimitReached:
    at = datetime.fromtimestamp(now + wait, UTC).strftime("%H:%M:%S")
    seconds = max(1, round(wait))
    return LimitReached(what, expected=expected, got="too many", help=f"come back in {seconds} s (at {at} UTC)")
