"""The embedded chain as a web3 provider, so that `Web3(EvmProvider(evm))` just works: it answers as a node does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from typing import Any

from eth_utils import decode_hex, encode_hex, to_checksum_address
from web3.providers import BaseProvider

from fedkit.errors import FedkitError
from fedkit.ledger.evm import Evm, Reverted

Json = Any


class EvmProvider(BaseProvider):
    """Answers JSON-RPC for an embedded chain in this process.

    Beside the standard methods, `fedkit_sendRawTransactions` puts several raw transactions into one block. A transaction that
    a contract would refuse is not taken in: the reply is the error that `eth_call` gives.
    """

    def __init__(self, evm: Evm) -> None:
        super().__init__()
        self.evm = evm
        self._methods: dict[str, Callable[..., Json]] = {
            "web3_clientVersion": lambda: f"fedkit/py-evm {version('py-evm')}",
            "net_version": lambda: str(evm.chain_id),
            "eth_chainId": lambda: hex(evm.chain_id),
            "eth_gasPrice": lambda: "0x0",
            "eth_maxPriorityFeePerGas": lambda: "0x0",
            "eth_accounts": list,
            "eth_syncing": lambda: False,
            "eth_blockNumber": lambda: hex(self._head().block_number),
            "eth_getBalance": lambda who, at="latest": hex(self._state(at).get_balance(decode_hex(who))),
            "eth_getTransactionCount": lambda who, at="latest": hex(self._state(at).get_nonce(decode_hex(who))),
            "eth_getCode": lambda who, at="latest": encode_hex(self._state(at).get_code(decode_hex(who))),
            "eth_getStorageAt": self._storage,
            "eth_call": self._call,
            "eth_estimateGas": self._estimate,
            "eth_sendRawTransaction": lambda raw: self._send([raw])[0],
            "fedkit_sendRawTransactions": self._send,
            "eth_getTransactionByHash": self._transaction,
            "eth_getTransactionReceipt": self._receipt,
            "eth_getBlockByNumber": lambda at, full=False: self._block(self._number(at), full),
            "eth_getBlockByHash": self._block_by_hash,
            "eth_getLogs": self._logs,
        }

    def make_request(self, method: Any, params: Any) -> Any:
        """One JSON-RPC request; always a reply, with "result" or "error"."""
        reply: dict[str, Any] = {"jsonrpc": "2.0", "id": 1}
        handler = self._methods.get(str(method))
        if handler is None:
            return {**reply, "error": {"code": -32601, "message": f"method {method} is not supported"}}
        try:
            with self.evm.lock:
                return {**reply, "result": handler(*params)}
        except Reverted as error:
            message = f"execution reverted in transaction {error.index}"
            return {**reply, "error": {"code": 3, "message": message, "data": encode_hex(error.data)}}
        except FedkitError:
            raise
        except (ValueError, TypeError, KeyError) as error:
            return {**reply, "error": {"code": -32602, "message": str(error)}}

    def is_connected(self, show_traceback: bool = False) -> bool:
        """Always: the chain is in this process."""
        return True

    def _head(self) -> Any:
        return self.evm.chain.get_canonical_head()

    def _number(self, at: str | int) -> int:
        if isinstance(at, int):
            return at
        if at in ("latest", "pending", "safe", "finalized"):
            return int(self._head().block_number)
        return 0 if at == "earliest" else int(at, 16)

    def _header(self, number: int) -> Any:
        return self.evm.chain.get_canonical_block_header_by_number(number)

    def _state(self, at: str | int) -> Any:
        if self._number(at) != self._head().block_number:
            raise ValueError("only the latest state is kept at hand")
        return self.evm.state()

    def _storage(self, who: str, slot: str | int, at: str = "latest") -> str:
        position = slot if isinstance(slot, int) else int(slot, 16)
        return "0x" + int(self._state(at).get_storage(decode_hex(who), position)).to_bytes(32).hex()

    def _call(self, call: dict[str, str], at: str = "latest") -> str:
        return encode_hex(self.evm.call(*_trial(call)))

    def _estimate(self, call: dict[str, str], at: str = "latest") -> str:
        return hex(self.evm.estimate(*_trial(call)))

    def _send(self, raws: Sequence[str]) -> list[str]:
        block = self.evm.mine([decode_hex(raw) for raw in raws])
        return [encode_hex(transaction.hash) for transaction in block.transactions]

    def _located(self, hashed: str) -> tuple[Any, int] | None:
        from eth.exceptions import TransactionNotFound

        try:
            number, index = self.evm.chain.get_canonical_transaction_index(decode_hex(hashed))
        except TransactionNotFound:
            return None
        return self.evm.chain.get_canonical_block_by_number(number), index

    def _transaction(self, hashed: str) -> Json:
        found = self._located(hashed)
        return found and _transaction(found[0], found[1])

    def _receipt(self, hashed: str) -> Json:
        found = self._located(hashed)
        if found is None:
            return None
        block, index = found
        receipts = block.get_receipts(self.evm.chain.chaindb)
        receipt, transaction = receipts[index], block.transactions[index]
        before = receipts[index - 1].gas_used if index else 0
        row = _transaction(block, index)
        first_log = sum(len(r.logs) for r in receipts[:index])
        return {
            **{key: row[key] for key in ("blockHash", "blockNumber", "transactionIndex", "from", "to", "type")},
            "transactionHash": row["hash"],
            "contractAddress": None if transaction.to else _created(row),
            "cumulativeGasUsed": hex(receipt.gas_used),
            "gasUsed": hex(receipt.gas_used - before),
            "effectiveGasPrice": "0x0",
            "status": hex(int(receipt.state_root == b"\x01")),
            "logsBloom": "0x" + receipt.bloom.to_bytes(256).hex(),
            "logs": [_log(block, index, first_log + i, log) for i, log in enumerate(receipt.logs)],
        }

    def _block_by_hash(self, hashed: str, full: bool = False) -> Json:
        from eth.exceptions import HeaderNotFound

        try:
            return self._block(self.evm.chain.get_block_header_by_hash(decode_hex(hashed)).block_number, full)
        except HeaderNotFound:
            return None

    def _block(self, number: int, full: bool) -> Json:
        if number > self._head().block_number:
            return None
        block = self.evm.chain.get_canonical_block_by_number(number)
        header = block.header
        return {
            "number": hex(header.block_number),
            "hash": encode_hex(header.hash),
            "parentHash": encode_hex(header.parent_hash),
            "sha3Uncles": encode_hex(header.uncles_hash),
            "miner": to_checksum_address(header.coinbase),
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
            "transactions": [_transaction(block, i) if full else encode_hex(t.hash) for i, t in enumerate(block.transactions)],
        }

    def _logs(self, wanted: dict[str, Any]) -> list[Json]:
        first, last = self._number(wanted.get("fromBlock", "latest")), self._number(wanted.get("toBlock", "latest"))
        if "blockHash" in wanted:
            first = last = self.evm.chain.get_block_header_by_hash(decode_hex(wanted["blockHash"])).block_number
        return [
            row for number in range(first, min(last, self._head().block_number) + 1) for row in self._matching(number, wanted)
        ]

    def _matching(self, number: int, wanted: dict[str, Any]) -> Iterator[Json]:
        addresses = wanted.get("address") or []
        addresses = {a.lower() for a in ([addresses] if isinstance(addresses, str) else addresses)}
        block, position = self.evm.chain.get_canonical_block_by_number(number), 0
        for index, receipt in enumerate(block.get_receipts(self.evm.chain.chaindb) if block.transactions else ()):
            for log in receipt.logs:
                row = _log(block, index, position, log)
                position += 1
                if (not addresses or row["address"].lower() in addresses) and _fits(row["topics"], wanted.get("topics") or []):
                    yield row


def _trial(call: dict[str, str]) -> tuple[bytes, bytes, bytes]:
    """To whom, what and from whom, of a call that is only tried."""
    to, data, sender = call.get("to"), call.get("data") or call.get("input"), call.get("from")
    return decode_hex(to or "0x"), decode_hex(data or "0x"), decode_hex(sender or "0x" + "00" * 20)


def _fits(topics: list[str], wanted: list[Any]) -> bool:
    """Whether topics match a filter: by position; None is anything, a list is any of its members."""
    if len(wanted) > len(topics):
        return False
    return all(w is None or t in ([w] if isinstance(w, str) else w) for t, w in zip(topics, wanted, strict=False))


def _log(block: Any, index: int, position: int, log: Any) -> dict[str, Json]:
    return {
        "address": to_checksum_address(log.address),
        "topics": ["0x" + int(topic).to_bytes(32).hex() for topic in log.topics],
        "data": encode_hex(log.data),
        "blockNumber": hex(block.number),
        "blockHash": encode_hex(block.hash),
        "transactionHash": encode_hex(block.transactions[index].hash),
        "transactionIndex": hex(index),
        "logIndex": hex(position),
        "removed": False,
    }


def _transaction(block: Any, index: int) -> dict[str, Json]:
    transaction = block.transactions[index]
    return {
        "hash": encode_hex(transaction.hash),
        "blockHash": encode_hex(block.hash),
        "blockNumber": hex(block.number),
        "transactionIndex": hex(index),
        "from": to_checksum_address(transaction.sender),
        "to": to_checksum_address(transaction.to) if transaction.to else None,
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


def _created(row: dict[str, Json]) -> str:
    from fedkit.ledger.transactions import contract_address

    return contract_address(row["from"], int(row["nonce"], 16))
