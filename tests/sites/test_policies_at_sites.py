"""Policies at running sites, each in its own process: one for each preset, one that is closed, one whose clock is wrong."""

from __future__ import annotations

import contextlib
import math
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fedkit.config import FederationConfig, SiteEntry, write_config
from fedkit.digests import digest, digest_folder
from fedkit.environment import environment_digest
from fedkit.errors import (
    AccessRefused,
    ContractReverted,
    DigestMismatch,
    ExecutionFailed,
    FedkitError,
    LimitReached,
    NotApproved,
    OutputRefused,
    Refused,
)
from fedkit.federation.parameters import decode_tables
from fedkit.governance.decision import Decision, Receipt
from fedkit.governance.noise import epsilon
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.policies import settings_of
from fedkit.governance.policies.moment import DAYS
from fedkit.governance.privacy import Privacy
from fedkit.governance.request import CodeRequest, DataPermit, Entry
from fedkit.governance.table_contract import Category, Count, TableContract
from fedkit.ledger.spending import EPSILON, Budget
from fedkit.notes.jsonl import dump_notes
from fedkit.notes.note import Note, Span
from fedkit.sites import journal as journals
from fedkit.sites.base import Site
from fedkit.sites.launch import Federation, launch
from fedkit.sites.spending import amount_of
from fedkit.study.budgets import pay

#: How many patients have how many notes: 24 with one and 12 with two, at every site.
ONCE, TWICE = 24, 12

SOURCE = '''"""Patients by how many notes they have."""
from collections import Counter


def count(notes, weights, settings):
    several = Counter(Counter(note.patient for note in (*notes.train, *notes.dev, *notes.test)).values())
    if settings.get("fails") and "Zyxophon" in notes.train[0].text:
        raise ValueError(notes.train[0].text)
    rows = [{"notes": word, "patients": several[n]} for n, word in ((1, "one"), (2, "two"), (3, "three"))]
    return {"tables": {"patients": rows}}


def score(notes, weights, settings):
    return {"numbers": {"right": 7}}
'''
TABLE = TableContract({"notes": Category(("one", "two", "three")), "patients": Count()}, max_rows=3, threshold=2, rounding=1)
CONTRACT = OutputContract(tables={"patients": TABLE})
#: One person has rho 0.1 at "strict". All calls of this module there but those of the test of the budget take this.
COST = Privacy(0.001, {"patients.patients": 1.0})

TODAY = DAYS[datetime.now(UTC).weekday()]
#: Two days from here: closed now, and if this runs over midnight.
LATER = DAYS[(datetime.now(UTC) + timedelta(days=3)).weekday()]
SITES = {
    "easy": {"preset": "teaching"},
    "usual": {"preset": "standard"},
    "busy": {"preset": "standard", "per_hour": 3},
    "hard": {"preset": "strict", "patients": 30, "days": list(DAYS), "hours": "00:00-24:00", "threshold": 2, "rounding": 1},
    "closed": {"preset": "standard", "days": [LATER]},
    "late": {"preset": "teaching"},
}


@dataclass
class World:
    federation: Federation
    sessions: dict[tuple[str, str], Site] = field(default_factory=dict)

    def at(self, site: str, user: str = "researcher") -> Site:
        if (site, user) not in self.sessions:
            self.sessions[site, user] = self.federation.login(site, user)
        return self.sessions[site, user]

    def request(self, privacy: Privacy | None = None, **changes: Any) -> CodeRequest:
        made = CodeRequest(
            title="Patients by notes",
            purpose="to test",
            researcher=self.federation.researcher,
            permit=DataPermit("permit-1", "to test", ("notes",), "2099-01-01"),
            dataset="notes",
            source=SOURCE,
            environment=environment_digest(),
            entries=(Entry("count", 20, CONTRACT, privacy),),
            settings={"study": secrets.token_hex(8), **changes.pop("settings", {})},
            kind="table",
        )
        return replace(made, **changes)

    def decision(self, site: str, request: CodeRequest, user: str = "steward") -> Decision:
        keys = self.federation.keys
        signer = f"steward-{site}" if user == "steward" else keys.find(self.card(site, user).address)
        made = Decision(
            request.digest,
            site,
            True,
            20,
            int(time.time()) + 3600,
            "",
            self.at(site, user).reason_digest(""),
            keys.address(signer),
        )
        return keys.sign_decision(signer, made, self.federation.ledger.domain)

    def card(self, site: str, user: str) -> Any:
        return next(card for card in self.at(site, "admin").accounts() if card.user == user)

    def approved(self, site: str, request: CodeRequest) -> CodeRequest:
        self.at(site).submit(request)
        for user in ("steward", "second") if site == "hard" else ("steward",):
            self.at(site, user).decide(self.decision(site, request, user))
        return request

    def run(self, site: str, request: CodeRequest, round: int = 1) -> Receipt:
        return self.at(site).execute(request.digest, "count", round)

    def rows(self, site: str, receipt: Receipt) -> dict[str, int]:
        tables = decode_tables(self.at(site).get(receipt.outputs))
        return {row["notes"]: row["patients"] for row in tables["patients"]}

    def told(self, site: str, act: str, **fields: Any) -> list[dict[str, Any]]:
        """Rows of the site's journal of this act with these fields."""
        found = [row for row in self.at(site, "auditor").journal() if row["act"] == act]
        return [row for row in found if all(row["fields"].get(k) == v for k, v in fields.items())]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    corpus, folder = tmp_path_factory.mktemp("corpus"), tmp_path_factory.mktemp("federation")
    for site in SITES:
        (corpus / site).mkdir()
        notes = [
            Note(f"{site}-{patient}-{n}", "Zyxophon fikk Paracet.", "nb", (Span(14, 21, "DRUG"),), patient=f"p{patient}")
            for patient in range(ONCE + TWICE)
            for n in range(1 if patient < ONCE else 2)
        ]
        for split, part in (("train", notes[:30]), ("dev", notes[30:40]), ("test", notes[40:])):
            (corpus / site / f"{split}.jsonl").write_bytes(dump_notes(part))
    entries = tuple(SiteEntry(site, site.title(), "nb", policy) for site, policy in SITES.items())
    write_config(folder, FederationConfig("policies", "notes", digest_folder(corpus, "*/*.jsonl"), entries))
    with launch("policies", folder, corpus=corpus, isolation="process") as federation:
        federation.add_user("hard", "second", "steward", name="Another Person")
        yield World(federation)


# -- one honest table, three presets
def test_at_teaching_what_the_request_declared_leaves(world: World) -> None:
    request = world.approved("easy", world.request())
    assert world.rows("easy", world.run("easy", request)) == {"one": ONCE, "two": TWICE}


def test_at_standard_the_sites_threshold_and_rounding_beat_those_of_the_request(world: World) -> None:
    """No more than rounding here: 24 and 12 are above the site's 10, and nobody has three notes."""
    request = world.approved("usual", world.request())
    assert world.rows("usual", world.run("usual", request)) == {"one": 25, "two": 10}


def test_at_strict_a_table_leaves_with_noise_or_not_at_all(world: World) -> None:
    bare = world.request()
    with pytest.raises(OutputRefused, match="no privacy cost") as refused:
        world.at("hard").submit(bare)
    assert "Privacy(rho" in refused.value.expected
    assert world.told("hard", "request.refused", request=bare.digest, reason="refused.output")
    request = world.approved("hard", world.request(COST))
    rows = world.rows("hard", world.run("hard", request))
    assert rows != {"one": ONCE, "two": TWICE}, "by chance once in some thousand runs: sigma is 22 for each count"


# -- two persons
def test_at_strict_one_steward_is_not_enough(world: World) -> None:
    request = world.request(COST)
    world.at("hard").submit(request)
    world.at("hard", "steward").decide(world.decision("hard", request))
    with pytest.raises(NotApproved):
        world.run("hard", request)
    again = world.decision("hard", request)
    with contextlib.suppress(FedkitError):  # the same word again, or another of the same person
        assert world.at("hard", "steward").decide(again).status == "pending"
    with pytest.raises(NotApproved):
        world.run("hard", request)
    assert world.told("hard", "execution.refused", request=request.digest, reason="refused.not-approved")
    world.at("hard", "second").decide(world.decision("hard", request, "second"))
    world.run("hard", request)


# -- how often
def at_once(world: World, site: str, request: CodeRequest) -> tuple[list[Receipt], list[FedkitError]]:
    """Eight rounds of a request, each by a session of its own, at one moment: receipts and refusals."""
    done: list[Receipt] = []
    refusals: list[FedkitError] = []

    def one(number: int) -> None:
        session = world.federation.login(site, "researcher")
        try:
            done.append(session.execute(request.digest, "count", number))
        except FedkitError as error:
            refusals.append(error)
        finally:
            session.close()

    threads = [threading.Thread(target=one, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done, refusals


def test_racing_calls_get_no_more_than_the_rate(world: World) -> None:
    request = world.approved("busy", world.request())
    done, refusals = at_once(world, "busy", request)
    assert len(done) == 3
    assert {type(error) for error in refusals} == {LimitReached}
    assert all("go on at" in error.help for error in refusals)
    assert len(world.told("busy", "execution.refused", request=request.digest, reason="refused.limit")) >= 5
    assert len(world.told("busy", "execution.started", request=request.digest)) == 3
    assert world.run("busy", request, done[0].round) == done[0], "a finished call may be repeated at any time"


# -- when
def test_a_site_that_is_closed_today_says_when_it_is_open(world: World) -> None:
    request = world.approved("closed", world.request())
    with pytest.raises(Refused, match="at this time") as refused:
        world.run("closed", request)
    assert LATER in refused.value.expected
    assert TODAY in refused.value.got
    assert world.told("closed", "execution.refused", request=request.digest, reason="refused")


def test_a_site_whose_clock_went_back_runs_nothing_and_says_why(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    request = world.approved("late", world.request())

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(hours=1)

    with monkeypatch.context() as patched:  # what the site wrote while its clock was an hour ahead
        patched.setattr(journals, "datetime", Ahead)
        book = journals.Journal(world.federation.folder / "sites" / "late" / "journal.db")
        book.append("access.refused", "late", reason="locked")
        book.close()
    for attempt in (lambda: world.run("late", request), lambda: world.at("late").submit(world.request())):
        with pytest.raises(Refused, match="clock skew") as refused:
            attempt()
        assert "NTP" in refused.value.help
    assert world.told("late", "execution.refused", request=request.digest, reason="refused")
    assert not world.told("late", "execution.started", request=request.digest)


# -- permits, environments
@pytest.mark.parametrize("site", ["easy", "usual", "hard"])
@pytest.mark.parametrize(
    ("permit", "says"),
    [
        ({"sites": ("closed",)}, "another site"),
        ({"users": ("0x" + "1" * 40,)}, "somebody else's"),
        ({"expires": "2026-01-01"}, "expired"),
    ],
)
def test_a_permit_for_another_site_person_or_time_is_named_at_submission(
    world: World, site: str, permit: Any, says: str
) -> None:
    base = world.request(COST)
    request = replace(base, permit=replace(base.permit, **permit))
    with pytest.raises(AccessRefused, match=says) as refused:
        world.at(site).submit(request)
    assert refused.value.help
    assert world.told(site, "request.refused", request=request.digest, reason="refused.access")


def test_lessons_are_for_made_up_notes(world: World) -> None:
    base = world.request(COST)
    request = replace(base, permit=replace(base.permit, category="education"))
    world.at("usual").submit(request)
    with pytest.raises(AccessRefused, match="kind of purpose"):
        world.at("hard").submit(request)


def test_a_request_made_with_other_libraries_says_what_to_do(world: World) -> None:
    request = world.request(environment="f" * 64)
    with pytest.raises(DigestMismatch, match="another environment") as refused:
        world.at("easy").submit(request)
    assert "fedkit doctor" in refused.value.help
    assert world.told("easy", "request.refused", request=request.digest, reason="refused.digest")


# -- the privacy budget of "strict": rho 0.05 for one person under one permit
def test_a_budget_is_charged_once_a_call_and_never_beyond_its_end(world: World) -> None:
    """Code that fails twice on one charge, eight calls at once of which two have room, and one of them again for nothing."""
    failing = world.approved("hard", world.request(Privacy(0.005, COST.sensitivity), settings={"fails": True}))
    for _ in range(2):
        with pytest.raises(ExecutionFailed) as failed:
            world.run("hard", failing)
        assert "Zyxophon" not in failed.value.diagnostics()
    request = world.approved("hard", world.request(Privacy(0.02, COST.sensitivity)))
    done, refusals = at_once(world, "hard", request)
    assert len(done) == 2, [error.diagnostics() for error in refusals]
    assert {type(error) for error in refusals} == {LimitReached}
    assert all("this project's privacy budget" in error.message for error in refusals)
    assert world.run("hard", request, done[0].round) == done[0]
    assert world.told("hard", "execution.refused", request=request.digest, reason="refused.limit")


def test_scores_of_a_model_need_no_noise(world: World) -> None:
    scores = Entry("score", 1, OutputContract(numbers={"right": (0.0, 1000.0)}))
    request = world.approved("hard", world.request(entries=(scores,), kind="evaluation"))
    assert world.at("hard").execute(request.digest, "score", 1).numbers == {"right": 7.0}


# -- the same costs on the ledger
@dataclass
class Asked:
    """What `pay` uses of a study."""

    world: World
    request: CodeRequest

    @property
    def federation(self) -> Federation:
        return self.world.federation

    def requested(self) -> CodeRequest:
        return self.request

    def session(self, site: str, level: str) -> Site:
        return self.world.at(site, level)


def test_where_a_steward_set_a_budget_the_ledger_takes_an_execution_once_its_cost_is_there(world: World) -> None:
    ledger, keys = world.federation.ledger, world.federation.keys

    def asked(privacy: Privacy | None) -> CodeRequest:
        request = world.request(privacy)
        ledger.issue_permit(request.permit, [request.researcher])
        ledger.submit(request, ["easy"])
        world.at("easy").submit(request)
        decision = world.decision("easy", request)
        world.at("easy", "steward").decide(decision)
        ledger.decide(decision)
        return request

    def record(request: CodeRequest, receipt: Receipt) -> None:
        ledger.record_round(request.digest, "count", receipt.round, "AVERAGED", receipt.inputs, receipt.outputs, [receipt])

    priced, free = asked(Privacy(0.02, COST.sensitivity)), asked(None)
    before = world.run("easy", priced)  # ran before there was a budget: its cost is told with the next one's
    cost = amount_of(0.02)
    cap = Budget("easy", "notes", 3 * cost - 1, 1, keys.address("steward-easy"))
    ledger.set_budget(keys.sign_budget("steward-easy", cap, ledger.domain))
    second, nothing = world.run("easy", priced, 2), world.run("easy", free)
    with pytest.raises(ContractReverted, match="NotSpent"):
        record(priced, before)
    pay(Asked(world, free), [nothing])  # type: ignore[arg-type]
    assert ledger.budget("easy").spent == 2 * cost, "what was spent before it is told with it"
    pay(Asked(world, priced), [before, second])  # type: ignore[arg-type]
    pay(Asked(world, priced), [before, second])  # type: ignore[arg-type]
    assert ledger.budget("easy").spent == 2 * cost
    record(priced, before)
    record(priced, second)
    record(free, nothing)
    third = world.run("easy", priced, 3)
    with pytest.raises(ContractReverted, match="BudgetExceeded"):
        pay(Asked(world, priced), [third])  # type: ignore[arg-type]
    assert amount_of(0.02) == math.ceil(epsilon(0.02) * EPSILON)
    with pytest.raises(DigestMismatch, match="no such execution"):
        world.at("easy", "auditor").spends(priced.digest, "count", 9, 0)
    with pytest.raises(AccessRefused):
        world.at("easy").spends(priced.digest, "count", 1, 0)


# -- what an auditor sees
def test_the_journal_says_under_which_policy_each_site_opened(world: World) -> None:
    for site, policy in SITES.items():
        (opened,) = world.told(site, "site.opened")
        assert opened["fields"]["policy"] == digest(settings_of(policy).to_json())
