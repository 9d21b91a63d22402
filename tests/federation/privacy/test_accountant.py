"""The accountant against Opacus, against what must hold of any, and the noise that a budget needs."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedkit.errors import TrainingError
from fedkit.federation.privacy.accountant import Accountant, Phase, noise_for
from fedkit.federation.privacy.rdp import rdp

OPACUS = json.loads((Path(__file__).parent / "opacus.json").read_text("utf-8"))["rows"]

PHASES = st.builds(Phase, st.floats(0.7, 8), st.floats(0.001, 0.5), st.integers(1, 300))


@pytest.mark.parametrize("method", ["rdp", "prv"])
@pytest.mark.parametrize("row", OPACUS, ids=lambda row: f"{row['phases']} {row['delta']}")
def test_it_agrees_with_opacus(row: dict[str, Any], method: Any) -> None:
    accountant = Accountant(tuple(Phase(*phase) for phase in row["phases"]))
    assert accountant.epsilon(row["delta"], method) == pytest.approx(row[method], abs=1e-3)


@given(PHASES)
@settings(max_examples=8)
def test_the_tighter_method_is_never_above_the_other(phase: Phase) -> None:
    accountant = Accountant((phase,))
    assert accountant.epsilon(1e-5) <= accountant.epsilon(1e-5, "rdp") + 0.02


@given(PHASES, st.integers(1, 50))
@settings(max_examples=25)
def test_more_steps_cost_more_and_more_noise_costs_less(phase: Phase, more: int) -> None:
    spent = Accountant((phase,)).epsilon(1e-5, "rdp")
    assert Accountant((phase,)).spend(Phase(phase.sigma, phase.q, more)).epsilon(1e-5, "rdp") >= spent
    assert Accountant((Phase(2 * phase.sigma, phase.q, phase.steps),)).epsilon(1e-5, "rdp") <= spent
    assert Accountant((phase,)).epsilon(1e-6, "rdp") >= spent


@given(st.floats(0.5, 10), st.floats(0.01, 0.99), st.floats(1.05, 40).filter(lambda order: not order.is_integer()))
def test_orders_between_whole_ones_lie_between_them(sigma: float, q: float, order: float) -> None:
    """Rényi divergence grows with the order."""
    below, above = max(1.01, math.floor(order)), math.ceil(order)
    assert rdp(q, sigma, below) - 1e-6 <= rdp(q, sigma, order) <= rdp(q, sigma, above) + 1e-6


@given(PHASES)
def test_a_phase_in_two_parts_costs_what_it_costs_whole(phase: Phase) -> None:
    first = phase.steps // 2
    parts = Accountant().spend(Phase(phase.sigma, phase.q, first)).spend(Phase(phase.sigma, phase.q, phase.steps - first))
    assert parts.phases == (phase,)
    assert Accountant.from_json(json.loads(json.dumps(parts.to_json()))) == parts


def test_without_sampling_it_is_the_gaussian_mechanism() -> None:
    """The closed form of Mironov 2017: order / (2 sigma^2) a step."""
    assert rdp(1, 2.0, 8) == 1.0
    assert Accountant((Phase(2.0, 1.0, 1),)).epsilon(1e-5) == Accountant((Phase(2.0, 1.0, 1),)).epsilon(1e-5, "rdp")


def test_nothing_spent_is_nothing() -> None:
    assert Accountant().epsilon(1e-5) == 0
    assert Accountant((Phase(1, 0.1, 0),)).epsilon(1e-5, "rdp") == 0


@pytest.mark.parametrize(("epsilon", "q", "steps"), [(8.0, 0.05, 240), (1.0, 0.25, 40)])
def test_the_noise_for_a_budget_keeps_it_and_a_little_less_does_not(epsilon: float, q: float, steps: int) -> None:
    sigma = noise_for(epsilon, 1e-5, q, steps)
    assert Accountant((Phase(sigma, q, steps),)).epsilon(1e-5) <= epsilon
    assert Accountant((Phase(sigma * 0.995, q, steps),)).epsilon(1e-5) > epsilon


def test_what_is_not_possible_is_named() -> None:
    for sigma, q, steps in ((0, 0.1, 1), (1, 0, 1), (1, 1.5, 1), (1, 0.1, -1), (math.nan, 0.1, 1), (math.inf, 0.1, 1)):
        with pytest.raises(TrainingError, match="no such phase"):
            Phase(sigma, q, steps)
    for delta in (0, 1, -1):
        with pytest.raises(TrainingError, match="no such delta"):
            Accountant((Phase(1, 0.1, 1),)).epsilon(delta)
    with pytest.raises(TrainingError, match="too small"):
        Accountant((Phase(1, 0.1, 1),)).epsilon(1e-17)
    with pytest.raises(TrainingError, match="no such budget"):
        noise_for(0, 1e-5, 0.1, 10)
    with pytest.raises(TrainingError, match="no noise is enough"):
        noise_for(1e-5, 1e-9, 1.0, 10**9)
