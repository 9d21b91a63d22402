"""A file of notes: what an import writes and every later step reads, a batch at a time.

    with NoteFile.open(Path("notes.duckdb"), write=True) as store:
        store.begin("pipeline", settings_digest)
        for batch in store.pending("pipeline"):                      # [(position, Note), …]
            store.save("pipeline", [(at, work(note)) for at, note in batch])

Notes have a position, in the order of import. A stage ("pipeline", "deidentified") holds what a step made of each note, under
the same positions, so a step that was cut off goes on behind its last saved batch. Every batch is one transaction.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from fedkit.errors import ConfigurationError, StorageError
from fedkit.notes.note import Note

if TYPE_CHECKING:
    import duckdb

#: The stage that holds the notes as they were imported.
SOURCE = "source"

_VERSION = "1"
_SCHEMA = """
CREATE TABLE about (key VARCHAR NOT NULL, value VARCHAR NOT NULL);
CREATE TABLE notes (position BIGINT NOT NULL, id VARCHAR NOT NULL, unit INTEGER NOT NULL, place VARCHAR NOT NULL,
    row VARCHAR NOT NULL);
CREATE TABLE units (unit INTEGER NOT NULL, name VARCHAR NOT NULL, format VARCHAR NOT NULL, print VARCHAR NOT NULL,
    records BIGINT NOT NULL, finished BOOLEAN NOT NULL);
CREATE TABLE problems (unit INTEGER NOT NULL, place VARCHAR NOT NULL, kind VARCHAR NOT NULL, detail VARCHAR NOT NULL,
    skipped BOOLEAN NOT NULL);
CREATE TABLE stages (stage VARCHAR NOT NULL, print VARCHAR NOT NULL);
CREATE TABLE results (stage VARCHAR NOT NULL, position BIGINT NOT NULL, row VARCHAR, failed VARCHAR);
"""

#: One thread, little memory, nothing spilled to other files, no extensions.
_SETTINGS: dict[str, str] = {
    "threads": "1",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "temp_directory": "",
}

# A checkpoint holds the last, unfinished row group in memory. With DuckDB's own 122,880 rows it ends an import of long notes at
# the memory limit; and the size is a property of the attachment, not of the file.
_ROW_GROUP = 2048

#: Bytes of notes that are read, worked on and saved together.
_AT_ONCE = 2_000_000


class NoteFile:
    """Notes in one DuckDB file of mode 0600. One process writes at a time; reading needs that none does."""

    def __init__(self, path: Path, database: duckdb.DuckDBPyConnection, umask: int | None) -> None:
        self.path, self.database, self._umask = path, database, umask

    @classmethod
    def open(cls, path: Path, *, write: bool = False, megabytes: int = 128) -> NoteFile:
        """The file at `path`; with `write` a new one where there is none.

        megabytes: what the database may hold of it in memory; pages that were read or written stay there up to this.

        While it is open for writing, the process makes new files for their owner alone (umask 077): the database's log holds
        notes too. Raises ConfigurationError if there is nothing to read, StorageError for a file that is none of ours, one
        that another process is writing, or a folder that cannot be written.
        """
        import duckdb

        path = Path(path)
        new = not path.exists()
        if new and not write:
            raise ConfigurationError(
                f"{path}: no file of notes",
                expected="a file that `fedkit notes import` has written",
                got="nothing at this path",
            )
        umask = os.umask(0o077) if write else None
        store = None
        try:
            if write:
                path.parent.mkdir(parents=True, exist_ok=True)
            store = cls(path, duckdb.connect(":memory:", config={**_SETTINGS, "memory_limit": f"{megabytes}MB"}), umask)
            store._attach(write)
            if new:
                store.database.execute(f"BEGIN; {_SCHEMA} INSERT INTO about VALUES ('version', '{_VERSION}'); COMMIT")
            found = store.database.execute("SELECT value FROM about WHERE key = 'version'").fetchall()
        except (OSError, duckdb.Error) as error:
            if store is not None:
                store.close()
            elif umask is not None:
                os.umask(umask)
            raise _unusable(path, error) from None
        if found != [(_VERSION,)]:
            store.close()
            raise StorageError(
                f"{path.name}: written by another version of fedkit", expected=f"version {_VERSION}", got="another"
            )
        return store

    def _attach(self, write: bool) -> None:
        """Open the file, and nothing after it: no other files, no network, and no statement that changes this."""
        quoted = str(self.path).replace("'", "''")
        self.database.execute(f"ATTACH '{quoted}' AS store ({f'ROW_GROUP_SIZE {_ROW_GROUP}' if write else 'READ_ONLY'})")
        self.database.execute("USE store; SET enable_external_access = false; SET lock_configuration = true")

    def close(self) -> None:
        """Close the file; what was saved is in it."""
        self.database.close()
        if self._umask is not None:
            os.umask(self._umask)
            self._umask = None

    def __enter__(self) -> NoteFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # --- reading ---------------------------------------------------------------------------------------------------------

    def count(self, stage: str = SOURCE) -> int:
        """How many notes a stage holds (those that failed are not counted)."""
        if stage == SOURCE:
            return self._one("SELECT count(*) FROM notes")
        return self._one("SELECT count(*) FROM results WHERE stage = ? AND row IS NOT NULL", [stage])

    def failed(self, stage: str) -> dict[str, int]:
        """Reason → how many notes failed in a stage."""
        rows = self.rows("SELECT failed, count(*) FROM results WHERE stage = ? AND failed IS NOT NULL GROUP BY 1", [stage])
        return dict(sorted(rows))

    def stages(self) -> dict[str, str]:
        """Stage → the digest of the settings it was made with (see `begin`)."""
        return dict(self.rows("SELECT stage, print FROM stages ORDER BY stage"))

    def notes(self, stage: str = SOURCE, *, size: int = 500) -> Iterator[Note]:
        """The notes of a stage in order; `size` of them are in memory at a time."""
        for batch in self.batches(stage, size=size):
            yield from (note for _, note in batch)

    def batches(self, stage: str = SOURCE, *, after: int = -1, size: int = 500) -> Iterator[list[tuple[int, Note]]]:
        """[(position, note), …] of a stage, in order, behind position `after`; fewer at a time where they are long."""
        table, where = ("notes", "") if stage == SOURCE else ("results", "stage = ? AND row IS NOT NULL AND ")
        first = [] if stage == SOURCE else [stage]
        last = self._one("SELECT coalesce(max(position), -1) FROM notes")
        while after < last:
            # By range of positions and not by LIMIT: the database then reads only the blocks that hold them.
            part = f"FROM {table} WHERE {where} position > ? AND position <= ? ORDER BY position"
            lengths = self.rows(f"SELECT position, strlen(row) {part}", [*first, after, after + size])
            for before, last_one in _pieces(after, lengths):
                yield [
                    (position, Note.from_row(json.loads(row), f"{self.path.name}, note {position}"))
                    for position, row in self.rows(f"SELECT position, row {part}", [*first, before, last_one])
                ]
            after += size

    def get(self, id: str, stage: str = SOURCE) -> Note | None:
        """The note with this id in a stage, or None."""
        if stage == SOURCE:
            rows = self.rows("SELECT row FROM notes WHERE id = ?", [id])
        else:
            rows = self.rows(
                "SELECT r.row FROM results r JOIN notes n USING (position) WHERE n.id = ? AND stage = ? AND r.row IS NOT NULL",
                [id, stage],
            )
        return Note.from_row(json.loads(rows[0][0]), self.path.name) if rows else None

    # --- stages ----------------------------------------------------------------------------------------------------------

    def begin(self, stage: str, print: str) -> int:
        """Make ready for a stage, made with settings of this digest; returns how many notes are behind it already.

        Results of other settings are dropped: a stage is never of two minds. Raises ValueError for the stage "source".
        """
        if stage == SOURCE:
            raise ValueError("the stage 'source' is written by imports alone")
        with self.transaction():
            if self.rows("SELECT print FROM stages WHERE stage = ?", [stage]) != [(print,)]:
                self.database.execute("DELETE FROM results WHERE stage = ?", [stage])
                self.database.execute("DELETE FROM stages WHERE stage = ?", [stage])
                self.database.execute("INSERT INTO stages VALUES (?, ?)", [stage, print])
        return self._one("SELECT count(*) FROM results WHERE stage = ?", [stage])

    def pending(self, stage: str, *, source: str = SOURCE, size: int = 500) -> Iterator[list[tuple[int, Note]]]:
        """Batches of `source` that a stage does not hold yet. Save them in this order, before or while the next is fetched."""
        return self.batches(source, after=self._last(stage), size=size)

    def save(self, stage: str, done: Sequence[tuple[int, Note]], failed: Sequence[tuple[int, str]] = ()) -> None:
        """Add the results of a batch, whole or not at all. failed: position and reason, in fixed words without any text.

        Raises ValueError for positions that are not behind those saved before; StorageError for a full disk.
        """
        rows = sorted(
            [(at, json.dumps(n.to_row(), ensure_ascii=False), None) for at, n in done] + [(at, None, why) for at, why in failed]
        )
        if not rows:
            return
        if rows[0][0] <= self._last(stage) or len({row[0] for row in rows}) < len(rows):
            raise ValueError("results are saved once each, in the order of the notes")
        with self.transaction():
            self.insert("results", [(stage, *row) for row in rows])

    # --- underneath ------------------------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is done inside, or nothing of it. Raises StorageError for a full disk."""
        import duckdb

        try:
            self.database.execute("BEGIN")
            try:
                yield
            except BaseException:
                with suppress(duckdb.Error):  # the failure may have ended it already
                    self.database.execute("ROLLBACK")
                raise
            self.database.execute("COMMIT")
        except duckdb.Error as error:
            raise _unusable(self.path, error) from None

    def append(self, unit: int, notes: Sequence[tuple[str, Note]]) -> None:
        """Add the (place, note) of one unit of an import at the end. Inside a transaction."""
        self.append_all([(unit, place, note) for place, note in notes])

    def append_all(self, notes: Sequence[tuple[int, str, Note]]) -> None:
        """Add the (unit, place, note) of several units at the end. Inside a transaction."""
        if notes:
            first = self._one("SELECT coalesce(max(position), -1) + 1 FROM notes")
            rows = [
                (first + i, note.id, unit, place, json.dumps(note.to_row(), ensure_ascii=False))
                for i, (unit, place, note) in enumerate(notes)
            ]
            self.insert("notes", rows)

    def insert(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Rows of one table, by columns: row by row, DuckDB takes a hundred times as long."""
        types = {int: "BIGINT", bool: "BOOLEAN"}
        columns = list(zip(*rows, strict=True))
        kinds = [types.get(type(column[0]), "VARCHAR") for column in columns]
        self.database.execute(
            f"INSERT INTO {table} SELECT {', '.join(f'unnest(?::{kind}[])' for kind in kinds)}", [list(c) for c in columns]
        )

    def _last(self, stage: str) -> int:
        return self._one("SELECT coalesce(max(position), -1) FROM results WHERE stage = ?", [stage])

    def _one(self, sql: str, values: Sequence[Any] = ()) -> int:
        return self.rows(sql, values)[0][0]

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one statement. Raises StorageError, without the database's own words, which may quote a value."""
        import duckdb

        try:
            return self.database.execute(sql, list(values)).fetchall()
        except duckdb.Error as error:
            raise _unusable(self.path, error) from None


def _pieces(after: int, lengths: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """(position before the first, position of the last) of rows that together have `_AT_ONCE` bytes, or one that has more."""
    held, last = 0, after
    for position, length in lengths:
        if held and held + length > _AT_ONCE:
            yield after, last
            after, held = last, 0
        held, last = held + length, position
    if held:
        yield after, last


def _unusable(path: Path, error: Exception) -> StorageError:
    words = str(error)
    if "lock" in words.lower():
        got, help = "another process has it open", "wait for the other fedkit command, or end it"
    elif isinstance(error, OSError):
        got, help = error.strerror or type(error).__name__, "check path, rights and free space"
    else:
        got, help = type(error).__name__, "check free space; if it is none of fedkit's files, choose another name"
    # The database's own message may quote a value, so it is not passed on.
    return StorageError(f"{path.name} cannot be used", expected="a file of notes on a disk with room", got=got, help=help)
