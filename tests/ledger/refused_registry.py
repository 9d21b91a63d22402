"""What the Registry refuses of sites, roles and levels, data sets and successors."""

from __future__ import annotations

from typing import Any

from contract_calls import (
    ZERO,
    Case,
    act,
    succeeded,
)
from ledger_world import World

from fedkit.ledger.deployment import NOBODY
from fedkit.ledger.names import RESEARCHER_ROLE
from fedkit.ledger.typed import name_id


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


def case_stranger_supersedes(world: World, advance: Any) -> None:
    act(world, "stranger", "Registry", "supersede", world.ledger.deployment.contracts["Registry"])


def case_superseded_by_nobody(world: World, advance: Any) -> None:
    world.ledger.supersede(world.keys.create("stranger"))


def case_superseded_by_another_contract(world: World, advance: Any) -> None:
    world.ledger.supersede(world.ledger.deployment.contracts["Rounds"])


def case_superseded_by_itself(world: World, advance: Any) -> None:
    world.ledger.supersede(world.ledger.deployment.contracts["Registry"])


def case_superseded_by_one_that_does_not_know_it(world: World, advance: Any) -> None:
    succeeded(world, NOBODY)


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


REFUSED: dict[str, tuple[Case, ...]] = {
    "AccessControlUnauthorizedAccount": (
        case_stranger_registers,
        case_stranger_commits,
        case_stranger_grants,
        case_stranger_supersedes,
    ),
    "AccessControlBadConfirmation": (case_renounces_for_another,),
    "Empty": (
        case_site_without_key,
        case_empty_commitment,
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
    "SiteExists": (case_site_twice,),
    "SiteUnknown": (case_commitment_of_nobody,),
}
