"""Masking keys as signed statements: a site vouches for the digest of its public keys for one request. Pure.

The statement is EIP-712 like all others, made with the site's ledger key; no contract asks for it, the other sites do.
"""

from __future__ import annotations

from fedkit.ledger.typed import LedgerDomain, digest_bytes32, name_id, recover_hash, sign_hash, signing_hash


def sign_sum_keys(request: str, site: str, keys: str, private_key: bytes, domain: LedgerDomain) -> str:
    """The site's signature (0x hex).   request, keys: digests of the request and of the public keys."""
    return sign_hash(_hash(request, site, keys, domain), private_key)


def recover_sum_keys(request: str, site: str, keys: str, signature: str, domain: LedgerDomain) -> str:
    """Who signed. Raises LedgerError if nobody did."""
    return recover_hash(_hash(request, site, keys, domain), signature)


def _hash(request: str, site: str, keys: str, domain: LedgerDomain) -> bytes:
    message = {"request": digest_bytes32(request), "site": name_id(site), "keys": digest_bytes32(keys)}
    return signing_hash("SumKeys", message, domain)
