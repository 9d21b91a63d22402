"""Quantiles over sites: never without noise, near the true ones with it, one price for all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statistics_world import asking, divided, pooling

from fedkit.errors import OutputRefused, RequestError
from fedkit.warehouse.question import ANSWER, Protection, from_json
from fedkit.warehouse.statistics import Amount
from fedkit.warehouse.statistics.frames import PERSON, taken
from fedkit.warehouse.statistics.quantiles import LEVELS, Quantiles, consistent, quantiles

LENGTH = Amount("characters", 0, 4096)
NOISE = Protection("noise", rho=0.2)


def notes(n: int, seed: int) -> dict[str, np.ndarray]:
    return {PERSON: np.arange(n), "characters": np.random.default_rng(seed).gamma(3.0, 200.0, n)}


def test_without_noise_there_is_none() -> None:
    with pytest.raises(RequestError, match="with noise only"):
        Quantiles("notes", LENGTH)
    with pytest.raises(RequestError, match="with noise only"):
        from_json({**Quantiles("notes", LENGTH, None, NOISE).to_json(), "protection": Protection().to_json()})


@pytest.mark.parametrize("mode", ["noise", "pooled"])
def test_quantiles_are_near_those_of_all_rows_in_one_place(mode: str) -> None:
    frame = notes(5_000, 1)
    sites = divided({"rows": frame}, np.arange(5_000) % 5)
    ask = asking(sites) if mode == "noise" else pooling(sites)
    found = quantiles(ask, view="notes", of=LENGTH, at=(0.1, 0.25, 0.5, 0.75, 0.9), protection=Protection(mode, rho=0.2))
    for share, value in found.values.items():
        below = (frame["characters"] <= value).mean()
        assert below == pytest.approx(share, abs=0.02), "the share of values below it is the one that was asked for"
    assert [row["share"] for row in found.table()] == [0.1, 0.25, 0.5, 0.75, 0.9]


def test_what_leaves_has_the_noise_of_its_price() -> None:
    question = Quantiles("notes", LENGTH, None, NOISE)
    frames = {"rows": notes(400, 2)}
    exact = question.sums(frames)
    gaps = np.concatenate([question.answer(frames, None).tensors[ANSWER] - exact for _ in range(8)])
    assert gaps.std() == pytest.approx(np.sqrt(float(question.spread())), rel=0.1)
    assert float(question.spread()) == pytest.approx(LEVELS / (2 * 0.2), rel=1e-4)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), rows=st.integers(1, 4), person=st.integers(0, 9))
def test_no_person_moves_the_counts_by_more_than_their_price_says(seed: int, rows: int, person: int) -> None:
    draw = np.random.default_rng(seed)
    frame = {PERSON: draw.integers(0, 10, 80), "characters": draw.uniform(-10, 5000, 80)}
    question = Quantiles("notes", LENGTH, None, Protection("noise", 0.1, rows_per_person=rows))
    gone = question.sums({"rows": taken(frame, frame[PERSON] != person)})
    assert np.linalg.norm(question.sums({"rows": frame}) - gone) <= float(question.sensitivity())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_counts_that_fit_each_other_stay_as_they_are(seed: int) -> None:
    leaves = np.random.default_rng(seed).integers(0, 100, 2**5).astype(float)
    levels = [leaves.reshape(2**k, -1).sum(axis=1) for k in range(1, 6)]
    assert consistent(levels) == pytest.approx(leaves)


def test_levels_together_tell_more_than_the_finest_alone() -> None:
    """Of the shares below a point: the error is smaller than that of adding up noisy parts one by one."""
    draw, leaves = np.random.default_rng(5), np.full(2**LEVELS, 40.0)
    levels = [leaves.reshape(2**k, -1).sum(axis=1) for k in range(1, LEVELS + 1)]
    together, alone = [], []
    for _ in range(40):
        noisy = [level + draw.normal(0, np.sqrt(LEVELS), len(level)) for level in levels]
        together.append(np.cumsum(consistent(noisy)) - np.cumsum(leaves))
        alone.append(np.cumsum(leaves + draw.normal(0, 1, len(leaves))) - np.cumsum(leaves))
    assert np.abs(together).mean() < 0.9 * np.abs(alone).mean()


def test_missing_values_are_left_out_and_the_ends_are_the_bounds() -> None:
    frame = {PERSON: np.arange(3000), "characters": np.where(np.arange(3000) % 3 == 0, np.nan, 1e9)}
    found = quantiles(asking({"no": {"rows": frame}}), view="notes", of=LENGTH, at=(0.01, 1), protection=Protection("noise", 5))
    assert found[1] == pytest.approx(4096, abs=1)
    assert found[0.01] > 4000


def test_too_little_to_tell_from_noise_and_shares_that_are_none() -> None:
    empty = {"rows": {PERSON: np.zeros(0, dtype=np.int64), "characters": np.zeros(0)}}

    class Nothing:
        def __call__(self, question: Quantiles):
            from fedkit.warehouse.statistics import Replies

            return Replies(pooled=question.sums(empty), pooled_sites=("no",))

    with pytest.raises(OutputRefused, match="too little"):
        quantiles(Nothing(), view="notes", of=LENGTH, protection=Protection("pooled", rho=1))
    for shares in ((), (1.5,), ("x",)):
        with pytest.raises(RequestError, match="at a share"):
            quantiles(Nothing(), view="notes", of=LENGTH, at=shares, protection=NOISE)
