"""Steps 5 and 6 for the steward: everything about one request on one page, and the acts that follow from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import ipywidgets

from fedkit.errors import NotApproved, RequestError
from fedkit.governance.decision import Decision
from fedkit.governance.review import RequestState, Review
from fedkit.governance.varying import Varying
from fedkit.stewardship import not_to_approve
from fedkit.templates import template_of
from fedkit.widgets.base import FedkitWidget, button, escape, facts_html
from fedkit.widgets.log_view import LogView
from fedkit.widgets.review_page import page_html, state_html, summary_html
from fedkit.widgets.standing_form import StandingForm
from fedkit.widgets.words import LEVELS

if TYPE_CHECKING:
    from fedkit.governance.standing import StandingApproval
    from fedkit.stewardship import Stewardship

OWN_CODE = "Code of the researcher's own, of no template that this site knows: read it."


class Decide(Protocol):
    """Signs and records one decision at one site: `functools.partial(study.decide, site)` is one."""

    def __call__(self, *, approved: bool, reason: str, rounds: int | None, days: int) -> RequestState: ...


class ReviewPanel(FedkitWidget):
    """One steward's page about one request at one site.

    review: from `Site.review`.   decide: see `Decide`; called in a worker thread after a click.
    days:   how long an approval counts unless the steward says otherwise.
    desk:   the steward's own desk; with one, the page also assigns, approves from now on, withdraws, and saves logs.

    `approve()`, `deny(reason)`, `withdraw(reason)`, `approve_from_now_on(…)` and `assign(name)` do what the buttons do; `state`
    says where the request stands.
    """

    def __init__(self, review: Review, decide: Decide, *, days: int = 30, desk: Stewardship | None = None) -> None:
        super().__init__()
        self.review, self.state, self._desk = review, review.state, desk
        self.standing: StandingApproval | None = None
        self.signed: Decision | None = None
        self._decide = decide
        self._signed = False
        self._watchers: list[Callable[[], None]] = []
        template = template_of(review.request)
        self.what = template.explain(review.request.settings) if template else OWN_CODE
        style, wide = {"description_width": "190px"}, ipywidgets.Layout(width="100%", max_width="680px")
        most = max(e.executions for e in review.request.entries)
        self.rounds = ipywidgets.IntText(value=most, description="Executions granted", style=style, continuous_update=True)
        self.days = ipywidgets.IntText(value=days, description="Days it is valid", style=style, continuous_update=True)
        self.reason = ipywidgets.Text(
            description="Reason", placeholder="needed for a denial; the researcher reads it", style=style, layout=wide
        )
        self._hint = ipywidgets.HTML()
        self._hint.add_class("fk-hint")
        self._approve = button("Approve and sign", partial(self._in_background, self._act_approve), "go")
        self._deny = button("Deny", partial(self._in_background, self._act_deny), "no")
        self._withdraw = button("Withdraw the approval", partial(self._in_background, self._act_withdraw), "no")
        for field in (self.rounds, self.days, self.reason):
            field.observe(lambda _: self._refresh(), names="value")
        self._state = ipywidgets.HTML()
        self.signed = self._read_signed()
        anchor = f"fk-{review.site}-{review.request.digest[:8]}"
        self._fill(
            ipywidgets.HTML(page_html(review, what=self.what, anchor=anchor)),
            self.rounds, self.days, self.reason, self._hint,
            ipywidgets.HBox([self._approve, self._deny, self._withdraw]), self._state,
            *(self._more(desk) if desk is not None else ()),
        )  # fmt: skip
        self._refresh()

    @classmethod
    def at(cls, desk: Stewardship, digest: str, *, days: int = 30) -> ReviewPanel:
        """The page of a steward's own desk about a request. Raises what the site refuses."""
        return cls(desk.review(digest), partial(desk.decide, digest), days=days, desk=desk)

    @property
    def site(self) -> str:
        return self.review.site

    @property
    def most_rounds(self) -> int:
        """The greatest number of executions that the request asks for in any entry."""
        return max(e.executions for e in self.review.request.entries)

    @property
    def obstacle(self) -> str:
        """Why this steward may not approve, as a sentence; "" if nothing is in the way."""
        if self._signed and self.state.status == "pending":
            return "You have approved it. Another steward has to approve as well."
        return not_to_approve(self.review, self._desk.address if self._desk is not None else "")

    def approve(self, rounds: int | None = None, days: int | None = None, reason: str = "") -> RequestState:
        """Approve and sign, as the button does. Approved already: returns the state. Raises NotApproved after a denial."""
        if self._signed and self.state.status == "pending":
            return self.state
        return self._by_hand("approved", self._act_approve, rounds, days, reason)

    def deny(self, reason: str) -> RequestState:
        """Deny with a reason, as the button does. Denied already: returns the state. Raises RequestError without a reason."""
        return self._by_hand("denied", self._act_deny, None, None, reason)

    def withdraw(self, reason: str) -> RequestState:
        """Withdraw an approval, with a reason: from now on the site runs nothing under it. Raises NotApproved without one."""
        self.wait()
        with self.lock:
            self.reason.value = reason
        self._attempt(self._act_withdraw, again=True)
        return self.state

    def approve_from_now_on(self, vary: Mapping[str, Varying] | None = None, **limits: Any) -> StandingApproval:
        """Approve this request, and sign a standing approval for those like it: see `StandingForm.set`. Raises RequestError."""
        if self._desk is None:
            raise RequestError("this page has no desk", expected="ReviewPanel.at(desk, digest)", got="a page for one decision")
        self.wait()
        self._form.set(vary, **limits)
        self._attempt(self._act_stand, again=True)
        assert self.standing is not None
        return self.standing

    def assign(self, colleague: str) -> RequestState:
        """Hand the request to another steward of the site, by the name of the account."""
        if self._desk is None:
            raise RequestError("this page has no desk", expected="ReviewPanel.at(desk, digest)", got="a page for one decision")
        self._attempt(lambda: self._act_assign(colleague), again=True)
        return self.state

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` after every act, in the thread it was made in."""
        self._watchers.append(changed)

    # -- the acts
    def _by_hand(self, wanted: str, act: Callable[[], None], rounds: int | None, days: int | None, reason: str) -> RequestState:
        self.wait()
        if self.state.status == wanted:
            return self.state
        with self.lock:
            if self.state.status == "pending":
                self.rounds.value = self.rounds.value if rounds is None else rounds
                self.days.value = self.days.value if days is None else days
                self.reason.value = reason
        self._attempt(act, again=True)
        return self.state

    def _act_approve(self) -> None:
        self._must_be("pending")
        if self.obstacle:
            raise NotApproved(self.obstacle, expected="a request that you may approve", got="this one")
        if bad := self._limits():
            raise RequestError("these limits do not fit", expected=bad, got=f"{self.rounds.value}, {self.days.value} days")
        self._take(
            self._decide(approved=True, reason=self.reason.value.strip(), rounds=self.rounds.value, days=self.days.value)
        )
        self._signed = True
        self._refresh()

    def _act_deny(self) -> None:
        self._must_be("pending")
        self._take(self._decide(approved=False, reason=self._given_reason(), rounds=None, days=self.days.value))

    def _act_withdraw(self) -> None:
        self._must_be("approved")
        self._take(self._decide(approved=False, reason=self._given_reason(), rounds=None, days=self.days.value))

    def _act_stand(self) -> None:
        desk = self._desk
        assert desk is not None
        standing = self._form.standing(desk.address)  # what is wrong with it is said before anything is signed
        if self.state.status == "pending":
            self._act_approve()
        self.standing = desk.stand(standing)
        self.say(f"From now on approved when they are submitted:\n{self.standing.explain()}", "done")
        self._tell()

    def _act_assign(self, colleague: str) -> None:
        self._must_be("pending")
        assert self._desk is not None
        self._take(self._desk.assign(self.review.request.digest, colleague))
        self.say(f"Handed to {colleague}.", "done")

    def _must_be(self, status: str) -> None:
        if self.state.status == status:
            return
        raise NotApproved(
            f"{self.site} has decided already" if status == "pending" else f"{self.site} has given no approval",
            expected="a request that waits for a decision" if status == "pending" else "an approval that counts",
            got=f"{self.state.status}{': ' + self.state.reason if self.state.reason else ''}",
            help="the researcher may submit another request",
        )

    def _given_reason(self) -> str:
        if not self.reason.value.strip():
            raise RequestError("a denial needs a reason", expected="a reason that helps the researcher", got="none")
        return self.reason.value.strip()

    def _take(self, state: RequestState) -> None:
        with self.lock:
            self.state = state
            self.signed = self._read_signed()
        self._tell()

    def _read_signed(self) -> Decision | None:
        """What counts now, once it was decided, with its signature."""
        decided = self._desk is not None and self.state.status in ("approved", "denied", "revoked")
        return self._desk.decision(self.review.request.digest) if self._desk is not None and decided else None

    def _tell(self) -> None:
        self._refresh()
        for changed in self._watchers:
            changed()

    # -- what is shown
    def _more(self, desk: Stewardship) -> list[ipywidgets.Widget]:
        """What a steward's own desk adds to the page."""
        digest = self.review.request.digest
        self._form = StandingForm(self.review, lambda: self._refresh() if hasattr(self, "_stand") else None)
        self._stand = button("Approve this, and such requests from now on", partial(self._in_background, self._act_stand), "go")
        self._colleague = ipywidgets.Dropdown(
            options=sorted(desk.colleagues), description="Hand over to", style={"description_width": "190px"}
        )
        self._assign = button(
            "Hand over", lambda: self._attempt(lambda: self._act_assign(str(self._colleague.value)), again=False)
        )
        self.logs = LogView(partial(desk.logs, digest))
        folded = ipywidgets.Accordion([ipywidgets.VBox([self._form, ipywidgets.HBox([self._stand])]), self.logs])
        for number, title in enumerate(("Approve from now on", "Logs of its executions")):
            folded.set_title(number, title)
        return [ipywidgets.HBox([self._colleague, self._assign]), folded]

    def _limits(self) -> str:
        """What is wrong with the limits of an approval, or ""."""
        if not 1 <= self.rounds.value <= self.most_rounds:
            return f"from 1 to {self.most_rounds} executions, as the request asks"
        if not 1 <= self.days.value <= 3650:
            return "from 1 to 3650 days"
        return ""

    def _refresh(self) -> None:
        with self.lock:
            pending, idle = self.state.status == "pending", not self.busy
            bad, obstacle = self._limits(), self.obstacle if pending else ""
            self._approve.disabled = not (pending and idle) or bool(bad or obstacle)
            self._deny.disabled = not (pending and idle and self.reason.value.strip())
            self._withdraw.disabled = not (self.state.status == "approved" and idle and self.reason.value.strip())
            self._withdraw.layout.display = "" if self.state.status == "approved" and self._desk is not None else "none"
            for field in (self.rounds, self.days):
                field.disabled = not (pending and idle)
            self.reason.disabled = not ((pending or (self.state.status == "approved" and self._desk is not None)) and idle)
            self._hint.value = self._hint_html(bad, obstacle)
            self._state.value = f'<div role="status">{state_html(self.state)}{self._signature()}</div>'
            if self._desk is not None:
                stands = self.state.status == "approved" or not self._approve.disabled
                self._stand.disabled = not (idle and stands) or bool(self._form.problem)
                self._assign.disabled = not (pending and idle and self._desk.colleagues)

    def _hint_html(self, bad: str, obstacle: str) -> str:
        if obstacle:
            return f'<p class="fk-bad" role="status">Approving is out of reach. {escape(obstacle)}</p>'
        if bad:
            return f'<p class="fk-bad" role="status">Choose {escape(bad)}.</p>'
        if self.state.status != "pending":
            return ""
        until = datetime.now(UTC) + timedelta(days=min(max(self.days.value, 0), 3650))
        return f'<p class="fk-soft">An approval would count until {until:%d %B %Y} (UTC).</p>'

    def _signature(self) -> str:
        return signature_html(self.signed, self._desk.address if self._desk is not None else "")

    def static_html(self) -> str:
        return summary_html(self.review, self.state, what=self.what)

    def static_text(self) -> str:
        counts = {level: sum(f.level == level for f in self.review.findings) for level in LEVELS}
        found = ", ".join(f"{n} {level}" for level, n in counts.items() if n) or "no findings"
        return f"Review at {self.site}: {self.review.request.title}; {found}; {self.state.status}"


def signature_html(decision: Decision | None, me: str = "") -> str:
    """Who signed a decision, and the signature. me: the address of who reads it."""
    if decision is None:
        return ""
    who = "you" if decision.steward == me else "another steward"
    until = f"{datetime.fromtimestamp(decision.expires, UTC):%d %B %Y} (UTC)" if decision.approved else "–"
    return facts_html(
        [("Signed by", f"{who}, {decision.steward}"), ("Counts until", until), ("Signature (EIP-712)", decision.signature)]
    )
