"""How a chain stands, as data: for `fedkit chain status`, and for whoever has to find out why an act was refused."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fedkit.errors import LedgerError
from fedkit.ledger.blocks import wall_time
from fedkit.ledger.chain import TEST_CHAINS, Chain, EmbeddedChain
from fedkit.ledger.deployment import read_deployment
from fedkit.ledger.opening import CHAIN_FILE, open_chain


@dataclass(frozen=True)
class ChainStatus:
    """how: "embedded", "served by its owner" or "node". client: the name its software gives itself. genesis, hash: 0x…, of
    block 0 and of the newest, `number`.

    time:      Unix seconds in the newest block; behind a burst of blocks it is ahead of the clock.
    made:      what the clock of an embedded chain's owner showed when it was made; None for other chains and block 0.
    contracts: name → address, of those that the folder notes; missing: those of them that are not on the chain.
    bytes:     of the chain on disk, where it is this folder's.
    """

    how: str
    client: str
    chain_id: int
    for_tests: bool
    genesis: str
    number: int
    hash: str
    time: int
    made: float | None
    contracts: Mapping[str, str]
    missing: tuple[str, ...]
    bytes: int | None

    @property
    def clock(self) -> float | None:
        """Seconds by which the newest block was made in what is the future here; below zero it is in the past."""
        return None if self.made is None else self.made - time.time()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def ledger_folder(folder: Path) -> Path:
    """The folder of the chain: `folder` itself, or the ledger of the federation or run that is in it."""
    return folder / "ledger" if (folder / "ledger").is_dir() and not (folder / CHAIN_FILE).exists() else folder


def chain_status(target: str | Path) -> ChainStatus:
    """The status of a node, by its URL, or of the chain in a folder, which stays as it is.

    Raises LedgerError if there is no chain, AlreadyRunning if another process has it and does not serve it.
    """
    if isinstance(target, str) and target.startswith(("http://", "https://")):
        return _status(open_chain(Path(), url=target, for_tests=True), None)
    folder = ledger_folder(Path(target))
    if not (folder / CHAIN_FILE).exists() and not (folder / "contracts.json").exists():
        raise no_chain(Path(target))
    if not (folder / CHAIN_FILE).exists():
        raise LedgerError(
            "this ledger is on a node's chain",
            expected=f"{CHAIN_FILE} beside contracts.json",
            got="no such file",
            help="give the URL of the node instead of the folder",
        )
    return _status(open_chain(folder, for_tests=True), folder)


def no_chain(folder: Path) -> LedgerError:
    """What to raise where a chain should be."""
    return LedgerError(
        f"there is no chain in {folder.name or folder}",
        expected=f"the folder of a federation, or of a ledger with {CHAIN_FILE} in it",
        got="a folder without one" if folder.is_dir() else "no such folder",
        help="give the folder in which the federation runs",
    )


def _status(chain: Chain, folder: Path | None) -> ChainStatus:
    try:
        noted = read_deployment(folder / "contracts.json") if folder else None
        contracts = dict(noted.contracts) if noted else {}
        newest = chain.block(chain.head().number)
        number = int(newest["number"], 16)
        embedded = isinstance(chain, EmbeddedChain)
        files = (folder / CHAIN_FILE, folder / f"{CHAIN_FILE}-wal") if folder else ()
        return ChainStatus(
            how="embedded" if embedded else "served by its owner" if folder else "node",
            client=str(chain.rpc("web3_clientVersion")),
            chain_id=chain.chain_id,
            for_tests=chain.chain_id in TEST_CHAINS,
            genesis=chain.genesis,
            number=number,
            hash=str(newest["hash"]),
            time=int(newest["timestamp"], 16),
            made=wall_time(bytes.fromhex(newest["extraData"][2:])) if number else None,
            contracts=contracts,
            missing=tuple(name for name, address in contracts.items() if not chain.code(address)),
            bytes=sum(file.stat().st_size for file in files if file.exists()) if folder else None,
        )
    finally:
        chain.close()
