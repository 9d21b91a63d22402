"""Terms: a form of words, what it is called in text, and the codes it stands for. `built_in` gives fedkit's own.

Codes: ATC for drugs, ICD-10 for unwanted effects, EMDN groups for devices, and for everything but drugs fedkit's own key (the
English name of the table), which is finer than the code: two effects can share one ICD-10 code, and an EMDN group holds
hundreds of devices. Makers, models and parts of the body have the own key alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from fedkit.notes.concepts import tables
from fedkit.notes.concepts.grammar import CASES, form
from fedkit.notes.note import LANGUAGES, Concept
from fedkit.notes.resources import read_table

OWN = "fedkit"

#: Label of a term that stands for nothing, so that no shorter one is found in its words: "ICD-10" is no ICD.
NOT_A_NAME = ""


@dataclass(frozen=True, slots=True)
class Term:
    """text: the words, in the case they are written in.   language: ISO 639-1, "" for all.   concepts: best first."""

    text: str
    label: str
    language: str
    concepts: tuple[Concept, ...]


@cache
def built_in() -> tuple[Term, ...]:
    """Every form of fedkit's own vocabulary: drugs, effects, implants, makers, models and body sites in six languages."""
    found: dict[tuple[str, str, str], Term] = {}
    for term in (*_drugs(), *_entries(), *_not_names()):
        found.setdefault((term.text, term.label, term.language), term)
    return tuple(found.values())


def _drugs() -> Iterator[Term]:
    for row in read_table("concepts/atc.tsv"):
        codes = tuple(Concept("ATC", code, row["name"]) for code in row["atc"].split(","))
        for text in filter(None, (row["name"], *row["also"].split(","))):
            yield Term(text, "DRUG", "", codes)


def _not_names() -> Iterator[Term]:
    for row in read_table("concepts/not_names.tsv"):
        yield Term(row["text"], NOT_A_NAME, "", ())


def _entries() -> Iterator[Term]:
    atc = {row["name"]: row["atc"].split(",") for row in read_table("concepts/atc.tsv")}
    codes = {(row["label"], row["concept"]): (row["system"], row["code"]) for row in read_table("concepts/codes.tsv")}
    known: dict[tuple[str, str], tuple[Concept, ...]] = {}
    for label in tables.TABLES:
        for entry in tables.entries(label):
            key = (label, entry.name)
            if label == "DRUG":
                known[key] = tuple(Concept("ATC", code, entry.name) for code in atc[entry.name])
            else:
                official = (Concept(*codes[key], entry.name),) if key in codes else ()
                maker = f" ({entry.facts['manufacturer']})" if label == "MODEL" else ""
                known[key] = (*official, Concept(OWN, entry.name, entry.name + maker))
            if label in ("MANUFACTURER", "MODEL"):  # a name is the same in every language
                yield Term(entry.name, label, "", known[key])
                continue
            for language in LANGUAGES:
                yield from _forms(entry.forms[language], label, language, known[key])
    for label, name, language, forms in tables.synonyms():
        yield from _forms(forms, label, language, known[label, name])
    for name, code, language, forms in tables.conditions():
        yield from _forms(forms, "REACTION", language, (Concept("ICD-10", code, name), Concept(OWN, name, name)))


def _forms(forms: tuple[str, ...], label: str, language: str, concepts: tuple[Concept, ...]) -> Iterator[Term]:
    for case in CASES[language]:
        yield Term(form(language, forms, case), label, language, concepts)
