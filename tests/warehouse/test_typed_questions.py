"""Questions typed as SQL: what they mean, what is refused, and that a question survives being written and read."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hostile_corpus import hostile
from hypothesis import given, settings
from hypothesis import strategies as st
from question_drawing import questions
from question_tables import statements, tables

from fedkit.errors import RequestError
from fedkit.warehouse import render, sql
from fedkit.warehouse.builder import count
from fedkit.warehouse.implied import implied
from fedkit.warehouse.predicates import Any as AnyOf
from fedkit.warehouse.predicates import Compare
from fedkit.warehouse.question import Protection, Question
from fedkit.warehouse.schema import SCHEMA

GOOD = Path(__file__).with_name("good_statements.sql").read_text("utf-8").splitlines()
HOSTILE = hostile()


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for statement in statements(tables(seed=3)):
            connection.execute(statement)
        yield connection


@pytest.mark.parametrize("text", GOOD)
def test_what_is_typed_means_what_a_database_means_by_it(duck: duckdb.DuckDBPyConnection, text: str) -> None:
    """The statement itself, run by DuckDB, against what a site runs for the question: NULL and NOT included."""
    question = sql.parse(text)
    answer = render.rows(question, duck.execute(render.sql(question)).fetchall())
    # Groups are shown before or after figures, as typed; and in SQL, rows without a declared group are one more.
    raw = duck.execute(text)
    names = [d[0] for d in raw.description]
    groups = [g.column for g in question.groups]
    keys = [i for i, name in enumerate(names) if name in groups or name == "born" or name.upper().startswith("CASE")]
    declared = [group.labels(column) for group, column in question.columns()]
    theirs = {}
    for row in raw.fetchall():
        labels = dict(
            zip([groups.index(names[i]) if names[i] in groups else 0 for i in keys], [str(row[i]) for i in keys], strict=True)
        )
        if all(label in declared[place] for place, label in labels.items()):
            theirs[tuple(labels[place] for place in sorted(labels))] = [v for i, v in enumerate(row) if i not in keys]
    ours = {tuple(row[g] for g in groups): [m.of(row) for m in question.measures] for row in answer}
    assert set(ours) == set(theirs)
    for key, figures in ours.items():
        assert figures == pytest.approx(theirs[key], rel=1e-9)


LEAVES = (
    "year >= 2021", "year = 2020", "2021 > year", "year <> 2022", "year IN (2019, 2023)", "year NOT IN (2019, 2023)",
    "sex = 'male'",
    "year BETWEEN 2020 AND 2021", "year NOT BETWEEN 2020 AND 2021", "sex <> 'male'", "type LIKE 'A10%'", "type NOT LIKE 'A10%'",
    "date < '2021-05-01'", "date <> '2020-01-10'", "department IN ('Ortopedi', 'O''Brien')", "language NOT IN ('nb', 'fi')",
    "person_id IN (SELECT person_id FROM visits WHERE NOT year > 2020)",
    "person_id NOT IN (SELECT person_id FROM mentions WHERE age < 9)",
)  # fmt: skip


def conditions() -> st.SearchStrategy[str]:
    """Conditions as people type them: NOT before anything, brackets and none."""
    return st.recursive(
        st.sampled_from(LEAVES),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(("AND", "OR")), inner).map(" ".join),
            st.tuples(inner, st.sampled_from(("AND", "OR")), inner).map(lambda parts: f"({' '.join(parts)})"),
            inner.map(lambda part: f"NOT ({part})"),
            inner.map(lambda part: f"NOT {part}"),
            inner.map(lambda part: f"({part}) IS TRUE"),
            inner.map(lambda part: f"({part}) IS NOT TRUE"),
        ),
        max_leaves=5,
    )


@given(condition=conditions())
@settings(max_examples=300)
def test_a_condition_is_true_of_the_rows_that_a_database_finds(duck: duckdb.DuckDBPyConnection, condition: str) -> None:
    """NOT, AND and OR over columns with NULL, in any order: where SQL's third value would come out is where they differ."""
    text = f"SELECT COUNT(*) FROM notes WHERE {condition}"
    raw = duck.execute(text).fetchall()[0][0]
    question = sql.parse(text)
    assert render.rows(question, duck.execute(render.sql(question)).fetchall())[0]["rows"] == raw


def test_there_are_enough_statements_of_both_sorts() -> None:
    assert len(set(GOOD)) >= 40
    assert len({text for _, text in HOSTILE}) >= 150


@pytest.mark.parametrize(("family", "text"), HOSTILE, ids=[f"{f.split()[0]}-{i}" for i, (f, _) in enumerate(HOSTILE)])
def test_hostile_sql_becomes_no_question(family: str, text: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(RequestError) as caught:
        sql.parse(text)
    assert len(caught.value.diagnostics()) < 2_000, "an error is for people to read"
    assert caught.value.expected
    assert not caplog.records, "what was typed stands in no log"


@given(question=questions())
@settings(max_examples=300)
def test_a_question_written_as_sql_is_read_as_the_same(question: Question) -> None:
    """Where no group was named, the condition names it: the one thing that reading adds."""
    view = SCHEMA.view(question.view)
    settled = replace(question, by=tuple(implied(group, view, question.where) for group in question.by))
    again = sql.parse(sql.write(question))
    assert again == settled
    assert sql.parse(sql.write(again)) == again


@given(
    text=st.text(alphabet=st.sampled_from("SELECT FROM WHERE COUNT(*) patients sex='male',;\"'()<>=-/*%NOTINAND10.\\\n")),
    head=st.sampled_from(["", "SELECT COUNT(*) FROM patients ", "SELECT COUNT(*) FROM patients WHERE sex "]),
)
@settings(max_examples=300)
def test_any_text_is_a_question_or_a_request_error(text: str, head: str) -> None:
    try:
        question = sql.parse(head + text)
    except RequestError:
        return
    assert sql.parse(sql.write(question)) == question


@given(cut=st.integers(1, 200), text=st.sampled_from(GOOD), other=st.sampled_from([t for _, t in HOSTILE if len(t) < 300]))
@settings(max_examples=200)
def test_pieces_of_good_and_hostile_statements_are_questions_or_errors(cut: int, text: str, other: str) -> None:
    try:
        question = sql.parse(text[:cut] + other[cut // 2 :])
    except RequestError:
        return
    question.check()
    assert render.sql(question).count(";") == 0 or "';" in render.sql(question)


def test_the_example_of_the_package() -> None:
    typed = sql.parse(
        "SELECT site, year, COUNT(DISTINCT person_id) FROM mentions WHERE label = 'IMPLANT' "
        "AND year BETWEEN 2020 AND 2024 GROUP BY site, year"
    )
    assert typed == count("patients").where(label="IMPLANT", year=(2020, 2024)).by("site", "year").question()


@pytest.mark.parametrize("inner", ["(", "NOT ", "- ", "CASE WHEN "])
def test_depth_is_looked_at_before_anything_is_parsed(inner: str) -> None:
    with pytest.raises(RequestError, match="nested too deep"):
        sql.parse(f"SELECT COUNT(*) FROM patients WHERE {inner * 41}sex = 'male'")


@pytest.mark.parametrize("function", ["STRUCT", "DATE", "ABS", "read_csv", "year"])
def test_a_function_is_refused_by_its_name_before_anything_is_parsed(function: str) -> None:
    """sqlglot's time doubles with each `STRUCT(` or `DATE(` in another: forty would take it longer than anybody lives."""
    with pytest.raises(RequestError, match=rf"the function {function} has no place|{function} has no place in a question"):
        sql.parse(f"SELECT COUNT(*) FROM patients WHERE {f'{function}(' * 40}1{')' * 40} = 1")


def test_functions_are_not_nested() -> None:
    with pytest.raises(RequestError, match="nested too deep"):
        sql.parse(f"SELECT {'COUNT(' * 4}*{')' * 4} FROM patients")


def test_what_others_log_meanwhile_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    sql.parse("SELECT COUNT(*) FROM patients")
    with caplog.at_level(logging.WARNING):
        logging.getLogger("sqlglot").warning("something of somebody else's")
    assert [record.message for record in caplog.records] == ["something of somebody else's"]


def test_or_of_a_between_stays_one_part() -> None:
    typed = sql.parse("SELECT COUNT(*) FROM notes WHERE year BETWEEN 2020 AND 2021 OR sex = 'male'")
    assert isinstance(typed.where, AnyOf)
    assert len(typed.where.parts) == 2


def test_protection_is_given_beside_the_text() -> None:
    noise = Protection("noise", 0.1, 2)
    assert sql.parse("SELECT COUNT(*) FROM notes", noise).protection == noise
    with pytest.raises(RequestError, match="not told apart by site"):
        sql.parse("SELECT site, COUNT(*) FROM notes GROUP BY site", Protection("pooled", 0.1))


def test_true_and_false_stand_for_yes_and_no() -> None:
    assert sql.parse("SELECT COUNT(*) FROM mentions WHERE negated = FALSE").where == Compare("negated", "in", ("no",))


@pytest.mark.parametrize(
    ("text", "help_has"),
    [
        ("SELECT COUNT(*) FROM mention", "mentions"),
        ("SELECT COUNT(*) FROM patients WHERE sx = 'male'", "sex"),
        ("SELECT COUNT(*) FROM patients WHERE sex = 'femal'", "female"),
        ("SELECT departmnt, COUNT(*) FROM notes GROUP BY departmnt", "department"),
        ("SELECT sex, COUNT(*) FROM patients GROUP BY sex ORDER BY sex", "order of its groups"),
        ("SELECT MAX(birth_year) FROM patients", "noise"),
        ("SELECT COUNT(*) FROM patients JOIN notes USING (person_id)", "person_id IN"),
        ("SELECT COUNT(*) FROM patients WHERE sex = male", "single quotes"),
        ("SELECT COUNT(*) FROM patients WHERE birth_year IS NULL", "missing"),
        ("SELECT COUNT(*) FROM p\u0430tients", "look like Latin"),
    ],
)
def test_an_error_says_what_to_do(text: str, help_has: str) -> None:
    with pytest.raises(RequestError) as caught:
        sql.parse(text)
    assert help_has in caught.value.help


@pytest.mark.parametrize("text", ["", "   ", None, 7, b"SELECT COUNT(*) FROM patients"])
def test_what_is_no_text_is_no_question(text: object) -> None:
    with pytest.raises(RequestError, match="is a text"):
        sql.parse(text)  # type: ignore[arg-type]
