"""OMOP CDM 5.4: NOTE with PERSON, VISIT_OCCURRENCE, PROVIDER and CARE_SITE, and NOTE_NLP as spans.

The same SQL runs on a DuckDB file and on Postgres: whoever opens the database hands in a `Rows`. Tables other than NOTE may be
missing, as they are in many exports. The patient is `person_id`, the key of the database, never `person_source_value`, which is
often a record number.

NOTE_NLP has an offset and the words, no end: the span ends where the words do, and one whose words stand elsewhere is left out.
`term_exists` N is `negated`, `term_temporal` "Past" is `historical`, `term_modifiers` is read as `name=value` with commas.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from fedkit.errors import CorpusError
from fedkit.notes.note import Concept, Span
from fedkit.notes.readers.base import NoteReader, Problem, Record, Rules, skipped
from fedkit.notes.readers.draft import build

_PAGE = 200

#: Words in the name of a language concept (SNOMED's "Finnish language") → ISO 639-1.
_LANGUAGES = {
    "bokm": "nb", "nynorsk": "nn", "norwegian": "no", "swedish": "sv", "danish": "da", "finnish": "fi", "estonian": "et",
    "english": "en",
}  # fmt: skip


class Rows(Protocol):
    """An open database."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of one query, which holds no value that came from outside."""


class OmopReader(NoteReader):
    """One record a row of NOTE, in the order of `note_id`, a page at a time."""

    name = "omop"
    title = "OMOP CDM 5.4"
    suffixes = (".duckdb", ".db")

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        return head[8:12] == b"DUCK"

    def _read(self, path: Path, name: str) -> Iterator[Record]:
        import duckdb

        settings = {"enable_external_access": "false", "lock_configuration": "true", "threads": "1", "memory_limit": "512MB"}
        with duckdb.connect(str(path), read_only=True, config=settings) as database:
            yield from notes_of(_DuckDB(database), name, self.rules)


class _DuckDB:
    def __init__(self, database: Any) -> None:
        self.database = database

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.database.execute(sql).fetchall()


def notes_of(database: Rows, name: str, rules: Rules, schema: str | None = None, after: int = 0) -> Iterator[Record]:
    """The records of NOTE. schema: where the tables are (default: where NOTE is found first). after: how many to pass over.

    Raises CorpusError if there is no NOTE table.
    """
    tables = _tables(database, name, schema)
    sql = _query(tables, _columns(database, tables))
    last: int | None = None
    while True:
        where = f"WHERE n.note_id > {last}" if last is not None else ""
        page = database.rows(f"{sql} {where} ORDER BY n.note_id LIMIT {_PAGE} {f'OFFSET {int(after)}' if after else ''}")
        after = 0
        if not page:
            return
        mentions = _mentions(database, tables, int(page[0][0]), int(page[-1][0]))
        last = int(page[-1][0])
        for row in page:
            yield _record(row, mentions.get(int(row[0]), []), f"{name}, note_id {row[0]}", rules)


def fingerprint(database: Rows, name: str, schema: str | None = None) -> str:
    """Changes when notes are added, taken away or made longer or shorter; not when a text is edited sign for sign."""
    table = _tables(database, name, schema)["note"]
    sums = database.rows(f"SELECT count(*), max(note_id), max(note_date), sum(length(note_text)) FROM {table}")[0]
    return ":".join(str(value) for value in sums)


def _tables(database: Rows, name: str, schema: str | None) -> dict[str, str]:
    """Name in small letters → name to use in SQL, of the tables of one schema."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for where, table in database.rows("SELECT table_schema, table_name FROM information_schema.tables"):
        found[str(where)][str(table).lower()] = f'"{where}"."{table}"'
    with_notes = sorted(where for where, tables in found.items() if "note" in tables and schema in (None, where))
    if not with_notes:
        raise CorpusError(f"{name}: no OMOP CDM", expected="a table NOTE", got="none of this name", help="name the schema")
    return found[with_notes[0]]


def _columns(database: Rows, tables: Mapping[str, str]) -> set[tuple[str, str]]:
    """(table, column) in small letters, of these tables: exports leave out columns as well."""
    found = set()
    for where, table, name in database.rows("SELECT table_schema, table_name, column_name FROM information_schema.columns"):
        if tables.get(str(table).lower()) == f'"{where}"."{table}"':
            found.add((str(table).lower(), str(name).lower()))
    return found


def _query(tables: Mapping[str, str], columns: set[tuple[str, str]]) -> str:
    def joined(table: str, alias: str, on: str) -> str:
        return f" LEFT JOIN {tables[table]} {alias} ON {on}" if table in tables else ""

    def column(table: str, expression: str) -> str:
        return expression if table in tables else "NULL"

    def optional(table: str, alias: str, name: str) -> str:
        return f"CAST({alias}.{name} AS VARCHAR)" if (table, name) in columns else "NULL"

    # Where it was written: the site of the visit, else that of its author.
    sites = [of for table, of in (("visit_occurrence", "v.care_site_id"), ("provider", "d.care_site_id")) if table in tables]
    return (
        "SELECT n.note_id, n.note_text, n.note_title, n.person_id, CAST(n.note_date AS VARCHAR),"
        " CAST(n.note_datetime AS VARCHAR), n.note_source_value, n.note_type_concept_id, n.note_class_concept_id,"
        " n.language_concept_id, n.visit_occurrence_id,"
        f" {column('visit_occurrence', 'CAST(v.visit_start_date AS VARCHAR)')},"
        f" {optional('visit_occurrence', 'v', 'visit_end_date')},"
        f" {optional('visit_occurrence', 'v', 'visit_concept_id')},"
        f" {column('person', 'p.year_of_birth')}, {optional('person', 'p', 'gender_concept_id')},"
        f" {column('provider', 'd.specialty_source_value')}, {column('care_site', 's.care_site_name')},"
        f" {column('concept', 'l.concept_name')}, {column('concept', 'c.concept_name')}"
        f" FROM {tables['note']} n"
        + joined("person", "p", "p.person_id = n.person_id")
        + joined("visit_occurrence", "v", "v.visit_occurrence_id = n.visit_occurrence_id")
        + joined("provider", "d", "d.provider_id = n.provider_id")
        + joined("care_site", "s", f"s.care_site_id = coalesce({', '.join([*sites, 'NULL'])})")
        + joined("concept", "l", "l.concept_id = n.language_concept_id")
        + joined("concept", "c", "c.concept_id = n.note_class_concept_id")
    )


def _mentions(database: Rows, tables: Mapping[str, str], first: int, last: int) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    if "note_nlp" in tables:
        names, join = "NULL, NULL, NULL, NULL", ""
        if "concept" in tables:
            names = "c.vocabulary_id, c.concept_code, c.concept_name, c.domain_id"
            join = f" LEFT JOIN {tables['concept']} c ON c.concept_id = m.note_nlp_concept_id"
        sql = (
            'SELECT m.note_id, m."offset", m.lexical_variant, m.note_nlp_concept_id, m.note_nlp_source_concept_id,'
            f" m.term_exists, m.term_temporal, m.term_modifiers, {names} FROM {tables['note_nlp']} m{join}"
            f" WHERE m.note_id >= {first} AND m.note_id <= {last} ORDER BY m.note_id, m.note_nlp_id"
        )
        for row in database.rows(sql):
            found[int(row[0])].append(row)
    return found


def _record(row: tuple[Any, ...], mentions: list[tuple[Any, ...]], place: str, rules: Rules) -> Record:
    (id, text, title, person, date, datetime, source, type_concept, class_concept, language_concept, visit, visit_date,
     visit_end, visit_kind, born, gender, specialty, site, language_name, class_name) = row  # fmt: skip
    if not isinstance(text, str):
        return skipped(place, "empty")
    problems: list[Problem] = []
    spans = [span for mention in mentions if (span := _span(mention, text, problems)) is not None]
    language = next((code for word, code in _LANGUAGES.items() if word in (language_name or "").lower()), "")
    return build(
        place,
        rules,
        id=str(id),
        text=text,
        language=language,
        spans=spans,
        patient=_word(person),
        # The time of day where the CDM has one; many sites fill it with midnight.
        date=_word(datetime) if datetime and not str(datetime).endswith("00:00:00") else _word(date),
        author_role=_word(specialty),
        department=_word(site),
        type=_word(title) or _word(class_name),
        meta={
            "note_source_value": _word(source),
            "note_type_concept_id": _code(type_concept),
            "note_class_concept_id": _code(class_concept),
            "language_concept_id": _code(language_concept),
            "visit_occurrence_id": _word(visit),
            "visit_start_date": _word(visit_date),
            "visit_end_date": _word(visit_end),
            "visit_concept_id": None if visit_kind == "0" else _word(visit_kind),
            "year_of_birth": _code(born),
            "gender_concept_id": None if gender == "0" else _word(gender),
        },
        problems=problems,
    )


def _span(row: tuple[Any, ...], text: str, problems: list[Problem]) -> Span | None:
    _, offset, words, concept, source, exists, temporal, modifiers, vocabulary, code, name, domain = row
    more = read_modifiers(str(modifiers or ""))
    try:
        start = int(str(offset))
        end = int(more.pop("end")) if "end" in more else start + len(str(words or ""))
    except ValueError:
        problems.append(Problem("span outside", "an offset that is no number"))
        return None
    if not 0 <= start < end <= len(text):
        problems.append(Problem("span outside", f"{start}–{end} of {len(text)}"))
        return None
    if words and not text[start:end].startswith(str(words)):
        problems.append(Problem("span words", f"at {start}"))
        return None
    concepts = [Concept(str(vocabulary), str(code), str(name or ""))] if code else []
    concepts += [Concept("OMOP", str(concept))] if concept and not code else []
    concepts += [Concept("OMOP source", str(source))] if source else []
    concepts += [Concept(*c.split(":", 2)) for c in more.pop("concept", "").split(";") if ":" in c]
    label = more.pop("label", "") or str(domain or "MENTION").upper()
    if str(exists or "").upper() in ("N", "NO", "F", "FALSE"):
        more["negated"] = "true"
    if "past" in str(temporal or "").lower():
        more["historical"] = "true"
    return Span(start, end, label, more, tuple(concepts))


def read_modifiers(text: str) -> dict[str, str]:
    """`name=value,name=value` of `term_modifiers`; `%2C` and the like stand for the signs that part them."""
    pairs = (piece.partition("=") for piece in text.split(",") if piece.strip())
    return {_unquoted(name.strip()): _unquoted(value.strip()) or "true" for name, _, value in pairs}


def write_modifiers(values: Mapping[str, str]) -> str:
    """The other way round."""
    return ",".join(f"{_quoted(name)}={_quoted(value)}" for name, value in values.items())


def _quoted(text: str) -> str:
    return "".join(f"%{ord(sign):02X}" if sign in "%,=" else sign for sign in text)


def _unquoted(text: str) -> str:
    for sign in ",=%":  # the percent sign last, since it is what the others are written with
        text = text.replace(f"%{ord(sign):02X}", sign)
    return text


def _word(value: Any) -> str | None:
    return None if value is None else str(value).strip() or None


def _code(value: Any) -> str | None:
    return str(value) if value else None  # 0 is the CDM's "no concept"
