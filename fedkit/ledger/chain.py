"""The Chain seam: what the ledger asks of a chain; and the embedded one. A node's is in `fedkit.ledger.node`.

A subclass brings a web3 provider and says how transactions become final; everything else goes over JSON-RPC and is the same for
both. Whatever a provider raises leaves here as an error of fedkit's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fedkit.errors import ActCollided, ContractReverted, FedkitError, LedgerError
from fedkit.ledger.contracts import read_error


@dataclass(frozen=True)
class Head:
    """The newest block. hash: 0x and 64 hex; time: Unix seconds."""

    number: int
    hash: str
    time: int


#: Chain ids that stand for tests: fedkit's own, and those of geth --dev, Ganache, and anvil or Hardhat, whose accounts have
#: keys that everybody knows. What is signed for one of them must never count in earnest.
TEST_CHAINS = frozenset((1337, 5777, 31337, *range(5_150_000, 5_151_000)))


class Chain(ABC):
    """A chain, reached through `provider` (a web3 provider: `Web3(chain.provider)` works).

    chain_id, genesis: which chain it is; genesis is the hash of block 0 (0x…).
    for_tests: take a chain whose id is in `TEST_CHAINS`, which is refused otherwise.   Raises LedgerError.
    """

    def __init__(self, provider: Any, *, for_tests: bool = False) -> None:
        self.provider = provider
        self.chain_id, self.genesis = self._identity()
        if self.chain_id in TEST_CHAINS and not for_tests:
            raise LedgerError(
                "this chain is for tests",
                expected="a chain of one's own: an id that nobody else uses",
                got=f"chain {self.chain_id}, of the range that is kept for tests and development nodes",
                help="give the URL of the federation's chain; a test says for_tests=True",
            )

    def _identity(self) -> tuple[int, str]:
        return int(self.rpc("eth_chainId"), 16), str(self.rpc("eth_getBlockByNumber", "0x0", False)["hash"])

    def rpc(self, method: str, *parameters: Any) -> Any:
        """One JSON-RPC request. Raises ContractReverted with the contract's own error, ActCollided if a key was used twice
        at once, LedgerError for anything else, StorageError if the embedded chain's disk refuses."""
        reply = self._exchange(method, parameters)
        if refusal := reply.get("error"):
            raise read_refusal(method, refusal)
        return reply.get("result")

    def _exchange(self, method: str, parameters: Sequence[Any]) -> dict[str, Any]:
        """The provider's reply, with "result" or "error"."""
        reply: dict[str, Any] = self.provider.make_request(method, list(parameters))
        return reply

    @abstractmethod
    def send(self, raws: Sequence[bytes]) -> list[dict[str, Any]]:
        """Make raw transactions final, in order and in one block where the chain can; returns their JSON-RPC receipts.

        Raises ContractReverted for the first one that a contract refuses, ActCollided if none was done because another
        process used the same key.
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
    """The chain of one process, in one SQLite file; see `fedkit.ledger.evm` for `options`. Several transactions go into one
    block. Other processes share it over `fedkit.ledger.serve`."""

    def __init__(self, path: Path, *, for_tests: bool = False, **options: Any) -> None:
        from fedkit.ledger.evm import Evm
        from fedkit.ledger.provider import EvmProvider

        self.evm = Evm(path, **options)
        try:
            super().__init__(EvmProvider(self.evm), for_tests=for_tests)
        except BaseException:
            self.evm.close()
            raise

    def send(self, raws: Sequence[bytes]) -> list[dict[str, Any]]:
        hashes = self.rpc("fedkit_sendRawTransactions", ["0x" + raw.hex() for raw in raws])
        return [receipt for h in hashes if (receipt := self.receipt(h)) is not None]

    def close(self) -> None:
        self.evm.close()


def read_refusal(method: str, error: Any) -> FedkitError:
    """The "error" of a JSON-RPC reply as one of fedkit's."""
    data, message = error.get("data"), str(error.get("message", ""))
    if isinstance(data, dict) and isinstance(data.get("fedkit"), dict):  # from `fedkit chain serve`: a full disk, say
        return FedkitError.from_json(data["fedkit"])
    if isinstance(data, dict):
        data = data.get("data")
    if isinstance(data, str) and data.startswith("0x") and (len(data) > 2 or error.get("code") == 3):
        return ContractReverted(f"the contract refused: {read_error(bytes.fromhex(data[2:]))}", expected="an act it allows")
    if any(words in message.lower() for words in ("nonce too low", "replacement transaction underpriced")):
        return ActCollided(
            "another process used this key at the same moment",
            expected="one process that acts with a key",
            got=message[:200],
            help="do the act again: it was not done",
        )
    return LedgerError("the chain refused the request", expected=f"a reply to {method}", got=message[:200])
