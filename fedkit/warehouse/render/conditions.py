"""A predicate as a condition in SQL that is true or false of every row, as the predicate is.

SQL has a third value for a comparison with NULL. `WHERE` takes it for false, as a predicate does; under a negation it would
differ, so `Not` is written `(…) IS NOT TRUE`, which both DuckDB and Postgres know (SQL:1999, F571 truth value tests).
"""

from __future__ import annotations

from fedkit.warehouse.predicates import All, Any, Compare, Has, Not, Predicate
from fedkit.warehouse.render.literals import Dialect, name, text, value
from fedkit.warehouse.schema import Schema, View


def condition(predicate: Predicate, view: View, schema: Schema, dialect: Dialect, prefix: str = "") -> str:
    """The condition on rows of a view. prefix: of the names of views, such as "warehouse."; see `table_name`.

    Raises RequestError for a column or value that the schema does not have.
    """

    def inner(part: Predicate) -> str:
        return condition(part, view, schema, dialect, prefix)

    if isinstance(predicate, Compare):
        return _compare(predicate, view, dialect)
    if isinstance(predicate, All):
        return "(" + " AND ".join(map(inner, predicate.parts)) + ")"
    if isinstance(predicate, Any):
        return "(" + " OR ".join(map(inner, predicate.parts)) + ")"
    if isinstance(predicate, Not):
        return f"({inner(predicate.part)}) IS NOT TRUE"
    return f"{name('person_id')} IN ({_persons(predicate, schema, dialect, prefix)})"


def table_name(view: View, prefix: str = "") -> str:
    """A view's name, behind that of a database schema where the site keeps its views in one."""
    return (f"{name(prefix)}." if prefix else "") + name(view.name)


def _persons(has: Has, schema: Schema, dialect: Dialect, prefix: str) -> str:
    view = schema.view(has.view)
    where = f" WHERE {condition(has.where, view, schema, dialect, prefix)}" if has.where is not None else ""
    return f"SELECT {name('person_id')} FROM {table_name(view, prefix)}{where}"


def _compare(compare: Compare, view: View, dialect: Dialect) -> str:
    column = view.column(compare.column)
    if compare.op == "starts":
        return f"starts_with({name(column.name)}, {text(str(compare.values[0]), dialect)})"
    values = [value(v, column, dialect) for v in compare.values]
    if compare.op == "in" and len(values) > 1:
        return f"{name(column.name)} IN ({', '.join(values)})"
    return f"{name(column.name)} {'=' if compare.op == 'in' else compare.op} {values[0]}"
