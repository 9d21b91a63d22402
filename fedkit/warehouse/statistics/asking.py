"""All statistics under one roof, for one way of asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fedkit.warehouse.predicates import Predicate
from fedkit.warehouse.question import Protection
from fedkit.warehouse.statistics.association import Association
from fedkit.warehouse.statistics.base import Ask
from fedkit.warehouse.statistics.contingency import contingency
from fedkit.warehouse.statistics.curves import SurvivalTable, survival
from fedkit.warehouse.statistics.fitting import Model, fit
from fedkit.warehouse.statistics.moments import Means, moments
from fedkit.warehouse.statistics.quantiles import QuantileTable, quantiles
from fedkit.warehouse.statistics.survival import Event, Survival
from fedkit.warehouse.statistics.variables import Amount, Divider, Variable


@dataclass(frozen=True)
class Statistics:
    """Statistics over all sites that `ask` reaches. Every result names its `sites`, and who is `missing` with the reason.

    Each method raises RequestError for what does not fit the schema, OutputRefused where a site holds a figure back, SiteError
    where none answered.   protection: of an answer; exact figures under the sites' rules without it.
    """

    ask: Ask

    def moments(
        self,
        *,
        view: str,
        of: Amount,
        by: Divider | None = None,
        where: Predicate | None = None,
        protection: Protection | None = None,
    ) -> Means:
        """Mean and variance of an amount, in groups or of all."""
        return moments(self.ask, view=view, of=of, by=by, where=where, protection=protection)

    def quantiles(
        self,
        *,
        view: str,
        of: Amount,
        at: Sequence[float] = (0.25, 0.5, 0.75),
        where: Predicate | None = None,
        protection: Protection,
    ) -> QuantileTable:
        """Quantiles of an amount, with noise: there are none without."""
        return quantiles(self.ask, view=view, of=of, at=at, where=where, protection=protection)

    def contingency(
        self,
        *,
        view: str,
        rows: Divider,
        columns: Divider,
        where: Predicate | None = None,
        protection: Protection | None = None,
    ) -> Association:
        """Persons by two variables, with chi-square and odds ratio."""
        return contingency(self.ask, view=view, rows=rows, columns=columns, where=where, protection=protection)

    def glm(
        self,
        *,
        view: str,
        family: str,
        response: Variable,
        terms: Sequence[Variable] = (),
        where: Predicate | None = None,
        protection: Protection | None = None,
    ) -> Model:
        """A generalised linear model: "gaussian", "binomial" or "poisson". It asks several questions."""
        return fit(self.ask, view=view, family=family, response=response, terms=terms, where=where, protection=protection)

    def survival(
        self,
        *,
        start: Event,
        event: Event,
        edges: Sequence[int],
        by: Divider | None = None,
        where: Predicate | None = None,
        seen: Event | None = None,
        protection: Protection | None = None,
    ) -> SurvivalTable:
        """Survival curves (Kaplan-Meier) and the log-rank test; see `Survival` for what is counted."""
        question = Survival(start, event, tuple(edges), by, where, seen or Event("notes"), protection or Protection())
        return survival(self.ask, question)
