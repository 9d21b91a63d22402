"""What shape of result may leave a site: named tensors of declared shapes and bounded numbers; never text, never objects."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fedkit.errors import OutputRefused


@dataclass(frozen=True)
class OutputContract:
    """The only things that may leave: exactly these tensors and exactly these numbers.

    tensors: name → shape; dtype float32.
    numbers: name → (lowest, highest) value; ints and floats, no bool.
    max_norm: greatest Euclidean norm over all tensors together, if set.
    """

    tensors: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    numbers: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    max_norm: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "tensors": {k: list(v) for k, v in self.tensors.items()},
            "numbers": {k: [float(a), float(b)] for k, (a, b) in self.numbers.items()},
            "max_norm": self.max_norm,
        }

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> OutputContract:
        return OutputContract(
            {k: tuple(v) for k, v in row["tensors"].items()},
            {k: (float(a), float(b)) for k, (a, b) in row["numbers"].items()},
            row["max_norm"],
        )

    def check(self, tensors: Mapping[str, Any], numbers: Mapping[str, Any]) -> None:
        """Raises OutputRefused, naming the first thing that does not fit by its *declared* name.

        A name that was not declared is not repeated in the error: it could carry text out.
        """
        if surplus := len((set(tensors) - set(self.tensors)) | (set(numbers) - set(self.numbers))):
            raise OutputRefused(
                "the result holds something that was not declared",
                expected=f"tensors {sorted(self.tensors)[:8]}, numbers {sorted(self.numbers)[:20]}",
                got=f"{surplus} undeclared names",
                help="declare it in the output contract and ask again",
            )
        for name, shape in self.tensors.items():
            array = tensors.get(name)
            if not isinstance(array, np.ndarray) or array.dtype != np.float32 or array.shape != tuple(shape):
                got = (
                    f"{array.dtype} {array.shape}"
                    if isinstance(array, np.ndarray) and array.dtype.kind in "fiub"
                    else "something else"
                )
                raise OutputRefused(f"tensor {name} is not what was declared", expected=f"float32 {tuple(shape)}", got=got)
            if not np.isfinite(array).all():
                raise OutputRefused(f"tensor {name} holds NaN or infinity", expected="finite numbers")
        for name, (low, high) in self.numbers.items():
            value = numbers.get(name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise OutputRefused(f"number {name} is no finite number", expected=f"a number from {low:g} to {high:g}")
            if not low <= value <= high:
                raise OutputRefused(f"number {name} is out of bounds", expected=f"from {low:g} to {high:g}", got="outside")
        if self.max_norm is not None:
            norm = math.sqrt(sum(float(np.square(tensors[n], dtype=np.float64).sum()) for n in self.tensors))
            if norm > self.max_norm:
                raise OutputRefused("the tensors' norm is out of bounds", expected=f"at most {self.max_norm:g}", got="more")
