"""A site and everybody who could call it: each level, and those who were something once, or never were."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from fedkit.config import FederationConfig, SiteEntry, write_config
from fedkit.digests import digest_folder
from fedkit.errors import FedkitError
from fedkit.governance.levels import LEVELS
from fedkit.sites.launch import Federation, Isolation, launch
from fedkit.sites.session import SiteSession

#: Callers that are of no level: an account that was revoked, one that has expired, one whose one-time password nobody changed,
#: and a key that somebody made.
NOBODY = ("revoked", "expired", "once", "unknown")
CALLERS = (*LEVELS, *NOBODY)

SITE = "north"


@contextmanager
def one_site(folder: Path, corpus: Path, isolation: Isolation, **access: float) -> Iterator[Federation]:
    """A federation of one site. access: of federation.toml; by default nobody calls too often."""
    access = {"calls_per_minute": 1e8, "strangers_per_minute": 1e8, **access}
    config = FederationConfig(
        "callers", "notes", digest_folder(corpus, "*/*.jsonl"), (SiteEntry(SITE, "North", "nb"),), access=access
    )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_config(folder, config)
    with launch("callers", folder, corpus=corpus, isolation=isolation) as federation:
        yield federation


def expire(federation: Federation, user: str, at: int = 1) -> None:
    """Let an account have expired, by the site's own file: a test does not wait for it."""
    with sqlite3.connect(federation.folder / "sites" / SITE / "gate.db", timeout=30) as database:
        database.execute("UPDATE accounts SET expires = ? WHERE user = ?", (at, user))


class Callers:
    """A session key for each of `CALLERS`, at a running site."""

    def __init__(self, federation: Federation) -> None:
        self.federation = federation
        self.sessions: dict[str, SiteSession] = {}
        for level in ("researcher", "steward", "auditor", "admin"):
            self.sessions[level] = self._login(level)
        for user, level in (("guest", "guest"), ("analyst", "analyst"), ("revoked", "researcher"), ("expired", "researcher")):
            federation.add_user(SITE, user, level, name=f"A {user}")
            self.sessions[user] = self._login(user)
        admin = self.sessions["admin"]
        once = admin.add_account("once", "researcher", name="Once", address="0x" + "12" * 20)
        self.sessions["once"] = SiteSession(federation.running(SITE).transport(), "once", once)
        admin.revoke_account("revoked")
        expire(federation, "expired")
        self.keys: dict[str, SigningKey] = {name: session._key for name, session in self.sessions.items()}
        self.keys["unknown"] = SigningKey.generate()

    @property
    def url(self) -> str:
        return str(self.federation.sites[SITE].url)

    def send(self, caller: str, envelope: dict[str, Any], data: bytes = b"") -> dict[str, Any]:
        return self.sessions["admin"]._transport.send(envelope, data)[0]

    def rows(self, act: str, **fields: Any) -> list[dict[str, Any]]:
        found = [row for row in self.sessions["auditor"].journal() if row["act"] == act]
        return [row for row in found if all(row["fields"].get(k) == v for k, v in fields.items())]

    def _login(self, user: str) -> SiteSession:
        session = self.federation.login(SITE, user)
        assert isinstance(session, SiteSession)
        return session


def refused(error: FedkitError | dict[str, Any]) -> str:
    """The message of a refusal."""
    return error.message if isinstance(error, FedkitError) else str(error["error"]["message"])


def soon(seconds: float = 3600) -> int:
    return int(time.time() + seconds)
