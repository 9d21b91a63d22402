"""A note as rows of the site's tables. No database here.

    for_note = Rows(key, made="…")
    rows = for_note.of(came=note, read=pipeline(note), model="", found=())      # {"note": {…}, "note_nlp": [{…}, …], …}

Ids are pseudonyms: 63 bits of an HMAC of the source's id under the store's key. The same id is the same number in every build
of a store, in whatever order notes come, and tells nothing to whoever has not the key.

What a source says in its own words (department, kind of note, codes) becomes a word of a category: at most 64 printable signs,
else "unknown". What is found in a text is kept as a label, codes and yes or no; the words themselves stay in NOTE_NLP.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fedkit.digests import canonical, digest_bytes
from fedkit.notes.note import CONTEXT_ATTRIBUTES, LANGUAGES, Note
from fedkit.notes.pipeline import ABBREVIATION, FOREIGN, IDENTIFIER
from fedkit.notes.readers.omop import write_modifiers
from fedkit.notes.span import Span
from fedkit.sites.warehouse.tables import LANGUAGE_CONCEPTS, NOTE_TYPE, UTF8
from fedkit.warehouse.schema import UNKNOWN
from fedkit.warehouse.strict import LONGEST

#: Spans that are no mentions of anything clinical. What may name a person goes into no table but the text it stands in.
NO_MENTIONS = frozenset({ABBREVIATION, FOREIGN, IDENTIFIER})

#: `source_model` of what a person annotated, or the source brought along.
ANNOTATED = "annotated"

#: The CDM wants a date; that of a note without one. The views leave it NULL.
NO_DAY = date(1970, 1, 1)

#: Words of sources for the sexes and kinds of visits, OMOP's concepts among them.
_SEXES = {
    **dict.fromkeys(("male", "m", "man", "mann", "8507"), "male"),
    **dict.fromkeys(("female", "f", "woman", "kvinne", "8532"), "female"),
    **dict.fromkeys(("other", "o", "8521"), "other"),
}
_VISITS = {
    **dict.fromkeys(("inpatient", "imp", "9201", "admission"), "inpatient"),
    **dict.fromkeys(("outpatient", "amb", "9202"), "outpatient"),
    **dict.fromkeys(("emergency", "emer", "9203"), "emergency"),
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Rows:
    """key: of the store's pseudonyms.   build: which build this is.   recipe: the digest of pipeline and model.

    system: what reads the notes, for mentions that neither the source nor a model brought.
    """

    key: bytes
    build: str
    recipe: str
    system: str

    def id(self, kind: str, name: str) -> int:
        """The pseudonym of a source's id, 1 … 2⁶³-1."""
        mac = hmac.digest(self.key, f"{kind}:{name}".encode(), hashlib.sha256)
        return (int.from_bytes(mac[:8]) >> 1) or 1

    def note_id(self, note: Note) -> int:
        return self.id("note", note.id)

    def made(self, note: Note) -> str:
        """Changes with anything of the note as it came, and with what reads it."""
        return digest_bytes(canonical([note.to_row(), self.recipe]))

    def of(self, came: Note, read: Note, model: str, found: Sequence[Span] = ()) -> tuple[Row, Row, list[Row], list[Row]]:
        """Rows of `note`, `fedkit_note`, `note_nlp` and `fedkit_mention`.

        came: as the source has it.   read: as the pipeline left it.   found: what the model found, called `model`.
        """
        mentions = self._mentions(came, read, model, found)
        note_id, kept = self.note_id(came), came.patient is not None
        person = self.id("person", came.patient if came.patient is not None else f"of note {came.id}")
        day = _day(came.date)
        visit, first, last = self._visit(came, day)
        department, kind = word(came.department), word(came.type or came.meta.get("kind"))
        language = read.language if read.language in LANGUAGES else UNKNOWN
        note: Row = {
            "note_id": note_id,
            "person_id": person,
            "note_date": day or NO_DAY,
            "note_type_concept_id": NOTE_TYPE,
            "note_class_concept_id": _whole(came.meta.get("note_class_concept_id")) or 0,
            "note_title": (came.type or "")[:250] or None,
            "note_text": came.text,
            "encoding_concept_id": UTF8,
            "language_concept_id": LANGUAGE_CONCEPTS[language][0] if language in LANGUAGE_CONCEPTS else 0,
            "visit_occurrence_id": visit,
            "note_source_value": came.id[:50],
        }
        ours: Row = {
            "note_id": note_id,
            "person_id": person,
            "visit_id": visit,
            "build": self.build,
            "made": self.made(came),
            "kept": kept,
            "day": day,
            "first_day": first,
            "last_day": last,
            "sex": _SEXES.get(_meta(came, "sex", "gender", "gender_concept_id").lower(), UNKNOWN),
            "birth_year": _whole(_meta(came, "year_of_birth", "birth_year")),
            "visit_kind": _VISITS.get(_meta(came, "visit_kind", "visit_concept_id").lower(), UNKNOWN),
            "type": kind,
            "department": department,
            "language": language,
            "characters": len(came.text),
            "mentions": len(mentions),
        }
        nlp, more = [], []
        for number, (span, source) in enumerate(mentions):
            id = self.id("mention", f"{number}:{came.id}")
            nlp.append(_nlp(id, note_id, came, span, source, day))
            more.append(_mention(id, note_id, span, source))
        return note, ours, nlp, more

    def _mentions(self, came: Note, read: Note, model: str, found: Sequence[Span]) -> list[tuple[Span, str]]:
        """Every mention with what found it: where two have one place and label, the first of person, model, rules."""
        brought = {(s.start, s.end, s.label) for s in came.spans}
        mentions = {}
        for span in read.spans:
            place = (span.start, span.end, span.label)
            mentions[place] = (span, ANNOTATED if place in brought else self.system)
        for span in found:
            place = (span.start, span.end, span.label)
            old = mentions.get(place)
            if old is None or old[1] == self.system:
                # The rules may know its code and what is said of it.
                mentions[place] = (old[0] if old else span, model)
        ordered = sorted(mentions.items())
        return [pair for (_, _, label), pair in ordered if label not in NO_MENTIONS]

    def _visit(self, note: Note, day: date | None) -> tuple[int | None, date | None, date | None]:
        """(id, first day, last day) of the note's visit; the source's, or else the patient's at one department on one day."""
        named = _meta(note, "visit_occurrence_id", "visit")
        if named:
            first = _day(note.meta.get("visit_start_date")) or day
            return (
                (self.id("visit", named), first, max(_day(note.meta.get("visit_end_date")) or first, first))
                if first
                else (
                    self.id("visit", named),
                    None,
                    None,
                )
            )
        if note.patient is None or day is None:
            return None, None, None
        return self.id("visit", f"{note.patient}:{day.isoformat()}:{note.department or ''}"), day, day


def word(text: str | None) -> str:
    """A source's own word as a value of a category; "unknown" for none, and for what no category holds."""
    text = (text or "").strip()
    return text if 1 <= len(text) <= LONGEST and text.isprintable() else UNKNOWN


def _nlp(id: int, note_id: int, note: Note, span: Span, source: str, day: date | None) -> Row:
    return {
        "note_nlp_id": id,
        "note_id": note_id,
        "section_concept_id": 0,
        "offset": str(span.start),
        "lexical_variant": note.text_of(span)[:250],
        "note_nlp_concept_id": 0,
        "note_nlp_source_concept_id": 0,
        "nlp_system": source,
        "nlp_date": day or NO_DAY,
        "term_exists": "N" if _says(span, "negated") else "Y",
        "term_temporal": "Past" if _says(span, "historical") else "Present",
        "term_modifiers": _modifiers(span),
    }


def _modifiers(span: Span) -> str:
    """What the CDM has no column for, as the OMOP reader of `fedkit.notes` reads it: label, end, codes, and what is said."""
    said = {name: "true" for name in CONTEXT_ATTRIBUTES if _says(span, name) and name not in ("negated", "historical")}
    codes = ";".join(f"{c.system}:{c.code}" for c in span.concepts if ";" not in c.system + c.code)
    values = {"label": span.label, "end": str(span.end), **({"concept": codes} if codes else {}), **said}
    found = write_modifiers(values)
    return found if len(found) <= 2000 else write_modifiers({"label": span.label[:64], "end": str(span.end)})


def _mention(id: int, note_id: int, span: Span, source: str) -> Row:
    first = span.concepts[0] if span.concepts else None
    return {
        "note_nlp_id": id,
        "note_id": note_id,
        "end_offset": span.end,
        "label": word(span.label),
        "concept": word(first.code if first else None),
        "concept_system": word(first.system if first else None),
        **{name: _says(span, name) for name in ("negated", "uncertain", "historical", "family")},
        "source_model": source,
    }


def _says(span: Span, attribute: str) -> bool:
    return span.attributes.get(attribute, "").lower() in ("true", "yes")


def _meta(note: Note, *names: str) -> str:
    return next((note.meta[name] for name in names if note.meta.get(name)), "")


def _day(text: str | None) -> date | None:
    """The day of an ISO 8601 text, None for anything else."""
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
