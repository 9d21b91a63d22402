"""Names and values as SQL: the only place where a word of a question becomes text that runs.

Names come from the schema and never from a question. Values are words of at most 64 printable characters, numbers or days,
checked when the question was read; here they are quoted as the two engines read them.
"""

from __future__ import annotations

from typing import Literal

from fedkit.errors import RequestError
from fedkit.warehouse.predicates import Value
from fedkit.warehouse.schema import Column

Dialect = Literal["duckdb", "postgres"]


def name(identifier: str) -> str:
    """A name of a view or column, quoted. Raises RequestError for what no name of a schema looks like."""
    if not (identifier.isidentifier() and identifier.isascii()):
        raise RequestError("not a name of the schema", expected="letters, digits and _", got="another form")
    return f'"{identifier}"'


def value(given: Value, column: Column, dialect: Dialect = "duckdb") -> str:
    """A value of a column. Raises RequestError for one that the column cannot hold."""
    if column.kind == "number":
        return number(given)
    if not isinstance(given, str):
        raise RequestError(f"{column.name} is no number", expected="a word", got=type(given).__name__)
    return f"DATE {text(given, dialect)}" if column.kind == "date" else text(given, dialect)


def number(given: Value) -> str:
    """A finite number: whole ones without a point, the others so that the same float is read."""
    if isinstance(given, str | bool):
        raise RequestError("not a number", expected="a number", got=type(given).__name__)
    return f"{given:d}" if isinstance(given, int) else f"CAST({given!r} AS DOUBLE PRECISION)"


def text(given: str, dialect: Dialect = "duckdb") -> str:
    """A string constant; ' is doubled, and nothing else has a meaning in it.

    In Postgres a backslash has one under a setting of the server (standard_conforming_strings off) and under E'' always: such a
    word is written with E'' and its backslashes doubled. Raises RequestError for a control character, which no word has.
    """
    if not given.isprintable():
        raise RequestError("not a word", expected="printable characters", got="others")
    quoted = given.replace("'", "''")
    if dialect == "postgres" and "\\" in quoted:
        return "E'" + quoted.replace("\\", "\\\\") + "'"
    return f"'{quoted}'"
