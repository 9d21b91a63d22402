"""A small federation without PySyft: real keys, a real ledger and real journals, and a study that runs through them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fedkit.audit.evidence import export
from fedkit.digests import digest, digest_bytes
from fedkit.governance.decision import NOTHING, Decision, Receipt
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest, DataPermit, Entry
from fedkit.ledger.blocks import parse_header, raw_header
from fedkit.ledger.chain import Chain
from fedkit.ledger.heads import SignedHead
from fedkit.ledger.keys import Keyring
from fedkit.ledger.ledger import Ledger, open_ledger
from fedkit.sites.journal import Journal

SOURCE = "def train(notes, weights, settings):\n    return {}\n\n\ndef evaluate(notes, weights, settings):\n    return {}\n"
DAY = 86_400
#: Words that stand in the request and the reasons, and must stand nowhere on the chain.
CANARIES = ("Zwergfalke", "Kornblume", "Siebenschlaefer")


@dataclass
class World:
    """Two sites by default, each with key, steward and journal, and a researcher."""

    folder: Path
    sites: Sequence[str] = ("norway", "sweden")
    chain: Chain | None = None
    receipts: list[Receipt] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    heads: list[SignedHead] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keys = Keyring(self.folder / "keys", cost=2)  # two: tests need no protection, and there are hundreds
        self.ledger: Ledger = open_ledger(self.folder / "ledger", self.keys, chain=self.chain)
        self.researcher = self.ledger.register_researcher().account
        self.ledger.register_authority()
        self.journals = {site: Journal(self.folder / site / "journal.sqlite") for site in self.sites}
        for site in self.sites:
            key, steward = self.keys.create(f"site-{site}"), self.keys.create(f"steward-{site}")
            self.ledger.register_site(site, key, steward, digest(["notes", site]))
            self.journals[site].append("site.opened", site, isolation="in-process", key=key)
        self.study_journal, self.study_id = Journal(self.folder / "study" / "journal.db"), digest(["study", str(self.folder)])
        self.study_journal.append("study.described", "ada", study=self.study_id, sites=len(self.sites))

    def close(self) -> None:
        self.study_journal.close()
        for journal in self.journals.values():
            journal.close()
        self.ledger.close()

    def request(self, title: str = CANARIES[0], train: int = 3, until: str = "2090-12-31") -> CodeRequest:
        permit = DataPermit("permit-1", CANARIES[1], ("notes",), until)
        entries = (Entry("train", train, OutputContract()), Entry("evaluate", 1, OutputContract()))
        return CodeRequest(title, CANARIES[1], self.researcher, permit, "notes", SOURCE, digest("environment"), entries)

    def permitted(self, until: str = "2090-12-31", **how: object) -> str:
        """The digest of a permit for the researcher that is on the ledger."""
        permit = self.request(until=until).permit
        return self.ledger.issue_permit(permit, [self.researcher], **how).permit  # type: ignore[arg-type]

    def submit(self, request: CodeRequest) -> CodeRequest:
        self.ledger.issue_permit(request.permit, [self.researcher])
        self.ledger.submit(request, self.sites)
        for site in self.sites:
            self.journals[site].append(
                "request.submitted", "ada", request=request.digest, code=request.code_digest, environment=request.environment
            )
        return request

    def decision(
        self, request: CodeRequest, site: str, *, approved: bool = True, rounds: int = 3, days: float = 30
    ) -> Decision:
        decision = Decision(
            request.digest,
            site,
            approved,
            rounds if approved else 0,
            int(time.time() + days * DAY),
            CANARIES[2],
            self.journals[site].salted(CANARIES[2]),
            self.keys.address(f"steward-{site}"),
        )
        return self.keys.sign_decision(f"steward-{site}", decision, self.ledger.domain)

    def decide(self, request: CodeRequest, site: str, **how: object) -> Decision:
        decision = self.decision(request, site, **how)  # type: ignore[arg-type]
        self.journals[site].append(
            "decision.recorded",
            f"steward-{site}",
            request=request.digest,
            status="approved" if decision.approved else "denied",
            rounds=decision.rounds,
            expires=decision.expires,
            reason=decision.reason_digest,
            steward=decision.steward,
            signature=decision.signature,
        )
        self.ledger.decide(decision)
        self.decisions.append(decision)
        return decision

    def receipt(self, request: str, site: str, entry: str, round: int, inputs: str, outputs: str) -> Receipt:
        numbers = {"loss": 0.5, "notes": 12.0}
        receipt = Receipt(request, site, entry, round, inputs, outputs, numbers, digest(numbers))
        return self.keys.sign_receipt(f"site-{site}", receipt, self.ledger.domain)

    def execute(self, request: str, site: str, entry: str, round: int, inputs: str, outputs: str) -> Receipt:
        receipt = self.receipt(request, site, entry, round, inputs, outputs)
        call = {"request": request, "entry": entry, "round": round, "inputs": inputs}
        ran = {"code": digest_bytes(SOURCE.encode()), "environment": digest("environment")}
        self.journals[site].append("execution.started", "ada", **call, **ran)
        self.journals[site].append(
            "execution.finished", "ada", **call, outputs=outputs, numbers=receipt.numbers_digest, signature=receipt.signature
        )
        self.receipts.append(receipt)
        return receipt

    def sequential(self, request: str, round: int, start: str) -> str:
        current, receipts = start, []
        for site in self.sites:
            receipts.append(self.execute(request, site, "train", round, current, digest([site, round])))
            current = receipts[-1].outputs
        self.record(request, "train", round, "SEQUENTIAL", start, current, receipts)
        return current

    def averaged(self, request: str, round: int, start: str) -> str:
        receipts = [self.execute(request, site, "train", round, start, digest([site, round])) for site in self.sites]
        aggregate = digest(["average", round])
        self.record(request, "train", round, "AVERAGED", start, aggregate, receipts)
        return aggregate

    def evaluated(self, request: str, round: int, model: str) -> None:
        receipts = [self.execute(request, site, "evaluate", round, model, NOTHING) for site in self.sites]
        self.record(request, "evaluate", round, "EVALUATED", model, model, receipts)

    def record(
        self, request: str, entry: str, round: int, kind: str, inputs: str, aggregate: str, receipts: Sequence[Receipt]
    ) -> None:
        """A round, on the ledger and in the study's journal."""
        self.ledger.record_round(request, entry, round, kind, inputs, aggregate, receipts)
        row = {"request": request, "entry": entry, "round": round, "kind": kind.lower()}
        self.study_journal.append("round.aggregated", "ada", **row, inputs=inputs, weights=aggregate, sites=len(receipts))

    def release(self, request: str, model: str) -> None:
        """A release, on the ledger and in the study's journal."""
        self.ledger.release(request, model)
        self.study_journal.append("model.released", "ada", request=request, weights=model)

    def anchor(self) -> None:
        for site, journal in self.journals.items():
            if (batch := journal.close_batch()) is not None:
                anchor = dict(zip(("from", "to", "root"), batch, strict=True)) | {"stream": site}
                self.ledger.anchor(self.keys.sign_anchor(f"site-{site}", anchor, self.ledger.domain))
        if (batch := self.study_journal.close_batch()) is not None:
            self.ledger.anchor_study(self.study_id, *batch)

    def witness(self) -> None:
        """Every site counter-signs the head of the chain."""
        newest = parse_header(raw_header(self.ledger.chain.block(self.ledger.head().number)))
        for site in self.sites:
            head = SignedHead(site, newest.number, newest.hash, newest.time)
            self.heads.append(self.keys.sign_head(f"site-{site}", head, self.ledger.domain))
            row = {"number": newest.number, "block": newest.hash[2:], "time": newest.time}
            self.journals[site].append("head.signed", "auditor", **row, signature=self.heads[-1].signature)

    def study(self, request: CodeRequest | None = None) -> CodeRequest:
        """From submission to release: a sequential round, two averaged ones, an evaluation."""
        request = self.submit(request or self.request())
        for site in self.sites:
            self.decide(request, site)
        self.witness()
        self.anchor()
        model = self.sequential(request.digest, 1, digest("start"))
        for round in (2, 3):
            model = self.averaged(request.digest, round, model)
        self.evaluated(request.digest, 1, model)
        self.release(request.digest, model)
        self.anchor()
        return request

    def export(self, folder: Path, request: CodeRequest, **how: Any) -> Path:
        """The bundle, with the head of the chain counter-signed; how: other arguments of `export`."""
        self.witness()
        about: dict[str, Any] = {
            "ledger": self.ledger,
            "journals": {site: journal.rows() for site, journal in self.journals.items()},
            "study": self.study_journal.rows(),
            "request": request,
            "decisions": self.decisions,
            "heads": self.heads,
        }
        return export(folder, **about | how)
