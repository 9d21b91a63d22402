"""The desk of a site: it decides at once what a steward approved beforehand, with a key of the site's own, and nothing else.

The desk signs in one place, `_decide`, under a standing approval that one of the site's stewards signed and that counts at that
moment. The use of it and the decision are one transaction; PySyft and the journal follow, and what a crash keeps from them is
made good at the next start or submission.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from fedkit.digests import short
from fedkit.environment import environment_digest
from fedkit.errors import AccessRefused, DigestMismatch, FedkitError, LedgerError, NotApproved, RequestError
from fedkit.governance.decision import Decision
from fedkit.governance.request import CodeRequest
from fedkit.governance.review import Finding, MockResult, Nearly
from fedkit.governance.standing import DAY, StandingApproval
from fedkit.ledger import standing as signed
from fedkit.sites.approving.people import People
from fedkit.sites.approving.tables import ApprovalTables, Offered
from fedkit.sites.base import StandingState
from fedkit.sites.parts import SiteParts

#: An automatic decision counts as long as a study's usual one, and never longer than what it rests on.
COUNTS_DAYS = 30


class Desk:
    """The standing approvals of one site."""

    def __init__(self, parts: SiteParts, tables: ApprovalTables, people: People) -> None:
        self.parts, self.tables, self.people = parts, tables, people
        self.site = parts.config.name
        self._one_at_a_time = threading.Lock()

    # -- by a steward
    def offer(self, approval: StandingApproval, user: str, address: str) -> StandingApproval:
        """Let it count from now on. The same again changes nothing. Raises AccessRefused, DigestMismatch, NotApproved."""
        try:
            self._check(approval, address)
        except FedkitError as error:
            self.parts.journal.append("standing.refused", user, standing=approval.digest, reason=error.code)
            raise
        if self.tables.add_standing(approval, user):
            self.parts.journal.append(
                "standing.offered",
                user,
                standing=approval.digest,
                code=approval.code,
                requests=approval.requests,
                expires=approval.expires,
                steward=approval.steward,
                signature=approval.signature,
            )
        return approval

    def _check(self, approval: StandingApproval, address: str) -> None:
        if approval.site != self.site:
            raise DigestMismatch("the standing approval is for another site", expected=self.site, got="another name")
        if not address or approval.steward != address:
            raise AccessRefused("it names another steward", expected=address or "a steward's address", got="another")
        if self._signer(approval) != address:
            raise AccessRefused(
                "the standing approval is not signed by this steward for this ledger",
                expected=f"a signature by {address}",
                got=self._signer(approval),
                help="sign with the steward's own key, for this chain and contract",
            )
        if approval.environment != environment_digest():
            raise DigestMismatch(
                "it is about another environment", expected=short(environment_digest()), got=short(approval.environment)
            )
        if approval.dataset != self.parts.config.dataset:
            raise RequestError("no such data set here", expected=self.parts.config.dataset, got="another name")
        if approval.expires <= self.parts.clock():
            raise NotApproved("the standing approval has expired", expected="an end in the future", got="a time that is past")
        known = self.tables.standing(approval.digest)
        if known is not None and known.withdrawn is not None:
            raise NotApproved(
                "it was withdrawn, for good", expected="a new one", got="the same", help="sign one with new dates"
            )

    def withdraw(self, digest: str, reason: str, user: str) -> StandingState:
        """End it. Raises RequestError for one that is not here or without a reason."""
        offered = self.tables.standing(digest)
        if offered is None:
            raise RequestError("no such standing approval here", expected="a digest of `standings()`", got="another")
        if not reason.strip():
            raise RequestError("a withdrawal needs a reason", expected="a reason for the other stewards", got="none")
        with self._one_at_a_time:  # after this returns, nothing more is decided under it
            if self.tables.withdraw_standing(digest, reason):
                salted = self.parts.journal.salted(reason)
                self.parts.journal.append("standing.withdrawn", user, standing=digest, reason=salted)
        return self._state(self.tables.standing(digest) or offered)

    def states(self) -> list[StandingState]:
        """All of them, newest first."""
        return [self._state(offered) for offered in self.tables.standings()]

    def nearly(self, request: CodeRequest, findings: Sequence[Finding], rehearsals: Sequence[MockResult]) -> list[Nearly]:
        """The standing approvals about this code or with these results that count, and why each does not cover the request."""
        found = []
        for state in self.states():
            approval = state.approval
            if state.status != "counts" or (approval.code != request.code_digest and approval.settings != request.settings):
                continue
            usage = self.tables.usage(approval.digest, request.researcher, self.parts.clock())
            try:
                approval.covers(request, usage, self.parts.clock(), findings=findings, rehearsals=rehearsals)
                why = ""
            except FedkitError as error:
                why = error.message
            found.append(Nearly(approval.digest, approval.title, why))
        return found

    # -- automatic decisions
    def consider(
        self, request: CodeRequest, findings: Sequence[Finding], rehearsals: Sequence[MockResult]
    ) -> tuple[Decision, StandingApproval] | None:
        """Decide on a waiting request if a standing approval covers it, and count it there; None if none does.

        The decision is in the gate's store then; PySyft and journal are for the caller.
        """
        with self._one_at_a_time:
            for offered in self.tables.standings(request.code_digest):
                try:
                    return self._decide(request, offered, findings, rehearsals), offered.approval
                except FedkitError as error:
                    about = {"standing": offered.approval.digest, "request": request.digest, "reason": error.code}
                    if offered.withdrawn is None and not self.parts.journal.has("standing.refused", **about):
                        self.parts.journal.append("standing.refused", self.site, **about)
        return None

    def _decide(
        self, request: CodeRequest, offered: Offered, findings: Sequence[Finding], rehearsals: Sequence[MockResult]
    ) -> Decision:
        """The only place where the desk's key signs."""
        approval, now, desk = offered.approval, self.parts.clock(), self.parts.keys.address(self.parts.desk_name)
        if offered.withdrawn is not None:
            raise NotApproved("the standing approval was withdrawn")
        if self._signer(approval) != approval.steward or not self.people.is_steward(approval.steward):
            raise AccessRefused("who signed the standing approval is no steward of this site now")
        if self.people.one_person(approval.steward, request.researcher):
            raise AccessRefused("nobody approves a request of their own, by a standing approval either")
        with self.parts.store.database.transaction():
            self.tables.use(
                approval.digest,
                request,
                now,
                lambda usage: approval.covers(request, usage, now, findings=findings, rehearsals=rehearsals),
            )
            reason = f"standing approval {approval.digest}"
            decision = Decision(
                request=request.digest,
                site=self.site,
                approved=True,
                rounds=max(entry.executions for entry in request.entries),
                expires=min(approval.expires, int(now) + COUNTS_DAYS * DAY),
                reason=reason,
                reason_digest=self.parts.journal.salted(reason),
                steward=desk,
            )
            decision = self.parts.keys.sign_decision(self.parts.desk_name, decision, self.parts.config.ledger)
            self.parts.store.add_decision(decision, {entry.name: entry.executions for entry in request.entries})
        return decision

    def _signer(self, approval: StandingApproval) -> str:
        try:
            return signed.recover_standing(approval, self.parts.config.ledger)
        except LedgerError:
            return "nobody"

    def _state(self, offered: Offered) -> StandingState:
        approval, now = offered.approval, self.parts.clock()
        usage = self.tables.usage(approval.digest, "", now)
        if offered.withdrawn is not None:
            status = "withdrawn"
        elif not self.people.is_steward(approval.steward):
            status = "unsigned"
        elif now >= approval.expires:
            status = "expired"
        else:
            status = "counts" if usage.requests < approval.requests else "used up"
        return StandingState(approval, status, usage.requests, usage.today, offered.reason)
