"""What the gate remembers: charges that hold under concurrency and crashes, decisions that stay."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.errors import LimitReached, StorageError
from fedkit.governance.decision import NOTHING, Decision, Receipt
from fedkit.sites.gate_store import ATTEMPTS, GateStore

REQUEST = "ab" * 32


def decision(approved: bool = True, signature: str = "0x01", rounds: int = 3) -> Decision:
    return Decision(REQUEST, "north", approved, rounds, 2**40, "", "00" * 32, "0x" + "1" * 40, signature)


def receipt(round: int, inputs: str = NOTHING) -> Receipt:
    return Receipt(REQUEST, "north", "count", round, inputs, NOTHING, {"n": 1.5}, "00" * 32, "0x02")


@pytest.fixture
def store(tmp_path: Path) -> GateStore:
    made = GateStore(tmp_path / "gate.db")
    made.add_decision(decision(), {"count": 3})
    return made


def test_a_charge_is_taken_once_for_a_call(store: GateStore) -> None:
    for round in (1, 2, 3):
        store.charge(REQUEST, "count", round, NOTHING)
    with pytest.raises(LimitReached):
        store.charge(REQUEST, "count", 4, NOTHING)
    store.charge(REQUEST, "count", 1, NOTHING)  # the same call goes on with its charge
    assert store.used(REQUEST) == {"count": (3, 3)}


def test_another_entry_and_other_weights_are_other_calls(store: GateStore) -> None:
    store.charge(REQUEST, "count", 1, NOTHING)
    store.charge(REQUEST, "count", 1, "cd" * 32)
    assert store.used(REQUEST) == {"count": (2, 3)}
    with pytest.raises(LimitReached):
        store.charge(REQUEST, "other", 1, NOTHING)
    with pytest.raises(LimitReached):
        store.charge("ef" * 32, "count", 1, NOTHING)


def test_a_failing_call_has_a_few_attempts(store: GateStore) -> None:
    for _ in range(ATTEMPTS):
        store.charge(REQUEST, "count", 1, NOTHING)
    with pytest.raises(LimitReached, match="attempts"):
        store.charge(REQUEST, "count", 1, NOTHING)
    assert store.attempts(REQUEST, "count", 1, NOTHING) == ATTEMPTS


def test_a_finished_call_has_its_receipt_after_a_crash(tmp_path: Path, store: GateStore) -> None:
    store.charge(REQUEST, "count", 1, NOTHING)
    store.finish(receipt(1))
    again = GateStore(tmp_path / "gate.db")  # the first was never closed
    assert again.receipt(REQUEST, "count", 1, NOTHING) == receipt(1)
    assert again.receipt(REQUEST, "count", 2, NOTHING) is None
    assert again.used(REQUEST) == {"count": (1, 3)}


def test_a_new_decision_gives_back_nothing_that_was_used(store: GateStore) -> None:
    for round in (1, 2):
        store.charge(REQUEST, "count", round, NOTHING)
    store.add_decision(decision(approved=False, signature="0x02"), {})
    store.add_decision(decision(signature="0x03"), {"count": 3})
    assert store.used(REQUEST) == {"count": (2, 3)}
    assert [d.signature for d in store.decisions(REQUEST)] == ["0x01", "0x02", "0x03"]
    assert store.last_approved() == [REQUEST]


def test_something_is_left_while_a_charged_call_is_not_finished(store: GateStore) -> None:
    for round in (1, 2, 3):
        assert store.anything_left(REQUEST)
        store.charge(REQUEST, "count", round, NOTHING)
    assert store.anything_left(REQUEST)
    for round in (1, 2, 3):
        store.finish(receipt(round))
    assert not store.anything_left(REQUEST)


@given(granted=st.integers(1, 5), calls=st.lists(st.integers(1, 8), min_size=1, max_size=20))
def test_no_order_of_calls_gets_more_than_was_granted(
    tmp_path_factory: pytest.TempPathFactory, granted: int, calls: list[int]
) -> None:
    store = GateStore(tmp_path_factory.mktemp("gate") / "gate.db")
    store.add_decision(decision(), {"count": granted})
    went: set[int] = set()
    for round in calls:
        try:
            store.charge(REQUEST, "count", round, NOTHING)
            went.add(round)
        except LimitReached:
            pass
    assert len(went) == min(granted, len(set(calls)))
    assert store.used(REQUEST)["count"][0] == len(went)
    store.close()


ELSEWHERE = """
import sys
from pathlib import Path
from fedkit.errors import LimitReached
from fedkit.sites.gate_store import GateStore
store, went = GateStore(Path(sys.argv[1])), 0
for round in range(100, 120):
    try:
        store.charge(sys.argv[2], "count", round, "0" * 64)
        went += 1
    except LimitReached:
        pass
print(went)
"""


def test_threads_and_processes_share_one_count(tmp_path: Path) -> None:
    store = GateStore(tmp_path / "gate.db")
    store.add_decision(decision(), {"count": 10})
    other = subprocess.Popen(
        [sys.executable, "-c", ELSEWHERE, str(tmp_path / "gate.db"), REQUEST], stdout=subprocess.PIPE, text=True
    )
    went: list[int] = []

    def ask(first: int) -> None:
        for round in range(first, first + 5):
            try:
                store.charge(REQUEST, "count", round, NOTHING)
                went.append(round)
            except LimitReached:
                pass

    threads = [threading.Thread(target=ask, args=(n * 5 + 1,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elsewhere = int(other.communicate()[0])
    assert len(went) + elsewhere == 10
    assert store.used(REQUEST) == {"count": (10, 10)}


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "gate.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StorageError, match=r"gate\.db"):
        GateStore(tmp_path / "gate.db")
