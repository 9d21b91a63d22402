"""FedProx (Li et al., "Federated optimization in heterogeneous networks", MLSys 2020): sites are held near where they began.

The server averages as in FedAvg. What differs is at the site: its loss has the term mu/2 · ‖w − w₀‖² on top, w₀ being the
weights that it was given, so that sites with many notes, or unlike ones, do not run away from the others within a round
(`fedkit.ner.training` adds it to the gradient). At mu = 0 it is FedAvg, bit for bit.
"""

from __future__ import annotations

import math
from typing import Any

from fedkit.errors import TrainingError
from fedkit.federation.strategies.fedavg import FedAvg


class FedProx(FedAvg):
    """mu: how strongly (the paper tries 0.001 to 1; default 0.01).   average: the options of `FedAvg`.

    Raises TrainingError for a mu that is below zero or not finite.
    """

    name = "fedprox"

    def __init__(self, mu: float = 0.01, **average: Any) -> None:
        super().__init__(**average)
        if isinstance(mu, bool) or not isinstance(mu, int | float) or not math.isfinite(mu) or mu < 0:
            raise TrainingError("no such proximal term", expected="a finite mu from 0", got=str(mu)[:20])
        self.mu = mu

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), "mu": self.mu}
