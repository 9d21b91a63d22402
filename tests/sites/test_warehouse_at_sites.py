"""Questions of the warehouse at a running site, through real PySyft logins: planned, priced, answered, refused, written down.

The site is a process of its own; its budgets are small.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from site_suite import World
from warehouse_world import CANARY, Warehouse, born, counted, make_patients, of

from fedkit.errors import AccessRefused, DigestMismatch, FedkitError, LimitReached, NotApproved, OutputRefused, RequestError
from fedkit.governance.kinds import QUERY
from fedkit.governance.request import CodeRequest, DataPermit
from fedkit.ledger.spending import amount_of
from fedkit.sites.launch import launch
from fedkit.templates import TEMPLATES, template_of
from fedkit.templates.library import trusted
from fedkit.warehouse.predicates import Compare, Has
from fedkit.warehouse.question import Group, Measure, Question

POLICY = {"preset": "teaching", "rho_project": 0.3, "rho_user": 0.5, "rho_in_all": 3.0}
BY_SEX = (Group("sex", values=("female", "male")),)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_patients(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def world(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("asked")
    with launch("asked", folder, corpus=corpus, isolation="process", policy=POLICY) as federation:
        yield World(federation)


@pytest.fixture(scope="module")
def everybody(world: World) -> Warehouse:
    """The researcher, whose exact questions cost nothing."""
    return of(world)


@pytest.fixture
def ask(world: World, request: pytest.FixtureRequest) -> Warehouse:
    """An analyst whom nobody else is: with a budget that is whole."""
    name = f"ana{abs(hash(request.node.name)) % 10**8}"
    card = world.federation.add_user(world.site, name, "analyst")
    return Warehouse(world, world.federation.login(world.site, name), card.address)


def refused(kind: type[FedkitError], match: str, act: Callable[[], Any]) -> FedkitError:
    with pytest.raises(kind, match=match) as caught:
        act()
    assert caught.value.help, "a refusal without a way on"
    assert CANARY not in caught.value.diagnostics()
    return caught.value


# -- the straight path
def test_a_question_is_planned_then_answered_and_every_step_is_in_the_journal(world: World, ask: Warehouse) -> None:
    request, question = ask.request(questions=3, rho=0.2), counted(by=BY_SEX)
    plan = ask.plan(request, question)
    assert (plan.site, plan.question, plan.groups, plan.cost_rho, plan.left_rho) == ("north", question.digest, 2, 0.0, 0.2)
    assert plan.allowed, plan.refused
    assert "SELECT" in plan.sql
    assert world.rows("question.planned", request=request.digest, question=question.digest, cost=0, allowed=True)
    receipt = ask.execute(request, 1, question)
    assert receipt.inputs == question.digest
    assert ask.rows(receipt) == [{"persons": 40, "sex": "female"}, {"persons": 20, "sex": "male"}]
    row = world.rows("question.answered", request=request.digest)[0]["fields"]
    told = {
        "question": question.digest,
        "outputs": receipt.outputs,
        "cost": 0,
        "remembered": False,
        "entry": "query",
        "round": 1,
    }
    assert row == {"request": request.digest, **told}
    assert world.rows("execution.finished", request=request.digest, inputs=question.digest, signature=receipt.signature)


def test_nothing_of_a_note_is_in_an_answer_a_plan_or_the_journal(world: World, ask: Warehouse) -> None:
    request, question = ask.request(), counted(Has("mentions", Compare("label", "in", ("DRUG",))), view="notes")
    plan, receipt = ask.plan(request, question), ask.execute(request, 1, question)
    for said in (
        repr(plan),
        repr(receipt),
        ask.session.get(receipt.outputs).decode("utf-8", "replace"),
        repr(world.rows("question.answered")),
    ):
        assert CANARY not in said


def test_the_same_call_gives_the_same_receipt_and_charges_nothing(ask: Warehouse, world: World) -> None:
    request, question = ask.request(rho=0.2), counted(rho=0.05)
    ask.plan(request, question)
    first = ask.execute(request, 1, question)
    assert ask.execute(request, 1, question) == first
    assert [row["fields"]["cost"] for row in world.rows("question.answered", request=request.digest)] == [amount_of(0.05)]


# -- what is not asked so
def test_a_question_that_was_not_planned_here_is_not_run(ask: Warehouse, world: World) -> None:
    request, other = ask.request(), ask.request()
    ask.plan(other, counted())
    refused(DigestMismatch, "no question with this digest was planned", lambda: ask.execute(request, 1, counted()))
    assert world.rows("execution.refused", request=request.digest, reason="refused.digest")


def test_a_request_of_somebody_else_looks_as_if_it_were_not_there(ask: Warehouse, everybody: Warehouse, world: World) -> None:
    theirs = everybody.request()
    everybody.plan(theirs, counted())
    for act in (lambda: ask.plan(theirs, counted()), lambda: ask.execute(theirs, 1, counted())):
        refused(DigestMismatch, "not code that was submitted here", act)


def test_a_number_is_of_one_question(ask: Warehouse) -> None:
    request = ask.request()
    ask.ask(request, 1, born(1950))
    ask.plan(request, born(1960))
    refused(RequestError, "number 1 of this data request is another question", lambda: ask.execute(request, 1, born(1960)))
    assert ask.ask(request, 2, born(1960))


def test_a_request_asks_about_the_views_that_it_names(ask: Warehouse, world: World) -> None:
    request = ask.request(views=["patients"])
    question = counted(Has("mentions"))
    refused(AccessRefused, "does not cover mentions", lambda: ask.plan(request, question))
    assert world.rows("question.refused", request=request.digest, reason="refused.access")
    refused(DigestMismatch, "no question with this digest", lambda: ask.execute(request, 1, question))


@pytest.mark.parametrize(
    "row",
    [
        "SELECT * FROM note",
        {"sql": "SELECT note_text FROM note"},
        {**counted().to_json(), "sql": "SELECT 1"},
        {**counted().to_json(), "view": "note"},
        {**counted().to_json(), "view": "patients; DROP TABLE note"},
        {**counted().to_json(), "kind": "__import__('os')"},
        {**counted().to_json(), "where": {"column": "sex", "op": "in", "values": ["female' OR '1'='1"]}},
        {**counted().to_json(), "measures": [{"kind": "sum", "column": "note_text", "low": 0, "high": 1}]},
        {**counted().to_json(), "protection": {"mode": "noise", "rho": 1e9, "groups_per_person": 1, "rows_per_person": 1}},
        {**counted().to_json(), "view": "patients" * 20_000},
        [],
        None,
    ],
    ids=str,
)
def test_a_site_takes_questions_and_no_sql(everybody: Warehouse, world: World, row: Any) -> None:
    request = everybody.request()
    before = len(world.rows("question.refused", request=request.digest))
    refusal = refused_anyhow(lambda: everybody.session._call("plan", digest=request.digest, question=row))  # type: ignore[attr-defined]
    assert CANARY not in refusal.diagnostics()
    assert len(world.rows("question.refused", request=request.digest)) == before + 1
    assert not world.rows("question.planned", request=request.digest)


def refused_anyhow(act: Callable[[], Any]) -> FedkitError:
    with pytest.raises(FedkitError) as caught:
        act()
    return caught.value


def test_a_request_of_another_kind_asks_no_questions(everybody: Warehouse, world: World) -> None:
    request = world.approved()
    refused_anyhow(lambda: everybody.plan(request, counted()))
    refused_anyhow(lambda: everybody.session.execute(request.digest, "count", 1, counted().digest))
    asked = everybody.request()
    refused(RequestError, "answers questions", lambda: everybody.session.execute(asked.digest, "query", 1))


# -- budgets
def test_a_request_answers_no_more_questions_than_it_was_approved_for(ask: Warehouse) -> None:
    request = ask.request(questions=2)
    for number, year in ((1, 1950), (2, 1960)):
        ask.ask(request, number, born(year))
    plan = ask.plan(request, born(1970))
    assert [verdict.rule for verdict in plan.refused] == ["ExecutionLimit"]
    refused(LimitReached, "as often as was approved", lambda: ask.execute(request, 3, born(1970)))
    assert ask.execute(request, 2, born(1960)), "what was answered is answered again"


def test_the_budget_of_a_request_ends_before_that_of_its_project(ask: Warehouse, world: World) -> None:
    request = ask.request(rho=0.1)
    ask.ask(request, 1, born(1950, 0.06))
    plan = ask.plan(request, born(1960, 0.06))
    assert plan.left_rho == pytest.approx(0.04)
    assert not plan.affordable
    assert [verdict.rule for verdict in plan.refused] == ["DeclaredBudget"]
    assert world.rows("question.planned", request=request.digest, allowed=False)
    refused(LimitReached, "of this request is used up", lambda: ask.execute(request, 2, born(1960, 0.06)))
    assert ask.ask(request, 2, born(1960, 0.04))


def test_a_project_is_one_permit_of_one_person_whatever_the_request(ask: Warehouse) -> None:
    first, second = ask.request(rho=1.0), ask.request(rho=1.0)
    ask.ask(first, 1, born(1950, 0.25))
    refused(LimitReached, "this project's", lambda: ask.ask(second, 1, born(1960, 0.2)))
    elsewhere = ask.request(rho=1.0, permit=DataPermit("permit-2", "to test", ("notes",), "2099-01-01"))
    ask.ask(elsewhere, 1, born(1960, 0.2))
    refused(LimitReached, "this user's", lambda: ask.ask(elsewhere, 2, born(1970, 0.1)))


def test_what_was_answered_is_answered_again_at_no_cost_and_to_a_colleague_at_theirs(
    ask: Warehouse, everybody: Warehouse, world: World
) -> None:
    question = counted(Compare("birth_year", ">=", (1941,)), by=BY_SEX, rho=0.05)
    request = ask.request(rho=0.05)
    rows = ask.ask(request, 1, question)
    again = ask.plan(request, question)
    assert (again.remembered, again.cost_rho, again.left_rho) == (True, 0.0, pytest.approx(0.0))
    assert again.allowed
    assert ask.ask(request, 2, question) == rows, "noise that is drawn again could be averaged away"
    theirs = everybody.request(rho=0.05)
    assert everybody.plan(theirs, question).cost_rho == 0.05
    assert everybody.ask(theirs, 1, question) == rows
    told = [
        (row["fields"]["cost"], row["fields"]["remembered"])
        for row in world.rows("question.answered", question=question.digest)
    ]
    assert told == [(amount_of(0.05), False), (0, True), (amount_of(0.05), False)]


def test_what_a_question_cost_is_signed_for_the_ledger(ask: Warehouse, world: World) -> None:
    request = ask.request(rho=0.1)
    ask.ask(request, 1, born(1950, 0.03))
    spends = [s for s in world.auditor.spends(request.digest, "query", 1, 0) if s.request == request.digest]
    assert [(s.entry, s.round, s.amount) for s in spends] == [("query", 1, amount_of(0.03))]


# -- leave that ends
def test_a_withdrawn_approval_counts_no_more_from_the_next_call_on(ask: Warehouse, world: World) -> None:
    request = ask.request()
    ask.ask(request, 1, born(1950))
    ask.plan(request, born(1960))
    world.steward.decide(world.decision(request, reason="taken back"))
    assert "SignedApproval" in [verdict.rule for verdict in ask.plan(request, born(1970)).refused]
    refused(NotApproved, "revoked: taken back", lambda: ask.execute(request, 2, born(1960)))
    refused(NotApproved, "revoked", lambda: ask.execute(request, 1, born(1950)))


def test_an_approval_that_has_run_out_counts_no_more(ask: Warehouse, world: World) -> None:
    request = ask.request(approve=False)
    world.steward.decide(world.decision(request, expires=int(time.time()) + 2))
    ask.plan(request, counted())
    time.sleep(2.1)
    refused(NotApproved, "the approval has expired", lambda: ask.execute(request, 1, counted()))


def test_a_permit_that_has_run_out_asks_nothing(ask: Warehouse) -> None:
    permit = DataPermit("permit-old", "to test", ("notes",), "2026-01-01")
    refused(AccessRefused, "the data permit has expired", lambda: ask.request(permit=permit))


def test_a_request_that_waits_can_be_planned_and_says_what_it_waits_for(ask: Warehouse) -> None:
    request = ask.request(approve=False)
    plan = ask.plan(request, counted())
    assert [verdict.rule for verdict in plan.refused] == ["SignedApproval"]
    assert "waits for a decision" in plan.refused[0].why
    refused(NotApproved, "waits for a decision", lambda: ask.execute(request, 1, counted()))


def test_an_account_that_was_closed_or_has_another_level_asks_nothing(ask: Warehouse, world: World) -> None:
    request = ask.request()
    ask.plan(request, counted())
    name = ask.session.user
    world.admin.change_account(name, level="guest")
    for act in (lambda: ask.plan(request, counted()), lambda: ask.execute(request, 1, counted())):
        with pytest.raises(AccessRefused):
            act()
    world.admin.revoke_account(name)
    with pytest.raises(AccessRefused):
        ask.plan(request, counted())


@pytest.mark.parametrize("level", ["steward", "auditor", "admin"])
def test_who_decides_audits_or_keeps_the_site_asks_nothing(world: World, everybody: Warehouse, level: str) -> None:
    request = everybody.request()
    session = getattr(world, level)
    refused(AccessRefused, f"an? {level} may not plan", lambda: session.plan(request.digest, counted()))
    with pytest.raises(AccessRefused):
        session.execute(request.digest, "query", 1, counted().digest)


# -- approved beforehand
def test_a_standing_approval_covers_later_data_requests_of_the_same_kind(ask: Warehouse, world: World) -> None:
    reviewed = ask.request(questions=5, rho=0.1)
    assert template_of(reviewed) is TEMPLATES["warehouse"]
    review = world.steward.review(reviewed.digest)
    keys, steward = world.federation.keys, f"steward-{world.site}"
    standing = trusted(review.request, site=world.site, steward=keys.address(steward), findings=review.findings)
    domain = world.federation.ledger.domain
    signed = keys.sign_standing(steward, standing, domain)
    world.steward.offer_standing(signed)
    later = ask.request(approve=False, questions=5, rho=0.1)
    assert ask.session.state(later.digest).status == "approved"
    assert ask.ask(later, 1, counted())
    wider = ask.request(approve=False, questions=5, rho=0.3)
    assert ask.session.state(wider.digest).status == "pending", "a larger budget is another request"
    world.steward.withdraw_standing(signed.digest, "no more")
    after = ask.request(approve=False, questions=5, rho=0.1)
    assert ask.session.state(after.digest).status == "pending"


# -- rules of disclosure
def test_what_the_site_hides_is_hidden_and_a_question_that_a_rule_refuses_says_which(ask: Warehouse) -> None:
    request = ask.request()
    few = counted(Compare("birth_year", "in", (1941,)), by=BY_SEX)
    assert ask.ask(request, 1, few) == []
    narrow = Question("patients", (Measure("sum", "birth_year", 1950, 1951),))
    plan = ask.plan(request, narrow)
    assert [verdict.rule for verdict in plan.refused] == ["wide bounds"]
    refused(OutputRefused, "rule wide bounds", lambda: ask.execute(request, 2, narrow))


# -- what lasts
def charged(world: World, request: CodeRequest) -> list[float]:
    file = world.federation.folder / "sites" / world.site / "gate.db"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT rho FROM usage WHERE digest = ? ORDER BY rowid", (request.digest,)).fetchall()
    return [row[0] for row in rows]


def test_budgets_and_memory_survive_a_restart(corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / "lasting"
    question = counted(by=BY_SEX, rho=0.25)
    with launch("lasting", folder, corpus=corpus, isolation="process", policy=POLICY) as federation:
        mine = of(World(federation))
        request = mine.request(rho=1.0)
        rows = mine.ask(request, 1, question)
        mine.plan(request, born(1950, 0.1))
    with launch("lasting", folder, isolation="process") as federation:
        world = World(federation)
        mine = of(world)
        refused(LimitReached, "this project's", lambda: mine.execute(request, 2, born(1950, 0.1)))
        assert mine.ask(request, 2, question) == rows
        assert charged(world, request) == [0.25, 0.0]


def test_a_changed_setting_is_another_request_and_no_template_s(everybody: Warehouse, world: World) -> None:
    """Whoever raises the budget by hand asks for something that no steward approved."""
    request = everybody.request(rho=0.1)
    wider = replace(request, settings={**request.settings, "rho": 10})
    everybody.plan(request, born(1950, 0.05))
    refused(DigestMismatch, "not code that was submitted", lambda: everybody.session.plan(wider.digest, born(1950, 0.05)))
    assert wider.kind == QUERY
