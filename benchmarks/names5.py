"""Federated, pooled and local taggers on five real corpora at the same budget: how much is lost by not sharing notes.

    python benchmarks/names5.py --corpus ../shared/corpora/names5 --out results.json

Everything trains with the product's own functions: `fedkit.ner.tasks` as a site runs it, `fedkit.federation.rounds` as a study
runs it, `fedkit.ner.comparison` for the baselines. Only the sites are simpler here: two processes hold their notes, without
domains, signatures and confinement, so that the numbers are those of the recipe alone.

The headline is the recipe with its sequential warm start (`fedkit.ner.recipe.WARM_START`), an explicit choice, since it shows
one site's weights to the next; `averaged_only_f1` is the recipe's default, without it.

Same budget: every model sees each site's training notes equally often (a local model only its own), so the federated model and
the pooled one train on the same number of words, and so do the local models together.
F1 is entity-level and strict (seqeval), micro over labels on a site's test set; the headline is its mean over the sites.
`label_macro` is the mean over labels, then over sites. `--grid` also trains the baselines with each setting of a small grid and
scores them on the development sets, so that `fedkit.ner.recipe.BASELINES` can be judged.
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

from fedkit.federation.parameters import Parameters
from fedkit.federation.rounds import Execution, RoundEvent, RoundPlan, run_rounds
from fedkit.federation.strategies import strategy_for
from fedkit.ner import tasks
from fedkit.ner.comparison import Notes, compare
from fedkit.ner.metrics import Counts, from_numbers, label_macro, micro, site_label_macro, site_macro
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
    """Counts on each test set, the weights, and words, CPU seconds and seconds."""
    began = time.monotonic()
    sites = SiteProcesses(corpus)

    def execute(site: str, entry: str, number: int, weights: Parameters) -> Execution:
        result = sites.call(site, entry, weights, {**settings, "round": number, "site": site})
        return Execution(result["tensors"], result["numbers"])

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
    """Mean F1 on the development sets of pooled and local models for each setting of GRID."""
    judged = replace(corpus, sites={name: replace(site, test=site.dev) for name, site in corpus.sites.items()})
    rows = []
    for values in product(*GRID.values()):
        chosen = dict(zip(GRID, values, strict=True))
        result = compare(judged, settings, folder / "-".join(map(str, values)), baselines={"local": chosen, "pooled": chosen})
        rows.append(
            {**chosen, "pooled_dev_f1": points(site_macro(result.pooled)), "local_dev_f1": points(site_macro(result.local))}
        )
        told(f"grid: {rows[-1]}")
    return rows


def points(value: float) -> float:
    return round(100 * value, 2)


def subset(corpus: Corpus, every: int) -> Corpus:
    """Every so-manieth training note of each site, for quick looks."""

    def part(site: SiteNotes) -> SiteNotes:
        return replace(site, train=site.train[::every])

    return replace(corpus, sites={name: part(site) for name, site in corpus.sites.items()})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="a folder of one folder per site")
    parser.add_argument("--out", type=Path, help="also write the results to this file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sequential", type=int, default=WARM_START, help="rounds of warm start, default: %(default)s")
    parser.add_argument("--every", type=int, default=1, help="train on every so-manieth note only")
    parser.add_argument(
        "--grid", action="store_true", help="try the grid for the baselines as well (takes three times as long)"
    )
    options = parser.parse_args()
    corpus = subset(read_corpus(options.corpus), options.every)
    notes = {name: len(site.train) for name, site in corpus.sites.items()}
    plain = {**tasks.default_settings(corpus.labels, seed=options.seed, notes=notes), "sequential_rounds": 0}
    settings = {**plain, "sequential_rounds": options.sequential}

    def told(message: str) -> None:
        print(message, flush=True)

    began = time.monotonic()
    scores, weights, spent = federated(corpus, settings, told)
    averaged = federated(corpus, plain, told)[0] if options.sequential else scores
    with tempfile.TemporaryDirectory() as folder:
        base = compare(corpus, settings, Path(folder), told)
        tried = grid(corpus, settings, Path(folder), told) if options.grid else []
    by_evaluate = through_evaluate(corpus, settings, weights)
    table = [
        {
            "site": name,
            "notes": len(site.train),
            "local": points(micro(base.local[name]).f1),
            "pooled": points(micro(base.pooled[name]).f1),
            "averaged_only": points(micro(averaged[name]).f1),
            "federated": points(micro(scores[name]).f1),
            "federated_by_seqeval": points(by_evaluate[name]),
            "federated_label_macro": points(label_macro(scores[name])),
        }
        for name, site in corpus.sites.items()
    ]
    kinds: dict[str, Scores] = {"local": base.local, "pooled": base.pooled, "averaged_only": averaged, "federated": scores}
    results = {
        "names5_federated_f1": points(site_macro(scores)),
        "names5_pooled_f1": points(site_macro(base.pooled)),
        "names5_local_f1": points(site_macro(base.local)),
        "names5_worst_site_gap": round(min(row["federated"] - row["local"] for row in table), 2),
        "averaged_only_f1": points(site_macro(averaged)),
        "label_macro": {kind: points(site_label_macro(of)) for kind, of in kinds.items()},
        "table": table,
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
        "seconds": round(time.monotonic() - began, 1),
        "seed": options.seed,
        "settings": settings,
        **({"grid": tried} if tried else {}),
    }
    print(f"{'site':12}{'notes':>8}" + "".join(f"{kind:>15}" for kind in kinds))
    for row in table:
        print(f"{row['site']:12}{row['notes']:8}" + "".join(f"{row[kind]:15.1f}" for kind in kinds))
    print(f"{'mean':20}" + "".join(f"{points(site_macro(of)):15.1f}" for of in kinds.values()))
    if options.out:
        options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
