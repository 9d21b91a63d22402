"""An OMOP CDM behind a real Postgres: the same notes by the same SQL as from a DuckDB file, and nothing written."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "notes"))  # the samples of the readers
from reader_samples import CANARY, OMOP, omop

from fedkit.cli.notes import notes as command
from fedkit.errors import CorpusError, SiteError
from fedkit.notes.importing import database_unit, import_notes
from fedkit.notes.readers.base import Rules
from fedkit.notes.readers.omop import OmopReader
from fedkit.notes.store import NoteFile
from fedkit.sites.postgres import Postgres


def _programs() -> Path | None:
    """The folder of Postgres' own programs, which Debian keeps off the path."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server of our own on a socket in a folder of its own, with the sample in it."""
    programs = _programs()
    if programs is None:
        pytest.skip("no Postgres on this machine")
    user = None
    if os.geteuid() == 0:  # Postgres does not run as root
        try:
            user = pwd.getpwnam("postgres").pw_name
        except KeyError:
            pytest.skip("Postgres does not run as root, and there is no user postgres")
    # Not below pytest's folder: that is root's alone, and too long a path for a socket.
    folder = Path(tempfile.mkdtemp(prefix="fedkit-pg-"))
    if user:
        shutil.chown(folder, user)
    data, name = folder / "data", user or pwd.getpwuid(os.geteuid()).pw_name

    def call(program: str, *arguments: str) -> None:
        subprocess.run([str(programs / program), *arguments], check=True, user=user, capture_output=True, cwd=folder)

    call("initdb", "-D", str(data), "-A", "trust", "-U", name, "--encoding=UTF8", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    subprocess.run(  # the server outlives the call, so it may not hold its output
        [str(programs / "pg_ctl"), "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start"],
        check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"postgresql:///postgres?host={folder}&user={name}"
    try:
        import psycopg

        with psycopg.connect(address) as connection:
            for statement in OMOP:
                connection.execute(statement)
        yield address
    finally:
        call("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder)


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
