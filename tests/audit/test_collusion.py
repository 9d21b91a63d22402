"""Forgers who run the chain: they re-link every block. What they cannot make is the signature of somebody else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import rlp
from audit.cases import FOUND_BY, tries
from audit.conftest import Told, failed
from audit.hands import Block, call_again, chain_rewritten, find_call, later, rewritten
from eth_utils import keccak
from ledger_world import World

from fedkit.audit.evidence import read
from fedkit.audit.timeline import tell
from fedkit.audit.verify import verify
from fedkit.digests import digest
from fedkit.ledger.blocks import parse_header
from fedkit.ledger.contracts import contract
from fedkit.ledger.heads import SignedHead


def test_relinking_alone_changes_nothing(bundle: Path) -> None:
    chain_rewritten(bundle, lambda blocks: blocks)
    assert failed(bundle) == set()


@tries("record that its call did not make")
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


@tries("record of another contract")
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


@tries("model that is not the last aggregate")
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


@tries("receipt that its site did not sign")
def test_operator_and_researcher_together_cannot_write_a_receipt(bundle: Path, told: Told) -> None:
    def recorded(blocks: list[Block]) -> list[Block]:
        def other(given: dict[str, Any]) -> dict[str, Any]:
            site, inputs, outputs, _, signature = given["receipts"][0]
            better = (site, inputs, outputs, bytes.fromhex(digest({"loss": 0.0})), signature)
            return {**given, "receipts": (better, *given["receipts"][1:])}

        call_again(told.world, "researcher", blocks, "Rounds", "recordRound", other)
        return blocks

    chain_rewritten(bundle, recorded)
    assert failed(bundle) >= FOUND_BY["receipt that its site did not sign"]


@tries("a number that stands for nothing")
def test_a_round_of_a_kind_that_there_is_not(bundle: Path, told: Told) -> None:
    """The contracts refuse it; a chain whose owner does not ask them can hold it, and must not stop the verifier."""

    def recorded(blocks: list[Block]) -> list[Block]:
        call_again(told.world, "researcher", blocks, "Rounds", "recordRound", lambda given: {**given, "kind": 7})
        return blocks

    chain_rewritten(bundle, recorded)
    assert failed(bundle) >= FOUND_BY["a number that stands for nothing"]
    assert tell(read(bundle))


@tries("block dropped")
def test_a_block_taken_out_and_the_rest_linked_again(bundle: Path) -> None:
    def gone(blocks: list[Block]) -> list[Block]:
        number, _ = find_call(blocks, "Requests", "submit")
        return blocks[:number] + blocks[number + 1 :]

    chain_rewritten(bundle, gone)
    assert failed(bundle) >= {6, 12, 14}


@tries("blocks swapped")
def test_two_blocks_swapped_and_linked_again(bundle: Path) -> None:
    def swapped(blocks: list[Block]) -> list[Block]:
        blocks[-1], blocks[-2] = blocks[-2], blocks[-1]
        return blocks

    chain_rewritten(bundle, swapped)
    assert failed(bundle) >= {2, 14}


@tries("state root or gas altered")
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


@tries("two heads shown to two parties")
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


# -- the heads that sites signed


@tries("time of a block altered")
def test_a_time_that_the_operator_chose(bundle: Path) -> None:
    chain_rewritten(bundle, later)
    assert failed(bundle) == {15}


@tries("signed heads left out")
def test_signed_heads_left_out_of_the_bundle(bundle: Path) -> None:
    """Without them a chain set back would not show: so their absence does."""
    chain_rewritten(bundle, later)
    rewritten(bundle, "heads.json", lambda heads: [])
    for site in ("norway", "sweden"):
        rewritten(bundle, f"journals/{site}.jsonl", lambda rows: rows[:-1])
    report = verify(bundle)
    assert {f.what[:30] for f in report.checks[14].findings} == {"has signed no head since its j"}
    assert failed(bundle) == {15}


@tries("a head that somebody else signed for a site")
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


# -- keys that the sites told themselves


@tries("another history, with keys of the forger's own making, while the sites' own are known")
def test_another_history_with_keys_of_the_forgers_own_making(told: Told, tmp_path: Path) -> None:
    """Consistent in itself, but not signed by the keys that the hospitals publish."""
    keys = {site: told.world.keys.address(f"site-{site}") for site in told.world.sites}
    assert verify(told.bundle, keys=keys).ok
    other = World(tmp_path / "other")
    bundle = other.export(tmp_path / "evidence", other.study())
    other.close()
    assert verify(bundle).ok
    report = verify(bundle, keys=keys)
    assert {check.number for check in report.checks if not check.passed} == {5}
    assert [finding.where for finding in report.checks[4].findings] == list(told.world.sites)


@tries("another history, with keys of the forger's own making, while the sites' own are known")
def test_a_second_key_that_the_site_knows_nothing_of(told: Told, bundle: Path) -> None:
    other = verify(bundle, keys={"norway": told.world.keys.address("site-norway"), "finland": "0x" + "11" * 20})
    assert [finding.where for finding in other.checks[4].findings] == ["finland"]
