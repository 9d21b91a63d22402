"""What a standing approval covers: its rules, each of which raises the reason why not. Pure.

The order is that of the questions a steward would ask: is it the same thing, may this person ask for it, does it look as it did
when it was reviewed, and how often has that been said already.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fedkit.digests import canonical, digest, short
from fedkit.errors import AccessRefused, DigestMismatch, LimitReached, NotApproved, Refused
from fedkit.governance.request import CodeRequest
from fedkit.governance.review import Finding, MockResult

if TYPE_CHECKING:
    from fedkit.governance.standing import StandingApproval


@dataclass(frozen=True)
class Usage:
    """What the site counted for one standing approval and one researcher, before the request in question.

    requests: approved under it in all.   today: since midnight UTC.   of_researcher: in all, of this researcher's.
    taken_back: whether a steward has withdrawn an approval that this researcher got under it.
    permits:  (digest of a permit, researcher's address) that a steward of this site has approved a request under, in person.
        A site cannot look at the ledger, so a permit is believed there once a steward has seen it.
    """

    requests: int = 0
    today: int = 0
    of_researcher: int = 0
    taken_back: bool = False
    permits: frozenset[tuple[str, str]] = frozenset()


def check_fits(approval: StandingApproval, request: CodeRequest) -> None:
    """What the request is: code, environment, data, entries and settings. Raises DigestMismatch or LimitReached."""
    for what, asked, mine in (
        ("code", request.code_digest, approval.code),
        ("environment", request.environment, approval.environment),
        ("data set", request.dataset, approval.dataset),
        ("kind", request.kind, approval.kind),
        ("output contract", entries_digest(request), approval.entries),
    ):
        if asked != mine:
            raise DigestMismatch(f"another {what} than was reviewed", expected=short(mine), got=short(asked))
    asked_for, reviewed = dict(request.settings), dict(approval.settings)
    if odd := asked_for.keys() ^ reviewed.keys():
        raise DigestMismatch("other settings than were reviewed", expected=f"{sorted(reviewed)}", got=f"{len(odd)} that differ")
    for name, value in asked_for.items():
        if name in approval.vary:
            approval.vary[name].check(name, value)
        elif canonical(value) != canonical(reviewed[name]):
            raise DigestMismatch(
                f"the setting {name} is not as it was reviewed", expected="the reviewed value", got="another value"
            )
    for entry in request.entries:
        if entry.executions > approval.executions.get(entry.name, 0):
            raise LimitReached(
                f"{entry.name} would run more often than stands approved",
                expected=f"at most {approval.executions.get(entry.name, 0)}",
                got=str(entry.executions),
            )


def check_asker(approval: StandingApproval, request: CodeRequest, usage: Usage, now: float) -> None:
    """Who asks, under what, and when. Raises AccessRefused or NotApproved."""
    if request.permit.category not in approval.purposes:
        raise AccessRefused(
            "a permit for another purpose", expected=" or ".join(approval.purposes), got=request.permit.category
        )
    who, permit = request.researcher, request.permit.digest
    if who == approval.steward:
        raise AccessRefused("nobody approves a request of their own", expected="another person's request")
    if approval.researchers and who not in approval.researchers:
        raise AccessRefused("the standing approval is for other researchers", expected="one of those named", got="another")
    if not (approval.researchers and permit in approval.permits) and (permit, who) not in usage.permits:
        raise AccessRefused(
            "a permit that no steward of this site has seen for this researcher",
            expected="one that is named, or under which a steward here has approved before",
            got=short(permit),
        )
    if usage.taken_back:
        raise AccessRefused(
            "a steward has taken back what this researcher got under it",
            expected="nothing taken back",
            got="a revoked approval",
        )
    if not approval.issued <= now < approval.expires:
        what = "has expired" if now >= approval.expires else "does not count yet"
        raise NotApproved(f"the standing approval {what}", expected="one that counts now", got="another time")


def check_looks(
    approval: StandingApproval, request: CodeRequest, findings: Sequence[Finding], rehearsals: Sequence[MockResult]
) -> None:
    """What the site sees of it: nothing that the steward did not see. Raises Refused or NotApproved."""
    if refused := [f for f in findings if f.level == "refuse"]:
        raise Refused(f"line {refused[0].line}: {refused[0].message}", expected="nothing that refuses the source")
    if new := set(warnings_of(findings)) - set(approval.warned):
        raise NotApproved(
            "there is a finding that the steward did not see", expected="the findings of the review", got=f"{len(new)} more"
        )
    passed = {r.entry for r in rehearsals if r.error is None}
    if missing := [entry.name for entry in request.entries if entry.name not in passed]:
        raise NotApproved(f"{missing[0]} did not pass on the mock twin", expected="a rehearsal without an error", got="none")


def check_counts(approval: StandingApproval, usage: Usage) -> None:
    """How many requests. Raises LimitReached."""
    for used, limit, what in (
        (usage.requests, approval.requests, "requests in all"),
        (usage.today, approval.per_day, "requests a day"),
        (usage.of_researcher, approval.per_researcher, "requests of one researcher"),
    ):
        if used >= limit:
            raise LimitReached(f"the {what} are used up", expected=f"at most {limit}", got=f"{used} so far")


def entries_digest(request: CodeRequest) -> str:
    """Digest of the names of the entries, what may leave by each, with which noise and under whose masks; how often they run is
    counted, not bound."""
    entries: list[Any] = []
    for entry in request.entries:
        row = entry.to_json()
        entries.append({key: value for key, value in row.items() if key != "executions"})
    return digest([*entries, request.secure_sum.to_json()] if request.secure_sum is not None else entries)


def warnings_of(findings: Iterable[Finding]) -> tuple[str, ...]:
    """The `warn` findings, "rule:line" each, sorted."""
    return tuple(sorted(f"{f.rule}:{f.line}" for f in findings if f.level == "warn"))
