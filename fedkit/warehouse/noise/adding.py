"""Noise on an answer: all of it at the site, or the site's share of it for a sum under masks. Exact whole numbers throughout.

Every group gets a row, since which groups are empty would tell something. Samples are `fedkit.governance.noise.gaussian`'s.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from fedkit.governance.noise import Below, gaussian
from fedkit.governance.table_contract import Number
from fedkit.warehouse.noise.sensitivity import Centred, sensitivities, variances
from fedkit.warehouse.noise.shares import share
from fedkit.warehouse.question import ANSWER, Question

Row = Mapping[str, Any]


def noisy(question: Question, rows: Sequence[Row], *, below: Below = secrets.randbelow) -> list[dict[str, Any]]:
    """Mode "noise": the rows with noise for the question's price, a row for each group, within what its contract holds.

    rows: of the engine, each person within the question's bounds.   below: uniform whole numbers, for tests.
    """
    centred, spread = Centred(question), variances(question)
    columns = question.contract().tables[ANSWER].columns
    found = []
    for labels, row in _complete(question, rows):
        moved = centred.around(row)
        figures = centred.back({part: moved[part] + gaussian(spread[part], below) for part in question.parts})
        for part, value in figures.items():
            column = columns[part]
            low, high = (column.low, column.high) if isinstance(column, Number) else (0, 2**53 - 1)
            figures[part] = int(min(max(value, low), high))
        found.append({**labels, **figures})
    return found


def pooled(question: Question, rows: Sequence[Row], *, fewest: int, below: Below) -> np.ndarray:
    """Mode "pooled": what a site puts under its mask: its figures around their middles with its share of the noise, int64,
    group by group, each with `question.parts` in order. Around their middles they fit the ring of the masks; see `opened`.

    fewest: sites that can open the sum.   below: from which the share is drawn; the same draws when a call is repeated.
    """
    centred, most = Centred(question), sensitivities(question)
    rho = Fraction(question.protection.rho) / len(question.parts)
    spread = {part: share(most[part], rho, fewest, question.cells()) for part in question.parts}
    found: list[int] = []
    for _, row in _complete(question, rows):
        moved = centred.around(row)
        found.extend(moved[part] + gaussian(spread[part], below) for part in question.parts)
    return np.array(found, dtype=np.int64)


def opened(question: Question, total: Sequence[int]) -> tuple[int, ...]:
    """The sum of what sites gave (`pooled`), as figures: what was taken around middles is where it belongs again."""
    centred, width = Centred(question), len(question.parts)
    found: list[int] = []
    for at in range(0, len(total), width):
        figures = centred.back(dict(zip(question.parts, map(int, total[at : at + width]), strict=True)))
        found.extend(figures[part] for part in question.parts)
    return tuple(found)


def _complete(question: Question, rows: Sequence[Row]) -> list[tuple[dict[str, str], Row]]:
    """(labels, figures) of every group in the declared order; zeros where there is no row."""
    names = [group.column for group in question.groups]
    there = {tuple(str(row[name]) for name in names): row for row in rows}
    zeros = dict.fromkeys(question.parts, 0)
    keys = product(*(group.labels(column) for group, column in question.columns()))
    return [(dict(zip(names, key, strict=True)), there.get(key, zeros)) for key in keys]
