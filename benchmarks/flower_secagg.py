"""One round of Flower's SecAgg+ for weights of a given size: the work of all clients and of the server, without any messages.

    .venv-bench/bin/python benchmarks/flower_secagg.py --sites 5

Runs in its own environment (requirements-flower.lock). The client stages are Flower's own functions (`secaggplus_mod`); what
the server does between them follows `secaggplus_workflow` line by line. Prints one JSON object: seconds of each round, bytes.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
from flwr.client.mod.secure_aggregation.secaggplus_mod import (
    SecAggPlusState,
    _collect_masked_vectors,
    _setup,
    _share_keys,
    _unmask,
)
from flwr.common import bytes_to_ndarray, ndarrays_to_parameters
from flwr.common.secure_aggregation.crypto.shamir import combine_shares
from flwr.common.secure_aggregation.ndarrays_arithmetic import (
    factor_extract,
    get_parameters_shape,
    parameters_addition,
    parameters_mod,
    parameters_subtraction,
)
from flwr.common.secure_aggregation.quantization import dequantize
from flwr.common.secure_aggregation.secaggplus_constants import Key
from flwr.common.secure_aggregation.secaggplus_utils import pseudo_rand_gen

#: SecAggPlusWorkflow's defaults.
CLIPPING, TARGET, MODULUS, WEIGHT = 8.0, 2**22, 2**32, 1000.0


def one_round(updates: dict[int, list[np.ndarray]], threshold: int) -> tuple[list[np.ndarray], int]:
    """The average of the updates, and the bytes that one client sends in the stage of masked vectors."""
    names = list(updates)
    states = {name: SecAggPlusState(nid=name) for name in names}
    settings = {
        Key.SAMPLE_NUMBER: len(names),
        Key.SHARE_NUMBER: len(names),
        Key.THRESHOLD: threshold,
        Key.CLIPPING_RANGE: CLIPPING,
        Key.TARGET_RANGE: TARGET,
        Key.MOD_RANGE: MODULUS,
        Key.MAX_WEIGHT: WEIGHT,
    }
    keys = {name: _setup(states[name], settings) for name in names}
    public = {str(name): [k[Key.PUBLIC_KEY_1], k[Key.PUBLIC_KEY_2]] for name, k in keys.items()}
    shared: dict[int, Any] = {name: _share_keys(states[name], dict(public)) for name in names}
    total, size = None, 0
    for name in names:
        sealed = [(s, t) for s, sent in shared.items() for d, t in _addressed(sent) if d == name]
        given = {Key.CIPHERTEXT_LIST: [text for _, text in sealed], Key.SOURCE_LIST: [source for source, _ in sealed]}
        sent = _collect_masked_vectors(states[name], given, 1000, ndarrays_to_parameters(updates[name]))
        size = sum(len(data) for data in sent[Key.MASKED_PARAMETERS])
        vector = [bytes_to_ndarray(data) for data in sent[Key.MASKED_PARAMETERS]]
        total = vector if total is None else parameters_addition(total, vector)
    masked = parameters_mod(total, MODULUS)
    shares: dict[int, list[bytes]] = {name: [] for name in names}
    for name in names:
        given = _unmask(states[name], {Key.ACTIVE_NODE_ID_LIST: names, Key.DEAD_NODE_ID_LIST: []})
        for owner, share in zip(given[Key.NODE_ID_LIST], given[Key.SHARE_LIST], strict=True):
            shares[owner].append(share)
    for several in shares.values():
        seed = combine_shares(several)
        masked = parameters_subtraction(masked, pseudo_rand_gen(seed, MODULUS, get_parameters_shape(masked)))
    ratio, whole = factor_extract(parameters_mod(masked, MODULUS))
    average = dequantize(whole, CLIPPING, TARGET)
    for array in average:
        array += -(len(names) - 1) * CLIPPING
        array *= TARGET / ratio
    return average, size


def _addressed(sent: dict[str, Any]) -> list[tuple[int, bytes]]:
    return list(zip(sent[Key.DESTINATION_LIST], sent[Key.CIPHERTEXT_LIST], strict=True))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--arrays", type=int, default=36)
    parser.add_argument("--floats", type=int, default=898_596)
    options = parser.parse_args()
    random = np.random.default_rng(0)
    made = {
        n: np.array_split(random.standard_normal(options.floats, dtype=np.float32), options.arrays)
        for n in range(options.sites)
    }
    seconds, size = [], 0
    for _ in range(options.rounds + 1):
        began = time.perf_counter()
        average, size = one_round(made, 2 * options.sites // 3 + 1)
        seconds.append(time.perf_counter() - began)
    right = np.mean([np.concatenate(arrays) for arrays in made.values()], axis=0)
    error = float(np.abs(np.concatenate(average) - right).max())
    assert error < 1e-3, f"the average is off by {error}"
    print(json.dumps({"seconds": seconds[1:], "bytes": size, "error": error}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
