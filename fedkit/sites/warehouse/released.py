"""The release memory of a site: what was answered, to whom, under which permit, and what left then.

The same question again leaves again as it left, so that nobody takes an average over its noise. It costs nothing where the same
person asks under the same permit; to others it is an answer that they did not have.
"""

from __future__ import annotations

from dataclasses import dataclass

from fedkit.digests import canonical
from fedkit.sites.database import Database
from fedkit.sites.under_way import Key
from fedkit.sites.warehouse.questions import read
from fedkit.warehouse.question import Asked

#: name: of all questions that are the same in meaning.   data: the bytes that left.   json: the question, by which later ones
#: are judged.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS released (request TEXT, number INTEGER, question TEXT, dataset TEXT NOT NULL, user TEXT NOT NULL,
    project TEXT NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL, json TEXT NOT NULL, time REAL NOT NULL,
    PRIMARY KEY (request, number, question));
CREATE INDEX IF NOT EXISTS released_by_name ON released (dataset, name);
CREATE INDEX IF NOT EXISTS released_by_user ON released (dataset, user);
"""


@dataclass(frozen=True)
class Whose:
    """Who asks, of which data set, under which permit (its digest): the account of the privacy budget that pays."""

    dataset: str
    user: str
    project: str


class Released:
    """The table of `database`, which is the gate's. Safe for several threads."""

    def __init__(self, database: Database) -> None:
        self._db = database
        database.add_schema(_SCHEMA)

    def data(self, dataset: str, name: str) -> bytes | None:
        """What left in answer to the question of this name, the first time; None if it was not answered."""
        query = "SELECT data FROM released WHERE dataset = ? AND name = ? ORDER BY rowid LIMIT 1"
        row = self._db.one(query, dataset, name)
        return bytes(row[0]) if row else None

    def has(self, whose: Whose, name: str) -> bool:
        """Whether this person had the answer under this permit."""
        query = "SELECT 1 FROM released WHERE dataset = ? AND name = ? AND user = ? AND project = ?"
        return self._db.one(query, whose.dataset, name, whose.user, whose.project) is not None

    def had_before(self, key: Key) -> bool:
        """Whether the same person had the answer of this call before it, under the same permit."""
        query = (
            "SELECT 1 FROM released AS now JOIN released AS before ON before.rowid < now.rowid AND before.dataset = now.dataset"
            " AND before.name = now.name AND before.user = now.user AND before.project = now.project"
            " WHERE now.request = ? AND now.number = ? AND now.question = ?"
        )
        return self._db.one(query, key[0], key[2], key[3]) is not None

    def questions(self, dataset: str, user: str) -> list[Asked]:
        """Every question that this person had an answer to, under whatever permit, the oldest first."""
        rows = self._db.all("SELECT json FROM released WHERE dataset = ? AND user = ? ORDER BY rowid", dataset, user)
        return [read(text) for (text,) in rows]

    def add(self, key: Key, whose: Whose, name: str, question: Asked, data: bytes, now: float) -> bytes:
        """Keep an answer that leaves, under its call; returns what is kept: of two that came at once, the first.

        now: Unix seconds, UTC.
        """
        digest, _, number, asked = key
        text = canonical(question.to_json()).decode()
        with self._db.transaction():
            kept = self.data(whose.dataset, name) or data
            row = (digest, number, asked, whose.dataset, whose.user, whose.project, name, kept, text, now)
            self._db.write("INSERT OR IGNORE INTO released VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *row)
        return kept
