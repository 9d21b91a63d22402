"""Counting: more runs than were granted, by repeating, racing, failing and asking around."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from attackers import PySyftClient, Town
from attempts import Attempt, Trial, tries
from site_suite import COUNT, weights
from test_code_approval import call, function_of

from fedkit.errors import ExecutionFailed, FedkitError

LIMIT = "execution.refused refused.limit"


def at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    """What these say when they are done at the same time: a result or a refusal, each."""
    said: list[Any] = []
    start = threading.Barrier(len(acts))

    def one(act: Callable[[], Any]) -> None:
        start.wait()
        try:
            said.append(act())
        except Exception as error:
            said.append(error)

    threads = [threading.Thread(target=one, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


@tries(Attempt("runs once more than was granted", "researcher", "refused.limit", LIMIT, stock=True))
def test_what_was_granted_is_used_up(trial: Trial, world: Town) -> None:
    request = world.approved(world.request(executions=2))
    for round in (1, 2):
        world.researcher.execute(request.digest, "count", round)
    with trial(request=request.digest):
        world.researcher.execute(request.digest, "count", 3)


@tries(Attempt("runs eight times at once where three were granted", "researcher", "3 of 8", LIMIT, stock=True))
def test_racing_the_counter(trial: Trial, world: Town) -> None:
    request = world.approved(world.request(executions=3))
    sessions = [world.federation.login("north", "researcher") for _ in range(8)]
    with trial(request=request.digest) as said:
        got = at_once([lambda s=s, n=n: s.execute(request.digest, "count", n) for n, s in enumerate(sessions, 1)])
        said(f"{sum(not isinstance(x, Exception) for x in got)} of {len(got)}")
    assert all(isinstance(x, FedkitError) for x in got if isinstance(x, Exception))
    assert world.researcher.state(request.digest).used == {"count": 3}


@tries(Attempt("calls PySyft four times at once where two were granted", "researcher", "2 of 4", LIMIT, stock=True))
def test_racing_the_counter_past_fedkits_client(trial: Trial, world: Town) -> None:
    request = world.approved(world.request(executions=2))
    clients = [PySyftClient(world, "researcher") for _ in range(4)]
    functions = [function_of(client, request) for client in clients]
    with trial(request=request.digest) as said:
        ways = enumerate(zip(clients, functions, strict=True), 1)
        got = at_once([lambda c=c, f=f, n=n: f(notes=c.asset, call=call(n)) for n, (c, f) in ways])
        said(f"{sum(not isinstance(x, Exception) for x in got)} of {len(got)}")
    assert world.researcher.state(request.digest).used == {"count": 2}


@tries(
    Attempt(
        "runs rounds that do not count: none, negative, endless", "researcher", "refused.limit", LIMIT, given=(0, -1, -(2**40))
    )
)
def test_rounds_count_from_one(trial: Trial, world: Town) -> None:
    request = world.approved()
    with trial(request=request.digest) as said:
        for round in trial.given:
            try:
                world.researcher.execute(request.digest, "count", round)
            except FedkitError as error:
                said(error)


@tries(Attempt("repeats one round with other weights each time", "researcher", "refused.limit", LIMIT))
def test_other_weights_are_another_run(trial: Trial, world: Town) -> None:
    request = world.approved(world.request(executions=2))
    for n in (1, 2):
        world.researcher.execute(request.digest, "count", 1, world.researcher.put(weights(n, 0, 0, 0)))
    with trial(request=request.digest):
        world.researcher.execute(request.digest, "count", 1, world.researcher.put(weights(3, 0, 0, 0)))


@tries(Attempt("has a run fail for ever, which is tried again on its charge", "researcher", "refused.limit", LIMIT))
def test_a_run_that_fails_is_tried_three_times(trial: Trial, world: Town) -> None:
    """Each attempt sees the notes; so they are counted as well."""
    fails = COUNT.replace("    w = weights", "    if len(notes.train) == 12: raise ValueError\n    w = weights")
    request = world.approved(world.request(fails, executions=1))
    for _ in range(3):
        with pytest.raises(ExecutionFailed):
            world.researcher.execute(request.digest, "count", 1)
    with trial(request=request.digest):
        world.researcher.execute(request.digest, "count", 1)


@tries(Attempt("runs an entry that was not asked for", "researcher", "request", "execution.refused request"))
def test_an_entry_is_one_of_the_request(trial: Trial, world: Town) -> None:
    request = world.approved()
    with trial(request=request.digest):
        world.researcher.execute(request.digest, "__init__", 1)


@tries(
    Attempt(
        "grants itself more than it asked, by a decision that is not the steward's",
        "researcher",
        "refused.access",
        "decision.refused refused.access",
    )
)
def test_what_was_granted_cannot_be_raised(trial: Trial, world: Town) -> None:
    request = world.request()
    world.researcher.submit(request)
    with trial(request=request.digest):
        world.steward.decide(replace(world.decision(request), rounds=99))


def test_a_receipt_is_given_again_and_charges_nothing(world: Town) -> None:
    request = world.approved(world.request(executions=1))
    first = world.researcher.execute(request.digest, "count", 1)
    assert all(world.researcher.execute(request.digest, "count", 1) == first for _ in range(3))
    assert world.researcher.state(request.digest).used == {"count": 1}
