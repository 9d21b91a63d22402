"""Running a request at a site: the rules in their order, the charge, the run and its row in the journal."""

from __future__ import annotations

import json
import time
from typing import Any

from fedkit.digests import canonical
from fedkit.environment import environment_digest
from fedkit.errors import DigestMismatch, FedkitError, NotApproved, SiteError
from fedkit.governance.accounts import check_counts
from fedkit.governance.decision import NOTHING, Receipt
from fedkit.governance.kinds import KINDS, check_weights
from fedkit.governance.levels import check_asks
from fedkit.governance.policies import Context, SignedApproval, policies_of, settings_of
from fedkit.governance.request import CodeRequest
from fedkit.governance.review import RequestState
from fedkit.governance.running import ExecutionLog
from fedkit.ledger import typed
from fedkit.ledger.spending import amount_of
from fedkit.sites import syft_code
from fedkit.sites.approving.office import Office, needed_of
from fedkit.sites.clock import SiteClock
from fedkit.sites.computing import Computing
from fedkit.sites.gate_store import ATTEMPTS, used_up
from fedkit.sites.parts import SiteParts
from fedkit.sites.prices import Prices
from fedkit.sites.spending import Spending
from fedkit.sites.summing import Summing
from fedkit.sites.under_way import Key, Refusals, UnderWay, Underway
from fedkit.sites.usage import Usage
from fedkit.sites.warehouse.answering import Answering


class Execution:
    """Runs of one site."""

    def __init__(self, parts: SiteParts) -> None:
        self.parts = parts
        self.site = parts.config.name
        self.approval = SignedApproval(lambda decision: typed.recover_decision(decision, parts.config.ledger))
        self.settings = settings_of(parts.config.policy)
        self.rules = policies_of(
            self.settings, environment=environment_digest(), datasets=[parts.config.dataset], signer=self.approval.signer
        )
        self.clock = SiteClock(parts.journal, parts.clock)
        self.usage = Usage(parts.store.database)
        self.summing = Summing(parts)
        self.answering = Answering(parts, self.summing, self.settings)
        self.spending, self.prices = Spending(parts, self.usage), Prices(parts.notes, self.usage, self.answering)
        self._patients = parts.notes.patients()
        self.office = Office(parts, needed_of(self.rules))
        self.computing = Computing(parts, self.rules, self.approval, self.context, self.summing, self.answering)
        self.under_way = UnderWay(self.site, parts.pool.position)
        self._refusals = Refusals()

    # -- where a request stands
    def state(self, request: CodeRequest, submitted: float) -> RequestState:
        return self.office.state(request, submitted)

    def has_executions_left(self, digest: str) -> None:
        """For the output policy in PySyft. Raises NotApproved or LimitReached."""
        found = self.parts.store.request(digest)
        if found is None:
            raise NotApproved("no request with this digest was submitted here")
        self.approval.admits(self.context(found[0], (digest, found[0].entries[0].name, 1, NOTHING), found[1]))
        if not self.parts.store.anything_left(digest):
            raise used_up(next(iter(self.parts.store.used(digest).values()), (0, 0)))

    # -- rules
    def context(self, request: CodeRequest, key: Key, user: str) -> Context:
        """What the rules are asked about. used: what this call would come on top of."""
        digest, entry, round, _ = key
        decisions = self.parts.store.decisions(digest)
        account = self.parts.access.accounts.counting(user)
        level, address = (account.level, account.address) if account else ("guest", "")
        used = self.parts.store.used(digest).get(entry, (0, 0))[0]
        dataset, now, days = self.parts.config.dataset, self.clock.wall(), self.settings.quota_days
        charged, cost = self.usage.known(key), self.prices.of(request, key, user)  # charged: and so it takes nothing more
        project, question = request.permit.digest, self.answering.asked(request, key)
        return Context(
            request=request,
            digest=digest,
            entry=entry,
            round=round,
            site=self.site,
            researcher=address,
            level=level,
            decision=decisions[-1] if decisions else None,
            revoked=any(d.approved for d in decisions[:-1]),
            used=used - 1 if self.parts.store.attempts(*key) else used,
            now=now,
            approvals=tuple(self.office.approvals(digest)) if self.office.needed > 1 else (),
            recent=() if charged else self.usage.recent(user, dataset, now - days * 86_400),
            patients=self._patients,
            cost=cost.rho,
            spent=self.usage.spent(dataset, user),
            spent_in_all=self.usage.spent(dataset),
            epsilon=cost.epsilon,
            epsilon_spent=self.usage.spent_on_training(dataset, user),
            epsilon_in_all=self.usage.spent_on_training(dataset),
            clock=self.clock.reading(),
            spent_on_project=self.usage.spent(dataset, user, project),
            spent_on_request=self.usage.spent_by(digest),
            epsilon_on_project=self.usage.spent_on_training(dataset, user, project),
            answers=question.contract() if question is not None else None,
            noise=question is not None and question.protection.mode != "rules",
        )

    def admit(self, request: CodeRequest, key: Key, user: str) -> Receipt | None:
        """The rules before a run, those of `fedkit.governance.policies` and two of the site's own. Returns the receipt if this
        very call was finished before. Raises a Refused or RequestError."""
        found = self.parts.store.request(request.digest)
        account = self.parts.access.accounts.card(user)
        if found is None or found[1] != user or account is None:
            raise not_submitted()
        check_counts(account, self.clock.wall())
        check_asks(account.level, request.kind)
        self.rules.admits(self.context(request, key, user))
        check_weights(request.kind, key[3] != NOTHING)
        if (receipt := self.parts.store.receipt(*key)) is not None:
            if not self.parts.store.told(receipt):
                self._finished(receipt, user)
            return receipt
        if self.parts.store.attempts(*key) >= ATTEMPTS:
            raise used_up((ATTEMPTS, ATTEMPTS), what="attempts at this call")
        inputs = key[3]
        if KINDS[request.kind].questions:
            self.answering.check(request, key, user)
        elif inputs != NOTHING and not self.parts.channel.may_read(user, inputs):
            raise DigestMismatch(
                "no weights with this digest are here",
                expected="the digest of weights that were put here",
                got="another digest",
                help="put the weights first",
            )
        return None

    # -- a run on the private notes
    def run(self, text: str, entry: str, round: int, inputs: str) -> str:
        """What PySyft's call of an approved function ends in. Returns canonical JSON of the receipt or `{"refused": …}`."""
        key = (syft_code.digest_of(text), entry, round, inputs)
        with self.under_way.alone(key) as mine:
            try:
                receipt = self._run(text, key, mine)
                self._refusals.take(key)
                return canonical(receipt.to_json()).decode()
            except FedkitError as error:
                refusal = error
            except Exception as error:  # a defect of ours, or PySyft's: its text stays here
                refusal = SiteError(f"{self.site} could not run this", got=type(error).__name__, help="tell the site's admin")
                self._tell("execution.failed", key, refusal, self.site)
            self._refusals.keep(key, refusal)
            return canonical({"refused": refusal.to_json()}).decode()

    def _run(self, text: str, key: Key, mine: Underway) -> Receipt:
        request = CodeRequest.from_json(json.loads(text))
        found = self.parts.store.request(request.digest)
        if request.digest != key[0] or found is None:
            raise self.refused(key, not_submitted(), self.site)
        user = mine.user = found[1]
        try:
            mine.call.check()
            # One transaction: two calls at one moment cannot both be the last that a rate, quota or budget has room for.
            with self.parts.store.database.transaction():
                if (receipt := self.admit(request, key, user)) is not None:
                    return receipt
                self.parts.store.charge(*key)
                cost, whose = self.prices.of(request, key, user), {"user": user, "project": request.permit.digest}
                dataset, now = request.dataset, self.clock.wall()
                self.usage.charge(key, **whose, dataset=dataset, now=now, rho=cost.rho, epsilon=cost.epsilon)
        except FedkitError as error:
            raise self.refused(key, error, user) from None
        digest_, entry, round, inputs = key
        started = time.monotonic()
        self.parts.journal.append(
            "execution.started",
            user,
            request=digest_,
            entry=entry,
            round=round,
            inputs=inputs,
            code=request.code_digest,  # of the text that is about to run, under the environment that is here
            environment=environment_digest(),
        )
        printed: list[str] = []
        try:
            receipt = self.computing.receipt(request, mine, printed.append)
            self.parts.store.finish(receipt)
        except FedkitError as error:
            self._keep_log(mine, error, printed)
            self._tell("execution.failed", key, error, user, killed=mine.killed_by(error) or None)
            raise
        self._keep_log(mine, None, printed)
        self._finished(receipt, user, int((time.monotonic() - started) * 1000))
        if not KINDS[request.kind].questions:  # answers are small, and stay for whoever asks them again
            self._clear_away(digest_, entry, user)
        return receipt

    def _keep_log(self, mine: Underway, error: FedkitError | None, printed: list[str]) -> None:
        """Keep what the code printed, and how it ended, for the site's stewards."""
        (digest, entry, round, _), call = mine.key, mine.call
        outcome = error.code if error else "ok"
        log = ExecutionLog(entry, round, call.since, call.seconds, outcome, mine.killed_by(error), "".join(printed))
        self.parts.logs.add(digest, log)

    def _finished(self, receipt: Receipt, user: str, milliseconds: int | None = None) -> None:
        """Journal a receipt. After a crash between receipt and journal, the next call for the receipt does it."""
        self._tell_answer(receipt, user)
        self.parts.journal.append(
            "execution.finished",
            user,
            request=receipt.request,
            entry=receipt.entry,
            round=receipt.round,
            inputs=receipt.inputs,
            outputs=receipt.outputs,
            numbers=receipt.numbers_digest,
            signature=receipt.signature,
            milliseconds=milliseconds,
        )
        self.parts.store.set_told(receipt)

    def _tell_answer(self, receipt: Receipt, user: str) -> None:
        """Journal what an answer cost, if the receipt is of a question."""
        key = (receipt.request, receipt.entry, receipt.round, receipt.inputs)
        if self.answering.questions.find(receipt.request, receipt.inputs) is None:
            return
        fields = {"request": receipt.request, "entry": receipt.entry, "round": receipt.round, "question": receipt.inputs}
        cost = amount_of(self.usage.cost(key))
        remembered = not cost and self.answering.released.had_before(key)  # of two at one moment, both may have paid
        fields |= {"outputs": receipt.outputs, "cost": cost, "remembered": remembered}
        if not self.parts.journal.has("question.answered", **fields):
            self.parts.journal.append("question.answered", user, **fields)

    def _clear_away(self, digest: str, entry: str, user: str) -> None:
        """Drop the weights of old runs, whose digests stay in the receipts, and the worker of a request that is used up."""
        inputs, outputs = self.parts.store.outdated(digest, entry)
        for name in outputs:
            self.parts.channel.delete(self.site, name)
        for name in inputs:
            self.parts.channel.delete(user, name)
        if not self.parts.store.anything_left(digest):
            self.parts.pool.release(digest)
            self.computing.residuals.forget(digest)

    def was_charged(self, digest: str, outputs: Any) -> bool:
        """Whether `outputs` is a receipt that this site made and charged for this request."""
        try:
            receipt = Receipt.from_json(json.loads(outputs))
            kept = self.parts.store.receipt(receipt.request, receipt.entry, receipt.round, receipt.inputs)
        except (ValueError, TypeError, KeyError):
            return False
        return receipt.request == digest and kept == receipt

    def refused(self, key: Key, error: FedkitError, user: str) -> FedkitError:
        """Journal a refusal to run; returns the error, to be raised."""
        self._tell("execution.refused", key, error, user)
        return error

    def _tell(self, act: str, key: Key, error: FedkitError, user: str, **more: Any) -> None:
        digest, entry, round, _ = key
        entry = entry if entry.isidentifier() and len(entry) <= 64 and entry.isascii() else "unknown"
        self.parts.journal.append(
            act, user, request=digest, entry=entry, round=min(max(0, round), 2**53 - 1), reason=error.code, **more
        )

    def outcome(self, request: CodeRequest, key: Key, user: str) -> Receipt:
        """The receipt of a call, or its refusal raised."""
        if (receipt := self.parts.store.receipt(*key)) is not None:
            return receipt
        if (refusal := self._refusals.take(key)) is not None:
            raise refusal
        # PySyft or the output policy said no before the gate was asked; the rules give that a name.
        try:
            self.admit(request, key, user)
        except FedkitError as error:
            raise self.refused(key, error, user) from None
        raise SiteError(f"{self.site}: PySyft did not run the call", help="submit the request again, then call again")


def not_submitted() -> DigestMismatch:
    return DigestMismatch(
        "this is not code that was submitted here",
        expected="the digest of a request of one's own at this site",
        got="another digest",
        help="submit the request first; a changed request has another digest and needs its own decision",
    )
