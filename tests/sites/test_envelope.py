"""A signed call: what opens an envelope, and that each opens once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from fedkit.errors import AccessRefused
from fedkit.sites.envelope import WINDOW, Envelopes, seal

KEY = SigningKey(bytes(range(32)))


class Desk:
    """An `Envelopes` with a clock to turn and a list of what it refused."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.refused: list[tuple[str | None, str]] = []
        self.envelopes = self.fresh()

    def fresh(self) -> Envelopes:
        return Envelopes("north", lambda method, word: self.refused.append((method, word)), clock=lambda: self.now)

    def seal(self, method: str = "state", site: str = "north", **params: Any) -> dict[str, str]:
        return seal(KEY, site, method, params, now=self.now)


def test_an_envelope_opens_to_what_was_sealed() -> None:
    desk = Desk()
    call = desk.envelopes.open(desk.seal("state", digest="é"))
    assert (call.method, call.params, call.key) == ("state", {"digest": "é"}, KEY.verify_key.encode().hex())


def test_it_opens_once() -> None:
    desk = Desk()
    envelope = desk.seal()
    desk.envelopes.open(envelope)
    for later in (0, 1, WINDOW):
        desk.now += later
        with pytest.raises(AccessRefused):
            desk.envelopes.open(envelope)
    assert desk.refused[0] == ("state", "replayed")


@pytest.mark.parametrize("seconds", [WINDOW + 1, -WINDOW - 1])
def test_it_opens_within_a_window_of_time(seconds: float) -> None:
    desk = Desk()
    desk.now += WINDOW + 2
    envelope = desk.seal()
    desk.now += seconds
    with pytest.raises(AccessRefused):
        desk.envelopes.open(envelope)
    assert desk.refused == [("state", "stale")]


@pytest.mark.parametrize(("seconds", "says"), [(3600, "3600 s ahead of"), (-3600, "3600 s behind")])
def test_clocks_that_differ_are_named_with_what_to_do(seconds: float, says: str) -> None:
    desk = Desk()
    desk.now += 10_000
    with pytest.raises(AccessRefused, match="clock skew") as refused:
        desk.envelopes.open(seal(KEY, "north", "state", {}, now=desk.now + seconds))
    assert says in refused.value.message
    assert "NTP" in refused.value.help


def test_a_call_from_before_the_last_start_is_gone_with_its_nonce() -> None:
    desk = Desk()
    desk.now += 10
    envelope = desk.seal()
    desk.envelopes.open(envelope)
    desk.now += 10
    again = desk.fresh()
    with pytest.raises(AccessRefused):
        again.open(envelope)
    again.open(desk.seal())


@given(st.lists(st.integers(0, WINDOW), max_size=12), st.integers(0, WINDOW))
def test_a_call_is_remembered_for_as_long_as_it_could_be_replayed(pauses: list[int], ahead: int) -> None:
    """Also one whose clock runs ahead, with calls of others in between."""
    desk = Desk()
    first = seal(KEY, "north", "state", {}, now=desk.now + ahead)
    desk.envelopes.open(first)
    for pause in pauses:
        desk.now += pause
        desk.envelopes.open(desk.seal())
        with pytest.raises(AccessRefused):
            desk.envelopes.open(first)


def test_what_cannot_be_replayed_any_more_is_forgotten() -> None:
    desk = Desk()
    for _ in range(30):
        desk.envelopes.open(desk.seal())
        desk.now += WINDOW
    assert sum(map(len, desk.envelopes._seen)) <= 7


def test_it_is_for_one_site() -> None:
    desk = Desk()
    with pytest.raises(AccessRefused):
        desk.envelopes.open(desk.seal(site="east"))


@given(at=st.integers(0, 10_000), flip=st.integers(1, 127))
def test_no_altered_character_opens(at: int, flip: int) -> None:
    desk = Desk()
    envelope = desk.seal("decide", decision={"approved": True, "rounds": 3})
    body = envelope["body"]
    at %= len(body)
    changed = body[:at] + chr(ord(body[at]) ^ flip) + body[at + 1 :]
    with pytest.raises(AccessRefused):
        desk.envelopes.open({**envelope, "body": changed})


@pytest.mark.parametrize("moment", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400, "null", "[]"])
def test_a_time_that_is_none_does_not_last_for_ever(moment: str) -> None:
    desk = Desk()
    call = json.loads(desk.seal()["body"])
    body = json.dumps(call).replace(str(call["time"]), moment).encode()
    envelope = {"body": body.decode(), "key": KEY.verify_key.encode().hex(), "signature": KEY.sign(body).signature.hex()}
    with pytest.raises(AccessRefused):
        desk.envelopes.open(envelope)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
)


@given(st.dictionaries(st.sampled_from(["body", "key", "signature", "x"]), _JSON))
def test_nothing_that_is_no_envelope_opens_or_breaks_it(envelope: dict[str, Any]) -> None:
    with pytest.raises(AccessRefused):
        Desk().envelopes.open(envelope)


@given(st.sampled_from(["time", "nonce", "method", "params", "site"]), _JSON)
def test_a_well_signed_call_of_another_shape_is_refused_or_harmless(field: str, value: Any) -> None:
    """The signature fits, the content is the sender's: only an AccessRefused or a Call may come of it."""
    desk = Desk()
    call = {**json.loads(desk.seal()["body"]), field: value}
    body = json.dumps(call).encode()
    envelope = {"body": body.decode(), "key": KEY.verify_key.encode().hex(), "signature": KEY.sign(body).signature.hex()}
    try:
        opened = desk.envelopes.open(envelope)
    except AccessRefused:
        return
    assert isinstance(opened.method, str)
    assert isinstance(opened.params, dict)
