"""Steady rounds of Flower's simulation with clients that train nothing: what a round costs beyond training.

    .venv-bench/bin/python benchmarks/flower_rounds.py --sites 5 --rounds 12

Runs in its own environment (requirements-flower.lock). Plain FedAvg, no evaluation, Ray backend with one actor a core: Flower's
own quickest set-up for small clients. Prints one JSON object: seconds of every round after the first, which starts the actors.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from itertools import pairwise

import numpy as np

os.environ |= {"FLWR_TELEMETRY_ENABLED": "0", "RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}

from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg
from flwr.simulation import run_simulation

client = ClientApp()


@client.train()
def train(message: Message, context: Context) -> Message:
    """Return the weights as they came."""
    arrays = ArrayRecord(message.content["arrays"].to_numpy_ndarrays())
    return Message(RecordDict({"arrays": arrays, "metrics": MetricRecord({"num-examples": 1})}), reply_to=message)


class Timed(FedAvg):
    """FedAvg that notes when each round begins."""

    def __init__(self, sites: int) -> None:
        super().__init__(fraction_evaluate=0.0, min_train_nodes=sites, min_available_nodes=sites)
        self.began: list[float] = []

    def configure_train(self, *arguments: object, **named: object) -> object:
        self.began.append(time.perf_counter())
        return super().configure_train(*arguments, **named)  # type: ignore[arg-type]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=12, help="measured rounds")
    parser.add_argument("--arrays", type=int, default=36)
    parser.add_argument("--floats", type=int, default=898_596)
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    logging.getLogger("flwr").setLevel(logging.ERROR)
    weights = np.array_split(np.random.default_rng(0).standard_normal(options.floats, dtype=np.float32), options.arrays)
    result: dict[str, object] = {}
    server = ServerApp()

    @server.main()
    def serve(grid: Grid, context: Context) -> None:
        strategy = Timed(options.sites)
        answer = strategy.start(grid, ArrayRecord(weights), num_rounds=options.rounds + 1)
        ended = time.perf_counter()
        averaged = answer.arrays.to_numpy_ndarrays()
        assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(weights, averaged, strict=True)), "the average is another"
        times = [*strategy.began, ended]
        result["rounds"] = [b - a for a, b in pairwise(times[1:])]

    run_simulation(
        server,
        client,
        num_supernodes=options.sites,
        backend_config={
            "init_args": {"num_cpus": options.cores, "include_dashboard": False},
            "client_resources": {"num_cpus": 1, "num_gpus": 0},
        },
    )
    print(json.dumps(result))
    return 0 if result else 1


if __name__ == "__main__":
    sys.exit(main())
