"""A node that goes away half way, answers nonsense, is another one, or has another time: a named error, and no act twice."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from ledger_plain import SENDER, act, hashes, raw

from fedkit.errors import ActCollided, LedgerError
from fedkit.ledger.chain import EmbeddedChain
from fedkit.ledger.node import CLOCK_SLACK, NodeChain
from fedkit.ledger.serve import ChainServer
from fedkit.ledger.transactions import sign_transaction


class Line:
    """The line to a node, over loopback: hands requests on, unless `fault` says what becomes of the n-th one.

    fault: "unsent" (it never arrives), "unanswered" (it arrives, the answer is lost), "502", "html", or None.
    """

    def __init__(self, node: str) -> None:
        self.node, self.asked = node, 0
        self.fault: Callable[[int], str | None] = lambda _: None
        line = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                line.asked += 1
                fault = line.fault(line.asked)
                if fault == "unsent":
                    return
                reply = requests.post(line.node, data=body, headers={"Content-Type": "application/json"}, timeout=20)
                if fault == "unanswered":
                    return
                content = b"<html>" if fault == "html" else reply.content
                self.send_response(502 if fault == "502" else reply.status_code)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def owned(tmp_path: Path) -> Iterator[EmbeddedChain]:
    with closing(EmbeddedChain(tmp_path / "chain.sqlite")) as chain, ChainServer(chain, tmp_path) as server:
        chain.url = server.url  # type: ignore[attr-defined]
        yield chain


@pytest.fixture
def line(owned: EmbeddedChain) -> Iterator[Line]:
    with closing(Line(owned.url)) as line:  # type: ignore[attr-defined]
        yield line


@pytest.fixture
def node(line: Line) -> NodeChain:
    node = NodeChain(line.url)
    act(node)
    line.asked = 0
    return node


@pytest.mark.parametrize("fault", ["unsent", "unanswered", "502", "html"])
def test_whichever_request_of_an_act_is_lost_the_act_is_done_once(
    owned: EmbeddedChain, line: Line, node: NodeChain, fault: str
) -> None:
    act(node)
    requests_of_an_act = line.asked
    assert requests_of_an_act >= 4
    for lost in range(1, requests_of_an_act + 1):
        line.asked, line.fault = 0, lambda n, lost=lost: fault if n == lost else None  # type: ignore[misc]
        before = owned.nonce(SENDER)
        number = act(node)
        assert (owned.nonce(SENDER), owned.head().number) == (before + 1, number)
    assert len(hashes(owned)) == owned.head().number + 1


def test_a_line_that_loses_one_request_in_six(owned: EmbeddedChain, line: Line, node: NodeChain) -> None:
    line.fault = lambda n: {6: "unsent", 12: "unanswered", 0: "502"}.get(n % 18)
    act(node, 5)
    assert owned.nonce(SENDER) == 6


def test_a_node_that_stays_away_is_a_named_error_and_the_act_can_be_done_again(
    owned: EmbeddedChain, line: Line, node: NodeChain
) -> None:
    node._patience = 0.3
    line.fault = lambda n: "unanswered" if n > 4 else None  # from the moment on at which it has got the transaction
    with pytest.raises(LedgerError, match="the node does not answer") as caught:
        node.send([raw(node, 1)])
    assert "not done twice" in caught.value.help
    assert line.url not in str(caught.value.to_json())
    line.fault = lambda _: None
    assert node.send([raw(node, 1)])[0]["blockNumber"] == "0x2"  # the same one, with the receipt of the first time
    assert owned.head().number == 2


def test_the_same_transaction_again_gives_its_receipt_and_another_one_a_collision(node: NodeChain) -> None:
    first = node.send([raw(node, 1)])
    assert node.send([raw(node, 1)]) == first
    with pytest.raises(ActCollided):
        node.send([raw(node, 1, data=b"other")])
    with pytest.raises(ActCollided):
        node.send([raw(node, 1), raw(node, 2)])  # one of them is known: no batch is half new


def test_patience_begins_when_it_has_answered_once() -> None:
    """A wrong URL is told at once."""
    began = time.monotonic()
    with pytest.raises(LedgerError, match="the node does not answer"):
        NodeChain("http://127.0.0.1:9", patience=1000)
    assert time.monotonic() - began < 100


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_address_that_is_refused_is_not_asked_again(owned: EmbeddedChain, line: Line, node: NodeChain, status: int) -> None:
    line.node = f"{owned.url}x"  # type: ignore[attr-defined]
    with pytest.raises(LedgerError, match="does not answer") as caught:
        node.head()
    assert caught.value.got == "HTTP 404"
    assert line.asked == 1


@pytest.mark.parametrize("answer", [b"{}", b"[]", b"5", b"null", b'{"error": 5}', b"", b"SSH-2.0-OpenSSH"])
def test_what_is_no_node_is_a_named_error(answer: bytes) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as other:
        threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        with pytest.raises(LedgerError, match="does not answer"):
            NodeChain(f"http://127.0.0.1:{other.server_address[1]}")
        other.shutdown()


def test_what_speaks_no_http_is_a_named_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        threading.Thread(target=lambda: other.accept()[0].sendall(b"SSH-2.0-OpenSSH\r\n"), daemon=True).start()
        with pytest.raises(LedgerError, match="does not answer"):
            NodeChain(f"http://127.0.0.1:{other.getsockname()[1]}")


@pytest.mark.parametrize("url", ["", "nonsense", "http://", "ftp://127.0.0.1", "http://127.0.0.1:99999", "file:///etc/passwd"])
def test_what_is_no_url_is_a_named_error(url: str) -> None:
    with pytest.raises(LedgerError, match="does not answer"):
        NodeChain(url)


@pytest.mark.parametrize(("same_id", "later"), [(False, 0), (True, 5)])
def test_another_chain_that_answers_in_its_place_is_found_out(
    tmp_path: Path, owned: EmbeddedChain, line: Line, node: NodeChain, same_id: bool, later: float
) -> None:
    other_id = owned.chain_id + (not same_id)
    with (
        closing(EmbeddedChain(tmp_path / "other" / "chain.sqlite", chain_id=other_id, clock=shifted(later))) as other,
        ChainServer(other, tmp_path / "other") as server,
    ):
        line.fault = lambda n: "unsent" if n == 1 else None
        line.node = server.url
        with pytest.raises(LedgerError, match="another chain answers where the node was") as caught:
            act(node)
        assert caught.value.expected != caught.value.got
        assert other.head().number == 0
        line.node = owned.url  # type: ignore[attr-defined]
        assert act(node) == 2


def test_a_block_that_was_acknowledged_and_is_gone_is_found_out(tmp_path: Path) -> None:
    """The node comes back with the data of yesterday."""
    folder = tmp_path / "node"
    with closing(EmbeddedChain(folder / "chain.sqlite")) as chain:
        act(chain)
    shutil.copytree(folder, tmp_path / "backup")
    chain = EmbeddedChain(folder / "chain.sqlite")
    server = ChainServer(chain, folder)
    with closing(Line(server.url)) as line:
        node = NodeChain(line.url)
        act(node, 2)
        server.close(), chain.close()
        with (
            closing(EmbeddedChain(tmp_path / "backup" / "chain.sqlite")) as old,
            ChainServer(old, tmp_path / "backup") as again,
        ):
            line.node = again.url
            line.asked, line.fault = 0, lambda n: "unsent" if n == 1 else None
            with pytest.raises(LedgerError, match="has lost block 3, which it had acknowledged") as caught:
                act(node)
            assert "restore" in caught.value.help
            assert old.head().number == 1


# -- clocks


def shifted(seconds: float) -> Callable[[], float]:
    return lambda: time.time() + seconds


def test_a_clock_an_hour_behind_the_chain_is_refused(owned: EmbeddedChain) -> None:
    act(owned)
    late = NodeChain(owned.url, clock=shifted(-3600))  # type: ignore[attr-defined]
    with pytest.raises(LedgerError, match="60 minutes behind the chain's") as caught:
        act(late)
    assert "set this machine's clock right" in caught.value.help
    assert owned.head().number == 1
    assert late.head().number == 1  # it can read
    assert act(NodeChain(owned.url, clock=shifted(-CLOCK_SLACK / 2))) == 2  # type: ignore[attr-defined]


def test_a_burst_of_blocks_does_not_look_like_a_wrong_clock(tmp_path: Path) -> None:
    """Block time runs a second ahead with each of them; what counts is the wall time in their headers."""
    with closing(EmbeddedChain(tmp_path / "chain.sqlite")) as chain, ChainServer(chain, tmp_path) as server:
        act(chain, 30)
        assert act(NodeChain(server.url, clock_slack=10.0)) == 31


@pytest.mark.node
@pytest.mark.parametrize(("shift", "how"), [(-7200, "behind"), (7200, "ahead of")])
def test_a_node_with_another_time_is_refused(node_url: str, shift: float, how: str) -> None:
    chain = NodeChain(node_url, for_tests=True, clock_slack=None)
    newest = chain.head().time  # a suite before this one may have put the node's clock forward
    off = NodeChain(node_url, for_tests=True, clock=lambda: max(newest, time.time()) + shift)
    with pytest.raises(LedgerError, match=f"minutes {how} the chain's"):
        off.send([sign_transaction(b"\2" * 32, chain_id=off.chain_id, nonce=0, to="0x" + "22" * 20, data=b"", gas=50_000)])


@pytest.mark.node
def test_a_test_chain_by_url_is_refused_outside_of_tests(node_url: str) -> None:
    with pytest.raises(LedgerError, match="is for tests") as caught:
        NodeChain(node_url)
    assert caught.value.help
