"""Policies: an honest call passes, and each rule refuses exactly what it is there for, by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.errors import AccessRefused, DigestMismatch, LimitReached, NotApproved, OutputRefused, Refused, RequestError
from fedkit.governance.decision import Decision
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.policies import AllOf, Context, ExecutionLimit, Policy, default_policies, execution_limit
from fedkit.governance.request import CodeRequest, DataPermit, Entry

RESEARCHER, STEWARD = "0x" + "a" * 40, "0x" + "b" * 40
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
ENVIRONMENT = "e" * 64
CONTRACT = OutputContract(tensors={"w": (2,)}, numbers={"loss": (0.0, 10.0)})
REQUEST = CodeRequest(
    title="Reactions",
    purpose="pharmacovigilance",
    researcher=RESEARCHER,
    permit=DataPermit("permit-1", "pharmacovigilance", ("notes",), "2026-12-31"),
    dataset="notes",
    source="def train(notes, weights, settings):\n    return {}\n",
    environment=ENVIRONMENT,
    entries=(Entry("train", 5, CONTRACT),),
)
DECISION = Decision(REQUEST.digest, "fi", True, 3, int(NOW) + 3600, "", "0" * 64, STEWARD, "0x00")


def signer(decision: Decision) -> str:
    return STEWARD if decision.signature == "0x00" else RESEARCHER


RULES = default_policies(
    environment=ENVIRONMENT, datasets=["notes"], signer=signer, purposes=["pharmacovigilance", "device safety"]
)
CALL = Context(REQUEST, REQUEST.digest, "train", 1, "fi", RESEARCHER, decision=DECISION, now=NOW)


def about(request: CodeRequest, call: Context = CALL) -> Context:
    """The same call of another request, approved as that one."""
    assert call.decision is not None
    return replace(call, request=request, digest=request.digest, decision=replace(call.decision, request=request.digest))


def permitted(**changed: object) -> Context:
    return about(replace(REQUEST, permit=replace(REQUEST.permit, **changed)))  # type: ignore[arg-type]


def decided(**changed: object) -> Context:
    return replace(CALL, decision=replace(DECISION, **changed))  # type: ignore[arg-type]


def test_an_honest_call_is_admitted_and_its_result_released() -> None:
    RULES.admits(CALL)
    RULES.releases(CALL, {"w": np.ones(2, np.float32)}, {"loss": 1.0})


@pytest.mark.parametrize(
    ("context", "error", "says"),
    [
        (replace(CALL, level="steward"), AccessRefused, "who decides does not run"),
        (replace(CALL, level="guest"), AccessRefused, "guest"),
        (replace(CALL, researcher="0x" + "c" * 40), AccessRefused, "somebody else's"),
        (replace(CALL, request=replace(REQUEST, source=REQUEST.source + "\n")), DigestMismatch, "not the code"),
        (replace(CALL, request=replace(REQUEST, settings={"rate": 1})), DigestMismatch, "not the code"),
        (replace(CALL, entry="evaluate"), RequestError, "no such entry"),
        (about(replace(REQUEST, environment="f" * 64)), DigestMismatch, "another environment"),
        (replace(CALL, decision=None), NotApproved, "waits"),
        (decided(approved=False, rounds=0, reason="Too broad."), NotApproved, "denied: Too broad"),
        (replace(decided(approved=False, rounds=0, reason="Leak."), revoked=True), NotApproved, "revoked: Leak"),
        (decided(expires=int(NOW)), NotApproved, "expired"),
        (decided(site="sv"), NotApproved, "another request or site"),
        (decided(request="1" * 64), NotApproved, "another request or site"),
        (decided(signature="0x01"), NotApproved, "not signed"),
        (about(replace(REQUEST, researcher=STEWARD), replace(CALL, researcher=STEWARD)), NotApproved, "of their own"),
        (permitted(expires="2026-11-23"), AccessRefused, "permit has expired"),
        (permitted(expires="soon"), AccessRefused, "names no day"),
        (about(replace(REQUEST, purpose="marketing")), AccessRefused, "not the permit's"),
        (permitted(purpose="marketing"), AccessRefused, "does not admit this purpose"),
        (
            about(replace(REQUEST, dataset="images", permit=replace(REQUEST.permit, datasets=("images",)))),
            AccessRefused,
            "does not cover",
        ),
        (replace(CALL, used=3), LimitReached, "as often as was approved"),
        (replace(CALL, round=0), LimitReached, "from 1"),
    ],
)
def test_each_rule_refuses_what_it_is_there_for(context: Context, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says) as refused:
        RULES.admits(context)
    assert refused.value.message  # type: ignore[attr-defined]


def test_a_permit_counts_through_its_last_day() -> None:
    last = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
    late = replace(CALL, now=last, decision=replace(DECISION, expires=int(last) + 100))
    RULES.admits(late)
    with pytest.raises(AccessRefused):
        RULES.admits(replace(late, now=last + 2))


def test_a_result_that_does_not_fit_stays() -> None:
    with pytest.raises(OutputRefused):
        RULES.releases(CALL, {"w": np.ones(2, np.float32)}, {"loss": 11.0})
    with pytest.raises(OutputRefused):
        RULES.releases(CALL, {}, {"loss": 1.0})


@given(asked=st.integers(1, 50), granted=st.integers(0, 50), approved=st.booleans(), used=st.integers(0, 60))
def test_an_entry_runs_as_often_as_both_allow(asked: int, granted: int, approved: bool, used: int) -> None:
    request = replace(REQUEST, entries=(Entry("train", asked, CONTRACT),))
    context = replace(about(request), decision=replace(DECISION, rounds=granted, approved=approved), used=used)
    limit = execution_limit(context)
    assert limit == (min(asked, granted) if approved else 0)
    try:
        ExecutionLimit().admits(context)
        admitted = True
    except LimitReached:
        admitted = False
    assert admitted == (used < limit)


def test_rules_compose_and_the_first_refusal_counts() -> None:
    class Never(Policy):
        def __init__(self, word: str) -> None:
            self.word = word

        def admits(self, context: Context) -> None:
            raise Refused(self.word)

        def explain(self) -> str:
            return f"Never: {self.word}."

    both = AllOf((Never("first"), Never("second")))
    with pytest.raises(Refused, match="first"):
        both.admits(CALL)
    assert both.explain() == "1 Never: first.\n2 Never: second."
    AllOf(()).admits(CALL)


def test_the_rules_explain_themselves_one_line_each() -> None:
    lines = RULES.explain().splitlines()
    assert [line.split(" ")[0] for line in lines] == [str(n) for n in range(1, len(RULES.rules) + 1)]
    assert "pharmacovigilance" in RULES.explain()


def test_without_a_list_of_purposes_the_permits_own_counts() -> None:
    rules = default_policies(environment=ENVIRONMENT, datasets=["notes"], signer=signer)
    rules.admits(about(replace(REQUEST, purpose="teaching", permit=replace(REQUEST.permit, purpose="teaching"))))
    with pytest.raises(AccessRefused):
        rules.admits(about(replace(REQUEST, purpose="marketing")))
