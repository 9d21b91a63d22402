"""What fedkit takes for requests and runs at a site, in three parts:

    python benchmarks/fedkit_requests.py path --times 20       a fresh request, its approval and its first execution
    python benchmarks/fedkit_requests.py worker --times 50     a call to a warm worker, and the same function called directly
    python benchmarks/fedkit_requests.py growth --times 50     bytes that PySyft's storage grows by with each round

path: with all that fedkit does on the way: findings, rehearsal on the mock twin in a confined worker, the steward's EIP-712
signature and its check, every rule, the charge, the private notes in a confined worker, the output contract, the signed receipt
and the journal on the disk. The function and the notes are those of pysyft_requests.py. Sessions are open, and the first time,
which also starts what is started late, does not count. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

import fedkit
from fedkit.environment import environment_digest
from fedkit.governance.decision import Decision
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest, DataPermit, Entry
from fedkit.notes.corpus import read_corpus
from fedkit.sites.base import Site
from fedkit.sites.inside import NoteSet
from fedkit.sites.launch import Federation
from fedkit.sites.store import DuckDBNoteStore, read_rows
from fedkit.sites.worker import WorkerPool

SITE = "no"
SAMPLES = Path(__file__).resolve().parent.parent / "data_samples"

COUNT = '''"""How many notes and spans there are."""


def count(notes, weights, settings):
    """Two numbers."""
    return {"numbers": {"notes": len(notes.train), "spans": sum(len(note.spans) for note in notes.train)}}
'''
WEIGHTS = '''"""The weights go back as they came."""


def count(notes, weights, settings):
    """A round without training."""
    return {"tensors": weights, "numbers": {"notes": len(notes.train)}}
'''


def request(federation: Federation, executions: int) -> CodeRequest:
    return CodeRequest(
        title="Count",
        purpose="to measure",
        researcher=federation.researcher,
        permit=DataPermit("permit-bench", "to measure", ("notes",), "2099-01-01"),
        dataset="notes",
        source=COUNT,
        environment=environment_digest(),
        entries=(Entry("count", executions, OutputContract({}, {"notes": (0, 10_000), "spans": (0, 1_000_000)})),),
        settings={"study": secrets.token_hex(8)},
    )


def approve(federation: Federation, steward: Site, asked: CodeRequest) -> None:
    key = f"steward-{SITE}"
    decision = Decision(
        request=asked.digest,
        site=SITE,
        approved=True,
        rounds=asked.entries[0].executions,
        expires=int(time.time()) + 3600,
        reason="",
        reason_digest=steward.reason_digest(""),
        steward=federation.keys.address(key),
    )
    steward.decide(federation.keys.sign_decision(key, decision, federation.ledger.domain))


def path(times: int, isolation: str, folder: Path) -> dict[str, list[float]]:
    with fedkit.launch("bench", folder, corpus=SAMPLES, isolation=isolation) as federation:
        researcher, steward = federation.login(SITE, "researcher"), federation.login(SITE, "steward")
        whole, executions = [], []
        for _ in range(times + 1):
            asked = request(federation, 1)
            began = time.perf_counter()
            researcher.submit(asked)
            approve(federation, steward, asked)
            approved = time.perf_counter()
            receipt = researcher.execute(asked.digest, "count", 1)
            assert receipt.numbers["notes"] == 600, "another result"
            whole.append(time.perf_counter() - began)
            executions.append(time.perf_counter() - approved)
    return {"seconds": whole[1:], "executions": executions[1:]}


def worker(times: int, folder: Path) -> dict[str, float]:
    """Milliseconds of a call to a warm worker and of the function alone, medians; counting, and with 3.6 MB of weights."""
    store = DuckDBNoteStore(folder / "notes.duckdb")
    store.load(read_corpus(SAMPLES).sites[SITE])
    notes = NoteSet(read_rows(store.path))
    weights = {"w": np.random.default_rng(0).standard_normal(898_596, dtype=np.float32)}
    found = {}
    with WorkerPool() as pool:
        for name, source, given in (("count", COUNT, None), ("weights", WEIGHTS, weights)):
            space: dict[str, Any] = {}
            exec(source, space)
            call = {"source": source, "entry": "count", "store": store.path, "view": "private", "settings": {}, "key": name}
            warm, direct = [], []
            for _ in range(times + 1):
                began = time.perf_counter()
                pool.run(**call, weights=given)
                between = time.perf_counter()
                space["count"](notes, given, {})
                warm.append(between - began)
                direct.append(time.perf_counter() - between)
            found[name] = 1000 * statistics.median(warm[1:])
            found[f"{name}_direct"] = 1000 * statistics.median(direct[1:])
    return found


def growth(times: int, folder: Path) -> dict[str, float]:
    """Bytes on disk of PySyft's database and blobs, after as many rounds again."""
    with fedkit.launch("bench", folder, corpus=SAMPLES, isolation="process") as federation:
        researcher, steward = federation.login(SITE, "researcher"), federation.login(SITE, "steward")
        asked = request(federation, 2 * times)
        researcher.submit(asked)
        approve(federation, steward, asked)
        sizes = []
        for first in (1, times + 1):
            for round in range(first, first + times):
                researcher.execute(asked.digest, "count", round)
            sizes.append(stored(folder / "sites" / SITE / "domain"))
    return {"before": sizes[0], "after": sizes[1], "bytes_per_round": (sizes[1] - sizes[0]) / times}


def stored(domain: Path) -> int:
    with closing(sqlite3.connect(domain / "site.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return sum(file.stat().st_size for file in domain.rglob("*") if file.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("path", "worker", "growth"))
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--isolation", choices=("in-process", "process"), default="process")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fedkit-bench-") as name:
        folder = Path(name)
        if options.part == "path":
            print(json.dumps(path(options.times, options.isolation, folder / "home")))
        elif options.part == "worker":
            print(json.dumps(worker(options.times, folder)))
        else:
            print(json.dumps(growth(options.times, folder / "home")))


if __name__ == "__main__":
    main()
