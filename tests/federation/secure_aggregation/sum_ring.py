"""A group of sites that add up, each with its own secret, and nothing between them but what crosses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fedkit.digests import digest
from fedkit.federation.secure_aggregation.keys import Group, PublicKeys, Secrets
from fedkit.federation.secure_aggregation.masking import Masking, Reveal

REQUEST = digest("a request")


class InMemory:
    """What a site keeps, for one test."""

    def __init__(self) -> None:
        self._masked: dict[int, str] = {}
        self._revealed: dict[int, tuple[str, ...]] = {}

    def masked(self, round: int, digest: str) -> str:
        return self._masked.setdefault(round, digest)

    def revealed(self, round: int, survivors: tuple[str, ...]) -> tuple[str, ...]:
        return self._revealed.setdefault(round, survivors)


@dataclass
class Ring:
    """Sites after they exchanged keys and shares. rounds: for which they have keys."""

    group: Group
    secrets: dict[str, Secrets]
    keys: dict[str, PublicKeys]
    sealed: dict[str, dict[str, bytes]]
    kept: dict[str, InMemory] = field(default_factory=dict)

    def site(self, name: str) -> Masking:
        """That site, as it is after a restart: made anew from its secret and what it kept."""
        kept = self.kept.setdefault(name, InMemory())
        mine = {sender: sealed[name] for sender, sealed in self.sealed.items()}
        return Masking(self.secrets[name], self.keys, mine, kept)

    def masked(self, round: int, vectors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: self.site(name).mask(round, vector) for name, vector in vectors.items()}

    def reveals(self, round: int, survivors: Sequence[str], of: Sequence[str] | None = None) -> list[Reveal]:
        return [self.site(name).reveal(round, survivors) for name in (survivors if of is None else of)]

    def vectors(self, seed: int, size: int = 7) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(seed)
        return {name: rng.integers(0, 2**32, size, dtype=np.uint32) for name in self.group.sites}


def total(vectors: dict[str, np.ndarray], names: Sequence[str]) -> np.ndarray:
    """What the sum must be."""
    added = np.zeros(7, np.uint64)
    for name in names:
        added = added + vectors[name]
    return (added % 2**32).astype(np.uint32)


def make_ring(sites: int, rounds: int = 2) -> Ring:
    names = tuple(f"site{n}" for n in range(sites))
    group = Group.of(REQUEST, names)
    secrets = {name: Secrets(name, group, rounds, bytes.fromhex(digest(["secret", name]))) for name in names}
    keys = {name: own.public for name, own in secrets.items()}
    sealed = {name: Masking(own, keys, {}, InMemory()).for_others() for name, own in secrets.items()}
    return Ring(group, secrets, keys, sealed)
