"""Approvals: one steward's signature, or those of two persons who are neither each other nor the researcher."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_world import NOON, REQUEST, RESEARCHER, SECOND, STEWARD, approval, call, refused, signed_by_whom_it_names

from fedkit.errors import NotApproved
from fedkit.governance.decision import Decision
from fedkit.governance.policies import NeededApprovals, SignedApproval

ONE = SignedApproval(signed_by_whom_it_names)
TWO = NeededApprovals(2, signed_by_whom_it_names)


def test_a_signed_approval_admits() -> None:
    ONE.admits(call())


@pytest.mark.parametrize(
    ("decision", "says"),
    [
        (None, "waits"),
        (approval(signature="0x01"), "not signed"),
        (approval(expires=int(NOON)), "expired"),
        (replace(approval(), approved=False, reason="Too broad."), "denied: Too broad"),
    ],
)
def test_anything_else_does_not(decision: Decision | None, says: str) -> None:
    wrong = refused(ONE, call(decision=decision))
    assert isinstance(wrong, NotApproved)
    assert says in wrong.message


def test_an_approval_counts_until_its_last_second() -> None:
    ONE.admits(call(decision=approval(expires=int(NOON) + 1)))


def test_nobody_approves_their_own_request() -> None:
    own = call(decision=approval(steward=RESEARCHER))
    assert "of their own" in refused(ONE, own).message


def test_two_stewards_are_enough_and_one_is_not() -> None:
    TWO.admits(call(approvals=(approval(), approval(steward=SECOND))))
    wrong = refused(TWO, call(approvals=(approval(),)))
    assert isinstance(wrong, NotApproved)
    assert wrong.got == "1"


def test_the_decision_that_completes_them_counts_whether_or_not_it_is_in_the_list() -> None:
    TWO.admits(call(approvals=(approval(steward=SECOND),)))
    assert refused(TWO, call(approvals=())).got == "1"


@pytest.mark.parametrize(
    "second",
    [
        approval(),  # the same steward again
        approval(rounds=2),  # the same steward, another decision
        approval(steward=RESEARCHER, signature="0x01"),  # the researcher, truly signed
        approval(steward=SECOND, signature="0x01"),  # signed by somebody else
        approval(steward=SECOND, expires=int(NOON)),
        approval(steward=SECOND, site="sv"),
        replace(approval(steward=SECOND), request="1" * 64),
        approval(steward=SECOND, approved=False),
    ],
)
def test_an_approval_that_does_not_count_is_no_second_one(second: Decision) -> None:
    assert refused(TWO, call(approvals=(approval(), second), decision=approval())).got == "1"


@given(st.lists(st.sampled_from([STEWARD, SECOND, RESEARCHER, "0x" + "d" * 40])), st.integers(1, 4))
def test_what_counts_is_different_persons_who_are_not_the_researcher(stewards: list[str], needed: int) -> None:
    context = call(decision=None, approvals=tuple(approval(steward=s) for s in stewards))
    persons = len(set(stewards) - {REQUEST.researcher})
    rule = NeededApprovals(needed, lambda decision: decision.steward)
    if persons >= needed:
        rule.admits(context)
    else:
        assert refused(rule, context).got == str(persons)
