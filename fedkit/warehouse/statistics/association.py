"""A table of counts: chi-square, odds ratio, Cramér's V. Plain arithmetic on counts that are out already.

Sources: Agresti, "Categorical Data Analysis", Wiley 2002, 3.1 and 3.2 (chi-square, Woolf's interval); Yates, JRSS 1934;
Haldane, Annals of Human Genetics 1956, and Anscombe, Biometrika 1956 (half a count in each cell where one is empty); Gaboardi
et al., "Differentially private chi-squared hypothesis testing", ICML 2016, algorithm MCIndep (noise belongs to the test).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fedkit.errors import RequestError

#: Draws of a p-value that is simulated, and the seed: the same table has the same p-value.
DRAWS, _SEED = 4_999, 20_160_619


@dataclass(frozen=True)
class ChiSquare:
    """Pearson's test of independence. smallest: the smallest expected count; below 5 the p-value is poor (Cochran 1954)."""

    statistic: float
    degrees_of_freedom: int
    p: float
    smallest: float


@dataclass(frozen=True)
class Ratio:
    """An estimate with its 95 % interval and two-sided p-value of 1 (Wald, on the log scale)."""

    estimate: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Association:
    """Persons in each combination of two variables.

    counts: float64 (rows, columns).   rows, columns: what its groups are called.
    noise:  sigma² that was added to each count, over all sites together; 0 under rules. Counts below 0 are taken as 0.
    sites, missing: who is in it, and why others are not.
    """

    counts: np.ndarray
    rows: Sequence[str]
    columns: Sequence[str]
    noise: float = 0.0
    sites: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    _seen: np.ndarray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_seen", np.maximum(np.asarray(self.counts, dtype=np.float64), 0.0))

    @property
    def total(self) -> float:
        """Persons in the whole table; one in two cells counts twice."""
        return float(self._seen.sum())

    def table(self) -> list[dict[str, Any]]:
        """Plain rows: the group, then the persons in each column."""
        return [
            {"group": name, **dict(zip(self.columns, (float(v) for v in row), strict=True))}
            for name, row in zip(self.rows, self._seen, strict=True)
        ]

    def chi_square(self, *, corrected: bool = False) -> ChiSquare:
        """Whether the variables are independent. corrected: after Yates, for 2 by 2 tables without noise.

        With noise the p-value is simulated: independent tables with such margins, with such noise.
        Raises RequestError for a table with an empty row or column, of which nothing can be said.
        """
        expected = _expected(self._seen)
        if expected is None:
            raise RequestError(
                "a row or column of the table is empty", expected="persons in each group", help="leave that group out"
            )
        degrees = (len(self.rows) - 1) * (len(self.columns) - 1)
        gap = np.abs(self._seen - expected)
        if corrected and degrees == 1 and not self.noise:
            gap = gap - np.minimum(0.5, gap)
        statistic = float((gap**2 / expected).sum())
        p = self._simulated(statistic, expected) if self.noise else _above_chi_square(statistic, degrees)
        return ChiSquare(statistic, degrees, p, float(expected.min()))

    def cramers_v(self) -> float:
        """How strong the association is, 0 … 1."""
        return math.sqrt(self.chi_square().statistic / (self.total * (min(self._seen.shape) - 1)))

    def odds_ratio(self) -> Ratio:
        """Of a 2 by 2 table, cells (a, b) over (c, d): ad / bc, with Woolf's interval, which the noise makes wider.

        Raises RequestError for another size.
        """
        if self._seen.shape != (2, 2):
            raise RequestError("an odds ratio is of a 2 by 2 table", expected="two groups each way", got=f"{self._seen.shape}")
        cells = self._seen + (0.5 if (self._seen <= 0).any() else 0.0)
        (a, b), (c, d) = cells
        log = math.log(a) + math.log(d) - math.log(b) - math.log(c)
        error = math.sqrt(float((1 / cells + self.noise / cells**2).sum()))  # the delta method, of count and noise
        return _ratio(log, error)

    def risk_ratio(self) -> Ratio:
        """Of a 2 by 2 table, the share of the second column in the second row over that in the first (Katz et al. 1978).

        Raises RequestError for another size.
        """
        if self._seen.shape != (2, 2):
            raise RequestError("a risk ratio is of a 2 by 2 table", expected="two groups each way", got=f"{self._seen.shape}")
        (a, b), (c, d) = self._seen + (0.5 if (self._seen <= 0).any() else 0.0)
        log = math.log(d / (c + d)) - math.log(b / (a + b))
        sampling = 1 / d - 1 / (c + d) + 1 / b - 1 / (a + b)
        noise = self.noise * sum((x / (y * (x + y))) ** 2 + 1 / (x + y) ** 2 for x, y in ((a, b), (c, d)))
        return _ratio(log, math.sqrt(sampling + noise))

    def _simulated(self, statistic: float, expected: np.ndarray) -> float:
        draw, n = np.random.default_rng(_SEED), max(1, round(self.total))
        tables = draw.multinomial(n, (expected / expected.sum()).ravel(), size=DRAWS).reshape(-1, *expected.shape)
        noisy = np.maximum(tables + draw.normal(0.0, math.sqrt(self.noise), tables.shape), 0.0)
        above = sum(1 for table in noisy if (e := _expected(table)) is None or ((table - e) ** 2 / e).sum() >= statistic)
        return (above + 1) / (DRAWS + 1)


def _expected(counts: np.ndarray) -> np.ndarray | None:
    """What independence would have; None if a row or column is empty."""
    down, across = counts.sum(axis=1), counts.sum(axis=0)
    if not (down > 0).all() or not (across > 0).all():
        return None
    product: np.ndarray = np.outer(down, across) / counts.sum()
    return product


def _above_chi_square(statistic: float, degrees: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(degrees, statistic))


def _ratio(log: float, error: float) -> Ratio:
    from scipy.special import ndtr, ndtri

    z = float(ndtri(0.975))
    return Ratio(math.exp(log), math.exp(log - z * error), math.exp(log + z * error), 2 * float(ndtr(-abs(log) / error)))
