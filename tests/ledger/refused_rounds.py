"""What is refused of rounds, receipts, releases and anchors."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from contract_calls import (
    START,
    Case,
    act,
    anchored,
    approved,
    averaged,
    of_study,
    receipts,
)
from ledger_world import DAY, World

from fedkit.digests import digest
from fedkit.governance.decision import NOTHING
from fedkit.ledger.typed import name_id, sign_anchor


def case_permit_expired_before_the_release(world: World, advance: Any) -> None:
    request = world.submit(world.request(until=time.strftime("%Y-%m-%d", time.gmtime(time.time() + DAY))))
    for site in world.sites:
        world.decide(request, site)
    model = world.averaged(request.digest, 1, START)
    advance(3 * DAY)
    world.ledger.release(request.digest, model)


def case_permit_revoked_before_the_release(world: World, advance: Any) -> None:
    request = approved(world)
    model = world.averaged(request, 1, START)
    world.ledger.revoke_permit(world.request().permit.digest)
    world.ledger.release(request, model)


def case_somebody_tells_of_executions(world: World, advance: Any) -> None:
    request = approved(world)
    act(world, "researcher", "Requests", "markExecuted", bytes.fromhex(request), name_id("norway"), name_id("train"), 1)


def case_somebody_tells_of_a_release(world: World, advance: Any) -> None:
    act(world, "researcher", "Requests", "markReleased", bytes.fromhex(approved(world)))


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


def case_study_anchor_with_a_gap(world: World, advance: Any) -> None:
    of_study(world, 1, 5), of_study(world, 7, 9)


def case_study_anchor_again_with_another_root(world: World, advance: Any) -> None:
    of_study(world, 1, 5), of_study(world, 1, 5, digest("other rows"))


def case_study_anchor_backwards(world: World, advance: Any) -> None:
    of_study(world, 1, 0)


def case_study_anchor_by_a_stranger(world: World, advance: Any) -> None:
    world.keys.create("stranger")
    of_study(world, 1, 5, actor="stranger")


REFUSED: dict[str, tuple[Case, ...]] = {
    "Empty": (case_round_without_receipts,),
    "PermitWithdrawn": (case_permit_revoked_before_the_release,),
    "Duplicate": (case_two_receipts_of_one_site,),
    "PermitExpired": (
        case_permit_expired_meanwhile,
        case_permit_expired_before_the_release,
    ),
    "NotRequester": (
        case_round_of_another,
        case_round_by_a_revoked_researcher,
        case_release_by_another,
    ),
    "RoundOutOfOrder": (
        case_round_skipped,
        case_round_again_with_other_weights,
    ),
    "InputsDiffer": (
        case_average_of_other_inputs,
        case_broken_sequence,
    ),
    "AggregateDiffers": (
        case_sequence_with_another_end,
        case_evaluation_that_changes_weights,
    ),
    "NotApproved": (
        case_site_that_has_not_decided,
        case_site_that_withdrew,
        case_approval_expired,
    ),
    "RoundsExceeded": (
        case_round_beyond_what_was_granted,
        case_round_beyond_what_was_asked,
    ),
    "NotRounds": (
        case_somebody_tells_of_executions,
        case_somebody_tells_of_a_release,
    ),
    "EntryUnknown": (case_entry_that_was_not_asked_for,),
    "BadReceipt": (
        case_receipt_by_another_key,
        case_altered_receipt,
        case_receipt_by_a_revoked_key,
        case_receipt_of_another_round,
    ),
    "ModelNotRecorded": (
        case_model_from_nowhere,
        case_evaluated_model,
    ),
    "AnchorGap": (
        case_anchor_with_a_gap,
        case_anchor_again_with_another_root,
        case_anchor_from_zero,
        case_study_anchor_with_a_gap,
        case_study_anchor_again_with_another_root,
    ),
    "AnchorEmpty": (
        case_anchor_backwards,
        case_anchor_of_nothing,
        case_study_anchor_backwards,
    ),
    "BadAnchor": (
        case_anchor_by_another_site,
        case_anchor_for_another_chain,
        case_study_anchor_by_a_stranger,
    ),
}
