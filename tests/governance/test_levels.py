"""Levels: who may call what at a site, and that the duties stay apart."""

from __future__ import annotations

import inspect

import pytest

from fedkit.errors import AccessRefused
from fedkit.governance.levels import CALLS, LEVELS, REASONS_AGAINST, check_level, may
from fedkit.sites.base import Site

#: Every call of the seam with the levels that may make it: the whole table, so that a change is seen here.
WHO = {
    "catalogue": {"guest", "researcher", "auditor", "steward", "admin"},
    "mock_notes": {"researcher", "steward"},
    "rehearse": {"researcher"},
    "submit": {"researcher"},
    "state": {"researcher", "auditor", "steward", "admin"},
    "put": {"researcher"},
    "get": {"researcher"},
    "execute": {"researcher"},
    "requests": {"researcher", "auditor", "steward", "admin"},
    "review": {"steward"},
    "reason_digest": {"steward"},
    "decide": {"steward"},
    "journal": {"auditor", "steward", "admin"},
    "anchor": {"auditor", "steward", "admin"},
    "head": {"auditor", "steward", "admin"},
    "sign_head": {"auditor", "steward", "admin"},
}


def test_the_table_has_every_call_of_the_seam() -> None:
    seam = {name for name, _ in inspect.getmembers(Site, inspect.isfunction) if not name.startswith("_")} - {"close"}
    assert seam == set(WHO)
    assert set(CALLS) == set(LEVELS)


@pytest.mark.parametrize("call", WHO)
@pytest.mark.parametrize("level", LEVELS)
def test_each_level_may_make_its_calls_and_no_others(level: str, call: str) -> None:
    assert may(level, call) == (level in WHO[call])
    if level in WHO[call]:
        check_level(level, call)
    else:
        with pytest.raises(AccessRefused) as refused:
            check_level(level, call)
        assert refused.value.expected == " or ".join(sorted(WHO[call]))


def test_nobody_both_asks_and_decides_or_decides_and_runs() -> None:
    for level in LEVELS:
        assert not (may(level, "submit") and may(level, "decide"))
        assert not (may(level, "execute") and may(level, "decide"))
        assert not (may(level, "execute") and may(level, "journal"))


def test_every_call_and_every_refusal_that_surprises_has_a_reason() -> None:
    assert all(why.strip() for calls in CALLS.values() for why in calls.values())
    for level, call in REASONS_AGAINST:
        assert not may(level, call)
        with pytest.raises(AccessRefused, match=REASONS_AGAINST[level, call]):
            check_level(level, call)


@pytest.mark.parametrize("level", ["", "root", "Admin", "ADMIN", "data scientist"])
def test_an_unknown_level_may_do_nothing(level: str) -> None:
    for call in WHO:
        with pytest.raises(AccessRefused):
            check_level(level, call)


@pytest.mark.parametrize("call", ["", "close", "__init__", "answer", "register"])
def test_an_unknown_call_is_refused_to_everybody(call: str) -> None:
    for level in LEVELS:
        with pytest.raises(AccessRefused, match="no such call"):
            check_level(level, call)
