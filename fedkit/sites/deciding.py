"""What leads to a decision at a site, and what a decision must be: rehearsal, submission, the steward's signed word."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from fedkit.digests import digest_bytes
from fedkit.environment import environment_digest
from fedkit.errors import (
    AccessRefused,
    DigestMismatch,
    FedkitError,
    LedgerError,
    NotApproved,
    Refused,
    RequestError,
    SiteError,
)
from fedkit.federation.parameters import decode
from fedkit.governance.accounts import check_own_decision
from fedkit.governance.decision import NOTHING, Decision
from fedkit.governance.findings import find
from fedkit.governance.levels import check_asks
from fedkit.governance.request import CodeRequest
from fedkit.governance.review import Finding, MockResult, RequestState
from fedkit.ledger import typed
from fedkit.sites.execution import Execution, not_submitted
from fedkit.sites.parts import SiteParts
from fedkit.sites.rehearsal import key_of, rehearse


class Deciding:
    """Requests and decisions of one site."""

    def __init__(self, parts: SiteParts, execution: Execution) -> None:
        self.parts, self.execution, self.office = parts, execution, execution.office
        self.site = parts.config.name
        self._one_at_a_time = threading.RLock()

    def findings(self, request: CodeRequest) -> list[Finding]:
        return list(find(request.source, request.entries))

    # -- rehearsal and submission
    def rehearse(self, request: CodeRequest, entry: str, inputs: str | None, user: str) -> MockResult:
        """Rehearse one entry and keep the result for this digest. Code that would be refused is not run at all."""
        request.entry(entry)
        refusal = next((f for f in self.findings(request) if f.level == "refuse"), None)
        if refusal is not None:
            result = MockResult(self.site, entry, 0.0, 0, {}, f"line {refusal.line}: {refusal.message}")
        else:
            weights = decode(self.parts.channel.get(user, inputs)) if inputs else None
            result = rehearse(self.parts, request, entry, weights)
        self.parts.store.add_rehearsal(request.digest, result)
        self.parts.journal.append(
            "request.rehearsed",
            user,
            request=request.digest,
            entry=entry,
            outcome="failed" if result.error else "ok",
            milliseconds=int(result.seconds * 1000),
            bytes=result.bytes_out,
        )
        return result

    def submit(self, request: CodeRequest, user: str, address: str) -> RequestState:
        """Keep a request that passes the rules and its rehearsal. The same request again gives its state; one that lapsed or
        was withdrawn waits anew."""
        found = self.parts.store.request(request.digest)
        if found is not None and found[1] != user:
            raise not_submitted()
        if found is None or (
            not self.parts.store.decisions(request.digest) and self.office.turns.closed(request.digest, found[2])
        ):
            try:
                findings = self._acceptable(request, user, address)
            except FedkitError as error:
                self.parts.journal.append("request.refused", user, request=request.digest, reason=error.code)
                raise
            self.parts.store.add_request(request, user)
            self.parts.pool.release(key_of(request))
            self.parts.journal.append(
                "request.submitted",
                user,
                request=request.digest,
                code=request.code_digest,
                environment=request.environment if is_digest(request.environment) else environment_digest(),
                findings=len(findings),
                needed=self.office.needed if self.office.needed > 1 else None,
            )
            self.office.turns.open(request)
            found = self.parts.store.request(request.digest) or found
        return self.execution.state(request, found[2] if found else self.parts.clock())

    def withdraw(self, digest: str, user: str) -> None:
        """Take back one's own request while it waits. Raises DigestMismatch, Refused."""
        with self._one_at_a_time:
            found = self.parts.store.request(digest)
            if found is None or found[1] != user:
                raise not_submitted()
            if self.parts.store.decisions(digest):
                self.parts.journal.append("request.refused", user, request=digest, reason=Refused.code)
                raise Refused(
                    "the request was decided on already",
                    expected="a request that waits",
                    got="a decision",
                    help="an approval that is not used runs out by itself; a steward can withdraw it",
                )
            self.office.turns.withdraw(digest, found[2], user)

    def assign(self, request: CodeRequest, submitted: float, to: str, user: str) -> None:
        """Hand a waiting request to a steward (account) who may decide on it. Raises AccessRefused, Refused."""
        with self._one_at_a_time:
            if self.parts.store.decisions(request.digest):
                raise Refused("the request was decided on already", expected="a request that waits", got="a decision")
            self.office.turns.assign(request, submitted, to, user)

    def _acceptable(self, request: CodeRequest, user: str, address: str) -> list[Finding]:
        if request.researcher != address:
            raise AccessRefused(
                "the request names another researcher", expected=address, got="another", help="submit one's own requests"
            )
        account = self.parts.access.accounts.card(user)
        check_asks(account.level if account else "guest", request.kind)
        first = (request.digest, request.entries[0].name, 1, NOTHING)
        self.execution.rules.submits(self.execution.context(request, first, user))
        self.execution.summing.check(request)
        findings = self.findings(request)
        worst = [f for f in findings if f.level == "refuse"]
        if worst:
            raise Refused(
                f"line {worst[0].line}: {worst[0].message}",
                expected="source without findings of level refuse",
                got=f"{len(worst)} of them",
                help="mend the source and submit again",
            )
        kept = {r.entry: r for r in self.parts.store.rehearsals(request.digest)}
        for entry in request.entries:
            result = kept.get(entry.name) or self.rehearse(request, entry.name, None, user)
            if result.error:
                raise Refused(
                    f"{entry.name} fails on the mock twin: {result.error}",
                    expected="a result that fits the output contract",
                    got="a failure",
                    help="mend the source, rehearse, submit again",
                )
        return findings

    # -- decisions
    def decide(self, row: Mapping[str, Any], user: str, address: str) -> RequestState:
        """Record a signed decision, and approve or deny the PySyft request with it."""
        try:
            decision = Decision.from_json(row)
        except (KeyError, TypeError):
            raise RequestError("not a decision", expected="the fields of a Decision", got="others") from None
        with self._one_at_a_time:
            return self._decide(decision, user, address)

    def _decide(self, decision: Decision, user: str, address: str) -> RequestState:
        found = self.parts.store.request(decision.request)
        try:
            if found is None:
                raise not_submitted()
            request, submitted = found[0], found[2]
            self._tell_automatic(request.digest)
            self._check_own(user, found[1], request)
            again = self._check(decision, request, address)
            if not again and not self.parts.store.decisions(request.digest):
                self.office.turns.check_waits(request.digest, submitted)
            counted = [d.signature for d in self.office.approvals(request.digest)]
            enough = again or not decision.approved or (decision.signature not in counted and self.office.is_enough(decision))
        except FedkitError as error:
            known = decision.request if found else None
            if known or is_digest(decision.request):
                self.parts.journal.append("decision.refused", user, request=decision.request, reason=error.code)
            raise
        if not enough:
            self._count(decision, user)
            return self.execution.state(request, submitted)
        granted = {e.name: min(e.executions, decision.rounds) for e in request.entries} if decision.approved else {}
        # Whatever happens between the two records, the stricter one holds: the gate and PySyft must both say yes.
        if not decision.approved and not again:
            self.parts.store.add_decision(decision, granted)
            self.execution.under_way.withdrawn(request.digest)
        self.parts.domain.decide(request, approved=decision.approved, reason=decision.reason)
        if decision.approved and not again:
            self.parts.store.add_decision(decision, granted)
        state = self.execution.state(request, submitted)
        self._tell(decision, user, "approved" if decision.approved else state.status)
        return state

    def _check_own(self, user: str, asked: str, request: CodeRequest) -> None:
        """Nobody decides on a request of their own, by whichever account, name or ledger address they asked."""
        accounts = self.parts.access.accounts
        steward = accounts.card(user)
        if steward is not None:
            check_own_decision(steward, accounts.card(asked), request.researcher)

    def _count(self, decision: Decision, user: str) -> None:
        """Keep an approval that is not the last one needed."""
        self.office.tables.add_counted(decision)
        fields = {**_told(decision), "needed": self.office.needed, "approvals": len(self.office.approvals(decision.request))}
        if not self.parts.journal.has("decision.counted", **fields):
            self.parts.journal.append("decision.counted", user, **fields)

    def _tell(self, decision: Decision, user: str, status: str, **more: str) -> None:
        """Journal a decision, once: after a crash between the record and its row, the same decision again writes it."""
        fields = {**_told(decision), "status": status, **more}
        if not self.parts.journal.has("decision.recorded", **fields):
            self.parts.journal.append("decision.recorded", user, **fields)

    # -- automatic decisions
    def consider(self, request: CodeRequest) -> None:
        """Decide on a request that waits if a standing approval covers it; where two must approve, two look at each request."""
        with self._one_at_a_time:
            self._finish(request)
            found = self.parts.store.request(request.digest)
            if found is None or self.office.needed > 1 or self.parts.store.decisions(request.digest):
                return
            if self.office.turns.closed(request.digest, found[2]):
                return
            rehearsals = self.parts.store.rehearsals(request.digest)
            if self.office.desk.consider(request, self.findings(request), rehearsals) is not None:
                self._finish(request)

    def finish_all(self) -> None:
        """After a crash: bring automatic decisions to the journal and to PySyft. What PySyft does not take now, the next
        submission brings."""
        for digest in self.office.tables.untold():
            found = self.parts.store.request(digest)
            with self._one_at_a_time, suppress(SiteError, NotApproved):
                if found is not None:
                    self._finish(found[0])

    def _finish(self, request: CodeRequest) -> None:
        used = self.office.tables.used_by(request.digest)
        if used is None or used[1]:
            return
        self._tell_automatic(request.digest)
        last = self.parts.store.decisions(request.digest)[-1]
        if last.approved:
            self.parts.domain.decide(request, approved=True, reason=last.reason)
        self.office.tables.set_told(request.digest)

    def _tell_automatic(self, digest: str) -> None:
        """Journal the desk's decision on a request, if there is one that stands in the store only."""
        used = self.office.tables.used_by(digest)
        if used is not None and not used[1]:
            self._tell(self.parts.store.decisions(digest)[0], self.site, "approved", standing=used[0])

    def _check(self, decision: Decision, request: CodeRequest, address: str) -> bool:
        """The rules of a decision, in their order; True if this very decision is the one that counts already."""
        if decision.site != self.site:
            raise DigestMismatch("the decision is for another site", expected=self.site, got="another name")
        if not address or decision.steward != address:
            raise AccessRefused(
                "the decision names another steward",
                expected=address or "a steward's address",
                got="another",
                help="a key that was lost gets a successor: the site's admin names its address (change_account), the ledger's "
                "admin gives it the role (grant); Federation.replace_key does both",
            )
        try:
            signer = typed.recover_decision(decision, self.parts.config.ledger)
        except LedgerError:
            signer = "nobody"
        if signer != address:
            raise AccessRefused(
                "the decision is not signed by this steward for this ledger",
                expected=f"a signature by {address}",
                got=signer,
                help="sign with the steward's own key, for this chain and contract",
            )
        if decision.reason_digest != self.parts.journal.salted(decision.reason):
            raise DigestMismatch("the reason is not the one that was signed", expected="its digest under this site's salt")
        if not decision.approved and not decision.reason.strip():
            raise RequestError("a denial needs a reason", expected="a reason that helps the researcher", got="none")
        if decision.approved and (decision.rounds < 1 or decision.expires <= self.parts.clock()):
            raise NotApproved("the approval grants nothing", expected="rounds >= 1, and an end in the future")
        before = self.parts.store.decisions(request.digest)
        if before and before[-1].signature == decision.signature:
            return True
        # The contracts hold the same rule: otherwise whoever relays two decisions could choose their order.
        if before and (decision.approved or not before[-1].approved):
            raise Refused(
                "this site has decided on the request already",
                expected="a first decision, or the withdrawal of an approval",
                got="a second approval" if before[-1].approved else "a decision after a denial",
                help="ask the researcher to submit the request anew",
            )
        return False

    # -- weights, beside PySyft
    def put(self, data: bytes, digest: str, user: str) -> str:
        if digest_bytes(data) != digest:
            self.parts.journal.append(
                "blob.refused", user, blob=digest if is_digest(digest) else None, reason=DigestMismatch.code
            )
            raise DigestMismatch("the bytes are not those that were signed for", expected=digest, got="another digest")
        try:
            stored = self.parts.channel.put(user, data)
        except FedkitError as error:
            self.parts.journal.append("blob.refused", user, blob=digest, reason=error.code)
            raise
        self.parts.journal.append("blob.stored", user, blob=stored, bytes=len(data))
        return stored

    def get(self, digest: str, user: str) -> bytes:
        try:
            data = self.parts.channel.get(user, digest)
        except FedkitError as error:
            self.parts.journal.append("blob.refused", user, blob=digest if is_digest(digest) else None, reason=error.code)
            raise
        self.parts.journal.append("blob.read", user, blob=digest)
        return data

    # -- anchors
    def anchor(self, after: int | None = None) -> dict[str, Any] | None:
        """Sign the closed batch that comes after row `after`, if there is one; else close the open one and sign it."""
        lost = [b for b in self.parts.journal.batches() if after is not None and b[0] == after + 1]
        batch = lost[0] if lost else self.parts.journal.close_batch()
        if batch is None:
            return None
        first, last, root = batch
        anchor = {"stream": self.site, "from": first, "to": last, "root": root}
        return self.parts.keys.sign_anchor(self.parts.key_name, anchor, self.parts.config.ledger)


def _told(decision: Decision) -> dict[str, Any]:
    """What the journal says of a decision, beside its status."""
    return {
        "request": decision.request,
        "rounds": decision.rounds,
        "expires": decision.expires,
        "reason": decision.reason_digest,
        "steward": decision.steward,
        "signature": decision.signature,
    }


def is_digest(text: object) -> bool:
    return isinstance(text, str) and len(text) == 64 and all(c in "0123456789abcdef" for c in text)
