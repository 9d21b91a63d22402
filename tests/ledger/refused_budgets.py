"""What is refused of privacy budgets, and of executions that were not paid for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from contract_calls import (
    Case,
    approved,
    averaged,
    budget,
    receipts,
    spend,
)
from ledger_world import World

from fedkit.ledger.spending import Budget


def case_budget_of_no_data(world: World, advance: Any) -> None:
    budget(world, dataset="x-rays")


def case_budget_by_another_steward(world: World, advance: Any) -> None:
    budget(world, steward=world.keys.address("steward-sweden"), signer="steward-sweden")


def case_altered_budget(world: World, advance: Any) -> None:
    made = Budget("norway", "notes", 3, 1, world.keys.address("steward-norway"))
    signed = world.keys.sign_budget("steward-norway", made, world.ledger.domain)
    world.ledger.set_budget(replace(signed, cap=3_000))


def case_budget_brought_back(world: World, advance: Any) -> None:
    """A relay that kept an older, higher cap cannot bring it back."""
    budget(world, cap=9), budget(world, cap=1, version=2), budget(world, cap=9, version=1), budget(world, cap=10, version=2)


def case_budget_that_skips_a_version(world: World, advance: Any) -> None:
    budget(world, version=2)


def case_overspent(world: World, advance: Any) -> None:
    request = approved(world)
    budget(world, cap=3)
    spend(world, request), spend(world, request, round=2, before=2)


def case_spent_with_no_budget(world: World, advance: Any) -> None:
    spend(world, approved(world))


def case_spent_beyond_all_numbers(world: World, advance: Any) -> None:
    """The sum is not taken where it could wrap around."""
    request = approved(world)
    budget(world, cap=2**64 - 1)
    spend(world, request), spend(world, request, round=2, amount=2**64 - 1, before=2)


def case_spent_after_the_cap_was_lowered(world: World, advance: Any) -> None:
    request = approved(world)
    budget(world, cap=9)
    spend(world, request), budget(world, cap=1, version=2), spend(world, request, round=2, amount=1, before=2)


def case_spending_out_of_order(world: World, advance: Any) -> None:
    request = approved(world)
    budget(world, cap=9), spend(world, request), spend(world, request, round=2, before=1)


def case_spending_replayed(world: World, advance: Any) -> None:
    request = approved(world)
    budget(world, cap=9), spend(world, request), spend(world, request, before=2)


def case_spending_of_nothing_replayed(world: World, advance: Any) -> None:
    request = approved(world)
    budget(world, cap=9), spend(world, request, amount=0), spend(world, request, amount=1)


def case_spending_by_another_site(world: World, advance: Any) -> None:
    request = approved(world)
    budget(world), spend(world, request, signer="site-sweden")


def case_spending_on_what_was_not_approved(world: World, advance: Any) -> None:
    request = world.submit(world.request()).digest
    budget(world), spend(world, request)


def case_spending_under_a_revoked_permit(world: World, advance: Any) -> None:
    request = approved(world)
    budget(world)
    world.ledger.revoke_permit(world.request().permit.digest)
    spend(world, request)


def case_spending_on_a_round_that_was_not_granted(world: World, advance: Any) -> None:
    budget(world), spend(world, approved(world), round=4)


def case_round_that_was_not_paid(world: World, advance: Any) -> None:
    request = approved(world)
    budget(world)
    averaged(world, request, 1, receipts(world, request, 1))


REFUSED: dict[str, tuple[Case, ...]] = {
    "DatasetUnknown": (case_budget_of_no_data,),
    "PermitWithdrawn": (case_spending_under_a_revoked_permit,),
    "BadSignature": (case_altered_budget,),
    "NotSteward": (case_budget_by_another_steward,),
    "NotApproved": (case_spending_on_what_was_not_approved,),
    "RoundsExceeded": (case_spending_on_a_round_that_was_not_granted,),
    "BudgetOutOfOrder": (
        case_budget_brought_back,
        case_budget_that_skips_a_version,
    ),
    "BudgetExceeded": (
        case_overspent,
        case_spent_with_no_budget,
        case_spent_beyond_all_numbers,
        case_spent_after_the_cap_was_lowered,
    ),
    "SpendOutOfOrder": (case_spending_out_of_order,),
    "AlreadySpent": (
        case_spending_replayed,
        case_spending_of_nothing_replayed,
    ),
    "BadSpend": (case_spending_by_another_site,),
    "NotSpent": (case_round_that_was_not_paid,),
}
