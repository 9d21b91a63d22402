"""Requests that wait: whose turn it is, when somebody is reminded, when nobody waits any more, and taking one back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fedkit.digests import canonical
from fedkit.errors import AccessRefused, FedkitError, Refused
from fedkit.governance.covering import entries_digest
from fedkit.governance.request import CodeRequest
from fedkit.governance.review import Alike
from fedkit.governance.waiting import Patience, next_in_turn
from fedkit.sites.approving.people import People
from fedkit.sites.approving.tables import ApprovalTables, Turn
from fedkit.sites.parts import SiteParts


class Turns:
    """The waiting requests of one site."""

    def __init__(self, parts: SiteParts, tables: ApprovalTables, people: People, patience: Patience | None = None) -> None:
        self.parts, self.tables, self.people = parts, tables, people
        self.patience = patience or Patience()

    def open(self, request: CodeRequest) -> None:
        """A request begins to wait, now or anew; it goes to the steward whose turn it is."""
        names = self.people.who_may(request.researcher)
        assigned = next_in_turn(names, self.tables.last_assigned(names))
        self.tables.clear_counted(request.digest)
        self.tables.set_turn(request.digest, Turn(self.parts.clock(), assigned))
        if len(names) > 1:
            self.parts.journal.append("request.assigned", self.parts.config.name, request=request.digest, to=assigned)

    def closed(self, digest: str, submitted: float) -> str:
        """Of a request without a decision: "" while it waits; "withdrawn"; "lapsed", which is written down when first seen."""
        turn = self.tables.turn(digest, submitted)
        if not turn.closed and self.patience.lapsed(turn.since, self.parts.clock()):
            turn = replace(turn, closed="lapsed")
            self.tables.set_turn(digest, turn)
            self.parts.journal.append("request.lapsed", self.parts.config.name, request=digest)
        return turn.closed

    def check_waits(self, digest: str, submitted: float) -> None:
        """Raises Refused if nobody waits for a decision any more."""
        if closed := self.closed(digest, submitted):
            raise Refused(
                f"the request {'was withdrawn' if closed == 'withdrawn' else 'has lapsed: nobody decided in time'}",
                expected="a request that waits",
                got=closed,
                help="the researcher submits it again; then it waits anew",
            )

    def withdraw(self, digest: str, submitted: float, user: str) -> None:
        """Take a request back; who calls has looked whose it is, and that it was not decided on."""
        if self.closed(digest, submitted) == "withdrawn":
            return
        self.tables.set_turn(digest, replace(self.tables.turn(digest, submitted), closed="withdrawn"))
        self.parts.journal.append("request.withdrawn", user, request=digest)

    def assign(self, request: CodeRequest, submitted: float, to: str, user: str) -> None:
        """Hand a waiting request to a steward who may decide on it. Raises AccessRefused, Refused."""
        try:
            self.check_waits(request.digest, submitted)
            if to not in (names := self.people.who_may(request.researcher)):
                raise AccessRefused(
                    "this account cannot decide on the request",
                    expected=f"one of {sorted(names)}",
                    got="another name",
                    help="assign it to a steward of this site who did not ask for it",
                )
        except FedkitError as error:
            self.parts.journal.append("access.refused", user, method="assign", reason=error.code)
            raise
        self.tables.set_turn(request.digest, replace(self.tables.turn(request.digest, submitted), assigned=to))
        self.parts.journal.append("request.assigned", user, request=request.digest, to=to)

    def remind(self, digest: str, submitted: float) -> int:
        """How many reminders are due for a waiting request; each new one is written down."""
        turn = self.tables.turn(digest, submitted)
        level = self.patience.level(turn.since, self.parts.clock())
        if level > turn.reminded:
            self.tables.set_turn(digest, replace(turn, reminded=level))
            self.parts.journal.append("request.reminded", self.parts.config.name, request=digest, level=level)
        return level


def alike(requests: Sequence[CodeRequest]) -> list[Alike]:
    """Requests in groups of the same code, environment, data, kind and contracts; the largest first. requests: oldest first."""
    groups: dict[tuple[str, ...], list[CodeRequest]] = {}
    for request in requests:
        key = (request.code_digest, request.environment, request.dataset, request.kind, entries_digest(request))
        groups.setdefault(key, []).append(request)
    return [
        Alike(
            code=of[0].code_digest,
            kind=of[0].kind,
            digests=[r.digest for r in of],
            titles=[r.title for r in of],
            researchers=[r.researcher for r in of],
            settings={name: [r.settings.get(name) for r in of] for name in _varied(of)},
        )
        for of in sorted(groups.values(), key=len, reverse=True)
    ]


def _varied(requests: Sequence[CodeRequest]) -> list[str]:
    """Names of the settings that are not the same in all."""
    names = sorted({name for request in requests for name in request.settings})
    return [n for n in names if len({canonical([r.settings[n]] if n in r.settings else []) for r in requests}) > 1]
