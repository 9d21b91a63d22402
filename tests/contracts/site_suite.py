"""What every implementation of the `Site` seam does, against running domains: in this process, and over HTTP.

A test module that has an `isolation` gets the fixtures and tests from here: `from site_suite import *`.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rlp

from fedkit.digests import digest, digest_bytes
from fedkit.environment import environment_digest
from fedkit.errors import (
    AccessRefused,
    DigestMismatch,
    ExecutionFailed,
    FedkitError,
    LedgerError,
    LimitReached,
    NotApproved,
    OutputRefused,
    Refused,
    RequestError,
)
from fedkit.federation.parameters import decode, encode
from fedkit.governance.decision import NOTHING, Decision, Receipt
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest, DataPermit, Entry
from fedkit.ledger import heads, typed
from fedkit.ledger.blocks import raw_header
from fedkit.ledger.rows import verify_rows
from fedkit.sites.base import Site
from fedkit.sites.launch import Federation, launch

#: Stands in every private note and nowhere else.
CANARY = "Zyxophon"

COUNT = '''"""Count, and move the weights by one — for “Åse”."""
import numpy as np


def count(notes, weights, settings):
    w = weights["w"] if weights else np.zeros(4, "float32")
    return {"tensors": {"w": w + 1}, "numbers": {"notes": len(notes.train), "round": settings["round"]}}
'''

CONTRACT = OutputContract({"w": (4,)}, {"notes": (0, 1000), "round": (0, 1000)})


def make_corpus(folder: Path) -> Path:
    """Two sites; 12 training notes at one, 7 at the other."""
    for site, language, size in (("north", "nb", 12), ("east", "et", 7)):
        (folder / site).mkdir(parents=True)
        for split in ("train", "dev", "test"):
            rows = []
            for number in range(size):
                text = f"{CANARY}{site}{split}{number} fikk Paracet mot feber."
                start = text.index("Paracet")
                spans = [{"start": start, "end": start + 7, "label": "DRUG"}]
                rows.append({"id": f"{site}-{split}-{number}", "lang": language, "text": text, "spans": spans})
            (folder / site / f"{split}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), "utf-8")
    return folder


@dataclass
class World:
    """A running federation, one site of it with a session for each level, and short ways to ask and decide."""

    federation: Federation
    site: str = "north"
    sessions: dict[str, Site] = field(default_factory=dict)

    def __getattr__(self, level: str) -> Site:
        if level not in ("researcher", "steward", "auditor", "admin"):
            raise AttributeError(level)
        if level not in self.sessions:
            self.sessions[level] = self.federation.login(self.site, level)
        return self.sessions[level]

    def request(self, source: str = COUNT, entry: str = "count", executions: int = 3, **changes: Any) -> CodeRequest:
        """A request that is like no other, so that tests do not meet."""
        permit = DataPermit("permit-1", "to test", ("notes",), "2099-01-01")
        contract = changes.pop("contract", CONTRACT)
        made = CodeRequest(
            title="Tæl",
            purpose="to test",
            researcher=self.federation.researcher,
            permit=permit,
            dataset="notes",
            source=source,
            environment=environment_digest(),
            entries=(Entry(entry, executions, contract),),
            settings={"study": secrets.token_hex(8), "rate": 1.0},
        )
        return replace(made, **changes)

    def decision(
        self, about: CodeRequest, *, reason: str = "", sign_as: str = "", domain: Any = None, **changes: Any
    ) -> Decision:
        steward = f"steward-{self.site}"
        made = Decision(
            request=about.digest,
            site=self.site,
            approved=not reason,
            rounds=0 if reason else max(e.executions for e in about.entries),
            expires=int(time.time()) + 3600,
            reason=reason,
            reason_digest=self.steward.reason_digest(reason),
            steward=self.federation.keys.address(steward),
        )
        made = replace(made, **changes)
        domain = domain or self.federation.ledger.domain
        if sign_as:  # by another key than it names, which a keyring refuses to do
            hashed = typed.signing_hash("Decision", typed.decision_message(made), domain)
            return made.signed(typed.sign_hash(hashed, self.federation.keys._key(sign_as)))
        return self.federation.keys.sign_decision(steward, made, domain)

    def approved(self, request: CodeRequest | None = None, **changes: Any) -> CodeRequest:
        request = request or self.request()
        self.researcher.submit(request)
        self.steward.decide(self.decision(request, **changes))
        return request

    def rows(self, act: str, **fields: Any) -> list[dict[str, Any]]:
        """Rows of the journal of this act with these fields."""
        found = [row for row in self.auditor.journal() if row["act"] == act]
        return [row for row in found if all(row["fields"].get(k) == v for k, v in fields.items())]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def world(isolation: str, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with launch("suite", tmp_path_factory.mktemp("federation"), corpus=corpus, isolation=isolation) as federation:
        yield World(federation)


def weights(*values: float) -> bytes:
    return encode({"w": np.array(values or (0, 0, 0, 0), "float32")})


# -- what a site says of itself and its data


def test_a_site_says_how_it_is_isolated_and_what_key_it_signs_with(world: World, isolation: str) -> None:
    info = world.researcher.info
    assert (info.name, info.isolation) == ("north", isolation)
    assert info == world.federation.sites["north"]
    assert (info.url is None) == (isolation == "in-process")
    assert "rlimits" in info.confinement


def test_the_catalogue_counts_and_shows_no_text(world: World) -> None:
    (card,) = world.researcher.catalogue()
    assert (card.name, card.language, card.labels) == ("notes", "nb", ("DRUG",))
    assert {k: card.notes[k] for k in ("train", "dev", "test")} == {"train": 12, "dev": 12, "test": 12}
    assert card.notes["mock"] > 0
    assert CANARY not in repr(card)


def test_mock_notes_are_those_of_the_twin(world: World) -> None:
    rows = world.researcher.mock_notes("notes", limit=3)
    assert len(rows) == 3
    assert CANARY not in json.dumps(rows)
    with pytest.raises(RequestError):
        world.researcher.mock_notes("patients")


# -- rehearsal and submission


def test_a_rehearsal_runs_on_the_mock_twin(world: World) -> None:
    result = world.researcher.rehearse(world.request(), "count", world.researcher.put(weights(1, 2, 3, 4)))
    (card,) = world.researcher.catalogue()
    assert (result.error, result.numbers["notes"]) == (None, card.notes["mock"])
    assert result.bytes_out == len(weights(2, 3, 4, 5))


def test_what_the_code_does_wrong_is_in_the_result_with_its_line(world: World) -> None:
    broken = COUNT.replace("    w = weights", "    1 / 0\n    w = weights")
    result = world.researcher.rehearse(world.request(broken), "count")
    assert result.error
    assert "line 6" in result.error
    assert "ZeroDivisionError" in result.error


def test_a_request_waits_once_it_is_submitted_and_submitting_again_changes_nothing(world: World) -> None:
    request = world.request()
    first = world.researcher.submit(request)
    assert (first.status, first.digest, first.used, first.granted) == ("pending", request.digest, {}, {})
    assert world.researcher.submit(request) == first
    assert world.researcher.state(request.digest) == first
    assert len(world.rows("request.submitted", request=request.digest)) == 1


def test_the_site_rehearses_for_itself_and_believes_no_rehearsal_that_it_is_handed(world: World) -> None:
    request = world.request()
    world.researcher.submit(request)
    assert world.rows("request.rehearsed", request=request.digest, outcome="ok")
    broken = world.request(COUNT.replace("    w = weights", "    1 / 0\n    w = weights"))
    pretty = replace(world.researcher.rehearse(request, "count"), error=None)
    with pytest.raises(Refused, match="mock twin"):
        world.researcher.submit(broken, [pretty])
    assert world.rows("request.refused", request=broken.digest)
    assert broken.digest not in [state.digest for state in world.steward.requests()]


def test_another_environment_and_another_researcher_are_refused(world: World) -> None:
    with pytest.raises(DigestMismatch):
        world.researcher.submit(world.request(environment="0" * 64))
    with pytest.raises(AccessRefused):
        world.researcher.submit(world.request(researcher="0x" + "1" * 40))


def test_source_that_reaches_for_the_network_is_refused_before_it_runs(world: World) -> None:
    request = world.request("import socket\n\n\ndef count(notes, weights, settings):\n    return {}\n")
    with pytest.raises(Refused, match="line 1"):
        world.researcher.submit(request)
    assert world.rows("request.refused", request=request.digest)


# -- before the decision


def test_nothing_runs_before_the_steward_has_decided(world: World) -> None:
    request = world.request()
    world.researcher.submit(request)
    with pytest.raises(NotApproved, match="waits"):
        world.researcher.execute(request.digest, "count", 1)
    assert world.rows("execution.refused", request=request.digest, reason="refused.not-approved")


def test_code_that_was_not_submitted_has_no_digest_here(world: World) -> None:
    request = world.approved()
    other = replace(request, source=request.source + "\n# one more line\n")
    with pytest.raises(DigestMismatch):
        world.researcher.execute(other.digest, "count", 1)
    assert world.rows("execution.refused", request=other.digest, reason="refused.digest")


def test_a_changed_request_needs_its_own_decision(world: World) -> None:
    request = world.approved()
    other = replace(request, settings={**request.settings, "rate": 2.0})
    world.researcher.submit(other)
    with pytest.raises(NotApproved):
        world.researcher.execute(other.digest, "count", 1)


# -- the review and the decision


def test_a_review_shows_request_findings_rehearsal_and_what_changed(world: World) -> None:
    first = world.approved()
    second = world.request(COUNT.replace("w + 1", "w + 2"))
    world.researcher.submit(second)
    review = world.steward.review(second.digest)
    assert (review.request, review.state.status) == (second, "pending")
    assert [r.entry for r in review.rehearsals] == ["count"]
    assert '+    return {"tensors": {"w": w + 2}' in review.diff
    assert [c.sentence for c in review.changes if c.where == "count"] == ["in `count`, `1` became `2`"]
    assert world.rows("request.reviewed", request=second.digest)
    assert first.digest in [state.digest for state in world.steward.requests()]


def test_an_approval_grants_the_lower_of_what_was_asked_and_given(world: World) -> None:
    generous = world.approved(world.request(executions=2), rounds=9)
    strict = world.approved(world.request(executions=5), rounds=1)
    assert world.researcher.state(generous.digest).granted == {"count": 2}
    assert world.researcher.state(strict.digest).granted == {"count": 1}


def test_a_denial_carries_its_reason_to_the_researcher(world: World) -> None:
    request = world.request()
    world.researcher.submit(request)
    state = world.steward.decide(world.decision(request, reason="Asks for more than the permit allows."))
    assert (state.status, state.reason) == ("denied", "Asks for more than the permit allows.")
    with pytest.raises(NotApproved, match="more than the permit"):
        world.researcher.execute(request.digest, "count", 1)


def test_an_approval_can_be_revoked_and_does_not_come_back_by_replay(world: World) -> None:
    request = world.request()
    world.researcher.submit(request)
    approval = world.decision(request)
    world.steward.decide(approval)
    world.researcher.execute(request.digest, "count", 1)
    assert world.steward.decide(world.decision(request, reason="The patient asked us to.")).status == "revoked"
    with pytest.raises(NotApproved, match="revoked"):
        world.researcher.execute(request.digest, "count", 2)
    with pytest.raises(Refused, match="decided on the request already"):
        world.steward.decide(approval)


def test_a_site_decides_once_and_can_then_only_withdraw(world: World) -> None:
    approved = world.approved(rounds=1)
    with pytest.raises(Refused, match="already"):
        world.steward.decide(world.decision(approved, rounds=9))
    denied = world.request()
    world.researcher.submit(denied)
    world.steward.decide(world.decision(denied, reason="Not under this permit."))
    with pytest.raises(Refused, match="already"):
        world.steward.decide(world.decision(denied))
    assert world.researcher.state(denied.digest).status == "denied"


def test_an_approval_ends(world: World) -> None:
    request = world.approved(expires=int(time.time()) + 2)
    while world.researcher.state(request.digest).status == "approved":
        time.sleep(0.1)
    assert world.researcher.state(request.digest).status == "expired"
    with pytest.raises(NotApproved, match="expired"):
        world.researcher.execute(request.digest, "count", 1)


def test_the_same_decision_twice_is_one(world: World) -> None:
    request = world.request()
    world.researcher.submit(request)
    decision = world.decision(request)
    assert world.steward.decide(decision) == world.steward.decide(decision)
    assert len(world.rows("decision.recorded", request=request.digest)) == 1


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda w, r: w.decision(r, sign_as="researcher"), AccessRefused),
        (lambda w, r: w.decision(r, sign_as="steward-east"), AccessRefused),
        (lambda w, r: w.decision(r, domain=typed.LedgerDomain(1, w.federation.ledger.domain.contract)), AccessRefused),
        (
            lambda w, r: w.decision(r, domain=typed.LedgerDomain(w.federation.ledger.domain.chain_id, "0x" + "1" * 40)),
            AccessRefused,
        ),
        (lambda w, r: w.decision(r).signed("0x" + "00" * 65), AccessRefused),
        (lambda w, r: w.decision(r).signed(""), AccessRefused),
        (lambda w, r: replace(w.decision(r), rounds=99), AccessRefused),
        (lambda w, r: replace(w.decision(r, reason="No."), reason="Yes."), DigestMismatch),
        (lambda w, r: w.decision(r, site="east"), DigestMismatch),
        (lambda w, r: w.decision(r, request="0" * 64), DigestMismatch),
        (lambda w, r: w.decision(r, expires=int(time.time()) - 1), NotApproved),
        (lambda w, r: w.decision(r, rounds=0), NotApproved),
        (lambda w, r: w.decision(r, approved=False, rounds=0), RequestError),
    ],
    ids=[
        *("researcher's key", "other steward's key", "other chain", "other contract", "no curve point", "unsigned"),
        *(
            "altered after signing",
            "other reason",
            "other site",
            "unknown request",
            "in the past",
            "grants nothing",
            "no reason",
        ),
    ],
)
def test_a_decision_counts_only_as_its_steward_signed_it(
    world: World, wrong: Callable[[World, CodeRequest], Decision], error: type[FedkitError]
) -> None:
    request = world.request()
    world.researcher.submit(request)
    decision = wrong(world, request)
    with pytest.raises(error):
        world.steward.decide(decision)
    assert world.rows("decision.refused", request=decision.request)
    assert world.researcher.state(request.digest).status == "pending"


# -- running


def test_a_run_gives_a_receipt_that_the_site_signed(world: World) -> None:
    request = world.approved()
    inputs = world.researcher.put(weights(1, 2, 3, 4))
    receipt = world.researcher.execute(request.digest, "count", 1, inputs)
    assert (receipt.request, receipt.site, receipt.entry, receipt.round) == (request.digest, "north", "count", 1)
    assert (receipt.inputs, receipt.numbers) == (inputs, {"notes": 12, "round": 1})
    assert receipt.numbers_fit()
    assert not replace(receipt, numbers={**receipt.numbers, "notes": 13}).numbers_fit()
    assert receipt.numbers_digest != digest(dict(receipt.numbers))  # or a count could be guessed from the ledger
    assert typed.recover_receipt(receipt, world.federation.ledger.domain) == world.researcher.info.key
    data = world.researcher.get(receipt.outputs)
    assert digest_bytes(data) == receipt.outputs
    np.testing.assert_array_equal(decode(data)["w"], np.array([2, 3, 4, 5], "float32"))
    assert world.rows("execution.finished", request=request.digest, signature=receipt.signature)


def test_the_channel_keeps_the_weights_of_the_last_runs_only(world: World) -> None:
    request = world.approved(world.request(executions=7))
    receipt, given, came = None, [], []
    for round in range(1, 8):
        given.append(world.researcher.put(weights(round, round, round, 0.5)))
        receipt = world.researcher.execute(request.digest, "count", round, given[-1])
        came.append(receipt.outputs)
        assert decode(world.researcher.get(receipt.outputs))["w"][0] == round + 1
    for name in (*given[-4:], *came[-4:]):
        assert world.researcher.get(name)
    for name in (*given[:-4], *came[:-4]):
        with pytest.raises(AccessRefused):
            world.researcher.get(name)
    assert world.researcher.execute(request.digest, "count", 7, given[-1]) == receipt
    assert world.researcher.execute(request.digest, "count", 1, given[0]).outputs == came[0]  # a receipt outlives its weights


def test_a_call_without_weights_says_so(world: World) -> None:
    request = world.approved()
    assert world.researcher.execute(request.digest, "count", 1).inputs == NOTHING


def test_the_same_call_again_is_the_same_receipt_and_costs_nothing(world: World) -> None:
    request = world.approved()
    inputs = world.researcher.put(weights())
    receipt = world.researcher.execute(request.digest, "count", 1, inputs)
    assert world.researcher.execute(request.digest, "count", 1, inputs) == receipt
    assert world.researcher.state(request.digest).used == {"count": 1}
    assert world.researcher.execute(request.digest, "count", 1) != receipt
    assert world.researcher.state(request.digest).used == {"count": 2}


def test_after_the_last_allowed_execution_it_is_over(world: World) -> None:
    request = world.approved(world.request(executions=2))
    done = [world.researcher.execute(request.digest, "count", round) for round in (1, 2)]
    with pytest.raises(LimitReached):
        world.researcher.execute(request.digest, "count", 3)
    assert world.rows("execution.refused", request=request.digest, reason="refused.limit")
    assert [world.researcher.execute(request.digest, "count", round) for round in (1, 2)] == done


def test_many_calls_at_once_get_no_more_than_was_granted(world: World) -> None:
    request = world.approved(world.request(executions=3))
    sessions = [world.federation.login("north", "researcher") for _ in range(6)]
    got: list[Receipt | FedkitError] = []

    def ask(session: Site, round: int) -> None:
        try:
            got.append(session.execute(request.digest, "count", round))
        except FedkitError as error:
            got.append(error)

    threads = [threading.Thread(target=ask, args=(s, n)) for n, s in enumerate(sessions, start=1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(x).__name__ for x in got) == ["LimitReached"] * 3 + ["Receipt"] * 3
    assert world.researcher.state(request.digest).used == {"count": 3}


def test_the_same_call_at_once_runs_once(world: World) -> None:
    request = world.approved(world.request(executions=2))
    sessions = [world.federation.login("north", "researcher") for _ in range(4)]
    got: list[Receipt] = []
    threads = [threading.Thread(target=lambda s=s: got.append(s.execute(request.digest, "count", 1))) for s in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 4
    assert all(receipt == got[0] for receipt in got)
    assert len(world.rows("execution.started", request=request.digest)) == 1


def test_weights_that_are_not_here_are_another_digest(world: World) -> None:
    request = world.approved()
    with pytest.raises(DigestMismatch):
        world.researcher.execute(request.digest, "count", 1, digest_bytes(b"elsewhere"))


def test_an_entry_that_was_not_approved_does_not_run(world: World) -> None:
    request = world.approved()
    with pytest.raises(RequestError):
        world.researcher.execute(request.digest, "make_corpus", 1)


def test_a_result_outside_its_contract_stays_at_the_site(world: World) -> None:
    two_faced = COUNT.replace(
        '"notes": len(notes.train)', '"notes": len(notes.train) if notes.train[0].id[:5] != "north" else 1e9'
    )
    request = world.approved(world.request(two_faced))
    with pytest.raises(OutputRefused, match="notes"):
        world.researcher.execute(request.digest, "count", 1)
    assert world.rows("execution.failed", request=request.digest, reason="refused.output")
    assert not world.rows("execution.finished", request=request.digest)


def test_an_exception_of_the_code_keeps_its_text_at_the_site(world: World) -> None:
    leaky = COUNT.replace(
        "    w = weights",
        "    if notes.train[0].id[:5] == 'north':\n        raise ValueError(notes.train[0].text)\n    w = weights",
    )
    request = world.approved(world.request(leaky, executions=1))
    for _ in range(3):
        with pytest.raises(ExecutionFailed) as caught:
            world.researcher.execute(request.digest, "count", 1)
        assert "ValueError" in caught.value.diagnostics()
        assert CANARY not in caught.value.diagnostics() + repr(caught.value.__cause__) + repr(caught.value.__context__)
    with pytest.raises(LimitReached):  # a charge pays for three attempts, so failing says little however often
        world.researcher.execute(request.digest, "count", 1)


# -- bytes beside PySyft


def test_bytes_come_back_to_who_put_them_and_to_nobody_else(world: World) -> None:
    name = world.researcher.put(b"some weights")
    assert (name, world.researcher.get(name)) == (digest_bytes(b"some weights"), b"some weights")
    for level in ("steward", "auditor"):
        with pytest.raises(AccessRefused):
            getattr(world, level).get(name)
    with pytest.raises(AccessRefused):
        world.researcher.get(digest_bytes(b"never put"))


# -- levels


@pytest.mark.parametrize(
    ("level", "act"),
    [
        ("researcher", lambda s, w, r: s.journal()),
        ("researcher", lambda s, w, r: s.anchor()),
        ("researcher", lambda s, w, r: s.review(r.digest)),
        ("researcher", lambda s, w, r: s.decide(w.decision(r))),
        ("auditor", lambda s, w, r: s.decide(w.decision(r))),
        ("auditor", lambda s, w, r: s.submit(r)),
        ("auditor", lambda s, w, r: s.execute(r.digest, "count", 1)),
        ("auditor", lambda s, w, r: s.put(b"x")),
        ("steward", lambda s, w, r: s.submit(r)),
        ("steward", lambda s, w, r: s.execute(r.digest, "count", 1)),
    ],
)
def test_each_level_does_its_own_work_only(world: World, level: str, act: Callable[[Site, World, CodeRequest], Any]) -> None:
    request = world.request()
    world.researcher.submit(request)
    with pytest.raises(AccessRefused):
        act(getattr(world, level), world, request)
    assert world.researcher.state(request.digest).status == "pending"


# -- the journal


def test_the_journal_is_one_chain_and_its_anchor_is_signed_by_the_site(world: World) -> None:
    world.approved()
    anchor = world.auditor.anchor()
    assert anchor is not None
    assert typed.recover_anchor(anchor, world.federation.ledger.domain) == world.auditor.info.key
    rows = world.auditor.journal()
    assert verify_rows(rows) == []
    assert anchor["to"] <= rows[-1]["seq"]
    again = world.auditor.anchor(after=anchor["from"] - 1)  # the ledger never got it: the same statement once more
    assert again == anchor
    world.auditor.anchor(after=anchor["to"])
    assert world.auditor.anchor() is None


def test_a_site_signs_the_head_of_the_chain_and_only_what_goes_on_from_there(world: World) -> None:
    chain = world.federation.ledger.chain
    headers = [raw_header(chain.block(number)) for number in range(chain.head().number + 1)]
    before = world.auditor.head()
    signed = world.auditor.sign_head(headers[before.number :] if before else headers[-1:])
    assert signed == world.steward.head()
    assert (signed.site, signed.number, signed.hash) == ("north", chain.head().number, chain.head().hash)
    assert heads.recover_head(signed, world.federation.ledger.domain) == world.auditor.info.key
    assert world.auditor.sign_head(headers[-1:]) == signed  # nothing new: nothing is signed anew
    assert len(world.rows("head.signed", block=signed.hash[2:])) == 1
    with pytest.raises(LedgerError, match="does not go on"):
        world.auditor.sign_head(headers[:-1])  # the chain, set back
    assert world.auditor.head() == signed
    assert len(world.rows("head.refused", reason="ledger")) == 1


@pytest.mark.parametrize("shown", [[], [b""], [b"no header"], [bytes(600)] * 2, [b"\xc0"] * 1001])
def test_what_is_no_header_is_not_signed(world: World, shown: list[bytes]) -> None:
    with pytest.raises(LedgerError, match="no head to sign"):
        world.auditor.sign_head(shown)


def test_a_chain_whose_clock_is_an_hour_ahead_is_not_signed(world: World) -> None:
    chain = world.federation.ledger.chain
    last = world.auditor.head()
    fields = rlp.decode(raw_header(chain.block(last.number if last else chain.head().number)))
    if last:
        fields[0], fields[8] = bytes.fromhex(last.hash[2:]), (last.number + 1).to_bytes(8).lstrip(b"\0")
    fields[11] = (int(time.time()) + 3600).to_bytes(8).lstrip(b"\0")
    with pytest.raises(LedgerError, match="clock runs ahead") as refused:
        world.auditor.sign_head([rlp.encode(fields)])
    assert "NTP" in refused.value.help


def test_a_researcher_has_no_head_signed(world: World) -> None:
    """Who relays could show anything: to whom a site signs must be somebody who audits or decides."""
    with pytest.raises(AccessRefused):
        world.researcher.sign_head([b""])


def test_a_run_says_which_code_and_environment_it_started(world: World) -> None:
    request = world.approved()
    world.researcher.execute(request.digest, "count", 1)
    (row,) = world.rows("execution.started", request=request.digest)
    assert (row["fields"]["code"], row["fields"]["environment"]) == (request.code_digest, environment_digest())


# -- promise 4: private text never leaves


def test_no_word_of_a_private_note_is_anywhere_but_in_the_note_store(world: World) -> None:
    shout = COUNT.replace("    w = weights", "    print(notes.train[0].text)\n    w = weights")
    request = world.approved(world.request(shout))
    world.researcher.execute(request.digest, "count", 1)
    # What the code printed is for the site's stewards, and lies in a folder of its own there.
    (logs,) = world.federation.folder.rglob("north/logs")
    assert any(CANARY in path.read_text("utf-8") for path in logs.iterdir())
    assert all(path.stat().st_mode & 0o077 == 0 for path in (logs, *logs.iterdir()))
    files = [path for path in world.federation.folder.rglob("*") if path.is_file()]
    seen = [path for path in files if "notes.duckdb" not in path.name and path.parent != logs]
    assert len(seen) > 20
    needles = [CANARY.encode(), CANARY.encode("utf-16-le"), CANARY.encode().hex().encode()]
    assert [path.name for path in seen if any(needle in path.read_bytes() for needle in needles)] == []
    store = list(world.federation.folder.rglob("notes.duckdb"))
    assert len(store) == 2
