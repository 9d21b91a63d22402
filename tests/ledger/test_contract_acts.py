"""What the ledger's acts on permits, levels, budgets and successors record, and what stands on chain after them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from ledger_world import World

from fedkit.digests import digest
from fedkit.errors import ContractReverted, LedgerError, RequestError
from fedkit.governance.levels import CALLS
from fedkit.governance.request import PURPOSES, DataPermit
from fedkit.ledger import succession
from fedkit.ledger.chain import EmbeddedChain
from fedkit.ledger.events import (
    LEVELS,
    BudgetSet,
    BudgetSpent,
    LevelChanged,
    PermitIssued,
    PermitRevoked,
    Released,
    StudyAnchored,
    Superseded,
)
from fedkit.ledger.ledger import STATUS, Ledger, open_ledger
from fedkit.ledger.registry import role_id
from fedkit.ledger.spending import EPSILON, Budget, Spend, recover_budget, recover_spend
from fedkit.ledger.succession import CURRENT, NEXT, earlier, succeed
from fedkit.ledger.typed import name_id

START = digest("start")


# -- levels


def test_the_levels_are_those_of_the_sites_and_two_more() -> None:
    """On the chain an analyst is a researcher: what may be asked for is a site's to check."""
    at_sites = tuple(level for level in CALLS if level != "analyst")
    assert (*at_sites, "site", "authority") == LEVELS


def test_an_account_has_the_level_of_its_roles_and_loses_it_with_the_last(world: World) -> None:
    ledger, other = world.ledger, world.keys.create("other")
    assert ledger.level(other) == "guest"
    ledger.grant("steward of norway", other), ledger.grant("steward of sweden", other)
    assert ledger.level(other) == "steward"
    ledger.revoke("steward of norway", other)
    assert ledger.level(other) == "steward"
    ledger.revoke("steward of sweden", other)
    assert ledger.level(other) == "guest"
    ledger.register_auditor("other")
    assert ledger.level(other) == "auditor"
    assert [e.level for e in ledger.records(LevelChanged) if e.account == other] == ["steward", "guest", "auditor"]


def test_everybody_who_takes_part_has_one_level(world: World) -> None:
    names = {"researcher": "researcher", "authority": "authority", "admin": "admin"}
    names |= {f"steward-{site}": "steward" for site in world.sites} | {f"site-{site}": "site" for site in world.sites}
    for actor, level in names.items():
        assert world.ledger.level(world.keys.address(actor)) == level
    assert {e.account: e.level for e in world.ledger.records(LevelChanged)} == {
        world.keys.address(actor): level for actor, level in names.items()
    }


def test_who_is_revoked_twice_keeps_the_count_straight(world: World) -> None:
    """Taking what is not held changes no count: else one revocation too many would free an account of its duty."""
    other = world.keys.create("other")
    world.ledger.grant("steward of norway", other)
    for role in ("steward of sweden", "researcher", "auditor"):
        world.ledger._act("admin", [("Registry", "revokeRole", (role_id(role), other))])
    world.ledger._act("admin", [("Registry", "grantRole", (role_id("steward of norway"), other))])
    assert world.ledger.level(other) == "steward"
    world.ledger.revoke("steward of norway", other)
    assert world.ledger.level(other) == "guest"


def test_records_name_the_admin_who_did_it_and_not_the_first_one(world: World) -> None:
    second = world.keys.create("second-admin")
    world.ledger.grant("admin", second)
    key, steward, dataset = world.keys.create("site-x"), world.keys.create("steward-x"), name_id("notes")
    made = world.ledger._act("second-admin", [("Registry", "registerSite", (name_id("denmark"), key, steward))])
    made += world.ledger._act("second-admin", [("Registry", "commitDataset", (name_id("denmark"), dataset, b"\1" * 32))])
    made += world.ledger._act("second-admin", [("Registry", "renounceRole", (bytes(32), second))])
    assert {type(e).__name__ for e in made} == {
        *("RoleGranted", "RoleRevoked", "LevelChanged", "SiteRegistered", "DatasetCommitted")
    }
    assert {e.actor for e in made} == {second}
    assert world.ledger.events()[-len(made) :] == made  # read back, they say the same


# -- permits


@pytest.mark.parametrize("category", PURPOSES)
def test_a_permit_stands_with_its_purpose_and_no_word_of_it(embedded: World, category: str) -> None:
    permit = DataPermit("permit-2", "a purpose in words", ("notes", "x-rays"), "2030-12-31", category)
    other = embedded.keys.create("other")
    issued = embedded.ledger.issue_permit(permit, [embedded.researcher, other])
    assert issued == embedded.ledger.permit(permit.digest) == embedded.ledger.records(PermitIssued)[-1]
    assert (issued.purpose, issued.datasets, issued.expires) == (category, ("notes", "x-rays"), 1_924_991_999)
    assert issued.users == (embedded.researcher, other)
    assert issued.actor == embedded.keys.address("authority")


def test_the_purpose_is_part_of_the_permit() -> None:
    permits = [DataPermit("p", "words", ("notes",), "2030-01-01", category) for category in PURPOSES]
    assert len({p.digest for p in permits}) == len(PURPOSES)
    assert [DataPermit.from_json(p.to_json()) for p in permits] == permits
    with pytest.raises(RequestError, match="no such kind of purpose"):
        DataPermit("p", "words", ("notes",), "2030-01-01", "curiosity")


def test_a_permit_is_issued_once(world: World) -> None:
    permit = world.request().permit
    first = world.ledger.issue_permit(permit, [world.researcher])
    assert world.ledger.issue_permit(permit, [world.researcher]) == first
    other = world.keys.create("other")
    with pytest.raises(ContractReverted, match="PermitExists"):  # another user is another permit
        world.ledger.issue_permit(permit, [world.researcher, other])


def test_a_permit_of_an_authority_elsewhere_is_found_and_not_asked_for_again(world: World) -> None:
    """Who has no key of an authority takes the permit that is on the ledger, or hears whom to ask."""
    permit = world.request().permit
    (world.folder / "keys" / "authority.json").rename(world.folder / "elsewhere.json")
    with pytest.raises(LedgerError, match="no authority has issued") as refused:
        world.ledger.issue_permit(permit, [world.researcher])
    assert "ask the authority" in refused.value.help
    (world.folder / "elsewhere.json").rename(world.folder / "keys" / "authority.json")
    issued = world.ledger.issue_permit(permit, [world.researcher])
    (world.folder / "keys" / "authority.json").unlink()
    assert world.ledger.issue_permit(permit, [world.researcher]) == issued


def test_a_revoked_permit_stays_on_record(world: World) -> None:
    permit = world.permitted()
    revoked = world.ledger.revoke_permit(permit)
    assert world.ledger.revoke_permit(permit) == revoked
    assert revoked.actor == world.keys.address("authority")
    assert world.ledger.permit(permit).permit == permit
    assert [e.permit for e in world.ledger.records(PermitRevoked)] == [permit]
    with pytest.raises(LedgerError, match="no authority has issued"):
        world.ledger.permit(digest("another"))


# -- how far a request has come


def test_a_request_goes_from_submitted_to_released(world: World) -> None:
    request = world.request()
    seen = [world.ledger.status(request.digest, "norway")]
    world.submit(request)
    seen.append(world.ledger.status(request.digest, "norway"))
    for site in world.sites:
        world.decide(request, site)
    seen.append(world.ledger.status(request.digest, "norway"))
    receipt = world.execute(request.digest, "norway", "train", 1, START, digest("out"))
    world.ledger.record_round(request.digest, "train", 1, "AVERAGED", START, digest("mean"), [receipt])
    seen.append(world.ledger.status(request.digest, "norway"))
    assert world.ledger.status(request.digest, "sweden") == "approved"  # it took no part
    world.ledger.release(request.digest, digest("mean"))
    seen.append(world.ledger.status(request.digest, "norway"))
    assert seen == ["not asked", "submitted", "approved", "executed", "released"]
    assert set(seen) | {"denied"} == set(STATUS)
    assert world.ledger.status(request.digest, "sweden") == "approved"


def test_who_withdraws_after_an_execution_ends_it(world: World) -> None:
    request = world.study()
    assert world.ledger.status(request.digest, "norway") == "released"
    world.decide(request, "norway", approved=False)
    assert world.ledger.status(request.digest, "norway") == "denied"
    assert world.ledger.status(request.digest, "sweden") == "released"
    with pytest.raises(ContractReverted, match="NotApproved"):
        world.evaluated(request.digest, 2, START)
    model = world.ledger.records(Released)[-1].model  # what it had given out is released all the same
    assert world.ledger.release(request.digest, model, digest("another card")).folder == digest("another card")


# -- budgets


def _budget(world: World, cap: int, version: int = 1) -> BudgetSet:
    budget = Budget("norway", "notes", cap, version, world.keys.address("steward-norway"))
    return world.ledger.set_budget(world.keys.sign_budget("steward-norway", budget, world.ledger.domain))


def _spend(world: World, request: str, round: int, amount: int, before: int) -> BudgetSpent:
    spend = Spend(request, "norway", "train", round, amount, before)
    return world.ledger.spend(world.keys.sign_spend("site-norway", spend, world.ledger.domain))


def test_a_budget_is_spent_down_to_the_last_millionth(world: World) -> None:
    request = world.submit(world.request())
    for site in world.sites:
        world.decide(request, site)
    assert world.ledger.budget("norway").version == 0
    _budget(world, EPSILON)
    _spend(world, request.digest, 1, EPSILON - 1, 0)
    with pytest.raises(ContractReverted, match=r"BudgetExceeded\(cap=1000000, spent=999999, amount=2\)"):
        _spend(world, request.digest, 2, 2, EPSILON - 1)
    last = _spend(world, request.digest, 2, 1, EPSILON - 1)
    standing = world.ledger.budget("norway")
    assert (standing.cap, standing.spent, standing.left) == (EPSILON, EPSILON, 0)
    assert last.total == EPSILON == sum(e.amount for e in world.ledger.records(BudgetSpent))
    assert last.actor == world.keys.address("site-norway")
    assert (last.site, last.dataset, last.entry, last.round) == ("norway", "notes", "train", 2)


def test_a_site_with_a_budget_is_paid_before_its_work_counts(world: World) -> None:
    request = world.submit(world.request())
    for site in world.sites:
        world.decide(request, site)
    _budget(world, EPSILON)
    with pytest.raises(ContractReverted, match=r"NotSpent\("):
        world.averaged(request.digest, 1, START)
    with pytest.raises(ContractReverted, match=r"NotSpent\("):  # what was paid for another round does not count
        _spend(world, request.digest, 2, 5, 0), world.averaged(request.digest, 1, START)
    _spend(world, request.digest, 1, 0, 5)  # free of charge, and on record
    assert world.averaged(request.digest, 1, START)


def test_a_cap_can_be_lowered_below_what_is_spent(world: World) -> None:
    request = world.submit(world.request())
    for site in world.sites:
        world.decide(request, site)
    _budget(world, 9), _spend(world, request.digest, 1, 5, 0)
    assert _budget(world, 1, 2).cap == 1
    assert world.ledger.budget("norway").left == 0


def test_budgets_repeated_after_a_crash_change_nothing(world: World) -> None:
    request = world.submit(world.request())
    world.decide(request, "norway")
    first = _budget(world, 9), _spend(world, request.digest, 1, 5, 0)
    assert (_budget(world, 9), _spend(world, request.digest, 1, 5, 0)) == first


def test_statements_on_budgets_tell_their_signers(embedded: World) -> None:
    domain, keys = embedded.ledger.domain, embedded.keys
    budget = Budget("norway", "notes", 9, 1, keys.address("steward-norway"))
    spend = Spend(digest("request"), "norway", "train", 1, 5, 0)
    signed, paid = keys.sign_budget("steward-norway", budget, domain), keys.sign_spend("site-norway", spend, domain)
    assert recover_budget(Budget.from_json(signed.to_json()), domain) == budget.steward
    assert recover_spend(Spend.from_json(paid.to_json()), domain) == keys.address("site-norway")
    assert recover_budget(replace(signed, cap=10), domain) != budget.steward
    assert recover_spend(replace(paid, amount=6), domain) != keys.address("site-norway")
    with pytest.raises(LedgerError, match="not the steward's"):
        keys.sign_budget("site-norway", budget, domain)


def test_the_example_in_the_document_runs(embedded: World) -> None:
    document = Path(__file__).resolve().parents[2] / "docs" / "ledger.md"
    (example,) = re.findall(r"```python\n(.*?)```", document.read_text("utf-8"), re.DOTALL)
    request = embedded.submit(embedded.request())
    embedded.decide(request, "norway")
    exec(example, {"keys": embedded.keys, "ledger": embedded.ledger, "request": request})


# -- the journals of studies


def test_the_journal_of_a_study_is_anchored_by_its_researcher(world: World) -> None:
    study, ledger = digest("study"), world.ledger
    first = ledger.anchor_study(study, 1, 7, digest("rows"))
    assert ledger.anchor_study(study, 1, 7, digest("rows")) == first
    second = ledger.anchor_study(study, 8, 8, digest("more"))
    assert (second.actor, second.study, second.first, second.last) == (world.researcher, study, 8, 8)
    assert ledger.study_anchored(study, world.researcher) == 8
    other = ledger.register_researcher("other").account
    assert ledger.study_anchored(study, other) == 0
    assert ledger.anchor_study(study, 1, 2, digest("theirs"), actor="other").actor == other  # of the same name, and another
    assert len(ledger.records(StudyAnchored)) == 3


# -- a new deployment


def test_a_deployment_hands_over_and_both_say_so(world: World) -> None:
    request = world.study()
    old = world.ledger
    new = succeed(old)
    told = old.records(Superseded)
    assert [(e.old, e.next) for e in told] == [(old.deployment.contracts["Registry"], new.deployment.contracts["Registry"])]
    assert told[0].last_block == told[0].block == new.head().number
    assert new.deployment.predecessor == old.deployment.contracts["Registry"]
    assert earlier(new.folder) == [old.deployment]
    assert old.status(request.digest, "norway") == "released"  # what was done stays so
    assert new.status(request.digest, "norway") == "not asked"
    with pytest.raises(ContractReverted, match="IsSuperseded"):
        old.register_researcher("other")
    assert new.register_researcher("other").actor == world.keys.address("admin")
    assert {e.block for e in new.events()} & {e.block for e in old.events()} == set()
    assert len(new.records(LevelChanged)) == 2  # the admin, and the researcher above: levels are given anew


def test_statements_for_the_old_contracts_count_nowhere_in_the_new(world: World) -> None:
    request = world.submit(world.request())
    decision = world.decision(request, "norway")
    new = succeed(world.ledger)
    new.register_researcher(), new.register_authority(), new.issue_permit(request.permit, [world.researcher])
    for site in world.sites:
        keys = world.keys.address(f"site-{site}"), world.keys.address(f"steward-{site}")
        new.register_site(site, *keys, digest(["notes", site]))
    new.submit(request, world.sites)
    with pytest.raises(ContractReverted, match="BadSignature"):
        new.decide(decision)


def test_the_third_deployment_knows_both_before_it(embedded: World) -> None:
    first = embedded.ledger
    second = succeed(first)
    third = succeed(second)
    assert earlier(embedded.folder / "ledger") == [first.deployment, second.deployment]
    assert third.deployment.predecessor == second.deployment.contracts["Registry"]
    with pytest.raises(ContractReverted, match="IsSuperseded"):
        succeed(first)


@pytest.mark.parametrize("crash", ["planned", "deployed", "superseded", "noted", "renamed"])
def test_a_hand_over_goes_on_after_a_crash(embedded: World, monkeypatch: pytest.MonkeyPatch, crash: str) -> None:
    """Stopped after each step in turn; what was begun is done by calling again, once."""

    class Crash(BaseException):
        pass

    def stop(*_: object, **__: object) -> None:
        raise Crash

    writes = {"noted": 1, "renamed": 2}.get(crash)
    with monkeypatch.context() as patched:
        if crash == "planned":
            patched.setattr("fedkit.ledger.deployment._deploy", stop)
        elif crash == "deployed":
            patched.setattr(type(embedded.ledger), "supersede", stop)
        elif crash == "superseded":
            patched.setattr(succession, "write_whole", stop)
        else:
            real, done = succession.write_whole, []

            def write(path: Path, data: bytes) -> None:
                real(path, data)
                done.append(path)
                if len(done) == writes:
                    raise Crash

            patched.setattr(succession, "write_whole", write)
        with pytest.raises(Crash):
            succeed(embedded.ledger)
    folder, keys, old = embedded.ledger.folder, embedded.keys, embedded.ledger.deployment
    embedded.ledger.close()
    with open_ledger(folder, keys, chain=EmbeddedChain(folder / "chain.sqlite")) as again:
        new = again if crash == "renamed" else succeed(again)
        assert new.deployment.predecessor == old.contracts["Registry"]
        assert earlier(folder) == [old]
        assert len(Ledger(folder, keys, again.chain, old).records(Superseded)) == 1
        assert new.register_researcher("other")
        third = succeed(new)  # nothing that was left behind is in its way
        assert third.deployment.predecessor == new.deployment.contracts["Registry"]
        assert not (folder / NEXT).exists()
        assert (folder / CURRENT).exists()


def test_a_plan_that_the_admin_has_overtaken_is_made_anew(embedded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The addresses follow from the number of the admin's next act, so an act in between makes the plan void."""
    with monkeypatch.context() as patched:
        patched.setattr("fedkit.ledger.deployment._deploy", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            succeed(embedded.ledger)
    embedded.ledger.register_auditor()
    assert succeed(embedded.ledger).deployment.predecessor == embedded.ledger.deployment.contracts["Registry"]
