from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from widget_samples import CANARY, EVIL, Steward, click, everything_sent, live_html, our_failure, private_failure, table_rows

from fedkit.errors import FedkitError, NotApproved, RequestError
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest, Entry
from fedkit.governance.review import Finding, MockResult, Review
from fedkit.widgets import ReviewDesk, ReviewPanel

Make = Callable[..., Review]


def panel_of(review: Review) -> tuple[ReviewPanel, Steward]:
    steward = Steward(review.state)
    return ReviewPanel(review, steward), steward


def test_the_page_holds_everything_a_steward_decides_by(review_at: Make, request_: CodeRequest) -> None:
    panel, _ = panel_of(review_at())
    page = live_html(panel)
    for text in (request_.title, request_.purpose, request_.permit.id, request_.permit.purpose, request_.researcher):
        assert text in page
    assert "Weights: 1 array with 6 numbers." in page
    assert "notes: 0 to 1,000,000" in page
    for line in ("def train_round(notes, weights, settings):", "returns-count", "look closely", "new line", "2,048"):
        assert line in page
    assert page.index("returns-count") < page.index("docstring"), "the worst finding comes first"
    assert page.count('<th scope="row">') >= len(request_.source.splitlines())


def test_every_number_that_may_leave_is_named(review_at: Make, request_: CodeRequest) -> None:
    names = ["loss", *(f"dev.{kind}.{label}" for kind in ("tp", "fp", "fn") for label in ("DRUG", "MODEL")), "test.tp.DRUG"]
    contract = OutputContract({}, {**dict.fromkeys(names, (0.0, 10.0)), "share": (0.25, 0.5)})
    request = replace(request_, entries=(Entry("evaluate", 1, contract),))
    panel, _ = panel_of(review_at(request=request))
    told = "loss, and dev.fn, dev.fp, dev.tp each for DRUG, MODEL, and test.tp each for DRUG: 0 to 10; share: 0.25 to 0.5"
    assert ["evaluate", "1", f"Single numbers: {told}."] in table_rows(live_html(panel))


def test_limits_start_at_what_was_asked_and_cannot_pass_it(review_at: Make) -> None:
    panel, steward = panel_of(review_at())
    assert panel.rounds.value == 4
    panel.rounds.value = 5
    assert panel._approve.disabled
    assert "from 1 to 4" in live_html(panel)
    with pytest.raises(RequestError) as caught:
        panel.approve()
    assert "4" in caught.value.expected
    panel.rounds.value, panel.days.value = 2, 0
    assert panel._approve.disabled
    assert steward.asked == []


def test_a_click_on_approve_signs_in_a_worker_and_shows_the_state(review_at: Make) -> None:
    panel, steward = panel_of(review_at())
    panel.rounds.value, panel.days.value = 3, 7
    click(panel._approve)
    assert panel.wait(10)
    assert steward.asked == [{"approved": True, "reason": "", "rounds": 3, "days": 7}]
    assert panel.state.status == "approved"
    assert "train_round 3" in live_html(panel)
    assert panel._approve.disabled
    assert panel._deny.disabled
    assert panel.rounds.disabled


def test_deny_needs_a_reason(review_at: Make) -> None:
    panel, steward = panel_of(review_at())
    assert panel._deny.disabled
    with pytest.raises(RequestError, match="needs a reason"):
        panel.deny("  ")
    assert steward.asked == []
    panel.reason.value = "Purpose is too wide"
    click(panel._deny)
    panel.wait(10)
    assert panel.state.status == "denied"
    assert "Purpose is too wide" in live_html(panel)


def test_methods_do_what_the_buttons_do_and_a_second_time_changes_nothing(review_at: Make) -> None:
    panel, steward = panel_of(review_at())
    assert panel.approve(rounds=2, days=5).status == "approved"
    assert panel.approve().status == "approved"
    assert steward.asked == [{"approved": True, "reason": "", "rounds": 2, "days": 5}]
    with pytest.raises(NotApproved, match="decided already"):
        panel.deny("changed my mind")
    assert panel.state.status == "approved"
    denied, _ = panel_of(review_at("tartu"))
    denied.deny("no")
    assert denied.deny("no").status == "denied"
    with pytest.raises(NotApproved) as caught:
        denied.approve()
    assert "denied: no" in caught.value.got


def test_a_click_that_is_being_worked_on_is_waited_for(review_at: Make) -> None:
    review, go = review_at(), threading.Event()
    steward = Steward(review.state)

    def slow(**asked: object) -> object:
        go.wait(10)
        return steward(**asked)  # type: ignore[arg-type]

    panel = ReviewPanel(review, slow)  # type: ignore[arg-type]
    click(panel._approve)
    assert panel._deny.disabled, "no second click while the first is worked on"
    threading.Timer(0.05, go.set).start()
    assert panel.approve().status == "approved"
    assert len(steward.asked) == 1


@pytest.mark.parametrize("failure", [our_failure, private_failure])
def test_a_refused_decision_is_shown_and_can_be_tried_again(review_at: Make, failure: Callable[[], Exception]) -> None:
    panel, steward = panel_of(review_at())
    steward.error = failure()
    click(panel._approve)
    panel.wait(10)
    assert panel.state.status == "pending"
    assert isinstance(panel.error, FedkitError)
    assert panel.error.message in live_html(panel)
    assert CANARY not in everything_sent(panel)
    assert "<img" not in live_html(panel)
    steward.error = None
    click(panel._approve)
    panel.wait(10)
    assert panel.state.status == "approved"
    assert panel.error is None


def test_everything_from_the_researcher_is_escaped(review_at: Make, request_: CodeRequest) -> None:
    permit = replace(request_.permit, id=EVIL, purpose=EVIL)
    source = request_.source + f"# {EVIL}\n"
    evil = replace(request_, title=EVIL, purpose=EVIL, researcher=EVIL, source=source, permit=permit)
    review = review_at(
        request=evil,
        diff=f"+{EVIL}",
        findings=[Finding(EVIL, 1, EVIL, EVIL)],
        rehearsals=[MockResult("oslo", EVIL, 1.0, 0, {}, EVIL)],
    )
    panel, _ = panel_of(review)
    panel.deny(EVIL)
    assert "<img" not in live_html(panel) + panel.static_html()
    assert "&lt;img" in live_html(panel)


def test_an_empty_review_says_what_is_missing(review_at: Make) -> None:
    panel, _ = panel_of(review_at(findings=[], rehearsals=[], diff=""))
    page = live_html(panel)
    assert "nothing found" in page
    assert "not rehearsed" in page
    assert "No version was approved here before" in page


def test_the_fallback_holds_no_seconds_and_no_dates(review_at: Make) -> None:
    first, _ = panel_of(review_at())
    slower, _ = panel_of(
        review_at(rehearsals=[MockResult("oslo", "train_round", 9.75, 2048), MockResult("oslo", "evaluate", 3, 0)])
    )
    assert first.static_html() == slower.static_html()
    assert first.static_text() == "Review at oslo: Implants in five languages; 1 warn, 1 note; pending"


def test_a_desk_shows_one_panel_at_a_time_and_all_decisions(review_at: Make) -> None:
    panels = [panel_of(review_at(site))[0] for site in ("oslo", "tartu")]
    desk = ReviewDesk(panels)
    assert desk._place.children == (panels[0],)
    assert desk.choose("tartu") is panels[1]
    assert desk._place.children == (panels[1],)
    panels[1].deny("too few patients")
    assert "too few patients" in desk._table.value
    assert desk.static_text() == "Decisions at 2 sites\n  oslo: pending\n  tartu: denied (too few patients)"


def test_approve_rest_leaves_what_was_decided(review_at: Make) -> None:
    made = [panel_of(review_at(site)) for site in ("oslo", "tartu", "turku")]
    desk = ReviewDesk([panel for panel, _ in made])
    desk.panels["tartu"].deny("no")
    desk.panels["turku"].approve(rounds=1)
    states = desk.approve_rest()
    assert {site: s.status for site, s in states.items()} == {"oslo": "approved", "tartu": "denied", "turku": "approved"}
    assert desk.approve_rest() == states
    assert [len(steward.asked) for _, steward in made] == [1, 1, 1]


def test_a_desk_without_panels_and_a_site_that_is_not_there() -> None:
    desk = ReviewDesk([])
    assert "no site has a request" in desk.static_html()
    assert desk.approve_rest() == {}
    with pytest.raises(RequestError, match="no such site"):
        desk.choose("oslo")
