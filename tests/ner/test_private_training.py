"""Training with noise: each note's part is bounded to the last digit, and the noise is not the settings' to know."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from ner.conftest import LABELS, make_notes

from fedkit.errors import TrainingError
from fedkit.ner import tasks
from fedkit.ner.comparison import Notes
from fedkit.ner.models import build
from fedkit.ner.models.base import TaggerModel
from fedkit.ner.private_training import NoisePlan, private_pass
from fedkit.notes.note import Note

SMALL = {"kind": "hash-cnn", "d": 16, "rows": 64, "ngrams": 128, "layers": 2, "dropout": 0.0}
PRIVACY = {"sigma": 1.0, "clip": 1.0, "notes_per_step": 8, "steps_per_round": 3}


def model_of(**more: Any) -> TaggerModel:
    torch.manual_seed(3)
    return build({**SMALL, **more}, LABELS)


def settings(**privacy: Any) -> dict[str, Any]:
    return {"seed": 1, "site": "no", "round": 1, "rounds": 2, "training": {"lr": 1e-3, "privacy": {**PRIVACY, **privacy}}}


# -- clipping
@pytest.mark.parametrize("clip", [1e-3, 0.5, 1e3])
def test_the_quick_sum_is_that_of_the_notes_one_by_one(clip: float) -> None:
    model = model_of()
    notes = [*make_notes(12), Note("empty", "", "nb"), Note("short", "Oslo", "nb"), *make_notes(3, seed=7)]
    items = model.encode(notes)
    quick, norms = model.clipped_gradients(items, clip)
    slow, expected = TaggerModel.clipped_gradients(model, items, clip)
    assert torch.allclose(norms, expected, rtol=1e-4, atol=1e-5)
    assert set(quick) == set(slow) == set(model.module.parameters())
    for weight, total in slow.items():
        assert torch.allclose(quick[weight], total, rtol=1e-3, atol=1e-5 * max(1.0, clip))


def test_no_note_moves_the_sum_by_more_than_the_clipping_norm() -> None:
    """What the noise is measured against: with and without a note, over all parameters together."""
    model = model_of()
    items = model.encode(make_notes(10))
    whole, _ = model.clipped_gradients(items, 0.25)
    for left_out in range(len(items)):
        rest, _ = model.clipped_gradients([*items[:left_out], *items[left_out + 1 :]], 0.25)
        moved = torch.stack([(whole[p] - rest[p]).norm() for p in whole]).norm()
        assert float(moved) <= 0.25 * (1 + 1e-4)


def test_a_note_does_not_depend_on_its_neighbours() -> None:
    model = model_of()
    items = model.encode(make_notes(6))
    _, together = model.clipped_gradients(items, 1.0)
    alone = torch.cat([model.clipped_gradients([item], 1.0)[1] for item in items])
    assert torch.allclose(together, alone, rtol=1e-4)


# -- patients
@pytest.mark.parametrize("clip", [1e-3, 0.5, 1e3])
def test_the_quick_sum_of_patients_is_that_of_their_notes_one_by_one(clip: float) -> None:
    model = model_of()
    items = model.encode([*make_notes(9), Note("empty", "", "nb"), *make_notes(4, seed=7)])
    groups = [0, 1, 0, 2, 3, 2, 1, 0, 4, 5, 3, 0, 6, 1]
    quick, norms = model.clipped_gradients(items, clip, groups)
    slow, expected = TaggerModel.clipped_gradients(model, items, clip, groups)
    assert norms.shape == (7,)
    assert torch.allclose(norms, expected, rtol=1e-4, atol=1e-5)
    for weight, total in slow.items():
        assert torch.allclose(quick[weight], total, rtol=1e-3, atol=1e-5 * max(1.0, clip))


def test_no_patient_moves_the_sum_by_more_than_the_clipping_norm_however_many_notes_there_are() -> None:
    model = model_of()
    items = model.encode(make_notes(12))
    groups = [0] * 8 + [1, 2, 3, 3]
    whole, _ = model.clipped_gradients(items, 0.25, groups)
    rest, _ = model.clipped_gradients(items[8:], 0.25, [0, 1, 2, 2])
    by_note, _ = model.clipped_gradients(items, 0.25)
    others, _ = model.clipped_gradients(items[8:], 0.25)
    moved = torch.stack([(whole[p] - rest[p]).norm() for p in whole]).norm()
    unbounded = torch.stack([(by_note[p] - others[p]).norm() for p in whole]).norm()
    assert float(moved) <= 0.25 * (1 + 1e-4)
    assert float(unbounded) > 0.25 * 1.5, "cut by note, a patient with eight notes counts several times: the test can fail"


def test_all_notes_of_a_patient_are_drawn_together_and_cut_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patients of three notes each and notes of nobody, by a plan that draws a part of the units."""
    model = model_of()
    notes = make_notes(40)
    items = model.encode(notes)
    patients = [f"p{i % 10}" if i < 30 else None for i in range(40)]
    place = {id(item): i for i, item in enumerate(items)}
    seen: list[list[list[int]]] = []
    quick = type(model).clipped_gradients

    def watch(self: Any, given: Any, clip: float, groups: Any = None) -> Any:
        numbers = range(len(given)) if groups is None else groups
        units: dict[int, list[int]] = {}
        for item, group in zip(given, numbers, strict=True):
            units.setdefault(group, []).append(place[id(item)])
        seen.append(list(units.values()))
        return quick(self, given, clip, groups)

    monkeypatch.setattr(type(model), "clipped_gradients", watch)
    plan = settings(notes_per_step=10, steps_per_round=12, unit="patient")
    private_pass(model, items, plan, patients)
    drawn = [sorted(unit) for step in seen for unit in step]
    assert {len(unit) for unit in drawn} == {1, 3}
    for unit in drawn:
        assert unit == ([i for i in range(30) if i % 10 == unit[0] % 10] if unit[0] < 30 else [unit[0]])
    assert len(drawn) / 12 == pytest.approx(10, abs=5), "ten of twenty units in the mean"


# -- noise
def test_the_noise_has_the_width_that_the_plan_says() -> None:
    """With no learning from notes to speak of (tiny clip, huge sigma), the gradients are the noise: Adam's first step shows
    its signs, and plain numbers its width."""
    seen: list[torch.Tensor] = []

    class Watched(type(model_of())):  # type: ignore[misc]
        def clipped_gradients(self, items: Any, clip: float, groups: Any = None) -> Any:
            return {}, torch.zeros(len(items))

    model = model_of()
    model.__class__ = Watched
    step = torch.optim.Adam.step

    def watch(self: Any, *a: Any, **k: Any) -> Any:
        seen.append(torch.cat([p.grad.flatten() for g in self.param_groups for p in g["params"]]))
        return step(self, *a, **k)

    torch.optim.Adam.step = watch  # type: ignore[method-assign]
    try:
        private_pass(model, model.encode(make_notes(20)), settings(sigma=3.0, clip=0.5, steps_per_round=4))
    finally:
        torch.optim.Adam.step = step  # type: ignore[method-assign]
    noise = torch.cat(seen) * PRIVACY["notes_per_step"]
    assert len(seen) == 4
    assert float(noise.std()) == pytest.approx(3.0 * 0.5, rel=0.03)
    assert abs(float(noise.mean())) < 0.05
    assert not torch.equal(seen[0], seen[1])


def test_the_same_settings_and_seeds_give_other_noise() -> None:
    """A researcher knows settings and seeds, and could take away noise that followed from them."""
    results = []
    for _ in range(2):
        torch.manual_seed(0)
        np.random.seed(0)
        model = model_of()
        private_pass(model, model.encode(make_notes(20)), settings())
        results.append(model.parameters())
    assert any(not np.array_equal(results[0][name], results[1][name]) for name in results[0])


def test_what_it_tells_beside_the_weights_is_the_plans_own() -> None:
    model = model_of()
    told = {private_pass(model, model.encode(make_notes(count)), settings()) for count in (5, 40)}
    assert len(told) == 1
    assert next(iter(told)).loss == 0.0


def test_with_little_noise_it_learns() -> None:
    notes = make_notes(150)
    model = model_of(d=32)
    items = model.encode(notes)
    before = float(model.loss(items).detach())
    plan = settings(sigma=0.05, notes_per_step=64, steps_per_round=60)
    plan["training"]["lr"] = 1e-2
    private_pass(model, items, plan)
    assert float(model.loss(items).detach()) < before / 2


def test_a_round_of_a_request_trains_with_noise_if_its_settings_say_so() -> None:
    chosen = {**tasks.default_settings(LABELS), "model": SMALL, "site": "no", "round": 1, "rounds": 1}
    chosen["training"] = {**chosen["training"], "privacy": PRIVACY}
    start = tasks.initial_parameters(chosen)
    out = tasks.train_round(Notes(train=make_notes(20), dev=make_notes(4)), start, chosen)
    tasks.contracts(chosen)["train_round"].check(out["tensors"], out["numbers"])
    assert (out["numbers"]["loss"], out["numbers"]["words"]) == (0.0, 0)
    assert out["numbers"]["notes"] == PRIVACY["notes_per_step"] * PRIVACY["steps_per_round"]


# -- bad input
@pytest.mark.parametrize(
    "privacy",
    [
        {"sigma": 0},
        {"clip": -1},
        {"sigma": math.nan},
        {"notes_per_step": 0},
        {"steps_per_round": math.inf},
        {"sigma": "much"},
        {"unit": "site"},
    ],
)
def test_noise_that_is_none_is_named(privacy: dict[str, Any]) -> None:
    with pytest.raises(TrainingError):
        NoisePlan.of(settings(**privacy))


def test_a_plan_with_a_part_missing_is_named() -> None:
    with pytest.raises(TrainingError, match="is not described"):
        NoisePlan.of({"training": {"privacy": {"sigma": 1.0}}})
    assert NoisePlan.of({"training": {}}) is None
    with pytest.raises(TrainingError, match="needs notes"):
        private_pass(model_of(), [], settings())


def test_a_site_with_few_notes_draws_all_of_them() -> None:
    assert NoisePlan(1.0, 1.0, 8, 1).probability(4) == 1.0
    assert NoisePlan(1.0, 1.0, 8, 1).probability(80) == 0.1
