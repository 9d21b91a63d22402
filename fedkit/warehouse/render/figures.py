"""The figures of a question as expressions in SQL."""

from __future__ import annotations

from fedkit.warehouse.measures import COUNTS
from fedkit.warehouse.question import Question
from fedkit.warehouse.render.literals import name, number
from fedkit.warehouse.schema import Column


def cut(column: Column, bounds: tuple[float, float]) -> str:
    """A number cut to its bounds; NULL stays NULL, which it would not under LEAST and GREATEST."""
    low, high = map(number, bounds)
    column_name = name(column.name)
    whole = f"CASE WHEN {column_name} < {low} THEN {low} WHEN {column_name} > {high} THEN {high} ELSE {column_name} END"
    return f"CAST({whole} AS {'BIGINT' if column.whole else 'DOUBLE PRECISION'})"


def counting(part: str) -> str:
    """A count over rows: of rows themselves, or of distinct persons, notes, visits."""
    counted = COUNTS[part]
    return f"COUNT(DISTINCT {name(counted)})" if counted else "COUNT(*)"


def share(question: Question, column: str) -> str:
    """The part of an answer by which a person's share in a column is told: its sum, or its sum of squares."""
    return f"sum_{column}" if f"sum_{column}" in question.parts else f"squares_{column}"


def per_person(question: Question) -> dict[str, str]:
    """Column → expression, of the figures of one person in one group. Numbers are cut already, under their own names."""
    found = {}
    for part in question.parts:
        if part in COUNTS:
            if part != "persons":
                found[part] = counting(part)
            continue
        prefix, _, column = part.partition("_")
        column = name(column)
        found[part] = {"n": f"COUNT({column})", "sum": f"SUM({column})", "squares": f"SUM({column} * {column})"}[prefix]
    return found
