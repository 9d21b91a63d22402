"""The warehouse: SQL in the place of questions, questions beyond what was approved, and answers that nobody paid for."""

from __future__ import annotations

import json
import secrets
from typing import Any

from attackers import PySyftClient, Town
from attempts import Attempt, Trial, tries
from test_code_approval import function_of, said_by
from test_counting_attempts import at_once

from fedkit.governance.decision import NOTHING
from fedkit.governance.request import CodeRequest, DataPermit
from fedkit.templates import TEMPLATES
from fedkit.warehouse.predicates import Compare, Has
from fedkit.warehouse.question import Group, Measure, Protection, Question

PERSONS = (Measure("persons"),)
COUNT = Question("patients", PERSONS)
REFUSED = "question.refused request"


def data_request(world: Town, user: str = "researcher", approved: bool = True, **parameters: Any) -> CodeRequest:
    template = TEMPLATES["warehouse"]
    settings = {**template.settings(parameters), "study": secrets.token_hex(8)}
    address = world.federation.researcher if user == "researcher" else world.address(user)
    permit = DataPermit("permit-1", "to test", ("notes",), "2099-01-01")
    request = template.request(settings, title="T", purpose="to test", researcher=address, permit=permit)
    getattr(world, user).submit(request)
    if approved:
        world.steward.decide(world.decision(request))
    return request


def noisy(number: int, rho: float = 0.1) -> Question:
    return Question("patients", PERSONS, Compare("birth_year", ">=", (1900 + number,)), protection=Protection("noise", rho))


def altered(name: str, **changes: Any) -> Attempt:
    """A question with something in it that is none."""
    return Attempt(name, "analyst", "request", REFUSED, given={**COUNT.to_json(), **changes})


SEX = {"column": "sex", "op": "in", "values": ["female"]}


@tries(
    Attempt("sends SQL in the place of a question", "analyst", "request", REFUSED, given="SELECT note_text FROM note"),
    Attempt("sends SQL in a field of its own", "analyst", "request", REFUSED, given={"sql": "SELECT note_text FROM note"}),
    altered("asks about the table of the texts", view="note"),
    altered("ends the statement in the name of a view", view='patients"; DROP TABLE note; --'),
    altered("writes a subquery in the name of a column", where={**SEX, "column": "(SELECT note_text FROM note LIMIT 1)"}),
    altered("writes an operator that reads files", where={**SEX, "op": "= (SELECT * FROM read_text('/etc/passwd')) OR 1 ="}),
    altered("sums the text of notes", measures=[{"kind": "sum", "column": "note_text", "low": 0, "high": 1}]),
    altered("groups by person", by=[{"column": "person_id", "values": [], "edges": []}]),
    altered("compares with a single person", where={"column": "person_id", "op": "in", "values": [1]}),
    altered("asks for the largest value", measures=[{"kind": "max", "column": "birth_year", "low": 1900, "high": 2000}]),
    altered("asks for a price below nothing", protection={**Protection().to_json(), "mode": "noise", "rho": -1}),
    altered("names a class of Python as the kind of a question", kind="os:system"),
    altered("brings a field that no question has", then="SELECT 1"),
    altered("nests conditions without end", where=json.loads('{"not":' * 300 + json.dumps(SEX) + "}" * 300)),
    altered("names a million values", where={**SEX, "values": [f"v{n}" for n in range(5_000)]}),
)
def test_a_site_takes_questions_and_runs_no_text(trial: Trial, world: Town) -> None:
    request = data_request(world, "ana")
    with trial(request=request.digest) as said:
        said(world.ana._call("plan", digest=request.digest, question=trial.given))
    assert not world.rows("question.planned", request=request.digest)


@tries(
    Attempt("asks a question that was not planned", "researcher", "refused.digest", "execution.refused refused.digest"),
)
def test_a_question_without_a_plan(trial: Trial, world: Town) -> None:
    request, other = data_request(world), data_request(world)
    world.researcher.plan(other.digest, COUNT)
    with trial(request=request.digest):
        world.researcher.execute(request.digest, "query", 1, COUNT.digest)


@tries(Attempt("asks under the request of somebody else", "researcher", "refused.digest", "question.refused refused.digest"))
def test_a_request_of_somebody_else(trial: Trial, world: Town) -> None:
    request = data_request(world)
    with trial(request=request.digest):
        world.ola.plan(request.digest, COUNT)


@tries(
    Attempt(
        "asks about a view that was not approved, in a condition",
        "analyst",
        "refused.access",
        "question.refused refused.access",
        given=Question("patients", PERSONS, Has("mentions")),
    ),
    Attempt(
        "asks for a pooled sum under a request without masks",
        "analyst",
        "request",
        REFUSED,
        given=Question("patients", PERSONS, protection=Protection("pooled", 0.1)),
    ),
)
def test_what_the_request_does_not_cover(trial: Trial, world: Town) -> None:
    request = data_request(world, "ana", views=["patients"], rho=1.0)
    with trial(request=request.digest):
        world.ana.plan(request.digest, trial.given)


@tries(
    Attempt(
        "asks another question under a number that was used", "researcher", "request", "execution.refused request", given=COUNT
    ),
    Attempt("asks no question at all", "researcher", "request", "execution.refused request"),
)
def test_numbers_and_digests(trial: Trial, world: Town) -> None:
    request = data_request(world)
    first = Question("patients", PERSONS, by=(Group("sex"),))
    for question in (first, COUNT):
        world.researcher.plan(request.digest, question)
    world.researcher.execute(request.digest, "query", 1, first.digest)
    with trial(request=request.digest):
        world.researcher.execute(request.digest, "query", 1, trial.given.digest if trial.given else NOTHING)


@tries(
    Attempt("spends more than the request's stewards approved", "analyst", "refused.limit", "execution.refused refused.limit"),
)
def test_the_budget_of_a_request(trial: Trial, world: Town) -> None:
    request = data_request(world, "ana", rho=0.15)
    for number in (1, 2):
        world.ana.plan(request.digest, noisy(number))
    world.ana.execute(request.digest, "query", 1, noisy(1).digest)
    with trial(request=request.digest):
        world.ana.execute(request.digest, "query", 2, noisy(2).digest)


@tries(
    Attempt(
        "asks eight questions at once where the budget has room for three",
        "analyst",
        "3 of 8",
        "execution.refused refused.limit",
    )
)
def test_racing_the_budget(trial: Trial, world: Town) -> None:
    request = data_request(world, "ana", rho=0.3)
    questions = [noisy(10 + n) for n in range(8)]  # that nobody had an answer to before
    for question in questions:
        world.ana.plan(request.digest, question)
    sessions = [world.federation.login("north", "ana") for _ in range(8)]
    with trial(request=request.digest) as said:
        got = at_once(
            [
                lambda s=s, n=n, q=q: s.execute(request.digest, "query", n, q.digest)
                for n, (s, q) in enumerate(zip(sessions, questions, strict=True), 1)
            ]
        )
        said(f"{sum(not isinstance(x, Exception) for x in got)} of {len(got)}")


@tries(
    Attempt(
        "asks again and again, to take the average of the noise",
        "analyst",
        "the answer of the first time",
        "question.answered",
    )
)
def test_averaging_the_noise(trial: Trial, world: Town) -> None:
    request = data_request(world, "ana", rho=0.1)
    world.ana.plan(request.digest, noisy(50))
    with trial(request=request.digest, remembered=True, cost=0) as said:
        outputs = {world.ana.execute(request.digest, "query", n, noisy(50).digest).outputs for n in range(1, 6)}
        said("the answer of the first time" if len(outputs) == 1 else f"{len(outputs)} answers")


@tries(
    Attempt("asks before a steward decided, through PySyft", "researcher", "closed", "access.refused refused", given=False),
    Attempt(
        "asks what was not planned, through PySyft", "researcher", "closed", "execution.refused refused.digest", given=True
    ),
)
def test_past_the_plan_through_pysyft(trial: Trial, world: Town) -> None:
    request = data_request(world, approved=trial.given)
    client = PySyftClient(world, "researcher")
    function = function_of(client, request)
    with trial() as said:
        call = json.dumps(["query", 1, COUNT.digest])
        said(said_by(client, lambda: function(notes=client.asset, call=call)))
    assert not world.rows("question.answered", request=request.digest)
