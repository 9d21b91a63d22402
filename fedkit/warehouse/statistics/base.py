"""What all statistics have in common: a question, the site's step, and what comes back to whoever asks.

A statistic is a question (`Asked`) of a kind of its own. The site selects its `frames`, and `answer` turns them into what may
leave: figures under limits in mode "rules"; in "noise" and "pooled" whole numbers, `sums`, to which noise is added here or by
the sites together. The functions in this package that take `ask` put such questions to all sites and combine the answers:

    model = fit(ask, view="patients", response=Flag("implant", Has("mentions", …)), terms=(Group("sex"),), family="binomial")

Pure: `answer` takes arrays and gives arrays; nothing here opens a connection.
"""

from __future__ import annotations

import math
import secrets
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Any, ClassVar, TypeAlias

import numpy as np

from fedkit.errors import OutputRefused, RequestError, SiteError
from fedkit.governance.noise import Below, gaussian
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.table_contract import Category, Column, Count, Number, TableContract
from fedkit.warehouse.question import ANSWER, Asked, Protection, Question
from fedkit.warehouse.schema import SCHEMA, Schema
from fedkit.warehouse.statistics.frames import PERSON, Columns, Frame
from fedkit.warehouse.statistics.limits import Limits
from fedkit.warehouse.statistics.variables import Variable

#: Steps of the grid of a sum in one unit of its scaled values (-1 … 1), where it is to be added as a whole number. Five sites
#: of a million rows fit into the ring of the masks with it.
GRID = 64

#: Steps of the grid of one row's value; sums of whole numbers are exact, so the order of rows tells nothing (Mironov 2012).
_FINE = 1 << 16

#: The largest figure in an answer of mode "rules": up to it, whole numbers are exact.
LARGEST = float(2**53)

#: Decimals with which figures leave: of scaled sums, more than a model needs to equal the pooled one to 1e-8.
DIGITS = 9


@dataclass(frozen=True)
class SiteAnswer:
    """What leaves one site: rows of tables and tensors (float32), as the contract of the question declares them."""

    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    tensors: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Replies:
    """What came of a question that was put to all sites.

    answers: site → what it gave, for modes "rules" and "noise".   missing: site → why it gave nothing.
    pooled:  for mode "pooled", the sum over `pooled_sites` with its noise, int64 of shape (cells,); else None.
    """

    answers: Mapping[str, SiteAnswer] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    pooled: np.ndarray | None = None
    pooled_sites: tuple[str, ...] = ()

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites that are in it."""
        return self.pooled_sites if self.pooled is not None else tuple(self.answers)


#: Puts a question to all sites and waits for what comes.
Ask: TypeAlias = Callable[["Statistic"], Replies]


class Statistic(Asked):
    """A question whose answer is computed from frames.

    counts: whether its figures are numbers of distinct persons. Under rules they then leave as a column of counts and nothing
        else, so the site's threshold and rounding apply to them as in any table.
    """

    counts: ClassVar[bool] = False

    @abstractmethod
    def frames(self) -> Mapping[str, Frame]:
        """Name → what the site selects for it."""

    @abstractmethod
    def variables(self) -> tuple[tuple[str, Variable], ...]:
        """The amounts, groups and flags that it is about, each with its view: what rules look at before anything runs."""

    @abstractmethod
    def regions(self) -> tuple[Question, ...]:
        """The counts of persons that an exact answer tells of: what the memory of answers compares it with others by."""

    @abstractmethod
    def cells(self) -> tuple[str, ...]:
        """Names of the figures in an answer, in order; up to 1,000."""

    def axes(self) -> Mapping[str, tuple[str, ...]]:
        """Under rules: category column → its values. Their combinations, the last one fastest, are the cells in order; what the
        site hides for another cell's sake, it hides along them."""
        return {"cell": self.cells()}

    @abstractmethod
    def figures(self, rows: Mapping[str, Columns], limits: Limits) -> Mapping[str, tuple[int, float]]:
        """Mode "rules": cell → (distinct persons behind it, the figure). Raises OutputRefused for what is beyond the limits.

        rows: the frames, by name.
        """

    @abstractmethod
    def sums(self, rows: Mapping[str, Columns]) -> np.ndarray:
        """Modes "noise" and "pooled": one whole number a cell (int64), without noise, one person's part in them bounded."""

    @abstractmethod
    def sensitivity(self) -> Fraction:
        """By how much one person changes `sums` at most, Euclidean norm over all cells."""

    def after(self, answered: Iterable[Asked]) -> None:
        """Raises LimitReached if the answers that this person had before leave no room for this one."""

    def spread(self) -> Fraction:
        """sigma² of the noise in each cell: sensitivity² / (2 rho) (Bun and Steinke 2016, proposition 1.6)."""
        if not self.protection.rho:
            raise RequestError("an answer under rules has no noise", expected='mode "noise" or "pooled"', got="rules")
        return self.sensitivity() ** 2 / (2 * Fraction(self.protection.rho))

    def answer(self, rows: Mapping[str, Columns], limits: Limits, *, below: Below = secrets.randbelow) -> SiteAnswer:
        """What leaves the site in modes "rules" and "noise". below: for tests. Raises OutputRefused."""
        if self.protection.mode == "rules":
            found, table = self.figures(rows, limits), []
            for key, cell in self._keys().items():
                if cell in found:
                    persons, value = found[cell]
                    more = {} if self.counts else {"value": round(float(value) + 0.0, DIGITS)}
                    table.append({**dict(zip(self.axes(), key, strict=True)), "persons": persons, **more})
            return SiteAnswer(tables={ANSWER: table})
        spread = self.spread()
        noisy = [int(value) + gaussian(spread, below) for value in self.sums(rows)]
        return SiteAnswer(tensors={ANSWER: np.array(noisy, dtype=np.float32)})  # rounding after the noise costs nothing

    def contract(self) -> OutputContract:
        cells = self.cells()
        if self.protection.mode != "rules":
            return OutputContract(tensors={ANSWER: (len(cells),)})
        columns: dict[str, Column] = {name: Category(values) for name, values in self.axes().items()}
        columns["persons"] = Count()
        if not self.counts:
            columns["value"] = Number(-LARGEST, LARGEST, "persons", DIGITS)
        return OutputContract(tables={ANSWER: TableContract(columns, max_rows=len(cells), threshold=1, rounding=1)})

    def check(self, schema: Schema = SCHEMA) -> None:
        for frame in self.frames().values():
            frame.check(schema)

    def read(self, answer: SiteAnswer) -> dict[str, float]:
        """Cell → figure, of one site's answer. Raises SiteError for one that is not in the form of the contract."""
        if self.protection.mode != "rules":
            values = answer.tensors.get(ANSWER)
            if values is None or values.shape != (len(self.cells()),):
                raise SiteError("a site's answer is to another question", expected=f"{len(self.cells())} figures")
            return dict(zip(self.cells(), (float(v) for v in values), strict=True))
        figure, keys = "persons" if self.counts else "value", self._keys()
        found = {keys.get(tuple(str(row[a]) for a in self.axes()), ""): row[figure] for row in answer.tables.get(ANSWER, ())}
        if "" in found:
            raise SiteError("a site's answer is to another question", expected=f"figures of {len(keys)} declared cells")
        return {cell: float(value) for cell, value in found.items()}

    def added(self, replies: Replies) -> dict[str, float]:
        """Cell → sum over all sites. Raises SiteError if no site answered, OutputRefused if one held a figure back."""
        if replies.pooled is not None:
            return dict(zip(self.cells(), (float(v) for v in replies.pooled), strict=True))
        if not replies.answers:
            raise SiteError(
                "no site answered",
                expected="at least one site",
                got="; ".join(f"{site}: {why}" for site, why in replies.missing.items())[:400] or "none",
                help="see what each site said; the plan shows it before anything runs",
            )
        total = dict.fromkeys(self.cells(), 0.0)
        for site, answer in replies.answers.items():
            for cell, value in self.whole(self.read(answer), site).items():
                total[cell] += value
        return total

    def noise(self, replies: Replies) -> float:
        """sigma² of the noise in each cell of `added`: once where it was pooled, once for each site else; 0 under rules."""
        if self.protection.mode == "rules":
            return 0.0
        return float(self.spread()) * (1 if replies.pooled is not None else len(replies.answers))

    def _keys(self) -> dict[tuple[str, ...], str]:
        """Values of the axes → cell."""
        return dict(zip(product(*self.axes().values()), self.cells(), strict=True))

    def whole(self, figures: Mapping[str, float], site: str) -> Mapping[str, float]:
        """A site's figures, if all are there. Raises OutputRefused if some stayed at the site."""
        if held := len(self.cells()) - len(figures):
            raise OutputRefused(
                f"{site} held back a part of the answer",
                expected="all figures: a statistic of some of them would be wrong",
                got=f"{held} of {len(self.cells())} held back",
                help="ask about more persons, in fewer and larger groups, or with noise",
            )
        return figures


def kept_rows(columns: Columns, protection: Protection) -> np.ndarray:
    """Places of the rows that count: all under rules, else up to `rows_per_person` of each person, the first that come."""
    person = columns[PERSON]
    if protection.mode == "rules":
        return np.arange(len(person))
    order = np.argsort(person, kind="stable")
    return np.sort(order[_rank(person[order]) < protection.rows_per_person])


def kept_groups(columns: Columns, place: np.ndarray, protection: Protection) -> tuple[np.ndarray, np.ndarray]:
    """Each person in each of their groups once, as (persons, groups); with noise in up to `groups_per_person` of them, drawn by
    a digest of both, so that the draw is the same whenever it is made.   place: the group of each row, -1 for none."""
    pairs = np.unique(np.stack([columns[PERSON][place >= 0], place[place >= 0]], axis=1).astype(np.int64), axis=0)
    person, group = pairs[:, 0], pairs[:, 1]
    if protection.mode == "rules" or not len(person):
        return person, group
    order = np.lexsort((_mixed(person, group), person))
    kept = order[_rank(person[order]) < protection.groups_per_person]
    return person[kept], group[kept]


def on_grid(values: Sequence[np.ndarray]) -> np.ndarray:
    """The sum of each array, in steps of 1 / GRID, int64. values: of each cell, one number a row, -1 … 1.

    What a person changes a sum by is theirs in steps of the grid, and one step at most by rounding.
    """
    fine = [int(np.rint(np.asarray(v, dtype=np.float64) * _FINE).astype(np.int64).sum()) for v in values]
    each = _FINE // GRID
    return np.array([(total + each // 2) // each for total in fine], dtype=np.int64)


def root_above(square: Fraction) -> Fraction:
    """A square root, rounded up in the sixth decimal: bounds are not to be missed by a rounding."""
    return Fraction(math.isqrt(math.floor(square * 10**12)) + 1, 10**6)


def _rank(ordered: np.ndarray) -> np.ndarray:
    """The place of each item among its equals, from 0. ordered: equals stand together."""
    if not len(ordered):
        return np.zeros(0, dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    rank: np.ndarray = np.arange(len(ordered)) - np.repeat(starts, np.diff(np.r_[starts, len(ordered)]))
    return rank


def _mixed(person: np.ndarray, group: np.ndarray) -> np.ndarray:
    """A number for each pair that looks drawn (SplitMix64, Steele, Lea and Flood, OOPSLA 2014)."""
    with np.errstate(over="ignore"):
        z = person.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + group.astype(np.uint64) * np.uint64(0xD1B54A32D192ED03)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))
