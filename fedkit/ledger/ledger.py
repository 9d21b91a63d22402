"""The ledger of a federation: who takes part, what was asked, decided, run, anchored and released.

    ledger = open_ledger(Path("ledger"), keys)
    ledger.register_researcher("researcher")
    ledger.register_site("norway", key_address, steward_address, commitment)
    ledger.register_authority()
    ledger.issue_permit(request.permit, [researcher])
    ledger.submit(request)
    ledger.decide(decision)                      # signed by the steward; the ledger only delivers it
    for event in ledger.events(): ...

Each act returns the record that the contracts made of it. An act that a resumed study repeats returns its earlier record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fedkit.errors import LedgerError
from fedkit.governance.decision import NOTHING, Decision, Receipt
from fedkit.governance.request import CodeRequest
from fedkit.ledger.budgets import BudgetActs
from fedkit.ledger.chain import Chain
from fedkit.ledger.deployment import find_or_deploy
from fedkit.ledger.events import (
    KINDS,
    Anchored,
    Decided,
    Executed,
    Released,
    RequestSubmitted,
    RoundRecorded,
    SiteRegistered,
    StudyAnchored,
)
from fedkit.ledger.keys import Keyring
from fedkit.ledger.opening import open_chain
from fedkit.ledger.permits import PermitActs
from fedkit.ledger.recorder import RELAY, as_signature, first_of
from fedkit.ledger.registry import ADMIN, RESEARCHER, RegistryActs
from fedkit.ledger.typed import anchor_message, decision_message, digest_bytes32, name_id

#: How far a request has come at a site, by number on chain; see contracts/src/Requests.sol. Denied is the end of it.
STATUS = ("not asked", "submitted", "approved", "denied", "executed", "released")


def open_ledger(
    folder: Path, keys: Keyring, *, url: str | None = None, chain: Chain | None = None, other_code: bool = False
) -> Ledger:
    """Open the ledger in `folder`; its contracts are deployed the first time, by the key "admin" of `keys`.

    url:   JSON-RPC of a node; by default the chain is embedded, in `folder/chain.sqlite`, or where its owner serves it
        (`fedkit.ledger.opening`).   chain: one that is open already.
    other_code: open contracts of another version of fedkit, to hand over from them (`fedkit.ledger.succession`).
    Raises AlreadyRunning if another process has the embedded chain and does not serve it, LedgerError if the chain is another
    one than before or a node does not answer, StorageError if the disk refuses.
    """
    if chain is None:
        chain = open_chain(folder, url=url)
    try:
        return Ledger(folder, keys, chain, find_or_deploy(chain, keys, folder / "contracts.json", ADMIN, other_code=other_code))
    except BaseException:
        chain.close()
        raise


class Ledger(RegistryActs, PermitActs, BudgetActs):
    """The acts on requests, rounds and journals; those of admin and authority, and those on budgets, are in the classes before
    it, reading in `Recorder`."""

    # -- by the researcher

    def submit(self, request: CodeRequest, sites: Sequence[str] | None = None, *, actor: str | None = None) -> RequestSubmitted:
        """4 Submit a request to sites (by default all that are registered). Only digests, names' ids and counts go on chain.

        Its permit must be on the ledger, name the sender and cover the data set (`issue_permit`).

        actor: whose key of the keyring sends it; by default that of `request.researcher`, if it is an address with a key here,
            else "researcher". Rounds and release are sent by whoever submitted.
        """
        with self._lock:
            names = list(sites) if sites is not None else [e.site for e in self.records(SiteRegistered)]
            entries = {entry.name: entry.executions for entry in request.entries}
            self._learn([*names, *entries, request.dataset])
            arguments = (
                digest_bytes32(request.digest),
                digest_bytes32(request.permit.digest),
                name_id(request.dataset),
                digest_bytes32(request.code_digest),
                digest_bytes32(request.environment),
                [(name_id(name), executions) for name, executions in entries.items()],
                [name_id(name) for name in names],
            )
            return self._once(
                actor or self.keys.find(request.researcher) or RESEARCHER,
                ("Requests", "submit", arguments),
                RequestSubmitted,
                lambda e: e.request == request.digest and e.sites == tuple(names),
            )

    def record_round(
        self,
        request: str,
        entry: str,
        round: int,
        kind: str,
        inputs: str,
        aggregate: str,
        receipts: Sequence[Receipt],
        *,
        actor: str | None = None,
    ) -> RoundRecorded:
        """8 Record a round with the sites' receipts, in the order in which they ran.

        kind: "AVERAGED" (all start from `inputs`), "SEQUENTIAL" (each starts from the output of the one before it, the last
            gives `aggregate`) or "EVALUATED" (all look at `inputs`, and `aggregate` is `inputs` too).
        inputs, aggregate: digests of the weights before and after (64 zeros for none).
        Training rounds count 1, 2, …; an evaluation may skip numbers. Raises ContractReverted if a receipt is not its site's,
        does not start from the right weights, or goes beyond what that site granted.
        """
        if kind not in KINDS:
            raise LedgerError("no such kind of round", expected=f"one of {', '.join(KINDS)}", got=kind)
        if strays := [r for r in receipts if (r.request, r.entry, r.round) != (request, entry, round)]:
            raise LedgerError("a receipt is of another round", expected=f"{entry}, round {round}", got=f"{len(strays)} others")
        rows = [
            (
                name_id(r.site),
                digest_bytes32(r.inputs),
                digest_bytes32(r.outputs),
                digest_bytes32(r.numbers_digest),
                bytes.fromhex(r.signature.removeprefix("0x")),
            )
            for r in receipts
        ]
        arguments = (
            digest_bytes32(request),
            name_id(entry),
            round,
            KINDS.index(kind),
            digest_bytes32(inputs),
            digest_bytes32(aggregate),
            rows,
        )
        said = {(r.site, r.inputs, r.outputs, r.numbers_digest) for r in receipts}

        def same(e: RoundRecorded) -> bool:
            if (e.request, e.entry, e.round, e.kind, e.inputs, e.aggregate) != (request, entry, round, kind, inputs, aggregate):
                return False
            of_round = [
                x for x in self.records(Executed) if x.tx == e.tx and (x.request, x.entry, x.round) == (request, entry, round)
            ]
            return {(x.site, x.inputs, x.outputs, x.numbers_digest) for x in of_round} == said

        with self._lock:
            self._learn([entry, *(r.site for r in receipts)])
            return self._once(actor or self._requester(request), ("Rounds", "recordRound", arguments), RoundRecorded, same)

    def release(
        self, request: str, model: str, folder: str = NOTHING, metrics: str = NOTHING, *, actor: str | None = None
    ) -> Released:
        """9 Release a model (digest of its weights): only what a recorded training round of this request gave.

        folder, metrics: digests of what is released with it (64 zeros for none). Released again with others, it is recorded
        again; with the same, the record of the first time is returned.
        """
        arguments = tuple(map(digest_bytes32, (request, model, folder, metrics)))
        with self._lock:
            for event in reversed(self.records(Released)):
                if (event.request, event.model, event.folder, event.metrics) == (request, model, folder, metrics):
                    return event
            return first_of(Released, self._act(actor or self._requester(request), [("Rounds", "release", arguments)]))

    # -- by a steward or a site, delivered by anybody

    def decide(self, decision: Decision) -> Decided:
        """6 Deliver a steward's signed decision. A denial is final, an approval can only be withdrawn by a denial.

        Delivered again, the decision that counts gives its record; one that was withdrawn since is refused.
        """
        d = decision
        said = (d.request, d.site, d.steward, d.approved, d.rounds, d.expires, d.reason_digest)

        def counts(e: Decided) -> bool:
            of_site = [x for x in self.records(Decided) if (x.request, x.site) == (e.request, e.site)]
            same = (e.request, e.site, e.actor, e.approved, e.rounds, e.expires, e.reason_digest) == said
            return same and e == of_site[-1]

        return self._once(
            RELAY,
            ("Requests", "decideBySig", (tuple(decision_message(d).values()), as_signature(d.signature))),
            Decided,
            counts,
        )

    def anchor(self, anchor: Mapping[str, Any]) -> Anchored:
        """Deliver a site's signed anchor {"stream", "from", "to", "root", "signature"} of its journal; rows without a gap."""
        message = anchor_message(anchor)
        return self._once(
            RELAY,
            ("Rounds", "anchor", (*message.values(), as_signature(anchor["signature"]))),
            Anchored,
            lambda e: (e.stream, e.first, e.last, e.root) == tuple(anchor[k] for k in ("stream", "from", "to", "root")),
        )

    def anchor_study(self, study: str, first: int, last: int, root: str, *, actor: str = RESEARCHER) -> StudyAnchored:
        """Anchor rows `first` to `last` of a study's own journal, sent by its researcher; rows without a gap.

        study: id of the study (64 hex characters), of one's own choosing: two researchers cannot meet.
        """
        return self._once(
            actor,
            ("Rounds", "anchorStudy", (digest_bytes32(study), first, last, digest_bytes32(root))),
            StudyAnchored,
            lambda e: (e.actor, e.study, e.first, e.last, e.root) == (self.keys.address(actor), study, first, last, root),
        )

    def study_anchored(self, study: str, researcher: str) -> int:
        """The last row of the journal of a researcher's (address) study that is anchored; 0 if none is."""
        return int(self._ask("Rounds", "lastStudyRow", researcher, digest_bytes32(study)))

    def status(self, request: str, site: str) -> str:
        """How far a request has come at a site: one of `STATUS`."""
        return STATUS[self._ask("Requests", "statusOf", digest_bytes32(request), name_id(site))]

    def anchored(self, stream: str) -> int:
        """The last row of a site's journal that is anchored; 0 if none is."""
        return int(self._ask("Rounds", "lastRow", name_id(stream)))

    def _requester(self, request: str) -> str:
        """The actor of the keyring who submitted a request."""
        address = str(self._ask("Requests", "researcherOf", digest_bytes32(request)))
        return self.keys.find(address) or RESEARCHER
