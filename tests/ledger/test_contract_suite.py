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
from fedkit.ledger.deployment import GAS, NOBODY
from fedkit.ledger.names import RESEARCHER_ROLE
from fedkit.ledger.spending import Budget, Spend
from fedkit.ledger.transactions import contract_address
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
        "permit": bytes.fromhex(changed.get("permit") or world.permitted()),
        "dataset": name_id("notes"),
        "code": bytes.fromhex(digest("code")),
        "environment": bytes(32),
        "entries": [(name_id("train"), 2)],
        "sites": [name_id("norway")],
    } | {name: value for name, value in changed.items() if name != "permit"}
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


def case_permit_expired_before(world: World, advance: Any) -> None:
    yesterday = time.strftime("%Y-%m-%d", time.gmtime(time.time() - DAY))
    world.permitted(until=yesterday)


def case_permit_expired(world: World, advance: Any) -> None:
    permit = world.permitted(until=time.strftime("%Y-%m-%d", time.gmtime(time.time() + DAY)))
    advance(3 * DAY)
    submit(world, permit=permit)


def case_permit_expired_before_the_decision(world: World, advance: Any) -> None:
    """A steward's leave is no leave of the authority."""
    request = world.submit(world.request(until=time.strftime("%Y-%m-%d", time.gmtime(time.time() + DAY))))
    advance(3 * DAY)
    deliver(world, world.decision(request, "norway"))


def case_permit_expired_before_the_release(world: World, advance: Any) -> None:
    request = world.submit(world.request(until=time.strftime("%Y-%m-%d", time.gmtime(time.time() + DAY))))
    for site in world.sites:
        world.decide(request, site)
    model = world.averaged(request.digest, 1, START)
    advance(3 * DAY)
    world.ledger.release(request.digest, model)


def case_permit_by_a_stranger(world: World, advance: Any) -> None:
    world.keys.create("stranger")
    world.permitted(actor="stranger")


def case_permit_by_the_admin(world: World, advance: Any) -> None:
    """To run the registry gives no say in who may use data."""
    world.permitted(actor="admin")


def issue(world: World, **changed: Any) -> Any:
    values: dict[str, Any] = {
        "permit": b"\5" * 32,
        "purpose": 4,
        "expires": int(time.time()) + DAY,
        "datasets": [name_id("notes")],
        "users": [world.researcher],
    } | changed
    return act(world, "authority", "Registry", "issuePermit", *values.values())


def case_permit_without_digest(world: World, advance: Any) -> None:
    issue(world, permit=bytes(32))


def case_permit_for_no_data(world: World, advance: Any) -> None:
    issue(world, datasets=[])


def case_permit_for_nobody(world: World, advance: Any) -> None:
    issue(world, users=[])


def case_permit_twice(world: World, advance: Any) -> None:
    """Not even by the same authority: what a permit allows is said once."""
    issue(world), issue(world, expires=int(time.time()) + 9 * DAY)


def case_revoked_permit_issued_again(world: World, advance: Any) -> None:
    world.ledger.revoke_permit(world.permitted())
    world.permitted()


def case_permit_of_nobody(world: World, advance: Any) -> None:
    submit(world, permit="06" * 32)


def case_revokes_what_was_not_issued(world: World, advance: Any) -> None:
    world.ledger.revoke_permit(digest("no permit"))


def case_permit_revoked(world: World, advance: Any) -> None:
    permit = world.permitted()
    world.ledger.revoke_permit(permit)
    submit(world, permit=permit)


def case_permit_revoked_twice(world: World, advance: Any) -> None:
    issue(world)
    for _ in range(2):
        act(world, "authority", "Registry", "revokePermit", b"\5" * 32)


def case_permit_revoked_before_the_decision(world: World, advance: Any) -> None:
    request = world.submit(world.request())
    world.ledger.revoke_permit(request.permit.digest)
    deliver(world, world.decision(request, "norway"))


def case_permit_revoked_before_the_round(world: World, advance: Any) -> None:
    request = approved(world)
    world.ledger.revoke_permit(world.request().permit.digest)
    averaged(world, request, 1, receipts(world, request, 1))


def case_permit_revoked_before_the_release(world: World, advance: Any) -> None:
    request = approved(world)
    model = world.averaged(request, 1, START)
    world.ledger.revoke_permit(world.request().permit.digest)
    world.ledger.release(request, model)


def case_permit_for_other_data(world: World, advance: Any) -> None:
    submit(world, dataset=name_id("x-rays"))


def case_permit_of_somebody_else(world: World, advance: Any) -> None:
    world.permitted()
    world.ledger.register_researcher("other")
    submit(world, "other")


def case_data_that_a_site_does_not_have(world: World, advance: Any) -> None:
    issue(world, datasets=[name_id("x-rays")])
    submit(world, permit="05" * 32, dataset=name_id("x-rays"))


def case_stranger_supersedes(world: World, advance: Any) -> None:
    act(world, "stranger", "Registry", "supersede", world.ledger.deployment.contracts["Registry"])


def case_superseded_by_nobody(world: World, advance: Any) -> None:
    world.ledger.supersede(world.keys.create("stranger"))


def case_superseded_by_another_contract(world: World, advance: Any) -> None:
    world.ledger.supersede(world.ledger.deployment.contracts["Rounds"])


def case_superseded_by_itself(world: World, advance: Any) -> None:
    world.ledger.supersede(world.ledger.deployment.contracts["Registry"])


def succeeded(world: World, predecessor: str) -> None:
    """A second Registry, that names this predecessor, and the first one's handing over to it."""
    keys, chain, admin = world.keys, world.ledger.chain, world.keys.address("admin")
    nonce = chain.nonce(admin)
    data = contract("Registry").creation(admin, predecessor)
    chain.send([keys.sign_transaction("admin", chain_id=chain.chain_id, nonce=nonce, to=None, data=data, gas=GAS)])
    world.ledger.supersede(contract_address(admin, nonce))


def case_superseded_by_one_that_does_not_know_it(world: World, advance: Any) -> None:
    succeeded(world, NOBODY)


def after_the_end(late: Callable[[World], Any]) -> Case:
    """What comes after the deployment was superseded; all that it needs was done before."""

    def case(world: World, advance: Any) -> None:
        request = approved(world)
        model = world.averaged(request, 1, START)
        vars(world).update(of=request, model=model)
        succeeded(world, world.ledger.deployment.contracts["Registry"])
        late(world)

    case.__name__ = f"case_late_{late.__name__.removeprefix('late_')}"
    return case


def late_site(world: World) -> None:
    act(world, "admin", "Registry", "registerSite", name_id("x"), ZERO[:-1] + "1", ZERO[:-1] + "2")


def late_commitment(world: World) -> None:
    act(world, "admin", "Registry", "commitDataset", name_id("norway"), name_id("notes"), b"\1" * 32)


def late_role(world: World) -> None:
    world.ledger.register_researcher("other")


def late_revocation(world: World) -> None:
    world.ledger.revoke("researcher", world.researcher)


def late_permit(world: World) -> None:
    issue(world)


def late_permit_revocation(world: World) -> None:
    world.ledger.revoke_permit(world.request().permit.digest)


def late_successor(world: World) -> None:
    succeeded(world, world.ledger.deployment.contracts["Registry"])


def late_request(world: World) -> None:
    submit(world)


def late_decision(world: World) -> None:
    deliver(world, world.decision(world.request(), "norway", approved=False))


def late_round(world: World) -> None:
    averaged(world, world.of, 2, receipts(world, world.of, 2))  # type: ignore[attr-defined]


def late_release(world: World) -> None:
    world.ledger.release(world.of, world.model)  # type: ignore[attr-defined]


def late_anchor(world: World) -> None:
    anchored(world, 1, 5)


def late_study_anchor(world: World) -> None:
    of_study(world, 1, 5)


def late_budget(world: World) -> None:
    budget(world)


def late_spending(world: World) -> None:
    spend(world, world.of, amount=0)  # type: ignore[attr-defined]


LATE = (
    *(late_site, late_commitment, late_role, late_revocation, late_permit, late_permit_revocation, late_successor),
    *(late_request, late_decision, late_round, late_release, late_anchor, late_study_anchor, late_budget, late_spending),
)


def case_role_of_no_site(world: World, advance: Any) -> None:
    world.ledger.grant("steward of atlantis", world.keys.create("other"))


def case_role_for_nobody(world: World, advance: Any) -> None:
    act(world, "admin", "Registry", "grantRole", RESEARCHER_ROLE, ZERO)


def case_researcher_becomes_steward(world: World, advance: Any) -> None:
    world.ledger.grant("steward of norway", world.researcher)


def case_steward_becomes_auditor(world: World, advance: Any) -> None:
    world.ledger.grant("auditor", world.keys.address("steward-norway"))


def case_admin_becomes_authority(world: World, advance: Any) -> None:
    world.ledger.grant("authority", world.keys.address("admin"))


def case_somebody_tells_of_executions(world: World, advance: Any) -> None:
    request = approved(world)
    act(world, "researcher", "Requests", "markExecuted", bytes.fromhex(request), name_id("norway"), name_id("train"), 1)


def case_somebody_tells_of_a_release(world: World, advance: Any) -> None:
    act(world, "researcher", "Requests", "markReleased", bytes.fromhex(approved(world)))


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


def case_anchor_of_nothing(world: World, advance: Any) -> None:
    anchored(world, 1, 5, root=NOTHING)


def case_anchor_by_another_site(world: World, advance: Any) -> None:
    anchored(world, 1, 5, signer="site-sweden")


def case_anchor_for_another_chain(world: World, advance: Any) -> None:
    elsewhere = replace(world.ledger.domain, chain_id=1)
    anchor = {"stream": "norway", "from": 1, "to": 5, "root": START}
    world.ledger.anchor(sign_anchor(anchor, world.keys._key("site-norway"), elsewhere))


def of_study(world: World, first: int, last: int, root: str = START, actor: str = "researcher") -> Any:
    return world.ledger.anchor_study(digest("a study"), first, last, root, actor=actor)


def case_study_anchor_with_a_gap(world: World, advance: Any) -> None:
    of_study(world, 1, 5), of_study(world, 7, 9)


def case_study_anchor_again_with_another_root(world: World, advance: Any) -> None:
    of_study(world, 1, 5), of_study(world, 1, 5, digest("other rows"))


def case_study_anchor_backwards(world: World, advance: Any) -> None:
    of_study(world, 1, 0)


def case_study_anchor_by_a_stranger(world: World, advance: Any) -> None:
    world.keys.create("stranger")
    of_study(world, 1, 5, actor="stranger")


def budget(world: World, cap: int = 3, version: int = 1, **changed: Any) -> Any:
    values = {"site": "norway", "dataset": "notes", "steward": world.keys.address("steward-norway"), "signer": "steward-norway"}
    values |= changed
    signer = values.pop("signer")
    made = Budget(**values, cap=cap, version=version)
    return world.ledger.set_budget(world.keys.sign_budget(signer, made, world.ledger.domain))


def spend(world: World, request: str, round: int = 1, amount: int = 2, before: int = 0, signer: str = "site-norway") -> Any:
    made = Spend(request, "norway", "train", round, amount, before)
    return world.ledger.spend(world.keys.sign_spend(signer, made, world.ledger.domain))


def case_budget_of_no_data(world: World, advance: Any) -> None:
    budget(world, dataset="x-rays")


def case_budget_by_another_steward(world: World, advance: Any) -> None:
    budget(world, steward=world.keys.address("steward-sweden"), signer="steward-sweden")


def case_altered_budget(world: World, advance: Any) -> None:
    made = Budget("norway", "notes", 3, 1, world.keys.address("steward-norway"))
    signed = world.keys.sign_budget("steward-norway", made, world.ledger.domain)
    world.ledger.set_budget(replace(signed, cap=3_000))


def case_budget_brought_back(world: World, advance: Any) -> None:
    """A relay that kept an older, higher cap cannot bring it back."""
    budget(world, cap=9), budget(world, cap=1, version=2), budget(world, cap=9, version=1), budget(world, cap=10, version=2)


def case_budget_that_skips_a_version(world: World, advance: Any) -> None:
    budget(world, version=2)


def case_overspent(world: World, advance: Any) -> None:
    request = approved(world)
    budget(world, cap=3)
    spend(world, request), spend(world, request, round=2, before=2)


def case_spent_with_no_budget(world: World, advance: Any) -> None:
    spend(world, approved(world))


def case_spent_beyond_all_numbers(world: World, advance: Any) -> None:
    """The sum is not taken where it could wrap around."""
    request = approved(world)
    budget(world, cap=2**64 - 1)
    spend(world, request), spend(world, request, round=2, amount=2**64 - 1, before=2)


def case_spent_after_the_cap_was_lowered(world: World, advance: Any) -> None:
    request = approved(world)
    budget(world, cap=9)
    spend(world, request), budget(world, cap=1, version=2), spend(world, request, round=2, amount=1, before=2)


def case_spending_out_of_order(world: World, advance: Any) -> None:
    request = approved(world)
    budget(world, cap=9), spend(world, request), spend(world, request, round=2, before=1)


def case_spending_replayed(world: World, advance: Any) -> None:
    request = approved(world)
    budget(world, cap=9), spend(world, request), spend(world, request, before=2)


def case_spending_of_nothing_replayed(world: World, advance: Any) -> None:
    request = approved(world)
    budget(world, cap=9), spend(world, request, amount=0), spend(world, request, amount=1)


def case_spending_by_another_site(world: World, advance: Any) -> None:
    request = approved(world)
    budget(world), spend(world, request, signer="site-sweden")


def case_spending_on_what_was_not_approved(world: World, advance: Any) -> None:
    request = world.submit(world.request()).digest
    budget(world), spend(world, request)


def case_spending_under_a_revoked_permit(world: World, advance: Any) -> None:
    request = approved(world)
    budget(world)
    world.ledger.revoke_permit(world.request().permit.digest)
    spend(world, request)


def case_spending_on_a_round_that_was_not_granted(world: World, advance: Any) -> None:
    budget(world), spend(world, approved(world), round=4)


def case_round_that_was_not_paid(world: World, advance: Any) -> None:
    request = approved(world)
    budget(world)
    averaged(world, request, 1, receipts(world, request, 1))


REFUSED: dict[str, tuple[Case, ...]] = {
    "AccessControlUnauthorizedAccount": (
        case_stranger_registers,
        case_stranger_commits,
        case_stranger_grants,
        case_permit_by_a_stranger,
        case_permit_by_the_admin,
        case_stranger_supersedes,
    ),
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
        case_permit_without_digest,
        case_permit_for_no_data,
        case_permit_for_nobody,
        case_role_for_nobody,
    ),
    "RoleUnknown": (case_role_of_no_site,),
    "DutiesCollide": (
        case_key_is_steward,
        case_researcher_becomes_steward,
        case_steward_becomes_auditor,
        case_admin_becomes_authority,
    ),
    "NotSuccessor": (
        case_superseded_by_nobody,
        case_superseded_by_itself,
        case_superseded_by_another_contract,
        case_superseded_by_one_that_does_not_know_it,
    ),
    "IsSuperseded": tuple(after_the_end(late) for late in LATE),
    "SiteExists": (case_site_twice,),
    "SiteUnknown": (case_commitment_of_nobody,),
    "DatasetUnknown": (case_asks_nobody, case_data_that_a_site_does_not_have, case_budget_of_no_data),
    "PermitExists": (case_permit_twice, case_revoked_permit_issued_again),
    "PermitUnknown": (case_permit_of_nobody, case_revokes_what_was_not_issued),
    "PermitWithdrawn": (
        case_permit_revoked,
        case_permit_revoked_twice,
        case_permit_revoked_before_the_decision,
        case_permit_revoked_before_the_round,
        case_permit_revoked_before_the_release,
        case_spending_under_a_revoked_permit,
    ),
    "PermitNotForDataset": (case_permit_for_other_data,),
    "PermitNotForUser": (case_permit_of_somebody_else,),
    "NotResearcher": (case_no_researcher, case_revoked_researcher),
    "AlreadySubmitted": (case_request_twice,),
    "Duplicate": (case_entry_twice, case_asked_twice, case_two_receipts_of_one_site),
    "PermitExpired": (
        case_permit_expired_before,
        case_permit_expired,
        case_permit_expired_before_the_decision,
        case_permit_expired_meanwhile,
        case_permit_expired_before_the_release,
    ),
    "RequestUnknown": (case_decides_what_nobody_asked,),
    "NotAsked": (case_decides_for_a_site_not_asked,),
    "BadSignature": (
        case_altered_decision,
        case_decision_for_another_chain,
        case_decision_for_another_contract,
        case_altered_budget,
    ),
    "ECDSAInvalidSignatureLength": (case_signature_cut_off,),
    "ECDSAInvalidSignature": (case_signature_of_nobody,),
    "ECDSAInvalidSignatureS": (case_second_signature_of_the_same_statement,),
    "NotSteward": (
        case_stranger_decides,
        case_steward_of_another_site,
        case_revoked_steward,
        case_budget_by_another_steward,
    ),
    "OwnRequest": (case_own_request,),
    "DecisionExpired": (case_decision_expired,),
    "AlreadyDecided": (case_decision_replayed, case_approval_after_denial, case_wider_approval_later, case_denied_twice),
    "NotRequester": (case_round_of_another, case_round_by_a_revoked_researcher, case_release_by_another),
    "RoundOutOfOrder": (case_round_skipped, case_round_again_with_other_weights),
    "InputsDiffer": (case_average_of_other_inputs, case_broken_sequence),
    "AggregateDiffers": (case_sequence_with_another_end, case_evaluation_that_changes_weights),
    "NotApproved": (
        case_site_that_has_not_decided,
        case_site_that_withdrew,
        case_approval_expired,
        case_spending_on_what_was_not_approved,
    ),
    "RoundsExceeded": (
        case_round_beyond_what_was_granted,
        case_round_beyond_what_was_asked,
        case_spending_on_a_round_that_was_not_granted,
    ),
    "NotRounds": (case_somebody_tells_of_executions, case_somebody_tells_of_a_release),
    "BudgetOutOfOrder": (case_budget_brought_back, case_budget_that_skips_a_version),
    "BudgetExceeded": (
        case_overspent,
        case_spent_with_no_budget,
        case_spent_beyond_all_numbers,
        case_spent_after_the_cap_was_lowered,
    ),
    "SpendOutOfOrder": (case_spending_out_of_order,),
    "AlreadySpent": (case_spending_replayed, case_spending_of_nothing_replayed),
    "BadSpend": (case_spending_by_another_site,),
    "NotSpent": (case_round_that_was_not_paid,),
    "EntryUnknown": (case_entry_that_was_not_asked_for,),
    "BadReceipt": (
        case_receipt_by_another_key,
        case_altered_receipt,
        case_receipt_by_a_revoked_key,
        case_receipt_of_another_round,
    ),
    "ModelNotRecorded": (case_model_from_nowhere, case_evaluated_model),
    "AnchorGap": (
        case_anchor_with_a_gap,
        case_anchor_again_with_another_root,
        case_anchor_from_zero,
        case_study_anchor_with_a_gap,
        case_study_anchor_again_with_another_root,
    ),
    "AnchorEmpty": (case_anchor_backwards, case_anchor_of_nothing, case_study_anchor_backwards),
    "BadAnchor": (case_anchor_by_another_site, case_anchor_for_another_chain, case_study_anchor_by_a_stranger),
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
