"""A frame as one SELECT for DuckDB and Postgres, and what comes back as its arrays.

The statement has the person, then a number for each item; words and dates become numbers in the database already. It is made of
the schema's names and a checked question's constants, like all SQL that a site runs (`fedkit.warehouse.render`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fedkit.errors import SiteError
from fedkit.warehouse.render.conditions import condition, table_name
from fedkit.warehouse.render.literals import Dialect, name, text
from fedkit.warehouse.schema import SCHEMA, Schema, View
from fedkit.warehouse.statistics.frames import PERSON, Codes, Day, Figure, Frame, Item


def select(frame: Frame, dialect: Dialect = "duckdb", prefix: str = "", schema: Schema = SCHEMA) -> str:
    """The statement. Checks the frame first: raises RequestError for one that does not fit.

    prefix: the database schema in which a site keeps its views; "" for the one it looks in first.
    """
    frame.check(schema)
    view = schema.view(frame.view)
    items = [_expression(item, view, dialect, prefix, schema) for item in frame.items.values()]
    named = [f"{expression} AS {name(f'c{number}')}" for number, expression in enumerate(items)]
    where = f" WHERE {condition(frame.where, view, schema, dialect, prefix)}" if frame.where is not None else ""
    return f"SELECT {', '.join([name(PERSON), *named])} FROM {table_name(view, prefix)}{where}"


def columns(frame: Frame, fetched: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays of a frame. fetched: a column each, as the statement names them; masked, or NaN, where there is NULL.

    Raises SiteError, without a value, if the database gave something else.
    """
    if len(fetched) != len(frame.items) + 1 or len({len(array) for array in fetched}) > 1:
        raise SiteError("the warehouse gave another number of columns", expected=f"{len(frame.items) + 1}, equally long")
    found = {PERSON: _whole(fetched[0])}
    for (name_, item), array in zip(frame.items.items(), fetched[1:], strict=True):
        found[name_] = _amounts(array) if isinstance(item, Figure | Day) else _whole(array)
    return found


def _expression(item: Item, view: View, dialect: Dialect, prefix: str, schema: Schema) -> str:
    if isinstance(item, Figure):
        return f"CAST({name(item.column)} AS DOUBLE PRECISION)"
    if isinstance(item, Day):
        return f"CAST({name(item.column)} - DATE '1970-01-01' AS DOUBLE PRECISION)"
    if isinstance(item, Codes):
        cases = " ".join(f"WHEN {text(value, dialect)} THEN {place}" for place, value in enumerate(item.values))
        return f"CASE {name(item.column)} {cases} ELSE -1 END"
    return f"CASE WHEN {condition(item.when, view, schema, dialect, prefix)} THEN 1 ELSE 0 END"


def _amounts(array: np.ndarray) -> np.ndarray:
    try:
        return np.ma.filled(np.ma.asarray(array).astype(np.float64), np.nan)
    except (TypeError, ValueError):
        raise SiteError("the warehouse gave something that is no number", expected="numbers", got=str(array.dtype)) from None


def _whole(array: np.ndarray) -> np.ndarray:
    if np.ma.is_masked(array) or np.asarray(array).dtype.kind not in "iu":
        raise SiteError("the warehouse gave something that is no whole number", expected="whole numbers", got=str(array.dtype))
    return np.asarray(array).astype(np.int64)
