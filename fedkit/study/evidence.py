"""What a study keeps of itself, and step 10: journals anchored, the head of the chain counter-signed, all of it in one bundle.

A study has a journal of its own beside those of the sites, in its folder: what it asked, what it recorded and released. Its
researcher anchors it; so a study cannot later tell of fewer rounds, or another release, than it kept track of at the time.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fedkit.digests import digest_bytes
from fedkit.errors import FedkitError
from fedkit.governance.decision import NOTHING, Decision, Receipt
from fedkit.governance.kinds import KINDS
from fedkit.ledger.blocks import raw_header
from fedkit.ledger.heads import MOST, SignedHead
from fedkit.ledger.registry import RESEARCHER
from fedkit.sites.journal import Journal
from fedkit.study.runs import TRAINING

if TYPE_CHECKING:
    from fedkit.federation.checkpoint import RoundRecord
    from fedkit.study.study import Study

#: The actor of the rows: a study's journal is kept by its researcher.
ACTOR = "researcher"


class StudyJournal:
    """The journal of one study, `journal.db` in its folder; opened when it is first needed, and again after `close`.

    An act that a resumed study repeats is told once.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: Journal | None = None

    @property
    def _journal(self) -> Journal:
        if self._open is None:
            self._open = Journal(self._folder / "journal.db")
        return self._open

    @property
    def id(self) -> str:
        """The study's name on the ledger: 64 random hex characters, which stand in its first row."""
        first = self._journal.rows(1, 1)
        return str(first[0]["fields"]["study"]) if first else ""

    def describe(self, sites: int) -> None:
        """The first row, or another one with the same id: a study that is described anew."""
        self._journal.append("study.described", ACTOR, study=self.id or secrets.token_hex(32), sites=sites)

    def tell(self, act: str, **fields: Any) -> None:
        """Write a row, unless it stands there already."""
        known = {name: value for name, value in fields.items() if value is not None}
        if not self.id:
            self.describe(0)
        if not self._journal.has(act, **known):
            self._journal.append(act, ACTOR, **known)

    def rows(self) -> list[dict[str, Any]]:
        """All rows, oldest first."""
        return self._journal.rows()

    def anchor(self, study: Study) -> None:
        """Anchor what is not anchored yet, as the study's researcher; also what a crash kept from the ledger."""
        if not self.id:
            return
        ledger = study.federation.ledger
        self._journal.close_batch()
        done, actor = ledger.study_anchored(self.id, study.address), ledger.keys.find(study.address) or RESEARCHER
        for first, last, root in self._journal.batches():
            if first > done:
                ledger.anchor_study(self.id, first, last, root, actor=actor)

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None


def tell_round(
    study: Study, entry: str, round: int, kind: str, inputs: str, aggregate: str, receipts: Sequence[Receipt]
) -> None:
    """Write a round that is on the ledger into the study's journal; the arguments are those of `Ledger.record_round`."""
    study.journal.tell(
        "round.aggregated",
        request=study.requested().digest,
        entry=entry,
        round=round,
        kind=kind.lower(),
        inputs=inputs,
        weights=aggregate,
        sites=len(receipts),
    )


def witness(study: Study, site: str) -> SignedHead:
    """Let a site counter-sign where the chain stands now; keeps the signed head in the study's folder, `heads.json`.

    The site is shown the headers since the head that it signed last. Raises LedgerError, from the site, if they do not lead
    on from there.
    """
    chain, session = study.federation.ledger.chain, study.session(site, "auditor")
    newest, signed = chain.head().number, session.head()
    start = min(signed.number + 1, newest) if signed is not None else newest
    while start <= newest:
        piece = range(start, min(start + MOST, newest + 1))
        signed = session.sign_head([raw_header(chain.block(number)) for number in piece])
        start = piece.stop
    assert signed is not None
    if signed.to_json() not in (study.run_folder.read("heads") or []):
        study.run_folder.add("heads", signed.to_json())
    return signed


def collect(study: Study, *, updates: bool = False) -> Path:
    """Anchor what is not anchored yet, have the head counter-signed, and write `evidence/`; returns it.

    updates: also the weights of the rounds: aggregates from the study's folder, and of the sites' own what they still have
        (those of the latest rounds), so that averages can be computed again; and the tables that the sites gave.
    """
    from fedkit.audit.approvals import used
    from fedkit.audit.evidence import export
    from fedkit.federation.rounds import read_history

    ledger = study.federation.ledger
    for name in study.sites:
        auditor = study.session(name, "auditor")
        while (anchor := auditor.anchor(after=ledger.anchored(name))) is not None:
            ledger.anchor(anchor)
    study.journal.anchor(study)
    for name in study.sites:
        witness(study, name)
    history = read_history(study.folder / TRAINING)
    journals = {name: study.session(name, "auditor").journal() for name in study.sites}
    standings = {name: [s.approval for s in study.session(name, "auditor").standings()] for name in study.sites}
    return export(
        study.folder / "evidence",
        ledger=ledger,
        journals=journals,
        standings=[approval for name in study.sites for approval in used(standings[name], journals[name])],
        study=study.journal.rows(),
        request=study.requested(),
        decisions=[Decision.from_json(row) for row in study.run_folder.read("decisions") or []],
        rounds=[*(record.to_json() for record in history), *_asked(study)],
        heads=[SignedHead.from_json(row) for row in study.run_folder.read("heads") or []],
        weights=_weights(study, history) if updates else None,
    )


def _asked(study: Study) -> Sequence[dict[str, Any]]:
    """The rounds that are no training: each question of a data request, or the one round of `_asked_once`."""
    if KINDS[study.requested().kind].questions:
        from fedkit.study.warehouse.evidence import rounds_of

        return rounds_of(study.run_folder)
    return [_asked_once(study)]


def _asked_once(study: Study) -> dict[str, Any]:
    """The round in which each site answers once: the evaluation of a training, or all that another request is."""
    request = study.requested()
    if request.kind == "training":
        return {"entry": "evaluate", "round": 1, "receipts": study.run_folder.read("evaluation-receipts") or []}
    closed = study.run_folder.read("result") is not None  # until then nothing of it is on the ledger
    return {
        "entry": request.entries[0].name,
        "round": 1,
        "receipts": (study.run_folder.read("answers") or []) if closed else [],
    }


def _weights(study: Study, history: list[RoundRecord]) -> dict[str, bytes]:
    """Digest → weights that averages are computed from, and what came of each round, as far as they are still there."""
    from fedkit.federation.parameters import encode
    from fedkit.federation.rounds import read_weights
    from fedkit.ner.tasks import initial_parameters

    found: dict[str, bytes] = {}
    for file in (study.folder / "answers").glob("*.safetensors"):
        found[file.stem] = file.read_bytes()
    for record in history:
        averaged = [] if record.sequential else record.receipts
        for digest in {record.aggregate, *([] if record.sequential else [record.before])} - found.keys():
            with suppress(FedkitError):
                found[digest] = read_weights(study.folder / TRAINING, digest)
        for receipt in averaged:
            if receipt["outputs"] != NOTHING:
                with suppress(FedkitError):  # a site lets go of old ones
                    found[receipt["outputs"]] = study.session(receipt["site"], "researcher").get(receipt["outputs"])
    if history and not history[0].sequential and history[0].before not in found:
        start = encode(initial_parameters(study.requested().settings))  # made from a seed, so they stand nowhere
        found[digest_bytes(start)] = start
    return found
