"""Blocks as the bytes that their hashes are made of, so that an auditor hashes for himself and believes no node.

`raw_block` rebuilds the bytes from what JSON-RPC tells; `parse_header` reads them again. Pure, RLP only. Source: Ethereum
yellow paper, section 4.3, and the header fields that London, Shanghai, Cancun and Prague added (EIP-1559, 4895, 4844, 4788,
7685).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rlp
from eth_utils import keccak

from fedkit.errors import LedgerError
from fedkit.ledger.transactions import trie_root

#: JSON-RPC name → whether it is a number (bytes without leading zeros) or bytes as they are; in header order.
_HEADER: Sequence[tuple[str, bool]] = (
    ("parentHash", False),
    ("sha3Uncles", False),
    ("miner", False),
    ("stateRoot", False),
    ("transactionsRoot", False),
    ("receiptsRoot", False),
    ("logsBloom", False),
    ("difficulty", True),
    ("number", True),
    ("gasLimit", True),
    ("gasUsed", True),
    ("timestamp", True),
    ("extraData", False),
    ("mixHash", False),
    ("nonce", False),
    ("baseFeePerGas", True),
    ("withdrawalsRoot", False),
    ("blobGasUsed", True),
    ("excessBlobGas", True),
    ("parentBeaconBlockRoot", False),
    ("requestsHash", False),
)

#: How the extra data of an embedded chain's headers begins. In block 0 the chain id follows, in the others the wall time.
EXTRA = b"fedkit"

_BYTES = rlp.sedes.CountableList(rlp.sedes.binary)


@dataclass(frozen=True)
class RawBlock:
    """A block as RLP: its header, its signed transactions, and what came of each."""

    header: bytes
    transactions: tuple[bytes, ...]
    receipts: tuple[bytes, ...]


@dataclass(frozen=True)
class Header:
    """The fields of a block header that an auditor looks at; hash is recomputed from the bytes (0x…)."""

    hash: str
    parent: str
    number: int
    time: int
    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    extra: bytes

    @property
    def clock(self) -> float | None:
        """What the clock of an embedded chain's owner showed when it made this block (Unix seconds); None if it does not say.

        `time` runs ahead of it in a burst of blocks, since it must rise by a second a block.
        """
        says = self.number > 0 and len(self.extra) == 14 and self.extra.startswith(b"fedkit")
        return int.from_bytes(self.extra[6:]) / 1000 if says else None


def raw_block(block: Mapping[str, Any], receipts: Sequence[Mapping[str, Any]]) -> RawBlock:
    """The bytes of a block as JSON-RPC gives it, with whole transactions, and their receipts in order.

    Raises LedgerError if the bytes do not hash to what the block says: the node lies, or holds transactions of other kinds
    than fedkit sends.
    """
    raw = RawBlock(
        raw_header(block),
        tuple(rlp.encode(_transaction(t)) for t in block["transactions"]),
        tuple(rlp.encode(_receipt(r)) for r in receipts),
    )
    header = parse_header(raw.header)
    whole = (
        header.hash == block["hash"]
        and trie_root(raw.transactions) == header.transactions_root
        and trie_root(raw.receipts) == header.receipts_root
    )
    if not whole:
        raise LedgerError(
            f"block {header.number} cannot be rebuilt",
            expected="a block of legacy transactions that hashes to its own hash",
            got="another hash",
            help="use a chain that only fedkit writes to",
        )
    return raw


def raw_header(block: Mapping[str, Any]) -> bytes:
    """The bytes of a block's header as JSON-RPC gives it; their hash is checked by who believes no node."""
    return rlp.encode([_field(block[name], number) for name, number in _HEADER if block.get(name) is not None])


def parse_header(raw: bytes) -> Header:
    """The header in raw bytes. Raises ValueError for anything else."""
    try:
        fields = rlp.decode(raw, sedes=_BYTES, strict=True)
    except (rlp.exceptions.RLPException, TypeError, RecursionError):
        fields = ()
    if len(fields) < 15:
        raise ValueError("not a block header")
    return Header(
        "0x" + keccak(raw).hex(),
        "0x" + fields[0].hex(),
        int.from_bytes(fields[8]),
        int.from_bytes(fields[11]),
        fields[3],
        fields[4],
        fields[5],
        fields[12],
    )


def wall_time(extra: bytes) -> float | None:
    """What the clock of an embedded chain's owner showed (Unix seconds) when it made the block with this extra data: `EXTRA`
    and eight bytes of milliseconds. None for a block of another chain. Not for block 0."""
    if len(extra) != len(EXTRA) + 8 or not extra.startswith(EXTRA):
        return None
    return int.from_bytes(extra[len(EXTRA) :]) / 1000


def _field(value: str, number: bool) -> bytes:
    raw = bytes.fromhex(value[2:].zfill(len(value) // 2 * 2) if number else value[2:])
    return raw.lstrip(b"\0") if number else raw


def _transaction(row: Mapping[str, Any]) -> list[bytes]:
    names = (("nonce", 1), ("gasPrice", 1), ("gas", 1), ("to", 0), ("value", 1), ("input", 0), ("v", 1), ("r", 1), ("s", 1))
    return [_field(row[name] or "0x", bool(number)) for name, number in names]


def _receipt(row: Mapping[str, Any]) -> list[Any]:
    logs = [
        [_field(log["address"], False), [_field(t, False) for t in log["topics"]], _field(log["data"], False)]
        for log in row["logs"]
    ]
    return [_field(row["status"], True), _field(row["cumulativeGasUsed"], True), _field(row["logsBloom"], False), logs]
