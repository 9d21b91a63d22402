"""One round of fedkit's secure aggregation for weights of a given size: the work of sites and study, without messages.

    python benchmarks/fedkit_secagg.py --sites 5

Everything that a round needs is counted: keys and shares for it too, which a study makes once for all its rounds. Prints one
JSON object: seconds of each round, bytes that one site sends, and bytes of the same weights as they are.
"""

from __future__ import annotations

import argparse
import json
import secrets
import time

import numpy as np

from fedkit.digests import digest
from fedkit.federation.parameters import Parameters, encode
from fedkit.federation.secure_aggregation.keys import Group, Secrets
from fedkit.federation.secure_aggregation.masking import Masking
from fedkit.federation.secure_aggregation.summands import from_vector, to_vector
from fedkit.federation.secure_aggregation.unmasking import unmask
from fedkit.federation.strategies import FedAvg, SiteUpdate


class Kept:
    """What a site keeps, here in memory."""

    def masked(self, round: int, digest: str) -> str:
        return digest

    def revealed(self, round: int, survivors: tuple[str, ...]) -> tuple[str, ...]:
        return survivors


def one_round(start: Parameters, updates: dict[str, Parameters]) -> tuple[Parameters, int]:
    """The average of the updates, and the bytes that one site sends."""
    strategy, group = FedAvg("equal"), Group.of(digest(secrets.token_hex()), list(updates))
    own = {site: Secrets(site, group, 1, secrets.token_bytes(32)) for site in group.sites}
    keys = {site: mine.public for site, mine in own.items()}
    sealed = {site: Masking(mine, keys, {}, Kept()).for_others() for site, mine in own.items()}
    sites = {s: Masking(own[s], keys, {other: sealed[other][s] for other in group.sites}, Kept()) for s in group.sites}
    masked = {}
    for site, update in updates.items():
        vector = to_vector(strategy, start, SiteUpdate(site, update, {}), len(group.sites))
        masked[site] = sites[site].mask(1, vector)
    opened = unmask(group, 1, masked, [site.reveal(1, group.sites) for site in sites.values()], keys)
    size = len(encode({"masked": masked[group.sites[0]]}))
    return from_vector(strategy, start, opened.total, len(group.sites)), size


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--arrays", type=int, default=36)
    parser.add_argument("--floats", type=int, default=898_596)
    options = parser.parse_args()
    random = np.random.default_rng(0)

    def weights() -> dict[str, np.ndarray]:
        parts = np.array_split(random.standard_normal(options.floats, dtype=np.float32), options.arrays)
        return {f"w{n:03d}": part for n, part in enumerate(parts)}

    start, made = weights(), {f"site{n}": weights() for n in range(options.sites)}
    seconds, size = [], 0
    for _ in range(options.rounds + 1):
        began = time.perf_counter()
        average, size = one_round(start, made)
        seconds.append(time.perf_counter() - began)
    error = max(float(np.abs(average[n] - np.mean([u[n] for u in made.values()], axis=0)).max()) for n in start)
    assert error < 1e-3, f"the average is off by {error}"
    print(json.dumps({"seconds": seconds[1:], "bytes": size, "plain": len(encode(start)), "error": error}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
