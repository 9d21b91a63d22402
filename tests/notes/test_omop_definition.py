"""The OMOP reader and writer beside the CDM's own definition: every row that is written fits its tables, and is read from them.

The definition is OHDSI's DDL for CDM 5.4, `OMOPCDM_duckdb_5.4_ddl.sql` and `OMOPCDM_postgresql_5.4_ddl.sql` of
github.com/OHDSI/CommonDataModel, in `../shared/corpora/omop-cdm` or the folder that OMOP_DDL names. Without it the tables that
the writer creates are the definition: Postgres, unlike DuckDB, holds a column to its length.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from postgres_server import postgres

from fedkit.notes.note import Concept, Note, Span
from fedkit.notes.readers import FORMATS
from fedkit.notes.readers.base import Rules
from fedkit.notes.readers.omop import notes_of
from fedkit.notes.writers import writer_of
from fedkit.notes.writers.omop import _DDL
from fedkit.sites.postgres import Postgres

TABLES = ("person", "visit_occurrence", "note", "note_nlp", "provider", "care_site", "concept")
LONG = "Kvalme og svimmelhet " * 30

NOTES = [
    Note(
        "17",
        "Ingen kvalme. Fikk Marevan. " + LONG,
        "nb",
        (
            Span(6, 12, "REACTION", {"negated": "true"}, (Concept("ICD-10", "R11", "kvalme"),)),
            Span(
                19, 26, "DRUG", {"historical": "true", "dose": "x" * 300}, (Concept("OMOP", "1310149"), Concept("ATC", "B01"))
            ),
            Span(28, 28 + 400, "FINDING", {"remark": "y" * 2500}),
        ),
        patient="7",
        date="2024-03-01T10:30:00",
        author_role="nurse" * 30,
        department="Ortopedi" * 60,
        type="Epikrise" * 60,
    ),
    Note("record/" + "9" * 90, "Ä, å.\r\nHej 😀.", "sv", (Span(0, 1, "DRUG"),), patient="p" * 80),
]


def ddl(name: str) -> str:
    """OHDSI's statements for a database, in its usual schema; skips where they are not at hand."""
    folder = Path(os.environ.get("OMOP_DDL") or Path(__file__).resolve().parents[3] / "shared" / "corpora" / "omop-cdm")
    path = folder / f"OMOPCDM_{name}_5.4_ddl.sql"
    if not path.is_file():
        pytest.skip("no OHDSI DDL: set OMOP_DDL to a folder with OMOPCDM_duckdb_5.4_ddl.sql and OMOPCDM_postgresql_5.4_ddl.sql")
    return path.read_text("utf-8").replace("@cdmDatabaseSchema.", "")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("omop") / "cdm.duckdb"
    writer_of("omop").write(iter(NOTES), path)
    return path


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as address:
        yield address


def rows_of(path: Path, table: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    with duckdb.connect(str(path), read_only=True) as database:
        found = database.execute(f"SELECT * FROM {table}")
        return [column[0] for column in found.description], found.fetchall()


def columns(database: Any) -> set[tuple[str, str, str, str]]:
    """(table, column, type, whether it may be empty) of the tables that the writer fills."""
    found = database.execute(
        "SELECT lower(table_name), lower(column_name), data_type, is_nullable FROM information_schema.columns"
    ).fetchall()
    return {row for row in found if row[0] in TABLES}


def test_the_writer_makes_the_tables_of_the_definition() -> None:
    with duckdb.connect() as own, duckdb.connect() as theirs:
        own.execute(_DDL)
        theirs.execute(ddl("duckdb"))
        assert columns(own) == columns(theirs)


def test_what_is_written_goes_into_the_definition_on_duckdb(written: Path, tmp_path: Path) -> None:
    path = tmp_path / "theirs.duckdb"
    with duckdb.connect(str(path)) as database:
        database.execute(ddl("duckdb"))
        database.execute(f"ATTACH '{written}' AS own (READ_ONLY)")
        for table in TABLES:
            database.execute(f"INSERT INTO {table} BY NAME SELECT * FROM own.{table}")
    assert read(path) == read(written)


@pytest.mark.parametrize("definition", [lambda: _DDL, lambda: ddl("postgresql")], ids=["own", "OHDSI"])
def test_what_is_written_goes_into_postgres_and_is_read_the_same(
    written: Path, server: str, definition: Callable[[], str]
) -> None:
    import psycopg

    schema = f"cdm_{len(definition())}"
    with psycopg.connect(server, autocommit=True) as database:
        database.execute(f"CREATE SCHEMA {schema}")
        database.execute(f"SET search_path TO {schema}")
        database.execute(definition())
        for table in TABLES:
            names, rows = rows_of(written, table)
            quoted = ", ".join(f'"{name}"' for name in names)
            with database.cursor() as cursor:
                cursor.executemany(f"INSERT INTO {table} ({quoted}) VALUES ({', '.join(['%s'] * len(names))})", rows)
    reader = Postgres.connect(server)
    try:
        found = [record.note for record in notes_of(reader, "cdm", Rules(), schema)]
    finally:
        reader.close()
    assert found == read(written)
    first = found[0]
    assert first is not None
    assert [first.text_of(span) for span in first.spans[:2]] == ["kvalme", "Marevan"]
    assert first.spans[0].attributes["negated"] == "true"
    assert first.date == "2024-03-01T10:30:00"


def test_a_record_of_a_hospital_is_read_from_the_definition(tmp_path: Path) -> None:
    """A note with its visit and care site, as an ETL would fill them: none of it by our writer."""
    path = tmp_path / "hospital.duckdb"
    rows: dict[str, dict[str, Any]] = {
        "person": {"person_id": 7, "gender_concept_id": 8532, "year_of_birth": 1950, "race_concept_id": 0,
                   "ethnicity_concept_id": 0},
        "care_site": {"care_site_id": 4, "care_site_name": "Ortopedisk"},
        "visit_occurrence": {
            "visit_occurrence_id": 70, "person_id": 7, "visit_concept_id": 9201, "visit_start_date": date(2024, 3, 1),
            "visit_end_date": date(2024, 3, 5), "visit_type_concept_id": 32817, "care_site_id": 4,
        },
        "note": {
            "note_id": 1, "person_id": 7, "note_date": date(2024, 3, 2), "note_datetime": datetime(2024, 3, 2, 10, 30),
            "note_type_concept_id": 32831, "note_class_concept_id": 0, "note_title": "Epikrise", "note_text": "Ingen feber.",
            "encoding_concept_id": 0, "language_concept_id": 0, "visit_occurrence_id": 70,
        },
    }  # fmt: skip
    with duckdb.connect(str(path)) as database:
        database.execute(ddl("duckdb"))
        for table, row in rows.items():
            places = ", ".join("?" for _ in row)
            database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", list(row.values()))
    (note,) = read(path)
    assert (note.text, note.patient, note.department, note.date) == ("Ingen feber.", "7", "Ortopedisk", "2024-03-02T10:30:00")


def read(path: Path) -> list[Note]:
    reader = FORMATS["omop"](Rules())
    return [record.note for record in reader.read(path) if record.note is not None]
