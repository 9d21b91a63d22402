"""BRAT standoff: a .txt and a .ann for each note, named by its id.

Attributes are A lines, concepts N lines, relations R lines. BRAT has no place for what is known of the note itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from fedkit.notes.note import Note, Span
from fedkit.notes.writers.base import NoteWriter


class BratWriter(NoteWriter):
    """Labels and names of attributes have no blanks in BRAT, so `_` stands for them, and that is counted."""

    name = "brat"
    title = "BRAT standoff"
    suffixes = (".txt", ".ann")
    holds = frozenset({"relations", "attributes", "concepts", "fragments"})

    def _write(self, notes: Iterable[Note], target: Path, losses: Counter[str]) -> None:
        used: set[str] = set()
        for note in notes:
            name = file_name(note.id, used)
            losses["ids that are no file names"] += name != note.id
            (target / f"{name}.txt").write_bytes(note.text.encode())
            (target / f"{name}.ann").write_bytes(_standoff(note, losses).encode())


def file_name(id: str, used: set[str]) -> str:
    """A name for a note's files: its id where that can be one, never one of `used` (in small letters), which it joins."""
    name = re.sub(r"[^\w.-]", "_", id)[:120].lstrip(".") or "note"
    while name.lower() in used:
        name += "_"
    used.add(name.lower())
    return name


def _standoff(note: Note, losses: Counter[str]) -> str:
    lines: list[str] = []
    attributes = concepts = 0
    for number, span in enumerate(note.spans, start=1):
        pieces = span.fragments or ((span.start, span.end),)
        places = ";".join(f"{a} {b}" for a, b in pieces)
        lines.append(f"T{number}\t{_word(span.label, losses)} {places}\t{_covered(note, span)}")
        for name, value in span.attributes.items():
            attributes += 1
            said = "" if value == "true" else f" {' '.join(value.split())}"
            losses["blanks in values"] += " ".join(value.split()) != value
            lines.append(f"A{attributes}\t{_word(name, losses)} T{number}{said}")
        for concept in span.concepts:
            concepts += 1
            code = f"{_word(concept.system or '-', losses)}:{_word(concept.code, losses)}"
            lines.append(f"N{concepts}\tReference T{number} {code}\t{' '.join(concept.name.split())}")
    for number, relation in enumerate(note.relations, start=1):
        ends = f"Arg1:T{relation.head + 1} Arg2:T{relation.tail + 1}"
        lines.append(f"R{number}\t{_word(relation.label, losses)} {ends}")
    return "".join(f"{line}\n" for line in lines)


def _covered(note: Note, span: Span) -> str:
    return " ".join(note.text_of(span).split())


def _word(text: str, losses: Counter[str]) -> str:
    word = re.sub(r"\s+", "_", text) or "_"
    losses["blanks in labels"] += word != text
    return word
