"""HTTP: bodies, headers, paths and connections that no client makes."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from attackers import Http, envelope
from attempts import Attempt, Trial, tries
from nacl.signing import SigningKey
from site_suite import World

NO_CALL = "access.refused no-call"
PARSER = "no row: the parser of HTTP does not hand it on"


def parsed(name: str, given: bytes) -> Attempt:
    return Attempt(name, "anybody", "HTTP 400", PARSER, given=given)


def unsized(name: str, given: bytes) -> Attempt:
    return Attempt(name, "anybody", "HTTP 411", NO_CALL, given=given)


def status(heard: bytes) -> str:
    """The first answer to raw bytes, as `word` has it."""
    if not heard:
        return "closed"
    return f"HTTP {heard.split(b' ', 2)[1].decode()}"


@tries(
    Attempt(
        "finds a way to register, reset a password or stream",
        "anybody",
        "HTTP 404",
        NO_CALL,
        stock=True,
        given=[("POST", f"/api/v2/{r}") for r in ("register", "reset_password", "forgot_password", "login", "stream/a/b/")],
    ),
    Attempt(
        "asks for documentation, files and what lies beside them",
        "anybody",
        "HTTP 404",
        NO_CALL,
        given=[
            *(
                ("GET", p)
                for p in ("/docs", "/openapi.json", "/redoc", "/blob/x", "/../site.db", "/..%2f..%2fetc/passwd", "/.git")
            ),
            *(("GET", p) for p in ("//fedkit/v1/site", "/fedkit/v1/site/", "/fedkit/v1/%73ite", "/FEDKIT/v1/site")),
        ],
    ),
    Attempt(
        "uses methods that a route does not have",
        "anybody",
        "HTTP 404",
        NO_CALL,
        given=[(m, "/fedkit/v1/call") for m in ("GET", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE")]
        + [("HEAD", "/fedkit/v1/site")],
    ),
)
def test_there_is_nothing_but_the_table(trial: Trial, http: Http) -> None:
    with trial() as said:
        for method, path in trial.given:
            said(http(method, path, body=b"x" if method == "POST" else None))


@tries(
    Attempt(
        "uploads twenty megabytes to PySyft", "anybody", "HTTP 413", NO_CALL, stock=True, given=("/api/v2/api_call", 20 << 20)
    ),
    Attempt("sends a login of a megabyte", "anybody", "HTTP 413", NO_CALL, given=("/fedkit/v1/login", 1 << 20)),
    Attempt("announces two gigabytes of weights", "anybody", "HTTP 413", NO_CALL, given=("/fedkit/v1/call", 2 << 30)),
    Attempt("announces more bytes than a number holds", "anybody", "HTTP 413", NO_CALL, given=("/fedkit/v1/call", 10**18)),
)
def test_a_body_is_refused_by_its_length_and_not_read(trial: Trial, http: Http) -> None:
    path, length = trial.given
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n".encode()
    with trial() as said:
        said(status(http.raw(head)))  # not a byte of the body was sent


@tries(
    Attempt("sends weights of a hundred megabytes without an account", "anybody", "HTTP 413", NO_CALL, given="anybody"),
    Attempt("sends a hundred megabytes behind a call that takes none", "researcher", "HTTP 413", NO_CALL, given="researcher"),
    Attempt("sends weights of a hundred megabytes as a steward", "steward", "HTTP 413", NO_CALL, given="steward"),
)
def test_a_long_body_is_read_of_who_may_send_it(trial: Trial, world: World, http: Http) -> None:
    if trial.given == "anybody":
        from fedkit.sites.envelope import seal

        sealed = seal(SigningKey.generate(), "north", "put", {"digest": "0" * 64})
    elif trial.given == "researcher":
        sealed = envelope(world, "researcher", "catalogue")
    else:
        sealed = envelope(world, "steward", "put", {"digest": "0" * 64})
    line = json.dumps(sealed).encode() + b"\n"
    head = f"POST /fedkit/v1/call HTTP/1.1\r\nHost: a\r\nContent-Length: {100 << 20}\r\n\r\n".encode()
    with trial() as said:
        said(status(http.raw(head + line)))


def post(headers: str, body: bytes = b"") -> bytes:
    return f"POST /fedkit/v1/call HTTP/1.1\r\nHost: a\r\n{headers}\r\n".encode() + body


SMUGGLED = b"GET /fedkit/v1/site HTTP/1.1\r\nHost: a\r\n\r\n"


@tries(
    parsed(
        "smuggles a request: a length and chunks",
        given=post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    ),
    parsed(
        "smuggles a request: two lengths",
        given=post(f"Content-Length: 0\r\nContent-Length: {len(SMUGGLED)}\r\n", SMUGGLED),
    ),
    parsed("smuggles a request: a length with a sign", given=post("Content-Length: +4\r\n", b"{}\n\n")),
    parsed("smuggles a request: a header on two lines", given=post("X: a\r\n b\r\nContent-Length: 0\r\n")),
    parsed("smuggles a request: a space before the colon", given=post("Content-Length : 4\r\n", b"{}\n\n")),
    parsed("puts a line of its own into a header", given=post("X: a\nContent-Length: 4\r\n", b"{}\n\n")),
    parsed("puts a zero byte into a header", given=post("X: a\0b\r\nContent-Length: 0\r\n")),
    unsized(
        "sends a body of unknown length, in chunks", given=post("Transfer-Encoding: chunked\r\n", b"3\r\n{}\n\r\n0\r\n\r\n")
    ),
    unsized("sends a body that is coded twice", given=post("Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n")),
    unsized("sends no length", given=post("")),
    parsed("speaks TLS where there is none", given=bytes.fromhex("16030100c8010000c40303") + bytes(200)),
    parsed("speaks HTTP/2 at once", given=b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
)
def test_a_request_has_one_reading(trial: Trial, http: Http) -> None:
    """And what comes after it on the connection is not answered."""
    with trial() as said:
        heard = http.raw(trial.given)
        said(status(heard))
    assert heard.count(b"HTTP/1.1 ") == 1
    assert b'"site"' not in heard


@tries(
    Attempt(
        "sends headers without end",
        "anybody",
        "closed",
        NO_CALL,
        given=[b"GET /fedkit/v1/site HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 1000) for n in range(5000))],
    ),
    Attempt(
        "begins a request and never ends it, or says nothing",
        "anybody",
        "closed",
        NO_CALL,
        given=[b"POST /fedkit/v1/call HTTP/1.1\r\nHost:", b""],
    ),
)
def test_a_connection_on_which_nothing_is_asked_ends(trial: Trial, http: Http) -> None:
    def until_it_ends(data: bytes) -> str:
        try:
            return status(http.raw(data))
        except (ConnectionResetError, BrokenPipeError):
            return "closed"

    with trial() as said, ThreadPoolExecutor() as threads:
        for heard in threads.map(until_it_ends, trial.given):
            said(heard)


@tries(
    Attempt(
        "lists the code of others by keys that are public",
        "anybody",
        "HTTP 403",
        "access.refused unknown-user",
        stock=True,
    ),
)
def test_the_code_of_others_is_not_listed(trial: Trial, world: World, http: Http) -> None:
    world.researcher.submit(world.request())
    root = json.loads(http("GET", "/api/v2/metadata").data).get("verify_key", "0" * 64)
    with trial() as said:
        for key in (root, "0" * 64, "nonsense", "", "é" * 64, "0" * 10_000):
            said(http("GET", "/api/v2/api", fields={"verify_key": key, "communication_protocol": "1"}))
        mine = world.researcher._key.verify_key.encode().hex()  # type: ignore[attr-defined]
        for protocol in ("", "x", "-1", "1e9"):
            said(http("GET", "/api/v2/api", fields={"verify_key": mine, "communication_protocol": protocol}))


@tries(
    Attempt(
        "logs in with a body that is no JSON",
        "anybody",
        "refused.access",
        "access.refused bad-signature",
        given=[b"", b"{", b"[]", b"null", b'{"user": "admin", "password": "x"}', b"[" * 4000, b'"' + b"\\ud800" * 500 + b'"'],
    ),
)
def test_a_login_is_an_envelope(trial: Trial, http: Http) -> None:
    with trial() as said:
        for body in trial.given:
            said(http("POST", "/fedkit/v1/login", body))


@pytest.mark.parametrize("name", ["server", "x-powered-by", "via"])
def test_a_site_does_not_say_what_it_is_made_of(http: Http, name: str) -> None:
    headers: Any = http("GET", "/fedkit/v1/site").headers
    assert name not in headers
