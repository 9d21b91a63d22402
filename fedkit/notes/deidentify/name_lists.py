"""The lists of names, titles, function words and kept words, read from `data/`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from fedkit.notes.concepts import built_in
from fedkit.notes.deidentify.scanning import TOKEN
from fedkit.notes.resources import read_table


@dataclass(frozen=True, slots=True)
class Lists:
    """What is known about words that are written with a capital."""

    given: frozenset[str]
    family: frozenset[str]
    kept: frozenset[str]
    grammar: frozenset[str]
    ambiguous: frozenset[str]
    titles: frozenset[str]
    headings: frozenset[str]
    eponyms: frozenset[str]
    home: frozenset[str]  # family names of the language's own country
    home_given: frozenset[str]  # and given names


#: Languages with lists of names.
_LISTED = ("nb", "sv", "da", "fi", "et", "en")


@cache
def lists_for(language: str) -> Lists:
    """Names of all languages, since patients come from everywhere; what is ambiguous is the language's own."""
    given: set[str] = set()
    family: set[str] = set()
    for code in _LISTED:
        for row in _lines(f"names/{code}.tsv"):
            name, kind = row.split("\t")
            (family if kind == "family" else given).update(part.lower() for part in re.split(r"[- ]", name))
            (family if kind == "family" else given).add(name.lower())
    own = {"nn": "nb"}.get(language, language)
    rows = _lines(f"names/{own}.tsv") if own in _LISTED else []
    home = {row.partition("\t")[0].lower() for row in rows if row.endswith("\tfamily")}
    home_given = {row.partition("\t")[0].lower() for row in rows if not row.endswith("\tfamily")}
    home_given |= {name.lower() for name in _column("names/more.tsv", own)}
    given |= home_given
    # Words of other languages' anatomy are names here: only the language's own, and products, which are the same everywhere.
    terms = {w.lower() for t in built_in() if t.language in ("", language) or not language for w in TOKEN.findall(t.text)}
    return Lists(
        frozenset(given),
        frozenset(family),
        frozenset(row.lower() for name in ("kept.txt", "countries.txt") for row in _lines(name)) | (terms - given - family),
        frozenset(w for code in _grammars(language) for w in _column("function_words.tsv", code)),
        frozenset(_column("ambiguous.tsv", own)),
        frozenset(w for code in _LISTED for w in _column("titles.tsv", code)),
        frozenset(w.lower() for row in read_table("sections.tsv") for value in row.values() for w in TOKEN.findall(value)),
        frozenset(row.lower() for row in _lines("eponyms.txt")),
        frozenset(home),
        frozenset(home_given),
    )


def _grammars(language: str) -> tuple[str, ...]:
    """Whose function words count: the language's own, English ones, and those of the record; all where it is not known."""
    sisters = {"nb": ("nb", "nn"), "nn": ("nn", "nb"), "sv": ("sv",), "da": ("da",), "fi": ("fi",), "et": ("et",), "en": ()}
    return (*sisters.get(language, ("nb", "nn", "sv", "da", "fi", "et")), "en", "xx")


def _lines(name: str) -> list[str]:
    text = files("fedkit.notes.deidentify").joinpath("data").joinpath(name).read_text("utf-8")
    return [row for row in text.split("\n") if row and not row.startswith("#")]


def _column(name: str, language: str) -> set[str]:
    return {w for row in _lines(name) for code, _, words in [row.partition("\t")] if code == language for w in words.split()}


class Token(NamedTuple):
    """A word of a text."""

    start: int
    end: int
    text: str
    lower: str
    capital: bool  # written with a capital first
    begins: bool  # first of a sentence, a line, a cell, or after a colon
    shout: bool  # all in capitals
