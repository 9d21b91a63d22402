"""Heads of the chain that sites counter-signed: what shows, later and to anybody, that a chain was set back or written anew.

Whoever runs a chain can rewrite it. What he cannot do is sign for a site. So each site keeps the head it saw last, signs a new
one only if the headers between lead from the old one to it, and the signed heads go into journals and evidence. Pure.
Source: witness cosigning of transparency logs (RFC 9162, section 8; Syta et al., "Keeping Authorities Honest or Bust", 2016),
with block headers in the place of a consistency proof.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

from fedkit.errors import LedgerError
from fedkit.ledger.blocks import Header, parse_header
from fedkit.ledger.typed import LedgerDomain, name_id, recover_hash, sign_hash, signing_hash

#: Headers that are shown to a site in one call at most: about a megabyte on the wire.
MOST = 1000


@dataclass(frozen=True)
class SignedHead:
    """A block that a site saw as the newest. hash: 0x and 64 hex; time: of the block, Unix seconds.

    signature: by the site's key, 0x hex, over all the rest (EIP-712 `Head`).
    """

    site: str
    number: int
    hash: str
    time: int
    signature: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> SignedHead:
        """Raises KeyError, TypeError or ValueError for anything else."""
        texts = (str(row[name]) for name in ("site", "hash", "signature"))
        site, hashed, signature = texts
        return SignedHead(site, int(row["number"]), hashed, int(row["time"]), signature)

    @property
    def pin(self) -> str:
        """The form in which a report prints a head and `--pin` takes it: NUMBER:0xHASH."""
        return f"{self.number}:{self.hash}"


def sign_head(head: SignedHead, private_key: bytes, domain: LedgerDomain) -> SignedHead:
    """The head with the site's signature."""
    return replace(head, signature=sign_hash(signing_hash("Head", _message(head), domain), private_key))


def recover_head(head: SignedHead, domain: LedgerDomain) -> str:
    """Who signed the head. Raises LedgerError if it is not signed."""
    return recover_hash(signing_hash("Head", _message(head), domain), head.signature)


def newest(headers: Sequence[bytes], last: SignedHead | None) -> Header:
    """The last of these block headers (RLP), if they lead to it from the head that was signed last.

    headers: the block of `last` or the one after it, and all that follow without a gap; with no `last`, any one or more.
    Raises LedgerError if they do not: the chain was set back or replaced, or this is another chain.
    """
    try:
        parsed = [parse_header(raw) for raw in headers]
    except ValueError:
        parsed = []
    if not parsed:
        raise LedgerError("there is no head to sign", expected="the headers of blocks, as RLP", got="something else")
    for before, after in pairwise(parsed):
        if (after.parent, after.number) != (before.hash, before.number + 1) or after.time < before.time:
            raise LedgerError(
                "these are not the headers of one chain",
                expected=f"block {before.number + 1} after block {before.number}",
                got=f"block {after.number}, which does not follow it",
                help="read the headers from the chain again",
            )
    first = parsed[0]
    goes_on = last is None or first.hash == last.hash or (first.parent, first.number) == (last.hash, last.number + 1)
    if last is not None and not goes_on:
        raise LedgerError(
            "this chain does not go on from the head that was signed before",
            expected=f"block {last.number} with hash {last.hash}, and what follows it",
            got=f"block {first.number} with hash {first.hash}",
            help="the chain was set back or replaced: restore its backup, and show both heads to the auditor",
        )
    return parsed[-1]


def _message(head: SignedHead) -> dict[str, Any]:
    try:
        hashed = bytes.fromhex(head.hash.removeprefix("0x"))
    except ValueError:
        hashed = b""
    if len(hashed) != 32:
        raise LedgerError("not the hash of a block", expected="0x and 64 hex characters", got=f"{len(head.hash)} characters")
    return {"site": name_id(head.site), "number": head.number, "hash": hashed, "time": head.time}
