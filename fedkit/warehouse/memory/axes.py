"""Columns cut into classes, so that conditions can be compared on paper: each holds for a whole class or for none of it.

A category has a class for each value that is named anywhere, one for each prefix, and one for the rest; a number or date one
for each stretch between the values that it is compared with, and one for "missing"; "the person has such a row" has two.

Weights say how much of all rows a class is thought to hold, if every value that can be expected is as likely as any other. They
come out of the schema, never out of the data.
"""

from __future__ import annotations

import typing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from fedkit.warehouse.groups import Group
from fedkit.warehouse.predicates import Compare, Value
from fedkit.warehouse.schema import Column

#: Values that an open category is thought to have.
OPEN_VALUES = 20

#: What a number or date can be expected to be, where its column allows much more: (least, most); of a date, years.
EXPECTED = {
    "year": (2000, 2030),
    "birth_year": (1920, 2020),
    "date": (2000, 2030),
    "characters": (0, 10_000),
    "notes": (0, 100),
}

#: The share of rows in which a number or date is missing, and of persons who have such a row in another view.
MISSING, HAS = 0.05, 0.25

Point: typing.TypeAlias = tuple[float, int]


class Axis(typing.Protocol):
    """One thing that rows are told apart by. weights: of its classes, which add up to 1."""

    @property
    def weights(self) -> np.ndarray: ...

    def holds(self, compare: Compare) -> np.ndarray:
        """Class by class, whether a comparison of this column holds."""

    def labels(self, group: Group, column: Column) -> np.ndarray:
        """Class by class, the place of its group, -1 for none."""


@dataclass(frozen=True)
class Words:
    """A category. values: named and declared ones.   prefixes: that are compared with. An open one ends with the rest."""

    values: tuple[str, ...]
    prefixes: tuple[str, ...]
    weights: np.ndarray

    @staticmethod
    def of(column: Column, compares: Sequence[Compare], groups: Sequence[Group]) -> Words:
        named = {str(v) for c in compares if c.op == "in" for v in c.values} | {v for g in groups for v in g.values}
        values = tuple(dict.fromkeys((*column.values, *sorted(named - set(column.values)))))
        prefixes = tuple(sorted({str(c.values[0]) for c in compares if c.op == "starts"})) if column.open else ()
        sizes = [1.0] * (len(values) + len(prefixes))
        if column.open:
            sizes.append(max(1.0, float(OPEN_VALUES - len(sizes))))
        weights = np.array(sizes)
        return Words(values, prefixes, weights / weights.sum())

    def holds(self, compare: Compare) -> np.ndarray:
        found = np.zeros(len(self.weights), dtype=bool)
        if compare.op == "in":
            wanted = {str(v) for v in compare.values}
            found[: len(self.values)] = [value in wanted for value in self.values]
            return found
        words = (*self.values, *self.prefixes)
        found[: len(words)] = [word.startswith(str(compare.values[0])) for word in words]
        return found

    def labels(self, group: Group, column: Column) -> np.ndarray:
        places = {label: place for place, label in enumerate(group.labels(column))}
        found = np.full(len(self.weights), -1)
        found[: len(self.values)] = [places.get(value, -1) for value in self.values]
        return found


@dataclass(frozen=True)
class Stretches:
    """A number or date. cuts: where one stretch ends and the next begins; the last class is "missing"."""

    column: Column
    cuts: tuple[Point, ...]
    weights: np.ndarray

    @staticmethod
    def of(column: Column, compares: Sequence[Compare], groups: Sequence[Group]) -> Stretches:
        cuts = {cut for c in compares for v in c.values for cut in _cuts(column, c.op, v)}
        cuts |= {(float(edge), 0) for group in groups for edge in group.edges}
        ordered = tuple(sorted(cuts))
        low, high = _expected(column)
        borders = [low, *(min(max(at, low), high) for at, _ in ordered), high]
        sizes = np.maximum(np.diff(borders), 0.001 * (high - low))
        return Stretches(column, ordered, np.append(sizes / sizes.sum() * (1 - MISSING), MISSING))

    def holds(self, compare: Compare) -> np.ndarray:
        starts = [(-np.inf, 0), *self.cuts]
        found = np.zeros(len(self.weights), dtype=bool)
        if compare.op == "in":
            inside = {pair for value in compare.values for pair in [tuple(_cuts(self.column, "in", value))]}
            found[:-1] = [any(first <= start < last for first, last in inside) for start in starts]
            return found
        (cut,) = _cuts(self.column, compare.op, compare.values[0])
        found[:-1] = [(start >= cut) == (compare.op in (">", ">=")) for start in starts]
        return found

    def labels(self, group: Group, column: Column) -> np.ndarray:
        edges = [(float(edge), 0) for edge in group.edges]
        starts = [(-np.inf, 0), *self.cuts]
        found = np.full(len(self.weights), -1)
        for number, start in enumerate(starts):
            place = sum(edge <= start for edge in edges) - 1
            found[number] = place if place < len(edges) - 1 else -1
        return found


@dataclass(frozen=True)
class YesNo:
    """Whether something holds that is compared as a whole: a row in another view."""

    weights: np.ndarray

    def holds(self, compare: Compare) -> np.ndarray:
        raise NotImplementedError("a yes or no has no comparisons")

    def labels(self, group: Group, column: Column) -> np.ndarray:
        raise NotImplementedError("a yes or no has no groups")


def axis_of(column: Column, compares: Iterable[Compare], groups: Iterable[Group]) -> Axis:
    """The axis of a column: its classes are as few as all these comparisons and groups need."""
    compares, groups = tuple(compares), tuple(groups)
    return Words.of(column, compares, groups) if column.kind == "category" else Stretches.of(column, compares, groups)


def yes_no() -> Axis:
    """The axis of a row in another view: no, yes."""
    return YesNo(np.array([1 - HAS, HAS]))


def _number(column: Column, value: Value) -> float:
    return float(date.fromisoformat(str(value)).toordinal()) if column.kind == "date" else float(value)


def _cuts(column: Column, op: str, value: Value) -> list[Point]:
    """Where the line of a column is cut by a comparison: before a value, or after it."""
    at = _number(column, value)
    before: Point = (at, 0)
    after: Point = (at + 1, 0) if column.whole else (at, 1)
    return {"in": [before, after], ">=": [before], "<": [before], ">": [after], "<=": [after]}[op]


def _expected(column: Column) -> tuple[float, float]:
    low, high = EXPECTED.get(column.name, (column.low or 0.0, 1.0 + (column.high if column.high is not None else 100.0)))
    if column.kind == "date":
        return float(date(int(low), 1, 1).toordinal()), float(date(int(high), 1, 1).toordinal())
    return float(low), float(high)
