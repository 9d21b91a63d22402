"""From the fields of the warehouse's form to a question, and a sentence where there is none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedkit.errors import RequestError
from fedkit.warehouse.builder import count, mean, no
from fedkit.warehouse.predicates import Compare
from fedkit.warehouse.question import from_json
from fedkit.warehouse.schema import SCHEMA, VIEWS
from fedkit.widgets.warehouse_values import (
    COMPARISONS,
    MODE_WORDS,
    By,
    Condition,
    QueryValues,
    compared_in,
    grouped_in,
    measures_of,
    problems,
    question_of,
)


def test_the_form_and_the_builder_make_the_same_question() -> None:
    """So that an answer of one is remembered for the other."""
    values = QueryValues(
        view="mentions",
        where=(Condition("label", "in", ("IMPLANT",)), Condition("year", "from to", "2020 to 2024")),
        by=(By("year"),),
        by_site=True,
    )
    built = count("patients").where(label="IMPLANT", year=(2020, 2024)).by("year", "site").question()
    assert question_of(values).digest == built.digest


def test_a_mean_and_a_negated_list() -> None:
    values = QueryValues(
        view="visits",
        measure="mean",
        column="days",
        low=0,
        high=30,
        where=(Condition("kind", "not in", ("outpatient",)),),
        by=(By("sex", ("female", "male")),),
    )
    built = mean("days", 0, 30).where(no(Compare("kind", "in", ("outpatient",)))).by("sex", sex=("female", "male"))
    assert question_of(values) == built.over("visits").question()


@pytest.mark.parametrize(
    ("given_text", "edges"),
    [
        ("2020 to 2022", (2020, 2021, 2022, 2023)),
        (" 2020…2022 ", (2020, 2021, 2022, 2023)),
        ("1900, 1950, 2000", (1900, 1950, 2000)),
        ("2020 to 2020", (2020, 2021)),
    ],
)
def test_groups_of_numbers_are_a_range_or_edges(given_text: str, edges: tuple[int, ...]) -> None:
    values = QueryValues(view="notes", by=(By("birth_year" if 1900 in edges else "year", given_text),))
    assert question_of(values).by[0].edges == edges


@pytest.mark.parametrize(
    ("changes", "field", "told"),
    [
        ({"where": (Condition("label", "in", ()),)}, "where 1", "a value at least"),
        (
            {"where": (Condition("label", "in", "IMPLNT, DRUG"), Condition("year", "from to", "2020"))},
            "where 2",
            "1900 to 2100",
        ),
        ({"where": (Condition("year", ">=", "soon"),)}, "where 1", "a number"),
        ({"where": (Condition("year", ">=", "nan"),)}, "where 1", "a number"),
        ({"where": (Condition("date", ">=", "31.12.2024"),)}, "where 1", "YYYY-MM-DD"),
        ({"where": (Condition("sex", "in", "femal"),)}, "where 1", "did you mean female"),
        ({"by": (By("department"),)}, "by 1", "catalogue has them"),
        ({"by": (By("age"),)}, "by 1", "edges"),
        ({"by": (By("sex"), By("age", "40, 20"))}, "by 2", "each higher than the last"),
        ({"measure": "mean", "column": "age", "low": 50, "high": 40}, "measure", "low < high"),
        ({"measure": "mean", "column": "age", "low": -5, "high": 40}, "measure", "from 0 to 90"),
        ({"mode": "noise", "rho": 0.0}, "protection", "above 0 and up to 10"),
        ({"mode": "noise", "rho": 0.1, "groups_per_person": 0}, "protection", "groups_per_person"),
        ({"mode": "pooled", "by_site": True}, "question", "leave site out"),
        ({"by": (By("sex"), By("sex"))}, "question", "each column once"),
    ],
)
def test_each_field_says_what_is_wrong_with_it_and_what_to_do(changes: dict[str, object], field: str, told: str) -> None:
    values = QueryValues(**{"view": "mentions", **changes})  # type: ignore[arg-type]
    found = problems(values)
    assert list(found) == [field]
    assert told.casefold() in found[field].casefold()
    assert found[field][0].isupper()
    with pytest.raises(RequestError):
        question_of(values)


@st.composite
def anything_chosen(draw: st.DrawFn) -> QueryValues:
    """Whatever can be clicked, and any text in the fields that take one."""
    view = VIEWS[draw(st.sampled_from(sorted(VIEWS)))]
    text = st.one_of(st.text(max_size=12), st.just("2020 to 2024"), st.just("1, 2, 3"), st.tuples(st.text(max_size=5)))
    where = []
    for column in draw(st.lists(st.sampled_from(compared_in(view)), max_size=3)):
        op = draw(st.sampled_from([name for _, name in COMPARISONS[column.kind]]))
        where.append(Condition(column.name, op, draw(text)))
    by = [By(column.name, draw(text)) for column in draw(st.lists(st.sampled_from(grouped_in(view)), max_size=3))]
    return QueryValues(
        view=view.name,
        measure=draw(st.sampled_from([name for _, name in measures_of(view)])),
        column=draw(st.sampled_from([c.name for c in view.columns if c.kind == "number"])),
        low=draw(st.floats(-10, 3000)),
        high=draw(st.floats(-10, 3000)),
        where=tuple(where),
        by_site=draw(st.booleans()),
        by=tuple(by),
        mode=draw(st.sampled_from(sorted(MODE_WORDS))),
        rho=draw(st.floats(-1, 11)),
        groups_per_person=draw(st.integers(-1, 3)),
    )


@settings(deadline=None, max_examples=150)
@given(anything_chosen())
def test_there_is_either_a_question_or_a_problem_and_never_another_error(values: QueryValues) -> None:
    found = problems(values)
    if found:
        assert all(said.strip() for said in found.values())
        with pytest.raises(RequestError):
            question_of(values)
    else:
        question = question_of(values)
        question.check()
        assert from_json(question.to_json()) == question


@pytest.mark.parametrize("view", VIEWS.values(), ids=lambda view: view.name)
def test_every_measure_that_is_offered_can_be_asked(view) -> None:  # type: ignore[no-untyped-def]
    number = next(column for column in SCHEMA.view(view.name).columns if column.kind == "number")
    for words, name in measures_of(view):
        values = QueryValues(view.name, name, number.name, low=number.low, high=number.high)
        assert problems(values) == {}, words
