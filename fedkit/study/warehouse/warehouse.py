"""The virtual data warehouse, as who asks sees it: all sites as if they were one, and no note leaves any of them.

A data request (EHDS, Regulation (EU) 2025/327, article 69) is opened once, with its purpose, its permit, a number of questions
and a privacy budget; stewards approve it once, or it stands approved. Under it any number of plans cost nothing, and each
question is answered by every site that lets it through. Sites that are not there, refuse or are late are named in the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fedkit.errors import AccessRefused, RequestError, SiteError
from fedkit.governance.kinds import QUERY
from fedkit.governance.request import CodeRequest, DataPermit
from fedkit.governance.review import RequestState
from fedkit.ledger.names import steward_role
from fedkit.sites.public import read_catalogue, signed_by
from fedkit.study.study import Study
from fedkit.study.warehouse.asking import Ask
from fedkit.study.warehouse.planning import Plan
from fedkit.study.warehouse.pooling import Pool
from fedkit.study.warehouse.records import Record, Records
from fedkit.study.warehouse.running import Running, at_all, plan
from fedkit.templates.warehouse import VIEWS
from fedkit.warehouse import builder
from fedkit.warehouse.catalogue import Published, drift
from fedkit.warehouse.measures import Measure
from fedkit.warehouse.question import ANSWER, Asked, Question

if TYPE_CHECKING:
    from fedkit.audit.verify import Report
    from fedkit.results.warehouse import WarehouseAnswer
    from fedkit.sites.launch import Federation
    from fedkit.warehouse.statistics import Statistics
    from fedkit.warehouse.statistics.base import Replies

#: How long the sites have for one question, seconds.
DEADLINE = 120.0


class Warehouse:
    """One data request in a federation, and the questions under it.

    federation: from `fedkit.launch`.
    folder:     where everything about the data request is kept; made if missing, taken up where it stopped if not.
    user:       whose account asks: the federation's researcher, or somebody (an analyst, say) whom
        `Federation.add_user(federation.sites, …)` added at all sites.
    deadline:   seconds that the sites have for one question.
    on_event:   called with each `StudyEvent`, from the thread it happens in.
    """

    def __init__(
        self,
        federation: Federation,
        folder: Path | str,
        *,
        user: str = "researcher",
        deadline: float = DEADLINE,
        on_event: Any = None,
    ) -> None:
        self.study = Study(federation, folder, on_event, user=user)
        self.deadline = deadline
        self._records = Records(self.study.run_folder)
        if self.study.code_request is not None and self.study.code_request.kind != QUERY:
            raise RequestError(
                "this folder is a study's",
                expected="a folder of a data request, or a new one",
                got=self.study.code_request.kind,
            )

    def __repr__(self) -> str:
        title = self.study.plan["title"] if self.study.plan else "no data request yet"
        return f"Warehouse({title!r}, {len(self.sites)} sites, {len(self._records.all())} questions)"

    @property
    def sites(self) -> list[str]:
        """Names of the sites, in the federation's order."""
        return self.study.sites

    # -- the data request
    def open(
        self,
        *,
        title: str,
        purpose: str,
        permit: DataPermit | None = None,
        questions: int = 20,
        rho: float = 0.0,
        views: tuple[str, ...] = VIEWS,
        pooled: bool = False,
        dataset: str = "notes",
    ) -> dict[str, RequestState]:
        """Open the data request: make it, rehearse it, submit it to every site; returns where it stands at each. → ledger

        All sites have to be there for it; a question needs no more than one.

        permit:    default: one for this purpose and data set, for 30 days.
        questions: how many may be asked at each site, 1 to 1,000.   rho: what all together may cost there (zCDP, 0 to 10), 0
            for answers without noise.   views: what they may be about.
        pooled:    sums over sites may be asked under masks; every site must approve, and there must be three or more.
        After a crash the same call goes on where it stopped. Raises RequestError for what is not possible, and if this folder
        has another data request already.
        """
        study = self.study
        settings = {"questions": questions, "rho": rho, "views": [view for view in VIEWS if view in views] or list(views)}
        if study.code_request is None:
            study.describe(
                title=title,
                purpose=purpose,
                permit=permit,
                dataset=dataset,
                template="warehouse",
                parameters=settings,
                masked=pooled,
            )
            study.request()
        self._same(title, purpose, settings, pooled)
        if not study.rehearsals():
            study.rehearse()
        return {state.site: state for state in study.submit()}

    def approve(self) -> dict[str, RequestState]:
        """For lessons: review and approve as every steward whose decision is missing, with the keys of this workshop."""
        for site, state in self.status().items():
            if state.status == "pending":
                self.study.review(site)
                self.study.decide(site, approved=True)
        return self.status()

    def status(self) -> dict[str, RequestState]:
        """Site → where the data request stands there, how many questions were granted and used; without sites that are not
        reached."""
        digest = self._request().digest
        return at_all(self.study, self.sites, lambda session: session.state(digest), self.deadline)[0]

    def left(self) -> dict[str, float | None]:
        """Site → what is left of the privacy budget there for this data request (rho); None where there is none. It plans a
        question for it, which costs nothing. Sites that are not reached are left out."""
        view = next(view for view in VIEWS if view in self._request().settings["views"])
        planned = self.plan(Question(view, (Measure("persons"),)))
        return {site: report.left_rho for site, report in planned.reports.items()}

    # -- what there is
    def catalogue(self) -> dict[str, Published]:
        """Site → what its steward has published for everybody: persons, notes, years, languages, concepts, terms.

        Sites that have published nothing, or are not reached, are left out. Raises AccessRefused for a catalogue that no
        steward of its site has signed.
        """
        found: dict[str, Published] = {}
        for site in self.sites:
            with suppress(SiteError):
                published = read_catalogue(self.study.federation.running(site).transport())
                if published is not None:
                    found[site] = self._signed(site, published)
        return found

    def drift(self) -> dict[str, str]:
        """Site → how its views differ from those that this version of fedkit asks about; only sites that do."""
        return drift({site: published.catalogue for site, published in self.catalogue().items()})

    # -- questions
    def count(self, what: str = "patients") -> Ask:
        """Count patients (distinct persons), notes, visits or mentions."""
        return Ask(self, builder.count(what))

    def sum(self, column: str, low: float | None = None, high: float | None = None) -> Ask:
        """The sum of a number column; values are cut to low and high, by default what the column can be."""
        return Ask(self, builder.total(column, low, high))

    def mean(self, column: str, low: float | None = None, high: float | None = None) -> Ask:
        """The mean of a number column; bounds as in `sum`."""
        return Ask(self, builder.mean(column, low, high))

    def variance(self, column: str, low: float | None = None, high: float | None = None) -> Ask:
        """The variance (over n - 1) of a number column; bounds as in `sum`."""
        return Ask(self, builder.variance(column, low, high))

    def sql(self, text: str) -> Ask:
        """A question in SQL: SELECT of counts, sums and means over one view, with WHERE and GROUP BY.

        It is read here and becomes data; no site is ever sent a word of it. Raises RequestError for everything else.
        """
        from fedkit.warehouse import sql

        return Ask(self, sql.parse(text))

    def ask(self, question: Asked) -> Ask:
        """A question that was made elsewhere, a statistic say, to be planned and run."""
        return Ask(self, question)

    def plan(self, question: Asked) -> Plan:
        """What every site says of a question: its price there, what is left, which rule refuses it, what would run. Nothing
        runs, and nothing is charged."""
        self._request()
        return plan(self.study, question, self.deadline)

    def run(self, question: Asked) -> WarehouseAnswer:
        """Ask a question at every site that lets it through, all at the same time, and combine what comes. → ledger

        A question that all of them answered before is answered from the folder: nothing is asked, and nothing charged. Sites
        that gave nothing are named in the answer; asked again, they are asked again, and the others give what they gave.
        Raises what the sites refused it with if none answers, SiteError if too few do to open a pooled sum.
        """
        running = self._running()
        running.settle(self.deadline)
        if (kept := self._whole(question)) is not None:
            return running.answer(kept)
        return running.run(self.plan(question), self.deadline)

    def replies(self, question: Asked) -> Replies:
        """Ask a question and give each site's part in it: what the statistics of `fedkit.warehouse.statistics` ask with.

        model = fit(warehouse.replies, view="patients", …)
        """
        import numpy as np

        from fedkit.warehouse.statistics.base import Replies, SiteAnswer

        answer = self.run(question)
        if answer.total is not None:
            return Replies(missing=answer.missing, pooled=np.array(answer.total, np.int64), pooled_sites=answer.summed)
        parts = {site: SiteAnswer(answer.tables[site], _tensors(answer, site)) for site in answer.tables}
        return Replies(parts, answer.missing)

    @property
    def statistics(self) -> Statistics:
        """Means, quantiles, contingency tables, models and survival over all sites, each of one question or several under this
        data request (docs/statistics.md)."""
        from fedkit.warehouse.statistics import Statistics

        return Statistics(self.replies)

    def answers(self) -> list[WarehouseAnswer]:
        """What was answered so far under this data request, in order; read from the folder."""
        running = self._running()
        return [running.answer(record) for record in self._records.all() if record.receipts]

    # -- the end of it
    def verify(self) -> Report:
        """Bring what is open to its end, export the evidence of all questions, and check it as an outsider would."""
        self._running().settle(self.deadline)
        self.study.gather_decisions()
        return self.study.verify()

    def export_evidence(self, *, answers: bool = False) -> Path:
        """Write `evidence/`: the request, every question with its receipts, the sites' journals; see `Study.export_evidence`.

        answers: also what left the sites, so that figures can be computed again.
        """
        self._running().settle(self.deadline)
        self.study.gather_decisions()
        return self.study.export_evidence(updates=answers)

    def close(self) -> None:
        """Close the sessions; the federation stays up."""
        self.study.close()

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- helpers
    def _request(self) -> CodeRequest:
        if self.study.code_request is None:
            raise RequestError(
                "no data request was opened here",
                expected="open(title=…, purpose=…) first",
                got="a folder without one",
                help="open it, and let the stewards approve it; then plan and run questions",
            )
        return self.study.code_request

    def _signed(self, site: str, published: Published) -> Published:
        """A catalogue whose signer is a steward of that site on the ledger."""
        ledger = self.study.federation.ledger
        signer = signed_by(published, ledger.domain)
        if signer != published.steward or not ledger.has_role(steward_role(site), signer) or published.catalogue.site != site:
            raise AccessRefused(
                f"the catalogue of {site} is signed by nobody who may",
                expected=f"a steward of {site} on the ledger",
                got=signer,
                help="ask the site's steward to publish it again; somebody may stand between",
            )
        return published

    def _running(self) -> Running:
        request = self._request()
        return Running(self.study, self._records, Pool(self.study, request) if request.secure_sum is not None else None)

    def _whole(self, question: Asked) -> Record | None:
        """The record of this question if every site of the federation answered it."""
        found = (record for record in reversed(self._records.all()) if record.question.digest == question.digest)
        return next((record for record in found if set(self.sites) <= set(record.answered)), None)

    def _same(self, title: str, purpose: str, settings: Mapping[str, Any], pooled: bool) -> None:
        request = self._request()
        there = {name: request.settings.get(name) for name in settings}
        if (request.title, request.purpose, there, request.secure_sum is not None) != (title, purpose, dict(settings), pooled):
            raise RequestError(
                "this folder has another data request",
                expected="the data request that was opened here",
                got="another title, purpose, number of questions, budget, views or way of adding up",
                help="take a folder of its own for each data request",
            )


def _tensors(answer: WarehouseAnswer, site: str) -> Mapping[str, Any]:
    return {name: array for name, array in answer.tensors.get(site, {}).items() if name == ANSWER}
