"""The server's optimisers against the paper's algorithm 2, written out for one number; their state survives a crash."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import toy
from hypothesis import given
from hypothesis import strategies as st

from fedkit.errors import TrainingError
from fedkit.federation.parameters import decode
from fedkit.federation.rounds import RoundPlan, run_rounds
from fedkit.federation.strategies import FedAvg, SequentialStart, ServerOptimizer, SiteUpdate, strategy_for

KINDS = ("fedadagrad", "fedadam", "fedyogi")


@pytest.mark.parametrize("kind", KINDS)
@given(changes=st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=6))
def test_a_weight_goes_where_the_papers_algorithm_takes_it(kind: str, changes: list[float]) -> None:
    strategy = ServerOptimizer(FedAvg("equal"), kind, 0.1, 0.9, 0.99, 1e-3)
    weights = {"w": np.zeros(1, np.float64)}
    state = strategy.first_state(weights)
    x, m, v = 0.0, 0.0, 1e-6
    for number, change in enumerate(changes, 1):
        new = strategy.aggregate(number, weights, [SiteUpdate("a", {"w": weights["w"] + change}, {})])
        weights, state = strategy.step(number, weights, new, state)
        delta = (x + change) - x  # as the difference of two floats gives it
        m = 0.9 * m + 0.1 * delta
        if kind == "fedadagrad":
            v = v + delta**2
        elif kind == "fedyogi":
            v = v - 0.01 * delta**2 * np.sign(v - delta**2)
        else:
            v = 0.99 * v + 0.01 * delta**2
        x = x + 0.1 * m / (np.sqrt(v) + 1e-3)
        assert weights["w"][0] == pytest.approx(x, abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_sites_that_pull_to_different_places_meet_in_the_middle(kind: str) -> None:
    """A quadratic at each site, with its least at 1, 2 and 6: the least of the sum is at 3."""
    strategy = ServerOptimizer(FedAvg("equal"), kind, 0.1)
    weights = {"w": np.zeros(1, np.float64)}
    state = strategy.first_state(weights)
    for number in range(1, 1500):
        updates = [
            SiteUpdate(s, {"w": weights["w"] + 0.3 * (to - weights["w"])}, {}) for s, to in (("a", 1), ("b", 2), ("c", 6))
        ]
        new = strategy.aggregate(number, weights, updates)
        weights, state = strategy.step(number, weights, new, state)
    assert weights["w"][0] == pytest.approx(3.0, abs=0.1)


def test_after_a_crash_it_goes_on_with_its_moments(tmp_path: Path) -> None:
    strategy, plan = ServerOptimizer(FedAvg("sqrt"), "fedyogi", 0.05), RoundPlan(5, name="p")
    whole = run_rounds(plan, toy.START, toy.SITES, toy.train, strategy, folder=tmp_path / "whole")

    def dies(site: str, entry: str, round: int, weights: object) -> object:
        if round == 4:
            raise TrainingError("the power went")
        return toy.train(site, entry, round, weights)  # type: ignore[arg-type]

    with pytest.raises(TrainingError, match="power"):
        run_rounds(plan, toy.START, toy.SITES, dies, strategy, folder=tmp_path / "cut")
    resumed = run_rounds(plan, toy.START, toy.SITES, toy.train, strategy, folder=tmp_path / "cut")
    assert [r.aggregate for r in resumed.history] == [r.aggregate for r in whole.history]
    kept = decode((tmp_path / "cut" / "weights" / f"{resumed.history[-1].state}.safetensors").read_bytes())
    assert set(kept) == {f"{what} of {name}" for what in ("mean", "square") for name in toy.START}


def test_moments_that_were_lost_are_named(tmp_path: Path) -> None:
    strategy, plan = ServerOptimizer(FedAvg("sqrt")), RoundPlan(2, name="p")
    done = run_rounds(plan, toy.START, toy.SITES, toy.train, strategy, folder=tmp_path)
    (tmp_path / "weights" / f"{done.history[-1].state}.safetensors").unlink()
    with pytest.raises(TrainingError, match="are missing"):
        run_rounds(plan, toy.START, toy.SITES, toy.train, strategy, folder=tmp_path)


def test_rounds_in_turn_leave_the_moments_alone() -> None:
    strategy = SequentialStart(1, ServerOptimizer(FedAvg("equal")))
    start = {"w": np.zeros(2, np.float32)}
    new, state = strategy.step(1, start, {"w": np.ones(2, np.float32)}, strategy.first_state(start))
    assert (new["w"] == 1).all()
    assert not state["mean of w"].any()


def test_the_request_names_it() -> None:
    strategy = ServerOptimizer(FedAvg("sqrt", rows="touched"), "fedadam", 0.02)
    assert strategy_for({"strategy": strategy.to_json()}).to_json() == strategy.to_json()


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "fedadam", "rate": 0},
        {"kind": "fedadam", "beta1": 1.0},
        {"kind": "fedadam", "tau": 0},
        {"kind": "fedadam", "mean": {"kind": "trimmed-mean"}},
        {"kind": "fedadam", "mean": {"kind": "fedavg", "server_rate": 1.5}},
        {"kind": "fedadam", "momentum": 1},
        {"kind": ["fedadam"]},
        {"kind": "adam"},
    ],
)
def test_what_is_none_is_named(settings: dict[str, object]) -> None:
    with pytest.raises(TrainingError):
        strategy_for({"strategy": settings})
