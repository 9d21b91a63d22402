"""What a site keeps of its secure sums: the secret of a request, the others' keys and shares, and what was masked and opened.

It lies in the gate's file, so that a site which is killed and comes back gives the same masks and never a second kind of share.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from fedkit.errors import Refused
from fedkit.sites.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sums (request TEXT PRIMARY KEY, secret BLOB NOT NULL, keys TEXT, sealed TEXT);
CREATE TABLE IF NOT EXISTS sum_rounds (request TEXT, round INTEGER, masked TEXT, opened TEXT, PRIMARY KEY (request, round));
"""


class SumStore:
    """The tables of `database` for secure sums. Safe for several threads."""

    def __init__(self, database: Database) -> None:
        self._db = database
        database.add_schema(_SCHEMA)

    def secret(self, request: str) -> bytes:
        """The site's secret for a request: 32 random bytes, made when they are first asked for."""
        with self._db.transaction() as db:
            db.execute("INSERT OR IGNORE INTO sums (request, secret) VALUES (?, ?)", (request, secrets.token_bytes(32)))
            (secret,) = db.execute("SELECT secret FROM sums WHERE request = ?", (request,)).fetchone()
        return bytes(secret)

    def keep(self, request: str, column: str, value: Mapping[str, Any]) -> None:
        """Keep the "keys" of all sites, or what they "sealed" for this one; the first counts.

        Raises Refused if others stand there: a site works with one set of keys for a request.
        """
        text = json.dumps(value, sort_keys=True)
        with self._db.transaction() as db:
            db.execute(f"UPDATE sums SET {_known(column)} = COALESCE({column}, ?) WHERE request = ?", (text, request))
            stored = db.execute(f"SELECT {column} FROM sums WHERE request = ?", (request,)).fetchone()
        if stored is None or stored[0] != text:
            raise Refused(
                "this site has other keys for the sum already",
                expected=f"the {column} that it was given first",
                got="others",
                help="submit the request anew: it gets new keys at every site",
            )

    def kept(self, request: str, column: str) -> dict[str, Any] | None:
        """What `keep` kept, or None."""
        row = self._db.one(f"SELECT {_known(column)} FROM sums WHERE request = ?", request)
        found: dict[str, Any] | None = json.loads(row[0]) if row and row[0] else None
        return found

    def rounds(self, request: str) -> KeptRounds:
        return KeptRounds(self._db, request)


class KeptRounds:
    """What was masked and opened in the rounds of a request: `fedkit.federation.secure_aggregation.masking.Kept`, on disk."""

    def __init__(self, database: Database, request: str) -> None:
        self._db, self._request = database, request

    def masked(self, round: int, digest: str) -> str:
        return self._first(round, "masked", digest)

    def revealed(self, round: int, survivors: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(json.loads(self._first(round, "opened", json.dumps(survivors))))

    def _first(self, round: int, column: str, value: str) -> str:
        with self._db.transaction() as db:
            key = (self._request, round)
            db.execute("INSERT OR IGNORE INTO sum_rounds (request, round) VALUES (?, ?)", key)
            db.execute(
                f"UPDATE sum_rounds SET {_known(column)} = COALESCE({column}, ?) WHERE request = ? AND round = ?", (value, *key)
            )
            (stored,) = db.execute(f"SELECT {column} FROM sum_rounds WHERE request = ? AND round = ?", key).fetchone()
        return str(stored)


def _known(column: str) -> str:
    if column not in ("keys", "sealed", "masked", "opened"):
        raise ValueError(column)
    return column
