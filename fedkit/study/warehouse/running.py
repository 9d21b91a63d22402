"""From a plan to an answer: all sites at the same time, by one deadline; who gives nothing is named and the rest combine.

1. The question gets its number, and is written down. 2. Every willing site is asked. 3. What comes is kept, the bytes before
the receipt. 4. A pooled question's sum is opened. 5. The question goes to the ledger with the receipts, and is closed.

A site that does not say in time what became of its call may have answered, and charged: it is *late*. The answer is given
without it, and before the next question it is asked once more, with the same number: that costs nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from fedkit.errors import AccessRefused, FedkitError, RequestError, SiteError
from fedkit.governance.decision import NOTHING
from fedkit.results.warehouse import WarehouseAnswer
from fedkit.study.deciding import bring
from fedkit.study.warehouse import evidence
from fedkit.study.warehouse.planning import Plan, nobody
from fedkit.study.warehouse.records import Record, Records
from fedkit.templates.warehouse import ENTRY
from fedkit.warehouse.question import Asked

if TYPE_CHECKING:
    from fedkit.sites.base import Site
    from fedkit.study.study import Study
    from fedkit.study.warehouse.pooling import Pool

T = TypeVar("T")

#: Sites that are asked at the same time.
PARALLEL = 16


def plan(study: Study, question: Asked, seconds: float) -> Plan:
    """What every site says of a question. Raises RequestError for one that no site could have: it does not fit the schema."""
    question.check()
    digest = study.requested().digest
    reports, missing = at_all(study, study.sites, lambda session: session.plan(digest, question), seconds)
    return Plan(question, reports, missing)


class Running:
    """The questions of one data request, from their numbers to the ledger."""

    def __init__(self, study: Study, records: Records, pool: Pool | None) -> None:
        self.study, self.records, self.pool = study, records, pool

    def run(self, planned: Plan, seconds: float) -> WarehouseAnswer:
        """Ask a planned question at the sites that are willing. Raises the refusal if none is, or if none answered."""
        question = planned.question
        self._decisions(planned, seconds)
        if not planned.willing:
            raise planned.refusal()
        if question.protection.mode == "pooled":
            self._agree(planned)
        record = Record(self._next(), question, tuple(planned.willing), missing=planned.why_not)
        self.records.write(record)
        return self.finish(record, seconds)

    def finish(self, record: Record, seconds: float, *, last: bool = False) -> WarehouseAnswer:
        """Ask the sites of a question that have not said what became of it, and bring it as far as it goes.

        last: close it, whatever is late. Raises the first site's error if no site answered.
        """
        open_ = [
            site for site in record.asked if site not in record.answered and (site in record.late or site not in record.missing)
        ]
        errors = self._ask(record, open_, seconds)
        record = self._kept(record.number)
        # A call may have ended between the deadline and now.
        errors = {site: error for site, error in errors.items() if site not in record.answered}
        late = tuple(site for site, error in errors.items() if isinstance(error, SiteError))
        still = {site: why for site, why in record.missing.items() if site not in record.answered}
        record = replace(record, missing={**still, **{site: error.message for site, error in errors.items()}}, late=late)
        self.records.write(record)
        if not record.receipts:
            self.records.write(replace(record, closed=last or not late))
            raise nobody(errors or {site: SiteError(why) for site, why in record.missing.items()})
        record = self._opened(record, last)
        self.records.write(record)
        answer = self.answer(record)
        if last or not late:
            recorded = evidence.record(self.study, record, answer, without=last)
            self.records.write(replace(record, recorded=recorded, closed=last or bool(recorded)))
        self.study.say(8, f"question {record.number}: {len(record.answered)} of {len(self.study.sites)} sites answered")
        return answer

    def settle(self, seconds: float) -> None:
        """Bring questions that a crash, or a late site, left open to their end: nothing of them runs twice."""
        for record in self.records.all():
            if not record.closed:
                try:
                    self.finish(record, seconds, last=True)
                except FedkitError as error:
                    if not self._kept(record.number).closed:
                        raise
                    self.study.say(8, f"question {record.number} has no answer: {error.message}")

    def answer(self, record: Record) -> WarehouseAnswer:
        """The answer that was kept. Raises DigestMismatch if a file is not as it was written, RequestError if there is none."""
        answers = self.records.answers(record, self.study.federation.sites)
        if not answers:
            raise RequestError(f"question {record.number} has no answer", expected="one that a site answered", got="none did")
        import numpy as np

        total = None if record.total is None else np.array(record.total, np.int64)
        return WarehouseAnswer.of(self.study.requested(), record.question, answers, record.missing, total, record.summed)

    # -- helpers
    def _agree(self, planned: Plan) -> None:
        """Masks are agreed on once, by all sites of the sum; a question needs as many as can open it."""
        if self.pool is None:
            raise RequestError(
                "this data request adds nothing up under masks",
                expected="one that was opened with pooled=True",
                got="another",
                help="ask with noise at each site, or open another data request",
            )
        if not self.pool.agreed:
            self.study.say(7, "the sites agree on masks")
        self.pool.agree(self.study.approved_sites() if not self.pool.agreed else planned.willing)
        able = [site for site in self.pool.group.sites if site in planned.willing]
        if len(able) < self.pool.fewest:
            raise SiteError(
                f"a pooled answer needs {self.pool.fewest} sites, and {len(able)} would answer",
                expected=f"{self.pool.fewest} of {', '.join(self.pool.group.sites)}",
                got="; ".join(f"{site}: {why}" for site, why in planned.why_not.items()),
                help="ask again when they are back, or ask with noise at each site",
            )

    def _decisions(self, planned: Plan, seconds: float) -> None:
        """Bring decisions to the ledger that were made at a desk or stood beforehand: of sites that say yes and of which none
        is known, and of those that say no, whose approval may have ended."""
        approved = {decision.site for decision in self.study.decisions() if decision.approved}
        unknown = [site for site in planned.reports if site not in approved or site not in planned.willing]
        digest = self.study.requested().digest
        found, _ = at_all(self.study, unknown, lambda session: session.decision(digest), seconds)
        for site, decision in found.items():
            bring(self.study, site, decision)

    def _next(self) -> int:
        """The number of the next question. One that was given is never given again, whatever became of it."""
        return max((record.number for record in self.records.all()), default=0) + 1

    def _kept(self, number: int) -> Record:
        record = self.records.read(number)
        assert record is not None
        return record

    def _ask(self, record: Record, sites: Sequence[str], seconds: float) -> dict[str, FedkitError]:
        """Ask these sites; what they give is kept. Returns what kept the others from giving anything."""
        digest, number, over = self.study.requested().digest, record.number, threading.Event()

        def one(session: Site) -> None:
            receipt = session.execute(digest, ENTRY, number, record.question.digest)
            data = session.get(receipt.outputs) if receipt.outputs != NOTHING else None
            if not over.is_set():  # else somebody else asks again: it comes once more, at no cost
                self.records.take(number, receipt, data)

        for site in sites:
            self.study.say(7, f"is asked question {number}", site=site, event="asked")
        _, errors = at_all(self.study, sites, one, seconds)
        over.set()
        for site, error in errors.items():
            self.study.say(7, f"gave nothing: {error.message}", site=site, event="failed", code=error.code)
        return errors

    def _opened(self, record: Record, last: bool) -> Record:
        """With the sum, of a pooled question that enough sites answered and whose sum was not opened before.

        Raises what keeps it from being opened; last: says it, and leaves the sum out.
        """
        if self.pool is None or record.question.protection.mode != "pooled" or record.total is not None:
            return record
        self.pool.agree(())
        answers = self.records.answers(record, self.study.federation.sites)
        if self.pool.told(record.number) is None and len(set(answers) & set(self.pool.group.sites)) < self.pool.fewest:
            return record
        try:
            total, summed = self.pool.sum_of(record.number, record.question, answers)
        except FedkitError as error:
            if not last:
                raise
            self.study.say(8, f"question {record.number}: the sum was not opened: {error.message}")
            return record
        return replace(record, total=total, summed=summed)


def at_all(
    study: Study, sites: Sequence[str], ask: Callable[[Site], T], seconds: float
) -> tuple[dict[str, T], dict[str, FedkitError]]:
    """Ask sites at the same time: (site → what it gave, site → what kept it from giving anything), in the order of `sites`.

    seconds: after which a site that has not answered counts as one that is not there. Its call may go on; the next one goes
        through another session.
    """
    found: dict[str, T] = {}
    errors: dict[str, FedkitError] = {}

    def one(site: str) -> None:
        try:
            try:
                found[site] = ask(study.session(site, "researcher"))
            except AccessRefused:  # a session that has ended, perhaps: a new login says whether the account has, too
                study.let_go(site)
                found[site] = ask(study.session(site, "researcher"))
        except FedkitError as error:
            errors[site] = error
        except Exception as error:  # a defect of ours: its text stays here, and the other sites go on
            errors[site] = SiteError(f"{site} could not be asked", got=type(error).__name__)
        if isinstance(errors.get(site), SiteError):
            study.let_go(site)

    pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="warehouse")
    calls = {site: pool.submit(one, site) for site in sites}
    wait(calls.values(), timeout=seconds)
    pool.shutdown(wait=False, cancel_futures=True)
    for site, call in calls.items():
        if not call.done() or call.cancelled():
            study.let_go(site)
            errors[site] = SiteError(
                f"{site} did not answer within {seconds:g} s",
                expected="an answer in time",
                got="none yet",
                help="ask again: what it answers in the meantime is given then, at no further cost",
            )
    return _ordered(sites, found, errors), _ordered(sites, errors, {})


def _ordered(sites: Sequence[str], found: Mapping[str, T], without: Mapping[str, object]) -> dict[str, T]:
    return {site: found[site] for site in sites if site in found and site not in without}
