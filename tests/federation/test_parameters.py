"""The wire form: the same bytes for the same values, and values that come back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fedkit.errors import OutputRefused, TrainingError
from fedkit.federation.parameters import TABLES_LIMIT, check_finite, decode, decode_tables, digest_parameters, encode

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


cells = (
    st.none() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)
table_sets = st.dictionaries(st.text(max_size=6), st.lists(st.dictionaries(st.text(max_size=6), cells, max_size=3), max_size=3))


@given(parameter_sets, table_sets)
def test_tables_travel_with_the_arrays_and_leave_them_as_they_are(parameters, tables):
    data = encode(parameters, tables)
    assert decode_tables(data) == tables
    arrived = decode(data)
    assert all(np.array_equal(arrived[name], parameters[name]) for name in parameters)
    assert data == encode(parameters, {name: tables[name] for name in reversed(tables)})


def test_tables_alone_are_a_result_too():
    data = encode({}, {"by_year": [{"year": "2024", "n": 12}]})
    assert (decode(data), decode_tables(data)) == ({}, {"by_year": [{"year": "2024", "n": 12}]})


def test_without_tables_the_bytes_and_so_old_digests_are_what_they_were():
    weights = {"w": np.ones(3, np.float32)}
    assert encode(weights, {}) == encode(weights)
    assert decode_tables(encode(weights)) == {}


def test_tables_that_are_too_large_are_refused():
    with pytest.raises(OutputRefused, match="too large"):
        encode({}, {"t": [{"c": "x" * TABLES_LIMIT}]})


@given(st.binary(max_size=60), st.integers(0, 2**63))
def test_other_bytes_are_no_tables(data, size):
    for bad in (data, size.to_bytes(8, "little") + data):
        with pytest.raises(TrainingError, match="not a result with tables"):
            decode_tables(bad)
