"""One step of fitting a generalised linear model: the sums that a site gives for given coefficients.

A fit (`fedkit.warehouse.statistics.fitting`) asks a few of these, each with the coefficients that the sums of the last one lead
to. What leaves is the information matrix X'WX, the score X'(y - mu) and four sums; adding them over sites gives the same step
as on all rows in one place, so the model is the pooled one (Jones et al., "DataSHIELD: shared individual-level analysis without
sharing the data", Norsk Epidemiologi 2012).

Amounts are scaled by their declared bounds, in the sums and in the coefficients alike. With noise there is one step of a
gaussian model at coefficients 0: then the sums are those of the normal equations (Vu and Slavković 2009).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from typing import Any, ClassVar

import numpy as np

from fedkit.digests import digest
from fedkit.errors import LimitReached, OutputRefused, RequestError
from fedkit.warehouse import strict
from fedkit.warehouse.predicates import Predicate
from fedkit.warehouse.predicates import from_json as predicate_from_json
from fedkit.warehouse.question import Asked, Protection, Question
from fedkit.warehouse.schema import SCHEMA, Schema
from fedkit.warehouse.statistics.base import GRID, Statistic, kept_rows, on_grid, root_above
from fedkit.warehouse.statistics.families import FAMILIES, Family
from fedkit.warehouse.statistics.frames import Columns, Frame, by_person, persons_in, rows_in, taken
from fedkit.warehouse.statistics.limits import Limits
from fedkit.warehouse.statistics.variables import (
    Amount,
    Flag,
    Variable,
    check_variable,
    counts,
    from_json,
    item,
    labels,
    name_of,
    places,
    unlike,
)
from fedkit.warehouse.suggestions import did_you_mean, shown

#: The most parameters of a model, the most steps of a fit, and the most that a site answers one person of one model: whoever
#: chooses many coefficients has as many equations for the rows.
MAX_PARAMETERS, MAX_STEPS, MAX_ANSWERS = 30, 25, 40

#: The largest coefficient of a scaled amount.
LARGEST = 1e6

INTERCEPT = "intercept"


@dataclass(frozen=True)
class GLMStep(Statistic):
    """A model and the coefficients at which its sums are wanted.

    view:     what a row is.   where: which rows; None for all.
    family:   "gaussian" (response: an Amount), "poisson" (an Amount from 0 on, taken as it is), "binomial" (a Flag, or a Group
        of two values, the second of which is 1).
    response, terms: each once; a Group gives a parameter for each value but its first. An intercept is always there.
    coefficients: of the intercept and the parameters, in their order, for scaled amounts; () for 0 everywhere.
    Raises RequestError for what is no such model.
    """

    view: str
    family: str
    response: Variable
    terms: tuple[Variable, ...]
    coefficients: tuple[float, ...] = ()
    where: Predicate | None = None
    protection: Protection = field(default_factory=Protection)

    kind: ClassVar[str] = "glm_step"

    def __post_init__(self) -> None:
        strict.word(self.view, "the name of a view")
        if not isinstance(self.family, str) or self.family not in FAMILIES:
            raise RequestError(
                f"no family {shown(self.family)}",
                expected=f"one of {', '.join(FAMILIES)}",
                got=shown(self.family),
                help=did_you_mean(self.family, FAMILIES) if isinstance(self.family, str) else "",
            )
        terms = tuple(strict.items(self.terms, "the terms of a model", MAX_PARAMETERS))
        unlike((self.response, *terms))
        given = strict.items(self.coefficients, "the coefficients of a step", MAX_PARAMETERS)
        object.__setattr__(self, "terms", terms)
        coefficients = tuple(float(strict.number(c, "a coefficient")) for c in given)
        if any(abs(c) > LARGEST for c in coefficients):
            raise RequestError("a coefficient is beyond any model", expected=f"numbers up to {LARGEST:g}", got="more")
        object.__setattr__(self, "coefficients", coefficients)
        self._check_response()
        if self.protection.mode != "rules" and (self.family != "gaussian" or self.coefficients):
            raise RequestError(
                "with noise there is one step of a gaussian model",
                expected="family gaussian, no coefficients",
                got=f"family {self.family}, {len(self.coefficients)} coefficients",
                help="fit the other families under rules, or ask for a contingency table with noise",
            )

    @property
    def model(self) -> str:
        """A digest of all but the coefficients: the steps of one fit have it in common."""
        return digest({k: v for k, v in self.to_json().items() if k != "coefficients"})

    def after(self, answered: Iterable[Asked]) -> None:
        steps = {q.coefficients for q in answered if isinstance(q, GLMStep) and q.model == self.model}
        if self.coefficients not in steps and len(steps) >= MAX_ANSWERS:
            raise LimitReached(
                "too many steps of this model were answered",
                expected=f"at most {MAX_ANSWERS} different coefficients",
                got="one more",
                help="a fit takes fewer; ask for another model",
            )

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Names, the intercept first: "birth_year", "sex=male", "implant"."""
        names = [INTERCEPT]
        for term in self.terms:
            if isinstance(term, Amount | Flag):
                names.append(term.name)
            else:
                names += [f"{term.column}={value}" for value in labels(term, self.view)[1:]]
        return tuple(names)

    def cells(self) -> tuple[str, ...]:
        size = range(len(self.parameters))
        sums = [f"information {a} {b}" for a in size for b in size if a <= b] + [f"score {a}" for a in size]
        more = ("own",) if self.protection.mode != "rules" else ("n", "response", "own", "deviance", "pearson")
        return (*sums, *more)

    def variables(self) -> tuple[tuple[str, Variable], ...]:
        return tuple((self.view, variable) for variable in (self.response, *self.terms))

    def regions(self) -> tuple[Question, ...]:
        dividers = [v for v in (self.response, *self.terms) if not isinstance(v, Amount)]
        return (*counts(self.view, self.where), *(q for one in dividers for q in counts(self.view, self.where, one)))

    def frames(self) -> Mapping[str, Frame]:
        return {"rows": Frame(self.view, {name_of(v): item(v, self.view) for v in (self.response, *self.terms)}, self.where)}

    def check(self, schema: Schema = SCHEMA) -> None:
        view = schema.view(self.view)
        for variable in (self.response, *self.terms):
            check_variable(variable, view, schema)
        if not isinstance(self.response, Amount | Flag) and len(labels(self.response, self.view)) != 2:
            raise RequestError("a yes or no has two values", expected="a Group of two values", got="others")
        if len(self.parameters) > MAX_PARAMETERS:
            raise RequestError(
                "the model has too many parameters", expected=f"at most {MAX_PARAMETERS}", got=str(len(self.parameters))
            )
        if self.coefficients and len(self.coefficients) != len(self.parameters):
            raise RequestError(
                "the coefficients are of another model",
                expected=f"{len(self.parameters)}",
                got=f"{len(self.coefficients)}",
            )
        super().check(schema)

    def figures(self, rows: Mapping[str, Columns], limits: Limits) -> Mapping[str, tuple[int, float]]:
        frame, x, y = self._design(rows)
        persons = persons_in(frame)
        limits.enough(persons, "the model")
        limits.model(persons, x.shape[1])
        self._check_sides(frame, x, y, limits)
        family: Family = FAMILIES[self.family]
        eta = x @ (np.array(self.coefficients) if self.coefficients else np.zeros(x.shape[1]))
        mean = family.mean(eta)
        weight = family.variance(mean)
        self._check_step(frame, eta, weight, limits)
        information, score = (x * weight[:, None]).T @ x, x.T @ (y - mean)
        with np.errstate(divide="ignore", invalid="ignore"):
            pearson = np.where(weight > 0, np.square(y - mean) / weight, 0.0)
        found = {f"information {a} {b}": information[a, b] for a in range(len(x.T)) for b in range(a, len(x.T))}
        found |= {f"score {a}": score[a] for a in range(len(x.T))}
        found |= {
            "n": float(len(y)),
            "response": y.sum(),
            "own": family.own(y).sum(),
            "deviance": family.deviance(y, eta).sum(),
            "pearson": pearson.sum(),
        }
        return {cell: (persons, float(value)) for cell, value in found.items()}

    def sums(self, rows: Mapping[str, Columns]) -> np.ndarray:
        _, x, y = self._design(rows)
        size = range(x.shape[1])
        products = [x[:, a] * x[:, b] for a in size for b in size if a <= b] + [x[:, a] * y for a in size]
        return on_grid([*products, np.square(y)])

    def sensitivity(self) -> Fraction:
        # A row has at most one 1 among the parameters of each term, beside the intercept: so many products are not 0.
        filled = 1 + len(self.terms)
        cells = Fraction(filled * (filled + 1), 2) + filled + 1
        return root_above(cells) * self.protection.rows_per_person * (GRID + 1)

    def _design(self, rows: Mapping[str, Columns]) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """The complete rows that count; X of shape (rows, parameters), the intercept first; and the response."""
        frame = dict(rows["rows"])
        whole = np.ones(rows_in(frame), dtype=bool)
        for variable in (self.response, *self.terms):
            values = frame[name_of(variable)] if isinstance(variable, Amount) else places(variable, frame)
            frame[name_of(variable)] = values
            whole &= ~np.isnan(values) if isinstance(variable, Amount) else values >= 0
        frame = taken(frame, whole)
        frame = taken(frame, kept_rows(frame, self.protection))
        columns = [np.ones(rows_in(frame))]
        for term in self.terms:
            values = frame[name_of(term)]
            if isinstance(term, Amount):
                columns.append(term.scaled(values))
            elif isinstance(term, Flag):
                columns.append(values.astype(np.float64))
            else:
                columns += [(values == place).astype(np.float64) for place in range(1, len(labels(term, self.view)))]
        y = frame[name_of(self.response)].astype(np.float64)
        if isinstance(self.response, Amount):
            y = np.clip(y, self.response.low, self.response.high) if self.family == "poisson" else self.response.scaled(y)
        return frame, np.stack(columns, axis=1), y

    def _check_response(self) -> None:
        counted = isinstance(self.response, Amount)
        if counted == (self.family == "binomial"):
            wanted = "a Flag, or a Group of two values" if self.family == "binomial" else "an Amount"
            raise RequestError(
                f"the response does not fit the family {self.family}", expected=wanted, got=type(self.response).__name__
            )
        if self.family == "poisson" and isinstance(self.response, Amount) and self.response.low < 0:
            raise RequestError("a count is never below 0", expected="low of 0 or more", got=f"{self.response.low:g}")

    def _check_sides(self, frame: Columns, x: np.ndarray, y: np.ndarray, limits: Limits) -> None:
        """The sums tell the tables of all yes and no and groups against each other, and amounts in each of their groups: every
        part of these has enough persons."""
        amounts = [(self.response, y)] if isinstance(self.response, Amount) else []
        dividers = [] if isinstance(self.response, Amount) else [self.response]
        dividers += [term for term in self.terms if not isinstance(term, Amount)]
        amounts += [(term, x[:, self.parameters.index(term.name)]) for term in self.terms if isinstance(term, Amount)]
        scaled = {a.name: a.scaled(v) if a is self.response and self.family == "poisson" else v for a, v in amounts}
        for name, values in scaled.items():
            limits.amount(frame, values, name)
        for one in dividers:
            place = frame[name_of(one)]
            for number, label in enumerate(labels(one, self.view)):
                inside = place == number
                said = name_of(one) if isinstance(one, Flag) else f"{name_of(one)}={label}"
                limits.two_sided(persons_in(frame, inside), persons_in(frame, ~inside), said)
                for name, values in scaled.items():
                    limits.amount(taken(frame, inside), values[inside], f"{name} where {said}")
        # One weight for all rows tells of pairs alone; weights that coefficients change tell of all at once.
        together = combinations(dividers, 2) if self.family == "gaussian" else [tuple(dividers)]
        for chosen in together:
            limits.cross(frame, [frame[name_of(one)] for one in chosen], " by ".join(name_of(one) for one in chosen))
        if self.family == "binomial":
            for one in dividers[1:]:
                limits.no_empty(
                    frame[name_of(self.response)], frame[name_of(one)], f"{name_of(self.response)} by {name_of(one)}"
                )

    def _check_step(self, frame: Columns, eta: np.ndarray, weight: np.ndarray, limits: Limits) -> None:
        """Rules "separation" and "dominance": no coefficients can be chosen that single somebody out."""
        if self.family != "gaussian" and len(eta) and float(np.abs(eta).max()) > limits.linear_predictor:
            raise OutputRefused(
                "the model says of somebody that it cannot be otherwise",
                expected=f"a linear predictor from {-limits.linear_predictor:g} to {limits.linear_predictor:g}",
                got="more",
                help="the terms tell the response exactly: leave some out, or merge groups",
            )
        limits.no_dominance(by_person(frame, weight), "the weights of this step")

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "view": self.view,
            "family": self.family,
            "response": self.response.to_json(),
            "terms": [term.to_json() for term in self.terms],
            "coefficients": list(self.coefficients),
            "where": None if self.where is None else self.where.to_json(),
            "protection": self.protection.to_json(),
        }

    @staticmethod
    def from_json(row: object) -> GLMStep:
        """Raises RequestError for anything but exactly such a question."""
        names = ("kind", "view", "family", "response", "terms", "coefficients", "where", "protection")
        row = strict.fields(row, "a step of a model", *names)
        return GLMStep(
            row["view"],
            row["family"],
            from_json(row["response"]),
            tuple(from_json(term) for term in strict.items(row["terms"], "the terms of a model", MAX_PARAMETERS)),
            tuple(strict.items(row["coefficients"], "the coefficients of a step", MAX_PARAMETERS)),
            None if row["where"] is None else predicate_from_json(row["where"]),
            Protection.from_json(row["protection"]),
        )
