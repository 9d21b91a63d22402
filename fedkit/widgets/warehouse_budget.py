"""What is left of a data request at each site: questions and privacy budget, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fedkit.errors import FedkitError
from fedkit.governance.review import RequestState
from fedkit.widgets.base import table_html
from fedkit.widgets.warehouse_plan import rho
from fedkit.widgets.words import state_words


@dataclass(frozen=True)
class Budget:
    """A data request at one site.

    state: where it stands there, or why that is not known.   entry: the one that answers questions.
    rho:   what is left of the privacy budget; None where that is not known, or nothing was approved yet.
    """

    site: str
    state: RequestState | FedkitError
    entry: str
    rho: float | None = None

    @property
    def questions(self) -> int | None:
        """How many may still be asked; None before the approval, or where that is not known."""
        if isinstance(self.state, FedkitError) or self.entry not in self.state.granted:
            return None
        return max(0, self.state.granted[self.entry] - self.state.used.get(self.entry, 0))

    @property
    def says(self) -> str:
        """Where it stands, in a few words, with the reason where there is one."""
        if isinstance(self.state, FedkitError):
            return f"not known: {self.state.message}"
        return state_words(self.state) + (f": {self.state.reason}" if self.state.reason else "")


def budget_html(budgets: Sequence[Budget]) -> str:
    """A row for each site; "" where there is none to show."""
    if not budgets:
        return ""
    rows = [(b.site, b.says, "–" if b.questions is None else str(b.questions), rho(b.rho)) for b in budgets]
    return table_html(rows, ("Site", "Data request", "Questions left", "Budget left (rho)"), numeric=(2, 3))


def least(budgets: Sequence[Budget]) -> tuple[int | None, float | None]:
    """The fewest questions and the smallest budget that any site has left: what a question to all of them can rest on."""
    questions = [b.questions for b in budgets if b.questions is not None]
    left = [b.rho for b in budgets if b.rho is not None]
    return min(questions, default=None), min(left, default=None)
