"""Rényi differential privacy of the sampled Gaussian mechanism: each record is drawn with probability q, the sum gets noise.

I. Mironov, K. Talwar, L. Zhang, "Rényi Differential Privacy of the Sampled Gaussian Mechanism", 2019 (arXiv 1908.10530, 3.3).
From orders to epsilon: B. Balle et al., "Hypothesis Testing Interpretations and Rényi Differential Privacy", AISTATS 2020,
theorem 21. Neighbours differ by one record more or less.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from scipy.special import gammaln, log_ndtr, logsumexp

#: The orders at which the best epsilon is looked for: 1.1 to 10.9, then 12 to 63.
ORDERS: tuple[float, ...] = (*(1 + n / 10 for n in range(1, 100)), *map(float, range(12, 64)))

#: Terms of the series below e^-30 of the sum are left out.
_SMALL = -30.0

#: Terms of a series at a time.
_TERMS = 64


def rdp(q: float, sigma: float, order: float) -> float:
    """Of one step at one order above 1.   q: probability of a record, 0 … 1.   sigma: noise over clipping norm."""
    if q == 0:
        return 0.0
    if sigma == 0:
        return math.inf
    if q == 1:
        return order / (2 * sigma**2)
    whole = float(order).is_integer()
    return (_whole(q, sigma, int(order)) if whole else _broken(q, sigma, order)) / (order - 1)


def epsilon(phases: Iterable[tuple[float, float, int]], delta: float, orders: Sequence[float] = ORDERS) -> float:
    """The least epsilon over the orders.   phases: (sigma, q, steps)."""
    several = list(phases)
    best = math.inf
    for order in orders:
        total = sum(steps * rdp(q, sigma, order) for sigma, q, steps in several)
        best = min(best, total - (math.log(delta) + math.log(order)) / (order - 1) + math.log((order - 1) / order))
    return max(0.0, best)


def _whole(q: float, sigma: float, order: int) -> float:
    k = np.arange(order + 1)
    binomial = gammaln(order + 1) - gammaln(k + 1) - gammaln(order - k + 1)
    terms = binomial + k * math.log(q) + (order - k) * math.log1p(-q) + (k * k - k) / (2 * sigma**2)
    return float(logsumexp(terms))


def _broken(q: float, sigma: float, order: float) -> float:
    """The two series of the paper, summed in logarithms with signs, until a term is small."""
    split = sigma**2 * math.log(1 / q - 1) + 0.5
    terms, signs = [], []
    for start in range(0, 16_384, _TERMS):
        i = np.arange(start, start + _TERMS, dtype=np.float64)
        j = order - i
        sign, size = _binomial(order, i)
        first = size + i * math.log(q) + j * math.log1p(-q) + (i * i - i) / (2 * sigma**2) + log_ndtr((split - i) / sigma)
        second = size + j * math.log(q) + i * math.log1p(-q) + (j * j - j) / (2 * sigma**2) + log_ndtr((j - split) / sigma)
        terms += [first, second]
        signs += [sign, sign]
        if max(first[-1], second[-1]) < _SMALL:
            break
    return float(logsumexp(np.concatenate(terms), b=np.concatenate(signs)))


def _binomial(order: float, i: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Signs and logarithms of the sizes of order over i, for an order that is no whole number."""
    size = gammaln(order + 1) - gammaln(i + 1) - gammaln(order - i + 1)
    beyond = i - math.floor(order) - 1
    return np.where((beyond <= 0) | (beyond % 2 == 0), 1.0, -1.0), size
