"""Steady rounds of fedkit with code that trains nothing: what a round costs beyond training.

    python benchmarks/fedkit_rounds.py --rounds 12

The whole path of every round: the call signed and checked, PySyft's own call with its output policy, the gate's digests and
counts, the confined worker with the notes, the output contract, the site's signed receipt and journal, weights by the channel,
averaging, checkpoint on disk, and the round with five receipts on the ledger. Five sites in this process, or with
--isolation process in one process each.
Prints one JSON object: seconds of every round after the first, which starts the workers.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np

import fedkit
from fedkit.environment import environment_digest
from fedkit.federation.parameters import encode
from fedkit.federation.rounds import RoundPlan, run_rounds
from fedkit.federation.strategies import FedAvg
from fedkit.study.training import RoundBridge  # what Study.run uses

SOURCE = '''"""A round without training: the weights go back as they came."""


def train_round(notes, weights, settings):
    """Return the given weights, and how many training notes there are."""
    return {"tensors": weights, "numbers": {"notes": float(len(notes.train))}}
'''


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=12, help="measured rounds")
    parser.add_argument("--arrays", type=int, default=36)
    parser.add_argument("--floats", type=int, default=898_596)
    parser.add_argument("--cores", type=int, default=2, help="sites at work at the same time")
    parser.add_argument("--isolation", choices=("in-process", "process"), default="in-process")
    options = parser.parse_args()
    parts = np.array_split(np.random.default_rng(0).standard_normal(options.floats, dtype=np.float32), options.arrays)
    weights = {f"w{i:02}": part for i, part in enumerate(parts)}
    with (
        tempfile.TemporaryDirectory(prefix="fedkit-bench-") as folder,
        fedkit.launch("bench", Path(folder, "home"), isolation=options.isolation) as federation,
    ):
        study = fedkit.Study(federation, Path(folder, "run"))
        approve(study, weights, options.rounds + 1)
        bridge = RoundBridge(study)
        ends: list[float] = []

        def told(event: object) -> None:
            bridge.told(event)  # records the round on the ledger
            if event.kind == "aggregated":
                ends.append(time.perf_counter())

        result = run_rounds(
            RoundPlan(rounds=options.rounds + 1, parallel=options.cores, name=study.requested().digest),
            weights,
            study.approved_sites(),
            bridge.execute,
            FedAvg(weighting="equal"),
            folder=study.folder / "training",
            on_event=told,
        )
        assert all(np.allclose(result.parameters[n], weights[n], atol=1e-6) for n in weights), "the average is another"
        sites = len(federation.sites)
        study.close()
    print(json.dumps({"rounds": [b - a for a, b in pairwise(ends)], "sites": sites}))
    return 0


def approve(study: fedkit.Study, weights: dict[str, np.ndarray], rounds: int) -> None:
    """Steps 1 to 6 for the code above, at every site."""
    contract = fedkit.OutputContract({n: a.shape for n, a in weights.items()}, {"notes": (0.0, 1e9)})
    purpose = "Measure what a round costs beyond training"
    until = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    study.code_request = fedkit.CodeRequest(
        title="Overhead of a round",
        purpose=purpose,
        researcher=study.federation.researcher,
        permit=fedkit.DataPermit("bench", purpose, ("notes",), until),
        dataset="notes",
        source=SOURCE,
        environment=environment_digest(),
        entries=(fedkit.Entry("train_round", rounds, contract),),
        settings={"labels": [], "rounds": rounds},
    )
    study.federation.ledger.issue_permit(study.code_request.permit, [study.federation.researcher])
    study.federation.ledger.submit(study.code_request, study.sites)
    start = encode(weights)
    for site in study.sites:
        session = study.session(site, "researcher")
        rehearsal = session.rehearse(study.code_request, "train_round", session.put(start))
        assert rehearsal.error is None, rehearsal.error
        session.submit(study.code_request, [rehearsal])
        study.decide(site, approved=True)


if __name__ == "__main__":
    sys.exit(main())
