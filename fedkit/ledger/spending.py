"""Privacy budgets as signed statements: a steward's cap, and what each execution took of it. Pure.

Amounts are millionths of epsilon, whole numbers, so that sums are exact on both sides. They add up as in basic composition
(Dwork and Roth, "The Algorithmic Foundations of Differential Privacy", 2014, theorem 3.16), which never says too little.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from eth_utils import to_checksum_address

from fedkit.errors import LedgerError
from fedkit.governance.noise import epsilon
from fedkit.ledger.typed import LedgerDomain, address_of, digest_bytes32, name_id, recover_hash, sign_hash, signing_hash

#: Amounts of one epsilon.
EPSILON = 1_000_000


@dataclass(frozen=True)
class Budget:
    """What a site's data set may cost in all. cap: millionths of epsilon; version: 1, 2, … as the cap is set again.

    steward: address (0x…) of who signs.   signature: 65 bytes as 0x hex, over all the rest (EIP-712 `Budget`).
    """

    site: str
    dataset: str
    cap: int
    version: int
    steward: str
    signature: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Budget:
        return Budget(**{k: row[k] for k in Budget.__dataclass_fields__})


@dataclass(frozen=True)
class Spend:
    """What one execution took of its data set's budget at a site.

    request: digest.   entry, round: what ran.   amount: millionths of epsilon, 0 for what cost nothing.
    before: what had been spent before; so statements count in one order, and none counts twice.
    signature: by the site's key, 0x hex, over all the rest (EIP-712 `Spend`).
    """

    request: str
    site: str
    entry: str
    round: int
    amount: int
    before: int
    signature: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Spend:
        return Spend(**{k: row[k] for k in Spend.__dataclass_fields__})


def amount_of(rho: float) -> int:
    """A cost in zero-concentrated privacy as an amount: its epsilon at `governance.noise.DELTA`, rounded up."""
    return math.ceil(epsilon(rho) * EPSILON)


def budget_message(budget: Budget) -> dict[str, Any]:
    """The EIP-712 message of a budget."""
    return {
        "site": name_id(budget.site),
        "dataset": name_id(budget.dataset),
        "cap": budget.cap,
        "version": budget.version,
        "steward": budget.steward,
    }


def spend_message(spend: Spend) -> dict[str, Any]:
    """The EIP-712 message of a spending."""
    return {
        "request": digest_bytes32(spend.request),
        "site": name_id(spend.site),
        "entry": name_id(spend.entry),
        "round": spend.round,
        "amount": spend.amount,
        "before": spend.before,
    }


def sign_budget(budget: Budget, private_key: bytes, domain: LedgerDomain) -> Budget:
    """The budget with its steward's signature. Raises LedgerError if the key is not that of `budget.steward`."""
    if address_of(private_key) != to_checksum_address(budget.steward):
        raise LedgerError("the key is not the steward's", expected=budget.steward, got=address_of(private_key))
    return replace(budget, signature=sign_hash(signing_hash("Budget", budget_message(budget), domain), private_key))


def recover_budget(budget: Budget, domain: LedgerDomain) -> str:
    """Who signed the budget (compare it with `budget.steward`). Raises LedgerError if it is not signed."""
    return recover_hash(signing_hash("Budget", budget_message(budget), domain), budget.signature)


def sign_spend(spend: Spend, private_key: bytes, domain: LedgerDomain) -> Spend:
    """The spending with the site's signature."""
    return replace(spend, signature=sign_hash(signing_hash("Spend", spend_message(spend), domain), private_key))


def recover_spend(spend: Spend, domain: LedgerDomain) -> str:
    """Who signed the spending. Raises LedgerError if it is not signed."""
    return recover_hash(signing_hash("Spend", spend_message(spend), domain), spend.signature)
