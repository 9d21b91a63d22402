"""The recipe: every number that `benchmarks/names5.py` found to close the gap between federated and pooled training."""

from __future__ import annotations

from typing import Any

RECIPE: dict[str, Any] = {
    "model": {"kind": "hash-cnn", "d": 64, "rows": 2048, "ngrams": 4096, "layers": 3},
    "training": {"batch_words": 96, "lr": 4e-3, "epochs_per_round": 1.0},
    "rounds": 6,
    "sequential_rounds": 4,
    "strategy": {"kind": "fedavg", "weighting": "notes", "server_rate": 1.0, "rows": "touched"},
}

#: What the baselines do best with, of the grid in `benchmarks/names5.py`: training settings that differ from the recipe's.
BASELINES: dict[str, dict[str, Any]] = {"pooled": {}, "local": {}}
