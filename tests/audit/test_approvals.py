"""Check 17: automatic decisions and second approvals, by a site that holds its own keys and writes its own journal."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from audit.cases import FOUND_BY, tries
from audit.conftest import failed
from audit.hands import rewritten
from ledger_world import DAY, World

from fedkit.audit.verify import verify
from fedkit.digests import digest
from fedkit.errors import EvidenceError
from fedkit.governance.decision import Decision
from fedkit.governance.request import CodeRequest
from fedkit.governance.standing import Name, Range, StandingApproval
from fedkit.ledger import typed
from fedkit.ledger.standing import standing_message


class Desk(World):
    """One site whose desk decides, with a second steward."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.desk, self.second = self.keys.create("desk-norway"), self.keys.create("second")
        for account in (self.desk, self.second):
            self.ledger.grant("steward of norway", account)
        self.named()
        self.standings: list[StandingApproval] = []

    def named(self) -> None:
        self.journals["norway"].append("site.opened", "norway", desk=self.desk)

    def asked(self, title: str = "a request", **changes: Any) -> CodeRequest:
        made = replace(self.request(title), settings={"rounds": 3, "study": title.replace(" ", "-")})
        return self.submit(replace(made, **changes))

    def standing(self, request: CodeRequest, sign_as: str = "steward-norway", **changes: Any) -> StandingApproval:
        """A standing approval for what is like a request, signed."""
        made = StandingApproval.from_request(
            request,
            {"study": Name(), "rounds": Range(1, 5)},
            site="norway",
            steward=self.keys.address("steward-norway"),
            now=time.time() - 60,
        )
        made = replace(made, **changes)
        hashed = typed.signing_hash("Standing", standing_message(made), self.ledger.domain)
        return made.signed(typed.sign_hash(hashed, self.keys._key(sign_as)))

    def offer(self, approval: StandingApproval) -> StandingApproval:
        self.standings.append(approval)
        self.journals["norway"].append(
            "standing.offered",
            "steward",
            standing=approval.digest,
            code=approval.code,
            requests=approval.requests,
            expires=approval.expires,
            steward=approval.steward,
            signature=approval.signature,
        )
        return approval

    def by(self, actor: str, request: CodeRequest, act: str = "decision.recorded", days: float = 30, **more: Any) -> Decision:
        """A decision by an actor, in the journal and, if it is a whole one, on the ledger."""
        rounds = int(more.pop("rounds", 3))
        made = Decision(
            request.digest,
            "norway",
            True,
            rounds,
            int(time.time() + days * DAY),
            "as approved",
            self.journals["norway"].salted("as approved"),
            self.keys.address(actor),
        )
        made = self.keys.sign_decision(actor, made, self.ledger.domain)
        fields = {
            "request": request.digest,
            "rounds": made.rounds,
            "expires": made.expires,
            "reason": made.reason_digest,
            "steward": made.steward,
            "signature": made.signature,
        }
        whole = {"status": "approved"} if act == "decision.recorded" else {}
        self.journals["norway"].append(act, "norway", **fields, **whole, **more)
        if whole:
            self.ledger.decide(made)
            self.decisions.append(made)
        return made

    def automatic(self, request: CodeRequest, approval: StandingApproval | None, **more: Any) -> Decision:
        return self.by("desk-norway", request, **({"standing": approval.digest} if approval else {}), **more)

    def told(self, request: CodeRequest) -> Path:
        self.anchor()
        return self.export(self.folder / "evidence", request, standings=self.standings)


@pytest.fixture
def world(tmp_path: Path) -> Any:
    made = Desk(tmp_path / "world", sites=("norway",))
    yield made
    made.close()


def said(bundle: Path) -> str:
    """What check 17 found."""
    return "; ".join(finding.what for finding in verify(bundle).checks[16].findings)


def test_a_decision_under_a_standing_approval_is_clean(world: Desk) -> None:
    request = world.asked()
    approval = world.offer(world.standing(request))
    world.automatic(request, approval)
    other = world.asked("another one")
    world.automatic(other, approval)
    bundle = world.told(other)
    report = verify(bundle)
    assert report.ok, str(report)
    assert report.checks[16].note == "2 were automatic, under 1 standing approvals"


def test_the_steward_may_have_left_after_it_was_decided(world: Desk) -> None:
    """A role that is taken away ends what comes later, and nothing before."""
    request = world.asked()
    world.automatic(request, world.offer(world.standing(request)))
    world.ledger.revoke("steward of norway", world.keys.address("steward-norway"))
    assert said(world.told(request)) == ""


def nothing(world: Desk, request: CodeRequest) -> None:
    world.automatic(request, None)


def forged(world: Desk, request: CodeRequest) -> None:
    world.automatic(request, world.offer(world.standing(request, sign_as="site-norway")))


def altered(world: Desk, request: CodeRequest) -> None:
    good = world.standing(request)
    world.automatic(request, world.offer(replace(good, requests=999, signature=good.signature)))


def by_the_desk(world: Desk, request: CodeRequest) -> None:
    world.automatic(request, world.offer(world.standing(request, "desk-norway", steward=world.desk)))


def by_a_stranger(world: Desk, request: CodeRequest) -> None:
    world.automatic(request, world.offer(world.standing(request, "researcher", steward=world.researcher)))


def expired(world: Desk, request: CodeRequest) -> None:
    past = int(time.time()) - 30
    world.automatic(request, world.offer(world.standing(request, expires=past)))


def too_early(world: Desk, request: CodeRequest) -> None:
    later = int(time.time()) + DAY
    world.automatic(request, world.offer(world.standing(request, issued=later, expires=later + 60 * DAY)))


def outlived(world: Desk, request: CodeRequest) -> None:
    world.automatic(request, world.offer(world.standing(request, expires=int(time.time()) + DAY)), days=30)


def withdrawn(world: Desk, request: CodeRequest) -> None:
    approval = world.offer(world.standing(request))
    world.journals["norway"].append("standing.withdrawn", "steward", standing=approval.digest, reason=digest("why"))
    world.automatic(request, approval)


def afterwards(world: Desk, request: CodeRequest) -> None:
    approval = world.standing(request)
    world.automatic(request, approval)
    world.offer(approval)


def elsewhere(world: Desk, request: CodeRequest) -> None:
    world.automatic(request, world.offer(world.standing(request, site="sweden")))


def other_code(world: Desk, request: CodeRequest) -> None:
    world.automatic(request, world.offer(world.standing(request, code=digest("other code"))))


def other_setting(world: Desk, request: CodeRequest) -> None:
    world.automatic(request, world.offer(world.standing(request, vary={"study": Name(), "rounds": Range(1, 2)}, settings={
        "rounds": 2, "study": "x"})))  # fmt: skip


def other_researcher(world: Desk, request: CodeRequest) -> None:
    world.automatic(request, world.offer(world.standing(request, researchers=("0x" + "1" * 40,))))


def unseen_permit(world: Desk, request: CodeRequest) -> None:
    world.automatic(request, world.offer(world.standing(request, researchers=(), permits=())))


def too_many_runs(world: Desk, request: CodeRequest) -> None:
    world.automatic(request, world.offer(world.standing(request, executions={"train": 2, "evaluate": 1})))


def overused(limit: str) -> Callable[[Desk, CodeRequest], None]:
    def uses(world: Desk, request: CodeRequest) -> None:
        approval = world.offer(world.standing(request, **{limit: 1}))
        world.automatic(world.asked("the first"), approval)
        world.automatic(request, approval)

    return uses


WRONG: dict[str, list[tuple[Callable[[Desk, CodeRequest], None], str]]] = {
    "automatic decision under no standing approval": [(nothing, "under no standing approval")],
    "standing approval that no steward of the site signed": [
        (forged, "is not signed by"),
        (altered, "is not signed by"),
        (by_the_desk, "was no steward"),
        (by_a_stranger, "was no steward"),
    ],
    "standing approval that did not count at that time": [
        (expired, "did not count"),
        (too_early, "did not count"),
        (outlived, "longer than its standing approval"),
        (withdrawn, "had been withdrawn"),
        (afterwards, "was not offered"),
    ],
    "standing approval of another site, or for another request": [
        (elsewhere, "of another site"),
        (other_code, "another code"),
        (other_setting, "the setting rounds"),
        (other_researcher, "another researcher or permit"),
        (unseen_permit, "another researcher or permit"),
        (too_many_runs, "another number of executions"),
    ],
    "standing approval used more often than it allows": [
        (overused("requests"), "number 2 in all"),
        (overused("per_day"), "number 2 on that day"),
        (overused("per_researcher"), "number 2 of that researcher"),
    ],
}


@tries(*WRONG)
@pytest.mark.parametrize(
    ("case", "does", "says"), [(case, does, says) for case, several in WRONG.items() for does, says in several]
)
def test_an_automatic_decision_that_does_not_count_is_found(
    case: str, does: Callable[[Desk, CodeRequest], None], says: str, world: Desk
) -> None:
    request = world.asked()
    does(world, request)
    bundle = world.told(request)
    assert failed(bundle) == FOUND_BY[case]
    assert says in said(bundle)


@tries("standing approval left out of the bundle")
def test_a_standing_approval_that_is_not_shown_is_found(world: Desk) -> None:
    request = world.asked()
    world.automatic(request, world.offer(world.standing(request)))
    bundle = world.told(request)
    rewritten(bundle, "standings.json", lambda rows: [])
    assert failed(bundle) == FOUND_BY["standing approval left out of the bundle"]


def test_a_person_decides_under_no_standing_approval(world: Desk) -> None:
    """Or a desk could be passed off as one: whose signature it is says which it was."""
    request = world.asked()
    approval = world.offer(world.standing(request))
    world.by("steward-norway", request, standing=approval.digest)
    assert "is not signed by the site's desk" in said(world.told(request))


def paired(world: Desk) -> CodeRequest:
    request = world.asked()
    row = {"request": request.digest, "code": request.code_digest, "environment": request.environment}
    world.journals["norway"].append("request.submitted", "ada", **row, needed=2)
    return request


def test_two_who_approved_are_clean(world: Desk) -> None:
    request = paired(world)
    world.by("second", request, "decision.counted", approvals=1, needed=2)
    world.by("steward-norway", request)
    assert verify(world.told(request)).ok


@tries("one steward where two had to approve")
@pytest.mark.parametrize("first", [None, "steward-norway", "desk-norway", "researcher", "more"])
def test_one_where_two_had_to_approve_is_found(first: str | None, world: Desk) -> None:
    request = paired(world)
    if first == "more":
        world.by("second", request, "decision.counted", approvals=1, needed=2, rounds=1)
    elif first is not None:
        world.by(first, request, "decision.counted", approvals=1, needed=2)
    world.by("steward-norway", request)
    bundle = world.told(request)
    assert failed(bundle) == FOUND_BY["one steward where two had to approve"]
    assert ("grants more" if first == "more" else "had to approve") in said(bundle)


@tries("a desk that its site never named")
def test_a_desk_that_was_never_named_is_not_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks like a person."""
    monkeypatch.setattr(Desk, "named", lambda _: None)
    world = Desk(tmp_path / "world", sites=("norway",))
    request = world.asked()
    world.by("desk-norway", request)
    assert verify(world.told(request)).ok
    world.close()


@pytest.mark.parametrize("value", [None, [3], {"a": 1}, "x", -1])
@pytest.mark.parametrize("name", ["requests", "vary", "settings", "executions", "steward", "signature", "entries", "warned"])
def test_whatever_stands_in_it_ends_in_a_report_or_is_no_bundle(name: str, value: Any, strange: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(strange, tmp_path / "evidence"))
    rewritten(bundle, "standings.json", lambda rows: [{**rows[0], name: value}])
    try:
        assert 17 in failed(bundle)
    except EvidenceError:
        with pytest.raises(EvidenceError, match=r"standings\.json"):
            failed(bundle)


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = Desk(tmp_path_factory.mktemp("strange"), sites=("norway",))
    request = world.asked()
    world.automatic(request, world.offer(world.standing(request)))
    bundle = world.told(request)
    world.close()
    return bundle
