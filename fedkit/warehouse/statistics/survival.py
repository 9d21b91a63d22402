"""Time from one thing to another, as numbers of persons in intervals: what a survival curve is made of.

    Survival(
        start=Event("visits"), event=Event("mentions", Compare("label", "in", ("IMPLANT",))), edges=(0, 90, 180, 365, 730),
        by=Group("sex", ("female", "male")),
    )

A person comes in on the first day of `start`, has the event on the first day of `event` that is not before it, and is followed
until the last day of `seen`. A site tells in which interval each person's time ends, with or without the event; adding that
over sites gives the same curve as all persons in one place with their times in these intervals. Each person is in one cell, so
noise of sensitivity 1 does (Gondara and Wang, "Differentially private survival function estimation", MLHC 2020).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from fedkit.errors import RequestError
from fedkit.warehouse import strict
from fedkit.warehouse.predicates import All, Has, Predicate
from fedkit.warehouse.predicates import from_json as predicate_from_json
from fedkit.warehouse.question import MAX_CELLS, Protection, Question
from fedkit.warehouse.schema import SCHEMA, Schema
from fedkit.warehouse.statistics.base import Statistic
from fedkit.warehouse.statistics.frames import PERSON, Columns, Day, Frame
from fedkit.warehouse.statistics.limits import Limits
from fedkit.warehouse.statistics.variables import (
    Divider,
    Flag,
    Variable,
    check_variable,
    counts,
    divider,
    divider_from_json,
    item,
    labels,
    name_of,
    places,
)
from fedkit.warehouse.suggestions import shown

#: The view that has one row for each person, and the column that says when.
PATIENTS, DATE = "patients", "date"

#: The group of a question without groups.
ALL = "all"

#: The longest time, days.
LONGEST = 36_525


@dataclass(frozen=True)
class Event:
    """A row of a view that has a date.   where: which rows; None for any."""

    view: str
    where: Predicate | None = None

    def __post_init__(self) -> None:
        strict.word(self.view, "the name of a view")

    def frame(self) -> Frame:
        """The days on which there is such a row."""
        return Frame(self.view, {DATE: Day(DATE)}, self.where)

    def to_json(self) -> dict[str, Any]:
        return {"view": self.view, "where": None if self.where is None else self.where.to_json()}

    @staticmethod
    def from_json(row: object) -> Event:
        """Raises RequestError for anything else."""
        row = strict.fields(row, "an event", "view", "where")
        return Event(row["view"], None if row["where"] is None else predicate_from_json(row["where"]))


@dataclass(frozen=True)
class Survival(Statistic):
    """Persons by the interval in which their time ends, and by whether it ends with the event.

    start, event, seen: when a person comes in, what is waited for, and what shows that somebody is still followed.
    edges: days since the start, ascending from 0; an interval goes from each to below the next. Who lasts beyond is counted.
    by:    groups of persons, or None.   where: which persons, as a condition on the view of patients; None for all.
    Raises RequestError for edges that do not ascend from 0.
    """

    start: Event
    event: Event
    edges: tuple[int, ...]
    by: Divider | None = None
    where: Predicate | None = None
    seen: Event = field(default_factory=lambda: Event("notes"))
    protection: Protection = field(default_factory=Protection)

    kind: ClassVar[str] = "survival"
    counts: ClassVar[bool] = True

    def __post_init__(self) -> None:
        edges = tuple(strict.whole(e, "an edge", 0, LONGEST) for e in strict.items(self.edges, "the edges", MAX_CELLS, 2))
        if edges[0] != 0 or any(a >= b for a, b in pairwise(edges)):
            raise RequestError("the edges do not ascend from 0", expected="0, then each higher than the last", got="others")
        object.__setattr__(self, "edges", edges)
        if not all(isinstance(e, Event) for e in (self.start, self.event, self.seen)):
            raise RequestError("a survival question is malformed", expected="start, event and seen of Event")
        if self.by is not None:
            divider(self.by)

    def groups(self) -> tuple[str, ...]:
        """Names of the groups, in order."""
        return (ALL,) if self.by is None else labels(self.by, PATIENTS)

    def ends(self) -> tuple[str, ...]:
        """How a time can end: in which interval, and whether with the event; nobody's event is seen beyond the last edge."""
        last = len(self.edges) - 1
        return (*(f"{interval} {how}" for interval in range(last) for how in ("event", "censored")), f"{last} censored")

    def cells(self) -> tuple[str, ...]:
        return tuple(f"{group} {end}" for group in range(len(self.groups())) for end in self.ends())

    def axes(self) -> Mapping[str, tuple[str, ...]]:
        return {"group": self.groups(), "end": self.ends()}

    def variables(self) -> tuple[tuple[str, Variable], ...]:
        return () if self.by is None else ((PATIENTS, self.by),)

    def regions(self) -> tuple[Question, ...]:
        parts = (Has(self.start.view, self.start.where), *(() if self.where is None else (self.where,)))
        where = All(parts) if len(parts) > 1 else parts[0]
        event = Flag("event", Has(self.event.view, self.event.where))
        return counts(PATIENTS, where, event, *(() if self.by is None else (self.by,)))

    def frames(self) -> Mapping[str, Frame]:
        items = {} if self.by is None else {name_of(self.by): item(self.by, PATIENTS)}
        events = {"start": self.start, "event": self.event, "seen": self.seen}
        return {"persons": Frame(PATIENTS, items, self.where), **{name: event.frame() for name, event in events.items()}}

    def check(self, schema: Schema = SCHEMA) -> None:
        if self.by is not None:
            check_variable(self.by, schema.view(PATIENTS), schema)
        if len(self.cells()) > MAX_CELLS:
            raise RequestError(
                "the answer is too large", expected=f"at most {MAX_CELLS} cells", got=str(len(self.cells())), help="fewer edges"
            )
        super().check(schema)

    def figures(self, rows: Mapping[str, Columns], limits: Limits) -> Mapping[str, tuple[int, float]]:
        return {cell: (int(count), float(count)) for cell, count in zip(self.cells(), self.sums(rows), strict=True)}

    def sums(self, rows: Mapping[str, Columns]) -> np.ndarray:
        days, ended, group = self.times(rows)
        last = len(self.edges) - 1
        interval = np.searchsorted(np.array(self.edges), days, side="right") - 1
        place = group * (2 * last + 1) + np.where(interval < last, 2 * interval + np.where(ended, 0, 1), 2 * last)
        return np.bincount(place, minlength=len(self.cells())).astype(np.int64)

    def times(self, rows: Mapping[str, Columns]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Days, whether with the event, and group, of each person who counts. It stays at the site."""
        frame = rows["persons"]
        group = np.zeros(len(frame[PERSON]), dtype=np.int64) if self.by is None else places(self.by, frame)
        persons, first = np.unique(frame[PERSON], return_index=True)
        group = group[first]
        start = _extreme(persons, rows["start"], np.minimum, np.full(len(persons), np.inf))
        event = _extreme(persons, rows["event"], np.minimum, np.full(len(persons), np.inf), start)
        seen = _extreme(persons, rows["seen"], np.maximum, np.full(len(persons), -np.inf), start)
        ended = np.isfinite(event)
        end = np.where(ended, event, seen)
        counted = np.isfinite(start) & np.isfinite(end) & (group >= 0)
        days = (end[counted] - start[counted]).astype(np.int64)
        return days, ended[counted], group[counted]

    def sensitivity(self) -> Fraction:
        return Fraction(1)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "view": PATIENTS,
            "start": self.start.to_json(),
            "event": self.event.to_json(),
            "seen": self.seen.to_json(),
            "edges": list(self.edges),
            "by": None if self.by is None else self.by.to_json(),
            "where": None if self.where is None else self.where.to_json(),
            "protection": self.protection.to_json(),
        }

    @staticmethod
    def from_json(row: object) -> Survival:
        """Raises RequestError for anything but exactly such a question."""
        names = ("kind", "view", "start", "event", "seen", "edges", "by", "where", "protection")
        row = strict.fields(row, "a survival question", *names)
        if row["view"] != PATIENTS:
            raise RequestError("a survival question is about persons", expected=PATIENTS, got=shown(row["view"]))
        return Survival(
            Event.from_json(row["start"]),
            Event.from_json(row["event"]),
            tuple(strict.items(row["edges"], "the edges", MAX_CELLS, 2)),
            None if row["by"] is None else divider_from_json(row["by"]),
            None if row["where"] is None else predicate_from_json(row["where"]),
            Event.from_json(row["seen"]),
            Protection.from_json(row["protection"]),
        )


def _extreme(
    persons: np.ndarray, rows: Columns, which: np.ufunc, begin: np.ndarray, least: np.ndarray | None = None
) -> np.ndarray:
    """The first or last day of each person's rows. persons: ascending.   least: no day before it counts."""
    place = np.searchsorted(persons, rows[PERSON])
    place = np.minimum(place, max(0, len(persons) - 1))
    good = ~np.isnan(rows[DATE])
    if len(persons):
        good &= persons[place] == rows[PERSON]
        if least is not None:
            good &= rows[DATE] >= least[place]
        which.at(begin, place[good], rows[DATE][good])
    return begin
