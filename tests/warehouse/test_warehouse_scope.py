"""A data request covers the views that it names: wherever in a question a view stands."""

from __future__ import annotations

import pytest

from fedkit.errors import AccessRefused
from fedkit.warehouse.predicates import All, Any, Compare, Has, Not
from fedkit.warehouse.question import Measure, Question
from fedkit.warehouse.scope import check_scope, views_of

SEX = Compare("sex", "in", ("female",))
DRUG = Has("mentions", Compare("label", "in", ("DRUG",)))
PERSONS = (Measure("persons"),)


@pytest.mark.parametrize(
    ("question", "views"),
    [
        (Question("patients", PERSONS), {"patients"}),
        (Question("patients", PERSONS, SEX), {"patients"}),
        (Question("patients", PERSONS, DRUG), {"patients", "mentions"}),
        (Question("patients", PERSONS, Not(DRUG)), {"patients", "mentions"}),
        (Question("patients", PERSONS, All((SEX, Any((DRUG, Has("visits")))))), {"patients", "mentions", "visits"}),
        (Question("patients", PERSONS, Has("visits", Has("notes"))), {"patients", "visits", "notes"}),
    ],
)
def test_every_view_that_a_question_reads_is_named_however_deep(question: Question, views: set[str]) -> None:
    assert views_of(question) == views
    check_scope(question, {"views": sorted(views)})
    for left_out in views:
        with pytest.raises(AccessRefused, match=f"does not cover {left_out}") as refused:
            check_scope(question, {"views": sorted(views - {left_out})})
        assert refused.value.help


def test_a_word_that_is_a_value_is_no_view() -> None:
    question = Question("notes", PERSONS, Compare("department", "in", ("mentions", "view", "has")))
    assert views_of(question) == {"notes"}


def test_a_request_that_names_no_view_covers_none() -> None:
    with pytest.raises(AccessRefused):
        check_scope(Question("patients", PERSONS), {})
