"""The coordinator's side: the sum of the updates that came, and nothing else.

It sees masked vectors, and from every site one kind of share of each other site. What it puts together from shares is checked
against what the sites published, so a wrong share is found, named, and left out as long as enough right ones are there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from fedkit.digests import digest_bytes
from fedkit.errors import TrainingError
from fedkit.federation.secure_aggregation import shamir
from fedkit.federation.secure_aggregation.agreement import agree, mask, public_key
from fedkit.federation.secure_aggregation.keys import Group, PublicKeys, pair_about
from fedkit.federation.secure_aggregation.masking import Reveal


@dataclass(frozen=True)
class Opened:
    """total: the sum of the survivors' vectors, uint32.   wrong: sites that gave a wrong share, in the group's order."""

    total: np.ndarray
    survivors: tuple[str, ...]
    wrong: tuple[str, ...]


def unmask(
    group: Group,
    round: int,
    masked: Mapping[str, np.ndarray],
    reveals: Sequence[Reveal],
    keys: Mapping[str, PublicKeys],
) -> Opened:
    """The sum of what came in a round.

    masked: site → its masked vector, for the survivors.   reveals: of at least `group.threshold` sites, any of them.
    Raises TrainingError if too few sites answered, or too many shares are wrong to open the sum.
    """
    survivors = tuple(site for site in group.sites if site in masked)
    if len(survivors) < group.threshold:
        raise TrainingError(
            f"round {round}: too few updates came",
            expected=f"at least {group.threshold} of {len(group.sites)}",
            got=str(len(survivors)),
            help="run the round again when the sites are back",
        )
    if len({(array.shape, array.dtype.str) for array in masked.values()}) != 1:
        raise TrainingError(f"round {round}: the updates differ in form", expected="vectors of one length")
    wrong: set[str] = set()
    total = np.zeros_like(masked[survivors[0]])
    for site in survivors:
        total = total + masked[site]
    for site in group.sites:
        public = keys[site]
        if site in survivors:
            shares = {r.site: r.own[site] for r in reveals if r.round == round and site in r.own}
            seed = _secret(group, site, shares, _hashes_to(public.selves[round - 1]), wrong)
            total = total - mask(seed, total.size)
            continue
        shares = {r.site: r.pairwise[site] for r in reveals if r.round == round and site in r.pairwise}
        private = _secret(group, site, shares, _has_public_key(public.rounds[round - 1]), wrong)
        for other in survivors:
            # The survivor's half of the mask that the dropped site would have cancelled.
            left = mask(agree(private, keys[other].rounds[round - 1], pair_about(group.request, round)), total.size)
            total = total - left if group.point(other) < group.point(site) else total + left
    return Opened(total, survivors, tuple(site for site in group.sites if site in wrong))


def _secret(group: Group, of: str, shares: Mapping[str, bytes], right: Callable[[bytes], bool], wrong: set[str]) -> bytes:
    """What the shares give, checked; adds to `wrong` who gave a share that does not lie on it."""
    points = {group.point(site): share for site, share in shares.items() if len(share) == shamir.SHARE_BYTES}
    for chosen in combinations(sorted(points), group.threshold):
        secret = shamir.combine({point: points[point] for point in chosen})
        if secret is not None and right(secret):
            good = {point: points[point] for point in chosen}
            wrong.update(group.sites[p - 1] for p in points if p not in good and not _lies_on(good, p, points[p]))
            wrong.update(site for site, share in shares.items() if len(share) != shamir.SHARE_BYTES)
            return secret
    raise TrainingError(
        f"the sum cannot be opened: {len(shares)} shares of {of}'s secret, and no {group.threshold} of them fit",
        expected=f"at least {group.threshold} right shares",
        got=f"{len(shares)} shares, some of them wrong or missing",
        help="ask the sites that did not answer; if shares are wrong, find out which site sends them",
    )


def _hashes_to(digest: bytes) -> Callable[[bytes], bool]:
    return lambda seed: bytes.fromhex(digest_bytes(seed)) == digest


def _has_public_key(key: bytes) -> Callable[[bytes], bool]:
    return lambda private: public_key(private) == key


def _lies_on(good: Mapping[int, bytes], point: int, share: bytes) -> bool:
    """Whether a share is the one that the polynomial through the good ones has at its point."""
    return shamir.value_at(good, point) == int.from_bytes(share)
