"""What a question sums, and between which bounds: for the rules about sums, whatever the kind of question."""

from __future__ import annotations

from fedkit.warehouse.question import Asked, Question
from fedkit.warehouse.statistics.base import Statistic
from fedkit.warehouse.statistics.variables import Amount


def bounds_of(question: Asked) -> list[tuple[str, str, float, float]]:
    """(view, column, low, high) of each column whose values are cut to bounds."""
    if isinstance(question, Question):
        return [(question.view, name, low, high) for name, (low, high) in question.bounds().items()]
    variables = question.variables() if isinstance(question, Statistic) else ()
    return [(view, v.column, v.low, v.high) for view, v in variables if isinstance(v, Amount)]
