"""The coordinate-wise trimmed mean (Yin et al., "Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates",
ICML 2018): of every weight the largest and smallest changes are left out before the rest is averaged, so that one poisoned or
broken site cannot pull the model far.

It needs every site's update and weighs all sites alike, so it does not go together with secure aggregation; there, a site's
change is bounded by the output contract (its norms) before the masks are added.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fedkit.errors import TrainingError
from fedkit.federation.parameters import Parameters
from fedkit.federation.strategies.base import SiteUpdate, Strategy, check_update


class TrimmedMean(Strategy):
    """trim: how many sites are left out at either end, 1 by default; so many may be anything at all.

    server_rate: 0 < rate <= 2.
    """

    name = "trimmed-mean"

    def __init__(self, trim: int = 1, server_rate: float = 1.0) -> None:
        if trim < 0 or not 0 < server_rate <= 2:
            raise TrainingError("no such trimming", expected="trim >= 0, 0 < server_rate <= 2", got=f"{trim}, {server_rate}")
        self.trim, self.server_rate = trim, server_rate

    def aggregate(self, round: int, start: Parameters, updates: Sequence[SiteUpdate]) -> dict[str, np.ndarray]:
        if len(updates) <= 2 * self.trim:
            raise TrainingError(
                f"round {round} has too few updates to leave {self.trim} out at either end",
                expected=f"more than {2 * self.trim} sites",
                got=str(len(updates)),
                help="trim fewer, or ask another site to join",
            )
        for update in updates:
            check_update(start, update)
        return {name: self._moved(start[name], [u.parameters[name] for u in updates]) for name in sorted(start)}

    def to_json(self) -> dict[str, object]:
        return {"kind": self.name, "trim": self.trim, "server_rate": self.server_rate}

    def _moved(self, start: np.ndarray, arrays: Sequence[np.ndarray]) -> np.ndarray:
        changes = np.sort(np.stack([array.astype(np.float64) - start for array in arrays]), axis=0)
        kept = changes[self.trim : len(arrays) - self.trim]
        moved: np.ndarray = (start + self.server_rate * kept.mean(axis=0)).astype(start.dtype)
        return moved
