"""The answer of one site to a question, as cells: who is in which, and what is known beside them for the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fedkit.warehouse.implied import always
from fedkit.warehouse.measures import COUNTS
from fedkit.warehouse.question import Question
from fedkit.warehouse.schema import SCHEMA

Row = Mapping[str, Any]
Key = tuple[int, ...]


@dataclass(frozen=True)
class Cells:
    """Cells with somebody in them, in the declared order.

    keys: of each, the place of its label on each axis.   rows: of each, the figures, `Question.kept` among them.
    places: for each axis, the places that a row can have at all by the question's condition: others are empty by definition.
    """

    question: Question
    keys: tuple[Key, ...]
    rows: tuple[Row, ...]
    places: tuple[frozenset[int], ...]

    @staticmethod
    def of(question: Question, rows: Sequence[Row]) -> Cells:
        """The cells of a site's rows. Those of nobody are left out: they are no different from those that are not there."""
        axes = [group.labels(column) for group, column in question.columns()]
        names = [group.column for group in question.groups]
        at = [{label: place for place, label in enumerate(labels)} for labels in axes]
        there = sorted(
            (tuple(places[str(row[name])] for name, places in zip(names, at, strict=True)), number)
            for number, row in enumerate(rows)
            if row["persons"]
        )
        possible = tuple(_possible(question, name, labels) for name, labels in zip(names, axes, strict=True))
        return Cells(question, tuple(key for key, _ in there), tuple(rows[number] for _, number in there), possible)

    def counts(self) -> list[tuple[int, ...]]:
        """Of each cell, what a threshold is on: its persons, those with a value in each sum, and every count that leaves."""
        return [tuple(int(row[name]) for name in self.counted if name in row) for row in self.rows]

    @property
    def counted(self) -> tuple[str, ...]:
        """The figures that are counts: persons first."""
        question = self.question
        found = [part for part in question.parts if part in COUNTS or part.startswith("n_")]
        return (*found, *(name for name in question.kept if name.startswith("persons_")))

    def lines(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        """(axis, cells) for every line: cells that have all labels but that of one axis in common."""
        for axis in range(len(self.places)):
            found: dict[Key, list[int]] = {}
            for number, key in enumerate(self.keys):
                found.setdefault(key[:axis] + key[axis + 1 :], []).append(number)
            for numbers in found.values():
                yield axis, tuple(numbers)


def _possible(question: Question, name: str, labels: Sequence[str]) -> frozenset[int]:
    """Places of the labels that the question's condition leaves: all, but for a category that it compares with values."""
    column = SCHEMA.view(question.view).column(name)
    left = set(range(len(labels)))
    for compare in always(question.where):
        if compare.column != name:
            continue
        if column.kind == "category" and compare.op == "in":
            left &= {place for place, label in enumerate(labels) if label in compare.values}
        elif column.kind == "number":
            group = next(group for group in question.groups if group.column == name)
            pairs = list(zip(group.edges, group.edges[1:], strict=False))
            left &= {place for place, (low, high) in enumerate(pairs) if _meets(low, high, compare.op, compare.values)}
    return frozenset(left)


def _meets(low: float, high: float, op: str, values: Sequence[Any]) -> bool:
    """Whether a number from `low` to below `high` can be one that is compared so."""
    if op == "in":
        return any(low <= value < high for value in values)
    value = values[0]
    return {">=": high > value, ">": high > value, "<=": low <= value, "<": low < value}[op]
