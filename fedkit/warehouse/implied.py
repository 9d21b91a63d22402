"""The groups that a condition implies: who asks for the years 2020 to 2024 and groups by year means these five.

Groups have to be declared, since none may come out of the data. Where a question does not name them, they are read off what
holds for every row that counts: the conditions that are joined by "and" at the top.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from fedkit.errors import RequestError
from fedkit.warehouse.groups import Group
from fedkit.warehouse.predicates import MAX_VALUES, All, Compare, Predicate
from fedkit.warehouse.schema import Column, View

#: A number column with no more values than this is grouped by each of them where nothing else is said (months, quarters).
FEW = 12


def implied(group: Group, view: View, where: Predicate | None) -> Group:
    """The group with the values or edges that the condition implies; one that says itself what it means stays as it is.

    Raises RequestError for a column that the view does not have, or more values than a group may have.
    """
    column = view.column(group.column)
    if group.values or group.edges or column.name == "site":
        return group
    compares = [part for part in always(where) if part.column == column.name]
    if column.kind == "category":
        lists = [[str(v) for v in c.values] for c in compares if c.op == "in"]
        return replace(group, values=tuple(v for v in lists[0] if all(v in other for other in lists))) if lists else group
    if column.kind == "number" and column.whole:
        return replace(group, edges=_edges(column, compares))
    return group


def always(where: Predicate | None) -> Iterator[Compare]:
    """The comparisons that hold for every row that counts."""
    if isinstance(where, Compare):
        yield where
    elif isinstance(where, All):
        for part in where.parts:
            yield from always(part)


def _edges(column: Column, compares: list[Compare]) -> tuple[float, ...]:
    """An edge at each whole number from the lowest to the highest that can be there; () if that is not said."""
    low, high = -math.inf, math.inf
    if column.low is not None and column.high is not None and column.high - column.low < FEW:
        low, high = column.low, column.high
    for compare in compares:
        values = [float(v) for v in compare.values]
        least, most = {
            "in": (min(values), max(values)),
            ">=": (values[0], math.inf),
            ">": (values[0] + 1, math.inf),
            "<=": (-math.inf, values[0]),
            "<": (-math.inf, values[0] - 1),
        }[compare.op]
        low, high = max(low, least), min(high, most)
    if column.low is not None and column.high is not None and math.isfinite(low) and math.isfinite(high):
        low, high = max(low, column.low), min(high, column.high)
    if not (math.isfinite(low) and math.isfinite(high)) or low > high:
        return ()
    if high - low + 1 >= MAX_VALUES:
        raise RequestError(
            f"{column.name} has too many groups",
            expected=f"fewer than {MAX_VALUES}",
            got=f"{high - low + 1:.0f}, one for each number from {low:.0f} to {high:.0f}",
            help="give edges, so that a group holds several",
        )
    return tuple(range(int(low), int(high) + 2))
