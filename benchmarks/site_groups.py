"""Benchmarks of a site: its rules, its findings, the way of a request, and its workers; see `groups`."""

from __future__ import annotations

import statistics
import sys

from groups import FLOATS
from measured import Measured, last_json


def policy() -> list[Measured]:
    """All rules of the strict preset over one call and its result, signatures of two stewards checked, beside the limit."""
    found = last_json([sys.executable, "benchmarks/policy_rules.py"], OMP_NUM_THREADS="1")
    return [
        Measured(
            "policy_ms",
            found["ms"],
            "ms CPU",
            "python benchmarks/run.py --only policy",
            1.0,
            "limit",
            f"submits, admits and releases of {found['rules']} rules, {found['recent']:,} executions on record, "
            f"{found['numbers']} numbers; median of {found['repeats']:,}, 95th percentile {found['p95']:.2f} ms; a table of "
            f"{found['rows']} rows is protected in {found['protect_ms']:.2f} ms more",
        )
    ]


def findings() -> list[Measured]:
    """The static look at a request of 300 lines, and its comparison by meaning with the version before, beside the limit."""
    found = last_json([sys.executable, "benchmarks/findings_speed.py"], OMP_NUM_THREADS="1")
    again = "python benchmarks/run.py --only findings"
    of = f"the shipped training request with fedkit's own functions written out in it, {found['lines']} lines, CPU"
    return [
        Measured(
            "findings_ms",
            found["ms"],
            "ms",
            again,
            200.0,
            "limit",
            f"{of}; {found['findings']} findings; median of {found['repeats']}, 95th percentile {found['p95']:.0f} ms",
        ),
        Measured(
            "changes_ms",
            found["changes_ms"],
            "ms",
            again,
            200.0,
            "limit",
            f"{of}; {found['changes']} changes; median of {found['repeats']}, 95th percentile {found['changes_p95']:.0f} ms",
        ),
    ]


def approvals() -> list[Measured]:
    """A day of 50 requests at one site: which share of people's decisions standing approvals save, beside the limit."""
    found = last_json([sys.executable, "benchmarks/replayed_day.py"], OMP_NUM_THREADS="1")
    now, before = found["with"], found["without"]
    return [
        Measured(
            "approvals_saved_share",
            found["saved"],
            "share of decisions by people",
            "python benchmarks/run.py --only approvals",
            0.8,
            "limit (at least)",
            f"{before['person']} decisions by people without, {now['person']} with; {now['automatic']} automatic, "
            f"{found['unsafe']} of them unsafe; {now['refused']} refused before anybody saw them",
        )
    ]


def request_path(times: int = 15) -> list[Measured]:
    """A fresh request, its approval and its first execution, with all checks, beside stock PySyft; a process for each."""
    one_core = {"OMP_NUM_THREADS": "1"}

    def seconds(script: str, *words: str, isolation: str, times: int) -> list[float]:
        command = [sys.executable, f"benchmarks/{script}", *words, "--times", str(times), "--isolation", isolation]
        return list(last_json(command, **one_core)["seconds"])

    ours = seconds("fedkit_requests.py", "path", isolation="process", times=times)
    theirs = seconds("pysyft_requests.py", isolation="process", times=times)
    ours_inside = statistics.median(seconds("fedkit_requests.py", "path", isolation="in-process", times=times))
    theirs_inside = statistics.median(seconds("pysyft_requests.py", isolation="in-process", times=times))
    return [
        Measured(
            "request_path_vs_pysyft",
            statistics.median(ours),
            "s",
            "python benchmarks/run.py --only request_path",
            statistics.median(theirs),
            "stock PySyft 0.9.5 over HTTP",
            f"one server process each, sessions open, a function that nobody has seen each time, median of {times}; fedkit's "
            "has findings, a rehearsal, a signed decision, all rules, two confined workers, contract, receipt and journal in "
            f"it; range {min(ours):.2f}–{max(ours):.2f}, PySyft {min(theirs):.2f}–{max(theirs):.2f}, of which most fetches "
            "its list of calls anew. In one process, which is no boundary: fedkit "
            f"{ours_inside:.2f} s, PySyft {theirs_inside:.2f} s",
        )
    ]


def site_runs(times: int = 50) -> list[Measured]:
    """What a warm confined worker adds to a call, and what PySyft's storage grows by with each round."""
    one_core = {"OMP_NUM_THREADS": "1"}
    again = "python benchmarks/run.py --only site_runs"
    warm = last_json([sys.executable, "benchmarks/fedkit_requests.py", "worker", "--times", str(times)], **one_core)
    grown = last_json([sys.executable, "benchmarks/fedkit_requests.py", "growth", "--times", str(times)], **one_core)
    return [
        Measured(
            "warm_worker_ms",
            warm["weights"] - warm["weights_direct"],
            "ms",
            again,
            30.0,
            "limit",
            f"a call with {FLOATS:,} floats in and out, less the same function called directly, medians of {times}; with "
            f"numbers only {warm['count'] - warm['count_direct']:.2f} ms",
        ),
        Measured(
            "pysyft_growth_bytes_per_round",
            grown["bytes_per_round"],
            "bytes",
            again,
            None,
            "",
            f"database and blobs of a site's PySyft, checkpointed, after {times} rounds ({grown['before']:,.0f} bytes) and "
            f"after {times} more; one process per site",
        ),
    ]
