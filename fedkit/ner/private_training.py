"""One site's local pass with noise: DP-SGD (Abadi et al., "Deep Learning with Differential Privacy", CCS 2016).

Every step draws each note with the same probability, cuts each note's gradient to a norm, and adds Gaussian noise to their sum.
What is private is whether a note was there at all, whatever else is known. With the unit "patient" it is whether a person was
there: all notes of a person are drawn together, and the sum of their gradients is cut (Levy et al., "Learning with User-Level
Privacy", NeurIPS 2021). The drawing and the noise come from the system's random source, never from the settings' seed: whoever
knows the seed would take the noise away again.
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
from fedkit.governance.training_noise import UNITS
from fedkit.ner.models.base import TaggerModel
from fedkit.ner.training import Pass, Proximal, rate_at, training_settings

#: Notes that go through the model at once; the others of a step wait, and are added up.
_AT_ONCE = 256


@dataclass(frozen=True)
class NoisePlan:
    """What a request says of its noise, under `settings["training"]["privacy"]`.

    sigma: standard deviation of the noise, over `clip`.   clip: greatest norm of a note's (or patient's) gradient.
    notes_per_step: how many notes (or patients) a step draws in the mean.   steps_per_round: how many steps a round has.
    unit: "note" or "patient": what is drawn, cut, and private as a whole.
    Raises TrainingError for what is none.
    """

    sigma: float
    clip: float
    notes_per_step: int
    steps_per_round: int
    unit: str = "note"

    def __post_init__(self) -> None:
        numbers = (self.sigma, self.clip, float(self.notes_per_step), float(self.steps_per_round))
        if not all(math.isfinite(number) and number > 0 for number in numbers) or self.unit not in UNITS:
            raise TrainingError(
                "no such noise",
                expected=f"sigma, clip, notes_per_step and steps_per_round above 0, unit {' or '.join(UNITS)}",
                got=", ".join(f"{number:g}" for number in numbers),
            )

    @staticmethod
    def of(settings: Mapping[str, Any]) -> NoisePlan | None:
        """The plan in a request's settings, or None if it trains without noise. Raises TrainingError for a malformed one."""
        row = settings.get("training", {}).get("privacy")
        if not row:
            return None
        try:
            steps, unit = int(row["steps_per_round"]), str(row.get("unit", "note"))
            return NoisePlan(float(row["sigma"]), float(row["clip"]), int(row["notes_per_step"]), steps, unit)
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
            raise TrainingError(
                "the noise of this training is not described",
                expected="sigma, clip, notes_per_step, steps_per_round",
                got=f"{sorted(row) if isinstance(row, Mapping) else type(row).__name__}",
            ) from None

    def probability(self, notes: int) -> float:
        """With which a note (or patient) is drawn for a step, at a site with so many."""
        return min(1.0, self.notes_per_step / max(1, notes))


def private_pass(
    model: TaggerModel, items: Sequence[Any], settings: Mapping[str, Any], patients: Sequence[str | None] | None = None
) -> Pass:
    """Train `model` in place for one round under the settings' plan of noise.

    What it tells is the plan's: the loss, and how many notes were drawn, are no part of the budget.
    settings: as of `fedkit.ner.training.train_pass`.   patients: of each note whose it is, None for a note that is its own
        patient; read where the plan's unit is the patient.
    Raises TrainingError if there are no notes or no plan, or a weight becomes NaN or infinite.
    """
    plan = NoisePlan.of(settings)
    if plan is None or not items:
        raise TrainingError("a private pass needs notes and a plan of noise", expected="both", got="one of them, or none")
    training = training_settings(settings)
    number, rounds, site = int(settings["round"]), int(settings["rounds"]), str(settings["site"])
    random = np.random.Generator(np.random.PCG64DXSM(secrets.randbits(256)))
    torch.manual_seed(secrets.randbits(63))  # dropout, which is drawn anew with the notes
    weights = [p for p in model.module.parameters() if p.requires_grad]
    hold = Proximal(settings, weights)
    optimiser = torch.optim.Adam(weights, lr=training["lr"], fused=True)
    model.module.train()
    units = _units(len(items), patients if plan.unit == "patient" else None)
    q = plan.probability(len(units))
    for step in range(plan.steps_per_round):
        for group in optimiser.param_groups:
            group["lr"] = rate_at((number - 1 + step / plan.steps_per_round) / rounds, training)
        chosen = [[items[i] for i in units[n]] for n in np.flatnonzero(random.random(len(units)) < q)]
        sums = _summed(model, chosen, plan.clip)
        for weight in weights:
            noise = random.standard_normal(tuple(weight.shape), dtype=np.float32) * np.float32(plan.sigma * plan.clip)
            total = torch.from_numpy(noise) if weight not in sums else sums[weight] + torch.from_numpy(noise)
            weight.grad = total / plan.notes_per_step
        hold.add()
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


def _units(notes: int, patients: Sequence[str | None] | None) -> list[list[int]]:
    """The places of the notes that are drawn together: each by itself, or those of a patient."""
    if patients is None:
        return [[place] for place in range(notes)]
    found: dict[Any, list[int]] = {}
    for place, patient in enumerate(patients):
        found.setdefault(("note", place) if patient is None else ("patient", patient), []).append(place)
    return list(found.values())


def _summed(model: TaggerModel, units: Sequence[Sequence[Any]], clip: float) -> dict[torch.nn.Parameter, torch.Tensor]:
    sums: dict[torch.nn.Parameter, torch.Tensor] = {}
    rest = list(units)
    while rest:
        here = [rest.pop()]  # a unit goes through whole, however many notes it has
        while rest and sum(map(len, here)) + len(rest[-1]) <= _AT_ONCE:
            here.append(rest.pop())
        alone = all(len(unit) == 1 for unit in here)
        groups = None if alone else [number for number, unit in enumerate(here) for _ in unit]
        found, _ = model.clipped_gradients([item for unit in here for item in unit], clip, groups)
        for weight, total in found.items():
            sums[weight] = sums[weight] + total if weight in sums else total
    return sums
