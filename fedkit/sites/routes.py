"""Which HTTP routes a site answers, and what it takes on each: a table, everything else is not there.

`Door` stands before the application and before anything reads a body. A request is let in if method and path are those of the
table to the byte (no `//`, no `%2f`, no `..`), its body says how long it is and is no longer than the route takes, and it comes
in time. What is not let in gets one answer, which does not tell whether there is such a path.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class Route:
    """why: what it is for.   who: who gets more than a refusal there.   largest: bytes of a body.

    first: where a body may be longer than `largest`, up to how many bytes, if its first line is of somebody who may.
    """

    why: str
    who: str
    largest: int = 0
    first: int = 0


#: (method, path) → route. PySyft's own routes to register, log in, reset a password and stream to other servers are not here.
ROUTES: Mapping[tuple[str, str], Route] = MappingProxyType(
    {
        ("GET", "/fedkit/v1/site"): Route("the site's name, so that a caller knows whom to sign for", "anybody"),
        ("GET", "/fedkit/v1/catalogue"): Route("what the site holds, as its steward has published it", "anybody"),
        ("POST", "/fedkit/v1/login"): Route("open a session", "who knows a password", 4096),
        ("POST", "/fedkit/v1/call"): Route("fedkit's own calls (docs/levels.md)", "sessions, by level", 4 << 20, 1 << 30),
        ("GET", "/api/v2/metadata"): Route(
            "PySyft's client reads the site's id and version before it sends anything", "anybody"
        ),
        ("GET", "/api/v2/api"): Route("PySyft's client reads what it may call", "sessions of who asks"),
        ("POST", "/api/v2/api_call"): Route("PySyft's services, as far as they are open", "sessions of who asks", 4 << 20),
    }
)

#: Seconds for a body: to begin with, and one more for every so many bytes; and between two pieces of it.
BODY_SECONDS, BODY_PACE, PIECE_SECONDS = 20.0, 64 << 10, 20.0


class Door:
    """An ASGI application before another one. may_send: whether the first line of a long body is of somebody who may send it.

    refused: called, in a thread, for what is not let in, so that it is written down.   The seconds are for tests.
    """

    def __init__(
        self,
        app: App,
        may_send: Callable[[bytes], bool],
        refused: Callable[[], None] = lambda: None,
        *,
        seconds: float = BODY_SECONDS,
        piece: float = PIECE_SECONDS,
    ) -> None:
        self._app, self._may_send, self._refused, self._seconds, self._piece = app, may_send, refused, seconds, piece

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # a websocket that is not accepted is answered with 403
            await asyncio.to_thread(self._refused)
            await send({"type": "websocket.close", "code": 1000})
            return
        raw = scope.get("raw_path") or b""
        route = ROUTES.get((scope["method"], raw.decode("latin-1")))
        if route is None:
            await self._no(send, 404)
            return
        length = _length(scope["headers"])
        if route.largest == 0 and length in (None, 0):
            body: bytes | int = b""
        elif length is None:
            body = 411
        elif length > max(route.largest, route.first):
            body = 413
        else:
            body = await self._body(receive, route, length)
        if isinstance(body, int):
            await self._no(send, body)
            return
        await self._app(scope, _given(body, receive), send)

    async def _no(self, send: Send, status: int) -> None:
        await asyncio.to_thread(self._refused)
        await _answer(send, status)

    async def _body(self, receive: Receive, route: Route, length: int) -> bytes | int:
        """The body, or the status that says what is wrong with it."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._seconds + length / BODY_PACE
        pieces: list[bytes] = []
        size, known = 0, length <= route.largest
        while True:
            try:
                message = await asyncio.wait_for(receive(), max(0.0, min(self._piece, until - loop.time())))
            except TimeoutError:
                return 408
            if message["type"] != "http.request":
                return 400  # it went away
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if size > length:
                return 413
            if not known and (size > route.largest or not message.get("more_body") or b"\n" in pieces[-1]):
                known = self._may_send(b"".join(pieces).partition(b"\n")[0])
                if not known:
                    return 413
            if not message.get("more_body"):
                return b"".join(pieces)


def _length(headers: list[tuple[bytes, bytes]]) -> int | None:
    """What a request says of the length of its body; None if it does not say one length."""
    found = [value for name, value in headers if name.lower() == b"content-length"]
    chunked = any(name.lower() == b"transfer-encoding" for name, _ in headers)
    if chunked or len(found) != 1 or not found[0].isdigit():
        return None
    return int(found[0])


def _given(body: bytes, receive: Receive) -> Receive:
    """The body again, for the application; after it, whatever comes."""
    rest = [body]

    async def once() -> Message:
        return {"type": "http.request", "body": rest.pop(), "more_body": False} if rest else await receive()

    return once


async def _answer(send: Send, status: int) -> None:
    headers = [(b"content-length", b"0"), *([(b"connection", b"close")] if status in (400, 408, 411, 413) else [])]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
