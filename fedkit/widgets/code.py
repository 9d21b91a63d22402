"""Source, findings and differences as tables, escaped line by line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from fedkit.governance.review import Finding
from fedkit.widgets.base import Html, escape, table_html
from fedkit.widgets.words import LEVELS

_COLOUR = {"refuse": "fk-bad", "warn": "fk-warn"}
_LONGEST = 120


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """By level, then by line; a level that nobody knows comes last."""
    order = list(LEVELS)
    return sorted(findings, key=lambda f: (order.index(f.level) if f.level in order else len(order), f.line, f.rule))


def findings_html(findings: Sequence[Finding], source: str, anchor: str = "") -> str:
    """The findings, worst first, each with the line of the source that it is about.

    anchor: that of `source_html`; the numbers of the lines then lead there.
    """
    lines = source.splitlines()

    def row(finding: Finding) -> tuple[object, ...]:
        code = lines[finding.line - 1].strip() if 1 <= finding.line <= len(lines) else ""
        where = link_to(finding.line, anchor if code else "")
        return _weight(finding), where, finding.rule, finding.message, Html(f"<code>{escape(_shortened(code))}</code>")

    columns = ("Weight", "Line", "Rule", "What", "In the source")
    return table_html(map(row, worst_first(findings)), columns, numeric=(1,), empty="nothing found")


def link_to(line: int, anchor: str) -> Html:
    """The number of a line, leading to it where the source stands on the page under that anchor."""
    return Html(f'<a href="#{escape(anchor)}-{line}">{line}</a>' if anchor else str(line))


def source_html(source: str, findings: Sequence[Finding] = (), anchor: str = "", label: str = "Source") -> str:
    """The source with line numbers from 1; what was found stands below its line, in words and tinted.

    anchor: makes each line a place that a link can lead to, `#<anchor>-<line>`; unique on the page.
    """
    at: dict[int, list[Finding]] = defaultdict(list)
    for finding in worst_first(findings):
        at[finding.line].append(finding)
    rows = []
    for number, line in enumerate(source.splitlines(), 1):
        mark = ' class="fk-mark"' if number in at else ""
        place = f' id="{escape(anchor)}-{number}"' if anchor else ""
        rows.append(f'<tr{mark}{place}><th scope="row">{number}</th><td>{escape(line)}</td></tr>')
        rows += [f'<tr class="fk-found"><td></td><td>{_weight(f)}: {escape(f.message)}</td></tr>' for f in at.get(number, ())]
    return _scroll(f'<table class="fk-code"><tbody>{"".join(rows)}</tbody></table>', label)


def diff_html(diff: str, label: str = "Difference as lines") -> str:
    """A unified diff, added and removed lines tinted; the signs at the start of the lines say the same."""
    if not diff.strip():
        return "<p>No version was approved here before, or nothing differs.</p>"
    rows = []
    for line in diff.splitlines():
        changed = not line.startswith(("+++", "---"))
        mark = {"+": ' class="fk-add"', "-": ' class="fk-del"'}.get(line[:1], "") if changed else ""
        rows.append(f"<tr{mark}><td>{escape(line)}</td></tr>")
    return _scroll(f'<table class="fk-code"><tbody>{"".join(rows)}</tbody></table>', label)


def text_html(text: str, label: str) -> str:
    """Text as it was printed, such as a traceback, in a box that scrolls."""
    return _scroll(f'<pre class="fk-text">{escape(text)}</pre>', label)


def _weight(finding: Finding) -> Html:
    word = escape(LEVELS.get(finding.level, finding.level))
    return Html(f'<b class="{_COLOUR.get(finding.level, "")}">{word}</b>')


def _scroll(inside: str, label: str) -> str:
    """A box that scrolls and that a keyboard reaches."""
    return f'<div class="fk-scroll" tabindex="0" role="region" aria-label="{escape(label)}">{inside}</div>'


def _shortened(line: str) -> str:
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
