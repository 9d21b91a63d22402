"""Check 16: privacy budgets, added up once more. Caps by the steward's signature, costs by the site's; never beyond the cap."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from eth_utils import to_checksum_address

from fedkit.audit.acts import OPERATOR, Act
from fedkit.audit.roles import Roles
from fedkit.ledger.names import key_role, steward_role
from fedkit.ledger.spending import EPSILON

#: What stands for one execution: request, site, entry, round.
Execution = tuple[bytes, bytes, bytes, int]


@dataclass
class Budget:
    """Where the budget of a site's data set stands, in millionths of epsilon. version 0: none was set."""

    cap: int = 0
    spent: int = 0
    version: int = 0


@dataclass
class Budgets(Roles, ABC):
    """budgets: (site, data set) → where it stands.   paid: execution → its cost, of those whose cost is on record."""

    budgets: dict[tuple[bytes, bytes], Budget] = field(default_factory=dict)
    paid: dict[Execution, int] = field(default_factory=dict)

    def spending(self) -> str:
        """Where the budgets stand, in a line."""
        rows = [
            f"{self.names(site)}, {self.names(dataset)}: {budget.spent / EPSILON:g} of {budget.cap / EPSILON:g} epsilon"
            for (site, dataset), budget in self.budgets.items()
        ]
        return "; ".join(rows) or "no budget was set"

    def check_paid(self, act: Act, execution: Execution, dataset: bytes) -> None:
        """Finds an execution that a site with a budget was not paid for."""
        _, site, entry, number = execution
        if self.budgets.get((site, dataset), Budget()).version and execution not in self.paid:
            what = f"{self.names(site)} has a budget, and round {number} of {self.names(entry)} took nothing of it"
            self.find(16, act, what, f"{self.names(site)} together with {OPERATOR}")

    @abstractmethod
    def check_granted(self, act: Act, check: int, execution: Execution) -> None:
        """Finds an execution that was not granted."""

    @abstractmethod
    def dataset_of(self, request: bytes) -> bytes:
        """The data set that a request is about."""

    def _on_set_budget_by_sig(self, act: Act) -> None:
        said: Mapping[str, Any] = act.arguments["budget"]
        site, steward, name = said["site"], to_checksum_address(said["steward"]), self.names(said["site"])
        budget = self.budgets.setdefault((site, said["dataset"]), Budget())
        if (signer := self.signer("Budget", said, act.arguments["signature"])) != steward:
            self.find(16, act, f"the budget of {name} is not signed by its steward but by {signer}")
        elif (steward_role(site), steward) not in self.roles:
            self.find(16, act, f"{steward} set a budget, who was not steward of {name} then", f"{steward}, or {OPERATOR}")
        if said["version"] != budget.version + 1:
            self.find(16, act, f"version {said['version']} of the budget of {name} comes after version {budget.version}")
        budget.cap, budget.version = said["cap"], said["version"]

    def _on_spend_by_sig(self, act: Act) -> None:
        said: Mapping[str, Any] = act.arguments["spend"]
        site, name = said["site"], self.names(said["site"])
        execution: Execution = (said["request"], site, said["entry"], said["round"])
        budget = self.budgets.setdefault((site, self.dataset_of(said["request"])), Budget())
        signer = self.signer("Spend", said, act.arguments["signature"])
        if (key_role(site), signer) not in self.roles:
            self.find(16, act, f"the spending of {name} is signed by {signer}, which is no key of {name}")
        self.check_granted(act, 16, execution)
        if execution in self.paid:
            self.find(16, act, f"{name} was paid twice for round {said['round']} of {self.names(said['entry'])}")
        if said["before"] != budget.spent:
            self.find(16, act, f"{name} says that {said['before']} was spent before, {budget.spent} was")
        budget.spent += said["amount"]
        self.paid[execution] = said["amount"]
        if budget.spent > budget.cap:
            what = f"{name} has spent {budget.spent / EPSILON:g} epsilon, of {budget.cap / EPSILON:g}"
            self.find(16, act, what, f"{name} together with {OPERATOR}")
