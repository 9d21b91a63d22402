"""Everything about one request as HTML, for the steward who decides: pure functions of a `Review`.

What changes from run to run (seconds, dates, tracebacks) stands in the live page alone, so that a committed notebook compares.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fedkit.governance.differences import NOTHING_CHANGED, Change
from fedkit.governance.review import MockResult, RequestState, Review
from fedkit.widgets.base import escape, facts_html, table_html
from fedkit.widgets.code import diff_html, findings_html, link_to, source_html, text_html
from fedkit.widgets.words import granted_words, leaves, privacy_words, request_facts, spent_words, state_words

#: Words of the column that says what a change means for the steward.
_COLOUR = {"approved": "fk-good", "denied": "fk-bad", "revoked": "fk-bad", "expired": "fk-warn", "lapsed": "fk-warn"}


def page_html(review: Review, *, what: str = "", anchor: str = "") -> str:
    """The live page.

    what: what the code is for, in a template's words; "" for code of the researcher's own.
    anchor: unique on the page; findings then lead to their line in the source.
    """
    request = review.request
    return (
        _title(review)
        + '<p class="fk-soft">Steps 5 and 6: review, decide.</p>'
        + _asked(review, what)
        + "<h4>Findings of a static look at the source</h4>"
        + findings_html(review.findings, request.source, anchor)
        + _difference(review, anchor)
        + _fold(f"Source, {len(request.source.splitlines())} lines", source_html(request.source, review.findings, anchor))
        + "<h4>Rehearsal on the mock twin</h4>"
        + rehearsals_html(review.rehearsals, tracebacks=True)
        + standing_html(review)
        + rules_html(review.rules)
        + "<h4>Decision</h4>"
    )


def summary_html(review: Review, state: RequestState, *, what: str = "") -> str:
    """The page for a notebook that is not running: the same facts, nothing that differs from run to run."""
    return (
        _title(review)
        + _asked(review, what)
        + "<h4>Findings of a static look at the source</h4>"
        + findings_html(review.findings, review.request.source)
        + ("<h4>Difference by meaning</h4>" + changes_html(review.changes) if review.changes else "")
        + "<h4>Rehearsal on the mock twin</h4>"
        + rehearsals_html(review.rehearsals)
        + standing_html(review)
        + state_html(state)
    )


def changes_html(changes: Sequence[Change], anchor: str = "") -> str:
    """The difference to the last approved version by meaning, a sentence each; lines are those of this request's source."""
    rows = [
        (change.sentence, f"{change.kind} {change.where}", link_to(change.new_lines[0], anchor) if change.new_lines else "")
        for change in changes
    ]
    return table_html(rows, ("What changed", "Where", "Line"), numeric=(2,), empty=NOTHING_CHANGED)


def rehearsals_html(results: Sequence[MockResult], *, tracebacks: bool = False) -> str:
    """How each entry went on the mock twin. tracebacks: with the whole traceback, which is of mock notes alone."""
    rows = [(r.entry, r.error or "passed", f"{r.bytes_out:,}") for r in results]
    table = table_html(rows, ("Entry", "Outcome", "Bytes out"), numeric=(2,), empty="not rehearsed")
    table += "".join(
        released_html(rows, f"Table {name} of mock notes, as the site would let it out")
        for r in results
        for name, rows in r.tables.items()
    )
    told = [
        _fold(f"Traceback of {r.entry}, on mock notes", text_html(r.traceback, f"Traceback of {r.entry}"))
        for r in results
        if tracebacks and r.traceback
    ]
    return table + "".join(told)


def released_html(rows: Sequence[Mapping[str, Any]], caption: str) -> str:
    """A table of plain rows as they left a site. Rows that are not there were too small, or would have given others away."""
    if not rows:
        return f"<p>{escape(caption)}: no row may leave.</p>"
    columns = list(rows[0])
    numbers = [n for n, name in enumerate(columns) if not isinstance(rows[0][name], str)]
    return table_html([[row[name] for name in columns] for row in rows], columns, caption=caption, numeric=numbers)


def rules_html(rules: Sequence[str]) -> str:
    """The site's rules, a sentence each."""
    if not rules:
        return ""
    plain = [re.sub(r"^\d+ ", "", rule) for rule in rules]  # numbered as they are asked
    listed = "".join(f"<li>{escape(rule)}</li>" for rule in plain)
    return _fold(f"What this site asks of every run, {len(rules)} rules", f"<ol>{listed}</ol>")


def standing_html(review: Review) -> str:
    """Standing approvals that are about the same, and why none of them spares this decision; "" if there is none."""
    if not review.standing:
        return ""
    return "<h4>Standing approvals that come near</h4>" + table_html(
        [(near.title, near.why or "covers it") for near in review.standing], ("Standing approval", "Why it does not cover this")
    )


def state_html(state: RequestState) -> str:
    """Where a request stands, in words and colour."""
    told = f": {escape(state.reason)}" if state.reason else ""
    granted = f" Executions granted: {escape(granted_words(state))}." if state.granted else ""
    word = f'<span class="{_COLOUR.get(state.status, "fk-soft")}">{escape(state_words(state))}</span>'
    return f"<p>{word}{told}.{granted}</p>"


def _title(review: Review) -> str:
    return f"<h3>Review at {escape(review.site)}: {escape(review.request.title)}</h3>"


def _asked(review: Review, what: str) -> str:
    request = review.request
    facts = request_facts(request)
    if what:
        facts.insert(0, ("What it does", what))
    costs = [(f"Privacy cost of {e.name}", privacy_words(e)) for e in request.entries if e.privacy is not None]
    facts += [*costs, ("Privacy budget", spent_words(review.spent))] if costs else []
    rows = [(e.name, e.executions, " ".join(leaves(e.contract))) for e in request.entries]
    return (
        facts_html(facts)
        + "<h4>What may run, and what may leave</h4>"
        + table_html(rows, ("Entry", "Executions asked", "What may leave"), numeric=(1,))
    )


def _difference(review: Review, anchor: str) -> str:
    """By meaning, with the lines to be unfolded; one sentence where nothing like it was approved before."""
    if not review.diff.strip():
        return "<h4>Difference to the last approved version</h4>" + diff_html("")
    return (
        "<h4>Difference to the last approved version</h4>"
        + changes_html(review.changes, anchor)
        + _fold("The same as lines", diff_html(review.diff))
    )


def _fold(title: str, inside: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{inside}</details>"
