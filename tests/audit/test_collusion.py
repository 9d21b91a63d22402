"""Forgers who run the chain: they re-link every block. What they cannot make is the signature of somebody else.

The last part says what is *not* found, so that docs/audit.md stays true.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import rlp
from audit.conftest import Told, failed
from audit.hands import Block, call_again, chain_rewritten, find_call, later, rewritten
from eth_utils import keccak
from ledger_world import World

from fedkit.audit.verify import verify
from fedkit.digests import digest
from fedkit.ledger.blocks import parse_header
from fedkit.ledger.contracts import contract
from fedkit.ledger.deployment import GAS
from fedkit.ledger.heads import SignedHead


def test_relinking_alone_changes_nothing(bundle: Path) -> None:
    chain_rewritten(bundle, lambda blocks: blocks)
    assert failed(bundle) == set()


def test_a_record_that_its_call_did_not_make(bundle: Path) -> None:
    """The operator writes another event; the signed call beside it says otherwise."""

    def edited(blocks: list[Block]) -> list[Block]:
        number, at = find_call(blocks, "Rounds", "release")
        raw = blocks[number]["receipts"][at]
        _, given = contract("Rounds").read_call(rlp.decode(bytes.fromhex(blocks[number]["transactions"][at]))[5])
        blocks[number]["receipts"][at] = raw.replace(given["model"].hex(), digest("another model"))
        return blocks

    chain_rewritten(bundle, edited)
    assert failed(bundle) == {4, 14, 15}


def test_a_record_of_a_look_alike_contract_does_not_count(bundle: Path, told: Told) -> None:
    def elsewhere(blocks: list[Block]) -> list[Block]:
        number, at = find_call(blocks, "Rounds", "release")
        address = told.world.ledger.deployment.contracts["Rounds"][2:].lower()
        blocks[number]["receipts"][at] = blocks[number]["receipts"][at].replace(address, "99" * 20)
        return blocks

    chain_rewritten(bundle, elsewhere)
    assert failed(bundle) >= {4}


def test_the_operator_cannot_decide_for_a_steward(bundle: Path, told: Told) -> None:
    def decided(blocks: list[Block]) -> list[Block]:
        def more(given: dict[str, Any]) -> dict[str, Any]:
            decision = list(given["decision"])
            decision[3] += 1000
            return {**given, "decision": tuple(decision)}

        call_again(told.world, "relay", blocks, "Requests", "decideBySig", more)
        return blocks

    chain_rewritten(bundle, decided)
    assert failed(bundle) >= {6, 14}


def test_the_operator_cannot_release_for_the_researcher(bundle: Path, told: Told) -> None:
    def released(blocks: list[Block]) -> list[Block]:
        other = {"model": bytes.fromhex(digest("another model"))}
        call_again(told.world, "relay", blocks, "Rounds", "release", lambda given: {**given, **other})
        return blocks

    chain_rewritten(bundle, released)
    assert failed(bundle) >= {5, 13, 14}


def test_operator_and_researcher_together_cannot_release_what_was_not_trained(bundle: Path, told: Told) -> None:
    def released(blocks: list[Block]) -> list[Block]:
        other = {"model": bytes.fromhex(digest("another model"))}
        call_again(told.world, "researcher", blocks, "Rounds", "release", lambda given: {**given, **other})
        return blocks

    chain_rewritten(bundle, released)
    assert failed(bundle) == {11, 13, 14, 15}


def test_operator_and_researcher_together_cannot_change_what_was_evaluated(bundle: Path, told: Told) -> None:
    def recorded(blocks: list[Block]) -> list[Block]:
        other = {"aggregate": bytes.fromhex(digest("another model")), "inputs": bytes.fromhex(digest("another model"))}
        call_again(told.world, "researcher", blocks, "Rounds", "recordRound", lambda given: {**given, **other})
        return blocks

    chain_rewritten(bundle, recorded)
    assert failed(bundle) >= {8, 14}


def test_a_decision_taken_off_the_chain(bundle: Path) -> None:
    def gone(blocks: list[Block]) -> list[Block]:
        number, at = find_call(blocks, "Requests", "decideBySig")
        del blocks[number]["transactions"][at], blocks[number]["receipts"][at]
        return blocks

    chain_rewritten(bundle, gone)
    assert failed(bundle) >= {7, 11, 12, 14}


def test_a_block_taken_out_and_the_rest_linked_again(bundle: Path) -> None:
    def gone(blocks: list[Block]) -> list[Block]:
        number, _ = find_call(blocks, "Requests", "submit")
        return blocks[:number] + blocks[number + 1 :]

    chain_rewritten(bundle, gone)
    assert failed(bundle) >= {6, 12, 14}


def test_two_blocks_swapped_and_linked_again(bundle: Path) -> None:
    def swapped(blocks: list[Block]) -> list[Block]:
        blocks[-1], blocks[-2] = blocks[-2], blocks[-1]
        return blocks

    chain_rewritten(bundle, swapped)
    assert failed(bundle) >= {2, 14}


@pytest.mark.parametrize("field", [3, 10])  # state root, gas used
def test_a_header_that_its_own_execution_does_not_give(field: int, bundle: Path) -> None:
    def edited(blocks: list[Block]) -> list[Block]:
        fields = rlp.decode(bytes.fromhex(blocks[-1]["header"]))
        fields[field] = bytes([7]) * len(fields[field])
        blocks[-1]["header"] = rlp.encode(fields).hex()
        return blocks

    chain_rewritten(bundle, edited)
    assert failed(bundle) == {14, 15}


def test_the_chain_set_back(bundle: Path, told: Told) -> None:
    head = verify(told.bundle).head
    chain_rewritten(bundle, lambda blocks: blocks[:-2])
    assert failed(bundle) >= {10}  # acts that no anchor covers any more
    assert 2 in failed(bundle, pin=head)


def test_two_heads_shown_to_two_parties(bundle: Path, told: Told) -> None:
    """Who holds the head that the other was shown finds it; so does anybody, since the sites signed one of the two."""
    head = verify(told.bundle).head
    chain_rewritten(bundle, later)
    other = verify(bundle)
    assert other.head != head
    assert failed(bundle) == {15}
    assert failed(bundle, pin=head) == {2, 15}
    assert failed(told.bundle, pin=head) == set()
    assert failed(told.bundle, pin=head.partition(":")[2]) == set()


# -- roles at the time of the act


def test_a_role_that_was_taken_before_the_act(told: Told, bundle: Path) -> None:
    """The operator moves the revocation of the researcher to before the release."""
    world = told.world

    def revoked(blocks: list[Block]) -> list[Block]:
        number, at = find_call(blocks, "Rounds", "release")
        given = ("revokeRole", bytes.fromhex(world.ledger._ask("Registry", "RESEARCHER").hex()), world.researcher)
        deployment = world.ledger.deployment
        raw = world.keys.sign_transaction(
            "admin",
            chain_id=deployment.chain_id,
            nonce=world.ledger.chain.nonce(deployment.deployer),
            to=deployment.contracts["Registry"],
            data=contract("Registry").call(*given),
            gas=GAS,
        )
        empty = rlp.encode([b"\1", b"\1", bytes(256), []]).hex()
        blocks[number]["transactions"].insert(at, raw.hex())
        blocks[number]["receipts"].insert(at, empty)
        return blocks

    chain_rewritten(bundle, revoked)
    assert failed(bundle) >= {5, 14}


# -- the heads that sites signed


def test_a_time_that_the_operator_chose(bundle: Path) -> None:
    chain_rewritten(bundle, later)
    assert failed(bundle) == {15}


def test_signed_heads_left_out_of_the_bundle(bundle: Path) -> None:
    """Without them a chain set back would not show: so their absence does."""
    chain_rewritten(bundle, later)
    rewritten(bundle, "heads.json", lambda heads: [])
    for site in ("norway", "sweden"):
        rewritten(bundle, f"journals/{site}.jsonl", lambda rows: rows[:-1])
    report = verify(bundle)
    assert {f.what[:30] for f in report.checks[14].findings} == {"has signed no head since its j"}
    assert failed(bundle) == {15}


def test_a_head_that_somebody_else_signed_for_the_site(told: Told, bundle: Path) -> None:
    """The operator cannot replace what the sites signed: his key is no site's."""
    world = told.world
    chain_rewritten(bundle, later)
    raw = bytes.fromhex(json.loads((bundle / "chain.json").read_bytes())["blocks"][-1]["header"])
    newest = parse_header(raw)

    def signed(heads: list[dict[str, Any]]) -> list[dict[str, Any]]:
        mine = (SignedHead(head["site"], newest.number, newest.hash, newest.time) for head in heads[-2:])
        return [world.keys.sign_head("admin", head, world.ledger.domain).to_json() for head in mine]

    rewritten(bundle, "heads.json", signed)
    for site in ("norway", "sweden"):
        rewritten(bundle, f"journals/{site}.jsonl", lambda rows: rows[:-1])
    assert failed(bundle) == {15}
    assert any("which is no key of norway" in f.what for f in verify(bundle).checks[14].findings)


def test_the_chain_set_back_behind_an_old_pin(told: Told, bundle: Path) -> None:
    """A head that was written down before the study says nothing about the study; the heads that the sites signed do."""
    blocks = json.loads((told.bundle / "chain.json").read_bytes())["blocks"]
    early = "0x" + keccak(bytes.fromhex(blocks[2]["header"])).hex()
    chain_rewritten(bundle, later)
    assert failed(bundle, pin=early) == {15}


# -- what is not found


def test_not_found_another_history_by_somebody_with_all_the_keys_unless_pinned(told: Told, tmp_path: Path) -> None:
    other = World(tmp_path / "other")
    bundle = other.export(tmp_path / "evidence", other.study())
    other.close()
    assert failed(bundle) == set()
    assert failed(bundle, pin=verify(told.bundle).head) == {2}


def test_not_found_rows_after_the_last_anchor_that_are_cut_off(told: Told, tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    request = world.study()
    world.journals["norway"].append("journal.read", "auditor", start=1)
    bundle = world.export(tmp_path / "evidence", request)
    world.close()
    assert "3 rows came after the last" in verify(bundle).checks[9].note  # this one, and the heads that both sites signed
    rewritten(bundle, "journals/norway.jsonl", lambda rows: rows[:-1])
    assert failed(bundle) == set()


def test_not_found_an_act_that_was_never_written_down(told: Told, tmp_path: Path) -> None:
    """A site that runs code and tells nobody, not even its own journal, leaves nothing to find here."""
    world = World(tmp_path / "world")
    request = world.study()
    world.receipt(request.digest, "norway", "train", 3, digest("in"), digest("secret"))
    bundle = world.export(tmp_path / "evidence", request)
    world.close()
    assert failed(bundle) == set()
