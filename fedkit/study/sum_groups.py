"""Sites that add up under masks: a study brings their keys and shares together, and opens a sum, never a part of it.

The study is the coordinator of `fedkit.federation.secure_aggregation`. It is not trusted: sites take keys only with the
signature of the address in the request, and give one kind of share a round. What a round adds, weights of a training or whole
numbers of a question, is for `secure_sums` and `warehouse.pooling`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fedkit.errors import FedkitError, NotApproved
from fedkit.federation.secure_aggregation.keys import Group, PublicKeys
from fedkit.federation.secure_aggregation.masking import Reveal
from fedkit.federation.secure_aggregation.unmasking import unmask
from fedkit.governance.request import CodeRequest

if TYPE_CHECKING:
    from fedkit.study.study import Study

#: In the study's folder: round → sites for which it was opened. Written before a site is asked, as sites hold to it.
TOLD = "sums"

#: In the study's folder: the sites' masking keys with their signatures, once all sites have agreed on masks.
AGREED = "sum-keys"


class SumGroup:
    """The sites of one request that add up. It opens sums once they have agreed on masks (`agree`)."""

    def __init__(self, study: Study, request: CodeRequest) -> None:
        assert request.secure_sum is not None
        self.study, self.request = study, request
        self.group = Group.of(request.digest, list(request.secure_sum.sites))
        self.fewest = self.group.threshold
        self._keys: dict[str, PublicKeys] = {}

    def agree(self, approved: Sequence[str]) -> None:
        """Let the sites agree on masks for all rounds; once they did, it only reads what they agreed on.

        approved: the sites whose approval counts now. Raises NotApproved unless they are all of the request's.
        """
        agreed = self.study.run_folder.read(AGREED)
        if agreed is None:
            agreed = self._bring_together(approved)
            self.study.run_folder.write(AGREED, agreed)
        self._keys = {site: PublicKeys.from_json(row["keys"]) for site, row in agreed.items()}

    @property
    def agreed(self) -> bool:
        """Whether the sites have agreed on masks, now or before."""
        return self.study.run_folder.read(AGREED) is not None

    def _bring_together(self, approved: Sequence[str]) -> dict[str, Any]:
        if missing := sorted(set(self.group.sites) - set(approved)):
            raise NotApproved(
                "masks need every site of the sum",
                expected=f"an approval by {', '.join(self.group.sites)}",
                got=f"none by {', '.join(missing)}",
                help="ask them, or make the request anew with the sites that take part",
            )
        digest, everybody = self.request.digest, {site: self._session(site) for site in self.group.sites}
        published = {site: session.sum_keys(digest) for site, session in everybody.items()}
        sealed = {site: session.sum_shares(digest, published) for site, session in everybody.items()}
        for site, session in everybody.items():
            session.sum_take(digest, {sender: shares[site] for sender, shares in sealed.items()})
        self.study.say(7, f"{len(everybody)} sites agreed on masks; {self.fewest} of them open a sum")
        return published

    def told(self, round: int) -> Sequence[str] | None:
        """The sites that a round was opened for; None if it was not."""
        sites: Sequence[str] | None = self._rounds().get(str(round))
        return sites

    def opened(self, round: int, masked: Mapping[str, np.ndarray]) -> np.ndarray:
        """The sum (uint32) of the masked vectors of these sites. Raises TrainingError if too few sites answer, or give what is
        wrong; FedkitError of the first site that cannot be asked if that makes them too few."""
        survivors = [site for site in self.group.sites if site in masked]
        self.study.run_folder.write(TOLD, {**self._rounds(), str(round): survivors})
        reveals = self._reveals(round, survivors)
        opened = unmask(self.group, round, masked, reveals, self._keys)
        if opened.wrong:
            self.study.say(8, f"round {round}: wrong shares by {', '.join(opened.wrong)}; the sum is right without them")
        return opened.total

    def _reveals(self, round: int, survivors: Sequence[str]) -> list[Reveal]:
        """What the sites give up; those that cannot be asked are left out, as long as enough answer."""
        reveals: list[Reveal] = []
        failed: list[FedkitError] = []
        for site in self.group.sites:
            try:
                shares = self._session(site).sum_open(self.request.digest, round, survivors)
                reveals.append(Reveal(site, round, _bytes(shares["own"]), _bytes(shares["pairwise"])))
            except FedkitError as error:
                failed.append(error)
                self.study.say(8, f"round {round}: no shares: {error.message}", site=site)
        if failed and len(reveals) < self.group.threshold:
            raise failed[0]
        return reveals

    def _rounds(self) -> dict[str, Any]:
        return self.study.run_folder.read(TOLD) or {}

    def _session(self, site: str) -> Any:
        return self.study.session(site, "researcher")


def _bytes(shares: Mapping[str, str]) -> dict[str, bytes]:
    return {site: bytes.fromhex(share) for site, share in shares.items()}
