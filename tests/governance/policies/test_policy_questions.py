"""Questions of the warehouse under the site's budgets: of the request, the project, the person, the data set."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_world import RESEARCHER, call, refused

from fedkit.governance.output_contract import OutputContract
from fedkit.governance.policies import (
    Context,
    DeclaredBudget,
    FitsContract,
    PolicySettings,
    PrivacyBudget,
    policies_of,
    settings_of,
)
from fedkit.governance.policies.privacy import declared_rho
from fedkit.governance.request import CodeRequest, DataPermit
from fedkit.governance.table_contract import Category, Count, TableContract
from fedkit.templates import TEMPLATES

PERMIT = DataPermit("permit-1", "pharmacovigilance", ("notes",), "2026-12-31")
ANSWERS = OutputContract(tables={"answer": TableContract({"sex": Category(("female", "male")), "persons": Count()})})


def data_request(rho: float = 1.0, questions: int = 5) -> CodeRequest:
    template = TEMPLATES["warehouse"]
    settings = template.settings({"questions": questions, "rho": rho})
    return template.request(settings, title="T", purpose=PERMIT.purpose, researcher=RESEARCHER, permit=PERMIT)


def asked(rho: float = 1.0, **changes: Any) -> Context:
    return replace(call(data_request(rho)), answers=ANSWERS, **changes)


def test_a_project_has_a_budget_of_its_own_within_that_of_the_person() -> None:
    rule = PrivacyBudget(1.0, 4.0, (), 0.5)
    rule.admits(asked(cost=0.2, spent=0.8, spent_on_project=0.3))
    over = refused(rule, asked(cost=0.2, spent=0.4, spent_on_project=0.4))
    assert over.message == "this project's privacy budget is used up"
    assert (over.expected, over.got) == ("at most rho 0.5 in all", "0.4 spent, 0.2 more asked for")
    assert "this user's" in refused(rule, asked(cost=0.2, spent=0.9, spent_on_project=0.1)).message
    assert "the data set's" in refused(rule, asked(cost=0.2, spent=0.1, spent_in_all=3.9, spent_on_project=0.1)).message


def test_what_a_training_took_of_a_project_is_counted_with_it_in_epsilon() -> None:
    rule = PrivacyBudget(0, 0, (), 0.5)
    rule.admits(asked(cost=0.1, epsilon_on_project=2.0))
    assert "this project's" in refused(rule, asked(cost=0.1, epsilon_on_project=5.5)).message
    rule.admits(asked(cost=0.0, epsilon_on_project=50.0))  # what costs nothing is given again


def test_a_request_cannot_spend_more_than_its_stewards_approved_whatever_the_site_would_allow() -> None:
    rule = DeclaredBudget()
    rule.admits(asked(0.3, cost=0.1, spent_on_request=0.2))
    over = refused(rule, asked(0.3, cost=0.1, spent_on_request=0.25))
    assert "this request" in over.message
    assert "rho 0.3" in str(over.expected)
    rule.admits(asked(0.0, cost=0.0, spent_on_request=0.0))
    assert "at most rho 0 " in str(refused(rule, asked(0.0, cost=0.01)).expected)


@given(st.lists(st.sampled_from([0.05, 0.1, 0.125, 0.3]), max_size=30), st.sampled_from([0.3, 0.5, 1.0]))
def test_whatever_is_asked_in_whatever_order_no_more_is_spent_than_was_declared(costs: list[float], declared: float) -> None:
    rule, spent = DeclaredBudget(), 0.0
    for cost in costs:
        try:
            rule.admits(asked(declared, cost=cost, spent_on_request=spent))
        except Exception:
            assert spent + cost > declared
            continue
        spent += cost
    assert spent <= declared + 1e-9


@pytest.mark.parametrize("rho", ["0.5", True, None, float("nan"), float("inf"), [1.0]])
def test_a_budget_that_is_no_cost_is_none(rho: Any) -> None:
    assert declared_rho(replace(data_request(), settings={"rho": rho} if rho == rho and rho != float("inf") else {})) == 0.0


def test_a_site_that_answers_with_noise_only_says_so_when_it_is_asked_and_when_a_question_comes() -> None:
    rule = PrivacyBudget(0, 0, ("query",))
    no_budget = replace(call(data_request(0.0)), answers=None)
    for ask in ("submits", "admits"):
        assert "declares no privacy cost" in refused(rule, no_budget, ask).message
    rule.submits(replace(call(data_request(1.0)), answers=None))
    assert "with noise only" in refused(rule, asked(1.0, noise=False)).message
    rule.admits(asked(1.0, noise=True, cost=0.1))


def test_the_kinds_that_a_site_wants_noise_for_are_not_asked_of_questions_by_their_entries() -> None:
    PrivacyBudget(0, 0, ("count", "table")).submits(replace(call(data_request(0.0)), answers=None))


def test_what_may_leave_is_what_the_question_declares_and_not_the_empty_contract_of_the_entry() -> None:
    rows = [{"sex": "female", "persons": 12}]
    FitsContract().releases(asked(), {}, {}, {"answer": rows})
    nothing = replace(call(data_request()), answers=None)
    assert nothing.contract == OutputContract()
    with pytest.raises(Exception, match="not declared"):
        FitsContract().releases(nothing, {}, {}, {"answer": rows})


def settings(**changes: Any) -> PolicySettings:
    return settings_of({"preset": "teaching", **changes})


def test_a_project_budget_alone_is_a_budget_and_every_site_holds_a_request_to_what_it_declares() -> None:
    names = [type(rule).__name__ for rule in policies_of(settings(rho_project=0.2)).rules]
    assert "PrivacyBudget" in names
    assert "0.2 of a data set's privacy budget under one permit" in policies_of(settings(rho_project=0.2)).explain()
    assert "PrivacyBudget" not in [type(rule).__name__ for rule in policies_of(settings()).rules]
    assert "DeclaredBudget" in [type(rule).__name__ for rule in policies_of(settings()).rules]
