"""Which chain a folder's ledger is on, and how this process reaches it: a node by its URL; the file in the folder, if no other
process has it; else the process that has it, if that serves it.

chain.sqlite   the embedded chain; who has it open is its owner
serve.json     where the owner serves it (mode 0600: whoever reads it can send acts, which count by their signatures alone)
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fedkit.errors import AlreadyRunning, LedgerError
from fedkit.ledger.chain import Chain, EmbeddedChain
from fedkit.ledger.node import NodeChain
from fedkit.storage import write_whole

CHAIN_FILE = "chain.sqlite"
ADDRESS_FILE = "serve.json"


@dataclass(frozen=True)
class Address:
    """Where a chain is served, on 127.0.0.1. token: of the URL's path, 256 random bits, so that no other user of the machine
    and no page in a browser can reach it."""

    port: int
    token: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{self.token}"

    def __repr__(self) -> str:
        return f"Address(port {self.port})"


def open_chain(folder: Path, *, url: str | None = None, for_tests: bool = False, **options: Any) -> Chain:
    """The chain of the ledger in `folder`; an embedded one is made if there is none.

    url:       JSON-RPC of a node, instead of the folder's own chain.
    for_tests: take a chain whose id is kept for tests.   options: of a node (`NodeChain`) or of the embedded chain (`Evm`).
    Raises AlreadyRunning if another process has the embedded chain and does not serve it, LedgerError, StorageError.
    """
    if url is not None:
        return NodeChain(url, for_tests=for_tests, **options)
    try:
        return EmbeddedChain(folder / CHAIN_FILE, for_tests=for_tests, **options)
    except AlreadyRunning:
        address = read_address(folder)
        if address is None:
            raise
        try:
            return NodeChain(address.url, for_tests=for_tests)
        except LedgerError:
            pass
        raise  # what has it does not serve it (any more)


def read_address(folder: Path) -> Address | None:
    """Where the chain in a folder is, or was last, served; None if that is not written down."""
    try:
        row = json.loads((folder / ADDRESS_FILE).read_bytes())
        return Address(int(row["port"]), str(row["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_address(folder: Path, address: Address) -> None:
    """Write down where the chain is served. Raises StorageError."""
    write_whole(folder / ADDRESS_FILE, json.dumps(asdict(address)).encode())
