"""Standing approvals where isolation is claimed: a site in its own process, stewards and researchers who reach it over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from desks import Desks
from site_suite import CANARY, make_corpus

from fedkit.errors import AccessRefused, FedkitError
from fedkit.governance.delegation import Delegation
from fedkit.governance.request import CodeRequest
from fedkit.sites.base import Site
from fedkit.sites.launch import launch


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    corpus = make_corpus(tmp_path_factory.mktemp("corpus"))
    with launch("desk", tmp_path_factory.mktemp("federation"), corpus=corpus, isolation="process") as federation:
        yield Desks(federation)


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
    assert [s.used for s in world.steward.standings() if s.approval.digest == standing.digest] == [3]


def test_the_desks_key_is_at_the_site_and_nowhere_in_what_others_hold(world: Desks) -> None:
    assert "desk-north" not in world.federation.keys.actors()
    assert world.federation.keys.find(world.researcher.info.desk) is None
    kept = list(world.federation.folder.rglob("desk-north.json"))
    assert [path.parent for path in kept] == [world.federation.folder / "sites" / "north" / "keys"]
    assert kept[0].stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("level", ["researcher", "auditor", "admin"])
def test_nobody_but_a_steward_has_a_hand_in_it(level: str, world: Desks) -> None:
    standing = world.offered(world.asked(f"hands-{level}"))
    session, request = getattr(world, level), world.asked("waits")
    world.researcher.submit(request)
    attempts = [
        lambda: session.offer_standing(replace(standing, requests=1000)),
        lambda: session.withdraw_standing(standing.digest, "no more"),
        lambda: session.assign(request.digest, "steward"),
        lambda: session.delegate(Delegation("north", standing.steward, world.federation.researcher, 2**40)),
        lambda: session.review_batch([request.digest]),
        lambda: session.alike(),
        lambda: session.reminders(),
    ]
    for attempt in attempts:
        before = len(world.rows("access.refused"))
        with pytest.raises(AccessRefused):
            attempt()
        assert len(world.rows("access.refused")) == before + 1
    assert world.researcher.submit(world.asked(f"hands-{level}")).status == "approved"


def test_a_steward_of_another_site_has_none_either(world: Desks) -> None:
    standing = world.offered(world.asked("east"))
    east = world.federation.login("east", "steward")
    for made in (standing, replace(standing, site="east")):
        with pytest.raises(FedkitError):
            east.offer_standing(made)


def test_another_persons_decision_looks_as_if_it_were_not_there(world: Desks) -> None:
    request = world.approved()
    world.federation.add_user("north", "ben", "researcher")
    ben = world.federation.login("north", "ben")
    for attempt in (ben.decision, ben.withdraw):
        with pytest.raises(FedkitError, match="not code that was submitted"):
            attempt(request.digest)


def test_private_text_is_in_no_answer(world: Desks) -> None:
    world.offered(world.asked("canary"))
    world.researcher.submit(world.asked("canary"))
    said = [world.steward.standings(), world.steward.alike(), world.steward.reminders(), world.steward.requests()]
    assert CANARY not in repr(said)


def test_what_stands_approved_is_there_after_a_restart(tmp_path: Path) -> None:
    folder, corpus = tmp_path / "federation", make_corpus(tmp_path / "corpus")
    with launch("again", folder, corpus=corpus, isolation="process") as federation:
        world = Desks(federation)
        standing = world.offered(world.asked("again"), requests=2)
        assert world.researcher.submit(world.asked("again")).automatic == standing.digest
        desk = world.researcher.info.desk
    with launch("again", folder, isolation="process") as federation:
        world = Desks(federation)
        assert world.researcher.info.desk == desk
        assert [world.researcher.submit(world.asked("again")).status for _ in range(2)] == ["approved", "pending"]
        assert [s.status for s in world.steward.standings()] == ["used up"]
