"""What a site refuses, tried against the running sites: the demo shows it, the tests assert it.

Each attempt gives a row `{"tried", "refused", "error", "message"}`. An attempt that is *not* refused is a finding, and the
demo says so in the same table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fedkit.errors import FedkitError
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest, Entry
from fedkit.study import Study

#: Honest on the mock twin, and a copy machine on real notes: what a rehearsal cannot catch, the output contract must.
TWO_FACED = '''"""Count notes."""


def count(notes, weights, settings):
    total = len(notes.train)
    leak = sum(ord(letter) for letter in notes.train[0].text)
    return {"tensors": {}, "numbers": {"notes": total if notes.train[0].id.startswith("mock") else leak + 1e9}}
'''


def attempt(tried: str, act: Callable[[], Any]) -> dict[str, Any]:
    """Try something that must be refused."""
    try:
        act()
    except FedkitError as error:
        return {"tried": tried, "refused": True, "error": type(error).__name__, "message": error.message}
    return {"tried": tried, "refused": False, "error": "", "message": "it went through"}


def before_approval(study: Study) -> list[dict[str, Any]]:
    """Attempts while the request waits: to run it, to run other code, to decide as the researcher, a denied request."""
    request, first = study.requested(), study.sites[0]
    researcher = study.session(first, "researcher")
    other = replace(request, source=request.source + "\n# one more line\n")
    rows = [
        attempt("run before the steward decided", lambda: researcher.execute(request.digest, "train_round", 1)),
        attempt("run other code than was submitted", lambda: researcher.execute(other.digest, "train_round", 1)),
        attempt("read the journal as a researcher", lambda: researcher.journal()),
    ]
    return _keep(study, rows)


def after_the_last_round(study: Study) -> list[dict[str, Any]]:
    """Attempts on an approved request: one round too many, a denied request, and a result that does not fit its contract."""
    request = study.requested()
    first = study.approved_sites()[0]
    researcher = study.session(first, "researcher")
    last = request.entry("train_round").executions
    start = _start(study)
    rows = [
        attempt(
            f"round {last + 1} of {last}",
            lambda: researcher.execute(request.digest, "train_round", last + 1, researcher.put(start)),
        )
    ]
    two_faced = _two_faced(request)
    researcher.submit(two_faced)
    _decide(study, first, two_faced, approved=False, reason="Says count, but reads the letters of a note.")
    rows.append(attempt("run a request that was denied", lambda: researcher.execute(two_faced.digest, "count", 1)))
    again = replace(two_faced, title="Count notes, second try")
    researcher.submit(again)
    _decide(study, first, again, approved=True, reason="")
    rows.append(
        attempt("let out a number that the contract does not allow", lambda: researcher.execute(again.digest, "count", 1))
    )
    return _keep(study, rows)


def _two_faced(request: CodeRequest) -> CodeRequest:
    contract = OutputContract(numbers={"notes": (0, 1_000_000)})
    return replace(
        request,
        title="Count notes",
        source=TWO_FACED,
        entries=(Entry("count", 1, contract),),
        settings={"study": request.digest},
    )


def _decide(study: Study, site: str, request: CodeRequest, *, approved: bool, reason: str) -> None:
    study.federation.ledger.submit(request, [site])
    study.decide(site, approved=approved, reason=reason, request=request)


def _start(study: Study) -> bytes:
    from fedkit.federation.parameters import encode
    from fedkit.ner.tasks import initial_parameters

    return encode(initial_parameters(study.requested().settings))


def _keep(study: Study, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for row in rows:
        if row["tried"] not in {r["tried"] for r in study.run_folder.read("refusals") or []}:
            study.run_folder.add("refusals", row)
        study.say(7, f"{row['tried']}: {row['error'] or 'NOT REFUSED'}", refused=row["refused"])
    return rows
