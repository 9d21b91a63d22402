"""What a coordinator, a relay or another site may try: each is refused, found, or tells nothing."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from sum_ring import InMemory, Ring, total

from fedkit.digests import digest
from fedkit.errors import TrainingError
from fedkit.federation.secure_aggregation.keys import PublicKeys, Secrets
from fedkit.federation.secure_aggregation.masking import Masking, Reveal
from fedkit.federation.secure_aggregation.unmasking import unmask


def test_another_update_under_the_same_mask(ring: Ring) -> None:
    vector = ring.vectors(1)["site0"]
    ring.site("site0").mask(1, vector)
    with pytest.raises(TrainingError, match="masked for another update"):
        ring.site("site0").mask(1, vector + 1)


def test_two_sets_of_survivors_in_one_round(ring: Ring) -> None:
    everybody, some = ring.group.sites, ring.group.sites[:4]
    ring.site("site0").reveal(1, everybody)
    with pytest.raises(TrainingError, match="opened for other sites"):
        ring.site("site0").reveal(1, some)


def test_one_survivor_alone(ring: Ring) -> None:
    for survivors in (["site1"], ["site1", "site1", "site1", "site1"], ["site0", "site1", "site2", "nobody"]):
        with pytest.raises(TrainingError, match="cannot be opened"):
            ring.site("site0").reveal(1, survivors)


def test_a_site_gives_one_kind_of_share_of_each(ring: Ring) -> None:
    told = ring.site("site0").reveal(1, ring.group.sites[:4])
    assert set(told.own) == set(ring.group.sites[:4])
    assert set(told.pairwise) == {"site4"}


def test_the_coordinator_says_one_thing_to_some_and_another_to_others(ring: Ring) -> None:
    """It tells two sites that site 4 dropped out and three that it did not: neither kind of share is enough to open site 4."""
    vectors = ring.vectors(1)
    masked = ring.masked(1, vectors)
    without, everybody = ring.group.sites[:4], ring.group.sites
    reveals = ring.reveals(1, without, ["site0", "site1"]) + ring.reveals(1, everybody, ["site2", "site3", "site4"])
    for survivors in (without, everybody):
        with pytest.raises(TrainingError, match="cannot be opened"):
            unmask(ring.group, 1, {name: masked[name] for name in survivors}, reveals, ring.keys)


def test_fewer_shares_than_the_threshold_open_nothing(ring: Ring) -> None:
    masked = ring.masked(1, ring.vectors(1))
    for three in combinations(ring.group.sites, 3):
        with pytest.raises(TrainingError, match="cannot be opened"):
            unmask(ring.group, 1, masked, ring.reveals(1, ring.group.sites, three), ring.keys)


@pytest.mark.parametrize("liar", ["site0", "site3"])
def test_a_wrong_share_is_found_and_the_sum_is_right(ring: Ring, liar: str) -> None:
    vectors = ring.vectors(1)
    reveals = [_lying(r, "site2") if r.site == liar else r for r in ring.reveals(1, ring.group.sites)]
    opened = unmask(ring.group, 1, ring.masked(1, vectors), reveals, ring.keys)
    assert opened.wrong == (liar,)
    assert (opened.total == total(vectors, ring.group.sites)).all()


def test_too_many_wrong_shares_are_no_sum(ring: Ring) -> None:
    reveals = [_lying(r, "site2") if r.site in ("site0", "site1") else r for r in ring.reveals(1, ring.group.sites)]
    with pytest.raises(TrainingError, match="site2's secret"):
        unmask(ring.group, 1, ring.masked(1, ring.vectors(1)), reveals, ring.keys)


def test_a_share_of_another_round_is_none(ring: Ring) -> None:
    vectors = ring.vectors(1)
    old = [replace(r, round=1) for r in ring.reveals(2, ring.group.sites)]
    with pytest.raises(TrainingError, match="cannot be opened"):
        unmask(ring.group, 1, ring.masked(1, vectors), old, ring.keys)


def test_a_changed_masked_update_changes_the_sum_and_nothing_else(ring: Ring) -> None:
    """Masks hide, they do not authenticate: that the update is the site's, its receipt says (its digest is signed)."""
    vectors = ring.vectors(1)
    masked = ring.masked(1, vectors)
    masked["site0"] = masked["site0"] + np.uint32(1)
    opened = unmask(ring.group, 1, masked, ring.reveals(1, ring.group.sites), ring.keys)
    assert (opened.total == total(vectors, ring.group.sites) + np.uint32(1)).all()


def test_keys_that_somebody_put_between_two_sites(ring: Ring) -> None:
    own = ring.secrets["site0"]
    forged = Secrets("site1", ring.group, 2, b"f" * 32).public
    cases: dict[str, dict[str, PublicKeys]] = {
        "somebody published other keys in this site's name": {"site0": replace(own.public, channel=forged.channel)},
        "the keys of site1 do not fit": {"site1": replace(forged, site="site2")},
        "the keys of site2 do not fit": {"site2": replace(ring.keys["site2"], request=digest("another"))},
        "the keys of site3 do not fit": {"site3": replace(ring.keys["site3"], rounds=(), selves=())},
        "two keys are the same": {"site4": replace(ring.keys["site4"], channel=ring.keys["site3"].channel)},
    }
    for words, changed in cases.items():
        with pytest.raises(TrainingError, match=words):
            Masking(own, {**ring.keys, **changed}, {}, InMemory())
    with pytest.raises(TrainingError, match="the keys of site4 do not fit"):
        Masking(own, {s: k for s, k in ring.keys.items() if s != "site4"}, {}, InMemory())


def test_shares_that_were_changed_on_the_way_or_meant_for_another(ring: Ring) -> None:
    mine = {sender: sealed["site0"] for sender, sealed in ring.sealed.items()}
    for data in (mine["site1"][:-1] + b"\0", ring.sealed["site1"]["site2"], mine["site2"]):
        with pytest.raises(TrainingError, match="changed on its way"):
            Masking(ring.secrets["site0"], ring.keys, {**mine, "site1": data}, InMemory())


def test_nobody_else_can_open_a_share(ring: Ring) -> None:
    for thief in ring.group.sites[1:]:
        with pytest.raises(TrainingError, match="changed on its way"):
            Masking(ring.secrets[thief], ring.keys, {"site1": ring.sealed["site1"]["site0"]}, InMemory())


def test_a_round_without_keys(ring: Ring) -> None:
    for round in (0, 3):
        with pytest.raises(TrainingError, match="no keys for this round"):
            ring.site("site0").mask(round, np.zeros(3, np.uint32))
        with pytest.raises(TrainingError, match="no keys for this round"):
            ring.site("site0").reveal(round, ring.group.sites)


def test_secrets_do_not_print(ring: Ring) -> None:
    own = ring.secrets["site0"]
    assert own.secret.hex() not in repr(own)
    assert repr(own.secret) not in repr(own)


@pytest.mark.parametrize("change", [{"channel": "00"}, {"rounds": ["00" * 32]}, {"selves": 5}, {"site": None, "rounds": None}])
def test_keys_of_another_form_are_named(ring: Ring, change: dict[str, object]) -> None:
    with pytest.raises(TrainingError, match="not the keys of a site"):
        PublicKeys.from_json({**ring.keys["site0"].to_json(), **change})
    assert PublicKeys.from_json(ring.keys["site0"].to_json()) == ring.keys["site0"]


def _lying(reveal: Reveal, about: str) -> Reveal:
    share = reveal.own[about]
    return replace(reveal, own={**reveal.own, about: share[:-1] + bytes([share[-1] ^ 1])})
