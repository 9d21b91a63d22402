"""How a setting may differ from the one that was reviewed: within a range, among choices, or by a short name. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fedkit.digests import canonical
from fedkit.errors import DigestMismatch, RequestError

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Range:
    """A number from `low` to `high`, both included. whole: only whole ones; default: if both bounds are of type int.

    It stands in the JSON, since that does not tell 1 from 1.0. Raises RequestError for another range.
    """

    low: float
    high: float
    whole: bool | None = None

    def __post_init__(self) -> None:
        if not all(_is_number(bound) for bound in (self.low, self.high)) or not self.low <= self.high:
            raise RequestError("not a range", expected="two finite numbers, the lower first", got="others")
        whole = self.whole if self.whole is not None else isinstance(self.low, int) and isinstance(self.high, int)
        object.__setattr__(self, "whole", whole)

    def check(self, name: str, value: Any) -> None:
        """Raises DigestMismatch, without the value, unless it is in the range."""
        if not _is_number(value) or (self.whole and value != int(value)) or not self.low <= value <= self.high:
            raise _other(name, self.explain())

    def explain(self) -> str:
        return f"{'a whole number ' if self.whole else ''}from {self.low:g} to {self.high:g}"

    def to_json(self) -> dict[str, Any]:
        return {"range": [self.low, self.high], "whole": self.whole}


@dataclass(frozen=True)
class Choices:
    """One of these values, as plain JSON. Raises RequestError if there is none, or one is no plain JSON."""

    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))
        try:
            canonical(list(self.values))
        except (ValueError, RecursionError):
            raise RequestError("not choices", expected="values that are plain JSON", got="others") from None
        if not self.values:
            raise RequestError("not choices", expected="at least one value", got="none")

    def check(self, name: str, value: Any) -> None:
        """Raises DigestMismatch, without the value, unless it is one of them."""
        if canonical(value) not in [canonical(known) for known in self.values]:
            raise _other(name, self.explain())

    def explain(self) -> str:
        return f"one of {', '.join(canonical(value).decode() for value in self.values)}"

    def to_json(self) -> dict[str, Any]:
        return {"choices": list(self.values)}


@dataclass(frozen=True)
class Name:
    """Any name of up to 64 letters, digits and `_ . -`: for what tells requests apart and changes nothing, such as `study`."""

    def check(self, name: str, value: Any) -> None:
        """Raises DigestMismatch, without the value, unless it is a name."""
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise _other(name, self.explain())

    def explain(self) -> str:
        return "any short name"

    def to_json(self) -> dict[str, Any]:
        return {"name": True}


Varying = Range | Choices | Name


def rule_of(row: Mapping[str, Any]) -> Varying:
    """The rule in a row of JSON. Raises ValueError or RequestError if there is none."""
    match dict(row):
        case {"range": [low, high], "whole": bool(whole), **rest} if not rest:
            return Range(low, high, whole)
        case {"choices": list(values), **rest} if not rest:
            return Choices(tuple(values))
        case {"name": True, **rest} if not rest:
            return Name()
    raise ValueError("not a rule for a setting")


def _other(name: str, expected: str) -> DigestMismatch:
    return DigestMismatch(f"the setting {name} is not one that stands approved", expected=expected, got="another value")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
