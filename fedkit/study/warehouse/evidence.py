"""What of a data request goes to the ledger and into the evidence: each question as a round, with the receipts of its sites.

On the ledger a question is a round of kind EVALUATED: every site looked at the same question (`inputs` of the receipts is its
digest), and numbers may be left out, since a question that no site answered leaves no record. What came of all answers
together has a digest as well; it stands in the study's journal, which is anchored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fedkit.errors import ContractReverted, SiteError
from fedkit.governance.decision import Receipt
from fedkit.results.warehouse import WarehouseAnswer
from fedkit.study.budgets import pay
from fedkit.study.evidence import tell_round
from fedkit.study.runs import RunFolder
from fedkit.study.warehouse.records import Record, Records
from fedkit.templates.warehouse import ENTRY

if TYPE_CHECKING:
    from fedkit.study.study import Study

KIND = "EVALUATED"


def record(study: Study, done: Record, answer: WarehouseAnswer, *, without: bool = False) -> tuple[str, ...]:
    """Bring an answered question to the ledger, with what it cost at each site that has a budget there; returns the sites whose
    receipts are there, none if it is not.

    A second time changes nothing. A site that has a budget and cannot be asked what it spent keeps the question from the
    ledger for now; without: record it without that site, or not at all where the contracts refuse it, so that later
    questions can be. The audit then tells of answers that are not on the ledger.
    Raises ContractReverted if a cost goes beyond the cap that a steward set, or an approval has ended there.
    """
    receipts: list[Receipt] = []
    for receipt in done.receipts:
        try:
            pay(study, [receipt])
        except (SiteError, ContractReverted) as error:
            study.say(8, f"question {done.number} is not on the ledger: {error.message}", site=receipt.site)
            if without:
                continue
            if isinstance(error, ContractReverted):
                raise
            return ()
        receipts.append(receipt)
    if not receipts:
        return ()
    ordered = [r for site in study.sites for r in receipts if r.site == site]
    request, asked = study.requested().digest, done.question.digest
    try:
        study.federation.ledger.record_round(request, ENTRY, done.number, KIND, asked, asked, ordered)
    except ContractReverted as error:
        if not without:
            raise
        study.say(8, f"question {done.number} is not on the ledger: {error.message}")
        return ()
    tell_round(study, ENTRY, done.number, KIND, asked, asked, ordered)
    study.journal.tell(
        "answer.combined",
        request=request,
        entry=ENTRY,
        round=done.number,
        question=asked,
        result=answer.digest,
        sites=len(answer.receipts),
    )
    return tuple(receipt.site for receipt in ordered)


def rounds_of(folder: RunFolder) -> Sequence[dict[str, Any]]:
    """The rounds of the evidence: of each question on the ledger, its number, itself, and the receipts that stand there."""
    return [
        {
            "entry": ENTRY,
            "round": record.number,
            "question": record.question.to_json(),
            "receipts": [receipt.to_json() for receipt in record.receipts if receipt.site in record.recorded],
        }
        for record in Records(folder).all()
        if record.recorded
    ]
