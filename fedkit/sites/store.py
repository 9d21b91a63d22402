"""A site's notes at rest. Private notes and the mock twin lie in two files: whoever reads the one has not touched the other.

Only the worker reads private notes from here; they never come near PySyft, and the server asks for counts and the commitment.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fedkit.digests import canonical
from fedkit.errors import ConfigurationError, StorageError
from fedkit.ledger import merkle
from fedkit.notes.note import Note
from fedkit.storage import sync_folder

if TYPE_CHECKING:
    import duckdb

    from fedkit.notes.corpus import SiteNotes

SPLITS = ("train", "dev", "test", "mock")
_LOADING = ".loading-"

_SCHEMA = """
CREATE TABLE about (key VARCHAR PRIMARY KEY, value VARCHAR NOT NULL);
CREATE TABLE notes (split VARCHAR NOT NULL, position INTEGER NOT NULL, id VARCHAR NOT NULL, language VARCHAR NOT NULL,
    patient VARCHAR, row VARCHAR NOT NULL);
"""


class NoteStore(ABC):
    """Where a site keeps its notes. Splits: "train", "dev", "test" (private) and "mock" (synthetic)."""

    @abstractmethod
    def load(self, site: SiteNotes) -> None:
        """Replace everything in the store by these notes; a crash leaves the old or the new, never a mixture of splits."""

    @abstractmethod
    def splits(self) -> dict[str, int]:
        """Split → number of notes, all four."""

    @abstractmethod
    def notes(self, split: str) -> list[Note]:
        """The notes of one split, in their order."""

    @abstractmethod
    def about(self) -> dict[str, Any]:
        """{"name", "title", "language", "labels": sorted list of the private notes' labels}."""

    @abstractmethod
    def commitment(self) -> str:
        """Merkle root (64 hex) over all notes, each behind an HMAC under the store's own salt: it binds the site to its data
        set and lets nobody test whether a note is in it. The same notes in the same store give the same commitment."""


class DuckDBNoteStore(NoteStore):
    """Notes in DuckDB files: `path` (private) and `mock_file(path)`, mode 0600, with no access to anything outside them.

    Files are opened for one act and closed, never held: workers read them at the same time. Raises ConfigurationError if
    nothing was loaded yet, StorageError if a file cannot be written or is none of ours.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self, site: SiteNotes) -> None:
        salt = bytes.fromhex(self._about(self.path)["salt"]) if self.path.exists() else secrets.token_bytes(32)
        notes = {split: getattr(site, split) for split in SPLITS}
        leaves = [
            hmac.new(salt, canonical([split, note.to_row()]), hashlib.sha256).digest()
            for split in SPLITS
            for note in notes[split]
        ]
        about = {"name": site.name, "title": site.title, "language": site.language, "labels": json.dumps(list(site.labels))}
        about["commitment"] = merkle.root(leaves)
        about["counts"] = json.dumps({split: len(notes[split]) for split in SPLITS})
        mock = {"mock": notes.pop("mock")}
        # The salt stays out of the mock file: code that nobody has approved runs beside what is in there.
        parts = [
            (mock_file(self.path), mock, {**about, "holds": "mock"}),
            (self.path, notes, {**about, "holds": "private", "salt": salt.hex()}),
        ]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            for rest in self.path.parent.glob(f"{_LOADING}*"):
                shutil.rmtree(rest)  # a load that was killed
            # A folder of mode 0700, since DuckDB has no option for the mode of a file.
            with tempfile.TemporaryDirectory(dir=self.path.parent, prefix=_LOADING) as folder:
                for path, content, facts in parts:
                    _write(Path(folder) / path.name, content, facts)
                for path, _, _ in parts:
                    (Path(folder) / path.name).replace(path)
            sync_folder(self.path.parent)
        except (OSError, _duckdb().Error) as error:
            raise StorageError(
                "the notes cannot be stored",
                expected=f"room and rights to write {self.path.name}",
                got=type(error).__name__,
                help="free some space; what was stored before is as it was",
            ) from None

    def splits(self) -> dict[str, int]:
        return json.loads(self._about(self.path)["counts"])

    def notes(self, split: str) -> list[Note]:
        if split not in SPLITS:
            raise ConfigurationError("no such split", expected=f"one of {SPLITS}", got="another word")
        rows = read_rows(mock_file(self.path) if split == "mock" else self.path)[split]
        return [Note.from_row(json.loads(row), split) for row in rows]

    def about(self) -> dict[str, Any]:
        found = self._about(self.path)
        return {k: found[k] for k in ("name", "title", "language")} | {"labels": json.loads(found["labels"])}

    def commitment(self) -> str:
        return self._about(self.path)["commitment"]

    def patients(self) -> int | None:
        """Distinct persons in the private notes, None if a note does not say whose it is."""
        with _open(self.path) as db:
            unnamed, persons = db.execute("SELECT COUNT(*) - COUNT(patient), COUNT(DISTINCT patient) FROM notes").fetchall()[0]
        return None if unnamed else int(persons)

    def training_units(self) -> dict[str, int]:
        """How many notes to train on, and of how many patients ("note", "patient"); a note without one is its own patient."""
        query = "SELECT COUNT(*), COUNT(DISTINCT patient) + COUNT(*) - COUNT(patient) FROM notes WHERE split = 'train'"
        with _open(self.path) as db:
            notes, patients = db.execute(query).fetchall()[0]
        return {"note": int(notes), "patient": int(patients)}

    def _about(self, path: Path) -> dict[str, str]:
        with _open(path) as db:
            return dict(db.execute("SELECT key, value FROM about").fetchall())


def mock_file(path: Path) -> Path:
    """The file of the mock twin that belongs to the private file `path`."""
    return path.with_name(f"{path.stem}.mock{path.suffix}")


def read_rows(file: Path) -> dict[str, list[str]]:
    """Split → JSON rows of its notes (`Note.from_row`), straight from one file; what a worker starts with.

    All three private splits, or "mock" alone from a mock file. Raises ConfigurationError, StorageError.
    """
    with _open(file) as db:
        private = db.execute("SELECT value FROM about WHERE key = 'holds'").fetchall() == [("private",)]
        rows: dict[str, list[str]] = {split: [] for split in (SPLITS[:3] if private else SPLITS[3:])}
        for split, row in db.execute("SELECT split, row FROM notes ORDER BY split, position").fetchall():
            rows[split].append(row)
    return rows


@contextmanager
def _open(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    if not path.exists():
        raise ConfigurationError(
            "the site has no notes yet", expected=f"notes loaded into {path.name}", got="no file", help="load notes first"
        )
    try:
        db = _duckdb().connect(str(path), read_only=True, config=_SETTINGS)
        try:
            yield db
        finally:
            db.close()
    except _duckdb().Error as error:
        raise StorageError(
            f"{path.name} cannot be read", expected="a note store", got=type(error).__name__, help="restore it from a backup"
        ) from None


def _write(path: Path, notes: dict[str, tuple[Note, ...]], about: dict[str, str]) -> None:
    db = _duckdb().connect(str(path), config=_SETTINGS)
    try:
        db.execute(_SCHEMA)
        db.executemany("INSERT INTO about VALUES (?, ?)", list(about.items()))
        for split, several in notes.items():
            if not several:
                continue
            columns = list(
                zip(*((n.id, n.language, n.patient, json.dumps(n.to_row(), ensure_ascii=False)) for n in several), strict=True)
            )
            db.execute(
                "INSERT INTO notes SELECT ?, * FROM (SELECT unnest(?::INTEGER[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]),"
                " unnest(?::VARCHAR[]), unnest(?::VARCHAR[]))",
                [split, list(range(len(several))), *map(list, columns)],
            )
        db.execute("CHECKPOINT")
    finally:
        db.close()
    path.chmod(0o600)
    with path.open("rb") as file:
        os.fsync(file.fileno())


#: One thread and no way out: no other files, no extensions, no network, and no statement that changes this.
_SETTINGS: dict[str, str] = {
    "threads": "1",
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "temp_directory": "",
    "lock_configuration": "true",
}


def _duckdb() -> Any:
    import duckdb

    return duckdb
