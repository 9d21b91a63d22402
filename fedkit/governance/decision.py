"""A steward's decision, signed with the steward's own key (EIP-712), and the receipt a site signs for every execution.

The typed data is the same that the smart contracts verify: a signature made here counts on chain, and only there and for
that chain and contract. The reason of a denial stays off chain; its salted digest goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from fedkit.digests import digest, salted


@dataclass(frozen=True)
class Decision:
    """Approve or deny one request at one site.

    request: digest of the CodeRequest.   site: name of the site.
    rounds:  executions granted per entry is the lower of this and the request's own (0 when denied).
    expires: Unix seconds, UTC; after it the approval does not count.
    reason:  for people; kept at the site and shown to the researcher, never on chain.
    reason_digest: HMAC of the reason under the site's salt (64 hex).
    steward: the steward's address (0x…, checksummed).   signature: 65 bytes as 0x hex, over all but `reason`.
    """

    request: str
    site: str
    approved: bool
    rounds: int
    expires: int
    reason: str
    reason_digest: str
    steward: str
    signature: str = ""

    def signed(self, signature: str) -> Decision:
        return replace(self, signature=signature)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Decision:
        return Decision(**{k: row[k] for k in Decision.__dataclass_fields__})


@dataclass(frozen=True)
class Receipt:
    """What a site signs after it ran an entry: which request, which round, what went in and what came out, as digests.

    entry:   name of the entry.   round: 1, 2, …   attempt is not counted: the same call gives the same receipt.
    inputs:  digest of the weights given (64 zeros if none).
    outputs: digest of the tensors' wire form (64 zeros if none).
    numbers: the bounded numbers that left with it; on chain only their digest stands.
    numbers_digest: of the numbers, under `salt` (see `digest_of_numbers`).
    signature: by the site's key, 0x hex.
    salt: 64 random hex characters, which travel with the numbers and stand on no chain: else a count could be guessed.
    """

    request: str
    site: str
    entry: str
    round: int
    inputs: str
    outputs: str
    numbers: Mapping[str, float]
    numbers_digest: str
    signature: str = ""
    salt: str = ""

    def signed(self, signature: str) -> Receipt:
        return replace(self, signature=signature)

    def numbers_fit(self) -> bool:
        """Whether these numbers are those that the digest, and so the signature, is about."""
        try:
            return digest_of_numbers(self.numbers, self.salt) == self.numbers_digest
        except ValueError:
            return False

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "numbers": dict(self.numbers)}

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Receipt:
        return Receipt(**{k: row[k] for k in Receipt.__dataclass_fields__ if k != "salt"}, salt=row.get("salt", ""))


def digest_of_numbers(numbers: Mapping[str, float], salt: str) -> str:
    """What stands on the ledger for the numbers of an execution: their HMAC under the salt (hex), or without one their digest.

    Raises ValueError if the salt is no hex or a number is not finite.
    """
    return salted(dict(numbers), bytes.fromhex(salt)) if salt else digest(dict(numbers))


#: No weights went in, or no tensors came out.
NOTHING = "0" * 64
