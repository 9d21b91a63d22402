"""The ledger's acts: what each records, that a repeated one records nothing, and that no words reach the chain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ledger_world import CANARIES, World

from fedkit.digests import digest
from fedkit.errors import ContractReverted, LedgerError, RequestError
from fedkit.ledger.blocks import raw_block
from fedkit.ledger.events import Executed, RoundRecorded
from fedkit.ledger.permits import permit_expiry
from fedkit.ledger.typed import recover_decision, recover_receipt

START = digest("start")


def test_every_repeated_act_returns_its_first_record(world: World) -> None:
    """What a study does again after a crash."""
    request = world.study()
    head, ledger = world.ledger.head(), world.ledger
    assert ledger.submit(request, world.sites).request == request.digest
    for decision in world.decisions:
        assert ledger.decide(decision).rounds == decision.rounds
    rounds = [e for e in ledger.events() if isinstance(e, RoundRecorded)]
    for done in rounds:
        receipts = [r for r in world.receipts if (r.entry, r.round) == (done.entry, done.round)]
        again = ledger.record_round(done.request, done.entry, done.round, done.kind, done.inputs, done.aggregate, receipts)
        assert again == done
    model = next(e.aggregate for e in reversed(rounds) if e.kind != "EVALUATED")
    assert ledger.release(request.digest, model).model == model
    for site, journal in world.journals.items():
        for first, last, root in journal.batches():
            anchor = {"stream": site, "from": first, "to": last, "root": root}
            assert ledger.anchor(world.keys.sign_anchor(f"site-{site}", anchor, ledger.domain)).root == root
        assert ledger.anchored(site) == last
    assert ledger.head() == head


def test_a_repeated_round_with_another_receipt_is_refused(world: World) -> None:
    request = world.submit(world.request()).digest
    for site in world.sites:
        world.decide(world.request(), site)
    world.averaged(request, 1, START)
    others = [world.receipt(request, site, "train", 1, START, digest("other")) for site in world.sites]
    with pytest.raises(ContractReverted, match="RoundOutOfOrder"):
        world.ledger.record_round(request, "train", 1, "AVERAGED", START, digest(["average", 1]), others)


def test_a_decision_repeated_after_its_withdrawal_is_refused(world: World) -> None:
    """Its old record would read as if it counted."""
    request = world.submit(world.request())
    approval = world.decide(request, "norway")
    assert world.ledger.decide(approval).approved
    denial = world.decide(request, "norway", approved=False)
    assert not world.ledger.decide(denial).approved
    with pytest.raises(ContractReverted, match="AlreadyDecided"):
        world.ledger.decide(approval)


def test_a_new_card_is_released_again(world: World) -> None:
    request = world.study()
    model = next(e.aggregate for e in world.ledger.events() if isinstance(e, RoundRecorded) and e.round == 3)
    first = world.ledger.release(request.digest, model)
    second = world.ledger.release(request.digest, model, digest("folder"), digest("metrics"))
    assert (second.folder, second.metrics) == (digest("folder"), digest("metrics"))
    assert second.block > first.block
    assert world.ledger.release(request.digest, model, digest("folder"), digest("metrics")) == second


def test_records_say_who_did_it(world: World) -> None:
    request = world.study()
    by = {type(e).__name__: e.actor for e in world.ledger.events()}
    assert by["SiteRegistered"] == world.keys.address("admin")
    assert by["RequestSubmitted"] == by["RoundRecorded"] == by["Released"] == world.researcher == request.researcher
    assert by["Decided"] == world.keys.address("steward-sweden")
    assert by["Executed"] == by["Anchored"] == world.keys.address("site-sweden")


def test_records_carry_the_names_that_only_their_reader_knows(world: World) -> None:
    world.study()
    runs = [e for e in world.ledger.events() if isinstance(e, Executed)]
    assert {(e.site, e.entry) for e in runs} == {(s, e) for s in world.sites for e in ("train", "evaluate")}
    signed = {(r.site, r.round, r.entry): r for r in world.receipts}
    for run in runs:
        receipt = signed[run.site, run.round, run.entry]
        assert (run.inputs, run.outputs, run.numbers_digest) == (receipt.inputs, receipt.outputs, receipt.numbers_digest)
        assert recover_receipt(receipt, world.ledger.domain) == run.actor


def test_the_statements_recover_their_signers(embedded: World) -> None:
    request = embedded.submit(embedded.request())
    decision = embedded.decide(request, "norway")
    assert recover_decision(decision, embedded.ledger.domain) == embedded.keys.address("steward-norway")


def test_blocks_of_either_chain_hash_to_themselves_as_bytes(world: World) -> None:
    world.study()
    chain = world.ledger.chain
    for number in range(chain.head().number + 1):
        block = chain.block(number, full=True)
        raw_block(block, [chain.receipt(t["hash"]) or {} for t in block["transactions"]])
    block = chain.block(chain.head().number, full=True)
    with pytest.raises(LedgerError, match="cannot be rebuilt"):
        raw_block({**block, "gasUsed": "0x1"}, [chain.receipt(t["hash"]) or {} for t in block["transactions"]])


def test_a_site_is_not_registered_over(embedded: World) -> None:
    stranger = embedded.keys.create("stranger")
    with pytest.raises(LedgerError, match="registered with other keys"):
        embedded.ledger.register_site("norway", stranger, embedded.keys.address("steward-norway"), digest("x"))


def test_a_new_commitment_is_recorded_and_an_old_one_is_not(embedded: World) -> None:
    keys = embedded.keys.address("site-norway"), embedded.keys.address("steward-norway")
    head = embedded.ledger.head().number
    for notes, blocks in (("notes", 0), ("more notes", 1), ("more notes", 1)):
        embedded.ledger.register_site("norway", *keys, digest([notes, "norway"]))
        assert embedded.ledger.head().number == head + blocks


def test_roles_are_given_and_taken_by_name(embedded: World) -> None:
    other = embedded.keys.create("other")
    assert embedded.ledger.grant("steward of norway", other).role == "steward of norway"
    assert embedded.ledger.revoke("steward of norway", other) == embedded.ledger.revoke("steward of norway", other)
    for wrong in ("king", "steward of ", "steward"):
        with pytest.raises(LedgerError, match="no such role"):
            embedded.ledger.grant(wrong, other)
    with pytest.raises(LedgerError, match="never had this role"):
        embedded.ledger.revoke("admin", other)


def test_bad_arguments_are_named_before_anything_is_sent(embedded: World) -> None:
    request = embedded.submit(embedded.request()).digest
    head = embedded.ledger.head()
    receipt = embedded.receipt(request, "norway", "train", 1, START, START)
    for wrong in (
        lambda: embedded.ledger.record_round(request, "train", 1, "MIXED", START, START, [receipt]),
        lambda: embedded.ledger.record_round(request, "train", 2, "AVERAGED", START, START, [receipt]),
        lambda: embedded.ledger.record_round(request, "train", 1, "AVERAGED", "zz", START, [receipt]),
        lambda: embedded.ledger.record_round(request, "train", -1, "AVERAGED", START, START, []),
        lambda: embedded.ledger.release(request, "short"),
        lambda: embedded.ledger.anchor({"stream": "norway", "from": 1, "to": 2, "root": START, "signature": "0xzz"}),
        lambda: embedded.ledger.anchor({"stream": "norway", "from": 1, "to": 2**70, "root": START, "signature": "0x"}),
        lambda: embedded.ledger.decide(replace(embedded.decision(embedded.request(), "norway"), signature="none")),
    ):
        with pytest.raises(LedgerError):
            wrong()
    assert embedded.ledger.head() == head


def test_a_permit_counts_to_the_last_second_of_its_day() -> None:
    assert permit_expiry("2030-12-31") == 1_924_991_999
    with pytest.raises(RequestError, match="no day on which it ends"):
        permit_expiry("next spring")


def test_nothing_of_what_people_wrote_is_on_the_chain(tmp_path: Path) -> None:
    """Titles, purposes, reasons, source: not in the chain file, in no form that a search would find."""
    world = World(tmp_path)
    request = world.study()
    world.decide(world.submit(world.request("Another")), "norway", approved=False)
    world.close()
    files = [p for p in (tmp_path / "ledger").iterdir() if p.name != "names.json"]
    held = b"".join(p.read_bytes() for p in files)
    assert len(held) > 10_000
    assert bytes.fromhex(request.digest) in held  # the search would find it
    words = [*CANARIES, "permit-1", "def train", "norway", "train"]
    for word in words:
        for form in (word.encode(), word.encode("utf-16-le"), word.encode().hex().encode()):
            assert form not in held, word


def test_names_are_written_down_for_those_who_read_it_later(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.study()
    events = world.ledger.events()
    world.close()
    again = World(tmp_path)
    assert again.ledger.events() == events
    assert {"norway", "sweden", "train", "evaluate", "notes"} <= again.ledger.names.names
    again.close()
