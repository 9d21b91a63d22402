"""What sites add is what the strategy would have averaged, and a strategy that wants more than a sum is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fedkit.errors import TrainingError
from fedkit.federation.secure_aggregation.summands import from_vector, to_vector
from fedkit.federation.strategies import FedAvg, SequentialStart, SiteUpdate, strategy_for

SHARES = {"no": 0.4, "sv": 0.3, "da": 0.2, "fi": 0.07, "et": 0.03}
START = {"table": np.ones((4, 3), np.float32), "bias": np.zeros(3, np.float32)}
#: Some rows move, others stay: what "touched" looks at.
MOVES = st.lists(
    st.tuples(arrays(np.float32, (4, 3), elements=st.sampled_from([0, 0, 0.5, -1, 0.0009765625])), st.floats(-2, 2, width=32)),
    min_size=5,
    max_size=5,
)


def updates(moves: list[tuple[np.ndarray, float]]) -> list[SiteUpdate]:
    made = []
    for site, (table, bias) in zip(SHARES, moves, strict=True):
        moved = {"table": START["table"] + table, "bias": START["bias"] + np.float32(bias)}
        made.append(SiteUpdate(site, moved, {"notes": 3}))
    return made


@given(MOVES, st.sampled_from(["all", "touched"]), st.sampled_from([1.0, 1.5]), st.integers(3, 5))
def test_the_sum_gives_what_the_average_gives(moves: list, rows: str, rate: float, survivors: int) -> None:
    strategy = FedAvg("given", rate, rows, SHARES)
    came = updates(moves)[:survivors]
    total = sum((to_vector(strategy, START, u, 5) for u in came), np.zeros(1, np.uint32))
    added = from_vector(strategy, START, total, 5)
    plain = strategy.aggregate(1, START, came)
    for name in START:
        assert np.allclose(added[name], plain[name], atol=1e-6)
        assert added[name].dtype == np.float32


def test_nothing_but_the_update_goes_in_so_every_site_makes_a_vector_of_the_same_length() -> None:
    strategy = FedAvg("given", 1.0, "touched", SHARES)
    lengths = {to_vector(strategy, START, u, 5).size for u in updates([(np.zeros((4, 3), np.float32), 0.0)] * 5)}
    assert lengths == {12 + 3 + 4 + 1}


@pytest.mark.parametrize("strategy", [SequentialStart(1, FedAvg()), SequentialStart(0, FedAvg("equal"))])
def test_a_strategy_that_sees_single_updates_is_refused(strategy: SequentialStart) -> None:
    with pytest.raises(TrainingError, match="does not go together") as refused:
        to_vector(strategy, START, updates([(np.zeros((4, 3), np.float32), 0.0)] * 5)[0], 5)
    assert "sequential_rounds" in refused.value.help


def test_weights_that_are_no_shares_leave_the_range_and_are_named() -> None:
    with pytest.raises(TrainingError, match="moved too far"):
        to_vector(FedAvg("notes"), START, updates([(np.zeros((4, 3), np.float32), 2.0)] * 5)[0], 5)


@pytest.mark.parametrize(
    ("weighting", "shares"),
    [("given", {}), ("given", {"no": 0.0}), ("given", {"no": 1.5}), ("notes", {"no": 0.5})],
)
def test_shares_that_do_not_fit_are_named(weighting: str, shares: dict[str, float]) -> None:
    with pytest.raises(TrainingError, match="shares do not fit"):
        FedAvg(weighting, shares=shares)


def test_a_site_without_a_share_is_named() -> None:
    with pytest.raises(TrainingError, match="no share"):
        FedAvg("given", shares={"no": 1.0}).aggregate(1, {"w": np.zeros(1)}, [SiteUpdate("sv", {"w": np.zeros(1)}, {})])


def test_the_request_names_the_shares() -> None:
    strategy = FedAvg("given", 1.5, "touched", SHARES)
    assert strategy_for({"strategy": strategy.to_json()}).to_json() == strategy.to_json()
    assert "shares" not in FedAvg("equal").to_json()
