"""What a steward does at a site: see what a request is, and decide by a signature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fedkit.digests import short
from fedkit.governance.findings import difference
from fedkit.governance.request import CodeRequest
from fedkit.sites.calls.base import Caller, Calls


class ReviewCalls(Calls):
    """review, reason_digest, decide."""

    def on_review(self, caller: Caller, digest: str) -> dict[str, Any]:
        request, submitted = self.visible(caller, digest)
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

    def _diff(self, request: CodeRequest) -> str:
        """What changed since the last request that was approved here, as a unified diff; "" if there is none."""
        for digest in self.parts.store.last_approved():
            found = self.parts.store.request(digest)
            if found and digest != request.digest:
                return difference(found[0].source, request.source, f"approved {short(digest)}", f"this {short(request.digest)}")
        return ""
