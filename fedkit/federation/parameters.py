"""Model parameters as named arrays: their bytes on the wire, and the digest that names them.

The wire form is safetensors with sorted names: plain numbers, no code, the same bytes for the same values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from fedkit.digests import digest_bytes
from fedkit.errors import TrainingError

Parameters: TypeAlias = Mapping[str, np.ndarray]


def encode(parameters: Parameters) -> bytes:
    """The safetensors bytes of named arrays, names sorted, arrays made contiguous."""
    return save({name: np.ascontiguousarray(parameters[name]) for name in sorted(parameters)})


def decode(data: bytes) -> dict[str, np.ndarray]:
    """Named arrays from safetensors bytes, names sorted (safetensors has no order). Raises TrainingError for anything else."""
    try:
        return dict(sorted(load(data).items()))
    except (SafetensorError, KeyError, ValueError) as error:
        raise TrainingError(
            "not a set of parameters",
            expected="safetensors bytes",
            got=f"{len(data)} bytes that are not: {type(error).__name__}",
        ) from None


def digest_parameters(parameters: Parameters) -> str:
    """SHA-256 of the wire form."""
    return digest_bytes(encode(parameters))


def check_finite(parameters: Parameters, what: str) -> None:
    """Raises TrainingError if any value is NaN or infinite."""
    for name, array in parameters.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise TrainingError(
                f"{what}: {name} holds NaN or infinity",
                expected="finite numbers",
                help="lower the learning rate, or look for an empty batch at this site",
            )
