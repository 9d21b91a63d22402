"""What the sites said of a question before it runs: who would answer, what it costs, which rule said no and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fedkit.errors import FedkitError
from fedkit.warehouse.plan_report import PlanReport
from fedkit.widgets.base import escape, table_html

#: What a site said, or why it said nothing.
Plans = Mapping[str, PlanReport | FedkitError]


def plan_html(plans: Plans, *, details: bool = True) -> str:
    """A row for each site, the rules that said no with what to do, and, to be opened, the others and the SQL.

    "" before anything was planned.
    """
    if not plans:
        return ""
    reports = [report for report in plans.values() if isinstance(report, PlanReport)]
    parts = ["<h4>What the sites would do</h4>", _sites_html(plans), _refused_html(reports)]
    if details:
        parts += [_passed_html(reports), _sql_html(reports)]
    return "".join(parts)


def plan_text(plans: Plans) -> list[str]:
    """A line for each site."""
    return [f"{site}: {says(report)}" for site, report in plans.items()]


def says(report: PlanReport | FedkitError) -> str:
    """What a site would do, in a few words."""
    if isinstance(report, FedkitError):
        return f"no answer: {report.message}"
    if report.refused:
        return f"refuses: {', '.join(verdict.rule for verdict in report.refused)}"
    if not report.affordable:
        return "refuses: the budget does not cover it"
    return "answers from memory, at no cost" if report.remembered else "answers"


def askable(plans: Plans) -> list[str]:
    """The sites that would answer."""
    return [site for site, report in plans.items() if isinstance(report, PlanReport) and report.allowed]


def rho(value: float | None) -> str:
    """A privacy cost for people: up to four digits, none of it lost as 0."""
    return "–" if value is None else f"{value:.4g}"


def _sites_html(plans: Plans) -> str:
    rows = []
    for site, report in plans.items():
        if isinstance(report, FedkitError):
            rows.append((site, says(report), "–", "–", "–", "–"))
            continue
        cost = 0.0 if report.remembered else report.cost_rho
        left = report.left_rho
        after = None if left is None else left - cost if report.allowed else left
        rows.append((site, says(report), str(report.groups), rho(cost), rho(left), rho(after)))
    columns = ("Site", "What it would do", "Rows at most", "Cost (rho)", "Left now", "Left after")
    return table_html(rows, columns, numeric=(2, 3, 4, 5))


def _refused_html(reports: Sequence[PlanReport]) -> str:
    """The rules that said no, each once with the sites where it did; and a budget that does not cover the question."""
    rows = _by_rule(reports, passed=False)
    poor = [report.site for report in reports if not report.affordable]
    if poor:
        why = "What is left is less than this costs. Ask with a lower rho, or for a new budget with another data request."
        rows.append(("budget", ", ".join(poor), why))
    if not rows:
        return ""
    return "<h4>Why not</h4>" + table_html(rows, ("Rule", "At", "Why, and what to do"))


def _passed_html(reports: Sequence[PlanReport]) -> str:
    rows = _by_rule(reports, passed=True)
    if not rows:
        return ""
    table = table_html(rows, ("Rule", "At", "What it says"))
    return f"<details><summary>Rules that had nothing against it, {len(rows)}</summary>{table}</details>"


def _by_rule(reports: Sequence[PlanReport], *, passed: bool) -> list[tuple[str, str, str]]:
    """(rule, sites, why), each pair of rule and reason once."""
    found: dict[tuple[str, str], list[str]] = {}
    for report in reports:
        for verdict in report.verdicts:
            if verdict.passed == passed:
                found.setdefault((verdict.rule, verdict.why), []).append(report.site)
    return [(rule, ", ".join(sites), why) for (rule, why), sites in found.items()]


def _sql_html(reports: Sequence[PlanReport]) -> str:
    """What would be run: a site's own, made of the question; the same text once with all its sites."""
    found: dict[str, list[str]] = {}
    for report in reports:
        found.setdefault(report.sql, []).append(report.site)
    inside = "".join(
        f'<p class="fk-soft">at {escape(", ".join(sites))}</p><pre class="fk-text" tabindex="0">{escape(text)}</pre>'
        for text, sites in found.items()
        if text
    )
    return f"<details><summary>The SQL that each site would run</summary>{inside}</details>" if inside else ""
