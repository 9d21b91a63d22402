"""What a steward does at a site: see what a request is, and decide by a signature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fedkit.digests import short
from fedkit.errors import RequestError
from fedkit.governance.differences import changes, difference, version_before
from fedkit.governance.request import CodeRequest
from fedkit.sites.calls.base import Caller, Calls

#: Reviews in one call; each is as long as its source.
MOST = 100


class ReviewCalls(Calls):
    """review, review_batch, reason_digest, decide."""

    def on_review(self, caller: Caller, digest: str) -> dict[str, Any]:
        request, submitted = self.visible(caller, digest)
        self.parts.journal.append("request.reviewed", caller.name, request=digest)
        findings, rehearsals = self.deciding.findings(request), self.parts.store.rehearsals(digest)
        office, before = self.execution.office, self._before(request)
        return {
            "request": request.to_json(),
            "state": asdict(self.execution.state(request, submitted)),
            "findings": [asdict(f) for f in findings],
            "diff": _diff(before, request),
            "changes": [c.to_json() for c in changes(before, request)] if before else [],
            "rehearsals": [asdict(r) for r in rehearsals],
            "rules": self.execution.rules.explain().splitlines(),
            "standing": [asdict(n) for n in office.desk.nearly(request, findings, rehearsals)],
            "approvals": [decision.steward for decision in office.approvals(digest)],
            "spent": self._spent(request),
        }

    def on_review_batch(self, caller: Caller, digests: list[str]) -> list[dict[str, Any]]:
        if len(digests) > MOST:
            raise RequestError("too many reviews at once", expected=f"at most {MOST}", got=str(len(digests)))
        return [self.on_review(caller, str(digest)) for digest in digests]

    def on_reason_digest(self, caller: Caller, reason: str) -> str:
        return self.parts.journal.salted(reason)

    def on_decide(self, caller: Caller, decision: Mapping[str, Any]) -> dict[str, Any]:
        return asdict(self.deciding.decide(decision, caller.name, caller.address))

    def _spent(self, request: CodeRequest) -> dict[str, float]:
        """What the data set's privacy budget has lost, to who asks and to all."""
        usage, found = self.execution.usage, self.parts.store.request(request.digest)
        return {"researcher": usage.spent(request.dataset, found[1]) if found else 0.0, "all": usage.spent(request.dataset)}

    def _before(self, request: CodeRequest) -> CodeRequest | None:
        """The last approved version of a request, or what comes closest to one; None if nothing was approved here."""
        found = (self.parts.store.request(digest) for digest in self.parts.store.last_approved())
        return version_before(request, (row[0] for row in found if row))


def _diff(before: CodeRequest | None, request: CodeRequest) -> str:
    """What changed in the source, as a unified diff; "" if there is nothing to compare with."""
    if before is None:
        return ""
    return difference(before.source, request.source, f"approved {short(before.digest)}", f"this {short(request.digest)}")
