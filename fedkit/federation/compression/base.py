"""The seam of a codec, and the two ends of it: what a site sends of its weights, and what is made of it again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from fedkit.errors import TrainingError
from fedkit.federation.parameters import Parameters


class Codec(ABC):
    """How one tensor's change is coded. Pure: the same change gives the same bytes."""

    name: str

    @abstractmethod
    def pack(self, change: np.ndarray) -> np.ndarray:
        """A float32 tensor of any shape, all finite, as a vector of bytes (uint8)."""

    @abstractmethod
    def unpack(self, packed: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """The float32 tensor again, as near as the codec is. Never takes more room than the shape says.

        Raises ValueError, or another error of numpy's or zlib's, for bytes that `pack` did not make.
        """

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """As it stands in a request's settings."""


def sent(
    codec: Codec, start: Parameters, new: Parameters, kept: Parameters | None = None
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """(what is sent, what is kept for the next round): both name → array, of the weights before and after a site's round.

    kept: what was kept of the round before; None at first.   Raises TrainingError for weights of another form than `start`.
    """
    packed, left = {}, {}
    for name in sorted(start):
        if name not in new or new[name].shape != start[name].shape:
            raise TrainingError("these are the weights of another model", expected=f"{len(start)} tensors", got="others")
        change = new[name].astype(np.float32) - start[name].astype(np.float32)
        if kept is not None and name in kept and kept[name].shape == change.shape:
            change += kept[name]
        if not np.isfinite(change).all():
            raise TrainingError(f"{name} changed by NaN or infinity", expected="finite changes")
        packed[name] = codec.pack(change)
        left[name] = change - codec.unpack(packed[name], change.shape)
    return packed, left


def restored(codec: Codec, start: Parameters, packed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights that a site's message stands for: those before the round, moved by what it sent, in their own dtype.

    Raises TrainingError for a message that the codec did not make of a model of this form.
    """
    if set(packed) != set(start):
        raise TrainingError("this is an update of another model", expected=f"{len(start)} tensors", got=str(len(packed)))
    weights = {}
    for name in sorted(start):
        before = start[name]
        try:
            change = codec.unpack(np.asarray(packed[name]), before.shape)
        except Exception as error:  # whatever a library says of bytes that are none of ours
            raise _malformed(name, codec, type(error).__name__) from None
        if change.shape != before.shape or not np.isfinite(change).all():
            raise _malformed(name, codec, "another form, or numbers that are not finite")
        weights[name] = (before.astype(np.float32) + change).astype(before.dtype)
    return weights


def _malformed(name: str, codec: Codec, got: str) -> TrainingError:
    return TrainingError(
        f"tensor {name} does not hold what {codec.name} makes",
        expected="an update in the form that the request names",
        got=got,
        help="the site runs another version, or the bytes were changed on their way",
    )
