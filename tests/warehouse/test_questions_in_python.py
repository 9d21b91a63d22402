"""Questions made with the builder, and read in words."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from question_drawing import questions

from fedkit.errors import RequestError
from fedkit.warehouse.builder import Builder, count, either, has, mean, no, total, variance
from fedkit.warehouse.explain import explain
from fedkit.warehouse.groups import Group
from fedkit.warehouse.measures import Measure
from fedkit.warehouse.predicates import All, Compare, Has, Not
from fedkit.warehouse.predicates import Any as AnyOf
from fedkit.warehouse.question import Protection, Question
from fedkit.warehouse.suggestions import near, shown


def test_patients_with_an_implant_by_site_and_year() -> None:
    question = count("patients").where(label="IMPLANT", year=(2020, 2022)).by("site", "year").question()
    where = All((Compare("label", "in", ("IMPLANT",)), Compare("year", ">=", (2020,)), Compare("year", "<=", (2022,))))
    by = (Group("site"), Group("year", edges=(2020, 2021, 2022, 2023)))
    assert question == Question("mentions", (Measure("persons"),), where, by)


@pytest.mark.parametrize(
    ("builder", "view", "kind"),
    [
        (count(), "patients", "persons"),
        (count("patients").where(sex="male"), "patients", "persons"),
        (count("patients").where(year=2020), "notes", "persons"),
        (count("patients").where(label="DRUG"), "mentions", "persons"),
        (count("patients").where(kind="inpatient"), "visits", "persons"),
        (count("patients").over("visits").where(year=2020), "visits", "persons"),
        (count("notes"), "notes", "rows"),
        (count("notes").where(label="DRUG"), "mentions", "notes"),
        (count("visits"), "visits", "rows"),
        (count("visits").where(language="nb"), "notes", "visits"),
        (count("mentions"), "mentions", "rows"),
    ],
)
def test_the_view_is_the_first_that_has_the_columns(builder: Builder, view: str, kind: str) -> None:
    question = builder.question()
    assert (question.view, question.measures[0].kind) == (view, kind)


@pytest.mark.parametrize(
    ("given", "predicate"),
    [
        ({"sex": "male"}, Compare("sex", "in", ("male",))),
        ({"sex": ["male", "female"]}, Compare("sex", "in", ("male", "female"))),
        ({"sex": {"male", "female"}}, Compare("sex", "in", ("female", "male"))),
        ({"birth_year": 1950}, Compare("birth_year", "in", (1950,))),
        ({"birth_year": [1950, 1960]}, Compare("birth_year", "in", (1950, 1960))),
        ({"birth_year": range(1950, 1953)}, Compare("birth_year", "in", (1950, 1951, 1952))),
        ({"birth_year": (1950, None)}, Compare("birth_year", ">=", (1950,))),
        ({"birth_year": (None, 1950)}, Compare("birth_year", "<=", (1950,))),
        ({"date": datetime.date(2020, 1, 2)}, Compare("date", "in", ("2020-01-02",))),
        ({"date": ("2020-01-02", None)}, Compare("date", ">=", ("2020-01-02",))),
        ({"negated": False}, Compare("negated", "in", ("no",))),
        ({"negated": True}, Compare("negated", "in", ("yes",))),
    ],
)
def test_conditions_by_name(given: dict[str, Any], predicate: Compare) -> None:
    assert count().where(**given).question().where == predicate


def test_conditions_that_names_cannot_say() -> None:
    question = (
        count()
        .where(no(has("mentions", label="DRUG", negated=False)), either(Compare("sex", "in", ("male",)), has("visits")))
        .question()
    )
    drug = Has("mentions", All((Compare("label", "in", ("DRUG",)), Compare("negated", "in", ("no",)))))
    assert question.where == All((Not(drug), AnyOf((Compare("sex", "in", ("male",)), Has("visits")))))
    assert question.view == "patients"


def test_several_figures_and_protection() -> None:
    question = (
        mean("days").also(variance("days")).also(total("days")).also(count("visits")).noise(0.1, groups_per_person=2).question()
    )
    assert [m.kind for m in question.measures] == ["mean", "variance", "sum", "rows"]
    assert question.protection == Protection("noise", 0.1, 2)
    assert count().pooled(0.2).question().protection.mode == "pooled"
    assert mean("days", 0, 30).question().bounds() == {"days": (0, 30)}


def test_groups_that_no_condition_implies() -> None:
    assert count().by("sex", birth_year=(1900, 1950, 2000)).question().by == (
        Group("sex"),
        Group("birth_year", edges=(1900, 1950, 2000)),
    )
    assert count("notes").by(department=("B", "A")).question().by == (Group("department", ("B", "A")),)
    assert len(count("notes").by("month").question().by[0].edges) == 13
    assert count("notes").where(department=["B", "A"]).by("department").question().by == (Group("department", ("B", "A")),)
    assert count("notes").where(year=(2020, 2023)).where(year=(2021, None)).by("year").question().by == (
        Group("year", edges=(2021, 2022, 2023, 2024)),
    )


def test_a_builder_is_a_value() -> None:
    labels = ["DRUG"]
    first = count().where(label=labels)
    second = first.by("sex")
    labels.append("IMPLANT")
    assert first.question().where == Compare("label", "in", ("DRUG",))
    assert first.question().by == ()
    assert second.question().by == (Group("sex"),)


@pytest.mark.parametrize(
    ("made", "message", "help_has"),
    [
        (lambda: count("patiens"), "cannot be counted", "patients"),
        (lambda: count().where(lable="DRUG").question(), "no view has a column lable", "label"),
        (lambda: count().where(days=1, label="DRUG").question(), "no view has all", "has("),
        (lambda: count().over("patient"), "no view patient", "patients"),
        (lambda: has("mention"), "no view mention", "mentions"),
        (lambda: count().by("year").question(), "grouped by edges", "condition on year"),
        (lambda: count().where(year=(1900, 2100)).by("year").question(), "too many groups", "edges"),
        (lambda: count().where(birth_year=(None, None)).question(), "has no bound", ""),
        (lambda: count().where(sex="femal").question(), "no value", "female"),
        (lambda: count().where(sex=None).question(), "no number|no word|is no", ""),
        (lambda: count().where(birth_year="1950").question(), "is a number", ""),
        (lambda: mean("sex").question(), "needs bounds|no number", ""),
        (lambda: mean("agee").question(), "no view has a column agee", "age"),
        (lambda: count().also(count().where(sex="male")), "conditions of its own", ""),
    ],
)
def test_an_error_names_the_near_name(made: Callable[[], Any], message: str, help_has: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        made()
    assert help_has in caught.value.help


def test_a_question_in_words() -> None:
    asked = count("patients").where(label="IMPLANT", year=(2020, 2021)).by("site", "year").question()
    assert explain(asked) == (
        "Asks for the number of persons, by site and by year (2020, 2021), among mentions with label IMPLANT, year from 2020"
        " and year up to 2021. Exact figures, as far as the rules of each site let them leave."
    )
    bounded = (
        mean("days", 0, 30).where(no(has("mentions", label=["DRUG", "IMPLANT"]))).noise(0.1, groups_per_person=2).question()
    )
    assert explain(bounded) == (
        "Asks for the mean of days (cut to 0 to 30) among visits with not a person who has mentions with label DRUG or IMPLANT."
        " Each site adds noise, for a privacy cost of 0.1 (rho); one person counts in 2 groups at most, with 1 row each."
    )


@given(question=questions(("rules", "noise", "pooled")))
@settings(max_examples=60)
def test_every_question_can_be_said(question: Question) -> None:
    said = explain(question)
    assert said.startswith("Asks for ")
    assert question.view in said


def test_near_names() -> None:
    assert near("departmnt", ["department", "date", "days"]) == ["department"]
    assert near("IMPLNAT", ["IMPLANT", "DRUG"]) == ["IMPLANT"]
    assert near("zzz", ["department"]) == []
    assert shown("a\x1b[31m" * 30).isprintable()
    assert len(shown("a" * 1000)) == 40
    assert shown(None) == "NoneType"
