"""Averages computed again: a researcher who names another result is found where the sites' weights are given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audit.cases import tries
from audit.conftest import failed
from hypothesis import given
from hypothesis import strategies as st
from ledger_world import World
from safetensors.numpy import save

from fedkit.audit.averages import average, read_tensors
from fedkit.audit.small_updates import unpacked
from fedkit.audit.verify import verify
from fedkit.digests import digest_bytes
from fedkit.federation.compression import Codec, Halves, Integers, Ternary, restored, sent
from fedkit.federation.parameters import encode
from fedkit.federation.strategies.base import SiteUpdate
from fedkit.federation.strategies.fedavg import FedAvg
from fedkit.governance.decision import Receipt

floats = st.floats(-100, 100, width=32)


def weights(seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {"table": random.normal(size=(4, 3)).astype(np.float32), "bias": random.normal(size=3).astype(np.float32)}


@given(
    st.sampled_from(["notes", "sqrt", "equal"]),
    st.sampled_from(["all", "touched"]),
    st.sampled_from([1.0, 0.5]),
    st.lists(st.integers(1, 1000), min_size=1, max_size=5),
)
def test_it_is_the_averaging_of_the_federation(weighting: str, rows: str, rate: float, notes: Sequence[int]) -> None:
    """Two implementations, written apart, of one strategy."""
    strategy = FedAvg(weighting, rate, rows)
    start = weights(0)
    updates = []
    for seed, count in enumerate(notes, 1):
        update = weights(seed)
        update["table"][seed % 4] = start["table"][seed % 4]  # a row that this site did not touch
        updates.append(SiteUpdate(f"site{seed}", update, {"notes": float(count)}))
    expected = strategy.aggregate(1, start, updates)
    shares = [{"notes": float, "sqrt": np.sqrt, "equal": lambda _: 1.0}[weighting](count) for count in notes]
    found = average(start, [u.parameters for u in updates], shares, strategy.to_json())
    assert all(np.allclose(expected[name], found[name], atol=1e-5) for name in expected)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=5), st.lists(floats, max_size=6), max_size=4))
def test_it_reads_what_safetensors_writes(values: dict[str, list[float]]) -> None:
    arrays = {name: np.array(row, dtype=np.float32) for name, row in values.items()}
    read = read_tensors(save(arrays))
    assert read.keys() == arrays.keys()
    assert all(np.array_equal(read[name], arrays[name]) for name in arrays)


@pytest.mark.parametrize("codec", [Ternary(0.2), Ternary(1.0), Integers(), Halves()], ids=lambda c: str(c.to_json()))
@given(seed=st.integers(0, 99))
def test_small_updates_are_read_as_the_federation_reads_them(codec: Codec, seed: int) -> None:
    """Two readers, written apart, of one form."""
    start = {**weights(0), "wide": np.zeros((2, 700), np.float32)}
    new = {**weights(seed), "wide": np.zeros((2, 700), np.float32)}
    new["wide"][1, seed] = 3  # after a gap of more than a byte
    message, _ = sent(codec, start, new)
    ours, theirs = unpacked(start, message, {"compression": codec.to_json()}), restored(codec, start, message)
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name]) and ours[name].dtype == np.float32 for name in ours)


class Averaged:
    """A study of one averaged round over real weights, of which the researcher names `result` as the average."""

    def __init__(self, folder: Path) -> None:
        self.world, self.files = World(folder / "world"), dict[str, bytes]()
        self.folder = folder

    def keep(self, arrays: dict[str, np.ndarray]) -> str:
        data = encode(arrays)
        self.files[digest_bytes(data)] = data
        return digest_bytes(data)

    def run(self, result: dict[str, np.ndarray], **how: Any) -> Path:
        world = self.world
        settings = {"strategy": {"kind": "fedavg", "weighting": "notes", "server_rate": 1.0, "rows": "all"}}
        request = world.submit(replace(world.request(), settings=settings))
        start, receipts = self.keep(weights(0)), list[Receipt]()
        for seed, site in enumerate(world.sites, 1):
            world.decide(request, site)
            receipts.append(world.execute(request.digest, site, "train", 1, start, self.keep(weights(seed))))
        model = self.keep(result)
        world.record(request.digest, "train", 1, "AVERAGED", start, model, receipts)
        world.release(request.digest, model)
        world.anchor()
        rounds = [{"round": 1, "receipts": [r.to_json() for r in receipts]}]
        return world.export(self.folder / "evidence", request, **{"rounds": rounds, "weights": self.files} | how)


@pytest.fixture
def averaged(tmp_path: Path) -> Iterator[Averaged]:
    made = Averaged(tmp_path)
    yield made
    made.world.close()


MEAN = {name: (weights(1)[name] + weights(2)[name]) / 2 for name in ("table", "bias")}


def test_a_true_average_is_clean(averaged: Averaged) -> None:
    report = verify(averaged.run(MEAN))
    assert report.ok, str(report)
    assert "1 averages were computed again" in report.checks[12].note


@tries("average that is none, with the weights given")
def test_a_false_average_is_found(averaged: Averaged) -> None:
    nudged = {**MEAN, "bias": MEAN["bias"] + np.float32(0.001)}
    assert failed(averaged.run(nudged)) == {13}


def test_one_site_passed_off_as_the_average_is_found(averaged: Averaged) -> None:
    assert failed(averaged.run(weights(1))) == {13}


@tries("numbers changed after the receipt")
def test_other_numbers_than_were_signed_are_found(averaged: Averaged) -> None:
    """More notes, and so more weight, than the site reported."""
    bundle = averaged.run(MEAN)
    text = (bundle / "rounds.json").read_text()
    (bundle / "rounds.json").write_text(text.replace('"notes":12', '"notes":99', 1))
    assert failed(bundle) >= {1, 12}


def test_weights_that_are_not_what_they_are_called_are_found(averaged: Averaged) -> None:
    bundle = averaged.run(MEAN)
    one = sorted((bundle / "weights").iterdir())[0]
    one.write_bytes(one.read_bytes()[:-4] + b"\0\0\0\0")
    assert failed(bundle) >= {1, 13}


@tries("a false average, with no weights in the bundle")
def test_not_found_a_false_average_without_the_weights(averaged: Averaged) -> None:
    """It says so: the average is the researcher's word then."""
    report = verify(averaged.run(weights(1), weights=None))
    assert report.ok
    assert "the researcher's word" in report.checks[12].note
