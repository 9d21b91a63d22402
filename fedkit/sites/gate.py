"""The server side of a session: who may call what, and where each call goes.

Every call comes in an envelope, every refusal has a name and a row in the journal, and nothing leaves but plain data and
fedkit's own errors. In process and over HTTP this is the same code; only the way the envelope comes differs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fedkit.digests import canonical, short
from fedkit.errors import AccessRefused, FedkitError, RequestError, SiteError
from fedkit.governance.findings import difference
from fedkit.governance.levels import check_level
from fedkit.governance.request import CodeRequest
from fedkit.sites.base import DatasetCard
from fedkit.sites.deciding import Deciding, is_digest
from fedkit.sites.envelope import Envelopes
from fedkit.sites.execution import Execution, Key, not_submitted
from fedkit.sites.exposure import OPEN
from fedkit.sites.parts import SiteParts
from fedkit.sites.witness import Witness

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


class Caller:
    """Who calls: an account of this site. name is short enough for the journal."""

    def __init__(self, name: str, level: str, address: str) -> None:
        self.name, self.level, self.address = name, level, address


class Gate:
    """The gate of one open site. `answer` takes an envelope; what it calls are the methods named `on_…`."""

    def __init__(self, parts: SiteParts) -> None:
        self.parts = parts
        self.execution = Execution(parts)
        self.deciding = Deciding(parts, self.execution)
        self.witness = Witness(parts)
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
            return {"ok": self.on_put(caller, data, **call.params)}, b""
        if call.method == "get":
            return {"ok": None}, self.on_get(caller, **call.params)
        return {"ok": getattr(self, f"on_{call.method}")(caller, **call.params)}, b""

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

    # -- anyone
    def on_info(self, caller: Caller) -> dict[str, Any]:
        self.parts.journal.append("access.granted", caller.name, level=caller.level)
        return {**asdict(self.parts.info), "user": caller.name, "level": caller.level}

    def on_catalogue(self, caller: Caller) -> list[dict[str, Any]]:
        notes, about = self.parts.notes, self.parts.notes.about()
        card = DatasetCard(
            self.parts.config.dataset, about["language"], tuple(about["labels"]), notes.splits(), notes.commitment()
        )
        return [asdict(card)]

    # -- researcher
    def on_mock_notes(self, caller: Caller, dataset: str, limit: int) -> list[dict[str, Any]]:
        self._dataset(dataset)
        return [note.to_row() for note in self.parts.notes.notes("mock")[: max(0, int(limit))]]

    def on_rehearse(self, caller: Caller, request: Mapping[str, Any], entry: str, inputs: str | None) -> dict[str, Any]:
        asked = CodeRequest.from_json(request)
        self._dataset(asked.dataset)
        return asdict(self.deciding.rehearse(asked, entry, inputs, caller.name))

    def on_submit(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        asked = CodeRequest.from_json(request)
        self._dataset(asked.dataset)
        state = self.deciding.submit(asked, caller.name, caller.address)
        return {"state": asdict(state), "in_domain": self.parts.domain.has_request(asked)}

    def on_state(self, caller: Caller, digest: str) -> dict[str, Any]:
        request, submitted = self._visible(caller, digest)
        return asdict(self.execution.state(request, submitted))

    def on_put(self, caller: Caller, data: bytes, digest: str) -> str:
        return self.deciding.put(data, digest, caller.name)

    def on_get(self, caller: Caller, digest: str) -> bytes:
        return self.deciding.get(digest, caller.name)

    def on_admit(self, caller: Caller, digest: str, entry: str, round: int, inputs: str) -> dict[str, Any]:
        """The rules, before PySyft is asked: a refusal with its name, or the receipt of this very call."""
        key: Key = (digest, entry, round, inputs)
        if not (is_digest(digest) and is_digest(inputs) and isinstance(entry, str) and type(round) is int):
            raise RequestError("not a call", expected="digest, name of an entry, number of the round, digest", got="others")
        try:
            found = self.parts.store.request(digest)
            if found is None:
                raise not_submitted()
            receipt = self.execution.admit(found[0], key, caller.name)
        except FedkitError as error:
            raise self.execution.refused(key, error, caller.name) from None
        return {"receipt": receipt.to_json() if receipt else None}

    def on_outcome(self, caller: Caller, digest: str, entry: str, round: int, inputs: str) -> dict[str, Any]:
        request, _ = self._visible(caller, digest)
        return self.execution.outcome(request, (digest, entry, round, inputs), caller.name).to_json()

    # -- steward
    def on_requests(self, caller: Caller) -> list[dict[str, Any]]:
        found = [self.parts.store.request(d) for d in self.parts.store.request_digests()]
        mine = [f for f in found if f and (caller.level != "researcher" or f[1] == caller.name)]
        return [asdict(self.execution.state(request, submitted)) for request, _, submitted in mine]

    def on_review(self, caller: Caller, digest: str) -> dict[str, Any]:
        request, submitted = self._visible(caller, digest)
        self.parts.journal.append("request.reviewed", caller.name, request=digest)
        return {
            "request": request.to_json(),
            "state": asdict(self.execution.state(request, submitted)),
            "findings": [asdict(f) for f in self.deciding.findings(request)],
            "diff": self._diff(request),
            "rehearsals": [asdict(r) for r in self.parts.store.rehearsals(digest)],
        }

    def on_reason_digest(self, caller: Caller, reason: str) -> str:
        return self.parts.journal.salted(reason)

    def on_decide(self, caller: Caller, decision: Mapping[str, Any]) -> dict[str, Any]:
        return asdict(self.deciding.decide(decision, caller.name, caller.address))

    # -- auditor
    def on_journal(self, caller: Caller, start: int) -> list[dict[str, Any]]:
        rows = self.parts.journal.rows(int(start))
        self.parts.journal.append("journal.read", caller.name, start=max(0, int(start)))
        return rows

    def on_anchor(self, caller: Caller, after: int | None = None) -> dict[str, Any] | None:
        return self.deciding.anchor(after)

    def on_head(self, caller: Caller) -> dict[str, Any] | None:
        head = self.witness.head()
        return head.to_json() if head else None

    def on_sign_head(self, caller: Caller, headers: list[str]) -> dict[str, Any]:
        return self.witness.sign(headers, caller.name).to_json()

    # -- helpers
    def _caller(self, key: str, method: str) -> Caller:
        user = self.parts.domain.user_of(key)
        account = self.parts.store.account(user) if user else None
        if user is None or account is None:
            self._refused(method, "unknown-user")
            raise AccessRefused("this key is of no account here", expected="an account of this site", help="log in again")
        return Caller(user, *account)

    def _dataset(self, name: str) -> None:
        if name != self.parts.config.dataset:
            raise RequestError("no such data set here", expected=self.parts.config.dataset, got="another name")

    def _visible(self, caller: Caller, digest: str) -> tuple[CodeRequest, float]:
        """A request that the caller may see: their own, for a researcher. Others look as if they were not there."""
        found = self.parts.store.request(digest)
        if found is None or (caller.level == "researcher" and found[1] != caller.name):
            raise not_submitted()
        return found[0], found[2]

    def _diff(self, request: CodeRequest) -> str:
        """What changed since the last request that was approved here, as a unified diff; "" if there is none."""
        for digest in self.parts.store.last_approved():
            found = self.parts.store.request(digest)
            if found and digest != request.digest:
                return difference(found[0].source, request.source, f"approved {short(digest)}", f"this {short(request.digest)}")
        return ""

    def _no(self, method: str, user: str, error: FedkitError) -> FedkitError:
        self.parts.journal.append("access.refused", user, method=_word(method), reason=error.code)
        return error

    def _refused(self, method: str | None, word: str) -> None:
        self.parts.journal.append("access.refused", self.parts.config.name, method=_word(method), reason=word)


def _word(method: str | None) -> str | None:
    """A method's name as the journal may hold it: one of ours, or nothing."""
    return method if method and hasattr(Gate, f"on_{method}") else None
