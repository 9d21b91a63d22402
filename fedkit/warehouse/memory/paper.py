"""Questions laid on one sheet of paper: which classes of rows each counts, and in which of its groups.

Both questions of a pair are drawn over the same axes, so that "the rows that one counts and the other does not" is a region
that can be looked at without any data.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fedkit.digests import digest
from fedkit.warehouse.memory.axes import Axis, axis_of, yes_no
from fedkit.warehouse.memory.normal import normal
from fedkit.warehouse.predicates import All, Any, Compare, Has, Not, Predicate
from fedkit.warehouse.question import Question
from fedkit.warehouse.schema import SCHEMA

#: The most classes of rows of a pair; beyond, it is too detailed to be compared.
MOST = 200_000


class TooDetailed(Exception):
    """The questions name so much that their regions cannot be drawn."""


@dataclass(frozen=True)
class Drawn:
    """Two questions over the same axes. counted: of each, whether it counts a class of rows.   group: of each, in which of its
    groups, -1 for none.   axes: see there."""

    axes: tuple[Axis, ...]
    counted: tuple[np.ndarray, np.ndarray]
    group: tuple[np.ndarray, np.ndarray]

    def meeting(self, one: int) -> np.ndarray:
        """The groups of one question that have classes in common with the other: whole groups, as they leave."""
        met = np.unique(self.group[one][self.counted[one] & self.counted[1 - one]])
        found: np.ndarray = np.isin(self.group[one], met) & self.counted[one]
        return found


def drawn(first: Question, second: Question, site: str = "") -> Drawn:
    """Both questions, which are about one view. site: where they are answered.   Raises TooDetailed."""
    view, both = SCHEMA.view(first.view), (first, second)
    outer = [part for question in both for part in _outer(question.where)]
    names = dict.fromkeys([*(p.column for p in outer if isinstance(p, Compare)), *(g.column for q in both for g in q.groups)])
    names.pop("site", None)  # at one site it is known
    axes: dict[str, Axis] = {}
    for name in names:
        compares = [part for part in outer if isinstance(part, Compare) and part.column == name]
        axes[name] = axis_of(view.column(name), compares, [g for q in both for g in q.groups if g.column == name])
    for part in outer:
        if isinstance(part, Has):
            axes.setdefault(_name(part), yes_no())
    shape = tuple(len(axis.weights) for axis in axes.values())
    if math.prod(shape) > MOST or len(shape) > 30:
        raise TooDetailed
    sheet = _Sheet(axes, shape, site)
    counted, group = [], []
    for question in both:
        rows = sheet.where(question.where)
        place = np.zeros(shape, dtype=np.int64)
        for each, column in question.columns():
            labels = sheet.spread(each.column, axes[each.column].labels(each, column))
            rows = rows & (labels >= 0)
            place = place * (int(labels.max()) + 2) + labels
        counted.append(rows)
        group.append(np.where(rows, place, -1))
    return Drawn(tuple(axes.values()), (counted[0], counted[1]), (group[0], group[1]))


@dataclass(frozen=True)
class _Sheet:
    axes: typing.Mapping[str, Axis]
    shape: tuple[int, ...]
    site: str

    def spread(self, name: str, values: np.ndarray) -> np.ndarray:
        """Values of the classes of one axis, over all axes."""
        at = list(self.axes).index(name)
        found: np.ndarray = np.broadcast_to(values.reshape([-1 if i == at else 1 for i in range(len(self.shape))]), self.shape)
        return found

    def where(self, predicate: Predicate | None) -> np.ndarray:
        """Class by class, whether a condition holds."""
        if predicate is None:
            return np.ones(self.shape, dtype=bool)
        if isinstance(predicate, Compare):
            if predicate.column == "site":
                says = predicate.values[0] if predicate.op == "starts" else ""
                return np.full(self.shape, self.site.startswith(str(says)) if says else self.site in predicate.values)
            return self.spread(predicate.column, self.axes[predicate.column].holds(predicate))
        if isinstance(predicate, Has):
            return self.spread(_name(predicate), np.array([False, True]))
        if isinstance(predicate, Not):
            return ~self.where(predicate.part)
        parts = [self.where(part) for part in predicate.parts]
        found: np.ndarray = np.logical_and.reduce(parts) if isinstance(predicate, All) else np.logical_or.reduce(parts)
        return found


def _outer(predicate: Predicate | None) -> list[Predicate]:
    """The comparisons of the question's own view, and the `Has`, whose insides are about another."""
    if predicate is None:
        return []
    if isinstance(predicate, All | Any):
        return [found for part in predicate.parts for found in _outer(part)]
    return _outer(predicate.part) if isinstance(predicate, Not) else [predicate]


def _name(part: Has) -> str:
    return f"has {digest(normal(part, SCHEMA.view(part.view)).to_json())}"


def narrow(region: np.ndarray, axes: Sequence[Axis], least: float) -> float | None:
    """The share of all rows, on paper, of a piece of the region that is below `least`; None if every piece is wide.

    A region is taken apart into boxes, as large as they can be. A box is as wide as its widest class on each axis, so that
    values that nobody has do not make it look wide.
    """
    left = region.copy()
    while left.any():
        atom = np.unravel_index(int(np.argmax(left)), left.shape)
        box = _box(region, atom, axes)
        if (share := _share(box, axes)) < least:
            return share
        left[np.ix_(*box)] = False
    return None


def _box(region: np.ndarray, atom: Sequence[typing.Any], axes: Sequence[Axis]) -> list[list[int]]:
    """A box of classes inside the region that holds the atom and cannot grow; axes that gain most grow first."""
    box = [[int(at)] for at in atom]
    gains = []
    for axis in range(region.ndim):
        line = [np.array([place]) for (place,) in box]
        line[axis] = np.arange(region.shape[axis])
        inside = np.flatnonzero(region[np.ix_(*line)].reshape(-1))
        gains.append((float(axes[axis].weights[inside].sum()) / float(axes[axis].weights[box[axis][0]]), axis))
    for _, axis in sorted(gains, reverse=True):
        others = tuple(i for i in range(region.ndim) if i != axis)
        line = [np.array(places) for places in box]
        line[axis] = np.arange(region.shape[axis])
        box[axis] = [int(place) for place in np.flatnonzero(region[np.ix_(*line)].all(axis=others))]
    return box


def _share(box: Sequence[Sequence[int]], axes: Sequence[Axis]) -> float:
    whole = [len(places) == len(axis.weights) for places, axis in zip(box, axes, strict=True)]
    widest = [float(axis.weights[list(places)].max()) for places, axis in zip(box, axes, strict=True)]
    return math.prod(1.0 if full else wide for full, wide in zip(whole, widest, strict=True))
