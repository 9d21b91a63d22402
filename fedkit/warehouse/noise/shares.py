"""Shares of one central noise: each site adds a part of it under its mask, and the sum of the parts is enough.

A share is a discrete Gaussian. The sum of several is none exactly, but so close that the price is known: for the sum over n
sites with sigma² each, Euclidean sensitivity s and d figures, rho is at most half of

    s² / (n sigma²) + tau d / 2,     tau = 10 (exp(-2 pi² sigma² 1/2) + … + exp(-2 pi² sigma² (n-1)/n))

(Kairouz, Liu and Steinke, "The Distributed Discrete Gaussian Mechanism for Federated Learning with Secure Aggregation", ICML
2021, theorem 1; sigma from 1/2). Shares are cut for the fewest sites that can open a sum. What further sites add is noise on
top, which costs nothing.

Whoever knows the shares of some sites, such as those sites, faces the noise of the others only.
"""

from __future__ import annotations

import math
from fractions import Fraction

from fedkit.errors import RequestError

#: The least sigma² of a share, below which the theorem says nothing.
LEAST = Fraction(1, 4)


def cost_of_sum(variance: Fraction, sensitivity: Fraction, sites: int, figures: int) -> float:
    """The rho, at most, of a sum over so many sites with noise of this variance at each. figures: that one sum has."""
    sigma2 = float(variance)
    tau = 10 * sum(math.exp(-2 * math.pi**2 * sigma2 * k / (k + 1)) for k in range(1, sites))
    return (float(sensitivity) ** 2 / (sites * sigma2) + tau * figures / 2) / 2


def share(sensitivity: Fraction, rho: Fraction, fewest: int, figures: int) -> Fraction:
    """sigma² of one site's share, so that those of the `fewest` sites together cost at most rho.

    sensitivity: of all figures together, above 0.   figures: in one sum, from 1.   Raises RequestError for fewer than 2 sites.
    """
    if fewest < 2 or figures < 1 or rho <= 0 or sensitivity <= 0:
        raise RequestError("no shares of such a noise", expected="2 sites or more, a price above 0", got=f"{fewest} sites")
    variance = max(LEAST, sensitivity**2 / (2 * rho * fewest))
    # The second term falls so fast that a few steps are enough; where sigma is above 2 there is none to take.
    while cost_of_sum(variance, sensitivity, fewest, figures) > float(rho) * (1 + 1e-12):
        variance = variance * 65 / 64 + Fraction(1, 64)
    return variance
