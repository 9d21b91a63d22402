"""By how much one person changes the figures of an answer, and what the answer therefore costs.

A person counts in at most `groups_of_one` groups, with at most `rows_per_person` rows in each; the rendered SQL sees to it
(`fedkit.warehouse.render`). Neighbours are data with and without one person. Over all groups together one person changes a
figure by its change in one group times the root of the number of groups (Euclidean norm).

Sums are taken around the middle of their bounds: of birth years from 1900 to 2020 one person changes such a sum by 60, not by
2020. What leaves is made of the noisy sums again, which costs nothing (post-processing).

Sources: Bun and Steinke, "Concentrated Differential Privacy", TCC 2016; Wilson et al., "Differentially private SQL with bounded
user contribution", PoPETs 2020.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from fedkit.errors import RequestError
from fedkit.governance.noise import epsilon
from fedkit.warehouse.question import Asked, Question
from fedkit.warehouse.schema import SCHEMA


def price(question: Asked) -> float:
    """What an answer takes of the privacy budget at each site, rho (zCDP); 0.0 under rules. As epsilon: `price_as_epsilon`."""
    return question.cost()


def price_as_epsilon(question: Asked) -> float:
    """The price as an epsilon at delta 1e-6."""
    return epsilon(price(question))


class Centred:
    """The figures of a question around the middles of their bounds, and back. Whole numbers on both sides.

    Of a summed column x with middle m: sum is taken of x - m, squares of (x - m)² where the sum is there as well, else of
    x² - c with c the middle of x². Raises RequestError for a column with decimals, whose sums are no whole numbers.
    """

    def __init__(self, question: Question) -> None:
        self.parts = question.parts
        self.bounds = question.bounds()
        view = SCHEMA.view(question.view)
        for name in self.bounds:
            if not view.column(name).whole:
                raise RequestError(
                    f"{name} has decimals: its sums take no noise",
                    expected="a column of whole numbers",
                    got="one with decimals",
                    help="group by edges of it, and count",
                )

    def around(self, row: Mapping[str, Any]) -> dict[str, int]:
        """The figures of a row, moved to the middles."""
        moved = {part: int(row[part]) for part in self.parts}
        for name in self.bounds:
            n, m, total, squares = (
                moved[f"n_{name}"],
                self._middle(name),
                moved.get(f"sum_{name}"),
                moved.get(f"squares_{name}"),
            )
            if total is not None:
                moved[f"sum_{name}"] = total - m * n
            if squares is not None:
                back = self._middle_of_squares(name) * n if total is None else 2 * m * total - m * m * n
                moved[f"squares_{name}"] = squares - back
        return moved

    def back(self, moved: Mapping[str, int]) -> dict[str, int]:
        """What `around` moved, where it was; noise goes along."""
        row = dict(moved)
        for name in self.bounds:
            n, m = row[f"n_{name}"], self._middle(name)
            total, squares = f"sum_{name}", f"squares_{name}"
            if total in row:
                row[total] += m * n
            if squares in row:
                row[squares] += self._middle_of_squares(name) * n if total not in row else 2 * m * row[total] - m * m * n
        return row

    def one_row(self, part: str) -> int:
        """By how much one row changes a moved figure at most."""
        prefix, _, name = part.partition("_")
        if prefix not in ("sum", "squares"):
            return 1
        low, high = self.bounds[name]
        m = self._middle(name)
        reach = max(int(high) - m, m - int(low))
        if prefix == "sum":
            return reach
        if f"sum_{name}" in self.parts:
            return reach**2
        least, most = self._squares(name)
        c = self._middle_of_squares(name)
        return max(most - c, c - least)

    def _middle(self, name: str) -> int:
        low, high = self.bounds[name]
        return (int(low) + int(high)) // 2

    def _squares(self, name: str) -> tuple[int, int]:
        low, high = (int(bound) for bound in self.bounds[name])
        return 0 if low <= 0 <= high else min(low**2, high**2), max(low**2, high**2)

    def _middle_of_squares(self, name: str) -> int:
        return sum(self._squares(name)) // 2


def sensitivities(question: Question) -> dict[str, Fraction]:
    """Part → by how much one person changes it at most, all groups together (Euclidean norm, rounded up), around its middle."""
    centred, rows = Centred(question), question.protection.rows_per_person
    root = _root_above(question.groups_of_one())
    return {part: root * (1 if part == "persons" else rows) * centred.one_row(part) for part in question.parts}


def variances(question: Question) -> dict[str, Fraction]:
    """Part → sigma² of the noise of an answer: the price is shared evenly by the parts. Raises RequestError under rules."""
    if not question.protection.rho:
        raise RequestError("an answer under rules has no noise", expected='mode "noise" or "pooled"', got="rules")
    share = Fraction(question.protection.rho) / len(question.parts)
    return {part: most**2 / (2 * share) for part, most in sensitivities(question).items()}


def deviations(question: Question) -> dict[str, float]:
    """Part → standard deviation of its noise, around its middle: what a plan can tell beforehand."""
    return {part: math.sqrt(variance) for part, variance in variances(question).items()}


def _root_above(count: int) -> Fraction:
    root = math.isqrt(count)
    return Fraction(root) if root * root == count else Fraction(math.isqrt(count * 10**12) + 1, 10**6)
