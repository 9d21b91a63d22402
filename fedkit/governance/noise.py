"""Noise that makes a result private: exact samples of the discrete Gaussian, from the system's own randomness.

A value is clamped to its declared bounds, put on a grid and moved by a whole number of steps, so that no rounding of floating
point tells what it was (Mironov, "On significance of the least significant bits for differential privacy", CCS 2012). Sampler:
Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy", NeurIPS 2020, algorithms 1 to 3; its cost is that
of the continuous one, rho = sensitivity² / (2 sigma²) (theorem 14 there; Bun and Steinke, TCC 2016, proposition 1.6). The rho
of an entry is shared evenly by its numbers and count columns.

What leaves is the noisy value: cut to its bounds again, and for a table suppressed and rounded as any other. A table gets a row
for every combination of its categories first, since which rows there are would tell something too.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from fedkit.errors import OutputRefused
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.privacy import Privacy
from fedkit.governance.table_contract import Row, TableContract

#: Steps of the grid of a number in one sensitivity; being put on the grid adds one step to it.
STEPS = 1 << 16

#: The delta for which costs are told as epsilon.
DELTA = 1e-6

#: A whole number below the given one, uniform.
Below = Callable[[int], int]


def noisy(
    contract: OutputContract,
    privacy: Privacy,
    numbers: Mapping[str, float],
    tables: Mapping[str, Sequence[Row]],
    *,
    below: Below = secrets.randbelow,
) -> tuple[dict[str, float], dict[str, list[dict[str, Any]]]]:
    """Numbers and tables with noise, for `privacy.rho` together. Raises OutputRefused if they are not what was declared.

    A number out of its bounds is clamped, not refused: a refusal would say something of the notes. below: for tests.
    """
    if set(numbers) != set(contract.numbers) or not set(tables) <= set(contract.tables):
        raise OutputRefused("the result is not what was declared", expected="exactly the declared numbers and tables")
    share = Fraction(privacy.rho) / max(1, len(privacy.sensitivity))
    moved = {}
    for name, (low, high) in contract.numbers.items():
        step = privacy.sensitivity[name] / STEPS
        value = min(max(float(numbers[name]), low), high)
        on_grid = round(value / step) + gaussian(variance(Fraction(STEPS + 1), share), below)
        moved[name] = float(min(max(on_grid * step, low), high))
    whole = {}
    for name, table in contract.tables.items():
        spread = {c: variance(Fraction(privacy.sensitivity[f"{name}.{c}"]), share) for c in table.counts}
        rows = complete(table, table.check(tables.get(name, ()), name))
        whole[name] = [{**row, **{c: max(0, row[c] + gaussian(v, below)) for c, v in spread.items()}} for row in rows]
    return moved, whole


def complete(table: TableContract, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows, with one of zeros for each combination of categories that has none; for a table of categories and counts."""
    there = {tuple(row[name] for name in table.categories): dict(row) for row in rows}
    keys = product(*(category.values for category in table.categories.values()))
    return [
        there.get(key) or {**dict(zip(table.categories, key, strict=True)), **dict.fromkeys(table.counts, 0)} for key in keys
    ]


def variance(sensitivity: Fraction, rho: Fraction) -> Fraction:
    """sigma² of the noise that costs rho."""
    return sensitivity**2 / (2 * rho)


def epsilon(rho: float, delta: float = DELTA) -> float:
    """The epsilon, at this delta, that rho of zero-concentrated privacy is at most (Bun and Steinke 2016, proposition 1.3)."""
    return rho + 2 * math.sqrt(rho * math.log(1 / delta)) if rho > 0 else 0.0


def gaussian(sigma2: Fraction, below: Below = secrets.randbelow) -> int:
    """A whole number with P(x) in proportion to exp(-x² / (2 sigma2)), exactly."""
    scale = math.isqrt(math.floor(sigma2)) + 1
    while True:
        x = laplace(scale, below)
        if _exp((abs(x) - sigma2 / scale) ** 2 / (2 * sigma2), below):
            return x


def laplace(scale: int, below: Below = secrets.randbelow) -> int:
    """A whole number with P(x) in proportion to exp(-|x| / scale), exactly."""
    while True:
        rest = below(scale)
        if not _exp(Fraction(rest, scale), below):
            continue
        whole = 0
        while _exp(Fraction(1), below):
            whole += 1
        size, negative = rest + scale * whole, below(2) == 1
        if size or not negative:  # zero has one sign
            return -size if negative else size


def _exp(gamma: Fraction, below: Below) -> bool:
    """True with probability exp(-gamma)."""
    while gamma > 1:
        if not _exp(Fraction(1), below):
            return False
        gamma -= 1
    k = 1
    while _coin(gamma / k, below):
        k += 1
    return k % 2 == 1


def _coin(chance: Fraction, below: Below) -> bool:
    return below(chance.denominator) < chance.numerator
