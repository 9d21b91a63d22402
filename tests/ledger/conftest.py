"""Chains to test on: the embedded one, and a real node (anvil from npm) where it is installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ledger_world import World

from fedkit.errors import LedgerError
from fedkit.ledger.chain import Chain, EmbeddedChain, NodeChain

ROOT = Path(__file__).resolve().parents[2]


def anvil_binary() -> Path | None:
    """anvil, installed by `npm ci` in contracts/, or on the path."""
    found = sorted((ROOT / "contracts" / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil*"))
    on_path = shutil.which("anvil")
    return found[0] if found else Path(on_path) if on_path else None


@pytest.fixture(scope="session")
def node_url() -> Iterator[str]:
    """A node of this worker's own, on loopback; it makes a block for each transaction and asks no fee."""
    binary = anvil_binary()
    if binary is None:
        pytest.skip("no anvil: run `npm ci` in contracts/ to test against a node")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [binary, "--port", str(port), "--gas-price", "0", "--base-fee", "0", "--hardfork", "cancun", "--silent"]
    process = subprocess.Popen([*map(str, command), "--chain-id", "5150150"], stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 30
        while True:
            try:
                NodeChain(url)
                break
            except LedgerError:
                if process.poll() is not None or time.monotonic() > until:
                    raise
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)


@dataclass
class Clocked:
    """A chain whose clock a test can put forward."""

    chain: Chain
    advance: Callable[[int], None]


@pytest.fixture(params=["embedded", pytest.param("node", marks=pytest.mark.node)])
def clocked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Clocked]:
    """Each kind of chain in turn: the contract suite of the Chain seam."""
    if request.param == "embedded":
        ahead = [0]
        chain: Chain = EmbeddedChain(tmp_path / "ledger" / "chain.sqlite", clock=lambda: time.time() + ahead[0])

        def advance(seconds: int) -> None:
            ahead[0] += seconds
    else:
        chain = NodeChain(request.getfixturevalue("node_url"))
        snapshot = chain.rpc("evm_snapshot")

        def advance(seconds: int) -> None:
            chain.rpc("evm_increaseTime", seconds)
            chain.rpc("evm_mine")

    yield Clocked(chain, advance)
    if request.param == "node":
        chain.rpc("evm_revert", snapshot)
    chain.close()


@pytest.fixture
def world(clocked: Clocked, tmp_path: Path) -> Iterator[World]:
    """Two sites and a researcher, on each kind of chain."""
    made = World(tmp_path, chain=clocked.chain)
    yield made
    for journal in made.journals.values():
        journal.close()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[World]:
    """Two sites and a researcher, on the embedded chain."""
    made = World(tmp_path)
    yield made
    made.close()
