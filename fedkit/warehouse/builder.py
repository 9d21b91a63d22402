"""Questions made in Python.

    count("patients").where(label="IMPLANT", year=(2020, 2024)).by("site", "year").question()
    count("patients").where(has("mentions", label="DRUG"), sex="female").by("age_band").noise(rho=0.05).question()
    mean("days").where(kind="inpatient").by("department", department=("Ortopedi", "Medisin")).question()

A builder is a value: every call gives a new one, and nothing is asked before somebody asks it. The view is that of what is
counted if it has all the columns named, else the first of patients, notes, mentions and visits that has; or `over` names it.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fedkit.errors import RequestError
from fedkit.warehouse.groups import Group
from fedkit.warehouse.implied import implied
from fedkit.warehouse.measures import COUNTS, Measure
from fedkit.warehouse.predicates import All, Compare, Has, Not, Predicate, Value
from fedkit.warehouse.predicates import Any as AnyOf
from fedkit.warehouse.question import Protection, Question
from fedkit.warehouse.schema import SCHEMA, Column, Schema, View
from fedkit.warehouse.suggestions import did_you_mean, shown

#: Where a question's columns are looked for, in this order: a year is a note's before it is a visit's.
ORDER = ("patients", "notes", "mentions", "visits")

#: What is counted → (measure, the view whose rows these are).
COUNTED = {
    "patients": ("persons", ""),
    "persons": ("persons", ""),
    "notes": ("notes", "notes"),
    "visits": ("visits", "visits"),
    "mentions": ("rows", "mentions"),
}

Conditions = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Builder:
    """A question under way. Make one with `count`, `total`, `mean` or `variance`; see `where`, `by`, `noise`, `question`."""

    measures: tuple[tuple[str, str, float | None, float | None], ...]
    conditions: Conditions = ()
    predicates: tuple[Predicate, ...] = ()
    grouping: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    protection: Protection = field(default_factory=Protection)
    view: str = ""
    schema: Schema = SCHEMA

    def where(self, *predicates: Predicate, **conditions: Any) -> Builder:
        """Only rows that meet all of these, and those given before.

        conditions: column=value, or column=[values], any of which will do. For numbers and dates column=(from, to), both
            included, None for no bound; for yes and no, True or False. Dates as date or "YYYY-MM-DD".
        predicates: of `has`, `no`, `either` or `fedkit.warehouse.predicates`, for what that cannot say.
        """
        return replace(self, predicates=(*self.predicates, *predicates), conditions=(*self.conditions, *_frozen(conditions)))

    def by(self, *columns: str, **groups: Sequence[Any]) -> Builder:
        """A figure for each value of these columns, in this order, after those given before.

        groups: column=values of a category or edges of a number, for columns whose groups no condition implies.
        """
        strangers = [name for name in groups if name not in columns]
        named = [(name, tuple(groups.get(name, ()))) for name in (*columns, *strangers)]
        return replace(self, grouping=(*self.grouping, *named))

    def also(self, other: Builder) -> Builder:
        """The measures of another builder beside these; its conditions and groups have to be none."""
        if other.conditions or other.predicates or other.grouping:
            raise RequestError(
                "the other measure has conditions of its own", expected="a measure alone", got="conditions or groups"
            )
        return replace(self, measures=(*self.measures, *other.measures), view=self.view or other.view)

    def over(self, view: str) -> Builder:
        """Ask this view, where several have the columns."""
        return replace(self, view=self.schema.view(view).name)

    def noise(self, rho: float, *, groups_per_person: int = 1, rows_per_person: int = 1) -> Builder:
        """Each site adds noise for this price; see `Protection`."""
        return replace(self, protection=Protection("noise", rho, groups_per_person, rows_per_person))

    def pooled(self, rho: float, *, groups_per_person: int = 1, rows_per_person: int = 1) -> Builder:
        """Sites give sums under masks, and noise is added once for all; see `Protection`."""
        return replace(self, protection=Protection("pooled", rho, groups_per_person, rows_per_person))

    def question(self) -> Question:
        """The question, checked. Raises RequestError, with the near name, for what cannot be asked."""
        view = self._view()
        measures = tuple(_measure(view, *measure) for measure in self.measures)
        parts = [*self.predicates, *(_condition(view.column(name), given) for name, given in self.conditions)]
        parts = [inner for part in parts for inner in (part.parts if isinstance(part, All) else (part,))]
        where = None if not parts else parts[0] if len(parts) == 1 else All(tuple(parts))
        by = tuple(implied(_group(view.column(name), given), view, where) for name, given in self.grouping)
        question = Question(view.name, measures, where, by, self.protection)
        question.check(self.schema)
        return question

    def _view(self) -> View:
        named = [column for _, column, _, _ in self.measures if column]
        named += [name for name, _ in (*self.conditions, *self.grouping)]
        named += [part.column for part in self.predicates if isinstance(part, Compare)]
        counted = [COUNTS[kind] for kind, _, _, _ in self.measures if COUNTS.get(kind)]
        if self.view:
            return self.schema.view(self.view)
        own = [COUNTED[kind][1] for kind, _, _, _ in self.measures if kind in COUNTED]  # what is counted has a view of its own
        views = [self.schema.views[name] for name in dict.fromkeys((*own, *ORDER)) if name in self.schema.views]
        for view in views:
            if all(name in view for name in (*named, *counted)):
                return view
        everywhere = dict.fromkeys(column.name for view in views for column in view.columns)
        for name in named:
            if name not in everywhere:
                raise RequestError(
                    f"no view has a column {shown(name)}",
                    expected=f"one of {', '.join(everywhere)}",
                    got=shown(name),
                    help=did_you_mean(name, everywhere),
                )
        where = "; ".join(f"{name} in {', '.join(v.name for v in views if name in v)}" for name in dict.fromkeys(named))
        raise RequestError(
            "no view has all these columns",
            expected="columns of one view",
            got=where,
            help='ask about the person: where(has("mentions", label="DRUG")) is a condition on another view',
        )


def count(what: str = "patients") -> Builder:
    """Count patients (distinct persons), notes, visits or mentions. Raises RequestError for anything else."""
    if what not in COUNTED:
        raise RequestError(
            f"{shown(what)} cannot be counted",
            expected=f"one of {', '.join(COUNTED)}",
            got=shown(what),
            help=did_you_mean(what, COUNTED) if isinstance(what, str) else "",
        )
    kind, view = COUNTED[what]
    return Builder(((kind, "", None, None),), view=view if what == "mentions" else "")


def total(column: str, low: float | None = None, high: float | None = None) -> Builder:
    """The sum of a number column; values are cut to low and high, by default what the column can be."""
    return Builder((("sum", column, low, high),))


def mean(column: str, low: float | None = None, high: float | None = None) -> Builder:
    """The mean of a number column; bounds as in `total`."""
    return Builder((("mean", column, low, high),))


def variance(column: str, low: float | None = None, high: float | None = None) -> Builder:
    """The variance (over n - 1) of a number column; bounds as in `total`."""
    return Builder((("variance", column, low, high),))


def has(view: str, *predicates: Predicate, schema: Schema = SCHEMA, **conditions: Any) -> Has:
    """The person has a row in a view that meets all of these (as in `Builder.where`), whatever row the question counts."""
    table = schema.view(view)
    parts = [*predicates, *(_condition(table.column(name), given) for name, given in conditions.items())]
    return Has(view, None if not parts else parts[0] if len(parts) == 1 else All(tuple(parts)))


def no(predicate: Predicate) -> Not:
    """Not this."""
    return Not(predicate)


def either(*predicates: Predicate) -> Predicate:
    """At least one of these."""
    return predicates[0] if len(predicates) == 1 else AnyOf(predicates)


def _measure(view: View, kind: str, column: str, low: float | None, high: float | None) -> Measure:
    if kind in COUNTS:
        # In its own view a row is what is counted, which is quicker to count.
        own = COUNTED.get(kind, ("", ""))[1] == view.name
        return Measure("rows" if own else kind)
    found = view.column(column)
    return Measure(kind, column, found.low if low is None else low, found.high if high is None else high)


def _group(column: Column, given: tuple[Any, ...]) -> Group:
    return Group(column.name, edges=given) if column.kind == "number" else Group(column.name, values=given)


def _condition(column: Column, given: Any) -> Predicate:
    """What a keyword of `where` means."""
    if isinstance(given, tuple) and len(given) == 2 and column.kind in ("number", "date"):
        low, high = given
        parts = [Compare(column.name, op, (_value(v),)) for op, v in ((">=", low), ("<=", high)) if v is not None]
        if not parts:
            raise RequestError(f"{column.name} has no bound", expected="(from, to), one of them at least", got="(None, None)")
        return parts[0] if len(parts) == 1 else All(tuple(parts))
    if isinstance(given, bool):
        return Compare(column.name, "in", ("yes" if given else "no",))
    values = given if isinstance(given, list | tuple | set | frozenset | range) else (given,)
    plain = tuple(_value(value) for value in values)
    return Compare(column.name, "in", tuple(sorted(plain, key=str)) if isinstance(given, set | frozenset) else plain)


def _value(value: Any) -> Value:
    return value.isoformat() if type(value) is datetime.date else value


def _frozen(conditions: dict[str, Any]) -> Conditions:
    """Lists are copied, so that a builder does not change when its maker's list does."""
    return tuple((name, list(given) if isinstance(given, list) else given) for name, given in conditions.items())
