"""Floats as integers modulo 2³², so that sums are exact, come out the same in any order, and can be masked perfectly.

A tensor is encoded with a step that follows from its range and from how many sites are added, so that the sum of all never
leaves the ring. The range is taken from what all sites have in common: the weights that came into the round.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fedkit.errors import TrainingError
from fedkit.federation.parameters import Parameters

#: Bits of the ring. A value takes as many bytes as a float32.
BITS = 32

#: How far a weight may move in a round, as a multiple of the largest weight of its tensor (or of 1, if that is more).
HEADROOM = 4.0


@dataclass(frozen=True)
class Grid:
    """How one tensor is put on integers: values from -bound to bound, `step` apart.

    step is a power of two, so that encoding loses at most step/2 and nothing else.
    """

    shape: tuple[int, ...]
    bound: float
    step: float


def grids(start: Parameters, sites: int) -> dict[str, Grid]:
    """name → grid for every tensor of `start`, the weights that came into the round.

    sites: at most how many are added (at least 1).   Raises TrainingError for NaN or infinity.
    """
    made = {}
    for name in sorted(start):
        largest = float(np.abs(start[name]).max(initial=0.0))
        if not math.isfinite(largest):
            raise TrainingError(f"{name} holds NaN or infinity", expected="finite weights")
        bound = HEADROOM * max(1.0, largest)
        # sites · bound / step < 2^31, so that the sum keeps its sign.
        step = 2.0 ** math.ceil(math.log2(sites * bound) - (BITS - 1) + 1e-9)
        while sites * (math.floor(bound / step) + 1) >= 2 ** (BITS - 1):
            step *= 2
        made[name] = Grid(start[name].shape, bound, step)
    return made


def encode(parameters: Parameters, on: Mapping[str, Grid]) -> np.ndarray:
    """One vector of uint32 for all tensors, in the order of their names; values rounded to the nearest step (half to even).

    Raises TrainingError for another form, for what is not finite, and for a value beyond its bound: such an update diverges.
    """
    if set(parameters) != set(on):
        raise TrainingError("these are the weights of another model", expected=f"{len(on)} tensors", got=str(len(parameters)))
    parts = []
    for name in sorted(on):
        grid, array = on[name], parameters[name]
        if array.shape != grid.shape:
            raise TrainingError(f"tensor {name} has another form", expected=str(grid.shape), got=str(array.shape))
        values = np.asarray(array, dtype=np.float64).ravel()
        if not np.all(np.abs(values) <= grid.bound):  # NaN is refused too
            raise TrainingError(
                f"tensor {name} moved too far in one round",
                expected=f"finite values from {-grid.bound:g} to {grid.bound:g}",
                got="a value beyond, or none",
                help="lower the learning rate",
            )
        parts.append(np.rint(values / grid.step).astype(np.int64).astype(np.uint32))
    return np.concatenate(parts) if parts else np.zeros(0, np.uint32)


def decode(total: np.ndarray, on: Mapping[str, Grid]) -> dict[str, np.ndarray]:
    """The float64 tensors of a sum of encoded vectors. Raises TrainingError if its length does not fit."""
    sizes = {name: math.prod(on[name].shape) for name in sorted(on)}
    if total.dtype != np.uint32 or total.shape != (sum(sizes.values()),):
        raise TrainingError("the sum has another form", expected=f"{sum(sizes.values())} uint32", got=f"{total.size}")
    tensors, at = {}, 0
    for name, size in sizes.items():
        part = total[at : at + size].astype(np.int32).astype(np.float64) * on[name].step
        tensors[name] = part.reshape(on[name].shape)
        at += size
    return tensors
