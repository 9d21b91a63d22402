"""The embedded chain: it reopens at its head, has one owner, keeps what it acknowledged, and answers as a node does."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from eth_utils import to_checksum_address
from ledger_world import World
from web3 import Web3

from fedkit.digests import digest
from fedkit.errors import AlreadyRunning, ContractReverted, LedgerError, StorageError
from fedkit.ledger.contracts import contract
from fedkit.ledger.evm import Evm
from fedkit.ledger.ledger import open_ledger
from fedkit.ledger.node import NodeChain


def test_it_reopens_at_its_head(tmp_path: Path) -> None:
    world = World(tmp_path)
    before = world.ledger.head(), world.ledger.events(), world.ledger.domain
    world.close()
    with open_ledger(tmp_path / "ledger", world.keys) as again:
        assert (again.head(), again.events(), again.domain) == before


def test_opening_again_deploys_and_records_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.study()
    head = world.ledger.head()
    world.close()
    again = World(tmp_path)  # registers everybody again
    assert again.ledger.head() == head
    again.close()


def test_a_second_opener_is_told_who_has_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    with pytest.raises(AlreadyRunning, match="another process holds the chain") as caught:
        open_ledger(tmp_path / "ledger", world.keys)
    assert caught.value.help
    path = str(tmp_path / "ledger" / "chain.sqlite")
    script = f"from pathlib import Path; from fedkit.ledger.store import SqliteStore; SqliteStore(Path({path!r}))"
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "AlreadyRunning" in other.stderr  # and the attempt before, in this process, has not let go of the lock
    world.close()
    open_ledger(tmp_path / "ledger", world.keys).close()


def test_each_chain_is_its_own(tmp_path: Path) -> None:
    """A random chain id: what was signed for one workshop's chain counts on no other, even with the same keys."""
    one, other = Evm(tmp_path / "one"), Evm(tmp_path / "other")
    assert (one.chain_id, one.genesis) != (other.chain_id, other.genesis)
    one.close(), other.close()


def test_a_file_that_is_no_chain(tmp_path: Path) -> None:
    (tmp_path / "chain.sqlite").write_bytes(b"not a database, but long enough to look like one" * 100)
    with pytest.raises(LedgerError, match="is no chain"):
        Evm(tmp_path / "chain.sqlite")


def test_a_changed_genesis_is_found_when_opened(tmp_path: Path) -> None:
    Evm(tmp_path / "chain.sqlite").close()
    with closing(sqlite3.connect(tmp_path / "chain.sqlite", isolation_level=None)) as sql:
        value = sql.execute("SELECT value FROM kv WHERE key = ?", (b"fedkit:chain",)).fetchone()[0]
        sql.execute("UPDATE kv SET value = ? WHERE key = ?", (value[:8] + bytes(32), b"fedkit:chain"))
    with pytest.raises(LedgerError, match="does not start at its own genesis"):
        Evm(tmp_path / "chain.sqlite")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        Evm(tmp_path / "file" / "chain.sqlite")


def test_acts_that_go_together_stand_together_or_not_at_all(embedded: World) -> None:
    registry = ("Registry", "grantRole")
    good = (*registry, (bytes(32), embedded.keys.create("second-admin")))
    bad = ("Registry", "commitDataset", (bytes(32), bytes(32), bytes(32)))
    head = embedded.ledger.head()
    with pytest.raises(ContractReverted, match="SiteUnknown"):
        embedded.ledger._act("admin", [good, bad])
    assert embedded.ledger.head() == head
    assert not embedded.ledger.has_role(bytes(32), embedded.keys.address("second-admin"))
    embedded.ledger._act("admin", [good, good])
    assert embedded.ledger.head().number == head.number + 1


def test_a_disk_that_refuses_leaves_the_chain_as_it_was(embedded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    store = embedded.ledger.chain.evm.store  # type: ignore[attr-defined]
    head = embedded.ledger.head()
    store._sql.execute(f"PRAGMA max_page_count = {store._sql.execute('PRAGMA page_count').fetchone()[0]}")

    def fill() -> None:
        for i in range(50):
            embedded.ledger.grant("researcher", f"0x{i + 1:040x}")

    with pytest.raises(StorageError, match="cannot be written"):
        fill()
    stopped = embedded.ledger.head()
    store._sql.execute("PRAGMA max_page_count = 1000000")
    embedded.ledger.grant("researcher", "0x" + "99" * 20)
    assert embedded.ledger.head().number == stopped.number + 1 >= head.number


def test_many_threads_record_each_act_once(embedded: World) -> None:
    addresses = [to_checksum_address(f"0x{i + 1:040x}") for i in range(24)]
    threads = [
        threading.Thread(target=lambda part=part: [embedded.ledger.grant("researcher", a) for a in part])
        for part in (addresses[::2], addresses[1::2], addresses)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    granted = [e.account for e in embedded.ledger.events() if getattr(e, "role", "") == "researcher"]
    assert sorted(granted) == sorted([*addresses, embedded.researcher])


def test_plain_web3_works_on_it(embedded: World) -> None:
    web3 = Web3(embedded.ledger.chain.provider)
    address = embedded.ledger.deployment.contracts["Registry"]
    registry = web3.eth.contract(address=web3.to_checksum_address(address), abi=contract("Registry").abi)
    assert web3.is_connected()
    assert web3.eth.chain_id == embedded.ledger.chain.chain_id
    assert registry.functions.hasRole(registry.functions.RESEARCHER().call(), embedded.researcher).call()
    registered = registry.events.SiteRegistered().get_logs(from_block=0)
    assert {e.args.key for e in registered} == {embedded.keys.address(f"site-{s}") for s in embedded.sites}
    block = web3.eth.get_block("latest", full_transactions=True)
    receipts = [web3.eth.get_transaction_receipt(t["hash"]) for t in block.transactions]
    assert {(r.status, r.blockHash) for r in receipts} == {(1, block.hash)}
    assert sum(r.gasUsed for r in receipts) == receipts[-1].cumulativeGasUsed == block.gasUsed
    assert web3.eth.get_transaction(receipts[0].transactionHash)["from"] == embedded.keys.address("admin")
    assert registry.functions.registerSite(b"\1" * 32, "0x" + "01" * 20, "0x" + "02" * 20).estimate_gas(
        {"from": embedded.keys.address("admin")}
    ) in range(50_000, 300_000)


def test_what_it_does_not_have_is_an_error_and_not_a_guess(embedded: World) -> None:
    chain = embedded.ledger.chain
    with pytest.raises(LedgerError, match="refused the request") as caught:
        chain.rpc("debug_traceTransaction", "0x00")
    assert "not supported" in caught.value.got
    with pytest.raises(LedgerError):
        chain.rpc("eth_getBalance", embedded.researcher, "0x0")  # an old state
    with pytest.raises(LedgerError, match="no such block"):
        chain.block(10_000)
    assert chain.receipt("0x" + digest("no transaction")) is None


def test_a_node_that_is_not_there_is_a_named_error() -> None:
    with pytest.raises(LedgerError, match="the node does not answer") as caught:
        NodeChain("http://127.0.0.1:9")
    assert caught.value.help


def test_py_evm_leaves_the_recursion_limit_of_the_process_alone() -> None:
    """With its limit, JSON nested a hundred thousand deep, from any file or message, would crash the process."""
    code = "import sys; before = sys.getrecursionlimit(); import fedkit.ledger.evm; assert sys.getrecursionlimit() == before"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
