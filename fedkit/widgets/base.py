"""What every widget of fedkit shares: a static fallback, escaped HTML, errors shown in place, and work that never blocks.

A widget is a view. What it holds is data, read through plain properties, and every button has a method that does the same, so a
notebook works by clicking and by running all cells.
"""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import ipywidgets

from fedkit.errors import ExecutionFailed, FedkitError
from fedkit.widgets.theme import STYLE


def escape(value: object) -> str:
    """Text for HTML: nothing in it can become a tag or an attribute."""
    return html.escape(str(value), quote=True)


class Html(str):
    """HTML that was made here of escaped parts, such as a link: what a cell of a table may hold beside text."""

    __slots__ = ()


def _cell(value: object) -> str:
    return value if isinstance(value, Html) else escape(value)


def table_html(
    rows: Iterable[Sequence[object]],
    columns: Sequence[str],
    *,
    caption: str = "",
    numeric: Iterable[int] = (),
    empty: str = "nothing yet",
) -> str:
    """A real table with column headers; every cell is escaped unless it is `Html`.

    numeric: numbers of the columns that are set right-aligned, from 0.   empty: what stands there instead of no rows.
    """
    right = set(numeric)
    left, number = ' style="text-align: left"', ' class="n" style="text-align: right"'  # JupyterLab sets all cells right
    kind = [number if i in right else left for i in range(len(columns))]
    head = "".join(f'<th scope="col"{kind[i]}>{escape(c)}</th>' for i, c in enumerate(columns))
    body = ["<tr>" + "".join(f"<td{kind[i]}>{_cell(cell)}</td>" for i, cell in enumerate(row)) + "</tr>" for row in rows] or [
        f'<tr><td colspan="{len(columns)}"{left}>{escape(empty)}</td></tr>'
    ]
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def facts_html(rows: Iterable[tuple[str, object]]) -> str:
    """A table of names and values, a row each."""
    left = ' style="text-align: left"'
    return (
        "<table><tbody>"
        + "".join(f'<tr><th scope="row"{left}>{escape(k)}</th><td{left}>{escape(v)}</td></tr>' for k, v in rows)
        + "</tbody></table>"
    )


class Table:
    """A small table to end a cell with: HTML in a notebook, aligned text elsewhere.

    rows: of as many cells as there are columns.   numeric: numbers of the columns that are set right-aligned, from 0.
    """

    def __init__(
        self, rows: Iterable[Sequence[object]], columns: Sequence[str], *, caption: str = "", numeric: Iterable[int] = ()
    ) -> None:
        self.rows = [[str(cell) for cell in row] for row in rows]
        self.columns, self.caption, self.numeric = list(columns), caption, frozenset(numeric)

    def _repr_html_(self) -> str:
        return table_html(self.rows, self.columns, caption=self.caption, numeric=self.numeric)

    def __repr__(self) -> str:
        lines = [self.columns, *self.rows]
        width = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        text = [
            "  ".join(
                cell.rjust(w) if i in self.numeric else cell.ljust(w)
                for i, (cell, w) in enumerate(zip(line, width, strict=True))
            )
            for line in lines
        ]
        return "\n".join(line.rstrip() for line in ([self.caption] if self.caption else []) + text)


def as_fedkit_error(error: BaseException) -> FedkitError:
    """The error as one of ours. The words of a foreign exception are dropped: they could hold private text."""
    if isinstance(error, FedkitError):
        return error
    return ExecutionFailed(
        "something unexpected went wrong here",
        expected="a result or an error of fedkit",
        got=type(error).__name__,
        help="run the same call in a cell of its own to see where it comes from",
    )


class StaticFallback:
    """Adds stable `text/html` and `text/plain` to what a widget shows.

    A notebook that was not run, GitHub and a printed page then show the tables of `static_html`; JupyterLab shows the live
    widget; and nbval compares the content. Mix in before the widget class, and let both methods depend on content alone: no
    times, no addresses, no random names.
    """

    def static_html(self) -> str:
        raise NotImplementedError

    def static_text(self) -> str:
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        live = super()._repr_mimebundle_(**kwargs) or {}  # type: ignore[misc]
        return {**live, "text/html": self.static_html(), "text/plain": self.static_text()}

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.static_text().splitlines()[0]}"


class FedkitWidget(StaticFallback, ipywidgets.VBox):
    """A box with the theme, a place for messages, and one lock around its state.

    With some kernels a click arrives in a second thread while a cell is running, and reports of training come from a worker:
    everything that changes state holds `self.lock`. Nothing waits for another thread while holding it.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.error: FedkitError | None = None
        self._busy = False
        self._work: threading.Thread | None = None
        self._message = ipywidgets.HTML()
        super().__init__()
        self.add_class("fk")

    def _fill(self, *parts: ipywidgets.Widget) -> None:
        style = ipywidgets.HTML(STYLE)
        style.layout.display = "none"
        self.children = (style, *parts, self._message)

    def say(self, text: str, kind: str = "") -> None:
        """Show a message below the widget. kind: "", "done" or "error". An empty text clears it."""
        role = "alert" if kind == "error" else "status"
        mark = f" fk-{kind}" if kind else ""
        self._message.value = f'<div class="fk-box{mark}" role="{role}">{escape(text)}</div>' if text else ""

    def _attempt(self, work: Callable[[], Any], *, again: bool) -> Any:
        """Run `work`, show its error in the widget, and keep it in `self.error`.

        again: raise the error as well, for a method called in a cell; a button only shows it.
        """
        with self.lock:
            self.error = None
            self.say("")
        try:
            return work()
        except Exception as error:
            ours = as_fedkit_error(error)
            with self.lock:
                self.error = ours
                self.say(f"{type(ours).__name__}: {ours.diagnostics()}", "error")
            self._refresh()
            if again:
                raise ours from None
            return None

    def _in_background(self, work: Callable[[], Any]) -> None:
        """Run `work` in a thread of its own, so that the kernel goes on answering; one at a time."""

        def run() -> None:
            try:
                self._attempt(work, again=False)
            finally:
                self._busy = False
                self._refresh()

        with self.lock:
            if self._busy:
                return
            self._busy = True
            self._work = threading.Thread(target=run, name=f"fedkit-{type(self).__name__}", daemon=True)
            self._refresh()
            self._work.start()

    @property
    def busy(self) -> bool:
        """Whether work that a button started is still going on."""
        return self._busy

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the work that a button started. Returns whether it has ended. timeout: seconds, default none."""
        work = self._work
        if work is not None and work is not threading.current_thread():
            work.join(timeout)
        return not self._busy

    def _refresh(self) -> None:
        """Show the state again; each widget has its own."""


def button(text: str, on_click: Callable[[], object], kind: str = "") -> ipywidgets.Button:
    """A button with words on it. kind: "go" (the main act), "no" (a refusal) or ""."""
    made = ipywidgets.Button(description=text)
    if kind:
        made.add_class(f"fk-{kind}")
    made.on_click(lambda _: on_click())
    return made


def select_first(choice: ipywidgets.Dropdown) -> None:
    """Choose the first option where none is chosen: a browser that was shown an empty list answers with no choice at all, also
    after there is one."""
    if choice.options and choice.index is None:
        choice.index = 0
