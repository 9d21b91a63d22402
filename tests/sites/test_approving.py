"""Standing approvals, second approvals and turns at a running site, by the hands of its researcher and its stewards."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from desks import Desks
from site_suite import CANARY, COUNT, make_corpus

from fedkit.config import FederationConfig, SiteEntry, write_config
from fedkit.digests import digest_folder
from fedkit.errors import AccessRefused, DigestMismatch, FedkitError, NotApproved, Refused, RequestError, SiteError
from fedkit.governance.delegation import Delegation
from fedkit.governance.request import CodeRequest
from fedkit.governance.standing import Choices, Name, StandingApproval
from fedkit.ledger import standing as signed
from fedkit.ledger import typed
from fedkit.ledger.rows import verify_rows
from fedkit.sites.approving.tables import ApprovalTables
from fedkit.sites.base import Site
from fedkit.sites.launch import launch

DAY = 86_400


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    corpus = make_corpus(tmp_path_factory.mktemp("corpus"))
    with launch("desk", tmp_path_factory.mktemp("federation"), corpus=corpus) as federation:
        yield Desks(federation)


@pytest.fixture(scope="module")
def paired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    """A site where two stewards must approve, and which has three."""
    corpus, folder = make_corpus(tmp_path_factory.mktemp("corpus")), tmp_path_factory.mktemp("federation")
    entry = SiteEntry("north", "North", "nb", {"approvals": 2})
    write_config(folder, FederationConfig("pair", "notes", digest_folder(corpus, "*/*.jsonl"), (entry,)))
    with launch("pair", folder, corpus=corpus) as federation:
        for user in ("berit", "carl"):
            federation.add_user("north", user, "steward")
        yield Desks(federation)


# -- a covered request is decided at once, and what is not waits


def test_what_a_standing_approval_covers_is_decided_when_it_is_submitted(world: Desks) -> None:
    standing = world.offered(world.asked("one"))
    request = world.asked("one", rate=1.5)
    state = world.researcher.submit(request)
    assert (state.status, state.automatic, state.granted) == ("approved", standing.digest, {"count": 3})
    assert world.researcher.execute(request.digest, "count", 1).numbers["notes"] == 12
    decision = world.researcher.decision(request.digest)
    assert decision is not None
    assert decision.reason == f"standing approval {standing.digest}"
    assert decision.steward == world.researcher.info.desk == typed.recover_decision(decision, world.federation.ledger.domain)
    (row,) = world.rows("decision.recorded", request=request.digest)
    assert (row["actor"], row["fields"]["standing"]) == ("north", standing.digest)


def test_the_ledger_takes_the_decision_of_the_desk(world: Desks) -> None:
    world.offered(world.asked("ledger"))
    request, ledger = world.asked("ledger"), world.federation.ledger
    ledger.issue_permit(request.permit, [world.federation.researcher])
    ledger.submit(request, ["north"])
    world.researcher.submit(request)
    decision = world.researcher.decision(request.digest)
    assert decision is not None
    ledger.decide(decision)
    assert ledger.status(request.digest, "north") == "approved"
    assert ledger.level(world.researcher.info.desk) == "steward"


OTHER_CODE = COUNT.replace("w + 1", "w + 2")


@pytest.mark.parametrize(
    ("case", "change"),
    [
        ("code", {"source": OTHER_CODE}),
        ("setting that is fixed", {"batch": "another"}),
        ("setting out of its range", {"rate": 2.5}),
        ("more executions", {"executions": 4}),
        ("another contract", {"contract": None}),
    ],
)
def test_what_differs_waits_for_a_person(case: str, change: dict[str, Any], world: Desks) -> None:
    from fedkit.governance.output_contract import OutputContract

    world.offered(world.asked(f"differs-{case.split()[0]}"))
    asked = dict(change)
    if "contract" in asked:
        asked["contract"] = OutputContract({"w": (4,)}, {"notes": (0, 2000), "round": (0, 1000)})
    batch = asked.pop("batch", f"differs-{case.split()[0]}")
    request = world.asked(batch, **asked)
    state = world.researcher.submit(request)
    assert (state.status, state.automatic) == ("pending", "")
    assert world.researcher.decision(request.digest) is None
    with pytest.raises(NotApproved, match="waits"):
        world.researcher.execute(request.digest, "count", 1)


def test_a_permit_that_no_steward_has_seen_waits_and_then_is_known(world: Desks) -> None:
    world.offered(world.asked("permits"), researchers=(), permits=())
    permit = replace(world.asked("permits").permit, id="permit-2")
    first = world.asked("permits", permit=permit)
    assert world.researcher.submit(first).status == "pending"
    world.steward.decide(world.decision(first))
    assert world.researcher.submit(world.asked("permits", permit=permit)).status == "approved"
    assert world.researcher.submit(world.asked("permits", permit=replace(permit, id="permit-3"))).status == "pending"


def test_eight_at_once_get_exactly_what_the_quota_allows(world: Desks) -> None:
    standing = world.offered(world.asked("race"))
    requests = [world.asked("race") for _ in range(8)]
    sessions = [world.federation.login("north", "researcher") for _ in requests]
    together = threading.Barrier(8)

    def submit(session: Site, request: CodeRequest) -> str:
        together.wait()
        return session.submit(request).status

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(submit, sessions, requests))
    assert statuses == ["approved"] * 3 + ["pending"] * 5
    (state,) = [s for s in world.steward.standings() if s.approval.digest == standing.digest]
    assert (state.used, state.status) == (3, "used up")
    assert len(world.rows("decision.recorded", standing=standing.digest)) == 3


def test_the_same_request_again_uses_nothing_more(world: Desks) -> None:
    standing = world.offered(world.asked("again"))
    request = world.asked("again")
    first = world.researcher.submit(request)
    assert world.researcher.submit(request) == first
    assert [s.used for s in world.steward.standings() if s.approval.digest == standing.digest] == [1]
    assert len(world.rows("decision.recorded", request=request.digest)) == 1


# -- it ends


def test_withdrawn_it_covers_nothing_more_and_what_was_decided_stays(world: Desks) -> None:
    standing = world.offered(world.asked("end"))
    before = world.asked("end")
    assert world.researcher.submit(before).status == "approved"
    state = world.steward.withdraw_standing(standing.digest, "The label set has changed.")
    assert (state.status, state.reason) == ("withdrawn", "The label set has changed.")
    assert world.researcher.submit(world.asked("end")).status == "pending"
    assert world.researcher.state(before.digest).status == "approved"
    with pytest.raises(NotApproved, match="withdrawn, for good"):
        world.steward.offer_standing(standing)
    with pytest.raises(RequestError, match="needs a reason"):
        world.steward.withdraw_standing(standing.digest, " ")


def test_who_had_an_approval_taken_back_gets_no_other_under_it(world: Desks) -> None:
    world.offered(world.asked("taken"))
    request = world.asked("taken")
    world.researcher.submit(request)
    assert world.steward.decide(world.decision(request, reason="Not this one after all.")).status == "revoked"
    other = world.asked("taken")
    assert world.researcher.submit(other).status == "pending"
    (nearly,) = [n for n in world.steward.review(other.digest).standing if not n.why.startswith("the setting batch")]
    assert "taken back" in nearly.why


def test_an_expired_one_covers_nothing(world: Desks) -> None:
    standing = world.offered(world.asked("late"), days=2)
    gate = world.clocked()
    gate.parts.clock = lambda: time.time() + 3 * DAY
    try:
        assert world.researcher.submit(world.asked("late")).status == "pending"
        assert [s.status for s in world.steward.standings() if s.approval.digest == standing.digest] == ["expired"]
    finally:
        gate.parts.clock = time.time


def test_one_whose_steward_left_covers_nothing(tmp_path: Path) -> None:
    """A key that was lost or stolen: its owner's account is revoked, and with it all that the key had signed beforehand."""
    with launch("lost", tmp_path / "federation", corpus=make_corpus(tmp_path / "corpus")) as federation:
        world = Desks(federation)
        card = federation.add_user("north", "berit", "steward")
        berit, key = federation.login("north", "berit"), federation.keys.find(card.address)
        assert key is not None
        made = StandingApproval.from_request(world.asked("x"), {"study": Name()}, site="north", steward=card.address)
        berit.offer_standing(federation.keys.sign_standing(key, made, federation.ledger.domain))
        assert world.researcher.submit(world.asked("x")).status == "approved"
        federation.revoke_user("north", "berit")
        assert world.researcher.submit(world.asked("x")).status == "pending"
        assert [s.status for s in world.steward.standings()] == ["unsigned"]
        anew = world.offered(world.asked("x"))  # the way on: a steward who is there signs a new one
        assert world.researcher.submit(world.asked("x")).automatic == anew.digest


# -- nobody but a steward opens it


@pytest.mark.parametrize(
    ("forge", "error"),
    [
        (lambda w, s: replace(s, requests=99), AccessRefused),
        (lambda w, s: s.signed("0x" + "11" * 65), AccessRefused),
        (lambda w, s: s.signed(""), AccessRefused),
        (lambda w, s: replace(s, site="east"), DigestMismatch),
        (lambda w, s: replace(s, steward=w.federation.keys.address("steward-east")), AccessRefused),
        (lambda w, s: replace(s, steward=w.federation.researcher), AccessRefused),
        (lambda w, s: replace(s, environment="0" * 64), AccessRefused),
    ],
)
def test_a_forged_one_is_refused_and_covers_nothing(forge: Any, error: type[FedkitError], world: Desks) -> None:
    batch = secrets.token_hex(4)
    steward = world.federation.keys.address("steward-north")
    made = StandingApproval.from_request(world.asked(batch), {"study": Name()}, site="north", steward=steward)
    good = world.federation.keys.sign_standing("steward-north", made, world.federation.ledger.domain)
    bad = forge(world, good)
    with pytest.raises(error):
        world.steward.offer_standing(bad)
    assert world.rows("standing.refused", standing=bad.digest)
    assert world.researcher.submit(world.asked(batch)).status == "pending"


@pytest.mark.parametrize("level", ["researcher", "auditor", "admin"])
def test_nobody_else_offers_one(level: str, world: Desks) -> None:
    made = StandingApproval.from_request(world.asked("mine"), {"study": Name()}, site="north", steward="0x" + "1" * 40)
    with pytest.raises(AccessRefused):
        getattr(world, level).offer_standing(made)


def test_one_signed_for_another_ledger_is_refused(world: Desks) -> None:
    steward = world.federation.keys.address("steward-north")
    made = StandingApproval.from_request(world.asked("domain"), {"study": Name()}, site="north", steward=steward)
    elsewhere = typed.LedgerDomain(1, world.federation.ledger.domain.contract)
    with pytest.raises(AccessRefused, match="not signed"):
        world.steward.offer_standing(world.federation.keys.sign_standing("steward-north", made, elsewhere))


def test_a_row_put_into_the_sites_own_table_is_not_believed(world: Desks) -> None:
    """The desk looks at the signature each time: who can write the file has no steward's key."""
    request = world.asked("smuggled")
    made = StandingApproval.from_request(
        request, {"study": Name()}, site="north", steward=world.federation.keys.address("steward-north")
    )
    hashed = typed.signing_hash("Standing", signed.standing_message(made), world.federation.ledger.domain)
    smuggled = made.signed(typed.sign_hash(hashed, world.federation.keys._key("researcher")))
    world.clocked().execution.office.tables.add_standing(smuggled, "steward")
    assert world.researcher.submit(world.asked("smuggled")).status == "pending"


def test_a_finding_that_the_steward_did_not_see_is_not_covered(world: Desks) -> None:
    shouts = COUNT.replace("    w = weights", "    print('here')\n    w = weights")
    reviewed = world.asked("warned", source=shouts)
    world.researcher.submit(reviewed)
    findings = world.steward.review(reviewed.digest).findings
    assert any(f.level == "warn" for f in findings)
    world.offered(reviewed, findings=())
    assert world.researcher.submit(world.asked("warned", source=shouts)).status == "pending"
    world.offered(reviewed, findings=findings, title="after a look")
    assert world.researcher.submit(world.asked("warned", source=shouts)).status == "approved"


# -- crashes


@pytest.mark.parametrize("place", ["journal", "pysyft"])
def test_a_crash_after_the_decision_loses_and_repeats_nothing(
    place: str, world: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = world.offered(world.asked(f"crash-{place}"))
    request, gate = world.asked(f"crash-{place}"), world.clocked()

    def dies(*_: Any, **__: Any) -> None:
        raise SiteError("the machine lost power")

    with monkeypatch.context() as crash:
        crash.setattr(*((gate.deciding, "_tell_automatic") if place == "journal" else (gate.parts.domain, "decide")), dies)
        with pytest.raises(SiteError):
            world.researcher.submit(request)
    if place == "journal":
        gate.deciding.finish_all()  # what the next start does
    assert world.researcher.submit(request).status == "approved"
    assert len(world.rows("decision.recorded", request=request.digest)) == 1
    assert [s.used for s in world.steward.standings() if s.approval.digest == standing.digest] == [1]
    assert world.researcher.execute(request.digest, "count", 1).numbers["notes"] == 12


# -- two persons


def by(world: Desks, user: str, request: CodeRequest, **changes: Any) -> Any:
    """Decide as one of the stewards."""
    keys = world.federation.keys
    address = next(c.address for c in world.admin.accounts() if c.user == user)
    made = replace(world.decision(request, **changes), steward=address, signature="")
    actor = keys.find(address)
    assert actor is not None
    decision = keys.sign_decision(actor, made, world.federation.ledger.domain)
    return world.federation.login(world.site, user).decide(decision)


def test_where_two_must_approve_one_is_not_enough(paired: Desks) -> None:
    request = paired.request()
    assert paired.researcher.submit(request).needed == 2
    first = by(paired, "steward", request)
    assert (first.status, first.approvals, first.needed) == ("pending", 1, 2)
    with pytest.raises(NotApproved):
        paired.researcher.execute(request.digest, "count", 1)
    second = by(paired, "berit", request)
    assert (second.status, second.approvals) == ("approved", 2)
    assert paired.researcher.execute(request.digest, "count", 1).numbers["notes"] == 12
    (row,) = paired.rows("decision.counted", request=request.digest)
    assert (row["fields"]["approvals"], row["fields"]["needed"]) == (1, 2)
    assert len(paired.rows("decision.recorded", request=request.digest)) == 1


def test_the_same_steward_twice_is_one(paired: Desks) -> None:
    request = paired.request()
    paired.researcher.submit(request)
    by(paired, "steward", request)
    with pytest.raises(AccessRefused, match="another person"):
        by(paired, "steward", request, rounds=2)
    assert paired.researcher.state(request.digest).approvals == 1


def test_a_denial_by_either_ends_it(paired: Desks) -> None:
    request = paired.request()
    paired.researcher.submit(request)
    by(paired, "steward", request)
    state = by(paired, "berit", request, reason="Too many executions.")
    assert (state.status, state.approvals) == ("denied", 0)
    with pytest.raises(Refused, match="already"):
        by(paired, "carl", request)


def test_the_second_grants_no_more_than_the_first(paired: Desks) -> None:
    request = paired.request()
    paired.researcher.submit(request)
    by(paired, "steward", request, rounds=1)
    with pytest.raises(Refused, match="grants more"):
        by(paired, "berit", request, rounds=2)
    assert by(paired, "berit", request, rounds=1).granted == {"count": 1}


def test_two_at_the_same_moment_complete_it(paired: Desks) -> None:
    request = paired.request()
    paired.researcher.submit(request)
    with ThreadPoolExecutor(2) as pool:
        states = list(pool.map(lambda user: by(Desks(paired.federation), user, request).status, ("steward", "berit")))
    assert sorted(states) == ["approved", "pending"]


def test_a_delegate_is_no_second_person_and_takes_the_turn(paired: Desks) -> None:
    keys, addresses = paired.federation.keys, {c.user: c.address for c in paired.admin.accounts()}
    given = Delegation("north", addresses["carl"], addresses["berit"], int(time.time()) + 3600)
    actor = keys.find(addresses["carl"])
    assert actor is not None
    carl = paired.federation.login("north", "carl")
    carl.delegate(keys.sign_delegation(actor, given, paired.federation.ledger.domain))
    request = paired.request()
    paired.researcher.submit(request)
    assert paired.steward.assign(request.digest, "carl").assigned == "berit"
    by(paired, "carl", request)
    with pytest.raises(AccessRefused, match="another person"):
        by(paired, "berit", request)
    assert by(paired, "steward", request).status == "approved"
    assert len(paired.rows("delegation.granted", to=addresses["berit"])) == 1


@pytest.mark.parametrize("to", ["researcher", "oneself", "a stranger"])
def test_one_delegates_to_a_colleague_only(to: str, paired: Desks) -> None:
    address = paired.federation.keys.address("steward-north")
    whom = {"researcher": paired.federation.researcher, "oneself": address, "a stranger": "0x" + "1" * 40}[to]
    given = Delegation("north", address, whom, int(time.time()) + 3600)
    with pytest.raises(AccessRefused):
        paired.steward.delegate(paired.federation.keys.sign_delegation("steward-north", given, paired.federation.ledger.domain))
    assert paired.rows("delegation.refused")


def test_where_two_must_approve_nothing_is_automatic(paired: Desks) -> None:
    paired.offered(paired.asked("pair"))
    assert paired.researcher.submit(paired.asked("pair")).status == "pending"


# -- turns


def test_requests_go_round_among_those_who_may_decide(paired: Desks) -> None:
    now = time.time()
    stewards = sorted(c.user for c in paired.admin.accounts() if c.level == "steward" and c.counts(now))
    requests = [paired.request() for _ in range(2 * len(stewards))]
    for request in requests:
        paired.researcher.submit(request)
    turns = [paired.rows("request.assigned", request=r.digest)[0]["fields"]["to"] for r in requests]
    assert sorted(turns) == sorted([*stewards, *stewards])
    assert len(set(turns[: len(stewards)])) == len(stewards)
    with pytest.raises(AccessRefused, match="cannot decide"):
        paired.steward.assign(requests[0].digest, "researcher")


def test_waiting_is_counted_reminded_and_ends(world: Desks) -> None:
    request, gate = world.request(), world.clocked()
    state = world.researcher.submit(request)
    assert (state.waiting, state.reminder, state.due) == (0, 0, pytest.approx(time.time() + 30 * DAY, abs=60))
    try:
        gate.parts.clock = lambda: time.time() + 8 * DAY
        (late,) = [s for s in world.steward.reminders() if s.digest == request.digest]
        assert (late.waiting, late.reminder) == (8, 1)
        world.steward.reminders()
        assert len(world.rows("request.reminded", request=request.digest)) == 1
        gate.parts.clock = lambda: time.time() + 31 * DAY
        assert world.researcher.state(request.digest).status == "lapsed"
        with pytest.raises(Refused, match="lapsed"):
            world.steward.decide(world.decision(request, expires=int(time.time()) + 60 * DAY))
        assert len(world.rows("request.lapsed", request=request.digest)) == 1
    finally:
        gate.parts.clock = time.time
    assert world.researcher.submit(request).status == "pending"  # the way on
    assert len(world.rows("request.submitted", request=request.digest)) == 2


def test_a_researcher_takes_back_what_waits_and_nothing_else(world: Desks) -> None:
    request = world.request()
    world.researcher.submit(request)
    assert world.researcher.withdraw(request.digest).status == "withdrawn"
    with pytest.raises(Refused, match="withdrawn"):
        world.steward.decide(world.decision(request))
    decided = world.approved()
    with pytest.raises(Refused, match="decided on already"):
        world.researcher.withdraw(decided.digest)
    with pytest.raises(DigestMismatch):
        world.researcher.withdraw("0" * 64)
    with pytest.raises(AccessRefused):
        world.steward.withdraw(request.digest)


def test_what_waits_is_shown_in_groups_that_need_one_look(world: Desks) -> None:
    alike = [world.asked("group", rate=rate) for rate in (1.0, 1.5, 2.0)]
    for request in [*alike, world.asked("group", source=COUNT.replace("w + 1", "w + 7"))]:
        world.researcher.submit(request)
    (group,) = [g for g in world.steward.alike() if alike[0].digest in g.digests]
    assert [r.digest for r in alike] == [d for d in group.digests if d in {r.digest for r in alike}]
    assert set(group.settings["rate"]) >= {1.0, 1.5, 2.0}
    reviews = world.steward.review_batch([r.digest for r in alike])
    assert [r.request for r in reviews] == alike
    assert all(len(world.rows("request.reviewed", request=r.digest)) == 1 for r in alike)


def test_a_review_says_what_changed_by_meaning_and_what_nearly_covers_it(world: Desks) -> None:
    world.offered(world.approved(world.asked("review")))
    request = world.asked("review", rate=9.0)
    world.researcher.submit(request)
    review = world.steward.review(request.digest)
    assert any(change.kind == "setting" and "rate" in change.where for change in review.changes)
    assert "the setting rate is not one that stands approved" in [nearly.why for nearly in review.standing]
    assert any("approved" in rule for rule in review.rules)


# -- nothing private, and one chain


def test_no_word_of_a_note_is_in_what_standing_approvals_say(world: Desks) -> None:
    assert CANARY not in repr(world.steward.standings())
    assert CANARY not in repr(world.auditor.journal())
    assert verify_rows(world.auditor.journal()) == []


def test_choices_are_compared_as_json(world: Desks) -> None:
    world.offered(world.asked("choice"), vary={"study": Name(), "rate": Choices((1, 2))})
    assert world.researcher.submit(world.asked("choice", rate=2.0)).status == "approved"
    assert world.researcher.submit(world.asked("choice", rate=1.5)).status == "pending"


def test_an_older_sites_file_opens(world: Desks) -> None:
    """Its requests wait since they were submitted."""
    tables = ApprovalTables(world.clocked().parts.store.database)
    assert tables.turn("0" * 64, 17.0).since == 17.0


def test_a_first_approval_by_who_left_counts_no_more(paired: Desks) -> None:
    paired.federation.add_user("north", "dina", "steward")
    request = paired.request()
    paired.researcher.submit(request)
    assert by(paired, "dina", request).approvals == 1
    paired.federation.revoke_user("north", "dina")
    assert paired.researcher.state(request.digest).approvals == 0
    assert by(paired, "berit", request).status == "pending"
    assert by(paired, "steward", request).status == "approved"


def test_a_delegation_that_ends_after_ones_own_account_is_refused(paired: Desks) -> None:
    soon = int(time.time()) + 3600
    card = paired.federation.add_user("north", "erik", "steward", expires=soon)
    keys, session = paired.federation.keys, paired.federation.login("north", "erik")
    given = Delegation("north", card.address, keys.address("steward-north"), soon + 1)
    actor = keys.find(card.address)
    assert actor is not None
    with pytest.raises(AccessRefused, match="no longer than"):
        session.delegate(keys.sign_delegation(actor, given, paired.federation.ledger.domain))
    session.delegate(keys.sign_delegation(actor, replace(given, expires=soon), paired.federation.ledger.domain))
