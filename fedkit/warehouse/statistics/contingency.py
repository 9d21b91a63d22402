"""Persons by two variables at once, and whether one tells something of the other.

    table = contingency(ask, view="patients", rows=Group("sex", ("female", "male")), columns=Flag("implant", …))
    table.chi_square(), table.odds_ratio()

Cells are counts of distinct persons and leave as any table of counts does: under the site's threshold and rounding, or with
noise. A cell that stayed at a site is no zero, so a table with one is refused as a whole: its tests would be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from fedkit.errors import RequestError
from fedkit.warehouse import strict
from fedkit.warehouse.predicates import Predicate
from fedkit.warehouse.predicates import from_json as predicate_from_json
from fedkit.warehouse.question import MAX_CELLS, Protection, Question
from fedkit.warehouse.schema import SCHEMA, Schema
from fedkit.warehouse.statistics.association import Association
from fedkit.warehouse.statistics.base import Ask, Statistic, kept_groups, root_above
from fedkit.warehouse.statistics.frames import Columns, Frame
from fedkit.warehouse.statistics.limits import Limits
from fedkit.warehouse.statistics.variables import (
    Divider,
    Variable,
    check_variable,
    counts,
    divider,
    divider_from_json,
    item,
    labels,
    name_of,
    places,
    unlike,
)


@dataclass(frozen=True)
class Contingency(Statistic):
    """Distinct persons in each combination of two variables.

    view: what a row is; a person with several rows can be in several cells.   where: which rows; None for all.
    Raises RequestError for an amount, or for the same variable twice.
    """

    view: str
    rows: Divider
    columns: Divider
    where: Predicate | None = None
    protection: Protection = field(default_factory=Protection)

    kind: ClassVar[str] = "contingency"
    counts: ClassVar[bool] = True

    def __post_init__(self) -> None:
        strict.word(self.view, "the name of a view")
        unlike((divider(self.rows), divider(self.columns)))

    def shape(self) -> tuple[int, int]:
        """How many rows and columns the table has."""
        return len(labels(self.rows, self.view)), len(labels(self.columns, self.view))

    def cells(self) -> tuple[str, ...]:
        height, width = self.shape()
        return tuple(f"{row} {column}" for row in range(height) for column in range(width))

    def axes(self) -> Mapping[str, tuple[str, ...]]:
        return {"row": labels(self.rows, self.view), "column": labels(self.columns, self.view)}

    def variables(self) -> tuple[tuple[str, Variable], ...]:
        return (self.view, self.rows), (self.view, self.columns)

    def regions(self) -> tuple[Question, ...]:
        return counts(self.view, self.where, self.rows, self.columns)

    def frames(self) -> Mapping[str, Frame]:
        items = {name_of(v): item(v, self.view) for v in (self.rows, self.columns)}
        return {"rows": Frame(self.view, items, self.where)}

    def check(self, schema: Schema = SCHEMA) -> None:
        view = schema.view(self.view)
        for variable in (self.rows, self.columns):
            check_variable(variable, view, schema)
        height, width = self.shape()
        if min(height, width) < 2 or height * width > MAX_CELLS:
            raise RequestError(
                "the table has no such size",
                expected=f"two groups or more each way, at most {MAX_CELLS} cells",
                got=f"{height} by {width}",
            )
        super().check(schema)

    def figures(self, rows: Mapping[str, Columns], limits: Limits) -> Mapping[str, tuple[int, float]]:
        return {cell: (int(count), float(count)) for cell, count in zip(self.cells(), self.sums(rows), strict=True)}

    def sums(self, rows: Mapping[str, Columns]) -> np.ndarray:
        frame, (height, width) = rows["rows"], self.shape()
        row, column = places(self.rows, frame), places(self.columns, frame)
        place = np.where((row >= 0) & (column >= 0), row * width + column, -1)
        _, group = kept_groups(frame, place, self.protection)
        return np.bincount(group, minlength=height * width).astype(np.int64)

    def sensitivity(self) -> Fraction:
        return root_above(Fraction(self.protection.groups_per_person))

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "view": self.view,
            "rows": self.rows.to_json(),
            "columns": self.columns.to_json(),
            "where": None if self.where is None else self.where.to_json(),
            "protection": self.protection.to_json(),
        }

    @staticmethod
    def from_json(row: object) -> Contingency:
        """Raises RequestError for anything but exactly such a question."""
        row = strict.fields(row, "a question about a table", "kind", "view", "rows", "columns", "where", "protection")
        where = None if row["where"] is None else predicate_from_json(row["where"])
        rows, columns = divider_from_json(row["rows"]), divider_from_json(row["columns"])
        return Contingency(row["view"], rows, columns, where, Protection.from_json(row["protection"]))


def contingency(
    ask: Ask,
    *,
    view: str,
    rows: Divider,
    columns: Divider,
    where: Predicate | None = None,
    protection: Protection | None = None,
) -> Association:
    """The table over all sites that answered, with its tests.

    Raises RequestError for a question that does not fit the schema, OutputRefused if a site holds a cell back.
    """
    question = Contingency(view, rows, columns, where, protection or Protection())
    question.check()
    replies = ask(question)
    sums = question.added(replies)
    counts = np.array([sums[cell] for cell in question.cells()]).reshape(question.shape())
    names = labels(rows, view), labels(columns, view)
    return Association(counts, *names, question.noise(replies), replies.sites, replies.missing)
