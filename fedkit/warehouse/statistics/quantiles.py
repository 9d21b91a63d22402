"""Quantiles by counts of halves, quarters, eighths … of a range, with noise; there are none without it.

    quantiles(ask, view="notes", of=Amount("characters", 0, 8192), at=(0.25, 0.5, 0.75), protection=Protection("noise", 0.1))

A quantile without noise is a value of somebody, so none leaves a site exactly. Instead sites count how many values fall into
each part of the range, on several levels, each level with its share of the noise; what is below a point is then the sum of few
parts, not of many (Dwork, Naor, Pitassi and Rothblum, "Differential privacy under continual observation", STOC 2010; Hay et
al., "Boosting the accuracy of differentially private histograms through consistency", VLDB 2010). The counts are added over
sites first, so the quantile is that of all of them together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from fedkit.errors import OutputRefused, RequestError
from fedkit.warehouse import strict
from fedkit.warehouse.predicates import Predicate
from fedkit.warehouse.predicates import from_json as predicate_from_json
from fedkit.warehouse.question import Protection, Question
from fedkit.warehouse.schema import SCHEMA, Schema
from fedkit.warehouse.statistics.base import Ask, Statistic, kept_rows, root_above
from fedkit.warehouse.statistics.frames import Columns, Frame, taken
from fedkit.warehouse.statistics.limits import Limits
from fedkit.warehouse.statistics.variables import Amount, Variable, check_variable, from_json, item

#: Levels of halving: 2¹ … 2⁸ parts, 510 counts.
LEVELS = 8


@dataclass(frozen=True)
class QuantileTable:
    """values: share → quantile, in the column's unit.   sites, missing: who is in it, and why others are not."""

    values: Mapping[float, float]
    sites: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, share: float) -> float:
        return self.values[share]

    def table(self) -> list[dict[str, Any]]:
        """Plain rows, a share each."""
        return [{"share": share, "quantile": value} for share, value in self.values.items()]


@dataclass(frozen=True)
class Quantiles(Statistic):
    """How many values fall into each of 2, 4, … 256 equal parts of a range.

    view: what a row is.   of: the amount; its bounds are the range.   where: which rows; None for all.
    protection: "noise" or "pooled".
    Raises RequestError for protection by rules alone.
    """

    view: str
    of: Amount
    where: Predicate | None = None
    protection: Protection = field(default_factory=Protection)

    kind: ClassVar[str] = "quantiles"

    def __post_init__(self) -> None:
        strict.word(self.view, "the name of a view")
        if not isinstance(self.of, Amount):
            raise RequestError("a quantile is of an amount", expected="Amount(column, low, high)")
        if self.protection.mode == "rules":
            raise RequestError(
                "a quantile leaves with noise only",
                expected='protection of mode "noise" or "pooled"',
                got="rules",
                help='give a price: Protection("noise", rho=0.1)',
            )

    def cells(self) -> tuple[str, ...]:
        return tuple(f"{level} {part}" for level in range(1, LEVELS + 1) for part in range(2**level))

    def variables(self) -> tuple[tuple[str, Variable], ...]:
        return ((self.view, self.of),)

    def regions(self) -> tuple[Question, ...]:
        return ()  # there are no exact ones

    def frames(self) -> Mapping[str, Frame]:
        return {"rows": Frame(self.view, {self.of.name: item(self.of, self.view)}, self.where)}

    def check(self, schema: Schema = SCHEMA) -> None:
        check_variable(self.of, schema.view(self.view), schema)
        super().check(schema)

    def figures(self, rows: Mapping[str, Columns], limits: Limits) -> Mapping[str, tuple[int, float]]:
        raise OutputRefused("a quantile leaves with noise only", expected='mode "noise" or "pooled"', got="rules")

    def sums(self, rows: Mapping[str, Columns]) -> np.ndarray:
        frame = taken(rows["rows"], ~np.isnan(rows["rows"][self.of.name]))
        frame = taken(frame, kept_rows(frame, self.protection))
        at = (self.of.scaled(frame[self.of.name]) + 1) / 2 * 2**LEVELS
        leaf = np.bincount(np.minimum(at.astype(np.int64), 2**LEVELS - 1), minlength=2**LEVELS)
        levels = [leaf.reshape(2**level, -1).sum(axis=1) for level in range(1, LEVELS + 1)]
        return np.concatenate(levels).astype(np.int64)

    def sensitivity(self) -> Fraction:
        return root_above(Fraction(LEVELS)) * self.protection.rows_per_person  # a row is in one part of each level

    def values(self, sums: Mapping[str, float], at: Sequence[float]) -> list[float]:
        """The quantiles, in the column's unit, of the sums over sites. Between the borders of a part they are interpolated."""
        leaves = consistent([np.array([sums[f"{level} {p}"] for p in range(2**level)]) for level in range(1, LEVELS + 1)])
        below = np.maximum.accumulate(np.concatenate([[0.0], np.cumsum(leaves)]).clip(min=0.0))
        if below[-1] < 1:
            raise OutputRefused(
                "there is too little to tell a quantile from the noise",
                expected="more rows than the noise has",
                got="about none",
                help="ask about more rows, or at a higher price",
            )
        borders = np.linspace(self.of.low, self.of.high, 2**LEVELS + 1)
        return [_crossing(below, borders, q * below[-1]) for q in at]

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "view": self.view,
            "of": self.of.to_json(),
            "where": None if self.where is None else self.where.to_json(),
            "protection": self.protection.to_json(),
        }

    @staticmethod
    def from_json(row: object) -> Quantiles:
        """Raises RequestError for anything but exactly such a question."""
        row = strict.fields(row, "a question about quantiles", "kind", "view", "of", "where", "protection")
        of = from_json(row["of"])
        if not isinstance(of, Amount):
            raise RequestError("a quantile is of an amount", expected="Amount(column, low, high)")
        where = None if row["where"] is None else predicate_from_json(row["where"])
        return Quantiles(row["view"], of, where, Protection.from_json(row["protection"]))


def consistent(levels: Sequence[np.ndarray]) -> np.ndarray:
    """The counts of the finest parts that fit all levels best (least squares). levels: from 2 parts on, each twice as many.

    Hay et al., theorem 3: once upwards, weighing a part against the sum of its halves, once downwards, sharing what differs.
    """
    depth = len(levels)
    up = [np.asarray(level, dtype=np.float64).copy() for level in levels]
    for at in range(depth - 2, -1, -1):
        height = depth - at  # of the parts of this level; the finest have 1
        halves = up[at + 1].reshape(-1, 2).sum(axis=1)
        own, theirs = 2.0**height - 2.0 ** (height - 1), 2.0 ** (height - 1) - 1
        up[at] = (own * up[at] + theirs * halves) / (2.0**height - 1)
    down = up[0]
    for at in range(1, depth):
        missing = down - up[at].reshape(-1, 2).sum(axis=1)
        down = up[at] + np.repeat(missing, 2) / 2
    return down


def _crossing(below: np.ndarray, borders: np.ndarray, target: float) -> float:
    place = int(np.searchsorted(below, target, side="left"))
    if place == 0:
        return float(borders[int(np.searchsorted(below, 0.0, side="right")) - 1])
    start, end = below[place - 1], below[place]
    return float(borders[place - 1] + (borders[place] - borders[place - 1]) * (target - start) / (end - start))


def quantiles(
    ask: Ask,
    *,
    view: str,
    of: Amount,
    at: Sequence[float] = (0.25, 0.5, 0.75),
    where: Predicate | None = None,
    protection: Protection,
) -> QuantileTable:
    """The quantiles over all sites that answered. at: shares, 0 to 1.

    One question pays for all of them. Raises RequestError for shares that are none or protection without noise.
    """
    if not at or not all(isinstance(q, int | float) and 0 <= q <= 1 for q in at):
        raise RequestError("a quantile is at a share", expected="numbers from 0 to 1", got="others")
    question = Quantiles(view, of, where, protection)
    question.check()
    replies = ask(question)
    values = question.values(question.added(replies), at)
    return QuantileTable(dict(zip(at, values, strict=True)), replies.sites, replies.missing)
