"""Rows of a table as notes: which column is which, by the names that exports use or by `Rules.columns`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fedkit.errors import CorpusError
from fedkit.notes.readers.base import Record, Rules
from fedkit.notes.readers.draft import from_row

#: Field → names of columns, in small letters with `_` for blanks, the first that is there being taken.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "text": ("text", "note_text", "notattekst", "anteckning", "journaltekst", "teksti", "tekst", "content", "body"),
    "id": ("id", "note_id", "doc_id", "document_id"),
    "lang": ("lang", "language", "sprak", "språk", "sprog", "kieli", "keel"),
    "patient": ("patient", "patient_id", "person_id", "subject_id", "pasient_id", "potilas_id", "patsient_id"),
    "date": ("date", "note_date", "note_datetime", "datetime", "dato", "datum", "pvm", "kuupäev"),
    "author_role": ("author_role", "role", "profession"),
    "department": ("department", "ward", "unit", "avdeling", "avdelning", "afdeling", "osasto", "osakond"),
    "type": ("type", "note_type", "note_title", "document_type", "notattype"),
    "tokens": ("tokens",),
    "spans": ("spans", "entities"),
    "relations": ("relations",),
    "sections": ("sections",),
    "sentences": ("sentences",),
    "meta": ("meta",),
}
#: Fields whose cells hold JSON where a table has no nested columns.
NESTED = ("tokens", "spans", "relations", "sections", "sentences", "meta")


class Columns:
    """The columns of one table. Raises CorpusError if none holds the text, or one that `Rules.columns` names is missing."""

    def __init__(self, names: Sequence[str], rules: Rules, place: str) -> None:
        self.names = [name.strip().lstrip("\ufeff") for name in names]
        self.rules = rules
        known = {name.lower().replace(" ", "_"): i for i, name in reversed(list(enumerate(self.names)))}
        self.of: dict[str, int] = {}
        for field, aliases in ALIASES.items():
            wanted = rules.columns.get(field)
            if wanted is not None and wanted not in self.names:
                raise CorpusError(
                    f"{place}: no column {wanted!r}", expected="a name in the heading", got=f"{len(self.names)} others"
                )
            found = self.names.index(wanted) if wanted else next((known[a] for a in aliases if a in known), None)
            if found is not None:
                self.of[field] = found
        if "text" not in self.of:
            raise CorpusError(
                f"{place}: no column with the text",
                expected=f"a column named {', '.join(ALIASES['text'][:3])}, …",
                got=f"{len(self.names)} others",  # not their names: a table without a heading begins with a note
                help="name it with --column text=NAME",
            )

    def record(self, cells: Sequence[Any], place: str) -> Record:
        """The record of one row; cells that are no part of a note go to meta under their column's name."""
        row: dict[str, Any] = {field: _nested(cells[i]) if field in NESTED else cells[i] for field, i in self.of.items()}
        taken = set(self.of.values())
        rest = {name: cells[i] for i, name in enumerate(self.names) if i not in taken and name and cells[i] not in (None, "")}
        given = row.get("meta")
        row["meta"] = {k: str(v) for k, v in rest.items()} | (given if isinstance(given, dict) else {})
        for field in ("id", "lang", "patient", "date", "author_role", "department", "type"):
            if row.get(field) is not None:
                row[field] = str(row[field])
        return from_row(row, place, self.rules)


def looks_like_columns(names: Sequence[str]) -> bool:
    """True if one of these headings is a usual name for the text of a note."""
    return any(name.strip().lstrip("\ufeff").lower().replace(" ", "_") in ALIASES["text"] for name in names)


def _nested(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    if not cell.strip():
        return None
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return cell  # of the wrong shape, which is then named
