"""What would be asked, as it is being filled in, and where it stands once it was: for the researcher's form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fedkit.errors import FedkitError
from fedkit.governance.request import CodeRequest
from fedkit.governance.review import Finding, MockResult, RequestState
from fedkit.templates import template
from fedkit.widgets.base import escape, facts_html, table_html
from fedkit.widgets.code import findings_html, source_html
from fedkit.widgets.request_values import RequestValues
from fedkit.widgets.review_page import rehearsals_html
from fedkit.widgets.words import granted_words, leaves, privacy_words, state_words


def preview_html(values: RequestValues, draft: CodeRequest | None, findings: Sequence[Finding], problem: str) -> str:
    """The request as it would be: in words, what may leave, its cost and its digest, and what was found in one's own code.

    draft: None while it cannot be made; problem says why, or is "" where a field says so already.
    """
    found = ""
    if values.source.strip():
        found = "<h4>What a static look finds in your code</h4>" + findings_html(findings, values.source)
        worst = sum(f.level == "refuse" for f in findings)
        if worst:
            found += f'<p class="fk-bad" role="status">The sites refuse this code: mend {_lines(worst)}.</p>'
        marked = source_html(values.source, findings, label="Your code with what was found")
        found += f"<details><summary>Your code with what was found</summary>{marked}</details>"
    if draft is None:
        said = f'<div class="fk-box fk-error" role="status">{escape(problem)}</div>' if problem else ""
        return found + said
    facts: list[tuple[str, object]] = [("What it does", template(values.template).explain(draft.settings))]
    facts += [(f"What may leave by {entry.name}", " ".join(leaves(entry.contract))) for entry in draft.entries]
    facts += [("Privacy cost", privacy_words(entry)) for entry in draft.entries if entry.privacy is not None]
    facts += [("Digest, its name everywhere", draft.digest)]
    return found + "<h4>This is what the sites are asked</h4>" + facts_html(facts)


def states_html(states: Mapping[str, RequestState | FedkitError]) -> str:
    """Where the request stands at each site; a site that was not reached says so. "" before it was submitted."""
    if not states:
        return ""
    rows = [
        (site, state_words(state), granted_words(state), state.reason)
        if isinstance(state, RequestState)
        else (site, "not known", "", state.message)
        for site, state in states.items()
    ]
    return "<h4>Where it stands</h4>" + table_html(rows, ("Site", "State", "Executions granted", "Reason"))


def results_html(results: Sequence[MockResult]) -> str:
    """The rehearsals, a table a site; "" before there are any."""
    by_site: dict[str, list[MockResult]] = {}
    for result in results:
        by_site.setdefault(result.site, []).append(result)
    inside = "".join(f"<h4>{escape(site)}</h4>{rehearsals_html(several, tracebacks=True)}" for site, several in by_site.items())
    return f"<details><summary>Rehearsals on mock notes, {len(results)} runs</summary>{inside}</details>" if inside else ""


def _lines(number: int) -> str:
    return "that line" if number == 1 else f"those {number} lines"
