"""Step 6: decisions of stewards, signed, brought to their site and to the ledger."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fedkit.errors import AccessRefused, Refused, RequestError, SiteError
from fedkit.governance.decision import Decision
from fedkit.governance.request import CodeRequest
from fedkit.governance.review import RequestState

if TYPE_CHECKING:
    from fedkit.study.study import Study


def decide(
    study: Study, site: str, request: CodeRequest, *, approved: bool, reason: str, rounds: int | None, days: int
) -> RequestState:
    """Sign a decision with the key of that site's steward, and deliver it; see `Study.decide`."""
    if not approved and not reason.strip():
        raise RequestError("a denial needs a reason", expected="a reason that helps the researcher", got="none")
    key, keys = f"steward-{site}", study.federation.keys
    granted = rounds if rounds is not None else max(e.executions for e in request.entries)
    decision = Decision(
        request=request.digest,
        site=site,
        approved=approved,
        rounds=granted if approved else 0,
        expires=int(time.time()) + days * 86_400,
        reason=reason,
        reason_digest=study.session(site, "steward").reason_digest(reason),
        steward=keys.address(key),
    )
    decision = keys.sign_decision(key, decision, study.federation.ledger.domain)
    # Written down before it is delivered: a crash in between may not leave a site with a decision the ledger never got.
    study.run_folder.add("decisions", decision.to_json())
    try:
        state = deliver(study, decision)
    except Refused:
        _forget(study, decision)
        raise
    if state.status == "pending":  # the first of several approvals: the one that completes it is what counts
        _forget(study, decision)
    return state


def deliver(study: Study, decision: Decision) -> RequestState:
    """To its site, and to the ledger if it counts there; see `Study.deliver`."""
    state = study.session(decision.site, "steward").decide(decision)
    if state.status != "pending":
        study.federation.ledger.decide(decision)
    study.say(6, f"{state.status}{': ' + decision.reason if decision.reason else ''}", site=decision.site)
    return state


def gather_decisions(study: Study) -> list[Decision]:
    """Bring to the ledger what was decided without the study; see `Study.gather_decisions`."""
    request = study.requested()
    found = []
    for name in study.sites:
        try:
            decision = study.session(name, "researcher").decision(request.digest)
        except (SiteError, AccessRefused):
            continue  # what needs the site will say that it is not reached, or that the account has ended
        if decision is not None and bring(study, name, decision):
            found.append(decision)
    return found


def bring(study: Study, site: str, decision: Decision | None) -> bool:
    """Bring a decision that a site has to the ledger and into the folder; returns whether it was new there."""
    known = {row["signature"] for row in study.run_folder.read("decisions") or []}
    if decision is None or decision.signature in known:
        return False
    # The ledger first: a crash in between leaves a decision that is brought there once more, and not one that never is.
    study.federation.ledger.decide(decision)
    study.run_folder.add("decisions", decision.to_json())
    study.say(6, "approved" if decision.approved else f"denied: {decision.reason}", site=site)
    return True


def _forget(study: Study, decision: Decision) -> None:
    rows = study.run_folder.read("decisions")
    study.run_folder.write("decisions", [row for row in rows if row["signature"] != decision.signature])
