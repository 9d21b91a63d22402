"""One site's local pass: the same weights out for the same weights, notes, settings and seed, bit for bit.

That holds on one kind of processor with `torch.set_num_threads(1)`, which the caller sets. Across processors the sums differ
in their last bits.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from fedkit.errors import TrainingError
from fedkit.ner.models.base import TaggerModel, batches_by_words

#: batch_words: words per step (whole notes; one at least).   lr: highest learning rate of Adam (Kingma & Ba 2015).
#: epochs_per_round: passes over the site's notes in a round; below 1 the rounds take turns over the notes.
#: site_epochs: site → the same, for sites that differ (see `fedkit.ner.recipe.balanced_epochs`).
#: warmup: share of all rounds in which the rate rises.   floor: share of lr that is left at the end.
#: clip: greatest norm of a gradient.   dev_notes: at most so many development notes are scored in a round.
#: privacy: the noise, if there is to be any (see `fedkit.ner.private_training.NoisePlan`).
DEFAULTS: dict[str, Any] = {
    "batch_words": 96,
    "lr": 4e-3,
    "epochs_per_round": 1.0,
    "site_epochs": {},
    "warmup": 0.05,
    "floor": 0.05,
    "clip": 1.0,
    "dev_notes": 200,
    "privacy": None,
}


@dataclass(frozen=True)
class Pass:
    """What a local pass did: mean loss a word, notes and words seen (a note twice counts twice), steps taken."""

    loss: float
    notes: int
    words: int
    steps: int


def train_pass(model: TaggerModel, items: Sequence[Any], settings: Mapping[str, Any]) -> Pass:
    """Train `model` in place on one round's share of encoded notes.

    settings: `{"training": see DEFAULTS, "seed", "round", "rounds", "site"}`; `site` and `seed` choose the order of notes.
    The optimiser begins anew each round: its moments belong to weights that were averaged away.
    Raises TrainingError if there are no notes, or the loss or a weight becomes NaN or infinite.
    """
    training = training_settings(settings)
    site, seed, number, rounds = str(settings["site"]), int(settings["seed"]), int(settings["round"]), int(settings["rounds"])
    chosen = share_of_round(len(items), number, epochs_of(training, site), f"{seed}/{site}")
    if not chosen:
        raise TrainingError(
            f"site {site} has no training notes",
            expected="one note at least",
            got="none",
            help="leave this site out of the study, or give it notes in train.jsonl",
        )
    torch.manual_seed(stable_seed(seed, site, number, "dropout"))
    batches = batches_by_words([items[i] for i in chosen], int(training["batch_words"]))
    weights = [p for p in model.module.parameters() if p.requires_grad]
    hold = Proximal(settings, weights)
    optimiser = torch.optim.Adam(weights, lr=training["lr"], fused=True)
    model.module.train()
    total, words = 0.0, 0
    for step, batch in enumerate(batches):
        rate = rate_at((number - 1 + step / len(batches)) / rounds, training)
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad(set_to_none=True)
        loss = model.loss(batch)
        loss.backward()
        hold.add()
        norm = torch.nn.utils.clip_grad_norm_(weights, training["clip"])
        value = float(loss.detach())
        if not (math.isfinite(value) and bool(torch.isfinite(norm))):
            raise TrainingError(
                f"training at site {site} went to NaN or infinity in round {number}, step {step + 1}",
                expected="a finite loss and gradient",
                got="NaN or infinity",
                help="lower the learning rate",
            )
        optimiser.step()
        count = sum(len(item.words) for item in batch)
        total += value * count
        words += count
    model.module.eval()
    for name, tensor in model.module.named_parameters():
        if not bool(torch.isfinite(tensor).all()):
            raise TrainingError(f"the weights of site {site} went to NaN or infinity: {name}", expected="finite numbers")
    return Pass(total / max(1, words), len(chosen), words, len(batches))


def training_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The `training` part of the settings over DEFAULTS. Raises TrainingError for a name that is no setting or a bad value."""
    given = settings.get("training", {})
    if unknown := set(given) - set(DEFAULTS):
        raise TrainingError("unknown training setting", expected=f"some of {sorted(DEFAULTS)}", got=str(sorted(unknown)))
    chosen = {**DEFAULTS, **given}
    for name in ("batch_words", "lr", "epochs_per_round", "clip"):
        if not chosen[name] > 0:
            raise TrainingError(f"training setting {name} is not possible", expected="a number above 0", got=str(chosen[name]))
    if not isinstance(chosen["site_epochs"], Mapping) or not all(value > 0 for value in chosen["site_epochs"].values()):
        raise TrainingError("training setting site_epochs is not possible", expected="site → a number above 0", got="another")
    return chosen


class Proximal:
    """The gradient of FedProx's mu/2 · ‖w − w₀‖² (`fedkit.federation.strategies.fedprox`); of any other strategy, nothing.

    weights: as they stand before the first step, which is w₀.
    """

    def __init__(self, settings: Mapping[str, Any], weights: Sequence[torch.Tensor]) -> None:
        strategy = settings.get("strategy") or {}
        self.mu = float(strategy.get("mu", 0.01)) if strategy.get("kind") == "fedprox" else 0.0
        self._weights = [(weight, weight.detach().clone()) for weight in weights] if self.mu else []

    def add(self) -> None:
        """Add it to the gradients that are there; it comes of the weights alone, so it may be added after noise."""
        for weight, start in self._weights:
            if weight.grad is not None:
                weight.grad.add_(weight.detach() - start, alpha=self.mu)


def epochs_of(training: Mapping[str, Any], site: str) -> float:
    """Passes over a site's notes in a round. training: whole settings, from `training_settings`."""
    return float(training["site_epochs"].get(site, training["epochs_per_round"]))


def rate_at(progress: float, training: Mapping[str, Any]) -> float:
    """The learning rate after this share (0 … 1) of all rounds: a straight rise over `warmup`, a straight fall to `floor`."""
    lr, warmup, floor = float(training["lr"]), float(training["warmup"]), float(training["floor"])
    if progress < warmup:
        return lr * (0.1 + 0.9 * progress / warmup)
    return lr * (floor + (1 - floor) * (1 - progress) / (1 - warmup))


def share_of_round(count: int, number: int, epochs_per_round: float, name: str) -> list[int]:
    """Which of `count` notes round `number` (1, 2, …) trains on, in order.

    All rounds together walk through one endless sequence of shuffled epochs, so that after E epochs' worth of rounds every note
    was seen E times, however the rounds cut it. A round has one note at least if there are any.
    """
    if not count:
        return []
    first = math.floor((number - 1) * epochs_per_round * count + 1e-9)
    last = max(first + 1, math.floor(number * epochs_per_round * count + 1e-9))
    chosen: list[int] = []
    for epoch in range(first // count, (last - 1) // count + 1):
        order = np.random.Generator(np.random.PCG64(stable_seed(name, epoch))).permutation(count)
        chosen += order[max(0, first - epoch * count) : last - epoch * count].tolist()
    return chosen


def stable_seed(*parts: Any) -> int:
    """A seed of 63 bits from anything that has a stable text."""
    return int.from_bytes(hashlib.sha256("/".join(map(str, parts)).encode()).digest()[:8], "big") >> 1
