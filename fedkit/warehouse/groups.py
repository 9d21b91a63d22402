"""What an answer is grouped by, and what its groups are called. All groups are declared: none comes out of the data.

Group("sex")                                          # every declared value
Group("department", values=("Ortopedi", "Medisin"))   # rows of other departments are in no group
Group("year", edges=(2020, 2021, 2022))               # '2020', '2021'
Group("birth_year", edges=(1900, 1950, 2000))         # '1900-1949', '1950-1999'
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from fedkit.errors import RequestError
from fedkit.warehouse import strict
from fedkit.warehouse.predicates import MAX_VALUES, check_value
from fedkit.warehouse.schema import Column, View
from fedkit.warehouse.suggestions import shown


@dataclass(frozen=True)
class Group:
    """A column whose values are the groups.

    values: of a category, those that have a group, in the order of the answer; () for all that are declared. A row with another
        value is in no group.
    edges:  of a number, ascending: a group from each edge to below the next. A row outside or without a number is in no group.
    Raises RequestError for anything else.
    """

    column: str
    values: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        strict.word(self.column, "the name of a column")
        name = shown(self.column)
        values = tuple(
            strict.word(v, f"a group of {name}") for v in strict.items(self.values, f"the groups of {name}", MAX_VALUES)
        )
        edges = tuple(
            strict.number(e, f"an edge of {name}") for e in strict.items(self.edges, f"the edges of {name}", MAX_VALUES)
        )
        if values and edges:
            raise RequestError(
                f"{name} is grouped by values and by edges", expected="values of a category, or edges of a number"
            )
        if len(set(values)) != len(values):
            raise RequestError(f"a group of {name} stands twice", expected="each value once")
        if len(edges) == 1 or any(a >= b for a, b in pairwise(edges)):
            raise RequestError(f"the edges of {name} do not ascend", expected="two or more numbers, each higher than the last")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "edges", edges)

    def check(self, view: View) -> Column:
        """The column. Raises RequestError for a column that cannot be grouped so."""
        column = view.column(self.column)
        if column.kind in ("id", "date"):
            raise RequestError(
                f"{column.name} cannot be grouped",
                expected=f"one of {', '.join(c.name for c in view.columns if c.kind in ('category', 'number'))}",
                got=f"a column of kind {column.kind}",
                help="group by year, quarter or month" if column.kind == "date" else "ids are counted and nothing else",
            )
        if column.kind == "number":
            self._check_edges(column)
        elif self.edges:
            raise RequestError(f"{column.name} is no number", expected="values, no edges", got="edges")
        elif column.name == "site":
            if self.values:
                raise RequestError("the groups of site are the sites that answer", expected="no values", got="values")
        elif column.open and not self.values and not column.values:
            raise RequestError(
                f"the groups of {column.name} are not declared",
                expected="values: the words that may stand in the answer",
                got="none",
                help=f"every site has its own words for {column.name}: its catalogue has them",
            )
        for value in self.values:
            check_value(value, column)
        return column

    def _check_edges(self, column: Column) -> None:
        if self.values or not self.edges:
            raise RequestError(
                f"{column.name} is a number and is grouped by edges",
                expected=f"edges, such as ({column.low:g}, …), or a condition from … to …",
                got="none",
                help=f"say which ones: a condition on {column.name}, or edges",
            )
        if column.whole and not all(isinstance(edge, int) for edge in self.edges):
            raise RequestError(f"{column.name} is a whole number", expected="whole edges", got="others")
        if (column.low is not None and self.edges[0] < column.low) or (
            column.high is not None and self.edges[-1] > column.high + 1
        ):
            raise RequestError(
                f"the edges of {column.name} go beyond it",
                expected=f"from {column.low:g} to {column.high + 1 if column.high is not None else 0:g}",
                got=f"from {self.edges[0]:g} to {self.edges[-1]:g}",
            )

    def single(self, column: Column) -> bool:
        """Whether each group is one whole number."""
        return bool(self.edges) and column.whole and all(b - a == 1 for a, b in pairwise(self.edges))

    def labels(self, column: Column) -> tuple[str, ...]:
        """What the groups are called, in the order of the answer. Of `site`, that is for the sites to say: ()."""
        if not self.edges:
            return self.values or column.values
        return tuple(_label(a, b, column.whole) for a, b in pairwise(self.edges))

    def to_json(self) -> dict[str, Any]:
        return {"column": self.column, "values": list(self.values), "edges": list(self.edges)}

    @staticmethod
    def from_json(row: object) -> Group:
        """Raises RequestError for anything else."""
        row = strict.fields(row, "a group", "column", "values", "edges")
        return Group(
            row["column"],
            tuple(strict.items(row["values"], "the values of a group", MAX_VALUES)),
            tuple(strict.items(row["edges"], "the edges of a group", MAX_VALUES)),
        )


def _label(low: float, high: float, whole: bool) -> str:
    if whole:
        return f"{low:.0f}" if high - low == 1 else f"{low:.0f}-{high - 1:.0f}"
    return f"{low!r} to below {high!r}"
