"""What a site's gate remembers: requests, rehearsals, decisions, charges and receipts, in one SQLite file.

A charge is one statement, `UPDATE … SET n = n + 1 WHERE n < granted`, in one transaction with the row of the run it is for. So
no number of concurrent calls gets more than was granted, and a crash between the run and its reply neither loses the charge
nor charges twice: the same call finds its row again, with the receipt if it was finished.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from fedkit.digests import canonical
from fedkit.errors import LimitReached
from fedkit.governance.decision import NOTHING, Decision, Receipt
from fedkit.governance.request import CodeRequest
from fedkit.governance.review import MockResult
from fedkit.sites.database import Database

#: A run that failed (out of memory, a wrong output) may be called again on its own charge, this many times in all.
ATTEMPTS = 3

#: The weights that went in and came out stay in the channel for this many runs of an entry; a study takes each round's away.
KEPT_RUNS = 4

_SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (digest TEXT PRIMARY KEY, json TEXT NOT NULL, user TEXT NOT NULL, submitted REAL NOT NULL);
CREATE TABLE IF NOT EXISTS rehearsals (digest TEXT, entry TEXT, json TEXT NOT NULL, PRIMARY KEY (digest, entry));
CREATE TABLE IF NOT EXISTS decisions (number INTEGER PRIMARY KEY, digest TEXT NOT NULL, json TEXT NOT NULL,
    signature TEXT NOT NULL UNIQUE, time REAL NOT NULL);
CREATE TABLE IF NOT EXISTS charges (digest TEXT, entry TEXT, n INTEGER NOT NULL, granted INTEGER NOT NULL,
    PRIMARY KEY (digest, entry));
CREATE TABLE IF NOT EXISTS runs (digest TEXT, entry TEXT, round INTEGER, inputs TEXT, attempts INTEGER NOT NULL,
    receipt TEXT, PRIMARY KEY (digest, entry, round, inputs));
CREATE TABLE IF NOT EXISTS told (digest TEXT, entry TEXT, round INTEGER, inputs TEXT,
    PRIMARY KEY (digest, entry, round, inputs));
"""


class GateStore:
    """The gate's tables in `path` (mode 0600). Safe for several threads. Raises StorageError if the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self.database = Database(path, _SCHEMA)
        self._one, self._all, self._write = self.database.one, self.database.all, self.database.write
        self._transaction = self.database.transaction

    # -- requests
    def add_request(self, request: CodeRequest, user: str) -> None:
        text = canonical(request.to_json()).decode()
        self._write("INSERT OR IGNORE INTO requests VALUES (?, ?, ?, ?)", request.digest, text, user, time.time())

    def request(self, digest: str) -> tuple[CodeRequest, str, float] | None:
        """(request, user who submitted it, when in Unix seconds), or None."""
        row = self._one("SELECT json, user, submitted FROM requests WHERE digest = ?", digest)
        return (CodeRequest.from_json(json.loads(row[0])), row[1], row[2]) if row else None

    def request_digests(self) -> list[str]:
        """Newest first."""
        return [row[0] for row in self._all("SELECT digest FROM requests ORDER BY submitted DESC, rowid DESC")]

    # -- rehearsals
    def add_rehearsal(self, digest: str, result: MockResult) -> None:
        text = json.dumps({**asdict(result), "numbers": dict(result.numbers)})
        self._write("INSERT OR REPLACE INTO rehearsals VALUES (?, ?, ?)", digest, result.entry, text)

    def rehearsals(self, digest: str) -> list[MockResult]:
        rows = self._all("SELECT json FROM rehearsals WHERE digest = ? ORDER BY entry", digest)
        return [MockResult(**json.loads(row[0])) for row in rows]

    # -- decisions
    def add_decision(self, decision: Decision, granted: Mapping[str, int]) -> None:
        """Keep a decision, and what it grants for each entry; what is used up stays used up."""
        text = json.dumps(decision.to_json())
        with self._transaction() as db:
            db.execute(
                "INSERT INTO decisions (digest, json, signature, time) VALUES (?, ?, ?, ?)",
                (decision.request, text, decision.signature, time.time()),
            )
            for entry, number in granted.items():
                db.execute(
                    "INSERT INTO charges VALUES (?, ?, 0, ?)"
                    " ON CONFLICT (digest, entry) DO UPDATE SET granted = excluded.granted",
                    (decision.request, entry, number),
                )

    def decisions(self, digest: str) -> list[Decision]:
        """All decisions about a request, oldest first; the last counts."""
        rows = self._all("SELECT json FROM decisions WHERE digest = ? ORDER BY number", digest)
        return [Decision.from_json(json.loads(row[0])) for row in rows]

    def last_approved(self) -> list[str]:
        """Digests of requests that were ever approved, the latest approval first."""
        rows = self._all("SELECT digest, json FROM decisions ORDER BY number DESC")
        return list(dict.fromkeys(digest for digest, text in rows if json.loads(text)["approved"]))

    # -- charges and runs
    def used(self, digest: str) -> dict[str, tuple[int, int]]:
        """entry → (executions charged, executions granted)."""
        rows = self._all("SELECT entry, n, granted FROM charges WHERE digest = ? ORDER BY entry", digest)
        return {entry: (n, granted) for entry, n, granted in rows}

    def receipt(self, digest: str, entry: str, round: int, inputs: str) -> Receipt | None:
        """The receipt of a finished run of this very call."""
        query = "SELECT receipt FROM runs WHERE digest = ? AND entry = ? AND round = ? AND inputs = ?"
        row = self._one(query, digest, entry, round, inputs)
        return Receipt.from_json(json.loads(row[0])) if row and row[0] else None

    def attempts(self, digest: str, entry: str, round: int, inputs: str) -> int:
        """How often this call was started on its charge; 0 if it has none."""
        query = "SELECT attempts FROM runs WHERE digest = ? AND entry = ? AND round = ? AND inputs = ?"
        row = self._one(query, digest, entry, round, inputs)
        return int(row[0]) if row else 0

    def anything_left(self, digest: str) -> bool:
        """Whether any execution of the request is left, or any charged one is not finished."""
        if any(n < granted for n, granted in self.used(digest).values()):
            return True
        query = "SELECT 1 FROM runs WHERE digest = ? AND receipt IS NULL AND attempts < ?"
        return self._one(query, digest, ATTEMPTS) is not None

    def charge(self, digest: str, entry: str, round: int, inputs: str) -> None:
        """Charge one execution for this call, or go on with the charge it already has. Raises LimitReached."""
        call = (digest, entry, round, inputs)
        with self._transaction() as db:
            query = "SELECT attempts FROM runs WHERE digest = ? AND entry = ? AND round = ? AND inputs = ?"
            known = db.execute(query, call).fetchone()
            if known is None:
                paid = db.execute(
                    "UPDATE charges SET n = n + 1 WHERE digest = ? AND entry = ? AND n < granted", (digest, entry)
                ).rowcount
                if paid != 1:
                    raise used_up(self.used(digest).get(entry, (0, 0)))
                db.execute("INSERT INTO runs VALUES (?, ?, ?, ?, 1, NULL)", call)
            else:
                if known[0] >= ATTEMPTS:
                    raise used_up((ATTEMPTS, ATTEMPTS), what="attempts at this call")
                db.execute(
                    "UPDATE runs SET attempts = attempts + 1 WHERE digest = ? AND entry = ? AND round = ? AND inputs = ?", call
                )

    def finish(self, receipt: Receipt) -> None:
        """Keep the receipt of a charged run."""
        text = json.dumps(receipt.to_json())
        query = "UPDATE runs SET receipt = ? WHERE digest = ? AND entry = ? AND round = ? AND inputs = ?"
        self._write(query, text, receipt.request, receipt.entry, receipt.round, receipt.inputs)

    def told(self, receipt: Receipt) -> bool:
        """Whether the journal has the row of this receipt."""
        query = "SELECT 1 FROM told WHERE digest = ? AND entry = ? AND round = ? AND inputs = ?"
        return self._one(query, receipt.request, receipt.entry, receipt.round, receipt.inputs) is not None

    def set_told(self, receipt: Receipt) -> None:
        values = (receipt.request, receipt.entry, receipt.round, receipt.inputs)
        self._write("INSERT OR IGNORE INTO told VALUES (?, ?, ?, ?)", *values)

    def outdated(self, digest: str, entry: str) -> tuple[set[str], set[str]]:
        """(inputs, outputs) of finished runs of an entry that no run among its latest `KEPT_RUNS`, or an open one, has."""
        query = "SELECT inputs, receipt FROM runs WHERE digest = ? AND entry = ? ORDER BY rowid DESC"
        rows = self._all(query, digest, entry)
        kept = [n for n, (_, receipt) in enumerate(rows) if n < KEPT_RUNS or receipt is None]
        ins: tuple[set[str], set[str]] = (set(), set())
        outs: tuple[set[str], set[str]] = (set(), set())
        for number, (inputs, receipt) in enumerate(rows):
            old = number not in kept
            ins[old].add(inputs)
            if receipt is not None:
                outs[old].add(json.loads(receipt)["outputs"])
        still_used = ins[False] | outs[False] | {NOTHING}
        return ins[True] - still_used, outs[True] - still_used

    def close(self) -> None:
        self.database.close()


def used_up(state: tuple[int, int], what: str = "executions") -> LimitReached:
    n, granted = state
    return LimitReached(
        f"the {what} are used up",
        expected=f"at most {granted}",
        got=f"{n} used, one more asked for",
        help="ask the steward for more in a new request",
    )
