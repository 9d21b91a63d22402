"""Steps 5 and 6 in a lesson, where one person is every site's steward in turn: the panels of all sites behind a dropdown."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import ipywidgets

from fedkit.errors import RequestError
from fedkit.governance.review import RequestState
from fedkit.widgets.base import FedkitWidget, table_html
from fedkit.widgets.review_panel import ReviewPanel
from fedkit.widgets.words import granted_words

if TYPE_CHECKING:
    from fedkit.study import Study


class ReviewDesk(FedkitWidget):
    """Several panels, one of them shown, and a table of all decisions.

    `panels[site]` is that site's panel; `approve_rest()` approves what nobody has decided yet.
    """

    def __init__(self, panels: Sequence[ReviewPanel]) -> None:
        super().__init__()
        self.panels = {panel.site: panel for panel in panels}
        self._choice = ipywidgets.Dropdown(
            options=list(self.panels), description="Steward of", style={"description_width": "190px"}
        )
        self._place = ipywidgets.VBox()
        self._table = ipywidgets.HTML()
        self._choice.observe(lambda _: self._refresh(), names="value")
        for panel in panels:
            panel.watch(self._refresh)
        self._fill(self._choice, self._place, self._table)
        self._refresh()

    @classmethod
    def for_study(cls, study: Study, *, days: int = 30) -> ReviewDesk:
        """A panel for each site of a study, with what that site shows its steward; each decides with its own steward's key."""
        return cls([ReviewPanel(study.review(site), partial(study.decide, site), days=days) for site in study.sites])

    @property
    def states(self) -> dict[str, RequestState]:
        """Site → where the request stands there."""
        return {site: panel.state for site, panel in self.panels.items()}

    def choose(self, site: str) -> ReviewPanel:
        """Show the panel of a site, as the dropdown does. Raises RequestError for a site without one."""
        if site not in self.panels:
            raise RequestError("no such site on this desk", expected=f"one of {list(self.panels)}", got="another name")
        self._choice.value = site
        return self.panels[site]

    def approve_rest(self) -> dict[str, RequestState]:
        """Approve at every site that waits for a decision; a denial stays a denial. Returns all states."""
        for panel in self.panels.values():
            panel.wait()
            if panel.state.status == "pending":
                panel.approve()
        return self.states

    def _refresh(self) -> None:
        with self.lock:
            chosen = self.panels.get(self._choice.value)
            if self._place.children != ((chosen,) if chosen else ()):
                self._place.children = (chosen,) if chosen else ()
            self._table.value = self._decisions()

    def _decisions(self) -> str:
        rows = [(site, s.status, granted_words(s), s.reason) for site, s in self.states.items()]
        return table_html(
            rows,
            ("Site", "Decision", "Executions granted", "Reason"),
            caption="Decisions so far",
            empty="no site has a request",
        )

    def static_html(self) -> str:
        chosen = self.panels.get(self._choice.value)
        return (chosen.static_html() if chosen else "") + self._decisions()

    def static_text(self) -> str:
        rows = [f"  {site}: {s.status}{f' ({s.reason})' if s.reason else ''}" for site, s in self.states.items()]
        return "\n".join([f"Decisions at {len(self.panels)} sites", *rows])
