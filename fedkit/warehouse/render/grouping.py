"""Groups as expressions in SQL, and the values that come back as the declared names of the groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fedkit.warehouse.groups import Group
from fedkit.warehouse.render.literals import Dialect, name, number, text
from fedkit.warehouse.schema import Column


@dataclass(frozen=True)
class RenderedGroup:
    """A group of a question in SQL.

    expression: what is grouped by.   condition: leaves out rows that are in no group, "" where there can be none or where they
    are dropped when read.
    """

    group: Group
    column: Column
    expression: str
    condition: str

    def label(self, value: Any) -> str | None:
        """The name of the group that the database means by a value; None for a value that no group has."""
        labels = self.group.labels(self.column)
        if self.column.kind == "category":
            return value if value in labels else None
        if value is None:
            return None
        place = int(value) - int(self.group.edges[0]) if self.group.single(self.column) else int(value)
        return labels[place] if 0 <= place < len(labels) else None


def grouped(group: Group, column: Column, dialect: Dialect, *, exactly: bool) -> RenderedGroup:
    """A group in SQL. exactly: whether rows in no group have to be left out by the database, as bounds on a person need."""
    column_name = name(column.name)
    if column.kind == "category":
        labels = group.labels(column)
        listed = f"{column_name} IN ({', '.join(text(label, dialect) for label in labels)})"
        # A closed category holds its declared values by the site's check of its views; what else there was would be dropped.
        return RenderedGroup(group, column, column_name, listed if exactly or group.values else "")
    first, last = number(group.edges[0]), number(group.edges[-1])
    condition = f"{column_name} >= {first} AND {column_name} < {last}"
    if group.single(column):
        return RenderedGroup(group, column, column_name, condition)
    steps = " ".join(f"WHEN {column_name} < {number(edge)} THEN {place}" for place, edge in enumerate(group.edges[1:]))
    return RenderedGroup(group, column, f"CASE {steps} END", condition)
