"""What leaves, by the site's rules: thresholds that beat lower ones, sizes, and noise that is paid for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_world import REQUEST, call, refused

from fedkit.errors import LimitReached, OutputRefused
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.policies import Context, Disclosure, FitsContract, OutputSize, PrivacyBudget
from fedkit.governance.privacy import Privacy
from fedkit.governance.releasing import leaving
from fedkit.governance.request import Entry
from fedkit.governance.table_contract import Category, Count, TableContract

TABLE = TableContract({"label": Category(("DRUG", "ADE", "DEVICE")), "persons": Count()}, max_rows=3, threshold=3, rounding=1)
ROWS = [{"label": "DRUG", "persons": 44}, {"label": "ADE", "persons": 26}, {"label": "DEVICE", "persons": 14}]


def of_kind(kind: str, contract: OutputContract, privacy: Privacy | None = None) -> Context:
    return call(replace(REQUEST, kind=kind, entries=(Entry("train", 5, contract, privacy),)))


COUNTS = of_kind("table", OutputContract(tables={"labels": TABLE}))
RULES = FitsContract() & Disclosure(20, 5)


def test_the_sites_threshold_beats_a_lower_one_of_the_request() -> None:
    assert leaving(FitsContract() & Disclosure(1), COUNTS, {}, {}, {"labels": ROWS})[1] == {"labels": ROWS}
    assert leaving(RULES, COUNTS, {}, {}, {"labels": ROWS})[1] == {"labels": [{"label": "DRUG", "persons": 45}]}


def test_a_higher_one_of_the_request_stays() -> None:
    strict = of_kind("table", OutputContract(tables={"labels": TABLE.at_least(30)}))
    assert leaving(FitsContract() & Disclosure(2), strict, {}, {}, {"labels": ROWS})[1] == {"labels": ROWS[:1]}


@pytest.mark.parametrize("count", [7, 44])
def test_a_table_that_nobody_protected_does_not_leave(count: int) -> None:
    RULES.releases(COUNTS, {}, {}, {"labels": [{"label": "DRUG", "persons": 45}]})
    with pytest.raises(OutputRefused, match="not protected"):
        RULES.releases(COUNTS, {}, {}, {"labels": [{"label": "DRUG", "persons": count}]})


@given(st.dictionaries(st.sampled_from(["DRUG", "ADE", "DEVICE"]), st.integers(0, 60)), st.integers(1, 30), st.integers(1, 12))
def test_whatever_comes_back_no_row_below_the_sites_threshold_leaves(
    counts: dict[str, int], threshold: int, rounding: int
) -> None:
    rows = [{"label": label, "persons": n} for label, n in counts.items()]
    _, tables = leaving(FitsContract() & Disclosure(threshold, rounding), COUNTS, {}, {}, {"labels": rows})
    assert all(counts[row["label"]] >= threshold and row["persons"] % rounding == 0 for row in tables["labels"])


def test_a_contract_as_large_as_the_site_allows_is_taken_and_a_larger_one_is_not() -> None:
    numbers = OutputContract(numbers={f"n{i}": (0.0, 1.0) for i in range(3)})
    for ask in ("submits", "admits"):
        getattr(OutputSize(3, 3), ask)(of_kind("analysis", numbers))
        getattr(OutputSize(3, 3), ask)(COUNTS)
        assert "3 numbers" in refused(OutputSize(2, 3), of_kind("analysis", numbers), ask).got
        assert "up to 3 rows" in refused(OutputSize(3, 2), COUNTS, ask).got


# -- noise and its budget
NOISY = OutputContract(numbers={"persons": (0.0, 500.0)})
PRICED = of_kind("analysis", NOISY, Privacy(0.05, {"persons": 1.0}))


def test_kinds_that_leave_with_noise_must_declare_what_they_cost() -> None:
    rule = PrivacyBudget(0, 0, ("analysis",))
    rule.submits(PRICED)
    for ask in ("submits", "admits"):
        assert "no privacy cost" in refused(rule, of_kind("analysis", NOISY), ask).message
    rule.submits(of_kind("evaluation", NOISY))


def test_a_budget_is_spent_to_its_last_and_not_beyond() -> None:
    rule = PrivacyBudget(0.1, 0.5)
    for spent in (0.0, 0.05, 0.1 - 0.05):
        rule.admits(replace(PRICED, cost=0.05, spent=spent))
    wrong = refused(rule, replace(PRICED, cost=0.05, spent=0.06))
    assert isinstance(wrong, LimitReached)
    assert "this user's" in wrong.message
    assert "the data set's" in refused(rule, replace(PRICED, cost=0.05, spent_in_all=0.5)).message


def test_ten_times_a_tenth_is_the_whole() -> None:
    rule, spent = PrivacyBudget(1.0, 0), 0.0
    for _ in range(10):
        rule.admits(replace(PRICED, cost=0.1, spent=spent))
        spent += 0.1
    refused(rule, replace(PRICED, cost=0.1, spent=spent))


def test_what_costs_nothing_is_not_held_up_by_an_empty_budget() -> None:
    PrivacyBudget(0.1, 0.5).admits(replace(PRICED, cost=0.0, spent=0.1, spent_in_all=0.5))


def test_what_leaves_with_noise_is_within_its_bounds_and_is_not_what_was_there() -> None:
    given_out = [leaving(RULES, PRICED, {}, {"persons": 250.0}, {})[0]["persons"] for _ in range(20)]
    assert all(0 <= value <= 500 for value in given_out)
    assert len(set(given_out)) > 10
    assert 250.0 not in given_out


@pytest.mark.parametrize("value", [-1e12, 1e12])
def test_a_number_out_of_bounds_is_clamped_before_the_noise_so_that_no_refusal_tells_of_it(value: float) -> None:
    left = leaving(RULES, PRICED, {}, {"persons": value}, {})[0]["persons"]
    assert 0 <= left <= 500


def test_a_noisy_table_tells_nothing_by_which_rows_there_are() -> None:
    """A cell of none and one of three are treated alike: each gets its noise, and what is then small is hidden."""
    priced = of_kind("table", OutputContract(tables={"labels": TABLE}), Privacy(0.0005, {"labels.persons": 1.0}))
    rules = FitsContract() & Disclosure(1)
    seen = [leaving(rules, priced, {}, {}, {"labels": ROWS[:1]})[1]["labels"] for _ in range(40)]
    assert any(row["label"] != "DRUG" for rows in seen for row in rows)


def test_a_result_that_misses_a_number_stays() -> None:
    with pytest.raises(OutputRefused):
        leaving(RULES, PRICED, {}, {}, {})


def test_tensors_pass_as_they_are() -> None:
    tensors: dict[str, Any] = {"w": np.ones(2, np.float32)}
    assert leaving(FitsContract(), call(), tensors, {"loss": 1}, {}) == ({"loss": 1.0}, {})
