"""Privacy budgets on the ledger: caps that stewards signed and costs that sites signed, delivered by anybody."""

from __future__ import annotations

from dataclasses import dataclass

from fedkit.ledger.events import BudgetSet, BudgetSpent
from fedkit.ledger.recorder import RELAY, Recorder, as_signature
from fedkit.ledger.spending import Budget, Spend, budget_message, spend_message
from fedkit.ledger.typed import name_id


@dataclass(frozen=True)
class Standing:
    """Where a budget stands, in millionths of epsilon. version 0: none was set, and executions need no spending."""

    cap: int
    spent: int
    version: int

    @property
    def left(self) -> int:
        """What may still be spent; 0 where a cap was set below what is spent."""
        return max(self.cap - self.spent, 0)


class BudgetActs(Recorder):
    """The part of the ledger that says what a data set's use may cost, and has cost."""

    def set_budget(self, budget: Budget) -> BudgetSet:
        """Deliver a steward's signed cap. The first sets a price: from then on an execution counts only with its spending."""
        values = (budget.site, budget.dataset, budget.steward, budget.cap, budget.version)
        with self._lock:
            self._learn([budget.site, budget.dataset])
            return self._once(
                RELAY,
                ("Rounds", "setBudgetBySig", (tuple(budget_message(budget).values()), as_signature(budget.signature))),
                BudgetSet,
                lambda e: (e.site, e.dataset, e.actor, e.cap, e.version) == values,
            )

    def spend(self, spend: Spend) -> BudgetSpent:
        """Deliver what a site signed that an execution cost; before the round is recorded, if the site set a budget.

        Raises ContractReverted if it would go beyond the cap, was not granted, or does not follow the spending before it.
        """
        values = (spend.request, spend.site, spend.entry, spend.round, spend.amount, spend.before + spend.amount)
        with self._lock:
            self._learn([spend.site, spend.entry])
            return self._once(
                RELAY,
                ("Rounds", "spendBySig", (tuple(spend_message(spend).values()), as_signature(spend.signature))),
                BudgetSpent,
                lambda e: (e.request, e.site, e.entry, e.round, e.amount, e.total) == values,
            )

    def budget(self, site: str, dataset: str = "notes") -> Standing:
        """Where the budget of a site's data set stands."""
        return Standing(*self._ask("Rounds", "budgets", name_id(site), name_id(dataset)))
