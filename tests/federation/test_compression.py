"""Smaller updates: what a codec keeps, what error feedback brings back, and what malformed messages do."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fedkit.errors import TrainingError
from fedkit.federation.compression import Codec, Halves, Integers, Ternary, check_alone, codec_for, restored, sent

CODECS = [Ternary(), Ternary(0.01), Ternary(1.0), Integers(), Halves()]
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=40)
CHANGES = hnp.arrays(np.float32, SHAPES, elements=st.floats(-1e6, 1e6, width=32))


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("codec", CODECS, ids=lambda c: str(c.to_json()))
@given(change=CHANGES)
def test_any_change_comes_back_in_its_form_and_the_same_each_time(codec: Codec, change: np.ndarray) -> None:
    packed = codec.pack(change)
    again = codec.unpack(packed, change.shape)
    assert (packed.dtype, again.dtype, again.shape) == (np.uint8, np.float32, change.shape)
    assert np.isfinite(again).all()
    assert np.array_equal(packed, codec.pack(change))


@given(change=CHANGES)
def test_bf16_errs_by_one_part_in_256_at_most(change: np.ndarray) -> None:
    again = Halves().unpack(Halves().pack(change), change.shape)
    assert (np.abs(again - change) <= np.abs(change) / 256 + 1e-38).all()


def test_bf16_does_not_round_the_largest_number_to_infinity() -> None:
    largest = np.array([np.finfo(np.float32).max, -np.finfo(np.float32).max], np.float32)
    assert np.isfinite(Halves().unpack(Halves().pack(largest), (2,))).all()


@given(change=CHANGES)
def test_int8_errs_by_half_a_step_of_its_row(change: np.ndarray) -> None:
    rows = change.reshape(change.shape[0], -1) if change.ndim > 1 and change.shape[0] else change.reshape(1, -1)
    again = Integers().unpack(Integers().pack(change), change.shape).reshape(rows.shape)
    step = np.abs(rows).max(axis=1, initial=0.0) / 127
    assert (np.abs(again - rows) <= step[:, None] * 0.51 + 1e-30).all()


def test_ternary_sends_the_largest_and_their_mean() -> None:
    change = np.array([0.1, -4.0, 0.0, 2.0, -0.2, 0.3], np.float32)
    assert Ternary(1 / 3).unpack(Ternary(1 / 3).pack(change), (6,)).tolist() == [0, -3, 0, 3, 0, 0]


def test_ternary_sends_nothing_of_what_did_not_change() -> None:
    zeros = np.zeros((3, 5), np.float32)
    assert not Ternary(1.0).unpack(Ternary(1.0).pack(zeros), (3, 5)).any()
    assert Ternary(1.0).pack(zeros).size < 32


@pytest.mark.parametrize("at", [0, 254, 255, 256, 509, 510, 511, 99_999])
def test_ternary_finds_its_place_after_any_gap(at: int) -> None:
    change = np.zeros(100_000, np.float32)
    change[at] = -2.5
    assert np.array_equal(Ternary(1e-5).unpack(Ternary(1e-5).pack(change), change.shape), change)


@pytest.mark.parametrize(
    ("codec", "least"), [(Ternary(0.1), 50), (Ternary(0.2), 30), (Integers(), 3.7), (Halves(), 2)], ids=lambda x: str(x)[:30]
)
def test_how_much_smaller_an_update_is(codec: Codec, least: float) -> None:
    change = normal(2048, 64)
    assert change.nbytes / codec.pack(change).size >= least


@pytest.mark.parametrize("codec", CODECS, ids=lambda c: str(c.to_json()))
def test_what_one_round_leaves_out_is_sent_later(codec: Codec) -> None:
    """Error feedback: the sum of what was sent follows the sum of what was to be sent, within what is kept."""
    weights, kept, there = {"w": np.zeros((50, 8), np.float32)}, None, np.zeros((50, 8), np.float32)
    for number in range(60):
        change = normal(50, 8, seed=number)
        packed, kept = sent(codec, weights, {"w": weights["w"] + change}, kept)
        there += change
        weights = restored(codec, weights, packed)
    assert np.allclose(weights["w"] + kept["w"], there, atol=1e-3)


def test_with_feedback_a_twentieth_of_the_values_finds_the_minimum_and_without_it_does_not() -> None:
    """A quadratic whose directions differ a hundredfold: what is small is never among the largest, and waits for its turn."""
    target, steep = normal(400), np.geomspace(0.01, 1, 400).astype(np.float32)

    def distance(feedback: bool) -> float:
        weights, kept = {"w": np.zeros(400, np.float32)}, None
        for _ in range(2_000):
            new = {"w": weights["w"] - 0.1 * steep * (weights["w"] - target)}
            packed, left = sent(Ternary(0.05), weights, new, kept)
            weights, kept = restored(Ternary(0.05), weights, packed), left if feedback else None
        return float(np.abs((weights["w"] - target) * steep).max())

    assert distance(feedback=True) < 0.25 * distance(feedback=False)


def test_weights_keep_their_dtype() -> None:
    start = {"a": np.zeros(3, np.float64), "b": np.zeros(3, np.float32)}
    packed, _ = sent(Halves(), start, {name: array + 1 for name, array in start.items()})
    assert {name: array.dtype.str for name, array in restored(Halves(), start, packed).items()} == {"a": "<f8", "b": "<f4"}


class TestWhatIsNoUpdate:
    @pytest.mark.parametrize("codec", CODECS, ids=lambda c: str(c.to_json()))
    @given(noise=st.binary(max_size=200))
    def test_any_bytes_are_weights_or_a_named_error(self, codec: Codec, noise: bytes) -> None:
        start = {"w": np.zeros((6, 7), np.float32)}
        weights = {}
        with suppress(TrainingError):
            weights = restored(codec, start, {"w": np.frombuffer(noise, np.uint8)})
        assert all(array.shape == (6, 7) and np.isfinite(array).all() for array in weights.values())

    @pytest.mark.parametrize("codec", CODECS, ids=lambda c: str(c.to_json()))
    def test_a_message_of_another_size(self, codec: Codec) -> None:
        packed = codec.pack(normal(8, 8))
        with pytest.raises(TrainingError, match="does not hold"):
            restored(codec, {"w": np.zeros((8, 9), np.float32)}, {"w": packed[:-1]})

    def test_gaps_that_would_unfold_into_gigabytes(self) -> None:
        import zlib

        coder = zlib.compressobj(9, zlib.DEFLATED, -15)
        bomb = coder.compress(b"\xff" * (64 << 20)) + coder.flush()
        head = np.array([1], "<f4").tobytes() + np.array([1, len(bomb)], "<u4").tobytes()
        with pytest.raises(TrainingError, match="does not hold"):
            restored(Ternary(), {"w": np.zeros(64, np.float32)}, {"w": np.frombuffer(head + bomb + b"\0", np.uint8)})

    def test_numbers_that_are_not_finite(self) -> None:
        packed = Ternary().pack(normal(30)).copy()
        packed[:4] = np.array([np.nan], "<f4").view(np.uint8)
        with pytest.raises(TrainingError, match="does not hold"):
            restored(Ternary(), {"w": np.zeros(30, np.float32)}, {"w": packed})
        with pytest.raises(TrainingError, match="NaN or infinity"):
            sent(Ternary(), {"w": np.zeros(2, np.float32)}, {"w": np.array([np.inf, 0], np.float32)})

    def test_another_model(self) -> None:
        start = {"w": np.zeros(3, np.float32)}
        with pytest.raises(TrainingError, match="another model"):
            sent(Ternary(), start, {"w": np.zeros(4, np.float32)})
        with pytest.raises(TrainingError, match="another model"):
            restored(Ternary(), start, {"v": Ternary().pack(start["w"])})


class TestWhatARequestAsksFor:
    @pytest.mark.parametrize("codec", CODECS, ids=lambda c: str(c.to_json()))
    def test_a_codec_is_known_by_what_it_writes(self, codec: Codec) -> None:
        found = codec_for({"compression": codec.to_json()})
        assert found is not None
        assert found.to_json() == codec.to_json()

    def test_none_is_none(self) -> None:
        assert codec_for({}) is None
        assert codec_for({"compression": {}}) is None
        check_alone(None)

    @pytest.mark.parametrize(
        "asked",
        [{"kind": "zip"}, {"kind": ["ternary"]}, {"share": 0.1}, {"kind": "int8", "share": 1}, "ternary", {"kind": None}],
    )
    def test_others_are_named(self, asked: object) -> None:
        with pytest.raises(TrainingError, match="no such compression"):
            codec_for({"compression": asked})

    @pytest.mark.parametrize("share", [0, -0.1, 1.01, float("nan"), True, "0.1"])
    def test_a_share_is_more_than_nothing_and_at_most_all(self, share: object) -> None:
        with pytest.raises(TrainingError, match="share"):
            codec_for({"compression": {"kind": "ternary", "share": share}})

    def test_masks_and_compression_do_not_go_together(self) -> None:
        with pytest.raises(TrainingError, match="masks"):
            check_alone(Ternary())
