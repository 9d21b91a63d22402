"""JSON Lines: the rows of `Note.from_row`. Holds everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from fedkit.notes.jsonl import dump_notes
from fedkit.notes.note import Note
from fedkit.notes.writers.base import EVERYTHING, NoteWriter


class JsonlWriter(NoteWriter):
    """A row a line, in canonical form."""

    name = "jsonl"
    title = "JSON Lines"
    holds = EVERYTHING

    def _write(self, notes: Iterable[Note], target: Path, losses: Counter[str]) -> None:
        with target.open("wb") as file:
            for note in notes:
                file.write(dump_notes((note,)))
