"""The data permit: which purposes, data sets, persons and sites it is for, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from policy_world import REQUEST, RESEARCHER, STEWARD, call, refused

from fedkit.errors import AccessRefused
from fedkit.governance.policies import Context, ValidPermit
from fedkit.governance.request import PURPOSES, CodeRequest, DataPermit

RULE = ValidPermit(("notes",))


def permitted(**changed: Any) -> Context:
    return call(replace(REQUEST, permit=replace(REQUEST.permit, **changed)))


def test_a_permit_that_covers_all_is_admitted_when_it_is_asked_for_and_when_it_runs() -> None:
    for context in (call(), permitted(users=(RESEARCHER.upper().replace("X", "x"), STEWARD)), permitted(sites=("sv", "fi"))):
        RULE.submits(context)
        RULE.admits(context)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"sites": ("sv",)}, "another site"),
        ({"users": (STEWARD,)}, "somebody else's"),
        ({"purpose": "marketing"}, "not the permit's"),
        ({"expires": "2026-11-23"}, "has expired"),
        ({"expires": "soon"}, "names no day"),
        ({"expires": ""}, "names no day"),
    ],
)
def test_a_permit_for_something_else_is_named_before_anybody_waits_for_a_decision(changed: Any, says: str) -> None:
    for ask in ("submits", "admits"):
        wrong = refused(RULE, permitted(**changed), ask)
        assert isinstance(wrong, AccessRefused)
        assert says in wrong.message


def test_a_permit_of_another_site_says_which_site_it_should_name_and_no_other() -> None:
    wrong = refused(RULE, permitted(sites=("geheim",)))
    assert "fi" in wrong.expected
    assert "geheim" not in wrong.diagnostics()


def test_a_data_set_that_the_site_does_not_have_is_not_covered() -> None:
    other = replace(REQUEST, dataset="images", permit=replace(REQUEST.permit, datasets=("images",)))
    assert "does not cover" in refused(RULE, call(other)).message


@pytest.mark.parametrize("category", PURPOSES)
def test_the_site_admits_the_kinds_of_purpose_that_it_chose(category: str) -> None:
    rule = ValidPermit(("notes",), categories=("research", "care"))
    if category in ("research", "care"):
        rule.admits(permitted(category=category))
    else:
        wrong = refused(rule, permitted(category=category))
        assert wrong.expected == "research or care"


def test_the_site_may_admit_some_purposes_in_words() -> None:
    rule = ValidPermit(("notes",), frozenset({"pharmacovigilance"}))
    rule.admits(call())
    marketing = replace(REQUEST, purpose="marketing", permit=replace(REQUEST.permit, purpose="marketing"))
    assert "does not admit this purpose" in refused(rule, call(marketing)).message


def test_it_counts_through_its_last_second() -> None:
    last = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
    RULE.admits(call(now=last))
    assert "2026-12-31" in refused(RULE, call(now=last + 1)).got


def test_permits_made_before_there_were_sites_keep_their_digest() -> None:
    old = {"id": "p", "purpose": "x", "category": "research", "datasets": ["notes"], "expires": "2027-01-01"}
    assert DataPermit.from_json(old).to_json() == old
    new = replace(REQUEST.permit, users=(RESEARCHER,), sites=("fi",))
    assert DataPermit.from_json(new.to_json()) == new
    assert new.digest != REQUEST.permit.digest
    assert CodeRequest.from_json(replace(REQUEST, permit=new).to_json()).permit == new
