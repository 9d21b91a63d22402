"""The protocol: for every pattern of sites that drop out the sum is exact, or is refused because too few are left."""

from __future__ import annotations

from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sum_ring import REQUEST, Ring, make_ring, total

from fedkit.errors import TrainingError
from fedkit.federation.secure_aggregation.fixed_point import decode, encode, grids
from fedkit.federation.secure_aggregation.keys import Group
from fedkit.federation.secure_aggregation.unmasking import unmask


@pytest.mark.parametrize("sites", [3, 4, 5, 6, 7, 8])
def test_every_pattern_of_dropouts(sites: int) -> None:
    """Sites drop out before they send an update (they are not among the survivors), or after it (they give no shares)."""
    names = make_ring(sites).group.sites
    patterns = 0
    for seed, survivors in enumerate(_subsets(names)):
        ring = make_ring(sites, rounds=1)
        vectors = ring.vectors(seed)
        masked = ring.masked(1, {name: vectors[name] for name in survivors})
        if len(survivors) < ring.group.threshold:
            with pytest.raises(TrainingError, match="too few updates"):
                unmask(ring.group, 1, masked, [], ring.keys)
            continue
        reveals = {name: ring.site(name).reveal(1, survivors) for name in survivors}
        for answering in _subsets(survivors):
            answers = [reveals[name] for name in answering]
            if len(answering) < ring.group.threshold:
                with pytest.raises(TrainingError, match="cannot be opened"):
                    unmask(ring.group, 1, masked, answers, ring.keys)
            else:
                opened = unmask(ring.group, 1, masked, answers, ring.keys)
                assert (opened.total == total(vectors, survivors)).all()
                assert (opened.survivors, opened.wrong) == (survivors, ())
                patterns += 1
    assert patterns > 0


def test_a_site_that_dropped_out_after_its_update_may_still_help_later(ring: Ring) -> None:
    vectors = ring.vectors(1)
    survivors = ring.group.sites[:4]
    masked = ring.masked(1, {name: vectors[name] for name in survivors})
    opened = unmask(ring.group, 1, masked, ring.reveals(1, survivors, ring.group.sites[1:]), ring.keys)
    assert (opened.total == total(vectors, survivors)).all()


def test_rounds_are_masked_anew(ring: Ring) -> None:
    vector = ring.vectors(1)["site0"]
    first, second = ring.site("site0").mask(1, vector), ring.site("site0").mask(2, vector)
    assert (first != vector).any()
    assert (first != second).any()


@given(st.integers(0, 2**32 - 1))
def test_a_masked_vector_says_nothing_of_its_values(value: int) -> None:
    """With the masks of one site unknown, every value is as likely: here, its mask is the same whatever the value was."""
    one, other = make_ring(3), make_ring(3)
    zero, vector = np.zeros(7, np.uint32), np.full(7, value, np.uint32)
    assert ((other.site("site1").mask(1, vector) - one.site("site1").mask(1, zero)) == vector).all()


def test_weights_of_a_model_come_out_as_their_exact_sum(ring: Ring) -> None:
    rng = np.random.default_rng(5)
    start = {"a": rng.normal(size=(3, 2)).astype("f4"), "b": rng.normal(size=1).astype("f4")}
    updates = {s: {n: w + rng.normal(size=w.shape).astype("f4") * 0.1 for n, w in start.items()} for s in ring.group.sites}
    on = grids(start, 5)
    vectors = {site: encode(update, on) for site, update in updates.items()}
    opened = unmask(ring.group, 1, ring.masked(1, vectors), ring.reveals(1, ring.group.sites), ring.keys)
    added = decode(opened.total, on)
    for name in start:
        exact = sum(np.rint(u[name].astype(np.float64) / on[name].step) for u in updates.values()) * on[name].step
        assert (added[name] == exact).all()


# -- after a crash
def test_a_site_that_comes_back_gives_the_same_again(ring: Ring) -> None:
    vector = ring.vectors(1)["site2"]
    assert (ring.site("site2").mask(1, vector) == ring.site("site2").mask(1, vector)).all()
    assert ring.site("site2").for_others() == ring.sealed["site2"]
    assert ring.site("site2").reveal(1, ring.group.sites) == ring.site("site2").reveal(1, ring.group.sites)


# -- who may add up
def test_two_sites_hide_nothing() -> None:
    with pytest.raises(TrainingError, match="too few sites"):
        Group.of(REQUEST, ["a", "b"])
    with pytest.raises(TrainingError, match="too few sites"):
        Group.of(REQUEST, ["a", "b", "b"])


@pytest.mark.parametrize(("sites", "threshold"), [(3, 3), (4, 3), (5, 4), (6, 5), (7, 5), (8, 6)])
def test_the_threshold_holds_against_a_third_of_the_sites(sites: int, threshold: int) -> None:
    assert Group.of(REQUEST, [f"s{n}" for n in range(sites)]).threshold == threshold
    colluding = (sites - 1) // 3
    # Both kinds of share of one site: the colluding give both, each other gives one of them.
    assert 2 * threshold - 2 * colluding > sites - colluding


def test_half_of_the_sites_is_no_threshold() -> None:
    with pytest.raises(TrainingError, match="no such threshold"):
        Group(REQUEST, ("a", "b", "c", "d"), 2)


def _subsets(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    return list(chain.from_iterable(combinations(names, size) for size in range(1, len(names) + 1)))
