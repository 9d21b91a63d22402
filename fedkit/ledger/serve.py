"""The embedded chain served to other processes of this machine: JSON-RPC over HTTP on 127.0.0.1.

One process owns the chain; the others reach it by URL as they would a node (`fedkit.ledger.opening` finds it by folder). An
act is acknowledged when its block is on disk. Nothing that is sent here is trusted: acts count by their signatures. The token
in the URL keeps other users of the machine from filling the chain, which asks no fee, and from reading it.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from fedkit.errors import FedkitError, LedgerError
from fedkit.ledger.chain import EmbeddedChain
from fedkit.ledger.opening import Address, read_address, write_address

#: The largest request (bytes): a thousand acts in one.
LARGEST = 8 << 20


class ChainServer:
    """Serves `chain` until `close`, in a thread of its own, and writes where into `folder`.

    port: by default that of the last time, so that who waits for the chain to come back finds it, or any if that is taken.
    Raises LedgerError if the port cannot be had, StorageError. The chain stays open; closing it is for who opened it.
    """

    def __init__(self, chain: EmbeddedChain, folder: Path, *, port: int | None = None) -> None:
        last = read_address(folder)
        token = last.token if last else secrets.token_hex(32)
        wanted = [port] if port is not None else [last.port, 0] if last else [0]
        self._http = _listen(wanted, chain, token)
        self.address = Address(self._http.server_address[1], token)
        try:
            write_address(folder, self.address)
        except BaseException:
            self._http.server_close()
            raise
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """For `NodeChain`, or any other JSON-RPC client of this user's. Holds the token: not for logs."""
        return self.address.url

    def close(self) -> None:
        """Stop serving; a request that is being answered is answered to its end."""
        self._http.shutdown()
        self._thread.join()
        self._http.hang_up()
        self._http.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 64

    def __init__(self, port: int, chain: EmbeddedChain, token: str) -> None:
        self.chain, self.token = chain, token
        self._open: dict[socket.socket, threading.Thread] = {}
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        self._open.pop(request, None)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Let each connection finish its answer and end it: kept ones would go on for ever."""
        for connection, thread in list(self._open.items()):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
            thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no error; a traceback on the terminal helps nobody."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"  # connections are kept
    wbufsize = -1  # the reply leaves in one piece
    disable_nagle_algorithm = True
    timeout = 300  # seconds a connection may be idle

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not hmac.compare_digest(self.path.encode(), f"/{self.server.token}".encode()):
            self._reply(404)
        elif self.headers.get("Origin") is not None or not _is_loopback(self.headers.get("Host", "")):
            self._reply(403)  # a page in a browser, which could guess everything but the token
        elif self.headers.get_content_type() != "application/json":
            self._reply(415)
        elif not (length.isascii() and length.isdecimal()):
            self._reply(411)
        elif int(length) > LARGEST:
            self._reply(413)
        else:
            self._reply(200, self._answer_all(self.rfile.read(int(length))))

    def _answer_all(self, body: bytes) -> Any:
        try:
            asked = json.loads(body)
        except (ValueError, RecursionError):
            return _error(None, -32700, "not JSON")
        if isinstance(asked, list):
            return [self._answer(row) for row in asked] or _error(None, -32600, "an empty batch")
        return self._answer(asked)

    def _answer(self, row: Any) -> dict[str, Any]:
        identity = row.get("id") if isinstance(row, dict) else None
        if not isinstance(row, dict) or not isinstance(row.get("method"), str) or not isinstance(row.get("params", []), list):
            return _error(identity, -32600, 'expected {"jsonrpc", "id", "method", "params": […]}')
        try:
            reply: dict[str, Any] = self.server.chain.provider.make_request(row["method"], row.get("params", []))
        except FedkitError as error:
            return _error(identity, -32000, error.message, {"fedkit": error.to_json()})
        except Exception as error:  # whoever sent it gets the kind of the error and no more
            return _error(identity, -32603, f"internal error ({type(error).__name__})")
        return {**reply, "id": identity}

    def _reply(self, status: int, answer: Any = None) -> None:
        body = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status != 200:  # its body was not read, so what follows on this connection is no request
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: paths hold the token."""


def _listen(ports: list[int], chain: EmbeddedChain, token: str) -> _Server:
    for port in ports:
        try:
            return _Server(port, chain, token)
        except (OSError, OverflowError):
            continue
    raise LedgerError(
        f"the chain cannot be served on port {ports[-1]}",
        expected="a free port of 127.0.0.1",
        got="one that is taken, or may not be used",
        help="leave the port out, and any that is free is taken",
    )


def _is_loopback(host: str) -> bool:
    """Whether a Host header names this machine: another name that leads here is a trick on a browser (DNS rebinding)."""
    return host.rpartition(":")[0] in ("127.0.0.1", "localhost")


def _error(identity: Any, code: int, message: str, data: Any = None) -> dict[str, Any]:
    error = {"code": code, "message": message} | ({} if data is None else {"data": data})
    return {"jsonrpc": "2.0", "id": identity, "error": error}
