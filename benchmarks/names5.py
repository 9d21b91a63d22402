"""Federated, pooled and local taggers on five real corpora at the same budget: how much is lost by not sharing notes.

    python benchmarks/names5.py --corpus ../shared/corpora/names5 --out results.json

Everything trains with the product's own functions: `fedkit.ner.tasks` as a site runs it, `fedkit.federation.rounds` as a study
runs it, `fedkit.ner.comparison` for the baselines. Only the sites are simpler here: two processes hold their notes, without
domains, signatures and confinement, so that the numbers are those of the recipe alone.

The headline is the recipe with its sequential warm start (`fedkit.ner.recipe.WARM_START`), an explicit choice, since it shows
one site's weights to the next; `averaged_only_f1` is the recipe's default, without it.

Same budget: a local model sees its site's notes as often as the federated plan does, the pooled model all notes equally often,
and each kind trains on the same number of notes in all.
F1 is entity-level and strict (seqeval), micro over labels on a site's test set; the headline is its mean over the sites.
`label_macro` is the mean over labels, then over sites. Seeds differ by half a point in the mean and by two at a
site, so every figure is a mean over seeds. `--dev` scores on the development sets, `--grid` does so for a small grid of the
baselines' settings: what `fedkit.ner.recipe` holds is to be chosen there.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from fedkit.federation.compression import codec_for, restored, sent
from fedkit.federation.parameters import Parameters, encode
from fedkit.federation.rounds import Execution, RoundEvent, RoundPlan, run_rounds
from fedkit.federation.strategies import strategy_for
from fedkit.ner import tasks
from fedkit.ner.comparison import Notes, compare
from fedkit.ner.metrics import Counts, from_numbers, micro, site_label_macro, site_macro
from fedkit.ner.recipe import WARM_START
from fedkit.notes.corpus import Corpus, SiteNotes, read_corpus

Scores = Mapping[str, Mapping[str, Counts]]
#: What `--grid` tries for the baselines.
GRID = {"lr": (2e-3, 3e-3, 5e-3)}

_here: dict[str, Notes] = {}  # in a worker: the notes of its sites


class SiteProcesses:
    """Two processes that each hold some of the sites, as evenly loaded as their words allow."""

    def __init__(self, corpus: Corpus) -> None:
        words = {name: sum(len(note.text) for note in site.train) for name, site in corpus.sites.items()}
        halves: tuple[list[str], list[str]] = ([], [])
        for name in sorted(words, key=lambda n: -words[n]):
            min(halves, key=lambda half: sum(words[n] for n in half)).append(name)
        context = multiprocessing.get_context("spawn")
        self._pool_of: dict[str, ProcessPoolExecutor] = {}
        for half in filter(None, halves):
            notes = {name: (corpus.sites[name].train, corpus.sites[name].dev, corpus.sites[name].test) for name in half}
            pool = ProcessPoolExecutor(1, context, _hold, (notes,))
            self._pool_of.update(dict.fromkeys(half, pool))
        self.cpu_seconds = 0.0
        self.words = 0

    def call(self, site: str, entry: str, weights: Parameters, settings: dict[str, Any]) -> dict[str, Any]:
        result, seconds = self._pool_of[site].submit(_work, site, entry, dict(weights), settings).result()
        self.cpu_seconds += seconds
        self.words += int(result["numbers"].get("words", 0))
        return result

    def close(self) -> None:
        for pool in set(self._pool_of.values()):
            pool.shutdown()


def _hold(notes: Mapping[str, tuple[Any, Any, Any]]) -> None:
    import torch

    torch.set_num_threads(1)
    _here.update({name: Notes(*splits) for name, splits in notes.items()})


def _work(site: str, entry: str, weights: Parameters, settings: dict[str, Any]) -> tuple[dict[str, Any], float]:
    began = time.process_time()
    result = {"train_round": tasks.train_round, "evaluate": tasks.evaluate}[entry](_here[site], weights, settings)
    return result, time.process_time() - began


def federated(corpus: Corpus, settings: dict[str, Any], told: Any) -> tuple[Scores, Parameters, dict[str, float]]:
    """Counts on each test set, the weights, and words, CPU seconds and seconds; where the settings name a compression, also the
    mean bytes of an update, and of the same one as it would be without."""
    began = time.monotonic()
    sites = SiteProcesses(corpus)

    codec, kept, updates = codec_for(settings), dict[str, Any](), list[tuple[int, int]]()

    def execute(site: str, entry: str, number: int, weights: Parameters) -> Execution:
        result = sites.call(site, entry, weights, {**settings, "round": number, "site": site})
        tensors = result["tensors"]
        if codec is not None and tensors:  # as a site does it, see fedkit.sites.computing
            packed, kept[site] = sent(codec, weights, tensors, kept.get(site))
            updates.append((len(encode(packed)), len(encode(tensors))))
            tensors = restored(codec, weights, packed)
        return Execution(tensors, result["numbers"])

    def event(event: RoundEvent) -> None:
        if event.record:
            told(f"federated: round {event.round} of {settings['rounds']} in {event.seconds:.0f} s")

    try:
        with tempfile.TemporaryDirectory() as folder:
            # Every site at once: each of the two processes takes its own one after the other.
            plan = RoundPlan(settings["rounds"], parallel=len(corpus.sites))
            start = tasks.initial_parameters(settings)
            done = run_rounds(
                plan, start, list(corpus.sites), execute, strategy_for(settings), folder=Path(folder), on_event=event
            )
        scores = {}
        for name in corpus.sites:
            numbers = execute(name, "evaluate", settings["rounds"], done.parameters).numbers
            scores[name] = from_numbers(numbers, settings["labels"], "test")
    finally:
        sites.close()
    spent = {"words": sites.words, "cpu_seconds": sites.cpu_seconds, "seconds": time.monotonic() - began}
    if updates:
        spent["bytes"], spent["bytes_whole"] = (sum(column) / len(updates) for column in zip(*updates, strict=True))
    return scores, done.parameters, spent


def through_evaluate(corpus: Corpus, settings: dict[str, Any], weights: Parameters) -> dict[str, float]:
    """The federated model's F1 at each site by seqeval through `evaluate`: the same numbers by another way."""
    from fedkit.ner.models import build
    from fedkit.ner.seqeval_metric import seqeval_scores

    model = build(settings["model"], settings["labels"])
    model.load_parameters(weights)
    return {
        name: seqeval_scores(site.test, model.predict(site.test), settings["labels"])["overall_f1"]
        for name, site in corpus.sites.items()
    }


def grid(corpus: Corpus, settings: dict[str, Any], folder: Path, told: Any) -> list[dict[str, Any]]:
    """Mean F1 of pooled and local models for each setting of GRID. corpus: as `on_dev` gives it."""
    rows = []
    for values in product(*GRID.values()):
        chosen = dict(zip(GRID, values, strict=True))
        result = compare(corpus, settings, folder / "-".join(map(str, values)), baselines={"local": chosen, "pooled": chosen})
        rows.append(
            {**chosen, "pooled_dev_f1": points(site_macro(result.pooled)), "local_dev_f1": points(site_macro(result.local))}
        )
        told(f"grid: {rows[-1]}")
    return rows


def points(value: float) -> float:
    return round(100 * value, 2)


def on_dev(corpus: Corpus) -> Corpus:
    """The corpus with its development sets in the place of the test sets."""
    return replace(corpus, sites={name: replace(site, test=site.dev) for name, site in corpus.sites.items()})


def subset(corpus: Corpus, every: int) -> Corpus:
    """Every so-manieth training note of each site, for quick looks."""

    def part(site: SiteNotes) -> SiteNotes:
        return replace(site, train=site.train[::every])

    return replace(corpus, sites={name: part(site) for name, site in corpus.sites.items()})


KINDS = ("local", "pooled", "averaged_only", "federated")


def one_seed(corpus: Corpus, plain: dict[str, Any], sequential: int, told: Any) -> dict[str, Any]:
    """All models of one seed: F1 in points per site and kind, the mean over labels, words and CPU seconds."""
    settings = {**plain, "sequential_rounds": sequential}
    scores, weights, spent = federated(corpus, settings, told)
    averaged = federated(corpus, plain, told)[0] if sequential else scores
    with tempfile.TemporaryDirectory() as folder:
        base = compare(corpus, settings, Path(folder), told)
    by_evaluate = through_evaluate(corpus, settings, weights)
    kinds: dict[str, Scores] = dict(zip(KINDS, (base.local, base.pooled, averaged, scores), strict=True))
    return {
        "seed": plain["seed"],
        "sites": {
            name: {
                **{kind: points(micro(of[name]).f1) for kind, of in kinds.items()},
                "federated_by_seqeval": points(by_evaluate[name]),
            }
            for name in corpus.sites
        },
        "mean": {kind: points(site_macro(of)) for kind, of in kinds.items()},
        "label_macro": {kind: points(site_label_macro(of)) for kind, of in kinds.items()},
        "words": {
            "federated": int(spent["words"]),
            "pooled": base.words["pooled"],
            "local": sum(count for name, count in base.words.items() if name != "pooled"),
        },
        "cpu_seconds": {
            "federated": round(spent["cpu_seconds"], 1),
            "pooled": round(base.seconds["pooled"], 1),
            "local": round(sum(s for name, s in base.seconds.items() if name != "pooled"), 1),
        },
    }


def summary(corpus: Corpus, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over the seeds, with the table of sites. The worst gap is that of the means; each seed's own stands beside it."""

    def mean(values: list[float]) -> float:
        return round(sum(values) / len(values), 2)

    table = [
        {"site": name, "notes": len(site.train), **{kind: mean([run["sites"][name][kind] for run in runs]) for kind in KINDS}}
        for name, site in corpus.sites.items()
    ]
    gaps = [min(row["federated"] - row["local"] for row in run["sites"].values()) for run in runs]
    return {
        **{f"names5_{kind}_f1": mean([run["mean"][kind] for run in runs]) for kind in KINDS},
        "names5_worst_site_gap": round(min(row["federated"] - row["local"] for row in table), 2),
        "worst_site_gap_of_seeds": [round(gap, 2) for gap in gaps],
        "table": table,
    }


def show(found: dict[str, Any], runs: list[dict[str, Any]]) -> None:
    """The table of sites, the mean of each kind, and each seed's mean."""
    print(f"{'site':12}{'notes':>8}" + "".join(f"{kind:>15}" for kind in KINDS))
    for row in found["table"]:
        print(f"{row['site']:12}{row['notes']:8}" + "".join(f"{row[kind]:15.1f}" for kind in KINDS))
    print(f"{'mean':20}" + "".join(f"{found[f'names5_{kind}_f1']:15.2f}" for kind in KINDS))
    for run in runs:
        print(f"seed {run['seed']:<15}" + "".join(f"{run['mean'][kind]:15.2f}" for kind in KINDS))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="a folder of one folder per site")
    parser.add_argument("--out", type=Path, help="also write the results to this file")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="one run each, default: 1 2 3")
    parser.add_argument("--sequential", type=int, default=WARM_START, help="rounds of warm start, default: %(default)s")
    parser.add_argument("--every", type=int, default=1, help="train on every so-manieth note only")
    parser.add_argument("--dev", action="store_true", help="score on the development sets: for choosing a recipe")
    parser.add_argument("--grid", action="store_true", help="only try the baselines' grid, on the development sets")
    options = parser.parse_args()
    corpus = subset(read_corpus(options.corpus), options.every)
    if options.dev or options.grid:
        corpus = on_dev(corpus)
    notes = {name: len(site.train) for name, site in corpus.sites.items()}

    def told(message: str) -> None:
        print(message, flush=True)

    def plain(seed: int) -> dict[str, Any]:
        return {**tasks.default_settings(corpus.labels, seed=seed, notes=notes), "sequential_rounds": 0}

    began = time.monotonic()
    if options.grid:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps({"grid": grid(corpus, plain(options.seeds[0]), Path(folder), told)}))
        return 0
    runs = []
    for seed in options.seeds:
        told(f"seed {seed}")
        runs.append(one_seed(corpus, plain(seed), options.sequential, told))
    settings = {**plain(options.seeds[0]), "sequential_rounds": options.sequential}
    found = {**summary(corpus, runs), "runs": runs, "seconds": round(time.monotonic() - began, 1), "settings": settings}
    show(found, runs)
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
