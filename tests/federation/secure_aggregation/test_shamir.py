"""Shares: enough of them give the secret, fewer could belong to any, and the same key makes the same."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.errors import TrainingError
from fedkit.federation.secure_aggregation.shamir import PRIME, SHARE_BYTES, combine, split, value_at

SECRET = st.binary(min_size=32, max_size=32)
SIZES = st.integers(1, 8).flatmap(lambda points: st.tuples(st.just(points), st.integers(1, points)))


def test_the_field_is_one() -> None:
    assert all(pow(base, PRIME - 1, PRIME) == 1 for base in (2, 3, 5, 7, 11, 13))
    assert PRIME > 2**256


@given(SECRET, SIZES)
def test_any_threshold_of_them_give_it_back(secret: bytes, sizes: tuple[int, int]) -> None:
    points, threshold = sizes
    shares = split(secret, points, threshold, b"k" * 32, "x")
    assert list(shares) == list(range(1, points + 1))
    assert {len(share) for share in shares.values()} == {SHARE_BYTES}
    for chosen in combinations(shares, threshold):
        assert combine({point: shares[point] for point in chosen}) == secret


@given(SECRET, SECRET, st.integers(2, 8).flatmap(lambda t: st.tuples(st.just(t), st.integers(t, 8))))
def test_one_fewer_could_belong_to_any_secret(secret: bytes, other: bytes, sizes: tuple[int, int]) -> None:
    threshold, points = sizes
    shares = split(secret, points, threshold, b"k" * 32, "x")
    few = {point: shares[point] for point in list(shares)[: threshold - 1]}
    # Whatever the secret was: there is a last share that makes these few shares lie on it.
    known = {0: int.from_bytes(other).to_bytes(SHARE_BYTES), **few}
    last = value_at(known, points)
    assert combine({**few, points: last.to_bytes(SHARE_BYTES)}) == other


def test_the_same_key_makes_the_same_shares_and_others_make_others() -> None:
    first = split(bytes(32), 5, 4, b"k" * 32, "round 1")
    assert split(bytes(32), 5, 4, b"k" * 32, "round 1") == first
    assert split(bytes(32), 5, 4, b"k" * 32, "round 2") != first
    assert split(bytes(32), 5, 4, b"l" * 32, "round 1") != first


@given(SECRET, st.integers(0, PRIME - 1))
def test_a_wrong_share_gives_another_secret_or_none(secret: bytes, wrong: int) -> None:
    shares = split(secret, 5, 4, b"k" * 32, "x")
    chosen = {point: shares[point] for point in (1, 2, 4)}
    changed = {**chosen, 5: wrong.to_bytes(SHARE_BYTES)}
    assert (combine(changed) == secret) == (changed[5] == shares[5])


def test_what_cannot_be_shared_is_named() -> None:
    for threshold in (0, 6):
        with pytest.raises(TrainingError, match="no such threshold"):
            split(bytes(32), 5, threshold, bytes(32), "x")
    with pytest.raises(TrainingError, match="another length"):
        split(bytes(31), 5, 3, bytes(32), "x")
