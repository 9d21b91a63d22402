"""Other people's requests, results, weights and sessions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from attackers import PySyftClient, Town, call, key_of, send
from attempts import Attempt, Trial, tries
from site_suite import weights

from fedkit.errors import FedkitError
from fedkit.sites import syft_code
from fedkit.sites.envelope import seal

HIDDEN = ("researcher", "refused.digest", "access.refused refused.digest")
BLOB = ("researcher", "refused.access", "blob.refused refused.access")


def other(name: str, do: Any, says: tuple[str, str, str] = HIDDEN) -> Attempt:
    return Attempt(name, *says, given=do)


@pytest.fixture(scope="module")
def theirs(world: Town) -> Any:
    """A request of the researcher's that ran once: (request, receipt, their weights)."""
    request = world.approved()
    mine = world.researcher.put(weights(1, 2, 3, 4))
    return request, world.researcher.execute(request.digest, "count", 1, mine), mine


@tries(
    other("asks where another's request stands", lambda w, r, o, i: w.ola.state(r.digest)),
    other("asks for another's decision", lambda w, r, o, i: w.ola.decision(r.digest)),
    other("asks what runs of another's", lambda w, r, o, i: w.ola.progress(r.digest)),
    other("ends another's run", lambda w, r, o, i: w.ola.cancel(r.digest)),
    other("takes back another's request", lambda w, r, o, i: w.ola.withdraw(r.digest)),
    other(
        "asks for the receipt of another's run",
        lambda w, r, o, i: w.ola._call("outcome", digest=r.digest, entry="count", round=1, inputs=i),
    ),
    other(
        "runs another's approved request",
        lambda w, r, o, i: w.ola.execute(r.digest, "count", 2),
        ("researcher", "refused.digest", "execution.refused refused.digest"),
    ),
    other("submits another's request once more", lambda w, r, o, i: w.ola._call("submit", request=r.to_json())),
    other(
        "submits another's request under their own name",
        lambda w, r, o, i: w.ola.submit(replace(r, settings={"study": "mine"})),
        ("researcher", "refused.access", "request.refused refused.access"),
    ),
    other("fetches another's result by its digest", lambda w, r, o, i: w.ola.get(o), BLOB),
    other("fetches another's weights by their digest", lambda w, r, o, i: w.ola.get(i), BLOB),
    other("fetches another's result as an analyst", lambda w, r, o, i: w.ana.get(o), ("analyst", *BLOB[1:])),
    other(
        "asks for another's shares of a sum",
        lambda w, r, o, i: w.ola.sum_keys(r.digest),
        ("researcher", "refused.digest", "access.refused refused.digest"),
    ),
)
def test_what_is_another_researchers(trial: Trial, world: Town, theirs: Any) -> None:
    request, receipt, mine = theirs
    world.ola.catalogue()
    with trial():
        trial.given(world, request, receipt.outputs, mine)
    assert world.researcher.state(request.digest).used == {"count": 1}
    assert request.digest not in [state.digest for state in world.ola.requests()]


@tries(Attempt("runs with another's weights", "researcher", "refused.digest", "execution.refused refused.digest"))
def test_weights_are_ones_own(trial: Trial, world: Town, theirs: Any) -> None:
    address = world.address("ola")
    request = world.request(researcher=address)
    world.ola.submit(request)
    world.steward.decide(world.decision(request))
    with trial(request=request.digest):
        world.ola.execute(request.digest, "count", 1, theirs[2])


@tries(
    Attempt("calls another's approved function in PySyft", "researcher", "closed", "access.refused refused"),
    Attempt("gives another's argument in PySyft", "researcher", "closed", "access.refused refused"),
)
def test_pysyft_shows_everybody_their_own(trial: Trial, world: Town, theirs: Any, researcher: PySyftClient) -> None:
    request = theirs[0]
    client = PySyftClient(world, "ola")
    name = syft_code.function_name(request.digest)
    assert not hasattr(client.client.api.services.code, name)
    mine = getattr(researcher.client.api.services.code, name)
    with trial() as said:
        if "argument" in trial.attempt.name:
            asset = researcher.asset
            said(client.call("code.call", kwargs={"uid": _uid(mine), "notes": asset, "call": asset}))
        else:
            said(client.call("code.call", kwargs={"uid": _uid(mine)}))


def _uid(function: Any) -> Any:
    """The id of the code behind a function of PySyft's client."""
    return next(v for k, v in function.__dict__.items() if k == "pre_kwargs" and v)["uid"]


@tries(
    Attempt("looks for others' requests by guessing digests", "researcher", "refused.digest", "access.refused refused.digest")
)
def test_a_guess_and_a_request_of_others_look_the_same(trial: Trial, world: Town, theirs: Any) -> None:
    with trial() as said:
        guess, known = (call(world, "ola", "state", digest=d) for d in ("ab" * 32, theirs[0].digest))
        assert guess["error"] == known["error"]
        said(guess)


@tries(
    Attempt(
        "calls in another's name with a session of its own", "researcher", "refused.access", "access.refused refused.access"
    )
)
def test_who_calls_is_whose_key_signs(trial: Trial, world: Town) -> None:
    """The name is nowhere in a call; a steward's call signed by a researcher is a researcher's."""
    request = world.request()
    world.researcher.submit(request)
    with trial() as said:
        said(send(world, seal(key_of(world, "ola"), "north", "review", {"digest": request.digest})))


def test_the_journal_tells_whose_act_it_was(world: Town, theirs: Any) -> None:
    with pytest.raises(FedkitError):
        world.ola.get(theirs[1].outputs)
    rows = world.rows("blob.refused", blob=theirs[1].outputs)
    assert {row["actor"] for row in rows} >= {"ola"}


@tries(Attempt("takes back a request after it was approved, to ask again", "researcher", "refused", "request.refused refused"))
def test_what_was_decided_cannot_be_taken_back(trial: Trial, world: Town) -> None:
    request = world.approved()
    with trial(request=request.digest):
        world.researcher.withdraw(request.digest)
    assert world.researcher.state(request.digest).status == "approved"
