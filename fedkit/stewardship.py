"""What a steward does at a site: read what waits, decide with a key of their own, give standing approvals, hand work on.

    desk = Stewardship.of(federation, "no")
    for state in desk.waiting():
        review = desk.review(state.digest)
        desk.decide(state.digest, approved=True, rounds=1)

Every word that counts is signed here, by the steward's key, and checked at the site; what the ledger shall hold goes there as
soon as the site has taken it. A view needs nothing else, and neither does a script.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from fedkit.errors import AccessRefused, LedgerError, RequestError
from fedkit.governance.decision import Decision
from fedkit.governance.delegation import Delegation
from fedkit.governance.review import Alike, RequestState, Review
from fedkit.governance.standing import DAY, StandingApproval

if TYPE_CHECKING:
    from fedkit.governance.running import ExecutionLog
    from fedkit.ledger.keys import Keyring
    from fedkit.ledger.typed import LedgerDomain
    from fedkit.sites.base import Site, StandingState
    from fedkit.sites.launch import Federation
    from fedkit.warehouse.catalogue import Catalogue, Published, Terms

T = TypeVar("T")


class Stewardship:
    """One steward at one site. Safe for several threads, as a session alone is not: a view decides in one and reads in another.

    session:    logged in at the site as a steward.   keys, actor: where the steward's key lies, and its name there.
    domain:     of the ledger that the signatures are for.
    relay:      brings a decision that counts to the ledger, such as `Ledger.decide`; None where somebody else does. What it
        fails to bring, the study does (`Study.gather_decisions`).
    colleagues: account → address of the site's other stewards, to whom work can be handed on.
    """

    def __init__(
        self,
        session: Site,
        keys: Keyring,
        actor: str,
        domain: LedgerDomain,
        *,
        relay: Callable[[Decision], object] | None = None,
        colleagues: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.session, self.colleagues = session, dict(colleagues)
        self._keys, self._actor, self._domain, self._relay = keys, actor, domain, relay
        self._lock = threading.RLock()

    @classmethod
    def of(cls, federation: Federation, site: str, user: str = "steward") -> Stewardship:
        """A steward of a federation that runs here, by the account: the one whom `launch` made, or one of `add_user`."""
        keys, ledger = federation.keys, federation.ledger
        with closing(federation.login(site, "admin")) as admin:
            now = time.time()
            cards = {card.user: card for card in admin.accounts() if card.level == "steward" and card.counts(now)}
        if user not in cards or (actor := keys.find(cards[user].address)) is None:
            raise AccessRefused(f"{user!r} is no steward of {site}", expected=f"one of {sorted(cards)}", got="another name")
        colleagues = {name: card.address for name, card in cards.items() if name != user}
        return cls(federation.login(site, user), keys, actor, ledger.domain, relay=ledger.decide, colleagues=colleagues)

    def __repr__(self) -> str:
        return f"Stewardship({self.name!r} at {self.site!r})"

    @property
    def site(self) -> str:
        """Name of the site."""
        return self.session.info.name

    @property
    def name(self) -> str:
        """The account at the site."""
        return self.session.user

    @property
    def address(self) -> str:
        """The address that the steward's signatures belong to."""
        return self._keys.address(self._actor)

    def _ask(self, call: Callable[[Site], T]) -> T:
        """Call the site, one thread at a time."""
        with self._lock:
            return call(self.session)

    # -- reading
    def requests(self) -> list[RequestState]:
        """All requests at the site, newest first."""
        return self._ask(lambda site: site.requests())

    def waiting(self) -> list[RequestState]:
        """What waits for a decision, in the order in which it lapses."""
        return in_order([state for state in self.requests() if state.status == "pending"])

    def review(self, digest: str) -> Review:
        """Everything about one request."""
        return self._ask(lambda site: site.review(digest))

    def alike(self) -> list[Alike]:
        """Waiting requests that need one look: the same code, data, kind and contracts."""
        return self._ask(lambda site: site.alike())

    def standings(self) -> list[StandingState]:
        """The site's standing approvals, newest first."""
        return self._ask(lambda site: site.standings())

    def logs(self, digest: str) -> list[ExecutionLog]:
        """What a request's executions printed. It may hold private text: keep it at the site, and out of notebooks."""
        return self._ask(lambda site: site.logs(digest))

    # -- deciding
    def decide(
        self, digest: str, *, approved: bool, reason: str = "", rounds: int | None = None, days: int = 30
    ) -> RequestState:
        """Approve or deny, signed; a denial after an approval withdraws it. Where two must approve, the second completes it.

        rounds: executions granted per entry; default: what the request asks.   days: how long an approval counts.
        Raises RequestError without a reason for a denial, and what the site refuses.
        """
        if not approved and not reason.strip():
            raise RequestError("a denial needs a reason", expected="a reason that helps the researcher", got="none")
        if approved and rounds is None:
            rounds = max(entry.executions for entry in self.review(digest).request.entries)
        decision = Decision(
            request=digest,
            site=self.site,
            approved=approved,
            rounds=rounds or 0 if approved else 0,
            expires=int(time.time()) + days * DAY,
            reason=reason,
            reason_digest=self._ask(lambda site: site.reason_digest(reason)),
            steward=self.address,
        )
        decision = self._keys.sign_decision(self._actor, decision, self._domain)
        state = self._ask(lambda site: site.decide(decision))
        if self._relay is not None and state.status != "pending":
            with suppress(LedgerError):  # it counts at the site, and the study brings it to the ledger before it runs
                self._relay(decision)
        return state

    def decide_all(
        self, digests: Sequence[str], *, approved: bool, reason: str = "", rounds: int | None = None, days: int = 30
    ) -> list[RequestState]:
        """The same decision on each of several requests, one signature each; those that were decided on already stay.

        Raises what the site refuses, at the first such request; what was decided before it stands.
        """
        open_ = {state.digest for state in self.waiting()}
        for digest in digests:
            if digest in open_:
                self.decide(digest, approved=approved, reason=reason, rounds=rounds, days=days)
        states = {state.digest: state for state in self.requests()}
        return [states[digest] for digest in digests if digest in states]

    def decision(self, digest: str) -> Decision | None:
        """The last signed decision about a request, with who signed it and the signature; None if there is none."""
        return self._ask(lambda site: site.decision(digest))

    # -- standing approvals
    def stand(self, standing: StandingApproval) -> StandingApproval:
        """Sign a standing approval and let it count at the site. Raises what the site refuses."""
        return self._ask(lambda site: site.offer_standing(self._keys.sign_standing(self._actor, standing, self._domain)))

    def withdraw_standing(self, digest: str, reason: str) -> StandingState:
        """From now on it covers nothing. Raises RequestError without a reason."""
        if not reason.strip():
            raise RequestError("a withdrawal needs a reason", expected="a reason for the other stewards", got="none")
        return self._ask(lambda site: site.withdraw_standing(digest, reason))

    # -- the catalogue of the warehouse
    def draft_catalogue(self, said: Terms) -> Catalogue:
        """What the catalogue would say now, with these words of one's own."""
        return self._ask(lambda site: site.draft_catalogue(said))

    def publish_catalogue(self, catalogue: Catalogue) -> Published:
        """Sign a catalogue that was drafted, and show it to everybody."""
        from fedkit.warehouse.catalogue import Published

        now = int(time.time())
        signature = self._keys.sign_catalogue(self._actor, self.site, catalogue.digest, now, self._domain)
        published = Published(catalogue, now, self.address, signature)
        return self._ask(lambda site: site.publish_catalogue(published))

    # -- handing on
    def assign(self, digest: str, colleague: str) -> RequestState:
        """Hand a waiting request to a steward of the site, by the name of the account."""
        return self._ask(lambda site: site.assign(digest, colleague))

    def delegate(self, colleague: str, days: int) -> Delegation:
        """Let a colleague act for oneself for some days. Raises RequestError for somebody who is none."""
        if colleague not in self.colleagues:
            raise RequestError("no such colleague", expected=f"one of {sorted(self.colleagues)}", got="another name")
        delegation = Delegation(self.site, self.address, self.colleagues[colleague], int(time.time()) + days * DAY)
        return self._ask(lambda site: site.delegate(self._keys.sign_delegation(self._actor, delegation, self._domain)))


def in_order(states: Sequence[RequestState]) -> list[RequestState]:
    """Requests in the order in which they lapse, those that never do last; of two the older first."""
    return sorted(states, key=lambda s: (s.due or float("inf"), s.submitted, s.digest))


def not_to_approve(review: Review, address: str) -> str:
    """Why the steward with this address may not approve a request, as a sentence; "" if nothing is in the way.

    The site holds the same rules; a view asks here, so that a button says why it is out of reach.
    """
    request = review.request
    if address and address == request.researcher:
        return "Nobody decides on a request of their own."
    if address and address in review.approvals:
        return "You have approved it. Another steward has to approve as well."
    if refused := [f for f in review.findings if f.level == "refuse"]:
        return f"Line {refused[0].line} must be refused: {refused[0].message}."
    if failed := [r for r in review.rehearsals if r.error]:
        return f"{failed[0].entry} fails on the mock twin."
    return ""
