"""Levels: what each of them is not there for."""

from __future__ import annotations

from typing import Any

from attackers import Town, call
from attempts import Attempt, Trial, tries

from fedkit.governance.levels import CALLS
from fedkit.sites.base import Site

NO = "access.refused refused.access"
#: Halves of `execute`, which is no call of the gate's own.
EVERY = sorted({name for calls in CALLS.values() for name in calls} - {"execute"})
NAMES = {"guest": "gro", "analyst": "ana"}


def beyond(level: str) -> list[str]:
    return [name for name in EVERY if name not in CALLS[level]]


@tries(
    *(
        Attempt(
            f"a {level} makes every call of the others: {len(beyond(level))} of them", level, "refused.access", NO, given=level
        )
        for level in CALLS
    )
)
def test_every_call_of_another_level(trial: Trial, world: Town) -> None:
    with trial() as said:
        for name in beyond(trial.given):
            said(call(world, NAMES.get(trial.given, trial.given), name))


def one(name: str, by: str, do: Any) -> Attempt:
    return Attempt(name, by, "refused.access", NO, given=do)


@tries(
    one(
        "decides on a request, with a signature of the steward's", "researcher", lambda w, r: w.researcher.decide(w.decision(r))
    ),
    one("decides on a request as an admin", "admin", lambda w, r: w.admin.decide(w.decision(r))),
    one("decides on a request as an auditor", "auditor", lambda w, r: w.auditor.decide(w.decision(r))),
    one("runs a request as its steward", "steward", lambda w, r: w.steward._call("admit", digest=r.digest)),
    one("runs a request as an admin", "admin", lambda w, r: w.admin._call("admit", digest=r.digest)),
    one("runs a request as an auditor", "auditor", lambda w, r: w.auditor._call("admit", digest=r.digest)),
    one("submits a request as a steward", "steward", lambda w, r: w.steward.submit(r)),
    one("reads what code printed as its researcher", "researcher", lambda w, r: w.researcher.logs(r.digest)),
    one("reads what code printed as an auditor", "auditor", lambda w, r: w.auditor.logs(r.digest)),
    one("reads what code printed as an admin", "admin", lambda w, r: w.admin.logs(r.digest)),
    one("reads the journal, with what others ask for, as a researcher", "researcher", lambda w, r: w.researcher.journal()),
    one("reads the review of a request as its researcher", "researcher", lambda w, r: w.researcher.review(r.digest)),
    one("lists who has an account", "researcher", lambda w, r: w.researcher.accounts()),
    one("reads mock notes as a guest", "guest", lambda w, r: w.gro.mock_notes("notes")),
    one("reads mock notes as an auditor", "auditor", lambda w, r: w.auditor.mock_notes("notes")),
    one("puts weights as an analyst", "analyst", lambda w, r: w.ana.put(b"weights")),
    one("fetches a result as an admin", "admin", lambda w, r: w.admin.get("0" * 64)),
    one("ends somebody's run as an auditor", "auditor", lambda w, r: w.auditor.cancel(r.digest)),
)
def test_duties_are_kept_apart(trial: Trial, world: Town) -> None:
    request = world.request()
    world.researcher.submit(request)
    with trial():
        trial.given(world, request)
    assert world.researcher.state(request.digest).status == "pending"


@tries(
    Attempt("asks for weights as an analyst", "analyst", "refused.access", "request.refused refused.access", given="training"),
    Attempt(
        "asks for an analysis of one's own as an analyst",
        "analyst",
        "refused.access",
        "request.refused refused.access",
        given="analysis",
    ),
)
def test_an_analyst_asks_for_counts_and_tables(trial: Trial, world: Town) -> None:
    from fedkit.governance.output_contract import OutputContract
    from fedkit.governance.request import Entry

    contract = OutputContract({}, {"notes": (0, 1000)})
    source = "def count(notes, weights, settings):\n    return {'numbers': {'notes': len(notes.train)}}\n"
    request = world.request(source, kind=trial.given, entries=(Entry("count", 1, contract),), researcher=world.address("ana"))
    session: Site = world.ana
    with trial(request=request.digest):
        session.submit(request)


def test_who_may_does(world: Town) -> None:
    """Or all of the above could be refused because nothing works."""
    assert world.gro.catalogue()
    assert world.ana.requests() == []
    assert world.ola.mock_notes("notes")
    assert world.siri.requests() is not None
    assert world.auditor.accounts()
