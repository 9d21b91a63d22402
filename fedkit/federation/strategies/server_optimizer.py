"""Adaptive federated optimisation: FedAdagrad, FedAdam and FedYogi (Reddi et al., "Adaptive Federated Optimization", ICLR 2021,
algorithm 2): the mean change of a round is taken for a gradient, and a server's optimiser makes the step.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fedkit.errors import TrainingError
from fedkit.federation.parameters import Parameters
from fedkit.federation.strategies.base import SiteUpdate, SumStrategy

KINDS = ("fedadagrad", "fedadam", "fedyogi")

_MEAN, _SQUARE = "mean of ", "square of "


class ServerOptimizer(SumStrategy):
    """mean: how the sites' changes are averaged, with a server rate of 1.   kind: one of `KINDS`.

    rate: the server's (the paper's η, of which it tries 0.001 to 10).   beta1, beta2: 0.9 and 0.99, the paper's; beta2 is not
    used by FedAdagrad.   tau: how adaptive, the smaller the more (the paper's 1e-3).
    The moments are the state, two numbers for each weight, kept by the checkpoint and seen by nobody else. It needs the mean
    alone, so it goes together with secure aggregation.
    """

    def __init__(
        self,
        mean: SumStrategy,
        kind: str = "fedadam",
        rate: float = 0.01,
        beta1: float = 0.9,
        beta2: float = 0.99,
        tau: float = 1e-3,
    ) -> None:
        if kind not in KINDS or not (rate > 0 and 0 <= beta1 < 1 and 0 <= beta2 < 1 and tau > 0):
            raise TrainingError(
                "no such server optimiser",
                expected=f"one of {list(KINDS)}, rate > 0, 0 <= beta1, beta2 < 1, tau > 0",
                got=f"{kind!r}, {rate}, {beta1}, {beta2}, {tau}"[:120],
            )
        self.name, self.mean = kind, mean
        self.rate, self.beta1, self.beta2, self.tau = rate, beta1, beta2, tau

    def order(self, round: int, sites: Sequence[str]) -> list[str]:
        return self.mean.order(round, sites)

    def summand(self, start: Parameters, update: SiteUpdate) -> dict[str, np.ndarray]:
        return self.mean.summand(start, update)

    def form(self, start: Parameters) -> dict[str, np.ndarray]:
        return self.mean.form(start)

    def from_sum(self, start: Parameters, total: Parameters) -> dict[str, np.ndarray]:
        return self.mean.from_sum(start, total)

    def first_state(self, start: Parameters) -> dict[str, np.ndarray]:
        """Moments of zero and, as in the paper's experiments, squares of tau²."""
        means = {_MEAN + name: np.zeros(array.shape, np.float64) for name, array in start.items()}
        return {**means, **{_SQUARE + name: np.full(array.shape, self.tau**2) for name, array in start.items()}}

    def step(self, round: int, start: Parameters, new: Parameters, state: Parameters) -> tuple[Parameters, Parameters]:
        weights: dict[str, np.ndarray] = {}
        kept: dict[str, np.ndarray] = {}
        for name in sorted(start):
            change = new[name].astype(np.float64) - start[name]
            mean = self.beta1 * state[_MEAN + name] + (1 - self.beta1) * change
            square = self._square(state[_SQUARE + name], np.square(change))
            moved = start[name] + self.rate * mean / (np.sqrt(square) + self.tau)
            weights[name] = moved.astype(start[name].dtype)
            kept[_MEAN + name], kept[_SQUARE + name] = mean, square
        return weights, kept

    def to_json(self) -> dict[str, object]:
        own = {"rate": self.rate, "beta1": self.beta1, "beta2": self.beta2, "tau": self.tau}
        return {"kind": self.name, **own, "mean": self.mean.to_json()}

    def _square(self, before: np.ndarray, now: np.ndarray) -> np.ndarray:
        if self.name == "fedadagrad":
            return before + now
        if self.name == "fedyogi":
            return before - (1 - self.beta2) * now * np.sign(before - now)
        return self.beta2 * before + (1 - self.beta2) * now
