"""Federated averaging (McMahan et al. 2017), with the three choices that were worth having.

The server adds the weighted mean of the sites' changes, times a server rate (Reddi et al. 2021 call this FedAvg with a server
learning rate; 1.0 is plain averaging).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fedkit.errors import TrainingError
from fedkit.federation.parameters import Parameters
from fedkit.federation.strategies.base import SiteUpdate, Strategy, check_update

WEIGHTINGS = ("notes", "sqrt", "equal")
#: "all": a table row is averaged over all sites. "touched": only over the sites that changed it.
ROWS = ("all", "touched")


class FedAvg(Strategy):
    """weighting: a site counts by its notes, by their square root, or as any other.   server_rate: 0 < rate <= 2.

    rows: "touched" averages each row of a matrix over those sites that changed it. A hashed word table needs it: the row of
    a Finnish suffix is trained at one site, and an average with four that never saw it would take back most of what it learnt.
    """

    name = "fedavg"

    def __init__(self, weighting: str = "notes", server_rate: float = 1.0, rows: str = "all") -> None:
        if weighting not in WEIGHTINGS or rows not in ROWS or not 0 < server_rate <= 2:
            raise TrainingError(
                "no such averaging",
                expected=f"weighting in {list(WEIGHTINGS)}, rows in {list(ROWS)}, 0 < server_rate <= 2",
                got=f"{weighting!r}, {rows!r}, {server_rate}"[:120],
            )
        self.weighting, self.server_rate, self.rows = weighting, server_rate, rows

    def aggregate(self, round: int, start: Parameters, updates: Sequence[SiteUpdate]) -> dict[str, np.ndarray]:
        if not updates:
            raise TrainingError(f"round {round} has no updates", expected="one site at least", got="none")
        for update in updates:
            check_update(start, update)
        weights = [self._weight(update) for update in updates]
        if not sum(weights) > 0:
            raise TrainingError(f"round {round}: all sites weigh nothing", expected="one site with notes", got="none")
        return {name: self._mean(start[name], [u.parameters[name] for u in updates], weights) for name in sorted(start)}

    def to_json(self) -> dict[str, object]:
        return {"kind": self.name, "weighting": self.weighting, "server_rate": self.server_rate, "rows": self.rows}

    def _weight(self, update: SiteUpdate) -> float:
        if self.weighting == "equal":
            return 1.0
        notes = float(update.numbers.get("notes", 0))
        if not (math.isfinite(notes) and notes >= 0):
            raise TrainingError(f"site {update.site} reports no number of notes", expected="0 or more", got="something else")
        return math.sqrt(notes) if self.weighting == "sqrt" else notes

    def _mean(self, start: np.ndarray, arrays: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
        """In float64 and in the order of the sites: sums of floats depend on their order."""
        total = np.zeros(start.shape, dtype=np.float64)
        by_row = self.rows == "touched" and start.ndim == 2
        mass = np.zeros((start.shape[0], 1) if by_row else (), dtype=np.float64)
        for array, weight in zip(arrays, weights, strict=True):
            change = array.astype(np.float64) - start
            total += weight * change
            mass += weight * (np.any(change != 0, axis=1, keepdims=True) if by_row else 1.0)
        mean = np.divide(total, mass, out=np.zeros_like(total), where=np.broadcast_to(mass > 0, total.shape))
        return (start + self.server_rate * mean).astype(start.dtype)
