"""Random calls: whatever is sent, a site answers with a refusal that has a name, and with nothing of a note."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

import pytest
from attackers import Http, Town, call, envelope, key_of, send
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from site_suite import CANARY

from fedkit.digests import canonical
from fedkit.errors import codes
from fedkit.governance.levels import CALLS
from fedkit.ledger.rows import verify_rows

FEW = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

NAMES = sorted({name for calls in CALLS.values() for name in calls})
PARAMETERS = (
    *("digest", "entry", "round", "inputs", "request", "decision", "dataset", "limit", "start", "after", "headers", "level"),
    *("old", "new", "reason", "standing", "digests", "delegation", "published", "survivors", "sealed", "steward"),
)
WORDS = st.sampled_from(["0" * 64, "../../x", "' OR 1=1 --", "\0", "count", "notes"]) | st.text(max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e9, 1e9) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
#: What would change the site for the other tests: accounts that exist, passwords, and whatever goes on for long.
HARMFUL = {"revoke_account", "reset_password", "change_account", "change_password", "add_account"}


def answered(reply: dict[str, Any]) -> None:
    """A reply is a result or an error of the tree, and shows neither a note nor the inside of a site."""
    text = json.dumps(reply)
    assert "Traceback" not in text
    assert CANARY not in text
    if "error" in reply:
        assert set(reply["error"]) == {"code", "message", "expected", "got", "help"}
        assert reply["error"]["code"] in codes()
    else:
        assert set(reply) == {"ok"}


@given(
    user=st.sampled_from(["researcher", "steward", "auditor", "admin", "gro", "ana"]),
    method=st.sampled_from([name for name in NAMES if name not in HARMFUL]) | st.text(max_size=20),
    params=st.dictionaries(st.sampled_from(PARAMETERS) | st.text(max_size=10), VALUES, max_size=4),
    data=st.binary(max_size=200),
)
@FEW
def test_any_call_by_anybody(world: Town, user: str, method: str, params: dict[str, Any], data: bytes) -> None:
    try:
        canonical(params)
    except ValueError:
        return
    answered(send(world, envelope(world, user, method, params), data))


@given(
    changes=st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("title", "source", "settings", "entries", "permit", "dataset", "kind", "purpose", "more"), VALUES
        ),
    )
)
@FEW
def test_any_request(world: Town, changes: dict[str, Any]) -> None:
    row = world.request().to_json() | changes
    try:
        canonical(row)
    except ValueError:
        return
    reply = call(world, "researcher", "submit", request=row)
    answered({"error": reply["error"]} if "error" in reply else {"ok": None})


@given(
    body=st.binary(max_size=400) | st.text(max_size=200).map(str.encode),
    path=st.sampled_from(["/fedkit/v1/call", "/fedkit/v1/login", "/api/v2/api_call"]),
)
@FEW
def test_any_bytes(http: Http, body: bytes, path: str) -> None:
    reply = http("POST", path, body)
    assert reply.status in (200, 400, 411, 413)
    assert CANARY.encode() not in reply.data
    assert b"Traceback" not in reply.data
    if path != "/api/v2/api_call" and reply.status == 200:
        answered(json.loads(reply.data.partition(b"\n")[0]))


@given(changes=st.dictionaries(st.sampled_from(["site", "method", "params", "time", "nonce", "more"]), VALUES, max_size=3))
@FEW
def test_any_signed_body(world: Town, changes: dict[str, Any]) -> None:
    key = key_of(world, "researcher")
    row = {
        "method": "catalogue",
        "nonce": secrets.token_hex(16),
        "params": {},
        "site": "north",
        "time": int(time.time() * 1000),
    }
    body = json.dumps(row | changes, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    try:
        signed = key.sign(body.encode())
    except UnicodeEncodeError:
        return
    sealed = {"body": body, "key": key.verify_key.encode().hex(), "signature": signed.signature.hex()}
    reply = world.researcher._transport.send(sealed, b"")[0]  # type: ignore[attr-defined]
    answered({"error": reply["error"]} if "error" in reply else {"ok": None})


@pytest.mark.parametrize("user", ["researcher", "steward"])
def test_and_after_that_the_site_is_as_it_was(world: Town, user: str) -> None:
    assert getattr(world, user).catalogue()
    assert verify_rows(world.auditor.journal()) == []
