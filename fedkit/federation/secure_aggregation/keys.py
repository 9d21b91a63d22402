"""What a site publishes so that others can mask with it, and the one secret from which it makes everything it keeps.

Everything is derived from a random secret of 32 bytes per request, so a site that is killed and comes back makes the same keys,
masks and shares. The public part is signed with the site's ledger key; who the sites are stands in the request that every
steward signed, so a coordinator cannot put keys of its own between two sites.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fedkit.digests import digest, digest_bytes
from fedkit.errors import TrainingError
from fedkit.federation.secure_aggregation.agreement import derive, public_key

#: Fewer sites than this are not added: one of two would know the other's update.
FEWEST = 3


@dataclass(frozen=True)
class Group:
    """Who adds up under a request.

    sites:     a site's point among the shares is its place here, from 1.
    threshold: how many must give shares. `Group.of` takes ⌊2n/3⌋ + 1: even with a third of the sites on its side, a
               coordinator cannot get both kinds of share of one site (Bonawitz et al. 2017, section 6).
    """

    request: str
    sites: tuple[str, ...]
    threshold: int

    def __post_init__(self) -> None:
        if len(set(self.sites)) != len(self.sites) or len(self.sites) < FEWEST:
            raise TrainingError(
                "too few sites to hide one among them",
                expected=f"at least {FEWEST} different sites",
                got=str(len(set(self.sites))),
                help="train without secure aggregation, if the sites agree to that, or ask another site to join",
            )
        if not len(self.sites) < 2 * self.threshold <= 2 * len(self.sites):
            raise TrainingError(
                "no such threshold", expected=f"more than half of {len(self.sites)} sites", got=str(self.threshold)
            )

    @staticmethod
    def of(request: str, sites: Iterable[str]) -> Group:
        """The sites in the order of their names, which every site finds, in whatever order a request came to it."""
        names = tuple(sorted(sites))
        return Group(request, names, 2 * len(names) // 3 + 1)

    def point(self, site: str) -> int:
        """Raises TrainingError for a site that is not in the group."""
        try:
            return self.sites.index(site) + 1
        except ValueError:
            raise TrainingError("this site is not in the group", expected=f"one of {list(self.sites)}", got="another") from None

    def to_json(self) -> dict[str, Any]:
        return {"request": self.request, "sites": list(self.sites), "threshold": self.threshold}


@dataclass(frozen=True)
class PublicKeys:
    """What everybody may know of a site's masks.

    channel: its X25519 key for sealed messages.   rounds: one X25519 key for each round.
    selves:  for each round the SHA-256 of the seed of the site's own mask, so that a wrong share shows.
    """

    site: str
    request: str
    channel: bytes
    rounds: tuple[bytes, ...]
    selves: tuple[bytes, ...]

    @cached_property
    def digest(self) -> str:
        """What the site signs."""
        return digest(self.to_json())

    def to_json(self) -> dict[str, Any]:
        return {
            "site": self.site,
            "request": self.request,
            "channel": self.channel.hex(),
            "rounds": [key.hex() for key in self.rounds],
            "selves": [word.hex() for word in self.selves],
        }

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> PublicKeys:
        """Raises TrainingError if the row is no such keys."""
        try:
            made = PublicKeys(
                str(row["site"]),
                str(row["request"]),
                bytes.fromhex(row["channel"]),
                tuple(bytes.fromhex(key) for key in row["rounds"]),
                tuple(bytes.fromhex(word) for word in row["selves"]),
            )
            right = len(made.rounds) == len(made.selves) and {len(b) for b in (made.channel, *made.rounds, *made.selves)} == {
                32
            }
        except (KeyError, TypeError, ValueError):
            right = False
        if not right:
            raise TrainingError("not the keys of a site", expected="32 bytes each, two for every round", got="another form")
        return made


@dataclass(frozen=True)
class Secrets:
    """A site's secret for one request, and what follows from it. Nothing of it leaves, but shares."""

    site: str
    group: Group
    rounds: int
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != 32 or self.rounds < 1:
            raise TrainingError("no such secret", expected="32 random bytes, for at least one round", got="another")
        self.group.point(self.site)

    def channel(self) -> bytes:
        return self._part("channel")

    def pairwise(self, round: int) -> bytes:
        """The private X25519 key of a round, 1 … rounds."""
        return self._part(f"pairwise {self._known(round)}")

    def own(self, round: int) -> bytes:
        """The seed of the site's own mask in a round."""
        return self._part(f"own {self._known(round)}")

    def coefficients(self) -> bytes:
        """What the coefficients of all shares are derived from."""
        return self._part("coefficients")

    @cached_property
    def public(self) -> PublicKeys:
        numbers = range(1, self.rounds + 1)
        return PublicKeys(
            self.site,
            self.group.request,
            public_key(self.channel()),
            tuple(public_key(self.pairwise(n)) for n in numbers),
            tuple(bytes.fromhex(digest_bytes(self.own(n))) for n in numbers),
        )

    def _known(self, round: int) -> int:
        if not 1 <= round <= self.rounds:
            raise TrainingError("there are no keys for this round", expected=f"1 to {self.rounds}", got=str(round))
        return round

    def _part(self, what: str) -> bytes:
        return derive(self.secret, f"{self.group.request} {self.site} {what}")


def pair_about(request: str, round: int) -> str:
    """What two sites derive their mask of a round from, beside the key that they agreed on."""
    return f"mask {request} {round}"
