"""A hospital's Postgres database, opened for reading: the one place from which notes are read over a connection.

The address may name host, port, user and database; the password belongs into PGPASSWORD or a password file, where no list of
processes shows it.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from fedkit.errors import SiteError


class Postgres:
    """One read-only snapshot of a database: all queries see the same state, and none can change it."""

    def __init__(self, connection: Any, name: str) -> None:
        self.connection, self.name = connection, name

    @classmethod
    def connect(cls, address: str) -> Postgres:
        """Connect by a `postgresql://` address. Raises SiteError, without the address, which may hold a password."""
        import psycopg

        try:
            connection = psycopg.connect(address, connect_timeout=10, options="-c default_transaction_read_only=on")
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            about = connection.info
            name = f"postgres {about.host}:{about.port}/{about.dbname}"
        except psycopg.Error as error:
            raise SiteError(
                "the database cannot be reached",
                expected="a Postgres server that lets this user read",
                got=type(error).__name__,
                help="check host, port, user and database; give the password in PGPASSWORD or a password file",
            ) from None
        return cls(connection, name)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of one query. Raises SiteError; what the database said could quote a note, so it is not passed on."""
        import psycopg

        try:
            return self.connection.execute(sql).fetchall()
        except psycopg.Error as error:
            raise SiteError(
                "the database refused a query",
                expected="an OMOP CDM 5.4 that this user may read",
                got=f"SQLSTATE {error.sqlstate}" if error.sqlstate else type(error).__name__,
            ) from None

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def __enter__(self) -> Postgres:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
