"""The questions that were planned under the data requests of a site, in the file of its gate.

A question is kept by its digest when it is planned, so that what is executed later is what the plan was about; a call names it
by that digest and can bring no other. What was never asked makes room for new plans.
"""

from __future__ import annotations

import json
import time
from functools import lru_cache

from fedkit.digests import canonical
from fedkit.errors import DigestMismatch, FedkitError, RequestError
from fedkit.sites.database import Database
from fedkit.sites.under_way import Key
from fedkit.warehouse.question import Asked, from_json

#: Questions that are planned and not asked, of one request; the oldest go first.
MOST_PLANNED = 1_000

#: The largest number of a question: beyond, the ledger has none.
LARGEST = 2**31 - 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS questions (request TEXT, question TEXT, json TEXT NOT NULL, user TEXT NOT NULL, time REAL NOT NULL,
    PRIMARY KEY (request, question));
"""


class Questions:
    """The table of `database`, which is the gate's: it holds the runs as well. Safe for several threads."""

    def __init__(self, database: Database) -> None:
        self._db = database
        database.add_schema(_SCHEMA)

    def keep(self, request: str, question: Asked, user: str) -> None:
        """Keep a question that was planned; one that is there stays as it is."""
        text = canonical(question.to_json()).decode()
        with self._db.transaction() as db:
            row = (request, question.digest, text, user, time.time())
            db.execute("INSERT OR IGNORE INTO questions VALUES (?, ?, ?, ?, ?)", row)
            db.execute(
                "DELETE FROM questions WHERE rowid IN (SELECT rowid FROM questions WHERE request = ? AND question NOT IN"
                " (SELECT inputs FROM runs WHERE digest = ?) ORDER BY rowid DESC LIMIT -1 OFFSET ?)",
                (request, request, MOST_PLANNED),
            )

    def find(self, request: str, digest: str) -> Asked | None:
        """The question of this digest that was planned under this request, or None."""
        row = self._db.one("SELECT json FROM questions WHERE request = ? AND question = ?", request, digest)
        return read(row[0]) if row else None

    def of(self, key: Key) -> Asked:
        """The question that a call is about. Raises DigestMismatch if none of that digest was planned under its request."""
        found = self.find(key[0], key[3])
        if found is None:
            raise not_planned()
        return found

    def check_number(self, key: Key) -> None:
        """Each question of a request has a number of its own, under which the ledger knows it. Raises RequestError."""
        digest, entry, number, question = key
        if not 1 <= number <= LARGEST:
            raise RequestError(
                "not the number of a question",
                expected=f"1 to {LARGEST:,}",
                got="another",
                help="number the questions of a request 1, 2, …",
            )
        query = "SELECT 1 FROM runs WHERE digest = ? AND entry = ? AND round = ? AND inputs <> ?"
        if self._db.one(query, digest, entry, number, question) is not None:
            raise RequestError(
                f"number {number} of this data request is another question",
                expected="a number that no other question has",
                got="one that is taken",
                help="ask with the next number; the same question with its own number is answered again at no cost",
            )

    def next_number(self, request: str) -> int:
        """The first number that no question of a request has."""
        return int(self._db.one("SELECT COALESCE(MAX(round), 0) + 1 FROM runs WHERE digest = ?", request)[0])

    def charged(self, dataset: str, user: str) -> list[Asked]:
        """Every question on a data set that this person was admitted with, the oldest first, whatever became of it."""
        query = (
            "SELECT questions.json FROM usage JOIN questions ON questions.request = usage.digest"
            " AND questions.question = usage.inputs WHERE usage.dataset = ? AND usage.user = ? ORDER BY usage.rowid"
        )
        return [read(text) for (text,) in self._db.all(query, dataset, user)]


@lru_cache(maxsize=4_096)  # what somebody asked before is read again with every question
def read(text: str) -> Asked:
    """The question in a row."""
    return from_json(json.loads(text))


def not_planned() -> FedkitError:
    return DigestMismatch(
        "no question with this digest was planned under this request",
        expected="the digest of a question that was planned here",
        got="another digest",
        help="plan the question first; the plan says what it costs and what would be refused",
    )
