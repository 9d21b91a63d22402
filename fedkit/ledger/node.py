"""A node's chain, reached by the URL of its JSON-RPC: any that takes transactions at gas price 0, or `fedkit chain serve`.

A node may go away at any moment. Requests are repeated for a while; one that delivers a transaction too, since a transaction
counts once however often it is delivered. When the node is back, it must be the same chain, with the last block that it
acknowledged to us still on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from eth_utils import keccak

from fedkit.errors import ActCollided, ContractReverted, LedgerError
from fedkit.ledger.blocks import wall_time
from fedkit.ledger.chain import Chain, read_refusal

#: Seconds by which the clocks of a node and of this machine may differ.
CLOCK_SLACK = 900.0


class NodeChain(Chain):
    """The chain of a node, by the URL of its JSON-RPC (Besu: `zeroBaseFee` and `min-gas-price=0`; anvil: see the tests).

    timeout:     seconds that one act may take until it is in a block.
    patience:    seconds for which a node that does not answer is asked again.
    clock_slack: seconds by which the node's clock may differ from this machine's before acts are refused; None: any.
    clock:       Unix seconds of this machine.
    for_tests:   take a chain whose id is kept for tests.
    Raises LedgerError if nothing answers there as a node does (at once: patience begins when it has answered).
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 60.0,
        patience: float = 15.0,
        clock_slack: float | None = CLOCK_SLACK,
        clock: Callable[[], float] = time.time,
        for_tests: bool = False,
    ) -> None:
        from web3 import HTTPProvider

        self._timeout, self._clock_slack, self._clock = timeout, clock_slack, clock
        self._patience, self._doubtful = 0.0, False
        self._acknowledged: tuple[int, str] | None = None
        super().__init__(
            HTTPProvider(url, request_kwargs={"timeout": (3, 60)}, exception_retry_configuration=None), for_tests=for_tests
        )
        # A node of fedkit's own puts several transactions into one block, or none of them.
        self._batches = str(self.rpc("web3_clientVersion")).startswith("fedkit/")
        self._patience = patience

    def send(self, raws: Sequence[bytes]) -> list[dict[str, Any]]:
        self._check_clock()
        hashes = ["0x" + keccak(raw).hex() for raw in raws]
        if self._batches:
            self._deliver("fedkit_sendRawTransactions", ["0x" + raw.hex() for raw in raws], hashes)
            return [self._final(hashed) for hashed in hashes]
        receipts: list[dict[str, Any]] = []
        for raw, hashed in zip(raws, hashes, strict=True):
            try:
                self._try(raw)
                self._deliver("eth_sendRawTransaction", "0x" + raw.hex(), [hashed])
            except ActCollided as error:
                if not receipts:
                    raise
                raise LedgerError(
                    "another process used this key while several acts were under way",
                    expected=f"{len(raws)} acts in a row",
                    got=f"the first {len(receipts)} were done",
                    help=error.help,
                ) from None
            receipts.append(self._final(hashed))
        return receipts

    def _try(self, raw: bytes) -> None:
        """Ask first, since a node puts a refused transaction into a block and keeps the reason to itself."""
        from fedkit.ledger.transactions import parse_transaction

        transaction = parse_transaction(raw)
        call = {"from": transaction.sender, "data": "0x" + transaction.data.hex()}
        self.rpc("eth_call", call | ({"to": transaction.to} if transaction.to else {}), "latest")

    def _deliver(self, method: str, parameter: Any, hashes: Sequence[str]) -> None:
        """Hand transactions over. A node that has them already (its first reply was lost) refuses them, which is as good."""
        refusal = self._exchange(method, [parameter]).get("error")
        if refusal and any(self.rpc("eth_getTransactionByHash", hashed) is None for hashed in hashes):
            raise read_refusal(method, refusal)

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
        self._acknowledged = int(receipt["blockNumber"], 16), str(receipt["blockHash"])
        if int(receipt["status"], 16) != 1:
            raise ContractReverted("the contract refused the act when it came into a block", got=hashed)
        return receipt

    def _exchange(self, method: str, parameters: Sequence[Any]) -> dict[str, Any]:
        until, pause = time.monotonic() + self._patience, 0.05
        while True:
            try:
                if self._doubtful:
                    self._check_same_chain()
                return self._ask(method, parameters)
            except _Silence as silence:
                self._doubtful = True
                if silence.final or time.monotonic() + pause > until:
                    raise LedgerError(
                        "the node does not answer",
                        expected=f"a reply to {method}",
                        got=str(silence),
                        help="check that the node runs and that its URL is right, then do the act again: what it acknowledged "
                        "is kept, and an act that did get through is not done twice",
                    ) from None
            time.sleep(pause)
            pause = min(2 * pause, 1.0)

    def _ask(self, method: str, parameters: Sequence[Any]) -> dict[str, Any]:
        """One request. Raises _Silence, whatever the failure is; the URL, which may hold a password, is not in it."""
        try:
            reply = self.provider.make_request(method, list(parameters))
        except Exception as error:  # of a provider: requests' and web3's own, by dozens
            status = getattr(getattr(error, "response", None), "status_code", None)
            raise _Silence(f"HTTP {status}" if status else type(error).__name__, final=400 <= (status or 0) < 500) from None
        if not isinstance(reply, dict) or ("result" not in reply and not isinstance(reply.get("error"), dict)):
            raise _Silence("no JSON-RPC reply", final=True)
        return reply

    def _check_same_chain(self) -> None:
        """After a silence: it is the chain it was, and has what it acknowledged. Raises _Silence, LedgerError."""
        first = self._ask("eth_getBlockByNumber", ["0x0", False]).get("result") or {}
        found = int(self._ask("eth_chainId", []).get("result") or "0x0", 16), first.get("hash")
        if found != (self.chain_id, self.genesis):
            raise LedgerError(
                "another chain answers where the node was",
                expected=f"chain {self.chain_id}, genesis {self.genesis}",
                got=f"chain {found[0]}, genesis {found[1]}",
                help="bring the node back with its own data, and go on",
            )
        if self._acknowledged is not None:
            number, hashed = self._acknowledged
            block = self._ask("eth_getBlockByNumber", [hex(number), False]).get("result") or {}
            if block.get("hash") != hashed:
                raise LedgerError(
                    f"the node has lost block {number}, which it had acknowledged",
                    expected=hashed,
                    got=str(block.get("hash", "no such block")),
                    help="restore the node's data; an auditor who holds a later head will find the gap",
                )
        self._doubtful = False

    def _check_clock(self) -> None:
        """Approvals and permits end by the chain's time, and stewards write them by this machine's."""
        if self._clock_slack is None:
            return
        newest, now = self.block(self.head().number), self._clock()
        pending = self._pending(int(newest["number"], 16))
        made = wall_time(bytes.fromhex(newest["extraData"][2:])) if newest["number"] != "0x0" else None
        behind = (made if made is not None else int(newest["timestamp"], 16)) - now
        ahead = now - pending if pending is not None else 0.0
        if max(behind, ahead) > self._clock_slack:
            raise LedgerError(
                f"this machine's clock is {max(behind, ahead) / 60:,.0f} minutes {'behind' if behind > ahead else 'ahead of'} "
                "the chain's",
                expected=f"clocks that differ by less than {self._clock_slack / 60:g} minutes",
                got=f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M} UTC here",
                help="set this machine's clock right, or the node's, and do the act again; nothing was recorded",
            )

    def _pending(self, newest: int) -> int | None:
        """Unix seconds by the node's own clock, where it tells of the block that it would make now."""
        try:
            block = self.rpc("eth_getBlockByNumber", "pending", False)
        except LedgerError:
            return None
        return int(block["timestamp"], 16) if block and int(block["number"] or "0x0", 16) > newest else None  # else the newest


class _Silence(Exception):
    """A node did not answer, or not as a node does. final: asking again changes nothing."""

    def __init__(self, got: str, *, final: bool = False) -> None:
        super().__init__(got)
        self.final = final
