"""An OMOP CDM behind a real Postgres: the same notes by the same SQL as from a DuckDB file, and nothing written."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from postgres_server import postgres

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "notes"))  # the samples of the readers
from reader_samples import CANARY, OMOP, omop

from fedkit.cli.notes import notes as command
from fedkit.errors import CorpusError, SiteError
from fedkit.notes.importing import database_unit, import_notes
from fedkit.notes.readers.base import Rules
from fedkit.notes.readers.omop import OmopReader
from fedkit.notes.store import NoteFile
from fedkit.sites.postgres import Postgres


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server with the sample in it."""
    import psycopg

    with postgres() as address:
        with psycopg.connect(address) as connection:
            for statement in OMOP:
                connection.execute(statement)
        yield address


def test_the_same_notes_as_from_a_file(server: str, tmp_path: Path) -> None:
    records = list(OmopReader().read(omop(tmp_path)))
    with Postgres.connect(server) as database, NoteFile.open(tmp_path / "s.duckdb", write=True) as store:
        report = import_notes(store, [database_unit(database, database.name, Rules())])
        assert list(store.notes()) == [record.note for record in records]
    assert (report.notes, report.problems) == (2, {})


def test_a_second_run_adds_nothing_and_a_new_note_is_seen(server: str, tmp_path: Path) -> None:
    import psycopg

    store = tmp_path / "s.duckdb"

    def run() -> str:
        result = CliRunner().invoke(command, ["import", server, "--to", str(store), "--language", "nb"])
        assert result.exit_code == 0, result.exception
        return result.output

    assert "2 notes added" in run()
    assert "0 notes added" in run()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO note SELECT 3, person_id, note_date, NULL, 0, 0, NULL, 'Ny.', 0, 0 FROM note WHERE note_id = 2"
        )
    try:
        said = run()
        assert "3 of 3 records" in said
        assert CANARY not in said
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("DELETE FROM note WHERE note_id = 3")


def test_nothing_can_be_written(server: str) -> None:
    with Postgres.connect(server) as database:
        for statement in ("DELETE FROM note RETURNING 1", "CREATE TABLE x (a integer)"):
            with pytest.raises(SiteError, match="refused a query"):
                database.rows(statement)
            database.connection.rollback()
    with Postgres.connect(server) as database:
        assert database.rows("SELECT count(*) FROM note") == [(2,)]


def test_a_database_without_notes_and_a_server_that_is_not_there_are_named(server: str, tmp_path: Path) -> None:
    with Postgres.connect(server) as database, pytest.raises(CorpusError, match="no OMOP CDM"):
        database_unit(database, "x", Rules(), schema="elsewhere")
    with pytest.raises(SiteError, match="cannot be reached") as caught:
        Postgres.connect(f"postgresql:///x?host={tmp_path}&user=x&password={CANARY}")
    assert CANARY not in caught.value.diagnostics()
