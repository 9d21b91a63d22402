"""Blocks, transactions, receipts and logs of the embedded chain as JSON-RPC tells them. Pure: py-evm's objects in, JSON out.

Source: the Ethereum JSON-RPC specification (ethereum/execution-apis), for Cancun.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from eth_utils import encode_hex, to_checksum_address

from fedkit.ledger.transactions import contract_address

Json = Any

#: 20 bytes as an address with its checksum, which is a hash: there are few addresses, in many logs.
_address = lru_cache(4096)(to_checksum_address)


def block_answer(block: Any, full: bool) -> dict[str, Json]:
    """A block with the hashes of its transactions, or with whole ones if `full`."""
    header = block.header
    return {
        "number": hex(header.block_number),
        "hash": encode_hex(header.hash),
        "parentHash": encode_hex(header.parent_hash),
        "sha3Uncles": encode_hex(header.uncles_hash),
        "miner": _address(header.coinbase),
        "stateRoot": encode_hex(header.state_root),
        "transactionsRoot": encode_hex(header.transaction_root),
        "receiptsRoot": encode_hex(header.receipt_root),
        "logsBloom": "0x" + header.bloom.to_bytes(256).hex(),
        "difficulty": hex(header.difficulty),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp),
        "extraData": encode_hex(header.extra_data),
        "mixHash": encode_hex(header.mix_hash),
        "nonce": encode_hex(header.nonce),
        "baseFeePerGas": hex(header.base_fee_per_gas),
        "withdrawalsRoot": encode_hex(header.withdrawals_root),
        "blobGasUsed": hex(header.blob_gas_used),
        "excessBlobGas": hex(header.excess_blob_gas),
        "parentBeaconBlockRoot": encode_hex(header.parent_beacon_block_root),
        "size": "0x0",
        "uncles": [],
        "withdrawals": [],
        "transactions": [
            transaction_answer(block, i) if full else encode_hex(t.hash) for i, t in enumerate(block.transactions)
        ],
    }


def transaction_answer(block: Any, index: int) -> dict[str, Json]:
    """The transaction at a place in a block."""
    transaction = block.transactions[index]
    return {
        "hash": encode_hex(transaction.hash),
        "blockHash": encode_hex(block.hash),
        "blockNumber": hex(block.number),
        "transactionIndex": hex(index),
        "from": _address(transaction.sender),
        "to": _address(transaction.to) if transaction.to else None,
        "nonce": hex(transaction.nonce),
        "gas": hex(transaction.gas),
        "gasPrice": hex(transaction.gas_price),
        "value": hex(transaction.value),
        "input": encode_hex(transaction.data),
        "type": "0x0",
        "v": hex(transaction.v),
        "r": hex(transaction.r),
        "s": hex(transaction.s),
    }


def receipt_answer(block: Any, receipts: Sequence[Any], index: int) -> dict[str, Json]:
    """What came of the transaction at a place in a block, with its logs. receipts: of the whole block."""
    transaction, receipt = block.transactions[index], receipts[index]
    row = transaction_answer(block, index)
    before = receipts[index - 1].gas_used if index else 0
    return {
        **{key: row[key] for key in ("blockHash", "blockNumber", "transactionIndex", "from", "to", "type")},
        "transactionHash": row["hash"],
        "contractAddress": None if transaction.to else contract_address(row["from"], transaction.nonce),
        "cumulativeGasUsed": hex(receipt.gas_used),
        "gasUsed": hex(receipt.gas_used - before),
        "effectiveGasPrice": "0x0",
        "status": hex(int(receipt.state_root == b"\x01")),
        "logsBloom": "0x" + receipt.bloom.to_bytes(256).hex(),
        "logs": list(_logs(block, receipts, index)),
    }


def matching_logs(block: Any, receipts: Sequence[Any], wanted: Mapping[str, Any]) -> Iterator[dict[str, Json]]:
    """The logs of a block that fit a filter {"address", "topics"}, in order."""
    addresses = wanted.get("address") or []
    accepted = {a.lower() for a in ([addresses] if isinstance(addresses, str) else addresses)}
    topics = wanted.get("topics") or []
    for index, receipt in enumerate(receipts):
        for log in _logs(block, receipts, index) if receipt.logs else ():
            if (not accepted or log["address"].lower() in accepted) and _fits(log["topics"], topics):
                yield log


def _fits(topics: Sequence[str], wanted: Sequence[Any]) -> bool:
    """Whether topics match a filter: by position; None is anything, a list is any of its members."""
    if len(wanted) > len(topics):
        return False
    return all(w is None or t in ([w] if isinstance(w, str) else w) for t, w in zip(topics, wanted, strict=False))


def _logs(block: Any, receipts: Sequence[Any], index: int) -> Iterator[dict[str, Json]]:
    """The logs of one transaction; they are numbered through the block."""
    where = {
        "blockNumber": hex(block.number),
        "blockHash": encode_hex(block.hash),
        "blockTimestamp": hex(block.header.timestamp),
        "transactionHash": encode_hex(block.transactions[index].hash),
        "transactionIndex": hex(index),
        "removed": False,
    }
    first = sum(len(receipt.logs) for receipt in receipts[:index])
    for position, log in enumerate(receipts[index].logs, first):
        yield {
            "address": _address(log.address),
            "topics": ["0x" + int(topic).to_bytes(32).hex() for topic in log.topics],
            "data": encode_hex(log.data),
            "logIndex": hex(position),
            **where,
        }
