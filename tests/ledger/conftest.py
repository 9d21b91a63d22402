"""Chains to test on: the embedded one, the same served to another process, and a real node (anvil from npm) if installed."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ledger_node import node_url
from ledger_world import World

from fedkit.ledger.chain import Chain, EmbeddedChain
from fedkit.ledger.node import NodeChain
from fedkit.ledger.serve import ChainServer

__all__ = ["node_url"]


@dataclass
class Clocked:
    """A chain whose clock a test can put forward."""

    chain: Chain
    advance: Callable[[int], None]


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world on the embedded chain, made once: a test that copies it saves nine blocks and seven keys."""
    folder = tmp_path_factory.mktemp("founded")
    World(folder).close()
    return folder


@pytest.fixture(scope="session")
def founded_on_node(node_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same on the node, below the snapshot that each test goes back to."""
    folder = tmp_path_factory.mktemp("founded-on-node")
    World(folder, chain=NodeChain(node_url, for_tests=True, clock_slack=None)).close()
    return folder


@pytest.fixture(params=["embedded", "served", pytest.param("node", marks=pytest.mark.node)])
def clocked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Clocked]:
    """Each kind of chain in turn: the contract suite of the Chain seam."""
    if request.param == "node":
        shutil.copytree(request.getfixturevalue("founded_on_node"), tmp_path, dirs_exist_ok=True)
        node = NodeChain(request.getfixturevalue("node_url"), for_tests=True, clock_slack=None)
        snapshot = node.rpc("evm_snapshot")

        def advance(seconds: int) -> None:
            node.rpc("evm_increaseTime", seconds)
            node.rpc("evm_mine")

        yield Clocked(node, advance)
        node.rpc("evm_revert", snapshot)
        return
    shutil.copytree(request.getfixturevalue("founded"), tmp_path, dirs_exist_ok=True)
    ahead = [0]
    owned = EmbeddedChain(tmp_path / "ledger" / "chain.sqlite", clock=lambda: time.time() + ahead[0])
    with contextlib.closing(owned):
        clocked = Clocked(owned, lambda seconds: ahead.append(ahead.pop() + seconds))
        if request.param == "embedded":
            yield clocked
        else:
            with ChainServer(owned, tmp_path / "ledger") as server:
                yield Clocked(NodeChain(server.url, clock_slack=None), clocked.advance)


@pytest.fixture
def world(clocked: Clocked, tmp_path: Path) -> Iterator[World]:
    """Two sites and a researcher, on each kind of chain."""
    made = World(tmp_path, chain=clocked.chain)
    yield made
    for journal in made.journals.values():
        journal.close()


@pytest.fixture
def embedded(founded: Path, tmp_path: Path) -> Iterator[World]:
    """Two sites and a researcher, on the embedded chain."""
    shutil.copytree(founded, tmp_path, dirs_exist_ok=True)
    made = World(tmp_path)
    yield made
    made.close()
