"""Numerical composition of privacy loss random variables: epsilon of many noisy steps to a given error.

S. Gopi, Y. T. Lee, L. Wutschitz, "Numerical Composition of Differential Privacy", NeurIPS 2021 (arXiv 2106.02848): the privacy
loss of a step is put on a grid (algorithm 2), steps are added by Fourier transform (algorithm 1), and epsilon is read off, with
an error that the grid bounds. For sampled Gaussian steps its upper bound is a tenth to a third below that of Rényi orders.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.fft import irfft, rfft
from scipy.integrate import quad
from scipy.signal import fftconvolve
from scipy.special import ndtr

from fedkit.errors import TrainingError
from fedkit.federation.privacy import rdp

#: How far the answer may be above the truth, and which part of delta may be spent on errors.
EPSILON_ERROR, DELTA_SHARE = 0.01, 1e-3


@dataclass(frozen=True)
class _Grid:
    """Points low, low + step, …; `count` of them, an even number."""

    low: float
    step: float
    count: int

    @property
    def points(self) -> np.ndarray:
        return self.low + self.step * np.arange(self.count)


@dataclass(frozen=True)
class _Loss:
    """A privacy loss on a grid that is moved by `shift`, so that its mean is that of the loss itself."""

    mass: np.ndarray
    shift: float


def epsilon(phases: Iterable[tuple[float, float, int]], delta: float, error: float = EPSILON_ERROR) -> float:
    """An upper bound of epsilon, at most 2 · error above the truth.   phases: (sigma, q, steps), 0 < q < 1 and sigma > 0.

    Raises TrainingError if delta is too small for the precision of floats.
    """
    several = [phase for phase in phases if phase[2] > 0]
    if not several:
        return 0.0
    spent = delta * DELTA_SHARE
    grid = _grid(several, error, spent)
    if np.finfo(np.longdouble).eps * grid.count > delta - spent:
        raise TrainingError("delta is too small to be computed with", expected="1e-10 or more", got=f"{delta:g}")
    losses = [_self_composed(_on_grid(sigma, q, grid), steps) for sigma, q, steps in several]
    while len(losses) > 1:
        first, second = losses.pop(), losses.pop()
        losses.append(_Loss(fftconvolve(first.mass, second.mass, mode="same"), first.shift + second.shift))
    return max(0.0, _read_off(losses[0], grid, delta - spent) + error)


def _grid(phases: list[tuple[float, float, int]], error: float, spent: float) -> _Grid:
    """Remark 5.6 of the paper: so wide that what falls outside is below the error in delta, so fine that epsilon is."""
    steps = sum(count for _, _, count in phases)
    wide = rdp.epsilon(phases, spent / 4)
    for sigma, q, _ in phases:
        wide = max(wide, rdp.epsilon([(sigma, q, 1)], spent / (8 * steps)))
    wide = max(wide, error) + 3
    fine = error / math.sqrt(steps / 2 * math.log(12 / spent))
    half = math.ceil(wide / fine)
    return _Grid(-half * fine, fine, 2 * half + 2)  # even, zero among the points


def _on_grid(sigma: float, q: float, grid: _Grid) -> _Loss:
    """One step's loss within the grid's ends, each point with the mass that is nearest to it."""
    points = grid.points
    low, high = points[0], points[-1]
    inside = _below(high, sigma, q) - _below(low, sigma, q)

    def below(t: np.ndarray) -> np.ndarray:
        return np.clip((_below(np.clip(t, low, high), sigma, q) - _below(low, sigma, q)) / inside, 0.0, 1.0)

    edges = np.append(points - grid.step / 2, high + grid.step / 2)
    mass = np.diff(below(edges))
    mean = high - _area(below, low, high)
    shift = mean - float(points @ mass)
    if abs(shift) >= grid.step / 2:
        raise TrainingError("the privacy loss does not fit its grid", help="use Rényi orders for such a small noise")
    return _Loss(mass, shift)


def _below(t: np.ndarray | float, sigma: float, q: float) -> np.ndarray:
    """How likely the loss of a step is at most t: the loss of a point x is log(1 - q + q·exp((2x - 1) / 2σ²)), and x is drawn
    from the mixture that the record is part of (propositions B.1 and B.4)."""
    ratio = (np.expm1(t) + q) / q
    inside = ratio > 0
    x = sigma**2 * np.log(np.where(inside, ratio, 1.0)) + 0.5
    return np.where(inside, (1 - q) * ndtr(x / sigma) + q * ndtr((x - 1) / sigma), 0.0)


def _area(below: Callable[[np.ndarray], np.ndarray], low: float, high: float) -> float:
    """The integral of a distribution function from low to high: in pieces that are fine around zero, where it rises."""
    outward = np.logspace(-5, math.log10(high), 12)
    pieces = [low, *(-outward[::-1])[1:], 0.0, *outward[:-1], high]
    return float(sum(quad(below, a, b, limit=500)[0] for a, b in pairwise(pieces)))


def _self_composed(loss: _Loss, steps: int) -> _Loss:
    """The loss of so many equal steps. Adding on a ring of points whose middle is zero turns it; turning back is exact."""
    mass = irfft(rfft(loss.mass) ** steps, n=len(loss.mass))
    turned = (steps - 1) * (len(mass) // 2 - 1)
    return _Loss(np.roll(mass, -(turned % len(mass))), loss.shift * steps)


def _read_off(loss: _Loss, grid: _Grid, delta: float) -> float:
    """The epsilon at which the loss leaves so much delta: sum of mass · (1 - exp(epsilon - loss)) above epsilon."""
    t = grid.points + loss.shift
    above = np.cumsum(loss.mass[::-1])[::-1]
    weighed = np.cumsum((loss.mass * np.exp(-t))[::-1])[::-1]
    left = np.exp(t) * weighed - above
    at = int(np.searchsorted(left, -delta, side="left"))
    if at == 0:
        return 0.0
    return float(np.log((above[at] - delta) / weighed[at]))
