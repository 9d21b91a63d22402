"""Updates in fewer bits, read again as an auditor would: written apart from `fedkit.federation.compression`, on purpose.

The three forms are described in docs/compression.md. Every function takes a tensor's message (bytes) and its shape.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def unpacked(
    start: Mapping[str, np.ndarray], update: Mapping[str, np.ndarray], settings: Mapping[str, Any]
) -> Mapping[str, np.ndarray]:
    """A site's weights after its round; `update` itself where the request names no compression.

    start: the weights before it.   Raises ValueError, KeyError or TypeError for a message that is none.
    """
    import numpy as np

    asked = settings.get("compression")
    if not asked:
        return update
    read = {"ternary": _ternary, "int8": _int8, "bf16": _bf16}[asked["kind"]]
    return {name: (array + read(update[name], array.shape)).astype(np.float32) for name, array in start.items()}


def _bf16(message: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    import numpy as np

    whole = np.zeros((message.size // 2, 4), np.uint8)
    whole[:, 2:] = message.reshape(-1, 2)
    return whole.reshape(-1).view("<f4").reshape(shape)


def _int8(message: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    import numpy as np

    rows = shape[0] if len(shape) > 1 else 1
    scales, steps = message[: 4 * rows].copy().view("<f4"), message[4 * rows :].copy().view(np.int8)
    return (steps.reshape(rows, -1) * scales[:, None].astype(np.float32)).reshape(shape)


def _ternary(message: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    import numpy as np

    data, size = message.tobytes(), math.prod(shape)
    mean, number, length = struct.unpack("<fII", data[:12])
    gaps = zlib.decompressobj(-15).decompress(data[12 : 12 + length], size + 1)
    signs = np.unpackbits(np.frombuffer(data[12 + length :], np.uint8)).tolist()
    change, place, sent = [0.0] * size, -1, 0
    for gap in gaps:
        place += gap + (gap != 255)
        if gap != 255:
            change[place], sent = -mean if signs[sent] else mean, sent + 1
    if sent != number:
        raise ValueError("another number of changes")
    return np.array(change, np.float32).reshape(shape)
