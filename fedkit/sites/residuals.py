"""What a site's compressed updates left out so far: kept for the next round, at the site, until the request is used up.

It is as private as the notes that it came of, and lies where they do, in the gate's file (mode 0600). A round that is run again
begins with what was kept before it, so that it gives the same update.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fedkit.federation.parameters import decode, encode
from fedkit.sites.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS residuals (request TEXT, entry TEXT, round INTEGER, kept BLOB NOT NULL,
    PRIMARY KEY (request, entry, round)) WITHOUT ROWID;
"""


class Residuals:
    """A table of `database`. Safe for several threads."""

    def __init__(self, database: Database) -> None:
        self._db = database
        database.add_schema(_SCHEMA)

    def before(self, request: str, entry: str, round: int) -> dict[str, np.ndarray] | None:
        """What was kept by the last round before this one; None if there is nothing."""
        query = "SELECT kept FROM residuals WHERE request = ? AND entry = ? AND round < ? ORDER BY round DESC LIMIT 1"
        row = self._db.one(query, request, entry, round)
        return decode(bytes(row[0])) if row else None

    def keep(self, request: str, entry: str, round: int, kept: Mapping[str, np.ndarray]) -> None:
        """Keep what a round left out; the two rounds before are kept as well, for a round that is run again."""
        with self._db.transaction() as db:
            row = (request, entry, round, encode(kept))
            db.execute("INSERT OR REPLACE INTO residuals VALUES (?, ?, ?, ?)", row)
            db.execute("DELETE FROM residuals WHERE request = ? AND entry = ? AND round < ?", (request, entry, round - 2))

    def forget(self, request: str) -> None:
        """Drop what is kept of a request that has no executions left."""
        self._db.write("DELETE FROM residuals WHERE request = ?", request)
