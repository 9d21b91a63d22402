"""Costs on the ledger: where a steward set a budget, an execution counts only once what it took of it is on record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fedkit.governance.decision import Receipt
from fedkit.ledger.events import BudgetSpent

if TYPE_CHECKING:
    from fedkit.study.study import Study


def pay(study: Study, receipts: Sequence[Receipt]) -> None:
    """Bring to the ledger what each of these executions cost at its site, and what else was spent there before; nothing where
    no budget was set. To be called before the round is recorded; a second time changes nothing.

    Raises ContractReverted if a cost would go beyond the cap: the result stays with the researcher, and the round unrecorded.
    """
    request, ledger = study.requested(), study.federation.ledger
    for receipt in receipts:
        standing = ledger.budget(receipt.site, request.dataset)
        if standing.version == 0:
            continue
        known = {(e.request, e.entry, e.round) for e in ledger.records(BudgetSpent) if e.site == receipt.site}
        auditor = study.session(receipt.site, "auditor")
        for spend in auditor.spends(receipt.request, receipt.entry, receipt.round, standing.spent):
            if (spend.request, spend.entry, spend.round) not in known:
                ledger.spend(spend)
