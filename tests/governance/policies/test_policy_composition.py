"""Rules go together: all of them, any of them, in order, and what is admitted by one way leaves by that way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_world import ENVIRONMENT, REQUEST, call, refused, signed_by_whom_it_names

from fedkit.errors import AccessRefused, LimitReached, OutputRefused, Refused
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.policies import (
    PRESETS,
    AllOf,
    AnyOf,
    Context,
    Disclosure,
    MinimumPatients,
    Policy,
    Rate,
    TimeWindow,
    policies_of,
    settings_of,
)
from fedkit.governance.policies.base import ASPECTS, Tables
from fedkit.governance.request import Entry
from fedkit.governance.table_contract import Count, TableContract

NIGHT, DAY = TimeWindow(start=1200, end=360), TimeWindow(start=360, end=1200)


@dataclass(frozen=True)
class Says(Policy):
    """Admits or not, releases or not."""

    admitted: bool
    released: bool = True
    aspect: ClassVar[str] = "what"

    def admits(self, context: Context) -> None:
        if not self.admitted:
            raise AccessRefused("not admitted", expected="luck", help="try again")

    def releases(self, context: Context, tensors: Any, numbers: Any, tables: Tables | None = None) -> None:
        if not self.released:
            raise OutputRefused("not released")

    def explain(self) -> str:
        return f"{self.admitted}, {self.released}."


says = st.builds(Says, st.booleans(), st.booleans())


def passes(rule: Policy, what: str) -> bool:
    try:
        rule.admits(call()) if what == "admits" else rule.releases(call(), {}, {})
    except Refused:
        return False
    return True


@given(st.lists(says, max_size=4))
def test_all_of_admits_what_every_rule_admits_and_any_of_what_one_does(rules: list[Says]) -> None:
    assert passes(AllOf(tuple(rules)), "admits") == all(r.admitted for r in rules)
    assert passes(AnyOf(tuple(rules)), "admits") == any(r.admitted for r in rules)
    assert passes(AllOf(tuple(rules)), "releases") == all(r.released for r in rules)


@given(st.lists(says, max_size=4))
def test_a_result_leaves_by_the_way_that_admitted_it_and_by_no_other(rules: list[Says]) -> None:
    first = next((r for r in rules if r.admitted), None)
    assert passes(AnyOf(tuple(rules)), "releases") == (first is not None and first.released)


def test_operators_make_flat_compositions() -> None:
    a, b, c = Says(True), Says(False), Says(True, False)
    assert (a & b & c) == AllOf((a, b, c))
    assert (a | b | c) == AnyOf((a, b, c))
    assert (a & (b | c)) == AllOf((a, AnyOf((b, c))))


def test_two_ways_that_are_closed_name_both_reasons_and_ways_on() -> None:
    wrong = refused(NIGHT | MinimumPatients(500), call())
    assert "none of 2 ways" in wrong.message
    assert "at this time" in wrong.message
    assert "too few persons" in wrong.message
    assert "20:00–06:00" in wrong.expected
    assert "; or " in wrong.help


def test_a_way_alone_keeps_its_own_refusal() -> None:
    assert isinstance(refused(AnyOf((Rate(1),)), call(recent=(call().now,))), LimitReached)


def test_nothing_is_admitted_by_no_way() -> None:
    with pytest.raises(Refused, match="none of 0 ways"):
        AnyOf(()).admits(call())
    AllOf(()).admits(call())


def test_the_contract_is_tightened_by_all_rules_and_by_the_way_that_is_open() -> None:
    contract = OutputContract(tables={"t": TableContract({"n": Count()}, threshold=4, rounding=1)})
    both = Disclosure(7) & Disclosure(5, 10)
    assert both.tightens(call(), contract).tables["t"].threshold == 7
    assert both.tightens(call(), contract).tables["t"].rounding == 10
    ways = (NIGHT & Disclosure(3)) | (DAY & Disclosure(30))
    assert ways.tightens(call(), contract).tables["t"].threshold == 30


@pytest.mark.parametrize("name", PRESETS)
def test_the_rules_of_each_preset_admit_an_honest_call_and_release_its_result(name: str) -> None:
    """Under "strict" with two approvals, whichever of them is the one that counts last."""
    rules = policies_of(PRESETS[name].settings, environment=ENVIRONMENT, signer=signed_by_whom_it_names)
    from policy_world import SECOND, approval

    context = call(approvals=(approval(steward=SECOND), approval()))
    rules.submits(context)
    rules.admits(context)
    rules.releases(context, {"w": np.ones(2, np.float32)}, {"loss": 1.0}, {})


@pytest.mark.parametrize("name", PRESETS)
def test_no_rule_of_a_preset_can_be_left_out_unseen(name: str) -> None:
    """Each rule has a clause, and each clause answers one of the questions."""
    rules = policies_of(PRESETS[name].settings)
    assert [clause.rule for clause in rules.clauses()] == [type(rule).__name__ for rule in rules.rules]
    assert {clause.aspect for clause in rules.clauses()} == set(ASPECTS)
    assert all(clause.says.endswith(".") and "\n" not in clause.says for clause in rules.clauses())


def test_a_site_may_add_ways_of_its_own() -> None:
    """By day for anybody, by night for who trains: the words say both."""
    rules = policies_of(settings_of("standard"), environment=ENVIRONMENT, signer=signed_by_whom_it_names) & (
        TimeWindow(start=420, end=1140) | MinimumPatients(100)
    )
    rules.admits(call())
    assert (
        rules.explain()
        .splitlines()[-1]
        .endswith(
            "Either: Executions start every day 07:00–19:00 (UTC); or: The data set is of at least 100 distinct patients."
        )
    )


def test_rules_hold_for_every_entry_of_a_request() -> None:
    large = OutputContract(numbers={f"n{i}": (0.0, 1.0) for i in range(300)})
    request = replace(REQUEST, source=REQUEST.source + REQUEST.source.replace("train", "more"))
    request = replace(request, entries=(*REQUEST.entries, Entry("more", 1, large)))
    assert isinstance(
        refused(policies_of(settings_of("standard"), environment=ENVIRONMENT), call(request), "submits"), OutputRefused
    )


def test_rules_that_were_made_to_be_explained_believe_no_decision() -> None:
    rules = policies_of(settings_of("teaching"), environment=ENVIRONMENT)
    assert "not signed" in refused(rules, call()).message
