"""What a site runs for a question: the same answer as counting by hand, from DuckDB and from Postgres."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from postgres_server import postgres
from question_drawing import questions
from question_tables import Tables, answered, statements, tables

from fedkit.errors import SiteError
from fedkit.warehouse import render, sql
from fedkit.warehouse.groups import Group
from fedkit.warehouse.measures import Measure
from fedkit.warehouse.predicates import Compare
from fedkit.warehouse.question import Protection, Question

DRAWN = tables()


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for statement in statements(DRAWN):
            connection.execute(statement)
        yield connection


@pytest.fixture(scope="module")
def elephant() -> Iterator[Any]:
    import psycopg

    with postgres() as address, psycopg.connect(address, autocommit=True) as connection:
        for statement in statements(DRAWN):
            connection.execute(statement)
        # A server may be set so; then a backslash in '…' is an escape.
        connection.execute("SET standard_conforming_strings = off")
        yield connection


def keyed(question: Question, rows: list[dict[str, Any]]) -> dict[tuple[str, ...], dict[str, Any]]:
    names = [group.column for group in question.groups]
    return {tuple(row[n] for n in names): {k: v for k, v in row.items() if k not in names} for row in rows}


def there(answer: dict[tuple[str, ...], dict[str, Any]]) -> dict[tuple[str, ...], dict[str, Any]]:
    """With noise every declared group is in an answer: those of nobody are left out to compare."""
    return {key: figures for key, figures in answer.items() if figures["persons"] or not key}


def expected(question: Question, drawn: Tables = DRAWN) -> dict[tuple[str, ...], dict[str, Any]]:
    figures = (*question.parts, *question.kept)
    return {key: {name: row[name] for name in figures} for key, row in answered(question, drawn).items()}


@given(question=questions(("rules", "noise", "pooled")))
@settings(max_examples=150)
def test_duckdb_answers_as_counted_by_hand(duck: duckdb.DuckDBPyConnection, question: Question) -> None:
    rows = render.rows(question, duck.execute(render.sql(question)).fetchall())
    assert there(keyed(question, rows)) == there(expected(question))


@given(question=questions(("rules", "noise", "pooled")))
@settings(max_examples=150)
def test_postgres_answers_as_duckdb(duck: duckdb.DuckDBPyConnection, elephant: Any, question: Question) -> None:
    one = render.rows(question, duck.execute(render.sql(question)).fetchall())
    other = render.rows(question, elephant.execute(render.sql(question, "postgres")).fetchall())
    assert one == other


@given(question=questions())
@settings(max_examples=150)
def test_the_sql_that_a_person_reads_means_the_same(duck: duckdb.DuckDBPyConnection, question: Question) -> None:
    """`sql.write` run as it stands, by a database that knows nothing of questions, gives the same figures."""
    answer = keyed(question, render.rows(question, duck.execute(render.sql(question)).fetchall()))
    inside = Question(question.view, question.measures, question.where, question.groups, question.protection)
    found = {}
    columns = inside.columns()
    for row in duck.execute(sql.write(inside)).fetchall():
        labels = tuple(None if label is None else str(label) for label in row[: len(columns)])
        if all(label in group.labels(column) for label, (group, column) in zip(labels, columns, strict=True)):
            found[labels] = row[len(columns) :]
    assert set(found) == set(answer)
    for key, figures in found.items():
        for measure, figure in zip(question.measures, figures, strict=True):
            ours = measure.of(answer[key])
            if figure is None:  # of no values SQL has no sum
                assert ours in (None, 0)
            else:
                assert ours == pytest.approx(figure, rel=1e-9, abs=1e-9)


def test_every_declared_group_is_in_an_answer_with_noise(duck: duckdb.DuckDBPyConnection) -> None:
    nobody = Compare("birth_year", "<", (1880,))
    asked = Question("patients", (Measure("persons"),), nobody, (Group("sex"),), Protection("noise", 0.1))
    rows = render.rows(asked, duck.execute(render.sql(asked)).fetchall())
    assert [row["sex"] for row in rows] == ["female", "male", "other", "unknown"]
    assert {row["persons"] for row in rows} == {0}
    plain = Question("patients", (Measure("persons"),), nobody, (Group("sex"),))
    assert render.rows(plain, duck.execute(render.sql(plain)).fetchall()) == []


def test_a_prefix_names_the_schema_of_the_views() -> None:
    asked = Question("notes", (Measure("persons"),), None, ())
    assert (
        render.sql(asked, "postgres", "warehouse") == 'SELECT COUNT(DISTINCT "person_id") AS "persons" FROM "warehouse"."notes"'
    )


def test_columns_for_a_statistic(duck: duckdb.DuckDBPyConnection) -> None:
    where = Compare("sex", "in", ("female",))
    text = render.select("patients", ["person_id", "birth_year"], where)
    by_hand = [(r["person_id"], r["birth_year"]) for r in DRAWN["patients"] if r["sex"] == "female"]
    assert sorted(duck.execute(text).fetchall()) == sorted(by_hand, key=lambda row: row[0])


@pytest.mark.parametrize("fetched", [[("2020", 1)], [("female", "secret")], [("female", None)], [("female", True)]])
def test_what_is_no_answer_is_not_repeated(fetched: list[tuple[Any, ...]]) -> None:
    asked = Question("patients", (Measure("persons"),), None, (Group("sex"),))
    if fetched == [("2020", 1)]:  # a group that was not declared is in no answer
        assert render.rows(asked, fetched) == []
        return
    with pytest.raises(SiteError) as caught:
        render.rows(asked, fetched)
    assert "secret" not in caught.value.diagnostics()


def test_another_number_of_columns_is_no_answer() -> None:
    with pytest.raises(SiteError, match="another number of columns"):
        render.rows(Question("patients", (Measure("persons"),)), [(1, 2)])
