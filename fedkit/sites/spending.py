"""What executions at a site cost, as statements that the ledger takes: signed by the site, in the order in which they ran.

The site's own budget is what refuses. The ledger counts in millionths of epsilon, which add up too (basic composition,
never too little); a cost in rho is told as its epsilon at `DELTA`, a round of a training as what it added, both rounded up.
"""

from __future__ import annotations

import math

from fedkit.errors import DigestMismatch
from fedkit.ledger.spending import EPSILON, Spend, amount_of
from fedkit.sites.parts import SiteParts
from fedkit.sites.usage import Usage


class Spending:
    """The statements of one site."""

    def __init__(self, parts: SiteParts, usage: Usage) -> None:
        self.parts, self.usage = parts, usage
        self.site = parts.config.name

    def statements(self, digest: str, entry: str, round: int, after: int) -> list[Spend]:
        """See `Site.spends`. The ledger has one execution of an entry in a round: of several, with other weights, the first."""
        execution, spent, ran = (digest, entry, round), 0, False
        told: dict[tuple[str, str, int], Spend] = {}
        for request, name, number, rho, trained in self.usage.costs(self.parts.config.dataset):
            key, amount = (request, name, number), amount_of(rho) + math.ceil(trained * EPSILON)
            ran = ran or key == execution
            if amount and key not in told:
                told[key] = Spend(request, self.site, name, number, amount, spent)
                spent += amount
        if not ran:
            raise DigestMismatch(
                "there was no such execution here",
                expected="an execution that this site ran",
                got="another",
                help="ask for one that has a receipt",
            )
        due = [spend for spend in told.values() if spend.before >= after]
        if execution not in told:
            due.append(Spend(digest, self.site, entry, round, 0, spent))
        sign, key_name, ledger = self.parts.keys.sign_spend, self.parts.key_name, self.parts.config.ledger
        return [sign(key_name, spend, ledger) for spend in due]
