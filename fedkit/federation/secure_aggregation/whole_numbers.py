"""Whole numbers on the ring modulo 2³², so that sums of counts can be masked perfectly and come out exact.

Each site may give at most 2³¹ / sites, up or down, so that the sum of all keeps its sign. What is no whole number (a mean, a
bounded value) is put on a grid by whoever asks, before.
"""

from __future__ import annotations

import numpy as np

from fedkit.errors import TrainingError

#: Bits of the ring, those of `fixed_point`.
BITS = 32


def most(sites: int) -> int:
    """The largest number, up or down, that each of so many sites may add."""
    return (2 ** (BITS - 1) - 1) // sites


def to_ring(values: np.ndarray, sites: int) -> np.ndarray:
    """uint32 for a vector of integers (int64).   sites: at most how many are added.

    Raises TrainingError for another form, or for a number so large that the sum could lose its sign; it is not repeated.
    """
    if values.ndim != 1 or values.dtype != np.int64 or sites < 1:
        raise TrainingError("not a vector of whole numbers", expected="int64, one axis", got="another form")
    bound = most(sites)
    if values.size and not (-bound <= int(values.min()) and int(values.max()) <= bound):
        raise TrainingError(
            "a number is too large to be added under masks",
            expected=f"whole numbers from {-bound} to {bound} at each of {sites} sites",
            got="one beyond",
            help="ask for a sum with tighter bounds or a coarser grid, or for noise at each site",
        )
    return values.astype(np.uint32)  # two's complement: the ring's own idea of a negative number


def from_ring(total: np.ndarray) -> np.ndarray:
    """The sum as int64. Raises TrainingError for anything but a vector of uint32."""
    if total.ndim != 1 or total.dtype != np.uint32:
        raise TrainingError("not a sum of masked numbers", expected="uint32, one axis", got="another form")
    return total.astype(np.int32).astype(np.int64)
