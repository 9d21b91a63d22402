"""A stand-in for training, exact and quick: each site moves the weights by an amount of its own.

Also a program, to be killed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from fedkit.federation.parameters import Parameters, digest_parameters
from fedkit.federation.rounds import Execution, RoundPlan, run_rounds
from fedkit.federation.strategies import FedAvg, SequentialStart

SITES = ("no", "sv", "da")
PLAN = RoundPlan(rounds=8, parallel=2, name="plan-a")
START = {"table": np.ones((4, 3), np.float32), "bias": np.zeros(3, np.float32)}


def train(site: str, entry: str, round: int, weights: Parameters) -> Execution:
    rng = np.random.default_rng([len(site), ord(site[0]), round])
    moved = {k: (v * np.float32(0.9) + rng.normal(size=v.shape).astype(np.float32)) for k, v in weights.items()}
    numbers = {"notes": 10.0 * ord(site[0]), "dev.tp.X": float(round), "dev.fp.X": 1.0, "dev.fn.X": 2.0}
    return Execution(moved, numbers, {"site": site, "entry": entry, "round": round, "inputs": digest_parameters(weights)})


def strategy() -> SequentialStart:
    return SequentialStart(3, FedAvg("sqrt"))


def slow(site: str, entry: str, round: int, weights: Parameters) -> Execution:
    time.sleep(0.02)
    return train(site, entry, round, weights)


if __name__ == "__main__":
    run_rounds(PLAN, START, SITES, slow, strategy(), folder=Path(sys.argv[1]))
