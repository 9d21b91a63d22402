"""A frame of a statistic as one SELECT: numbers, codes, flags and days; no word of the data comes back."""

from __future__ import annotations

from fedkit.warehouse.render.conditions import condition, table_name
from fedkit.warehouse.render.literals import Dialect, name, text
from fedkit.warehouse.schema import SCHEMA, Schema, View
from fedkit.warehouse.statistics.frames import PERSON, Codes, Figure, Frame, Holds, Item


def frame_sql(frame: Frame, dialect: Dialect, prefix: str, schema: Schema = SCHEMA) -> str:
    """The statement that selects a frame, `PERSON` first, then its items in their order.

    Checks the frame first: raises RequestError for what does not fit the schema, or an item whose name is none.
    """
    frame.check(schema)
    view = schema.view(frame.view)
    selected = [name(PERSON)]
    selected += [f"{_item(item, view, schema, dialect, prefix)} AS {name(word)}" for word, item in frame.items.items()]
    where = f" WHERE {condition(frame.where, view, schema, dialect, prefix)}" if frame.where is not None else ""
    return f"SELECT {', '.join(selected)} FROM {table_name(view, prefix)}{where}"


def _item(item: Item, view: View, schema: Schema, dialect: Dialect, prefix: str) -> str:
    if isinstance(item, Holds):
        return f"CASE WHEN {condition(item.when, view, schema, dialect, prefix)} THEN 1 ELSE 0 END"
    column = name(view.column(item.column).name)
    if isinstance(item, Codes):
        places = " ".join(f"WHEN {text(value, dialect)} THEN {place}" for place, value in enumerate(item.values))
        return f"CASE {column} {places} ELSE -1 END"
    if isinstance(item, Figure):
        return f"CAST({column} AS DOUBLE PRECISION)"
    return f"CAST({column} - DATE '1970-01-01' AS DOUBLE PRECISION)"
