"""Decisions that an operator puts on a chain of his own, past the contracts: replayed, altered, expired, signed by others.

The contracts refuse each of them (tests/ledger); these tests are of chains whose owner does not ask them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from audit.cases import FOUND_BY, tries
from audit.conftest import Told, failed
from audit.hands import Block, call_again, call_before, chain_rewritten, find_call

from fedkit.audit.verify import verify
from fedkit.digests import digest
from fedkit.governance.decision import Decision
from fedkit.ledger.contracts import contract
from fedkit.ledger.names import RESEARCHER_ROLE
from fedkit.ledger.transactions import parse_transaction
from fedkit.ledger.typed import decision_message, digest_bytes32

PAST = 1_000_000_000


def norways(told: Told) -> Decision:
    """Norway's approval of the study."""
    return next(d for d in told.world.decisions if d.request == told.request.digest and d.site == "norway")


def delivered(told: Told, decision: Decision) -> tuple[tuple[Any, ...], bytes]:
    """The arguments of the call that delivers a decision."""
    return tuple(decision_message(decision).values()), bytes.fromhex(decision.signature.removeprefix("0x"))


def signed(told: Told, actor: str, **other: Any) -> Decision:
    """Norway's decision with other fields, signed by an actor."""
    return told.world.keys.sign_decision(actor, replace(norways(told), **other), told.world.ledger.domain)


def of_sweden(told: Told) -> Decision:
    """A decision for norway by the steward of sweden, in their own name."""
    return signed(told, "steward-sweden", steward=told.world.keys.address("steward-sweden"))


def elsewhere(told: Told, **other: Any) -> Decision:
    """Norway's decision, signed by its steward for another place."""
    domain = replace(told.world.ledger.domain, **other)
    return told.world.keys.sign_decision("steward-norway", norways(told), domain)


WRONG: dict[str, Callable[[Told], Decision]] = {
    "decision altered": lambda told: replace(norways(told), rounds=1000),
    "decision used for another request": lambda told: replace(norways(told), request=digest("another request")),
    "decision that had expired": lambda told: signed(told, "steward-norway", expires=PAST),
    "decision signed by the wrong key": lambda told: of_sweden(told),
    "decision signed for another chain": lambda told: elsewhere(told, chain_id=told.world.ledger.domain.chain_id + 1),
    "decision signed for another contract": lambda told: elsewhere(told, contract="0x" + "99" * 20),
}


def in_its_place(told: Told, bundle: Path, decision: Decision) -> None:
    """The operator delivers this one where norway's stood."""
    fields, signature = delivered(told, decision)
    mine = decision_message(norways(told))["site"]

    def replaced(given: dict[str, Any]) -> dict[str, Any]:
        return {**given, "decision": fields, "signature": signature} if given["decision"][1] == mine else given

    def change(blocks: list[Block]) -> list[Block]:
        key = contract("Requests").functions["decideBySig"].key
        for number, block in enumerate(blocks):
            for raw in block["transactions"]:
                call = parse_transaction(bytes.fromhex(raw))
                if call.data[:4] == key and contract("Requests").read_call(call.data)[1]["decision"][:2] == (
                    digest_bytes32(told.request.digest),
                    mine,
                ):
                    call_again(told.world, "relay", blocks, "Requests", "decideBySig", replaced, at=(number, 0))
                    return blocks
        raise AssertionError("norway never decided")

    chain_rewritten(bundle, change)


@tries(*WRONG)
@pytest.mark.parametrize("case", WRONG)
def test_a_decision_that_does_not_count_is_found(case: str, told: Told, bundle: Path) -> None:
    in_its_place(told, bundle, WRONG[case](told))
    assert failed(bundle) >= FOUND_BY[case]
    said = {finding.what for finding in verify(bundle).checks[5].findings}
    assert any("norway" in what or "run out" in what for what in said), said


@tries("decision signed by the wrong key")
def test_a_decision_in_the_name_of_the_steward_is_found(told: Told, bundle: Path) -> None:
    in_its_place(told, bundle, replace(of_sweden(told), steward=norways(told).steward))
    assert failed(bundle) >= FOUND_BY["decision signed by the wrong key"]


@tries("decision replayed")
def test_a_decision_delivered_twice_is_found(told: Told, bundle: Path) -> None:
    """Its steward has taken it back since, say; the operator delivers the approval once more."""

    def again(blocks: list[Block]) -> list[Block]:
        place = find_call(blocks, "Rounds", "release")
        call_before(told.world, "relay", blocks, place, "Requests", "decideBySig", *delivered(told, norways(told)))
        return blocks

    chain_rewritten(bundle, again)
    assert failed(bundle) >= FOUND_BY["decision replayed"]
    assert any("had decided already" in finding.what for finding in verify(bundle).checks[5].findings)


@tries("role revoked before the act")
def test_an_act_after_the_role_was_taken_is_found(told: Told, bundle: Path) -> None:
    """The operator moves the revocation of the researcher to before the release."""

    def revoked(blocks: list[Block]) -> list[Block]:
        place = find_call(blocks, "Rounds", "release")
        given = (RESEARCHER_ROLE, told.world.researcher)
        call_before(told.world, "admin", blocks, place, "Registry", "revokeRole", *given)
        return blocks

    chain_rewritten(bundle, revoked)
    assert failed(bundle) >= FOUND_BY["role revoked before the act"]
    assert any("was not researcher then" in finding.what for finding in verify(bundle).checks[4].findings)


@tries("permit revoked before the act")
def test_a_request_under_a_revoked_permit_is_found(told: Told, bundle: Path) -> None:
    def revoked(blocks: list[Block]) -> list[Block]:
        place = find_call(blocks, "Requests", "submit")
        permit = digest_bytes32(told.request.permit.digest)
        call_before(told.world, "authority", blocks, place, "Registry", "revokePermit", permit)
        return blocks

    chain_rewritten(bundle, revoked)
    assert failed(bundle) >= FOUND_BY["permit revoked before the act"]
