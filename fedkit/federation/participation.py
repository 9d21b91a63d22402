"""Who takes part in a round: a share of the sites, as many as are needed at least, and until when they are waited for.

    {"participation": {"share": 0.6, "fewest": 3, "deadline": 600}}          in a request's settings

McMahan et al. 2017 draw a share of the clients in each round; Bonawitz et al., "Towards federated learning at scale", MLSys
2019, section 2.2, go on without those that are late. Sites are drawn by a hash of the seed, the round and their name: the same
for everybody who reads the request.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fedkit.errors import TrainingError

_NAMES = {"share", "fewest", "deadline"}


@dataclass(frozen=True)
class Participation:
    """share: of the sites that are asked in a round, 0 < share <= 1, one at least; by default all.

    fewest:   sites whose update a round needs, of those asked; the others may fail or be late, and the round goes on without
        them. By default 0: all of them, and the first failure stops the round.
    deadline: seconds from the start of a round after which late sites are waited for no longer; 0 for no end (default).
    seed:     of the draw.
    Raises TrainingError for other values.
    """

    share: float = 1.0
    fewest: int = 0
    deadline: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        numbers = (self.share, self.fewest, self.deadline)
        if (
            any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers)
            or not 0 < self.share <= 1
            or self.fewest < 0
            or self.fewest != int(self.fewest)
            or not (self.deadline >= 0 and math.isfinite(self.deadline))
            or (self.deadline > 0 and self.fewest < 1)
        ):
            raise TrainingError(
                "no such participation",
                expected="0 < share <= 1, fewest a whole number from 0 (from 1 with a deadline), deadline in seconds",
                got=f"{self.share}, {self.fewest}, {self.deadline}"[:80],
            )

    @staticmethod
    def of(settings: Mapping[str, Any]) -> Participation:
        """That of a request's settings: all sites, all needed, no deadline, unless they say so. Raises TrainingError."""
        given = settings.get("participation") or {}
        if not isinstance(given, Mapping) or not set(given) <= _NAMES:
            raise TrainingError("no such participation", expected=f"some of {sorted(_NAMES)}", got="others")
        return Participation(**given, seed=int(settings.get("seed", 1)))

    def asked(self, round: int, sites: Sequence[str]) -> list[str]:
        """The sites that are asked in a round, in the order in which they were given."""
        count = max(1, self.fewest, math.ceil(self.share * len(sites) - 1e-9))
        if count >= len(sites):
            return list(sites)
        drawn = sorted(sites, key=lambda site: hashlib.sha256(f"{self.seed}/{round}/{site}".encode()).digest())[:count]
        return [site for site in sites if site in drawn]

    def needed(self, asked: int) -> int:
        """How many updates a round of so many sites needs."""
        return min(asked, self.fewest or asked)
