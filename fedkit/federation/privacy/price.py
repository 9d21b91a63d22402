"""What steps of private training cost, told quickly and for any plan: the accountant behind bounds that no plan can break."""

from __future__ import annotations

from functools import lru_cache

from fedkit.federation.privacy import prv, rdp

#: Numerical composition is asked only where its grid stays small: up to this epsilon (by Rényi orders) and these many steps.
_WITHIN, _STEPS = 40.0, 20_000

#: The least that anything costs. With it a budget of epsilon also bounds how many deltas add up.
LEAST = 0.01


@lru_cache(maxsize=4096)
def price(sigma: float, q: float, steps: int, delta: float) -> float:
    """The epsilon of so many steps, the smaller of two upper bounds; at least `LEAST` for a step or more, 0.0 for none.

    sigma: noise over clipping norm.   q: probability of a record, at most 1.   Under a second for anything.
    """
    if steps < 1:
        return 0.0
    phases = [(sigma, q, steps)]
    best = rdp.epsilon(phases, delta)
    if q < 1 and best <= _WITHIN and steps <= _STEPS:
        best = min(best, prv.epsilon(phases, delta))
    return max(best, LEAST)
