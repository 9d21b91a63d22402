"""The parameters of a template: typed, with defaults and bounds, checked before a request is made of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

from fedkit.errors import RequestError
from fedkit.notes.counting import WORD
from fedkit.notes.note import is_iso_date

#: The types of a parameter, and how they are called in messages.
TYPES: Mapping[str, str] = {
    "flag": "True or False",
    "whole": "a whole number",
    "number": "a number",
    "choice": "one of the choices",
    "choices": "a list of the choices, each once",
    "words": "a list of words",
    "date": "a date, YYYY-MM-DD, or ''",
    "data": "plain data",
}


@dataclass(frozen=True)
class Parameter:
    """One thing that whoever asks may choose.

    what:    in plain words, for the form and the steward.   default: None if it has to be given.
    choices: of a "choice" or "choices"; empty where any short word will do (labels and types are the sites' own).
    low, high: bounds of a number, or how many members a list may have.
    shape:   whether the output contract depends on it. What has no shape can be left open by a standing approval.
    """

    name: str
    type: Literal["flag", "whole", "number", "choice", "choices", "words", "date", "data"]
    what: str
    default: Any = None
    choices: tuple[str, ...] = ()
    low: int = 0
    high: int = 100
    shape: bool = False

    def check(self, value: Any) -> Any:
        """The value as it stands in a request. Raises RequestError for one that is not possible."""
        fitting = getattr(self, f"_{self.type}")(value)
        if fitting is None:
            raise RequestError(
                f"the parameter {self.name} is not possible",
                expected=self.expected(),
                got=f"{type(value).__name__}: {value!r:.60}",
            )
        return fitting

    def expected(self) -> str:
        """What may be given, in words."""
        if self.type in ("choice", "choices") and self.choices:
            return f"{'one' if self.type == 'choice' else 'a list'} of {', '.join(self.choices)}"
        if self.type in ("whole", "number"):
            return f"{TYPES[self.type]} from {self.low} to {self.high}"
        if self.type == "words":
            return f"a list of up to {self.high} words of letters and digits, perhaps with * in front or at the end"
        return TYPES[self.type]

    def to_json(self) -> dict[str, Any]:
        """For a form: name, type, what, default, choices, bounds."""
        return {
            "name": self.name,
            "type": self.type,
            "what": self.what,
            "default": self.default,
            "choices": list(self.choices),
            "low": self.low,
            "high": self.high,
        }

    def _flag(self, value: Any) -> bool | None:
        return value if isinstance(value, bool) else None

    def _whole(self, value: Any) -> int | None:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return value if whole and self.low <= value <= self.high else None

    def _number(self, value: Any) -> float | None:
        fit = isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high
        return value if fit else None

    def _choice(self, value: Any) -> str | None:
        fit = isinstance(value, str) and (value in self.choices if self.choices else value == self.default or _short(value))
        return value if fit else None

    def _choices(self, value: Any) -> list[str] | None:
        if isinstance(value, str) or not isinstance(value, Sequence) or len(value) > self.high or len(value) < self.low:
            return None
        fit = all(self._choice(item) is not None for item in value) and len(set(value)) == len(value)
        return list(value) if fit else None

    def _words(self, value: Any) -> list[str] | None:
        if isinstance(value, str) or not isinstance(value, Sequence) or len(value) > self.high:
            return None
        fit = all(isinstance(word, str) and len(word) <= 60 and WORD.fullmatch(word) for word in value)
        return list(value) if fit else None

    def _date(self, value: Any) -> str | None:
        return value if isinstance(value, str) and (value == "" or (len(value) == 10 and is_iso_date(value))) else None

    def _data(self, value: Any) -> Any:
        return value if _plain(value) else None


def checked(parameters: Sequence[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, each as it stands in a request. Raises RequestError, also for a name that is no parameter."""
    known = {parameter.name: parameter for parameter in parameters}
    if strangers := sorted(set(given) - set(known)):
        raise RequestError(
            f"no parameter {str(strangers[0])[:40]}", expected=f"some of {', '.join(known)}", got=f"{len(strangers)} others"
        )
    return {name: known[name].check(value) for name, value in given.items()}


def filled(parameters: Sequence[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter with its value: what was given, checked, or its default. Raises RequestError."""
    known = {parameter.name: parameter for parameter in parameters}
    given = checked(parameters, {name: value for name, value in given.items() if value is not None})
    if missing := [name for name, p in known.items() if p.default is None and name not in given]:
        raise RequestError(f"the parameter {missing[0]} is missing", expected=known[missing[0]].expected(), got="nothing")
    return {name: given[name] if name in given else deepcopy(p.default) for name, p in known.items()}


def _short(word: str) -> bool:
    return 1 <= len(word) <= 64 and word.isprintable()


def _plain(value: Any) -> bool:
    """Whether a value is plain JSON."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _plain(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(map(_plain, value))
    return isinstance(value, str | bool | int | None) or (isinstance(value, float) and math.isfinite(value))
