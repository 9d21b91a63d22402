"""What the fields of the warehouse's form hold, and the question that they make. Plain data, no widget."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from fedkit.errors import FedkitError, RequestError
from fedkit.warehouse.groups import Group
from fedkit.warehouse.implied import implied
from fedkit.warehouse.measures import COUNTS, Measure
from fedkit.warehouse.predicates import MAX_VALUES, All, Compare, Not, Predicate, Value
from fedkit.warehouse.question import Protection, Question
from fedkit.warehouse.schema import SCHEMA, Column, View

#: Words chosen from a list, or a text that a person typed.
Chosen: TypeAlias = tuple[str, ...] | str

#: How a condition compares, by what a column holds: (what people read, name).
COMPARISONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "category": (("is one of", "in"), ("is none of", "not in"), ("begins with", "starts")),
    "number": (("is from … to …", "from to"), ("is at least", ">="), ("is at most", "<="), ("is one of", "in")),
    "date": (("is from … to …", "from to"), ("is on or after", ">="), ("is on or before", "<=")),
}

#: What people read for each way to protect an answer.
MODE_WORDS: Mapping[str, str] = {
    "rules": "exact figures; small groups stay at the site",
    "noise": "with noise, added at each site",
    "pooled": "one sum over all sites, with noise added once",
}

_RANGE = re.compile(r"\s*(\S+)\s*(?:to|–|…|\.\.)\s*(\S+)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Condition:
    """A line of the form: a column compared with something; "" for a line that is not used."""

    column: str = ""
    op: str = "in"
    given: Chosen = ()


@dataclass(frozen=True)
class By:
    """A column to group by. given: of a category the words (none: all that are declared); of a number a range such as
    "2020 to 2024", a group for each, or edges such as "0, 40, 65, 90"."""

    column: str = ""
    given: Chosen = ()


@dataclass(frozen=True)
class QueryValues:
    """The fields of the form.   low, high: bounds of a sum.   by_site: whether the sites are told apart."""

    view: str = "patients"
    measure: str = "persons"
    column: str = ""
    low: float = 0
    high: float = 0
    where: tuple[Condition, ...] = ()
    by_site: bool = False
    by: tuple[By, ...] = ()
    mode: str = "rules"
    rho: float = 0.1
    groups_per_person: int = 1


def measures_of(view: View) -> list[tuple[str, str]]:
    """(what people read, name) of what can be measured in a view; its own rows are counted as rows, as a builder does."""
    own = f"{view.one_row_is}_id"
    counted = [("persons", "persons")]
    if view.one_row_is != "person":
        counted.append((f"{view.one_row_is}s", "rows"))
    counted += [(kind, kind) for kind, column in COUNTS.items() if kind != "persons" and column in view and column != own]
    words = {"sum": "sum of", "mean": "mean of", "variance": "variance of"} if numbers_of(view) else {}
    return [(f"how many {what}", name) for what, name in counted] + [(what, name) for name, what in words.items()]


def numbers_of(view: View) -> list[str]:
    """Columns that can be summed."""
    return [column.name for column in view.columns if column.kind == "number"]


def compared_in(view: View) -> list[Column]:
    """Columns that a condition can be about."""
    return [column for column in view.columns if column.kind != "id"]


def grouped_in(view: View) -> list[Column]:
    """Columns that an answer can be grouped by within a site."""
    return [column for column in view.columns if column.kind in ("category", "number") and column.name != "site"]


def question_of(values: QueryValues) -> Question:
    """The question. Raises RequestError for the first field that is not right; `problems` has them all."""
    question = Question(
        values.view,
        (_measure(values),),
        _where(values),
        (*(_group(one, values) for one in values.by if one.column), *((Group("site"),) if values.by_site else ())),
        protection_of(values),
    )
    question.check()
    return question


def problems(values: QueryValues) -> dict[str, str]:
    """Field → what is wrong, in a sentence: "measure", "where 1", "by 1", "protection", or "question" for the whole."""
    found: dict[str, str] = {}
    view = SCHEMA.view(values.view)

    def attempt(field: str, step: Callable[[], object]) -> None:
        try:
            step()
        except FedkitError as error:
            found[field] = sentence(error)

    attempt("measure", lambda: _measure(values).check(view))
    for number, condition in enumerate(values.where, 1):
        if condition.column:
            attempt(f"where {number}", partial(question_of, QueryValues(values.view, where=(condition,))))
    for number, group in enumerate(values.by, 1):
        if group.column:
            attempt(f"by {number}", partial(_checked_group, group, values))
    attempt("protection", lambda: protection_of(values))
    if not found:
        attempt("question", lambda: question_of(values))
    return found


def sentence(error: FedkitError) -> str:
    """An error as one sentence or two for beside a field: what is wrong, what would be right, and the near name."""
    text = f"{error.message[:1].upper()}{error.message[1:]}."
    if error.expected:
        text += f" Give {error.expected}."
    return text + (f" {error.help[:1].upper()}{error.help[1:]}" if error.help else "")


def protection_of(values: QueryValues) -> Protection:
    """How the answer is protected. Raises RequestError for a price that is none."""
    if values.mode == "rules":
        return Protection()
    return Protection(values.mode, values.rho, values.groups_per_person)


def _measure(values: QueryValues) -> Measure:
    if values.measure in COUNTS:
        return Measure(values.measure)
    column = SCHEMA.view(values.view).column(values.column)
    low, high = (int(x) if column.whole and float(x).is_integer() else x for x in (values.low, values.high))
    return Measure(values.measure, values.column, low, high)


def _where(values: QueryValues) -> Predicate | None:
    view = SCHEMA.view(values.view)
    parts = tuple(_condition(one, view.column(one.column)) for one in values.where if one.column)
    flat = tuple(p for part in parts for p in (part.parts if isinstance(part, All) else (part,)))
    return (All(flat) if len(flat) > 1 else flat[0]) if flat else None


def _condition(condition: Condition, column: Column) -> Predicate:
    if condition.op == "from to":
        if not isinstance(condition.given, str) or not (found := _RANGE.fullmatch(condition.given)):
            example = "2024-01-01 to 2024-12-31" if column.kind == "date" else f"{column.low or 0:g} to {column.high or 1:g}"
            raise RequestError(f"{column.name} needs a beginning and an end", expected=f"both, such as {example}")
        low, high = (_value(text, column) for text in found.groups())
        return All((Compare(column.name, ">=", (low,)), Compare(column.name, "<=", (high,))))
    values = tuple(_value(text, column) for text in _words(condition.given))
    if not values:
        raise RequestError(f"the condition on {column.name} is not complete", expected="a value at least")
    compare = Compare(column.name, "in" if condition.op == "not in" else condition.op, values)
    return Not(compare) if condition.op == "not in" else compare


def _group(by: By, values: QueryValues) -> Group:
    """The group; where nothing is given, what the conditions imply."""
    view = SCHEMA.view(values.view)
    column = view.column(by.column)
    words = _words(by.given)
    if not words:
        return implied(Group(column.name), view, _where(values))
    if column.kind != "number":
        return Group(column.name, values=words)
    if isinstance(by.given, str) and (found := _RANGE.fullmatch(by.given)):
        low, high = (_number(part, column) for part in found.groups())
        if column.whole and isinstance(low, int) and isinstance(high, int) and 0 <= high - low < MAX_VALUES - 1:
            return Group(column.name, edges=tuple(range(low, high + 2)))
    return Group(column.name, edges=tuple(_number(word, column) for word in words))


def _checked_group(by: By, values: QueryValues) -> Column:
    return _group(by, values).check(SCHEMA.view(values.view))


def _words(given: Chosen) -> tuple[str, ...]:
    words = given.split(",") if isinstance(given, str) else given
    return tuple(dict.fromkeys(word.strip() for word in words if word.strip()))


def _value(text: str, column: Column) -> Value:
    return _number(text, column) if column.kind == "number" else text


def _number(text: str, column: Column) -> int | float:
    try:
        number = float(text)
    except ValueError:
        raise RequestError(f"{column.name} is a number", expected="a number", got="other text") from None
    if not abs(number) < 1e15:
        raise RequestError(f"{column.name} is a number", expected="a number of this world", got="another")
    return int(number) if number.is_integer() else number
