"""Transactions and receipts as bytes: signed here, read again by an auditor. Pure; RLP and secp256k1 only.

fedkit sends one kind: a legacy transaction with replay protection (EIP-155) and gas price 0, which every chain that asks no
fee accepts. Source: Ethereum yellow paper, appendix B and section 4; EIP-155, EIP-658.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import rlp
from eth_keys import keys
from eth_keys.exceptions import BadSignature, ValidationError
from eth_utils import keccak, to_canonical_address, to_checksum_address


@dataclass(frozen=True)
class Transaction:
    """One transaction. hash: 0x and 64 hex. to: None where it creates `contract`. sender: recovered from the signature."""

    hash: str
    sender: str
    nonce: int
    to: str | None
    data: bytes
    chain_id: int

    @property
    def contract(self) -> str:
        """The address of the contract that this transaction creates, if it creates one."""
        return contract_address(self.sender, self.nonce)


@dataclass(frozen=True)
class Log:
    """What a contract emitted: its address, topics and data."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes


def sign_transaction(key: bytes, *, chain_id: int, nonce: int, to: str | None, data: bytes, gas: int) -> bytes:
    """The raw bytes of a signed transaction with gas price and value 0. to: None creates a contract."""
    body = [nonce, 0, gas, to_canonical_address(to) if to else b"", 0, data]
    signature = keys.PrivateKey(key).sign_msg_hash(keccak(rlp.encode([*body, chain_id, 0, 0])))
    return rlp.encode([*body, 35 + 2 * chain_id + signature.v, signature.r, signature.s])


def parse_transaction(raw: bytes) -> Transaction:
    """The transaction in raw bytes. Raises ValueError for anything but a signed legacy transaction with EIP-155."""
    try:
        nonce, price, gas, to, value, data, v, r, s = rlp.decode(raw, strict=True)
        chain_id, parity = divmod(int.from_bytes(v) - 35, 2)  # below 35 is no EIP-155; RLP refuses the negative number
        signed = keccak(rlp.encode([nonce, price, gas, to, value, data, chain_id, 0, 0]))
        public = keys.Signature(vrs=(parity, int.from_bytes(r), int.from_bytes(s))).recover_public_key_from_msg_hash(signed)
    except (rlp.exceptions.RLPException, BadSignature, ValidationError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"not a signed legacy transaction: {type(error).__name__}") from None
    return Transaction(
        "0x" + keccak(raw).hex(),
        public.to_checksum_address(),
        int.from_bytes(nonce),
        to_checksum_address(to) if to else None,
        data,
        chain_id,
    )


def parse_receipt(raw: bytes) -> tuple[bool, list[Log]]:
    """Whether the transaction went through, and what it emitted. Raises ValueError for anything but a legacy receipt."""
    try:
        status, _gas, _bloom, logs = rlp.decode(raw, strict=True)
        return status == b"\x01", [Log(to_checksum_address(a), tuple(topics), data) for a, topics, data in logs]
    except (rlp.exceptions.RLPException, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"not a receipt: {type(error).__name__}") from None


def contract_address(sender: str, nonce: int) -> str:
    """Where a contract lands that `sender` creates with its transaction number `nonce`."""
    return to_checksum_address(keccak(rlp.encode([to_canonical_address(sender), nonce]))[12:])


def trie_root(items: Sequence[bytes]) -> bytes:
    """The root of the Merkle Patricia trie in which a block header commits to its transactions or receipts."""
    from trie import HexaryTrie

    tree = HexaryTrie({})
    for index, item in enumerate(items):
        tree[rlp.encode(index)] = item
    return tree.root_hash
