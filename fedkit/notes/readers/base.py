"""The seam of the readers: a source of notes in one format, read record by record.

    reader = JsonlReader(Rules(language="nb"))
    for record in reader.read(Path("notes.jsonl")):
        record.note, record.problems

A reader yields a `Record` for every record of its source, in an order that is the same every time; what cannot be read is a
record with a problem and no note. So one bad record never loses the rest, and an import that was cut off goes on by number.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import ClassVar

from fedkit.errors import CorpusError
from fedkit.notes.note import Note

#: A note longer than this is skipped and named: about 500 pages; no step after the import meets anything larger.
MAX_CHARACTERS = 2_000_000

#: What can be wrong with a record, by the word the report uses.
PROBLEMS: Mapping[str, str] = {
    "encoding": "bytes that are not text in the encoding of the source",
    "syntax": "not a record of this format",
    "empty": "no text",
    "too large": "a text longer than the limit",
    "half a character": "one half of a surrogate pair",
    "NUL": "NUL characters, replaced by blanks",
    "id missing": "no id; the place was taken",
    "id twice": "an id that another note has",
    "text elsewhere": "the text lies behind a reference that the source does not hold",
    "span outside": "a span whose offsets do not fit the text, left out",
    "span words": "a span whose own words stand elsewhere in the text, left out",
    "label unknown": "a span whose label was not asked for, left out",
    "relation": "a relation to a span that is not there, left out",
    "structure": "sections, sentences or tokens that do not fit the text, left out",
    "date": "a date that cannot be understood, kept in meta",
    "left out": "parts that this format can hold and a note cannot",
    "unreadable": "a file, or a page of one, that cannot be understood from here on",
    "disk": "the system could not read on here; the next run tries again",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What was wrong with a record: a key of `PROBLEMS`, and a detail without any text of the note."""

    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a source. `place` is where a person finds it ("a.jsonl, line 7"); `note` is None if it was skipped."""

    place: str
    note: Note | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """How to read.

    language: for notes whose source names none (ISO 639-1).
    encoding: of text formats; UTF-8 and UTF-16 with a byte order mark are recognised whatever is said here.
    labels: the labels to keep, after renaming; None keeps all.
    rename: label of the source → label of ours.
    columns: field of ours → column of the source, for tables ("text" → "NOTATTEKST").
    max_characters: the longest note that is kept.
    """

    language: str = ""
    encoding: str = "utf-8"
    labels: frozenset[str] | None = None
    rename: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    max_characters: int = MAX_CHARACTERS


class NoteReader(ABC):
    """A format. Implementations write `recognises` and `_read`; `read` keeps the promises above whatever those raise."""

    #: The word for `--format`, and what people call it.
    name: ClassVar[str]
    title: ClassVar[str]
    #: Endings of the files that hold notes, as in ".jsonl"; other files of a folder are not looked at.
    suffixes: ClassVar[tuple[str, ...]]

    def __init__(self, rules: Rules = Rules()) -> None:
        self.rules = rules

    @classmethod
    @abstractmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        """True if a file is of this format, by its first 64 KiB and its name."""

    @classmethod
    def files(cls, folder: Path) -> list[Path]:
        """The files of this format in a folder and below it, in order; hidden ones are not looked at."""
        return sorted(
            path
            for path in folder.rglob("*")
            if path.suffix.lower() in cls.suffixes
            and path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        )

    @classmethod
    def fingerprint(cls, path: Path) -> str:
        """Changes with everything that `read` would read for this file. Raises OSError."""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def read(self, path: Path, *, name: str = "", after: int = 0) -> Iterator[Record]:
        """The records of one file, without the first `after`. `name`: how places call the file (default: its own name).

        Raises nothing for what stands in the file: from where a file cannot be read on, the last record says
        "unreadable", or "disk" if it was the system's doing.
        """
        return islice(self._guarded(path, name or path.name), after, None)

    @abstractmethod
    def _read(self, path: Path, name: str) -> Iterator[Record]:
        """The records of one file. May raise CorpusError or any exception of a parser where nothing more can be read."""

    def _one(self, place: str, make: Callable[[], Record]) -> Record:
        """The record that `make` builds; whatever it raises costs this record alone."""
        try:
            return make()
        except Exception as error:  # its message could hold text
            return skipped(place, "syntax", f"cannot be understood ({type(error).__name__})")

    def _guarded(self, path: Path, name: str) -> Iterator[Record]:
        number = 0
        try:
            for record in self._read(path, name):
                number += 1
                yield record
        except CorpusError as error:
            yield skipped(name, "unreadable", f"{error.message}: expected {error.expected}, got {error.got}")
        except OSError as error:
            yield skipped(name, "disk", error.strerror or type(error).__name__)
        except Exception as error:  # a parser's own: its message could hold text
            yield skipped(name, "unreadable", f"{type(error).__name__} after record {number}")


def skipped(place: str, kind: str, detail: str = "") -> Record:
    """A record without a note."""
    return Record(place, None, (Problem(kind, detail),))
