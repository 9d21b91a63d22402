"""Averages, computed again from the sites' own weights, where the bundle holds them (part of check 13).

The researcher averages, so nobody but the researcher signs for an average: a false one shows only here. The averaging is the
one that the request names (`settings["strategy"]`), which the stewards signed. Written apart from `fedkit.federation`, on
purpose.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fedkit.audit.acts import HOLDER, Found
from fedkit.audit.evidence import Evidence
from fedkit.audit.report import Finding
from fedkit.audit.rules import Ran, Replay
from fedkit.audit.small_updates import unpacked
from fedkit.digests import digest_bytes

if TYPE_CHECKING:
    import numpy as np

_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1"}

#: How far a weight may be from the one computed here: the order of a sum changes its last bits.
TOLERANCE = 1e-6


def recompute(evidence: Evidence, replay: Replay, found: Found) -> int:
    """Compute every average of the request whose weights are all in the bundle; returns how many there were."""
    for name, data in evidence.weights.items():
        if digest_bytes(data) != name:
            found[13].append(Finding(f"weights/{name[:12]}", "is not what its name says", HOLDER))
    if evidence.request.secure_sum is not None:
        return 0  # what left the sites is under masks, and only sums were ever opened
    strategy = evidence.request.settings.get("strategy", {"kind": "fedavg"})
    if not isinstance(strategy, Mapping) or strategy.get("kind") not in ("fedavg", "fedprox"):  # they average alike
        return 0
    numbers = {receipt.numbers_digest: receipt.numbers for receipt in evidence.receipts}
    by_round: dict[tuple[str, bytes, int], list[Ran]] = defaultdict(list)
    for ran in replay.executions if evidence.weights else ():
        by_round[ran.request, ran.entry, ran.round].append(ran)
    count = 0
    for done in replay.rounds:
        runs = by_round[done.request, done.entry, done.number]
        needed = {done.inputs, done.aggregate, *(r.outputs for r in runs)}
        if done.kind != "AVERAGED" or done.request != evidence.request.digest or not needed <= evidence.weights.keys():
            continue
        count += 1
        try:
            arrays = {name: read_tensors(evidence.weights[name]) for name in needed}
            weights = [_weight(numbers.get(r.numbers, {}), strategy, evidence.names(r.site)) for r in runs]
            updates = [unpacked(arrays[done.inputs], arrays[r.outputs], evidence.request.settings) for r in runs]
            mean = average(arrays[done.inputs], updates, weights, strategy)
            fits = _near(mean, arrays[done.aggregate])
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            found[13].append(Finding(done.where, f"round {done.number} holds weights that cannot be averaged", HOLDER))
            continue
        if not fits:
            what = f"the result of round {done.number} is not the average of the sites' weights"
            found[13].append(Finding(done.where, what, "the researcher, who computes it"))
    return count


def average(
    start: Mapping[str, np.ndarray],
    updates: Sequence[Mapping[str, np.ndarray]],
    weights: Sequence[float],
    strategy: Mapping[str, Any],
) -> dict[str, np.ndarray]:
    """Start plus the weighted mean of the changes, times the server's rate (McMahan et al. 2017; Reddi et al. 2021).

    With "rows" of "touched", a row of a matrix is averaged over those updates that changed it.
    """
    import numpy as np

    rate, touched = float(strategy.get("server_rate", 1.0)), strategy.get("rows") == "touched"
    result = {}
    for name, before in start.items():
        changes = np.stack([update[name].astype(np.float64) - before for update in updates])
        share = np.asarray(weights, dtype=np.float64).reshape(-1, *[1] * before.ndim)
        if touched and before.ndim == 2:
            share = share * np.any(changes != 0, axis=2, keepdims=True)
        mass = np.broadcast_to(share, changes.shape).sum(axis=0)
        total = (share * changes).sum(axis=0)
        result[name] = before + rate * np.divide(total, mass, out=np.zeros_like(total), where=mass > 0)
    return result


def read_tensors(data: bytes) -> dict[str, np.ndarray]:
    """The arrays in safetensors bytes: 8 bytes of length, a JSON header, the numbers. Raises ValueError for anything else."""
    import numpy as np

    size = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    header.pop("__metadata__", None)
    arrays = {}
    for name, row in header.items():
        first, last = row["data_offsets"]
        arrays[name] = np.frombuffer(body[first:last], dtype=_TYPES[row["dtype"]]).reshape(row["shape"])
    return arrays


def _weight(numbers: Mapping[str, float], strategy: Mapping[str, Any], site: str) -> float:
    weighting = strategy.get("weighting", "notes")
    if weighting in ("equal", "given"):
        return 1.0 if weighting == "equal" else float(strategy["shares"][site])
    return math.sqrt(float(numbers["notes"])) if weighting == "sqrt" else float(numbers["notes"])


def _near(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> bool:
    import numpy as np

    return one.keys() == other.keys() and all(
        one[name].shape == other[name].shape and bool(np.allclose(one[name], other[name], rtol=TOLERANCE, atol=TOLERANCE))
        for name in one
    )


def check_numbers(evidence: Evidence, replay: Replay, found: Found) -> None:
    """Part of check 12: the receipts in the history, with their numbers, are those on the ledger."""
    on_ledger = {(r.request, evidence.names(r.site), evidence.names(r.entry), r.round, r.numbers) for r in replay.executions}
    for receipt in evidence.receipts:
        key = (receipt.request, receipt.site, receipt.entry, receipt.round, receipt.numbers_digest)
        if key not in on_ledger or not receipt.numbers_fit():
            where = f"rounds.json, {receipt.site}, {receipt.entry} {receipt.round}"
            found[12].append(Finding(where, "numbers that no receipt on the ledger covers", f"the researcher, or {HOLDER}"))
