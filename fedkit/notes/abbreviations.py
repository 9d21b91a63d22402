"""Abbreviations of clinical and ordinary prose, a list a language: which periods end no sentence, and what they stand for.

    expand("Tbl. Marevan pga. AF", "nb")    # (Abbreviation(0, 4, 'tablett'), Abbreviation(13, 17, 'på grunn av'))

The lists (`data/abbreviations/*.tsv`) were written for fedkit from the languages' spelling norms and common clinical use; they
are read once. Their column `period` says what the final period may be besides: after "list" ("osv.") and "word" ("med.", which
is a word as well) it ends the sentence where a capital follows; after the others it never does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from fedkit.notes.memory import Memory
from fedkit.notes.note import LANGUAGES
from fedkit.notes.resources import read_table

#: What an abbreviation may stand in, and that part of it which may be one.
_RUN = re.compile(r"[\w.]+")
_CANDIDATE = re.compile(r"[^\W\d_]{1,12}(?:\.[^\W\d_]{1,12})*\.?(?!\w)")


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """`text[start:end]` stands for `expansion` (in the language of the note, uninflected)."""

    start: int
    end: int
    expansion: str


@cache
def _rows(language: str) -> tuple[dict[str, str], ...]:
    """The list of a language; of all languages where it has none."""
    own = read_table(f"abbreviations/{language}.tsv")
    return own or tuple(row for other in (*LANGUAGES, "en") for row in read_table(f"abbreviations/{other}.tsv"))


@cache
def abbreviations(language: str) -> dict[str, str]:
    """Lower-case abbreviation → its expansion. A language without a list of its own has all of them."""
    return {row["abbreviation"].lower(): row["expansion"] for row in reversed(_rows(language))}


@cache
def dotted(language: str) -> frozenset[str]:
    """Lower-case abbreviations that are written with a final period."""
    return frozenset(short for short in abbreviations(language) if short.endswith("."))


@cache
def closing(language: str) -> frozenset[str]:
    """Those of `dotted` whose period ends a sentence as well where a capital follows."""
    return frozenset(row["abbreviation"].lower() for row in _rows(language) if row["period"])


@cache
def ambiguous(language: str) -> frozenset[str]:
    """Abbreviations, without their period, that are ordinary words as well."""
    return frozenset(row["abbreviation"].lower().rstrip(".") for row in _rows(language) if row["period"] == "word")


def expand(text: str, language: str) -> tuple[Abbreviation, ...]:
    """The abbreviations of a text in order, written with their periods or without (`beh`, `beh.`), in either case.

    One that is left without its period is taken only where it is three letters or more, so that no ordinary word is meant.
    """
    known = _expansions(language)
    runs = _RUN.findall(text)
    found: list[Abbreviation] = []
    done = at = 0
    for i, entry in enumerate(map(known.__getitem__, runs)):
        if entry is not None:
            for run in runs[done:i]:  # only other signs lie between runs, so each is the next of its kind
                at = text.index(run, at) + len(run)
            start = text.index(runs[i], at)
            done, at = i + 1, start + len(runs[i])
            found.append(Abbreviation(start, start + entry[0], entry[1]))
    return tuple(found)


@cache
def _expansions(language: str) -> Memory[tuple[int, str] | None]:
    """Length and expansion of the abbreviation that a run begins with, if it does."""
    known, also_words = abbreviations(language), ambiguous(language)

    def expansion(run: str) -> tuple[int, str] | None:
        match = _CANDIDATE.match(run)
        word = match.group().lower() if match else ""
        full = known.get(word)
        if full is None and not word.endswith(".") and len(word) > 2 and word not in also_words:
            full = known.get(word + ".")
        return None if match is None or full is None else (match.end(), full)

    return Memory(expansion)
