"""Survival curves and the log-rank test, of counts in intervals that are out already.

    found = survival(ask, Survival(…))
    found.curve("female").table();  found.log_rank()

Times are the intervals: who ends in one with the event is counted before who ends in it without (as is usual for ties).
Sources: Kaplan and Meier, JASA 1958; Greenwood 1926, with the interval on the scale log(-log S) (Kalbfleisch and Prentice, "The
Statistical Analysis of Failure Time Data", 2002, 1.4); Mantel 1966 and Peto and Peto 1972 for the log-rank test. With noise,
its spread through the same arithmetic is simulated and added to the variance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fedkit.errors import RequestError
from fedkit.warehouse.statistics.base import Ask
from fedkit.warehouse.statistics.survival import Survival

#: Draws of the noise for its spread, and the seed: the same counts have the same intervals.
DRAWS, _SEED = 500, 20_200_807


@dataclass(frozen=True)
class Curve:
    """One group's curve.

    edges: days; interval k is from edges[k] to below edges[k + 1].   at_risk, events: of each interval, persons.
    survival: share without the event at the end of each interval.   low, high: its 95 % interval.   error: of the survival.
    """

    group: str
    edges: Sequence[int]
    at_risk: np.ndarray
    events: np.ndarray
    survival: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def at(self, days: int) -> float:
        """The share without the event after so many days: at the end of the last interval that has ended by then."""
        ended = int(np.searchsorted(np.array(self.edges[1:]), days, side="right"))
        return float(self.survival[ended - 1]) if ended else 1.0

    @property
    def median(self) -> int | None:
        """Days by which half of the group has had the event: the end of that interval; None if fewer have."""
        under = np.flatnonzero(self.survival <= 0.5)
        return self.edges[int(under[0]) + 1] if len(under) else None

    def table(self) -> list[dict[str, Any]]:
        """Plain rows, an interval each."""
        return [
            {
                "group": self.group,
                "from": self.edges[k],
                "to": self.edges[k + 1],
                "at_risk": float(self.at_risk[k]),
                "events": float(self.events[k]),
                "survival": float(self.survival[k]),
                "low": float(self.low[k]),
                "high": float(self.high[k]),
            }
            for k in range(len(self.survival))
        ]


@dataclass(frozen=True)
class LogRank:
    """Whether all groups have the same curve. observed, expected: group → events."""

    statistic: float
    degrees_of_freedom: int
    p: float
    observed: Mapping[str, float]
    expected: Mapping[str, float]


@dataclass(frozen=True)
class SurvivalTable:
    """Persons by group and the interval in which their time ends.

    events, censored: float64 (groups, intervals).   beyond: (groups,), who lasted longer than the last edge.
    noise: sigma² that was added to each count, over all sites together.   sites, missing: who is in it, and why others are not.
    """

    groups: Sequence[str]
    edges: Sequence[int]
    events: np.ndarray
    censored: np.ndarray
    beyond: np.ndarray
    noise: float = 0.0
    sites: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)

    def curve(self, group: str = "all") -> Curve:
        """The curve of a group. Raises RequestError for one that is not there."""
        if group not in self.groups:
            raise RequestError("no such group", expected=f"one of {', '.join(self.groups)}", got=group[:40])
        number = list(self.groups).index(group)
        events, at_risk = self._counts()
        survival, variance = _product_limit(events[number], at_risk[number])
        error = np.sqrt(survival**2 * variance + self._spread(lambda e, r: _product_limit(e[:, number], r[:, number])[0]))
        low, high = _interval(survival, error)
        return Curve(group, self.edges, at_risk[number], events[number], survival, error, low, high)

    def table(self) -> list[dict[str, Any]]:
        """Plain rows of all curves, an interval each."""
        return [row for group in self.groups for row in self.curve(group).table()]

    def log_rank(self) -> LogRank:
        """The test over all groups. Raises RequestError for fewer than two groups, or where nobody had the event."""
        if len(self.groups) < 2:
            raise RequestError("a test is between groups", expected="two groups or more", got="one", help="ask with by=…")
        events, at_risk = self._counts()
        gap, covariance = _log_rank(events, at_risk)
        if self.noise:
            draws = np.stack([_log_rank(e, r)[0] for e, r in zip(*self._noisy(), strict=True)])
            covariance = covariance + np.cov(draws.T)
        inner = covariance[:-1, :-1]  # the gaps add up to nothing, so one of them says nothing more
        if not np.linalg.matrix_rank(inner) == len(inner):
            raise RequestError("there is nothing to compare", expected="events, and persons at risk in each group", got="none")
        from scipy.special import chdtrc

        statistic = float(gap[:-1] @ np.linalg.solve(inner, gap[:-1]))
        observed = events.sum(axis=1)
        names = list(self.groups)
        return LogRank(
            statistic,
            len(names) - 1,
            float(chdtrc(len(names) - 1, statistic)),
            dict(zip(names, map(float, observed), strict=True)),
            dict(zip(names, map(float, observed - gap), strict=True)),
        )

    def _counts(self) -> tuple[np.ndarray, np.ndarray]:
        return _at_risk(self.events, self.censored, self.beyond)

    def _noisy(self) -> tuple[np.ndarray, np.ndarray]:
        """Draws of the counts with more of the noise that they have."""
        draw, size = np.random.default_rng(_SEED), math.sqrt(self.noise)
        shapes = (self.events, self.censored, self.beyond)
        return _at_risk(*(part + draw.normal(0.0, size, (DRAWS, *part.shape)) for part in shapes))

    def _spread(self, of: Any) -> Any:
        """The variance that noise gives to a figure."""
        return np.var(of(*self._noisy()), axis=0) if self.noise else 0.0


def _at_risk(events: np.ndarray, censored: np.ndarray, beyond: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Events, and persons at risk at the beginning of each interval (all who end in it or later). No count is below 0."""
    events, censored, beyond = np.maximum(events, 0.0), np.maximum(censored, 0.0), np.maximum(beyond, 0.0)
    ends = events + censored
    later = np.flip(np.cumsum(np.flip(ends, axis=-1), axis=-1), axis=-1)
    return events, later + beyond[..., None]


def _product_limit(events: np.ndarray, at_risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Survival at the end of each interval, and Greenwood's sum."""
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(at_risk > 0, events / at_risk, 0.0)
        terms = np.where((at_risk > 0) & (at_risk > events), events / (at_risk * (at_risk - events)), 0.0)
    survival = np.cumprod(1 - hazard, axis=-1)
    return survival, np.cumsum(terms, axis=-1)


def _interval(survival: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.special import ndtri

    z = float(ndtri(0.975))
    inside = (survival > 0) & (survival < 1)
    safe = np.where(inside, survival, 0.5)
    wide = z * error / (safe * np.abs(np.log(safe)))
    low, high = safe ** np.exp(wide), safe ** np.exp(-wide)
    return np.where(inside, low, survival), np.where(inside, high, survival)


def _log_rank(events: np.ndarray, at_risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Observed less expected events of each group, and their covariance (hypergeometric in each interval)."""
    dead, n = events.sum(axis=0), at_risk.sum(axis=0)
    share = np.divide(at_risk, n, out=np.zeros_like(at_risk), where=n > 0)
    gap = (events - share * dead).sum(axis=1)
    weight = np.divide(dead * (n - dead), n - 1, out=np.zeros_like(n), where=n > 1)
    covariance = np.diag((weight * share).sum(axis=1)) - (share * weight) @ share.T
    return gap, covariance


def survival(ask: Ask, question: Survival) -> SurvivalTable:
    """The counts over all sites that answered.

    Raises RequestError for a question that does not fit the schema, OutputRefused if a site holds a count back.
    """
    question.check()
    replies = ask(question)
    sums = question.added(replies)
    groups, intervals = range(len(question.groups())), range(len(question.edges) - 1)
    events = np.array([[sums[f"{g} {k} event"] for k in intervals] for g in groups])
    censored = np.array([[sums[f"{g} {k} censored"] for k in intervals] for g in groups])
    beyond = np.array([sums[f"{g} {len(intervals)} censored"] for g in groups])
    noise = question.noise(replies)
    return SurvivalTable(question.groups(), question.edges, events, censored, beyond, noise, replies.sites, replies.missing)
