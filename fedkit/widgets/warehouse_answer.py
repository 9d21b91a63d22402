"""An answer of the warehouse as a table and as bars: what a site kept back is shown as kept back, and by whom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import ipywidgets

from fedkit.results.warehouse import WarehouseAnswer
from fedkit.warehouse.explain import explain
from fedkit.warehouse.measures import COUNTS
from fedkit.warehouse.noise.sensitivity import deviations
from fedkit.warehouse.question import Question
from fedkit.warehouse.schema import SCHEMA
from fedkit.widgets.base import FedkitWidget, escape, table_html
from fedkit.widgets.warehouse_bars import Bar, bars_svg

#: Rows of a table on the page; the rest is counted, and stands in `answer.combined`.
MOST_ROWS = 200


class AnswerView(FedkitWidget):
    """One answer, to end a cell with: figures, bars, what was kept back where, who is missing and why, and each site's part."""

    def __init__(self, answer: WarehouseAnswer) -> None:
        super().__init__()
        self.answer = answer
        self._fill(ipywidgets.HTML(answer_html(answer)))

    def static_html(self) -> str:
        return answer_html(self.answer, details=False)

    def static_text(self) -> str:
        return repr(self.answer)


def answer_html(answer: WarehouseAnswer, *, details: bool = True) -> str:
    """The answer as HTML.   details: whether each site's part may be opened below it, as it left the site."""
    inside = details_html(answer) if details else ""
    question = answer.question
    asked = f"<p>{escape(explain(question))}</p>" if isinstance(question, Question) else ""
    return f"<h4>{escape(answer.title())}</h4>{asked}{figures_html(answer)}{told_html(answer)}{inside}"


def figures_html(answer: WarehouseAnswer) -> str:
    """The table, and bars if there is more than one row and something to draw."""
    cells = answer.cells()
    hidden = [row["hidden"] for row in answer.combined]
    rows: list[Sequence[object]] = list(cells.rows[:MOST_ROWS])
    head = _head(answer)
    if any(hidden) and not _by_site(answer):
        rows = [[*row, ", ".join(where)] for row, where in zip(rows, hidden, strict=False)]
        head.append("kept back at" if not answer.pooled else "too few at")
    numeric = range(cells.words, len(cells.head))
    more = f'<p class="fk-soft">{len(cells.rows) - MOST_ROWS} more rows.</p>' if len(cells.rows) > MOST_ROWS else ""
    return table_html(rows, head, numeric=numeric, empty="no figure") + more + drawn_html(answer)


def drawn_html(answer: WarehouseAnswer) -> str:
    """The bars of the first measure; "" where there are fewer than two rows, or nothing but words."""
    bars = bars_of(answer)
    return bars_svg(bars, what=_head(answer)[answer.cells().words]) if len(bars) > 1 else ""


def bars_of(answer: WarehouseAnswer) -> list[Bar]:
    """A bar for each row of the combined answer, with a colour for each value of the last group, and a whisker of its noise."""
    question = answer.question
    if not isinstance(question, Question) or not question.by:
        return []
    cells, measure = answer.cells(), question.measures[0].name
    last = [str(row[question.by[-1].column]) for row in answer.combined] if len(question.by) > 1 else []
    colors = {label: number for number, label in enumerate(dict.fromkeys(last))}
    bars = []
    for number, (row, texts) in enumerate(zip(answer.combined, cells.rows, strict=True)):
        value, kept = row[measure], bool(row["hidden"])
        bars.append(
            Bar(
                " · ".join(texts[: cells.words]),
                None if value is None else float(value),
                texts[cells.words],
                partly=kept and value is not None,
                margin=0.0 if value is None else _margin(answer, len(row["hidden"])),
                series=colors[last[number]] if last else 0,
            )
        )
    return bars


def told_html(answer: WarehouseAnswer) -> str:
    """What to know beside the figures: noise, rows that stayed, sites that gave nothing and why."""
    missing = [f"{site} gave nothing: {why}" for site, why in answer.missing.items()]
    parts = [f'<p class="fk-soft">{escape(answer.note())}</p>' if answer.note() else ""]
    if missing:
        parts.append(f'<div class="fk-box" role="status">{escape(chr(10).join(missing))}</div>')
    return "".join(parts)


def details_html(answer: WarehouseAnswer) -> str:
    """What left each site, as it left: to be opened. "" for an answer of which no site's own part is known."""
    question = answer.question
    if not isinstance(question, Question) or answer.pooled:
        return ""
    groups = [group.column for group in question.groups]
    head = [*groups, *question.parts]
    table = partial(table_html, columns=head, numeric=range(len(groups), len(head)), empty="no row left this site")
    inside = "".join(
        table([[row[name] for name in head] for row in rows[:MOST_ROWS]], caption=f"What left {site}")
        for site, rows in answer.parts.items()
    )
    return f"<details><summary>What left each site</summary>{inside}</details>"


def _margin(answer: WarehouseAnswer, absent: int) -> float:
    """Half of a 95 % interval for the noise in a combined count to which `absent` sites gave nothing; 0 without noise."""
    question = answer.question
    if not isinstance(question, Question) or not question.cost() or question.measures[0].kind not in COUNTS:
        return 0.0
    parts = 1 if answer.pooled or _by_site(answer) else len(answer.receipts) - absent
    return 1.96 * deviations(question)[question.measures[0].kind] * math.sqrt(parts)


def _head(answer: WarehouseAnswer) -> list[str]:
    """The columns' names for people: rows of a view are called what they are."""
    head, question = list(answer.cells().head), answer.question
    if isinstance(question, Question):
        named = {"rows": f"{SCHEMA.view(question.view).one_row_is}s"}
        head = [named.get(name, name.replace("_", " ")) for name in head]
    return head


def _by_site(answer: WarehouseAnswer) -> bool:
    return isinstance(answer.question, Question) and any(group.column == "site" for group in answer.question.by)
