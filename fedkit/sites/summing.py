"""A site's part in secure sums: its keys, its masks, and its shares, for requests that say so and that a steward approved.

The masks are added by the site, after the output contract and never by the approved code; so neither that code nor whoever
averages has an update without its mask. What must not happen twice is kept in `sum_store`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from fedkit.errors import AccessRefused, FedkitError, LedgerError, RequestError
from fedkit.federation.parameters import Parameters
from fedkit.federation.secure_aggregation.draws import Draws
from fedkit.federation.secure_aggregation.keys import Group, PublicKeys, Secrets
from fedkit.federation.secure_aggregation.masking import Masking
from fedkit.federation.secure_aggregation.summands import needs_a_sum, to_vector
from fedkit.federation.secure_aggregation.whole_numbers import to_ring
from fedkit.federation.strategies import SiteUpdate, strategy_for
from fedkit.governance.kinds import KINDS
from fedkit.governance.request import CodeRequest
from fedkit.governance.secure_sum import SecureSum
from fedkit.ledger.sum_keys import recover_sum_keys
from fedkit.sites.parts import SiteParts
from fedkit.sites.sum_store import SumStore

#: Name of the one tensor that leaves in the place of an update: uint32, the masked vector.
MASKED = "masked"


class Summing:
    """The secure sums of one site."""

    def __init__(self, parts: SiteParts) -> None:
        self.parts, self.site = parts, parts.config.name
        self.store = SumStore(parts.store.database)

    def check(self, request: CodeRequest) -> None:
        """Whether this site could take part. Raises RequestError, TrainingError: asked before a steward spends time on it."""
        if request.secure_sum is None:
            return
        if request.secure_sum.sites.get(self.site) != self.parts.info.key:
            raise RequestError(
                "the sum is not of this site",
                expected=f"{self.site} among its sites, with the key {self.parts.info.key}",
                got="another key" if self.site in request.secure_sum.sites else f"{list(request.secure_sum.sites)}",
                help="make the request anew with the sites' keys as the federation has them now",
            )
        if not KINDS[request.kind].questions:  # sums of questions are of whole numbers, and need no strategy
            needs_a_sum(strategy_for(request.settings))

    def keys(self, request: CodeRequest, user: str) -> dict[str, Any]:
        """The site's public keys for all rounds of the request, signed: `{"keys", "signature"}`."""
        public = self._secrets(request).public
        signature = self.parts.keys.sign_sum_keys(
            self.parts.key_name, request.digest, self.site, public.digest, self.parts.config.ledger
        )
        self.parts.journal.append("sum.keys", user, request=request.digest, keys=public.digest, signature=signature)
        return {"keys": public.to_json(), "signature": signature}

    def shares(self, request: CodeRequest, published: Mapping[str, Any], user: str) -> dict[str, str]:
        """Take everybody's keys (site → what `keys` gave there); returns site → sealed shares for it, as hex.

        Raises AccessRefused for keys that are not signed by the site's key as the request names it.
        """
        peers = {site: self._vouched(request, site, published.get(site)) for site in _of(request).sites}
        made = Masking(self._secrets(request), peers, {}, self.store.rounds(request.digest)).for_others()
        self.store.keep(request.digest, "keys", {site: keys.to_json() for site, keys in peers.items()})
        self.parts.journal.append("sum.agreed", user, request=request.digest, sites=len(peers))
        return {site: data.hex() for site, data in made.items()}

    def take(self, request: CodeRequest, sealed: Mapping[str, str]) -> None:
        """Take what the sites sealed for this one (site → hex). Raises TrainingError if any was changed on its way."""
        data = {site: _bytes(sealed.get(site)) for site in _of(request).sites}
        Masking(self._secrets(request), self._peers(request), data, self.store.rounds(request.digest))
        self.store.keep(request.digest, "sealed", {site: raw.hex() for site, raw in data.items()})

    def mask(
        self, request: CodeRequest, round: int, start: Parameters, tensors: Parameters, numbers: Mapping[str, float]
    ) -> dict[str, np.ndarray]:
        """What leaves in the place of an update. start: the weights that came in. Raises TrainingError, RequestError."""
        group = self._group(request)
        update = SiteUpdate(self.site, tensors, numbers)
        vector = to_vector(strategy_for(request.settings), start, update, len(group.sites))
        return {MASKED: self._masking(request).mask(round, vector)}

    def mask_whole(self, request: CodeRequest, number: int, values: np.ndarray) -> dict[str, np.ndarray]:
        """What leaves in the place of a question's sums. values: int64, one axis, with this site's share of the noise in them.

        The same question with the same number must bring the same values: a number is masked once. Raises TrainingError.
        """
        vector = to_ring(values, len(self._group(request).sites))
        return {MASKED: self._masking(request).mask(number, vector)}

    def fewest(self, request: CodeRequest) -> int:
        """How many sites can open a sum, at least: shares of noise are cut so that those of so many are enough."""
        return self._group(request).threshold

    def draws(self, request: CodeRequest, number: int, question: str) -> Draws:
        """What this site's share of a question's noise is drawn from: the same again for the same question (its digest) and
        number, so that a call which a crash cut off comes to the same masked numbers."""
        return Draws(self._secrets(request).secret, f"{request.digest} {self.site} {number} {question}")

    def open(self, request: CodeRequest, round: int, survivors: Sequence[str], user: str) -> dict[str, dict[str, str]]:
        """This site's shares for a round whose sum is over these sites: `{"own": …, "pairwise": …}`, site → hex."""
        masking = self._masking(request)
        given = masking.reveal(round, [str(site) for site in survivors])
        self.parts.journal.append("sum.opened", user, request=request.digest, round=round, sites=len(given.own))
        return {
            "own": {site: share.hex() for site, share in given.own.items()},
            "pairwise": {site: share.hex() for site, share in given.pairwise.items()},
        }

    @contextmanager
    def refusals(self, request: str, user: str) -> Iterator[None]:
        """Journal a refusal of what is done inside."""
        try:
            yield
        except FedkitError as error:
            self.parts.journal.append("sum.refused", user, request=request, reason=error.code)
            raise

    # -- helpers
    def _group(self, request: CodeRequest) -> Group:
        return Group.of(request.digest, list(_of(request).sites))

    def _secrets(self, request: CodeRequest) -> Secrets:
        self.check(request)
        rounds = request.entry(_of(request).entry).executions
        return Secrets(self.site, self._group(request), rounds, self.store.secret(request.digest))

    def _peers(self, request: CodeRequest) -> dict[str, PublicKeys]:
        rows = self.store.kept(request.digest, "keys")
        if rows is None:
            raise _not_agreed()
        return {site: PublicKeys.from_json(row) for site, row in rows.items()}

    def _masking(self, request: CodeRequest) -> Masking:
        sealed = self.store.kept(request.digest, "sealed")
        if sealed is None:
            raise _not_agreed()
        data = {site: bytes.fromhex(text) for site, text in sealed.items()}
        return Masking(self._secrets(request), self._peers(request), data, self.store.rounds(request.digest))

    def _vouched(self, request: CodeRequest, site: str, row: Any) -> PublicKeys:
        try:
            keys, signature = PublicKeys.from_json(row["keys"]), str(row["signature"])
            signer = recover_sum_keys(request.digest, site, keys.digest, signature, self.parts.config.ledger)
        except (KeyError, TypeError, LedgerError):
            signer = "nobody"
        if signer != _of(request).sites[site]:
            raise AccessRefused(
                f"the keys of {site} are not signed by it",
                expected=_of(request).sites[site],
                got=signer,
                help="fetch the keys from the site itself; somebody may stand between",
            )
        return keys


def _of(request: CodeRequest) -> SecureSum:
    if request.secure_sum is None:
        raise RequestError("this request adds nothing up under masks", expected="a request with a secure sum", got="another")
    return request.secure_sum


def _not_agreed() -> RequestError:
    return RequestError(
        "the sites have not agreed on masks for this request",
        expected="everybody's keys and shares",
        got="none yet, or not all",
        help="bring the keys and shares from site to site first; a study does it before round 1",
    )


def _bytes(text: Any) -> bytes:
    try:
        return bytes.fromhex(text)
    except (TypeError, ValueError):
        raise RequestError("not what a site sealed", expected="hex", got=type(text).__name__) from None
