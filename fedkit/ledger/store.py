"""The key-value store under the embedded chain: one SQLite file, one owner, one SQL transaction for each block."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from eth.db.backends.base import BaseDB
from eth_utils import keccak

from fedkit.errors import AlreadyRunning, LedgerError, StorageError
from fedkit.ledger import RECURSION_LIMIT

sys.setrecursionlimit(RECURSION_LIMIT)


#: Rows that are kept in memory, so that the upper nodes of the tries are read and hashed once.
KEPT = 20_000


class SqliteStore(BaseDB):
    """Bytes by key. Writes wait in memory until `commit` puts all of them on disk, or `rollback` forgets them.

    Under a key of 32 bytes stands what has that hash (a trie node, a header, code): py-evm never looks, so it is checked here
    when it is read. WAL with `synchronous=FULL`: what was committed survives `kill -9` and a power cut. The file is locked as
    long as it is open, and the kernel lets go of the lock when the process ends, however it ends. (It also lets go when the
    process closes the file after opening it by other means, to read or copy it: so nothing here does that.)
    Raises AlreadyRunning for the second opener, LedgerError for a file that is no chain, StorageError if the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: dict[bytes, bytes | None] = {}
        self._kept: dict[bytes, bytes] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):  # SQLite would let everybody read a new file
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
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
        value = self._waiting[key] if key in self._waiting else self._kept.get(key) or self._read(key)
        if value is None:
            raise KeyError(key)
        return value

    def _read(self, key: bytes) -> bytes | None:
        try:
            row = self._sql.execute("SELECT value FROM kv WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            raise _refused(self.path, error) from None
        if row is None:
            return None
        value = bytes(row[0])
        if len(key) == 32 and keccak(value) != key:
            raise damaged(self.path, "another hash")
        self._keep({key: value})
        return value

    def _keep(self, rows: Mapping[bytes, bytes]) -> None:
        if len(self._kept) + len(rows) > KEPT:
            self._kept.clear()
        self._kept.update(rows)

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
            for (key,) in gone:
                self._kept.pop(key, None)
            self._keep(dict(rows))
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
        self._kept.clear()
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
        return damaged(path, _kind(error))
    if isinstance(error, sqlite3.ProgrammingError):
        return LedgerError("the chain was closed", expected="an open one", got="a closed one", help="open the ledger again")
    full = code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    return StorageError(
        f"the chain {path.name} cannot be written",
        expected="a writable folder with free space",
        got="no space left" if full else _kind(error),
        help="free some space and do the act again: every act that was acknowledged is still there",
    )


def damaged(path: Path, got: str) -> LedgerError:
    """What to raise where the file does not hold what fedkit wrote."""
    return LedgerError(
        f"{path.name} is no chain, or a damaged one",
        expected="an SQLite file as fedkit wrote it",
        got=got,
        help="restore a backup, and look for what damaged it: a failing disk, or a hand",
    )


def _kind(error: sqlite3.Error | OSError) -> str:
    """SQLite's own name of an error, or the kind of another: no path, no value."""
    return str(getattr(error, "sqlite_errorname", None) or type(error).__name__)
