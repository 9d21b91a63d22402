"""One SQLite file of a site, mode 0600: durable, safe for several threads, and with one way to fail.

Every store of a site keeps its own tables in such a file; stores that must change together share one.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fedkit.errors import StorageError


class Database:
    """The file at `path`, made if it is missing.

    schema:   statements that may run at every start (`CREATE … IF NOT EXISTS`).
    unusable: makes the StorageError that everything raises which SQLite or the disk refuses; default: one that names the file.
    durable:  whether a transaction is on the disk when it returns (`synchronous=FULL`).
    Safe for several threads and processes; a transaction within another of the same thread belongs to it.
    """

    def __init__(
        self,
        path: Path,
        schema: str = "",
        *,
        unusable: Callable[[Exception], StorageError] | None = None,
        durable: bool = True,
    ) -> None:
        self.name = path.name
        self.unusable = unusable or self._unusable
        self._lock = threading.RLock()
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
            self._db.execute("PRAGMA journal_mode=WAL")
            if durable:
                self._db.execute("PRAGMA synchronous=FULL")
        except (OSError, sqlite3.Error) as error:
            raise self.unusable(error) from None
        self.add_schema(schema)

    def add_schema(self, schema: str, **columns: str) -> None:
        """Make the tables of another store in this file.

        columns: `table="name TYPE …"`, a column that tables of earlier versions lack.
        """
        try:
            with self._lock:
                self._db.executescript(schema)
                for table, column in columns.items():
                    known = {row[1] for row in self._db.execute(f"PRAGMA table_info({table})")}
                    if column.split()[0] not in known:
                        self._db.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
        except sqlite3.Error as error:
            raise self.unusable(error) from None

    def one(self, query: str, *values: Any) -> Any:
        """The first row, or None."""
        with self._lock:
            return self._db.execute(query, values).fetchone()

    def all(self, query: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def write(self, query: str, *values: Any) -> int:
        """One statement as a transaction; returns how many rows it changed."""
        with self.transaction() as db:
            return db.execute(query, values).rowcount

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside, or nothing of it. Raises StorageError."""
        with self._lock:
            if self._db.in_transaction:
                yield self._db
                return
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield self._db
                    self._db.execute("COMMIT")
                except BaseException:
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise self.unusable(error) from None

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _unusable(self, error: Exception) -> StorageError:
        return StorageError(
            f"{self.name} cannot be used",
            expected="a writable SQLite file",
            got=type(error).__name__,
            help="check free space and rights of its folder",
        )
