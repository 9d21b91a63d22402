"""A statistic in words, for people who read what was asked: a steward, an auditor, a page."""

from __future__ import annotations

from fedkit.warehouse.explain import condition, listed
from fedkit.warehouse.predicates import Predicate
from fedkit.warehouse.statistics.base import Statistic
from fedkit.warehouse.statistics.contingency import Contingency
from fedkit.warehouse.statistics.glm import GLMStep
from fedkit.warehouse.statistics.moments import MomentsQuestion
from fedkit.warehouse.statistics.quantiles import Quantiles
from fedkit.warehouse.statistics.survival import Event, Survival
from fedkit.warehouse.statistics.variables import Amount, Flag, Variable


def sentence(question: Statistic) -> str:
    """What is asked, in one sentence. A statistic of another kind is told by its kind."""
    if isinstance(question, MomentsQuestion):
        by = f", by {_named(question.by)}," if question.by is not None else ""
        return f"Asks for mean and variance of {_named(question.of)}{by} among {question.view}{_with(question.where)}."
    if isinstance(question, Contingency):
        table = f"{_named(question.rows)} against {_named(question.columns)}"
        return f"Asks for a table of {table}, in distinct persons, among {question.view}{_with(question.where)}."
    if isinstance(question, Quantiles):
        return f"Asks for quantiles of {_named(question.of)} among {question.view}{_with(question.where)}."
    if isinstance(question, GLMStep):
        terms = f" on {listed([_named(term) for term in question.terms])}" if question.terms else ""
        model = f"a {question.family} model of {_named(question.response)}{terms}"
        return f"Asks for one step of {model} among {question.view}{_with(question.where)}."
    if isinstance(question, Survival):
        by = f", by {_named(question.by)}," if question.by is not None else ""
        times = f"times from {_event(question.start)} to {_event(question.event)}, in {len(question.edges) - 1} intervals"
        return (
            f"Asks for {times}{by} among patients{_with(question.where)}; followed until the last of {_event(question.seen)}."
        )
    return f"Asks for a statistic of kind {question.kind}."


def _named(variable: Variable) -> str:
    if isinstance(variable, Amount):
        return f"{variable.column.replace('_', ' ')} from {variable.low:g} to {variable.high:g}"
    if isinstance(variable, Flag):
        return f"{variable.name} ({condition(variable.when)})"
    groups = len(variable.values) or max(0, len(variable.edges) - 1)
    return variable.column.replace("_", " ") + (f" in {groups} groups" if groups else "")


def _event(event: Event) -> str:
    return f"the {event.view}{_with(event.where)}"


def _with(where: Predicate | None) -> str:
    return f" with {condition(where)}" if where is not None else ""
