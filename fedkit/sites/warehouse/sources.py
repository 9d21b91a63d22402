"""Where a build takes notes from: the site's own note store, or a file of notes that `fedkit notes import` has written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from fedkit.notes.processing import BATCH, Batch
from fedkit.notes.store import SOURCE, NoteFile
from fedkit.sites.store import SPLITS, DuckDBNoteStore


class NoteSource(Protocol):
    """name: for the record of a build, without a path."""

    name: str

    def count(self) -> int:
        """How many notes there are."""

    def batches(self) -> Iterator[Batch]:
        """[(position, note), …] of about a hundred, in order; the notes as they came."""


class StoreSource:
    """The private notes of a site's note store, all three splits of them."""

    def __init__(self, store: DuckDBNoteStore) -> None:
        self.store, self.name = store, "the site's notes"

    def count(self) -> int:
        splits = self.store.splits()
        return sum(splits[split] for split in SPLITS[:3])

    def batches(self) -> Iterator[Batch]:
        notes = [note for split in SPLITS[:3] for note in self.store.notes(split)]
        for first in range(0, len(notes), BATCH):
            yield [(first + i, note) for i, note in enumerate(notes[first : first + BATCH])]


class FileSource:
    """A file of notes; a batch of them is in memory at a time."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.name

    def count(self) -> int:
        with NoteFile.open(self.path) as file:
            return file.count()

    def batches(self) -> Iterator[Batch]:
        with NoteFile.open(self.path) as file:
            yield from file.batches(SOURCE, size=BATCH)
