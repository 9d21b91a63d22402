"""What was spent, and what noise a budget needs: a sum over phases of training with one noise and one probability each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fedkit.errors import TrainingError
from fedkit.federation.privacy import prv, rdp

Method = Literal["prv", "rdp"]

#: The noise is looked for up to this multiple of the clipping norm, and to this part of itself.
_MOST_NOISE, _CLOSE = 1e4, 1e-3


@dataclass(frozen=True)
class Phase:
    """steps noisy steps. sigma: standard deviation of the noise over the norm to which a record's part is clipped.

    q: the probability with which each record is drawn for a step (Poisson sampling).
    Raises TrainingError for what is no such phase.
    """

    sigma: float
    q: float
    steps: int

    def __post_init__(self) -> None:
        if not (self.sigma > 0 and math.isfinite(self.sigma) and 0 < self.q <= 1 and self.steps >= 0):
            raise TrainingError(
                "no such phase of private training",
                expected="sigma above 0, q above 0 and at most 1, steps 0 or more",
                got=f"{self.sigma:g}, {self.q:g}, {self.steps}",
            )


@dataclass(frozen=True)
class Accountant:
    """Phases on the same records. Spending more gives a new accountant; nothing is ever taken back."""

    phases: tuple[Phase, ...] = ()

    def spend(self, phase: Phase) -> Accountant:
        """This phase as well; equal noise and probability as in the last phase go on with that one."""
        last = self.phases[-1] if self.phases else None
        if last is not None and (last.sigma, last.q) == (phase.sigma, phase.q):
            return Accountant((*self.phases[:-1], Phase(last.sigma, last.q, last.steps + phase.steps)))
        return Accountant((*self.phases, phase))

    def epsilon(self, delta: float, method: Method = "prv") -> float:
        """The epsilon that all phases together cost at this delta (0 … 1).

        method: "prv" (numerical, tighter, error below 0.02) or "rdp" (closed form; also for q = 1). Raises TrainingError.
        """
        if not 0 < delta < 1:
            raise TrainingError("no such delta", expected="a number between 0 and 1, below one over the number of records")
        rows = [(p.sigma, p.q, p.steps) for p in self.phases if p.steps]
        if method == "rdp" or any(q == 1 for _, q, _ in rows):
            return rdp.epsilon(rows, delta) if rows else 0.0
        return prv.epsilon(rows, delta)

    def to_json(self) -> list[dict[str, Any]]:
        return [{"sigma": p.sigma, "q": p.q, "steps": p.steps} for p in self.phases]

    @staticmethod
    def from_json(rows: list[Mapping[str, Any]]) -> Accountant:
        return Accountant(tuple(Phase(float(row["sigma"]), float(row["q"]), int(row["steps"])) for row in rows))


def noise_for(epsilon: float, delta: float, q: float, steps: int, method: Method = "prv") -> float:
    """The least sigma (to a thousandth of itself) with which `steps` steps at probability q cost at most this epsilon.

    Raises TrainingError if no noise is enough.
    """
    if not epsilon > 0 or steps < 1:
        raise TrainingError("no such budget", expected="epsilon above 0 and at least one step", got=f"{epsilon:g}, {steps}")

    def cost(sigma: float) -> float:
        return Accountant((Phase(sigma, q, steps),)).epsilon(delta, method)

    # Rényi orders never say too little, so they bound the search from above at a fraction of the time.
    high = 1.0
    while Accountant((Phase(high, q, steps),)).epsilon(delta, "rdp") > epsilon:
        high *= 2
        if high > _MOST_NOISE:
            raise TrainingError(
                "no noise is enough for this budget",
                expected="a larger epsilon, fewer steps, or a smaller share of records a step",
                got=f"epsilon {epsilon:g} at delta {delta:g}",
            )
    low = high
    while cost(low) <= epsilon and low > 0.2:
        low /= 2
    while high - low > _CLOSE * high:
        middle = (low + high) / 2
        low, high = (low, middle) if cost(middle) <= epsilon else (middle, high)
    return high
