"""A rogue steward: decisions that are another's, old, altered, for somebody else, or about themselves."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from attackers import Town
from attempts import Attempt, Trial, tries
from site_suite import World

from fedkit.governance.decision import Decision
from fedkit.governance.request import CodeRequest
from fedkit.ledger import typed

ACCESS = ("refused.access", "decision.refused refused.access")


def wrong(
    name: str, make: Callable[[Town, CodeRequest], Decision], says: tuple[str, str] = ACCESS, by: str = "steward"
) -> Attempt:
    return Attempt(name, by, *says, given=make)


def domain(world: Town) -> typed.LedgerDomain:
    return world.federation.ledger.domain


@tries(
    wrong("signs with the researcher's key", lambda w, r: w.decision(r, sign_as="researcher")),
    wrong("signs with the key of another site's steward", lambda w, r: w.decision(r, sign_as="steward-east")),
    wrong("signs for another chain", lambda w, r: w.decision(r, domain=typed.LedgerDomain(1, domain(w).contract))),
    wrong(
        "signs for another contract", lambda w, r: w.decision(r, domain=typed.LedgerDomain(domain(w).chain_id, "0x" + "1" * 40))
    ),
    wrong("signs with a point that is none", lambda w, r: w.decision(r).signed("0x" + "00" * 65)),
    wrong("does not sign", lambda w, r: w.decision(r).signed("")),
    wrong("turns a signature over into its other form", lambda w, r: w.decision(r).signed(_malleable(w.decision(r).signature))),
    wrong("raises the number of rounds after signing", lambda w, r: replace(w.decision(r), rounds=99)),
    wrong("moves the end after signing", lambda w, r: replace(w.decision(r), expires=2**40)),
    wrong("turns a denial into an approval after signing", lambda w, r: replace(w.decision(r, reason="No."), approved=True)),
    wrong(
        "gives another reason than was signed",
        lambda w, r: replace(w.decision(r, reason="No."), reason="Yes."),
        ("refused.digest", "decision.refused refused.digest"),
    ),
    wrong(
        "decides for another site",
        lambda w, r: w.decision(r, site="east"),
        ("refused.digest", "decision.refused refused.digest"),
    ),
    wrong(
        "decides on what was not asked",
        lambda w, r: w.decision(r, request="0" * 64),
        ("refused.digest", "decision.refused refused.digest"),
    ),
    wrong(
        "approves until yesterday",
        lambda w, r: w.decision(r, expires=int(time.time()) - 86_400),
        ("refused.not-approved", "decision.refused refused.not-approved"),
    ),
    wrong(
        "approves nothing",
        lambda w, r: w.decision(r, rounds=0),
        ("refused.not-approved", "decision.refused refused.not-approved"),
    ),
    wrong(
        "denies without a reason", lambda w, r: w.decision(r, approved=False, rounds=0), ("request", "decision.refused request")
    ),
)
def test_a_decision_counts_only_as_its_steward_signed_it(trial: Trial, world: Town) -> None:
    request = world.request()
    world.researcher.submit(request)
    decision = trial.given(world, request)
    with trial(request=decision.request):
        world.steward.decide(decision)
    assert world.researcher.state(request.digest).status == "pending"


def _malleable(signature: str) -> str:
    """The other signature that the same key could have made: (r, n - s), which a careless verifier takes too."""
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    raw = bytes.fromhex(signature[2:])
    s, v = int.from_bytes(raw[32:64], "big"), raw[64]
    return "0x" + (raw[:32] + (order - s).to_bytes(32, "big") + bytes([{27: 28, 28: 27, 0: 1, 1: 0}[v]])).hex()


@tries(wrong("hands in a colleague's decision", lambda w, r: w.decision(r)))
def test_a_decision_is_brought_by_who_signed_it(trial: Trial, world: Town) -> None:
    request = world.request()
    world.researcher.submit(request)
    with trial(request=request.digest):
        world.siri.decide(trial.given(world, request))


@tries(Attempt("replays an approval after its withdrawal", "steward", "refused", "decision.refused refused"))
def test_a_withdrawn_approval_does_not_come_back(trial: Trial, world: Town) -> None:
    request = world.request()
    world.researcher.submit(request)
    approval = world.decision(request)
    world.steward.decide(approval)
    world.steward.decide(world.decision(request, reason="The patient asked us to."))
    with trial(request=request.digest):
        world.steward.decide(approval)
    assert world.researcher.state(request.digest).status == "revoked"


@tries(
    Attempt("decides again, for more", "steward", "refused", "decision.refused refused", given=""),
    Attempt("approves after a denial", "steward", "refused", "decision.refused refused", given="Not under this permit."),
)
def test_a_site_decides_once(trial: Trial, world: Town) -> None:
    request = world.request()
    world.researcher.submit(request)
    world.steward.decide(world.decision(request, reason=trial.given))
    before = world.researcher.state(request.digest)
    with trial(request=request.digest):
        world.steward.decide(world.decision(request, rounds=99))
    assert world.researcher.state(request.digest) == before


@tries(
    Attempt("uses a decision for one request on another", "steward", *ACCESS),
    Attempt("uses at one site the decision of another", "relay", "refused.digest", "decision.refused refused.digest"),
)
def test_a_decision_is_about_one_request_at_one_site(trial: Trial, world: Town) -> None:
    request, second = world.request(), world.request()
    for made in (request, second):
        world.researcher.submit(made)
    if trial.attempt.by == "relay":
        east = World(world.federation, "east")
        east.researcher.submit(request)
        decision = east.decision(request)
    else:
        decision = replace(world.decision(request), request=second.digest)
    with trial(request=decision.request):
        world.steward.decide(decision)
    assert world.researcher.state(second.digest).status == "pending"


@tries(Attempt("reviews what is not there", "steward", "refused.digest", "access.refused refused.digest"))
def test_a_review_of_nothing(trial: Trial, world: Town) -> None:
    with trial(method="review"):
        world.steward.review("ab" * 32)


@tries(
    Attempt("assigns a request to somebody who may not decide", "steward", "refused.access", "access.refused refused.access")
)
def test_whose_turn_it_is(trial: Trial, world: Town) -> None:
    request = world.request()
    world.researcher.submit(request)
    with trial():
        world.steward.assign(request.digest, "researcher")
