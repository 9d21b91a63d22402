"""What questions are asked over: a connection that reads the site's views and can do nothing else.

DuckDB: the file of the views is attached read-only to an empty database in memory, then everything outside is closed and the
settings are locked. Reading other files, COPY, ATTACH, INSTALL, LOAD, network and changing it back are refused by DuckDB itself
(duckdb.org/docs/stable/operations_manual/securing_duckdb). The file holds no text (`fedkit.sites.warehouse.views`).

Postgres: a transaction that is read-only, with a time limit, as a user that is no superuser and in no role that reads files or
starts programs. What else that user may read is for the site's admin to say.

On both: one statement, which is a SELECT; a limit of time, and in DuckDB of memory; whoever cancels a call ends its query; and
no error repeats what the database said, which may quote a value.
"""

from __future__ import annotations

import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fedkit.errors import ConfigurationError, ExecutionFailed, SiteError
from fedkit.sites.turns import Call
from fedkit.sites.warehouse.database import schemas
from fedkit.warehouse.render.literals import Dialect


@dataclass(frozen=True)
class QueryLimits:
    """Of one query. seconds: of its running.   memory_mb, threads: of all queries of a site together, in DuckDB."""

    seconds: float = 60.0
    memory_mb: int = 2_048
    threads: int = min(8, len(os.sched_getaffinity(0)))


class Connection(ABC):
    """Safe for several threads; each query has a cursor or connection of its own."""

    dialect: Dialect
    #: Where the views are: the name of a database, or of a schema.
    prefix: str

    def __init__(self, limits: QueryLimits) -> None:
        self.limits = limits

    @abstractmethod
    def rows(self, sql: str, call: Call) -> list[tuple[Any, ...]]:
        """The rows of one SELECT. Raises ExecutionFailed if it takes too long or too much, or what the call was ended with."""

    @abstractmethod
    def arrays(self, sql: str, call: Call) -> dict[str, np.ndarray]:
        """The same by columns: whole numbers as int64, others as float64 with NaN for NULL."""

    @abstractmethod
    def columns(self) -> dict[str, dict[str, str]]:
        """View → column → its type, in the database's words."""

    @abstractmethod
    def current(self) -> bool:
        """Whether no other views have taken the place of these."""

    @abstractmethod
    def close(self) -> None: ...

    @contextmanager
    def _limited(self, call: Call, interrupt: Callable[[], None]) -> Iterator[None]:
        """While a query runs: it is interrupted when its time is over, or when the call is cancelled.

        Again and again until it ends: an interrupt that comes before the database has begun is lost.
        """
        done, cancelled, over = threading.Event(), threading.Event(), threading.Event()
        until = time.monotonic() + self.limits.seconds

        def watch() -> None:
            while not done.wait(0.05):
                if time.monotonic() > until:
                    over.set()
                if over.is_set() or cancelled.is_set():
                    interrupt()

        with call.in_worker(cancelled.set):
            watching = threading.Thread(target=watch, daemon=True)
            watching.start()
            try:
                yield
            except Exception as error:
                if over.is_set():
                    raise ExecutionFailed(
                        "the question took too long",
                        expected=f"an answer within {self.limits.seconds:g} s",
                        got="none",
                        help="ask for fewer groups, or a narrower condition",
                    ) from None
                call.check()
                raise _failed(error) from None
            finally:
                done.set()
                watching.join()  # what comes next on this connection is not to be interrupted


class DuckDBConnection(Connection):
    """The views of the file at `path`."""

    dialect: Dialect = "duckdb"
    prefix = "views"

    def __init__(self, path: Path, limits: QueryLimits | None = None) -> None:
        super().__init__(limits or QueryLimits())
        import duckdb

        self.path, self._version = path, _version_of(path)
        settings: dict[str, str | bool | int | float | list[str]] = {
            "threads": str(self.limits.threads),
            "memory_limit": f"{self.limits.memory_mb}MB",
            "temp_directory": "",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
        }
        try:
            self._database = duckdb.connect(":memory:", config=settings)
            quoted = str(path).replace("'", "''")
            self._database.execute(f"ATTACH '{quoted}' AS views (READ_ONLY)")
            self._database.execute("SET enable_external_access = false; SET lock_configuration = true")
        except duckdb.Error as error:
            raise SiteError(
                "the site's warehouse cannot be read",
                expected=f"{path.name}, as a build leaves it",
                got=type(error).__name__,
                help="ask the site's admin to build it again: fedkit warehouse build",
            ) from None

    def rows(self, sql: str, call: Call) -> list[tuple[Any, ...]]:
        with self._cursor(sql, call) as cursor:
            found: list[tuple[Any, ...]] = cursor.execute(sql).fetchall()
            return found

    def arrays(self, sql: str, call: Call) -> dict[str, np.ndarray]:
        with self._cursor(sql, call) as cursor:
            found = cursor.execute(sql).fetchnumpy()
            return {name: _filled(values) for name, values in found.items()}

    @contextmanager
    def _cursor(self, sql: str, call: Call) -> Iterator[Any]:
        import duckdb

        cursor = self._database.cursor()
        try:
            with self._limited(call, cursor.interrupt):
                parsed = cursor.extract_statements(sql)
                if len(parsed) != 1 or parsed[0].type != duckdb.StatementType.SELECT:
                    raise SiteError("this is no question", expected="one SELECT", got=f"{len(parsed)} statements")
                yield cursor
        finally:
            cursor.close()

    def columns(self) -> dict[str, dict[str, str]]:
        sql = (
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_catalog = 'views'"
            " ORDER BY ordinal_position"
        )
        return _by_table(self._database.cursor().execute(sql).fetchall())

    def current(self) -> bool:
        return self._version == _version_of(self.path)

    def close(self) -> None:
        self._database.close()


class PostgresConnection(Connection):
    """The views of a site in its own Postgres, at a `postgresql://` address. Each query has a connection and a snapshot."""

    dialect: Dialect = "postgres"

    def __init__(self, address: str, site: str, limits: QueryLimits | None = None) -> None:
        super().__init__(limits or QueryLimits())
        self._address, self.prefix = address, schemas(site)[1]
        self._refuse_the_mighty()

    def rows(self, sql: str, call: Call) -> list[tuple[Any, ...]]:
        with self._open() as connection, self._limited(call, connection.cancel):
            found: list[tuple[Any, ...]] = connection.execute(sql, prepare=True).fetchall()  # which takes one statement only
            return found

    def arrays(self, sql: str, call: Call) -> dict[str, np.ndarray]:
        with self._open() as connection, self._limited(call, connection.cancel):
            cursor = connection.execute(sql, prepare=True)
            names = [column.name for column in cursor.description or ()]
            columns = list(zip(*cursor.fetchall(), strict=True)) or [()] * len(names)
            return {name: _filled(np.array(values, dtype=object)) for name, values in zip(names, columns, strict=True)}

    def columns(self) -> dict[str, dict[str, str]]:
        sql = (
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = %s"
            " ORDER BY ordinal_position"
        )
        with self._open() as connection:
            return _by_table(connection.execute(sql, [self.prefix]).fetchall())

    def current(self) -> bool:
        return True  # a query sees what is there when it begins

    def close(self) -> None: ...

    def _refuse_the_mighty(self) -> None:
        """Raises ConfigurationError for a user whose queries could read the server's files or start programs there."""
        roles = ("pg_read_server_files", "pg_write_server_files", "pg_execute_server_program")
        sql = (
            "SELECT rolsuper OR EXISTS (SELECT 1 FROM pg_roles r WHERE r.rolname = ANY(%s)"
            " AND pg_has_role(current_user, r.oid, 'MEMBER')) FROM pg_roles WHERE rolname = current_user"
        )
        with self._open() as connection:
            row = connection.execute(sql, [list(roles)]).fetchone()
        if row is None or row[0]:
            raise ConfigurationError(
                "questions may not be asked as this user of Postgres",
                expected="a user that reads the views and nothing else",
                got="a superuser, or one that may read the server's files",
                help=f"make a user for it: CREATE ROLE … LOGIN; GRANT USAGE ON SCHEMA {self.prefix} TO …; then build again",
            )

    @contextmanager
    def _open(self) -> Iterator[Any]:
        import psycopg

        milliseconds = int(self.limits.seconds * 1000)
        options = f"-c default_transaction_read_only=on -c statement_timeout={milliseconds} -c search_path={self.prefix}"
        try:
            connection = psycopg.connect(self._address, connect_timeout=10, options=options)
        except psycopg.Error as error:
            raise SiteError(
                "the site's Postgres cannot be reached",
                expected="a server that lets this user read",
                got=type(error).__name__,
                help="ask the site's admin",
            ) from None
        try:
            yield connection
        except psycopg.Error as error:
            raise _failed(error) from None
        finally:
            connection.close()


def _version_of(path: Path) -> tuple[int, int]:
    """Another one when another file has taken this path. Raises SiteError if there is none."""
    try:
        found = path.stat()
    except OSError:
        raise SiteError("the site has no warehouse", expected=path.name, got="no file", help="fedkit warehouse build") from None
    return found.st_ino, found.st_mtime_ns


def _by_table(rows: list[tuple[Any, ...]]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        found.setdefault(str(table), {})[str(column)] = str(kind)
    return found


def _filled(values: Any) -> np.ndarray:
    """A column of numbers without NULLs: NaN stands for them in a column of floats."""
    if isinstance(values, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(values)
        values = np.where(mask, np.nan, values.data.astype(np.float64)) if mask.any() else values.data
    if values.dtype == object:
        whole = all(isinstance(value, int) for value in values)
        return values.astype(np.int64) if whole else np.array([np.nan if v is None else float(v) for v in values])
    return values.astype(np.int64) if np.issubdtype(values.dtype, np.integer) else values.astype(np.float64)


def _failed(error: Exception) -> Exception:
    """What to raise for an error of a query; the database's own words stay here, since they may quote a value."""
    if isinstance(error, SiteError | ExecutionFailed):
        return error
    kind = getattr(error, "sqlstate", None) or type(error).__name__
    memory = "memory" in kind.lower()
    return ExecutionFailed(
        "the question could not be answered",
        expected="an answer within the site's limits",
        got="memory ran out" if memory else str(kind),
        help="ask for fewer groups, or a narrower condition" if memory else "tell the site's admin",
    )
