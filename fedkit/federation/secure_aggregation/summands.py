"""A site's update as the vector that is added under masks, and the total as the weights after the round.

What is added is the strategy's summand, on grids that follow from the weights before the round: every site has the same.
"""

from __future__ import annotations

import numpy as np

from fedkit.errors import TrainingError
from fedkit.federation.parameters import Parameters
from fedkit.federation.secure_aggregation.fixed_point import decode, encode, grids
from fedkit.federation.strategies.base import SiteUpdate, Strategy, SumStrategy, check_update


def to_vector(strategy: Strategy, start: Parameters, update: SiteUpdate, sites: int) -> np.ndarray:
    """uint32, one number for each of the summand's.   sites: at most how many are added.

    Raises TrainingError if the update is not of this model, not finite, or moved too far, or if the strategy adds nothing up.
    """
    adding = needs_a_sum(strategy)
    check_update(start, update)
    return encode(adding.summand(start, update), grids(adding.form(start), sites))


def from_vector(strategy: Strategy, start: Parameters, total: np.ndarray, sites: int) -> dict[str, np.ndarray]:
    """The weights after a round in which `total` is the sum of the vectors. The last bits differ from an average in floats."""
    adding = needs_a_sum(strategy)
    return adding.from_sum(start, decode(total, grids(adding.form(start), sites)))


def needs_a_sum(strategy: Strategy) -> SumStrategy:
    """Raises TrainingError for a strategy that wants to see single updates, or weighs by what only a clear number tells."""
    if not isinstance(strategy, SumStrategy):
        raise TrainingError(
            "this strategy does not go together with secure aggregation",
            expected="one that needs a sum alone, such as fedavg without sequential rounds",
            got=strategy.name,
            help="set sequential_rounds to 0",
        )
    return strategy
