"""The recipe: the settings with which federated training comes within a point of pooled, and why each is as it is.

Measured by `benchmarks/names5.py` (five languages, 2,415 to 18,152 training sentences a site) and on `data_samples`.

- **Half an epoch a round.** Averages drift apart with every step between them: twelve rounds of half an epoch beat six of one,
  at the same number of words.
- **Every site counts alike.** Weighted by notes, the smallest site gains nothing over training alone; here a site is a language.
- **Rows of tables are averaged over the sites that touched them**, and the server goes one and a half times as far as the mean.
- **No sequential rounds.** They reach the same, and show one site's weights to the next. They stay an explicit choice.
"""

from __future__ import annotations

from typing import Any

RECIPE: dict[str, Any] = {
    "model": {"kind": "hash-cnn", "d": 64, "rows": 2048, "ngrams": 4096, "layers": 3, "dropout": 0.2, "masking": 0.0},
    "training": {"batch_words": 96, "lr": 3e-3, "epochs_per_round": 0.5},
    "rounds": 12,
    "sequential_rounds": 0,
    "strategy": {"kind": "fedavg", "weighting": "equal", "server_rate": 1.5, "rows": "touched"},
}

#: What the baselines do best with, of the grid in `benchmarks/names5.py`: training settings that differ from the recipe's.
BASELINES: dict[str, dict[str, Any]] = {"pooled": {}, "local": {}}
