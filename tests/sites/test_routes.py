"""The HTTP routes of a site, walked: what is in the table answers, all else gets one answer; bodies keep to the rules."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from callers import CALLERS, NOBODY, SITE, Callers, one_site
from hypothesis import given
from hypothesis import strategies as st
from site_suite import make_corpus

from fedkit.digests import digest_bytes
from fedkit.governance.levels import ASKING
from fedkit.sites.envelope import seal
from fedkit.sites.routes import ROUTES, Door, Route
from fedkit.sites.session import login_envelope

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")

#: What stock PySyft 0.9.5 and FastAPI would serve beside what is in the table, and what else somebody may hope for.
ELSEWHERE = (
    *("/", "/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect", "/favicon.ico", "/static/x", "/blob/x", "/metrics"),
    *("/api/v2", "/api/v2/", "/api/v2/login", "/api/v2/register", "/api/v2/forgot_password", "/api/v2/reset_password"),
    *("/api/v2/metadata_capnp", "/api/v2/stream/a/b/", "/api/v2/stream/a/b", "/api/v2/blob/x", "/api/v1/metadata", "/api"),
    *("/fedkit", "/fedkit/v1", "/fedkit/v1/", "/fedkit/v2/call", "/fedkit/v1/accounts", "/fedkit/v1/journal", "/ws"),
)
#: Other ways to write a path that is in the table.
TRICKS = (
    *(
        "//fedkit/v1/site",
        "/fedkit//v1/site",
        "/fedkit/v1/site/",
        "/fedkit/v1/./site",
        "/fedkit/v1/x/../site",
        "/fedkit/v1/%73ite",
    ),
    *(
        "/fedkit%2fv1%2fsite",
        "/fedkit%2Fv1/site",
        "/fedkit/v1/site%00",
        "/fedkit/v1/site%20",
        "/FEDKIT/v1/site",
        "/fedkit/v1/sit%65",
    ),
    *("/fedkit\\v1\\site", "/fedkit/v1/site;x", "/../fedkit/v1/site", "/%2e%2e/fedkit/v1/site", "/fedkit/v1/..%2fv1/site"),
    *("/fedkit/v1/s\u00eete", "/fedkit/v1/%c5%bfite"),
)


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callers]:
    corpus = make_corpus(tmp_path_factory.mktemp("corpus"))
    with one_site(tmp_path_factory.mktemp("federation") / "f", corpus, "process") as federation:
        yield Callers(federation)


@pytest.fixture(scope="module")
def http() -> urllib3.PoolManager:
    return urllib3.PoolManager(retries=False)


def raw(callers: Callers, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """One answer to the bytes of one request, as they are."""
    host, _, port = callers.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(1 << 16):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    headers.pop("date", None)
    return int(status.split()[1]), headers, body


def ask(callers: Callers, method: str, path: str, *headers: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    lines = [f"{method} {path} HTTP/1.1", "host: site", "connection: close", *headers]
    return raw(callers, "\r\n".join(lines).encode() + b"\r\n\r\n" + body)


# -- the table


def test_the_application_has_the_routes_of_the_table_and_no_others(tmp_path: Path) -> None:
    with one_site(tmp_path / "f", make_corpus(tmp_path / "corpus"), "in-process") as federation:
        from fedkit.sites.app import make_app

        app: Any = make_app(federation.running(SITE).gate)._app
        assert {(method, route.path) for route in app.routes for method in route.methods} == set(ROUTES)
    assert all(len(route.why) > 10 and route.who for route in ROUTES.values())


def test_what_is_not_in_the_table_gets_one_answer(callers: Callers) -> None:
    """For every method, on every path: also on those that are there for another method."""
    answers = set()
    known = sorted({path for _, path in ROUTES})
    for path in (*ELSEWHERE, *known):
        for method in METHODS:
            if (method, path) in ROUTES:
                assert ask(callers, method, path)[0] != 404, (method, path)
                continue
            status, headers, body = ask(callers, method, path)
            answers.add((status, tuple(sorted(headers.items())), body))
    assert answers == {(404, (("connection", "close"), ("content-length", "0")), b"")}


def test_a_path_is_there_to_the_byte(callers: Callers) -> None:
    for trick in TRICKS:
        status, _, body = ask(callers, "GET", trick)
        assert status in (400, 404), trick  # 400: it is no path at all
        assert SITE.encode() not in body
    assert json.loads(ask(callers, "GET", "/fedkit/v1/site")[2]) == {"site": SITE}
    assert json.loads(ask(callers, "GET", "/fedkit/v1/site?x=/..%2f")[2]) == {"site": SITE}


@pytest.mark.parametrize("method", ["FOO", "get", "CONNECT", "PROPFIND", "G" * 200])
def test_a_method_that_nobody_serves_tells_nothing_of_the_path(callers: Callers, method: str) -> None:
    answers = [ask(callers, method, path) for path in ("/fedkit/v1/site", "/nowhere", "/api/v2/register")]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] in (400, 404)


def test_no_websocket_is_accepted(callers: Callers) -> None:
    upgrade = ("upgrade: websocket", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version: 13")
    for path in ("/", "/ws", "/fedkit/v1/site", "/fedkit/v1/call"):
        lines = [f"GET {path} HTTP/1.1", "host: site", "connection: Upgrade", *upgrade]
        request = "\r\n".join(lines).encode() + b"\r\n\r\n"
        host, _, port = callers.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(request)
            assert b" 101 " not in connection.recv(1 << 16).split(b"\r\n")[0]


def test_an_answer_says_nothing_of_what_it_was_made_with(callers: Callers) -> None:
    for method, path in (("GET", "/fedkit/v1/site"), ("GET", "/nowhere")):
        _, headers, _ = ask(callers, method, path)
        assert not {"server", "x-powered-by", "access-control-allow-origin", "set-cookie"} & set(headers)


# -- who gets more than a refusal


@pytest.mark.parametrize("name", CALLERS)
def test_what_may_be_called_is_listed_to_sessions_that_may(callers: Callers, http: urllib3.PoolManager, name: str) -> None:
    fields = {"verify_key": callers.keys[name].verify_key.encode().hex(), "communication_protocol": "4"}
    reply = http.request("GET", f"{callers.url}/api/v2/api", fields=fields)
    assert (reply.status, bool(reply.data)) == ((200, True) if name in ASKING else (403, False))


@pytest.mark.parametrize(
    "query", ["", "verify_key=", "verify_key=zz&communication_protocol=4", "communication_protocol=4", "x=1"]
)
def test_a_question_without_a_key_is_refused_in_the_same_way(callers: Callers, query: str) -> None:
    assert ask(callers, "GET", f"/api/v2/api?{query}")[::2] == (403, b"")


def test_a_protocol_that_is_none_lists_nothing(callers: Callers) -> None:
    key = callers.keys["researcher"].verify_key.encode().hex()
    for protocol in ("", "dev", "-1", "1e9", "4;x", "\u0664"):
        status, _, body = ask(callers, "GET", f"/api/v2/api?verify_key={key}&communication_protocol={protocol}")
        assert (status, body) in ((403, b""), (400, b"Invalid HTTP request received."))


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"user": "admin"}', b'{"user": "admin", "password": "x"}', b"\xff" * 9]
)
def test_a_login_is_a_signed_call_and_nothing_else(callers: Callers, body: bytes) -> None:
    status, _, reply = ask(callers, "POST", "/fedkit/v1/login", f"content-length: {len(body)}", body=body)
    assert (status, json.loads(reply)["error"]["code"]) == (200, "refused.access")


def test_a_login_counts_once_and_at_one_site(callers: Callers) -> None:
    password = callers.federation._accounts[SITE]["auditor"].password
    from nacl.signing import SigningKey

    key = SigningKey.generate()
    elsewhere = json.dumps(login_envelope(key, "east", "auditor", password)).encode()
    here = json.dumps(login_envelope(key, SITE, "auditor", password)).encode()
    told = [
        json.loads(ask(callers, "POST", "/fedkit/v1/login", f"content-length: {len(body)}", body=body)[2])
        for body in (elsewhere, here, here)
    ]
    assert [next(iter(row)) for row in told] == ["error", "ok", "error"]
    assert set(told[1]["ok"]) == {"user", "once"}  # nothing that is worth stealing


# -- bodies


@pytest.mark.parametrize(("method", "path"), [key for key, route in ROUTES.items() if route.largest])
def test_a_body_says_how_long_it_is_and_is_no_longer_than_the_route_takes(callers: Callers, method: str, path: str) -> None:
    most = max(ROUTES[method, path].largest, ROUTES[method, path].first)
    assert ask(callers, method, path)[0] == 411
    assert ask(callers, method, path, "transfer-encoding: chunked", body=b"1\r\nx\r\n0\r\n\r\n")[0] == 411
    assert ask(callers, method, path, f"content-length: {most + 1}")[0] == 413
    assert ask(callers, method, path, "content-length: 99999999999999999999")[0] in (400, 413)
    for wrong in ("-1", "+1", "1.0", "0x1", "1, 1", "x", ""):
        assert ask(callers, method, path, f"content-length: {wrong}", body=b"x")[0] in (400, 411), wrong
    both = ("content-length: 1", "transfer-encoding: chunked")
    assert ask(callers, method, path, *both, body=b"1\r\nx\r\n0\r\n\r\n")[0] in (400, 411)
    assert ask(callers, method, path, "content-length: 1", "content-length: 2", body=b"xx")[0] in (400, 411)


def test_what_takes_no_body_is_given_none(callers: Callers) -> None:
    for method, path in (key for key, route in ROUTES.items() if not route.largest):
        assert ask(callers, method, path, "content-length: 1", body=b"x")[0] == 413


def test_a_large_body_is_taken_from_who_may_send_weights(callers: Callers, http: urllib3.PoolManager) -> None:
    blob = bytes(5 << 20)
    researcher, params = callers.keys["researcher"], {"digest": digest_bytes(blob)}

    def send(envelope: dict[str, str], between: bytes = b"\n") -> int:
        body = json.dumps(envelope).encode() + between + blob
        try:
            return http.request("POST", f"{callers.url}/fedkit/v1/call", body=body).status
        except (urllib3.exceptions.ProtocolError, OSError):  # refused before it was all sent
            return 413

    assert send(seal(researcher, SITE, "put", params)) == 200
    for name in (*NOBODY, "guest", "analyst", "steward", "auditor", "admin"):
        assert send(seal(callers.keys[name], SITE, "put", params)) == 413, name
    assert send(seal(researcher, SITE, "state", params)) == 413
    assert send({**seal(researcher, SITE, "put", params), "signature": "00" * 64}) == 413
    assert send({**seal(callers.keys["unknown"], SITE, "put", params), "key": researcher.verify_key.encode().hex()}) == 413
    assert send(seal(researcher, SITE, "put", params), between=b"") == 413
    assert callers.sessions["researcher"].get(params["digest"]) == blob


def test_what_is_refused_at_the_door_stands_in_the_journal(callers: Callers) -> None:
    before = len(callers.rows("access.refused", reason="no-call"))
    ask(callers, "GET", "/openapi.json")
    ask(callers, "POST", "/fedkit/v1/call")
    assert len(callers.rows("access.refused", reason="no-call")) == before + 2


# -- the door alone, with bodies that come when and as they like


class Wire:
    """One request to a `Door` before an application that says how long its body was."""

    def __init__(self, pieces: list[bytes | None], length: int, path: str = "/fedkit/v1/call", method: str = "POST") -> None:
        self.pieces, self.sent, self.reached = list(pieces), list[dict[str, Any]](), list[int]()
        self.scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "headers": [(b"content-length", str(length).encode())],
        }

    async def receive(self) -> dict[str, Any]:
        if not self.pieces:
            return {"type": "http.disconnect"}
        piece = self.pieces.pop(0)
        if piece is None:  # nothing comes, for ever
            await asyncio.Event().wait()
        return {"type": "http.request", "body": piece, "more_body": bool(self.pieces)}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        self.reached.append(len((await receive())["body"]))
        await send({"type": "http.response.start", "status": 200, "headers": []})

    def status(self, *, may_send: bool = False) -> int:
        door = Door(self.app, lambda line: may_send, seconds=0.05, piece=0.05)
        asyncio.run(door(self.scope, self.receive, self.send))
        return int(self.sent[0]["status"])


@pytest.mark.parametrize("pieces", [[None], [b"ab", None], [b"", None]])
def test_a_body_that_does_not_come_is_not_waited_for(pieces: list[bytes | None]) -> None:
    wire = Wire(pieces, 10)
    assert (wire.status(), wire.reached) == (408, [])


def test_a_body_that_comes_by_single_bytes_has_its_time_as_a_whole() -> None:
    class Dripping(Wire):
        async def receive(self) -> dict[str, Any]:
            await asyncio.sleep(0.01)
            return await super().receive()

    wire = Dripping([b"x"] * 1000, 1000)
    assert (wire.status(), wire.reached) == (408, [])


def test_who_goes_away_in_the_middle_reaches_nothing() -> None:
    wire = Wire([], 10)
    assert (wire.status(), wire.reached) == (400, [])


LARGE = Route("for this test", "anybody", 10, 1000)


@given(st.binary(max_size=40), st.lists(st.integers(0, 40), max_size=5), st.booleans())
def test_a_body_reaches_the_application_whole_or_not_at_all(body: bytes, cuts: list[int], may: bool) -> None:
    """However it is cut: it is there as it was sent, or refused because it is long and nobody's who may send it."""
    places = [0, *sorted(min(c, len(body)) for c in cuts), len(body)]
    wire = Wire([body[a:b] for a, b in itertools.pairwise(places)], len(body))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fedkit.sites.routes.ROUTES", {("POST", "/fedkit/v1/call"): LARGE})
        status = wire.status(may_send=may)
    taken = len(body) <= LARGE.largest or may
    assert (status, wire.reached) == ((200, [len(body)]) if taken else (413, []))


@given(st.integers(0, 30), st.integers(0, 30))
def test_a_body_that_is_longer_than_it_said_reaches_nothing(said: int, more: int) -> None:
    wire = Wire([b"x" * said, b"x" * (more + 1)], said)
    assert (wire.status(), wire.reached) == (413, [])


@given(st.binary(max_size=60))
def test_any_other_path_is_not_there(path: bytes) -> None:
    text = "/" + path.decode("latin-1")
    wire = Wire([b""], 0, text)
    wire.scope["raw_path"] = text.encode("latin-1")
    if ("POST", text) not in ROUTES:
        assert (wire.status(), wire.reached) == (404, [])
