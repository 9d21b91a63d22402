"""OMOP CDM 5.4 as a DuckDB file: PERSON, VISIT_OCCURRENCE, NOTE and NOTE_NLP, with CONCEPT for what we name ourselves.

Ids are integers there: those that are none are numbered, and stand in `note_source_value` (50 signs). Labels, other codes and
attributes stand in `term_modifiers`; names of languages are local concepts, numbered from 2,000,000,000 as OHDSI has it; a role
and its department are a PROVIDER and its CARE_SITE.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from fedkit.notes.note import Note, Span
from fedkit.notes.readers.omop import write_modifiers
from fedkit.notes.writers.base import NoteWriter

# The columns of these tables as the CDM 5.4 specification lists them (ohdsi.github.io/CommonDataModel/cdm54.html).
_DDL = """
CREATE TABLE person (person_id INTEGER NOT NULL, gender_concept_id INTEGER NOT NULL, year_of_birth INTEGER NOT NULL,
  month_of_birth INTEGER, day_of_birth INTEGER, birth_datetime TIMESTAMP, race_concept_id INTEGER NOT NULL,
  ethnicity_concept_id INTEGER NOT NULL, location_id INTEGER, provider_id INTEGER, care_site_id INTEGER,
  person_source_value VARCHAR(50), gender_source_value VARCHAR(50), gender_source_concept_id INTEGER,
  race_source_value VARCHAR(50), race_source_concept_id INTEGER, ethnicity_source_value VARCHAR(50),
  ethnicity_source_concept_id INTEGER);
CREATE TABLE visit_occurrence (visit_occurrence_id INTEGER NOT NULL, person_id INTEGER NOT NULL,
  visit_concept_id INTEGER NOT NULL, visit_start_date DATE NOT NULL, visit_start_datetime TIMESTAMP,
  visit_end_date DATE NOT NULL, visit_end_datetime TIMESTAMP,
  visit_type_concept_id INTEGER NOT NULL, provider_id INTEGER, care_site_id INTEGER, visit_source_value VARCHAR(50),
  visit_source_concept_id INTEGER, admitted_from_concept_id INTEGER, admitted_from_source_value VARCHAR(50),
  discharged_to_concept_id INTEGER, discharged_to_source_value VARCHAR(50), preceding_visit_occurrence_id INTEGER);
CREATE TABLE note (note_id INTEGER NOT NULL, person_id INTEGER NOT NULL, note_date DATE NOT NULL, note_datetime TIMESTAMP,
  note_type_concept_id INTEGER NOT NULL, note_class_concept_id INTEGER NOT NULL, note_title VARCHAR(250),
  note_text TEXT NOT NULL, encoding_concept_id INTEGER NOT NULL, language_concept_id INTEGER NOT NULL, provider_id INTEGER,
  visit_occurrence_id INTEGER, visit_detail_id INTEGER, note_source_value VARCHAR(50), note_event_id INTEGER,
  note_event_field_concept_id INTEGER);
CREATE TABLE provider (provider_id INTEGER NOT NULL, provider_name VARCHAR(255), npi VARCHAR(20), dea VARCHAR(20),
  specialty_concept_id INTEGER, care_site_id INTEGER, year_of_birth INTEGER, gender_concept_id INTEGER,
  provider_source_value VARCHAR(50), specialty_source_value VARCHAR(50), specialty_source_concept_id INTEGER,
  gender_source_value VARCHAR(50), gender_source_concept_id INTEGER);
CREATE TABLE care_site (care_site_id INTEGER NOT NULL, care_site_name VARCHAR(255), place_of_service_concept_id INTEGER,
  location_id INTEGER, care_site_source_value VARCHAR(50), place_of_service_source_value VARCHAR(50));
CREATE TABLE note_nlp (note_nlp_id INTEGER NOT NULL, note_id INTEGER NOT NULL, section_concept_id INTEGER, snippet VARCHAR(250),
  "offset" VARCHAR(50), lexical_variant VARCHAR(250) NOT NULL, note_nlp_concept_id INTEGER, note_nlp_source_concept_id INTEGER,
  nlp_system VARCHAR(250), nlp_date DATE NOT NULL, nlp_datetime TIMESTAMP, term_exists VARCHAR(1), term_temporal VARCHAR(50),
  term_modifiers VARCHAR(2000));
CREATE TABLE concept (concept_id INTEGER NOT NULL, concept_name VARCHAR(255) NOT NULL, domain_id VARCHAR(20) NOT NULL,
  vocabulary_id VARCHAR(20) NOT NULL, concept_class_id VARCHAR(20) NOT NULL, standard_concept VARCHAR(1),
  concept_code VARCHAR(50) NOT NULL, valid_start_date DATE NOT NULL, valid_end_date DATE NOT NULL, invalid_reason VARCHAR(1));
"""

_LANGUAGES = {
    "nb": "Norwegian Bokmål", "nn": "Norwegian Nynorsk", "no": "Norwegian", "sv": "Swedish", "da": "Danish", "fi": "Finnish",
    "et": "Estonian", "en": "English",
}  # fmt: skip
_LOCAL = 2_000_000_000
_NO_DATE = "1970-01-01"  # the CDM wants one
_ROWS = 500


class OmopWriter(NoteWriter):
    """`person_id` is the patient where that is a number, else a number of its own; `person_source_value` is the patient."""

    name = "omop"
    title = "OMOP CDM 5.4"
    holds = frozenset({"language", "patient", "date", "type", "author_role", "department", "attributes", "concepts"})

    def _write(self, notes: Iterable[Note], target: Path, losses: Counter[str]) -> None:
        import duckdb

        ids, persons = _Numbers(), _Numbers()
        providers: dict[tuple[str, str], int] = {}  # (role, department) → number: nobody's name
        mentions = 0
        source = iter(notes)
        with duckdb.connect(str(target), config={"enable_external_access": "false", "threads": "1"}) as database:
            database.execute(_DDL)
            _insert(database, "concept", _languages())
            while batch := list(islice(source, _ROWS)):
                rows, nlp = [], []
                for note in batch:
                    number = ids.of(note.id, losses, "ids that are no integers")
                    person = persons.of(note.patient or "", losses, "patients that are no integers" if note.patient else "")
                    pair = ((note.author_role or "")[:50], (note.department or "")[:255])
                    provider = providers.setdefault(pair, len(providers) + 1) if any(pair) else None
                    rows.append(_note(note, losses) | {"note_id": number, "person_id": person, "provider_id": provider})
                    for span in note.spans:
                        mentions += 1
                        nlp.append(_mention(note, span, losses) | {"note_nlp_id": mentions, "note_id": number})
                _insert(database, "note", rows)
                _insert(database, "note_nlp", nlp)
            _insert(database, "person", [_person(patient, number) for patient, number in persons.all()])
            sites = {name: number for number, name in enumerate(sorted({site for _, site in providers if site}), start=1)}
            _insert(database, "care_site", [{"care_site_id": n, "care_site_name": name} for name, n in sites.items()])
            people = [
                {"provider_id": number, "care_site_id": sites.get(site), "specialty_source_value": role or None}
                for (role, site), number in providers.items()
            ]
            _insert(database, "provider", people)
            database.execute("CHECKPOINT")


class _Numbers:
    """Integers for names: the name itself where it is one in canonical form, else the next above a thousand million."""

    def __init__(self) -> None:
        self._of: dict[str, int] = {}
        self._next = 1_000_000_000

    def of(self, name: str, losses: Counter[str], loss: str) -> int:
        if name not in self._of:
            whole = name.isascii() and name.isdigit() and len(name) < 10 and str(int(name)) == name and name != "0"
            if not whole:
                self._next += 1
                losses[loss] += bool(loss)
            self._of[name] = int(name) if whole else self._next
        return self._of[name]

    def all(self) -> list[tuple[str, int]]:
        return list(self._of.items())


def _languages() -> list[dict[str, Any]]:
    always = {"domain_id": "Language", "vocabulary_id": "fedkit", "concept_class_id": "Language"}
    always |= {"valid_start_date": _NO_DATE, "valid_end_date": "2099-12-31"}
    return [
        always | {"concept_id": _LOCAL + number, "concept_name": f"{name} language", "concept_code": name}
        for number, name in enumerate(_LANGUAGES.values())
    ]


def _person(patient: str, number: int) -> dict[str, Any]:
    unknown = {"gender_concept_id": 0, "year_of_birth": 0, "race_concept_id": 0, "ethnicity_concept_id": 0}
    return unknown | {"person_id": number, "person_source_value": patient[:50] or None}


def _note(note: Note, losses: Counter[str]) -> dict[str, Any]:
    language = list(_LANGUAGES).index(note.language) + _LOCAL if note.language in _LANGUAGES else 0
    losses["language"] += bool(note.language) and not language
    losses["date"] += note.date is None or len(note.date) > 19  # one is filled in; a zone is cut off
    return {
        "note_date": (note.date or _NO_DATE)[:10],
        "note_datetime": note.date[:19] if note.date and len(note.date) > 10 else None,
        "note_type_concept_id": 0,
        "note_class_concept_id": 0,
        "note_title": (note.type or "")[:250] or None,
        "note_text": note.text,
        "encoding_concept_id": 0,
        "language_concept_id": language,
        "note_source_value": note.id[:50],  # always: the id of a row may be ours
    }


def _mention(note: Note, span: Span, losses: Counter[str]) -> dict[str, Any]:
    words = note.text[span.start : span.end]
    more = {"label": span.label} | ({"end": str(span.end)} if len(words) > 250 else {}) | dict(span.attributes)
    negated, past = more.get("negated") == "true", more.get("historical") == "true"
    for name, said in (("negated", negated), ("historical", past)):
        if said:
            del more[name]
    others = [c for c in span.concepts if c.system != "OMOP"]
    if others:
        more["concept"] = ";".join(f"{c.system}:{c.code}:{c.name}".replace(";", ",") for c in others)
    modifiers = write_modifiers(more)
    if len(modifiers) > 2000:
        losses["attributes of spans"] += 1
        modifiers = write_modifiers({name: more[name] for name in ("label", "end") if name in more})
    return {
        "section_concept_id": 0,
        "offset": str(span.start),
        "lexical_variant": words[:250],
        "note_nlp_concept_id": next((int(c.code) for c in span.concepts if c.system == "OMOP" and c.code.isdigit()), 0),
        "note_nlp_source_concept_id": 0,
        "nlp_system": "fedkit",
        "nlp_date": (note.date or _NO_DATE)[:10],
        "term_exists": "N" if negated else "Y",
        "term_temporal": "Past" if past else None,
        "term_modifiers": modifiers,
    }


def _insert(database: Any, table: str, rows: list[dict[str, Any]]) -> None:
    """Rows by columns: row by row, DuckDB takes a hundred times as long."""
    if not rows:
        return
    columns = [[row[name] for row in rows] for name in rows[0]]
    kinds = ["BIGINT" if any(isinstance(value, int) for value in column) else "VARCHAR" for column in columns]
    names = ", ".join(f'"{name}"' for name in rows[0])
    database.execute(f"INSERT INTO {table} ({names}) SELECT {', '.join(f'unnest(?::{k}[])' for k in kinds)}", columns)
