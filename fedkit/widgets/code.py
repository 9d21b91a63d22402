"""Source and differences as tables with line numbers, escaped line by line."""

from __future__ import annotations

from collections.abc import Mapping

from fedkit.widgets.base import escape


def source_html(source: str, marked: Mapping[int, str] | None = None) -> str:
    """The source with line numbers from 1. marked: line → level of a finding there, shown as a tint and in words."""
    rows = []
    for number, line in enumerate(source.splitlines(), 1):
        level = (marked or {}).get(number)
        mark = f' class="fk-mark" title="{escape(level)}"' if level else ""
        rows.append(f'<tr{mark}><th scope="row">{number}</th><td>{escape(line)}</td></tr>')
    return f'<div class="fk-scroll" tabindex="0"><table class="fk-code"><tbody>{"".join(rows)}</tbody></table></div>'


def diff_html(diff: str) -> str:
    """A unified diff, added and removed lines tinted; the signs at the start of the lines say the same."""
    if not diff.strip():
        return "<p>No version was approved here before, or nothing differs.</p>"
    rows = []
    for line in diff.splitlines():
        changed = not line.startswith(("+++", "---"))
        mark = {"+": ' class="fk-add"', "-": ' class="fk-del"'}.get(line[:1], "") if changed else ""
        rows.append(f"<tr{mark}><td>{escape(line)}</td></tr>")
    return f'<div class="fk-scroll" tabindex="0"><table class="fk-code"><tbody>{"".join(rows)}</tbody></table></div>'
