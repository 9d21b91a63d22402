"""Forged bundles: each is found, by the checks that are named here, also when the forger writes the manifest anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from audit.conftest import Told, failed
from audit.hands import inserted, rewritten

from fedkit.audit.forge import KINDS, forge
from fedkit.audit.verify import TITLES, verify
from fedkit.digests import digest
from fedkit.errors import ConfigurationError, EvidenceError

#: kind of forgery → the checks that find it.
FOUND_BY = {
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
}


def test_what_was_not_forged_is_clean(told: Told) -> None:
    report = verify(told.bundle)
    assert report.ok, str(report)
    assert [c.number for c in report.checks] == list(TITLES)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_forgery_is_found(kind: str, bundle: Path) -> None:
    what = forge(bundle, kind)
    assert what
    assert failed(bundle) >= FOUND_BY[kind]


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


def test_a_duplicated_row_is_found(bundle: Path) -> None:
    rewritten(bundle, "journals/norway.jsonl", lambda rows: [*rows[:3], rows[2], *rows[3:]])
    assert failed(bundle) >= {9}


def test_a_row_with_words_in_it_is_found(bundle: Path) -> None:
    rewritten(bundle, "journals/norway.jsonl", lambda rows: inserted(rows, "site.closed", note="Ada was here"))
    assert failed(bundle) == {9}


def test_an_execution_that_no_anchor_covers_is_found(bundle: Path, told: Told) -> None:
    """Flushes withheld: the site ran something more, and its batch was not delivered."""
    call = {"request": told.request.digest, "entry": "train", "round": 3, "inputs": digest("other")}
    done = {**call, "outputs": digest("out"), "numbers": digest("numbers")}
    rewritten(bundle, "journals/norway.jsonl", lambda rows: inserted(rows, "execution.finished", **done))
    assert failed(bundle) == {7, 10, 11}


def test_an_execution_without_an_approval_is_found(bundle: Path) -> None:
    """Of another request, which was denied: its digest stands in the journal."""

    def ran(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        denied = next(r["fields"]["request"] for r in rows if r["fields"].get("status") == "denied")
        call = {"request": denied, "entry": "train", "round": 1, "inputs": digest("in")}
        return inserted(rows, "execution.finished", **call, outputs=digest("out"), numbers=digest("numbers"))

    rewritten(bundle, "journals/norway.jsonl", ran)
    assert failed(bundle) == {7, 11}


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


def test_a_decision_in_the_file_only_is_found(bundle: Path) -> None:
    rewritten(bundle, "decisions.json", lambda rows: [{**rows[0], "rounds": 99}, *rows[1:]])
    assert failed(bundle) == {12}


def test_another_journal_in_its_place_is_found(bundle: Path) -> None:
    (bundle / "journals/norway.jsonl").write_bytes((bundle / "journals/sweden.jsonl").read_bytes())
    rewritten(bundle, "journals/norway.jsonl", lambda rows: rows)
    assert failed(bundle) == {10, 11, 15}


def test_a_wrong_contract_address_is_found(bundle: Path) -> None:
    def elsewhere(chain: dict[str, Any]) -> dict[str, Any]:
        chain["deployment"]["contracts"]["Rounds"] = "0x" + "99" * 20
        return chain

    rewritten(bundle, "chain.json", elsewhere)
    assert failed(bundle) >= {3}


def test_another_admin_is_found(bundle: Path) -> None:
    rewritten(bundle, "chain.json", lambda c: {**c, "deployment": {**c["deployment"], "deployer": "0x" + "99" * 20}})
    assert failed(bundle) >= {3, 5}


@pytest.mark.parametrize(("field", "value", "checks"), [("genesis", "0x" + "00" * 32, {3}), ("chain_id", 1, {4, 6, 7, 10})])
def test_another_chain_is_found(field: str, value: Any, checks: set[int], bundle: Path) -> None:
    rewritten(bundle, "chain.json", lambda c: {**c, "deployment": {**c["deployment"], field: value}})
    assert failed(bundle) >= checks


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
