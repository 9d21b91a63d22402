"""Release memory: what means the same is the same, what an answer holds is taken from it, and carving somebody out is refused.

Everything is decided on questions: there is no data in this file but where meanings are compared.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from question_drawing import VIEWS, predicates
from question_drawing import questions as drawn_questions
from question_tables import meets, tables

from fedkit.errors import OutputRefused
from fedkit.warehouse.disclosure import STRICTEST
from fedkit.warehouse.memory import Memory, covers, name, normal, taken
from fedkit.warehouse.memory.paper import drawn
from fedkit.warehouse.memory.persons import of_persons
from fedkit.warehouse.predicates import All, Compare, Has, Not, Predicate
from fedkit.warehouse.predicates import Any as AnyOf
from fedkit.warehouse.question import Group, Measure, Protection, Question

LEAST = STRICTEST.difference
TABLES = tables()


def is_(column: str, *values: Any) -> Compare:
    return Compare(column, "in", values)


def persons(where: Predicate | None = None, *by: Group, view: str = "mentions", rho: float = 0.0) -> Question:
    protection = Protection("noise", rho) if rho else Protection()
    return Question(view, (Measure("persons"),), where, by, protection)


IMPLANT, WOMAN, CLINIC, BORN = is_("label", "IMPLANT"), is_("sex", "female"), is_("department", "A"), is_("birth_year", 1950)
SOMEBODY = All((WOMAN, CLINIC, BORN))
YEARS, SEX = Group("year", edges=(2020, 2021, 2022, 2023)), Group("sex")


def refuses(earlier: Question, question: Question, site: str = "no") -> bool:
    verdict = Memory([earlier], site).verdict(question, LEAST)
    if not verdict.passed:
        with pytest.raises(OutputRefused) as refusal:
            Memory([earlier], site).check(question, LEAST)
        assert refusal.value.help, "a refusal without a way on"
    return not verdict.passed


# -- what means the same
@settings(max_examples=120)
@given(st.data())
def test_the_normal_form_means_what_the_condition_means(data: st.DataObject) -> None:
    view = data.draw(st.sampled_from(VIEWS))
    predicate = data.draw(predicates(view))
    for row in TABLES[view.name][:60]:
        assert meets(normal(predicate, view), row, TABLES) == meets(predicate, row, TABLES)


@settings(max_examples=150)
@given(st.data())
def test_the_normal_form_is_its_own(data: st.DataObject) -> None:
    view = data.draw(st.sampled_from(VIEWS))
    once = normal(data.draw(predicates(view)), view)
    assert normal(once, view) == once


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (All((IMPLANT, WOMAN)), All((WOMAN, IMPLANT))),
        (Not(Not(IMPLANT)), IMPLANT),
        (Not(AnyOf((Not(IMPLANT), Not(WOMAN)))), All((IMPLANT, WOMAN))),
        (Not(is_("sex", "male", "other", "unknown")), WOMAN),
        (is_("year", 2021, 2020, 2022), All((Compare("year", ">=", (2020,)), Compare("year", "<=", (2022,))))),
        (Compare("year", ">", (2019,)), Compare("year", ">=", (2020,))),
        (All((Compare("year", ">=", (2020,)), Compare("year", "<", (2021,)))), is_("year", 2020)),
        (AnyOf((is_("label", "DRUG"), IMPLANT)), is_("label", "IMPLANT", "DRUG")),
        (All((IMPLANT, All((WOMAN, CLINIC)))), All((All((CLINIC, IMPLANT)), WOMAN))),
        (Has("notes", Not(Not(WOMAN))), Has("notes", WOMAN)),
    ],
)
def test_conditions_that_mean_the_same_have_one_name(one: Predicate, other: Predicate) -> None:
    assert name(persons(one)) == name(persons(other))


def test_questions_with_another_meaning_price_or_bound_have_other_names() -> None:
    several = [
        persons(IMPLANT),
        persons(WOMAN),
        persons(IMPLANT, rho=0.1),
        persons(IMPLANT, rho=0.2),
        persons(IMPLANT, SEX),
        persons(Not(Compare("year", ">=", (2020,)))),  # a missing year is not from 2020 on, and not before it
        persons(Compare("year", "<", (2020,))),
    ]
    assert len({name(question) for question in several}) == len(several)


def test_groups_that_are_written_out_or_not_are_the_same() -> None:
    assert name(persons(None, SEX)) == name(persons(None, Group("sex", values=("female", "male", "other", "unknown"))))


# -- what an answer holds
def test_rows_of_some_groups_are_taken_from_the_answer_of_all() -> None:
    """Asked anew, the men would leave, who were kept back for the few others' sake."""
    whole, some = persons(IMPLANT, SEX), persons(IMPLANT, Group("sex", values=("male", "female")))
    assert Memory([whole]).covering(some) == whole
    assert taken([{"sex": "female", "persons": 300}], some) == [{"sex": "female", "persons": 300}]


def test_figures_are_taken_from_an_answer_with_more_of_them() -> None:
    more = Question("notes", (Measure("rows"), Measure("mean", "age", 0, 90)), WOMAN, (SEX,))
    less = Question("notes", (Measure("rows"),), WOMAN, (SEX,))
    assert covers(more, less)
    assert not covers(less, more)
    assert not covers(more, Question("notes", (Measure("mean", "age", 0, 80),), WOMAN, (SEX,)))
    row = {"sex": "female", "persons": 20, "rows": 50, "n_age": 40, "sum_age": 1600}
    assert taken([row], less) == [{"sex": "female", "persons": 20, "rows": 50}]


def test_answers_with_noise_hold_no_exact_ones() -> None:
    assert not covers(persons(IMPLANT, SEX, rho=0.1), persons(IMPLANT, SEX))
    assert not covers(persons(IMPLANT, SEX), persons(IMPLANT, SEX, rho=0.1))


@settings(max_examples=100)
@given(drawn_questions())
def test_an_answer_holds_itself(question: Question) -> None:
    assert covers(question, question)


# -- what may not be asked together
CARVED = All((IMPLANT, Not(SOMEBODY)))


@pytest.mark.parametrize(
    ("earlier", "question"),
    [
        pytest.param(persons(IMPLANT), persons(CARVED), id="somebody left out"),
        pytest.param(persons(CARVED), persons(IMPLANT), id="somebody put back"),
        pytest.param(persons(IMPLANT, YEARS), persons(CARVED, YEARS), id="in every group"),
        pytest.param(persons(IMPLANT, YEARS), persons(CARVED, YEARS, SEX), id="in finer groups"),
        pytest.param(persons(IMPLANT), persons(AnyOf((CARVED, is_("department", "nowhere")))), id="nobody added"),
        pytest.param(persons(AnyOf((IMPLANT, is_("department", "nowhere")))), persons(CARVED), id="nobody added before"),
        pytest.param(persons(IMPLANT), persons(All((IMPLANT, AnyOf((Not(SOMEBODY), is_("site", "zz")))))), id="another site"),
        pytest.param(
            persons(WOMAN),
            persons(All((WOMAN, Not(All((BORN, is_("department", "A", *(f"x{n}" for n in range(30))))))))),
            id="values nobody has",
        ),
        pytest.param(persons(All((IMPLANT, WOMAN, CLINIC))), persons(All((IMPLANT, WOMAN, CLINIC, Not(BORN)))), id="of a few"),
        pytest.param(
            persons(Has("mentions", IMPLANT), view="patients"),
            persons(All((Has("mentions", IMPLANT), Not(All((WOMAN, BORN, is_("notes", 7)))))), view="patients"),
            id="a patient",
        ),
        pytest.param(
            persons(Has("mentions", IMPLANT), view="patients"),
            persons(All((IMPLANT, Not(All((WOMAN, BORN)))))),
            id="by another view",
        ),
        pytest.param(
            persons(All((IMPLANT, Compare("date", ">=", ("2020-01-01",))))),
            persons(All((IMPLANT, Compare("date", ">=", ("2020-01-02",))))),
            id="by a day",
        ),
    ],
)
def test_two_exact_answers_that_differ_by_few_persons_are_not_both_given(earlier: Question, question: Question) -> None:
    assert refuses(earlier, question)


@pytest.mark.parametrize(
    ("earlier", "question"),
    [
        pytest.param(persons(IMPLANT), persons(IMPLANT), id="the same"),
        pytest.param(persons(IMPLANT), persons(All((IMPLANT, WOMAN))), id="a part"),
        pytest.param(persons(All((IMPLANT, WOMAN))), persons(IMPLANT), id="the whole"),
        pytest.param(persons(All((IMPLANT, WOMAN))), persons(All((IMPLANT, WOMAN, CLINIC))), id="a smaller part"),
        pytest.param(persons(IMPLANT, YEARS), persons(IMPLANT, YEARS, SEX), id="finer groups"),
        pytest.param(persons(IMPLANT, SEX), persons(IMPLANT, YEARS), id="other groups"),
        pytest.param(persons(All((WOMAN, BORN, CLINIC))), persons(All((WOMAN, is_("birth_year", 1951)))), id="others"),
        pytest.param(persons(IMPLANT, rho=0.1), persons(CARVED), id="after noise"),
        pytest.param(persons(IMPLANT), persons(CARVED, rho=0.1), id="with noise"),
        pytest.param(persons(None, view="patients"), persons(IMPLANT), id="all patients, then some"),
    ],
)
def test_questions_that_go_into_detail_may_follow_each_other(earlier: Question, question: Question) -> None:
    assert not refuses(earlier, question)


def test_a_site_without_the_rule_gives_both() -> None:
    Memory([persons(IMPLANT)]).check(persons(CARVED), 0)


def test_what_names_too_much_to_be_compared_is_refused_and_not_let_through() -> None:
    words = [is_(column, *(f"x{number}" for number in range(40))) for column in ("department", "type")]
    numbers = [is_(column, *range(2, 80, 2)) for column in ("age", "mentions")]
    question = persons(AnyOf((*words, *numbers, BORN)), view="notes")
    question.check()
    assert refuses(persons(WOMAN, view="notes"), question)


# -- the paper
@settings(max_examples=200)
@given(st.data())
def test_rows_that_one_question_counts_and_the_other_does_not_are_where_the_paper_has_room(data: st.DataObject) -> None:
    """The paper may show regions in which nobody is, but never none where somebody is."""
    view = data.draw(st.sampled_from(VIEWS))
    one, other = (data.draw(predicates(view, 2)) for _ in range(2))
    pair = [Question(view.name, (Measure("persons"),), where) for where in (one, other)]
    try:
        sheet = drawn(pair[0], pair[1], "no")
    except Exception as error:
        assume(type(error).__name__ != "TooDetailed")
        raise
    apart = sheet.counted[0] & ~sheet.counted[1]
    if any(meets(one, row, TABLES) and not meets(other, row, TABLES) for row in TABLES[view.name]):
        assert apart.any()


@settings(max_examples=150)
@given(st.data())
def test_a_question_about_rows_counts_the_same_persons_as_the_one_about_patients(data: st.DataObject) -> None:
    view = data.draw(st.sampled_from(VIEWS[1:]))
    question = persons(data.draw(predicates(view, 2)), view=view.name)
    about = of_persons(question)
    rows = {row["person_id"] for row in TABLES[view.name] if meets(question.where, row, TABLES)}
    patients = {row["person_id"] for row in TABLES["patients"] if meets(about.where, row, TABLES)}
    assert patients == rows
