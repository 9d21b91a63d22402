"""What a researcher does at a site: look at mock notes, rehearse, submit, and run what was approved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fedkit.digests import digest
from fedkit.errors import FedkitError, RequestError
from fedkit.governance.request import CodeRequest
from fedkit.sites.calls.base import Caller, Calls
from fedkit.sites.deciding import is_digest
from fedkit.sites.execution import Key, not_submitted


class AskingCalls(Calls):
    """mock_notes, rehearse, submit, state, requests; put, get, admit, outcome."""

    def on_mock_notes(self, caller: Caller, dataset: str, limit: int) -> list[dict[str, Any]]:
        self.dataset(dataset)
        return [note.to_row() for note in self.parts.notes.notes("mock")[: max(0, int(limit))]]

    def on_rehearse(self, caller: Caller, request: Mapping[str, Any], entry: str, inputs: str | None) -> dict[str, Any]:
        asked = CodeRequest.from_json(request)
        self.dataset(asked.dataset)
        return asdict(self.deciding.rehearse(asked, entry, inputs, caller.name))

    def on_submit(self, caller: Caller, request: Mapping[str, Any]) -> dict[str, Any]:
        asked = self._asked(request, caller)
        self.dataset(asked.dataset)
        state = self.deciding.submit(asked, caller.name, caller.address)
        in_domain = self.parts.domain.has_request(asked)
        if in_domain:
            self.deciding.consider(asked)
            state = self.execution.state(asked, state.submitted)
        return {"state": asdict(state), "in_domain": in_domain}

    def _asked(self, row: Mapping[str, Any], caller: Caller) -> CodeRequest:
        """The request that somebody hands in. What is none, or declares another noise than it plans, is journalled too."""
        try:
            return CodeRequest.from_json(row)
        except FedkitError as error:
            try:
                named = digest(dict(row))
            except (ValueError, TypeError):
                named = digest("not a request")
            self.parts.journal.append("request.refused", caller.name, request=named, reason=error.code)
            raise

    def on_state(self, caller: Caller, digest: str) -> dict[str, Any]:
        request, submitted = self.visible(caller, digest)
        return asdict(self.execution.state(request, submitted))

    def on_requests(self, caller: Caller) -> list[dict[str, Any]]:
        found = [self.parts.store.request(d) for d in self.parts.store.request_digests()]
        mine = [f for f in found if f and (caller.oversees or f[1] == caller.name)]
        return [asdict(self.execution.state(request, submitted)) for request, _, submitted in mine]

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
        request, _ = self.visible(caller, digest)
        return self.execution.outcome(request, (digest, entry, round, inputs), caller.name).to_json()
