"""Where a site's tables are written: DuckDB files in the site's folder, or the site's own Postgres, by the same SQL.

    with DuckDBTables.open(folder) as tables:
        with tables.transaction():
            tables.insert("note", rows)
        tables.make_views("no")

Only a build opens one of these; questions have a connection of their own (`fedkit.sites.warehouse.connection`). New views take
the place of the old ones in one step: whoever asks meanwhile is answered from the old ones.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fedkit.errors import ConfigurationError, StorageError
from fedkit.sites.warehouse.tables import columns, ddl
from fedkit.sites.warehouse.views import statements
from fedkit.storage import sync_folder

#: The file of the OMOP tables and that of the views, in a site's folder; and the views that are being made.
OMOP_FILE, VIEWS_FILE, NEW_VIEWS = "omop.duckdb", "views.duckdb", "views.new.duckdb"

#: A build's memory and threads. It spills to no other file: what does not fit fails, and is tried again with smaller batches.
_SETTINGS = {
    "memory_limit": "2GB",
    "threads": "2",
    "temp_directory": "",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}


class Tables(ABC):
    """The tables of one site, open for a build. omop, views: prefixes of the names of both kinds of tables."""

    omop: str
    views: str

    @abstractmethod
    def execute(self, sql: str, values: Sequence[Any] = ()) -> None:
        """One statement, with "?" for its values. Raises StorageError, which repeats nothing of them."""

    @abstractmethod
    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one statement. Raises StorageError."""

    @abstractmethod
    def make_views(self, site: str) -> None:
        """Make the views of what the tables hold now, in place of those that are there."""

    @abstractmethod
    def close(self) -> None: ...

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Rows of one table, by columns; a column that the first row does not name is NULL."""
        if not rows:
            return
        types = columns(table)
        names = [name for name in types if name in rows[0]]
        unnested = ", ".join(f"unnest(?::{types[name].partition('(')[0]}[])" for name in names)
        listed = ", ".join(f'"{name}"' for name in names)
        values = [[row[name] for row in rows] for name in names]
        self.execute(f"INSERT INTO {self.omop}{table} ({listed}) SELECT {unnested}", values)

    def delete(self, table: str, note_ids: Sequence[int]) -> None:
        """Take out the rows of these notes."""
        if note_ids:
            sql = f"DELETE FROM {self.omop}{table} WHERE note_id IN (SELECT unnest(?::BIGINT[]))"
            self.execute(sql, [list(note_ids)])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is done inside, or nothing of it. Raises StorageError."""
        self.execute("BEGIN")
        try:
            yield
        except BaseException:
            with suppress(StorageError):  # the failure may have ended it already
                self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")

    def _make(self) -> None:
        for statement in ddl(self.omop):
            self.execute(statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class DuckDBTables(Tables):
    """Two DuckDB files of mode 0600 in `folder`. One process writes at a time."""

    omop, views = "omop.", "views."

    def __init__(self, folder: Path, database: Any, umask: int) -> None:
        self.folder, self.database, self._umask = folder, database, umask

    @classmethod
    def open(cls, folder: Path) -> DuckDBTables:
        """The tables in a folder, made where there are none. Raises StorageError, if another process builds as well."""
        import duckdb

        umask = os.umask(0o077)  # the database's log holds notes too
        database = None
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            database = duckdb.connect(":memory:", config=_SETTINGS)
            database.execute(f"ATTACH '{_quoted(folder / OMOP_FILE)}' AS omop")
            for rest in (NEW_VIEWS, f"{NEW_VIEWS}.wal"):  # of a build that was killed; whoever has OMOP_FILE may
                (folder / rest).unlink(missing_ok=True)
            database.execute(f"ATTACH '{_quoted(folder / NEW_VIEWS)}' AS views")
            database.execute("USE omop; SET enable_external_access = false; SET lock_configuration = true")
            tables = cls(folder, database, umask)
            tables._make()
        except (OSError, duckdb.Error) as error:
            if database is not None:
                database.close()
            os.umask(umask)
            raise _unusable(OMOP_FILE, error) from None
        return tables

    def execute(self, sql: str, values: Sequence[Any] = ()) -> None:
        self.rows(sql, values)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        import duckdb

        try:
            return self.database.execute(sql, list(values)).fetchall()
        except duckdb.Error as error:
            raise _unusable(OMOP_FILE, error) from None

    def make_views(self, site: str) -> None:
        for statement in statements(site, self.omop, self.views):
            self.execute(statement)
        self.execute("CHECKPOINT views")
        self.execute("DETACH views")
        new = self.folder / NEW_VIEWS
        try:
            with new.open("rb") as file:
                os.fsync(file.fileno())
            new.replace(self.folder / VIEWS_FILE)
            sync_folder(self.folder)
        except OSError as error:
            raise _unusable(VIEWS_FILE, error) from None

    def close(self) -> None:
        self.database.close()
        os.umask(self._umask)
        (self.folder / NEW_VIEWS).unlink(missing_ok=True)


class PostgresTables(Tables):
    """Two schemas in a site's own Postgres: `fedkit_<site>` with the OMOP tables, and `fedkit_<site>_views`."""

    def __init__(self, connection: Any, site: str) -> None:
        self.connection = connection
        self.schema, self.views_schema = schemas(site)
        self.omop, self.views = f"{self.schema}.", f"{self.views_schema}_new."

    @classmethod
    def open(cls, address: str, site: str) -> PostgresTables:
        """Connect by a `postgresql://` address, as a user that may create schemas there. Raises StorageError, without the
        address, which may hold a password."""
        import psycopg

        try:
            connection = psycopg.connect(address, connect_timeout=10, autocommit=True)
            tables = cls(connection, site)
            locked = connection.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [tables.schema]).fetchone()
        except psycopg.Error as error:
            raise _unusable("the site's Postgres", error) from None
        if not locked or not locked[0]:
            connection.close()
            raise StorageError(
                "the site's Postgres cannot be used",
                expected="one build at a time",
                got="another build",
                help="wait for the other build",
            )
        tables.execute(f"CREATE SCHEMA IF NOT EXISTS {tables.schema}")
        tables._make()
        tables.execute(f"CREATE UNIQUE INDEX IF NOT EXISTS fedkit_note_id ON {tables.omop}fedkit_note (note_id)")
        tables.execute(f"CREATE INDEX IF NOT EXISTS fedkit_nlp_note ON {tables.omop}note_nlp (note_id)")
        return tables

    def execute(self, sql: str, values: Sequence[Any] = ()) -> None:
        self._run(sql, values)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._run(sql, values).fetchall()
        return found

    def _run(self, sql: str, values: Sequence[Any]) -> Any:
        import psycopg

        try:
            # Without values, "%" has no meaning; with them, none of our statements has one.
            return self.connection.execute(sql.replace("?", "%s") if values else sql, list(values) or None)
        except psycopg.Error as error:
            raise _unusable("the site's Postgres", error) from None

    def make_views(self, site: str) -> None:
        """Whoever may read the old views may read the new ones: grants on the schema of the views are kept."""
        views = self.views_schema
        with self.transaction():
            self.execute(f"CREATE SCHEMA IF NOT EXISTS {views}")
            self.execute(f"CREATE SCHEMA {views}_new")
            made = statements(site, self.omop, self.views)
            for statement in made:
                self.execute(statement)
            for name in _NAMES:
                self.execute(f'DROP TABLE IF EXISTS {views}."{name}"')
                self.execute(f'ALTER TABLE {views}_new."{name}" SET SCHEMA {views}')
                for reader in self._readers():
                    self.execute(f'GRANT SELECT ON {views}."{name}" TO "{reader}"')
            self.execute(f"DROP SCHEMA {views}_new")

    def _readers(self) -> list[str]:
        """Roles that the site's admin lets use the schema of the views (GRANT USAGE ON SCHEMA)."""
        sql = (
            "SELECT r.rolname FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) a"
            " JOIN pg_roles r ON r.oid = a.grantee WHERE n.nspname = ?"
            " AND a.privilege_type = 'USAGE' AND a.grantee <> n.nspowner"
        )
        return [str(name).replace('"', '""') for (name,) in self.rows(sql, [self.views_schema])]

    def close(self) -> None:
        self.connection.close()


_NAMES = ("patients", "visits", "notes", "mentions", "built")


def schemas(site: str) -> tuple[str, str]:
    """The Postgres schemas of a site: of the OMOP tables, and of the views. Raises ConfigurationError for a name too long."""
    name = "fedkit_" + re.sub(r"[^a-z0-9]", "_", site.lower())
    if len(name) > 50:
        raise ConfigurationError("the site's name is too long for a schema", expected="at most 43 letters", got=f"{len(site)}")
    return name, f"{name}_views"


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _unusable(name: str, error: Exception) -> StorageError:
    """The database's own message may quote a value, so it is not passed on."""
    if "lock" in str(error).lower():
        got, help = "another process has it open", "wait for the other build, or end it"
    elif isinstance(error, OSError):
        got, help = os.strerror(error.errno or 0), "check path, rights and free space"
    else:
        state = getattr(error, "sqlstate", None)
        got, help = (f"SQLSTATE {state}" if state else type(error).__name__), "check free space, memory and rights; build again"
    return StorageError(
        f"{name} cannot be used", expected="tables of fedkit's warehouse, with room to write", got=got, help=help
    )
