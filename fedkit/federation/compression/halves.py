"""bfloat16: the upper half of a float32, rounded to nearest (ties to even). Half the bytes; errs by 1 part in 256."""

from __future__ import annotations

from typing import Any

import numpy as np

from fedkit.federation.compression.base import Codec

_LARGEST = np.uint32(0x7F7F)  # the largest finite bfloat16: rounding up must not make it infinite


class Halves(Codec):
    """A change as bfloat16, little-endian: 2 bytes each."""

    name = "bf16"

    def pack(self, change: np.ndarray) -> np.ndarray:
        bits = np.ascontiguousarray(change, dtype="<f4").reshape(-1).view("<u4")
        upper = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
        too_large = (upper & 0x7FFF) > _LARGEST
        upper = np.where(too_large, (upper & 0x8000) | _LARGEST, upper)
        return upper.astype("<u2").view(np.uint8)

    def unpack(self, packed: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        upper = np.ascontiguousarray(packed, dtype=np.uint8).view("<u2").astype("<u4")
        return (upper << 16).view("<f4").reshape(shape)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.name}
