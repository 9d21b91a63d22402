"""CSV and Parquet: a row a note. What is nested is JSON in a cell of CSV and a JSON string in Parquet. Both hold everything."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from fedkit.notes.note import Note
from fedkit.notes.readers.table import ALIASES, NESTED
from fedkit.notes.writers.base import EVERYTHING, NoteWriter

_COLUMNS = tuple(ALIASES)
_ROWS = 500


class CsvWriter(NoteWriter):
    """RFC 4180: commas, quotation marks doubled, UTF-8, and lines that end in CRLF."""

    name = "csv"
    title = "CSV"
    holds = EVERYTHING

    def _write(self, notes: Iterable[Note], target: Path, losses: Counter[str]) -> None:
        with target.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_COLUMNS)
            writer.writerows(_cells(note) for note in notes)


class ParquetWriter(NoteWriter):
    """Apache Parquet with strings in every column, by pyarrow."""

    name = "parquet"
    title = "Parquet"
    holds = EVERYTHING

    def _write(self, notes: Iterable[Note], target: Path, losses: Counter[str]) -> None:
        import pyarrow
        import pyarrow.parquet

        schema = pyarrow.schema([(name, pyarrow.string()) for name in _COLUMNS])
        rows = iter(notes)
        with pyarrow.parquet.ParquetWriter(target, schema) as writer:
            while batch := [_cells(note) for note in islice(rows, _ROWS)]:
                columns = [pyarrow.array(column, pyarrow.string()) for column in zip(*batch, strict=True)]
                writer.write_table(pyarrow.table(columns, schema=schema))


def _cells(note: Note) -> list[str | None]:
    row: dict[str, Any] = note.to_row()
    return [
        None if row.get(name) is None else json.dumps(row[name], ensure_ascii=False) if name in NESTED else str(row[name])
        for name in _COLUMNS
    ]
