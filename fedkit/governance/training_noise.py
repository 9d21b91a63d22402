"""What noise a training declares for an entry: of the plan that its settings hand to the code, the part that has a price.

    TrainingNoise(sigma=1.2, notes_per_step=64, steps_per_round=20, delta=1e-5)

The site charges the budget by this and by its own number of notes (`fedkit.sites.prices`). That the declared plan is the one
that runs is checked wherever a request is made or read: both stand in it. That the code keeps to its settings is the steward's
to see, as fedkit's own does (`fedkit.ner.private_training`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fedkit.errors import RequestError

if TYPE_CHECKING:
    from fedkit.governance.request import Entry

#: Whose part the noise hides: a note's, or that of all notes of a patient.
UNITS = ("note", "patient")

#: Bounds of what an accountant can tell the price of; the greatest delta says how often the promise may fail.
SIGMAS, MOST_STEPS, DELTAS = (0.1, 1000.0), 100_000, (1e-9, 1e-5)


@dataclass(frozen=True)
class TrainingNoise:
    """sigma: standard deviation of the noise, over the norm to which a unit's gradient is cut.

    notes_per_step: units that a step draws in the mean.   steps_per_round: steps of one execution.
    delta: how likely the promise of epsilon may fail, at most 1e-5.   unit: one of `UNITS`.
    Raises RequestError for what is no such noise.
    """

    sigma: float
    notes_per_step: int
    steps_per_round: int
    delta: float = 1e-5
    unit: str = "note"

    def __post_init__(self) -> None:
        numbers = (self.sigma, self.notes_per_step, self.steps_per_round, self.delta)
        if (
            any(isinstance(n, bool) or not isinstance(n, int | float) or not math.isfinite(n) for n in numbers)
            or not all(isinstance(n, int) for n in numbers[1:3])
            or not SIGMAS[0] <= self.sigma <= SIGMAS[1]
            or not 1 <= self.notes_per_step <= 10**9
            or not 1 <= self.steps_per_round <= MOST_STEPS
            or not DELTAS[0] <= self.delta <= DELTAS[1]
            or self.unit not in UNITS
        ):
            raise RequestError(
                "no such noise of a training",
                expected=f"sigma {SIGMAS[0]:g} to {SIGMAS[1]:g}, whole numbers of units a step and of steps (to {MOST_STEPS}), "
                f"delta {DELTAS[0]:g} to {DELTAS[1]:g}, unit {' or '.join(UNITS)}",
            )

    def to_json(self) -> dict[str, Any]:
        return {
            "sigma": float(self.sigma),
            "notes_per_step": self.notes_per_step,
            "steps_per_round": self.steps_per_round,
            "delta": float(self.delta),
            "unit": self.unit,
        }

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> TrainingNoise:
        return TrainingNoise(row["sigma"], row["notes_per_step"], row["steps_per_round"], row["delta"], row["unit"])


def check_noise(kind: str, entries: Iterable[Entry], settings: Mapping[str, Any]) -> None:
    """Raises RequestError unless the noise that entries declare is that of `settings["training"]["privacy"]`, and unless a plan
    that is there is declared by each entry of a training that gives weights."""
    training = settings.get("training")
    plan = training.get("privacy") if isinstance(training, Mapping) else None
    for entry in entries:
        if entry.noise is None:
            if plan and kind == "training" and entry.contract.tensors:
                raise RequestError(
                    f"the settings plan noise that {entry.name} does not declare",
                    expected="noise=TrainingNoise(…) for each entry with weights, or no plan of noise",
                    got="none",
                    help="declare it: a site charges by what is declared",
                )
            continue
        if kind != "training" or not entry.contract.tensors or entry.privacy is not None:
            raise RequestError(
                f"{entry.name} cannot declare the noise of a training",
                expected="an entry of a training that gives weights and has no other privacy cost",
                help="for numbers and tables declare privacy=Privacy(…)",
            )
        declared = entry.noise.to_json()
        # A plan need not say its unit, and what it says of delta changes nothing in a run.
        planned = {"unit": "note", "delta": entry.noise.delta, **plan} if isinstance(plan, Mapping) else {}
        if any(planned.get(name) != value for name, value in declared.items()):
            raise RequestError(
                f"the noise that {entry.name} declares is not the one that would run",
                expected="the plan of settings['training']['privacy']",
                got=f"a difference in {', '.join(n for n, v in declared.items() if planned.get(n) != v)}",
                help="declare what the settings say: it is what the site charges for",
            )
