"""What the embedded chain takes and refuses: nothing of another chain, nothing that would stop it, no clock that went back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import rlp
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_plain import KEY, NOWHERE, SENDER, act, hashes, raw

from fedkit.errors import ActCollided, ContractReverted, LedgerError
from fedkit.ledger.blocks import raw_block, wall_time
from fedkit.ledger.chain import TEST_CHAINS, EmbeddedChain
from fedkit.ledger.evm import BLOCK_GAS, CLOCK_SLACK, TRANSACTION_GAS, run_again

#: The creation of a contract that runs for ever.
LOOP = bytes.fromhex("5b600056")


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[EmbeddedChain]:
    with closing(EmbeddedChain(tmp_path / "chain.sqlite")) as chain:
        yield chain


def fields(chain: EmbeddedChain, **changed: object) -> bytes:
    """A transaction of which one field was changed after it was signed."""
    names = ("nonce", "price", "gas", "to", "value", "data", "v", "r", "s")
    row = dict(zip(names, rlp.decode(raw(chain, 0)), strict=True)) | changed
    return rlp.encode([row[name] for name in names])


def typed(chain: EmbeddedChain) -> bytes:
    """A transaction with a priority fee (EIP-1559), as most wallets send."""
    row = {"type": 2, "chainId": chain.chain_id, "nonce": 0, "to": NOWHERE, "value": 0, "gas": 50_000}
    return bytes(Account.sign_transaction(row | {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0}, KEY).raw_transaction)


def unprotected(chain: EmbeddedChain) -> bytes:
    """A transaction for any chain at all, as before EIP-155."""
    row = {"nonce": 0, "to": NOWHERE, "value": 0, "gas": 50_000, "gasPrice": 0}
    return bytes(Account.sign_transaction(row, KEY).raw_transaction)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda c: raw(c, 0, chain_id=c.chain_id + 1), "invalid chain id"),
        (unprotected, "invalid chain id"),
        (typed, "only legacy transactions"),
        (lambda c: b"", "only legacy transactions"),
        (lambda c: b"\xc0", "not a signed transaction"),
        (lambda c: b"\xf8\xff", "not a signed transaction"),
        (lambda c: raw(c, 0)[:-1], "not a signed transaction"),
        (lambda c: fields(c, r=b"\xff" * 32), "not a signed transaction"),
        (lambda c: fields(c, v=b""), "not a signed transaction"),
        (lambda c: fields(c, nonce=b"\0\1"), "not a signed transaction"),
        (lambda c: fields(c, data=[b"x"]), "not a signed transaction"),
        (lambda c: raw(c, 7), "nonce too high"),
        (lambda c: raw(c, 0, gas=TRANSACTION_GAS + 1), "gas limit too high"),
        (lambda c: raw(c, 0, gas=20_000), "Insufficient gas"),
    ],
)
def test_what_is_no_transaction_here_is_refused(chain: EmbeddedChain, make: Callable[[EmbeddedChain], bytes], why: str) -> None:
    """py-evm alone would take the first one: whatever somebody signed for one chain, on another."""
    act_before = chain.head()
    with pytest.raises(LedgerError, match="refused the request") as caught:
        chain.send([make(chain)])
    assert why in caught.value.got
    assert chain.head() == act_before
    assert act(chain) == 1


def test_what_was_changed_after_it_was_signed_counts_for_nobody_who_signed(chain: EmbeddedChain) -> None:
    """Another field gives another sender: a stranger, who has no role."""
    chain.send([fields(chain, data=b"other")])
    assert chain.nonce(SENDER) == 0
    assert chain.block(1, full=True)["transactions"][0]["from"] != SENDER


def test_bytes_from_a_stranger_are_a_named_error(chain: EmbeddedChain) -> None:
    @given(st.binary(max_size=300) | st.builds(splice, st.just(raw(chain, 0)), st.binary(max_size=4), st.integers(0, 110)))
    @settings(max_examples=100, deadline=None)
    def check(junk: bytes) -> None:
        head = chain.head().number
        try:
            chain.send([junk])
        except LedgerError:
            assert chain.head().number == head
        else:
            assert chain.head().number == head + 1

    check()


def splice(good: bytes, other: bytes, at: int) -> bytes:
    return good[:at] + other + good[at + len(other) :]


def test_a_nonce_that_is_used_up_says_that_two_acted_at_once(chain: EmbeddedChain) -> None:
    act(chain)
    with pytest.raises(ActCollided) as caught:
        chain.send([raw(chain, 0, data=b"other")])
    assert "again" in caught.value.help
    with pytest.raises(ActCollided):
        chain.send([raw(chain, 1), raw(chain, 1, data=b"other")])
    assert chain.nonce(SENDER) == 1


def test_a_block_with_nothing_in_it_is_not_made(chain: EmbeddedChain) -> None:
    with pytest.raises(LedgerError):
        chain.send([])
    assert chain.head().number == 0


def test_no_block_raises_the_fee_above_zero(chain: EmbeddedChain) -> None:
    """At more than half of a block's gas the fee would go from 0 to 1 for ever, and nobody has money to pay it."""
    megabyte = b"\1" * 1_000_000  # a byte that is not zero costs 16
    many = [raw(chain, n, data=megabyte, gas=TRANSACTION_GAS) for n in range(BLOCK_GAS // 2 // 16_000_000 + 1)]
    with pytest.raises(LedgerError, match="refused") as caught:
        chain.send(many)
    assert "too much for one block" in caught.value.got
    assert chain.head().number == 0
    chain.send(many[:-1])
    assert act(chain) == 2
    assert {chain.block(n)["baseFeePerGas"] for n in range(3)} == {"0x0"}


def test_a_contract_that_never_ends_is_stopped_and_leaves_nothing(chain: EmbeddedChain) -> None:
    with pytest.raises(ContractReverted, match="no reason"):
        chain.send([raw(chain, 0, to=None, data=LOOP, gas=2_000_000)])
    assert (chain.head().number, chain.nonce(SENDER)) == (0, 0)


@pytest.mark.parametrize("chain_id", [1337, 5777, 31337, 5_150_000, 5_150_999])
def test_a_chain_for_tests_is_refused_outside_of_them(tmp_path: Path, chain_id: int) -> None:
    with pytest.raises(LedgerError, match="is for tests") as caught:
        EmbeddedChain(tmp_path / "chain.sqlite", chain_id=chain_id)
    assert caught.value.help
    EmbeddedChain(tmp_path / "chain.sqlite", for_tests=True).close()
    with pytest.raises(LedgerError, match="is for tests"):
        EmbeddedChain(tmp_path / "chain.sqlite")


def test_a_new_chain_has_an_id_of_its_own(tmp_path: Path) -> None:
    ids = set()
    for number in range(5):
        with closing(EmbeddedChain(tmp_path / str(number))) as chain:
            ids.add(chain.chain_id)
    assert len(ids) == 5
    assert not ids & TEST_CHAINS


# -- the clock


class Clock:
    """A clock that a test sets; it starts at the time it is."""

    def __init__(self) -> None:
        self.shift = 0.0

    def __call__(self) -> float:
        return time.time() + self.shift


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_clock_an_hour_back_is_refused_with_what_to_do(tmp_path: Path, clock: Clock) -> None:
    with closing(EmbeddedChain(tmp_path / "chain.sqlite", clock=clock)) as chain:
        act(chain)
        clock.shift = -3600
        with pytest.raises(LedgerError, match="60 minutes behind the newest block") as caught:
            act(chain)
        assert "set the clock" in caught.value.help
        assert (chain.head().number, chain.nonce(SENDER)) == (1, 1)
        assert chain.block(1)["number"] == "0x1"  # what is there can be read at any time
        clock.shift = 0
        assert act(chain) == 2


def test_it_is_refused_by_who_opens_the_chain_next_as_well(tmp_path: Path, clock: Clock) -> None:
    with closing(EmbeddedChain(tmp_path / "chain.sqlite", clock=clock)) as chain:
        act(chain)
    clock.shift = -3600
    with closing(EmbeddedChain(tmp_path / "chain.sqlite", clock=clock)) as chain, pytest.raises(LedgerError, match="behind"):
        act(chain)


def test_a_clock_that_was_an_hour_ahead_is_waited_for(tmp_path: Path, clock: Clock) -> None:
    with closing(EmbeddedChain(tmp_path / "chain.sqlite", clock=clock)) as chain:
        clock.shift = 3600
        act(chain)
        clock.shift = 0
        with pytest.raises(LedgerError, match="behind"):
            act(chain)
        clock.shift = 3600 - CLOCK_SLACK + 60
        assert act(chain) == 2


def test_time_in_blocks_rises_whatever_a_clock_within_the_slack_does(tmp_path: Path, clock: Clock) -> None:
    with closing(EmbeddedChain(tmp_path / "chain.sqlite", clock=clock)) as chain:
        for shift in (0.0, -100.0, 50.0, -200.0):
            clock.shift = shift
            act(chain)
        times = [int(chain.block(n)["timestamp"], 16) for n in range(5)]
        assert times == sorted(set(times))


def test_a_burst_of_blocks_runs_ahead_of_the_clock_and_the_wall_time_stands_in_them(tmp_path: Path) -> None:
    now = 2_000_000_000.0
    with closing(EmbeddedChain(tmp_path / "chain.sqlite", clock=lambda: now)) as chain:
        act(chain, 30)
        newest = chain.block(30)
        assert int(newest["timestamp"], 16) >= now + 29
        assert wall_time(bytes.fromhex(newest["extraData"][2:])) == now
        now += 0.5
        act(chain)
        assert wall_time(bytes.fromhex(chain.block(31)["extraData"][2:])) == now


@pytest.mark.parametrize("extra", [b"", b"fedkit", b"geth" + bytes(10), b"fedkit" + bytes(9)])
def test_other_chains_say_no_wall_time(extra: bytes) -> None:
    assert wall_time(extra) is None


def test_the_wall_time_is_part_of_what_an_auditor_runs_again(tmp_path: Path) -> None:
    with closing(EmbeddedChain(tmp_path / "chain.sqlite")) as chain:
        act(chain, 3)
        blocks = [
            raw_block(chain.block(n, full=True), chain.rpc("eth_getBlockReceipts", hex(n))) for n in range(len(hashes(chain)))
        ]
    assert run_again(blocks[0].header, [(block.header, block.transactions) for block in blocks[1:]]) is None
