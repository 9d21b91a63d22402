"""JSON Lines: a note a line, in the row of `Note.from_row`. Other plain fields go to `Note.meta`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from fedkit.notes.readers.base import NoteReader, Record, skipped
from fedkit.notes.readers.draft import from_row
from fedkit.notes.readers.text import lines


class JsonlReader(NoteReader):
    """fedkit's own rows, and those of most corpora on the web: `{"id", "text", "lang"?, "spans"?, …}`."""

    name = "jsonl"
    title = "JSON Lines"
    suffixes = (".jsonl", ".ndjson")

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        row = first_object(head)
        if row is None:  # a first line longer than the head, or a broken one
            start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
            foreign = any(key in head for key in (b'"resourceType"', b'"_type"'))
            return start.startswith(b"{") and not foreign and (path.suffix.lower() in cls.suffixes or b'"text"' in head)
        return "text" in row and "resourceType" not in row

    def _read(self, path: Path, name: str) -> Iterator[Record]:
        for place, row in json_rows(path, name, self.rules.encoding, 6 * self.rules.max_characters):
            yield row if isinstance(row, Record) else self._one(place, partial(from_row, row, place, self.rules))


def json_rows(path: Path, name: str, encoding: str, limit: int) -> Iterator[tuple[str, dict[str, Any] | Record]]:
    """(place, object) for every line that is not blank; for a line that is no JSON object, the record that says so."""
    for line in lines(path, encoding, limit):
        place = f"{name}, line {line.number}"
        if line.text is None:
            assert line.problem is not None
            yield place, skipped(place, line.problem.kind, line.problem.detail)
        elif line.text.strip():
            yield place, parse_object(line.text, place)


def parse_object(text: str, place: str) -> dict[str, Any] | Record:
    """A JSON object, or the record that says why not."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return skipped(place, "syntax", f"{error.msg} at column {error.colno}")
    except (RecursionError, ValueError):
        return skipped(place, "syntax", "nesting or a number too large")
    return value if isinstance(value, dict) else skipped(place, "syntax", f"a JSON {type(value).__name__}, no object")


def first_object(head: bytes) -> dict[str, Any] | None:
    """The JSON object of the first line that is one, among the lines that the head of a file holds whole."""
    for raw in head.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:20]:
        if raw.lstrip()[:1] != b"{":
            continue
        try:
            value = json.loads(raw.decode("utf-8"))
        except (UnicodeDecodeError, ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return value
    return None
