"""Standing approvals and delegations as signed statements (EIP-712). No contract reads them: an auditor does, and the site."""

from __future__ import annotations

from typing import Any

from eth_utils import to_checksum_address

from fedkit.errors import LedgerError
from fedkit.governance.delegation import Delegation
from fedkit.governance.standing import StandingApproval
from fedkit.ledger.typed import LedgerDomain, address_of, digest_bytes32, name_id, recover_hash, sign_hash, signing_hash


def standing_message(approval: StandingApproval) -> dict[str, Any]:
    """The EIP-712 message of a standing approval: what a wallet can show, and the digest of the other terms."""
    return {
        "site": name_id(approval.site),
        "code": digest_bytes32(approval.code),
        "environment": digest_bytes32(approval.environment),
        "dataset": name_id(approval.dataset),
        "entries": digest_bytes32(approval.entries),
        "terms": digest_bytes32(approval.terms),
        "requests": approval.requests,
        "expires": approval.expires,
        "steward": approval.steward,
    }


def delegation_message(delegation: Delegation) -> dict[str, Any]:
    """The EIP-712 message of a delegation."""
    return {
        "site": name_id(delegation.site),
        "steward": delegation.steward,
        "delegate": delegation.delegate,
        "expires": delegation.expires,
    }


def sign_standing(approval: StandingApproval, private_key: bytes, domain: LedgerDomain) -> StandingApproval:
    """The standing approval with its steward's signature. Raises LedgerError if the key is not that of `approval.steward`."""
    _check_key(private_key, approval.steward)
    return approval.signed(sign_hash(signing_hash("Standing", standing_message(approval), domain), private_key))


def recover_standing(approval: StandingApproval, domain: LedgerDomain) -> str:
    """Who signed it (compare it with `approval.steward`). Raises LedgerError if it is not signed."""
    return recover_hash(signing_hash("Standing", standing_message(approval), domain), approval.signature)


def sign_delegation(delegation: Delegation, private_key: bytes, domain: LedgerDomain) -> Delegation:
    """The delegation with its steward's signature. Raises LedgerError if the key is not that of `delegation.steward`."""
    _check_key(private_key, delegation.steward)
    return delegation.signed(sign_hash(signing_hash("Delegation", delegation_message(delegation), domain), private_key))


def recover_delegation(delegation: Delegation, domain: LedgerDomain) -> str:
    """Who signed it (compare it with `delegation.steward`). Raises LedgerError if it is not signed."""
    return recover_hash(signing_hash("Delegation", delegation_message(delegation), domain), delegation.signature)


def _check_key(private_key: bytes, steward: str) -> None:
    if address_of(private_key) != to_checksum_address(steward):
        raise LedgerError("the key is not the steward's", expected=steward, got=address_of(private_key))
