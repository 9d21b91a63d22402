"""What one execution takes of the privacy budget: rho for results with noise, epsilon for rounds of a training with noise.

A training's cost is that of all its rounds here together, which is less than their sum, so each round is charged what it adds.
Rounds that failed are among them. Other requests add up in full (basic composition), each with its own delta.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from fedkit.errors import FedkitError, LimitReached
from fedkit.federation.privacy.price import price
from fedkit.governance.kinds import KINDS
from fedkit.governance.request import CodeRequest, Entry
from fedkit.governance.training_noise import TrainingNoise
from fedkit.sites.store import DuckDBNoteStore
from fedkit.sites.under_way import Key
from fedkit.sites.usage import Usage
from fedkit.sites.warehouse.answering import Answering


@dataclass(frozen=True)
class Cost:
    """rho: zero-concentrated, of noise on numbers and tables.   epsilon: of noise in a training, at its own delta."""

    rho: float = 0.0
    epsilon: float = 0.0


class Prices:
    """The prices of one site: they depend on how many notes it has."""

    def __init__(self, notes: DuckDBNoteStore, usage: Usage, answering: Answering) -> None:
        self.notes, self.usage, self.answering = notes, usage, answering

    def of(self, request: CodeRequest, key: Key, user: str) -> Cost:
        """What this call of a user takes; nothing if it was charged before, or names no entry. A question has its own price.

        To be asked again where it is charged, in the same transaction: another round may have been charged since.
        """
        entry = next((e for e in request.entries if e.name == key[1]), None)
        if entry is None or self.usage.known(key):
            return Cost()
        if KINDS[request.kind].questions:
            return Cost(self.answering.price(request, key, user))
        rho = entry.privacy.rho if entry.privacy is not None else 0.0
        return Cost(rho, self._adds(entry, entry.noise, key) if entry.noise is not None else 0.0)

    def _adds(self, entry: Entry, noise: TrainingNoise, key: Key) -> float:
        rounds, charged = self.usage.trained(key[0], entry.name)
        units = self._units[noise.unit]
        q = min(1.0, noise.notes_per_step / units) if units else 1.0
        total = price(noise.sigma, q, (rounds + 1) * noise.steps_per_round, noise.delta)
        if not math.isfinite(total):
            raise _priceless()
        return max(0.0, total - charged)

    @cached_property
    def _units(self) -> dict[str, int]:
        return self.notes.training_units()


def _priceless() -> FedkitError:
    return LimitReached(
        "this noise is too small to have a price", expected="a finite epsilon", got="infinity", help="ask for more noise"
    )
