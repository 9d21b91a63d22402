"""What questions are asked over: it reads the views and can do nothing else, ends when it should, and repeats no value."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pytest
from warehouse_notes import CANARY, ListSource, note

from fedkit.errors import ExecutionFailed, FedkitError, Refused, SiteError
from fedkit.notes.corpus import SiteNotes
from fedkit.sites.store import DuckDBNoteStore
from fedkit.sites.turns import Call
from fedkit.sites.warehouse.building import build
from fedkit.sites.warehouse.connection import DuckDBConnection, QueryLimits
from fedkit.sites.warehouse.database import OMOP_FILE, VIEWS_FILE, DuckDBTables
from fedkit.sites.warehouse.site_tables import FOLDER, About, SiteTables
from fedkit.warehouse.predicates import Compare, Has
from fedkit.warehouse.question import Group, Measure, Question
from fedkit.warehouse.statistics.frames import PERSON, Codes, Day, Figure, Frame, Holds

NOTES = [note(number) for number in range(60)]
SLOW = "SELECT COUNT(*) FROM range(100000) AS a(x), range(100000) AS b(y) WHERE (a.x * b.y) % 7 = 3"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("site") / FOLDER
    with DuckDBTables.open(made) as tables:
        build(tables, "no", ListSource(NOTES), workers=1)
    return made


@pytest.fixture
def connection(folder: Path) -> Iterator[DuckDBConnection]:
    made = DuckDBConnection(folder / VIEWS_FILE)
    yield made
    made.close()


@pytest.fixture
def tables(folder: Path) -> Iterator[SiteTables]:
    made = SiteTables("no", folder.parent, DuckDBNoteStore(folder.parent / "notes.duckdb"))
    yield made
    made.close()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('{omop}')",
        "SELECT * FROM read_blob('{omop}')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM parquet_scan('s3://bucket/x')",
        "SELECT * FROM read_json('http://127.0.0.1:1/x')",
        "ATTACH '{omop}' AS o",
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "COPY views.notes FROM '/etc/passwd'",
        "EXPORT DATABASE '{folder}/out'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET threads = 64",
        "RESET lock_configuration",
        "PRAGMA enable_external_access",
        "CREATE TABLE memory.main.mine AS SELECT 1",
        "CREATE OR REPLACE TEMP VIEW patients AS SELECT 1",
        "DELETE FROM views.notes",
        "UPDATE views.notes SET department = ''",
        "DROP TABLE views.notes",
        "DETACH views",
        "CALL pragma_version()",
        "EXPLAIN SELECT 1",
        "VACUUM",
        "SELECT 1; DROP TABLE views.notes",
        "SELECT 1; SELECT 2",
        "",
        "SELECT * FROM note",
        "SELECT note_text FROM views.note",
    ],
)
def test_nothing_but_the_views_is_reached(connection: DuckDBConnection, folder: Path, sql: str) -> None:
    statement = sql.format(omop=folder / OMOP_FILE, folder=folder)
    before = sorted(path.name for path in folder.iterdir())
    for ask in (connection.rows, connection.arrays):
        with pytest.raises(FedkitError) as refused:
            ask(statement, Call())
        assert CANARY not in refused.value.diagnostics()
    assert sorted(path.name for path in folder.iterdir()) == before
    assert connection.rows("SELECT COUNT(*) FROM views.notes", Call()) == [(60,)]


def test_an_error_repeats_no_value_that_was_read(connection: DuckDBConnection) -> None:
    with pytest.raises(ExecutionFailed) as failed:
        connection.rows("SELECT CAST(department AS INTEGER) FROM views.notes", Call())
    assert "Ortopedi" not in failed.value.diagnostics()
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__


def test_a_query_that_takes_too_long_is_ended(folder: Path) -> None:
    connection = DuckDBConnection(folder / VIEWS_FILE, QueryLimits(seconds=0.2))
    with pytest.raises(ExecutionFailed, match="took too long"):
        connection.rows(SLOW, Call())
    assert connection.rows("SELECT COUNT(*) FROM views.notes", Call()) == [(60,)]
    connection.close()


def test_a_query_beyond_the_memory_is_ended(folder: Path) -> None:
    connection = DuckDBConnection(folder / VIEWS_FILE, QueryLimits(memory_mb=20, threads=1))
    with pytest.raises(ExecutionFailed) as failed:
        connection.rows("SELECT list(x) FROM range(100000000) AS numbers(x)", Call())
    assert failed.value.got == "memory ran out"
    assert connection.rows("SELECT COUNT(*) FROM views.notes", Call()) == [(60,)]
    connection.close()


def test_whoever_cancels_a_call_ends_its_query_and_no_other(connection: DuckDBConnection) -> None:
    call = Call()

    def cancel() -> None:
        while not call.running:
            pass
        call.cancel(Refused("taken back"))

    with ThreadPoolExecutor(2) as pool:
        other = pool.submit(connection.rows, "SELECT COUNT(*) FROM range(20000) a, range(5000) b", Call())
        pool.submit(cancel)
        with pytest.raises(Refused, match="taken back"):
            connection.rows(SLOW, call)
        assert other.result() == [(100_000_000,)]


def test_many_questions_at_once_get_their_own_answers(tables: SiteTables) -> None:
    def ask(year: int) -> list[int]:
        question = Question("notes", (Measure("rows"),), None, (Group("year", edges=(year, year + 1)),))
        return [row["rows"] for row in tables.rows(question, Call())]

    years = [2020 + number % 3 for number in range(60)]
    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(ask, years)) == [[20]] * 60


def test_a_question_is_answered_as_the_notes_say(tables: SiteTables) -> None:
    question = Question(
        "mentions",
        (Measure("persons"), Measure("rows")),
        Compare("negated", "in", ("yes",)),
        (Group("department", values=("Ortopedi", "Medisin", "Kirurgi")),),
    )
    found = {row["department"]: (row["persons"], row["rows"]) for row in tables.rows(question, Call())}
    expected = {
        name: (len({n.patient for n in notes}), len(notes))
        for name in ("Ortopedi", "Medisin")
        if (notes := [n for n in NOTES if n.department == name and "Ingen" in n.text])
    }
    assert found == expected
    assert "warehouse" not in tables.sql(question)
    assert '"views"."mentions"' in tables.sql(question)


def test_a_frame_holds_numbers_and_no_word(tables: SiteTables) -> None:
    items = {
        "born": Figure("birth_year"),
        "sex": Codes("sex", ("male", "female")),
        "denied": Holds(Has("mentions", Compare("negated", "in", ("yes",)))),
        "day": Day("date"),
    }
    frame = tables.frame(Frame("notes", items, Compare("year", "in", (2021,))), Call())
    assert {name: values.dtype for name, values in frame.items()} == {
        PERSON: np.int64, "born": np.float64, "sex": np.int64, "denied": np.int64, "day": np.float64,
    }  # fmt: skip
    of_2021 = [n for n in NOTES if str(n.date).startswith("2021")]
    assert sorted(frame["born"]) == sorted(float(n.meta["year_of_birth"]) for n in of_2021)
    assert sorted(frame["sex"]) == sorted(("male", "female").index(n.meta["sex"]) for n in of_2021)
    days = [(date.fromisoformat(str(n.date)) - date(1970, 1, 1)).days for n in of_2021]
    assert sorted(frame["day"]) == sorted(map(float, days))
    denied = {n.patient for n in NOTES if "Ingen" in n.text}
    assert sorted(frame["denied"]) == sorted(int(n.patient in denied) for n in of_2021)


def test_tables_that_were_built_anew_answer_the_next_question(tmp_path: Path) -> None:
    opened: list[About] = []
    store = DuckDBNoteStore(tmp_path / "notes.duckdb")
    store.load(SiteNotes("no", "no", "nb", tuple(NOTES[:20]), tuple(NOTES[20:22]), (), ()))
    tables = SiteTables("no", tmp_path, store, opened=opened.append)
    everybody = Question("notes", (Measure("rows"),))
    assert tables.rows(everybody, Call())[0]["rows"] == 22  # the first question builds a small site's
    tables.build(ListSource(NOTES), workers=1)
    assert tables.rows(everybody, Call())[0]["rows"] == 60
    assert [about.notes for about in opened] == [22, 60]
    assert len({about.build for about in opened}) == 2
    tables.close()


def test_a_rebuild_under_a_running_question_disturbs_it_not(tmp_path: Path) -> None:
    store = DuckDBNoteStore(tmp_path / "notes.duckdb")
    tables = SiteTables("no", tmp_path, store)
    tables.build(ListSource(NOTES), workers=1)
    everybody, stop = Question("notes", (Measure("rows"),)), threading.Event()
    seen: set[int] = set()

    def ask() -> None:
        while not stop.is_set():
            seen.add(tables.rows(everybody, Call())[0]["rows"])

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask) for _ in range(2)]
        for many in (40, 50, 60):
            tables.build(ListSource(NOTES[:many]), workers=1)
        stop.set()
        for future in asking:
            future.result()
    assert seen <= {40, 50, 60}
    tables.close()


def test_a_site_with_many_notes_is_not_built_by_a_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fedkit.sites.warehouse.site_tables.FEW", 10)
    store = DuckDBNoteStore(tmp_path / "notes.duckdb")
    store.load(SiteNotes("no", "no", "nb", tuple(NOTES[:20]), (), (), ()))
    with pytest.raises(SiteError) as refused:
        SiteTables("no", tmp_path, store).rows(Question("notes", (Measure("rows"),)), Call())
    assert "fedkit warehouse build" in refused.value.help
    assert not (tmp_path / FOLDER).exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("ALTER TABLE notes DROP COLUMN department", "no department"),
        ("ALTER TABLE notes ADD COLUMN ward VARCHAR", "beyond it ward"),
        ("ALTER TABLE notes ALTER COLUMN year TYPE VARCHAR", "another type of year"),
        ("DROP TABLE mentions", "no such view"),
    ],
)
def test_tables_of_another_layout_are_named_and_not_asked(tmp_path: Path, change: str, named: str) -> None:
    tables = SiteTables("no", tmp_path, DuckDBNoteStore(tmp_path / "notes.duckdb"))
    tables.build(ListSource(NOTES[:10]), workers=1)
    with duckdb.connect(str(tmp_path / FOLDER / VIEWS_FILE)) as database:
        database.execute(change)
    with pytest.raises(SiteError) as refused:
        tables.rows(Question("patients", (Measure("persons"),)), Call())
    assert named in refused.value.got
    assert "fedkit warehouse build" in refused.value.help
    tables.build(ListSource(NOTES[:10]), workers=1)
    assert tables.rows(Question("patients", (Measure("persons"),)), Call())[0]["persons"] == 7
    tables.close()
