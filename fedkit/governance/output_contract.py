"""What shape of result may leave a site: named tensors of declared shapes, bounded numbers, and tables under disclosure rules.

Never text that was not declared, never objects. A count of persons belongs in a table (of one row, if it is one count): the
site applies no threshold to `numbers`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fedkit.errors import OutputRefused, RequestError
from fedkit.governance.table_contract import Row, TableContract


@dataclass(frozen=True)
class OutputContract:
    """The only things that may leave: exactly these tensors, numbers and tables.

    tensors: name → shape; dtype float32.
    numbers: name → (lowest, highest) value; ints and floats, no bool.
    max_norm: greatest Euclidean norm over all tensors together, if set.
    norms:   name of a tensor → its greatest Euclidean norm (L2, over all its values); others have no bound of their own.
    tables:  name → what its rows may hold, and how the site protects them before they leave (`protect`).
    Raises RequestError if a norm is of no declared tensor, or below zero.
    """

    tensors: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    numbers: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    max_norm: float | None = None
    norms: Mapping[str, float] = field(default_factory=dict)
    tables: Mapping[str, TableContract] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not set(self.norms) <= set(self.tensors) or not all(norm >= 0 for norm in self.norms.values()):
            raise RequestError("a norm is of a declared tensor, and 0 or more", expected=f"names of {sorted(self.tensors)[:8]}")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; norms and tables only where there are any, so that what was signed before keeps its digest."""
        row: dict[str, Any] = {
            "tensors": {k: list(v) for k, v in self.tensors.items()},
            "numbers": {k: [float(a), float(b)] for k, (a, b) in self.numbers.items()},
            "max_norm": self.max_norm,
        }
        if self.norms:
            row["norms"] = {k: float(v) for k, v in self.norms.items()}
        if self.tables:
            row["tables"] = {k: v.to_json() for k, v in self.tables.items()}
        return row

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> OutputContract:
        return OutputContract(
            {k: tuple(v) for k, v in row["tensors"].items()},
            {k: (float(a), float(b)) for k, (a, b) in row["numbers"].items()},
            row["max_norm"],
            {k: float(v) for k, v in row.get("norms", {}).items()},
            {k: TableContract.from_json(v) for k, v in row.get("tables", {}).items()},
        )

    def at_least(self, threshold: int, rounding: int = 1) -> OutputContract:
        """The same contract with every table under rules no weaker than these."""
        return replace(self, tables={name: table.at_least(threshold, rounding) for name, table in self.tables.items()})

    def protect(self, tables: Mapping[str, Sequence[Row]]) -> dict[str, list[dict[str, Any]]]:
        """The tables as they may leave: small rows and what would give them away taken out, counts rounded. Done by the site.

        Raises OutputRefused if they are not exactly the declared ones, of the declared form.
        """
        self._only_declared({}, {}, tables)
        return {name: table.protect(tables.get(name, ()), name) for name, table in self.tables.items()}

    def check(
        self, tensors: Mapping[str, Any], numbers: Mapping[str, Any], tables: Mapping[str, Sequence[Row]] | None = None
    ) -> None:
        """Raises OutputRefused, naming the first thing that does not fit by its *declared* name.

        A name that was not declared is not repeated in the error: it could carry text out.
        """
        tables = tables or {}
        self._only_declared(tensors, numbers, tables)
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
            if name in self.norms and _norm(array) > self.norms[name]:
                raise OutputRefused(
                    f"the norm of tensor {name} is out of bounds", expected=f"at most {self.norms[name]:g}", got="more"
                )
        for name, (low, high) in self.numbers.items():
            value = numbers.get(name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise OutputRefused(f"number {name} is no finite number", expected=f"a number from {low:g} to {high:g}")
            if not low <= value <= high:
                raise OutputRefused(f"number {name} is out of bounds", expected=f"from {low:g} to {high:g}", got="outside")
        if self.max_norm is not None:
            norm = math.sqrt(sum(_norm(tensors[n]) ** 2 for n in self.tensors))
            if norm > self.max_norm:
                raise OutputRefused("the tensors' norm is out of bounds", expected=f"at most {self.max_norm:g}", got="more")
        for name, table in self.tables.items():
            table.check(tables.get(name, ()), name)

    def _only_declared(self, tensors: Mapping[str, Any], numbers: Mapping[str, Any], tables: Mapping[str, Any]) -> None:
        names = (set(tensors) - set(self.tensors), set(numbers) - set(self.numbers), set(tables) - set(self.tables))
        if surplus := sum(map(len, names)):
            raise OutputRefused(
                "the result holds something that was not declared",
                expected=f"tensors {sorted(self.tensors)[:8]}, numbers {sorted(self.numbers)[:20]}"
                + (f", tables {sorted(self.tables)[:8]}" if self.tables else ""),
                got=f"{surplus} undeclared names",
                help="declare it in the output contract and ask again",
            )


def _norm(array: np.ndarray) -> float:
    return math.sqrt(float(np.square(array, dtype=np.float64).sum()))
