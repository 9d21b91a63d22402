"""What each act costs: as the document says, on every kind of chain, to the last unit."""

from __future__ import annotations

from pathlib import Path

import measure_gas
import pytest

from fedkit.ledger.chain import EmbeddedChain
from fedkit.ledger.contracts import NAMES, contract
from fedkit.ledger.node import NodeChain


def test_the_table_is_what_is_measured_on_the_embedded_chain(tmp_path: Path) -> None:
    chain = EmbeddedChain(tmp_path / "chain.sqlite", chain_id=measure_gas.CHAIN_ID, for_tests=True)
    try:
        assert measure_gas.table(measure_gas.measure(tmp_path, chain)) == measure_gas.stated()
    finally:
        chain.close()


@pytest.mark.node
def test_a_node_asks_for_exactly_as_much(tmp_path: Path, node_url: str) -> None:
    chain = NodeChain(node_url, for_tests=True)
    assert chain.chain_id == measure_gas.CHAIN_ID
    snapshot = chain.rpc("evm_snapshot")
    try:
        assert measure_gas.table(measure_gas.measure(tmp_path, chain)) == measure_gas.stated()
    finally:
        chain.rpc("evm_revert", snapshot)
        chain.close()


def test_every_act_is_in_the_table() -> None:
    acts = {
        part["name"]
        for name in NAMES
        for part in contract(name).abi
        if part["type"] == "function" and part["stateMutability"] == "nonpayable"
    }
    by_contracts = {"markExecuted", "markReleased", "renounceRole"}  # called by Rounds; a revocation by oneself
    assert acts - by_contracts == {call for _, call, _ in measure_gas.ROWS} - set(NAMES)
