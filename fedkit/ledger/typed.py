"""The statements that stewards and sites sign (EIP-712), hashed exactly as the contracts hash them.

Pure: no chain, no network. A statement is signed for one deployment, `LedgerDomain(chain id, address of the Registry)`, and
counts nowhere else. Digests stand as bytes32, names as keccak256 of their UTF-8 bytes. Source: EIP-712; the type strings are
those of contracts/src/Requests.sol, Rounds.sol, Journals.sol and Budgets.sol, and a test compares both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from eth_abi import encode
from eth_keys import keys
from eth_keys.exceptions import BadSignature, ValidationError
from eth_utils import keccak, to_checksum_address
from eth_utils.exceptions import ValidationError as UtilsValidationError

from fedkit.errors import LedgerError
from fedkit.governance.decision import Decision, Receipt

#: EIP-712 types: name → (field, Solidity type) in order.
TYPES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Decision": (
        ("request", "bytes32"),
        ("site", "bytes32"),
        ("approved", "bool"),
        ("rounds", "uint32"),
        ("expires", "uint64"),
        ("reasonDigest", "bytes32"),
        ("steward", "address"),
    ),
    "Receipt": (
        ("request", "bytes32"),
        ("site", "bytes32"),
        ("entry", "bytes32"),
        ("round", "uint32"),
        ("inputs", "bytes32"),
        ("outputs", "bytes32"),
        ("numbersDigest", "bytes32"),
    ),
    "Anchor": (("stream", "bytes32"), ("first", "uint64"), ("last", "uint64"), ("root", "bytes32")),
    "Budget": (
        ("site", "bytes32"),
        ("dataset", "bytes32"),
        ("cap", "uint64"),
        ("version", "uint32"),
        ("steward", "address"),
    ),
    "Spend": (
        ("request", "bytes32"),
        ("site", "bytes32"),
        ("entry", "bytes32"),
        ("round", "uint32"),
        ("amount", "uint64"),
        ("before", "uint64"),
    ),
    "Standing": (
        ("site", "bytes32"),
        ("code", "bytes32"),
        ("environment", "bytes32"),
        ("dataset", "bytes32"),
        ("entries", "bytes32"),
        ("terms", "bytes32"),
        ("requests", "uint32"),
        ("expires", "uint64"),
        ("steward", "address"),
    ),  # see `standing`; no contract asks
    "Delegation": (
        ("site", "bytes32"),
        ("steward", "address"),
        ("delegate", "address"),
        ("expires", "uint64"),
    ),  # the same
    "SumKeys": (("request", "bytes32"), ("site", "bytes32"), ("keys", "bytes32")),  # see `sum_keys`; no contract asks
    "Catalogue": (
        ("site", "bytes32"),
        ("catalogue", "bytes32"),
        ("published", "uint64"),
        ("steward", "address"),
    ),  # see `catalogues`; no contract asks
    "Head": (
        ("site", "bytes32"),
        ("number", "uint64"),
        ("hash", "bytes32"),
        ("time", "uint64"),
    ),  # see `heads`; no contract asks
}

_DOMAIN_TYPE = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")


@dataclass(frozen=True)
class LedgerDomain:
    """Where a signature counts. contract: address (0x…) of the deployment's Registry."""

    chain_id: int
    contract: str

    @cached_property
    def separator(self) -> bytes:
        """The EIP-712 domain separator: name "fedkit", version "1", this chain and contract."""
        values = [_DOMAIN_TYPE, keccak(b"fedkit"), keccak(b"1"), self.chain_id, self.contract]
        return keccak(encode(["bytes32", "bytes32", "bytes32", "uint256", "address"], values))

    def to_json(self) -> dict[str, Any]:
        return {"chain_id": self.chain_id, "contract": self.contract}

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> LedgerDomain:
        return LedgerDomain(int(row["chain_id"]), str(row["contract"]))


def name_id(name: str) -> bytes:
    """The 32 bytes that stand on chain for the name of a site, entry or data set."""
    return keccak(text=name)


def decision_message(decision: Decision) -> dict[str, Any]:
    """The EIP-712 message of a decision (all but its reason)."""
    return {
        "request": digest_bytes32(decision.request),
        "site": name_id(decision.site),
        "approved": decision.approved,
        "rounds": decision.rounds,
        "expires": decision.expires,
        "reasonDigest": digest_bytes32(decision.reason_digest),
        "steward": decision.steward,
    }


def receipt_message(receipt: Receipt) -> dict[str, Any]:
    """The EIP-712 message of a receipt (of its numbers, the digest)."""
    return {
        "request": digest_bytes32(receipt.request),
        "site": name_id(receipt.site),
        "entry": name_id(receipt.entry),
        "round": receipt.round,
        "inputs": digest_bytes32(receipt.inputs),
        "outputs": digest_bytes32(receipt.outputs),
        "numbersDigest": digest_bytes32(receipt.numbers_digest),
    }


def anchor_message(anchor: Mapping[str, Any]) -> dict[str, Any]:
    """The EIP-712 message of an anchor: {"stream": site, "from": first row, "to": last row, "root": 64 hex}."""
    return {
        "stream": name_id(anchor["stream"]),
        "first": anchor["from"],
        "last": anchor["to"],
        "root": digest_bytes32(anchor["root"]),
    }


def signing_hash(kind: str, message: Mapping[str, Any], domain: LedgerDomain) -> bytes:
    """The 32 bytes that are signed. Raises LedgerError if the message does not fit the type."""
    fields = TYPES[kind]
    type_hash = keccak(text=f"{kind}({','.join(f'{solidity} {name}' for name, solidity in fields)})")
    try:
        struct = encode(["bytes32", *(t for _, t in fields)], [type_hash, *(message[name] for name, _ in fields)])
    except Exception as error:  # eth_abi raises several unrelated kinds
        raise LedgerError(f"not a {kind.lower()} that can be signed", got=type(error).__name__) from None
    return keccak(b"\x19\x01" + domain.separator + keccak(struct))


def sign_hash(hashed: bytes, private_key: bytes) -> str:
    """A 65-byte signature (r, s, v with v 27 or 28) as 0x and 130 hex characters; deterministic (RFC 6979), low s."""
    signature = keys.PrivateKey(private_key).sign_msg_hash(hashed)
    return "0x" + signature.to_bytes()[:64].hex() + f"{27 + signature.v:02x}"


def recover_hash(hashed: bytes, signature: str) -> str:
    """The checksummed address that signed. Raises LedgerError if the signature is none, or one the contracts refuse."""
    try:
        raw = bytes.fromhex(signature.removeprefix("0x"))
        # eth_keys refuses another length and another v; the contracts refuse a high s too, which would be a second signature.
        parity = 2 if int.from_bytes(raw[32:64]) > _HALF_ORDER else raw[64] - 27
        public = keys.Signature(raw[:64] + bytes([parity])).recover_public_key_from_msg_hash(hashed)
    except (ValueError, IndexError, BadSignature, ValidationError, UtilsValidationError):
        raise LedgerError(
            "not a signature", expected="0x and 130 hex characters: r, low s, v 27 or 28", got=f"{len(signature)} characters"
        ) from None
    return public.to_checksum_address()


_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def sign_decision(decision: Decision, private_key: bytes, domain: LedgerDomain) -> Decision:
    """The decision with its steward's signature. Raises LedgerError if the key is not that of `decision.steward`."""
    if address_of(private_key) != to_checksum_address(decision.steward):
        raise LedgerError("the key is not the steward's", expected=decision.steward, got=address_of(private_key))
    return decision.signed(sign_hash(signing_hash("Decision", decision_message(decision), domain), private_key))


def recover_decision(decision: Decision, domain: LedgerDomain) -> str:
    """Who signed the decision (compare it with `decision.steward`). Raises LedgerError if it is not signed."""
    return recover_hash(signing_hash("Decision", decision_message(decision), domain), decision.signature)


def sign_receipt(receipt: Receipt, private_key: bytes, domain: LedgerDomain) -> Receipt:
    """The receipt with the site's signature."""
    return receipt.signed(sign_hash(signing_hash("Receipt", receipt_message(receipt), domain), private_key))


def recover_receipt(receipt: Receipt, domain: LedgerDomain) -> str:
    """Who signed the receipt. Raises LedgerError if it is not signed."""
    return recover_hash(signing_hash("Receipt", receipt_message(receipt), domain), receipt.signature)


def sign_anchor(anchor: Mapping[str, Any], private_key: bytes, domain: LedgerDomain) -> dict[str, Any]:
    """The anchor {"stream", "from", "to", "root"} with the site's "signature"."""
    return {**anchor, "signature": sign_hash(signing_hash("Anchor", anchor_message(anchor), domain), private_key)}


def recover_anchor(anchor: Mapping[str, Any], domain: LedgerDomain) -> str:
    """Who signed the anchor. Raises LedgerError if it is not signed."""
    return recover_hash(signing_hash("Anchor", anchor_message(anchor), domain), anchor["signature"])


def address_of(private_key: bytes) -> str:
    """The checksummed address of a private key (32 bytes)."""
    return keys.PrivateKey(private_key).public_key.to_checksum_address()


def digest_bytes32(digest: str) -> bytes:
    """A digest as the 32 bytes that stand on chain. Raises LedgerError if it is none."""
    try:
        raw = bytes.fromhex(digest)
    except (ValueError, TypeError):
        raw = b""
    if len(raw) != 32:
        raise LedgerError("not a digest", expected="64 hex characters", got=f"{len(str(digest))} characters")
    return raw
