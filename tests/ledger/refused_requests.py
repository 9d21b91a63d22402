"""What is refused of requests and decisions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from contract_calls import (
    STRANGER,
    Case,
    deliver,
    issue,
    submit,
)
from ledger_world import DAY, World

from fedkit.ledger.typed import address_of, name_id, sign_decision


def case_no_researcher(world: World, advance: Any) -> None:
    submit(world, "stranger")


def case_revoked_researcher(world: World, advance: Any) -> None:
    world.ledger.revoke("researcher", world.researcher)
    submit(world)


def case_no_request_digest(world: World, advance: Any) -> None:
    submit(world, request=bytes(32))


def case_no_entries(world: World, advance: Any) -> None:
    submit(world, entries=[])


def case_no_sites(world: World, advance: Any) -> None:
    submit(world, sites=[])


def case_entry_that_never_runs(world: World, advance: Any) -> None:
    submit(world, entries=[(name_id("train"), 0)])


def case_request_twice(world: World, advance: Any) -> None:
    submit(world), submit(world, code=b"\7" * 32)


def case_entry_twice(world: World, advance: Any) -> None:
    submit(world, entries=[(name_id("train"), 2), (name_id("train"), 9)])


def case_asked_twice(world: World, advance: Any) -> None:
    submit(world, sites=[name_id("norway"), name_id("norway")])


def case_asks_nobody(world: World, advance: Any) -> None:
    submit(world, sites=[name_id("atlantis")])


def case_data_that_a_site_does_not_have(world: World, advance: Any) -> None:
    issue(world, datasets=[name_id("x-rays")])
    submit(world, permit="05" * 32, dataset=name_id("x-rays"))


def case_decides_what_nobody_asked(world: World, advance: Any) -> None:
    deliver(world, world.decision(world.request(), "norway"))


def case_decides_for_a_site_not_asked(world: World, advance: Any) -> None:
    request = world.request()
    world.permitted()
    world.ledger.submit(request, ["norway"])
    deliver(world, world.decision(request, "sweden"))


def case_altered_decision(world: World, advance: Any) -> None:
    decision = world.decision(world.submit(world.request()), "norway", rounds=1)
    deliver(world, replace(decision, rounds=3))


def case_signature_cut_off(world: World, advance: Any) -> None:
    decision = world.decision(world.submit(world.request()), "norway")
    deliver(world, decision, decision.signature[:-2])


def case_signature_of_nobody(world: World, advance: Any) -> None:
    deliver(world, world.decision(world.submit(world.request()), "norway"), "0x" + "00" * 64 + "1b")


def case_second_signature_of_the_same_statement(world: World, advance: Any) -> None:
    """(r, n − s) verifies as well as (r, s): taking it would let a relay replay a statement in another form."""
    decision = world.decision(world.submit(world.request()), "norway")
    raw = bytes.fromhex(decision.signature[2:])
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = order - int.from_bytes(raw[32:64])
    deliver(world, decision, "0x" + raw[:32].hex() + high.to_bytes(32).hex() + f"{27 + 28 - raw[64]:02x}")


def case_stranger_decides(world: World, advance: Any) -> None:
    decision = replace(world.decision(world.submit(world.request()), "norway"), steward=address_of(STRANGER))
    deliver(world, sign_decision(decision, STRANGER, world.ledger.domain))


def case_steward_of_another_site(world: World, advance: Any) -> None:
    request = world.submit(world.request())
    decision = replace(world.decision(request, "norway"), steward=world.keys.address("steward-sweden"))
    deliver(world, world.keys.sign_decision("steward-sweden", decision, world.ledger.domain))


def case_revoked_steward(world: World, advance: Any) -> None:
    request = world.submit(world.request())
    world.ledger.revoke("steward of norway", world.keys.address("steward-norway"))
    deliver(world, world.decision(request, "norway"))


def case_decision_for_another_chain(world: World, advance: Any) -> None:
    request = world.submit(world.request())
    elsewhere = replace(world.ledger.domain, chain_id=world.ledger.chain.chain_id + 1)
    deliver(world, world.keys.sign_decision("steward-norway", world.decision(request, "norway"), elsewhere))


def case_decision_for_another_contract(world: World, advance: Any) -> None:
    request = world.submit(world.request())
    elsewhere = replace(world.ledger.domain, contract=world.ledger.deployment.contracts["Requests"])
    deliver(world, world.keys.sign_decision("steward-norway", world.decision(request, "norway"), elsewhere))


def case_own_request(world: World, advance: Any) -> None:
    """Not even by changing sides: the duty of one who asked goes on after he has left it."""
    request = world.submit(world.request())
    world.ledger.revoke("researcher", world.researcher)
    world.ledger.grant("steward of norway", world.researcher)
    decision = replace(world.decision(request, "norway"), steward=world.researcher)
    deliver(world, world.keys.sign_decision("researcher", decision, world.ledger.domain))


def case_decision_expired(world: World, advance: Any) -> None:
    decision = world.decision(world.submit(world.request()), "norway", days=1)
    advance(2 * DAY)
    deliver(world, decision)


def case_approval_of_no_rounds(world: World, advance: Any) -> None:
    deliver(world, world.decision(world.submit(world.request()), "norway", rounds=0))


def case_decision_replayed(world: World, advance: Any) -> None:
    decision = world.decision(world.submit(world.request()), "norway")
    deliver(world, decision), deliver(world, decision)


def case_approval_after_denial(world: World, advance: Any) -> None:
    """A relay that holds an approval back, until the steward has denied, must not get it through."""
    request = world.submit(world.request())
    held_back = world.decision(request, "norway")
    deliver(world, world.decision(request, "norway", approved=False))
    deliver(world, held_back)


def case_wider_approval_later(world: World, advance: Any) -> None:
    request = world.submit(world.request())
    deliver(world, world.decision(request, "norway", rounds=1))
    deliver(world, world.decision(request, "norway", rounds=3))


def case_denied_twice(world: World, advance: Any) -> None:
    request = world.submit(world.request())
    for days in (1, 2):
        deliver(world, world.decision(request, "norway", approved=False, days=days))


REFUSED: dict[str, tuple[Case, ...]] = {
    "Empty": (
        case_no_request_digest,
        case_no_entries,
        case_no_sites,
        case_entry_that_never_runs,
        case_approval_of_no_rounds,
    ),
    "DatasetUnknown": (
        case_asks_nobody,
        case_data_that_a_site_does_not_have,
    ),
    "NotResearcher": (
        case_no_researcher,
        case_revoked_researcher,
    ),
    "AlreadySubmitted": (case_request_twice,),
    "Duplicate": (
        case_entry_twice,
        case_asked_twice,
    ),
    "RequestUnknown": (case_decides_what_nobody_asked,),
    "NotAsked": (case_decides_for_a_site_not_asked,),
    "BadSignature": (
        case_altered_decision,
        case_decision_for_another_chain,
        case_decision_for_another_contract,
    ),
    "ECDSAInvalidSignatureLength": (case_signature_cut_off,),
    "ECDSAInvalidSignature": (case_signature_of_nobody,),
    "ECDSAInvalidSignatureS": (case_second_signature_of_the_same_statement,),
    "NotSteward": (
        case_stranger_decides,
        case_steward_of_another_site,
        case_revoked_steward,
    ),
    "OwnRequest": (case_own_request,),
    "DecisionExpired": (case_decision_expired,),
    "AlreadyDecided": (
        case_decision_replayed,
        case_approval_after_denial,
        case_wider_approval_later,
        case_denied_twice,
    ),
}
