"""What a steward's desk shows of plain data: order, days, what is in the way, and nothing that could become markup."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import ipywidgets
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from widget_samples import EVIL, Steward, live_html, table_rows

from fedkit.errors import NotApproved, RequestError
from fedkit.governance.differences import Change
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.policies import PRESETS, settings_of
from fedkit.governance.policies.explaining import explain
from fedkit.governance.request import CodeRequest, Entry
from fedkit.governance.review import Alike, Finding, MockResult, Nearly, RequestState, Review
from fedkit.governance.standing import Choices, Name, Range
from fedkit.governance.table_contract import Category, Count, TableContract
from fedkit.stewardship import in_order, not_to_approve
from fedkit.widgets import PolicyTable, ReviewPanel
from fedkit.widgets.base import select_first
from fedkit.widgets.batch_review import differences_html
from fedkit.widgets.review_page import released_html
from fedkit.widgets.standing_form import CHOICES, RANGE, StandingForm
from fedkit.widgets.steward_desk import waiting_html
from fedkit.widgets.words import due_words, leaves, state_words

Make = Callable[..., Review]
DAY = 86_400


def state(title: str = "How many", **changes: object) -> RequestState:
    return replace(RequestState("a" * 64, "oslo", title, "0x" + "1" * 40, "pending"), **changes)  # type: ignore[arg-type]


# -- the list
@given(st.lists(st.floats(0, 1e9), max_size=6))
def test_what_lapses_first_comes_first_and_what_never_does_last(dues: list[float]) -> None:
    ordered = [s.due for s in in_order([state(due=due) for due in dues])]
    waiting = [due for due in ordered if due]
    assert waiting == sorted(waiting)
    assert ordered == waiting + [0.0] * (len(dues) - len(waiting))


@pytest.mark.parametrize(("left", "told"), [(-1, "overdue"), (0.5, "today"), (1.5, "in 1 day"), (8.9, "in 8 days")])
def test_days_that_are_left_are_told_in_words(left: float, told: str) -> None:
    assert due_words(state(due=100 * DAY + left * DAY), now=100 * DAY) == told
    assert due_words(state(due=100 * DAY + left * DAY, status="approved"), now=100 * DAY) == ""


def test_the_list_says_whose_turn_it_is_how_many_agree_and_how_often_it_was_said() -> None:
    one = state(due=3 * DAY, assigned="kari", approvals=1, needed=2, waiting=8, reminder=1, kind="table")
    two = replace(one, assigned="berit", reminder=2, title=EVIL, waiting=0)
    rows = table_rows(waiting_html([one, two], now=DAY, me="kari"))
    assert rows[1] == ["in 2 days", "How many", "table", "0x11111111", "8 days", "you", "1 of 2", "reminder"]
    assert rows[2][4:] == ["today", "berit", "1 of 2", "last reminder"]
    assert "<img" not in waiting_html([two], now=DAY) + waiting_html([two])
    assert "1 of 2 approvals" in state_words(one)


def test_an_empty_list_says_so() -> None:
    assert table_rows(waiting_html([], now=0.0))[1:] == [["nothing waits"]]


def test_the_fallback_of_the_list_reads_the_same_tomorrow() -> None:
    one = state(due=3 * DAY, waiting=1)
    assert waiting_html([one]) == waiting_html([replace(one, due=2 * DAY, waiting=2)])


def test_a_list_that_was_empty_has_a_choice_as_soon_as_there_is_one() -> None:
    choice = ipywidgets.Dropdown(options=[])
    choice.options = ["first", "second"]
    choice.index = None  # what a browser sends that was shown the empty list
    select_first(choice)
    assert choice.value == "first"
    choice.value = "second"
    select_first(choice)
    assert choice.value == "second"


# -- what is in the way
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ""),
        ({"approvals": ("0xme",)}, "You have approved it"),
        ({"findings": [Finding("refuse", 3, "import", "import of os")]}, "Line 3 must be refused: import of os."),
        ({"rehearsals": [MockResult("oslo", "evaluate", 1.0, 0, {}, "line 4: ZeroDivisionError")]}, "evaluate fails"),
    ],
)
def test_a_button_that_is_out_of_reach_says_why(review_at: Make, changes: dict[str, object], told: str) -> None:
    review = review_at(**changes)
    assert not_to_approve(review, "0xme").startswith(told)
    assert bool(not_to_approve(review, "0xme")) == bool(told)


def test_nobody_approves_their_own_request(review_at: Make, request_: CodeRequest) -> None:
    assert "of their own" in not_to_approve(review_at(), request_.researcher)


def test_what_must_be_refused_can_be_denied_and_not_approved(review_at: Make) -> None:
    review = review_at(findings=[Finding("refuse", 3, "import", EVIL)])
    steward = Steward(review.state)
    panel = ReviewPanel(review, steward)
    assert panel._approve.disabled
    assert "out of reach" in live_html(panel)
    assert "<img" not in live_html(panel)
    with pytest.raises(NotApproved, match="must be refused"):
        panel.approve()
    assert steward.asked == []
    assert panel.deny("it imports os").status == "denied"


# -- the page
def test_the_page_shows_changes_rules_standing_approvals_and_the_traceback_of_mock_notes(review_at: Make) -> None:
    changed = [Change("constant", "train_round", "in `train_round`, 0.1 became 0.2", (3, 3), (4, 4))]
    failed = [MockResult("oslo", "evaluate", 1.0, 0, {}, "line 7: KeyError", traceback=f"Traceback: {EVIL}")]
    review = review_at(
        changes=changed,
        rules=["1 A rule.", f"2 {EVIL}"],
        standing=[Nearly("d" * 64, "Counts", "another code")],
        rehearsals=failed,
    )
    panel = ReviewPanel(review, Steward(review.state))
    page = live_html(panel)
    assert ["in `train_round`, 0.1 became 0.2", "constant train_round", "4"] in table_rows(page)
    assert ["Counts", "another code"] in table_rows(page)
    assert "<li>A rule.</li>" in page
    assert "Traceback of evaluate, on mock notes" in page
    assert "<img" not in page + panel.static_html()
    assert "Traceback: " not in panel.static_html(), "a traceback differs from run to run"


def test_what_may_leave_by_a_table_is_told_with_its_threshold() -> None:
    table = TableContract({"label": Category(("DRUG", "IMPLANT")), "patients": Count()}, max_rows=2, threshold=10, rounding=5)
    told = leaves(OutputContract(tables={"count": table}))
    assert told == [
        "Table count: by label (DRUG, IMPLANT); counts patients. At most 2 rows. "
        "A row with fewer than 10 stays at the site, counts are rounded to the nearest 5."
    ]
    assert leaves(OutputContract()) == ["Nothing but the fact that it ran."]


@settings(deadline=None)
@given(st.text(max_size=30))
def test_cells_of_a_released_table_are_text(text: str) -> None:
    html = released_html([{"label": text, "patients": 3}], text)
    assert "<img" not in html
    assert table_rows(html)[1][1] == "3"


def test_where_alike_requests_differ_is_a_row_each() -> None:
    group = Alike("c" * 64, "count", ["a", "b"], ["One", EVIL], ["0xa", "0xb"], {"words": [["MR*"], [EVIL]]})
    html = differences_html(group)
    assert table_rows(html)[1] == ["One", "0xa", '["MR*"]']
    assert "<img" not in html


# -- the standing approval
@pytest.fixture
def counted(review_at: Make, request_: CodeRequest) -> Review:
    table = TableContract({"patients": Count()}, max_rows=1)
    asked = replace(
        request_,
        entries=(Entry("evaluate", 1, OutputContract(tables={"count": table})),),
        settings={"threshold": 10, "word": "MR*", "study": "first", "deep": {"a": 1}},
        kind="count",
    )
    return review_at(request=asked, findings=[])


def test_nothing_may_differ_until_somebody_says_so(counted: Review) -> None:
    form = StandingForm(counted)
    standing = form.standing("0x" + "2" * 40)
    assert (form.problem, dict(standing.vary)) == ("", {})
    assert standing.purposes == (counted.request.permit.category,)
    assert standing.researchers == (counted.request.researcher,)


def test_rules_are_filled_in_and_read_back(counted: Review) -> None:
    rules = {"threshold": Range(5, 20), "word": Choices(("MR*", "CT*")), "study": Name()}
    form = StandingForm(counted).set(rules, requests=9, per_day=3, per_researcher=9, days=10, who=False)
    standing = form.standing("0x" + "2" * 40)
    assert dict(standing.vary) == rules
    assert (standing.requests, standing.per_day, standing.researchers) == (9, 3, ())
    assert standing.expires - standing.issued == 10 * DAY


@pytest.mark.parametrize(
    ("name", "how", "text", "told"),
    [
        ("threshold", RANGE, "five or so", "two numbers"),
        ("threshold", RANGE, "20 to 5", "the lower first"),
        ("threshold", RANGE, "11 to 20", "threshold"),
        ("word", CHOICES, " , ", "with commas between"),
        ("word", CHOICES, "CT*", "word"),
    ],
)
def test_a_rule_that_does_not_fit_is_named(counted: Review, name: str, how: str, text: str, told: str) -> None:
    form = StandingForm(counted)
    form.rules[name].how.value, form.rules[name].text.value = how, text
    assert told in form.problem
    assert "role=" in form._hint.value


@pytest.mark.parametrize("field", ["requests", "per_day", "per_researcher", "days"])
def test_no_limit_is_left_out(counted: Review, field: str) -> None:
    form = StandingForm(counted)
    getattr(form, field).value = 0
    assert form.problem
    with pytest.raises(RequestError):
        form.standing("0x" + "2" * 40)


def test_a_setting_that_the_request_does_not_have_cannot_vary(counted: Review) -> None:
    with pytest.raises(RequestError, match="no such field"):
        StandingForm(counted).set({"rounds": Range(1, 2)})


# -- the rules
@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_told_whole(preset: str) -> None:
    told = explain(settings_of(preset), name=EVIL)
    view = PolicyTable(told)
    sentences = [says for _, several in told.told() for says in several]
    assert sentences
    assert all(says in repr(view) for says in sentences)
    assert "<img" not in view._repr_html_()
    assert view._repr_html_().count("<li>") == len(sentences)
    assert len(table_rows(view._repr_html_())) == len(told.values) + 1
