"""How notes are really typed: slips of the finger, abbreviations, dictation without periods. Offsets follow every change."""

from __future__ import annotations

import random
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from fedkit.notes.concepts.grammar import CASES, form
from fedkit.notes.concepts.tables import TABLES, entries
from fedkit.notes.note import LANGUAGES, Note, Span
from fedkit.notes.synthetic.lexicon import fillers

_WORD = re.compile(r"[^\W\d_]{7,}")
_PERIOD = re.compile(r"(?<=[^\W\d_]{4})\. (?=[^\W\d_])")

#: Of how many notes in 100: a slip, abbreviations, dictation (of nursing and outpatient notes).
SLIPS, SHORT, DICTATED = 35, 50, 40
_DICTATED_KINDS = ("nursing", "outpatient")


@dataclass(frozen=True)
class Edit:
    """`text[start:end]` becomes `new`."""

    start: int
    end: int
    new: str


def styled(note: Note, kind: str, rng: random.Random) -> Note:
    """The note with slips, abbreviations and dictation as drawn. Its words keep their meaning, spans their words.

    `meta["style"]` says what was done; a misspelt span has the attribute `misspelt`.
    """
    done: list[str] = []
    if rng.randrange(100) < SHORT:
        changed = edited(note, _shortened(note, rng))
        done += ["abbreviated"] * (changed.text != note.text)
        note = changed
    if rng.randrange(100) < SLIPS:
        changed = _slipped(note, rng)
        done += ["misspelt"] * (changed.text != note.text)
        note = changed
    if kind in _DICTATED_KINDS and rng.randrange(100) < DICTATED:
        note = edited(note, _dictated(note, rng))
        done.append("dictated")
    return replace(note, meta={**note.meta, "style": " ".join(done)}) if done else note


def edited(note: Note, edits: Iterable[Edit]) -> Note:
    """The note with these changes, and its spans and sections where their words now are.

    Edits may not overlap, nor begin or end inside a span without lying wholly in it.
    """
    ordered = sorted(edits, key=lambda e: e.start)
    ends, shifts, moved = [e.end for e in ordered], [], 0
    for edit in ordered:
        moved += len(edit.new) - (edit.end - edit.start)
        shifts.append(moved)

    def at(offset: int) -> int:
        n = bisect_right(ends, offset)
        return offset + (shifts[n - 1] if n else 0)

    pieces, last = [], 0
    for edit in ordered:
        pieces += [note.text[last : edit.start], edit.new]
        last = edit.end
    text = "".join(pieces) + note.text[last:]
    spans = tuple(replace(s, start=at(s.start), end=at(s.end)) for s in note.spans)
    sections = tuple(replace(s, start=at(s.start), end=at(s.end), header_end=at(s.header_end)) for s in note.sections)
    return replace(note, text=text, spans=spans, sections=sections)


def slip(word: str, rng: random.Random) -> str:
    """The word with two letters swapped, one left out, doubled, or hit beside, behind its first letter."""
    at = rng.randrange(1, len(word) - 2)
    before, here, after = word[:at], word[at], word[at + 1 :]
    return before + rng.choice((after[0] + here + after[1:], after, here + here + after, rng.choice("aeinrst") + after))


@cache
def known_forms() -> frozenset[str]:
    """Every form of every table: no slip may turn one word of the vocabulary into another."""
    return frozenset(
        form(language, entry.forms[language], case).casefold()
        for label in TABLES
        for entry in entries(label)
        for language in LANGUAGES
        for case in CASES[language]
    )


def _slipped(note: Note, rng: random.Random) -> Note:
    words = [m for m in _WORD.finditer(note.text) if m[0].islower() and not _cut(note.spans, m.start(), m.end())]
    edits = []
    for match in rng.sample(words, min(rng.randint(1, 3), len(words))):
        wrong = slip(match[0], rng)
        if wrong != match[0] and wrong.casefold() not in known_forms():
            edits.append(Edit(match.start(), match.end(), wrong))
    inside = {i for i, s in enumerate(note.spans) for e in edits if s.start <= e.start and e.end <= s.end}
    spans = tuple(
        replace(s, attributes={**s.attributes, "misspelt": "true"}) if i in inside else s for i, s in enumerate(note.spans)
    )
    return edited(replace(note, spans=spans), edits)


def _shortened(note: Note, rng: random.Random) -> list[Edit]:
    short: dict[str, str] = fillers()[note.language]["short"]
    found = []
    for word, abbreviation in short.items():
        for match in re.finditer(rf"(?<![\w-]){word}(?![\w-])", note.text, re.IGNORECASE):
            if _free(note.spans, match.start(), match.end()) and rng.random() < 0.7:
                new = abbreviation.capitalize() if match[0][0].isupper() else abbreviation
                # Its own period also ends the sentence.
                end = match.end() + (new.endswith(".") and note.text[match.end() : match.end() + 1] == ".")
                found.append(Edit(match.start(), end, new))
    return found


def _dictated(note: Note, rng: random.Random) -> list[Edit]:
    """Sentences run on, or their periods are words, as when a dictation is typed as it was spoken."""
    spoken = f" {fillers()[note.language]['spoken']} " if rng.random() < 0.5 else " "
    found = []
    for match in _PERIOD.finditer(note.text):
        if _free(note.spans, match.start(), match.end()):
            after = match.end()
            lower = note.text[after].lower()
            if _free(note.spans, after, after + 1):
                found.append(Edit(match.start(), after + 1, spoken + lower))
            else:
                found.append(Edit(match.start(), after, spoken))
    return found


def _free(spans: Sequence[Span], start: int, end: int) -> bool:
    return all(end <= s.start or s.end <= start for s in spans)


def _cut(spans: Sequence[Span], start: int, end: int) -> bool:
    """Whether a stretch lies partly in a span and partly outside."""
    return any(s.start < end and start < s.end and not (s.start <= start and end <= s.end) for s in spans)
