"""Forged bundles: each is found, by the checks that are named here, also when the forger writes the manifest anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from audit.cases import FOUND_BY, tries
from audit.conftest import Told, failed
from audit.hands import inserted, rewritten
from ledger_world import SOURCE

from fedkit.audit.forge import KINDS, forge
from fedkit.audit.verify import TITLES, verify
from fedkit.digests import digest
from fedkit.errors import ConfigurationError, EvidenceError

#: kind of forgery → the checks that find it.
KINDS_FOUND_BY = {
    "file": {1, 12},
    "journal-row": {9, 11},
    "journal-chain": {10, 11},
    "dropped-row": {9, 10, 11},
    "renumbered": {10, 11},
    "dropped-tail": {10, 11},
    "swapped-rows": {9, 10},
    "backdated": {9, 10},
    "journal-gone": {9},
    "model": {2, 4, 5, 13, 14},
    "decision": {2, 4, 6, 11, 12, 14},
    "receipt": {2, 4, 5, 7, 11, 14},
    "block-gone": {2, 14},
    "source": {12},
    "signed-head": {15},
    "study-journal": {10, 11},
    "contract": {3},
}


def test_what_was_not_forged_is_clean(told: Told) -> None:
    report = verify(told.bundle)
    assert report.ok, str(report)
    assert [c.number for c in report.checks] == list(TITLES)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_forgery_is_found(kind: str, bundle: Path) -> None:
    what = forge(bundle, kind)
    assert what
    assert failed(bundle) >= KINDS_FOUND_BY[kind]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_finding_says_where_and_who(kind: str, bundle: Path) -> None:
    forge(bundle, kind)
    findings = [finding for check in verify(bundle).checks for finding in check.findings]
    assert all(f.where and f.what and f.who for f in findings)


def test_a_forgery_is_of_a_known_kind(bundle: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such forgery"):
        forge(bundle, "nicer-numbers")


def test_there_is_something_to_forge(told: Told, tmp_path: Path) -> None:
    other = told.world.export(tmp_path / "evidence", told.world.request("A request that is denied"))
    with pytest.raises(EvidenceError, match="nothing to forge"):
        forge(other, "journal-row")


def test_an_execution_that_no_anchor_covers_is_found(bundle: Path, told: Told) -> None:
    """Flushes withheld: the site ran something more, and its batch was not delivered."""
    call = {"request": told.request.digest, "entry": "train", "round": 3, "inputs": digest("other")}
    done = {**call, "outputs": digest("out"), "numbers": digest("numbers")}
    rewritten(bundle, "journals/norway.jsonl", lambda rows: inserted(rows, "execution.finished", **done))
    assert failed(bundle) == {7, 10, 11}


def test_a_decision_that_was_not_delivered_is_found(bundle: Path, told: Told) -> None:
    fields = {
        "request": told.request.digest,
        "status": "denied",
        "rounds": 0,
        "expires": 1,
        "reason": digest("reason"),
        "steward": told.world.keys.address("steward-norway"),
        "signature": "0x" + "11" * 65,
    }
    rewritten(bundle, "journals/norway.jsonl", lambda rows: inserted(rows, "decision.recorded", **fields))
    assert failed(bundle) == {10, 11}


@tries("decision that is in a file only")
def test_a_decision_in_the_file_only_is_found(bundle: Path) -> None:
    rewritten(bundle, "decisions.json", lambda rows: [{**rows[0], "rounds": 99}, *rows[1:]])
    assert failed(bundle) == {12}


@tries("wrong contract address")
def test_a_wrong_contract_address_is_found(bundle: Path) -> None:
    def elsewhere(chain: dict[str, Any]) -> dict[str, Any]:
        chain["deployment"]["contracts"]["Rounds"] = "0x" + "99" * 20
        return chain

    rewritten(bundle, "chain.json", elsewhere)
    assert failed(bundle) >= {3}


def test_another_admin_is_found(bundle: Path) -> None:
    rewritten(bundle, "chain.json", lambda c: {**c, "deployment": {**c["deployment"], "deployer": "0x" + "99" * 20}})
    assert failed(bundle) >= {3, 5}


@tries("another genesis block", "another chain id")
@pytest.mark.parametrize(("field", "value", "checks"), [("genesis", "0x" + "00" * 32, {3}), ("chain_id", 1, {4, 6, 7, 10})])
def test_another_chain_is_found(field: str, value: Any, checks: set[int], bundle: Path) -> None:
    rewritten(bundle, "chain.json", lambda c: {**c, "deployment": {**c["deployment"], field: value}})
    assert failed(bundle) >= checks


@tries("transaction altered")
@pytest.mark.parametrize("part", ["header", "transactions", "receipts"])
def test_a_flipped_bit_anywhere_in_a_block_is_found(part: str, bundle: Path) -> None:
    def flipped(chain: dict[str, Any]) -> dict[str, Any]:
        row = chain["blocks"][-3]
        text = row[part] if part == "header" else row[part][0]
        changed = text[:300] + format(int(text[300], 16) ^ 1, "x") + text[301:]
        row[part] = changed if part == "header" else [changed, *row[part][1:]]
        return chain

    rewritten(bundle, "chain.json", flipped)
    assert failed(bundle) >= {2}


def test_a_name_that_is_changed_names_nothing(bundle: Path) -> None:
    """Ids are hashes of names: with another name beside them, what was of norway is of 0x… ."""
    rewritten(bundle, "chain.json", lambda c: {**c, "names": [n for n in c["names"] if n != "norway"] + ["denmark"]})
    assert failed(bundle) >= {9}


@tries("source or settings changed after the approval")
@pytest.mark.parametrize(("field", "value"), [("source", SOURCE + "\n# one more line\n"), ("settings", {"epochs": 99})])
def test_a_request_that_is_not_the_one_approved_is_found(field: str, value: Any, bundle: Path) -> None:
    rewritten(bundle, "request.json", lambda request: {**request, field: value})
    assert failed(bundle) >= FOUND_BY["source or settings changed after the approval"]


@tries("file changed, added or taken away")
@pytest.mark.parametrize("how", ["changed", "added", "taken away"])
def test_a_file_that_is_not_as_it_was_exported_is_found(how: str, bundle: Path) -> None:
    """By somebody who did not write the manifest anew."""
    path = bundle / ("journals/sweden.jsonl" if how != "added" else "journals/denmark.jsonl")
    if how == "taken away":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[::-1].replace(b"\n", b"", 1)[::-1] if how == "changed" else b"")
    assert failed(bundle) >= FOUND_BY["file changed, added or taken away"]
    assert any("journals/" in finding.where for finding in verify(bundle).checks[0].findings)
