"""What a statistic reads of a site: named columns of one view, as numbers. The site selects them over its hardened connection.

    Frame("patients", {"born": Figure("birth_year"), "sex": Codes("sex", ("female", "male")), "any": Holds(Has("mentions"))})

Nothing of a frame leaves the site; a site's step (`Statistic.answer`) makes sums of it. Words and dates come as numbers, so no
word out of the data is in a frame, and none can be in an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from fedkit.errors import RequestError
from fedkit.warehouse.predicates import Predicate, check
from fedkit.warehouse.schema import SCHEMA, Schema

#: The column of every frame that says whose a row is.
PERSON = "person_id"

#: Name → array, all of one length, and `PERSON` among them (int64); see the items for the types.
Columns: TypeAlias = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Figure:
    """A number column as it is. float64; NaN where it is NULL."""

    column: str


@dataclass(frozen=True)
class Codes:
    """A category as the place of its value among `values`, from 0; -1 for every other value. int64."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Holds:
    """Whether a condition is true of the row: 1 or 0. int64."""

    when: Predicate


@dataclass(frozen=True)
class Day:
    """A date as days since 1970-01-01. float64; NaN where it is NULL."""

    column: str


Item: TypeAlias = Figure | Codes | Holds | Day


@dataclass(frozen=True)
class Frame:
    """Rows of a view. items: name → what is selected under it; `PERSON` comes by itself.   where: which rows; None for all."""

    view: str
    items: Mapping[str, Item]
    where: Predicate | None = None

    def check(self, schema: Schema = SCHEMA) -> None:
        """Raises RequestError, with the near name, if a view or column is not there or is of another kind."""
        view = schema.view(self.view)
        for item in self.items.values():
            if isinstance(item, Holds):
                check(item.when, view, schema)
                continue
            column, kind = view.column(item.column), _KINDS[type(item)]
            if column.kind != kind:
                raise RequestError(
                    f"{column.name} is no {kind}",
                    expected=f"one of {', '.join(c.name for c in view.columns if c.kind == kind)}",
                    got=f"a column of kind {column.kind}",
                )
        check(self.where, view, schema)


_KINDS = {Figure: "number", Codes: "category", Day: "date"}


def rows_in(columns: Columns) -> int:
    """How many rows a frame has."""
    return len(columns[PERSON])


def taken(columns: Columns, rows: np.ndarray) -> dict[str, np.ndarray]:
    """The frame with these rows only. rows: a mask or places."""
    return {name: values[rows] for name, values in columns.items()}


def persons_in(columns: Columns, rows: np.ndarray | None = None) -> int:
    """Distinct persons of a frame, or of some of its rows."""
    return len(np.unique(columns[PERSON] if rows is None else columns[PERSON][rows]))


def by_person(columns: Columns, parts: np.ndarray) -> np.ndarray:
    """What each distinct person adds to a sum. parts: one number a row."""
    _, place = np.unique(columns[PERSON], return_inverse=True)
    return np.bincount(place, weights=parts)
