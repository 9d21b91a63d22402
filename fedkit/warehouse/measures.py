"""What a question measures in each group: persons, rows, or a bounded sum, and the columns of a site's answer it is made of.

    Measure("persons")                                   # distinct persons
    Measure("mean", "birth_year", 1900, 2020)            # values are cut to 1900 … 2020 before they are summed

A site answers with what can be added over sites (counts, sums, sums of squares); a mean or a variance is computed of the sums.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fedkit.errors import RequestError
from fedkit.warehouse import strict
from fedkit.warehouse.schema import Column, View
from fedkit.warehouse.suggestions import did_you_mean, shown

#: Kinds that count → the id column that is counted; "" counts rows.
COUNTS: Mapping[str, str] = {"persons": "person_id", "rows": "", "notes": "note_id", "visits": "visit_id"}

#: Kinds that are about a number column → prefixes of the columns that a site answers with.
SUMS: Mapping[str, tuple[str, ...]] = {
    "sum": ("n", "sum"),
    "mean": ("n", "sum"),
    "sum_of_squares": ("n", "squares"),
    "variance": ("n", "sum", "squares"),
}


@dataclass(frozen=True)
class Measure:
    """One figure for each group.

    kind:   of `COUNTS` or `SUMS`. "variance" divides by n - 1.
    column: the number column of a sum; "" for a count.
    low, high: every value is cut to these bounds first, so that no person weighs more than they say; None for a count.
    Raises RequestError for what is none of these.
    """

    kind: str
    column: str = ""
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or self.kind not in {**COUNTS, **SUMS}:
            names = [*COUNTS, *SUMS]
            raise RequestError(
                f"no measure {shown(self.kind)}",
                expected=f"one of {', '.join(names)}",
                got=shown(self.kind),
                help=did_you_mean(self.kind, names) if isinstance(self.kind, str) else "",
            )
        if self.kind in COUNTS:
            if self.column or self.low is not None or self.high is not None:
                raise RequestError(f"{self.kind} is a count and has no column", expected="no column and no bounds")
            return
        strict.word(self.column, "the column of a measure")
        if self.low is None or self.high is None:
            raise RequestError(
                f"{self.kind} of {shown(self.column)} needs bounds",
                expected="low and high: values beyond are cut to them",
                got="none",
            )
        low, high = strict.number(self.low, "a bound"), strict.number(self.high, "a bound")
        if not low < high:
            raise RequestError(
                "the bounds of a measure are the wrong way round", expected="low < high", got=f"{low:g}, {high:g}"
            )
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)

    @property
    def name(self) -> str:
        """Its column in a combined answer: "persons", "mean_birth_year"."""
        return self.kind if self.kind in COUNTS else f"{self.kind}_{self.column}"

    @property
    def parts(self) -> tuple[str, ...]:
        """The columns of a site's answer that it is made of: "persons", or "n_birth_year" and "sum_birth_year"."""
        if self.kind in COUNTS:
            return (self.kind,)
        return tuple(f"{prefix}_{self.column}" for prefix in SUMS[self.kind])

    @property
    def bounds(self) -> tuple[float, float]:
        """low and high of a sum. Raises RequestError for a count."""
        if self.low is None or self.high is None:
            raise RequestError(f"{self.kind} has no bounds", expected="a measure of a column")
        return self.low, self.high

    def of(self, row: Mapping[str, Any]) -> float | None:
        """The figure, of one row of an answer (of a site, or added over sites); None where there is too little to divide by."""
        values = [row.get(part) for part in self.parts]
        if any(value is None for value in values):
            return None
        if self.kind in ("persons", "rows", "notes", "visits", "sum", "sum_of_squares"):
            return values[-1]
        n, total = values[0], values[1]
        if n is None or total is None or n < (2 if self.kind == "variance" else 1):
            return None
        if self.kind == "mean":
            return total / n
        squares = values[2]
        return None if squares is None else max(0.0, (squares - total * total / n) / (n - 1))

    def check(self, view: View) -> None:
        """Raises RequestError for a measure that a view does not have, or bounds beyond what the column can be."""
        if counted := COUNTS.get(self.kind):
            if counted not in view:
                raise RequestError(
                    f"{view.name} cannot be counted by {self.kind}",
                    expected=f"one of {', '.join(k for k, c in COUNTS.items() if not c or c in view)}",
                    got=self.kind,
                )
            return
        if self.kind in COUNTS:
            return
        column = view.column(self.column)
        if column.kind != "number":
            raise RequestError(
                f"{self.column} is no number",
                expected=f"one of {', '.join(c.name for c in view.columns if c.kind == 'number')}",
                got=f"a column of kind {column.kind}",
                help="group by it instead" if column.kind == "category" else "",
            )
        check_bounds(self.bounds, column)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "column": self.column, "low": self.low, "high": self.high}

    @staticmethod
    def from_json(row: object) -> Measure:
        """Raises RequestError for anything else."""
        row = strict.fields(row, "a measure", "kind", "column", "low", "high")
        return Measure(row["kind"], row["column"], row["low"], row["high"])


def check_bounds(bounds: tuple[float, float], column: Column) -> None:
    """Raises RequestError if bounds lie beyond what a column can be, or are no whole numbers where it is whole."""
    low, high = bounds
    if (column.low is not None and low < column.low) or (column.high is not None and high > column.high):
        raise RequestError(
            f"the bounds of {column.name} are wider than the column",
            expected=f"from {column.low:g} to {column.high:g}",
            got=f"from {low:g} to {high:g}",
        )
    if column.whole and not (isinstance(low, int) and isinstance(high, int)):
        raise RequestError(f"{column.name} is a whole number", expected="whole bounds", got=f"{low:g} to {high:g}")
