"""Noise that comes again after a crash: the same secret and purpose draw the same, any other draws something else."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.federation.secure_aggregation.draws import Draws
from fedkit.governance.noise import gaussian

SECRET = bytes(range(32))


def drawn(draws: Draws, count: int = 40, bound: int = 10**9) -> list[int]:
    return [draws(bound) for _ in range(count)]


def test_the_same_secret_and_purpose_draw_the_same_noise_again() -> None:
    first, again = Draws(SECRET, "question 1"), Draws(SECRET, "question 1")
    assert [gaussian(Fraction(50), first) for _ in range(20)] == [gaussian(Fraction(50), again) for _ in range(20)]


def test_another_question_or_another_secret_draws_another() -> None:
    here = drawn(Draws(SECRET, "question 1"))
    assert here != drawn(Draws(SECRET, "question 2"))
    assert here != drawn(Draws(bytes(32), "question 1"))


@given(st.integers(1, 2**70), st.integers(0, 2**32))
def test_every_draw_lies_below_its_bound(bound: int, about: int) -> None:
    assert all(0 <= value < bound for value in drawn(Draws(SECRET, str(about)), 5, bound))


@pytest.mark.parametrize("bound", [2, 3, 7, 256, 257])
def test_all_numbers_are_as_likely(bound: int) -> None:
    """Pearson's χ² over 200 draws a number: 5 standard deviations above its mean are never reached by chance."""
    draws, expected = Draws(SECRET, f"bound {bound}"), 200
    counts = [0] * bound
    for _ in range(expected * bound):
        counts[draws(bound)] += 1
    distance = sum((count - expected) ** 2 / expected for count in counts)
    assert distance < (bound - 1) + 5 * (2 * (bound - 1)) ** 0.5


def test_there_is_nothing_below_zero() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        Draws(SECRET, "nothing")(0)
