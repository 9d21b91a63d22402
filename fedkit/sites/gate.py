"""The server side of a session: who may call what, and where each call goes.

Every call comes in an envelope, every refusal has a name and a row in the journal, and nothing leaves but plain data and
fedkit's own errors. In process and over HTTP this is the same code; only the way the envelope comes differs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from fedkit.digests import canonical
from fedkit.errors import AccessRefused, DigestMismatch, FedkitError, RequestError, SiteError
from fedkit.governance.accounts import may_act_once
from fedkit.governance.levels import check_level, may
from fedkit.sites.calls.accounts import AccountCalls
from fedkit.sites.calls.approving import ApprovingCalls
from fedkit.sites.calls.asking import AskingCalls
from fedkit.sites.calls.audit import AuditCalls
from fedkit.sites.calls.base import Caller, Calls, Duties
from fedkit.sites.calls.catalogues import CatalogueCalls
from fedkit.sites.calls.everybody import EverybodysCalls
from fedkit.sites.calls.review import ReviewCalls
from fedkit.sites.calls.running import RunningCalls
from fedkit.sites.calls.summing import SummingCalls
from fedkit.sites.calls.warehouse import WarehouseCalls
from fedkit.sites.deciding import Deciding
from fedkit.sites.envelope import Envelopes, signed_method
from fedkit.sites.execution import Execution
from fedkit.sites.exposure import OPEN
from fedkit.sites.journal import written
from fedkit.sites.parts import SiteParts
from fedkit.sites.warehouse.publishing import public
from fedkit.sites.witness import Witness

#: Who answers what; a call that two groups had would be a defect, and a test says so.
GROUPS: tuple[type[Calls], ...] = (
    ApprovingCalls,
    EverybodysCalls,
    AskingCalls,
    ReviewCalls,
    AuditCalls,
    RunningCalls,
    SummingCalls,
    WarehouseCalls,
    CatalogueCalls,
    AccountCalls,
)

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
        self.access = parts.access
        _by_handle[parts.handle] = self
        _by_server[parts.domain.id] = self
        self.deciding.finish_all()

    def answer(self, envelope: Mapping[str, Any], data: bytes = b"", address: str = "here") -> tuple[dict[str, Any], bytes]:
        """(`{"ok": …}` or `{"error": …}`, bytes). data: the blob of a `put`.   address: where from. Never raises."""
        return self._answered(lambda: self._dispatch(envelope, data, address))

    def login(self, envelope: Mapping[str, Any], address: str = "here") -> dict[str, Any]:
        """Open a session for the key that signed this envelope: a call "login" with user and password. address: where from.

        `{"ok": …}` or `{"error": …}`. Never raises.
        """
        return self._answered(lambda: self._login(envelope, address))[0]

    def catalogue(self) -> dict[str, Any]:
        """`{"ok": …}` or `{"error": …}`: what the site's steward has published, for whoever asks, without a login; None if
        nothing was. Never raises."""
        return self._answered(lambda: ({"ok": public(self.parts.config.folder)}, b""))[0]

    def may_see_api(self, key: str) -> bool:
        """Whether the account with this verify key has anything to call in PySyft."""
        user = self.access.sessions.user(key, calls=False)
        account = self.access.accounts.counting(user) if user is not None else None
        return account is not None and not account.once and account.level in OPEN

    def takes_blob(self, envelope: object) -> bool:
        """Whether a large body may come with this envelope: weights, from a session whose account may put them."""
        if not isinstance(envelope, dict) or not isinstance(envelope.get("key"), str):
            return False
        user = self.access.sessions.user(envelope["key"], calls=False)
        account = self.access.accounts.counting(user) if user is not None else None
        if account is None or account.once or not may(account.level, "put"):
            return False
        return signed_method(envelope) == "put"

    def _answered(self, act: Callable[[], tuple[dict[str, Any], bytes]]) -> tuple[dict[str, Any], bytes]:
        try:
            return act()
        except FedkitError as error:
            return {"error": error.to_json()}, b""
        except Exception as error:  # a defect or malformed parameters; the text of the error could hold a note
            kind = type(error).__name__
            return {"error": SiteError(f"{self.parts.config.name} could not answer", got=kind).to_json()}, b""

    def _login(self, envelope: Mapping[str, Any], address: str) -> tuple[dict[str, Any], bytes]:
        self.access.stranger(None, address)
        call = self._envelopes.open(envelope)
        user, password = call.params.get("user"), call.params.get("password")
        if call.method != "login" or not isinstance(user, str) or not isinstance(password, str):
            self._refused(None, AccessRefused.code)
            raise AccessRefused("this is no login", expected="user and password")
        card = self.access.login(user, password, call.key, address)
        return {"ok": {"user": card.user, "once": bool(card.once)}}, b""

    def _dispatch(self, envelope: Mapping[str, Any], data: bytes, address: str) -> tuple[dict[str, Any], bytes]:
        self.access.stranger(envelope.get("key"), address)
        call = self._envelopes.open(envelope)
        caller = self._caller(call.key, call.method)
        with written() as acts:
            try:
                if call.method == "put":
                    return {"ok": self._calls["put"](caller, data, **call.params)}, b""
                if call.method == "get":
                    return {"ok": None}, self._calls["get"](caller, **call.params)
                return {"ok": self._calls[call.method](caller, **call.params)}, b""
            except Exception as error:
                # What a call has not written down itself. An outcome that is no receipt was written down when it came about.
                told = call.method == "outcome" and not isinstance(error, DigestMismatch)
                if not told and not any(act.endswith(".refused") for act in acts):
                    code = error.code if isinstance(error, FedkitError) else "no-call"
                    self.access.refuse(self._word(call.method), code, caller.name)
                raise

    def close(self) -> None:
        _by_handle.pop(self.parts.handle, None)
        _by_server.pop(self.parts.domain.id, None)
        self.parts.close()

    # -- helpers
    def _caller(self, key: str, method: str) -> Caller:
        account = self.access.caller(key, self._word(method))
        try:
            check_level(account.level, method)
            may_act_once(account, method)
        except FedkitError as error:
            self.access.refuse(self._word(method), error.code, account.user)
            raise
        return Caller(account.user, account.level, account.address, key)

    def _refused(self, method: str | None, word: str) -> None:
        self.access.refuse(self._word(method), word)

    def _word(self, method: str | None) -> str | None:
        """A call's name as the journal may hold it: one of ours, or nothing."""
        return method if method in self._calls else None
