"""A question in words: what a steward, a journal's reader or a screen reader is told.

explain(question)
# 'Asks for the number of persons, by site and by year (2020, 2021), among mentions with label IMPLANT and year from 2020.
#  Exact figures, as far as the rules of each site let them leave.'
"""

from __future__ import annotations

from collections.abc import Sequence

from fedkit.warehouse.groups import Group
from fedkit.warehouse.measures import Measure
from fedkit.warehouse.predicates import All, Any, Compare, Not, Predicate, Value
from fedkit.warehouse.question import Asked, Protection, Question
from fedkit.warehouse.schema import SCHEMA, Schema, View

#: Values or groups that are named before the rest is only counted.
NAMED = 6

_FIGURES = {"sum": "the sum", "mean": "the mean", "sum_of_squares": "the sum of squares", "variance": "the variance"}

_BOUND = {">=": "from", "<=": "up to", ">": "above", "<": "below", "starts": "beginning with"}


def explain(question: Asked, schema: Schema = SCHEMA) -> str:
    """Two sentences: what is asked, and how the answer is protected. Raises RequestError for what does not fit the schema."""
    question.check(schema)
    if not isinstance(question, Question):
        from fedkit.warehouse.statistics.base import Statistic
        from fedkit.warehouse.statistics.explaining import sentence  # it says conditions as this module does

        asked = sentence(question) if isinstance(question, Statistic) else f"Asks a question of kind {question.kind}."
        return f"{asked} {protection(question.protection)}"
    view = schema.view(question.view)
    figures = listed([_figure(measure, view) for measure in question.measures])
    by = listed([f"by {_group(group, view)}" for group in question.by])
    where = f" with {condition(question.where)}" if question.where is not None else ""
    return f"Asks for {figures}{f', {by},' if by else ''} among {view.name}{where}. {protection(question.protection)}"


def condition(predicate: Predicate) -> str:
    """A condition, as it goes on after "with"."""
    if isinstance(predicate, Compare):
        name, values = predicate.column.replace("_", " "), [_value(value) for value in predicate.values]
        if predicate.op == "in":
            return f"{name} {listed(_few(values), 'or')}"
        return f"{name} {_BOUND[predicate.op]} {values[0]}"
    if isinstance(predicate, All | Any):
        word = "and" if isinstance(predicate, All) else "or"
        return listed([_inner(part) for part in predicate.parts], word)
    if isinstance(predicate, Not):
        return f"not {_inner(predicate.part)}"
    inner = f" with {condition(predicate.where)}" if predicate.where is not None else ""
    return f"a person who has {predicate.view}{inner}"


def protection(chosen: Protection) -> str:
    """How an answer is protected, as a sentence."""
    if chosen.mode == "rules":
        return "Exact figures, as far as the rules of each site let them leave."
    who = "Each site adds noise" if chosen.mode == "noise" else "Sites give sums under masks, and noise is added once for all"
    groups = "1 group" if chosen.groups_per_person == 1 else f"{chosen.groups_per_person} groups"
    rows = "1 row" if chosen.rows_per_person == 1 else f"{chosen.rows_per_person} rows"
    return f"{who}, for a privacy cost of {chosen.rho:g} (rho); one person counts in {groups} at most, with {rows} each."


def listed(words: Sequence[str], joint: str = "and") -> str:
    """Words with commas between, and `joint` before the last."""
    return " ".join(words) if len(words) < 2 else f"{', '.join(words[:-1])} {joint} {words[-1]}"


def _figure(measure: Measure, view: View) -> str:
    if measure.kind in ("persons", "notes", "visits"):
        return f"the number of {measure.kind}"
    if measure.kind == "rows":
        return f"the number of {view.name}"
    column, (low, high) = view.column(measure.column), measure.bounds
    bounds = "" if (low, high) == (column.low, column.high) else f" (cut to {low:g} to {high:g})"
    return f"{_FIGURES[measure.kind]} of {measure.column.replace('_', ' ')}{bounds}"


def _group(group: Group, view: View) -> str:
    name, column = group.column.replace("_", " "), view.column(group.column)
    labels = group.labels(column)
    return name if not labels or labels == column.values else f"{name} ({', '.join(_few(labels))})"


def _inner(predicate: Predicate) -> str:
    return f"({condition(predicate)})" if isinstance(predicate, All | Any) else condition(predicate)


def _few(words: Sequence[str]) -> list[str]:
    return list(words) if len(words) <= NAMED + 1 else [*words[:NAMED], f"{len(words) - NAMED} more"]


def _value(value: Value) -> str:
    return value if isinstance(value, str) else f"{value}"
