"""A steward's own desk at one site: what waits, in the order in which it lapses, and the page of one request at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import ipywidgets

from fedkit.errors import RequestError, SiteError
from fedkit.governance.review import RequestState
from fedkit.stewardship import in_order
from fedkit.widgets.base import FedkitWidget, button, escape, select_first, table_html
from fedkit.widgets.batch_review import BatchReview
from fedkit.widgets.review_panel import ReviewPanel
from fedkit.widgets.standing_list import DelegationForm, StandingList
from fedkit.widgets.words import days, due_words, reminder_words, state_words

if TYPE_CHECKING:
    from fedkit.stewardship import Stewardship

_STYLE = {"description_width": "190px"}


class StewardDesk(FedkitWidget):
    """One steward's work at one site.

    desk: whose acts the buttons are (`fedkit.stewardship`).   clock: Unix seconds, for what "in three days" means.

    `waiting` is what waits; `choose(digest)` shows a request's page and returns it; `groups`, `standing` and `delegation` are
    the parts below. Nothing is kept here: a desk that is made anew, or refreshed, reads the site again.
    """

    def __init__(self, desk: Stewardship, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.desk, self._clock = desk, clock
        self.requests: list[RequestState] = []
        self.panel: ReviewPanel | None = None
        self._list = ipywidgets.HTML()
        self._choice = ipywidgets.Dropdown(
            description="Request", style=_STYLE, layout=ipywidgets.Layout(width="100%", max_width="680px")
        )
        self._open = button("Open", lambda: self._attempt(lambda: self._show(str(self._choice.value)), again=False), "go")
        self._again = button("Read the site again", lambda: self._attempt(self._read, again=False))
        self._place = ipywidgets.VBox()
        self.groups = BatchReview(desk, self._changed)
        self.standing = StandingList(desk)
        self.delegation = DelegationForm(desk)
        below = ipywidgets.Accordion([self.groups, self.standing, self.delegation])
        for number, title in enumerate(("Several at once", "Standing approvals", "While I am away")):
            below.set_title(number, title)
        self._fill(
            ipywidgets.HTML(
                f"<h3>Desk of {escape(desk.name)} at {escape(desk.site)}</h3>"
                '<p class="fk-soft">Steps 5 and 6: review, decide.</p>'
            ),
            self._list,
            self._choice,
            ipywidgets.HBox([self._open, self._again]),
            self._place,
            below,
        )
        self._attempt(self._read, again=False)

    @property
    def waiting(self) -> list[RequestState]:
        """What waits for a decision, in the order in which it lapses."""
        return in_order([state for state in self.requests if state.status == "pending"])

    def choose(self, digest: str) -> ReviewPanel:
        """Show the page of a request, as the button does. Raises RequestError for one that the site does not have."""
        if digest not in {state.digest for state in self.requests}:
            self.refresh()
        if digest not in {state.digest for state in self.requests}:
            raise RequestError("no such request here", expected="a request of the list", got="another")
        self._attempt(lambda: self._show(digest), again=True)
        assert self.panel is not None
        return self.panel

    def refresh(self) -> None:
        """Read the site again. Raises SiteError if it is not reached; what was read before stays."""
        self._attempt(self._read, again=True)

    def _read(self) -> None:
        try:
            requests = self.desk.requests()
            self.groups.load()
            self.standing.load()
        except SiteError as error:
            raise SiteError(
                error.message, expected=error.expected, got=error.got,
                help="what stands here was read before; read the site again when it answers",
            ) from None  # fmt: skip
        with self.lock:
            self.requests = requests
        self._refresh()

    def _changed(self) -> None:
        """After an act: the list is read again; an act that was done is not undone if that fails."""
        self._attempt(self._read, again=False)

    def _show(self, digest: str) -> None:
        panel = ReviewPanel.at(self.desk, digest)
        panel.watch(self._changed)
        with self.lock:
            self.panel = panel
            self._place.children = (panel,)
        self._refresh()

    def _refresh(self) -> None:
        with self.lock:
            waiting = self.waiting
            others = [state for state in self.requests if state.status != "pending"]
            self._list.value = waiting_html(waiting, self._clock(), self.desk.name)
            options = [(f"{state.title} ({state_words(state)})", state.digest) for state in (*waiting, *others)]
            if list(self._choice.options) != options:
                before = self._choice.value
                self._choice.options = options
                if before in [digest for _, digest in options]:
                    self._choice.value = before
            select_first(self._choice)
            self._open.disabled = not options

    def static_html(self) -> str:
        shown = self.panel.static_html() if self.panel is not None else ""
        return f"<h3>Desk at {escape(self.desk.site)}</h3>" + waiting_html(self.waiting) + shown

    def static_text(self) -> str:
        rows = [f"  {state.title}: {state.kind}, {state_words(state)}" for state in self.waiting]
        return "\n".join([f"Desk at {self.desk.site}: {len(rows)} waiting", *rows])


def waiting_html(waiting: Sequence[RequestState], now: float | None = None, me: str = "") -> str:
    """What waits, in this order. now: Unix seconds; without it nothing that depends on the day is told.   me: an account."""
    if now is None:
        rows: list[tuple[object, ...]] = [(s.title, s.kind, state_words(s)) for s in waiting]
        return table_html(rows, ("Request", "Kind", "State"), empty="nothing waits")
    rows = [
        (
            due_words(state, now),
            state.title,
            state.kind,
            state.researcher[:10],
            days(state.waiting) if state.waiting else "today",
            ("you" if state.assigned == me else state.assigned) or "nobody",
            f"{state.approvals} of {state.needed}",
            reminder_words(state),
        )
        for state in waiting
    ]
    columns = ("Lapses", "Request", "Kind", "Who asks", "Waits since", "Whose turn", "Approvals", "Reminder")
    return table_html(rows, columns, caption="What waits, soonest to lapse first", empty="nothing waits")
