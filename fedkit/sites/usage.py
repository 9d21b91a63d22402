"""Who ran what when at a site, and what it took of the privacy budget: what rates, quotas and budgets are counted on.

A row is written in the transaction that charges the execution, under the name of the call. So a call that fails, and one that
is repeated, is there once; and two calls at one moment see each other.
"""

from __future__ import annotations

from fedkit.sites.database import Database
from fedkit.sites.under_way import Key

#: What rounds of a training with noise took, which files of earlier versions lack.
_EPSILON = "epsilon REAL NOT NULL DEFAULT 0"

#: Digest of the permit under which it ran, which is what a project is; "" of those before projects were counted.
_PROJECT = "project TEXT NOT NULL DEFAULT ''"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS usage (digest TEXT, entry TEXT, round INTEGER, inputs TEXT, user TEXT NOT NULL,
    dataset TEXT NOT NULL, time REAL NOT NULL, rho REAL NOT NULL, PRIMARY KEY (digest, entry, round, inputs));
CREATE INDEX IF NOT EXISTS usage_by_user ON usage (dataset, user, time);
CREATE INDEX IF NOT EXISTS usage_that_cost ON usage (dataset, user, rho) WHERE rho > 0;
"""

_WHOSE = "(? IS NULL OR user = ?) AND (? IS NULL OR project = ?)"


class Usage:
    """The executions of one site, in the file of its gate."""

    def __init__(self, database: Database) -> None:
        self._db = database
        database.add_schema(_SCHEMA, usage=_EPSILON)
        database.add_schema("", usage=_PROJECT)

    def charge(
        self, key: Key, *, user: str, dataset: str, now: float, rho: float, epsilon: float = 0.0, project: str = ""
    ) -> None:
        """Put an execution on record; nothing changes for one that is there. To be called where it was admitted: within the
        same transaction of the gate's database.

        rho, epsilon: what it takes of the privacy budget, 0 for nothing.   project: digest of the permit.
        """
        query = "INSERT OR IGNORE INTO usage (digest, entry, round, inputs, user, dataset, time, rho, epsilon, project)"
        self._db.write(f"{query} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *key, user, dataset, now, rho, epsilon, project)

    def known(self, key: Key) -> bool:
        """Whether this very call was charged before."""
        query = "SELECT 1 FROM usage WHERE digest = ? AND entry = ? AND round = ? AND inputs = ?"
        return self._db.one(query, *key) is not None

    def recent(self, user: str, dataset: str, since: float) -> tuple[float, ...]:
        """When the user's executions on the data set began, after `since` (Unix seconds), oldest first."""
        query = "SELECT time FROM usage WHERE dataset = ? AND user = ? AND time > ? ORDER BY time"
        return tuple(time for (time,) in self._db.all(query, dataset, user, since))

    def costs(self, dataset: str) -> list[tuple[str, str, int, float, float]]:
        """(request, entry, round, rho, epsilon) of every execution on the data set, in the order in which they were charged."""
        query = "SELECT digest, entry, round, rho, epsilon FROM usage WHERE dataset = ? ORDER BY rowid"
        return [(str(d), str(e), int(n), float(rho), float(eps)) for d, e, n, rho, eps in self._db.all(query, dataset)]

    def trained(self, digest: str, entry: str) -> tuple[int, float]:
        """(executions of the entry, what they took in epsilon), whatever weights they were given and however they ended."""
        query = "SELECT COUNT(*), COALESCE(SUM(epsilon), 0.0) FROM usage WHERE digest = ? AND entry = ?"
        count, epsilon = self._db.one(query, digest, entry)
        return int(count), float(epsilon)

    def spent_on_training(self, dataset: str, user: str | None = None, project: str | None = None) -> float:
        """What the data set's privacy budget has lost to trainings with noise (epsilon), of one user or of all; see `spent`."""
        query = f"SELECT COALESCE(SUM(epsilon), 0.0) FROM usage WHERE dataset = ? AND epsilon > 0 AND {_WHOSE}"
        return float(self._db.one(query, dataset, user, user, project, project)[0])

    def spent(self, dataset: str, user: str | None = None, project: str | None = None) -> float:
        """What the data set's privacy budget has lost (zCDP rho), to one user or to all; project: under this permit alone."""
        query = f"SELECT COALESCE(SUM(rho), 0.0) FROM usage WHERE dataset = ? AND rho > 0 AND {_WHOSE}"
        return float(self._db.one(query, dataset, user, user, project, project)[0])

    def cost(self, key: Key) -> float:
        """What this very call took (zCDP rho); 0.0 for one that was not charged."""
        found = self._db.one("SELECT rho FROM usage WHERE digest = ? AND entry = ? AND round = ? AND inputs = ?", *key)
        return float(found[0]) if found else 0.0

    def spent_by(self, digest: str) -> float:
        """What the executions of one request took (zCDP rho)."""
        return float(self._db.one("SELECT COALESCE(SUM(rho), 0.0) FROM usage WHERE digest = ?", digest)[0])
