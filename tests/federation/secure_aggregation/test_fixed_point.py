"""Floats on integers: nothing is lost but half a step, sums are exact in any order, and what does not fit is named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fedkit.errors import TrainingError
from fedkit.federation.secure_aggregation.fixed_point import HEADROOM, decode, encode, grids

WEIGHTS = arrays(np.float32, (6,), elements=st.floats(-1000, 1000, width=32))


@given(WEIGHTS, st.integers(1, 64))
def test_a_value_comes_back_within_half_a_step(weights: np.ndarray, sites: int) -> None:
    on = grids({"w": weights}, sites)
    back = decode(encode({"w": weights}, on), on)["w"]
    assert np.abs(back - weights).max() <= on["w"].step / 2


@given(st.lists(st.tuples(WEIGHTS, WEIGHTS.map(lambda w: w.reshape(2, 3))), min_size=1, max_size=8), st.randoms())
def test_a_sum_is_that_of_the_integers_in_whatever_order(updates: list[tuple[np.ndarray, np.ndarray]], random: object) -> None:
    start = {"b": np.full((2, 3), 1000, np.float32), "a": np.full(6, 1000, np.float32)}
    on = grids(start, len(updates))
    encoded = [encode({"a": a, "b": b}, on) for a, b in updates]
    total = sum(encoded, np.zeros(12, np.uint32))
    random.shuffle(encoded)  # type: ignore[attr-defined]
    assert (sum(encoded, np.zeros(12, np.uint32)) == total).all()
    back = decode(total, on)
    for name, values in (("a", [a for a, _ in updates]), ("b", [b for _, b in updates])):
        steps = sum(np.rint(v.astype(np.float64) / on[name].step) for v in values)
        assert (back[name] == steps * on[name].step).all()


@given(st.floats(0, 2**100, width=32), st.integers(1, 1000))
def test_the_sum_of_all_at_their_bounds_keeps_its_sign(largest: float, sites: int) -> None:
    on = grids({"w": np.array([largest], np.float32)}, sites)
    bound = on["w"].bound
    assert bound >= HEADROOM
    for sign in (1, -1):
        one = encode({"w": np.array([sign * bound])}, on).astype(np.int32).astype(np.int64)
        assert abs(int(one[0]) * sites) < 2**31
        total = (np.array([int(one[0]) * sites]) % 2**32).astype(np.uint32)
        assert np.sign(decode(total, on)["w"][0]) == sign


def test_a_bound_a_hair_below_a_power_of_two_does_not_round_up_into_the_sign() -> None:
    on = grids({"w": np.array([2 * (1 - 1.5e-9)])}, 8)
    one = encode({"w": np.array([on["w"].bound])}, on).astype(np.int32)
    assert 0 < int(one[0]) * 8 < 2**31


def test_the_step_is_as_fine_as_a_float_of_the_weights_size() -> None:
    on = grids({"w": np.array([1.0], np.float32)}, 5)
    assert on["w"].step <= 2.0**-26


@pytest.mark.parametrize("value", [np.nan, np.inf, 4.1, -5.0])
def test_what_diverged_is_named(value: float) -> None:
    on = grids({"w": np.zeros(1, np.float32)}, 5)
    with pytest.raises(TrainingError, match="w moved too far"):
        encode({"w": np.array([value], np.float32)}, on)


def test_another_model_is_named() -> None:
    on = grids({"w": np.zeros(2, np.float32)}, 5)
    with pytest.raises(TrainingError, match="another model"):
        encode({"v": np.zeros(2, np.float32)}, on)
    with pytest.raises(TrainingError, match="another form"):
        encode({"w": np.zeros(3, np.float32)}, on)
    with pytest.raises(TrainingError, match="another form"):
        decode(np.zeros(3, np.uint32), on)
    with pytest.raises(TrainingError, match="NaN"):
        grids({"w": np.array([np.nan], np.float32)}, 5)
