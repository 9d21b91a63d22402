"""What is refused for want of a data permit, at each step of a request."""

from __future__ import annotations

import time
from typing import Any

from contract_calls import (
    Case,
    act,
    approved,
    averaged,
    deliver,
    issue,
    receipts,
    submit,
)
from ledger_world import DAY, World

from fedkit.digests import digest
from fedkit.ledger.typed import name_id


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


def case_permit_by_a_stranger(world: World, advance: Any) -> None:
    world.keys.create("stranger")
    world.permitted(actor="stranger")


def case_permit_by_the_admin(world: World, advance: Any) -> None:
    """To run the registry gives no say in who may use data."""
    world.permitted(actor="admin")


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


def case_permit_for_other_data(world: World, advance: Any) -> None:
    submit(world, dataset=name_id("x-rays"))


def case_permit_of_somebody_else(world: World, advance: Any) -> None:
    world.permitted()
    world.ledger.register_researcher("other")
    submit(world, "other")


REFUSED: dict[str, tuple[Case, ...]] = {
    "AccessControlUnauthorizedAccount": (
        case_permit_by_a_stranger,
        case_permit_by_the_admin,
    ),
    "Empty": (
        case_permit_without_digest,
        case_permit_for_no_data,
        case_permit_for_nobody,
    ),
    "PermitExists": (
        case_permit_twice,
        case_revoked_permit_issued_again,
    ),
    "PermitUnknown": (
        case_permit_of_nobody,
        case_revokes_what_was_not_issued,
    ),
    "PermitWithdrawn": (
        case_permit_revoked,
        case_permit_revoked_twice,
        case_permit_revoked_before_the_decision,
        case_permit_revoked_before_the_round,
    ),
    "PermitNotForDataset": (case_permit_for_other_data,),
    "PermitNotForUser": (case_permit_of_somebody_else,),
    "PermitExpired": (
        case_permit_expired_before,
        case_permit_expired,
        case_permit_expired_before_the_decision,
    ),
}
