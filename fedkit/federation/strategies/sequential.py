"""A sequential warm start: in the first rounds each site goes on from the weights of the site before it.

That is training on everybody's notes in turn (cyclical weight transfer; Chang et al. 2018), and closes most of what averaging
from a random start loses. The price: **a site's weights are seen by the next site**, and no sum hides them, so it does not go
together with secure aggregation. Use it over mock or public notes, or as a choice that every steward signs: it stands in the
request.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fedkit.errors import TrainingError
from fedkit.federation.parameters import Parameters
from fedkit.federation.strategies.base import SiteUpdate, Strategy, check_update


class SequentialStart(Strategy):
    """rounds: how many rounds pass weights from site to site.   then: the strategy of all later rounds.

    Each round begins one site further on, so that no site is always the last one, whose notes are remembered best.
    """

    name = "sequential"

    def __init__(self, rounds: int, then: Strategy) -> None:
        if rounds < 0:
            raise TrainingError("no such warm start", expected="0 or more rounds", got=str(rounds))
        self.rounds, self.then = rounds, then

    def in_turn(self, round: int) -> bool:
        return round <= self.rounds or self.then.in_turn(round)

    def order(self, round: int, sites: Sequence[str]) -> list[str]:
        if round > self.rounds:
            return self.then.order(round, sites)
        shift = (round - 1) % len(sites)
        return [*sites[shift:], *sites[:shift]]

    def aggregate(self, round: int, start: Parameters, updates: Sequence[SiteUpdate]) -> dict[str, np.ndarray]:
        if round > self.rounds:
            return self.then.aggregate(round, start, updates)
        if not updates:
            raise TrainingError(f"round {round} has no updates", expected="one site at least", got="none")
        for update in updates:
            check_update(start, update)
        return {name: updates[-1].parameters[name].copy() for name in sorted(start)}

    def first_state(self, start: Parameters) -> dict[str, np.ndarray]:
        return self.then.first_state(start)

    def step(self, round: int, start: Parameters, new: Parameters, state: Parameters) -> tuple[Parameters, Parameters]:
        return (new, state) if round <= self.rounds else self.then.step(round, start, new, state)

    def to_json(self) -> dict[str, object]:
        return {"kind": self.name, "rounds": self.rounds, "then": self.then.to_json()}
