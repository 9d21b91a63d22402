"""Where a request stands at a site: decisions, first approvals, turns and standing approvals, put together."""

from __future__ import annotations

from fedkit.errors import AccessRefused, Refused
from fedkit.governance.decision import Decision
from fedkit.governance.policies import AllOf, Policy
from fedkit.governance.request import CodeRequest
from fedkit.governance.review import RequestState
from fedkit.sites.approving.desk import Desk
from fedkit.sites.approving.people import People
from fedkit.sites.approving.tables import ApprovalTables
from fedkit.sites.approving.turns import Turns
from fedkit.sites.parts import SiteParts


class Office:
    """What a site does about requests before they run, opened once by its gate. needed: how many stewards must approve."""

    def __init__(self, parts: SiteParts, needed: int = 1) -> None:
        self.parts, self.needed = parts, needed
        self.site = parts.config.name
        self.tables = ApprovalTables(parts.store.database)
        self.people = People(parts, self.tables)
        self.turns = Turns(parts, self.tables, self.people, parts.config.patience)
        self.desk = Desk(parts, self.tables, self.people)

    def state(self, request: CodeRequest, submitted: float) -> RequestState:
        """Where it stands now. submitted: Unix seconds, when it came first."""
        digest, now = request.digest, self.parts.clock()
        decisions = self.parts.store.decisions(digest)
        status, reason = self._status(digest, submitted, decisions)
        turn = self.tables.turn(digest, submitted)
        waits = status == "pending"
        used = self.parts.store.used(digest)
        by_desk = self.tables.used_by(digest)
        return RequestState(
            digest=digest,
            site=self.site,
            title=request.title,
            researcher=request.researcher,
            status=status,
            reason=reason,
            used={entry: n for entry, (n, _) in used.items()},
            granted={entry: granted for entry, (_, granted) in used.items()} if status == "approved" else {},
            submitted=submitted,
            kind=request.kind,
            assigned=self.people.acting_for(turn.assigned) if waits and turn.assigned else "",
            approvals=len(self.approvals(digest)),
            needed=self.needed,
            automatic=by_desk[0] if by_desk else "",
            due=self.turns.patience.due(turn.since) if waits else 0.0,
            waiting=int(max(0.0, now - turn.since) // 86_400) if waits else 0,
            reminder=self.turns.patience.level(turn.since, now) if waits else 0,
        )

    def _status(self, digest: str, submitted: float, decisions: list[Decision]) -> tuple[str, str]:
        if not decisions:
            return self.turns.closed(digest, submitted) or "pending", ""
        last = decisions[-1]
        if last.approved:
            return ("approved" if last.expires > self.parts.clock() else "expired"), ""
        return ("revoked" if any(d.approved for d in decisions[:-1]) else "denied"), last.reason

    def approvals(self, digest: str) -> list[Decision]:
        """The approvals that count now, oldest first: of stewards who still are, and the one that completed them."""
        decisions = self.parts.store.decisions(digest)
        last = [decisions[-1]] if decisions and decisions[-1].approved else []
        if decisions and not last:
            return []
        return [d for d in self.tables.counted(digest) if self.people.is_steward(d.steward)] + last

    def is_enough(self, decision: Decision) -> bool:
        """Whether an approval, with those before it, is all that is needed. Raises AccessRefused for one that adds nobody,
        Refused for one that grants more than a colleague did."""
        before = self.approvals(decision.request)
        for other in before:
            if self.people.one_person(other.steward, decision.steward):
                raise AccessRefused(
                    "the second approval is another person's",
                    expected=f"{self.needed} stewards, none of whom acts for another",
                    got="one who has approved already" if other.steward == decision.steward else "two who act as one",
                    help="ask another steward of this site",
                )
            if decision.rounds > other.rounds:
                raise Refused(
                    "it grants more than the approval before it",
                    expected=f"rounds <= {other.rounds}",
                    got=str(decision.rounds),
                    help="sign for as many rounds, or fewer",
                )
        return len(before) + 1 >= self.needed


def needed_of(rules: Policy) -> int:
    """How many stewards must approve before a request may run, as the site's rules say; 1 if they say nothing."""
    if isinstance(rules, AllOf):
        return max((needed_of(rule) for rule in rules.rules), default=1)
    return int(getattr(rules, "needed", 1))
