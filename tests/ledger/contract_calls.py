"""Calls to the contracts by whoever a test likes, in the shortest words: what the refusals are written with."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ledger_world import DAY, World

from fedkit.digests import digest
from fedkit.governance.decision import Decision, Receipt
from fedkit.ledger.contracts import contract
from fedkit.ledger.deployment import GAS
from fedkit.ledger.spending import Budget, Spend
from fedkit.ledger.transactions import contract_address
from fedkit.ledger.typed import decision_message, name_id

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


def issue(world: World, **changed: Any) -> Any:
    values: dict[str, Any] = {
        "permit": b"\5" * 32,
        "purpose": 4,
        "expires": int(time.time()) + DAY,
        "datasets": [name_id("notes")],
        "users": [world.researcher],
    } | changed
    return act(world, "authority", "Registry", "issuePermit", *values.values())


def succeeded(world: World, predecessor: str) -> None:
    """A second Registry, that names this predecessor, and the first one's handing over to it."""
    keys, chain, admin = world.keys, world.ledger.chain, world.keys.address("admin")
    nonce = chain.nonce(admin)
    data = contract("Registry").creation(admin, predecessor)
    chain.send([keys.sign_transaction("admin", chain_id=chain.chain_id, nonce=nonce, to=None, data=data, gas=GAS)])
    world.ledger.supersede(contract_address(admin, nonce))


def anchored(world: World, first: int, last: int, root: str = START, signer: str = "site-norway") -> Any:
    anchor = {"stream": "norway", "from": first, "to": last, "root": root}
    return world.ledger.anchor(world.keys.sign_anchor(signer, anchor, world.ledger.domain))


def of_study(world: World, first: int, last: int, root: str = START, actor: str = "researcher") -> Any:
    return world.ledger.anchor_study(digest("a study"), first, last, root, actor=actor)


def budget(world: World, cap: int = 3, version: int = 1, **changed: Any) -> Any:
    values = {"site": "norway", "dataset": "notes", "steward": world.keys.address("steward-norway"), "signer": "steward-norway"}
    values |= changed
    signer = values.pop("signer")
    made = Budget(**values, cap=cap, version=version)
    return world.ledger.set_budget(world.keys.sign_budget(signer, made, world.ledger.domain))


def spend(world: World, request: str, round: int = 1, amount: int = 2, before: int = 0, signer: str = "site-norway") -> Any:
    made = Spend(request, "norway", "train", round, amount, before)
    return world.ledger.spend(world.keys.sign_spend(signer, made, world.ledger.domain))
