"""Connections on which a request does not begin or does not end, at a server in this process."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fedkit.sites.patience import impatient

uvicorn = pytest.importorskip("uvicorn")
LONG = 3600.0


async def app(scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    """Reads the body and says how long it was."""
    assert scope["type"] == "http"
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    said = str(size).encode()
    if scope["path"] == "/slow":
        await asyncio.sleep(0.6)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(said)).encode())]})
    await send({"type": "http.response.body", "body": said})


@contextmanager
def serving(refused: list[str], **bounds: Any) -> Iterator[int]:
    """A server with these bounds; its port."""
    protocol = impatient(lambda: refused.append("no-call"), **bounds)
    server = uvicorn.Server(uvicorn.Config(app, http=protocol, log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(10)


def heard(port: int, data: bytes) -> bytes:
    """What comes back until the server ends the connection; a reset is an end too."""
    got = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        try:
            connection.sendall(data)
            while chunk := connection.recv(65536):
                got += chunk
        except ConnectionError:
            pass
    return bytes(got)


def test_a_head_that_is_too_long_ends_the_connection() -> None:
    refused: list[str] = []
    with serving(refused, seconds=LONG, largest=10_000) as port:
        assert heard(port, b"GET / HTTP/1.1\r\nX: " + b"a" * 1_000_000) == b""
    assert refused == ["no-call"]


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"POST / HTTP/1.1\r\nHost: a\r\nContent-"])
def test_a_head_that_does_not_come_ends_the_connection(begun: bytes) -> None:
    refused: list[str] = []
    with serving(refused, seconds=0.2) as port:
        assert heard(port, begun) == b""
    assert refused == ["no-call"]


def test_a_long_body_is_no_head() -> None:
    refused: list[str] = []
    body = b"a" * 3_000_000
    with serving(refused, seconds=LONG, largest=10_000) as port:
        request = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        assert heard(port, request + body).endswith(b"3000000")
    assert refused == []


def test_several_requests_on_one_connection_are_each_in_time() -> None:
    refused: list[str] = []
    with serving(refused, seconds=LONG, largest=500) as port:
        one = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 300 + b"\r\n\r\n"
        last = one.replace(b"Host: a", b"Host: a\r\nConnection: close")
        assert heard(port, one * 3 + last).count(b"200 OK") == 4
    assert refused == []


def test_who_waits_for_a_long_run_is_left_in_peace() -> None:
    refused: list[str] = []
    with serving(refused, seconds=0.1) as port:
        assert heard(port, b"POST /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx").endswith(b"1")
    assert refused == []
