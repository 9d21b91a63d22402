"""A steward's signature under the catalogue that a site shows to everybody (EIP-712 `Catalogue`). Pure. No contract reads it:
whoever reads a catalogue compares the signer with the stewards of that site on the ledger."""

from __future__ import annotations

from typing import Any

from fedkit.ledger.typed import LedgerDomain, digest_bytes32, name_id, recover_hash, sign_hash, signing_hash


def catalogue_message(site: str, catalogue: str, published: int, steward: str) -> dict[str, Any]:
    """The EIP-712 message. catalogue: digest.   published: Unix seconds."""
    return {"site": name_id(site), "catalogue": digest_bytes32(catalogue), "published": published, "steward": steward}


def sign_catalogue(site: str, catalogue: str, published: int, steward: str, private_key: bytes, domain: LedgerDomain) -> str:
    """The signature, 65 bytes as 0x hex."""
    return sign_hash(signing_hash("Catalogue", catalogue_message(site, catalogue, published, steward), domain), private_key)


def recover_catalogue(site: str, catalogue: str, published: int, steward: str, signature: str, domain: LedgerDomain) -> str:
    """Who signed (compare it with `steward`). Raises LedgerError if it is not signed."""
    return recover_hash(signing_hash("Catalogue", catalogue_message(site, catalogue, published, steward), domain), signature)
