"""The served chain: several processes share it, strangers get nothing, and when it is killed nobody loses an act."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from eth_utils import to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_plain import SENDER, act, raw
from ledger_world import World
from web3 import HTTPProvider, Web3

from fedkit.errors import AlreadyRunning, LedgerError, StorageError
from fedkit.ledger.chain import EmbeddedChain
from fedkit.ledger.keys import Keyring
from fedkit.ledger.ledger import open_ledger
from fedkit.ledger.node import NodeChain
from fedkit.ledger.opening import ADDRESS_FILE, CHAIN_FILE, Address, open_chain, read_address, write_address
from fedkit.ledger.serve import LARGEST, ChainServer


@pytest.fixture
def owned(tmp_path: Path) -> Iterator[EmbeddedChain]:
    with closing(EmbeddedChain(tmp_path / CHAIN_FILE)) as chain:
        yield chain


@pytest.fixture
def server(tmp_path: Path, owned: EmbeddedChain) -> Iterator[ChainServer]:
    with ChainServer(owned, tmp_path) as server:
        yield server


# -- sharing


def test_another_opener_of_the_folder_finds_it(tmp_path: Path, owned: EmbeddedChain, server: ChainServer) -> None:
    shared = open_chain(tmp_path)
    assert isinstance(shared, NodeChain)
    assert (shared.chain_id, shared.genesis) == (owned.chain_id, owned.genesis)
    assert act(shared) == 1
    assert act(owned) == 2
    assert shared.head() == owned.head()


def test_without_a_server_the_second_opener_is_refused(tmp_path: Path, owned: EmbeddedChain) -> None:
    with pytest.raises(AlreadyRunning, match="another process holds") as caught:
        open_chain(tmp_path)
    assert "fedkit chain serve" in caught.value.help
    ChainServer(owned, tmp_path).close()  # served once, and not any more: the note of where does not help
    with pytest.raises(AlreadyRunning):
        open_chain(tmp_path)


def test_a_note_of_where_it_was_served_is_not_followed_once_the_owner_is_gone(tmp_path: Path) -> None:
    with closing(EmbeddedChain(tmp_path / CHAIN_FILE)) as chain, ChainServer(chain, tmp_path):
        act(chain)
    with socket.create_server(("127.0.0.1", 0)) as somebody_else:
        write_address(tmp_path, Address(somebody_else.getsockname()[1], "ab" * 32))
        with closing(open_chain(tmp_path)) as chain:
            assert isinstance(chain, EmbeddedChain)
            assert chain.head().number == 1


WRITER = """
import sys
from pathlib import Path
from fedkit.ledger.keys import Keyring
from fedkit.ledger.ledger import open_ledger
folder, first = Path(sys.argv[1]), int(sys.argv[2])
with open_ledger(folder / "ledger", Keyring(folder / "keys", cost=2)) as ledger:
    print("ready", flush=True)
    sys.stdin.readline()
    for i in range(first, first + 12):
        ledger.grant("researcher", f"0x{i:040x}")
    site = f"site{first}"
    ledger.register_site(site, f"0x{first + 1000:040x}", f"0x{first + 2000:040x}")
    print(sorted(e.site for e in ledger.events() if type(e).__name__ == "SiteRegistered" and e.site == site))
"""


def test_processes_that_act_with_one_key_at_once_do_each_act_once(tmp_path: Path, founded: Path) -> None:
    """Collisions of nonces are found out and sent again; names that one of them brings are known to all."""
    world = World(tmp_path)
    with ChainServer(world.ledger.chain, tmp_path / "ledger"):  # type: ignore[arg-type]
        others = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, str(tmp_path), str(first)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for first in (100, 200)
        ]
        for other in others:
            assert other.stdout is not None
            assert other.stdout.readline() == "ready\n"
        said = []
        for other in others:
            assert other.stdin is not None
            other.stdin.write("go\n")
            other.stdin.flush()
        said = [other.communicate()[0].strip() for other in others]
    assert said == ["['site100']", "['site200']"]
    events = world.ledger.events()
    granted = [e.account for e in events if getattr(e, "role", "") == "researcher"]
    wanted = [to_checksum_address(f"0x{i:040x}") for first in (100, 200) for i in range(first, first + 12)]
    assert sorted(granted) == sorted([*wanted, world.researcher])
    assert {"site100", "site200"} <= {getattr(e, "site", "") for e in events}
    world.close()


def test_acts_that_go_together_are_one_block_over_the_wire_as_well(owned: EmbeddedChain, server: ChainServer) -> None:
    shared = NodeChain(server.url)
    assert {r["blockNumber"] for r in shared.send([raw(shared, n) for n in range(5)])} == {"0x1"}
    with pytest.raises(LedgerError):
        shared.send([raw(shared, 5), raw(shared, 9)])
    assert (owned.head().number, owned.nonce(SENDER)) == (1, 5)


def test_plain_web3_works_on_it(server: ChainServer, owned: EmbeddedChain) -> None:
    web3 = Web3(HTTPProvider(server.url))
    assert web3.is_connected()
    hashed = web3.eth.send_raw_transaction(raw(owned, 0))
    assert web3.eth.wait_for_transaction_receipt(hashed).status == 1
    with web3.batch_requests() as batch:
        batch.add(web3.eth.get_block(0))
        batch.add(web3.eth.get_block(1))
        assert [block["number"] for block in batch.execute()] == [0, 1]


def test_a_full_disk_is_the_same_error_for_who_is_not_the_owner(owned: EmbeddedChain, server: ChainServer) -> None:
    shared = NodeChain(server.url)
    owned.evm.store._sql.execute(f"PRAGMA max_page_count = {owned.evm.store._sql.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(StorageError, match="cannot be written") as caught:
        act(shared, 50)
    assert (caught.value.got, bool(caught.value.help)) == ("no space left", True)
    head = shared.head().number
    owned.evm.store._sql.execute("PRAGMA max_page_count = 1000000")
    assert act(shared) == head + 1


# -- strangers


def post(url: str, body: Any, **headers: str) -> requests.Response:
    return requests.post(url, data=body, headers={"Content-Type": "application/json"} | headers, timeout=20)


ASK = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []})


def test_who_has_not_the_token_gets_nothing(server: ChainServer) -> None:
    assert post(server.url, ASK).json()["result"]
    for path in ("", "/", "/" + "0" * 64, f"/{server.address.token}x", f"/{server.address.token}/", "//"):
        reply = post(f"http://127.0.0.1:{server.address.port}{path}", ASK)
        assert (reply.status_code, reply.content) == (404, b"")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "rebound.example.org:80"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Length": "x"}, 411),
        ({"Content-Length": str(LARGEST + 1)}, 413),
    ],
)
def test_a_page_in_a_browser_or_a_huge_request_is_refused(server: ChainServer, headers: dict[str, str], status: int) -> None:
    with socket.create_connection(("127.0.0.1", server.address.port), 10) as connection:
        sent = {"Host": f"127.0.0.1:{server.address.port}", "Content-Type": "application/json", "Content-Length": "2"} | headers
        lines = [f"POST /{server.address.token} HTTP/1.1", *(f"{k}: {v}" for k, v in sent.items()), "", "{}"]
        connection.sendall("\r\n".join(lines).encode())
        with connection.makefile("rb") as reply:
            assert reply.readline().split()[1] == str(status).encode()


def test_only_posts_are_answered(server: ChainServer) -> None:
    for method in ("GET", "OPTIONS", "PUT", "HEAD"):
        assert requests.request(method, server.url, timeout=20).status_code == 501


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("0x00"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["to", "data", "from", "address"]), inner),
    max_leaves=6,
)


def test_whatever_is_asked_there_is_an_answer_and_nothing_happens(owned: EmbeddedChain, server: ChainServer) -> None:
    methods = st.sampled_from([*owned.provider._methods, "no_such_method"]) | json_values
    rows = st.fixed_dictionaries({"method": methods, "params": st.lists(json_values, max_size=3) | json_values})
    head = owned.head()

    @given(rows | st.lists(rows, max_size=2) | json_values)
    @settings(max_examples=150, deadline=None)
    def check(asked: Any) -> None:
        reply = post(server.url, json.dumps(asked))
        assert reply.status_code == 200
        for answer in reply.json() if isinstance(asked, list) and asked else [reply.json()]:
            assert ("result" in answer) != ("error" in answer)
            assert "internal error" not in json.dumps(answer)

    check()
    assert post(server.url, b"[" * 200_000).json()["error"]["code"] == -32700
    assert post(server.url, b"\xff\x00").json()["error"]["code"] == -32700
    assert owned.head() == head


def test_the_token_is_written_where_only_the_owner_reads_it_and_shown_nowhere(
    tmp_path: Path, server: ChainServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    token = server.address.token
    assert (tmp_path / ADDRESS_FILE).stat().st_mode & 0o777 == 0o600
    with caplog.at_level(logging.INFO):  # below, urllib3 logs each path that it asks for
        shared = NodeChain(server.url, patience=0.1)
        act(shared)
        post(server.url + "x", ASK)
    server.close()
    with pytest.raises(LedgerError, match="does not answer") as caught:
        shared.head()
    shown = [repr(server.address), str(caught.value.to_json()), caplog.text, *capfd.readouterr()]
    assert not any(token in text for text in shown)
    assert caught.value.__cause__ is None


# -- coming and going


def test_it_comes_back_at_the_same_address(tmp_path: Path, owned: EmbeddedChain) -> None:
    with ChainServer(owned, tmp_path) as first:
        shared = NodeChain(first.url)
        act(shared)
    with ChainServer(owned, tmp_path) as again:
        assert again.url == first.url
        assert act(shared) == 2


def test_a_port_that_is_taken(tmp_path: Path, owned: EmbeddedChain) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LedgerError, match=f"cannot be served on port {port}") as caught:
            ChainServer(owned, tmp_path, port=port)
        assert caught.value.help
        assert read_address(tmp_path) is None
        write_address(tmp_path, Address(port, "ab" * 32))  # that of the last time: another one will do
        with ChainServer(owned, tmp_path) as server:
            assert server.address.port != port
            assert read_address(tmp_path) == server.address


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"port": "x", "token": 1}', "\x00"])
def test_a_note_that_makes_no_sense_is_no_note(tmp_path: Path, content: str) -> None:
    (tmp_path / ADDRESS_FILE).write_text(content)
    assert read_address(tmp_path) is None


def test_closing_ends_connections_that_were_kept_open(tmp_path: Path, owned: EmbeddedChain) -> None:
    with ChainServer(owned, tmp_path) as server:
        shared = NodeChain(server.url, patience=0.0)
        idle = socket.create_connection(("127.0.0.1", server.address.port), 10)
        shared.head()
    with pytest.raises(LedgerError, match="does not answer"):
        shared.head()
    with idle:
        assert idle.recv(1) == b""


def test_an_answer_that_is_under_way_is_given_to_its_end(
    tmp_path: Path, owned: EmbeddedChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ChainServer(owned, tmp_path)
    shared = NodeChain(server.url, patience=0.0)
    asked, go_on, answer = threading.Event(), threading.Event(), owned.provider.make_request
    answers: list[int] = []

    def slow(method: str, params: list[Any]) -> Any:
        asked.set()
        go_on.wait(20)
        return answer(method, params)

    monkeypatch.setattr(owned.provider, "make_request", slow)
    asking = threading.Thread(target=lambda: answers.append(shared.head().number))
    asking.start()
    asked.wait(20)
    ending = threading.Thread(target=server.close)
    ending.start()
    server._thread.join()  # it takes no new connections any more
    go_on.set()
    asking.join()
    ending.join()
    assert answers == [0]


def test_kill_9_of_the_server_loses_no_act_and_doubles_none(tmp_path: Path) -> None:
    """A ledger that is in the middle of its acts waits for the chain to come back, and goes on."""
    folder = tmp_path / "ledger"
    command = [sys.executable, "-c", "from fedkit.cli import main; main()", "chain", "serve", str(folder)]
    server = subprocess.Popen([*command, "--new"], stdout=subprocess.PIPE, text=True)
    try:
        ready(server)
        keys = Keyring(tmp_path / "keys", cost=2)
        with open_ledger(folder, keys) as ledger:
            ledger.chain._patience = 120.0  # type: ignore[attr-defined]
            granted: list[str] = []

            def record() -> None:
                for i in range(1, 61):
                    granted.append(ledger.grant("researcher", f"0x{i:040x}").account)

            recording = threading.Thread(target=record)
            recording.start()
            while len(granted) < 20:
                recording.join(0.001)
            os.kill(server.pid, signal.SIGKILL)
            server.wait()
            server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            ready(server)
            recording.join()
            assert granted == [to_checksum_address(f"0x{i:040x}") for i in range(1, 61)]
            recorded = [e.account for e in ledger.events() if getattr(e, "role", "") == "researcher"]
            assert recorded == granted
        server.terminate()
        assert server.wait(20) == 0
        with open_ledger(folder, keys) as ledger:
            assert [e.account for e in ledger.events() if getattr(e, "role", "") == "researcher"] == granted
    finally:
        server.kill()
        server.wait()


def ready(server: subprocess.Popen[str]) -> None:
    assert server.stdout is not None
    assert server.stdout.readline().startswith("chain ")
