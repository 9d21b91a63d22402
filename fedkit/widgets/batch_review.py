"""Several requests that need one look: the same code, data, kind and contracts, and a table of where they differ."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import ipywidgets

from fedkit.errors import RequestError
from fedkit.governance.review import Alike, RequestState
from fedkit.widgets.base import FedkitWidget, button, select_first, table_html

if TYPE_CHECKING:
    from fedkit.stewardship import Stewardship

_STYLE = {"description_width": "190px"}


class BatchReview(FedkitWidget):
    """Groups of waiting requests that are alike, decided together. Each request still gets its own signature.

    desk: whose acts the buttons are.   changed: called after a decision.

    `groups` are what is shown; `decide(number, approved=…)` does what the buttons do with group 0, 1, …
    """

    def __init__(self, desk: Stewardship, changed: Callable[[], None] | None = None) -> None:
        super().__init__()
        self._desk, self._changed_hook = desk, changed
        self.groups: list[Alike] = []
        wide = ipywidgets.Layout(width="100%", max_width="680px")
        self._choice = ipywidgets.Dropdown(description="Group", style=_STYLE, layout=wide)
        self._differences = ipywidgets.HTML()
        self.rounds = ipywidgets.IntText(value=1, description="Executions granted", style=_STYLE)
        self.reason = ipywidgets.Text(
            description="Reason for all", placeholder="needed for a denial", style=_STYLE, layout=wide
        )
        self._approve = button("Approve all of them", partial(self._in_background, partial(self._act, True)), "go")
        self._deny = button("Deny all of them", partial(self._in_background, partial(self._act, False)), "no")
        for field in (self._choice, self.rounds, self.reason):
            field.observe(lambda _: self._refresh(), names="value")
        self._fill(
            self._choice, self._differences, self.rounds, self.reason, ipywidgets.HBox([self._approve, self._deny])
        )  # fmt: skip
        self._refresh()

    def load(self) -> list[Alike]:
        """Read the groups from the site; those of one request need no batch and are left out."""
        groups = [group for group in self._desk.alike() if len(group.digests) > 1]
        with self.lock:
            self.groups = groups
            self._choice.options = [(f"{len(g.digests)} of kind {g.kind}: {g.titles[0]}", n) for n, g in enumerate(groups)]
        self._refresh()
        return groups

    def decide(self, number: int, *, approved: bool, reason: str = "", rounds: int | None = None) -> list[RequestState]:
        """Decide on all requests of a group. Raises RequestError for a group that is none, or a denial without a reason."""
        if not 0 <= number < len(self.groups):
            raise RequestError("no such group", expected=f"a number below {len(self.groups)}", got=str(number))
        self._choice.value = number
        self.reason.value = reason
        if rounds is not None:
            self.rounds.value = rounds
        done: list[RequestState] = self._attempt(partial(self._act, approved), again=True)
        return done

    def _act(self, approved: bool) -> list[RequestState]:
        group = self.groups[self._choice.value]
        states = self._desk.decide_all(
            group.digests,
            approved=approved,
            reason=self.reason.value.strip(),
            rounds=self.rounds.value if approved else None,
        )
        self.say(f"{len(states)} requests {'approved' if approved else 'denied'}, each with its own signature.", "done")
        if self._changed_hook is not None:
            self._changed_hook()
        return states

    def _refresh(self) -> None:
        with self.lock:
            select_first(self._choice)
            chosen = self.groups[self._choice.value] if self._choice.value is not None and self.groups else None
            self._differences.value = differences_html(chosen) if chosen else "<p>No two waiting requests are alike.</p>"
            idle = chosen is not None and not self.busy
            self._approve.disabled = not (idle and self.rounds.value >= 1)
            self._deny.disabled = not (idle and self.reason.value.strip())
            for field in (self._choice, self.rounds, self.reason):
                field.layout.display = "" if self.groups else "none"

    def static_html(self) -> str:
        return "".join(differences_html(group) for group in self.groups) or "<p>No two waiting requests are alike.</p>"

    def static_text(self) -> str:
        rows = [f"  {len(group.digests)} of kind {group.kind}: {group.titles[0]}" for group in self.groups]
        return "\n".join([f"{len(rows)} groups of requests that are alike", *rows])


def differences_html(group: Alike) -> str:
    """Where the requests of a group differ: a row each, with the settings that are not the same in all."""
    names = list(group.settings)
    rows = [
        (title, researcher[:10], *(_shown(group.settings[name][at]) for name in names))
        for at, (title, researcher) in enumerate(zip(group.titles, group.researchers, strict=True))
    ]
    return table_html(
        rows,
        ("Request", "Who asks", *names),
        caption=f"{len(rows)} requests with the same code, data set, kind and output contract; they differ only in this",
    )


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
