"""The strategy seam: how the sites of a round take turns, and how their weights become one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fedkit.errors import TrainingError
from fedkit.federation.parameters import Parameters, check_finite


@dataclass(frozen=True)
class SiteUpdate:
    """What one site gave back in a round: its new weights and the numbers that came with them (`notes`, `words`, …)."""

    site: str
    parameters: Parameters
    numbers: Mapping[str, float]


class Strategy(ABC):
    """Pure: no I/O and no randomness, so that the same updates in the same order give the same weights, bit for bit."""

    name: str

    def in_turn(self, round: int) -> bool:
        """Whether the sites of this round train one after the other, each from the weights of the one before. Default: no."""
        return False

    def order(self, round: int, sites: Sequence[str]) -> list[str]:
        """The order of the sites in this round. Default: as given."""
        return list(sites)

    @abstractmethod
    def aggregate(self, round: int, start: Parameters, updates: Sequence[SiteUpdate]) -> dict[str, Any]:
        """The weights after a round. start: the weights before it. Raises TrainingError for what cannot be aggregated."""

    def first_state(self, start: Parameters) -> dict[str, np.ndarray]:
        """What the server remembers before round 1, such as moments; a checkpoint keeps it. Default: nothing."""
        return {}

    def step(self, round: int, start: Parameters, new: Parameters, state: Parameters) -> tuple[Parameters, Parameters]:
        """(weights, state) after a round that gave `new`: where a server's optimiser goes on from there. Default: nothing."""
        return new, state

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Plain JSON for the plan and the ledger."""


class SumStrategy(Strategy):
    """A strategy that needs no more of the updates than a sum over sites, so that secure aggregation can serve it: each site
    makes its summand, and whoever averages sees the total alone."""

    @abstractmethod
    def summand(self, start: Parameters, update: SiteUpdate) -> dict[str, np.ndarray]:
        """What one site adds: float64 arrays, the same names and shapes at every site. Raises TrainingError."""

    @abstractmethod
    def form(self, start: Parameters) -> dict[str, np.ndarray]:
        """Arrays of the summand's names and shapes whose largest value says of what size the summand's are: all sites can
        make them of the weights before the round."""

    @abstractmethod
    def from_sum(self, start: Parameters, total: Parameters) -> dict[str, np.ndarray]:
        """The weights after a round, of the total of the summands. Raises TrainingError if nobody weighs anything."""

    def aggregate(self, round: int, start: Parameters, updates: Sequence[SiteUpdate]) -> dict[str, Any]:
        """In float64 and in the order of the sites: sums of floats depend on their order."""
        if not updates:
            raise TrainingError(f"round {round} has no updates", expected="one site at least", got="none")
        for update in updates:
            check_update(start, update)
        total: dict[str, np.ndarray] = {}
        for update in updates:
            for name, array in self.summand(start, update).items():
                total[name] = total[name] + array if name in total else array
        return self.from_sum(start, total)


def check_update(start: Parameters, update: SiteUpdate) -> None:
    """Raises TrainingError unless an update has the tensors of `start`, of the same shapes and dtype, all finite."""
    if set(update.parameters) != set(start):
        raise TrainingError(
            f"site {update.site} sent the weights of another model",
            expected=f"{len(start)} tensors",
            got=f"{len(update.parameters)}, {len(set(update.parameters) - set(start))} of them unknown",
        )
    for name, array in start.items():
        given = update.parameters[name]
        if given.shape != array.shape or given.dtype != array.dtype:
            raise TrainingError(
                f"site {update.site}: tensor {name} has another form",
                expected=f"{array.dtype} {array.shape}",
                got=f"{given.dtype} {given.shape}",
            )
    check_finite(update.parameters, f"site {update.site}")
