"""What is refused once another deployment has taken over: everything, and by every contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contract_calls import (
    START,
    ZERO,
    Case,
    act,
    anchored,
    approved,
    averaged,
    budget,
    deliver,
    issue,
    of_study,
    receipts,
    spend,
    submit,
    succeeded,
)
from ledger_world import World

from fedkit.ledger.typed import name_id


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

REFUSED: dict[str, tuple[Case, ...]] = {"IsSuperseded": tuple(after_the_end(late) for late in LATE)}
