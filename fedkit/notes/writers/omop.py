"""OMOP CDM 5.4 as a DuckDB file: PERSON, VISIT_OCCURRENCE, NOTE and NOTE_NLP, with CONCEPT for what we name ourselves.

Ids are integers there: those that are none are numbered, and stand in `note_source_value` (50 signs). Labels, other codes and
attributes stand in `term_modifiers`; names of languages are local concepts, numbered from 2,000,000,000 as OHDSI has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from fedkit.notes.note import Concept, Note, Span
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
  note_type_concept_id INTEGER NOT NULL, note_class_concept_id INTEGER NOT NULL, note_title VARCHAR(250), note_text TEXT NOT NULL,
  encoding_concept_id INTEGER NOT NULL, language_concept_id INTEGER NOT NULL, provider_id INTEGER, visit_occurrence_id INTEGER,
  visit_detail_id INTEGER, note_source_value VARCHAR(50), note_event_id INTEGER, note_event_field_concept_id INTEGER);
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
_LARGEST = 2**31 - 1
_NO_DATE = "1970-01-01"  # the CDM wants one
_ROWS = 500


class OmopWriter(NoteWriter):
    """`person_id` is the patient where that is a number, else a number of its own; `person_source_value` is the patient."""

    name = "omop"
    title = "OMOP CDM 5.4"
    holds = frozenset({"language", "patient", "date", "type", "attributes", "concepts"})

    def _write(self, notes: Iterable[Note], target: Path, losses: Counter[str]) -> None:
        import duckdb

        with duckdb.connect(str(target), config={"enable_external_access": "false", "threads": "1"}) as database:
            database.execute(_DDL)
            for number, name in enumerate(_LANGUAGES.values()):
                row = [
                    _LOCAL + number,
                    f"{name} language",
                    "Language",
                    "fedkit",
                    "Language",
                    None,
                    name,
                    _NO_DATE,
                    "2099-12-31",
                    None,
                ]
                database.execute(f"INSERT INTO concept VALUES ({', '.join('?' * len(row))})", row)
            rows, persons = _Numbers(), _Numbers()
            mentions = 0
            source = iter(notes)
            while batch := list(islice(source, _ROWS)):
                note_rows, nlp_rows = [], []
                for note in batch:
                    note_id, person = (
                        rows.of(note.id, losses, "ids that are no integers"),
                        persons.of(note.patient or "", losses),
                    )
                    note_rows.append(_note(note, note_id, person, losses))
                    for span in note.spans:
                        mentions += 1
                        nlp_rows.append(_mention(note, span, mentions, note_id, losses))
                _insert(database, "note", note_rows)
                _insert(database, "note_nlp", nlp_rows)
            people = [
                (number, 0, 0, *[None] * 3, 0, 0, *[None] * 3, patient[:50] or None, *[None] * 6)
                for patient, number in persons.all()
            ]
            _insert(database, "person", people)
            database.execute("CHECKPOINT")


class _Numbers:
    """Integers for names: the name itself where it is one in canonical form, else the next that is free above a million."""

    def __init__(self) -> None:
        self._of: dict[str, int] = {}
        self._next = 1_000_000_000

    def of(self, name: str, losses: Counter[str], loss: str = "") -> int:
        if name not in self._of:
            whole = name.isascii() and name.isdigit() and str(int(name)) == name and 0 < int(name) < 1_000_000_000
            if not whole:
                self._next += 1
                if loss:
                    losses[loss] += 1
            self._of[name] = int(name) if whole else self._next
        return self._of[name]

    def all(self) -> list[tuple[str, int]]:
        return list(self._of.items())


def _note(note: Note, id: int, person: int, losses: Counter[str]) -> tuple[Any, ...]:
    language = list(_LANGUAGES).index(note.language) + _LOCAL if note.language in _LANGUAGES else 0
    losses["language"] += bool(note.language) and not language
    losses["date"] += note.date is None  # filled in
    day, time = (note.date or _NO_DATE)[:10], (note.date or "")[:19]
    losses["date"] += len(note.date or "") > 19
    title = (note.type or "")[:250] or None
    source = None if str(id) == note.id else note.id[:50]
    return (
        id,
        person,
        day,
        time if len(time) > 10 else None,
        0,
        0,
        title,
        note.text,
        0,
        language,
        *[None] * 3,
        source,
        None,
        None,
    )


def _mention(note: Note, span: Span, number: int, id: int, losses: Counter[str]) -> tuple[Any, ...]:
    words = note.text[span.start : span.end]
    more = {"label": span.label} | ({"end": str(span.end)} if len(words) > 250 else {}) | dict(span.attributes)
    exists, temporal = more.pop("negated", "") != "true", more.get("historical") == "true"
    if temporal:
        del more["historical"]
    standard = next((int(c.code) for c in span.concepts if c.system == "OMOP" and c.code.isdigit()), 0)
    others = [c for c in span.concepts if c.system != "OMOP"]
    if others:
        more["concept"] = ";".join(_code(c) for c in others)
    modifiers = write_modifiers(more)
    if len(modifiers) > 2000:
        losses["attributes of spans"] += 1
        modifiers = write_modifiers({k: more[k] for k in ("label", "end") if k in more})
    said = ("Y" if exists else "N", "Past" if temporal else None, modifiers)
    return (number, id, 0, None, str(span.start), words[:250], standard, 0, "fedkit", (note.date or _NO_DATE)[:10], None, *said)


def _code(concept: Concept) -> str:
    return f"{concept.system}:{concept.code}:{concept.name}".replace(";", ",")


def _insert(database: Any, table: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        kinds = ["BIGINT" if any(isinstance(v, int) for v in column) else "VARCHAR" for column in columns]
        database.execute(f"INSERT INTO {table} SELECT {', '.join(f'unnest(?::{k}[])' for k in kinds)}", columns)
