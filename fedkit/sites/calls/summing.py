"""What a study carries between sites so that they can add up under masks: keys, sealed shares, and shares to open a sum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fedkit.errors import RequestError
from fedkit.governance.decision import NOTHING
from fedkit.governance.request import CodeRequest
from fedkit.sites.calls.base import Caller, Calls
from fedkit.sites.execution import not_submitted


class SummingCalls(Calls):
    """sum_keys, sum_shares, sum_take, sum_open: each for a request of one's own that counts as approved now."""

    def on_sum_keys(self, caller: Caller, digest: str) -> dict[str, Any]:
        return self.execution.summing.keys(self._approved(caller, digest), caller.name)

    def on_sum_shares(self, caller: Caller, digest: str, published: Mapping[str, Any]) -> dict[str, str]:
        request = self._approved(caller, digest)
        with self.execution.summing.refusals(digest, caller.name):
            return self.execution.summing.shares(request, dict(published), caller.name)

    def on_sum_take(self, caller: Caller, digest: str, sealed: Mapping[str, str]) -> None:
        request = self._approved(caller, digest)
        with self.execution.summing.refusals(digest, caller.name):
            self.execution.summing.take(request, dict(sealed))

    def on_sum_open(self, caller: Caller, digest: str, round: int, survivors: list[str]) -> dict[str, dict[str, str]]:
        request = self._approved(caller, digest)
        if type(round) is not int or not isinstance(survivors, list):
            raise RequestError("not a round", expected="its number and the names of sites", got="others")
        with self.execution.summing.refusals(digest, caller.name):
            return self.execution.summing.open(request, round, survivors, caller.name)

    def _approved(self, caller: Caller, digest: str) -> CodeRequest:
        found = self.parts.store.request(digest)
        if found is None or found[1] != caller.name:
            raise not_submitted()
        request = found[0]
        key = (digest, request.entries[0].name, 1, NOTHING)
        with self.execution.summing.refusals(digest, caller.name):
            self.execution.approval.admits(self.execution.context(request, key, caller.name))
        return request
