"""What each act costs and tells: the same on every kind of chain, to the last unit, and as the document says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import measure_gas
import pytest

from fedkit.ledger.chain import EmbeddedChain
from fedkit.ledger.contracts import NAMES, contract
from fedkit.ledger.node import NodeChain


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[measure_gas.Acted]:
    """Everything done on the embedded chain."""
    folder = tmp_path_factory.mktemp("embedded")
    chain = EmbeddedChain(folder / "chain.sqlite", chain_id=measure_gas.CHAIN_ID, for_tests=True)
    yield measure_gas.act_all(folder, chain)
    chain.close()


def test_the_table_is_what_is_measured(embedded: measure_gas.Acted) -> None:
    assert measure_gas.table(embedded.gas()) == measure_gas.stated()


@pytest.mark.node
def test_a_node_asks_for_exactly_as_much_and_tells_the_same(tmp_path: Path, node_url: str, embedded: measure_gas.Acted) -> None:
    chain = NodeChain(node_url, for_tests=True)
    assert chain.chain_id == measure_gas.CHAIN_ID
    snapshot = chain.rpc("evm_snapshot")
    try:
        node = measure_gas.act_all(tmp_path, chain)
        assert measure_gas.table(node.gas()) == measure_gas.stated()
        assert told(node) == told(embedded)  # by transactions with the same hashes, so of the same bytes
        contracts = embedded.ledger.deployment.contracts
        assert node.ledger.deployment.contracts == contracts
        for address in contracts.values():
            assert chain.code(address) == embedded.ledger.chain.code(address) != b""
    finally:
        chain.rpc("evm_revert", snapshot)
        chain.close()


def told(done: measure_gas.Acted) -> list[dict[str, Any]]:
    """The records without their place: a chain of ours puts several acts into one block, a node one."""
    records = [event.to_json() for event in done.ledger.events()]
    return [{k: v for k, v in record.items() if k not in ("block", "index", "time", "last_block")} for record in records]


def test_every_kind_of_record_is_among_them(embedded: measure_gas.Acted) -> None:
    from fedkit.ledger.events import Event

    assert {type(event) for event in embedded.ledger.events()} == set(Event.__subclasses__())


def test_every_act_is_in_the_table() -> None:
    acts = {
        part["name"]
        for name in NAMES
        for part in contract(name).abi
        if part["type"] == "function" and part["stateMutability"] == "nonpayable"
    }
    by_contracts = {"markExecuted", "markReleased", "renounceRole"}  # called by Rounds; a revocation by oneself
    assert acts - by_contracts == {call for _, call, _ in measure_gas.ROWS} - set(NAMES)
