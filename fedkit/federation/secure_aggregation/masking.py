"""The site's side: what it adds to its update so that only the sum can be read, and what it gives up so that the sum can.

Two rules protect a site's update, and both must outlive a crash, so the site keeps what it did (`Kept`):
a round is masked once (two updates under one mask would show their difference), and of every site in a round it gives up one
kind of share, once (both kinds would open that site's update).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fedkit.digests import digest_bytes
from fedkit.errors import TrainingError
from fedkit.federation.secure_aggregation import shamir
from fedkit.federation.secure_aggregation.agreement import agree, mask, seal, unseal
from fedkit.federation.secure_aggregation.keys import PublicKeys, Secrets, pair_about

#: Bytes of what a site seals for another: for every round a share of each kind.
_PAIR = 2 * shamir.SHARE_BYTES


@dataclass(frozen=True)
class Reveal:
    """What a site gives up after a round.

    own:      site → share of the seed of its own mask, for those whose update is in the sum.
    pairwise: site → share of its private key of the round, for those that dropped out.
    """

    site: str
    round: int
    own: Mapping[str, bytes]
    pairwise: Mapping[str, bytes]


class Kept(Protocol):
    """What a site must remember of a request, on its disk. Each call writes if nothing was written, in one step that a crash
    or a second thread cannot split, and returns what stands there then."""

    def masked(self, round: int, digest: str) -> str:
        """The digest of the vector that was masked in a round: this one, or one of before."""

    def revealed(self, round: int, survivors: tuple[str, ...]) -> tuple[str, ...]:
        """The survivors that a round was opened for: these, or those of before."""


class Masking:
    """One site's part in the sums of one request.

    secrets: its own.   peers: the keys of all sites of the group, its own too, whose signatures were checked.
    sealed:  site → what that site sealed for this one, as far as it came; without it there is no share of that site.
    Raises TrainingError if keys are missing, or of another request or site, or for other rounds.
    """

    def __init__(self, secrets: Secrets, peers: Mapping[str, PublicKeys], sealed: Mapping[str, bytes], kept: Kept) -> None:
        self.secrets, self.group, self.kept = secrets, secrets.group, kept
        self.peers = check_keys(secrets, peers)
        self._shares = {site: self._opened(site, data) for site, data in sealed.items() if site in self.group.sites}

    def for_others(self) -> dict[str, bytes]:
        """site → its shares of this site's keys and seeds of all rounds, sealed for it alone; one's own among them."""
        made: dict[str, list[bytes]] = {site: [] for site in self.group.sites}
        key, points, threshold = self.secrets.coefficients(), len(self.group.sites), self.group.threshold
        for round in range(1, self.secrets.rounds + 1):
            for kind, secret in (("own", self.secrets.own(round)), ("pairwise", self.secrets.pairwise(round))):
                shares = shamir.split(secret, points, threshold, key, f"{kind} {round}")
                for site in self.group.sites:
                    made[site].append(shares[self.group.point(site)])
        return {site: seal(self._key(site, to=True), b"".join(shares), self._about()) for site, shares in made.items()}

    def mask(self, round: int, vector: np.ndarray) -> np.ndarray:
        """The vector (uint32) under this site's masks of the round. The same again gives the same; another is refused."""
        name = digest_bytes(np.ascontiguousarray(vector, dtype="<u4").tobytes())
        if self.kept.masked(round, name) != name:
            raise TrainingError(
                f"round {round} was masked for another update",
                expected="the same update again, or the next round",
                got="another",
                help="begin a new round: two updates under one mask would show their difference",
            )
        total = vector.astype(np.uint32) + mask(self.secrets.own(round), vector.size)
        for site in self.group.sites:
            if site != self.secrets.site:
                seed = agree(
                    self.secrets.pairwise(round), self.peers[site].rounds[round - 1], pair_about(self.group.request, round)
                )
                pairwise = mask(seed, vector.size)
                total = total + pairwise if self.group.point(self.secrets.site) < self.group.point(site) else total - pairwise
        return total

    def reveal(self, round: int, survivors: Sequence[str]) -> Reveal:
        """This site's shares for a round in which these sites' updates were added.

        Raises TrainingError if they are too few, or others than it was told before.
        """
        told = tuple(site for site in self.group.sites if site in survivors)
        if len(told) != len(set(survivors)) or len(told) < self.group.threshold:
            raise TrainingError(
                f"round {round} cannot be opened for these sites",
                expected=f"at least {self.group.threshold} of {list(self.group.sites)}",
                got=f"{len(told)} of them, {len(set(survivors)) - len(told)} others",
                help="wait until more sites have sent their update, and begin the round anew",
            )
        if not 1 <= round <= self.secrets.rounds:
            raise TrainingError("there are no keys for this round", expected=f"1 to {self.secrets.rounds}", got=str(round))
        if self.kept.revealed(round, told) != told:
            raise TrainingError(
                f"round {round} was opened for other sites before",
                expected="the same survivors as before",
                got="others",
                help="one set of survivors a round: with two, one site's update could be told from the rest",
            )
        own, pairwise = {}, {}
        for site, shares in self._shares.items():
            at = _PAIR * (round - 1)
            if site in told:
                own[site] = shares[at : at + shamir.SHARE_BYTES]
            else:
                pairwise[site] = shares[at + shamir.SHARE_BYTES : at + _PAIR]
        return Reveal(self.secrets.site, round, own, pairwise)

    def _opened(self, site: str, data: bytes) -> bytes:
        shares = unseal(self._key(site, to=False), data, f"{site} {self.group.request}")
        if len(shares) != _PAIR * self.secrets.rounds:
            raise TrainingError(f"{site} sealed another number of shares", expected=f"{self.secrets.rounds} rounds")
        return shares

    def _key(self, site: str, *, to: bool) -> bytes:
        sender, receiver = (self.secrets.site, site) if to else (site, self.secrets.site)
        return agree(self.secrets.channel(), self.peers[site].channel, f"{self.group.request} {sender} to {receiver}")

    def _about(self) -> str:
        return f"{self.secrets.site} {self.group.request}"


def check_keys(secrets: Secrets, peers: Mapping[str, PublicKeys]) -> dict[str, PublicKeys]:
    """The keys of all sites of the group. Raises TrainingError unless they are exactly those, and one's own unchanged."""
    group = secrets.group
    for site in group.sites:
        keys = peers.get(site)
        if keys is None or keys.site != site or keys.request != group.request or len(keys.rounds) != secrets.rounds:
            raise TrainingError(
                f"the keys of {site} do not fit",
                expected=f"its keys for {secrets.rounds} rounds of this request",
                got="none" if keys is None else "others",
                help="ask the site to publish its keys for this request",
            )
    if peers[secrets.site] != secrets.public:
        raise TrainingError("somebody published other keys in this site's name", expected="its own", got="others")
    every = [key for site in group.sites for key in (peers[site].channel, *peers[site].rounds)]
    if len(set(every)) != len(every):
        raise TrainingError("two keys are the same", expected="a key of its own for every site and round", got="a copy")
    return {site: peers[site] for site in group.sites}
