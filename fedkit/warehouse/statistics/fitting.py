"""A generalised linear model over all sites: a few rounds of sums, and the model that one would have of all rows in one place.

    model = fit(ask, view="patients", family="binomial", response=Flag("implant", …), terms=(Group("sex"),))
    model.table()          # term, estimate, standard error, statistic, p, and the interval

1. Ask for the sums at coefficients 0; they give the mean of the response, where the model without terms begins.
2. Ask for the sums there, add them over sites, and go to the next coefficients by Fisher's scoring.
3. Go half as far where the deviance rose. Stop where a step is nothing beside its standard error.
4. Take the coefficients from scaled amounts back to the columns' own units.

If a site falls away, the fit goes on over the others and says so: what it ends in is the model of the sites that are named.
Source: McCullagh and Nelder 1989, 2.5; as R's `glm` and DataSHIELD's `ds.glm` do it. With noise: one step of a gaussian model,
with the ridge of Wang, "Revisiting differentially private linear regression", UAI 2018 (AdaSSP).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fedkit.errors import OutputRefused, TrainingError
from fedkit.warehouse.predicates import Predicate
from fedkit.warehouse.question import Protection
from fedkit.warehouse.statistics.base import GRID, Ask, Replies
from fedkit.warehouse.statistics.families import FAMILIES
from fedkit.warehouse.statistics.glm import MAX_STEPS, GLMStep
from fedkit.warehouse.statistics.variables import Amount, Group, Variable
from fedkit.warehouse.statistics.variables import labels as labels_of

#: A fit is done when one more step would move no combination of coefficients by more than this share of its standard error …
DONE = 1e-8

#: … or by this, where it comes no nearer: what is left is the rounding of the sums.
NEAR = 1e-5

#: The condition number of a correlation matrix from which on its terms tell each other exactly: the rounding of sums is all
#: that keeps them apart.
WORST = 1e10


@dataclass(frozen=True)
class Coefficient:
    """One row of a model: estimate, standard error, t or z, two-sided p, 95 % interval; in the column's own unit."""

    term: str
    estimate: float
    error: float
    statistic: float
    p: float
    low: float
    high: float


@dataclass(frozen=True)
class Model:
    """A fitted model.

    covariance: of the estimates, shape (parameters, parameters).   dispersion: a gaussian model's residual variance, else 1.
    pearson: Pearson's chi-square over the residual degrees of freedom, which is far above 1 where counts vary too much.
    n: rows.   questions: that it took at each site.   sites, missing: who is in it, and why others are not.
    """

    family: str
    coefficients: Sequence[Coefficient]
    covariance: np.ndarray
    n: float
    deviance: float
    null_deviance: float
    dispersion: float
    pearson: float
    questions: int
    sites: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def degrees_of_freedom(self) -> float:
        """Residual: rows less parameters."""
        return self.n - len(self.coefficients)

    def __getitem__(self, term: str) -> Coefficient:
        return {c.term: c for c in self.coefficients}[term]

    def table(self) -> list[dict[str, Any]]:
        """Plain rows, a coefficient each; for a binomial or poisson model with its exponential (odds ratio, rate ratio)."""
        return [
            {**vars(c), **({"exp": math.exp(min(c.estimate, 700.0))} if self.family != "gaussian" else {})}
            for c in self.coefficients
        ]


def fit(
    ask: Ask,
    *,
    view: str,
    family: str,
    response: Variable,
    terms: Sequence[Variable] = (),
    where: Predicate | None = None,
    protection: Protection | None = None,
) -> Model:
    """The model over all sites that answered; see `GLMStep` for the parameters.

    Raises RequestError for a model that does not fit the schema; OutputRefused if a site holds it back, and TrainingError if
    the terms tell each other exactly or the fit does not end within `MAX_STEPS` questions.
    """
    question = GLMStep(view, family, response, tuple(terms), where=where, protection=protection or Protection())
    question.check()
    return fit_of(ask, question)


def fit_of(ask: Ask, question: GLMStep) -> Model:
    """The model of a question that was checked; its own coefficients do not matter. Raises as `fit`."""
    if question.protection.mode != "rules":
        return _with_noise(question, ask)
    at, moved = np.zeros(len(question.parameters)), np.zeros(0)
    sites, best, last = None, math.inf, math.inf
    for step in range(MAX_STEPS):
        asked = replace(question, coefficients=tuple(float(c) for c in at))
        replies = ask(asked)
        sums = _Sums.of(asked, asked.added(replies))
        if step == 0 and (begin := _beginning(question, sums)) is not None:
            at = begin
            continue
        if sites == replies.sites and sums.deviance > best * (1 + 1e-9) + 1e-9:
            moved = moved / 2
            at = at - moved
            continue
        sites, best = replies.sites, sums.deviance
        moved = sums.solve()
        left = math.sqrt(max(0.0, float(moved @ sums.score)) / sums.scale(question))
        if left < DONE or (left < NEAR and left >= last):
            return _model(question, at + moved, sums, step + 1, replies)
        last, at = left, at + moved
    raise TrainingError(
        "the model does not come to an end",
        expected=f"coefficients that settle within {MAX_STEPS} steps",
        got="none",
        help="the terms may tell the response exactly: leave some out, or merge groups",
    )


@dataclass(frozen=True)
class _Sums:
    """The sums of one step over all sites, for scaled amounts."""

    information: np.ndarray
    score: np.ndarray
    n: float
    response: float
    own: float
    deviance: float
    pearson: float

    @staticmethod
    def of(question: GLMStep, sums: Mapping[str, float]) -> _Sums:
        information, score = _matrix(question, sums)
        return _Sums(information, score, *(sums[name] for name in ("n", "response", "own", "deviance", "pearson")))

    def solve(self) -> np.ndarray:
        """The step of Fisher's scoring. Raises TrainingError if a term is a sum of others."""
        size = np.sqrt(np.diag(self.information))
        if not (size > 0).all() or np.linalg.cond(self.information / np.outer(size, size)) > WORST:
            raise TrainingError(
                "the terms of the model tell each other exactly",
                expected="terms of which none is a sum of others",
                got="a singular information matrix",
                help="leave one of them out",
            )
        step: np.ndarray = np.linalg.solve(self.information, self.score)
        return step

    def scale(self, question: GLMStep) -> float:
        """What the variance of the estimates is multiplied by."""
        if question.family != "gaussian":
            return 1.0
        return max(self.deviance / max(1.0, self.n - len(self.score)), 1e-300)


def _matrix(question: GLMStep, sums: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
    size = len(question.parameters)
    upper = np.array([[sums[f"information {min(a, b)} {max(a, b)}"] for b in range(size)] for a in range(size)])
    return upper, np.array([sums[f"score {a}"] for a in range(size)])


def _beginning(question: GLMStep, sums: _Sums) -> np.ndarray | None:
    """The coefficients of the model without terms; None where 0 is as good. Raises OutputRefused for one value."""
    mean = sums.response / sums.n if sums.n else 0.0
    if question.family == "gaussian":
        return None
    if mean <= 0 or (question.family == "binomial" and mean >= 1):
        raise OutputRefused("the response is the same for everybody", expected="some of either", got="one value")
    begin = np.zeros(len(question.parameters))
    begin[0] = FAMILIES[question.family].link(mean)
    return begin


def _model(question: GLMStep, at: np.ndarray, sums: _Sums, questions: int, replies: Replies) -> Model:
    freedom = sums.n - len(at)
    dispersion = sums.scale(question)
    covariance = np.linalg.inv(sums.information) * dispersion
    null = FAMILIES[question.family].null_deviance(sums.n, sums.response, sums.own)
    unit = _unit(question) ** 2
    estimates, covariance = _own_units(question, at, covariance)
    return Model(
        question.family,
        _rows(question, estimates, covariance, freedom),
        covariance,
        sums.n,
        sums.deviance * unit,
        null * unit,
        dispersion * unit,
        sums.pearson * unit / freedom if freedom > 0 else math.nan,
        questions,
        replies.sites,
        replies.missing,
    )


def _with_noise(question: GLMStep, ask: Ask) -> Model:
    replies = ask(question)
    sums = {cell: value / GRID for cell, value in question.added(replies).items()}
    noise = question.noise(replies) / GRID**2
    information, score = _matrix(question, sums)
    size = len(score)
    # AdaSSP: as much ridge as keeps the smallest eigenvalue above what the noise may have taken off it.
    least = float(np.linalg.eigvalsh(information)[0])
    reach = math.sqrt(noise * size * math.log(2 * size * size / 0.05))
    information = information + max(0.0, reach - least) * np.eye(size)
    at = np.linalg.solve(information, score)
    n = max(float(information[0, 0]), 1.0)
    squares = float(max(0.0, sums["own"] - 2 * at @ score + at @ information @ at))
    freedom = max(1.0, n - size)
    dispersion = squares / freedom
    inverse = np.linalg.inv(information)
    covariance = dispersion * inverse + noise * (1 + float(at @ at)) * inverse @ inverse
    unit = _unit(question) ** 2
    estimates, covariance = _own_units(question, at, covariance)
    null = FAMILIES["gaussian"].null_deviance(n, float(score[0]), sums["own"])
    rows = _rows(question, estimates, covariance, freedom)
    figures = (n, squares * unit, max(0.0, null) * unit, dispersion * unit, dispersion * unit)
    return Model(question.family, rows, covariance, *figures, 1, replies.sites, replies.missing)


def _unit(question: GLMStep) -> float:
    """The unit of the response as it was summed, in the column's own."""
    return question.response.half if question.family == "gaussian" and isinstance(question.response, Amount) else 1.0


def _own_units(question: GLMStep, at: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and covariance for amounts in their columns' units: a linear map of those for scaled ones."""
    back = np.eye(len(at))
    number = 1
    for term in question.terms:
        if isinstance(term, Amount):
            back[number, number] = 1 / term.half
            back[0, number] = -term.middle / term.half
        number += len(labels_of(term, question.view)) - 1 if isinstance(term, Group) else 1
    back = back * _unit(question)
    estimates = back @ at
    if question.family == "gaussian" and isinstance(question.response, Amount):
        estimates[0] += question.response.middle
    return estimates, back @ covariance @ back.T


def _rows(question: GLMStep, estimates: np.ndarray, covariance: np.ndarray, freedom: float) -> list[Coefficient]:
    from scipy.special import ndtr, ndtri, stdtr, stdtrit

    rows = []
    for name, value, variance in zip(question.parameters, estimates, np.diag(covariance), strict=True):
        error = math.sqrt(max(0.0, float(variance)))
        statistic = float(value) / error if error else math.inf
        if question.family == "gaussian":
            p, wide = 2 * float(stdtr(freedom, -abs(statistic))), float(stdtrit(freedom, 0.975))
        else:
            p, wide = 2 * float(ndtr(-abs(statistic))), float(ndtri(0.975))
        rows.append(
            Coefficient(name, float(value), error, statistic, p, float(value) - wide * error, float(value) + wide * error)
        )
    return rows
