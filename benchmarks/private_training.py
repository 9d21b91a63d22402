"""What noise costs in training: time of a step, and F1 at a promised epsilon.

    python benchmarks/private_training.py step
    python benchmarks/private_training.py f1 --corpus ../shared/corpora/names5 --epsilon 8 --rounds 12
    python benchmarks/private_training.py f1 --corpus data_samples --dev --grid          the settings, on development sets

`step`: the same notes, once as one plain step (loss, backward, clipping, Adam) and once as one private step (clipped sum over
notes, noise, Adam), in turn; medians.
`f1`: the federation of `names5.py`, at the same numbers of steps and of notes a step: with the noise that keeps the promise,
and with neither noise nor clipping. F1 is the mean over the sites of micro F1 on their test sets.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from names5 import federated

from fedkit.ner.metrics import site_macro
from fedkit.ner.models import build
from fedkit.ner.recipe import RECIPE
from fedkit.notes.corpus import Corpus, read_corpus
from fedkit.study.private_plan import costs, with_noise
from fedkit.templates import Data, template

#: What `--grid` tries on the development sets: highest rate, greatest norm, share of the smallest site's notes in a step.
GRID = {"lr": (3e-3, 8e-3), "clip": (0.3, 1.0), "share": (0.1, 0.3)}

#: Smaller tables and two layers: fewer weights that get noise (docs/privacy.md says what the noise is for).
SMALL = {**RECIPE["model"], "rows": 512, "ngrams": 1024, "layers": 2, "dropout": 0.0, "masking": 0.0}

#: In the place of no noise and no clipping, so that everything else is the same code.
NO_NOISE = {"sigma": 1e-12, "clip": 1e6}


def step(corpus: Corpus, size: int, times: int) -> dict[str, float]:
    """Medians of seconds for one step on the same `size` notes."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    notes = [note for site in corpus.sites.values() for note in site.train]
    model = build(RECIPE["model"], sorted({span.label for note in notes for span in note.spans}))
    picked = np.random.default_rng(1).choice(len(notes), size * times, replace=len(notes) < size * times)
    items = model.encode([notes[i] for i in picked])
    weights = [p for p in model.module.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(weights, lr=1e-3, fused=True)
    random = np.random.Generator(np.random.PCG64DXSM(1))
    model.module.train()

    def plain(batch: list[Any]) -> None:
        optimiser.zero_grad(set_to_none=True)
        model.loss(batch).backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()

    def private(batch: list[Any]) -> None:
        sums, _ = model.clipped_gradients(batch, 1.0)
        for weight in weights:
            noise = torch.from_numpy(random.standard_normal(tuple(weight.shape), dtype=np.float32))
            weight.grad = (sums[weight] + noise) / size
        optimiser.step()

    taken: dict[str, list[float]] = {"plain": [], "private": []}
    for number in range(times):
        batch = items[number * size : (number + 1) * size]
        for name, act in (("plain", plain), ("private", private)):
            began = time.process_time()
            act(batch)
            taken[name].append(time.process_time() - began)
    return {name: statistics.median(seconds[2:]) for name, seconds in taken.items()}


def planned(corpus: Corpus, epsilon: float, rounds: int, lr: float, clip: float, share: float) -> dict[str, Any]:
    notes = {name: len(site.train) for name, site in corpus.sites.items()}
    labels = {span.label for site in corpus.sites.values() for note in site.train for span in note.spans}
    made = template("training").settings({"rounds": rounds, "model": SMALL}, Data(tuple(sorted(labels)), notes))
    made["strategy"] = {**made["strategy"], "server_rate": 1.0}
    plan = {"clip": clip, "notes_per_step": max(1, round(share * min(notes.values())))}
    made["training"] = {**made["training"], "lr": lr, "site_epochs": {}, "privacy": plan}
    return with_noise(made, notes, epsilon, 1e-5, "note")


def f1(corpus: Corpus, settings: dict[str, Any]) -> float:
    scores, _, _ = federated(corpus, settings, lambda _: None)
    return 100 * site_macro(scores)


def without(settings: dict[str, Any], lr: float) -> dict[str, Any]:
    training = settings["training"]
    return {**settings, "training": {**training, "lr": lr, "privacy": {**training["privacy"], **NO_NOISE}}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("step", "f1"))
    parser.add_argument("--corpus", type=Path, default=Path("data_samples"))
    parser.add_argument("--notes", type=int, help="training notes a site, the first ones")
    parser.add_argument("--epsilon", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--lr", type=float, default=8e-3)
    parser.add_argument("--plain-lr", type=float, default=RECIPE["training"]["lr"], help="rate of the run without noise")
    parser.add_argument("--clip", type=float, default=0.3)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--dev", action="store_true", help="score on the development sets")
    parser.add_argument("--grid", action="store_true", help="with noise only, over GRID; a line for each")
    options = parser.parse_args()
    corpus = read_corpus(options.corpus)
    cut = {
        name: replace(site, train=site.train[: options.notes], test=site.dev if options.dev else site.test)
        for name, site in corpus.sites.items()
    }
    corpus = replace(corpus, sites=cut)
    if options.what == "step":
        print(json.dumps(step(corpus, size=64, times=40)))
        return
    chosen = [(options.lr, options.clip, options.share)]
    for lr, clip, share in product(*GRID.values()) if options.grid else chosen:
        settings = planned(corpus, options.epsilon, options.rounds, lr, clip, share)
        noise = template("training").noise(settings)
        assert noise is not None
        paid = costs(noise, options.rounds, {name: len(site.train) for name, site in corpus.sites.items()})
        found = {"lr": lr, "clip": clip, "share": share, "sigma": noise.sigma, "epsilon": max(paid.values())}
        found |= {"steps": options.rounds * noise.steps_per_round, "private_f1": f1(corpus, settings)}
        if not options.grid:
            found["plain_f1"] = f1(corpus, without(settings, options.plain_lr))
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
