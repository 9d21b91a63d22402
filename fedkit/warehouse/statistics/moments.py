"""Mean and variance of an amount, in groups or of all, over all sites as if they were one.

    found = moments(ask, view="patients", of=Amount("birth_year", 1900, 2020), by=Group("sex"))
    found["female"].mean, found["female"].variance, found["female"].n

A site gives, for each group, the number of rows and the sums of the scaled values and of their squares. The amount is scaled by
its declared bounds first, so that no digits are lost in the difference of the two sums (Chan, Golub and LeVeque, "Algorithms
for computing the sample variance", The American Statistician 37, 1983).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from fedkit.errors import OutputRefused, RequestError
from fedkit.warehouse import strict
from fedkit.warehouse.predicates import Predicate
from fedkit.warehouse.predicates import from_json as predicate_from_json
from fedkit.warehouse.question import MAX_CELLS, Protection, Question
from fedkit.warehouse.schema import SCHEMA, Schema
from fedkit.warehouse.statistics.base import GRID, Ask, Replies, Statistic, kept_rows, on_grid, root_above
from fedkit.warehouse.statistics.frames import Columns, Frame, persons_in, taken
from fedkit.warehouse.statistics.limits import Limits
from fedkit.warehouse.statistics.variables import (
    Amount,
    Divider,
    Variable,
    check_variable,
    counts,
    divider,
    divider_from_json,
    from_json,
    item,
    labels,
    name_of,
    places,
    unlike,
)

#: What a site gives for each group.
PARTS = ("n", "sum", "squares")

#: The group of a question without groups.
ALL = "all"


@dataclass(frozen=True)
class Moments:
    """Number of rows, mean and variance (divided by n - 1; NaN below 2 rows), in the column's unit. n is no whole number where
    noise was added."""

    n: float
    mean: float
    variance: float

    @property
    def standard_deviation(self) -> float:
        return math.sqrt(self.variance)

    @property
    def standard_error(self) -> float:
        """Of the mean."""
        return math.sqrt(self.variance / self.n) if self.n > 0 else math.nan


@dataclass(frozen=True)
class Means:
    """Moments of each group.

    hidden: group → sites that did not give it: nobody, too few persons, or kept back for another group's sake. Its moments are
        those of the other sites; n is 0 where none gave it.
    sites, missing: who is in it, and why others are not.
    """

    groups: Mapping[str, Moments]
    hidden: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sites: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, group: str) -> Moments:
        return self.groups[group]

    def table(self) -> list[dict[str, Any]]:
        """Plain rows, a group each."""
        return [
            {
                "group": name,
                "n": m.n,
                "mean": m.mean,
                "standard_deviation": m.standard_deviation,
                "standard_error": m.standard_error,
            }
            for name, m in self.groups.items()
        ]


@dataclass(frozen=True)
class MomentsQuestion(Statistic):
    """Sums for mean and variance.

    view: what a row is.   of: the amount.   by: groups, or None for all rows together.   where: which rows; None for all.
    """

    view: str
    of: Amount
    by: Divider | None = None
    where: Predicate | None = None
    protection: Protection = field(default_factory=Protection)

    kind: ClassVar[str] = "moments"

    def __post_init__(self) -> None:
        strict.word(self.view, "the name of a view")
        if not isinstance(self.of, Amount):
            raise RequestError("a mean is of an amount", expected="Amount(column, low, high)")
        if self.by is not None:
            divider(self.by)
            unlike((self.of, self.by))

    def groups(self) -> tuple[str, ...]:
        """Names of the groups, in order."""
        return (ALL,) if self.by is None else labels(self.by, self.view)

    def cells(self) -> tuple[str, ...]:
        return tuple(f"{part} {number}" for number in range(len(self.groups())) for part in PARTS)

    def axes(self) -> Mapping[str, tuple[str, ...]]:
        return {"group": self.groups(), "part": PARTS}

    def variables(self) -> tuple[tuple[str, Variable], ...]:
        return ((self.view, self.of), *(((self.view, self.by),) if self.by is not None else ()))

    def regions(self) -> tuple[Question, ...]:
        return counts(self.view, self.where, *(() if self.by is None else (self.by,)))

    def frames(self) -> Mapping[str, Frame]:
        variables = (self.of,) if self.by is None else (self.of, self.by)
        return {"rows": Frame(self.view, {name_of(v): item(v, self.view) for v in variables}, self.where)}

    def check(self, schema: Schema = SCHEMA) -> None:
        view = schema.view(self.view)
        for variable in (self.of, self.by):
            if variable is not None:
                check_variable(variable, view, schema)
        if len(self.cells()) > MAX_CELLS:
            raise RequestError("the answer is too large", expected=f"at most {MAX_CELLS // len(PARTS)} groups")
        super().check(schema)

    def figures(self, rows: Mapping[str, Columns], limits: Limits) -> Mapping[str, tuple[int, float]]:
        groups = self._groups(rows)
        persons = [persons_in(group) for group in groups]
        if self.by is None:
            limits.enough(persons[0], self.of.name)
            limits.amount(groups[0], groups[0][self.of.name], self.of.name)
        hidden = set() if self.by is None else self._hidden(groups, persons, limits)
        found: dict[str, tuple[int, float]] = {}
        for number, group in enumerate(groups):
            values = group[self.of.name]
            figures = limits.in_proportion((float(len(values)), float(values.sum()), float(np.square(values).sum())))
            if number not in hidden:
                found |= {f"{part} {number}": (persons[number], f) for part, f in zip(PARTS, figures, strict=True)}
        return found

    def _hidden(self, groups: Sequence[Columns], persons: Sequence[int], limits: Limits) -> set[int]:
        """The groups that stay at the site: those beyond a limit, and as many more as keep these from being had by subtraction
        from all rows together, which somebody may know."""
        hidden = {number for number, group in enumerate(groups) if not self._may_leave(group, persons[number], limits)}
        while hidden and 0 < sum(persons[number] for number in hidden) < limits.persons and len(hidden) < len(groups):
            hidden.add(min(set(range(len(groups))) - hidden, key=lambda number: (persons[number], number)))
        return hidden

    def _may_leave(self, group: Columns, persons: int, limits: Limits) -> bool:
        try:
            limits.enough(persons, ALL)
            limits.amount(group, group[self.of.name], ALL)
        except OutputRefused:
            return False
        return True

    def sums(self, rows: Mapping[str, Columns]) -> np.ndarray:
        sums = [[np.ones(len(v)), v, np.square(v)] for v in (group[self.of.name] for group in self._groups(rows))]
        return on_grid([part for group in sums for part in group])

    def sensitivity(self) -> Fraction:
        # A row adds at most 1 to each of three sums, and all rows of a person are in one group at worst.
        return root_above(Fraction(len(PARTS))) * self.protection.rows_per_person * (GRID + 1)

    def of_sums(self, sums: Mapping[str, float]) -> dict[str, Moments]:
        """Group → moments, of sums over sites; a group that no site gave has none."""
        unit = 1 if self.protection.mode == "rules" else GRID
        found = {}
        for number, name in enumerate(self.groups()):
            n, total, squares = (sums.get(f"{part} {number}", 0.0) / unit for part in PARTS)
            found[name] = self._moments(n, total, squares)
        return found

    def hidden(self, replies: Replies) -> dict[str, tuple[str, ...]]:
        """Group → the sites that did not give it: nobody, too few persons, or kept back for another group's sake."""
        if self.protection.mode != "rules":
            return {}
        given = {site: set(self.read(answer)) for site, answer in replies.answers.items()}
        found = {
            name: tuple(site for site, cells in given.items() if not {f"{part} {number}" for part in PARTS} <= cells)
            for number, name in enumerate(self.groups())
        }
        return {name: sites for name, sites in found.items() if sites}

    def whole(self, figures: Mapping[str, float], site: str) -> Mapping[str, float]:
        """The figures of the groups that are there as a whole."""
        numbers = [n for n in range(len(self.groups())) if all(f"{part} {n}" in figures for part in PARTS)]
        return {f"{part} {n}": figures[f"{part} {n}"] for n in numbers for part in PARTS}

    def _moments(self, n: float, total: float, squares: float) -> Moments:
        if n < 1:
            return Moments(max(0.0, n), math.nan, math.nan)
        mean = total / n
        variance = max(0.0, squares - n * mean * mean) / (n - 1) if n >= 2 else math.nan
        if self.protection.mode != "rules":  # noise can carry both beyond what the bounds allow
            mean, variance = min(1.0, max(-1.0, mean)), min(1.0, variance)
        return Moments(n, self.of.middle + self.of.half * mean, variance * self.of.half**2)

    def _groups(self, rows: Mapping[str, Columns]) -> list[dict[str, np.ndarray]]:
        """The rows of each group, their amount scaled, without those that have none."""
        frame = dict(rows["rows"])
        frame[self.of.name] = self.of.scaled(frame[self.of.name])
        place = np.zeros(len(frame[self.of.name]), dtype=np.int64) if self.by is None else places(self.by, frame)
        frame[_PLACE] = place
        frame = taken(frame, ~np.isnan(frame[self.of.name]) & (place >= 0))
        frame = taken(frame, kept_rows(frame, self.protection))
        return [taken(frame, frame[_PLACE] == number) for number in range(len(self.groups()))]

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "view": self.view,
            "of": self.of.to_json(),
            "by": None if self.by is None else self.by.to_json(),
            "where": None if self.where is None else self.where.to_json(),
            "protection": self.protection.to_json(),
        }

    @staticmethod
    def from_json(row: object) -> MomentsQuestion:
        """Raises RequestError for anything but exactly such a question."""
        row = strict.fields(row, "a question about means", "kind", "view", "of", "by", "where", "protection")
        of = from_json(row["of"])
        if not isinstance(of, Amount):
            raise RequestError("a mean is of an amount", expected="Amount(column, low, high)")
        by = None if row["by"] is None else divider_from_json(row["by"])
        where = None if row["where"] is None else predicate_from_json(row["where"])
        return MomentsQuestion(row["view"], of, by, where, Protection.from_json(row["protection"]))


_PLACE = " place"


def moments(
    ask: Ask,
    *,
    view: str,
    of: Amount,
    by: Divider | None = None,
    where: Predicate | None = None,
    protection: Protection | None = None,
) -> Means:
    """Moments of each group over all sites that answered; of the one group "all" without `by`.

    Raises RequestError for a question that does not fit the schema, SiteError if no site answered.
    """
    question = MomentsQuestion(view, of, by, where, protection or Protection())
    question.check()
    replies = ask(question)
    found = question.of_sums(question.added(replies))
    return Means(found, question.hidden(replies), replies.sites, replies.missing)
