"""How much noise a training needs for a promise: from the sites' catalogues, before anything is asked of anybody.

One plan holds for all sites, since it stands in one request: so the smallest site decides, of whose notes a step draws the
largest share. The larger ones pay less than was promised. Noise of its own for each site would make better use of them, and put
a price for each site into what every steward signs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fedkit.errors import RequestError
from fedkit.federation.privacy.accountant import noise_for
from fedkit.federation.privacy.price import price
from fedkit.governance.training_noise import TrainingNoise

#: Of the smallest site's notes, the share that a step draws; and how often a note is drawn in all, if nobody says otherwise.
SHARE, TIMES = 0.1, 20

#: Greatest norm of a note's gradient.
CLIP = 1.0


def with_noise(
    settings: Mapping[str, Any], notes: Mapping[str, int], epsilon: float, delta: float, unit: str
) -> dict[str, Any]:
    """The settings of a training with a plan of noise, by which all rounds together cost at most epsilon at every site.

    notes: site → training notes.   epsilon above 0.   delta: at most 1e-5, and below one over the notes of the largest site.
    unit: "note" only: of patients the catalogues tell nothing. A plan that is in the settings keeps what it says but for sigma.
    Raises RequestError, TrainingError for what no noise can promise.
    """
    sizes = [count for count in notes.values() if count > 0]
    if unit != "note":
        raise RequestError(
            "noise for whole patients cannot be planned from the catalogues",
            expected='unit="note"',
            got=str(unit)[:20],
            help='ask the sites for their numbers of patients and give the plan: settings={"training": {"privacy": {…}}}',
        )
    if not sizes or not delta < 1 / max(sizes):
        raise RequestError(
            "no such promise", expected="notes at a site, and delta below one over their number", got=f"delta {delta:g}"
        )
    training = dict(settings["training"])
    plan = {"notes_per_step": max(1, round(SHARE * min(sizes))), "clip": CLIP, **(training.get("privacy") or {})}
    q = min(1.0, plan["notes_per_step"] / min(sizes))
    if "steps_per_round" not in plan:
        plan["steps_per_round"] = max(1, math.ceil(TIMES / q / settings["rounds"]))
    sigma = noise_for(epsilon, delta, q, settings["rounds"] * plan["steps_per_round"], "prv" if q < 1 else "rdp")
    training["privacy"] = {**plan, "sigma": math.ceil(sigma * 1e4) / 1e4, "delta": delta, "unit": unit}
    return {**settings, "training": training}


def costs(noise: TrainingNoise, rounds: int, notes: Mapping[str, int]) -> dict[str, float]:
    """Site → epsilon of so many rounds there.   notes: site → units (notes, or patients) to train on."""
    steps = rounds * noise.steps_per_round
    return {
        site: price(noise.sigma, min(1.0, noise.notes_per_step / count), steps, noise.delta)
        for site, count in notes.items()
        if count > 0
    }
