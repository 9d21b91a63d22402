"""The key-value store under the embedded chain: one SQLite file, one owner, one SQL transaction for each block."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from pathlib import Path

from eth.db.backends.base import BaseDB

from fedkit.errors import AlreadyRunning, LedgerError, StorageError
from fedkit.ledger import RECURSION_LIMIT

sys.setrecursionlimit(RECURSION_LIMIT)


class SqliteStore(BaseDB):
    """Bytes by key. Writes wait in memory until `commit` puts all of them on disk, or `rollback` forgets them.

    WAL with `synchronous=FULL`: what was committed survives `kill -9` and a power cut. The file is locked as long as it is
    open, and the kernel lets go of the lock when the process ends, however it ends.
    Raises AlreadyRunning for the second opener, LedgerError for a file that is no chain, StorageError if the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: dict[bytes, bytes | None] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite would let everybody read it
            self._sql = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
            self._sql.execute("PRAGMA locking_mode=EXCLUSIVE")  # before WAL, so that no shared-memory file is made
            self._sql.execute("PRAGMA journal_mode=WAL")
            self._sql.execute("PRAGMA synchronous=FULL")
            self._sql.execute("BEGIN IMMEDIATE")  # takes the lock now, not at the first block
            self._sql.execute("CREATE TABLE IF NOT EXISTS kv (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
            self._sql.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            if hasattr(self, "_sql"):
                self._sql.close()
            raise _refused(path, error) from None

    def __getitem__(self, key: bytes) -> bytes:
        if key in self._waiting:
            value = self._waiting[key]
        else:
            try:
                row = self._sql.execute("SELECT value FROM kv WHERE key = ?", (key,)).fetchone()
            except sqlite3.Error as error:
                raise _refused(self.path, error) from None
            value = row[0] if row else None
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._waiting[key] = value

    def __delitem__(self, key: bytes) -> None:
        if not self._exists(key):
            raise KeyError(key)
        self._waiting[key] = None

    def _exists(self, key: bytes) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    def commit(self) -> None:
        """Put everything that waits on disk, all of it or nothing."""
        gone = [(key,) for key, value in self._waiting.items() if value is None]
        rows = [(key, value) for key, value in self._waiting.items() if value is not None]
        try:
            self._sql.execute("BEGIN IMMEDIATE")
            self._sql.executemany("DELETE FROM kv WHERE key = ?", gone)
            self._sql.executemany("INSERT OR REPLACE INTO kv VALUES (?, ?)", rows)
            self._sql.execute("COMMIT")
        except sqlite3.Error as error:
            if self._sql.in_transaction:
                self._sql.execute("ROLLBACK")
            raise _refused(self.path, error) from None
        finally:
            self._waiting.clear()

    def rollback(self) -> None:
        """Forget everything that waits."""
        self._waiting.clear()

    def close(self) -> None:
        """Let go of the file."""
        self._sql.close()


def _refused(path: Path, error: sqlite3.Error | OSError) -> LedgerError | StorageError | AlreadyRunning:
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF  # the primary one: the rest says in which call
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return AlreadyRunning(
            f"another process holds the chain {path.name}",
            expected="one owner",
            got="a second one",
            help="close the other federation or notebook on this folder, or let `fedkit chain serve` hold the chain for both, "
            "or start this one on another folder",
        )
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return LedgerError(
            f"{path.name} is no chain, or a damaged one",
            expected="an SQLite file made by fedkit",
            got=_kind(error),
            help="restore a backup",
        )
    if isinstance(error, sqlite3.ProgrammingError):
        return LedgerError("the chain was closed", expected="an open one", got="a closed one", help="open the ledger again")
    full = code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    return StorageError(
        f"the chain {path.name} cannot be written",
        expected="a writable folder with free space",
        got="no space left" if full else _kind(error),
        help="free some space and do the act again: every act that was acknowledged is still there",
    )


def _kind(error: sqlite3.Error | OSError) -> str:
    """SQLite's own name of an error, or the kind of another: no path, no value."""
    return str(getattr(error, "sqlite_errorname", None) or type(error).__name__)
