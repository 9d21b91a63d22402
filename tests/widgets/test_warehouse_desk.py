"""The desk of the warehouse by its buttons and by its methods: nothing is asked before its plan was shown."""

from __future__ import annotations

from typing import Any

import pytest
from warehouse_samples import BY_YEAR, SITES, Request, answer_of, not_there, plan_of, refused, years
from widget_samples import CANARY, EVIL, click, everything_sent, live_html, our_failure, private_failure, table_rows

from fedkit.errors import FedkitError, RequestError
from fedkit.widgets.warehouse_desk import WarehouseDesk
from fedkit.widgets.warehouse_form import QueryForm
from fedkit.widgets.warehouse_values import By, Condition

IMPLANTS: dict[str, Any] = {
    "view": "mentions",
    "where": (Condition("label", "in", ("IMPLANT",)), Condition("year", "from to", "2022 to 2024")),
    "by": (By("year"),),
}
ANSWER = answer_of(BY_YEAR, {"no": years(y2022=30), "sv": years(y2022=25)}, {"et": "et is not running"})


def desk(request: Request | None = None, **values: Any) -> WarehouseDesk:
    return WarehouseDesk(request or Request(answers=[ANSWER]), **{**IMPLANTS, **values})


def display(widget: Any) -> bool:
    return widget.layout.display != "none"


# -- the form


def test_a_new_form_asks_for_something_that_can_be_asked() -> None:
    form = QueryForm()
    assert form.problems == {}
    assert form.question is not None
    assert form.question.view == "patients"


def test_lines_appear_when_the_one_before_is_used() -> None:
    form = QueryForm(view="mentions")
    assert [display(line) for line in form.conditions] == [True, False, False, False]
    form.conditions[0].column.value = "label"
    assert [display(line) for line in form.conditions] == [True, True, False, False]
    assert [display(line) for line in form.groups] == [True, False, False]


def test_a_column_brings_the_control_that_fits_it() -> None:
    form = QueryForm({"department": ("Ortopedi", "Medisin")}, view="mentions")
    line = form.conditions[0]
    line.column.value = "sex"
    assert list(line.given.options) == ["female", "male", "other", "unknown"]
    line.column.value = "department"
    assert list(line.given.options) == ["Ortopedi", "Medisin"], "the catalogues know the words that the schema does not"
    line.op.value = "starts"
    line.given.value = "Orto"  # a text: the beginning of a word stands in no list
    assert form.problems == {}
    line.column.value = "concept"
    line.given.value = "Z95, Z96"
    assert form.values.where == (Condition("concept", "in", "Z95, Z96"),)
    line.column.value = "date"
    assert [name for _, name in line.op.options] == ["from to", ">=", "<="]


def test_a_wrong_line_says_so_beside_itself_and_not_elsewhere() -> None:
    form = QueryForm(view="mentions")
    form.conditions[0].column.value = "label"
    form.conditions[1].column.value = "year"
    form.conditions[0].given.value = ("IMPLANT",)
    form.conditions[1].given.value = "2022"
    assert "fk-bad" not in form.conditions[0]._hint.value
    assert "1900 to 2100" in form.conditions[1]._hint.value
    form.conditions[0].column.value = ""  # the second line is now the first condition, and still the wrong one
    assert "fk-bad" in form.conditions[1]._hint.value
    form.conditions[1].given.value = "2022 to 2024"
    assert form.problems == {}
    assert "fk-bad" not in form.conditions[1]._hint.value


def test_bounds_and_noise_are_asked_for_only_where_they_matter() -> None:
    form = QueryForm(view="visits")
    assert not any(display(form.fields[name]) for name in ("column", "low", "high", "rho", "groups_per_person"))
    always = ("view", "measure", "by_site", "mode")
    assert all(display(form.fields[name]) for name in always)
    form.set(measure="mean", column="days")
    assert (form.values.low, form.values.high) == (0, 3650), "what the column can be, for a start"
    assert all(display(form.fields[name]) for name in ("column", "low", "high"))
    form.set(mode="noise", rho=0.2)
    assert display(form.fields["rho"])
    assert form.question is not None
    assert form.question.cost() == 0.2


def test_another_view_takes_away_what_it_does_not_have() -> None:
    form = QueryForm(**IMPLANTS)
    form.fields["view"].value = "patients"
    assert form.values.where == ()
    assert form.problems == {}
    with pytest.raises(RequestError) as caught:
        form.set(where=(Condition("label", "in", ("IMPLANT",)),))
    assert "where" in caught.value.message


def test_sql_makes_the_same_question_under_the_same_protection() -> None:
    form = QueryForm(**IMPLANTS)
    chosen = form.question
    form.set(
        sql="SELECT year, COUNT(DISTINCT person_id) FROM mentions WHERE label = 'IMPLANT' AND year BETWEEN 2022 AND 2024"
        " GROUP BY year"
    )
    assert not display(form._fields)
    assert form.question == chosen
    form.set(mode="pooled", rho=0.3)
    assert form.question is not None
    assert form.question.cost() == 0.3


def test_who_goes_on_to_sql_finds_there_what_was_chosen() -> None:
    form = QueryForm(**IMPLANTS)
    chosen = form.question
    form.way.value = "sql"
    assert "SELECT" in form.sql.value
    assert form.question is not None
    assert form.question.digest == chosen.digest
    form.sql.value += " HAVING COUNT(*) > 3"
    assert form.question is None
    form.way.value = ""
    assert form.question == chosen


@pytest.mark.parametrize("text", ["DROP TABLE person", "SELECT * FROM mentions", "SELECT person_id FROM notes", "; --", ""])
def test_sql_that_cannot_be_asked_says_why_at_the_field(text: str) -> None:
    form = QueryForm()
    form.set(sql="x")
    form.sql.value = text
    assert form.question is None
    assert "fk-bad" in form._hints["sql"].value


def test_a_name_that_is_no_field_and_a_value_that_does_not_fit_are_refused_without_repeating_them() -> None:
    form = QueryForm()
    with pytest.raises(RequestError, match="no such field"):
        form.set(limit=3)
    with pytest.raises(RequestError) as caught:
        form.set(view=CANARY)
    assert CANARY not in str(caught.value.diagnostics())


def test_every_control_has_a_name_for_screen_readers() -> None:
    form = QueryForm(**IMPLANTS)

    def controls(widget: Any) -> list[Any]:
        inside = [c for child in getattr(widget, "children", ()) for c in controls(child)]
        return inside or ([widget] if hasattr(widget, "description") and "HTML" not in type(widget).__name__ else [])

    shown = [one for one in controls(form) if display(one)]
    assert len(shown) > 10
    assert [one for one in shown if not one.description] == []


# -- plan, then ask


def test_nothing_can_be_asked_before_its_plan_was_shown() -> None:
    one = desk()
    assert one._ask_button.disabled
    click(one._plan_button)
    one.wait()
    assert "What the sites would do" in live_html(one)
    click(one._ask_button)
    one.wait()
    assert [what for what, _ in one._asking.asked] == ["plan", "run"]
    assert one.answers == [ANSWER]
    assert "et gave nothing" in live_html(one)


def test_a_changed_question_is_planned_again_before_it_is_asked() -> None:
    one = desk()
    one.plan()
    assert not one._ask_button.disabled
    one.form.conditions[1].given.value = "2021 to 2024"
    assert one._ask_button.disabled
    assert "plan it again" in live_html(one)
    one.form.conditions[1].given.value = "2022 to 2024"
    assert not one._ask_button.disabled, "the very question that was planned"


def test_ask_plans_first_and_returns_the_answer() -> None:
    one = desk()
    assert one.ask() is ANSWER
    digests = {digest for _, digest in one._asking.asked}
    assert digests == {one.form.question.digest}


def test_a_question_that_every_site_refuses_is_not_sent() -> None:
    request = Request(plans=[{site: refused(site) for site in SITES}], answers=[ANSWER])
    one = desk(request)
    with pytest.raises(RequestError) as caught:
        one.ask()
    assert "no: refuses: GroupLimit" in caught.value.got
    assert [what for what, _ in request.asked] == ["plan"]
    assert one._ask_button.disabled
    assert "Why not" in live_html(one)


def test_one_willing_site_is_enough_and_the_others_say_why_not() -> None:
    plans = {"no": plan_of("no"), "sv": refused("sv"), "et": not_there("et")}
    one = desk(Request(plans=[plans], answers=[ANSWER]))
    one.plan()
    assert not one._ask_button.disabled
    assert "et did not answer" in live_html(one)


def test_what_is_left_is_read_again_after_the_answer() -> None:
    one = desk()
    assert ["no", "approved", "20", "1"] in table_rows(live_html(one))
    one.ask()
    assert ["no", "approved", "19", "1"] in table_rows(live_html(one))
    assert one.planned is None, "asked once more, it would cost something else"


def test_a_question_that_is_not_complete_cannot_be_planned() -> None:
    one = desk()
    one.form.conditions[1].given.value = "soon"
    assert one._plan_button.disabled
    with pytest.raises(RequestError) as caught:
        one.plan()
    assert "where 2" in caught.value.got
    assert one._asking.asked == []


def test_a_failure_is_shown_and_the_desk_can_be_used_again() -> None:
    one = desk(Request(answers=[our_failure(), ANSWER]))
    click(one._plan_button)
    one.wait()
    click(one._ask_button)
    one.wait()
    assert "the site did not answer" in live_html(one)
    assert EVIL not in live_html(one)
    assert one.ask() is ANSWER
    assert one.error is None


def test_words_of_a_foreign_exception_reach_no_browser() -> None:
    one = desk(Request(answers=[private_failure()]))
    one.plan()
    with pytest.raises(FedkitError):
        one.ask()
    assert CANARY not in everything_sent(one)


def test_every_question_of_the_sitting_stands_in_the_list() -> None:
    second = answer_of(BY_YEAR, {"no": years(y2022=30)}, number=2)
    one = desk(Request(answers=[ANSWER, second]))
    one.ask()
    assert "Asked so far" not in live_html(one)
    one.ask()
    assert "Asked so far, 2" in live_html(one)
    assert [answer.number for answer in one.answers] == [1, 2]


def test_the_fallback_holds_question_plan_and_answer_and_no_more() -> None:
    one = desk()
    one.plan()
    assert "What the sites would do" in one.static_html()
    assert "SELECT" not in one.static_html()
    one.ask()
    for told in ("Asks for the number of persons", "kept back at", "et gave nothing"):
        assert told in one.static_html()
    assert one.static_text().startswith("Data warehouse: Asks for the number of persons")
    assert repr(one).startswith("WarehouseDesk: Data warehouse: Asks for the number of persons")
