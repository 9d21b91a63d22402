"""Check 5: roles, duties kept apart and data permits, where the chain's operator let through what the contracts refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from audit.cases import tries
from audit.conftest import Told, failed
from audit.hands import Block, call_again, call_before, chain_rewritten, find_call

from fedkit.audit.verify import verify
from fedkit.digests import digest
from fedkit.ledger.names import RESEARCHER_ROLE, key_role, steward_role
from fedkit.ledger.typed import name_id


def inserted(bundle: Path, told: Told, before: tuple[str, str], actor: str, name: str, function: str, *given: Any) -> None:
    """The operator puts a call that `actor` signs before the last call of another function."""

    def changed(blocks: list[Block]) -> list[Block]:
        call_before(told.world, actor, blocks, find_call(blocks, *before), name, function, *given)
        return blocks

    chain_rewritten(bundle, changed)


def five(bundle: Path) -> str:
    return "; ".join(finding.what for finding in verify(bundle).checks[4].findings)


RELEASE, SUBMIT, DECIDE = ("Rounds", "release"), ("Requests", "submit"), ("Requests", "decideBySig")


@tries("permit revoked before the act")
def test_a_permit_that_was_revoked_before_the_release(told: Told, bundle: Path) -> None:
    permit = bytes.fromhex(told.request.permit.digest)
    inserted(bundle, told, RELEASE, "authority", "Registry", "revokePermit", permit)
    assert "release under a permit that was revoked" in five(bundle)


@tries("permit revoked before the act")
def test_a_permit_that_was_revoked_before_the_decision(told: Told, bundle: Path) -> None:
    inserted(bundle, told, DECIDE, "authority", "Registry", "revokePermit", bytes.fromhex(told.request.permit.digest))
    assert "approved under a permit that was revoked" in "; ".join(f.what for f in verify(bundle).checks[5].findings)
    assert failed(bundle) >= {5, 6, 7}


def test_a_permit_that_no_authority_revoked(told: Told, bundle: Path) -> None:
    inserted(bundle, told, RELEASE, "relay", "Registry", "revokePermit", bytes.fromhex(digest("another permit")))
    assert "who was not authority then" in five(bundle)


@tries("a permit for other data or people, or one that had run out")
@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("permit", bytes.fromhex(digest("another permit")), "submitted under a permit that was never issued"),
        ("dataset", name_id("genomes"), "submitted under a permit for other data"),
    ],
)
def test_a_request_that_its_permit_does_not_cover(field: str, value: bytes, says: str, told: Told, bundle: Path) -> None:
    """By operator and researcher together."""

    def changed(blocks: list[Block]) -> list[Block]:
        call_again(told.world, "researcher", blocks, *SUBMIT, lambda given: {**given, field: value})
        return blocks

    chain_rewritten(bundle, changed)
    assert says in five(bundle)
    if field == "dataset":
        assert "asks norway for data that it never committed to" in five(bundle)


@tries("a permit for other data or people, or one that had run out")
def test_a_permit_for_other_people(told: Told, bundle: Path) -> None:
    def changed(blocks: list[Block]) -> list[Block]:
        others = ["0x" + "22" * 20]
        call_again(told.world, "authority", blocks, "Registry", "issuePermit", lambda given: {**given, "users": others})
        return blocks

    chain_rewritten(bundle, changed)
    assert "under a permit for other people" in five(bundle)


@tries("a permit for other data or people, or one that had run out")
def test_a_permit_that_had_run_out(told: Told, bundle: Path) -> None:
    def changed(blocks: list[Block]) -> list[Block]:
        call_again(told.world, "authority", blocks, "Registry", "issuePermit", lambda given: {**given, "expires": 1})
        return blocks

    chain_rewritten(bundle, changed)
    assert "under a permit that had run out" in five(bundle)


@tries("duties that one account may not have together")
@pytest.mark.parametrize(
    ("role", "of", "says"),
    [
        (RESEARCHER_ROLE, "steward-norway", "researcher, who was steward already"),
        (steward_role("norway"), "researcher", "steward of norway, who was researcher already"),
        (key_role("norway"), "steward-sweden", "key of norway, who was steward already"),
        (bytes.fromhex(digest("a role of his own")), "relay", "gives a role that there is not"),
    ],
)
def test_duties_that_one_account_may_not_have_together(role: bytes, of: str, says: str, told: Told, bundle: Path) -> None:
    inserted(bundle, told, RELEASE, "admin", "Registry", "grantRole", role, told.world.keys.address(of))
    assert says in five(bundle)


@tries("an act after the hand-over to other contracts")
def test_what_is_told_after_the_hand_over(told: Told, bundle: Path) -> None:
    """The old contracts take nothing more once they were superseded."""
    inserted(bundle, told, RELEASE, "admin", "Registry", "supersede", "0x" + "33" * 20)
    assert "release, after another deployment had taken over" in five(bundle)


def test_a_hand_over_by_somebody_else_than_the_admin(told: Told, bundle: Path) -> None:
    inserted(bundle, told, RELEASE, "relay", "Registry", "supersede", "0x" + "33" * 20)
    assert "who was not admin then" in five(bundle)
