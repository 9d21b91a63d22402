"""All sites' plans of one question as one: what it costs, what is left, which rule refuses it where, who cannot be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fedkit.errors import FedkitError, LimitReached, NotApproved, Refused, SiteError
from fedkit.results.display import Cells, as_html, as_text
from fedkit.warehouse.plan_report import PlanReport
from fedkit.warehouse.question import Asked


@dataclass(frozen=True, repr=False)
class Plan:
    """What would happen if the question were asked now. Nothing ran for it, and nothing in it depends on the data.

    reports: site → its report.   missing: site → what kept it from making one: not reached, not approved, a question that it
    does not have.
    """

    question: Asked
    reports: Mapping[str, PlanReport]
    missing: Mapping[str, FedkitError]

    @property
    def willing(self) -> list[str]:
        """The sites that would answer."""
        return [site for site, report in self.reports.items() if report.allowed]

    @property
    def cost_rho(self) -> float:
        """What it takes of the budget at each site that would answer and has not answered it before (zCDP rho)."""
        return max((r.cost_rho for r in self.reports.values() if r.allowed and not r.remembered), default=0.0)

    @property
    def left_rho(self) -> float | None:
        """The least that any willing site has left before the question; None where there is no budget."""
        left = [r.left_rho for r in self.reports.values() if r.allowed and r.left_rho is not None]
        return min(left, default=None)

    @property
    def why_not(self) -> dict[str, str]:
        """Site → why it would not answer, in a sentence; the sites that would are not in it."""
        found = {site: error.message for site, error in self.missing.items()}
        return {**found, **{site: _refusal(report).message for site, report in self.reports.items() if not report.allowed}}

    def to_json(self) -> dict[str, Any]:
        return {
            "question": self.question.to_json(),
            "reports": {site: report.to_json() for site, report in self.reports.items()},
            "missing": {site: error.to_json() for site, error in self.missing.items()},
            "willing": self.willing,
        }

    def refusal(self) -> FedkitError:
        """Why nobody would answer: the error to raise when `willing` is empty."""
        return nobody({**self.missing, **{s: _refusal(report) for s, report in self.reports.items() if not report.allowed}})

    def __repr__(self) -> str:
        return as_text(self._title(), self._cells(), self._footer())

    def _repr_html_(self) -> str:
        return as_html(self._title(), self._cells(), self._footer())

    def _title(self) -> str:
        everybody = len(self.reports) + len(self.missing)
        return f"{len(self.willing)} of {everybody} sites would answer, with up to {self._groups} rows each"

    @property
    def _groups(self) -> int:
        return max((report.groups for report in self.reports.values()), default=0)

    def _cells(self) -> Cells:
        rows = []
        for site, report in self.reports.items():
            left = "no budget" if report.left_rho is None else f"{report.left_rho:g}"
            cost = "from memory" if report.remembered else f"{report.cost_rho:g}"
            rows.append([site, "yes" if report.allowed else "no", cost, left])
        rows += [[site, "no", "–", "–"] for site in self.missing]
        return Cells(["site", "would answer", "cost (rho)", "left (rho)"], rows, words=2)

    def _footer(self) -> list[str]:
        return [f"{site} would not answer: {why}" for site, why in self.why_not.items()]


def nobody(errors: Mapping[str, FedkitError]) -> FedkitError:
    """What to raise when no site gives an answer: the first refusal, which says more than a site that is not there, with what
    every site said."""
    if not errors:
        return SiteError("there is no site to ask", expected="a federation with sites", got="none")
    first = next((error for error in errors.values() if not isinstance(error, SiteError)), next(iter(errors.values())))
    told = "; ".join(f"{site}: {error.message}" for site, error in errors.items())
    return type(first)(
        f"no site answers: {first.message}",
        expected=first.expected,
        got=told,
        help=first.help or "ask the sites' stewards, or ask another question",
    )


#: What a question ends in that a rule of the site does not let through; other rules end in Refused.
_ENDS_IN: Mapping[type[Refused], tuple[str, ...]] = {
    NotApproved: ("SignedApproval", "NeededApprovals"),
    LimitReached: ("ExecutionLimit", "Rate", "Quota", "PrivacyBudget", "DeclaredBudget"),
}


def _refusal(report: PlanReport) -> FedkitError:
    """What a report that is not allowed says, as the error that running it would end in."""
    if report.refused:
        first = report.refused[0]
        kind = next((kind for kind, rules in _ENDS_IN.items() if first.rule in rules), Refused)
        return kind(
            f"{first.why} (rule {first.rule})", expected="a question that every rule lets through", got="one it does not"
        )
    left = 0.0 if report.left_rho is None else report.left_rho
    return LimitReached(
        f"the privacy budget does not cover it: it costs rho {report.cost_rho:g}, {left:g} is left",
        expected=f"at most rho {left:g}",
        got=f"{report.cost_rho:g}",
        help="ask with a smaller rho, or open another data request; what was answered may be asked again at no cost",
    )
