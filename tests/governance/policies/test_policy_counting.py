"""How often: by entry, within an hour, within a month; and what a refusal says about when to go on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_world import NOON, call, refused

from fedkit.errors import LimitReached
from fedkit.governance.policies import MinimumPatients, Quota, Rate


def test_below_the_rate_it_runs_and_at_it_it_says_when_to_go_on() -> None:
    recent = (NOON - 1800, NOON - 600, NOON - 10)
    Rate(4).admits(call(recent=recent))
    wrong = refused(Rate(3), call(recent=recent))
    assert isinstance(wrong, LimitReached)
    assert "12:30:00 UTC" in wrong.help


def test_an_hour_ago_is_long_enough() -> None:
    Rate(1).admits(call(recent=(NOON - 3600,)))
    refused(Rate(1), call(recent=(NOON - 3599,)))


def test_a_quota_counts_days_and_says_when_the_next_is_free() -> None:
    recent = (NOON - 30 * 86_400, NOON - 86_400, NOON - 10)
    Quota(3, 30).admits(call(recent=recent))
    wrong = refused(Quota(2, 30), call(recent=recent))
    assert "2026-12-23 12:00" in wrong.help


@given(st.lists(st.floats(0, 3 * 3600), max_size=12), st.integers(1, 6))
def test_never_more_than_the_rate_within_an_hour_and_the_time_told_is_the_first_at_which_it_runs(
    ages: list[float], per_hour: int
) -> None:
    recent = tuple(sorted(NOON - age for age in ages))
    within = [moment for moment in recent if moment > NOON - 3600]
    if len(within) < per_hour:
        Rate(per_hour).admits(call(recent=recent))
        return
    wrong = refused(Rate(per_hour), call(recent=recent))
    said = datetime.strptime(wrong.help[9:17], "%H:%M:%S").time()
    free = datetime.fromtimestamp(recent[-per_hour] + 3600, UTC)
    assert said == free.time().replace(microsecond=0)
    Rate(per_hour).admits(call(recent=recent, now=recent[-per_hour] + 3600))


def test_a_call_that_was_charged_before_is_in_nobodys_way() -> None:
    """The site hands in no recent executions for it: see `Execution.context`."""
    Rate(1).admits(call(recent=()))


@pytest.mark.parametrize("patients", [10, 11, 10_000])
def test_enough_persons(patients: int) -> None:
    MinimumPatients(10).admits(call(patients=patients))
    MinimumPatients(10).submits(call(patients=patients))


@pytest.mark.parametrize(("patients", "says"), [(9, "too few"), (0, "too few"), (None, "does not say")])
def test_too_few_persons_or_nobody_knows_how_many(patients: int | None, says: str) -> None:
    for ask in ("submits", "admits"):
        wrong = refused(MinimumPatients(10), call(patients=patients), ask)
        assert says in wrong.message
        assert "9" not in wrong.diagnostics(), "how many there are is not told"
