"""A site with a policy of its own: two stewards must approve, a few runs an hour, one purpose, few numbers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from attackers import Town
from attempts import Attempt, Trial, tries
from site_suite import make_corpus

from fedkit.governance.decision import Decision
from fedkit.governance.delegation import Delegation
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import PURPOSES, CodeRequest, Entry
from fedkit.ledger.standing import sign_delegation
from fedkit.sites.launch import launch

POLICY = {"approvals": 2, "per_hour": 2, "purposes": ["research"], "numbers": 2}
UNAPPROVED = ("refused.not-approved", "execution.refused refused.not-approved")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    corpus = make_corpus(tmp_path_factory.mktemp("corpus"))
    folder = tmp_path_factory.mktemp("federation")
    with launch("policies", folder, corpus=corpus, isolation="process", policy=POLICY) as federation:
        yield Town(federation)


def decision_of(own: Town, who: str, request: CodeRequest, **changes: object) -> Decision:
    """An approval signed by this steward."""
    address = own.address(who)
    key = own.federation.keys.find(address)
    assert key is not None
    made = replace(own.decision(request), steward=address, signature="", **changes)  # type: ignore[arg-type]
    return own.federation.keys.sign_decision(key, made, own.federation.ledger.domain)


def asked(own: Town) -> CodeRequest:
    request = own.request()
    own.researcher.submit(request)
    return request


@tries(Attempt("runs on one approval where two are needed", "researcher", *UNAPPROVED))
def test_one_approval_is_not_two(trial: Trial, own: Town) -> None:
    request = asked(own)
    assert own.steward.decide(own.decision(request)).status == "pending"
    with trial(request=request.digest):
        own.researcher.execute(request.digest, "count", 1)


@tries(
    Attempt("approves twice, so that it is two", "steward", "refused.access", "decision.refused refused.access", given="again"),
    Attempt(
        "approves once, and once as who acts for a colleague",
        "steward",
        "refused.access",
        "decision.refused refused.access",
        given="delegate",
    ),
)
def test_two_are_two_people(trial: Trial, own: Town) -> None:
    request = asked(own)
    own.steward.decide(own.decision(request))
    if trial.given == "again":
        second, session = own.decision(request, rounds=2), own.steward
    else:
        made = Delegation("north", own.address("steward"), own.address("siri"), int(time.time()) + 60)
        own.steward.delegate(own.federation.keys.sign_delegation("steward-north", made, own.federation.ledger.domain))
        second, session = decision_of(own, "siri", request), own.siri
    with trial(request=request.digest):
        session.decide(second)
    assert own.researcher.state(request.digest).status == "pending"


@tries(Attempt("replays one approval as the second", "steward", "still waits", "decision.counted"))
def test_the_same_approval_twice_is_one(trial: Trial, own: Town) -> None:
    request = asked(own)
    approval = own.decision(request)
    with trial(request=request.digest) as said:
        for _ in range(3):
            said("still waits" if own.steward.decide(approval).status == "pending" else "went through")


@tries(
    Attempt(
        "has a colleague act for somebody else", "steward", "refused.access", "delegation.refused refused.access", given="other"
    ),
    Attempt(
        "has the researcher act for oneself",
        "steward",
        "refused.access",
        "delegation.refused refused.access",
        given="researcher",
    ),
    Attempt(
        "forges a colleague's word that one may act for them",
        "steward",
        "refused.access",
        "delegation.refused refused.access",
        given="forged",
    ),
)
def test_a_delegation_is_ones_own_word(trial: Trial, own: Town) -> None:
    domain, end = own.federation.ledger.domain, int(time.time()) + 60
    to = {"other": own.address("steward"), "researcher": own.address("researcher"), "forged": own.address("siri")}[trial.given]
    by = own.address("siri") if trial.given == "other" else own.address("steward")
    made = Delegation("north", by, to, end)
    key = own.federation.keys.find(made.steward)
    assert key is not None
    signed = own.federation.keys.sign_delegation(key, made, domain)
    if trial.given == "forged":
        mine = replace(made, steward=own.federation.keys.address("researcher"))
        signed = replace(made, signature=sign_delegation(mine, own.federation.keys._key("researcher"), domain).signature)
    with trial():
        own.steward.delegate(signed)


@tries(
    Attempt(
        "runs more often in an hour than the site lets one person",
        "researcher",
        "refused.limit",
        "execution.refused refused.limit",
    )
)
def test_a_rate_is_kept(trial: Trial, own: Town) -> None:
    address = own.address("ola")
    first, second = (own.request(researcher=address) for _ in range(2))
    for request in (first, second):
        own.ola.submit(request)
        own.steward.decide(own.decision(request))
        approve_by_another(own, request)
    own.ola.execute(first.digest, "count", 1)
    own.ola.execute(second.digest, "count", 1)  # another request of the same person counts too
    with trial(request=first.digest):
        own.ola.execute(first.digest, "count", 2)


def approve_by_another(own: Town, request: CodeRequest) -> None:
    """The second approval, by a steward to whom nothing was delegated."""
    if "stig" not in {card.user for card in own.admin.accounts()}:
        own.federation.add_user("north", "stig", "steward", name="Stig Nordmann")
        own.sessions["stig"] = own.federation.login("north", "stig")
    assert own.sessions["stig"].decide(decision_of(own, "stig", request)).status == "approved"


@tries(
    Attempt(
        "asks for a purpose that the site does not admit",
        "researcher",
        "refused.access",
        "request.refused refused.access",
        given=lambda r: replace(r, permit=replace(r.permit, category=PURPOSES[1])),
    ),
    Attempt(
        "asks for more numbers than the site lets out",
        "researcher",
        "refused.output",
        "request.refused refused.output",
        given=lambda r: replace(r, entries=(Entry("count", 1, OutputContract({}, dict.fromkeys("abc", (0, 9)))),)),
    ),
)
def test_what_the_policy_does_not_admit_is_not_even_asked(trial: Trial, own: Town) -> None:
    request = trial.given(own.request())
    with trial(request=request.digest):
        own.researcher.submit(request)
