"""The embedded chain as a web3 provider, so that `Web3(EvmProvider(evm))` just works: it answers as a node does."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from eth.exceptions import HeaderNotFound, PyEVMError, TransactionNotFound
from eth.vm.interrupt import EVMMissingData
from eth_keys.exceptions import BadSignature
from eth_utils import ValidationError, decode_hex, encode_hex
from rlp.exceptions import RLPException
from trie.exceptions import MissingTrieNode
from web3.providers import BaseProvider

from fedkit.errors import FedkitError
from fedkit.ledger.answers import block_answer, matching_logs, receipt_answer, transaction_answer
from fedkit.ledger.evm import Evm, Reverted, WrongNonce
from fedkit.ledger.store import damaged

Json = Any

#: What py-evm raises where rows are missing or make no sense.
DAMAGE = (PyEVMError, EVMMissingData, MissingTrieNode, RLPException, BadSignature)
#: Blocks that are kept decoded, with their receipts: first their logs are asked for, then transactions one by one.
KEPT = 512


class EvmProvider(BaseProvider):
    """Answers JSON-RPC for an embedded chain in this process.

    Beside the standard methods, `fedkit_sendRawTransactions` puts several raw transactions into one block. A transaction that
    a contract would refuse is not taken in: the reply is the error that `eth_call` gives.
    """

    def __init__(self, evm: Evm) -> None:
        super().__init__()
        self.evm = evm
        self._kept: OrderedDict[bytes, tuple[Any, Sequence[Any]]] = OrderedDict()
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
            "eth_call": lambda call, at="latest": encode_hex(evm.call(*self._trial(call, at))),
            "eth_estimateGas": lambda call, at="latest": hex(evm.estimate(*self._trial(call, at))),
            "eth_sendRawTransaction": lambda raw: self._send([raw])[0],
            "fedkit_sendRawTransactions": self._send,
            "eth_getTransactionByHash": self._transaction,
            "eth_getTransactionReceipt": self._receipt,
            "eth_getBlockReceipts": lambda at: self._receipts(self._number(at)),
            "eth_getBlockByNumber": lambda at, full=False: self._block(self._number(at), full),
            "eth_getBlockByHash": self._block_by_hash,
            "eth_getLogs": self._logs,
        }

    def make_request(self, method: Any, params: Any) -> Any:
        """One JSON-RPC request; always a reply, with "result" or "error". A FedkitError (a full disk, say) is raised."""
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
        except WrongNonce as error:
            return {**reply, "error": {"code": -32000, "message": str(error)}}
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, ValidationError, HeaderNotFound) as error:
            return {**reply, "error": {"code": -32602, "message": str(error)}}
        except DAMAGE as error:
            raise damaged(self.evm.store.path, type(error).__name__) from None

    def is_connected(self, show_traceback: bool = False) -> bool:
        """Always: the chain is in this process."""
        return True

    def _head(self) -> Any:
        return self.evm.chain.get_canonical_head()

    def _number(self, at: str | int) -> int:
        if at in ("latest", "pending", "safe", "finalized"):
            return int(self._head().block_number)
        number = at if isinstance(at, int) else 0 if at == "earliest" else int(at, 16)
        if number < 0:
            raise ValueError("no such block")
        return number

    def _state(self, at: str | int) -> Any:
        self._check_latest(at)
        return self.evm.state()

    def _check_latest(self, at: str | int) -> None:
        if self._number(at) != self._head().block_number:
            raise ValueError("only the latest state is kept at hand")

    def _storage(self, who: str, slot: str | int, at: str = "latest") -> str:
        position = slot if isinstance(slot, int) else int(slot, 16)
        return "0x" + int(self._state(at).get_storage(decode_hex(who), position)).to_bytes(32).hex()

    def _trial(self, call: Mapping[str, str], at: str | int) -> tuple[bytes, bytes, bytes]:
        """To whom, what and from whom, of a call that is only tried."""
        self._check_latest(at)
        to, data, sender = call.get("to"), call.get("data") or call.get("input"), call.get("from")
        return decode_hex(to or "0x"), decode_hex(data or "0x"), decode_hex(sender or "0x" + "00" * 20)

    def _send(self, raws: Sequence[str]) -> list[str]:
        block, receipts = self.evm.mine([decode_hex(raw) for raw in raws])
        self._keep(block, receipts)  # what came of it is asked for next
        return [encode_hex(transaction.hash) for transaction in block.transactions]

    def _located(self, hashed: str) -> tuple[int, int] | None:
        """Number of the block that a transaction is in, and its place there."""
        try:
            number, index = self.evm.chain.get_canonical_transaction_index(decode_hex(hashed))
        except TransactionNotFound:
            return None
        return int(number), int(index)

    def _whole(self, number: int) -> tuple[Any, Sequence[Any]]:
        """A block, and its receipts. Named by its hash, so that nothing is kept that a rollback took back."""
        header = self.evm.chain.get_canonical_block_header_by_number(number)
        found = self._kept.get(header.hash)
        if found is None:
            block = self.evm.chain.get_block_by_header(header)
            found = self._keep(block, block.get_receipts(self.evm.chain.chaindb) if block.transactions else ())
        return found

    def _keep(self, block: Any, receipts: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
        found = self._kept[block.hash] = block, receipts
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return found

    def _transaction(self, hashed: str) -> Json:
        found = self._located(hashed)
        return found and transaction_answer(self._whole(found[0])[0], found[1])

    def _receipt(self, hashed: str) -> Json:
        found = self._located(hashed)
        return found and receipt_answer(*self._whole(found[0]), found[1])

    def _receipts(self, number: int) -> Json:
        if number > self._head().block_number:
            return None
        block, receipts = self._whole(number)
        return [receipt_answer(block, receipts, index) for index in range(len(receipts))]

    def _block_by_hash(self, hashed: str, full: bool = False) -> Json:
        try:
            return self._block(self.evm.chain.get_block_header_by_hash(decode_hex(hashed)).block_number, full)
        except HeaderNotFound:
            return None

    def _block(self, number: int, full: bool) -> Json:
        return None if number > self._head().block_number else block_answer(self._whole(number)[0], full)

    def _logs(self, wanted: Mapping[str, Any]) -> list[Json]:
        if "blockHash" in wanted:
            first = last = self.evm.chain.get_block_header_by_hash(decode_hex(wanted["blockHash"])).block_number
        else:
            first, last = (self._number(wanted.get(name, "latest")) for name in ("fromBlock", "toBlock"))
        numbers = range(first, min(last, self._head().block_number) + 1)
        return [log for number in numbers for log in matching_logs(*self._whole(number), wanted)]
