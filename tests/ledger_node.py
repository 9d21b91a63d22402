"""A real node (anvil from npm) to test against, where it is installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fedkit.errors import LedgerError
from fedkit.ledger.node import NodeChain

ROOT = Path(__file__).resolve().parents[1]


def anvil_binary() -> Path | None:
    """anvil, installed by `npm ci` in contracts/, or on the path."""
    found = sorted((ROOT / "contracts" / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil*"))
    on_path = shutil.which("anvil")
    return found[0] if found else Path(on_path) if on_path else None


@contextmanager
def running_node(chain_id: int) -> Iterator[str]:
    """URL of a node on loopback that makes a block for each transaction and asks no fee."""
    binary = anvil_binary()
    if binary is None:
        pytest.skip("no anvil: run `npm ci` in contracts/ to test against a node")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [binary, "--port", str(port), "--gas-price", "0", "--base-fee", "0", "--hardfork", "cancun", "--silent"]
    process = subprocess.Popen([*map(str, command), "--chain-id", str(chain_id)], stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 30
        while True:
            try:
                NodeChain(url, for_tests=True)
                break
            except LedgerError:
                if process.poll() is not None or time.monotonic() > until:
                    raise
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def node_url() -> Iterator[str]:
    """A node of this worker's own, with a chain id of the range for tests."""
    with running_node(5150150) as url:
        yield url
