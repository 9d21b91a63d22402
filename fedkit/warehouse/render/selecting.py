"""Plain columns of the rows that meet a condition: what a statistic is computed of, at the site."""

from __future__ import annotations

from collections.abc import Sequence

from fedkit.errors import RequestError
from fedkit.warehouse.predicates import Predicate, check
from fedkit.warehouse.render.conditions import condition, table_name
from fedkit.warehouse.render.literals import Dialect, name
from fedkit.warehouse.schema import SCHEMA, Schema


def select(
    view: str,
    columns: Sequence[str],
    where: Predicate | None = None,
    dialect: Dialect = "duckdb",
    prefix: str = "",
    schema: Schema = SCHEMA,
) -> str:
    """One SELECT of columns of a view, ids among them; the rows stay at the site. Raises RequestError for what does not fit."""
    table = schema.view(view)
    check(where, table, schema)
    if not columns:
        raise RequestError("no column was asked for", expected="at least one column", got="none")
    named = ", ".join(name(table.column(column).name) for column in columns)
    limit = f" WHERE {condition(where, table, schema, dialect, prefix)}" if where is not None else ""
    return f"SELECT {named} FROM {table_name(table, prefix)}{limit}"
