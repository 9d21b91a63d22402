"""Check 16: budgets added up once more, also where the chain's operator let through what the contracts refuse."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from audit.cases import tries
from audit.conftest import failed
from audit.hands import Block, call_again, chain_rewritten, find_call
from ledger_world import World

from fedkit.audit.verify import verify
from fedkit.digests import digest
from fedkit.governance.request import CodeRequest
from fedkit.ledger.spending import EPSILON, Budget, Spend


@dataclass
class Paid:
    world: World
    request: CodeRequest
    bundle: Path


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paid]:
    """A study of two averaged rounds; norway has a budget of 3, of which each round takes 1; sweden has none."""
    folder = tmp_path_factory.mktemp("paid")
    world = World(folder / "world")
    domain = world.ledger.domain
    budget = Budget("norway", "notes", 3 * EPSILON, 1, world.keys.address("steward-norway"))
    world.ledger.set_budget(world.keys.sign_budget("steward-norway", budget, domain))
    request = world.submit(world.request())
    for site in world.sites:
        world.decide(request, site)
    model = digest("start")
    for number in (1, 2):
        spend = Spend(request.digest, "norway", "train", number, EPSILON, (number - 1) * EPSILON)
        world.ledger.spend(world.keys.sign_spend("site-norway", spend, domain))
        model = world.averaged(request.digest, number, model)
    world.release(request.digest, model)
    world.anchor()
    yield Paid(world, request, world.export(folder / "evidence", request))
    world.close()


@pytest.fixture
def bundle(paid: Paid, tmp_path: Path) -> Path:
    return Path(shutil.copytree(paid.bundle, tmp_path / "evidence"))


def sixteen(bundle: Path) -> str:
    return "; ".join(finding.what for finding in verify(bundle).checks[15].findings)


def test_what_was_spent_is_told(paid: Paid) -> None:
    report = verify(paid.bundle)
    assert report.ok, str(report)
    assert report.checks[15].note == "norway, notes: 2 of 3 epsilon"


def respent(paid: Paid, bundle: Path, actor: str, **changes: Any) -> None:
    """The operator and whoever signs as `actor` put another spending in the place of the last."""
    world = paid.world
    said = Spend(paid.request.digest, "norway", "train", 2, EPSILON, EPSILON)
    signed = world.keys.sign_spend(actor, replace(said, **changes), world.ledger.domain)
    row = (signed.entry, signed.round, signed.amount, signed.before)

    def change(given: dict[str, Any]) -> dict[str, Any]:
        request, site, entry, *_ = given["spend"]
        return {**given, "spend": (request, site, entry, *row[1:]), "signature": bytes.fromhex(signed.signature[2:])}

    chain_rewritten(bundle, lambda blocks: again(world, blocks, "spendBySig", change))


def again(world: World, blocks: list[Block], function: str, change: Any) -> list[Block]:
    call_again(world, "relay", blocks, "Rounds", function, change)
    return blocks


@tries("a cost that does not add up, or goes beyond the cap")
@pytest.mark.parametrize(
    ("actor", "changes", "says"),
    [
        ("site-norway", {"amount": 3 * EPSILON}, "has spent 4 epsilon, of 3"),
        ("site-norway", {"before": 0}, "says that 0 was spent before"),
        ("site-norway", {"round": 1}, "was paid twice for round 1"),
        ("site-sweden", {}, "which is no key of norway"),
        ("admin", {}, "which is no key of norway"),
    ],
)
def test_spending_that_does_not_add_up_is_found(
    actor: str, changes: dict[str, Any], says: str, paid: Paid, bundle: Path
) -> None:
    respent(paid, bundle, actor, **changes)
    assert says in sixteen(bundle)
    assert failed(bundle) >= {14, 16}


@tries("execution that took nothing of its budget")
def test_an_execution_that_took_nothing_of_the_budget_is_found(bundle: Path) -> None:
    def gone(blocks: list[Block]) -> list[Block]:
        number, at = find_call(blocks, "Rounds", "spendBySig")
        del blocks[number]["transactions"][at], blocks[number]["receipts"][at]
        return blocks

    chain_rewritten(bundle, gone)
    assert "round 2 of train took nothing of it" in sixteen(bundle)


@tries("a cap that its steward did not sign, or an older one")
def test_a_cap_that_the_steward_did_not_sign_is_found(paid: Paid, bundle: Path) -> None:
    def more(given: dict[str, Any]) -> dict[str, Any]:
        site, dataset, cap, version, steward = given["budget"]
        return {**given, "budget": (site, dataset, cap * 1000, version, steward)}

    chain_rewritten(bundle, lambda blocks: again(paid.world, blocks, "setBudgetBySig", more))
    assert "is not signed by its steward" in sixteen(bundle)


@tries("a cap that its steward did not sign, or an older one")
def test_an_older_cap_that_a_relay_brings_back_is_found(paid: Paid, bundle: Path) -> None:
    world = paid.world

    def old(given: dict[str, Any]) -> dict[str, Any]:
        site, dataset, cap, _, steward = given["budget"]
        budget = Budget("norway", "notes", cap, 7, steward)
        signed = world.keys.sign_budget("steward-norway", budget, world.ledger.domain)
        values = (site, dataset, cap, 7, steward)
        return {**given, "budget": values, "signature": bytes.fromhex(signed.signature[2:])}

    chain_rewritten(bundle, lambda blocks: again(world, blocks, "setBudgetBySig", old))
    assert "version 7 of the budget of norway comes after version 0" in sixteen(bundle)


def test_the_bundle_is_plain_json(paid: Paid) -> None:
    """Amounts are whole numbers, so that sums are exact on both sides."""
    chain = json.loads((paid.bundle / "chain.json").read_bytes())
    assert set(chain) == {"blocks", "deployment", "earlier", "names"}
