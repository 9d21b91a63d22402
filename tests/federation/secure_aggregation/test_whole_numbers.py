"""Counts under masks: the sum is exact, keeps its sign, and nothing that could wrap around is taken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.errors import TrainingError
from fedkit.federation.secure_aggregation.whole_numbers import from_ring, most, to_ring


@given(st.integers(3, 9), st.data())
def test_the_sum_of_all_comes_out_exact_whatever_the_signs(sites: int, data: st.DataObject) -> None:
    number = st.integers(-most(sites), most(sites))
    parts = np.array(data.draw(st.lists(st.lists(number, min_size=2, max_size=2), min_size=sites, max_size=sites)), np.int64)
    total = np.zeros(2, np.uint32)
    for part in parts:
        total = total + to_ring(part, sites)
    assert from_ring(total).tolist() == parts.sum(axis=0).tolist()


@pytest.mark.parametrize("sites", [1, 3, 5])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_number_of_every_site_keeps_its_sign_and_one_more_is_refused(sites: int, sign: int) -> None:
    largest = np.array([sign * most(sites)], np.int64)
    total = sum((to_ring(largest, sites) for _ in range(sites)), np.zeros(1, np.uint32))
    assert from_ring(total).tolist() == [sign * most(sites) * sites]
    with pytest.raises(TrainingError) as refused:
        to_ring(largest + sign, sites)
    assert str(abs(int(largest[0])) + 1) not in refused.value.diagnostics()


@pytest.mark.parametrize("values", [np.zeros((1, 1), np.int64), np.zeros(1), np.zeros(1, np.uint32)])
def test_only_a_vector_of_integers_goes_in(values: np.ndarray) -> None:
    with pytest.raises(TrainingError):
        to_ring(values, 3)


@pytest.mark.parametrize("total", [np.zeros((1, 1), np.uint32), np.zeros(1, np.int64)])
def test_only_a_masked_sum_comes_out(total: np.ndarray) -> None:
    with pytest.raises(TrainingError):
        from_ring(total)
