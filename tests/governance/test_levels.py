"""Levels: who may call what at a site, and that the duties stay apart."""

from __future__ import annotations

import inspect

import make_access_pages
import pytest

from fedkit.errors import AccessRefused
from fedkit.governance.levels import CALLS, LEVELS, REASONS_AGAINST, check_level, may
from fedkit.sites.base import Site

ASKS, OVERSEES = {"analyst", "researcher"}, {"auditor", "steward", "admin"}

#: Every call of the seam with the levels that may make it: the whole table, so that a change is seen here.
WHO = {
    "catalogue": set(LEVELS),
    "published_catalogue": set(LEVELS),
    "change_password": set(LEVELS),
    # who asks
    "mock_notes": ASKS | {"steward"},
    "rehearse": ASKS,
    "submit": ASKS,
    "withdraw": ASKS,
    "state": ASKS | OVERSEES,
    "requests": ASKS | OVERSEES,
    "decision": ASKS | {"steward", "auditor"},
    "put": {"researcher"},
    "get": ASKS,
    "execute": ASKS,
    "plan": ASKS,
    "progress": ASKS | {"steward", "admin"},
    "cancel": ASKS | {"steward"},
    # who decides
    "review": {"steward"},
    "reason_digest": {"steward"},
    "decide": {"steward"},
    "logs": {"steward"},
    "offer_standing": {"steward"},
    "standings": {"steward", "auditor"},
    "withdraw_standing": {"steward"},
    "assign": {"steward"},
    "reminders": {"steward"},
    "delegate": {"steward"},
    "draft_catalogue": {"steward"},
    "publish_catalogue": {"steward"},
    "alike": {"steward"},
    "review_batch": {"steward"},
    # who audits
    "journal": OVERSEES,
    "anchor": OVERSEES,
    "spends": OVERSEES,
    "head": OVERSEES,
    "sign_head": OVERSEES,
    # who keeps the site
    "accounts": {"admin", "auditor"},
    "add_account": {"admin"},
    "change_account": {"admin"},
    "revoke_account": {"admin"},
    "reset_password": {"admin"},
}

#: Calls that no session has a method for: halves of `execute`, what a login asks first, and what secure sums send.
HALVES = {"info": set(LEVELS), "admit": ASKS, "outcome": ASKS}


def test_the_table_has_every_call_of_the_seam() -> None:
    seam = {name for name, _ in inspect.getmembers(Site, inspect.isfunction) if not name.startswith("_")} - {"close"}
    assert {name for name in seam if not name.startswith("sum_")} == set(WHO)
    assert set(CALLS) == set(LEVELS)
    named = {call for calls in CALLS.values() for call in calls if not call.startswith("sum_")}
    assert named == set(WHO) | set(HALVES)


@pytest.mark.parametrize("call", HALVES)
def test_what_is_half_a_call_is_for_those_who_may_make_the_whole(call: str) -> None:
    assert {level for level in LEVELS if may(level, call)} == HALVES[call]


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
        assert not (may(level, "add_account") and (may(level, "decide") or may(level, "submit") or may(level, "get")))
        assert not (may(level, "put") and may(level, "decide"))


def test_an_auditor_reads_no_notes_and_no_logs() -> None:
    assert not any(may("auditor", call) for call in ("mock_notes", "rehearse", "get", "logs", "review"))


def test_the_page_is_what_the_table_says() -> None:
    assert (make_access_pages.DOCS / "levels.md").read_text("utf-8") == make_access_pages.levels_page(), (
        "python tools/make_access_pages.py"
    )


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
