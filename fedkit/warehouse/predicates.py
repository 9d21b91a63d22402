"""The conditions of a question: comparisons, joined by and, or, not; and whether the person has such a row in another view.

    All((Compare("label", "in", ("IMPLANT",)), Compare("year", ">=", (2020,)), Compare("year", "<=", (2024,))))
    Has("mentions", Compare("label", "in", ("DRUG",)))        # the person has a mention of a drug, in whatever note

A predicate is data. It is true or false of a row and never neither: a comparison with a missing number or date is false, and
its `Not` is true. That is where it differs from SQL's three values, and why two predicates can be told apart on paper.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from fedkit.errors import RequestError
from fedkit.warehouse import strict
from fedkit.warehouse.schema import Column, Schema, View
from fedkit.warehouse.suggestions import did_you_mean, shown

#: How deep conditions may be nested, how many comparisons there may be, and how many values one may name.
MAX_DEPTH, MAX_PARTS, MAX_VALUES = 12, 64, 200

#: Kind of column → the comparisons it has. "in": one of these values (or equal to the one). "starts": a category that begins
#: so, for codes with a hierarchy (ATC, ICD-10).
OPERATORS: Mapping[str, tuple[str, ...]] = {
    "category": ("in", "starts"),
    "number": ("in", ">=", "<=", ">", "<"),
    "date": ("in", ">=", "<=", ">", "<"),
    "id": (),
}

Value: TypeAlias = str | int | float


@dataclass(frozen=True)
class Compare:
    """A column compared with values: several for "in", one for every other operator.

    values: words, numbers, or dates as YYYY-MM-DD.   Raises RequestError for what no column can be compared with.
    """

    column: str
    op: str
    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        strict.word(self.column, "the name of a column")
        if not isinstance(self.op, str) or self.op not in ("in", "starts", ">=", "<=", ">", "<"):
            raise RequestError("no such comparison", expected="in, starts, >=, <=, > or <", got=shown(self.op))
        values = strict.items(
            self.values, f"what {shown(self.column)} is compared with", MAX_VALUES if self.op == "in" else 1, 1
        )
        plain = tuple(
            strict.word(v, f"a value of {shown(self.column)}")
            if isinstance(v, str)
            else strict.number(v, f"a value of {shown(self.column)}")
            for v in values
        )
        if len(set(plain)) != len(plain):
            raise RequestError(f"{shown(self.column)} is compared with a value twice", expected="each value once")
        object.__setattr__(self, "values", plain)

    def to_json(self) -> dict[str, typing.Any]:
        return {"column": self.column, "op": self.op, "values": list(self.values)}


@dataclass(frozen=True)
class All:
    """Every part is true. At least two parts: one stands for itself."""

    parts: tuple[Predicate, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", _parts(self.parts, "and"))

    def to_json(self) -> dict[str, typing.Any]:
        return {"all": [part.to_json() for part in self.parts]}


@dataclass(frozen=True)
class Any:
    """At least one part is true. At least two parts."""

    parts: tuple[Predicate, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", _parts(self.parts, "or"))

    def to_json(self) -> dict[str, typing.Any]:
        return {"any": [part.to_json() for part in self.parts]}


@dataclass(frozen=True)
class Not:
    """The part is false."""

    part: Predicate

    def __post_init__(self) -> None:
        _predicate(self.part)

    def to_json(self) -> dict[str, typing.Any]:
        return {"not": self.part.to_json()}


@dataclass(frozen=True)
class Has:
    """The person of the row has at least one row in another view that meets a condition (a semijoin over person_id).

    where: the condition on that other row; None for any row.
    """

    view: str
    where: Predicate | None = None

    def __post_init__(self) -> None:
        strict.word(self.view, "the name of a view")
        if self.where is not None:
            _predicate(self.where)

    def to_json(self) -> dict[str, typing.Any]:
        return {"has": self.view, "where": None if self.where is None else self.where.to_json()}


Predicate: TypeAlias = Compare | All | Any | Not | Has


def from_json(row: typing.Any, depth: int = 0) -> Predicate:
    """The predicate of plain JSON: exactly the fields of one of the kinds. Raises RequestError for anything else."""
    if depth >= MAX_DEPTH:
        raise _too_deep()
    if not isinstance(row, Mapping):
        raise RequestError("a condition is malformed", expected="an object", got=type(row).__name__)
    if "column" in row:
        row = strict.fields(row, "a comparison", "column", "op", "values")
        return Compare(
            row["column"], row["op"], tuple(strict.items(row["values"], "the values of a comparison", MAX_VALUES, 1))
        )
    if "all" in row or "any" in row:
        name = "all" if "all" in row else "any"
        inner = strict.items(strict.fields(row, "a condition", name)[name], f"the parts of {name}", MAX_PARTS, 2)
        parts = tuple(from_json(part, depth + 1) for part in inner)
        return All(parts) if name == "all" else Any(parts)
    if "not" in row:
        return Not(from_json(strict.fields(row, "a condition", "not")["not"], depth + 1))
    row = strict.fields(row, "a condition", "has", "where")
    return Has(row["has"], None if row["where"] is None else from_json(row["where"], depth + 1))


def walk(predicate: Predicate | None, depth: int = 0) -> Iterator[tuple[Predicate, int]]:
    """Every part with its depth, from the outside in; nothing for None. Raises RequestError beyond MAX_DEPTH."""
    if predicate is None:
        return
    if depth >= MAX_DEPTH:
        raise _too_deep()
    yield predicate, depth
    inner: tuple[Predicate | None, ...] = ()
    if isinstance(predicate, All | Any):
        inner = predicate.parts
    elif isinstance(predicate, Not):
        inner = (predicate.part,)
    elif isinstance(predicate, Has):
        inner = (predicate.where,)
    for part in inner:
        yield from walk(part, depth + 1)


def check(predicate: Predicate | None, view: View, schema: Schema) -> None:
    """Raises RequestError for a column that the view has not, a comparison that the column has not, a value that it cannot
    hold, or more than MAX_PARTS comparisons; with the near name."""
    if sum(1 for part, _ in walk(predicate) if isinstance(part, Compare | Has)) > MAX_PARTS:
        raise RequestError("there are too many conditions", expected=f"at most {MAX_PARTS} comparisons", got="more")
    _check(predicate, view, schema)


def _check(predicate: Predicate | None, view: View, schema: Schema) -> None:
    if isinstance(predicate, Compare):
        _check_compare(predicate, view.column(predicate.column))
    elif isinstance(predicate, All | Any):
        for part in predicate.parts:
            _check(part, view, schema)
    elif isinstance(predicate, Not):
        _check(predicate.part, view, schema)
    elif isinstance(predicate, Has):
        _check(predicate.where, schema.view(predicate.view), schema)


def _check_compare(compare: Compare, column: Column) -> None:
    operators = OPERATORS[column.kind]
    if not operators:
        raise RequestError(
            f"{column.name} cannot be compared",
            expected="a condition on another column: ids are counted and nothing else",
            got=compare.op,
        )
    if compare.op not in operators:
        raise RequestError(
            f"{column.name} has no comparison {compare.op}", expected=f"one of {', '.join(operators)}", got=compare.op
        )
    for value in compare.values:
        check_value(value, column, prefix=compare.op == "starts")


def check_value(value: Value, column: Column, *, prefix: bool = False) -> None:
    """Raises RequestError for a value that a column cannot hold; prefix: whether the beginning of one will do."""
    if column.kind == "number":
        if isinstance(value, str):
            raise RequestError(f"{column.name} is a number", expected="a number, without quotes", got=shown(value))
        if column.whole and not isinstance(value, int):
            raise RequestError(f"{column.name} is a whole number", expected="a whole number", got=f"{value:g}")
        return
    if not isinstance(value, str):
        kind = "a date in quotes, 'YYYY-MM-DD'" if column.kind == "date" else "a word in quotes"
        raise RequestError(f"{column.name} is no number", expected=kind, got=f"{value:g}")
    if column.kind == "date":
        if not is_day(value):
            raise RequestError(f"{column.name} is a date", expected="YYYY-MM-DD, a day of the calendar", got=shown(value))
    elif not prefix and not column.open and value not in column.values:
        raise RequestError(
            f"{column.name} has no value {shown(value)}",
            expected=f"one of {', '.join(column.values)}",
            got=shown(value),
            help=did_you_mean(value, column.values),
        )


def is_day(text: str) -> bool:
    """Whether a text is a day of the calendar, YYYY-MM-DD."""
    try:
        return len(text) == 10 and text.isascii() and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _parts(parts: object, what: str) -> tuple[Predicate, ...]:
    found = tuple(strict.items(parts, f"what is joined by {what}", MAX_PARTS, 2))
    for part in found:
        _predicate(part)
    return found


def _predicate(part: object) -> None:
    if not isinstance(part, Compare | All | Any | Not | Has):
        raise RequestError("a condition is malformed", expected="Compare, All, Any, Not or Has", got=type(part).__name__)


def _too_deep() -> RequestError:
    return RequestError("the conditions are nested too deep", expected=f"at most {MAX_DEPTH} levels", got="more")
