"""What a site says of a question before it runs: every rule with its verdict, the price, what is left. Nothing of the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from fedkit.errors import FedkitError
from fedkit.governance.policies import AllOf, Context, ExecutionLimit, PolicySettings
from fedkit.governance.policies.privacy import declared_rho
from fedkit.governance.request import CodeRequest
from fedkit.sites.warehouse.answering import Answering
from fedkit.warehouse import disclosure
from fedkit.warehouse.plan_report import PlanReport, Verdict
from fedkit.warehouse.question import Asked

#: What is said of a question that no earlier answer stands against.
ALONE = "together with what was answered before, it tells of no few persons, as far as can be told on paper"


class _Rules(Protocol):
    """What a plan asks of a site's runs; `fedkit.sites.execution` has it."""

    site: str
    rules: AllOf
    settings: PolicySettings
    answering: Answering


def plan(site: _Rules, request: CodeRequest, question: Asked, context: Context, user: str) -> PlanReport:
    """The report on a question that is kept under this request. context: of the call that would ask it next.

    Rules of the result (few persons in a row, one value that outweighs the others) are asked when it runs.
    """
    answering = site.answering
    remembered = answering.remembers(request, question, user)
    verdicts = list(disclosure.verdicts(question, answering.preset))
    if not remembered:
        verdicts.append(_verdict("earlier answers", lambda: answering.check_history(request, question, user), ALONE))
    waits = context.decision is None or not context.decision.approved
    for rule, clause in zip(site.rules.rules, site.rules.clauses(), strict=True):
        if waits and isinstance(rule, ExecutionLimit):
            continue  # nothing is granted yet: that it waits is said once
        verdicts.append(_verdict(clause.rule, lambda rule=rule: rule.admits(context), clause.says))  # type: ignore[misc]
    return PlanReport(
        site=site.site,
        question=question.digest,
        sql=answering.engine().sql(question),
        groups=rows_of(question),
        cost_rho=context.cost,
        left_rho=left(site.settings, request, context),
        verdicts=tuple(verdicts),
        remembered=remembered,
    )


def left(settings: PolicySettings, request: CodeRequest, context: Context) -> float:
    """What is left of the budget (rho): the least of what the request, the project, the person and the data set have left."""
    budgets = [(declared_rho(request), context.spent_on_request)]
    for limit, spent in (
        (settings.rho_project, context.spent_on_project),
        (settings.rho_user, context.spent),
        (settings.rho_in_all, context.spent_in_all),
    ):
        if limit:
            budgets.append((limit, spent))
    return max(0.0, min(limit - spent for limit, spent in budgets))


def rows_of(question: Asked) -> int:
    """The rows, or figures, that an answer can have at most, by its contract."""
    contract = question.contract()
    rows = sum(table.max_rows for table in contract.tables.values())
    return rows + sum(shape[0] if shape else 1 for shape in contract.tensors.values())


def _verdict(rule: str, ask: Callable[[], None], passed: str) -> Verdict:
    try:
        ask()
    except FedkitError as refusal:
        return Verdict(rule, False, ". ".join(said for said in (refusal.message, refusal.help) if said))
    return Verdict(rule, True, passed)
