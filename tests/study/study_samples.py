"""What the tests of a study share."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from fedkit.demo import DemoOutcome
from fedkit.notes.note import Note
from fedkit.study.runs import StudyEvent

CANARY = "Kanariefugl7Q"


@dataclass
class Finished:
    """A demo that ran to its end: what it was given, what it left, and what it said."""

    corpus: Path
    home: Path
    out: Path
    outcome: DemoOutcome
    said: list[StudyEvent]


def with_canary(note: Note, number: int) -> Note:
    """A private note whose text holds a word that must be nowhere else."""
    text = f"{note.text} {CANARY}{number:04d}."
    return replace(note, text=text, tokens=tuple(re.findall(r"\w+|[^\w\s]", text)) if note.tokens else None)
