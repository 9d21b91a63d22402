"""What a statistic is about: an amount, groups, or a yes and no, as a question declares it and as columns of a frame.

    Amount("birth_year", 1920, 2010)                         # a number, cut to its bounds and scaled to -1 … 1
    Group("sex", values=("female", "male"))                  # the first value is the reference of a model
    Flag("implant", Has("mentions", Compare("label", "in", ("IMPLANT",))))      # any condition, under a name

A row without a value (NULL, or a word that is in no group) is left out of the statistic; how many there are, a count tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from fedkit.errors import RequestError
from fedkit.warehouse import strict
from fedkit.warehouse.groups import Group
from fedkit.warehouse.measures import Measure, check_bounds
from fedkit.warehouse.predicates import All, Compare, Has, Not, Predicate, check
from fedkit.warehouse.predicates import Any as AnyOf
from fedkit.warehouse.predicates import from_json as predicate_from_json
from fedkit.warehouse.question import Question
from fedkit.warehouse.schema import SCHEMA, Schema, View
from fedkit.warehouse.statistics.frames import PERSON, Codes, Columns, Figure, Holds, Item
from fedkit.warehouse.suggestions import shown

#: The values of a flag, as everywhere in the warehouse.
NO_YES = ("no", "yes")


@dataclass(frozen=True)
class Amount:
    """A number column, cut to bounds. low, high: of the values, in the column's unit."""

    column: str
    low: float
    high: float

    def __post_init__(self) -> None:
        strict.word(self.column, "the name of a column")
        low, high = strict.number(self.low, "a bound"), strict.number(self.high, "a bound")
        if not low < high:
            raise RequestError("bounds are the wrong way round", expected="low < high", got=f"{low:g}, {high:g}")
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)

    @property
    def name(self) -> str:
        return self.column

    @property
    def middle(self) -> float:
        """The value that is 0 when scaled."""
        return (self.low + self.high) / 2

    @property
    def half(self) -> float:
        """The distance from the middle that is 1 when scaled."""
        return (self.high - self.low) / 2

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """Values cut to the bounds, -1 … 1; NaN stays NaN."""
        return (np.clip(values, self.low, self.high) - self.middle) / self.half

    def to_json(self) -> dict[str, Any]:
        return {"amount": self.column, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Flag:
    """Whether a condition is true of the row.

    name: 1 to 32 letters, digits and _, for the answer.   when: the condition.
    """

    name: str
    when: Predicate

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name.isascii() and self.name.isidentifier() and len(self.name) <= 32):
            raise RequestError("a flag's name is an identifier", expected="1 to 32 letters, digits and _", got=shown(self.name))
        if self.name.lower() == PERSON:
            raise RequestError(f"no flag can be called {PERSON}", expected="another name", got=PERSON)
        if not isinstance(self.when, Compare | All | AnyOf | Not | Has):
            raise RequestError("a flag needs a condition", expected="Compare, All, Any, Not or Has")

    def to_json(self) -> dict[str, Any]:
        return {"flag": self.name, "when": self.when.to_json()}


#: What divides rows into groups.
Divider: TypeAlias = Group | Flag
Variable: TypeAlias = Amount | Group | Flag


def from_json(row: object) -> Variable:
    """The variable of plain JSON. Raises RequestError for anything else."""
    if isinstance(row, Mapping) and "amount" in row:
        row = strict.fields(row, "an amount", "amount", "low", "high")
        return Amount(row["amount"], row["low"], row["high"])
    if isinstance(row, Mapping) and "flag" in row:
        row = strict.fields(row, "a flag", "flag", "when")
        return Flag(row["flag"], predicate_from_json(row["when"]))
    return Group.from_json(row)


def divider_from_json(row: object) -> Divider:
    """As `from_json`, without amounts. Raises RequestError."""
    return divider(from_json(row))


def divider(variable: Variable) -> Divider:
    """Raises RequestError for an amount."""
    if isinstance(variable, Amount):
        raise RequestError(
            f"{variable.name} is not divided into groups",
            expected="a Group or a Flag",
            got="an Amount",
            help=f'give edges: Group("{variable.name}", edges=(…))',
        )
    return variable


def name_of(variable: Variable) -> str:
    """The name under which it stands in frames and answers."""
    return variable.column if isinstance(variable, Group) else variable.name


def check_variable(variable: Variable, view: View, schema: Schema = SCHEMA) -> None:
    """Raises RequestError, with the near name, if a view does not have it."""
    if isinstance(variable, Flag):
        check(variable.when, view, schema)
        return
    if name_of(variable) == "site":
        raise RequestError("a site is no variable of a statistic", expected="a column within a site", got="site")
    if isinstance(variable, Group):
        variable.check(view)
        return
    column = view.column(variable.column)
    if column.kind != "number":
        raise RequestError(
            f"{column.name} is no number", expected="a column of kind number", got=f"a column of kind {column.kind}"
        )
    check_bounds((variable.low, variable.high), column)


def labels(divider: Divider, view: str) -> tuple[str, ...]:
    """What its groups are called, in order."""
    if isinstance(divider, Flag):
        return NO_YES
    return divider.values or divider.labels(SCHEMA.view(view).column(divider.column))


def item(variable: Variable, view: str) -> Item:
    """What is selected for it."""
    if isinstance(variable, Flag):
        return Holds(variable.when)
    if isinstance(variable, Amount) or variable.edges:
        return Figure(variable.column)
    return Codes(variable.column, labels(variable, view))


def places(divider: Divider, columns: Columns) -> np.ndarray:
    """The group of each row of a frame, as its place among `labels`; -1 for none. int64."""
    values = columns[name_of(divider)]
    if isinstance(divider, Flag) or not divider.edges:
        return values.astype(np.int64)
    edges = np.asarray(divider.edges, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        place = np.searchsorted(edges, values, side="right") - 1
        inside = (values >= edges[0]) & (values < edges[-1])  # a NaN is inside nothing
    return np.where(inside, place, -1).astype(np.int64)


def counts(view: str, where: Predicate | None, *dividers: Divider) -> tuple[Question, ...]:
    """Questions that count the persons in each combination of groups; one for either side of a flag."""
    conditions: list[tuple[Predicate, ...]] = [() if where is None else (where,)]
    for flag in (d for d in dividers if isinstance(d, Flag)):
        conditions = [(*parts, side) for parts in conditions for side in (flag.when, Not(flag.when))]
    by = tuple(d for d in dividers if isinstance(d, Group))
    joined = [None if not parts else parts[0] if len(parts) == 1 else All(parts) for parts in conditions]
    return tuple(Question(view, (Measure("persons"),), condition, by) for condition in joined)


def unlike(variables: Sequence[Variable]) -> None:
    """Raises RequestError if two have one name; databases read upper and lower case alike."""
    names = [name_of(v).lower() for v in variables]
    if len(set(names)) != len(names):
        raise RequestError("a variable stands twice", expected="each column and each flag once", got=", ".join(names)[:80])
