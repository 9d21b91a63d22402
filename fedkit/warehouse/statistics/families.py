"""The families of a generalised linear model, each with its canonical link: Newton's steps are those of Fisher's scoring.

Source: McCullagh and Nelder, "Generalized Linear Models", 2nd ed. 1989, tables 2.1 and 2.5 (variance functions, deviances).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

#: Where exp and the logistic function are at the end of what a float holds.
_FAR = 700.0


@dataclass(frozen=True)
class Family:
    """One family. In all arrays a value is a row's."""

    name: str

    def mean(self, eta: np.ndarray) -> np.ndarray:
        """The expected response, of the linear predictor."""
        if self.name == "gaussian":
            return eta
        far = np.clip(eta, -_FAR, _FAR)
        return np.exp(far) if self.name == "poisson" else 1 / (1 + np.exp(-far))

    def variance(self, mean: np.ndarray) -> np.ndarray:
        """The variance function, which is the weight of a row under the canonical link."""
        if self.name == "gaussian":
            return np.ones_like(mean)
        return mean if self.name == "poisson" else mean * (1 - mean)

    def link(self, mean: float) -> float:
        """The linear predictor of an expected response: where a model without terms begins."""
        if self.name == "gaussian":
            return mean
        return math.log(mean) if self.name == "poisson" else math.log(mean / (1 - mean))

    def own(self, y: np.ndarray) -> np.ndarray:
        """What of the deviance a response has by itself: y² (gaussian), y log y (poisson), nothing (yes or no)."""
        if self.name == "gaussian":
            return np.square(y)
        return np.where(y > 0, y * np.log(np.where(y > 0, y, 1.0)), 0.0) if self.name == "poisson" else np.zeros_like(y)

    def deviance(self, y: np.ndarray, eta: np.ndarray) -> np.ndarray:
        """Each row's part of the deviance."""
        if self.name == "gaussian":
            return np.square(y - eta)
        if self.name == "poisson":
            mean = self.mean(eta)
            return 2 * (self.own(y) - y * np.clip(eta, -_FAR, _FAR) - (y - mean))
        return 2 * (np.logaddexp(0.0, eta) - y * eta)

    def null_deviance(self, n: float, total: float, own: float) -> float:
        """The deviance of the model without terms. total, own: sums of the response and of `own` over all rows."""
        mean = total / n
        if self.name == "gaussian":
            return own - n * mean * mean
        if self.name == "poisson":
            return 2 * (own - (total * math.log(mean) if mean > 0 else 0.0))
        return -2 * sum(count * math.log(count / n) for count in (total, n - total) if count > 0)


FAMILIES: Mapping[str, Family] = MappingProxyType({name: Family(name) for name in ("gaussian", "binomial", "poisson")})
