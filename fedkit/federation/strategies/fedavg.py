"""Federated averaging (McMahan et al. 2017), with the three choices that were worth having.

The server adds the weighted mean of the sites' changes, times a server rate (Reddi et al. 2021 call this FedAvg with a server
learning rate; 1.0 is plain averaging).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from fedkit.errors import TrainingError
from fedkit.federation.parameters import Parameters
from fedkit.federation.strategies.base import SiteUpdate, SumStrategy

WEIGHTINGS = ("notes", "sqrt", "equal", "given")
#: "all": a table row is averaged over all sites. "touched": only over the sites that changed it.
ROWS = ("all", "touched")

#: Beside the tensors of a summand: how much weight there is, in all and on each row of a matrix. No tensor is named so.
_WEIGHT = "weight of all"
_ROWS = "weight of the rows of "


class FedAvg(SumStrategy):
    """weighting: a site counts by its notes, by their square root, as any other, or by its share in `shares`.
    server_rate: 0 < rate <= 2.   shares: site → share, more than 0 and at most 1, for "given" alone.

    rows: "touched" averages each row of a matrix over those sites that changed it. A hashed word table needs it: the row of
    a Finnish suffix is trained at one site, and an average with four that never saw it would take back most of what it learnt.
    """

    name = "fedavg"

    def __init__(
        self,
        weighting: str = "notes",
        server_rate: float = 1.0,
        rows: str = "all",
        shares: Mapping[str, float] | None = None,
    ) -> None:
        if weighting not in WEIGHTINGS or rows not in ROWS or not 0 < server_rate <= 2:
            raise TrainingError(
                "no such averaging",
                expected=f"weighting in {list(WEIGHTINGS)}, rows in {list(ROWS)}, 0 < server_rate <= 2",
                got=f"{weighting!r}, {rows!r}, {server_rate}"[:120],
            )
        self.shares = dict(shares or {})
        if (weighting == "given") != bool(self.shares) or not all(0 < share <= 1 for share in self.shares.values()):
            raise TrainingError(
                "the sites' shares do not fit",
                expected='0 < share <= 1 for every site with weighting "given", none with another',
                got=f"{len(self.shares)} shares with {weighting!r}",
            )
        self.weighting, self.server_rate, self.rows = weighting, server_rate, rows

    def to_json(self) -> dict[str, object]:
        plain: dict[str, object] = {
            "kind": self.name,
            "weighting": self.weighting,
            "server_rate": self.server_rate,
            "rows": self.rows,
        }
        return {**plain, "shares": self.shares} if self.shares else plain

    def summand(self, start: Parameters, update: SiteUpdate) -> dict[str, np.ndarray]:
        weight = self._weight(update)
        made = {_WEIGHT: np.float64(weight).reshape(())}
        for name in sorted(start):
            change = update.parameters[name].astype(np.float64) - start[name]
            made[name] = weight * change
            if self._by_row(start[name]):
                made[_ROWS + name] = weight * np.any(change != 0, axis=1, keepdims=True)
        return made

    def form(self, start: Parameters) -> dict[str, np.ndarray]:
        made = {_WEIGHT: np.ones(()), **{name: np.abs(array) for name, array in start.items()}}
        rows = {_ROWS + name: np.ones((len(array), 1)) for name, array in start.items() if self._by_row(array)}
        return {**made, **rows}

    def from_sum(self, start: Parameters, total: Parameters) -> dict[str, np.ndarray]:
        if not total[_WEIGHT] > 0:
            raise TrainingError("all sites weigh nothing", expected="one site with notes", got="none")
        return {name: self._moved(start[name], total[name], total.get(_ROWS + name, total[_WEIGHT])) for name in sorted(start)}

    def _by_row(self, array: np.ndarray) -> bool:
        return self.rows == "touched" and array.ndim == 2

    def _weight(self, update: SiteUpdate) -> float:
        if self.weighting == "equal":
            return 1.0
        if self.weighting == "given":
            if update.site not in self.shares:
                raise TrainingError("a site has no share", expected=f"one of {list(self.shares)}", got=update.site)
            return self.shares[update.site]
        notes = float(update.numbers.get("notes", 0))
        if not (math.isfinite(notes) and notes >= 0):
            raise TrainingError(f"site {update.site} reports no number of notes", expected="0 or more", got="something else")
        return math.sqrt(notes) if self.weighting == "sqrt" else notes

    def _moved(self, start: np.ndarray, total: np.ndarray, mass: np.ndarray) -> np.ndarray:
        mean = np.divide(total, mass, out=np.zeros_like(total), where=np.broadcast_to(mass > 0, total.shape))
        return (start + self.server_rate * mean).astype(start.dtype)
