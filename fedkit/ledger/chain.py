"""The Chain seam: what the ledger asks of a chain, and the two that there are.

A subclass brings a web3 provider and says how transactions become final; everything else goes over JSON-RPC and is the same for
both. Whatever a provider raises leaves here as an error of fedkit's.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fedkit.errors import ContractReverted, FedkitError, LedgerError
from fedkit.ledger.contracts import read_error


@dataclass(frozen=True)
class Head:
    """The newest block. hash: 0x and 64 hex; time: Unix seconds."""

    number: int
    hash: str
    time: int


class Chain(ABC):
    """A chain, reached through `provider` (a web3 provider: `Web3(chain.provider)` works).

    chain_id, genesis: which chain it is; genesis is the hash of block 0 (0x…).
    """

    def __init__(self, provider: Any) -> None:
        self.provider = provider
        self.chain_id = int(self.rpc("eth_chainId"), 16)
        self.genesis = str(self.rpc("eth_getBlockByNumber", "0x0", False)["hash"])

    def rpc(self, method: str, *parameters: Any) -> Any:
        """One JSON-RPC request. Raises ContractReverted with the contract's own error, LedgerError for anything else."""
        try:
            reply = self.provider.make_request(method, list(parameters))
        except FedkitError:
            raise
        except Exception as error:  # of a provider: requests' and web3's own, by dozens
            raise LedgerError(
                "the node does not answer",
                expected=f"a reply to {method}",
                got=type(error).__name__,
                help="check that the node runs and that its URL is right, then go on: what it acknowledged is kept",
            ) from None
        if refusal := reply.get("error"):
            raise _as_error(method, refusal)
        return reply["result"]

    @abstractmethod
    def send(self, raws: Sequence[bytes]) -> list[dict[str, Any]]:
        """Make raw transactions final, in order and in one block where the chain can; returns their JSON-RPC receipts.

        Raises ContractReverted for the first one that a contract refuses.
        """

    def call(self, to: str, data: bytes, sender: str | None = None) -> bytes:
        """What a contract answers on top of the head. Raises ContractReverted."""
        row = {"to": to, "data": "0x" + data.hex()} | ({"from": sender} if sender else {})
        return bytes.fromhex(self.rpc("eth_call", row, "latest")[2:])

    def nonce(self, address: str) -> int:
        """How many transactions an account has sent."""
        return int(self.rpc("eth_getTransactionCount", address, "latest"), 16)

    def code(self, address: str) -> bytes:
        """The code of a contract; empty if there is none."""
        return bytes.fromhex(self.rpc("eth_getCode", address, "latest")[2:])

    def head(self) -> Head:
        """The newest block."""
        row = self.rpc("eth_getBlockByNumber", "latest", False)
        return Head(int(row["number"], 16), row["hash"], int(row["timestamp"], 16))

    def block(self, number: int, *, full: bool = False) -> dict[str, Any]:
        """A block as JSON-RPC gives it, with whole transactions if `full`. Raises LedgerError if there is none."""
        row: dict[str, Any] | None = self.rpc("eth_getBlockByNumber", hex(number), full)
        if row is None:
            raise LedgerError("no such block", expected=f"0 to {self.head().number}", got=str(number))
        return row

    def receipt(self, transaction: str) -> dict[str, Any] | None:
        """A transaction's receipt as JSON-RPC gives it, or None while it is in no block."""
        row: dict[str, Any] | None = self.rpc("eth_getTransactionReceipt", transaction)
        return row

    def logs(self, addresses: Sequence[str], first: int, last: int) -> list[dict[str, Any]]:
        """What the contracts emitted in blocks `first` to `last`, in order, as JSON-RPC gives it."""
        wanted = {"address": list(addresses), "fromBlock": hex(first), "toBlock": hex(last)}
        rows: list[dict[str, Any]] = self.rpc("eth_getLogs", wanted)
        return rows

    def close(self) -> None:  # noqa: B027 - nothing to let go of unless a subclass has something
        """Let go of the chain."""


class EmbeddedChain(Chain):
    """The chain of one process, in one SQLite file; see `fedkit.ledger.evm`. Several transactions go into one block."""

    def __init__(self, path: Path, **options: Any) -> None:
        from fedkit.ledger.evm import Evm
        from fedkit.ledger.provider import EvmProvider

        self.evm = Evm(path, **options)
        super().__init__(EvmProvider(self.evm))

    def send(self, raws: Sequence[bytes]) -> list[dict[str, Any]]:
        hashes = self.rpc("fedkit_sendRawTransactions", ["0x" + raw.hex() for raw in raws])
        return [receipt for h in hashes if (receipt := self.receipt(h)) is not None]

    def close(self) -> None:
        self.evm.close()


class NodeChain(Chain):
    """Any node by the URL of its JSON-RPC. It must take transactions at gas price 0 (Besu: `zeroBaseFee`, anvil: see tests).

    timeout: seconds that one act may take until it is in a block.
    """

    def __init__(self, url: str, *, timeout: float = 60.0) -> None:
        from web3 import HTTPProvider

        self._timeout = timeout
        super().__init__(HTTPProvider(url, request_kwargs={"timeout": 10}, exception_retry_configuration=None))

    def send(self, raws: Sequence[bytes]) -> list[dict[str, Any]]:
        from fedkit.ledger.transactions import parse_transaction

        receipts = []
        for raw in raws:
            # Asked first, since a node puts a refused transaction into a block and keeps the reason to itself.
            transaction = parse_transaction(raw)
            call = {"from": transaction.sender, "data": "0x" + transaction.data.hex()}
            self.rpc("eth_call", call | ({"to": transaction.to} if transaction.to else {}), "latest")
            receipts.append(self._final(self.rpc("eth_sendRawTransaction", "0x" + raw.hex())))
        return receipts

    def _final(self, hashed: str) -> dict[str, Any]:
        until = time.monotonic() + self._timeout
        while (receipt := self.receipt(hashed)) is None:
            if time.monotonic() > until:
                raise LedgerError(
                    "the transaction is in no block yet",
                    expected=f"a block within {self._timeout:g} s",
                    got=hashed,
                    help="check that the node makes blocks; doing the act again is safe",
                )
            time.sleep(0.02)
        if int(receipt["status"], 16) != 1:
            raise ContractReverted("the contract refused the act when it came into a block", got=hashed)
        return receipt


def _as_error(method: str, error: Any) -> LedgerError:
    data, message = error.get("data"), str(error.get("message", ""))
    if isinstance(data, dict):
        data = data.get("data")
    if isinstance(data, str) and data.startswith("0x") and (len(data) > 2 or error.get("code") == 3):
        return ContractReverted(f"the contract refused: {read_error(bytes.fromhex(data[2:]))}", expected="an act it allows")
    return LedgerError("the chain refused the request", expected=f"a reply to {method}", got=message[:200])
