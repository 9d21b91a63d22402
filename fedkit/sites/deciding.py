"""What leads to a decision at a site, and what a decision must be: rehearsal, submission, the steward's signed word."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from fedkit.digests import digest_bytes
from fedkit.environment import environment_digest
from fedkit.errors import AccessRefused, DigestMismatch, FedkitError, LedgerError, NotApproved, Refused, RequestError
from fedkit.federation.parameters import decode
from fedkit.governance.decision import NOTHING, Decision
from fedkit.governance.findings import find
from fedkit.governance.policies import SameEnvironment, ValidPermit
from fedkit.governance.request import CodeRequest
from fedkit.governance.review import Finding, MockResult, RequestState
from fedkit.ledger import typed
from fedkit.sites.execution import Execution, not_submitted
from fedkit.sites.parts import SiteParts


class Deciding:
    """Requests and decisions of one site."""

    def __init__(self, parts: SiteParts, execution: Execution) -> None:
        self.parts, self.execution = parts, execution
        self.site = parts.config.name

    def findings(self, request: CodeRequest) -> list[Finding]:
        return list(find(request.source))

    # -- rehearsal and submission
    def rehearse(self, request: CodeRequest, entry: str, inputs: str | None, user: str) -> MockResult:
        """Rehearse one entry and keep the result for this digest. Code that would be refused is not run at all."""
        request.entry(entry)
        refusal = next((f for f in self.findings(request) if f.level == "refuse"), None)
        if refusal is not None:
            result = MockResult(self.site, entry, 0.0, 0, {}, f"line {refusal.line}: {refusal.message}")
        else:
            weights = decode(self.parts.channel.get(user, inputs)) if inputs else None
            result = self.execution.rehearse(request, entry, weights)
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
        """Keep a request that passes the rules and its rehearsal. The same request again gives its state."""
        found = self.parts.store.request(request.digest)
        if found is None:
            try:
                findings = self._acceptable(request, user, address)
            except FedkitError as error:
                self.parts.journal.append("request.refused", user, request=request.digest, reason=error.code)
                raise
            self.parts.store.add_request(request, user)
            self.parts.journal.append(
                "request.submitted",
                user,
                request=request.digest,
                code=request.code_digest,
                environment=request.environment if is_digest(request.environment) else environment_digest(),
                findings=len(findings),
            )
            found = (request, user, time.time())
        if found[1] != user:
            raise not_submitted()
        return self.execution.state(request, found[2])

    def _acceptable(self, request: CodeRequest, user: str, address: str) -> list[Finding]:
        if request.researcher != address:
            raise AccessRefused(
                "the request names another researcher", expected=address, got="another", help="submit one's own requests"
            )
        first = (request.digest, request.entries[0].name, 1, NOTHING)
        for rule in self.execution.rules.rules:
            if isinstance(rule, SameEnvironment | ValidPermit):  # the others are for who runs
                rule.admits(self.execution.context(request, first, user))
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
        found = self.parts.store.request(decision.request)
        try:
            if found is None:
                raise not_submitted()
            request, submitted = found[0], found[2]
            again = self._check(decision, request, address)
        except FedkitError as error:
            known = decision.request if found else None
            if known or is_digest(decision.request):
                self.parts.journal.append("decision.refused", user, request=decision.request, reason=error.code)
            raise
        granted = {e.name: min(e.executions, decision.rounds) for e in request.entries} if decision.approved else {}
        # Whatever happens between the two records, the stricter one holds: the gate and PySyft must both say yes.
        if not decision.approved and not again:
            self.parts.store.add_decision(decision, granted)
        self.parts.domain.decide(request, approved=decision.approved, reason=decision.reason)
        if decision.approved and not again:
            self.parts.store.add_decision(decision, granted)
        state = self.execution.state(request, submitted)
        if not again:
            self.parts.journal.append(
                "decision.recorded",
                user,
                request=request.digest,
                status=state.status,
                rounds=decision.rounds,
                expires=decision.expires,
                reason=decision.reason_digest,
                steward=decision.steward,
                signature=decision.signature,
            )
        return state

    def _check(self, decision: Decision, request: CodeRequest, address: str) -> bool:
        """The rules of a decision, in their order; True if this very decision is the one that counts already."""
        if decision.site != self.site:
            raise DigestMismatch("the decision is for another site", expected=self.site, got="another name")
        if not address or decision.steward != address:
            raise AccessRefused("the decision names another steward", expected=address or "a steward's address", got="another")
        if decision.steward == request.researcher:
            raise AccessRefused("nobody decides on a request of their own", expected="another person's request")
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
        if decision.approved and (decision.rounds < 1 or decision.expires <= time.time()):
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
            self.parts.journal.append("blob.refused", user, blob=digest if is_digest(digest) else None, reason=DigestMismatch.code)
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


def is_digest(text: object) -> bool:
    return isinstance(text, str) and len(text) == 64 and all(c in "0123456789abcdef" for c in text)
