"""Reading plain JSON that came from somebody else: exactly the declared fields, of the declared types."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fedkit.errors import RequestError

#: Whole numbers beyond this are no exact floats, and canonical JSON has none.
LARGEST = 2**53 - 1

#: The longest word of a category.
LONGEST = 64


def fields(row: object, what: str, *names: str) -> dict[str, Any]:
    """The fields of an object that has exactly these. Raises RequestError, without repeating a strange name."""
    if not isinstance(row, Mapping) or set(row) != set(names):
        raise RequestError(
            f"{what} is malformed",
            expected=f"an object with exactly {', '.join(names)}",
            got=f"an object with {len(row)} fields" if isinstance(row, Mapping) else type(row).__name__,
        )
    return dict(row)


def items(value: object, what: str, most: int, least: int = 0) -> list[Any]:
    """A list of so many items. Raises RequestError."""
    if isinstance(value, str) or not isinstance(value, Sequence) or not least <= len(value) <= most:
        got = f"{len(value)}" if isinstance(value, Sequence) and not isinstance(value, str) else type(value).__name__
        raise RequestError(f"{what} is malformed", expected=f"a list of {least} to {most}", got=got)
    return list(value)


def word(value: object, what: str) -> str:
    """A short printable word without a blank at its ends. Raises RequestError, without repeating it."""
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST or not value.isprintable() or value != value.strip():
        got = f"a text of {len(value)} characters" if isinstance(value, str) else type(value).__name__
        raise RequestError(f"{what} is no word", expected=f"1 to {LONGEST} printable characters, no blank at an end", got=got)
    return value


def number(value: object, what: str) -> float:
    """A finite number; a whole one as an int. Raises RequestError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > LARGEST:
        raise RequestError(f"{what} is no number", expected="a finite number", got=type(value).__name__)
    return int(value) if value == int(value) else float(value)


def whole(value: object, what: str, low: int, high: int) -> int:
    """A whole number within bounds. Raises RequestError."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        got = str(value)[:20] if isinstance(value, int) else type(value).__name__
        raise RequestError(f"{what} is not possible", expected=f"a whole number from {low} to {high}", got=got)
    return value
