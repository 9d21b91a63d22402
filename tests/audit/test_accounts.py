"""What sites and studies say of themselves: the code that ran, the study's own journal, clocks, single rows by their proofs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from audit.cases import tries
from audit.conftest import Told, failed
from audit.hands import Row, chained, inserted, rewritten
from hypothesis import given
from hypothesis import strategies as st
from ledger_world import World

from fedkit.audit.evidence import read
from fedkit.audit.proofs import Proof, proofs_of
from fedkit.audit.verify import verify
from fedkit.digests import digest
from fedkit.ledger import merkle

STUDY, NORWAY = "study.jsonl", "journals/norway.jsonl"


def findings(bundle: Path, check: int) -> str:
    return "; ".join(f"{f.where}: {f.what}" for f in verify(bundle).checks[check - 1].findings)


# -- check 7: the code and the environment that ran


def started(change: Callable[[Row], None]) -> Callable[[list[Row]], list[Row]]:
    def changed(rows: list[Row]) -> list[Row]:
        change(next(row for row in rows if row["act"] == "execution.started"))
        return chained(rows)

    return changed


@pytest.mark.parametrize("name", ["code", "environment"])
def test_other_code_than_was_approved_is_found(name: str, bundle: Path) -> None:
    rewritten(bundle, NORWAY, started(lambda row: row["fields"].update({name: digest("other")})))
    assert f"ran with another {name} than was approved" in findings(bundle, 7)


@tries("run that was never started")
def test_a_run_that_was_never_started_is_found(bundle: Path) -> None:
    rewritten(bundle, NORWAY, started(lambda row: row["fields"].update({"inputs": digest("other")})))
    assert "nothing says that it was started" in findings(bundle, 7)


# -- check 11: the study's own journal


def of(act: str) -> Callable[[Row], bool]:
    return lambda row: row["act"] == act


@tries("a round or release left out of the study's journal")
@pytest.mark.parametrize("act", ["round.aggregated", "model.released"])
def test_what_the_study_left_out_of_its_journal_is_found(act: str, bundle: Path) -> None:
    def without(rows: list[Row]) -> list[Row]:
        last = max(at for at, row in enumerate(rows) if row["act"] == act)
        return chained([{**row, "seq": seq} for seq, row in enumerate(rows[:last] + rows[last + 1 :], 1)])

    rewritten(bundle, STUDY, without)
    assert f"does not tell of {act}" in findings(bundle, 11)
    assert failed(bundle) >= {10, 11}


@tries("rounds thrown away until one was to the researcher's liking")
def test_a_round_that_only_the_study_knows_is_found(bundle: Path, told: Told) -> None:
    """Rounds thrown away until one was to the researcher's liking: whoever keeps count truly shows them."""
    row = {"request": told.request.digest, "entry": "train", "round": 4, "kind": "averaged"}
    more = {"inputs": digest("in"), "weights": digest("out"), "sites": 2}
    rewritten(bundle, STUDY, lambda rows: inserted(rows, "round.aggregated", **row, **more))
    assert "tells of round.aggregated, which is not on the ledger" in findings(bundle, 11)
    assert failed(bundle) == {10, 11}


@tries("the study's journal left out, or another study's in its place")
def test_a_study_without_a_journal_is_found(bundle: Path) -> None:
    rewritten(bundle, STUDY, lambda rows: [])
    assert "the study: has no journal in the bundle" in findings(bundle, 9)
    assert failed(bundle) >= {9, 11}


@tries("the study's journal left out, or another study's in its place")
def test_the_journal_of_another_study_is_found(bundle: Path) -> None:
    def other(rows: list[Row]) -> list[Row]:
        rows[0]["fields"]["study"] = digest("another study")
        return chained(rows)

    rewritten(bundle, STUDY, other)
    assert failed(bundle) >= {10}  # nothing of it is anchored


# -- clocks


@pytest.mark.parametrize(("hours", "check"), [(1, 10), (-1, 15)], ids=["ahead", "behind"])
def test_a_site_whose_clock_is_an_hour_off_is_found(
    hours: int, check: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ahead: its rows are later than the block that anchors them. Behind: it signs a head before its block was made."""
    import fedkit.sites.journal as module

    class Off(module.datetime):  # type: ignore[name-defined, misc]
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return super().now(tz) + timedelta(hours=hours)

    monkeypatch.setattr(module, "datetime", Off)
    world = World(tmp_path / "world")
    bundle = world.export(tmp_path / "evidence", world.study())
    world.close()
    assert "one of the clocks is wrong" in findings(bundle, check)


# -- single rows by their proofs


def test_every_anchored_row_about_the_request_has_a_proof(told: Told) -> None:
    evidence = read(told.bundle)
    proofs = {(proof.journal, proof.seq): proof for proof in evidence.proofs}
    assert all(proof.holds() for proof in proofs.values())
    rows = {f"journals/{site}.jsonl": rows for site, rows in evidence.journals.items()} | {STUDY: evidence.study}
    for journal, of_journal in rows.items():
        about = [row for row in of_journal if row["fields"].get("request") == told.request.digest]
        assert about
        for row in about:
            assert proofs[journal, row["seq"]].leaf == row["hash"]


@pytest.mark.parametrize("name", ["seq", "leaf", "first", "last", "root", "path", "journal"])
def test_a_proof_of_something_else_is_found(name: str, bundle: Path) -> None:
    wrong = {"seq": 1, "leaf": digest("other"), "first": 1, "last": 3, "root": digest("other"), "journal": STUDY}

    def changed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rows[-1 if name != "journal" else 0][name] = [] if name == "path" else wrong[name]
        return rows

    rewritten(bundle, "proofs.json", changed)
    assert failed(bundle) == {10}
    assert "does not lead from that row to an anchored root" in findings(bundle, 10)


def test_a_true_proof_of_a_row_that_is_another_here_is_found(bundle: Path) -> None:
    def other(rows: list[Row]) -> list[Row]:
        next(row for row in rows if row["act"] == "execution.finished")["fields"]["outputs"] = digest("other")
        return chained(rows)

    rewritten(bundle, NORWAY, other)
    assert "proofs.json: the proof of row" in findings(bundle, 10)


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=20), st.data())
def test_a_proof_holds_for_its_own_row_only(leaves: list[bytes], data: st.DataObject) -> None:
    rows = [{"seq": n, "hash": leaf.hex(), "fields": {"request": "r"}} for n, leaf in enumerate(leaves, 1)]
    proofs = list(proofs_of("journals/x.jsonl", rows, [(1, len(rows), merkle.root(leaves))], "r"))
    assert [proof.seq for proof in proofs] == list(range(1, len(rows) + 1))
    assert all(Proof.from_json(json.loads(json.dumps(proof.to_json()))) == proof and proof.holds() for proof in proofs)
    one, other = data.draw(st.sampled_from(proofs)), data.draw(st.binary(min_size=32, max_size=32))
    assert Proof(**{**one.__dict__, "leaf": other.hex()}).holds() == (other.hex() == one.leaf)


def test_rows_that_no_anchor_covers_have_no_proof() -> None:
    rows = [{"seq": n, "hash": digest(n), "fields": {"request": "r"}} for n in range(1, 6)]
    root = merkle.root([bytes.fromhex(row["hash"]) for row in rows[:3]])
    assert [proof.seq for proof in proofs_of("x", rows, [(1, 3, root), (4, 9, root)], "r")] == [1, 2, 3]
