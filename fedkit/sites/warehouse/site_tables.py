"""A site's warehouse as questions meet it: which tables there are, whether they fit the schema, and answers out of them.

Tables that a build has renewed are taken up by the next question. Where nobody has built any yet and the site's notes are few,
as in the samples, the first question builds them; a site with many is built by its admin: `fedkit warehouse build`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from fedkit.errors import FedkitError, SiteError, StorageError
from fedkit.sites.store import SPLITS, DuckDBNoteStore
from fedkit.sites.turns import Call
from fedkit.sites.warehouse.building import FEW, BuildReport, build
from fedkit.sites.warehouse.connection import Connection, DuckDBConnection, PostgresConnection, QueryLimits
from fedkit.sites.warehouse.database import VIEWS_FILE, DuckDBTables, PostgresTables, Tables
from fedkit.sites.warehouse.framing import frame_sql
from fedkit.sites.warehouse.sources import NoteSource, StoreSource
from fedkit.sites.warehouse.views import check
from fedkit.storage import write_whole
from fedkit.warehouse import render
from fedkit.warehouse.question import Asked, Question
from fedkit.warehouse.statistics.base import Statistic
from fedkit.warehouse.statistics.frames import PERSON, Columns, Figure, Frame

#: In a site's folder: its own files, and where its tables are if they are in a Postgres.
FOLDER, WHERE = "warehouse", "where.json"


@dataclass(frozen=True)
class Where:
    """Where a site's tables are. build, ask: addresses of a Postgres, for builds and for questions; "" for files of DuckDB.

    Passwords belong into PGPASSWORD or a password file, not in here.
    """

    build: str = ""
    ask: str = ""

    @classmethod
    def of(cls, folder: Path) -> Where:
        """What stands in a site's folder. Raises StorageError for a file that is none of ours."""
        path = folder / FOLDER / WHERE
        if not path.exists():
            return cls()
        try:
            row = json.loads(path.read_text("utf-8"))
            return cls(str(row["build"]), str(row["ask"]))
        except (OSError, ValueError, KeyError, TypeError):
            raise StorageError(f"{WHERE} cannot be read", expected="build and ask, as a build writes it") from None

    def keep(self, folder: Path) -> None:
        """Write it into a site's folder."""
        write_whole(folder / FOLDER / WHERE, json.dumps({"build": self.build, "ask": self.ask}).encode())

    def tables(self, folder: Path, site: str) -> Tables:
        """The tables, open for a build. Raises StorageError."""
        return PostgresTables.open(self.build, site) if self.build else DuckDBTables.open(folder / FOLDER)

    def connection(self, folder: Path, site: str, limits: QueryLimits | None = None) -> Connection:
        """A connection for questions. Raises SiteError, ConfigurationError."""
        if self.build:
            return PostgresConnection(self.ask or self.build, site, limits)
        return DuckDBConnection(folder / FOLDER / VIEWS_FILE, limits)


@dataclass(frozen=True)
class About:
    """Which build the tables are of. model_digest: "" without a model.   finished: UTC.   layout: digest of the schema."""

    build: str
    finished: datetime
    fedkit: str
    pipeline: str
    model: str
    model_digest: str
    notes: int
    failed: int
    layout: str


class SiteTables:
    """The `Engine` of one site. Safe for several threads.

    folder: the site's.   notes: its store.   opened: told of the tables of each build that questions are asked of from now on.
    """

    def __init__(
        self,
        site: str,
        folder: Path,
        notes: DuckDBNoteStore,
        limits: QueryLimits | None = None,
        opened: Callable[[About], None] = lambda about: None,
    ) -> None:
        self.site, self.folder, self.notes, self.limits, self._opened = site, folder, notes, limits, opened
        self._lock = threading.RLock()
        self._connection: Connection | None = None

    def sql(self, question: Asked) -> str:
        connection = self.connection()
        if isinstance(question, Question):
            return render.sql(question, connection.dialect, connection.prefix)
        if isinstance(question, Statistic):
            frames = question.frames().values()
            return ";\n".join(frame_sql(frame, connection.dialect, connection.prefix) for frame in frames)
        raise SiteError("this site answers no such kind of question", expected="counts or statistics", got=question.kind)

    def rows(self, question: Question, call: Call) -> Sequence[Mapping[str, Any]]:
        connection = self.connection()
        return render.rows(question, connection.rows(self.sql(question), call))

    def frame(self, frame: Frame, call: Call) -> Columns:
        connection = self.connection()
        found = connection.arrays(frame_sql(frame, connection.dialect, connection.prefix), call)
        floats = {name for name, item in frame.items.items() if type(item) is Figure}
        return {
            PERSON: found[PERSON].astype(np.int64),
            **{name: found[name].astype(np.float64) if name in floats else found[name] for name in frame.items},
        }

    def connection(self, *, building: bool = True) -> Connection:
        """The connection to the tables that are there now. Raises SiteError if there are none, or if they do not fit."""
        with self._lock:
            where = Where.of(self.folder)
            if building and not where.build and not (self.folder / FOLDER / VIEWS_FILE).exists():
                self._build_few()
            if self._connection is None or not self._connection.current():
                fresh = where.connection(self.folder, self.site, self.limits)
                check(fresh.columns(), self.site)
                # The old one is not closed here: another thread may be reading. It goes with its last cursor.
                self._connection = fresh
                self._opened(self.about())
            return self._connection

    def about(self, *, building: bool = True) -> About:
        """Which build the tables are of. building: whether to make them where there are none. Raises SiteError."""
        connection = self._connection or self.connection(building=building)
        names = [field.name for field in fields(About)]
        sql = f"SELECT {', '.join(names)} FROM {connection.prefix}.built"
        return About(**dict(zip(names, connection.rows(sql, Call())[0], strict=True)))

    def build(self, source: NoteSource | None = None, **options: Any) -> BuildReport:
        """Bring the tables up to the site's notes, or to another source. options: see `building.build`."""
        where = Where.of(self.folder)
        with where.tables(self.folder, self.site) as tables:
            return build(tables, self.site, source or StoreSource(self.notes), **options)

    def close(self) -> None:
        """Let the tables go."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _build_few(self) -> None:
        """Build the tables of a site with few notes. Raises SiteError for many."""
        splits = self.notes.splits()
        if (many := sum(splits[split] for split in SPLITS[:3])) > FEW:
            raise SiteError(
                f"{self.site} has no warehouse yet",
                expected="tables that were built from the site's notes",
                got=f"more than {FEW:,} notes, and no tables" if many else "none",
                help="ask the site's admin to build it: fedkit warehouse build",
            )
        try:
            self.build(workers=1)
        except FedkitError as error:
            raise SiteError(
                f"{self.site} has no warehouse yet", expected="tables built from the site's notes", got=error.code
            ) from None
