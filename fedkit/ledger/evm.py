"""The embedded chain: py-evm (Cancun rules) on one SQLite file. Free gas, one owner, a block for each act or batch of acts.

A single owner can rewrite its chain. What makes tampering show is that every act in it is signed by who did it, and that others
hold its head (docs/audit.md).

Time in blocks rises by at least a second a block, so a burst of blocks runs ahead of the clock. What the owner's clock showed
stands in each header's extra data; `fedkit.ledger.blocks.wall_time` reads it.
"""

from __future__ import annotations

import logging
import secrets
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rlp
from eth.chains.base import Chain
from eth.constants import ZERO_ADDRESS
from eth.db.atomic import AtomicDB
from eth.exceptions import PyEVMError, Revert, VMError
from eth.vm.forks import CancunVM
from eth.vm.forks.cancun.headers import CancunBlockHeader
from eth.vm.interrupt import EVMMissingData
from eth.vm.spoof import SpoofTransaction
from eth_keys.exceptions import BadSignature
from eth_utils import ValidationError

from fedkit.errors import LedgerError
from fedkit.ledger import RECURSION_LIMIT
from fedkit.ledger.blocks import EXTRA, wall_time
from fedkit.ledger.store import SqliteStore

#: Gas limit of a block. Only half of it is ever used: beyond that the base fee would rise from 0 to 1 (EIP-1559), from where
#: it never falls again, and a chain without money could take no transaction any more.
BLOCK_GAS = 200_000_000
#: Gas limit of one transaction or call: EIP-7825's. It bounds how long a loop in a contract can hold the chain.
TRANSACTION_GAS = 2**24
#: Seconds by which the clock may have gone back since the newest block.
CLOCK_SLACK = 300

sys.setrecursionlimit(RECURSION_LIMIT)
logging.getLogger("eth").setLevel(logging.CRITICAL)  # py-evm logs dropped writes with their content


class Reverted(Exception):
    """A transaction or call that the contract refused. data: its own error, ABI-encoded; index: which transaction."""

    def __init__(self, data: bytes, index: int = 0) -> None:
        super().__init__(f"reverted: 0x{data[:4].hex()}")
        self.data, self.index = data, index


class WrongNonce(ValueError):
    """A transaction that is not the next one of its sender; `str` says it as nodes do."""


class Evm:
    """A chain in `path`, made if missing.

    chain_id: of a new chain; by default a random number, so that a statement signed for one chain counts on no other.
    clock:    Unix seconds.
    Raises AlreadyRunning, LedgerError, StorageError as `SqliteStore` does.
    """

    def __init__(self, path: Path, *, chain_id: int | None = None, clock: Callable[[], float] = time.time) -> None:
        self._lock = threading.RLock()
        self._clock = clock
        self.store = SqliteStore(path)
        try:
            if b"fedkit:chain" not in self.store:
                self._found(chain_id if chain_id is not None else 1_000_000_000 + secrets.randbelow(1_000_000_000))
            self.chain_id, self.genesis = self._read_identity()
            self.chain: Any = _rules(self.chain_id)(AtomicDB(self.store))
            self._check_whole(path.name)
        except BaseException:
            self.store.close()
            raise

    def _check_whole(self, name: str) -> None:
        try:
            stored = self.chain.get_canonical_block_header_by_number(0).hash
            self.state()
        except (PyEVMError, EVMMissingData, KeyError, ValueError, ValidationError, rlp.exceptions.RLPException):
            raise LedgerError(
                f"{name} holds no whole chain",
                expected="a genesis block and a head",
                got="something else",
                help="restore a backup",
            ) from None
        if stored != self.genesis:
            raise LedgerError(
                f"{name} does not start at its own genesis block",
                expected=f"0x{self.genesis.hex()}",
                got=f"0x{stored.hex()}",
                help="the file was changed; restore a backup",
            )

    def mine(self, raws: Sequence[bytes]) -> tuple[Any, Sequence[Any]]:
        """Put raw transactions into one new block, which is on disk when this returns; returns the block and the receipts.

        All of them or none: Reverted names the first that a contract refused. Raises WrongNonce, ValueError for what can be no
        transaction here, LedgerError if the clock has gone back, StorageError.
        """
        if not raws:
            raise ValueError("no transaction: a block without one says nothing")
        with self._lock:
            parent = self.chain.get_canonical_head()
            self._check_clock(parent)
            header = self._next(parent)
            vm = self.chain.get_vm(header)
            try:
                transactions = [self._decoded(vm, raw) for raw in raws]
                _check_nonces(vm.state, transactions)
                filled, receipts, computations = vm.apply_all_transactions(transactions, header)
                _check(computations)
                if filled.gas_used > BLOCK_GAS // 2:
                    raise ValueError(f"too much for one block: {filled.gas_used:,} gas of {BLOCK_GAS // 2:,}")  # noqa: TRY301
                block = vm.set_block_transactions_and_withdrawals(vm.get_block(), filled, transactions, receipts)
                block = vm.mine_block(block).block
                self.chain.chaindb.persist_block(block)
                self.store.commit()
            except (ValidationError, VMError) as error:
                self.store.rollback()
                raise ValueError(str(error)) from None
            except BaseException:
                self.store.rollback()
                raise
            return block, receipts

    def call(self, to: bytes, data: bytes, sender: bytes = ZERO_ADDRESS) -> bytes:
        """What a call on top of the head gives; changes nothing. Raises Reverted."""
        with self._lock:
            try:
                return bytes(self.chain.get_transaction_result(*self._trial(to, data, sender)))
            except Revert as error:
                raise Reverted(bytes(error.args[0]) if error.args else b"") from None
            except VMError:
                raise Reverted(b"") from None
            finally:
                self.store.rollback()

    def estimate(self, to: bytes, data: bytes, sender: bytes = ZERO_ADDRESS) -> int:
        """The gas that a transaction on top of the head needs. Raises Reverted."""
        with self._lock:
            self.call(to, data, sender)
            try:
                return int(self.chain.estimate_gas(*self._trial(to, data, sender)))
            finally:
                self.store.rollback()

    def _trial(self, to: bytes, data: bytes, sender: bytes) -> tuple[Any, Any]:
        """A transaction that nobody signed, and the header of the block it would be in."""
        nonce = self.state().get_nonce(sender)
        transaction = self.chain.create_unsigned_transaction(
            nonce=nonce, gas_price=0, gas=TRANSACTION_GAS, to=to, value=0, data=data
        )
        return SpoofTransaction(transaction, from_=sender), self._next(self.chain.get_canonical_head())

    def state(self) -> Any:
        """The state after the head: balances, nonces, code, storage. Read it under `lock`."""
        return self.chain.get_vm(self._next(self.chain.get_canonical_head())).state

    @property
    def lock(self) -> threading.RLock:
        """Held while the chain is read or grows."""
        return self._lock

    def close(self) -> None:
        """Let go of the file; the chain can be opened again."""
        with self._lock:
            self.store.close()

    def _decoded(self, vm: Any, raw: bytes) -> Any:
        """A raw transaction. Raises ValueError for what fedkit never sends, `fedkit.ledger.blocks` could not rebuild, or was
        signed for another chain (which py-evm would take)."""
        if not raw or raw[0] < 0x80:  # EIP-2718: no list of RLP, so a transaction with a type
            raise ValueError("only legacy transactions are taken (type 0), with gas price 0")
        try:
            transaction = vm.get_transaction_builder().decode(raw)
            transaction.sender  # noqa: B018 - recovered from the signature, and kept
        except (rlp.exceptions.RLPException, ValidationError, BadSignature, IndexError):
            raise ValueError("not a signed transaction") from None
        if (transaction.v - 35) // 2 != self.chain_id:
            raise ValueError(f"invalid chain id for signer: this chain is {self.chain_id}")
        if transaction.gas > TRANSACTION_GAS:
            raise ValueError(f"transaction gas limit too high: {transaction.gas:,} of {TRANSACTION_GAS:,}")
        return transaction

    def _next(self, parent: Any) -> Any:
        now = self._clock()
        return self.chain.create_header_from_parent(
            parent,
            timestamp=max(parent.timestamp + 1, int(now)),
            gas_limit=parent.gas_limit,
            coinbase=ZERO_ADDRESS,
            extra_data=EXTRA + int(now * 1000).to_bytes(8),
        )

    def _check_clock(self, parent: Any) -> None:
        """An approval ends by the time of blocks; with a clock that went back it would count for longer than was granted."""
        before, now = wall_time(parent.extra_data if parent.block_number else b""), self._clock()
        if before is None or now > before - CLOCK_SLACK:
            return
        until = datetime.fromtimestamp(before - CLOCK_SLACK, UTC)
        raise LedgerError(
            f"this machine's clock is {(before - now) / 60:,.0f} minutes behind the newest block",
            expected=f"a time after {until:%Y-%m-%d %H:%M} UTC, when block {parent.block_number} was made",
            got=f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M} UTC",
            help="set the clock right and do the act again; nothing was recorded. If the clock is right now, it was ahead "
            "then: the chain takes acts again from that time on, or restore a backup from before",
        )

    def _found(self, chain_id: int) -> None:
        """Write the genesis block; its extra data names the chain id, so its hash stands for both."""
        params = _genesis(EXTRA + chain_id.to_bytes(8), int(self._clock()))
        chain = _rules(chain_id).from_genesis(AtomicDB(self.store), params)
        genesis = chain.get_canonical_block_header_by_number(0).hash
        self.store[b"fedkit:chain"] = chain_id.to_bytes(8) + genesis
        self.store.commit()

    def _read_identity(self) -> tuple[int, bytes]:
        row = self.store[b"fedkit:chain"]
        return int.from_bytes(row[:8]), row[8:]


def run_again(genesis: bytes, blocks: Sequence[tuple[bytes, Sequence[bytes]]]) -> str | None:
    """Execute an embedded chain anew in memory, from the RLP of its genesis header and of each block's header and transactions.

    None if every block comes out as it was; else what does not.
    """
    try:
        first = rlp.decode(genesis, sedes=CancunBlockHeader)
        rules = _rules(int.from_bytes(first.extra_data[6:]))
        chain: Any = rules.from_genesis(AtomicDB(), _genesis(first.extra_data, first.timestamp))
    except Exception:  # as below
        return "block 0 cannot be read"
    if chain.get_canonical_head().hash != first.hash:
        return "block 0 is no genesis block that fedkit writes"
    builder = CancunVM.get_transaction_builder()
    for number, (header, transactions) in enumerate(blocks, 1):
        try:
            decoded = [builder.decode(raw) for raw in transactions]
            block = CancunVM.get_block_class()(rlp.decode(header, sedes=CancunBlockHeader), decoded, (), ())
            chain.import_block(block)
        except Exception as error:  # whatever py-evm raises over bytes of a stranger, by dozens of kinds
            return f"block {number} comes out differently ({type(error).__name__})"
    return None


def _genesis(extra_data: bytes, timestamp: int) -> dict[str, Any]:
    return {
        "difficulty": 0,
        "gas_limit": BLOCK_GAS,
        "base_fee_per_gas": 0,
        "timestamp": timestamp,
        "coinbase": ZERO_ADDRESS,
        "extra_data": extra_data,
    }


def _check(computations: Sequence[Any]) -> None:
    """Raises Reverted for the first transaction that failed (with no data if it ran out of gas, say)."""
    for index, computation in enumerate(computations):
        if computation.is_error:
            raise Reverted(bytes(computation.output) if isinstance(computation.error, Revert) else b"", index)


def _check_nonces(state: Any, transactions: Sequence[Any]) -> None:
    due: dict[bytes, int] = {}
    for transaction in transactions:
        sender = transaction.sender
        next_one = due.setdefault(sender, state.get_nonce(sender))
        if transaction.nonce != next_one:
            raise WrongNonce(f"nonce too {'low' if transaction.nonce < next_one else 'high'}: next is {next_one}")
        due[sender] += 1


def _rules(chain_id: int) -> Any:
    return type("FedkitChain", (Chain,), {"vm_configuration": ((0, CancunVM),), "chain_id": chain_id})
