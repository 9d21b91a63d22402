"""Rules about a question before anything runs: how finely it divides, what it sums, what it may not ask for exactly."""

from __future__ import annotations

from fedkit.warehouse.disclosure.presets import Preset
from fedkit.warehouse.disclosure.rule import Rule
from fedkit.warehouse.question import Asked, Question
from fedkit.warehouse.schema import SCHEMA

#: The least width of a sum's bounds, as a share of what its column can be.
NARROWEST = 0.05

#: The widest column against which that share is taken; wider ones have room that no person fills (lengths in characters).
WIDEST = 200.0


class GroupLimit(Rule):
    """No column is divided into more groups than a person can look through: the finer, the closer to single persons."""

    name = "group limit"
    source = "DataSHIELD nfilter.levels.max 40"

    def refuses(self, question: Asked, preset: Preset) -> str:
        if not preset.groups or not isinstance(question, Question) or question.protection.mode != "rules":
            return ""
        for group, column in question.columns():
            if (found := len(group.labels(column))) > preset.groups:
                return (
                    f"{column.name} is divided into {found} groups, and the site shows up to {preset.groups}: name fewer "
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
        if not isinstance(question, Question) or question.protection.mode != "rules":
            return ""
        view = SCHEMA.view(question.view)
        for name, (low, high) in question.bounds().items():
            column = view.column(name)
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
