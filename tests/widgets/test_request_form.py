from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from widget_samples import CANARY, EVIL, click, everything_sent, live_html, our_failure, private_failure

from fedkit.errors import RequestError
from fedkit.widgets import RequestForm, RequestValues
from fedkit.widgets.request_values import LABELS, SEQUENTIAL, problems

TODAY = date(2026, 11, 24)
GOOD: dict[str, Any] = {
    "title": "Implants in five languages",
    "purpose": "Find implants before an MRI",
    "permit_id": "permit-7",
    "permit_purpose": "Find implants before an MRI",
}


def form(**more: Any) -> RequestForm:
    return RequestForm(more.pop("on_submit", lambda values: values), **{**GOOD, **more})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "abc"),
        ("permit_purpose", "Something else"),
        ("permit_id", ""),
        ("permit_purpose", ""),
        ("permit_expires", None),
        ("permit_expires", TODAY - timedelta(days=1)),
        ("dataset", ""),
        ("rounds", 0),
        ("rounds", 101),
        ("sequential_rounds", -1),
        ("sequential_rounds", 5),
        ("model", ""),
    ],
)
def test_each_field_says_what_is_wrong_with_it(field: str, value: Any) -> None:
    good = RequestValues(**GOOD, permit_expires=TODAY)
    assert problems(good, TODAY) == {}
    assert list(problems(RequestValues(**{**GOOD, "permit_expires": TODAY, field: value}), TODAY)) == [field]


@settings(deadline=None)
@given(st.integers(), st.integers())
def test_rounds_are_right_exactly_when_the_study_would_take_them(rounds: int, first: int) -> None:
    found = problems(RequestValues(**GOOD, permit_expires=TODAY, rounds=rounds, sequential_rounds=first), TODAY)
    assert ("rounds" not in found) == (1 <= rounds <= 100)
    if 1 <= rounds <= 100:
        assert ("sequential_rounds" not in found) == (0 <= first <= rounds)


def test_a_purpose_is_a_sentence() -> None:
    values = RequestValues(**{**GOOD, "purpose": " ", "permit_purpose": " "}, permit_expires=TODAY)
    assert set(problems(values, TODAY)) == {"purpose", "permit_purpose"}


def test_a_new_form_is_empty_and_cannot_be_submitted() -> None:
    empty = RequestForm(lambda values: values)
    assert {"title", "purpose", "permit_id"} <= set(empty.problems)
    assert empty._button.disabled
    with pytest.raises(RequestError) as caught:
        empty.submit()
    assert "Title" in caught.value.got
    assert "not complete" in live_html(empty)


def test_the_message_stands_at_the_field_and_goes_when_it_is_mended() -> None:
    one = form(title="x")
    assert "five characters" in one.hints["title"].value
    one.fields["title"].value = "Long enough"
    assert one.hints["title"].value == ""
    assert not one._button.disabled


def test_the_form_says_what_a_sequential_round_shows_and_to_whom() -> None:
    assert SEQUENTIAL in one_line(form().hints["sequential_rounds"].value)
    assert "each site sees the weights of the site before it" in SEQUENTIAL


def one_line(text: str) -> str:
    return " ".join(text.replace("&#x27;", "'").split())


def test_every_field_has_a_name_for_screen_readers() -> None:
    one = form()
    assert {n: c.description for n, c in one.fields.items()} == LABELS
    assert all(one.fields[n].description for n in one.fields)


def test_set_and_submit_do_what_a_person_does() -> None:
    asked: list[RequestValues] = []
    one = form(on_submit=lambda values: asked.append(values) or "submitted to five sites")
    one.set(rounds=6, sequential_rounds=2)
    assert one.submit() == "submitted to five sites"
    assert one.request == "submitted to five sites"
    assert asked == [one.values]
    assert (asked[0].rounds, asked[0].sequential_rounds) == (6, 2)
    assert "submitted to five sites" in live_html(one)


def test_a_click_submits_in_a_worker_and_submit_then_returns_what_came_of_it() -> None:
    threads: list[str] = []
    one = form(on_submit=lambda values: threads.append(threading.current_thread().name) or len(threads))
    click(one._button)
    assert one.submit() == 1
    assert threads == ["fedkit-RequestForm"]
    assert one._button.disabled, "the same values are not submitted twice"


def test_changed_values_are_another_request() -> None:
    asked: list[RequestValues] = []
    one = form(on_submit=lambda values: asked.append(values))
    one.submit()
    one.submit()
    one.set(title="Another question")
    assert not one._button.disabled
    one.submit()
    assert [values.title for values in asked] == [GOOD["title"], "Another question"]


def test_a_failure_is_shown_and_the_form_can_be_used_again() -> None:
    answers: list[Any] = [private_failure(), our_failure(), "fine"]

    def on_submit(values: RequestValues) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    one = form(on_submit=on_submit)
    click(one._button)
    one.wait(10)
    assert "ValueError" in live_html(one)
    assert CANARY not in everything_sent(one)
    click(one._button)
    one.wait(10)
    assert "the site did not answer" in live_html(one)
    assert one.submitted is None
    assert one.submit() == "fine"
    assert "did not answer" not in live_html(one)


def test_unknown_fields_and_values_of_another_kind_are_named_and_not_repeated() -> None:
    with pytest.raises(RequestError, match="no such field"):
        form(colour="blue")
    with pytest.raises(RequestError, match="no such field"):
        form().set(colour="blue")
    for field, value in (("rounds", CANARY), ("dataset", CANARY), ("permit_expires", CANARY)):
        with pytest.raises(RequestError) as caught:
            form().set(**{field: value})
        assert CANARY not in caught.value.diagnostics()
        assert field in str(caught.value)


def test_values_give_the_permit_that_a_request_carries() -> None:
    values = RequestValues(**GOOD, permit_expires=date(2030, 1, 31))
    assert values.permit.expires == "2030-01-31"
    assert values.permit.datasets == ("notes",)
    with pytest.raises(RequestError, match="last day"):
        _ = RequestValues(**GOOD).permit


def test_what_a_person_types_is_escaped_in_every_view() -> None:
    one = form(title=EVIL, purpose=EVIL, permit_purpose=EVIL, permit_id=EVIL, on_submit=lambda values: EVIL)
    one.submit()
    assert "<img" not in live_html(one) + one.static_html()


def test_the_fallback_reads_the_same_tomorrow() -> None:
    one = form()
    assert "30 days from today" in one.static_html()
    assert str(datetime.now(UTC).year) not in one.static_html() + one.static_text()
    assert one.static_text().startswith("Code request (not submitted yet)")
    one.submit()
    assert one.static_text().startswith("Code request (submitted)")
