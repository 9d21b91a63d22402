"""What counts without a decision of its own: the site's standing approvals, and who acts for whom."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import ipywidgets

from fedkit.errors import RequestError
from fedkit.widgets.base import FedkitWidget, button, escape, select_first, table_html
from fedkit.widgets.words import days as days_words

if TYPE_CHECKING:
    from fedkit.governance.delegation import Delegation
    from fedkit.sites.base import StandingState
    from fedkit.stewardship import Stewardship

_STYLE = {"description_width": "190px"}
_WIDE = {"width": "100%", "max_width": "680px"}


class StandingList(FedkitWidget):
    """The standing approvals of a site with what is used of each, and a button to withdraw one.

    `states` is what is shown; `withdraw(digest, reason)` does what the button does.
    """

    def __init__(self, desk: Stewardship) -> None:
        super().__init__()
        self._desk = desk
        self.states: list[StandingState] = []
        self._table = ipywidgets.HTML()
        self._choice = ipywidgets.Dropdown(description="Standing approval", style=_STYLE, layout=ipywidgets.Layout(**_WIDE))
        self._words = ipywidgets.HTML()
        self.reason = ipywidgets.Text(
            description="Reason to withdraw",
            style=_STYLE,
            layout=ipywidgets.Layout(**_WIDE),
            placeholder="for the other stewards",
        )
        self._withdraw = button("Withdraw it", partial(self._in_background, self._act), "no")
        for field in (self._choice, self.reason):
            field.observe(lambda _: self._refresh(), names="value")
        self._fill(self._table, self._choice, self._words, self.reason, ipywidgets.HBox([self._withdraw]))
        self._refresh()

    def load(self) -> list[StandingState]:
        """Read them from the site."""
        states = self._desk.standings()
        with self.lock:
            self.states = states
            before = self._choice.value
            self._choice.options = [(s.approval.title, s.approval.digest) for s in states if s.status in ("counts", "used up")]
            if before in [digest for _, digest in self._choice.options]:
                self._choice.value = before
        self._refresh()
        return states

    def withdraw(self, digest: str, reason: str) -> StandingState:
        """Withdraw a standing approval. Raises RequestError for one that is not there, or without a reason."""
        if digest not in [value for _, value in self._choice.options]:
            raise RequestError("no such standing approval counts here", expected="one of the list", got="another")
        self._choice.value, self.reason.value = digest, reason
        done: StandingState = self._attempt(self._act, again=True)
        return done

    def _act(self) -> StandingState:
        state = self._desk.withdraw_standing(str(self._choice.value), self.reason.value.strip())
        self.say("Withdrawn: from now on it covers nothing. What was approved under it stays approved.", "done")
        self.load()
        return state

    def _refresh(self) -> None:
        with self.lock:
            select_first(self._choice)
            self._table.value = standings_html(self.states)
            chosen = next((s.approval for s in self.states if s.approval.digest == self._choice.value), None)
            self._words.value = f"<p>{escape(chosen.explain()).replace(chr(10), '<br>')}</p>" if chosen else ""
            for field in (self._choice, self.reason, self._withdraw):
                field.layout.display = "" if self._choice.options else "none"
            self._withdraw.disabled = self.busy or not self.reason.value.strip()

    def static_html(self) -> str:
        return standings_html(self.states)

    def static_text(self) -> str:
        rows = [f"  {s.approval.title}: {s.status}, {s.used} of {s.approval.requests} used" for s in self.states]
        return "\n".join([f"{len(rows)} standing approvals", *rows])


class DelegationForm(FedkitWidget):
    """Who acts for this steward, from now on and for how long. `delegate(colleague, days)` does what the button does."""

    def __init__(self, desk: Stewardship) -> None:
        super().__init__()
        self._desk = desk
        self.delegation: Delegation | None = None
        self._colleague = ipywidgets.Dropdown(options=sorted(desk.colleagues), description="Colleague", style=_STYLE)
        self._days = ipywidgets.IntText(value=14, description="For days", style=_STYLE)
        self._go = button("Let them act for me", partial(self._in_background, self._act), "go")
        self._days.observe(lambda _: self._refresh(), names="value")
        nobody = "" if desk.colleagues else "<p>This site has no other steward.</p>"
        self._fill(
            ipywidgets.HTML(
                f"<p>What is assigned to you goes to them. Where two must approve, you and they count as one.</p>{nobody}"
            ),
            self._colleague, self._days, ipywidgets.HBox([self._go]),
        )  # fmt: skip
        self._refresh()

    def delegate(self, colleague: str, days: int) -> Delegation:
        """Sign the delegation and let it count. Raises RequestError for somebody who is no colleague, or for no days."""
        if colleague not in self._desk.colleagues:
            raise RequestError("no such colleague", expected=f"one of {sorted(self._desk.colleagues)}", got="another name")
        self._colleague.value, self._days.value = colleague, days
        done: Delegation = self._attempt(self._act, again=True)
        return done

    def _act(self) -> Delegation:
        if not 1 <= self._days.value <= 365:
            raise RequestError("a delegation ends", expected="from 1 to 365 days", got=str(self._days.value))
        self.delegation = self._desk.delegate(str(self._colleague.value), self._days.value)
        self.say(f"{self._colleague.value} acts for you for {days_words(self._days.value)}.", "done")
        return self.delegation

    def _refresh(self) -> None:
        with self.lock:
            self._go.disabled = self.busy or not self._desk.colleagues or not 1 <= self._days.value <= 365

    def static_html(self) -> str:
        return f"<p>{escape(self.static_text())}</p>"

    def static_text(self) -> str:
        return "Somebody acts for this steward" if self.delegation else "Nobody acts for this steward"


def standings_html(states: list[StandingState]) -> str:
    """The standing approvals with what is used of each; the days are left to the live view."""
    rows = [
        (
            s.approval.title,
            s.approval.kind,
            s.status + (f": {s.reason}" if s.reason else ""),
            f"{s.used} of {s.approval.requests}",
            f"{s.today} of {s.approval.per_day}",
        )
        for s in states
    ]
    columns = ("Standing approval", "Kind", "State", "Requests used", "Today")
    return table_html(rows, columns, numeric=(3, 4), empty="none was given")
