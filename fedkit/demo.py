"""The main job: the ten steps on five sites, with the comparison, the refusals and the forgery, in one call.

Everything it shows comes from documents in the run's folder, so a run that was killed goes on where it stopped.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fedkit.errors import ConfigurationError, FedkitError
from fedkit.notes.corpus import Corpus, read_corpus
from fedkit.study import Study
from fedkit.study.runs import TRAINING, RunFolder, StudyEvent, new_run_id

if TYPE_CHECKING:
    from fedkit.audit.verify import Report

Listener = Callable[[StudyEvent], None]


@dataclass(frozen=True)
class DemoOptions:
    """What the demo shall do.

    notes:     a corpus of one folder per site; None for the samples that come with fedkit.
    out:       folder of all runs.   resume: id of a run in it that was stopped, "last" for the newest; None starts a new one.
    home:      folder of the federation (the sites' own storage); None for the user's data folder.
    chain:     URL of a JSON-RPC node that keeps the ledger; None for the embedded chain.
    isolation: "in-process" (lessons) or "process" (one process per site on loopback).
    rounds: None for the recipe's own.
    sequential_rounds: None for the recipe's warm start. The demo chooses it because whoever runs the demo holds all the notes;
        a study's own default is none. It stands in the request that every steward signs.
    compare:   also train local and pooled models at the same budget.
    """

    notes: Path | None = None
    out: Path = Path("runs")
    resume: str | None = None
    home: Path | None = None
    chain: str | None = None
    isolation: str = "in-process"
    rounds: int | None = None
    sequential_rounds: int | None = None
    seed: int = 1
    compare: bool = True
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DemoOutcome:
    """Where the run is, what it scored, whether the audit is clean and the forgery was found."""

    folder: Path
    metrics: dict[str, Any]
    report: Report
    forgery: dict[str, Any]
    seconds: float

    @property
    def ok(self) -> bool:
        """The audit is clean and the forged copy was found out."""
        return self.report.ok and bool(self.forgery["found_by"])


def run_demo(options: DemoOptions, on_event: Listener = lambda event: None) -> DemoOutcome:
    """Run the whole demo; see `DemoOptions`. Raises a FedkitError that says what to mend; nothing is lost by it."""
    from fedkit.sites.launch import default_corpus, launch

    started = time.monotonic()
    folder = run_folder(options)
    run = RunFolder(folder)
    settings = pinned_options(run, options)
    say = _sayer(run, on_event)
    try:
        corpus = read_corpus(Path(settings["notes"]) if settings["notes"] else default_corpus())
        for warning in corpus.warnings:
            say(0, "Prepare", f"note: {warning}")
        say(0, "Prepare", f"{len(corpus.sites)} sites, labels {', '.join(corpus.labels)}; starting the domains")
        name = "workshop" if settings["notes"] is None else f"demo-{corpus.digest[:8]}"
        name += "-node" if settings["chain"] else ""
        isolation = settings["isolation"]
        with launch(name, options.home, corpus=settings["notes"], isolation=isolation, chain=settings["chain"]) as federation:
            seconds = time.monotonic() - started
            say(0, "Prepare", f"{len(federation.sites)} PySyft domains are up in {seconds:.1f} s", seconds=seconds)
            if federation.notice:
                say(0, "Prepare", federation.notice)
            study = Study(federation, folder, on_event)
            try:
                return _run(study, run, corpus, settings, say, started)
            finally:
                study.close()
    except FedkitError:
        if run.read("plan") is None:  # nothing has begun that could be resumed
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _run(study: Study, run: RunFolder, corpus: Corpus, settings: dict[str, Any], say: Any, started: float) -> DemoOutcome:
    from fedkit import refusals
    from fedkit.federation.curves import learning_curves
    from fedkit.federation.rounds import read_history
    from fedkit.study.training import score

    if study.plan is None:
        study.describe(
            title="Implants and drug reactions in five languages" if settings["notes"] is None else "Names in the given notes",
            purpose="Find implants before an MRI and adverse reactions sooner"
            if settings["notes"] is None
            else "Entities in the notes that were given to the demo",
            rounds=settings["rounds"],
            sequential_rounds=warm_start(settings),
            settings={"seed": settings["seed"], **settings["settings"]},
        )
    if study.code_request is None:
        study.request()
    if run.read("rehearsals") is None:
        study.rehearse()
    decided = {decision.site: decision for decision in study.decisions()}
    if not decided:
        study.submit()
        refusals.before_approval(study)
    for decision in decided.values():
        study.deliver(decision)
    for site in study.sites:
        if site not in decided:
            study.review(site)
            study.decide(site, approved=True)
    study.run()
    refusals.after_the_last_round(study)

    if settings["compare"] and run.read("baselines") is None:
        from fedkit.ner.comparison import compare

        def told(message: str) -> None:
            say(0, "Compare", message)

        baselines = compare(corpus, study.requested().settings, run.path / "baselines", told)
        run.write("baselines", baselines.to_json())
    metrics = score(study, corpus, run.read("baselines"))
    run.write("metrics", metrics)
    study.release()
    report = study.verify()
    run.write("audit", report.to_json())
    forgery = forge_and_check(run, say)
    curves = learning_curves(read_history(study.folder / TRAINING), run.read("evaluation"))
    write_curves(run.path / "curves.png", curves)

    from fedkit.study.report import write_report

    write_report(run, curves=(run.path / "curves.png").read_bytes())
    say(0, "Done", f"report {run.path / 'report.html'}")
    return DemoOutcome(run.path, metrics, report, forgery, time.monotonic() - started)


def warm_start(settings: dict[str, Any]) -> int:
    """How many rounds pass weights from site to site: as chosen, else the recipe's share of the rounds."""
    from fedkit.ner.recipe import RECIPE, WARM_START

    if settings["sequential_rounds"] is not None:
        return int(settings["sequential_rounds"])
    return WARM_START * (settings["rounds"] or RECIPE["rounds"]) // RECIPE["rounds"]


def forge_and_check(run: RunFolder, say: Any) -> dict[str, Any]:
    """Forge one entry in a copy of the evidence and verify the copy: `{"what", "found_by": [check numbers]}`."""
    from fedkit.audit.forge import forge
    from fedkit.audit.verify import verify

    copy = run.path / "evidence-forged"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(run.path / "evidence", copy)
    what = forge(copy, "journal-row")
    found = [check.number for check in verify(copy).checks if not check.passed]
    result = {"what": what, "found_by": found}
    run.write("forgery", result)
    say(10, "Verify", f"a forged copy ({what}): " + (f"found by check {', '.join(map(str, found))}" if found else "NOT FOUND"))
    return result


def run_folder(options: DemoOptions) -> Path:
    """The folder of this run: a new one, or the one to resume. Raises ConfigurationError if there is none to resume."""
    if options.resume is None:
        return options.out / new_run_id()
    runs = sorted(p for p in options.out.glob("*/options.json"))
    if options.resume == "last":
        if runs:
            return runs[-1].parent
    elif (options.out / options.resume / "options.json").exists():
        return options.out / options.resume
    raise ConfigurationError(
        f"no run to resume in {options.out}",
        expected=f"one of {', '.join(p.parent.name for p in runs[-5:])}" if runs else "a run that was started before",
        got=options.resume,
        help="start a new one: fedkit demo",
    )


def pinned_options(run: RunFolder, options: DemoOptions) -> dict[str, Any]:
    """The options of a run are those of its first start: a resumed run ignores others, or it would be another run."""
    stored: dict[str, Any] | None = run.read("options")
    if stored is None:
        stored = {
            "notes": str(options.notes.resolve()) if options.notes else None,
            "isolation": options.isolation,
            "rounds": options.rounds,
            "sequential_rounds": options.sequential_rounds,
            "seed": options.seed,
            "compare": options.compare,
            "chain": options.chain,
            "settings": options.settings,
        }
        run.write("options", stored)
    return {"chain": None, **stored}  # runs of before there was a choice have none


def _sayer(run: RunFolder, on_event: Listener) -> Any:
    def say(step: int, name: str, message: str, **data: Any) -> None:
        event = StudyEvent(step=step, name=name, message=message, data=data)
        run.log(event)
        on_event(event)

    return say


def write_curves(path: Path, figure: Any) -> None:
    """Write a matplotlib figure as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=130)
