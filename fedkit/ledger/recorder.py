"""How acts reach the chain and records come back: signed, sent, decoded, read once. The acts are in `registry` and `ledger`."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from eth_utils import to_checksum_address

from fedkit.errors import ActCollided, ContractReverted, LedgerError
from fedkit.ledger.chain import Chain, Head
from fedkit.ledger.contracts import contract
from fedkit.ledger.deployment import GAS, Deployment
from fedkit.ledger.events import BY_SENDER, Event, read_event
from fedkit.ledger.keys import Keyring
from fedkit.ledger.name_file import NameFile
from fedkit.ledger.names import NameBook
from fedkit.ledger.typed import LedgerDomain

#: contract, function, arguments
Act = tuple[str, str, tuple[Any, ...]]
E = TypeVar("E", bound=Event)

#: Delivers what stewards and sites signed. It has no role: a relay can forge nothing.
RELAY = "relay"

#: How often an act is sent again because another process used the same key at that moment.
COLLISIONS = 20

#: Blocks that are read in one go: nodes limit it, and the embedded chain has as many at hand when their senders are asked for.
SPAN = 500


class Recorder:
    """A deployment on a chain, with the keys of those who act on it. Safe for several threads: one act at a time."""

    def __init__(self, folder: Path, keys: Keyring, chain: Chain, deployment: Deployment) -> None:
        self.folder, self.keys, self.chain, self.deployment = folder, keys, chain, deployment
        self._lock = threading.RLock()
        self._name_file = NameFile(folder / "names.json")
        self.names = NameBook(self._name_file.read())
        self._events: list[Event] = []
        self._read_to = 0
        keys.create(RELAY)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(chain {self.chain.chain_id}, {self.head().number} blocks)"

    @property
    def domain(self) -> LedgerDomain:
        """What stewards and sites sign their statements for."""
        return self.deployment.domain

    def head(self) -> Head:
        """The newest block: what an auditor should write down elsewhere."""
        return self.chain.head()

    def events(self) -> list[Event]:
        """All records, oldest first. Blocks that were read once are not read again."""
        with self._lock:
            head = self.head().number
            # Another process writes its names down before the acts that they stand in.
            if head > self._read_to and self._name_file.changed() and self.names.learn(self._name_file.read()):
                self._events, self._read_to = [], 0
            while self._read_to < head:
                last = min(head, self._read_to + SPAN)
                logs = self.chain.logs([*self.deployment.contracts.values()], self._read_to + 1, last)
                self._events += self._decode(logs)
                self._read_to = last
            return list(self._events)

    def close(self) -> None:
        """Let go of the chain."""
        with self._lock:
            self.chain.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _once(self, actor: str, act: Act, kind: type[E], same: Callable[[E], bool]) -> E:
        """Do an act; if the contract refuses it because it is done already, return the record of the first time."""
        with self._lock:
            try:
                return first_of(kind, self._act(actor, [act]))
            except ContractReverted:
                for event in self.records(kind):
                    if same(event):
                        return event
                raise

    def _act(self, actor: str, acts: Sequence[Act]) -> list[Event]:
        """Send acts of one actor, together if the chain can; returns their records."""
        with self._lock:
            for tries in range(1, COLLISIONS + 1):
                try:
                    receipts = self.chain.send(self._signed(actor, acts))
                    break
                except ActCollided:
                    if tries == COLLISIONS:
                        raise
                    time.sleep(random.uniform(0, 0.01 * tries))
            return self._decode([log for receipt in receipts for log in receipt["logs"]])

    def _signed(self, actor: str, acts: Sequence[Act]) -> list[bytes]:
        nonce = self.chain.nonce(self.keys.address(actor))
        return [
            self.keys.sign_transaction(
                actor,
                chain_id=self.chain.chain_id,
                nonce=nonce + i,
                to=self.deployment.contracts[name],
                data=contract(name).call(function, *arguments),
                gas=GAS,
            )
            for i, (name, function, arguments) in enumerate(acts)
        ]

    def _ask(self, name: str, function: str, *arguments: Any) -> Any:
        data = contract(name).call(function, *arguments)
        return contract(name).output(function, self.chain.call(self.deployment.contracts[name], data))

    def records(self, kind: type[E]) -> list[E]:
        """All records of one kind, oldest first."""
        return [event for event in self.events() if isinstance(event, kind)]

    def _decode(self, logs: Sequence[Mapping[str, Any]]) -> list[Event]:
        by_address = {address: name for name, address in self.deployment.contracts.items()}
        times: dict[str, int] = {}
        senders: dict[str, str] = {}
        found: list[Event] = []
        for log in logs:
            if (number := log["blockNumber"]) not in times:
                told = log.get("blockTimestamp") or self.chain.block(int(number, 16))["timestamp"]
                times[number] = int(told, 16)
            of = contract(by_address[to_checksum_address(log["address"])])
            try:
                kind, values = of.read_log([bytes.fromhex(t[2:]) for t in log["topics"]], bytes.fromhex(log["data"][2:]))
            except ValueError:
                continue
            tx = log["transactionHash"]
            where = {"block": int(number, 16), "index": int(log["logIndex"], 16), "tx": tx}
            if kind in BY_SENDER and tx not in senders:
                senders[tx] = self._sender(tx)
            actor = senders.get(tx, "")
            event = read_event(kind, values, self.names, **where, time=times[number], actor=actor)
            if event is not None:
                found.append(event)
        return found

    def _sender(self, tx: str) -> str:
        if (receipt := self.chain.receipt(tx)) is None:
            raise LedgerError(
                "the chain gives a record and not the transaction that made it",
                expected=f"a receipt of {tx}",
                got="none",
                help="read again: a node that is catching up will have it soon",
            )
        return to_checksum_address(receipt["from"])

    def _learn(self, names: Sequence[str]) -> None:
        """Write new names down before their ids go on chain, where nobody could read them back."""
        if not self.names.names.issuperset(names):
            self._name_file.add(names)
            self.names.learn(names)
            self._events, self._read_to = [], 0


def first_of(kind: type[E], events: Sequence[Event], fits: Callable[[E], bool] = lambda _: True) -> E:
    """The first record of a kind that fits. Raises LedgerError if there is none."""
    for event in events:
        if isinstance(event, kind) and fits(event):
            return event
    raise LedgerError("the chain has no record of the act", expected=kind.__name__, got="none")


def as_signature(value: str) -> bytes:
    """A signature as bytes. Raises LedgerError if it is none."""
    try:
        return bytes.fromhex(value.removeprefix("0x"))
    except ValueError:
        raise LedgerError("not a signature", expected="0x and 130 hex characters", got=f"{len(value)} characters") from None
