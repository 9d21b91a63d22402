"""Running a request at a site: the rules in their order, the confined worker, the output contract, the receipt."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from fedkit.digests import canonical
from fedkit.environment import environment_digest
from fedkit.errors import DigestMismatch, ExecutionFailed, FedkitError, NotApproved, OutputRefused, SiteError
from fedkit.federation.parameters import decode, encode
from fedkit.governance.decision import NOTHING, Receipt, digest_of_numbers
from fedkit.governance.policies import Context, LevelMayRun, SignedApproval, default_policies
from fedkit.governance.request import CodeRequest
from fedkit.governance.review import MockResult, RequestState
from fedkit.governance.running import ExecutionLog
from fedkit.ledger import typed
from fedkit.sites import syft_code
from fedkit.sites.approving.office import Office, needed_of
from fedkit.sites.gate_store import ATTEMPTS, used_up
from fedkit.sites.parts import SiteParts
from fedkit.sites.replies import WorkerResult
from fedkit.sites.under_way import Key, UnderWay, Underway


class Execution:
    """Rehearsals and runs of one site."""

    def __init__(self, parts: SiteParts) -> None:
        self.parts = parts
        self.site = parts.config.name
        self.approval = SignedApproval(lambda decision: typed.recover_decision(decision, parts.config.ledger))
        self.rules = default_policies(
            environment=environment_digest(), datasets=[parts.config.dataset], signer=self.approval.signer
        )
        self.office = Office(parts, needed_of(self.rules))
        self.under_way = UnderWay(self.site, parts.pool.position)
        self._guard = threading.Lock()
        self._refusals: OrderedDict[Key, FedkitError] = OrderedDict()

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
        level, address = self.parts.store.account(user) or ("guest", "")
        used = self.parts.store.used(digest).get(entry, (0, 0))[0]
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
            now=time.time(),
        )

    def admit(self, request: CodeRequest, key: Key, user: str) -> Receipt | None:
        """The rules before a run, those of `fedkit.governance.policies` and two of the site's own. Returns the receipt if this
        very call was finished before. Raises a Refused or RequestError."""
        found = self.parts.store.request(request.digest)
        if found is None or found[1] != user:
            raise not_submitted()
        self.rules.admits(self.context(request, key, user))
        if (receipt := self.parts.store.receipt(*key)) is not None:
            if not self.parts.store.told(receipt):
                self._finished(receipt, user)
            return receipt
        if self.parts.store.attempts(*key) >= ATTEMPTS:
            raise used_up((ATTEMPTS, ATTEMPTS), what="attempts at this call")
        inputs = key[3]
        if inputs != NOTHING and not self.parts.channel.may_read(user, inputs):
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
                self._refusals.pop(key, None)
                return canonical(receipt.to_json()).decode()
            except FedkitError as error:
                refusal = error
            except Exception as error:  # a defect of ours, or PySyft's: its text stays here
                refusal = SiteError(f"{self.site} could not run this", got=type(error).__name__, help="tell the site's admin")
                self._tell("execution.failed", key, refusal, self.site)
            self.remember(key, refusal)
            return canonical({"refused": refusal.to_json()}).decode()

    def _run(self, text: str, key: Key, mine: Underway) -> Receipt:
        request = CodeRequest.from_json(json.loads(text))
        found = self.parts.store.request(request.digest)
        if request.digest != key[0] or found is None:
            raise self.refused(key, not_submitted(), self.site)
        user = mine.user = found[1]
        try:
            mine.call.check()
            if (receipt := self.admit(request, key, user)) is not None:
                return receipt
            self.parts.store.charge(*key)
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
        try:
            receipt = self._compute(request, mine)
            self.parts.store.finish(receipt)
        except FedkitError as error:
            killed = "cancelled" if mine.call.ended else getattr(error, "killed", "")
            self._tell("execution.failed", key, error, user, killed=killed or None)
            raise
        self._finished(receipt, user, int((time.monotonic() - started) * 1000))
        self._clear_away(digest_, entry, user)
        return receipt

    def _compute(self, request: CodeRequest, mine: Underway) -> Receipt:
        """Run the code confined, hold its result against the contract, and sign what may leave."""
        (_, entry, round, inputs), user = mine.key, mine.user
        weights = None if inputs == NOTHING else decode(self.parts.channel.get(user, inputs))
        with self._logged(mine) as printed:
            result = self.parts.pool.run(
                source=request.source,
                entry=entry,
                store=self.parts.notes.path,
                view="private",
                weights=weights,
                settings={**request.settings, "round": round, "site": self.site},
                key=request.digest,
                keep=printed.append,
                turn=mine.call,
            )
            tables = self._released(request, mine, result)
        outputs = NOTHING
        if result.tensors or tables:
            outputs = self.parts.channel.put(self.site, encode(result.tensors, tables))
            self.parts.channel.grant(outputs, user)
        numbers = {name: float(value) for name, value in result.numbers.items()}
        salt = secrets.token_hex(32)
        said = digest_of_numbers(numbers, salt)
        receipt = Receipt(request.digest, self.site, entry, round, inputs, outputs, numbers, said, salt=salt)
        return self.parts.keys.sign_receipt(self.parts.key_name, receipt, self.parts.config.ledger)

    def _released(self, request: CodeRequest, mine: Underway, result: WorkerResult) -> dict[str, list[dict[str, Any]]]:
        """Whether the result may leave; returns its tables as they may. The approval and the account must still count: both
        can be withdrawn while the code runs, and then nothing of it leaves."""
        context = self.context(request, mine.key, mine.user)
        mine.call.check()
        LevelMayRun().admits(context)
        self.approval.admits(context)
        tables = request.entry(mine.key[1]).contract.protect(result.tables)
        self.rules.releases(context, result.tensors, result.numbers)
        return tables

    @contextmanager
    def _logged(self, mine: Underway) -> Iterator[list[str]]:
        """Keep what the code prints, and how it ended, for the site's stewards."""
        _, entry, round, _ = mine.key
        printed: list[str] = []
        began, started, outcome, killed = time.time(), time.monotonic(), SiteError.code, ""
        try:
            yield printed
            outcome = "ok"
        except FedkitError as error:
            outcome, killed = error.code, "cancelled" if mine.call.ended else getattr(error, "killed", "")
            raise
        finally:
            seconds = time.monotonic() - started
            self.parts.logs.add(mine.key[0], ExecutionLog(entry, round, began, seconds, outcome, killed, "".join(printed)))

    def _finished(self, receipt: Receipt, user: str, milliseconds: int | None = None) -> None:
        """Journal a receipt. After a crash between receipt and journal, the next call for the receipt does it."""
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

    def _clear_away(self, digest: str, entry: str, user: str) -> None:
        """Drop the weights of old runs; their digests stay in the receipts."""
        inputs, outputs = self.parts.store.outdated(digest, entry)
        for name in outputs:
            self.parts.channel.delete(self.site, name)
        for name in inputs:
            self.parts.channel.delete(user, name)

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

    def remember(self, key: Key, error: FedkitError) -> None:
        """Keep the refusal of a call for the researcher to ask for: PySyft's own reply carries no reason."""
        with self._guard:
            self._refusals[key] = error
            while len(self._refusals) > 1000:
                self._refusals.popitem(last=False)

    def outcome(self, request: CodeRequest, key: Key, user: str) -> Receipt:
        """The receipt of a call, or its refusal raised."""
        if (receipt := self.parts.store.receipt(*key)) is not None:
            return receipt
        with self._guard:
            refusal = self._refusals.pop(key, None)
        if refusal is not None:
            raise refusal
        # PySyft or the output policy said no before the gate was asked; the rules give that a name.
        try:
            self.admit(request, key, user)
        except FedkitError as error:
            raise self.refused(key, error, user) from None
        raise SiteError(f"{self.site}: PySyft did not run the call", help="submit the request again, then call again")

    # -- a rehearsal on the mock twin
    def rehearse(self, request: CodeRequest, entry: str, weights: Mapping[str, Any] | None) -> MockResult:
        """Run one entry on the mock twin. What the code does wrong is in the result."""
        asked = request.entry(entry)
        started = time.monotonic()
        numbers: dict[str, float] = {}
        tables: dict[str, list[dict[str, Any]]] = {}
        size, error, traceback = 0, None, ""
        try:
            result = self.parts.pool.run(
                source=request.source,
                entry=entry,
                store=self.parts.notes.path,
                view="mock",
                weights=weights,
                settings={**request.settings, "round": 1, "site": self.site},
                key=f"mock-{request.digest}",
            )
            tables = asked.contract.protect(result.tables)
            asked.contract.check(result.tensors, result.numbers, tables)
            numbers = {name: float(value) for name, value in result.numbers.items()}
            size = len(encode(result.tensors, tables)) if result.tensors or tables else 0
        except (ExecutionFailed, OutputRefused) as wrong:
            error, traceback = wrong.message, getattr(wrong, "traceback", "")
        return MockResult(self.site, entry, time.monotonic() - started, size, numbers, error, traceback, tables)


def not_submitted() -> DigestMismatch:
    return DigestMismatch(
        "this is not code that was submitted here",
        expected="the digest of a request of one's own at this site",
        got="another digest",
        help="submit the request first; a changed request has another digest and needs its own decision",
    )
