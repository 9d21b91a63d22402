"""What table may leave a site, and what the site itself takes out of it first.

    table = TableContract({"label": Category(("DRUG", "ADE")), "persons": Count()})
    table.protect([{"label": "DRUG", "persons": 112}, {"label": "ADE", "persons": 3}])      # []: 112 would give away the 3

A row leaves whole or not at all. One that rests on fewer than `threshold` persons stays, and so does each further row that is
needed so that no row that stays can be had by subtraction, even by somebody who knows every total. Counts that leave are
rounded. Rows leave in the order of the declared values, so that their order tells nothing. A row that is not there says
"nobody, fewer than the threshold, or hidden for another's sake", and not which.

The rules are for honest code: a steward reads whether a count column counts what its name says.

Threshold and rounding: SACRO/ACRO suppresses below 10 (Smith et al., "Safe machine learning model release and semi-automated
checking of research outputs", 2023), OpenSAFELY withholds counts up to 7 and rounds the rest to 5, DataSHIELD's `nfilter.tab`
is 3. Here: 10 and 5. Secondary suppression: Hundepool et al., "Statistical Disclosure Control", 2012, chapter 4.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from fedkit.errors import OutputRefused, RequestError
from fedkit.governance.suppression import to_hide

#: The most rows and columns that a table may have: beyond them nobody reads what leaves, and hiding takes long.
MAX_ROWS, MAX_COLUMNS, MAX_VALUES = 1_000, 16, 1_000

_LARGEST = 2**53 - 1

Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Category:
    """A column of words that were declared: what a row is about.

    values: all that may stand in it, in the order in which rows leave.   total: the one of them that stands for all others
    together, "" if there is none; without one the total is taken to be known anyway.
    """

    values: tuple[str, ...]
    total: str = ""

    def __post_init__(self) -> None:
        if not 1 <= len(self.values) <= MAX_VALUES or len(set(self.values)) != len(self.values):
            raise RequestError("a category needs values, each once", expected=f"1 to {MAX_VALUES} different words")
        if not all(isinstance(v, str) and 1 <= len(v) <= 64 and v.isprintable() for v in self.values):
            raise RequestError("a category's values are words", expected="1 to 64 printable characters each")
        if self.total and self.total not in self.values:
            raise RequestError("the total is none of the category's values", expected="one of the declared values")


@dataclass(frozen=True)
class Count:
    """A column that counts persons (or what is never fewer than its persons, such as their notes): whole, from 0, rounded."""


@dataclass(frozen=True)
class Number:
    """A column of bounded numbers: a mean, a share.

    low, high: what it may be.   over: the count column that says on how many persons it rests.
    digits: decimals that leave, 0 to 9; fewer can carry less.
    """

    low: float
    high: float
    over: str
    digits: int = 3

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise RequestError("a number column needs bounds", expected="two finite numbers, the lower one first")
        if not 0 <= self.digits <= 9:
            raise RequestError("a number column has 0 to 9 decimals", got=str(self.digits))


Column: TypeAlias = Category | Count | Number


@dataclass(frozen=True)
class TableContract:
    """The columns of a table, at least one of them a count, and the rules by which the site protects it.

    columns:   name → column.   max_rows: that the code may give back.
    threshold: a row with a smaller count in any count column stays at the site; persons.
    rounding:  counts leave as multiples of this; 1 leaves them as they are.
    Raises RequestError for a table that cannot be protected.
    """

    columns: Mapping[str, Column]
    max_rows: int = 100
    threshold: int = 10
    rounding: int = 5

    def __post_init__(self) -> None:
        counts = self.counts
        if not counts or len(self.columns) > MAX_COLUMNS:
            raise RequestError("a table needs a count column", expected=f"up to {MAX_COLUMNS} columns, one of them a count")
        if not all(isinstance(c, Category | Count | Number) for c in self.columns.values()):
            raise RequestError("no such kind of column", expected="Category, Count or Number")
        if not all(isinstance(name, str) and name.isidentifier() and len(name) <= 64 for name in self.columns):
            raise RequestError("a column's name is an identifier", expected="up to 64 letters, digits and _")
        for name, column in self.columns.items():
            if isinstance(column, Number) and column.over not in counts:
                raise RequestError(f"column {name} rests on no count", expected=f"over one of {counts}", got="another name")
        for value, least, most in ((self.max_rows, 1, MAX_ROWS), (self.threshold, 1, _LARGEST), (self.rounding, 1, _LARGEST)):
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise RequestError(
                    "a table's limits are whole numbers from 1", expected=f"max_rows up to {MAX_ROWS}, threshold, rounding"
                )

    @property
    def counts(self) -> list[str]:
        """Names of the count columns."""
        return [name for name, column in self.columns.items() if isinstance(column, Count)]

    @property
    def categories(self) -> dict[str, Category]:
        """Name → column, of the category columns; together they name a row."""
        return {name: column for name, column in self.columns.items() if isinstance(column, Category)}

    def at_least(self, threshold: int, rounding: int = 1) -> TableContract:
        """The same table under rules that are no weaker than these: of two values the stricter one holds."""
        return replace(self, threshold=max(self.threshold, threshold), rounding=max(self.rounding, rounding))

    def check(self, rows: Sequence[Row], name: str = "table") -> list[dict[str, Any]]:
        """The rows with plain values, in the declared order, if they are of this form. Raises OutputRefused.

        What is wrong is named by its declared column; a name or value that was not declared is not repeated.
        """
        if not isinstance(rows, list | tuple) or len(rows) > self.max_rows:
            got = f"{len(rows)} rows" if isinstance(rows, list | tuple) else "something else"
            raise OutputRefused(f"{name} is not what was declared", expected=f"a list of at most {self.max_rows} rows", got=got)
        plain: list[dict[str, Any]] = []
        for row in rows:
            if not isinstance(row, Mapping) or set(row) != set(self.columns):
                raise OutputRefused(f"a row of {name} has other columns", expected=f"exactly {list(self.columns)}")
            plain.append({key: _value(name, key, column, row[key]) for key, column in self.columns.items()})
        if len({self._key(row) for row in plain}) != len(plain):
            raise OutputRefused(f"{name} has two rows for the same", expected="one row for each combination of its categories")
        return sorted(plain, key=self._key)

    def protect(self, rows: Sequence[Row], name: str = "table") -> list[dict[str, Any]]:
        """The rows that may leave, counts rounded. Raises OutputRefused if the rows are not of this form.

        A row of nobody does not leave, whether or not the code has one for it, and hides no other and behind no other.
        """
        whole = [row for row in self.check(rows, name) if any(row[count] for count in self.counts)]
        hidden = to_hide(
            [self._key(row) for row in whole],
            [tuple(row[count] for count in self.counts) for row in whole],
            totals=[c.values.index(c.total) if c.total else None for c in self.categories.values()],
            threshold=max(self.threshold, (self.rounding + 1) // 2),  # else a count that is none would leave as 0
        )
        return [self._rounded(row) for number, row in enumerate(whole) if number not in hidden]

    def to_json(self) -> dict[str, Any]:
        return {
            "columns": {name: _column_to_json(column) for name, column in self.columns.items()},
            "order": list(self.columns),  # canonical JSON sorts names
            "max_rows": self.max_rows,
            "threshold": self.threshold,
            "rounding": self.rounding,
        }

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> TableContract:
        """Raises RequestError, KeyError or TypeError for anything else."""
        columns = {name: _column_from_json(row["columns"][name]) for name in row["order"]}
        if len(columns) != len(row["columns"]):
            raise RequestError("not a table contract", expected="the order of all its columns")
        return TableContract(columns, row["max_rows"], row["threshold"], row["rounding"])

    def _key(self, row: Row) -> tuple[int, ...]:
        return tuple(column.values.index(row[name]) for name, column in self.categories.items())

    def _rounded(self, row: dict[str, Any]) -> dict[str, Any]:
        return {**row, **{name: rounded(row[name], self.rounding) for name in self.counts}}


def rounded(count: int, base: int) -> int:
    """The multiple of `base` that is nearest; of two the higher."""
    return (2 * count + base) // (2 * base) * base


def _value(table: str, name: str, column: Column, value: Any) -> str | int | float:
    where = f"column {name} of {table}"
    if isinstance(column, Category):
        if not isinstance(value, str) or value not in column.values:
            raise OutputRefused(f"{where} holds a value that was not declared", expected=f"one of {list(column.values[:20])}")
        return column.values[column.values.index(value)]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise OutputRefused(f"{where} holds no finite number", expected="a number")
    if isinstance(column, Count):
        if value != int(value) or not 0 <= value <= _LARGEST:
            raise OutputRefused(f"{where} holds no count", expected="a whole number from 0")
        return int(value)
    if not column.low <= value <= column.high:
        raise OutputRefused(f"{where} is out of bounds", expected=f"from {column.low:g} to {column.high:g}", got="outside")
    return float(min(max(round(float(value), column.digits), column.low), column.high)) + 0.0  # no second zero


def _column_to_json(column: Column) -> dict[str, Any]:
    if isinstance(column, Category):
        return {"kind": "category", "values": list(column.values), **({"total": column.total} if column.total else {})}
    if isinstance(column, Count):
        return {"kind": "count"}
    return {"kind": "number", "low": column.low, "high": column.high, "over": column.over, "digits": column.digits}


def _column_from_json(row: Mapping[str, Any]) -> Column:
    if row["kind"] == "category":
        return Category(tuple(row["values"]), str(row.get("total", "")))
    if row["kind"] == "count":
        return Count()
    if row["kind"] == "number":
        return Number(float(row["low"]), float(row["high"]), str(row["over"]), int(row["digits"]))
    raise RequestError("no such kind of column", expected="category, count or number")
