"""The rows of the database as rows of an answer: declared names of groups, whole numbers as int, every figure there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import product
from typing import Any

from fedkit.errors import SiteError
from fedkit.warehouse.question import Question
from fedkit.warehouse.render.statement import rendered_groups
from fedkit.warehouse.schema import SCHEMA, Schema


def rows(question: Question, fetched: Iterable[Sequence[Any]], schema: Schema = SCHEMA) -> list[dict[str, Any]]:
    """The rows of an answer in the declared order: groups by name, then `question.parts`, then `question.kept`.

    fetched: what the database gave for `sql(question)`, in whatever order; a group that it does not have is not there, with
    noise it is there with zeros, since which groups are empty would tell something. Nothing is hidden and nothing rounded.
    Raises SiteError, without a value, if the database gave something else.
    """
    groups = rendered_groups(question, "duckdb", schema)
    figures = (*question.parts, *question.kept)
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in fetched:
        if len(row) != len(groups) + len(figures):
            raise SiteError(
                "the warehouse gave another number of columns", expected=f"{len(groups) + len(figures)}", got=f"{len(row)}"
            )
        labels = [group.label(value) for group, value in zip(groups, row, strict=False)]
        if None in labels:
            continue
        key = tuple(str(label) for label in labels)
        values = dict(zip(figures, map(_plain, row[len(groups) :]), strict=True))
        found[key] = {**{g.column.name: label for g, label in zip(groups, key, strict=True)}, **values}
    keys = list(product(*(group.group.labels(group.column) for group in groups)))
    if question.protection.mode == "rules":
        return [found[key] for key in keys if key in found]
    zeros = dict.fromkeys(figures, 0)
    return [found.get(key, {**{g.column.name: v for g, v in zip(groups, key, strict=True)}, **zeros}) for key in keys]


def _plain(value: Any) -> int | float:
    """A figure as int or float. Postgres gives sums of whole numbers as Decimal."""
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SiteError("the warehouse gave a figure that is no number", expected="a number", got=type(value).__name__)
    return value
