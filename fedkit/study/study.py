"""A study in ten steps, from the question to a release that anybody can verify.

The numbers of `STEPS` are those of docs/architecture.md, of the progress display, of the notebooks and of the report. A
study keeps everything in one folder and can be opened again after a crash: each step looks at what is there and goes on.

    federation = fedkit.launch("workshop")
    study = Study(federation, "runs/first")
    study.describe(title="Implants and reactions in five languages", purpose="Find implants before an MRI")
    study.request(), study.rehearse(), study.submit()
    for site in study.sites:
        study.decide(site, approved=True)
    study.run(), study.release()
    print(study.verify())

A training goes in rounds; every other kind of request is a question that each site answers once. `template=` says which:

    study.describe(title="How many with implants", purpose="Plan the capacity", template="count", parameters={"by": "label"})
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from fedkit.digests import digest_file, short
from fedkit.errors import NotApproved, RequestError, SiteError
from fedkit.governance.decision import Decision
from fedkit.governance.kinds import KINDS
from fedkit.governance.request import CodeRequest, DataPermit
from fedkit.governance.review import MockResult, RequestState, Review
from fedkit.governance.steps import STEPS
from fedkit.study import deciding, requesting
from fedkit.study.evidence import StudyJournal
from fedkit.study.runs import RunFolder, StudyEvent

if TYPE_CHECKING:
    from fedkit.audit.verify import Report
    from fedkit.federation.rounds import RoundEvent, RoundsResult
    from fedkit.governance.running import RunningCall
    from fedkit.results import Result
    from fedkit.sites.base import Site
    from fedkit.sites.launch import Federation

T = TypeVar("T")


class Study:
    """One study in a federation.

    federation: from `fedkit.launch`. The study acts as `user`, and as a steward only in `decide`.
    folder:     where everything about the study is kept; made if missing, taken up where it stopped if not.
    on_event:   called with each `StudyEvent` (from the thread it happens in); the same events stand in `events.jsonl`.
    on_training: called with each event of the rounds, from the sites' threads: what a training monitor shows.
    user:       whose account asks: the federation's researcher, or somebody that `Federation.add_user` added at all sites.
    """

    def __init__(
        self,
        federation: Federation,
        folder: Path | str,
        on_event: Callable[[StudyEvent], None] | None = None,
        on_training: Callable[[RoundEvent], None] | None = None,
        *,
        user: str = "researcher",
    ) -> None:
        self.federation, self.user = federation, user
        self.run_folder = RunFolder(Path(folder))
        self.journal = StudyJournal(self.folder)
        self.on_event, self.on_training = on_event, on_training
        self._sessions: dict[tuple[str, str], Site] = {}
        self._stop = threading.Event()
        self.plan: dict[str, Any] | None = self.run_folder.read("plan")
        stored = self.run_folder.read("request")
        self.code_request: CodeRequest | None = CodeRequest.from_json(stored) if stored else None

    def __repr__(self) -> str:
        title = self.plan["title"] if self.plan else "not described yet"
        return f"Study({title!r}, {len(self.sites)} sites, folder {self.folder.name})"

    @property
    def folder(self) -> Path:
        return self.run_folder.path

    @property
    def sites(self) -> list[str]:
        """Names of the sites, in the federation's order."""
        return list(self.federation.sites)

    @cached_property
    def address(self) -> str:
        """The ledger address of who asks: it stands in the request, and its key sends what the study records."""
        return self.federation.address(self.user)

    # 1
    def describe(
        self,
        *,
        title: str,
        purpose: str,
        permit: DataPermit | None = None,
        dataset: str = "notes",
        template: str = "training",
        parameters: Mapping[str, Any] | None = None,
        rounds: int | None = None,
        sequential_rounds: int | None = None,
        settings: Mapping[str, Any] | None = None,
        masked: bool = False,
        epsilon: float | None = None,
        delta: float = 1e-5,
        unit: str = "note",
    ) -> dict[str, Any]:
        """1 Describe: question, purpose, permit, data, and what is asked of them.

        permit:   default: a permit for this purpose and data set for 30 days.
        template: "count", "table", "training", "evaluation", "analysis" or "warehouse" (`fedkit.templates`).   parameters: what
            it asks for; what is not given has the template's default.
        rounds, sequential_rounds, settings: the same for a training, and only there. A sequential round shows one site's
            weights to the next site, so it stands in the request that every steward signs.
        masked:   add up the sites' weights under masks, so that nobody sees those of one site (secure aggregation; a training
            without sequential rounds at three sites or more, all of which must approve); of a data request, pooled answers.
        epsilon:  train with noise, so that all rounds together cost at most this at every site (differential privacy of each
            training note, with a chance of delta to fail; docs/privacy.md). unit: what is private, "note".
        Raises RequestError for a template or parameters that are not possible.
        """
        noise = None if epsilon is None else (epsilon, delta, unit)
        chosen = {"rounds": rounds, "sequential_rounds": sequential_rounds}
        given = {**(settings or {}), **{k: v for k, v in chosen.items() if v is not None}, **(parameters or {})}
        self.plan = requesting.plan(
            self,
            title=title,
            purpose=purpose,
            permit=permit,
            dataset=dataset,
            name=template,
            parameters=given,
            masked=masked,
            noise=noise,
        )
        self.run_folder.write("plan", self.plan)
        self.journal.describe(len(self.sites))
        return self.plan

    # 2
    def request(self, source: str | None = None) -> CodeRequest:
        """2 Request: the exact source, environment, settings and output contracts under one digest.

        source: one's own code, for an analysis or a training of one's own; the other templates have theirs, and refuse another.
        """
        self.code_request = requesting.request_of(self, self._described(), source)
        self.run_folder.write("request", self.code_request.to_json())
        self.say(2, f"request {short(self.code_request.digest)}")
        return self.code_request

    # 3
    def rehearse(self) -> list[MockResult]:
        """3 Rehearse: every site runs each entry on its mock twin. Raises RequestError with all that failed."""
        return requesting.rehearse(self)

    def rehearsals(self) -> list[MockResult]:
        """What came of the last rehearsal, a row a site and entry: with the whole traceback where the code failed, since a mock
        run holds nothing private. Empty before step 3."""
        return [MockResult(**row) for row in self.run_folder.read("rehearsals") or []]

    # 4
    def submit(self) -> list[RequestState]:
        """4 Submit to each site's domain, with the rehearsals. → ledger"""
        return requesting.submit(self)

    # 5
    def review(self, site: str) -> Review:
        """5 Review: what that site's steward sees before deciding."""
        review = self.session(site, "steward").review(self.requested().digest)
        worst = [f"{f.level}: {f.message}" for f in review.findings if f.level != "note"]
        self.say(5, "; ".join(worst) or f"{len(review.findings)} notes, nothing to warn of", site=site)
        return review

    # 6
    def decide(
        self,
        site: str,
        *,
        approved: bool,
        reason: str = "",
        rounds: int | None = None,
        days: int = 30,
        request: CodeRequest | None = None,
    ) -> RequestState:
        """6 Decide as that site's steward, signed with the steward's own key. → ledger

        rounds:  executions granted per entry (default: what the request asks).   days: how long the approval counts.
        request: another request than the study's own, for a lesson or a test.
        A denial needs a reason.
        """
        return deciding.decide(
            self, site, request or self.requested(), approved=approved, reason=reason, rounds=rounds, days=days
        )

    def deliver(self, decision: Decision) -> RequestState:
        """Bring a signed decision to its site and to the ledger. A second time changes nothing: after a crash, repeat."""
        return deciding.deliver(self, decision)

    def decisions(self) -> list[Decision]:
        """The decisions about the study's request so far."""
        rows = [Decision.from_json(row) for row in self.run_folder.read("decisions") or []]
        return [d for d in rows if d.request == self.requested().digest]

    def gather_decisions(self) -> list[Decision]:
        """Bring to the ledger what stewards decided without this study: at their own desk, or once and for all in a standing
        approval. Returns the decisions that were new; a second time changes nothing."""
        return deciding.gather_decisions(self)

    # 7 and 8
    def run(self, stop: threading.Event | None = None) -> RoundsResult | Result:
        """7 Run and 8 Aggregate, at the sites that approved. → journal, ledger

        A training runs its rounds and then one evaluation, and gives a `RoundsResult`. Every other request runs once at each
        site, at all of them at the same time, and gives its `Result`; sites that refuse, fail or have not decided are named in
        it, and as long as one of them may still answer, `run()` asks it again.
        stop: read between rounds, or before a site's turn. `run()` again goes on where it stopped, as it does after a crash:
            nothing that is done runs a second time.
        """
        self._stop = stop or threading.Event()
        self.gather_decisions()
        if self.requested().kind == "training":
            from fedkit.study.training import train

            return train(self, stop=self._stop)
        self._asks_once()
        from fedkit.study.querying import ask_sites

        return ask_sites(self, self._stop)

    def result(self) -> Result:
        """What came of the run so far, with the sites that are missing: built anew from the receipts in the study's folder.

        Raises RequestError before anything came.
        """
        self._asks_once()
        from fedkit.study.querying import result_of

        return result_of(self)

    def cancel(self) -> int:
        """End the run that goes on in another thread, also what the sites are busy with; returns how many calls that were.

        Whoever waits in `run` gets what came so far, or ExecutionCancelled. `run()` again goes on.
        """
        self._stop.set()
        return sum(self._beside(lambda session: session.cancel(self.requested().digest)).values())

    def progress(self) -> dict[str, list[RunningCall]]:
        """Site → the calls of this request that wait or run there now; to be asked in another thread than that of `run`."""
        return self._beside(lambda session: session.progress(self.requested().digest))

    def _beside(self, ask: Callable[[Site], T]) -> dict[str, T]:
        """Ask every site in a session of its own, since the study's may be busy in another thread. A site that is not reached
        runs nothing for us, or ends it by its own limit, and is left out."""
        found = {}
        for name in self.sites:
            with suppress(SiteError), closing(self.federation.login(name, self.user)) as session:
                found[name] = ask(session)
        return found

    def approved_sites(self) -> list[str]:
        """The sites whose approval counts now. Raises NotApproved if there is none."""
        request = self.requested()
        states = {name: self.session(name, "researcher").state(request.digest) for name in self.sites}
        willing = [name for name, state in states.items() if state.status == "approved"]
        if not willing:
            raise NotApproved(
                "no site has approved this request",
                expected="an approval by at least one steward",
                got=", ".join(f"{name}: {s.status}{f' ({s.reason})' if s.reason else ''}" for name, s in states.items()),
                help="wait for the stewards, or mend what they gave as the reason and submit again",
            )
        return willing

    # 9
    def release(self) -> Path:
        """9 Release: a model folder in Hugging Face layout, or a folder of the result, with card and provenance. → ledger"""
        if self.requested().kind == "training":
            from fedkit.study.model_release import release

            folder, what = release(self), "model"
        else:
            self._asks_once()
            from fedkit.study.result_release import release_result

            folder, what = release_result(self), "result"
        self.say(9, f"{what} folder, {sum(p.stat().st_size for p in folder.iterdir()) / 1e6:.1f} MB")
        return folder

    # 10
    def verify(self) -> Report:
        """10 Verify: anchor the journals, write the evidence bundle, and check it as an outsider would."""
        from fedkit.audit.verify import verify

        bundle = self.export_evidence()
        report = verify(bundle)
        digest = digest_file(bundle / "manifest.json")
        findings = sum(len(check.findings) for check in report.checks)
        self.journal.tell("evidence.verified", bundle=digest, outcome="clean" if report.ok else "findings", findings=findings)
        self.say(10, report.verdict, ok=report.ok, bundle=digest)
        return report

    def export_evidence(self, *, updates: bool = False) -> Path:
        """Anchor what is not anchored yet, let the sites sign the head of the chain, and write `evidence/`: everything an
        outsider needs, and no notes.

        updates: also the weights of the rounds, as far as the sites still have them, so that averages can be computed again.
        """
        from fedkit.study.evidence import collect

        return collect(self, updates=updates)

    def training_event(self, event: RoundEvent) -> None:
        """Hand an event of the rounds to whoever listens."""
        if self.on_training is not None:
            self.on_training(event)

    def close(self) -> None:
        """Close the sessions; the federation stays up."""
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()
        self.journal.close()

    def session(self, site: str, level: str) -> Site:
        """The study's session at a site as "researcher" (who asks), "steward" or "auditor"; opened at the first call."""
        if (site, level) not in self._sessions:
            self._sessions[site, level] = self.federation.login(site, self.user if level == "researcher" else level)
        return self._sessions[site, level]

    def let_go(self, site: str) -> None:
        """Ask a site in a new session from now on: another thread may still wait in this one."""
        self._sessions.pop((site, "researcher"), None)

    def _asks_once(self) -> None:
        """Raises RequestError for a data request: its questions are asked one by one."""
        if KINDS[self.requested().kind].questions:
            raise RequestError(
                "this request is for questions",
                expected="fedkit.Warehouse over this folder",
                got="a study that asks once",
                help="fedkit.Warehouse(federation, folder) plans and runs them; answers() has what came",
            )

    def _described(self) -> dict[str, Any]:
        if self.plan is None:
            raise RequestError("the study is not described yet", expected="step 1, describe(…)", got="step 2 first")
        return self.plan

    def requested(self) -> CodeRequest:
        """The request of step 2. Raises RequestError before it is made."""
        if self.code_request is None:
            raise RequestError("there is no request yet", expected="step 2, request()", got="a later step first")
        return self.code_request

    def say(self, step: int, message: str, *, site: str = "", **data: Any) -> None:
        """Log an event of a step, and hand it to whoever listens."""
        event = StudyEvent(step=step, name=STEPS[step], message=message, site=site, data=data)
        self.run_folder.log(event)
        if self.on_event is not None:
            self.on_event(event)
