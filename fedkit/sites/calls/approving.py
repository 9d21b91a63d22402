"""What stewards do beside single decisions: standing approvals, turns, delegation; and taking back a request of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fedkit.governance.delegation import Delegation
from fedkit.governance.request import CodeRequest
from fedkit.governance.standing import StandingApproval
from fedkit.sites.approving.turns import alike
from fedkit.sites.base import StandingState
from fedkit.sites.calls.base import Caller, Calls, Duties


class ApprovingCalls(Calls):
    """offer_standing, standings, withdraw_standing; assign, reminders, delegate, alike; decision, withdraw."""

    def __init__(self, duties: Duties) -> None:
        super().__init__(duties)
        self.office = duties.execution.office

    # -- standing approvals
    def on_offer_standing(self, caller: Caller, standing: Mapping[str, Any]) -> dict[str, Any]:
        return self.office.desk.offer(StandingApproval.from_json(standing), caller.name, caller.address).to_json()

    def on_standings(self, caller: Caller) -> list[dict[str, Any]]:
        return [_row(state) for state in self.office.desk.states()]

    def on_withdraw_standing(self, caller: Caller, digest: str, reason: str) -> dict[str, Any]:
        return _row(self.office.desk.withdraw(str(digest), str(reason), caller.name))

    # -- turns
    def on_assign(self, caller: Caller, digest: str, steward: str) -> dict[str, Any]:
        request, submitted = self.visible(caller, digest)
        self.deciding.assign(request, submitted, str(steward), caller.name)
        return asdict(self.execution.state(request, submitted))

    def on_reminders(self, caller: Caller) -> list[dict[str, Any]]:
        late = [(r, at) for r, at in self._waiting() if self.office.turns.remind(r.digest, at)]
        states = [self.execution.state(request, submitted) for request, submitted in late]
        return [asdict(state) for state in sorted(states, key=lambda state: state.due)]

    def on_delegate(self, caller: Caller, delegation: Mapping[str, Any]) -> dict[str, Any]:
        return self.office.people.delegate(Delegation.from_json(delegation), caller.name, caller.address).to_json()

    def on_alike(self, caller: Caller) -> list[dict[str, Any]]:
        oldest_first = sorted(self._waiting(), key=lambda found: found[1])
        return [asdict(group) for group in alike([request for request, _ in oldest_first])]

    # -- one request
    def on_decision(self, caller: Caller, digest: str) -> dict[str, Any] | None:
        self.visible(caller, digest)
        decisions = self.parts.store.decisions(digest)
        return decisions[-1].to_json() if decisions else None

    def on_withdraw(self, caller: Caller, digest: str) -> dict[str, Any]:
        self.deciding.withdraw(digest, caller.name)
        request, submitted = self.visible(caller, digest)
        return asdict(self.execution.state(request, submitted))

    def _waiting(self) -> list[tuple[CodeRequest, float]]:
        """Requests that wait, newest first, with when they were submitted."""
        found = [self.parts.store.request(digest) for digest in self.parts.store.request_digests()]
        rows = [(f[0], f[2]) for f in found if f]
        return [(request, at) for request, at in rows if self.execution.state(request, at).status == "pending"]


def _row(state: StandingState) -> dict[str, Any]:
    return {
        "approval": state.approval.to_json(),
        "status": state.status,
        "used": state.used,
        "today": state.today,
        "reason": state.reason,
    }
