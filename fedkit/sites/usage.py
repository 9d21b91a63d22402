"""Who ran what when at a site, and what it took of the privacy budget: what rates, quotas and budgets are counted on.

A row is written in the transaction that charges the execution, under the name of the call. So a call that fails, and one that
is repeated, is there once; and two calls at one moment see each other.
"""

from __future__ import annotations

from fedkit.sites.database import Database
from fedkit.sites.under_way import Key

_SCHEMA = """
CREATE TABLE IF NOT EXISTS usage (digest TEXT, entry TEXT, round INTEGER, inputs TEXT, user TEXT NOT NULL,
    dataset TEXT NOT NULL, time REAL NOT NULL, rho REAL NOT NULL, PRIMARY KEY (digest, entry, round, inputs));
CREATE INDEX IF NOT EXISTS usage_by_user ON usage (dataset, user, time);
CREATE INDEX IF NOT EXISTS usage_that_cost ON usage (dataset, user, rho) WHERE rho > 0;
"""


class Usage:
    """The executions of one site, in the file of its gate."""

    def __init__(self, database: Database) -> None:
        self._db = database
        database.add_schema(_SCHEMA)

    def charge(self, key: Key, *, user: str, dataset: str, now: float, rho: float) -> None:
        """Put an execution on record; nothing changes for one that is there. To be called where it was admitted: within the
        same transaction of the gate's database. rho: what it takes of the privacy budget, 0 for nothing."""
        self._db.write("INSERT OR IGNORE INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *key, user, dataset, now, rho)

    def known(self, key: Key) -> bool:
        """Whether this very call was charged before."""
        query = "SELECT 1 FROM usage WHERE digest = ? AND entry = ? AND round = ? AND inputs = ?"
        return self._db.one(query, *key) is not None

    def recent(self, user: str, dataset: str, since: float) -> tuple[float, ...]:
        """When the user's executions on the data set began, after `since` (Unix seconds), oldest first."""
        query = "SELECT time FROM usage WHERE dataset = ? AND user = ? AND time > ? ORDER BY time"
        return tuple(time for (time,) in self._db.all(query, dataset, user, since))

    def costs(self, dataset: str) -> list[tuple[str, str, int, float]]:
        """(request, entry, round, rho) of every execution on the data set, in the order in which they were charged."""
        query = "SELECT digest, entry, round, rho FROM usage WHERE dataset = ? ORDER BY rowid"
        return [
            (str(digest), str(entry), int(number), float(rho)) for digest, entry, number, rho in self._db.all(query, dataset)
        ]

    def spent(self, dataset: str, user: str | None = None) -> float:
        """What the data set's privacy budget has lost (zCDP rho), to one user or to all."""
        query = "SELECT COALESCE(SUM(rho), 0.0) FROM usage WHERE dataset = ? AND rho > 0 AND (? IS NULL OR user = ?)"
        return float(self._db.one(query, dataset, user, user)[0])
