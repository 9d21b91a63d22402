"""What federated training is measured against: each site alone, and everybody's notes in one place.

**Only a demo or a benchmark can do this**, because the pooled model needs all notes on one machine, which is what the rest of
fedkit exists to avoid. All models get the same budget, with the recipe's own batch size: a local model as many epochs over its
site's notes as the federated plan, the pooled one as many in all, so that each kind trains on the same number of words.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fedkit.digests import digest
from fedkit.ner import tasks
from fedkit.ner.metrics import Counts, from_numbers, micro
from fedkit.ner.recipe import BASELINES
from fedkit.notes.note import Note

if TYPE_CHECKING:
    from fedkit.notes.corpus import Corpus

POOLED = "pooled"
LOCAL = "local-"


@dataclass
class Notes:
    """A `NoteSet` in memory."""

    train: Sequence[Note] = ()
    dev: Sequence[Note] = ()
    test: Sequence[Note] = ()
    cache: dict[Any, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """local, pooled: site → label → counts on that site's test notes.

    words: words trained on, for "pooled" and for "local-<site>".   seconds: CPU seconds of training and evaluation.
    """

    local: Mapping[str, Mapping[str, Counts]]
    pooled: Mapping[str, Mapping[str, Counts]]
    words: Mapping[str, int]
    seconds: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """`{"local": {site: F1 in 0 … 1}, "pooled": …, "counts": …, "words": …, "seconds": …}`."""

        def plain(sites: Mapping[str, Mapping[str, Counts]]) -> dict[str, dict[str, list[int]]]:
            return {site: {label: [c.tp, c.fp, c.fn] for label, c in counts.items()} for site, counts in sites.items()}

        def f1(sites: Mapping[str, Mapping[str, Counts]]) -> dict[str, float]:
            return {site: micro(counts).f1 for site, counts in sites.items()}

        return {
            "local": f1(self.local),
            "pooled": f1(self.pooled),
            "counts": {"local": plain(self.local), "pooled": plain(self.pooled)},
            "words": dict(self.words),
            "seconds": dict(self.seconds),
        }

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Comparison:
        def counts(sites: Mapping[str, Mapping[str, Sequence[int]]]) -> dict[str, dict[str, Counts]]:
            return {site: {label: Counts(*c) for label, c in labels.items()} for site, labels in sites.items()}

        return Comparison(counts(row["counts"]["local"]), counts(row["counts"]["pooled"]), row["words"], row["seconds"])


def compare(
    corpus: Corpus,
    settings: Mapping[str, Any],
    folder: Path,
    on_event: Callable[[str], None] = lambda message: None,
    *,
    parallel: int = 2,
    baselines: Mapping[str, Mapping[str, Any]] = BASELINES,
) -> Comparison:
    """Train and score the local models and the pooled one.

    settings: those of the federated request.
    folder: keeps each finished model's counts, so that a second call does only what is missing.
    on_event: called with a sentence for each finished model; without note text.
    parallel: worker processes of one thread each; 0 trains here, one model after the other.
    baselines: training settings of "pooled" and "local" that differ from the federated ones.
    A site without training notes has no local model: it scores nothing. Raises TrainingError if no site has training notes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [POOLED, *(LOCAL + name for name, site in corpus.sites.items() if site.train)]
    alone = {job: baseline_settings(settings, job, baselines) for job in jobs}
    runs = {job: digest({"job": job, "corpus": corpus.digest, "settings": alone[job]}) for job in jobs}
    done = {job: row for job in jobs if (row := _stored(folder, job, runs[job])) is not None}
    waiting = [job for job in jobs if job not in done]
    for job, result in _train({job: alone[job] for job in waiting}, corpus, parallel):
        done[job] = row = {"run": runs[job], **result}
        part = folder / f"{job}.json.part"
        part.write_text(json.dumps(row), encoding="utf-8")
        part.replace(folder / f"{job}.json")
        on_event(f"{job}: {row['words']:,} words in {row['seconds']:.0f} CPU seconds")
    labels = settings["labels"]
    empty = dict.fromkeys(labels, Counts())
    return Comparison(
        local={
            name: from_numbers(done[LOCAL + name]["numbers"][name], labels, "test") if LOCAL + name in done else empty
            for name in corpus.sites
        },
        pooled={name: from_numbers(done[POOLED]["numbers"][name], labels, "test") for name in corpus.sites},
        words={job: done[job]["words"] for job in jobs},
        seconds={job: done[job]["seconds"] for job in jobs},
    )


def baseline(train: Sequence[Note], tests: Mapping[str, Sequence[Note]], alone: Mapping[str, Any]) -> dict[str, Any]:
    """One model on `train`, counted on each test set; alone: from `baseline_settings`. Runs in a process of its own.

    Returns `{"numbers": site → counts, "words", "seconds"}`.
    """
    began = time.process_time()
    trained = tasks.train_round(Notes(train=train), tasks.initial_parameters(alone), alone)
    numbers = {}
    for site, notes in tests.items():
        numbers[site] = tasks.evaluate(Notes(test=notes), trained["tensors"], alone)["numbers"]
    return {"numbers": numbers, "words": trained["numbers"]["words"], "seconds": time.process_time() - began}


def baseline_settings(
    settings: Mapping[str, Any], name: str, baselines: Mapping[str, Mapping[str, Any]] = BASELINES
) -> dict[str, Any]:
    """The settings of a baseline: one round as long as all together, so that the optimiser keeps its moments: no handicap."""
    from fedkit.ner.training import epochs_of, training_settings

    kind = POOLED if name == POOLED else "local"
    plan = training_settings(settings)
    epochs = plan["epochs_per_round"] if kind == POOLED else epochs_of(plan, name.removeprefix(LOCAL))
    training = {**plan, **baselines.get(kind, {}), "epochs_per_round": epochs * settings["rounds"], "site_epochs": {}}
    return {**settings, "training": training, "rounds": 1, "round": 1, "site": name}


def _train(jobs: Mapping[str, Mapping[str, Any]], corpus: Corpus, parallel: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """(job, result of `baseline`) as they finish."""

    def notes_of(job: str) -> tuple[list[Note], dict[str, Sequence[Note]]]:
        names = list(corpus.sites) if job == POOLED else [job.removeprefix(LOCAL)]
        train = [note for name in names for note in corpus.sites[name].train]
        return train, {name: corpus.sites[name].test for name in names}

    if not (jobs and parallel):
        for job in jobs:
            yield job, baseline(*notes_of(job), jobs[job])
        return
    with ProcessPoolExecutor(min(parallel, len(jobs)), multiprocessing.get_context("spawn"), _one_thread) as pool:
        running = {pool.submit(baseline, *notes_of(job), jobs[job]): job for job in jobs}
        for future in as_completed(running):
            yield running[future], future.result()


def _stored(folder: Path, job: str, run: str) -> dict[str, Any] | None:
    try:
        row: dict[str, Any] = json.loads((folder / f"{job}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return row if row.get("run") == run else None


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
