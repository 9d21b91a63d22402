"""The release memory at a running site, through real PySyft logins: carving somebody out, asking anew, both at one moment.

The site is a process of its own. 60 persons, 40 women and 20 men; see `warehouse_world`.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from site_suite import World
from warehouse_world import CANARY, Warehouse, counted, make_patients, of

from fedkit.errors import FedkitError, OutputRefused
from fedkit.governance.request import CodeRequest, DataPermit
from fedkit.sites.launch import launch
from fedkit.warehouse.predicates import All, Compare, Not, Predicate
from fedkit.warehouse.predicates import Any as AnyOf
from fedkit.warehouse.question import Group

EVERYBODY = Compare("birth_year", ">=", (1900,))
MAN = Compare("sex", "in", ("male",))
SOMEBODY = All((MAN, Compare("birth_year", "in", (1943,)), Compare("notes", "in", (1,))))
CARVED = All((EVERYBODY, Not(SOMEBODY)))
DISGUISED = AnyOf((CARVED, Compare("birth_year", "in", (1881,))))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    corpus: Path = make_patients(tmp_path_factory.mktemp("corpus"))
    folder = tmp_path_factory.mktemp("carved")
    with launch("carved", folder, corpus=corpus, isolation="process", policy="teaching") as federation:
        yield World(federation)


def analyst(world: World, name: str) -> Warehouse:
    card = world.federation.add_user(world.site, name, "analyst")
    return Warehouse(world, world.federation.login(world.site, name), card.address)


@pytest.fixture
def ask(world: World, request: pytest.FixtureRequest) -> Warehouse:
    """Somebody who asked nothing before."""
    return analyst(world, f"d{abs(hash(request.node.name)) % 10**8}")


def carving_is_refused(world: World, ask: Warehouse, request: CodeRequest, number: int, where: Predicate) -> None:
    question = counted(where)
    plan = ask.plan(request, question)
    assert not plan.allowed, "a plan says so beforehand"
    with pytest.raises(OutputRefused, match="few persons by subtraction") as caught:
        ask.execute(request, number, question)
    assert caught.value.help
    assert CANARY not in caught.value.diagnostics()
    assert world.rows("execution.refused", request=request.digest, round=number, reason=OutputRefused.code)


@pytest.mark.parametrize("where", [CARVED, DISGUISED], ids=["plainly", "in disguise"])
def test_a_count_without_somebody_is_refused_after_one_with_them(world: World, ask: Warehouse, where: Predicate) -> None:
    request = ask.request(questions=5)
    assert ask.ask(request, 1, counted(EVERYBODY)) == [{"persons": 60}]
    carving_is_refused(world, ask, request, 2, where)
    assert ask.ask(request, 3, counted(All((EVERYBODY, MAN)))) == [{"persons": 20}], "who goes into detail goes on"


def test_another_request_or_permit_of_the_same_person_is_no_way_around(world: World, ask: Warehouse) -> None:
    ask.ask(ask.request(questions=2), 1, counted(EVERYBODY))
    carving_is_refused(world, ask, ask.request(questions=2), 1, CARVED)
    elsewhere = ask.request(questions=2, permit=DataPermit("permit-9", "to test", ("notes",), "2099-01-01"))
    carving_is_refused(world, ask, elsewhere, 1, CARVED)


def test_of_two_that_carve_somebody_out_at_one_moment_one_is_answered(world: World) -> None:
    """Each from a session of its own, several times: the second to be admitted sees the first, answered or not."""
    for attempt in range(3):
        ask = analyst(world, f"both{attempt}")
        request = ask.request(questions=4)
        questions = [counted(EVERYBODY), counted(CARVED)]
        for question in questions:
            ask.plan(request, question)
        sessions = [Warehouse(world, world.federation.login(world.site, f"both{attempt}"), ask.address) for _ in questions]

        def one(number: int, sessions: list[Warehouse] = sessions, request: CodeRequest = request) -> str:
            try:
                sessions[number].execute(request, number + 1, [counted(EVERYBODY), counted(CARVED)][number])
            except FedkitError as refusal:
                return refusal.code
            return "answered"

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(one, range(2))) == ["answered", OutputRefused.code]


def test_the_same_meaning_in_other_words_leaves_again_as_it_left(world: World) -> None:
    ask = of(world)
    request = ask.request(questions=4, rho=0.2)
    first = ask.ask(request, 1, counted(All((EVERYBODY, MAN)), rho=0.1))
    other = counted(Not(Not(All((MAN, Compare("birth_year", ">", (1899,)))))), rho=0.1)
    plan = ask.plan(request, other)
    assert (plan.remembered, plan.cost_rho) == (True, 0.0)
    assert ask.ask(request, 2, other) == first


def test_a_group_asked_for_alone_is_taken_from_the_answer_that_had_it(world: World, ask: Warehouse) -> None:
    request = ask.request(questions=4)
    sexes = ask.ask(request, 1, counted(by=(Group("sex"),)))
    some = counted(by=(Group("sex", values=("male",)),))
    assert ask.plan(request, some).remembered
    assert ask.ask(request, 2, some) == [row for row in sexes if row["sex"] == "male"] == [{"persons": 20, "sex": "male"}]
