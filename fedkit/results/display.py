"""Cells as plain text and as HTML in which everything is escaped: category values are somebody's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

#: Rows that are shown; the rest is counted.
MOST_ROWS = 60


@dataclass(frozen=True)
class Cells:
    """A table to look at: names of columns, rows of ready texts, and how many columns from the left are no numbers."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1


def as_text(title: str, cells: Cells, footer: Sequence[str]) -> str:
    """Columns side by side, numbers to the right."""
    shown, rest = cells.rows[:MOST_ROWS], len(cells.rows) - MOST_ROWS
    widths = [max(len(row[i]) for row in (cells.head, *shown)) for i in range(len(cells.head))]
    lines = [
        "  ".join(
            text.ljust(w) if i < cells.words else text.rjust(w) for i, (text, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in (cells.head, *shown)
    ]
    more = [f"… {rest} more rows"] if rest > 0 else []
    return "\n".join([title, *(line.rstrip() for line in lines), *more, *footer])


def as_html(title: str, cells: Cells, footer: Sequence[str]) -> str:
    """A table of its own, without script and without anything to load."""
    shown, rest = cells.rows[:MOST_ROWS], len(cells.rows) - MOST_ROWS

    def row(texts: Sequence[str], tag: str) -> str:
        sides = ("left" if i < cells.words else "right" for i in range(len(texts)))
        scope = ' scope="col"' if tag == "th" else ""
        marked = (
            f'<{tag}{scope} style="text-align:{side};padding:2px 10px">{escape(text)}</{tag}>'
            for text, side in zip(texts, sides, strict=True)
        )
        return f"<tr>{''.join(marked)}</tr>"

    body = "".join(row(texts, "td") for texts in shown)
    below = [*([f"… {rest} more rows"] if rest > 0 else []), *footer]
    return (
        '<table class="fedkit-result" style="border-collapse:collapse">'
        f'<caption style="text-align:left">{escape(title)}</caption>'
        f"<thead>{row(cells.head, 'th')}</thead><tbody>{body}</tbody></table>"
        + "".join(f'<div style="font-size:90%">{escape(line)}</div>' for line in below)
    )
