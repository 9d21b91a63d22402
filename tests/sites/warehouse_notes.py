"""Notes for tests of the site's tables: invented persons with a word in every text that stands nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fedkit.notes.note import Note, Span
from fedkit.notes.processing import Batch
from fedkit.sites.turns import Call
from fedkit.sites.warehouse.connection import DuckDBConnection
from fedkit.sites.warehouse.database import VIEWS_FILE

#: Stands in every text and in nothing that a question may meet.
CANARY = "Qwyzzelbrand"


def note(number: int, *, person: str | None = "", **more: Any) -> Note:
    """A note of one of seven persons, negated every third time. person: "" for one of the seven."""
    drug = "Ingen warfarin" if number % 3 == 0 else "Bruker warfarin"
    text = f"{CANARY} {number}. {drug} mot blodpropp."
    start = text.index("warfarin")
    about: dict[str, Any] = {
        "patient": f"p{number % 7}" if person == "" else person,
        "date": f"{2020 + number % 3}-0{1 + number % 9}-11",
        "department": ("Ortopedi", "Medisin")[number % 2],
        "type": "epikrise",
        "meta": {"sex": ("female", "male")[number % 7 % 2], "year_of_birth": str(1950 + number % 7)},
    }
    spans = (Span(start, start + len("warfarin"), "DRUG", {"negated": "true"} if number % 3 == 0 else {}),)
    return Note(f"n{number}", text, "nb", spans, **{**about, **more})


@dataclass
class ListSource:
    """Notes in memory, five to a batch."""

    notes: Sequence[Note]
    name: str = "a list"
    size: int = field(default=5)

    def count(self) -> int:
        return len(self.notes)

    def batches(self) -> Iterator[Batch]:
        for first in range(0, len(self.notes), self.size):
            yield [(first + i, n) for i, n in enumerate(self.notes[first : first + self.size])]


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """What a question's connection reads. Names of views behind "views."."""
    connection = DuckDBConnection(folder / VIEWS_FILE)
    try:
        return connection.rows(sql, Call())
    finally:
        connection.close()
