"""Check 17: what was approved by more, or by less, than one person's look at one request.

A site's desk signs decisions by itself: each has to rest on a standing approval that a steward of the site signed, that counted
at that moment, that covers the request, and whose quotas were not used up. Where a site says that two must approve, two did.
What was asked is known of the bundle's own request to the last setting, and of others as far as the ledger tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fedkit.audit.acts import Found
from fedkit.audit.evidence import Evidence
from fedkit.audit.journals import CLOCKS, Kept, Row, bytes_of, count_of, seconds_of
from fedkit.audit.report import Finding
from fedkit.audit.rules import Asked, Replay
from fedkit.errors import FedkitError, LedgerError
from fedkit.governance.covering import check_fits
from fedkit.governance.decision import Decision
from fedkit.governance.standing import StandingApproval
from fedkit.ledger import typed
from fedkit.ledger.names import steward_role
from fedkit.ledger.standing import recover_standing
from fedkit.ledger.typed import name_id


@dataclass
class Uses:
    """How often a standing approval was used so far. days: ISO date → requests; researchers: address → requests."""

    requests: set[str] = field(default_factory=set)
    days: dict[str, set[str]] = field(default_factory=dict)
    researchers: dict[str, set[str]] = field(default_factory=dict)


def check_approvals(
    evidence: Evidence, journals: Mapping[str, Kept], replay: Replay, found: Found, notes: dict[int, str]
) -> None:
    """17: every site's automatic decisions, and its second approvals."""
    known = {approval.digest: approval for approval in evidence.standings}
    automatic = 0
    for kept in journals.values():
        site = _Site(evidence, kept, replay, known)
        for row, what in site.wrong():
            found[17].append(Finding(f"{kept.name}, row {row.get('seq')}", what, f"{kept.name}, whose desk signs by itself"))
        automatic += len(site.automatic)
    notes[17] = f"{automatic} were automatic, under {len(known)} standing approvals" if automatic else "none was automatic"


class _Site:
    """The decisions of one site's journal, in order."""

    def __init__(self, evidence: Evidence, kept: Kept, replay: Replay, known: Mapping[str, StandingApproval]) -> None:
        self.evidence, self.kept, self.replay, self.known = evidence, kept, replay, known
        self.id = name_id(kept.name)
        self.desks = {str(row["fields"].get("desk")) for row in kept.of("site.opened")} - {"None"}
        self.decided = kept.of("decision.recorded")
        self.automatic = [row for row in self.decided if self._by_desk(row)]
        self.uses: dict[str, Uses] = {}

    def wrong(self) -> Iterator[tuple[Row, str]]:
        """Rows, and what does not hold of each."""
        for row in self.decided:
            fields = row["fields"]
            if not self._by_desk(row):
                if "standing" in fields:
                    yield row, "a decision that names a standing approval, and is not signed by the site's desk"
                yield from ((row, what) for what in self._second(row))
                continue
            yield from ((row, what) for what in self._rests_on_nothing(row))
        for row in self.kept.of("decision.counted"):
            if self._by_desk(row):
                yield row, "the site's desk counted as one of several persons"

    def _by_desk(self, row: Row) -> bool:
        return str(row["fields"].get("steward")) in self.desks

    def _was_steward(self, account: str, time: float) -> bool:
        """Whether a person's account, none of the desk, was steward of this site then."""
        return account not in self.desks and self.replay.held(steward_role(self.id), account, time, CLOCKS)

    # -- by the desk
    def _rests_on_nothing(self, row: Row) -> Iterator[str]:
        fields = row["fields"]
        approval = self.known.get(str(fields.get("standing")))
        if fields.get("status") != "approved":
            yield "the site's desk denied a request, which only a person may"
        elif "standing" not in fields:
            yield "the site's desk approved a request under no standing approval"
        elif approval is None:
            yield "rests on a standing approval that is not in the bundle"
        else:
            yield from self._signed(row, approval)
            yield from self._counts(row, approval)
            yield from self._covered(row, approval)
            yield from self._used(row, approval)

    def _signed(self, row: Row, approval: StandingApproval) -> Iterator[str]:
        """By somebody who was steward of this site when it was decided, and is no desk."""
        if approval.site != self.kept.name:
            yield f"rests on a standing approval of another site, {approval.site[:40]}"
        signers = {_signer(approval, deployment.domain) for deployment in self.evidence.deployments}
        if approval.steward not in signers:
            yield f"its standing approval is not signed by {approval.steward[:42]}, whom it names"
        elif not self._was_steward(approval.steward, seconds_of(row.get("time"))):
            yield f"its standing approval is signed by {approval.steward}, who was no steward of {self.kept.name} then"

    def _counts(self, row: Row, approval: StandingApproval) -> Iterator[str]:
        """At that moment: offered before, not withdrawn, not run out; and the decision ends with it."""
        at, time = count_of(row.get("seq")), seconds_of(row.get("time"))
        of_it = {act: self._first(act, approval.digest) for act in ("standing.offered", "standing.withdrawn")}
        if not 0 < of_it["standing.offered"] < at:
            yield "its standing approval was not offered to the site before"
        if 0 < of_it["standing.withdrawn"] < at:
            yield "its standing approval had been withdrawn"
        if not approval.issued - CLOCKS <= time < approval.expires:
            yield "its standing approval did not count at that time"
        if count_of(row["fields"].get("expires")) > approval.expires:
            yield "it counts for longer than its standing approval"

    def _first(self, act: str, standing: str) -> int:
        """The number of the first such row, 0 if there is none."""
        rows = [count_of(r.get("seq")) for r in self.kept.of(act) if r["fields"].get("standing") == standing]
        return min(rows, default=0)

    def _covered(self, row: Row, approval: StandingApproval) -> Iterator[str]:
        """What was asked is what stands approved: by the ledger, and for the bundle's own request by its whole text."""
        request = str(row["fields"].get("request"))
        asked = self.replay.asked.get(bytes_of(request))
        if asked is None:
            return  # check 11 has it: a decision that is not on the ledger
        limits = {name_id(name): number for name, number in approval.executions.items()}
        for what, holds in (
            ("code", asked.digests["codeDigest"].hex() == approval.code),
            ("environment", asked.digests["environmentDigest"].hex() == approval.environment),
            ("data set", asked.dataset == name_id(approval.dataset)),
            ("number of executions", all(number <= limits.get(entry, 0) for entry, number in asked.entries.items())),
            ("researcher or permit", self._may_ask(row, asked, approval)),
        ):
            if not holds:
                yield f"the request has another {what} than its standing approval covers"
        if request == self.evidence.request.digest:
            try:
                check_fits(approval, self.evidence.request)
            except FedkitError as error:
                yield f"its standing approval does not cover the request: {error.message}"
            if self.evidence.request.permit.category not in approval.purposes:
                yield "its standing approval is for other purposes"

    def _may_ask(self, row: Row, asked: Asked, approval: StandingApproval) -> bool:
        permit = asked.digests["permit"].hex()
        if asked.researcher == approval.steward or (approval.researchers and asked.researcher not in approval.researchers):
            return False
        if approval.researchers and permit in approval.permits:
            return True
        return any(
            other.researcher == asked.researcher and other.digests["permit"].hex() == permit
            for earlier in self.decided
            if count_of(earlier.get("seq")) < count_of(row.get("seq"))
            and earlier["fields"].get("status") == "approved"
            and not self._by_desk(earlier)
            and (other := self.replay.asked.get(bytes_of(str(earlier["fields"].get("request"))))) is not None
        )

    def _used(self, row: Row, approval: StandingApproval) -> Iterator[str]:
        """Within the quotas, of this row and those before it. A request counts once."""
        request = str(row["fields"].get("request"))
        asked = self.replay.asked.get(bytes_of(request))
        uses = self.uses.setdefault(approval.digest, Uses())
        day, who = str(row.get("time"))[:10], asked.researcher if asked else ""
        groups = (uses.requests, uses.days.setdefault(day, set()), uses.researchers.setdefault(who, set()))
        for group, limit, what in zip(
            groups,
            (approval.requests, approval.per_day, approval.per_researcher),
            ("in all", "on that day", "of that researcher"),
            strict=True,
        ):
            group.add(request)
            if len(group) > limit:
                yield f"request number {len(group)} {what} under its standing approval, which allows {limit}"

    # -- by several persons
    def _second(self, row: Row) -> Iterator[str]:
        """Where the site said, when the request came, that several must approve: as many different stewards did."""
        fields, at = row["fields"], count_of(row.get("seq"))
        if fields.get("status") != "approved":
            return
        about = [r for r in self.kept.of("request.submitted") if _of(r, row) and count_of(r.get("seq")) < at]
        needed = count_of(about[-1]["fields"].get("needed", 1)) if about else 1
        if needed < 2:
            return
        since = count_of(about[-1].get("seq"))
        counted = [r for r in self.kept.of("decision.counted") if _of(r, row) and since < count_of(r.get("seq")) < at]
        persons = {str(fields.get("steward"))}
        for other in counted:
            steward = str(other["fields"].get("steward"))
            if self._signed_by(other, steward) and self._was_steward(steward, seconds_of(row.get("time"))):
                if count_of(fields.get("rounds")) > count_of(other["fields"].get("rounds")):
                    yield "it grants more than the approval before it"
                persons.add(steward)
        if len(persons) < needed:
            yield f"{needed} stewards had to approve, {len(persons)} did"

    def _signed_by(self, row: Row, steward: str) -> bool:
        f = row["fields"]
        request, said, by, signature = (str(f.get(name)) for name in ("request", "reason", "steward", "signature"))
        made = Decision(
            request, self.kept.name, True, count_of(f.get("rounds")), count_of(f.get("expires")), "", said, by, signature
        )
        for deployment in self.evidence.deployments:
            try:
                if typed.recover_decision(made, deployment.domain) == steward:
                    return True
            except LedgerError:
                continue
        return False


def _of(row: Row, other: Row) -> bool:
    return bool(row["fields"].get("request") == other["fields"].get("request"))


def _signer(approval: StandingApproval, domain: typed.LedgerDomain) -> str:
    try:
        return recover_standing(approval, domain)
    except LedgerError:
        return "nobody"


def used(standings: Sequence[StandingApproval], rows: Sequence[Mapping[str, Any]]) -> list[StandingApproval]:
    """Those that decisions in a journal rest on: what a bundle has to hold."""
    named = {row["fields"].get("standing") for row in rows if row["act"] == "decision.recorded"}
    return [approval for approval in standings if approval.digest in named]
