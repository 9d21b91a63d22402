"""The contracts, on every kind of chain: what they refuse, by the name of their own error, and what they let through."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ledger_world import DAY, World

from fedkit.digests import digest
from fedkit.errors import ContractReverted
from fedkit.governance.decision import NOTHING, Decision, Receipt
from fedkit.ledger.contracts import NAMES, contract
from fedkit.ledger.typed import address_of, decision_message, name_id, sign_anchor, sign_decision

START = digest("start")
STRANGER = bytes.fromhex("77" * 32)
ZERO = "0x" + "00" * 20

Case = Callable[[World, Any], Any]


def act(world: World, actor: str, name: str, function: str, *arguments: Any) -> Any:
    """A call by an actor of the keyring, past the ledger's own methods."""
    world.keys.create(actor)
    return world.ledger._act(actor, [(name, function, arguments)])


def submit(world: World, actor: str = "researcher", **changed: Any) -> Any:
    values: dict[str, Any] = {
        "request": bytes.fromhex(digest("a request")),
        "code": bytes.fromhex(digest("code")),
        "environment": bytes(32),
        "permit": bytes(32),
        "expires": int(time.time()) + DAY,
        "entries": [(name_id("train"), 2)],
        "sites": [name_id("norway")],
    } | changed
    return act(world, actor, "Requests", "submit", *values.values())


def deliver(world: World, decision: Decision, signature: str | None = None) -> Any:
    raw = bytes.fromhex((signature or decision.signature)[2:])
    return act(world, "anybody", "Requests", "decideBySig", tuple(decision_message(decision).values()), raw)


def approved(world: World) -> str:
    """A request of three training rounds and one evaluation that both sites approved."""
    request = world.submit(world.request())
    for site in world.sites:
        world.decide(request, site)
    return request.digest


def averaged(world: World, request: str, round: int, receipts: list[Receipt], **changed: Any) -> Any:
    values: dict[str, Any] = {"kind": "AVERAGED", "inputs": START, "aggregate": digest("mean")} | changed
    return world.ledger.record_round(request, "train", round, values["kind"], values["inputs"], values["aggregate"], receipts)


def receipts(world: World, request: str, round: int, entry: str = "train", inputs: str = START) -> list[Receipt]:
    return [world.receipt(request, site, entry, round, inputs, digest([site, round])) for site in world.sites]


def case_stranger_registers(world: World, advance: Any) -> None:
    act(world, "stranger", "Registry", "registerSite", name_id("x"), ZERO[:-1] + "1", ZERO[:-1] + "2")


def case_stranger_commits(world: World, advance: Any) -> None:
    act(world, "stranger", "Registry", "commitDataset", name_id("norway"), name_id("notes"), b"\1" * 32)


def case_stranger_grants(world: World, advance: Any) -> None:
    act(world, "stranger", "Registry", "grantRole", bytes(32), world.keys.create("stranger"))


def case_renounces_for_another(world: World, advance: Any) -> None:
    act(world, "stranger", "Registry", "renounceRole", bytes(32), world.researcher)


def case_site_without_key(world: World, advance: Any) -> None:
    act(world, "admin", "Registry", "registerSite", name_id("x"), ZERO, world.researcher)


def case_empty_commitment(world: World, advance: Any) -> None:
    act(world, "admin", "Registry", "commitDataset", name_id("norway"), name_id("notes"), bytes(32))


def case_site_twice(world: World, advance: Any) -> None:
    act(world, "admin", "Registry", "registerSite", name_id("norway"), ZERO[:-1] + "1", ZERO[:-1] + "2")


def case_commitment_of_nobody(world: World, advance: Any) -> None:
    act(world, "admin", "Registry", "commitDataset", name_id("atlantis"), name_id("notes"), b"\1" * 32)


def case_key_is_steward(world: World, advance: Any) -> None:
    act(world, "admin", "Registry", "registerSite", name_id("x"), world.researcher, world.researcher)


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


def case_permit_expired(world: World, advance: Any) -> None:
    submit(world, expires=int(time.time()) - DAY)


def case_decides_what_nobody_asked(world: World, advance: Any) -> None:
    deliver(world, world.decision(world.request(), "norway"))


def case_decides_for_a_site_not_asked(world: World, advance: Any) -> None:
    request = world.request()
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
    world.ledger.grant("steward of norway", world.researcher)
    request = world.submit(world.request())
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


def case_round_of_another(world: World, advance: Any) -> None:
    request = approved(world)
    world.ledger.register_researcher("other")
    averages = receipts(world, request, 1)
    world.ledger.record_round(request, "train", 1, "AVERAGED", START, START, averages, actor="other")


def case_round_by_a_revoked_researcher(world: World, advance: Any) -> None:
    request = approved(world)
    world.ledger.revoke("researcher", world.researcher)
    averaged(world, request, 1, receipts(world, request, 1))


def case_round_skipped(world: World, advance: Any) -> None:
    request = approved(world)
    averaged(world, request, 2, receipts(world, request, 2))


def case_round_again_with_other_weights(world: World, advance: Any) -> None:
    request = approved(world)
    averaged(world, request, 1, receipts(world, request, 1))
    averaged(world, request, 1, receipts(world, request, 1), aggregate=digest("other"))


def case_round_without_receipts(world: World, advance: Any) -> None:
    averaged(world, approved(world), 1, [])


def case_two_receipts_of_one_site(world: World, advance: Any) -> None:
    request = approved(world)
    averaged(world, request, 1, [world.receipt(request, "norway", "train", 1, START, digest(i)) for i in (1, 2)])


def case_average_of_other_inputs(world: World, advance: Any) -> None:
    request = approved(world)
    averaged(world, request, 1, receipts(world, request, 1, inputs=digest("elsewhere")))


def case_broken_sequence(world: World, advance: Any) -> None:
    request = approved(world)
    averaged(world, request, 1, receipts(world, request, 1), kind="SEQUENTIAL")


def case_sequence_with_another_end(world: World, advance: Any) -> None:
    request = approved(world)
    averaged(world, request, 1, receipts(world, request, 1)[:1], kind="SEQUENTIAL")


def case_evaluation_that_changes_weights(world: World, advance: Any) -> None:
    request = approved(world)
    one = [world.receipt(request, "norway", "evaluate", 1, START, NOTHING)]
    world.ledger.record_round(request, "evaluate", 1, "EVALUATED", START, digest("other"), one)


def case_site_that_has_not_decided(world: World, advance: Any) -> None:
    request = world.submit(world.request()).digest
    averaged(world, request, 1, receipts(world, request, 1))


def case_site_that_withdrew(world: World, advance: Any) -> None:
    request = world.submit(world.request())
    world.decide(request, "norway"), world.decide(request, "norway", approved=False)
    averaged(world, request.digest, 1, receipts(world, request.digest, 1)[:1])


def case_approval_expired(world: World, advance: Any) -> None:
    request = world.submit(world.request())
    world.decide(request, "norway", days=1)
    advance(2 * DAY)
    averaged(world, request.digest, 1, receipts(world, request.digest, 1)[:1])


def case_permit_expired_meanwhile(world: World, advance: Any) -> None:
    tomorrow = time.strftime("%Y-%m-%d", time.gmtime(time.time() + DAY))
    request = world.submit(world.request(until=tomorrow))
    world.decide(request, "norway")
    advance(3 * DAY)
    averaged(world, request.digest, 1, receipts(world, request.digest, 1)[:1])


def case_round_beyond_what_was_granted(world: World, advance: Any) -> None:
    request = world.submit(world.request())
    world.decide(request, "norway", rounds=1)
    for round in (1, 2):
        averaged(world, request.digest, round, receipts(world, request.digest, round)[:1])


def case_round_beyond_what_was_asked(world: World, advance: Any) -> None:
    """A generous steward does not widen a request: of both numbers the lower one counts."""
    request = world.submit(world.request(train=1))
    world.decide(request, "norway", rounds=9)
    for round in (1, 2):
        averaged(world, request.digest, round, receipts(world, request.digest, round)[:1])


def case_entry_that_was_not_asked_for(world: World, advance: Any) -> None:
    request = approved(world)
    one = [world.receipt(request, "norway", "copy", 1, START, START)]
    world.ledger.record_round(request, "copy", 1, "AVERAGED", START, START, one)


def case_receipt_by_another_key(world: World, advance: Any) -> None:
    request = approved(world)
    good = world.receipt(request, "norway", "train", 1, START, digest("out"))
    averaged(world, request, 1, [world.keys.sign_receipt("site-sweden", good, world.ledger.domain)])


def case_altered_receipt(world: World, advance: Any) -> None:
    request = approved(world)
    averaged(world, request, 1, [replace(world.receipt(request, "norway", "train", 1, START, START), outputs=digest("out"))])


def case_receipt_by_a_revoked_key(world: World, advance: Any) -> None:
    request = approved(world)
    world.ledger.revoke("key of norway", world.keys.address("site-norway"))
    averaged(world, request, 1, receipts(world, request, 1)[:1])


def case_receipt_of_another_round(world: World, advance: Any) -> None:
    request = approved(world)
    averaged(world, request, 1, [replace(world.receipt(request, "norway", "train", 2, START, START), round=1)])


def case_model_from_nowhere(world: World, advance: Any) -> None:
    world.ledger.release(approved(world), digest("a model from nowhere"))


def case_evaluated_model(world: World, advance: Any) -> None:
    """To look at weights is not to have trained them."""
    request = approved(world)
    world.evaluated(request, 1, digest("a model from nowhere"))
    world.ledger.release(request, digest("a model from nowhere"))


def case_release_by_another(world: World, advance: Any) -> None:
    request = approved(world)
    model = world.averaged(request, 1, START)
    world.ledger.register_researcher("other")
    world.ledger.release(request, model, actor="other")


def anchored(world: World, first: int, last: int, root: str = START, signer: str = "site-norway") -> Any:
    anchor = {"stream": "norway", "from": first, "to": last, "root": root}
    return world.ledger.anchor(world.keys.sign_anchor(signer, anchor, world.ledger.domain))


def case_anchor_with_a_gap(world: World, advance: Any) -> None:
    anchored(world, 1, 5), anchored(world, 7, 9)


def case_anchor_again_with_another_root(world: World, advance: Any) -> None:
    anchored(world, 1, 5), anchored(world, 1, 5, digest("other rows"))


def case_anchor_from_zero(world: World, advance: Any) -> None:
    anchored(world, 0, 5)


def case_anchor_backwards(world: World, advance: Any) -> None:
    anchored(world, 1, 0)


def case_anchor_by_another_site(world: World, advance: Any) -> None:
    anchored(world, 1, 5, signer="site-sweden")


def case_anchor_for_another_chain(world: World, advance: Any) -> None:
    elsewhere = replace(world.ledger.domain, chain_id=1)
    anchor = {"stream": "norway", "from": 1, "to": 5, "root": START}
    world.ledger.anchor(sign_anchor(anchor, world.keys._key("site-norway"), elsewhere))


REFUSED: dict[str, tuple[Case, ...]] = {
    "AccessControlUnauthorizedAccount": (case_stranger_registers, case_stranger_commits, case_stranger_grants),
    "AccessControlBadConfirmation": (case_renounces_for_another,),
    "Empty": (
        case_site_without_key,
        case_empty_commitment,
        case_no_request_digest,
        case_no_entries,
        case_no_sites,
        case_entry_that_never_runs,
        case_approval_of_no_rounds,
        case_round_without_receipts,
    ),
    "SiteExists": (case_site_twice,),
    "SiteUnknown": (case_commitment_of_nobody, case_asks_nobody),
    "KeyIsSteward": (case_key_is_steward,),
    "NotResearcher": (case_no_researcher, case_revoked_researcher),
    "AlreadySubmitted": (case_request_twice,),
    "Duplicate": (case_entry_twice, case_asked_twice, case_two_receipts_of_one_site),
    "PermitExpired": (case_permit_expired, case_permit_expired_meanwhile),
    "RequestUnknown": (case_decides_what_nobody_asked,),
    "NotAsked": (case_decides_for_a_site_not_asked,),
    "BadSignature": (case_altered_decision, case_decision_for_another_chain, case_decision_for_another_contract),
    "ECDSAInvalidSignatureLength": (case_signature_cut_off,),
    "ECDSAInvalidSignature": (case_signature_of_nobody,),
    "ECDSAInvalidSignatureS": (case_second_signature_of_the_same_statement,),
    "NotSteward": (case_stranger_decides, case_steward_of_another_site, case_revoked_steward),
    "OwnRequest": (case_own_request,),
    "DecisionExpired": (case_decision_expired,),
    "AlreadyDecided": (case_decision_replayed, case_approval_after_denial, case_wider_approval_later, case_denied_twice),
    "NotRequester": (case_round_of_another, case_round_by_a_revoked_researcher, case_release_by_another),
    "RoundOutOfOrder": (case_round_skipped, case_round_again_with_other_weights),
    "InputsDiffer": (case_average_of_other_inputs, case_broken_sequence),
    "AggregateDiffers": (case_sequence_with_another_end, case_evaluation_that_changes_weights),
    "NotApproved": (case_site_that_has_not_decided, case_site_that_withdrew, case_approval_expired),
    "RoundsExceeded": (case_round_beyond_what_was_granted, case_round_beyond_what_was_asked),
    "EntryUnknown": (case_entry_that_was_not_asked_for,),
    "BadReceipt": (
        case_receipt_by_another_key,
        case_altered_receipt,
        case_receipt_by_a_revoked_key,
        case_receipt_of_another_round,
    ),
    "ModelNotRecorded": (case_model_from_nowhere, case_evaluated_model),
    "AnchorGap": (case_anchor_with_a_gap, case_anchor_again_with_another_root, case_anchor_from_zero),
    "AnchorEmpty": (case_anchor_backwards,),
    "BadAnchor": (case_anchor_by_another_site, case_anchor_for_another_chain),
}

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


def test_a_refusal_leaves_no_trace(world: World, clocked: Any) -> None:
    before = world.ledger.head(), world.ledger.events()
    with pytest.raises(ContractReverted):
        case_stranger_registers(world, clocked.advance)
    assert (world.ledger.head(), world.ledger.events()) == before


def test_a_study_from_submission_to_release(world: World) -> None:
    request = world.study()
    told = [(type(e).__name__, getattr(e, "request", request.digest)) for e in world.ledger.events()]
    acts = [
        name for name, of in told if of == request.digest and name not in ("RoleGranted", "DatasetCommitted", "SiteRegistered")
    ]
    round_ = ["Executed", "Executed", "RoundRecorded"]
    assert acts == [
        "RequestSubmitted",
        "Decided",
        "Decided",
        "Anchored",
        "Anchored",
        *round_ * 4,
        "Released",
        "Anchored",
        "Anchored",
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
