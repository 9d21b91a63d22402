"""An approved call that every rule admits, and short ways to change one thing of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fedkit.errors import FedkitError
from fedkit.governance.decision import Decision
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.policies import Clock, Context, Policy
from fedkit.governance.request import CodeRequest, DataPermit, Entry

RESEARCHER, STEWARD, SECOND = "0x" + "a" * 40, "0x" + "b" * 40, "0x" + "c" * 40
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()  # a Tuesday
ENVIRONMENT = "e" * 64
REQUEST = CodeRequest(
    title="Reactions",
    purpose="pharmacovigilance",
    researcher=RESEARCHER,
    permit=DataPermit("permit-1", "pharmacovigilance", ("notes",), "2026-12-31"),
    dataset="notes",
    source="def train(notes, weights, settings):\n    return {}\n",
    environment=ENVIRONMENT,
    entries=(Entry("train", 5, OutputContract(tensors={"w": (2,)}, numbers={"loss": (0.0, 10.0)})),),
)


def signed_by_whom_it_names(decision: Decision) -> str:
    return decision.steward if decision.signature == "0x00" else RESEARCHER


def approval(request: CodeRequest = REQUEST, steward: str = STEWARD, **changes: Any) -> Decision:
    made = Decision(request.digest, "fi", True, 3, int(NOON) + 3600, "", "0" * 64, steward, "0x00")
    return replace(made, **changes)


def call(request: CodeRequest = REQUEST, **changes: Any) -> Context:
    """A call that an honest researcher makes at noon, of a request that one steward approved."""
    first = request.entries[0].name
    made = Context(
        request=request,
        digest=request.digest,
        entry=first,
        round=1,
        site="fi",
        researcher=request.researcher,
        decision=approval(request),
        now=NOON,
        patients=120,
        clock=Clock(NOON - 1, NOON),
    )
    return replace(made, **changes)


def refused(rule: Policy, context: Context, ask: str = "admits") -> FedkitError:
    """The refusal of a rule, which says what was expected and the way on."""
    with pytest.raises(FedkitError) as caught:
        getattr(rule, ask)(context)
    assert caught.value.expected, "a refusal without what was expected"
    assert caught.value.help, "a refusal without a way on"
    return caught.value
