"""A signed call to a site: the same envelope in process and over HTTP.

`{"site", "method", "params", "time", "nonce"}` as canonical JSON, signed with the Ed25519 key of the caller's session.
The site's name is part of it, so a call for one site is none for another; the nonce and a window of time make it count once.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from fedkit.digests import canonical
from fedkit.errors import AccessRefused

#: Seconds by which the clocks of caller and site may differ, and for which a nonce is remembered.
WINDOW = 120


@dataclass(frozen=True)
class Call:
    """A call whose signature fits. key: the caller's verify key (64 hex); whose session that is, `sites.sessions` knows."""

    key: str
    method: str
    params: Mapping[str, Any]
    nonce: str


def seal(key: SigningKey, site: str, method: str, params: Mapping[str, Any], *, now: float | None = None) -> dict[str, str]:
    """The envelope `{"body", "key", "signature"}` of a call: body is the canonical JSON, the others are hex."""
    moment = int((time.time() if now is None else now) * 1000)
    body = canonical({"site": site, "method": method, "params": params, "time": moment, "nonce": secrets.token_hex(16)})
    return {
        "body": body.decode(),
        "key": key.verify_key.encode().hex(),
        "signature": key.sign(body).signature.hex(),
    }


def signed_method(envelope: Mapping[str, Any]) -> str | None:
    """The call that an envelope names, if its signature fits; nothing is looked at but that, and nothing remembered."""
    try:
        body = str(envelope["body"]).encode()
        VerifyKey(bytes.fromhex(str(envelope["key"]))).verify(body, bytes.fromhex(str(envelope["signature"])))
        return str(json.loads(body)["method"])
    except (KeyError, TypeError, ValueError, RecursionError, BadSignatureError):
        return None


class Envelopes:
    """Opens envelopes for one site, each once.

    refused: called with (method or None, word) before a refusal is raised, for the journal.
    """

    def __init__(
        self, site: str, refused: Callable[[str | None, str], None], *, clock: Callable[[], float] = time.time
    ) -> None:
        self.site, self._refused, self._clock = site, refused, clock
        self._started = clock() - 1  # nonces of an earlier start are forgotten, so are its calls
        self._seen: tuple[set[str], set[str]] = (set(), set())  # nonces of this window and of the one before it
        self._since = clock()
        self._lock = threading.Lock()

    def open(self, envelope: Mapping[str, Any]) -> Call:
        """The call inside. Raises AccessRefused if it is forged, altered, stale, of another site, or was here before."""
        try:
            body = str(envelope["body"]).encode()
            key = str(envelope["key"])
            VerifyKey(bytes.fromhex(key)).verify(body, bytes.fromhex(str(envelope["signature"])))
            call = json.loads(body)
            method, moment, nonce = str(call["method"]), float(call["time"]) / 1000, str(call["nonce"])
            params, site = call["params"], call["site"]
            # Not so with a name twice, with numbers that readers differ on, or with more than is read here.
            one_way = canonical(call) == body and len(call) == 5
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError, BadSignatureError):
            raise self._no(None, "bad-signature", "the signature does not fit the call") from None
        if not one_way or site != self.site or not isinstance(params, dict) or len(nonce) != 32:
            raise self._no(None, "bad-signature", "the call is not for this site")
        now = self._clock()
        if not (abs(now - moment) <= WINDOW and moment >= self._started):  # so that NaN is refused too
            raise self._no(method, "stale", _off(now - moment), _NTP)
        with self._lock:
            if now - self._since > 2 * WINDOW:  # a call that was seen two windows ago is stale
                self._seen, self._since = (set(), self._seen[0]), now
            if nonce in self._seen[0] or nonce in self._seen[1]:
                raise self._no(method, "replayed", "this call was here before")
            self._seen[0].add(nonce)
        return Call(key, method, params, nonce)

    def _no(self, method: str | None, word: str, message: str, help: str = "log in again") -> AccessRefused:
        self._refused(method if method and method.isidentifier() and len(method) < 64 else None, word)
        return AccessRefused(message, expected="a fresh call, signed by an account of this site", help=help)


_NTP = "set the clock of your machine (NTP) and log in again; if it is right, tell the site's admin to look at the site's"


def _off(late: float) -> str:
    """What is wrong with the time of a call. late: seconds by which it is behind this site's clock."""
    if abs(late) <= WINDOW:
        return "the call is older than this site's start"
    where = "ahead of" if late < 0 else "behind"
    return f"clock skew, or a call that was kept: it is dated {abs(late):.0f} s {where} this site's clock"
