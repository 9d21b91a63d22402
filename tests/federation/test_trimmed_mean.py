"""The trimmed mean: whatever a few sites send, the model stays among the others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fedkit.errors import TrainingError
from fedkit.federation.secure_aggregation.summands import needs_a_sum
from fedkit.federation.strategies import FedAvg, SiteUpdate, TrimmedMean, strategy_for

tables = arrays(np.float32, (3, 2), elements=st.floats(-10, 10, width=32))
START = {"w": np.zeros((3, 2), np.float32)}


def updates(rows: list[np.ndarray]) -> list[SiteUpdate]:
    return [SiteUpdate(f"s{n}", {"w": row}, {}) for n, row in enumerate(rows)]


@given(st.lists(tables, min_size=4, max_size=6), st.floats(-(2.0**100), 2.0**100, width=32), st.integers(0, 5))
def test_one_poisoned_site_cannot_pull_a_weight_beyond_the_honest_ones(rows: list, poison: float, where: int) -> None:
    poisoned = [*rows[:where], np.full((3, 2), poison, np.float32), *rows[where:]]
    new = TrimmedMean(1).aggregate(1, START, updates(poisoned))["w"]
    honest = np.stack(rows)
    assert (new >= honest.min(axis=0) - 1e-4).all()
    assert (new <= honest.max(axis=0) + 1e-4).all()


def test_a_plain_mean_is_pulled_away() -> None:
    rows = [np.ones((3, 2), np.float32)] * 4 + [np.full((3, 2), 1e6, np.float32)]
    assert FedAvg("equal").aggregate(1, START, updates(rows))["w"].min() > 1e5
    assert (TrimmedMean(1).aggregate(1, START, updates(rows))["w"] == 1).all()


@given(st.lists(tables, min_size=1, max_size=5))
def test_without_trimming_it_is_the_plain_mean(rows: list) -> None:
    plain = FedAvg("equal").aggregate(1, START, updates(rows))["w"]
    assert np.allclose(TrimmedMean(0).aggregate(1, START, updates(rows))["w"], plain, atol=1e-5)


def test_too_few_sites_are_named() -> None:
    with pytest.raises(TrainingError, match="too few updates"):
        TrimmedMean(1).aggregate(1, START, updates([np.zeros((3, 2), np.float32)] * 2))
    with pytest.raises(TrainingError, match="no such trimming"):
        TrimmedMean(-1)


def test_it_sees_single_updates_so_masks_refuse_it() -> None:
    with pytest.raises(TrainingError, match="does not go together"):
        needs_a_sum(strategy_for({"strategy": TrimmedMean(1).to_json()}))
