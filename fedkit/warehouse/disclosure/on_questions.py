"""Rules about a question before anything runs: how finely it divides, what it sums, what it may not ask for exactly."""

from __future__ import annotations

from fedkit.warehouse.bounds import bounds_of
from fedkit.warehouse.disclosure.presets import Preset
from fedkit.warehouse.disclosure.rule import Rule
from fedkit.warehouse.question import Asked, Question
from fedkit.warehouse.schema import SCHEMA
from fedkit.warehouse.statistics.base import Statistic
from fedkit.warehouse.statistics.variables import Group, Variable

#: The least width of a sum's bounds, as a share of what its column can be.
NARROWEST = 0.05

#: The widest column against which that share is taken; wider ones have room that no person fills (lengths in characters).
WIDEST = 200.0


class GroupLimit(Rule):
    """No column is divided into more groups than a person can look through: the finer, the closer to single persons."""

    name = "group limit"
    source = "DataSHIELD nfilter.levels.max 40"

    def refuses(self, question: Asked, preset: Preset) -> str:
        if not preset.groups or question.protection.mode != "rules":
            return ""
        for column, found in _divided(question):
            if found > preset.groups:
                return (
                    f"{column} is divided into {found} groups, and the site shows up to {preset.groups}: name fewer "
                    "values, or wider edges"
                )
        return ""

    def says(self, preset: Preset) -> str:
        return f"a column is divided into {preset.groups} groups at most" if preset.groups else ""


class NoExtremes(Rule):
    """No smallest, largest or middle value leaves without noise: it is somebody's own."""

    name = "no extremes"
    source = "Welpton, SDC Handbook, 2019 (minima, maxima and percentiles)"

    def refuses(self, question: Asked, preset: Preset) -> str:
        if question.kind == "quantiles" and question.protection.mode == "rules":
            return "a quantile is a value of somebody: ask for it with noise"
        return ""

    def says(self, preset: Preset) -> str:
        return "no smallest, largest or middle value leaves without noise"


class WideBounds(Rule):
    """The bounds of an exact sum are not so narrow that the sum counts who lies beyond a line.

    A sum of values cut to 1950 … 1951 is a count of persons born after 1950, on which there is no threshold.
    """

    name = "wide bounds"
    source = "fedkit: sums over values cut to bounds are counts in disguise"

    def refuses(self, question: Asked, preset: Preset) -> str:
        if question.protection.mode != "rules":
            return ""
        for view, name, low, high in bounds_of(question):
            column = SCHEMA.view(view).column(name)
            if column.low is None or column.high is None:
                continue
            needed = NARROWEST * min(column.high - column.low, WIDEST)
            if high - low < needed:
                return (
                    f"the bounds of {name} are {high - low:g} apart, which would count who lies beyond them: at least "
                    f"{needed:g}, or ask with noise"
                )
        return ""

    def says(self, preset: Preset) -> str:
        return "the bounds of an exact sum are no narrower than a twentieth of its column"


class DegreesOfFreedom(Rule):
    """A model leaves enough persons over its parameters, and has not so many that it repeats persons.

    Looked at where the model is fitted, by `fedkit.warehouse.statistics.limits`, since it depends on who is there.
    """

    name = "degrees of freedom"
    source = "ACRO safe_dof_threshold 10; DataSHIELD nfilter.glm 0.33"

    def says(self, preset: Preset) -> str:
        said = []
        if preset.degrees_of_freedom:
            said.append(f"{preset.degrees_of_freedom} persons more than parameters at least")
        if preset.parameters is not None:
            said.append(f"{preset.parameters:g} parameters a person at most")
        return f"a model has {' and '.join(said)}" if said else ""


def _divided(question: Asked) -> list[tuple[str, int]]:
    """(column, groups that it is divided into) of whatever kind of question."""
    if isinstance(question, Question):
        return [(column.name, len(group.labels(column))) for group, column in question.columns()]
    groups = [(view, v) for view, v in _variables(question) if isinstance(v, Group)]
    return [(group.column, len(group.labels(SCHEMA.view(view).column(group.column)))) for view, group in groups]


def _variables(question: Asked) -> tuple[tuple[str, Variable], ...]:
    return question.variables() if isinstance(question, Statistic) else ()
