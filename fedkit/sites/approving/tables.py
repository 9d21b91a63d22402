"""What a site remembers of standing approvals, first approvals, delegations and turns: tables in the file of the gate.

They share the gate's file because a use of a standing approval and the decision made under it are one transaction: whatever
crashes between, a use has its decision and a decision its use, and no number of concurrent requests gets more than was allowed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fedkit.errors import NotApproved
from fedkit.governance.covering import Usage
from fedkit.governance.decision import Decision
from fedkit.governance.delegation import Delegation
from fedkit.governance.request import CodeRequest, DataPermit
from fedkit.governance.standing import StandingApproval
from fedkit.sites.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS standings (digest TEXT PRIMARY KEY, code TEXT NOT NULL, json TEXT NOT NULL, user TEXT NOT NULL,
    withdrawn REAL, reason TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS standing_uses (request TEXT PRIMARY KEY, standing TEXT NOT NULL, researcher TEXT NOT NULL,
    day TEXT NOT NULL, told INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS standing_used ON standing_uses (standing);
CREATE TABLE IF NOT EXISTS counted (number INTEGER PRIMARY KEY, digest TEXT NOT NULL, json TEXT NOT NULL,
    signature TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS delegations (number INTEGER PRIMARY KEY, json TEXT NOT NULL, signature TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS turns (digest TEXT PRIMARY KEY, since REAL NOT NULL, assigned TEXT NOT NULL DEFAULT '',
    closed TEXT NOT NULL DEFAULT '', reminded INTEGER NOT NULL DEFAULT 0);
"""


@dataclass(frozen=True)
class Offered:
    """A standing approval as it lies at the site. withdrawn: Unix seconds, or None."""

    approval: StandingApproval
    withdrawn: float | None
    reason: str


@dataclass(frozen=True)
class Turn:
    """since: Unix seconds from which a request waits.   assigned: account, or "".   closed: "", "lapsed" or "withdrawn"."""

    since: float
    assigned: str = ""
    closed: str = ""
    reminded: int = 0


class ApprovalTables:
    """The tables, in a database that is open. Safe for several threads."""

    def __init__(self, database: Database) -> None:
        database.add_schema(_SCHEMA)
        self._one, self._all, self._write = database.one, database.all, database.write
        self._transaction = database.transaction

    # -- standing approvals
    def add_standing(self, approval: StandingApproval, user: str) -> bool:
        """True if it is new here."""
        text = json.dumps(approval.to_json())
        query = "INSERT OR IGNORE INTO standings (digest, code, json, user) VALUES (?, ?, ?, ?)"
        return self._write(query, approval.digest, approval.code, text, user) == 1

    def standings(self, code: str | None = None) -> list[Offered]:
        """All of them, or those about one code; newest first."""
        query = "SELECT json, withdrawn, reason FROM standings WHERE ? IS NULL OR code = ? ORDER BY rowid DESC"
        return [_offered(row) for row in self._all(query, code, code)]

    def standing(self, digest: str) -> Offered | None:
        row = self._one("SELECT json, withdrawn, reason FROM standings WHERE digest = ?", digest)
        return _offered(row) if row else None

    def withdraw_standing(self, digest: str, reason: str) -> bool:
        """True if it was not withdrawn before."""
        query = "UPDATE standings SET withdrawn = ?, reason = ? WHERE digest = ? AND withdrawn IS NULL"
        return self._write(query, time.time(), reason, digest) == 1

    def usage(self, standing: str, researcher: str, now: float) -> Usage:
        """What was counted for a standing approval; with the permits that the site knows for the researcher (an address)."""
        query = (
            "SELECT COUNT(*), COALESCE(SUM(day = ?), 0), COALESCE(SUM(researcher = ?), 0) FROM standing_uses WHERE standing = ?"
        )
        requests, today, own = self._one(query, day_of(now), researcher, standing)
        revoked = (
            "SELECT 1 FROM standing_uses u JOIN decisions d ON d.digest = u.request"
            " WHERE u.standing = ? AND u.researcher = ? AND NOT json_extract(d.json, '$.approved')"
        )
        taken_back = self._one(revoked, standing, researcher) is not None
        return Usage(requests, today, own, taken_back, self._permits(researcher))

    def _permits(self, researcher: str) -> frozenset[tuple[str, str]]:
        """(permit, researcher) of requests whose last decision is an approval that a person signed."""
        query = (
            "SELECT json_extract(r.json, '$.permit') FROM requests r JOIN decisions d ON d.digest = r.digest"
            " WHERE json_extract(r.json, '$.researcher') = ? AND json_extract(d.json, '$.approved')"
            " AND d.number = (SELECT MAX(number) FROM decisions WHERE digest = r.digest)"
            " AND r.digest NOT IN (SELECT request FROM standing_uses)"
        )
        rows = self._all(query, researcher)
        return frozenset((DataPermit.from_json(json.loads(row[0])).digest, researcher) for row in rows)

    def use(self, standing: str, request: CodeRequest, now: float, check: Callable[[Usage], None]) -> None:
        """Count a request under a standing approval, if `check` lets it pass. Raises NotApproved if one was counted before.

        In one transaction with what the caller does around it: the count that `check` sees is the one that holds.
        """
        with self._transaction() as db:
            if db.execute("SELECT 1 FROM standing_uses WHERE request = ?", (request.digest,)).fetchone():
                raise NotApproved("the request was decided under a standing approval already")
            check(self.usage(standing, request.researcher, now))
            row = (request.digest, standing, request.researcher, day_of(now))
            db.execute("INSERT INTO standing_uses (request, standing, researcher, day) VALUES (?, ?, ?, ?)", row)

    def used_by(self, request: str) -> tuple[str, bool] | None:
        """(standing approval, whether the journal has the decision) of a request that was decided automatically."""
        row = self._one("SELECT standing, told FROM standing_uses WHERE request = ?", request)
        return (row[0], bool(row[1])) if row else None

    def set_told(self, request: str) -> None:
        self._write("UPDATE standing_uses SET told = 1 WHERE request = ?", request)

    def untold(self) -> list[str]:
        """Requests whose automatic decision a crash kept from PySyft or the journal."""
        return [row[0] for row in self._all("SELECT request FROM standing_uses WHERE told = 0 ORDER BY rowid")]

    # -- approvals that are not the last one needed
    def add_counted(self, decision: Decision) -> None:
        text = json.dumps(decision.to_json())
        query = "INSERT OR IGNORE INTO counted (digest, json, signature) VALUES (?, ?, ?)"
        self._write(query, decision.request, text, decision.signature)

    def counted(self, digest: str) -> list[Decision]:
        """Oldest first."""
        rows = self._all("SELECT json FROM counted WHERE digest = ? ORDER BY number", digest)
        return [Decision.from_json(json.loads(row[0])) for row in rows]

    def clear_counted(self, digest: str) -> None:
        """A request that waits anew begins without approvals."""
        self._write("DELETE FROM counted WHERE digest = ?", digest)

    # -- delegations
    def add_delegation(self, delegation: Delegation) -> bool:
        """True if it is new here."""
        text = json.dumps(delegation.to_json())
        return self._write("INSERT OR IGNORE INTO delegations (json, signature) VALUES (?, ?)", text, delegation.signature) == 1

    def delegations(self) -> list[Delegation]:
        """All that were ever granted, newest first."""
        rows = self._all("SELECT json FROM delegations ORDER BY number DESC")
        return [Delegation.from_json(json.loads(row[0])) for row in rows]

    # -- turns
    def turn(self, digest: str, submitted: float) -> Turn:
        """Of a request that was submitted before there were turns, what follows from its time."""
        row = self._one("SELECT since, assigned, closed, reminded FROM turns WHERE digest = ?", digest)
        return Turn(*row) if row else Turn(submitted)

    def set_turn(self, digest: str, turn: Turn) -> None:
        row = (digest, turn.since, turn.assigned, turn.closed, turn.reminded)
        self._write("INSERT OR REPLACE INTO turns (digest, since, assigned, closed, reminded) VALUES (?, ?, ?, ?, ?)", *row)

    def last_assigned(self, among: Sequence[str]) -> str:
        """Who of these got the latest request; "" if none did."""
        marks = ",".join("?" * len(among))
        row: Any = self._one(f"SELECT assigned FROM turns WHERE assigned IN ({marks}) ORDER BY since DESC, rowid DESC", *among)
        return str(row[0]) if row else ""


def day_of(now: float) -> str:
    """The day (UTC) of a time in Unix seconds, as ISO 8601."""
    return time.strftime("%Y-%m-%d", time.gmtime(now))


def _offered(row: Any) -> Offered:
    return Offered(StandingApproval.from_json(json.loads(row[0])), row[1], row[2])
