"""The key-value store under the embedded chain: one SQLite file, one owner, one SQL transaction for each block."""

from __future__ import annotations

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
            row = self._sql.execute("SELECT value FROM kv WHERE key = ?", (key,)).fetchone()
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


def _refused(path: Path, error: Exception) -> LedgerError | StorageError | AlreadyRunning:
    text = str(error)
    if "locked" in text:
        return AlreadyRunning(
            f"another process holds the chain {path.name}",
            expected="one owner",
            got="a second one",
            help="close the other federation or notebook on this folder, or start this one on another folder",
        )
    if isinstance(error, sqlite3.DatabaseError) and ("not a database" in text or "malformed" in text):
        return LedgerError(
            f"{path.name} is no chain", expected="an SQLite file made by fedkit", got="another file", help="restore a backup"
        )
    return StorageError(
        "the chain cannot be written",
        expected="a writable folder with free space",
        got=type(error).__name__,
        help="free some space and start again; every act that was acknowledged is still there",
    )
