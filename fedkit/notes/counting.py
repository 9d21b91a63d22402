"""Counting over notes: which notes a question is about, what they are grouped by, how many patients and notes there are.

    tally(notes, {"by": ["label"], "values": {"label": ["DRUG", "IMPLANT"]}, "labels": [], "negated": False,
                  "words": ["protese*"], "since": "", "until": ""})
    # [{"label": "DRUG", "patients": 112, "notes": 140}, {"label": "IMPLANT", "patients": 61, "notes": 64}]

Conditions and groups are plain data, so that one reviewed page of code answers many questions. Every declared group is in the
answer, also with 0: which rows there are says nothing about the notes. Small ones are for the site to leave out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import Any, Protocol

from fedkit.notes.note import Note

#: What notes can be grouped by: column → the values of a note (for a label, as many as it has).
BY = ("language", "type", "department", "author_role", "year", "label")

#: The group of notes with none of the declared values, or with no value at all. A label has no such group.
OTHER = "other"

#: What a word of a word list may be: letters, digits and single blanks or hyphens, perhaps a `*` in front or at the end.
WORD = re.compile(r"\*?\w+(?:[ -]\w+)*\*?")


class Splits(Protocol):
    """A site's notes as its worker hands them over."""

    @property
    def train(self) -> Sequence[Note]: ...
    @property
    def dev(self) -> Sequence[Note]: ...
    @property
    def test(self) -> Sequence[Note]: ...


def all_of(notes: Splits) -> list[Note]:
    """The notes of all splits, each once (on a mock twin the splits are the same notes)."""
    return list({note.id: note for split in (notes.train, notes.dev, notes.test) for note in split}.values())


def tally(notes: Iterable[Note], settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For each group its distinct patients and its notes, of the notes that meet all conditions.

    settings: "by": columns of `BY`, none for one row;  "values": column → declared values;  and the conditions of `meets`.
    With "rho" above 0, where noise is added for a privacy cost, patients alone are counted: how many notes one person has is
    bounded by nothing, so no noise would cover it.

    A note without a patient counts among the notes only, so groups of such notes never reach a threshold of patients. Groups by
    label overlap: a note with two labels is in both.
    """
    by, values = settings["by"], settings["values"]
    groups = {key: (set[str](), set[str]()) for key in product(*(groups_of(column, values[column]) for column in by))}
    fits = meets(settings)
    for note in notes:
        if fits(note):
            for key in product(*(_values(note, column, values[column], settings["negated"]) for column in by)):
                patients, found = groups[key]
                found.add(note.id)
                if note.patient is not None:
                    patients.add(note.patient)
    rows = [{**dict(zip(by, key, strict=True)), "patients": len(patients)} for key, (patients, _) in groups.items()]
    if settings.get("rho", 0) > 0:
        return rows
    return [{**row, "notes": len(found)} for row, (_, found) in zip(rows, groups.values(), strict=True)]


def groups_of(column: str, declared: Sequence[str]) -> list[str]:
    """The values that a column of the answer may hold, in their order."""
    return [*declared] if column == "label" or OTHER in declared else [*declared, OTHER]


def meets(settings: Mapping[str, Any]) -> Callable[[Note], bool]:
    """Whether a note meets all conditions; those that are empty do not count.

    labels:  it has a mention with one of these labels;  negated: whether a negated mention is one.
    words:   one of them stands in its text, as whole words, upper and lower case alike; `*` in front or at the end of a word
        stands for any more letters ("*protese*").
    since, until: dates (YYYY-MM-DD), both included; a note without a date meets neither.
    """
    labels, negated = set(settings["labels"]), settings["negated"]
    pattern, since, until = word_pattern(settings["words"]), settings["since"], settings["until"]

    def fits(note: Note) -> bool:
        if labels and not labels & labels_of(note, negated):
            return False
        if (since or until) and not (note.date and since <= note.date[:10] <= (until or "9999")):
            return False
        return pattern is None or pattern.search(note.text) is not None

    return fits


def word_pattern(words: Sequence[str]) -> re.Pattern[str] | None:
    """Finds any of these words; None for none. Raises ValueError for a word that is none (see `WORD`)."""
    if any(not WORD.fullmatch(word) for word in words):
        raise ValueError("not a word")
    parts = [rf"{_edge(word[:1])}{re.escape(word.strip('*'))}{_edge(word[-1:])}" for word in words]
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def labels_of(note: Note, negated: bool) -> set[str]:
    """The labels of a note's mentions; without `negated` those of mentions that are not said to be absent."""
    return {span.label for span in note.spans if negated or span.attributes.get("negated") not in ("true", "yes")}


def _edge(end: str) -> str:
    """At the end of a word a boundary, unless a `*` stands there."""
    return "" if end == "*" else r"\b"


def _values(note: Note, column: str, declared: Sequence[str], negated: bool) -> list[str]:
    """The groups of a column that a note belongs to."""
    if column == "label":
        return [label for label in declared if label in labels_of(note, negated)]
    value = (note.date or "")[:4] if column == "year" else getattr(note, column)
    return [value if value in declared else OTHER]
