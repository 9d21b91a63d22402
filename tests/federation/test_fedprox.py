"""FedProx: the server averages as FedAvg does, and the sites stay nearer to where they began."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ner.conftest import LABELS, make_notes

from fedkit.errors import TrainingError
from fedkit.federation.strategies import FedAvg, FedProx, SiteUpdate, strategy_for
from fedkit.ner.models import build
from fedkit.ner.training import Proximal, train_pass

MODEL = {"d": 16, "rows": 64, "ngrams": 64, "layers": 1, "dropout": 0.0}


def moved(strategy: dict[str, object]) -> dict[str, np.ndarray]:
    """By how much one local pass moves the weights."""
    torch.manual_seed(1)
    model = build(MODEL, LABELS)
    start = {name: array.copy() for name, array in model.parameters().items()}
    plan = {"seed": 1, "round": 1, "rounds": 1, "site": "no", "training": {"lr": 5e-3, "epochs_per_round": 4.0}}
    train_pass(model, model.encode(make_notes(30)), {**plan, "strategy": strategy})
    return {name: array - start[name] for name, array in model.parameters().items()}


def length(change: dict[str, np.ndarray]) -> float:
    return float(np.sqrt(sum((array.astype(np.float64) ** 2).sum() for array in change.values())))


def test_the_stronger_the_nearer() -> None:
    lengths = [length(moved({"kind": "fedprox", "mu": mu})) for mu in (0.0, 0.3, 30.0)]
    assert lengths[0] > lengths[1] > lengths[2] > 0


def test_without_a_pull_it_is_fedavg_bit_for_bit() -> None:
    one, other = moved({"kind": "fedprox", "mu": 0}), moved({"kind": "fedavg"})
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_the_gradient_is_that_of_the_papers_term() -> None:
    """By autograd: the same as differentiating mu/2 · ‖w − w₀‖² together with the loss."""
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0]))
    start = weight.detach().clone()
    hold = Proximal({"strategy": {"kind": "fedprox", "mu": 0.7}}, [weight])
    with torch.no_grad():
        weight += torch.tensor([0.5, 0.25, -1.0])
    (weight**2).sum().backward()
    hold.add()
    other = weight.detach().clone().requires_grad_()
    ((other**2).sum() + 0.7 / 2 * ((other - start) ** 2).sum()).backward()
    assert torch.allclose(weight.grad, other.grad)


def test_the_server_averages_as_fedavg_does() -> None:
    start = {"w": np.zeros(3, np.float32)}
    updates = [SiteUpdate(site, {"w": np.full(3, value, np.float32)}, {"notes": 2.0}) for site, value in (("a", 1), ("b", 2))]
    one = strategy_for({"strategy": {"kind": "fedprox", "mu": 0.1, "weighting": "equal"}})
    assert np.array_equal(one.aggregate(1, start, updates)["w"], FedAvg("equal").aggregate(1, start, updates)["w"])
    assert one.to_json() == {"kind": "fedprox", "weighting": "equal", "server_rate": 1.0, "rows": "all", "mu": 0.1}


@pytest.mark.parametrize("mu", [-0.1, float("nan"), float("inf"), True, "1"])
def test_a_pull_that_is_none_is_refused(mu: object) -> None:
    with pytest.raises(TrainingError, match="proximal"):
        FedProx(mu)
