"""How much of what should be masked is: recall per class with its confidence interval, where somebody has marked the truth.

Recall is of marked spans that are masked in full, beside those that are touched at all: half a name can still name.
Intervals are Wilson's score intervals at 95 % (Wilson 1927), which hold for small counts and for 0 and 1. They treat spans
as independent; spans of one note are not quite, so take them as the least width. A report never says "anonymised": it says
what was missed, where.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

from fedkit.notes.deidentify.apply import OLDEST, Deidentifier
from fedkit.notes.deidentify.find import find_identifiers
from fedkit.notes.deidentify.model import Identifier
from fedkit.notes.note import Note

#: 97.5 % quantile of the normal distribution.
_Z = 1.959963984540054

#: Places that are shown of what was missed; all are counted.
SHOWN = 200


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion; (0, 1) of nothing."""
    if not of:
        return 0.0, 1.0
    p, z2 = hits / of, _Z * _Z
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z / (1 + z2 / of) * sqrt(p * (1 - p) / of + z2 / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass
class ClassCount:
    """One class of the truth: spans marked, masked in full, touched."""

    marked: int = 0
    covered: int = 0
    touched: int = 0

    def to_json(self) -> dict[str, Any]:
        low, high = wilson(self.covered, self.marked)
        return {
            "marked": self.marked,
            "covered": self.covered,
            "touched": self.touched,
            "recall": round(self.covered / self.marked, 4) if self.marked else None,
            "low": round(low, 4),
            "high": round(high, 4),
        }


@dataclass
class Review:
    """What was found in notes, and how that compares to the truth where there is one. Counts and places, no text.

    found: class → identifiers.   rules: rule → identifiers.   gold: class of the truth → counts.
    missed: (note id, start, end, class) of the first `SHOWN` that were not masked in full.
    masked, masked_in_truth: characters.
    """

    notes: int = 0
    characters: int = 0
    masked: int = 0
    masked_in_truth: int = 0
    found: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    gold: dict[str, ClassCount] = field(default_factory=dict)
    missed: list[tuple[str, int, int, str]] = field(default_factory=list)

    def add(self, note: Note, identifiers: Iterable[Identifier], truth: Mapping[str, str] | None = None) -> None:
        """Count one note.   truth: label of its spans → class; None if its spans say nothing about identifiers."""
        masked = [(i.start, i.end) for i in identifiers]
        self.notes += 1
        self.characters += len(note.text)
        self.masked += sum(b - a for a, b in masked)
        for one in identifiers:
            self.found[one.label] += 1
            self.rules[one.rule] += 1
        for span in note.spans:
            if truth is None or span.label not in truth:
                continue
            signs = [i for i in range(span.start, span.end) if note.text[i].isalnum()]
            inside = sum(any(a <= i < b for a, b in masked) for i in signs)
            count = self.gold.setdefault(truth[span.label], ClassCount())
            count.marked += 1
            count.covered += inside == len(signs)
            count.touched += inside > 0
            self.masked_in_truth += sum(max(0, min(b, span.end) - max(a, span.start)) for a, b in masked)
            if inside < len(signs) and len(self.missed) < SHOWN:
                self.missed.append((note.id, span.start, span.end, truth[span.label]))

    def to_json(self) -> dict[str, Any]:
        """Everything, for a file or a table."""
        return {
            "notes": self.notes,
            "characters": self.characters,
            "masked_characters": self.masked,
            "found": dict(sorted(self.found.items())),
            "rules": dict(sorted(self.rules.items())),
            "gold": {name: count.to_json() for name, count in sorted(self.gold.items())},
            "precision_characters": round(self.masked_in_truth / self.masked, 4) if self.gold and self.masked else None,
            "missed": [list(row) for row in self.missed],
            "says": "recall of what was marked, with Wilson intervals at 95 %; text without marks was not looked at by anybody",
        }


def review(notes: Iterable[Note], truth: Mapping[str, str] | None = None, worker: Deidentifier | None = None) -> Review:
    """Find identifiers in notes and compare them to their spans.

    truth: label → class of the report, for the labels that mark identifiers; None if nobody marked any.
    worker: whose learnt words count; the shipped lists alone without it. Ages up to 89 count as found only where the truth
    marks an age, since they stay in the text.
    """
    result = Review()
    for note in notes:
        found = find_identifiers(note.text, note.language, words=worker.words(note.language) if worker else None)
        ages = truth is not None and "AGE" in truth.values()
        result.add(note, [i for i in found if i.label != "AGE" or ages or _is_high(note.text[i.start : i.end])], truth)
    return result


def _is_high(text: str) -> bool:
    digits = "".join(c for c in text if c.isdigit())
    return not digits or int(digits) > OLDEST
