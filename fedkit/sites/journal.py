"""The journal of one site (or one study): every act as one row, appended and never changed, in an SQLite file.

What a row may hold stands in `fedkit.ledger.rows`: digests, names, counts and fixed words, no free text. Rows are hash-chained
and closed in batches; the Merkle root of a batch goes to the ledger, after which an edited, deleted or inserted row shows.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fedkit.digests import canonical, salted
from fedkit.errors import ConfigurationError, FedkitError, StorageError
from fedkit.ledger import merkle
from fedkit.ledger.rows import GENESIS, check_row, row_hash, verify_rows
from fedkit.sites.database import Database

__all__ = ["Journal", "verify_rows"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS rows (seq INTEGER PRIMARY KEY, time TEXT NOT NULL, actor TEXT NOT NULL, act TEXT NOT NULL,
    fields TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS batches (first INTEGER PRIMARY KEY, last INTEGER NOT NULL UNIQUE, root TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS rows_stay BEFORE UPDATE ON rows BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER IF NOT EXISTS rows_last BEFORE DELETE ON rows BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER IF NOT EXISTS batches_stay BEFORE UPDATE ON batches BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER IF NOT EXISTS batches_last BEFORE DELETE ON batches BEGIN SELECT RAISE(ABORT, 'append-only'); END;
"""
_NAMES = ("seq", "time", "actor", "act", "fields", "previous", "hash")
_SELECT = f"SELECT {', '.join(_NAMES)} FROM rows"


#: The acts that were written within `written`; None outside of it.
_acts: ContextVar[list[str] | None] = ContextVar("_acts", default=None)


@contextmanager
def written() -> Iterator[list[str]]:
    """The acts that are written here, by this thread and in any journal: to see that a refusal has its row."""
    acts: list[str] = []
    token = _acts.set(acts)
    try:
        yield acts
    finally:
        _acts.reset(token)


class Journal:
    """An append-only journal in `path` (mode 0600), its salt in a file beside it (mode 0600).

    Safe for several threads and processes: a row is read and written in one transaction, and is on disk (WAL,
    `synchronous=FULL`) when `append` returns. Raises StorageError if the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.salt = _salt(path.with_suffix(".salt"))
        except OSError as error:
            raise _unusable(path, error) from None
        self._db = Database(path, _SCHEMA, unusable=lambda error: _unusable(path, error))

    def append(self, act: str, actor: str, **fields: Any) -> dict[str, Any]:
        """Write one row; returns it. A field that is None is left out.

        act, fields: of `fedkit.ledger.rows.ACTS`.   actor: name of the account, or of the site for its own acts.
        Raises ConfigurationError for anything the vocabulary does not have, StorageError if it cannot be written.
        """
        fields = {k: v for k, v in fields.items() if v is not None}
        check_row(act, actor, fields)
        with self._db.transaction() as db:
            last = db.execute("SELECT seq, time, hash FROM rows ORDER BY seq DESC LIMIT 1").fetchone()
            seq, time, previous = last or (0, "", GENESIS)
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            row: dict[str, Any] = {"seq": seq + 1, "time": max(now, time), "actor": actor, "act": act, "fields": fields}
            row["previous"] = previous
            row["hash"] = row_hash(row)
            columns = {**row, "fields": canonical(fields).decode()}
            db.execute("INSERT INTO rows VALUES (:seq, :time, :actor, :act, :fields, :previous, :hash)", columns)
        if (acts := _acts.get()) is not None:
            acts.append(act)
        return row

    def rows(self, start: int = 1, end: int | None = None) -> list[dict[str, Any]]:
        """Rows from sequence number `start` to `end` (included; all if None), oldest first."""
        found = self._db.all(f"{_SELECT} WHERE seq >= ? AND seq <= ? ORDER BY seq", start, 2**62 if end is None else end)
        return [_row(row) for row in found]

    def last(self, act: str) -> dict[str, Any] | None:
        """The newest row of an act, or None."""
        found = self._db.one(f"{_SELECT} WHERE act = ? ORDER BY seq DESC LIMIT 1", act)
        return _row(found) if found else None

    def latest(self) -> float:
        """When the newest row was written (Unix seconds, UTC), 0.0 if there is none. It never goes back."""
        found = self._db.one("SELECT time FROM rows ORDER BY seq DESC LIMIT 1")
        return datetime.fromisoformat(found[0]).timestamp() if found else 0.0

    def has(self, act: str, **fields: Any) -> bool:
        """Whether a row of an act with exactly these fields stands here: what a resumed study asks before it writes one."""
        query = "SELECT 1 FROM rows WHERE act = ? AND fields = ? LIMIT 1"
        return self._db.one(query, act, canonical(fields).decode()) is not None

    def salted(self, value: Any) -> str:
        """HMAC of guessable content (a reason, a small number) under this journal's salt."""
        return salted(value, self.salt)

    def batches(self) -> list[tuple[int, int, str]]:
        """All closed batches: (first, last, root), oldest first. A ledger that lacks the newest gets them again from here."""
        return [tuple(b) for b in self._db.all("SELECT first, last, root FROM batches ORDER BY first")]

    def unanchored(self) -> int:
        """How many rows stand after the last closed batch."""
        query = "SELECT (SELECT COALESCE(MAX(seq), 0) FROM rows) - (SELECT COALESCE(MAX(last), 0) FROM batches)"
        return int(self._db.one(query)[0])

    def close_batch(self) -> tuple[int, int, str] | None:
        """Close a batch over all rows since the last: (first, last, Merkle root), or None if there are none."""
        with self._db.transaction() as db:
            first = int(db.execute("SELECT COALESCE(MAX(last), 0) + 1 FROM batches").fetchone()[0])
            leaves = self._leaves(first, 2**62)
            if not leaves:
                return None
            batch = (first, first + len(leaves) - 1, merkle.root(leaves))
            db.execute("INSERT INTO batches VALUES (?, ?, ?)", batch)
        return batch

    def proof(self, seq: int) -> dict[str, Any]:
        """That row `seq` is in its batch: {"seq", "first", "last", "root", "path"}, to be checked with `merkle.verify(
        leaf(row), seq - first, last - first + 1, path, root)`. Raises FedkitError while its batch is open."""
        for first, last, root in self.batches():
            if first <= seq <= last:
                path = merkle.proof(self._leaves(first, last), seq - first)
                return {"seq": seq, "first": first, "last": last, "root": root, "path": path}
        raise FedkitError(f"row {seq} is in no closed batch", expected="a row that was anchored", help="close the batch first")

    def close(self) -> None:
        self._db.close()

    def _leaves(self, first: int, last: int) -> list[bytes]:
        """What stands for rows `first` to `last` in a Merkle tree; see `fedkit.ledger.rows.leaf`."""
        query = "SELECT hash FROM rows WHERE seq >= ? AND seq <= ? ORDER BY seq"
        return [bytes.fromhex(hashed) for (hashed,) in self._db.all(query, first, last)]


def _row(values: tuple[Any, ...]) -> dict[str, Any]:
    return {**dict(zip(_NAMES, values, strict=True)), "fields": json.loads(values[4])}


def _salt(path: Path) -> bytes:
    """The 32 random bytes of a salt file, made on first use. Linked into place whole, so two starts agree on one salt."""
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        handle = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            os.write(handle, secrets.token_bytes(32))
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    salt = path.read_bytes()
    if len(salt) != 32:
        raise ConfigurationError(
            f"{path.name} is no salt", expected="32 bytes", got=f"{len(salt)} bytes", help="restore it from a backup"
        )
    return salt


def _unusable(path: Path, error: Exception) -> StorageError:
    return StorageError(
        f"the journal {path.name} cannot be used",
        expected="a writable SQLite file",
        got=type(error).__name__,
        help="check free space and rights of its folder; no act goes on without its row",
    )
