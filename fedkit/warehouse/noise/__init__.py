"""Noise on answers of the warehouse, and what it costs.

    price(question)                                          # rho
    noisy(question, rows)                                    # mode "noise": each site adds all of it
    pooled(question, rows, fewest=3, below=draws)            # mode "pooled": a site's share, then masks
    opened(question, total)                                  # the sum over sites, as figures again

What is where: sensitivity (what one person changes, and so the price) · shares (parts that make one central noise) · adding.
The exact sampler is `fedkit.governance.noise`; the budget and its accounts are the site's (`fedkit.sites.usage`).
"""

from fedkit.warehouse.noise.adding import noisy, opened, pooled
from fedkit.warehouse.noise.sensitivity import deviations, price, price_as_epsilon, sensitivities, variances
from fedkit.warehouse.noise.shares import cost_of_sum, share

__all__ = [
    "cost_of_sum",
    "deviations",
    "noisy",
    "opened",
    "pooled",
    "price",
    "price_as_epsilon",
    "sensitivities",
    "share",
    "variances",
]
