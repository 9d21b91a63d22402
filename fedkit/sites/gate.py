"""The server side of a session: who may call what, and where each call goes.

Every call comes in an envelope, every refusal has a name and a row in the journal, and nothing leaves but plain data and
fedkit's own errors. In process and over HTTP this is the same code; only the way the envelope comes differs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from fedkit.digests import canonical
from fedkit.errors import AccessRefused, FedkitError, RequestError, SiteError
from fedkit.governance.levels import check_level
from fedkit.sites.calls.asking import AskingCalls
from fedkit.sites.calls.audit import AuditCalls
from fedkit.sites.calls.base import Caller, Calls, Duties
from fedkit.sites.calls.everybody import EverybodysCalls
from fedkit.sites.calls.review import ReviewCalls
from fedkit.sites.calls.running import RunningCalls
from fedkit.sites.deciding import Deciding
from fedkit.sites.envelope import Envelopes
from fedkit.sites.execution import Execution
from fedkit.sites.exposure import OPEN
from fedkit.sites.parts import SiteParts
from fedkit.sites.witness import Witness

#: Who answers what; a call that two groups had would be a defect, and a test says so.
GROUPS: tuple[type[Calls], ...] = (EverybodysCalls, AskingCalls, ReviewCalls, AuditCalls, RunningCalls)

_by_handle: dict[str, Gate] = {}
_by_server: dict[str, Gate] = {}


def called(handle: str, text: str, call: str) -> str:
    """What an approved PySyft function calls: canonical JSON of a receipt, or of the refusal `{"refused": …}`."""
    gate = _by_handle.get(handle)
    if gate is None:
        return canonical({"refused": AccessRefused("this is no data set of this site").to_json()}).decode()
    try:
        entry, round, inputs = json.loads(call)
        named = str(entry), int(round), str(inputs)
    except (ValueError, TypeError):
        return canonical({"refused": RequestError("this is no call of an entry").to_json()}).decode()
    return gate.execution.run(text, *named)


def gate_of_server(server: str) -> Execution:
    """The runs of the site beside a PySyft server, for its output policy."""
    gate = _by_server.get(server)
    if gate is None:
        raise SiteError("this domain has no gate")
    return gate.execution


class Gate:
    """The gate of one open site. `answer` takes an envelope; what answers a call stands in `fedkit.sites.calls`."""

    def __init__(self, parts: SiteParts) -> None:
        self.parts = parts
        self.execution = Execution(parts)
        self.deciding = Deciding(parts, self.execution)
        duties = Duties(parts, self.execution, self.deciding, Witness(parts))
        self._calls: dict[str, Callable[..., Any]] = {}
        for group in GROUPS:
            self._calls.update(group(duties).handlers())
        self._envelopes = Envelopes(parts.config.name, self._refused)
        _by_handle[parts.handle] = self
        _by_server[parts.domain.id] = self

    def answer(self, envelope: Mapping[str, Any], data: bytes = b"") -> tuple[dict[str, Any], bytes]:
        """(`{"ok": …}` or `{"error": …}`, bytes). data: the blob of a `put`. Never raises."""
        try:
            return self._dispatch(envelope, data)
        except FedkitError as error:
            return {"error": error.to_json()}, b""
        except Exception as error:  # a defect or malformed parameters; the text of the error could hold a note
            kind = type(error).__name__
            return {"error": SiteError(f"{self.parts.config.name} could not answer", got=kind).to_json()}, b""

    def may_see_api(self, key: str) -> bool:
        """Whether the account with this verify key has anything to call in PySyft."""
        user = self.parts.domain.user_of(key)
        account = self.parts.store.account(user) if user else None
        return account is not None and account[0] in OPEN

    def _dispatch(self, envelope: Mapping[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        call = self._envelopes.open(envelope)
        caller = self._caller(call.key, call.method)
        try:
            check_level(caller.level, call.method)
        except FedkitError as error:
            raise self._no(call.method, caller.name, error) from None
        if call.method == "put":
            return {"ok": self._calls["put"](caller, data, **call.params)}, b""
        if call.method == "get":
            return {"ok": None}, self._calls["get"](caller, **call.params)
        return {"ok": self._calls[call.method](caller, **call.params)}, b""

    def login(self, user: str, password: str) -> bytes:
        """The seed of a user's signing key. Raises AccessRefused, and the journal says that somebody tried."""
        try:
            return self.parts.domain.login(user, password)
        except AccessRefused:
            self._refused(None, "unknown-user")
            raise

    def close(self) -> None:
        _by_handle.pop(self.parts.handle, None)
        _by_server.pop(self.parts.domain.id, None)
        self.parts.close()

    # -- helpers
    def _caller(self, key: str, method: str) -> Caller:
        user = self.parts.domain.user_of(key)
        account = self.parts.store.account(user) if user else None
        if user is None or account is None:
            self._refused(method, "unknown-user")
            raise AccessRefused("this key is of no account here", expected="an account of this site", help="log in again")
        return Caller(user, *account)

    def _no(self, method: str, user: str, error: FedkitError) -> FedkitError:
        self.parts.journal.append("access.refused", user, method=self._word(method), reason=error.code)
        return error

    def _refused(self, method: str | None, word: str) -> None:
        self.parts.journal.append("access.refused", self.parts.config.name, method=self._word(method), reason=word)

    def _word(self, method: str | None) -> str | None:
        """A call's name as the journal may hold it: one of ours, or nothing."""
        return method if method in self._calls else None
