"""int8: a byte for each change, and a scale for each row. A quarter of the bytes; errs by 1/254 of a row's largest change."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fedkit.federation.compression.base import Codec

_LARGEST = 127


class Integers(Codec):
    """The scales of the rows (float32, little-endian), then the changes as int8. A vector, or a number, is one row.

    Rows have scales of their own since those of a table of embeddings differ by orders of magnitude (Dettmers et al., "8-bit
    optimizers via block-wise quantization", ICLR 2022, for blocks).
    """

    name = "int8"

    def pack(self, change: np.ndarray) -> np.ndarray:
        rows = change.astype(np.float32).reshape(_rows(change.shape), -1)
        scale = (np.abs(rows).max(axis=1, initial=0.0) / _LARGEST).astype("<f4")
        safe = np.where(scale > 0, scale, 1).astype(np.float32)
        steps = np.clip(np.rint(rows / safe[:, None]), -_LARGEST, _LARGEST).astype(np.int8)
        return np.concatenate([scale.view(np.uint8), steps.reshape(-1).view(np.uint8)])

    def unpack(self, packed: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        count, size = _rows(shape), math.prod(shape)
        data = np.ascontiguousarray(packed, dtype=np.uint8)
        if data.size != 4 * count + size:
            raise ValueError("another number of bytes")
        steps = data[4 * count :].view(np.int8).astype(np.float32).reshape(count, -1)
        return (steps * data[: 4 * count].view("<f4")[:, None]).astype(np.float32).reshape(shape)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.name}


def _rows(shape: tuple[int, ...]) -> int:
    return shape[0] if len(shape) > 1 and shape[0] > 0 else 1
