"""Steps 7 and 8 over a federation: the rounds at the sites that approved, each on the ledger, and the scores at the end.

It ties `federation.rounds` (which knows no site) to the Site seam and the ledger. Weights go to a site by its channel, named by
digest; the site's signed receipt names what came back, and only bytes with that digest are used.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from fedkit.digests import digest_bytes
from fedkit.errors import DigestMismatch, FedkitError
from fedkit.federation.checkpoint import RoundRecord
from fedkit.federation.compression import codec_for, restored
from fedkit.federation.parameters import Parameters, decode, encode
from fedkit.federation.participation import Participation
from fedkit.federation.rounds import Execution, RoundEvent, RoundPlan, RoundsResult, read_history, run_rounds
from fedkit.federation.strategies import strategy_for
from fedkit.governance.decision import NOTHING, Receipt
from fedkit.ner.metrics import Counts, from_numbers, micro
from fedkit.ner.tasks import initial_parameters
from fedkit.study.budgets import pay
from fedkit.study.evidence import tell_round
from fedkit.study.runs import TRAINING
from fedkit.study.secure_sums import SecureSums

if TYPE_CHECKING:
    from fedkit.notes.corpus import Corpus
    from fedkit.study.study import Study


def train(study: Study, stop: threading.Event | None = None) -> RoundsResult:
    """Run what is missing of the rounds, then evaluate the last weights at each site; see `Study.run`."""
    request, sites = study.requested(), study.approved_sites()
    bridge = RoundBridge(study)
    sums = SecureSums(study, request) if request.secure_sum is not None else None
    # A crash may fall between a round's checkpoint and its record on the ledger: both acts are idempotent, so repeat.
    for record in read_history(study.folder / TRAINING):
        bridge.record(record)
    settings = request.settings
    if sums is not None:
        sums.agree(sites)
    result = run_rounds(
        RoundPlan(rounds=settings["rounds"], name=request.digest, who=Participation.of(settings)),
        initial_parameters(settings),
        sums.group.sites if sums is not None else sites,
        bridge.execute,
        strategy_for(settings),
        folder=study.folder / TRAINING,
        on_event=bridge.told,
        stop=stop,
        sums=sums,
        late=bridge.late,
    )
    if not result.stopped:
        # Under masks a site may have left in the meantime; without them every site of the last round is still there.
        bridge.evaluate(study.approved_sites() if sums is not None else sites, result.parameters)
    return result


def score(study: Study, corpus: Corpus, baselines: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The table of scores as data, from the counts that the sites sent: `{"sites": [...], "mean": {...}, "labels": [...]}`.

    baselines: `{"local": {site: f1}, "pooled": {site: f1}}`, or None; what was not measured is None. F1 is in 0 … 1: micro over
    the labels at each site, and the mean over sites. Raises KeyError before the evaluation ran.
    """
    labels = study.requested().settings["labels"]
    evaluation: Mapping[str, Mapping[str, float]] = study.run_folder.read("evaluation")
    counts = {site: from_numbers(numbers, labels, "test") for site, numbers in evaluation.items()}
    known = baselines or {}
    rows = [
        {
            "site": name,
            "title": notes.title,
            "language": notes.language,
            "notes": len(notes.train),
            "local": known.get("local", {}).get(name),
            "pooled": known.get("pooled", {}).get(name),
            "federated": micro(counts[name]).f1 if name in counts else None,
        }
        for name, notes in corpus.sites.items()
    ]
    totals = {label: sum((c[label] for c in counts.values()), Counts()) for label in labels}
    return {
        "sites": rows,
        "mean": {kind: _mean([row[kind] for row in rows]) for kind in ("local", "pooled", "federated")},
        "labels": [
            {"label": label, "precision": c.precision, "recall": c.recall, "f1": c.f1, "support": c.tp + c.fn}
            for label, c in totals.items()
        ],
    }


class RoundBridge:
    """From the loop's calls to a site's session, and from its events to the study and the ledger."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.request = study.requested()
        self._codec = codec_for(self.request.settings)
        self._wire: tuple[int, bytes] | None = None
        self._lock = threading.Lock()

    def execute(self, site: str, entry: str, number: int, weights: Parameters) -> Execution:
        session = self.study.session(site, "researcher")
        receipt = session.execute(self.request.digest, entry, number, session.put(self._encoded(weights)))
        if receipt.outputs == NOTHING:
            return Execution({}, dict(receipt.numbers), receipt.to_json())
        data = session.get(receipt.outputs)
        if digest_bytes(data) != receipt.outputs:
            raise DigestMismatch(
                f"{site} gave other weights than its receipt names", expected=receipt.outputs[:12], got=digest_bytes(data)[:12]
            )
        parameters = decode(data)
        if self._codec is not None:
            parameters = restored(self._codec, weights, parameters)
        return Execution(parameters, dict(receipt.numbers), receipt.to_json(), len(data))

    def evaluate(self, sites: list[str], weights: Parameters) -> None:
        """One evaluation at each site, recorded as one; the counts go to `evaluation.json`."""
        stored = self.study.run_folder.read("evaluation")
        if stored is not None:
            return
        done = {site: self.execute(site, "evaluate", 1, weights) for site in sites}
        inputs = digest_bytes(self._encoded(weights))
        receipts = [Receipt.from_json(done[site].receipt) for site in sites]
        pay(self.study, receipts)
        self.study.federation.ledger.record_round(self.request.digest, "evaluate", 1, "EVALUATED", inputs, inputs, receipts)
        tell_round(self.study, "evaluate", 1, "EVALUATED", inputs, inputs, receipts)
        self.study.run_folder.write("evaluation-receipts", [receipt.to_json() for receipt in receipts])
        self.study.run_folder.write("evaluation", {site: dict(result.numbers) for site, result in done.items()})
        self.study.say(8, "the last weights are evaluated on every site's test notes")

    def late(self, site: str) -> None:
        """End what a site still computes for a round that went on without it. Another thread waits for it in the study's
        session there; the next round has one of its own."""
        self.study.let_go(site)
        with suppress(FedkitError), closing(self.study.federation.login(site, self.study.user)) as session:
            session.cancel(self.request.digest)

    def told(self, event: RoundEvent) -> None:
        """The loop's events, said under the study's numbers."""
        total = self.request.settings["rounds"]
        if event.kind == "aggregated" and event.record is not None:
            self.record(event.record)
            f1 = self.curve_point(event.record)
            how = "passed from site to site" if event.record.sequential else "averaged"
            self.study.say(
                8,
                f"round {event.round} of {total} {how} in {event.seconds:.1f} s"
                + (f", mean F1 of the weights that came in {100 * f1:.1f}" if f1 is not None else "")
                + (f", {max(sizes) / 1e6:.2f} MB from a site" if (sizes := event.record.bytes.values()) else ""),
                event="round",
                round=event.round,
                rounds=total,
                seconds=event.seconds,
                f1=f1,
            )
        elif event.kind == "site-failed":
            self.study.say(7, f"round {event.round} failed: {event.message}", site=event.site)
        elif event.kind in ("resumed", "stopped"):
            self.study.say(7, f"{event.kind} at round {event.round}. {event.message}".strip())
        self.study.training_event(event)

    def record(self, record: RoundRecord) -> None:
        """Put a complete round on the ledger; a second time returns the first record."""
        receipts = [Receipt.from_json(row) for row in record.receipts]
        kind = "SEQUENTIAL" if record.sequential else "AVERAGED"
        pay(self.study, receipts)
        self.study.federation.ledger.record_round(
            self.request.digest, "train_round", record.round, kind, record.before, record.aggregate, receipts
        )
        tell_round(self.study, "train_round", record.round, kind, record.before, record.aggregate, receipts)

    def curve_point(self, record: RoundRecord) -> float | None:
        """Mean over the sites of the development F1 of the weights that came into this round."""
        labels = self.request.settings["labels"]
        return _mean([micro(from_numbers(numbers, labels, "dev")).f1 for numbers in record.sites.values()])

    def _encoded(self, weights: Parameters) -> bytes:
        """The wire form; in an averaging round all sites get the same object, so it is made once."""
        with self._lock:
            if self._wire is None or self._wire[0] != id(weights):
                self._wire = (id(weights), encode(weights))
                self._held = weights  # keeps the id from being used again
            return self._wire[1]


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
