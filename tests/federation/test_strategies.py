"""Strategies: what averaging promises, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fedkit.errors import TrainingError
from fedkit.federation.strategies import FedAvg, SequentialStart, SiteUpdate, strategy_for

tables = arrays(np.float32, (4, 3), elements=st.floats(-10, 10, width=32))
updates = st.lists(st.tuples(tables, st.integers(1, 500)), min_size=1, max_size=5)


def as_updates(rows):
    return [SiteUpdate(f"s{i}", {"w": table}, {"notes": notes}) for i, (table, notes) in enumerate(rows)]


@given(tables, updates)
def test_averaging_by_notes_is_mcmahans_weighted_mean(start, rows):
    new = FedAvg("notes").aggregate(1, {"w": start}, as_updates(rows))["w"]
    total = sum(n for _, n in rows)
    expected = sum((n / total) * t.astype(np.float64) for t, n in rows)
    assert np.allclose(new, expected, atol=1e-4)
    assert new.dtype == np.float32


@given(tables, updates, st.sampled_from(["notes", "sqrt", "equal"]), st.sampled_from(["all", "touched"]))
def test_sites_that_agree_are_followed_whatever_the_weighting(start, rows, weighting, which):
    agreed = [(rows[0][0], notes) for _, notes in rows]
    new = FedAvg(weighting, rows=which).aggregate(1, {"w": start}, as_updates(agreed))["w"]
    assert np.allclose(new, rows[0][0], atol=1e-5)


@given(tables, updates)
def test_the_average_lies_between_the_sites(start, rows):
    new = FedAvg("sqrt").aggregate(1, {"w": start}, as_updates(rows))["w"]
    stack = np.stack([t for t, _ in rows])
    assert (new >= stack.min(axis=0) - 1e-4).all()
    assert (new <= stack.max(axis=0) + 1e-4).all()


def test_rows_touched_by_one_site_keep_what_it_learnt():
    start = {"table": np.zeros((3, 2), np.float32), "bias": np.zeros(2, np.float32)}
    first = {"table": np.array([[1, 1], [0, 0], [2, 2]], np.float32), "bias": np.ones(2, np.float32)}
    second = {"table": np.array([[3, 3], [0, 0], [0, 0]], np.float32), "bias": np.zeros(2, np.float32)}
    new = FedAvg("equal", rows="touched").aggregate(1, start, [SiteUpdate("a", first, {}), SiteUpdate("b", second, {})])
    assert new["table"].tolist() == [[2, 2], [0, 0], [2, 2]]
    assert new["bias"].tolist() == [0.5, 0.5]  # a vector is averaged over all


def test_a_server_rate_scales_the_step():
    start, there = {"w": np.ones((1, 1), np.float32)}, {"w": np.full((1, 1), 3, np.float32)}
    assert FedAvg("equal", 1.5).aggregate(1, start, [SiteUpdate("a", there, {})])["w"] == 4.0


@pytest.mark.parametrize(
    ("parameters", "numbers", "what"),
    [
        ({"w": np.full((4, 3), np.nan, np.float32)}, {"notes": 1}, "NaN"),
        ({"w": np.full((4, 3), np.inf, np.float32)}, {"notes": 1}, "NaN"),
        ({"w": np.zeros((3, 4), np.float32)}, {"notes": 1}, "another form"),
        ({"w": np.zeros((4, 3), np.float64)}, {"notes": 1}, "another form"),
        ({"v": np.zeros((4, 3), np.float32)}, {"notes": 1}, "another model"),
        ({"w": np.zeros((4, 3), np.float32)}, {"notes": -1}, "number of notes"),
        ({"w": np.zeros((4, 3), np.float32)}, {"notes": float("nan")}, "number of notes"),
        ({"w": np.zeros((4, 3), np.float32)}, {}, "weigh nothing"),
    ],
)
def test_an_update_that_cannot_be_averaged_is_refused(parameters, numbers, what):
    with pytest.raises(TrainingError, match=what):
        FedAvg().aggregate(1, {"w": np.zeros((4, 3), np.float32)}, [SiteUpdate("no", parameters, numbers)])


def test_no_update_at_all_is_refused():
    for strategy in (FedAvg(), SequentialStart(1, FedAvg())):
        with pytest.raises(TrainingError, match="no updates"):
            strategy.aggregate(1, {}, [])


@pytest.mark.parametrize("bad", [{"weighting": "patients"}, {"server_rate": 0}, {"server_rate": 2.5}, {"rows": "some"}])
def test_averaging_that_does_not_exist_is_refused(bad):
    with pytest.raises(TrainingError, match="averaging"):
        FedAvg(**bad)


def test_the_warm_start_takes_the_last_weights_then_averages():
    strategy = SequentialStart(1, FedAvg("equal"))
    start = {"w": np.zeros((1, 1), np.float32)}
    rows = [SiteUpdate("a", {"w": np.ones((1, 1), np.float32)}, {}), SiteUpdate("b", {"w": np.full((1, 1), 3, np.float32)}, {})]
    assert strategy.in_turn(1)
    assert not strategy.in_turn(2)
    assert strategy.aggregate(1, start, rows)["w"] == 3.0
    assert strategy.aggregate(2, start, rows)["w"] == 2.0


def test_no_site_is_the_last_in_every_round():
    strategy = SequentialStart(4, FedAvg())
    orders = [strategy.order(r, ["a", "b", "c"]) for r in (1, 2, 3)]
    assert {order[-1] for order in orders} == {"a", "b", "c"}
    assert strategy.order(5, ["a", "b", "c"]) == ["a", "b", "c"]


def test_the_strategy_of_settings_says_whether_weights_pass_from_site_to_site():
    settings = {"strategy": {"kind": "fedavg", "weighting": "sqrt"}, "sequential_rounds": 2}
    assert strategy_for(settings).to_json() == {
        "kind": "sequential",
        "rounds": 2,
        "then": {"kind": "fedavg", "weighting": "sqrt", "server_rate": 1.0, "rows": "all"},
    }
    assert strategy_for({**settings, "sequential_rounds": 0}).to_json()["kind"] == "fedavg"
    for bad in ({"kind": "gossip"}, {"kind": "fedavg", "momentum": 0.9}):
        with pytest.raises(TrainingError, match="no such strategy"):
            strategy_for({"strategy": bad})
