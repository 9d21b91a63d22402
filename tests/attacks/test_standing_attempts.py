"""Standing approvals: forged, stretched, used up, and the key of the desk that decides under them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from attackers import Town
from attempts import Attempt, Trial, tries
from site_suite import COUNT
from test_counting_attempts import at_once

from fedkit.governance.request import CodeRequest
from fedkit.governance.standing import Range, StandingApproval
from fedkit.ledger import typed
from fedkit.ledger.standing import sign_standing

_numbers = itertools.count(1)


def reviewed(world: Town) -> CodeRequest:
    """A request whose code is like no other's, so that standing approvals of tests do not meet."""
    request = world.request(COUNT + f"\n\nNUMBER = {next(_numbers)}\n", settings={"rate": 1.0, "study": "a"})
    world.researcher.submit(request)
    return request


def made(world: Town, request: CodeRequest, **changes: Any) -> StandingApproval:
    found = world.steward.review(request.digest).findings
    fields = {"site": "north", "steward": world.address("steward"), "findings": found, **changes}
    return StandingApproval.from_request(request, {"rate": Range(0.5, 2.0)}, **fields)


def signed(world: Town, approval: StandingApproval, by: str = "steward-north") -> StandingApproval:
    return world.federation.keys.sign_standing(by, approval, world.federation.ledger.domain)


def offered(world: Town, request: CodeRequest, **changes: Any) -> StandingApproval:
    return world.steward.offer_standing(signed(world, made(world, request, **changes)))


def forged(world: Town, approval: StandingApproval, by: str, domain: Any = None) -> StandingApproval:
    """Signed by another key than that of the steward it names."""
    own = replace(approval, steward=world.federation.keys.address(by))
    signature = sign_standing(own, world.federation.keys._key(by), domain or world.federation.ledger.domain).signature
    return replace(approval, signature=signature)


REFUSED = ("refused.access", "standing.refused refused.access")


def offer(name: str, make: Any, says: tuple[str, str] = REFUSED) -> Attempt:
    return Attempt(name, "steward", *says, given=make)


@tries(
    offer("offers one that nobody signed", lambda w, s: s),
    offer("offers one that the researcher signed", lambda w, s: forged(w, s, "researcher")),
    offer("offers one that another site's steward signed", lambda w, s: forged(w, s, "steward-east")),
    offer(
        "offers one that was signed for another chain",
        lambda w, s: replace(
            s,
            signature=sign_standing(
                s, w.federation.keys._key("steward-north"), typed.LedgerDomain(1, w.federation.ledger.domain.contract)
            ).signature,
        ),
    ),
    offer("offers one in a colleague's name", lambda w, s: replace(s, steward=w.address("siri"))),
    offer("raises its quota after signing", lambda w, s: replace(signed(w, s), requests=10**6)),
    offer("widens a range after signing", lambda w, s: replace(signed(w, s), vary={"rate": Range(0.0, 1e9)})),
    offer("lets anybody in after signing", lambda w, s: replace(signed(w, s), researchers=())),
    offer("moves its end after signing", lambda w, s: replace(signed(w, s), expires=2**40)),
    offer(
        "offers one for another site",
        lambda w, s: signed(w, replace(s, site="east")),
        ("refused.digest", "standing.refused refused.digest"),
    ),
    offer(
        "offers one for another environment",
        lambda w, s: signed(w, replace(s, environment="0" * 64)),
        ("refused.digest", "standing.refused refused.digest"),
    ),
    offer(
        "offers one that has ended",
        lambda w, s: signed(w, replace(s, issued=1, expires=2)),
        ("refused.not-approved", "standing.refused refused.not-approved"),
    ),
)
def test_a_standing_approval_counts_as_it_was_signed(trial: Trial, world: Town) -> None:
    request = reviewed(world)
    approval = trial.given(world, made(world, request))
    with trial():
        world.steward.offer_standing(approval)
    assert world.researcher.submit(replace(request, settings={"rate": 1.5, "study": "a"})).status == "pending"


def waits(name: str, make: Any) -> Attempt:
    return Attempt(name, "researcher", "waits for a person", "request.submitted", given=make)


@tries(
    waits("asks for other code under it", lambda w, r: replace(r, source=r.source + "\n# one more\n")),
    waits("asks for a setting out of its range", lambda w, r: replace(r, settings={"rate": 2.1, "study": "a"})),
    waits("asks for a setting that may not differ", lambda w, r: replace(r, settings={"rate": 1.5, "study": "b"})),
    waits("asks for a setting more", lambda w, r: replace(r, settings={**r.settings, "rate": 1.5, "more": 1})),
    waits(
        "asks for more runs than it says",
        lambda w, r: replace(r, settings={"rate": 1.5, "study": "a"}, entries=(replace(r.entries[0], executions=99),)),
    ),
    waits(
        "asks for a wider output contract under it",
        lambda w, r: replace(
            r,
            settings={"rate": 1.5, "study": "a"},
            entries=(
                replace(r.entries[0], contract=replace(r.entries[0].contract, numbers={"notes": (0, 1e9), "round": (0, 1e9)})),
            ),
        ),
    ),
    waits(
        "asks under it with another permit",
        lambda w, r: replace(r, settings={"rate": 1.5, "study": "a"}, permit=replace(r.permit, id="other")),
    ),
    waits(
        "asks under another researcher's",
        lambda w, r: replace(r, settings={"rate": 1.5, "study": "a"}, researcher=w.address("ola")),
    ),
)
def test_what_it_does_not_cover_waits_for_a_person(trial: Trial, world: Town) -> None:
    request = reviewed(world)
    offered(world, request)
    other = trial.given(world, request)
    session = world.ola if other.researcher == world.address("ola") else world.researcher
    with trial(request=other.digest) as said:
        said("waits for a person" if session.submit(other).status == "pending" else "went through")


@tries(
    waits("asks once more than its quota", None),
    Attempt("asks eight times at once under one for three", "researcher", "3 of 8", "request.submitted"),
)
def test_its_quota_is_counted(trial: Trial, world: Town) -> None:
    request = reviewed(world)
    offered(world, request, requests=3, per_day=9)
    others = [replace(request, settings={"rate": 1.0 + n / 100, "study": "a"}) for n in range(1, 9)]
    if "eight" not in trial.attempt.name:
        for other in others[:3]:
            assert world.researcher.submit(other).status == "approved"
        with trial(request=others[3].digest) as said:
            said("waits for a person" if world.researcher.submit(others[3]).status == "pending" else "went through")
        return
    sessions = [world.federation.login("north", "researcher") for _ in others]
    with trial() as said:
        states = at_once([lambda s=s, o=o: s.submit(o) for s, o in zip(sessions, others, strict=True)])
        said(f"{sum(state.status == 'approved' for state in states)} of {len(states)}")


@tries(waits("asks under one that was withdrawn", None))
def test_withdrawn_is_withdrawn(trial: Trial, world: Town) -> None:
    request = reviewed(world)
    approval = offered(world, request)
    world.steward.withdraw_standing(approval.digest, "The study is over.")
    other = replace(request, settings={"rate": 1.5, "study": "a"})
    with trial(request=other.digest) as said:
        said("waits for a person" if world.researcher.submit(other).status == "pending" else "went through")


@tries(
    Attempt("offers one again that was withdrawn", "steward", "refused.not-approved", "standing.refused refused.not-approved")
)
def test_withdrawn_is_withdrawn_for_good(trial: Trial, world: Town) -> None:
    approval = offered(world, reviewed(world))
    world.steward.withdraw_standing(approval.digest, "The study is over.")
    with trial(standing=approval.digest):
        world.steward.offer_standing(approval)


@tries(
    Attempt("decides in the name of the site's desk", "steward", "refused.access", "decision.refused refused.access"),
    Attempt(
        "brings the desk's decision on one request for another", "steward", "refused.access", "decision.refused refused.access"
    ),
)
def test_the_desk_decides_at_its_site_and_nowhere_else(trial: Trial, world: Town) -> None:
    request = world.request()
    world.researcher.submit(request)
    desk = world.researcher.info.desk
    decision = replace(world.decision(request), steward=desk)
    if "brings" in trial.attempt.name:
        covered = reviewed(world)
        offered(world, covered)
        like = replace(covered, settings={"rate": 1.5, "study": "a"})
        assert world.researcher.submit(like).status == "approved"
        made_by_desk = world.researcher.decision(like.digest)
        assert made_by_desk is not None
        assert made_by_desk.steward == desk
        decision = replace(made_by_desk, request=request.digest)
    with trial(request=request.digest):
        world.steward.decide(decision)
    assert world.researcher.state(request.digest).status == "pending"


def test_what_it_covers_is_decided_at_once(world: Town) -> None:
    """Or all that waits above would wait for a wrong reason."""
    request = reviewed(world)
    offered(world, request)
    like = replace(request, settings={"rate": 1.5, "study": "a"})
    assert world.researcher.submit(like).status == "approved"
    assert world.researcher.execute(like.digest, "count", 1).numbers["notes"] == 12
