"""Envelopes: forged, repeated, from another time, site or session."""

from __future__ import annotations

import json
import secrets
import threading
import time
from typing import Any

from attackers import Http, call, envelope, key_of, send
from attempts import Attempt, Trial, tries
from nacl.signing import SigningKey
from site_suite import World

from fedkit.sites.envelope import WINDOW, seal

FORGED = "access.refused bad-signature"


def forged(name: str, given: Any, by: str = "researcher") -> Attempt:
    return Attempt(name, by, "refused.access", FORGED, given=given)


@tries(Attempt("sends a signed call twice", "researcher", "refused.access", "access.refused replayed"))
def test_an_envelope_counts_once(trial: Trial, world: World) -> None:
    sealed = envelope(world, "researcher", "catalogue")
    assert "ok" in send(world, sealed)
    with trial(method="catalogue") as said:
        said(send(world, sealed))


@tries(Attempt("sends one signed call eight times at once", "researcher", "1 of 8", "access.refused replayed"))
def test_an_envelope_counts_once_however_many_come_at_once(trial: Trial, world: World) -> None:
    sealed = envelope(world, "researcher", "catalogue")
    replies: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda: replies.append(send(world, sealed))) for _ in range(8)]
    with trial() as said:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        said(f"{sum('ok' in reply for reply in replies)} of {len(replies)}")


@tries(
    Attempt("sends a call of yesterday", "researcher", "refused.access", "access.refused stale", given=-86_400),
    Attempt("sends a call from before the window", "researcher", "refused.access", "access.refused stale", given=-WINDOW - 5),
    Attempt("sends a call of tomorrow, to be used then", "researcher", "refused.access", "access.refused stale", given=86_400),
)
def test_a_call_is_of_now(trial: Trial, world: World) -> None:
    with trial() as said:
        said(send(world, envelope(world, "researcher", "catalogue", now=time.time() + trial.given)))


def signed_body(world: World, **changes: Any) -> dict[str, str]:
    """A call with a well-signed body that no client would make; None takes a field away."""
    key = key_of(world, "researcher")
    moment = int(time.time() * 1000)
    row = {"method": "catalogue", "nonce": secrets.token_hex(16), "params": {}, "site": world.site, "time": moment}
    whole = {k: v for k, v in {**row, **changes}.items() if v is not None}
    body = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()  # canonical, and takes NaN
    return {"body": body.decode(), "key": key.verify_key.encode().hex(), "signature": key.sign(body).signature.hex()}


@tries(
    forged("signs a time that is no number", given={"time": float("nan")}),
    forged("signs an endless time", given={"time": float("inf")}),
    forged("signs a call without a nonce", given={"nonce": None}),
    forged("signs a short nonce, to meet it again", given={"nonce": "0"}),
    forged("signs parameters that are a list", given={"params": []}),
    forged("signs a call for no site", given={"site": None}),
    forged("signs a call for the site's name in capitals", given={"site": "NORTH"}),
    forged("signs a call for a name that looks the same", given={"site": "nоrth"}),
)
def test_what_is_signed_must_also_be_a_call(trial: Trial, world: World) -> None:
    with trial() as said:
        said(send(world, signed_body(world, **trial.given)))


@tries(
    forged("signs a body that names a field twice", given=('"method":"catalogue",', "")),
    forged("signs ten thousand brackets", given=("", ',"x":' + "[" * 10_000 + "]" * 10_000)),
    forged("signs a number of a million digits", given=("", ',"x":' + "9" * 1_000_000)),
)
def test_a_body_has_one_meaning(trial: Trial, world: World) -> None:
    key = key_of(world, "researcher")
    first, last = trial.given
    nonce, moment = secrets.token_hex(16), int(time.time() * 1000)
    body = f'{{{first}"method":"info","nonce":"{nonce}","params":{{}},"site":"north","time":{moment}{last}}}'.encode()
    sealed = {"body": body.decode(), "key": key.verify_key.encode().hex(), "signature": key.sign(body).signature.hex()}
    with trial() as said:
        said(send(world, sealed))


@tries(
    forged(
        "changes the call under its signature",
        by="relay",
        given=lambda e: {**e, "body": e["body"].replace("catalogue", "journal")},
    ),
    forged("signs with zeros", by="anybody", given=lambda e: {**e, "signature": "00" * 64}),
    forged("leaves the signature out", by="anybody", given=lambda e: {**e, "signature": ""}),
    forged(
        "puts another key to the signature",
        by="anybody",
        given=lambda e: {**e, "key": SigningKey.generate().verify_key.encode().hex()},
    ),
    forged(
        "puts the key of small order, under which zeros verify",
        by="anybody",
        given=lambda e: {**e, "key": "01" + "00" * 31, "signature": "01" + "00" * 63},
    ),
    forged("puts a key that is no hex", by="anybody", given=lambda e: {**e, "key": "é" * 64}),
    forged("puts lists where words belong", by="anybody", given=lambda e: {"body": [], "key": {}, "signature": None}),
    forged("sends nothing", by="anybody", given=lambda e: {}),
)
def test_a_forged_envelope(trial: Trial, world: World) -> None:
    sealed = envelope(world, "researcher", "catalogue", {"start": 1})
    with trial() as said:
        said(send(world, trial.given(sealed)))


@tries(Attempt("sends one site's call to another", "relay", "refused.access", FORGED))
def test_an_envelope_for_one_site_is_none_for_another(trial: Trial, world: World) -> None:
    with trial() as said:
        said(send(world, envelope(world, "researcher", "catalogue", site="east")))


@tries(Attempt("calls with a key of no account", "anybody", "refused.access", "access.refused unknown-user"))
def test_a_key_without_an_account(trial: Trial, world: World) -> None:
    with trial() as said:
        for method in ("info", "catalogue", "journal", "nothing"):
            said(send(world, seal(SigningKey.generate(), "north", method, {})))


@tries(Attempt("uses at one site the session of another", "researcher", "refused.access", "access.refused unknown-user"))
def test_a_session_is_of_one_site(trial: Trial, world: World) -> None:
    elsewhere = World(world.federation, "east")
    with trial() as said:
        said(send(world, seal(key_of(elsewhere, "researcher"), "north", "catalogue", {})))


@tries(
    Attempt(
        "calls what is no call: private names and those of the language",
        "researcher",
        "refused.access",
        "access.refused refused.access",
        given=("_dispatch", "parts", "close", "__class__", "on_journal", "answer", "nothing", "", "catalogue\0", "Catalogue"),
    )
)
def test_only_the_calls_of_the_table_can_be_called(trial: Trial, world: World) -> None:
    with trial() as said:
        for method in trial.given:
            said(call(world, "researcher", method))


@tries(
    Attempt(
        "gives parameters that a call does not have",
        "researcher",
        "site",
        "no row: the call has no such parameters",
        given=("catalogue", {"self": 1, "caller": "admin"}),
    ),
    Attempt(
        "gives a digest that is a path",
        "researcher",
        "refused.access",
        "blob.refused refused.access",
        given=("get", {"digest": "../../accounts.json"}),
    ),
)
def test_parameters_that_are_none(trial: Trial, world: World) -> None:
    method, params = trial.given
    with trial() as said:
        said(call(world, "researcher", method, **params))


def test_malformed_parameters_give_a_named_error_without_a_traceback(world: World) -> None:
    for method, params in (
        ("mock_notes", {"dataset": "notes", "limit": "many"}),
        ("state", {"digest": {"a": 1}}),
        ("rehearse", {"request": [], "entry": 1, "inputs": 2}),
        ("submit", {"request": {"title": "x"}}),
        ("admit", {"digest": "x", "entry": "../..", "round": "one", "inputs": "x"}),
        ("catalogue", {"self": 1, "caller": 2}),
    ):
        error = call(world, "researcher", method, **params)["error"]
        assert set(error) == {"code", "message", "expected", "got", "help"}
        assert "Traceback" not in json.dumps(error)


@tries(Attempt("sends a body that is no call", "anybody", "refused.access", FORGED))
def test_a_body_that_is_no_call(trial: Trial, http: Http) -> None:
    with trial() as said:
        for body in (b"", b"{", b"[]", b"\n\n", b"\xff\xfe", b"null", b"{}\n" + b"x" * 1000, b'{"body":' + b"[" * 5000):
            said(http("POST", "/fedkit/v1/call", body))


@tries(Attempt("stores bytes under another digest than theirs", "researcher", "refused.digest", "blob.refused refused.digest"))
def test_a_blob_that_is_not_what_was_signed_for(trial: Trial, world: World) -> None:
    with trial() as said:
        said(call(world, "researcher", "put", b"other bytes", digest="0" * 64))


def test_the_calls_above_are_refused_for_what_is_wrong_with_them(world: World) -> None:
    """The same envelope, with nothing changed, is taken."""
    assert "ok" in send(world, signed_body(world))
