"""One site's local pass with noise: DP-SGD (Abadi et al., "Deep Learning with Differential Privacy", CCS 2016), note by note.

Every step draws each note with the same probability, cuts each note's gradient to a norm, and adds Gaussian noise to their sum.
What is private is whether a note was there at all, whatever else is known. The drawing and the noise come from the system's
random source, never from the settings' seed: whoever knows the seed would take the noise away again.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from fedkit.errors import TrainingError
from fedkit.ner.models.base import TaggerModel
from fedkit.ner.training import Pass, rate_at, training_settings

#: Notes that go through the model at once; the others of a step wait, and are added up.
_AT_ONCE = 256


@dataclass(frozen=True)
class NoisePlan:
    """What a request says of its noise, under `settings["training"]["privacy"]`.

    sigma: standard deviation of the noise, over `clip`.   clip: greatest norm of a note's gradient.
    notes_per_step: how many notes a step draws in the mean.   steps_per_round: how many steps a round has.
    Raises TrainingError for what is none.
    """

    sigma: float
    clip: float
    notes_per_step: int
    steps_per_round: int

    def __post_init__(self) -> None:
        numbers = (self.sigma, self.clip, float(self.notes_per_step), float(self.steps_per_round))
        if not all(math.isfinite(number) and number > 0 for number in numbers):
            raise TrainingError(
                "no such noise",
                expected="sigma, clip, notes_per_step and steps_per_round above 0",
                got=", ".join(f"{number:g}" for number in numbers),
            )

    @staticmethod
    def of(settings: Mapping[str, Any]) -> NoisePlan | None:
        """The plan in a request's settings, or None if it trains without noise. Raises TrainingError for a malformed one."""
        row = settings.get("training", {}).get("privacy")
        if not row:
            return None
        try:
            return NoisePlan(float(row["sigma"]), float(row["clip"]), int(row["notes_per_step"]), int(row["steps_per_round"]))
        except (KeyError, TypeError, ValueError, OverflowError):
            raise TrainingError(
                "the noise of this training is not described",
                expected="sigma, clip, notes_per_step, steps_per_round",
                got=f"{sorted(row) if isinstance(row, Mapping) else type(row).__name__}",
            ) from None

    def probability(self, notes: int) -> float:
        """With which a note is drawn for a step, at a site with so many notes."""
        return min(1.0, self.notes_per_step / max(1, notes))


def private_pass(model: TaggerModel, items: Sequence[Any], settings: Mapping[str, Any]) -> Pass:
    """Train `model` in place for one round under the settings' plan of noise.

    What it tells is the plan's: the loss, and how many notes were drawn, are no part of the budget.
    settings: as of `fedkit.ner.training.train_pass`. Raises TrainingError if there are no notes or no plan, or a weight becomes
    NaN or infinite.
    """
    plan = NoisePlan.of(settings)
    if plan is None or not items:
        raise TrainingError("a private pass needs notes and a plan of noise", expected="both", got="one of them, or none")
    training = training_settings(settings)
    number, rounds, site = int(settings["round"]), int(settings["rounds"]), str(settings["site"])
    random = np.random.Generator(np.random.PCG64DXSM(secrets.randbits(256)))
    torch.manual_seed(secrets.randbits(63))  # dropout, which is drawn anew with the notes
    weights = [p for p in model.module.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(weights, lr=training["lr"], fused=True)
    model.module.train()
    q = plan.probability(len(items))
    for step in range(plan.steps_per_round):
        for group in optimiser.param_groups:
            group["lr"] = rate_at((number - 1 + step / plan.steps_per_round) / rounds, training)
        chosen = [items[i] for i in np.flatnonzero(random.random(len(items)) < q)]
        sums = _summed(model, chosen, plan.clip)
        for weight in weights:
            noise = random.standard_normal(tuple(weight.shape), dtype=np.float32) * np.float32(plan.sigma * plan.clip)
            total = torch.from_numpy(noise) if weight not in sums else sums[weight] + torch.from_numpy(noise)
            weight.grad = total / plan.notes_per_step
        optimiser.step()
    model.module.eval()
    for name, tensor in model.module.named_parameters():
        if not bool(torch.isfinite(tensor).all()):
            raise TrainingError(
                f"the weights of site {site} went to NaN or infinity: {name}",
                expected="finite numbers",
                help="lower the learning rate",
            )
    return Pass(0.0, plan.notes_per_step * plan.steps_per_round, 0, plan.steps_per_round)


def _summed(model: TaggerModel, items: Sequence[Any], clip: float) -> dict[torch.nn.Parameter, torch.Tensor]:
    sums: dict[torch.nn.Parameter, torch.Tensor] = {}
    for start in range(0, len(items), _AT_ONCE):
        found, _ = model.clipped_gradients(items[start : start + _AT_ONCE], clip)
        for weight, total in found.items():
            sums[weight] = sums[weight] + total if weight in sums else total
    return sums
