"""Standing approvals as rules: what is like a reviewed request is covered, and any single difference is not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.digests import canonical
from fedkit.errors import (
    AccessRefused,
    ConfigurationError,
    DigestMismatch,
    FedkitError,
    LimitReached,
    NotApproved,
    RequestError,
)
from fedkit.governance.covering import Usage
from fedkit.governance.delegation import Delegation, act_as_one, stands_for
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.privacy import Privacy
from fedkit.governance.request import CodeRequest, DataPermit, Entry
from fedkit.governance.review import Finding, MockResult
from fedkit.governance.standing import Choices, Name, Range, StandingApproval
from fedkit.governance.varying import rule_of
from fedkit.governance.waiting import DAY, Patience, next_in_turn

ADA, BEN, STEWARD = ("0x" + digit * 40 for digit in "123")
NOW = 1_800_000_000.0
SOURCE = '''"""Train a little."""


def train(notes, weights, settings):
    return {"numbers": {"loss": 1.0}}


def evaluate(notes, weights, settings):
    return {"numbers": {"loss": 1.0}}
'''
LOSS = OutputContract(numbers={"loss": (0.0, 10.0)})
PERMIT = DataPermit("p", "Find implants", ("notes",), "2099-01-01")
REVIEWED = CodeRequest(
    title="Train",
    purpose="Find implants",
    researcher=ADA,
    permit=PERMIT,
    dataset="notes",
    source=SOURCE,
    environment="e" * 64,
    entries=(Entry("train", 10, LOSS), Entry("evaluate", 1, LOSS)),
    settings={"rounds": 10, "rate": 0.1, "optimiser": "adam", "study": "first", "labels": ["A", "B"]},
)
VARY = {"rounds": Range(1, 24), "rate": Range(0.0, 1.0), "optimiser": Choices(("adam", "sgd")), "study": Name()}
STANDING = StandingApproval.from_request(
    REVIEWED, VARY, site="no", steward=STEWARD, now=NOW, requests=20, per_day=5, executions={"train": 24}
)
PASSED = [MockResult("no", name, 0.1, 10) for name in ("train", "evaluate")]


def covers(
    request: CodeRequest = REVIEWED,
    standing: StandingApproval = STANDING,
    usage: Usage = Usage(),  # noqa: B008 - frozen
    now: float = NOW + 60,
    **looks: Any,
) -> None:
    standing.covers(request, usage, now, **{"findings": (), "rehearsals": PASSED, **looks})


def with_settings(**changes: Any) -> CodeRequest:
    return replace(REVIEWED, settings={**REVIEWED.settings, **changes})


def test_what_was_reviewed_is_covered() -> None:
    covers()


@given(
    st.integers(1, 24),
    st.floats(0, 1),
    st.sampled_from(["adam", "sgd"]),
    st.from_regex(r"[A-Za-z0-9_.-]{1,20}", fullmatch=True),
)
def test_every_allowed_setting_is_covered(rounds: int, rate: float, optimiser: str, study: str) -> None:
    if study[0] in ".-":
        study = "s" + study
    covers(with_settings(rounds=rounds, rate=rate, optimiser=optimiser, study=study))


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**50), 2**50)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)


@given(st.sampled_from(sorted(REVIEWED.settings)), plain)
def test_any_other_value_of_any_setting_is_not(name: str, value: Any) -> None:
    """The oracle says in words of its own which values are allowed."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    allowed = {
        "rounds": number and value in range(1, 25),
        "rate": number and 0 <= value <= 1,
        "optimiser": value in ("adam", "sgd"),
        "labels": value == ["A", "B"],
        "study": isinstance(value, str) and value.isascii() and value[:1].isalnum() | (value[:1] == "_") and all(
            c.isalnum() or c in "_.-" for c in value
        ),
    }[name]  # fmt: skip
    if allowed:
        covers(with_settings(**{name: value}))
    else:
        with pytest.raises(DigestMismatch) as refused:
            covers(with_settings(**{name: value}))
        assert not isinstance(value, str) or len(value) < 6 or value not in refused.value.diagnostics()


@pytest.mark.parametrize(
    ("request_", "error", "says"),
    [
        (replace(REVIEWED, source=SOURCE + "\n"), DigestMismatch, "another code"),
        (replace(REVIEWED, environment="f" * 64), DigestMismatch, "another environment"),
        (replace(REVIEWED, permit=replace(PERMIT, datasets=("other",)), dataset="other"), DigestMismatch, "another data set"),
        (replace(REVIEWED, kind="analysis"), DigestMismatch, "another kind"),
        (replace(REVIEWED, entries=REVIEWED.entries[:1]), DigestMismatch, "another output contract"),
        (replace(REVIEWED, entries=REVIEWED.entries[::-1]), DigestMismatch, "another output contract"),
        (
            replace(REVIEWED, entries=(Entry("train", 10, replace(LOSS, numbers={"loss": (0.0, 11.0)})), REVIEWED.entries[1])),
            DigestMismatch,
            "another output contract",
        ),
        (
            replace(REVIEWED, entries=(Entry("train", 10, LOSS, Privacy(0.5, {"loss": 1.0})), REVIEWED.entries[1])),
            DigestMismatch,
            "another output contract",
        ),
        (replace(REVIEWED, entries=(Entry("train", 25, LOSS), REVIEWED.entries[1])), LimitReached, "more often"),
        (replace(REVIEWED, entries=(REVIEWED.entries[0], Entry("evaluate", 2, LOSS))), LimitReached, "more often"),
        (with_settings(more=1), DigestMismatch, "other settings"),
        (replace(REVIEWED, settings={"rounds": 10}), DigestMismatch, "other settings"),
        (replace(REVIEWED, researcher=BEN), AccessRefused, "other researchers"),
        (replace(REVIEWED, permit=replace(PERMIT, id="q")), AccessRefused, "no steward of this site has seen"),
        (replace(REVIEWED, permit=replace(PERMIT, category="education")), AccessRefused, "another purpose"),
    ],
)
def test_one_difference_is_not_covered_and_is_named(request_: CodeRequest, error: type[FedkitError], says: str) -> None:
    with pytest.raises(error, match=says):
        covers(request_)


@pytest.mark.parametrize(
    ("how", "error", "says"),
    [
        ({"now": NOW - 1}, NotApproved, "does not count yet"),
        ({"now": float(STANDING.expires)}, NotApproved, "has expired"),
        ({"usage": Usage(requests=20)}, LimitReached, "requests in all"),
        ({"usage": Usage(today=5)}, LimitReached, "a day"),
        ({"usage": Usage(of_researcher=20)}, LimitReached, "of one researcher"),
        ({"usage": Usage(taken_back=True)}, AccessRefused, "taken back"),
        ({"findings": [Finding("warn", 4, "print", "prints")]}, NotApproved, "did not see"),
        ({"findings": [Finding("refuse", 4, "import", "socket")]}, FedkitError, "socket"),
        ({"rehearsals": PASSED[:1]}, NotApproved, "evaluate did not pass"),
        ({"rehearsals": [PASSED[0], replace(PASSED[1], error="line 2: ZeroDivisionError")]}, NotApproved, "evaluate"),
        ({"rehearsals": ()}, NotApproved, "did not pass"),
    ],
)
def test_what_the_site_knows_can_speak_against_it(how: dict[str, Any], error: type[FedkitError], says: str) -> None:
    with pytest.raises(error, match=says):
        covers(**how)


def test_a_warning_that_the_steward_saw_is_covered_at_its_line_only() -> None:
    seen = [Finding("warn", 4, "print", "prints")]
    standing = StandingApproval.from_request(REVIEWED, VARY, site="no", steward=STEWARD, now=NOW, findings=seen)
    covers(standing=standing, findings=[*seen, Finding("note", 9, "splits", "train")])
    with pytest.raises(NotApproved):
        covers(standing=standing, findings=[Finding("warn", 5, "print", "prints")])


def test_anybody_means_anybody_whose_permit_a_steward_has_seen() -> None:
    standing = replace(STANDING, researchers=(), permits=())
    with pytest.raises(AccessRefused, match="has seen"):
        covers(standing=standing)
    covers(standing=standing, usage=Usage(permits=frozenset({(PERMIT.digest, ADA)})))
    with pytest.raises(AccessRefused):  # seen for ada: ben shows the same paper
        covers(replace(REVIEWED, researcher=BEN), standing, Usage(permits=frozenset({(PERMIT.digest, ADA)})))


def test_nobody_is_covered_by_a_standing_approval_of_their_own() -> None:
    with pytest.raises(AccessRefused, match="their own"):
        covers(standing=replace(STANDING, steward=ADA))


# -- as data


def test_it_is_the_same_after_canonical_json() -> None:
    back = StandingApproval.from_json(json.loads(canonical(STANDING.to_json())))
    assert (back, back.digest, back.terms) == (STANDING, STANDING.digest, STANDING.terms)
    with pytest.raises(DigestMismatch):
        covers(with_settings(rounds=1.5), back)
    covers(with_settings(rate=0.35), StandingApproval.from_json(json.loads(canonical(STANDING.to_json()))))


@pytest.mark.parametrize("name", [n for n in STANDING.to_json() if n != "signature"])
def test_every_term_is_in_its_digest(name: str) -> None:
    other: dict[str, Any] = {
        "settings": {**STANDING.settings, "labels": []},
        "vary": {"study": Name()},
        "executions": {"train": 1},
        "purposes": ("care",),
        "kind": "analysis",
        **dict.fromkeys(("warned", "researchers", "permits"), ("x",)),
        **{n: getattr(STANDING, n) - 1 for n in ("requests", "per_day", "per_researcher", "issued", "expires")},
    }
    changed = replace(STANDING, **{name: other.get(name, "x")})
    assert changed.digest != STANDING.digest
    assert changed.signed("0x00").digest == changed.digest


@given(plain)
def test_what_is_none_is_an_error_of_ours(row: Any) -> None:
    with pytest.raises(RequestError):
        StandingApproval.from_json(row)


@given(st.sampled_from(sorted(STANDING.to_json())), plain)
def test_one_with_a_strange_field_is_an_error_of_ours_or_is_read(name: str, value: Any) -> None:
    try:
        read = StandingApproval.from_json({**STANDING.to_json(), name: value})
    except RequestError:
        return
    assert StandingApproval.from_json(read.to_json()).digest == read.digest


@pytest.mark.parametrize(
    "wrong",
    [
        {"vary": {"no such setting": Name()}},
        {"vary": {"rounds": Range(1, 5)}},
        {"executions": {"other": 1}},
        {"requests": 0},
        {"purposes": ("fun",)},
        {"purposes": ()},
        {"permits": ()},
        {"days": -1},
        {"findings": [Finding("refuse", 1, "import", "socket")]},
    ],
)
def test_what_cannot_stand_is_refused_when_it_is_made(wrong: dict[str, Any]) -> None:
    vary = wrong.get("vary", VARY)
    with pytest.raises(RequestError):
        StandingApproval.from_request(
            REVIEWED, vary, site="no", steward=STEWARD, now=NOW, **{k: v for k, v in wrong.items() if k != "vary"}
        )


@pytest.mark.parametrize("bounds", [(2, 1), (float("nan"), 1), (0, float("inf")), (True, 2), ("a", "b")])
def test_a_range_has_two_bounds(bounds: Any) -> None:
    with pytest.raises(RequestError):
        Range(*bounds)


@pytest.mark.parametrize(
    "row", [{}, {"range": [1]}, {"range": [1, 2]}, {"name": False}, {"name": True, "more": 1}, {"choices": 3}]
)
def test_a_rule_that_is_none_is_not_read(row: dict[str, Any]) -> None:
    with pytest.raises((ValueError, RequestError)):
        rule_of(row)


def test_it_says_in_words_what_it_allows() -> None:
    said = STANDING.explain()
    for part in (
        "rounds a whole number from 1 to 24",
        'one of "adam", "sgd"',
        "train at most 24 times",
        "20 requests, 5 a day",
    ):
        assert part in said


# -- delegation and waiting


def test_who_acts_for_whom_ends_with_the_delegation() -> None:
    given_ = [Delegation("no", "A", "C", 200), Delegation("no", "A", "B", 100)]
    assert stands_for(given_, 50) == {"A": "C"}
    assert stands_for(given_[1:], 50) == {"A": "B"}
    assert stands_for(given_, 200) == {}


@given(
    st.lists(st.tuples(st.sampled_from("ABCDE"), st.sampled_from("ABCDE"), st.integers(1, 9)), max_size=6), st.integers(0, 9)
)
def test_acting_as_one_is_mutual_and_passes_on(pairs: list[tuple[str, str, int]], now: int) -> None:
    given_ = [Delegation("no", a, b, until) for a, b, until in pairs]
    for one in "ABCDE":
        assert act_as_one(given_, one, one, now)
        for other in "ABCDE":
            assert act_as_one(given_, one, other, now) == act_as_one(given_, other, one, now)
            for third in "ABCDE":
                if act_as_one(given_, one, other, now) and act_as_one(given_, other, third, now):
                    assert act_as_one(given_, one, third, now)
    assert all(act_as_one(given_, d.steward, d.delegate, now) for d in given_ if now < d.expires)


@given(st.sets(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=5), st.text("abc", max_size=3), st.integers(1, 20))
def test_turns_go_round(names: set[str], last: str, times: int) -> None:
    turns = []
    for _ in range(times * len(names)):
        last = next_in_turn(list(names), last)
        turns.append(last)
    assert {turns.count(name) for name in names} == {times}


def test_nobody_s_turn_without_stewards() -> None:
    assert next_in_turn([], "ada") == ""


def test_waiting_is_reminded_in_steps_and_ends() -> None:
    patience = Patience()
    assert [patience.level(0, days * DAY) for days in (0, 6.9, 7, 20.9, 21, 40)] == [0, 0, 1, 1, 2, 2]
    assert [patience.lapsed(0, days * DAY) for days in (29.9, 30)] == [False, True]
    assert patience.due(5.0) == 5.0 + 30 * DAY
    assert Patience.from_json(json.loads(json.dumps(Patience((1,), 2).to_json()))) == Patience((1,), 2)


@pytest.mark.parametrize("wrong", [((7, 7), 30), ((21, 7), 30), ((7, 30), 30), ((0,), 30), ((7,), 0)])
def test_days_of_waiting_rise(wrong: Any) -> None:
    with pytest.raises(ConfigurationError):
        Patience(*wrong)
