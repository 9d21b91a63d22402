"""The wire form: the same bytes for the same values, and values that come back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fedkit.errors import TrainingError
from fedkit.federation.parameters import check_finite, decode, digest_parameters, encode

parameter_sets = st.dictionaries(
    st.text("abcxyz.", min_size=1, max_size=6),
    arrays(np.float32, array_shapes(max_dims=3, max_side=4), elements=st.floats(-1e6, 1e6, width=32)),
    min_size=1,
    max_size=6,
)


@given(parameter_sets, st.randoms())
def test_what_is_sent_is_what_arrives_in_the_order_of_names(parameters, random):
    names = list(parameters)
    random.shuffle(names)
    arrived = decode(encode({name: parameters[name] for name in names}))
    assert list(arrived) == sorted(parameters)
    assert all(np.array_equal(arrived[name], parameters[name]) for name in parameters)
    assert digest_parameters(arrived) == digest_parameters(parameters)


@given(parameter_sets)
def test_one_changed_number_is_another_digest(parameters):
    name = sorted(parameters)[0]
    changed = parameters[name].copy()
    changed.flat[0] += np.float32(1e7)
    assert digest_parameters({**parameters, name: changed}) != digest_parameters(parameters)


@given(st.binary(max_size=200))
def test_other_bytes_are_refused_by_name(data):
    with pytest.raises(TrainingError, match="not a set of parameters"):
        decode(data)


def test_a_transposed_view_has_the_bytes_of_its_values():
    table = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert encode({"w": table.T}) == encode({"w": np.ascontiguousarray(table.T)})


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_named(bad):
    with pytest.raises(TrainingError, match="site fi: bias"):
        check_finite({"bias": np.array([1.0, bad], np.float32)}, "site fi")
