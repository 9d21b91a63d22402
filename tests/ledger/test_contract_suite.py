"""The contracts, on every kind of chain: what they refuse, by the name of their own error, and what they let through."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import refused_budgets
import refused_late
import refused_permits
import refused_registry
import refused_requests
import refused_rounds
from contract_calls import (
    START,
    Case,
    averaged,
    receipts,
)
from ledger_world import World

from fedkit.digests import digest
from fedkit.errors import ContractReverted
from fedkit.ledger.contracts import NAMES, contract

#: What is refused, by what it is about.
PARTS = (refused_registry, refused_permits, refused_requests, refused_rounds, refused_budgets, refused_late)

#: Error → the cases that must meet it.
REFUSED: dict[str, tuple[Case, ...]] = {}
for part in PARTS:
    for error, cases in part.REFUSED.items():
        REFUSED[error] = (*REFUSED.get(error, ()), *cases)

#: Of the library: only for names longer than "fedkit" in the constructor, which has none.
UNREACHABLE = {"InvalidShortString", "StringTooLong"}


@pytest.mark.parametrize(
    ("error", "case"), [pytest.param(e, c, id=c.__name__[5:]) for e, cases in REFUSED.items() for c in cases]
)
def test_it_is_refused_by_the_error_that_says_why(error: str, case: Case, world: World, clocked: Any) -> None:
    with pytest.raises(ContractReverted, match=rf"the contract refused: {error}\("):
        case(world, clocked.advance)


def test_every_error_of_the_contracts_has_a_case() -> None:
    errors = {part.name for name in NAMES for part in contract(name).errors.values()}
    assert errors - UNREACHABLE == set(REFUSED)


def test_no_case_is_forgotten() -> None:
    written = {case for part in PARTS for name, case in vars(part).items() if name.startswith("case_")}
    assert written - {case for cases in REFUSED.values() for case in cases} == set()


def test_a_refusal_leaves_no_trace(world: World, clocked: Any) -> None:
    before = world.ledger.head(), world.ledger.events()
    with pytest.raises(ContractReverted):
        refused_registry.case_stranger_registers(world, clocked.advance)
    assert (world.ledger.head(), world.ledger.events()) == before


#: What happens before anything is asked.
BEFORE = ("RoleGranted", "LevelChanged", "DatasetCommitted", "SiteRegistered", "PermitIssued")


def test_a_study_from_submission_to_release(world: World) -> None:
    request = world.study()
    told = [(type(e).__name__, getattr(e, "request", request.digest)) for e in world.ledger.events()]
    acts = [name for name, of in told if of == request.digest and name not in BEFORE]
    round_, anchors = ["Executed", "Executed", "RoundRecorded"], ["Anchored", "Anchored", "StudyAnchored"]
    assert acts == [
        "RequestSubmitted",
        "Decided",
        "Decided",
        *anchors,
        *round_ * 4,
        "Released",
        *anchors,
    ]


def test_the_approval_can_be_withdrawn(world: World) -> None:
    request = world.submit(world.request())
    world.decide(request, "norway")
    averaged(world, request.digest, 1, receipts(world, request.digest, 1)[:1])
    assert not world.decide(request, "norway", approved=False).approved
    with pytest.raises(ContractReverted, match="NotApproved"):
        averaged(world, request.digest, 2, receipts(world, request.digest, 2)[:1])


def test_an_evaluation_may_skip_numbers_and_looks_at_one_model(world: World) -> None:
    request = world.request(train=9)
    request = world.submit(replace(request, entries=tuple(replace(e, executions=9) for e in request.entries)))
    for site in world.sites:
        world.decide(request, site, rounds=9)
    world.evaluated(request.digest, 2, START)
    world.evaluated(request.digest, 7, START)
    with pytest.raises(ContractReverted, match="RoundOutOfOrder"):
        world.evaluated(request.digest, 7, digest("other"))


def test_a_steward_can_be_replaced(world: World) -> None:
    request = world.submit(world.request())
    successor = world.keys.create("steward-norway-2")
    world.ledger.revoke("steward of norway", world.keys.address("steward-norway"))
    world.ledger.grant("steward of norway", successor)
    decision = replace(world.decision(request, "norway"), steward=successor)
    assert world.ledger.decide(world.keys.sign_decision("steward-norway-2", decision, world.ledger.domain)).actor == successor
