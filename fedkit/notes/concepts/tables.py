"""The words of fedkit's own vocabulary, by language: tables in `fedkit/notes/data/concepts/`.

A table has a row per thing (a drug, an effect, a device, a part of the body): its English name, a group, and an entry per
language, which holds the forms that `grammar` asks for, with `/` between. `synonyms.tsv` has further entries of the same
things, `conditions.tsv` conditions besides, `codes.tsv` and `atc.tsv` their codes. All of it was written for fedkit; no row
comes from a licensed vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from fedkit.notes.note import LANGUAGES
from fedkit.notes.resources import read_table

#: Label → table. The order is the order of `fedkit.notes.note.CLINICAL_LABELS`.
TABLES = {
    "DRUG": "drugs.tsv",
    "REACTION": "reactions.tsv",
    "IMPLANT": "implants.tsv",
    "MANUFACTURER": "manufacturers.tsv",
    "MODEL": "models.tsv",
    "BODY_SITE": "body_sites.tsv",
}


@dataclass(frozen=True)
class Entry:
    """One thing and its words. `forms`: language → forms (see `grammar`). `facts`: the table's other columns."""

    label: str
    name: str
    group: str
    forms: Mapping[str, tuple[str, ...]]
    facts: Mapping[str, str] = field(default_factory=dict)


@cache
def entries(label: str) -> tuple[Entry, ...]:
    """All entries of a label, in the order of its table. A name of a maker or a model is the same in every language."""
    return tuple(
        Entry(
            label,
            row["concept"],
            row.get("group", ""),
            {language: tuple(row.get(language, row["concept"]).split("/")) for language in LANGUAGES},
            {k: v for k, v in row.items() if k not in (*LANGUAGES, "concept", "group")},
        )
        for row in read_table(f"concepts/{TABLES[label]}")
    )


def conditions() -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """(name, ICD-10 code, language, forms) of conditions that no synthetic note tells as a reaction."""
    for row in read_table("concepts/conditions.tsv"):
        for language in LANGUAGES:
            for entry in row[language].split(","):
                yield row["concept"], row["code"], language, tuple(entry.split("/"))


def synonyms() -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """(label, name of the thing, language, forms) of every further entry."""
    for row in read_table("concepts/synonyms.tsv"):
        for language in LANGUAGES:
            for entry in filter(None, row[language].split(",")):
                yield row["label"], row["concept"], language, tuple(entry.split("/"))
