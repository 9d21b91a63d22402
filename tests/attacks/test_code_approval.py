"""Code and its approval: other code than was approved, under its name, or without one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from attackers import PySyftClient, Town
from attackers import call as call_site
from attempts import Attempt, Trial, tries
from site_suite import COUNT

from fedkit.errors import NotApproved
from fedkit.governance.decision import NOTHING
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest, Entry
from fedkit.sites import syft_code

UNAPPROVED = ("researcher", "refused.not-approved", "execution.refused refused.not-approved")


def call(round: int) -> str:
    return json.dumps(["count", round, NOTHING])


def altered(name: str, change: Any) -> Attempt:
    return Attempt(name, "researcher", "refused.digest", "execution.refused refused.digest", given=change)


def unasked(name: str, refused: str, given: Any) -> Attempt:
    return Attempt(name, "researcher", refused, f"request.refused {refused}", given=given)


def malformed(name: str, change: Any) -> Attempt:
    return Attempt(name, "researcher", "request", "request.refused request", given=change)


@tries(
    altered("runs approved code with one line more", lambda r: replace(r, source=r.source + "\n# one more\n")),
    altered(
        "runs approved code with other letters that look the same",
        lambda r: replace(r, source=r.source.replace("Count,", "Сount,")),
    ),
    altered("runs approved code with other settings", lambda r: replace(r, settings={**r.settings, "rate": 2.0})),
    altered(
        "runs approved code under a wider output contract",
        lambda r: replace(r, entries=(Entry("count", 3, OutputContract({"w": (4,)}, {"notes": (0, 1e9), "round": (0, 1e9)})),)),
    ),
    altered(
        "runs approved code more often than it asked", lambda r: replace(r, entries=(replace(r.entries[0], executions=99),))
    ),
    altered("runs approved code under another permit", lambda r: replace(r, permit=replace(r.permit, id="permit-2"))),
    altered("runs approved code for another purpose", lambda r: replace(r, purpose="to sell")),
)
def test_what_was_not_submitted_has_no_digest_here(trial: Trial, world: Town) -> None:
    approved = world.approved()
    other = trial.given(approved)
    with trial(request=other.digest):
        world.researcher.execute(other.digest, "count", 1)
    assert world.researcher.state(approved.digest).used == {"count": 0}


@tries(
    Attempt(
        "changes a setting after the approval, and submits that",
        "researcher",
        "refused.not-approved",
        "execution.refused refused.not-approved",
    )
)
def test_a_changed_request_needs_its_own_decision(trial: Trial, world: Town) -> None:
    other = replace(world.approved(), settings={"study": "another", "rate": 2.0})
    world.researcher.submit(other)
    with trial(request=other.digest):
        world.researcher.execute(other.digest, "count", 1)


@tries(Attempt("runs code that waits for a decision", *UNAPPROVED))
def test_nothing_runs_before_the_decision(trial: Trial, world: Town) -> None:
    request = world.request()
    world.researcher.submit(request)
    with trial(request=request.digest):
        world.researcher.execute(request.digest, "count", 1)


def denied(world: Town) -> CodeRequest:
    request = world.request()
    world.researcher.submit(request)
    world.steward.decide(world.decision(request, reason="No."))
    return request


def revoked(world: Town) -> CodeRequest:
    request = world.approved()
    world.steward.decide(world.decision(request, reason="The patient asked us to."))
    return request


@tries(
    Attempt(
        "runs code that was denied",
        "researcher",
        "refused.not-approved",
        "execution.refused refused.not-approved",
        given=denied,
    ),
    Attempt(
        "runs code whose approval was withdrawn",
        "researcher",
        "refused.not-approved",
        "execution.refused refused.not-approved",
        given=revoked,
    ),
)
def test_a_no_is_a_no(trial: Trial, world: Town) -> None:
    request = trial.given(world)
    with trial(request=request.digest):
        world.researcher.execute(request.digest, "count", 1)


def function_of(client: PySyftClient, request: CodeRequest) -> Any:
    """The function of a request in PySyft, as its own client calls it."""
    client.client.refresh()
    return getattr(client.client.api.services.code, syft_code.function_name(request.digest))


def said_by(client: PySyftClient, act: Any) -> Any:
    try:
        return act()
    except client.sy.SyftException as error:
        return error


@tries(
    Attempt("runs code that was denied, through PySyft", "researcher", "closed", "access.refused refused", given=denied),
    Attempt(
        "runs code whose approval was withdrawn, through PySyft",
        "researcher",
        "closed",
        "access.refused refused",
        given=revoked,
    ),
)
def test_a_no_is_a_no_in_pysyft_too(trial: Trial, world: Town, researcher: PySyftClient) -> None:
    request = trial.given(world)
    function = function_of(researcher, request)
    with trial() as said:
        said(said_by(researcher, lambda: function(notes=researcher.asset, call=call(1))))
    assert not world.rows("execution.started", request=request.digest)


@tries(
    Attempt(
        "gives a handle of its own in the place of the data set",
        "researcher",
        "closed",
        "access.refused refused",
        stock=True,
        given=("fedkit:north:notes:mock", "fedkit:north:notes:" + "0" * 32, "", "fedkit:east:notes:mock"),
    ),
)
def test_pysyft_skips_its_policies_where_all_arguments_are_ones_own(
    trial: Trial, world: Town, researcher: PySyftClient
) -> None:
    request = world.approved()
    function = function_of(researcher, request)
    with trial() as said:
        for handle in trial.given:
            said(said_by(researcher, lambda handle=handle: function(notes=handle, call=call(1))))
    assert world.researcher.state(request.digest).used == {"count": 0}


def submitted(client: PySyftClient, request: CodeRequest, text: str, **changes: Any) -> Any:
    """A code request of PySyft's in the name of a fedkit request."""
    from syft.service.code.user_code import SubmitUserCode

    from fedkit.sites.syft_policy import FedkitOutputPolicy

    inputs = client.sy.MixedInputPolicy(notes=client.asset, call=str, client=client.client)
    fields = {
        "code": text,
        "func_name": syft_code.function_name(request.digest),
        "signature": syft_code.signature(),
        "input_policy_type": client.sy.MixedInputPolicy,
        "input_policy_init_kwargs": inputs.init_kwargs,
        "output_policy_type": FedkitOutputPolicy,
        "output_policy_init_kwargs": {"request": request.digest},
        "input_kwargs": list(syft_code.ARGUMENTS),
    }
    return client.call("code.request_code_execution", SubmitUserCode(**{**fields, **changes}))


@tries(
    Attempt(
        "hands PySyft other code under the name of a request, and has the request approved",
        "researcher",
        "refused.not-approved",
        "access.refused refused.not-approved",
        stock=True,
    )
)
def test_a_decision_reaches_exactly_its_code(trial: Trial, world: Town, researcher: PySyftClient) -> None:
    request = world.request()
    genuine = syft_code.source(request, "north")
    forged = genuine.replace("return called(", "return notes or called(")
    assert forged != genuine
    submitted(researcher, request, forged)
    reply = world.researcher._call("submit", request=request.to_json())  # type: ignore[attr-defined]
    assert reply["in_domain"] is False
    with trial():
        world.steward.decide(world.decision(request))
    assert world.researcher.state(request.digest).status == "pending"
    world.researcher.submit(request)  # now the genuine code too
    assert world.steward.decide(world.decision(request)).status == "approved"
    out = said_by(researcher, lambda: function_of(researcher, request)(notes=researcher.asset, call=call(1)))
    assert "fedkit:north" not in str(out)  # whichever of the two PySyft finds under the name


@tries(
    Attempt(
        "submits approved code again under a policy of PySyft's own",
        "researcher",
        "closed",
        "access.refused refused.access",
        given=lambda code: {
            "output_policy_type": __import__("syft").SingleExecutionExactOutput,
            "output_policy_init_kwargs": {},
        },
    ),
    Attempt(
        "submits a function nested a thousand times",
        "researcher",
        "closed",
        "access.refused refused",
        given=lambda code: {
            "code": "def other(notes, call):\n    return " + "(" * 1000 + ")" * 1000 + "\n",
            "func_name": "other",
        },
    ),
    Attempt(
        "submits code for a worker pool of its own",
        "researcher",
        "closed",
        "access.refused refused",
        given=lambda code: {"worker_pool_name": "mine", "func_name": "other"},
    ),
)
def test_pysyft_keeps_what_it_has(trial: Trial, world: Town, researcher: PySyftClient) -> None:
    request = world.approved()
    code = syft_code.source(request, "north")
    with trial() as said:
        said(submitted(researcher, request, code, **trial.given(code)))
    assert world.researcher.execute(request.digest, "count", 1).numbers["notes"] == 12


@tries(
    unasked("asks for an environment of its own", "refused.digest", given=lambda r: replace(r, environment="0" * 64)),
    unasked("asks in the name of another researcher", "refused.access", given=lambda r: replace(r, researcher="0x" + "1" * 40)),
    unasked(
        "asks with a permit that has expired",
        "refused.access",
        given=lambda r: replace(r, permit=replace(r.permit, expires="2020-01-01")),
    ),
    unasked(
        "asks for code that fails on the mock twin",
        "refused",
        given=lambda r: replace(r, source=COUNT.replace("    w = weights", "    1 / 0\n    w = weights")),
    ),
    unasked(
        "asks for code that reaches for the network",
        "refused",
        given=lambda r: replace(r, source="import socket\n\n\n" + r.source),
    ),
    unasked(
        "asks for code that starts a program",
        "refused",
        given=lambda r: replace(r, source="import subprocess\n\n\n" + r.source),
    ),
    unasked(
        "asks for code that hides what it is behind eval",
        "refused",
        given=lambda r: replace(r, source=r.source.replace("    w = weights", "    exec('pa' + 'ss')\n    w = weights")),
    ),
)
def test_a_request_that_may_not_be_asked(trial: Trial, world: Town) -> None:
    request = trial.given(world.request())
    with trial(request=request.digest):
        world.researcher.submit(request)
    assert request.digest not in [state.digest for state in world.steward.requests()]


@tries(
    malformed("asks with a permit for other data", lambda row: row["permit"].update(datasets=["others"])),
    malformed(
        "asks for code that does not parse", lambda row: row.update(source="def count(notes, weights, settings):\n  return {\n")
    ),
    malformed(
        "asks for an entry that the source does not have", lambda row: row["entries"][0].update(entry="other", name="other")
    ),
    malformed("asks for a thousand brackets in each other", lambda row: row.update(source="x = " + "[" * 1000 + "]" * 1000)),
    malformed(
        "asks for bounds that are no bounds", lambda row: row["entries"][0]["contract"].update(numbers={"notes": ["a", {}]})
    ),
)
def test_a_request_that_is_none(trial: Trial, world: Town) -> None:
    row = json.loads(json.dumps(world.request().to_json()))
    trial.given(row)
    with trial() as said:
        said(call_site(world, "researcher", "submit", request=row))


def test_a_rehearsal_that_the_researcher_made_up_is_not_believed(world: Town) -> None:
    from fedkit.errors import Refused

    broken = world.request(COUNT.replace("    w = weights", "    1 / 0\n    w = weights"))
    pretty = replace(world.researcher.rehearse(world.request(), "count"), error=None)
    with pytest.raises(Refused, match="mock twin"):
        world.researcher.submit(broken, [pretty])


def test_an_approval_of_one_site_is_none_at_another(world: Town) -> None:
    east = Town(world.federation, "east")
    request = world.request()
    east.approved(request)
    world.researcher.submit(request)
    with pytest.raises(NotApproved):
        world.researcher.execute(request.digest, "count", 1)
