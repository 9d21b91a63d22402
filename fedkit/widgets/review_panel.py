"""Steps 5 and 6 for the steward: everything about one request on one page, and two buttons."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import ipywidgets

from fedkit.errors import NotApproved, RequestError
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.review import RequestState, Review
from fedkit.widgets.base import FedkitWidget, button, escape, facts_html, table_html
from fedkit.widgets.code import diff_html, source_html

#: What a steward reads for each level of a finding, worst first.
LEVELS = {"refuse": "must be refused", "warn": "look closely", "note": "for your information"}


class Decide(Protocol):
    """Signs and records one decision at one site: `functools.partial(study.decide, site)` is one."""

    def __call__(self, *, approved: bool, reason: str, rounds: int | None, days: int) -> RequestState: ...


class ReviewPanel(FedkitWidget):
    """One steward's page about one request at one site.

    review: from `Site.review`.   decide: see `Decide`; called in a worker thread after a click.
    days:   how long an approval counts unless the steward says otherwise.

    `approve()` and `deny(reason)` do what the buttons do; `state` says where the request stands.
    """

    def __init__(self, review: Review, decide: Decide, *, days: int = 30) -> None:
        super().__init__()
        self.review, self.state = review, review.state
        self._decide = decide
        self._watchers: list[Callable[[], None]] = []
        most = max(e.executions for e in review.request.entries)
        style = {"description_width": "190px"}
        self.rounds = ipywidgets.IntText(value=most, description="Executions granted", style=style, continuous_update=True)
        self.days = ipywidgets.IntText(value=days, description="Days it is valid", style=style, continuous_update=True)
        self.reason = ipywidgets.Text(
            description="Reason", placeholder="needed for a denial; the researcher reads it", style=style,
            layout=ipywidgets.Layout(width="100%", max_width="680px"),
        )  # fmt: skip
        self._hint = ipywidgets.HTML()
        self._hint.add_class("fk-hint")
        self._approve = button("Approve and sign", lambda: self._in_background(lambda: self._act(approved=True)), "go")
        self._deny = button("Deny", lambda: self._in_background(lambda: self._act(approved=False)), "no")
        for field in (self.rounds, self.days, self.reason):
            field.observe(lambda _: self._refresh(), names="value")
        self._state = ipywidgets.HTML()
        self._fill(
            ipywidgets.HTML(self._page()),
            self.rounds, self.days, self.reason, self._hint, ipywidgets.HBox([self._approve, self._deny]), self._state,
        )  # fmt: skip
        self._refresh()

    @property
    def site(self) -> str:
        return self.review.site

    @property
    def most_rounds(self) -> int:
        """The greatest number of executions that the request asks for in any entry."""
        return max(e.executions for e in self.review.request.entries)

    def approve(self, rounds: int | None = None, days: int | None = None, reason: str = "") -> RequestState:
        """Approve and sign, as the button does. Approved already: returns the state. Raises NotApproved after a denial."""
        return self._by_hand(approved=True, rounds=rounds, days=days, reason=reason)

    def deny(self, reason: str) -> RequestState:
        """Deny with a reason, as the button does. Denied already: returns the state. Raises RequestError without a reason."""
        return self._by_hand(approved=False, rounds=None, days=None, reason=reason)

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` after every decision, in the thread it was made in."""
        self._watchers.append(changed)

    def _by_hand(self, *, approved: bool, rounds: int | None, days: int | None, reason: str) -> RequestState:
        self.wait()
        wanted = "approved" if approved else "denied"
        if self.state.status == wanted:
            return self.state
        with self.lock:
            if self.state.status == "pending":
                self.rounds.value = self.rounds.value if rounds is None else rounds
                self.days.value = self.days.value if days is None else days
                self.reason.value = reason
        self._attempt(lambda: self._act(approved=approved), again=True)
        return self.state

    def _act(self, *, approved: bool) -> None:
        if self.state.status != "pending":
            raise NotApproved(
                f"{self.site} has decided already",
                expected="a request that waits for a decision",
                got=f"{self.state.status}{': ' + self.state.reason if self.state.reason else ''}",
                help="the researcher may submit another request",
            )
        reason = self.reason.value.strip()
        if not approved and not reason:
            raise RequestError("a denial needs a reason", expected="a reason that helps the researcher", got="none")
        if approved and (bad := self._limits()):
            raise RequestError("these limits do not fit", expected=bad, got=f"{self.rounds.value}, {self.days.value} days")
        state = self._decide(
            approved=approved, reason=reason, rounds=self.rounds.value if approved else None, days=self.days.value
        )
        with self.lock:
            self.state = state
        self._refresh()
        for changed in self._watchers:
            changed()

    def _limits(self) -> str:
        """What is wrong with the limits of an approval, or ""."""
        if not 1 <= self.rounds.value <= self.most_rounds:
            return f"from 1 to {self.most_rounds} executions, as the request asks"
        if not 1 <= self.days.value <= 3650:
            return "from 1 to 3650 days"
        return ""

    def _refresh(self) -> None:
        with self.lock:
            open_, bad = self.state.status == "pending" and not self.busy, self._limits()
            self._approve.disabled = not open_ or bool(bad)
            self._deny.disabled = not open_ or not self.reason.value.strip()
            for field in (self.rounds, self.days, self.reason):
                field.disabled = not open_
            until = datetime.now(UTC) + timedelta(days=min(max(self.days.value, 0), 3650))
            self._hint.value = (
                f'<p class="fk-bad" role="status">Choose {escape(bad)}.</p>'
                if bad
                else f'<p class="fk-soft">An approval would count until {until:%d %B %Y} (UTC).</p>'
            )
            self._state.value = f'<div role="status">{state_html(self.state)}</div>'

    def _page(self) -> str:
        review, request = self.review, self.review.request
        marked = {f.line: f.level for f in review.findings}
        return (
            f"<h3>Review at {escape(review.site)}: {escape(request.title)}</h3>"
            '<p class="fk-soft">Steps 5 and 6: review, decide.</p>'
            + facts_html(self._facts())
            + self._tables()
            + f"<details><summary>Source, {len(request.source.splitlines())} lines</summary>"
            + source_html(request.source, marked)
            + "</details><details><summary>Difference to the last approved version</summary>"
            + diff_html(review.diff)
            + "</details><h4>Decision</h4>"
        )

    def _facts(self) -> list[tuple[str, object]]:
        request = self.review.request
        return [
            ("Purpose", request.purpose),
            ("Researcher", request.researcher),
            ("Data permit", f"{request.permit.id}, for: {request.permit.purpose}"),
            ("Data set", request.dataset),
            ("Source lines", len(request.source.splitlines())),
        ]

    def _tables(self) -> str:
        """What may run and leave, what the static look found, and how the rehearsal went."""
        review = self.review
        leaves = [
            (
                e.name,
                e.executions,
                _arrays(e.contract),
                _numbers(e.contract),
            )
            for e in review.request.entries
        ]
        order = list(LEVELS)
        found = sorted(review.findings, key=lambda f: (order.index(f.level) if f.level in order else 9, f.line))
        return (
            "<h4>What may run, and what may leave</h4>"
            + table_html(leaves, ("Entry", "Executions asked", "Arrays", "Single numbers"), numeric=(1,))
            + "<h4>Findings of a static look at the source</h4>"
            + table_html(
                [(LEVELS.get(f.level, f.level), f.line, f.rule, f.message) for f in found],
                ("Weight", "Line", "Rule", "What"), numeric=(1,), empty="nothing found",
            )
            + "<h4>Rehearsal on the mock twin</h4>"
            + table_html(
                [(r.entry, r.error or "passed", f"{r.bytes_out:,}") for r in review.rehearsals],
                ("Entry", "Outcome", "Bytes out"), numeric=(2,), empty="not rehearsed",
            )
        )  # fmt: skip

    def static_html(self) -> str:
        title = f"<h3>Review at {escape(self.site)}: {escape(self.review.request.title)}</h3>"
        return title + facts_html(self._facts()) + self._tables() + state_html(self.state)

    def static_text(self) -> str:
        counts = {level: sum(f.level == level for f in self.review.findings) for level in LEVELS}
        found = ", ".join(f"{n} {level}" for level, n in counts.items() if n) or "no findings"
        return f"Review at {self.site}: {self.review.request.title}; {found}; {self.state.status}"


def state_html(state: RequestState) -> str:
    """Where a request stands, in words and colour."""
    mark = {"approved": "fk-good", "denied": "fk-bad", "revoked": "fk-bad", "expired": "fk-warn"}.get(state.status, "fk-soft")
    told = f": {escape(state.reason)}" if state.reason else ""
    granted = f" Executions granted: {escape(granted_text(state))}." if state.granted else ""
    word = "waiting for a decision" if state.status == "pending" else state.status
    return f'<p><span class="{mark}">{escape(word)}</span>{told}.{granted}</p>'


def _arrays(contract: OutputContract) -> str:
    """How many arrays of numbers, and how many numbers in them."""
    size = sum(math.prod(shape) for shape in contract.tensors.values())
    return f"{len(contract.tensors)} with {size:,} numbers" if contract.tensors else "none"


def _numbers(contract: OutputContract) -> str:
    """The single numbers with their bounds; every name stands there, those that differ in their first part only together."""
    bounds: dict[tuple[float, float], list[str]] = {}
    for name, limits in sorted(contract.numbers.items()):
        bounds.setdefault(limits, []).append(name)
    return "; ".join(f"{_together(names)}: {_plain(low)} to {_plain(high)}" for (low, high), names in bounds.items()) or "none"


def _together(names: Sequence[str]) -> str:
    """`a.x, a.y, b.x, b.y, c` as "c; a, b each for x, y"."""
    alone = [name for name in names if "." not in name]
    lasts: dict[str, list[str]] = {}
    for name in names:
        first, dot, last = name.rpartition(".")
        if dot:
            lasts.setdefault(first, []).append(last)
    firsts: dict[tuple[str, ...], list[str]] = {}
    for first, several in lasts.items():
        firsts.setdefault(tuple(several), []).append(first)
    groups = [f"{', '.join(group)} each for {', '.join(several)}" for several, group in firsts.items()]
    return ", and ".join([", ".join(alone)] * bool(alone) + groups)


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def granted_text(state: RequestState) -> str:
    """How many executions of each entry are granted."""
    return ", ".join(f"{entry} {n}" for entry, n in state.granted.items())
