"""A site's own Postgres: the same SQL makes the same tables, and questions are asked as a user that can do nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from postgres_server import postgres
from warehouse_notes import CANARY, ListSource, note

from fedkit.errors import ConfigurationError, ExecutionFailed, FedkitError, StorageError
from fedkit.sites.store import DuckDBNoteStore
from fedkit.sites.turns import Call
from fedkit.sites.warehouse.catalogue import draft
from fedkit.sites.warehouse.connection import PostgresConnection, QueryLimits
from fedkit.sites.warehouse.database import PostgresTables, schemas
from fedkit.sites.warehouse.site_tables import SiteTables, Where
from fedkit.warehouse.predicates import All, Compare, Has, Not
from fedkit.warehouse.question import Group, Measure, Protection, Question
from fedkit.warehouse.statistics.frames import Codes, Day, Figure, Frame, Holds

NOTES = [note(number) for number in range(60)]
SITE = "north-1"
VIEWS = schemas(SITE)[1]


@dataclass
class Both:
    """One site's tables in either database. admin, reader: addresses."""

    duckdb: SiteTables
    postgres: SiteTables
    admin: str
    reader: str


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with postgres() as admin:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute("CREATE ROLE asks LOGIN")
            connection.execute(f"CREATE SCHEMA {VIEWS}")
            connection.execute(f"GRANT USAGE ON SCHEMA {VIEWS} TO asks")
        reader = admin.rpartition("&user=")[0] + "&user=asks"
        made = []
        for name in ("duckdb", "postgres"):
            folder = tmp_path_factory.mktemp(name)
            if name == "postgres":
                Where(admin, reader).keep(folder)
            made.append(SiteTables(SITE, folder, DuckDBNoteStore(folder / "notes.duckdb")))
            made[-1].build(ListSource(NOTES[:30]), workers=1)
            made[-1].build(ListSource(NOTES), workers=1)  # over what is there
        yield Both(*made, admin, reader)
        for tables in made:
            tables.close()


QUESTIONS = [
    Question("patients", (Measure("persons"),), None, (Group("sex"),)),
    Question("patients", (Measure("persons"),), None, (Group("age_band"),)),
    Question(
        "notes", (Measure("persons"), Measure("rows"), Measure("notes")), None, (Group("year", edges=(2020, 2021, 2023)),)
    ),
    Question(
        "notes", (Measure("mean", "age", 0, 90), Measure("variance", "birth_year", 1900, 2000)), None, (Group("language"),)
    ),
    Question(
        "mentions",
        (Measure("persons"), Measure("rows")),
        All(
            (Compare("label", "in", ("DRUG",)), Not(Compare("negated", "in", ("yes",))), Compare("date", ">=", ("2021-01-01",)))
        ),
        (Group("department", values=("Ortopedi", "Medisin")), Group("quarter", edges=(1, 2, 3, 4, 5))),
    ),
    Question(
        "visits", (Measure("visits"), Measure("sum", "days", 0, 30)), Has("mentions", Compare("concept", "starts", ("B01",)))
    ),
]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.view)
def test_both_databases_give_the_same_answers(both: Both, question: Question) -> None:
    answers = [tables.rows(question, Call()) for tables in (both.duckdb, both.postgres)]
    assert answers[0] == answers[1] != []


def test_noise_bounds_persons_in_both_alike_but_for_their_pseudonyms(both: Both) -> None:
    question = Question(
        "notes",
        (Measure("persons"), Measure("rows")),
        None,
        (Group("month", edges=tuple(range(1, 14))),),
        Protection("noise", 0.1, groups_per_person=2, rows_per_person=1),
    )
    for tables in (both.duckdb, both.postgres):
        answer = tables.rows(question, Call())
        assert len(answer) == 12
        assert sum(row["persons"] for row in answer) == 2 * 7


def test_both_databases_give_the_same_frames_and_the_same_catalogue(both: Both) -> None:
    items = {"born": Figure("birth_year"), "sex": Codes("sex", ("female",)), "day": Day("date")}
    items |= {"denied": Holds(Compare("year", ">", (2020,)))}  # type: ignore[dict-item]
    frames = [tables.frame(Frame("notes", items), Call()) for tables in (both.duckdb, both.postgres)]  # type: ignore[arg-type]
    for name in items:
        assert frames[0][name].dtype == frames[1][name].dtype
        assert sorted(frames[0][name]) == sorted(frames[1][name])
    first, second = (draft(t.connection(), t.about(), SITE, "notes").to_json() for t in (both.duckdb, both.postgres))
    assert first == second


@pytest.mark.parametrize(
    "sql",
    [
        f"DELETE FROM {VIEWS}.notes",
        f"CREATE TABLE {VIEWS}.mine AS SELECT 1",
        "SET default_transaction_read_only = off; DELETE FROM fedkit_north_1.note",
        f"SET TRANSACTION READ WRITE; DROP TABLE {VIEWS}.notes",
        "SELECT note_text FROM fedkit_north_1.note",
        "SELECT 1; SELECT 2",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "COPY (SELECT 1) TO '/tmp/out.csv'",
        "SELECT * FROM dblink('', 'SELECT 1') AS t(x int)",
        "LOAD 'auto_explain'",
        "CREATE EXTENSION dblink",
    ],
)
def test_a_question_s_user_reaches_nothing_but_the_views(both: Both, sql: str) -> None:
    connection = PostgresConnection(both.reader, SITE)
    with pytest.raises(FedkitError) as refused:
        connection.rows(sql, Call())
    assert CANARY not in refused.value.diagnostics()
    assert connection.rows(f"SELECT COUNT(*) FROM {VIEWS}.notes", Call()) == [(60,)]


def test_a_superuser_is_not_asked_as(both: Both) -> None:
    with pytest.raises(ConfigurationError, match="may not be asked as this user") as refused:
        PostgresConnection(both.admin, SITE)
    assert f"GRANT USAGE ON SCHEMA {VIEWS}" in refused.value.help
    with psycopg.connect(both.admin, autocommit=True) as connection:
        connection.execute("CREATE ROLE reads_files LOGIN IN ROLE pg_read_server_files")
    with pytest.raises(ConfigurationError):
        PostgresConnection(both.reader.replace("user=asks", "user=reads_files"), SITE)


def test_a_query_ends_with_its_time_and_with_its_call(both: Both) -> None:
    connection = PostgresConnection(both.reader, SITE, QueryLimits(seconds=0.3))
    with pytest.raises(ExecutionFailed):
        connection.rows("SELECT pg_sleep(60)", Call())
    assert connection.rows(f"SELECT COUNT(*) FROM {VIEWS}.notes", Call()) == [(60,)]


def test_two_builds_at_once_are_one_too_many(both: Both) -> None:
    first = PostgresTables.open(both.admin, SITE)
    with pytest.raises(StorageError) as refused:
        PostgresTables.open(both.admin, SITE)
    assert refused.value.got == "another build"
    first.close()


def test_an_address_is_in_no_error(tmp_path: Path) -> None:
    Where("postgresql://who:Geheim77@127.0.0.1:1/x").keep(tmp_path)
    tables = SiteTables(SITE, tmp_path, DuckDBNoteStore(tmp_path / "notes.duckdb"))
    for act in (lambda: tables.rows(QUESTIONS[0], Call()), lambda: tables.build(ListSource(NOTES[:3]))):
        with pytest.raises(FedkitError) as refused:
            act()
        assert "Geheim77" not in refused.value.diagnostics() + repr(refused.value)
